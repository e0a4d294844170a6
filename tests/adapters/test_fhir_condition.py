"""Search conditions on what was written: every kind of parameter, modifier and prefix, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.nhs.fhir import SEARCH, FhirRefused, interval, read_condition
from adapters.nhs.fhir.condition import ALTERNATIVES_MAX
from adapters.nhs.fhir.dates import fits, span

BASE = "https://gateway.test/fhir/R4"
NHS = "https://fhir.nhs.uk/Id/nhs-number"
ODS = "https://fhir.nhs.uk/Id/ods-organization-code"

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "a.victim-1",
    "identifier": [{"system": NHS, "value": "9990000018"}],
    "name": [{"family": "Ashdown", "given": ["Zoë", "Anne"]}, {"family": "O'Neill"}],
    "gender": "female",
    "birthDate": "1991-02",
}
TASK: dict[str, Any] = {
    "resourceType": "Task",
    "id": "a",
    "meta": {"lastUpdated": "2026-04-12T10:00:00Z"},
    "status": "requested",
    "businessStatus": {"coding": [{"system": "urn:state", "code": "offered"}]},
    "authoredOn": "2026-04-12T09:00:00Z",
    "for": {"reference": "Patient/a.victim-1"},
    "focus": {"reference": "ServiceRequest/a"},
    "owner": {"identifier": {"system": ODS, "value": "RXL"}},
}
FLAG: dict[str, Any] = {"resourceType": "Flag", "period": {"start": "2026-04-12T09:00:00Z"}, "author": {}}


def holds(resource: dict[str, Any], name: str, value: str, related: dict[str, Any] | None = None) -> bool:
    condition = read_condition(resource["resourceType"], name, value, BASE)
    assert condition is not None
    return condition.holds(resource, lambda type_: [related] if related and related["resourceType"] == type_ else [])


@pytest.mark.parametrize(
    ("name", "value", "fit"),
    [
        ("identifier", "9990000018", True),
        ("identifier", f"{NHS}|9990000018", True),
        ("identifier", "https://fhir.nhs.uk/id/NHS-number|9990000018", True),
        ("identifier", f"{NHS}|", True),
        ("identifier", "|9990000018", False),
        ("identifier", "urn:other|9990000018", False),
        ("identifier", "9990000026,9990000018", True),
        ("identifier", r"9990000026\,9990000018", False),
        ("identifier:not", "9990000018", False),
        ("identifier:not", "9990000026", True),
        ("identifier:missing", "true", False),
        ("identifier:missing", "false", True),
        ("family", "ash", True),
        ("family", "DOWN", False),
        ("family:contains", "DOWN", True),
        ("family:exact", "ashdown", False),
        ("family:exact", "Ashdown", True),
        ("given", "zoe", True),
        ("given", "anne", True),
        ("name", "o'n", True),
        ("name", "zoë", True),
        ("gender", "female", True),
        ("gender", "http://hl7.org/fhir/administrative-gender|female", True),
        ("gender", "urn:other|female", False),
        ("birthdate", "1991", True),
        ("birthdate", "1991-02", True),
        ("birthdate", "1991-02-03", False),
        ("birthdate", "ge1991-02-03", True),
        ("birthdate", "lt1991-02", False),
        ("birthdate", "sa1991-01", True),
        ("birthdate", "eb1991-03", True),
        ("birthdate", "ne1991-02", False),
        ("birthdate", "gt1991-02", False),
        ("birthdate", "le1991-02", True),
        ("birthdate:missing", "true", False),
    ],
)
def test_a_patient_fits_or_does_not(name: str, value: str, *, fit: bool) -> None:
    assert holds(PATIENT, name, value) is fit


@pytest.mark.parametrize(
    ("name", "value", "fit"),
    [
        ("status", "requested", True),
        ("status", "http://hl7.org/fhir/task-status|requested", True),
        ("status", "urn:other|requested", False),
        ("status:not", "requested,accepted", False),
        ("business-status", "urn:state|offered", True),
        ("business-status", "urn:state|", True),
        ("business-status", "|offered", False),
        ("patient", "a.victim-1", True),
        ("patient", "Patient/a.victim-1", True),
        ("patient", f"{BASE}/Patient/a.victim-1", True),
        ("patient", "https://elsewhere.test/Patient/a.victim-1", False),
        ("patient:Patient", "a.victim-1", True),
        ("patient:Patient", "ServiceRequest/a.victim-1", False),
        ("patient", "Group/a.victim-1", False),
        ("patient:missing", "false", True),
        ("focus", "ServiceRequest/a", True),
        ("owner:identifier", f"{ODS}|RXL", True),
        ("owner:identifier", f"{ODS}|rxl", True),
        ("owner:identifier", f"{ODS}|RTX", False),
        ("owner", "Organization/RXL", False),
        ("requester:missing", "true", True),
        ("authored-on", "2026-04-12", True),
        ("_lastUpdated", "gt2026-04-12", False),
        ("_id", "a", True),
        ("_id", "b", False),
    ],
)
def test_a_task_fits_or_does_not(name: str, value: str, *, fit: bool) -> None:
    assert holds(TASK, name, value) is fit


@pytest.mark.parametrize("name", ["patient.identifier", "patient:Patient.identifier", "subject:Patient.identifier"])
def test_a_chain_asks_the_resource_that_is_referred_to(name: str) -> None:
    assert holds(TASK, name, f"{NHS}|9990000018", PATIENT)
    assert not holds(TASK, name, f"{NHS}|9990000026", PATIENT)
    assert not holds(TASK, name, f"{NHS}|9990000018", {**PATIENT, "id": "a.child-1"})
    assert not holds(TASK, name, f"{NHS}|9990000018")


def test_an_open_period_has_no_end() -> None:
    assert holds(FLAG, "date", "gt2030")
    assert holds(FLAG, "date", "ge2026-04-12")
    assert not holds(FLAG, "date", "eb2030")
    assert not holds(FLAG, "date", "sa2026-04-12")


@pytest.mark.parametrize(
    ("type_", "name", "value"),
    [
        ("Task", "status:text", "x"),
        ("Task", "status:in", "x"),
        ("Task", "status", ""),
        ("Task", "status", "a,,b"),
        ("Task", "status:missing", "perhaps"),
        ("Task", "patient:Group", "x"),
        ("Task", "patient.name", "x"),
        ("Task", "patient:Group.identifier", "x"),
        ("Task", "owner.identifier", "x"),
        ("Task", "status.identifier", "x"),
        ("Task", "_id:exact", "x"),
        ("Task", "authored-on", "ap2026"),
        ("Task", "authored-on", "2026-02-30"),
        ("Patient", "family:below", "x"),
        ("Patient", "birthdate", "9999-12-31"),
    ],
)
def test_what_is_not_served_is_refused_whatever_the_caller_prefers(type_: str, name: str, value: str) -> None:
    with pytest.raises(FhirRefused) as refused:
        read_condition(type_, name, value, BASE)
    assert (refused.value.status, refused.value.issue_code) == (400, "invalid")


def test_alternatives_are_bounded() -> None:
    assert read_condition("Task", "status", ",".join(["a"] * ALTERNATIVES_MAX), BASE)
    with pytest.raises(FhirRefused):
        read_condition("Task", "status", ",".join(["a"] * (ALTERNATIVES_MAX + 1)), BASE)


def test_a_parameter_of_another_type_is_none() -> None:
    assert read_condition("Task", "birthdate", "1991", BASE) is None
    assert read_condition("Task", "birthdate:missing", "true", BASE) is None


@given(text=st.text(max_size=40), name=st.sampled_from([(t, n) for t, found in SEARCH.items() for n in found]))
def test_any_value_is_read_or_refused_and_never_echoed(text: str, name: tuple[str, str]) -> None:
    condition, words = None, ""
    try:
        condition = read_condition(*name, f"Zaqxu{text}", BASE)
    except FhirRefused as refused:
        words = refused.diagnostics
    assert "Zaqxu" not in words
    assert words or (condition and condition.holds(PATIENT, lambda _: []) in {True, False})


_TIMES = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)).map(lambda one: one.replace(tzinfo=UTC))  # noqa: DTZ001 - made aware


@given(start=_TIMES, length=st.timedeltas(timedelta(seconds=1), timedelta(days=400)), day=_TIMES)
def test_prefixes_stand_to_each_other_as_they_should(start: datetime, length: timedelta, day: datetime) -> None:
    """FHIR R4 search, section 3.1.1.4.6: opposites exclude each other, and the weaker follow from the stronger."""
    asked = span(day.date().isoformat())
    of = (start, start + length)
    fit = {prefix: fits(prefix, of, asked) for prefix in ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb")}
    assert fit["eq"] is not fit["ne"]
    assert fit["ge"] is (fit["gt"] or fit["eq"])
    assert fit["le"] is (fit["lt"] or fit["eq"])
    assert not (fit["sa"] and fit["eb"])
    assert fit["gt"] or not fit["sa"]
    assert fit["lt"] or not fit["eb"]


@pytest.mark.parametrize(
    ("text", "first", "after"),
    [
        ("2026", "2026-01-01T00:00:00+00:00", "2027-01-01T00:00:00+00:00"),
        ("2024-02", "2024-02-01T00:00:00+00:00", "2024-03-01T00:00:00+00:00"),
        ("2026-12", "2026-12-01T00:00:00+00:00", "2027-01-01T00:00:00+00:00"),
        ("ge2026-04-12", "2026-04-12T00:00:00+00:00", "2026-04-13T00:00:00+00:00"),
        ("2026-04-12T10:00:00+01:00", "2026-04-12T09:00:00+00:00", "2026-04-12T09:00:01+00:00"),
        ("2026-04-12T10:00:00.5Z", "2026-04-12T10:00:00.500000+00:00", "2026-04-12T10:00:00.501000+00:00"),
    ],
)
def test_a_date_stands_for_the_whole_of_what_it_names(text: str, first: str, after: str) -> None:
    _, start, end = interval(text)
    assert (start.isoformat(), end.isoformat()) == (first, after)
