"""Police JSON:API documents, ours and others': every sample by every profile for it."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.socket import Fault, Limits, Reading, Unreadable, reader
from mappings import items
from mappings.profile import profile, profiles
from mappings.record import AddressUse, ConsentState, Grade, Instrument, RecordKind, Role, Topic
from tests.support.shared import shared_data

SAMPLES = sorted((Path(__file__).parents[1] / "fixtures" / "police").glob("*.json"))
IHUB = profile("ihub")
READER = reader("police.json")


def read(body: bytes | dict[str, Any]) -> Reading:
    return READER.read(body if isinstance(body, bytes) else json.dumps(body).encode(), IHUB, Limits())


def sample(name: str) -> Reading:
    return read(next(p for p in SAMPLES if p.stem == name).read_bytes())


def found(reading: Reading) -> set[tuple[str, str]]:
    return {(f.path, f.code) for f in reading.findings}


def document(**relationships: Any) -> dict[str, Any]:
    return {
        "data": {
            "type": "incident",
            "id": "1",
            "attributes": {},
            "relationships": {k: {"data": v} for k, v in relationships.items()},
        },
        "included": [
            {"type": "person", "id": "a", "attributes": {"surname": "Ashdown"}},
            {"type": "person", "id": "b", "attributes": {"surname": "Quill"}},
        ],
    }


A = {"type": "person", "id": "a"}
B = {"type": "person", "id": "b"}


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.stem)
@pytest.mark.parametrize("name", [n for n in profiles() if profile(n).adapter == "police.json"])
def test_every_sample_reads_into_a_record_that_says_how_it_was_read(path: Path, name: str) -> None:
    used = profile(name)
    if not path.stem.startswith(name):
        pytest.skip("a sample is named after its profile")
    reading = READER.read(path.read_bytes(), used, Limits())
    assert reading.record.reference("occurrence")
    assert items.present(reading.record) <= set(items.CATALOGUE)
    assert reading.record.source is None or reading.record.source.profile_hash == used.hash
    assert reading == READER.read(path.read_bytes(), used, Limits())


def test_a_full_incident_is_read_whole() -> None:
    record = sample("ihub-high-risk-child").record
    assert (record.kind, record.area, record.offence, record.category) == (
        RecordKind.INCIDENT,
        "blackpool",
        "8N",
        "domestic-incident",
    )
    assert [(p.ref, p.role) for p in record.people] == [
        ("victim-1", Role.VICTIM),
        ("suspect-1", Role.SUSPECT),
        ("child-1", Role.CHILD),
        ("reporter-1", Role.REPORTER),
    ]
    victim, _, child, _ = record.people
    assert victim.names[0].given == ("Marianne", "Elise")
    assert [a.use for a in victim.addresses] == [AddressUse.HOME, AddressUse.SAFE]
    assert [(c.is_safe, c.may_leave_voicemail) for c in victim.contacts] == [
        (True, False),
        (False, False),
        (False, False),
    ]
    assert (child.school, child.present, child.witnessed) == ("Example Primary School", True, True)
    (assessment,) = record.assessments
    assert (assessment.instrument, assessment.grade, assessment.yes) == (Instrument.DASH_POLICE_27, Grade.HIGH, 19)
    assert (assessment.subject, len(assessment.answers)) == ("victim-1", 27)
    assert record.consents[0].state is ConsentState.GIVEN
    assert [(r.a, r.b, r.type) for r in record.relationships] == [("victim-1", "suspect-1", "ex-partner")]
    assert record.orders[0].subject == "suspect-1"
    assert record.source is not None
    assert (record.source.organisation, record.source.system) == ("04", "CONNECT")


def test_who_reported_it_is_not_in_the_summary() -> None:
    statements = sample("ihub-high-risk-child").record.statements
    by_topic = {s.topic: s.text or "" for s in statements}
    assert "neighbour" not in by_topic[Topic.SUMMARY]
    assert "neighbour" in by_topic[Topic.THIRD_PARTY]
    assert "neck" in by_topic[Topic.SUMMARY]


def test_the_reporters_network_address_is_neither_read_nor_a_loss() -> None:
    reading = sample("ihub-high-risk-child")
    assert "192.0.2.17" not in reading.record.model_dump_json()
    assert reading.ignored_count == 6
    assert not any("ipAddress" in loss.path for loss in reading.losses)


def test_what_the_full_sample_loses_is_what_no_public_list_explains() -> None:
    """Constrained values whose lists are not published; a link read for the document as a whole is no loss."""
    assert [(loss.path, loss.reason) for loss in sample("ihub-high-risk-child").losses] == [
        ("data.attributes.incidentInvolvement", "no-row"),
        ("included[7].attributes.ethnicityGroup", "no-row"),
        ("included[7].attributes.contactPreference", "no-row"),
    ]


def test_a_minimal_incident_is_read_and_its_gaps_are_named() -> None:
    """P6: safeguarding is not blocked by form."""
    reading = sample("ihub-minimal")
    assert [p.ref for p in reading.record.people] == ["victim-1"]
    assert reading.loss_count == 0
    assert {("area", "missing"), ("assessments", "missing"), ("people[0].contacts", "no-safe-contact")} <= found(
        reading
    )


def test_an_irregular_incident_is_read_as_far_as_it_can_be() -> None:
    reading = sample("ihub-irregular")
    record = reading.record
    assert (record.kind, record.version, record.area) == (RecordKind.CORRECTION, 2, "morecambe")
    assert record.reference("occurrence") == "LC/2026/ 77"
    victim, suspect, witness = record.people
    assert victim.nhs_number is None
    assert [(c.safe, c.voicemail, c.text) for c in victim.contacts] == [(True, None, False)]
    assert suspect.birth is not None
    assert (suspect.birth.year, suspect.birth.age_from, suspect.birth.age_to, suspect.sex) == (1966, 50, 60, None)
    assert witness.role is Role.WITNESS
    assert record.assessments[0].grade is None
    assert [a.code for a in record.assessments[0].answers] == ["DARA.THREAT"]
    assert (record.offence, record.flags) == ("999Z", ("DA", "LOCAL", "physically-assaulted"))
    third = [s.text for s in record.statements if s.topic is Topic.THIRD_PARTY]
    assert third == [
        "Reported by Sid Quill from the shop. He heard a door slam.",
        "Her mother says she is afraid. Did not want to talk at the scene.",
    ]
    assert record.consents[0].reason is None, "it may go on about her mother"
    assert {
        ("data.attributes.reportedDateTime", "time-skipped"),
        ("data.attributes.recordedDateTime", "time-ambiguous"),
        ("data.relationships.dog.data[0]", "link-to-nothing"),
        ("included[7].attributes.riskGrade", "unknown-code"),
        ("included[4].attributes.nhsNumber", "nhs-number-placeholder"),
        ("people[0].birth.on", "first-of-january"),
        ("people[1].birth", "age-only"),
    } <= found(reading)
    assert "included[4].attributes.vehicle.doors[1]" in {loss.path for loss in reading.losses}


def test_a_counter_allegation_keeps_two_people_in_two_roles_apart() -> None:
    """N9; and a telephone that both have is shared with the suspect, while one's own is not (P5, N8)."""
    record = sample("ihub-counter-allegation").record
    assert [(p.ref, (p.names[0].given[0])) for p in record.people] == [
        ("victim-1", "Delia"),
        ("victim-2", "Rufus"),
        ("suspect-1", "Rufus"),
        ("suspect-2", "Delia"),
    ]
    assert [(r.a, r.b) for r in record.relationships] == [("victim-1", "suspect-1"), ("victim-2", "suspect-2")]
    assert [a.subject for a in record.assessments] == ["victim-1", "victim-2"]
    assert [c.is_safe for c in record.people[0].contacts] == [False, True]
    assert record.consents[0].effective is ConsentState.NOT_ASKED
    assert [p.ref for p in record.for_victim("victim-1").people] == ["victim-1", "suspect-1"]
    assert [p.ref for p in record.for_victim("victim-2").people] == ["victim-2", "suspect-2"]


def test_links_that_go_in_circles_are_read_once() -> None:
    tree = document(victim=[A])
    tree["included"][0]["relationships"] = {"friend": {"data": B}, "self": {"data": A}}
    tree["included"][1]["relationships"] = {
        "friend": {"data": [A, B]},
        "incident": {"data": {"type": "incident", "id": "1"}},
    }
    reading = read(tree)
    assert [p.ref for p in reading.record.people] == ["victim-1", "other-1"]


def test_somebody_whom_no_role_leads_to_is_kept_as_a_third_party() -> None:
    assert [p.role for p in read(document(victim=A, lodger=B)).record.people] == [Role.VICTIM, Role.OTHER]


@pytest.mark.parametrize(
    ("links", "path", "code"),
    [
        ([{"type": "person", "id": "z"}], "data.relationships.victim.data[0]", "link-to-nothing"),
        ({"type": "person", "id": "z"}, "data.relationships.victim.data", "link-to-nothing"),
        (["a"], "data.relationships.victim.data[0]", "not-a-link"),
        ([{"id": "a"}], "data.relationships.victim.data[0]", "not-a-link"),
    ],
)
def test_a_link_to_nothing_is_a_finding(links: Any, path: str, code: str) -> None:
    assert (path, code) in found(read(document(victim=links)))


def test_a_resource_given_twice_is_read_once_and_the_other_is_counted() -> None:
    tree = document(victim=A)
    tree["included"].append({"type": "person", "id": "a", "attributes": {"surname": "Other"}})
    reading = read(tree)
    assert ("included[2]", "resource-given-twice") in found(reading)
    assert [p.role for p in reading.record.people] == [Role.VICTIM, Role.OTHER, Role.OTHER]


@pytest.mark.parametrize(
    ("links", "lost"), [([A], 0), ([A | {"meta": {"since": 2020, "x": [1]}}], 2), (["a", 5, None], 2)]
)
def test_what_stands_beside_a_link_is_counted(links: Any, lost: int) -> None:
    assert read(document(victim=links)).loss_count == lost


@pytest.mark.parametrize(
    ("tree", "problems"),
    [
        ({}, [("data", Fault.MISSING)]),
        ({"data": [{"type": "incident", "id": "1"}]}, [("data", Fault.WRONG_TYPE)]),
        ({"data": [{"type": "incident", "id": "1"}] * 2}, [("data", Fault.SEVERAL_INCIDENTS)]),
        (
            {"data": {}},
            [("data.attributes.recordKind", Fault.MISSING), ("data.attributes.occurrenceReference", Fault.MISSING)],
        ),
        ({"data": {"type": "party", "id": "1"}}, [("data.type", Fault.UNKNOWN_CODE)]),
        ({"data": {"type": "incident", "id": "x" * 101}}, [("data.id", Fault.NOT_READABLE)]),
        (
            {"data": {"type": "incident", "id": "1", "attributes": {"recordKind": "amendment 2"}}},
            [("data.attributes.recordKind", Fault.UNKNOWN_CODE)],
        ),
        (
            {"data": {"type": "incident", "id": "1", "attributes": {"handlingCode": "Q", "recordVersion": "new"}}},
            [
                ("data.attributes.handlingCode", Fault.UNKNOWN_CODE),
                ("data.attributes.recordVersion", Fault.NOT_READABLE),
            ],
        ),
    ],
)
def test_what_makes_a_document_unreadable_is_named(tree: Any, problems: list[tuple[str, Fault]]) -> None:
    with pytest.raises(Unreadable) as caught:
        read(tree)
    assert [(p.path, p.fault) for p in caught.value.problems] == problems


def test_an_assessment_of_an_unknown_instrument_keeps_its_grade() -> None:
    """P6, P10: a bare DASH could be the 24 or the 27; it is neither, and the grade travels."""
    tree = document(victim=A, riskAssessment={"type": "riskAssessment", "id": "r"})
    tree["included"].append(
        {"type": "riskAssessment", "id": "r", "attributes": {"instrument": "DASH", "riskGrade": "high"}}
    )
    (assessment,) = read(tree).record.assessments
    assert (assessment.instrument, assessment.grade) == ("unknown", "high")


def test_a_safe_telephone_whose_number_is_unreadable_is_not_kept() -> None:
    reading = sample("ihub-irregular")
    assert ("included[2]", "incomplete") in found(reading)


MARK = "zqx"  # in every value and in no word of ours
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8).map(lambda s: MARK + s),
    st.sampled_from(["incident", "person", "a", "2026-04-12", "high"]),
)
NAMES = st.sampled_from(
    [
        "data",
        "included",
        "type",
        "id",
        "attributes",
        "relationships",
        "victim",
        "suspect",
        "riskAssessment",
        "consent",
        "surname",
        "givenName",
        "dateOfBirth",
        "instrument",
        "riskGrade",
        "answers",
        "code",
        "recordKind",
        "recordVersion",
        "handlingCode",
        "incidentStartDateTime",
        "dateFrom",
        "incidentDescription",
        "hoFlags",
        "personalTelephone",
        "telephoneNumber",
        "safeToContact",
    ]
)
ANY_JSON = st.recursive(
    VALUES,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=5)),
    max_leaves=25,
)


@settings(deadline=None, max_examples=300)
@given(ANY_JSON)
def test_any_json_reads_or_is_unreadable_and_no_value_is_told(tree: Any) -> None:
    """P7."""
    _reads_or_refuses(json.dumps(tree).encode())


def _reads_or_refuses(body: bytes) -> None:
    found = _outcome(body)
    if isinstance(found, Unreadable):
        assert MARK not in str(found)
        assert found.fault is not Fault.READER_FAILED
    else:
        told = [f.path + f.code for f in found.findings] + [loss.path + loss.reason for loss in found.losses]
        assert MARK not in "".join(told)


def _outcome(body: bytes) -> Reading | Unreadable:
    try:
        return read(body)
    except Unreadable as refused:
        return refused


@pytest.mark.parametrize("seed", range(40))
def test_a_real_shape_with_anything_in_it_reads_or_is_unreadable(seed: int) -> None:
    """Each leaf of a full sample is replaced, removed or wrapped at random."""
    print("seed", seed)
    dice = random.Random(seed)
    tree = json.loads(SAMPLES[seed % len(SAMPLES)].read_bytes())
    _reads_or_refuses(json.dumps(_disturbed(tree, dice)).encode())


def _disturbed(value: Any, dice: random.Random) -> Any:
    if dice.random() < 0.05:
        return dice.choice([None, True, 7, 2.5, "", MARK, [], [MARK], {}, {"x": MARK}, [[MARK]], {"data": MARK}])
    if isinstance(value, dict):
        return {k: _disturbed(v, dice) for k, v in value.items() if dice.random() > 0.03}
    if isinstance(value, list):
        return [_disturbed(v, dice) for v in value]
    return value


FOREIGN = [
    "police/moj_court_case_matcher/messages/common-platform/hearing.json",
    "police/moj_court_case_matcher/messages/libra/case.json",
    "police/moj_person_record/examples/commonPlatformMessage.json",
    "police/moj_person_record/examples/commonPlatformMessageAttributes.json",
    "police/moj_person_record/examples/commonPlatformSQSMessage.json",
]


@pytest.mark.parametrize("name", FOREIGN)
def test_a_justice_document_of_another_kind_is_unreadable_or_counted(name: str) -> None:
    body = shared_data(*name.split("/")).read_bytes()
    with pytest.raises(Unreadable) as caught:
        read(body)
    assert caught.value.fault in {Fault.MISSING, Fault.WRONG_TYPE, Fault.MALFORMED}
    wrapped = {"data": {"type": "incident", "id": "1", "attributes": json.loads(body)}}
    reading = read(wrapped)
    assert reading.loss_count > 0
    assert reading.loss_count + reading.ignored_count < reading.leaf_count
