"""`mapping draft`: a profile proposed from one sample loads, maps a useful share, and is seldom wrong."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest

from adapters.socket import Unreadable
from gateway.workbench.check import check
from gateway.workbench.draft import draft
from gateway.workbench.drafted import text_of
from gateway.workbench.naming import words_of
from gateway.workbench.reading import NotDrafted, drawn
from gateway.workbench.samples import sampled
from gateway.workbench.values import fit
from gateway.workbench.vocabulary import LEAVES
from mappings.items import leaves
from mappings.profile import Profile, load, profile
from mappings.reading import Reading
from mappings.record import Record
from mappings.targets import PARTS, target
from mappings.transforms import TRANSFORMS
from tests.support import athena, connect, niche

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 11, 23)


def samples(folder: Path) -> dict[str, Path]:
    """A sample for each profile whose shape is one document."""
    found = {"ihub": ROOT / "tests" / "fixtures" / "police" / "ihub-high-risk-child.json"}
    for name, suffix, text in (
        ("athena", "json", json.dumps(athena.investigation())),
        ("niche", "xml", niche.text()),
        ("flat", "csv", connect.flat(connect.flat_row())),
    ):
        found[name] = folder / f"{name}.{suffix}"
        found[name].write_text(text, newline="")
    return found


def drafted(folder: Path, sample: Path) -> Profile:
    path = folder / "mine.toml"
    path.write_text(text_of(draft(drawn(sample)), "mine", TODAY))
    found = check(path)
    assert found.loads, found.remarks
    return load(path)


def reading(sample: Path, by: Profile) -> Reading:
    (one,) = sampled(sample, by)
    assert one.reading is not None, one.problems
    return one.reading


def said(record: Record) -> set[tuple[str, str, str]]:
    """What a record says, as (path, item, value); references of its parts are given out in their own order."""
    bare = record.model_copy(update={"quality": (), "source": None})
    own = (".ref", ".subject", ".a", ".b", ".protects")
    return {(re.sub(r"\[\d+\]", "[]", p), i, str(v)) for p, i, v in leaves(bare) if not p.endswith(own)}


@pytest.mark.parametrize(
    ("name", "share", "precision"),
    [("ihub", 0.9, 0.97), ("athena", 0.8, 0.97), ("niche", 0.6, 0.95), ("flat", 0.75, 0.97)],
)
def test_a_draft_reads_a_useful_share_and_what_it_reads_is_right(
    tmp_path: Path, name: str, share: float, precision: float
) -> None:
    """Beside the profile that people wrote for the shape: the share of the sample's leaves, and of what is said."""
    sample = samples(tmp_path)[name]
    found, known = reading(sample, drafted(tmp_path, sample)), reading(sample, profile(name))
    assert 1 - found.loss_count / found.leaf_count >= share
    mine, theirs = said(found.record), said(known.record)
    assert len(mine & theirs) / len(mine) >= precision


def test_the_victim_the_suspect_and_the_grade_are_found_in_each_shape_of_json(tmp_path: Path) -> None:
    for name in ("ihub", "athena"):
        sample = samples(tmp_path)[name]
        found, known = reading(sample, drafted(tmp_path, sample)).record, reading(sample, profile(name)).record
        assert [one.role for one in found.people] == [one.role for one in known.people]
        assert [one.grade for one in found.assessments] == [one.grade for one in known.assessments]


def test_a_safe_address_is_never_drafted_as_a_home_address(tmp_path: Path) -> None:
    for name in ("ihub", "athena"):
        sample = samples(tmp_path)[name]
        found, known = reading(sample, drafted(tmp_path, sample)).record, reading(sample, profile(name)).record
        homes = {a.lines for p in found.people for a in p.addresses if a.use == "home"}
        assert homes.isdisjoint({a.lines for p in known.people for a in p.addresses if a.use == "safe"})


def test_every_leaf_is_in_a_row_or_named_as_not_mapped(tmp_path: Path) -> None:
    sample = tmp_path / "sample.json"
    sample.write_text(json.dumps({"reference": "x", "zqx": 1, "vehicles": [{"vrm": "x"}], "bad name": 2}))
    text = text_of(draft(drawn(sample)), "mine", TODAY)
    assert "# not mapped: zqx" in text
    assert "# not mapped: vehicles: a list of parts of a kind that is not known" in text
    assert "bad name" in text


def stranger(name: str) -> Path:
    return ROOT / "tests" / "fixtures" / "stranger" / name


def test_an_id_inside_a_document_is_never_drafted_as_a_reference(tmp_path: Path) -> None:
    """Each document has its `I1` again: as an occurrence it would make one case of all of them."""
    by = drafted(tmp_path, stranger("niem.xml"))
    record = reading(stranger("niem.xml"), by).record
    assert [(one.type, one.value) for one in record.references] == [("occurrence", "41-2026-77001")]


def test_people_are_found_through_the_roles_of_niem_and_what_cannot_be_followed_is_said(tmp_path: Path) -> None:
    sample = stranger("niem.xml")
    people = reading(sample, drafted(tmp_path, sample)).record.people
    assert [(one.role.value, one.names[0].family, one.names[0].given) for one in people] == [
        ("victim", "Thistle", ("Dora", "Jo")),
        ("other", "Thistle", ("Egon",)),  # a subject is a suspect in some systems and anybody in others
    ]
    text = text_of(draft(drawn(sample)), "mine", TODAY)
    assert "# decide: IncidentReport.j:Subject are people whose role nothing says" in text
    assert "joins two parts from outside both" in text


def test_what_repeats_the_name_of_what_it_is_in_is_understood(tmp_path: Path) -> None:
    sample = stranger("gjxdm.xml")
    record = reading(sample, drafted(tmp_path, sample)).record
    assert [(one.role.value, one.names[0].family) for one in record.people] == [("victim", "Ember"), ("suspect", "Ash")]
    assert [(one.value, one.safe) for one in record.people[0].contacts] == [("07700900333", True)]
    assert [(one.instrument, one.grade and one.grade.value) for one in record.assessments] == [("dara", "medium")]


def test_people_whose_role_nothing_says_are_for_a_person_to_decide(tmp_path: Path) -> None:
    sample = tmp_path / "sample.json"
    sample.write_text(json.dumps({"occurrenceNumber": "1", "persons": [{"surname": "Ashdown"}]}))
    text = text_of(draft(drawn(sample)), "mine", TODAY)
    assert "# decide: persons are people whose role nothing says" in text
    assert 'role = "victim"' not in text


def test_no_value_of_the_sample_is_in_the_draft(tmp_path: Path) -> None:
    for name, sample in samples(tmp_path).items():
        text = text_of(draft(drawn(sample)), "mine", TODAY)
        for value in ("Ashdown", "Ardenholme", "07700", "ZZ99", "neighbour"):
            assert value not in text, (name, value)


def test_the_same_sample_gives_the_same_draft(tmp_path: Path) -> None:
    for sample in samples(tmp_path).values():
        assert text_of(draft(drawn(sample)), "x", TODAY) == text_of(draft(drawn(sample)), "x", TODAY)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("a.json", b'{"a": '),
        ("a.json", b"[1]"),
        ("a.xml", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"),
        ("a.xml", b"<a><b></a>"),
        ("a.csv", b""),
        ("a.zip", b"PK"),
    ],
)
def test_a_sample_nobody_can_read_is_refused_with_a_reason(tmp_path: Path, name: str, body: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(body)
    with pytest.raises((NotDrafted, Unreadable)):
        drawn(path)


def test_codes_of_the_forces_own_leave_their_row_and_say_so(tmp_path: Path) -> None:
    """A row that is missing is seldom missed: the instrument of a grade least of all."""
    sample = tmp_path / "sample.json"
    sample.write_text(json.dumps({"case": {"number": "1"}, "risk": [{"tool": "OURS", "grade": "High"}]}))
    text = text_of(draft(drawn(sample)), "mine", TODAY)
    (row,) = [line for line in text.splitlines() if 'to = "instrument"' in line]
    assert "decide: the map knows 0% of the sample's codes" in row


def test_values_speak_against_a_target_they_cannot_be() -> None:
    assert fit(["Ashdown"], "moment", "") == 0
    assert fit(["12/04/2026"], "birth-date", "") == 1
    assert fit(["999 000 0018"], "nhs-number", "") == 1
    assert fit(["Blackpool"], "postcode", "") == 0
    assert fit(["F", "M"], "mapped", "gender") == 1
    assert fit(["F", "zzz"], "mapped", "gender") == 0.5
    assert fit([None, ""], "moment", "") == 0.5


def test_every_word_of_the_vocabulary_has_a_target_and_a_transform() -> None:
    classes = {"Phone": "Contact", "Email": "Contact", "Scene": "Record"}
    for kind, words in LEAVES.items():
        for word in words:
            aim = target(PARTS[classes.get(kind, kind)], word.target)
            assert TRANSFORMS[word.transform].gives in aim.accepts, word
            assert TRANSFORMS[word.transform].maps == bool(word.map), word
            assert [words_of(one) for one in word.names] == list(word.names), word


@pytest.mark.parametrize("name", ["dateOfBirth", "DATE_OF_BIRTH", "date-of-birth", "DateOfBirth", "ns:DateOfBirth"])
def test_names_are_compared_by_their_words(name: str) -> None:
    assert words_of(name.removeprefix("ns:")) == "date of birth"
