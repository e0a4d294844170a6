"""The profiles for delimited text: related files in a zip (CONNECT-like), and one row for each incident (flat)."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.socket import Limits, Reading, reader
from mappings import items
from mappings.profile import ProfileInvalid, load, profile
from mappings.record import AddressUse, ConsentState, Grade, Instrument, RecordKind, Role, Topic
from mappings.tables import tables
from tests.support import connect

CONNECT, FLAT = profile("connect"), profile("flat")
READER = reader("police.csv")
FOLDER = Path(items.__file__).parent / "police"


def read(made: connect.Export) -> Reading:
    return READER.read(connect.zipped(made), CONNECT, Limits())


def found(reading: Reading) -> set[tuple[str, str]]:
    return {(f.path, f.code) for f in reading.findings}


def test_a_full_export_is_read_whole() -> None:
    reading = read(connect.export())
    record = reading.record
    assert (record.kind, record.version, record.area, record.offence, record.section) == (
        RecordKind.INCIDENT,
        1,
        "blackpool",
        "8N",
        "adult",
    )
    assert {r.type: r.value for r in record.references} == {
        "occurrence": "04/2026/000345",
        "incident": "PPN-77",
        "log": "LC-20260412-0345",
        "crime": "04/12345/26",
        "cjs-urn": "04BB1234526",
    }
    victim, suspect, child, caller = record.people
    assert [p.role for p in record.people] == [Role.VICTIM, Role.SUSPECT, Role.CHILD, Role.REPORTER]
    assert victim.names[0].given == ("Marianne", "Élise")
    assert [a.use for a in victim.addresses] == [AddressUse.HOME, AddressUse.SAFE]
    assert [(c.is_safe, c.may_leave_voicemail, c.code_word) for c in victim.contacts] == [(True, False, "blue door")]
    assert suspect.warnings == ("violent",)
    assert (child.school, child.present, child.witnessed) == ("Example Primary School", True, True)
    assert caller.names[0].family == "Peverell"
    assert [(r.a, r.b, r.type) for r in record.relationships] == [("victim-1", "suspect-1", "ex-partner")]
    (assessment,) = record.assessments
    assert (assessment.instrument, assessment.grade, assessment.subject) == (
        Instrument.DASH_POLICE_27,
        Grade.HIGH,
        "victim-1",
    )
    assert [(a.code, a.reply) for a in assessment.answers] == [("STRG", "yes"), ("DEP", "yes"), ("PREG", "unknown")]
    assert [g.grade for g in assessment.history] == [Grade.MEDIUM]
    assert [(c.state, c.scope, c.subject) for c in record.consents] == [
        (ConsentState.GIVEN, ("idva", "health"), "victim-1")
    ]
    assert [(c.code, c.subject) for c in record.criteria] == [("professional-judgement", "victim-1")]
    assert [(o.subject, o.protects, o.expires) for o in record.orders] == [("suspect-1", "victim-1", date(2026, 4, 14))]
    assert [(c.event, c.subject) for c in record.custody] == [("released-under-investigation", "suspect-1")]
    assert record.times is not None
    assert record.times.recorded == datetime(2026, 4, 13, 0, 15, tzinfo=UTC)
    assert record.officer is not None
    assert record.officer.collar == "4417"
    assert record.source is not None
    assert (record.source.system, record.source.profile_hash) == ("CONNECT", CONNECT.hash)
    assert items.present(record) <= set(items.CATALOGUE)


def test_nothing_of_a_full_export_is_lost_but_the_attachment_itself() -> None:
    reading = read(connect.export())
    assert [(loss.path, loss.reason) for loss in reading.losses] == [("attachments[0]", "attachment")]
    assert reading.ignored_count == 4
    told = reading.record.model_dump_json()
    for hidden in ("scene.mp4", "07700 900999", "07700900999"):
        assert hidden not in told


def test_who_reported_it_is_not_in_the_summary() -> None:
    statements = {s.topic: s.text or "" for s in read(connect.export()).record.statements}
    assert statements[Topic.SUMMARY] == 'Argument in the café. He said "never again" | and left.'
    assert "neighbour" in statements[Topic.THIRD_PARTY]


def test_an_incident_alone_is_read_and_its_gaps_are_named() -> None:
    """P6; and it may come as one CSV file as well as a zip."""
    made: connect.Export = {"incidents": connect.export()["incidents"]}
    alone = READER.read(connect.text(made["incidents"]).encode("cp1252"), CONNECT, Limits())
    assert alone.record == read(made).record
    assert ("people", "no-victim") in found(alone)


def test_one_person_in_two_roles_is_two_people_in_the_record_and_one_in_the_export() -> None:
    """N9; and her own telephone is not shared with a suspect because she is named as one."""
    made = connect.export()
    victim, suspect = made["persons"][:2]
    made["persons"] += [suspect | {"ROLE": "AGGRIEVED"}, victim | {"ROLE": "SUSPECT"}]
    made["relationships"] += [
        made["relationships"][0] | {"VICTIM_ID": suspect["PERSON_ID"], "SUSPECT_ID": victim["PERSON_ID"]}
    ]
    record = read(made).record
    assert [(p.ref, p.names[0].family) for p in record.people if p.role in {Role.VICTIM, Role.SUSPECT}] == [
        ("victim-1", "Ashdown"),
        ("victim-2", "Quill"),
        ("suspect-1", "Quill"),
        ("suspect-2", "Ashdown"),
    ]
    assert [(r.a, r.b) for r in record.relationships] == [("victim-1", "suspect-1"), ("victim-2", "suspect-2")]
    assert [p.also for p in record.people[:2]] == ["suspect-2", "suspect-1"]
    assert record.people[0].contacts[0].is_safe


def test_two_different_rows_of_one_person_stay_two_people_with_a_finding() -> None:
    made = connect.export()
    made["persons"].append(made["persons"][0] | {"ROLE": "SUSPECT", "SURNAME": "Otherwise"})
    reading = read(made)
    assert ("persons[4]", "resource-given-twice") in found(reading)
    assert [p.names[0].family for p in reading.record.people if p.role is Role.SUSPECT] == ["Quill", "Otherwise"]


def test_a_telephone_that_both_have_is_shared_with_the_suspect() -> None:
    """P5, N8."""
    made = connect.export()
    made["contacts"][1]["CONTACT_VALUE"] = "+44 7700 900123"
    assert not read(made).record.people[0].contacts[0].is_safe


def test_somebody_in_an_unknown_role_is_kept_as_a_third_party() -> None:
    made = connect.export()
    made["persons"][3]["ROLE"] = "LODGER"
    reading = read(made)
    assert reading.record.people[3].role is Role.OTHER
    assert ("persons[3].ROLE", "unknown-code") in found(reading)
    assert ("persons[3].ROLE", "no-row") in {(loss.path, loss.reason) for loss in reading.losses}


def test_an_address_of_an_unknown_type_is_treated_as_a_safe_one() -> None:
    """P5: it may be a refuge."""
    made = connect.export()
    made["addresses"][1]["ADDR_TYPE"] = "TEMP"
    made["addresses"][2]["ADDR_TYPE"] = ""
    record = read(made).record
    assert [a.use for a in record.people[0].addresses] == [AddressUse.HOME, AddressUse.SAFE]
    assert [a.use for a in record.people[1].addresses] == [AddressUse.SAFE]


def test_rows_that_belong_to_nothing_are_counted_as_lost() -> None:
    made = connect.export()
    made["persons"][2]["OCC_REF"] = "another"
    made["addresses"][0]["PERSON_ID"] = "nobody"
    made["relationships"][0]["VICTIM_ID"] = "nobody"
    reading = read(made)
    assert {("unjoined[0]", "link-to-nothing"), ("unjoined[1]", "link-to-nothing")} <= found(reading)
    assert ("relationships[0].VICTIM_ID", "link-to-nothing") in found(reading)
    assert Role.CHILD not in {p.role for p in reading.record.people}
    assert {"unjoined[0].SURNAME", "unjoined[1].POSTCODE"} <= {loss.path for loss in reading.losses}


def test_an_unknown_file_of_an_export_is_a_finding() -> None:
    files = {f"{name}.csv": connect.text(rows).encode("cp1252") for name, rows in connect.export().items()}
    reading = READER.read(connect.packed(files | {"vehicles.csv": b"a|b\n1|2\n"}), CONNECT, Limits())
    assert ("entries[13]", "unknown-file") in found(reading)
    assert reading.record == READER.read(connect.packed(files), CONNECT, Limits()).record.model_copy(
        update={"quality": reading.record.quality}
    )


@pytest.mark.parametrize("grade", ["high", "HIGH", "H", "standard"])
def test_a_grade_travels_with_who_gave_it_when_and_on_what(grade: str) -> None:
    """P10."""
    made = connect.export()
    made["risk"][0]["GRADE"] = grade
    (assessment,) = read(made).record.assessments
    assert assessment.grade is {"h": Grade.HIGH, "s": Grade.STANDARD}[grade[0].lower()]
    assert (assessment.assessor_role, assessment.yes, assessment.items) == ("response-officer", 2, 27)
    assert assessment.at == datetime(2026, 4, 12, 21, 30, tzinfo=UTC)


def test_a_grade_that_is_not_known_is_no_grade() -> None:
    """P10."""
    made = connect.export()
    made["risk"][0]["GRADE"] = "severe"
    reading = read(made)
    assert reading.record.assessments[0].grade is None
    assert ("risk[0].GRADE", "unknown-code") in found(reading)


def test_a_flat_row_is_read_whole() -> None:
    reading = READER.read(connect.flat(connect.flat_row(Child1Forename="Wren")).encode(), FLAT, Limits())
    record = reading.record
    assert reading.loss_count == 0
    assert [(p.ref, p.names[0].given) for p in record.people] == [
        ("victim-1", ("Marianne",)),
        ("suspect-1", ("Rufus",)),
        ("child-1", ("Wren",)),
    ]
    assert record.people[0].contacts[0].is_safe
    assert [(a.grade, a.yes, a.items, a.subject) for a in record.assessments] == [(Grade.HIGH, 16, 27, "victim-1")]
    assert [(r.a, r.b, r.type) for r in record.relationships] == [("victim-1", "suspect-1", "ex-partner")]
    assert record.consents[0].state is ConsentState.GIVEN
    assert record.flags == ("DA",)


def test_a_flat_row_without_a_suspect_names_nobody_as_related() -> None:
    blank = {name: "" for name in connect.flat_row() if name.startswith("Suspect")}
    reading = READER.read(connect.flat(connect.flat_row(**blank)).encode(), FLAT, Limits())
    assert [p.ref for p in reading.record.people] == ["victim-1"]
    assert reading.record.relationships == ()
    assert ("incidents.relationship", "incomplete") in found(reading)


@pytest.mark.parametrize("name", ["connect", "flat"])
def test_the_file_says_whose_guess_the_shape_is(name: str) -> None:
    head = (FOLDER / f"{name}.toml").read_text(encoding="utf-8").partition("\nname =")[0]
    assert "THE SHAPE IS OUR" in head


GOOD: dict[str, Any] = tomllib.loads((FOLDER / "connect.toml").read_text(encoding="utf-8"))["csv"]


def changed(path: str, value: object) -> dict[str, Any]:
    tree: dict[str, Any] = tomllib.loads((FOLDER / "connect.toml").read_text(encoding="utf-8"))["csv"]
    *way, last = path.split("/")
    node = tree
    for step in way:
        node = node[step]
    if value is None:
        del node[last]
    else:
        node[last] = value
    return tree


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("incident", None, "csv.incident: missing"),
        ("incident", "offences", "csv.incident: none of the files"),
        ("files", [], "csv.files: not a table"),
        ("speed", 1, "csv.speed: unknown key"),
        ("charset", "latin-1", "csv.charset: one of utf-8, windows-1252"),
        ("delimiter", "|", "csv.delimiter: one of comma"),
        ("quoted", "no", "csv.quoted: true or false"),
        ("files/Persons", {}, "csv.files.Persons: small letters"),
        ("files/roles", {}, "csv.files.roles: small letters"),
        ("files/persons/colour", 1, "csv.files.persons.colour: unknown key"),
        ("files/persons/key", None, "csv.files.persons.key: given with `of`"),
        ("files/persons/of", "nothing", "csv.files.persons.of: does not lead to the incidents"),
        ("files/persons/of", "addresses", "csv.files.persons.of: does not lead to the incidents"),
        ("files/risk/id", None, "csv.files.risk_answers.of: 'risk' has no id"),
        ("files/incidents/of", "persons", "csv.files.incidents.key: given with `of`"),
        ("files/persons/roles/child", [], "csv.files.persons.roles.child: not text"),
        ("files/persons/roles/child", ["VICTIM"], "csv.files.persons.roles.child: a word given before"),
        ("files/persons/roles", {"column": "R"}, "csv.files.persons.roles: names no role"),
        ("files/incidents/roles", {"column": "R", "victim": ["V"]}, "csv.files.incidents.roles: the incidents are not"),
        ("files/orders/roles", {"column": "R", "victim": ["V"]}, "csv.files: more than one has roles"),
        ("files/risk/links", {"PERSON_ID": "orders"}, "csv.files.risk.links.PERSON_ID: not a file with an id"),
        ("files/risk/groups", {"A": "a", "AB": "b"}, "csv.files.risk.groups: one begins with another"),
        ("files/risk/leads", {"a": ["b"]}, "csv.files.risk.leads.a: from a group to others"),
    ],
)
def test_what_a_profile_says_of_its_files_is_read_strictly(path: str, value: object, words: str) -> None:
    assert tables(GOOD).incident.name == "incidents"
    with pytest.raises(ValueError, match=r"csv") as refused:
        tables(changed(path, value))
    assert words in str(refused.value)


def test_files_are_said_by_profiles_of_delimited_text_and_by_no_other(tmp_path: Path) -> None:
    text = (FOLDER / "flat.toml").read_text(encoding="utf-8")
    other = tmp_path / "flat.toml"
    other.write_text(text.replace("police.csv", "police.json"), encoding="utf-8")
    with pytest.raises(ProfileInvalid, match=r"flat.toml: csv: given where the adapter is police.csv"):
        load(other)
