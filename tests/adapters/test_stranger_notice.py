"""A hospital's notice whose words do not stand: entered in error, refuted, run out, no longer used, of somebody else.

What is not read is counted as lost, so that the sender is told; consent is never taken for given on one side of a
contradiction; where nobody can say of whom something is said, a person reads it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from adapters.socket import Fault, Limits, Reading, Unreadable, reader
from mappings.profile import profile
from mappings.record import AddressUse, ConsentState, Grade, Role
from tests.support.bundles import OWN, SNOMED, body, bundle

Json = dict[str, Any]
Habit = Callable[[Json], object]
STATE = f"{OWN}/StructureDefinition/consent-state"


def read(habit: Habit, **options: Any) -> Reading:
    document = bundle(7, **options)
    habit(document)
    return reader("nhs.fhir").read(body(document), profile("notice"), Limits())


def the(document: Json, type_: str) -> Json:
    found: Json = next(one["resource"] for one in document["entry"] if one["resource"]["resourceType"] == type_)
    return found


def of(type_: str, **changes: Any) -> Habit:
    """Other elements in the resource of a type."""
    return lambda document: the(document, type_).update(changes)


def part(element: str, **changes: Any) -> Habit:
    """Other parts of the first name, address, telecom or identifier of the victim."""
    return lambda document: the(document, "Patient")[element][0].update(changes)


def more(resource: Json) -> Habit:
    """One more resource about the victim."""

    def change(document: Json) -> None:
        about = {"subject": the(document, "ServiceRequest")["subject"]}
        document["entry"].append({"resource": about | resource, "request": {"method": "POST", "url": "x"}})

    return change


def coded(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


PAST = {"end": "2020-01-01"}
CONCERN = coded(SNOMED, "707087005")
SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
CONSENT: dict[str, tuple[Habit, ConsentState]] = {
    "rejected": (of("Consent", status="rejected"), ConsentState.REFUSED),
    "inactive": (of("Consent", status="inactive"), ConsentState.WITHDRAWN),
    "a draft": (of("Consent", status="draft"), ConsentState.NOT_ASKED),
    "forbidden": (of("Consent", provision={"type": "deny"}), ConsentState.REFUSED),
    "an exception": (of("Consent", provision={"provision": [{"type": "deny"}]}), ConsentState.REFUSED),
    "run out": (of("Consent", provision={"period": PAST}), ConsentState.NOT_ASKED),
    "run out within": (of("Consent", provision={"provision": [{"period": PAST}]}), ConsentState.NOT_ASKED),
    "not begun": (of("Consent", provision={"period": {"start": "2026-12"}}), ConsentState.NOT_ASKED),
    "begun that month": (of("Consent", provision={"period": {"start": "2026-11"}}), ConsentState.GIVEN),
    "ends that day": (of("Consent", provision={"period": {"end": "2026-11-20"}}), ConsentState.GIVEN),
    "said twice": (
        lambda d: the(d, "Consent")["extension"].insert(0, {"url": STATE, "valueCode": "refused"}),
        ConsentState.REFUSED,
    ),
}


@pytest.mark.parametrize("habit", CONSENT)
def test_consent_that_contradicts_itself_is_not_given(habit: str) -> None:
    change, wanted = CONSENT[habit]
    assert [one.state for one in read(change).record.consents] == [wanted]


NOT_READ: dict[str, tuple[Habit, Callable[[Reading], object]]] = {
    "a consent in error": (of("Consent", status="entered-in-error"), lambda r: r.record.consents),
    "consent to research": (of("Consent", scope=coded(SCOPE, "research")), lambda r: r.record.consents),
    "a grade in error": (of("RiskAssessment", status="entered-in-error"), lambda r: r.record.assessments),
    "a grade that was called off": (of("RiskAssessment", status="cancelled"), lambda r: r.record.assessments),
    "an old telephone": (part("telecom", use="old"), lambda r: r.record.people[0].contacts),
    "a telephone of the past": (part("telecom", period=PAST), lambda r: r.record.people[0].contacts),
    "a telephone that is not said to be one": (
        lambda d: the(d, "Patient")["telecom"][0].pop("system"),
        lambda r: r.record.people[0].contacts,
    ),
    "an old address": (part("address", use="old"), lambda r: r.record.people[0].addresses),
    "an address of the past": (part("address", period=PAST), lambda r: r.record.people[0].addresses),
    "an old number": (part("identifier", use="old"), lambda r: r.record.people[0].nhs_number),
    "two numbers": (
        lambda d: the(d, "Patient")["identifier"].append(
            {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000026"}
        ),
        lambda r: r.record.people[0].nhs_number,
    ),
}


@pytest.mark.parametrize("habit", NOT_READ)
def test_what_does_not_stand_is_counted_and_not_read(habit: str) -> None:
    change, taken = NOT_READ[habit]
    found = read(change)
    assert not taken(found)
    assert found.losses
    assert taken(read(lambda _: None)), "it is read where it stands"


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "Condition", "code": CONCERN, "verificationStatus": coded("x", "refuted")},
        {"resourceType": "Condition", "code": CONCERN, "verificationStatus": coded("x", "entered-in-error")},
        {"resourceType": "Observation", "code": CONCERN, "status": "entered-in-error"},
        {"resourceType": "Flag", "code": CONCERN, "status": "inactive"},
    ],
)
def test_a_concern_that_was_refuted_is_none(resource: Json) -> None:
    assert read(more(resource), codes=("125605004",)).record.flags == ()
    stands = {**resource, "status": "final" if resource["resourceType"] == "Observation" else "active"}
    stands = {name: value for name, value in stands.items() if name != "verificationStatus"}
    if resource["resourceType"] == "Condition":
        stands.pop("status")
    assert read(more(stands), codes=("125605004",)).record.flags


def about_the_child(type_: str, element: str) -> Habit:
    def change(document: Json) -> None:
        document["entry"][1]["fullUrl"] = "urn:uuid:00000000-0000-4000-8000-00000000c41d"
        the(document, type_)[element] = {"reference": document["entry"][1]["fullUrl"]}

    return change


def test_what_is_said_of_a_child_is_no_consent_and_no_grade_of_hers() -> None:
    assert read(about_the_child("Consent", "patient"), children=True).record.consents == ()
    assert read(about_the_child("RiskAssessment", "subject"), children=True).record.assessments == ()


def test_an_older_name_comes_after_every_other_and_before_none() -> None:
    names = [{"use": "old", "family": "Formerly"}, {"use": "nickname", "family": "Ashdown"}]
    victim = read(of("Patient", name=names)).record.people[0]
    assert [one.family for one in victim.names] == ["Ashdown"]
    victim = read(of("Patient", name=names[:1])).record.people[0]
    assert [one.family for one in victim.names] == ["Formerly"]


@pytest.mark.parametrize("label", [{"code": "R"}, {"code": "r", "system": "x"}, {"code": "v"}])
def test_a_restriction_is_seen_however_it_is_written(label: Json) -> None:
    system = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"} if "system" in label else {}
    victim = read(of("Patient", meta={"security": [label | system]})).record.people[0]
    assert {one.use for one in victim.addresses} == {AddressUse.SAFE}


def doubled(document: Json) -> None:
    """Her entry twice, under one address, with another day of birth."""
    document["entry"].append(copy.deepcopy(document["entry"][0]))
    document["entry"][-1]["resource"]["birthDate"] = "1980-05-05"


@pytest.mark.parametrize(
    ("habit", "fault"),
    [
        (of("Consent", patient={"reference": "Patient/nobody"}), Fault.MISSING),
        (of("RiskAssessment", subject={"display": "her"}), Fault.MISSING),
        (doubled, Fault.AMBIGUOUS_LINK),
    ],
)
def test_what_may_be_of_somebody_else_is_read_by_a_person(habit: Habit, fault: Fault) -> None:
    with pytest.raises(Unreadable) as refused:
        read(habit, children=True)
    assert [one.fault for one in refused.value.problems] == [fault]


def test_what_stands_is_read_as_before() -> None:
    record = read(lambda _: None).record
    assert [one.state for one in record.consents] == [ConsentState.GIVEN]
    assert [one.grade for one in record.assessments] == [Grade.HIGH]
    assert record.people[0].role is Role.VICTIM
