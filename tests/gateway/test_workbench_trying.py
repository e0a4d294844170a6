"""`mapping try` and `mapping diff`: what becomes of a sample, and what another profile would change."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.agreement import parse
from gateway.demo.incidents import incident
from gateway.oversight.standing import Supposed
from gateway.workbench.compare import Way, compare
from gateway.workbench.samples import profile_named, sampled
from gateway.workbench.trying import ASSUMED, Tried, try_on
from mappings.profile import ProfileInvalid, load, profile

ROOT = Path(__file__).parents[2]
IHUB = profile("ihub")
TERMS = Supposed(parse((ROOT / "gateway" / "agreements" / "operation-provide.yaml").read_bytes()))
NOW = datetime(2026, 4, 13, 9, tzinfo=UTC)


def sample(folder: Path, *documents: dict[str, Any]) -> Path:
    """A sample file: one document, or a batch of several."""
    path = folder / ("sample.json" if len(documents) == 1 else "sample.ndjson")
    path.write_text("\n".join(json.dumps(one) for one in documents))
    return path


def tried(folder: Path, document: dict[str, Any], sender: str | None = "04") -> Tried:
    (one,) = sampled(sample(folder, document), IHUB)
    return try_on(one, TERMS, sender, NOW)


def variant(folder: Path, *changes: tuple[str, str]) -> Path:
    """The shipped profile with changes, under its own name."""
    text = (ROOT / "mappings" / "police" / "ihub.toml").read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    path = folder / "ihub.toml"
    path.write_text(text)
    return path


def test_a_sample_is_shown_by_items_with_what_was_lost(tmp_path: Path) -> None:
    document = incident(1)
    document["data"]["attributes"]["bodyWornVideo"] = "two files"
    told = tried(tmp_path, document).to_json(hide=False)
    assert {"path": "data.attributes.bodyWornVideo", "reason": "no-row"} in told["lost"]
    grade = next(one for one in told["record"] if one["item"] == "risk.grade")
    assert grade == {"path": "assessments[0].grade", "item": "risk.grade", "value": "high"}


def test_each_recipient_is_judged_as_the_gateway_would(tmp_path: Path) -> None:
    told = tried(tmp_path, incident(1)).to_json(hide=True)
    first = next(one for one in told["recipients"] if one["recipient"] == "idva-team")
    assert first["outcome"] == "permitted"
    effects = {one["item"]: one["effect"] for one in first["items"]}
    assert effects["victim.safe_contact"] == "released"
    assert effects["statement.third_party"] == "withheld"


def test_the_sender_decides_which_flows_there_are(tmp_path: Path) -> None:
    (only,) = tried(tmp_path, incident(1), "99").to_json(hide=True)["recipients"]
    assert only["outcome"] != "permitted"


def test_what_was_assumed_is_told_apart_from_what_is_missing(tmp_path: Path) -> None:
    document = incident(1)
    document["data"]["attributes"]["reportedDateTime"] = "2026-10-25T01:30:00"
    document["data"]["attributes"]["recordedDateTime"] = "yesterday"
    told = tried(tmp_path, document).to_json(hide=True)
    assert {one["path"]: one["code"] for one in told["assumed"]}["data.attributes.reportedDateTime"] == "time-ambiguous"
    assert {one["path"]: one["code"] for one in told["findings"]}["data.attributes.recordedDateTime"] not in ASSUMED


def test_hidden_values_are_in_neither_form(tmp_path: Path) -> None:
    result = tried(tmp_path, incident(1))
    shown = "\n".join(result.in_words(hide=False))
    hidden = "\n".join(result.in_words(hide=True)) + json.dumps(result.to_json(hide=True))
    name = next(one["value"] for one in result.to_json(hide=False)["record"] if one["path"].endswith("names[0].family"))
    assert name in shown
    assert name not in hidden
    assert "victim.name" in hidden


def test_an_unreadable_document_says_where_and_the_rest_of_a_batch_is_read(tmp_path: Path) -> None:
    broken = incident(2)
    del broken["data"]
    found = list(sampled(sample(tmp_path, incident(1), broken, incident(3)), IHUB))
    assert [one.reading is None for one in found] == [False, True, False]
    (problem,) = try_on(found[1], TERMS, "04", NOW).to_json(hide=True)["unreadable"]
    assert problem["path"] == "data"
    assert "unreadable" in "\n".join(try_on(found[1], TERMS, "04", NOW).in_words(hide=True))


def test_without_an_agreement_nobody_is_asked_for(tmp_path: Path) -> None:
    (one,) = sampled(sample(tmp_path, incident(1)), IHUB)
    assert try_on(one, None, "04", NOW).given == ()


def test_a_profile_is_named_by_its_file_or_by_its_name(tmp_path: Path) -> None:
    assert profile_named("ihub") is IHUB
    assert profile_named(str(variant(tmp_path))).hash == IHUB.hash
    with pytest.raises(ProfileInvalid, match="neither a file"):
        profile_named("nobody")


def test_the_same_profile_changes_nothing(tmp_path: Path) -> None:
    compared = compare(IHUB, load(variant(tmp_path)), [sample(tmp_path, incident(1))])
    assert (compared.documents, compared.changes, compared.harm) == (1, {}, ())
    assert compared.same > 50


GRADE = '  { from = "attributes.riskGrade", to = "grade", transform = "mapped", map = "grade" },\n'
SAFE = '  { from = "attributes.safeToContact", to = "safe", transform = "boolean" },'
CONSENT = "relationships.consent.data"


@pytest.mark.parametrize(
    ("changes", "lost"),
    [
        ([('"attributes.riskGrade"', '"attributes.riskLevel"')], "risk.grade"),
        ([(SAFE, SAFE.replace("safeToContact", "safeContact"))], "victim.safe_contact"),
        ([(f'"{CONSENT}"', '"relationships.agreed.data"')], "consent.state"),
        ([('"attributes.protectiveMarking"', '"attributes.gsc"')], "police.marking"),
        ([('"attributes.surname"', '"attributes.lastName"')], "victim.name"),
        (
            [('set = { role = "victim" }, ref = "victim"', 'set = { role = "witness" }, ref = "victim"')],
            "victim.listed",
        ),
    ],
)
def test_what_an_adviser_depends_on_is_harm_when_it_is_lost(
    tmp_path: Path, changes: list[tuple[str, str]], lost: str
) -> None:
    compared = compare(IHUB, load(variant(tmp_path, *changes)), [sample(tmp_path, incident(1), incident(2))])
    assert lost in compared.harm
    assert compared.changes[Way.LOST, lost].count >= 2
    assert compared.changes[Way.LOST, lost].examples[0].startswith("sample.ndjson 1: ")


def test_a_harmless_loss_and_a_gain_are_counted(tmp_path: Path) -> None:
    worse = load(variant(tmp_path, ('"attributes.nsirCategory"', '"attributes.closingCode"')))
    files = [sample(tmp_path, incident(1))]
    assert "police.marking" not in compare(IHUB, worse, files).harm
    lost = compare(IHUB, worse, files)
    gained = compare(worse, IHUB, files)
    assert lost.harm == gained.harm == ()
    assert {way for way, _ in lost.changes} <= {Way.LOST, Way.CHANGED}
    assert {(Way.NEW, item) for way, item in lost.changes if way is Way.LOST} <= gained.changes.keys()


def test_a_document_that_only_one_can_read_is_harm(tmp_path: Path) -> None:
    stricter = load(
        variant(
            tmp_path, ('to = "outcome", transform = "slug" }', 'to = "outcome", transform = "slug", required = true }')
        )
    )
    compared = compare(IHUB, stricter, [sample(tmp_path, incident(1))])
    assert "the whole document" in compared.harm
