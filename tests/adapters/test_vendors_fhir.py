"""Habits of FHIR engines that other vendors sell, in Bundles written here about nobody.

What may mean something else than it says is refused by its place, wherever in what is read it stands; a question that
was answered with no is no concern; nothing that is merely written in another way is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import orjson
import pytest

from adapters.nhs import bars
from adapters.nhs.bars import BarsRefused
from adapters.nhs.fhir import LIMITS, Limits
from adapters.socket import Fault, Reading, Unreadable, reader
from adapters.socket import Limits as Bounds
from mappings.profile import profile
from mappings.record import ConsentState, Role
from tests.support.bars import answer
from tests.support.bundles import SNOMED, body, bundle

Json = dict[str, Any]
Habit = Callable[[Json], object]
MODIFIER = {"modifierExtension": [{"url": "https://vendor.example/negated", "valueBoolean": True}]}
CONCERN = {"coding": [{"system": SNOMED, "code": "707087005"}]}


def the(document: Json, type_: str, of: int = 0) -> Json:
    """A resource of a type."""
    found: list[Json] = [one["resource"] for one in document["entry"] if one["resource"]["resourceType"] == type_]
    return found[of]


def read(habit: Habit, **options: Any) -> Reading:
    """A notice with a habit, read."""
    document = bundle(7, **options)
    habit(document)
    return reader("nhs.fhir").read(body(document), profile("notice"), Bounds())


def added(resource: Json) -> Habit:
    """One more resource, of the victim."""

    def change(document: Json) -> None:
        about = {"subject": the(document, "ServiceRequest")["subject"]}
        entry = {"resource": about | resource, "request": {"method": "POST", "url": resource["resourceType"]}}
        document["entry"].append(entry)

    return change


# What may mean something else


MODIFIED: dict[str, tuple[Habit, str]] = {
    "Bundle": (lambda d: d.update(implicitRules="https://vendor.example/rules"), "Bundle.implicitRules"),
    "entry": (lambda d: d["entry"][0].update(MODIFIER), "Bundle.entry[0].modifierExtension"),
    "request": (lambda d: d["entry"][0]["request"].update(MODIFIER), "Bundle.entry[0].request.modifierExtension"),
    "provision": (
        lambda d: the(d, "Consent").update(provision={"provision": [MODIFIER]}),
        "Bundle.entry[4].resource.provision.provision[0].modifierExtension",
    ),
    "prediction": (
        lambda d: the(d, "RiskAssessment")["prediction"][0].update(MODIFIER),
        "Bundle.entry[5].resource.prediction[0].modifierExtension",
    ),
    "suspect": (
        lambda d: the(d, "ServiceRequest")["contained"][0].update(MODIFIER),
        "Bundle.entry[1].resource.modifierExtension",
    ),
    "concern": (
        lambda d: the(d, "Condition").update(code=CONCERN, **MODIFIER),
        "Bundle.entry[2].resource.modifierExtension",
    ),
}


@pytest.mark.parametrize("where", MODIFIED)
def test_a_modifier_is_refused_wherever_in_what_is_read_it_stands(where: str) -> None:
    habit, place = MODIFIED[where]
    with pytest.raises(Unreadable) as refused:
        read(habit)
    assert [(one.path, one.fault) for one in refused.value.problems] == [(place, Fault.NOT_READABLE)]


@pytest.mark.parametrize(
    "habit",
    [
        lambda d: the(d, "Patient").update(contact=[{"gender": "male", **MODIFIER}]),
        lambda d: the(d, "Condition").update(MODIFIER),
    ],
)
def test_a_modifier_of_what_is_not_read_changes_nothing(habit: Habit) -> None:
    found = read(habit).record
    assert found.flags == read(lambda _: None).record.flags
    assert found.consents


def test_what_answers_another_message_is_no_notice() -> None:
    with pytest.raises(Unreadable) as refused:
        read(lambda d: the(d, "MessageHeader").update(response={"identifier": "x", "code": "ok"}), kind="message")
    assert refused.value.problems[0].path == "Bundle.entry[0].resource.response"


def test_a_record_that_is_no_longer_used_is_read_by_a_person() -> None:
    merged = [{"type": "replaced-by", "other": {"reference": "Patient/9"}}]
    for change, place in (({"active": False}, "Patient.active"), ({"link": merged}, "Patient.link")):
        with pytest.raises(Unreadable) as refused:
            read(lambda d, change=change: the(d, "Patient").update(change))  # type: ignore[misc]  # bound now
        assert refused.value.problems[0].path == place
    assert read(lambda d: the(d, "Patient").update(active=True)).losses == read(lambda _: None).losses


def test_somebody_elses_record_that_is_no_longer_used_is_counted_and_not_read() -> None:
    found = read(lambda d: the(d, "Patient", 1).update(active=False), children=True)
    assert Role.CHILD not in {one.role for one in found.record.people}
    assert found.losses


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda d: d.update(implicitRules="urn:x"), "Bundle.implicitRules"),
        (lambda d: the(d, "MessageHeader")["response"].update(MODIFIER), "MessageHeader.response.modifierExtension"),
        (lambda d: the(d, "ServiceRequest").update(MODIFIER), "ServiceRequest.modifierExtension"),
        (lambda d: the(d, "ServiceRequest").update(doNotPerform=True), "ServiceRequest.doNotPerform"),
    ],
)
def test_a_bars_answer_that_may_mean_something_else_is_refused(change: Habit, place: str) -> None:
    document = answer(str(uuid4()))
    limits = Limits(max_bytes=LIMITS.max_bytes)
    assert bars.read_message(orjson.dumps(document), limits)
    change(document)
    with pytest.raises(BarsRefused) as refused:
        bars.read_message(orjson.dumps(document), limits)
    assert (refused.value.fault, refused.value.expression) == (bars.Fault.NOT_SUPPORTED, place)


# What is said


ANSWERS: dict[str, tuple[Json, bool]] = {
    "no value": ({}, True),
    "true": ({"valueBoolean": True}, True),
    "yes": ({"valueCodeableConcept": {"coding": [{"system": SNOMED, "code": "373066001"}]}}, True),
    "in words": ({"valueString": "she told the nurse"}, True),
    "false": ({"valueBoolean": False}, False),
    "no": ({"valueCodeableConcept": {"coding": [{"system": SNOMED, "code": "373067005"}]}}, False),
    "table 0136": ({"valueCodeableConcept": {"coding": [{"code": "N"}]}}, False),
    "no in words": ({"valueCodeableConcept": {"text": "No"}}, False),
    "no as a text": ({"valueString": " NO "}, False),
    "unknown": ({"valueCodeableConcept": {"coding": [{"system": SNOMED, "code": "261665006"}]}}, False),
    "not asked": ({"dataAbsentReason": {"coding": [{"code": "not-asked"}]}}, False),
}


@pytest.mark.parametrize("said", ANSWERS)
def test_a_question_that_is_answered_with_no_is_no_concern(said: str) -> None:
    value, concern = ANSWERS[said]
    observation = {"resourceType": "Observation", "status": "final", "code": CONCERN, **value}
    found = read(added(observation), codes=())
    assert bool(found.record.flags) is concern
    assert concern or found.losses, "what is not read is counted"


@pytest.mark.parametrize("said", [{"deceasedDateTime": "2026-01-01"}, {"deceasedBoolean": True}])
def test_whoever_has_a_date_of_death_is_dead(said: Json) -> None:
    found = read(lambda d: the(d, "Patient").update(said))
    assert found.record.people[0].deceased is True
    assert found.losses == read(lambda _: None).losses


def test_a_reference_to_a_version_leads_to_what_is_there() -> None:
    def change(document: Json) -> None:
        the(document, "Patient")["id"] = "p1"
        for type_, name in (("ServiceRequest", "subject"), ("Consent", "patient"), ("RiskAssessment", "subject")):
            the(document, type_)[name] = {"reference": "Patient/p1/_history/3"}

    found = read(change).record
    assert found.people[0].names[0].family == "Ashdown"
    assert found.consents
    assert found.assessments


@pytest.mark.parametrize(
    ("id_", "method", "address", "named"),
    [
        ("sr-1", "POST", "urn:uuid:00000000-0000-4000-8000-000000000077", False),
        ("sr-1", "PUT", None, True),
        ("sr-1", "POST", "https://trust.example/fhir/ServiceRequest/sr-1", True),
        ("00000000-0000-4000-8000-000000000077", "POST", None, True),
    ],
)
def test_an_id_that_a_template_gives_every_request_is_no_name_of_this_one(
    id_: str, method: str, address: str | None, *, named: bool
) -> None:
    """FHIR has a server pass over the id of what is created: by it the next patient's notice would be this one's."""

    def change(document: Json) -> None:
        entry = next(one for one in document["entry"] if one["resource"]["resourceType"] == "ServiceRequest")
        entry["resource"] |= {"id": id_}
        entry["resource"].pop("identifier")
        entry["request"]["method"] = method
        entry.update({"fullUrl": address} if address else {})

    assert read(change).record.reference("occurrence") == (id_.upper() if named else None)


@pytest.mark.parametrize(
    "limit",
    [
        {"actor": [{"role": {"text": "GP"}, "reference": {"display": "a practice"}}]},
        {"purpose": [{"code": "TREAT"}]},
        {"provision": [{"type": "permit", "code": [{"text": "medication"}]}]},
    ],
)
def test_leave_to_tell_somebody_else_or_for_something_else_is_no_leave_to_tell_police(limit: Json) -> None:
    found = read(lambda d: the(d, "Consent").update(provision={"type": "permit", **limit}))
    assert [one.state for one in found.record.consents] == [ConsentState.NOT_ASKED]
    plain = read(lambda d: the(d, "Consent").update(provision={"type": "permit"}))
    assert [one.state for one in plain.record.consents] == [ConsentState.GIVEN]
