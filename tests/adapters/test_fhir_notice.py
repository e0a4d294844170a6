"""A Bundle becomes a notice: who is who, what is clinical, what is refused where, and what nobody reads is counted."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.nhs import fhir
from adapters.socket import Fault, Limits, Reading, Unreadable, reader
from mappings.profile import profile
from mappings.record import ConsentState, Grade, Record, RecordKind, Role
from tests.support.bundles import CLINICAL, OWN, body, bundle
from tests.support.shared import shared_data

Json = dict[str, Any]


def read(document: Json | bytes) -> Reading:
    raw = document if isinstance(document, bytes) else body(document)
    return reader("nhs.fhir").read(raw, profile("notice"), Limits())


def record(document: Json) -> Record:
    return read(document).record


def fault_of(raw: bytes) -> Fault | None:
    """Why bytes are unreadable; None where they are read."""
    try:
        read(raw)
    except Unreadable as refused:
        return refused.fault
    return None


def resource(document: Json, type_: str) -> Json:
    found: Json = next(one["resource"] for one in document["entry"] if one["resource"]["resourceType"] == type_)
    return found


@pytest.mark.parametrize("kind", ["transaction", "message"])
def test_a_bundle_of_either_kind_is_one_record(kind: str) -> None:
    found = record(bundle(7, kind=kind, children=True))
    assert (found.kind, found.reference("occurrence"), found.area) == (RecordKind.NOTICE, "SR-7", "blackpool")
    assert found.flags == ("at-risk-of-domestic-violence",)
    assert [one.role for one in found.people] == [Role.VICTIM, Role.CHILD, Role.SUSPECT]
    victim = found.people[0]
    assert (victim.nhs_number, victim.sex) == ("9990000018", "female")
    assert str(victim.birth and victim.birth.on) == "1991-02-03"
    assert [one.is_safe for one in victim.contacts] == [False]  # nobody said that it is (P5)
    assert found.assessments[0].grade is Grade.HIGH
    assert found.consents[0].state is ConsentState.GIVEN


def test_xml_says_the_same_as_json() -> None:
    document = bundle(7, children=True)
    assert read(fhir.to_xml(body(document))).record == record(document)


def test_what_is_no_concern_of_the_list_is_a_clinical_fact_of_whoever_it_is_said_of() -> None:
    found = record(bundle(7, codes=("707087005", "125605004", "342191000000101")))
    assert found.flags == ("at-risk-of-domestic-violence",)
    said = found.people[0].clinical
    assert f"{CLINICAL} fracture" in said
    assert f"{CLINICAL} bruising" in said
    assert not any(CLINICAL in text for text in found.flags)


def test_a_flag_alone_is_a_notice() -> None:
    document = bundle(7)
    request = resource(document, "ServiceRequest")
    kept = {name: request[name] for name in ("identifier", "status", "subject")}
    flag = {"resourceType": "Flag", **kept, "code": request["reasonCode"][0], "period": {"start": "2026-11-19"}}
    for entry in document["entry"]:
        if entry["resource"] is request:
            entry["resource"] = flag
    found = record(document)
    assert (found.reference("occurrence"), found.flags) == ("SR-7", ("at-risk-of-domestic-violence",))


@pytest.mark.parametrize(
    ("status", "kind"),
    [("active", "notice"), ("completed", "notice"), ("revoked", "retraction"), ("entered-in-error", "retraction")],
)
def test_the_status_says_whether_it_stands_or_is_taken_back(status: str, kind: str) -> None:
    assert record(bundle(7, status=status)).kind.value == kind


@pytest.mark.parametrize(
    ("state", "status", "type_", "expected"),
    [
        ("refused", "rejected", "deny", ConsentState.REFUSED),
        ("overridden", "rejected", "deny", ConsentState.OVERRIDDEN),
        (None, "active", "permit", ConsentState.GIVEN),
        (None, "active", "deny", ConsentState.REFUSED),
        (None, "inactive", "permit", ConsentState.WITHDRAWN),
        (None, "draft", "permit", ConsentState.NOT_ASKED),
        (None, "proposed", "permit", ConsentState.NOT_ASKED),
    ],
)
def test_consent_is_its_exact_state_or_the_coarser_one_and_never_more(
    state: str | None, status: str, type_: str, expected: ConsentState
) -> None:
    document = bundle(7)
    consent = resource(document, "Consent") | {"status": status, "provision": {"type": type_}}
    consent["extension"] = [{"url": f"{OWN}/StructureDefinition/consent-state", "valueCode": state}] if state else []
    if not consent["extension"]:
        del consent["extension"]
    resource(document, "Consent").clear()
    document["entry"] = [one for one in document["entry"] if one["resource"]]
    document["entry"].append({"resource": consent, "request": {"method": "POST", "url": "Consent"}})
    assert record(document).consents[0].state is expected


def test_a_restricted_patient_is_found_nowhere() -> None:
    found = record(bundle(7, restricted=True))
    assert [one.use.value for one in found.people[0].addresses] == ["safe"]


def test_systems_are_compared_without_regard_to_case() -> None:
    document = bundle(7)
    resource(document, "Patient")["identifier"][0]["system"] = "https://fhir.nhs.uk/id/NHS-number"
    assert record(document).people[0].nhs_number == "9990000018"


def test_references_are_followed_by_type_and_id_as_well() -> None:
    document = bundle(7)
    resource(document, "Patient")["id"] = "p1"
    resource(document, "ServiceRequest")["subject"] = {"reference": "Patient/p1"}
    assert record(document).people[0].names[0].family == "Ashdown"


def test_what_nobody_reads_is_counted_and_named_by_its_place() -> None:
    document = bundle(7)
    resource(document, "Patient")["maritalStatus"] = {"text": "married"}
    encounter = {"resourceType": "Encounter", "status": "finished", "class": {"code": "EMER"}}
    document["entry"].append({"resource": encounter, "request": {"method": "POST", "url": "Encounter"}})
    found = read(document)
    assert found.loss_count == 3
    assert {one.path for one in found.losses} == {
        "unread.Patient[0].maritalStatus.text",
        "unread.Encounter[0].status",
        "unread.Encounter[0].class.code",
    }


def _without(type_: str) -> Callable[[Json], object]:
    return lambda b: b.update(entry=[one for one in b["entry"] if one["resource"]["resourceType"] != type_])


@pytest.mark.parametrize(
    ("change", "path", "fault"),
    [
        (lambda b: b.update(type="batch"), "Bundle.type", Fault.UNKNOWN_CODE),
        (lambda b: b["entry"][0].pop("resource"), "Bundle.entry[0].resource", Fault.MISSING),
        (lambda b: b["entry"][1]["request"].update(method="GET"), "Bundle.entry[1].request.method", Fault.UNKNOWN_CODE),
        (_without("Patient"), "ServiceRequest.subject", Fault.MISSING),
        (_without("ServiceRequest"), "Bundle.entry.resource.ofType(ServiceRequest)", Fault.MISSING),
        (
            lambda b: b["entry"].append(b["entry"][1]),
            "Bundle.entry.resource.ofType(ServiceRequest)",
            Fault.SEVERAL_INCIDENTS,
        ),
        (lambda b: resource(b, "ServiceRequest").update(status="draft"), "status", Fault.UNKNOWN_CODE),
    ],
)
def test_what_is_no_notice_is_unreadable_at_its_place(
    change: Callable[[Json], object], path: str, fault: Fault
) -> None:
    document = bundle(7)
    change(document)
    with pytest.raises(Unreadable) as refused:
        read(document)
    assert (path, fault) in {(one.path, one.fault) for one in refused.value.problems}
    assert "Ashdown" not in str(refused.value)


def test_a_message_begins_with_its_header() -> None:
    document = bundle(7, kind="message")
    document["entry"].reverse()
    with pytest.raises(Unreadable) as refused:
        read(document)
    assert refused.value.problems[0].path == "Bundle.entry[0].resource"


@given(cut=st.integers(0, 4000), put=st.binary(max_size=8))
@settings(deadline=None, max_examples=150)
def test_no_bytes_break_the_reader(cut: int, put: bytes) -> None:
    """Whatever stands in a Bundle, it is a record or unreadable, and nothing that failed inside."""
    raw = body(bundle(7))
    assert fault_of(raw[:cut] + put + raw[cut + len(put) :]) is not Fault.READER_FAILED


@given(seed=st.integers(0, 2**32))
@settings(deadline=None, max_examples=150)
def test_no_shape_breaks_the_reader(seed: int) -> None:
    """Members taken away, doubled or put elsewhere by chance."""
    chance = random.Random(seed)

    def shaken(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: shaken(one) for name, one in value.items() if chance.random() > 0.03}
        if isinstance(value, list):
            return [shaken(one) for one in value for _ in range(chance.choice([1] * 20 + [0, 2]))]
        return value

    assert fault_of(orjson.dumps(shaken(bundle(7, children=True)))) is not Fault.READER_FAILED


def test_published_messages_read_or_name_the_place() -> None:
    """Bundles published for booking and referral, where they lie beside the project."""
    folder = shared_data("bars")
    tried = 0
    for path in sorted(folder.rglob("*.json")):
        raw = path.read_bytes()
        if b'"Bundle"' not in raw:
            continue
        tried += 1
        assert fault_of(raw) is not Fault.READER_FAILED, path.name
    assert tried > 10
