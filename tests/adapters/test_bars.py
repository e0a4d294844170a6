"""Messages in the shape of BaRS: what goes out is whole and minimal, what comes in is read or refused by a row."""

from __future__ import annotations

import base64
import contextlib
import copy
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from importlib.resources import files
from typing import Any
from uuid import uuid4

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.nhs import bars
from adapters.nhs.bars import BarsRefused, Event, Fault, Frame, Meaning, Reason, Service
from adapters.nhs.bars.words import read as read_words
from adapters.nhs.fhir import LIMITS, Limits, carries
from adapters.nhs.fhir.models import model
from mappings.record import Record, RecordKind
from mappings.referral import ReferralStatus
from tests.adapters.fhir_support import REFERRAL_ID, full_record, only, referral, sparse_record
from tests.support.records import incident
from tests.support.shared import shared_data

PARCEL = "0b6f1d0e-5f0a-4a51-8f8e-2f3a4f5b6c7d"
AT = datetime(2026, 4, 12, 18, 50, tzinfo=UTC)
SERVICE = Service("https://fhir.nhs.uk/Id/dos-service-id", "2000099999")
FRAME = Frame(PARCEL, SERVICE, "https://gateway.example/bars/FHIR/R4/$process-message", "1", AT)
NOTHING = Record(kind=RecordKind.RETRACTION)
RECORDS = {"worked": incident(), "full": full_record(), "sparse": sparse_record(), "nothing": NOTHING}
LONG = base64.b64encode(b'{"value":"1","system":"s"' + b" " * 6_500 + b"}").decode()
ORG = {
    "resourceType": "Organization",
    "identifier": [{"system": "https://fhir.nhs.uk/id/ods-organization-code", "value": "rxl"}],
}


def message(record: Record, *, reason: Reason = Reason.NEW, revoked: bool = False, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(bars.write_message(record, referral(**more), FRAME, reason, revoked=revoked))
    return found


def response(**changed: Any) -> dict[str, Any]:
    """A servicerequest-response as a receiver sends it; `changed` goes into its MessageHeader."""
    header = {
        "resourceType": "MessageHeader",
        "id": str(uuid4()),
        "eventCoding": {"system": bars.words().systems["event"], "code": "servicerequest-response"},
        "source": {"endpoint": "https://trust.example/FHIR/R4"},
        "reason": {"coding": [{"system": bars.words().systems["reason"], "code": "new"}]},
        "response": {"identifier": PARCEL, "code": "ok"},
        "focus": [{"reference": "urn:uuid:6f1c0a52-0d3e-4f7b-9a51-0c2f4f7f1d10"}],
        **changed,
    }
    request = {
        "resourceType": "ServiceRequest",
        "id": REFERRAL_ID,
        "status": "active",
        "intent": "order",
        "subject": {"display": "masked"},
    }
    entries = [
        {"fullUrl": f"urn:uuid:{header['id']}", "resource": {k: v for k, v in header.items() if v is not None}},
        {"fullUrl": "urn:uuid:6f1c0a52-0d3e-4f7b-9a51-0c2f4f7f1d10", "resource": request},
    ]
    return {"resourceType": "Bundle", "id": str(uuid4()), "type": "message", "entry": entries}


def headers(**changed: str | None) -> dict[str, str]:
    found = {
        "nhsd-target-identifier": _b64({"value": "2000099999", "system": SERVICE.system}),
        "nhsd-end-user-organisation": _b64(ORG),
        "nhsd-requesting-software": _b64({"resourceType": "Device"}),
        "x-request-id": str(uuid4()),
        "x-correlation-id": str(uuid4()),
    }
    return {k: v for k, v in (found | changed).items() if v is not None}


def _b64(value: Any) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


# What goes out


@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.parametrize("revoked", [False, True])
def test_a_message_is_valid_and_every_reference_of_the_gateways_leads_into_it(name: str, *, revoked: bool) -> None:
    found = message(RECORDS[name], revoked=revoked)
    model("Bundle").model_validate(found)
    assert found["entry"][0]["resource"]["resourceType"] == "MessageHeader"
    assert found["entry"][1]["resource"]["resourceType"] == "ServiceRequest"
    urls = [one["fullUrl"] for one in found["entry"]]
    assert len(set(urls)) == len(urls)
    contained = {f"#{one['id']}" for entry in found["entry"] for one in entry["resource"].get("contained", ())}
    assert references(found) <= {*urls, *contained}


def references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["reference"]} if isinstance(node.get("reference"), str) else set()
        return own.union(*(references(value) for value in node.values()))
    return set().union(*(references(one) for one in node)) if isinstance(node, list) else set()


def test_the_same_parcel_is_the_same_bytes_and_carries_its_id() -> None:
    again = [bars.write_message(incident(), referral(), FRAME, Reason.NEW, revoked=False) for _ in range(2)]
    assert again[0] == again[1]
    found = orjson.loads(again[0])
    assert found["id"] == found["entry"][0]["resource"]["id"] == PARCEL
    assert found["entry"][1]["fullUrl"] == f"urn:uuid:{REFERRAL_ID}"


def test_no_profile_of_the_standard_is_named() -> None:
    whole = orjson.dumps(message(full_record())).decode()
    assert "BARS" not in whole
    assert "usecases-categories" not in whole
    declared = bars.capability(base_url="https://g.example", version="1", day=date(2026, 4, 1))
    assert "conformance is not claimed" in declared.decode()
    assert "fhir.nhs.uk/StructureDefinition" not in declared.decode()


def test_a_revoked_message_holds_references_alone() -> None:
    """Whatever the record holds, a cancellation says nothing of it."""
    found = message(full_record(), reason=Reason.UPDATE, revoked=True)
    assert found == message(NOTHING, reason=Reason.UPDATE, revoked=True)
    request = found["entry"][1]["resource"]
    assert request["status"] == "revoked"
    assert set(request) == {"resourceType", "id", "meta", "status", "intent", "subject", "authoredOn", "performer"}
    assert [one["resource"]["resourceType"] for one in found["entry"]] == [
        "MessageHeader",
        "ServiceRequest",
        "Organization",
        "Organization",
    ]
    in_error = message(NOTHING, revoked=True, status=ReferralStatus.ENTERED_IN_ERROR)
    assert in_error["entry"][1]["resource"]["status"] == "entered-in-error"


def test_a_message_carries_what_its_types_carry_and_nothing_else() -> None:
    items = frozenset().union(*(carries(type_) for type_ in bars.TYPES))
    whole = full_record()
    assert message(only(whole, items)) == message(whole)


def test_every_resource_is_labelled() -> None:
    for entry in message(full_record())["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] != "Organization":
            assert {one["code"] for one in resource["meta"]["security"]} == {"R", "SDV", "NOPAT"}


# What comes in


def test_what_is_written_is_read() -> None:
    found = bars.read_message(bars.write_message(incident(), referral(), FRAME, Reason.NEW, revoked=False), LIMITS)
    assert (found.id, found.event, found.reason) == (PARCEL, Event.REQUEST, Reason.NEW)
    assert found.responds_to is None
    assert found.request["id"] == REFERRAL_ID


def test_a_response_names_what_it_answers_and_what_became_of_it() -> None:
    found = bars.read_message(orjson.dumps(response()), LIMITS)
    assert (found.event, found.responds_to, found.code) == (Event.RESPONSE, PARCEL, "ok")
    assert bars.response_change(found).status is ReferralStatus.ACCEPTED


@pytest.mark.parametrize(
    ("status", "becomes"), [("revoked", "rejected"), ("completed", "completed"), ("on-hold", "received")]
)
def test_a_responses_status_is_a_change_of_the_task(status: str, becomes: str) -> None:
    sent = response()
    sent["entry"][1]["resource"]["status"] = status
    assert bars.response_change(bars.read_message(orjson.dumps(sent), LIMITS)).status == becomes


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"id": "not-a-uuid"}, None),  # the address of its entry says it
        ({"response": None}, Fault.WORKFLOW_UNKNOWN),
        ({"response": {"identifier": "42", "code": "ok"}}, Fault.VALUE_WRONG),
        (
            {
                "eventCoding": {
                    "system": "https://fhir.nhs.uk/CodeSystem/message-events-bars",
                    "code": "booking-request",
                }
            },
            Fault.EVENT_NOT_SERVED,
        ),
        (
            {"eventCoding": {"system": "https://fhir.nhs.uk/CodeSystem/message-events-bars", "code": "x"}},
            Fault.EVENT_UNKNOWN,
        ),
        ({"eventCoding": {"system": "urn:another", "code": "servicerequest-response"}}, Fault.EVENT_UNKNOWN),
        ({"reason": {"coding": [{"code": "replace"}]}}, Fault.VALUE_MISSING),
        ({"reason": None}, Fault.VALUE_MISSING),
        ({"focus": [{"reference": "urn:uuid:elsewhere"}]}, Fault.VALUE_MISSING),
        ({"focus": None}, Fault.VALUE_MISSING),
    ],
)
def test_a_message_that_cannot_be_used_is_refused_by_a_row_of_the_taxonomy(
    changed: Mapping[str, Any], fault: Fault | None
) -> None:
    sent = response()
    sent["entry"][0]["resource"] = {k: v for k, v in (sent["entry"][0]["resource"] | changed).items() if v is not None}
    if fault is None:
        assert bars.read_message(orjson.dumps(sent), LIMITS)
        return
    with pytest.raises(BarsRefused) as refused:
        bars.read_message(orjson.dumps(sent), LIMITS)
    assert refused.value.fault is fault


@pytest.mark.parametrize("body", [b"", b"[]", b'"', b"{}", b"<Bundle/>", b'{"resourceType":"Bundle","type":"message"}'])
def test_what_is_no_message_is_refused(body: bytes) -> None:
    with pytest.raises(BarsRefused):
        bars.read_message(body, LIMITS)


def test_a_body_over_its_limit_is_too_costly() -> None:
    with pytest.raises(BarsRefused) as refused:
        bars.read_message(orjson.dumps(response()), Limits(max_bytes=100))
    assert refused.value.fault is Fault.TOO_COSTLY


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    members = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(one for key, inner in members for one in places(inner, (*path, key)))]


SENT = response()
PLACES = [path for path in places(SENT) if path]


@given(path=st.sampled_from(PLACES), value=JSON)
@settings(deadline=None, max_examples=250)
def test_any_value_anywhere_in_a_message_is_read_or_refused(path: tuple[Any, ...], value: Any) -> None:
    changed = copy.deepcopy(SENT)
    node: Any = changed
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    body = orjson.dumps(changed)
    assert bars.judge(200, body, PARCEL).meaning in Meaning
    try:
        found = bars.read_message(body, LIMITS)
    except BarsRefused:
        return
    if found.event is Event.RESPONSE:
        with contextlib.suppress(BarsRefused):
            bars.response_change(found)


@given(st.binary(max_size=80))
@settings(deadline=None, max_examples=100)
def test_any_bytes_as_an_answer_mean_something(body: bytes) -> None:
    for status in (200, 400, 409, 503):
        assert bars.judge(status, body, PARCEL).meaning in Meaning


# Headers


def test_headers_written_are_read() -> None:
    made = bars.write_headers(SERVICE, ORG, "1.0", str(uuid4()), str(uuid4()))
    found = bars.read_headers({name.lower(): value for name, value in made.items()})
    assert (found.target, found.organisation) == (SERVICE, "RXL")
    assert found.request_id == made["X-Request-Id"]


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("x-request-id", None, Fault.HEADER_MISSING),
        ("x-request-id", "17", Fault.HEADER_INVALID),
        ("nhsd-target-identifier", None, Fault.HEADER_MISSING),
        ("nhsd-target-identifier", "%%%", Fault.HEADER_MALFORMED),
        ("nhsd-target-identifier", _b64([]), Fault.HEADER_MALFORMED),
        ("nhsd-target-identifier", _b64({"value": 1, "system": "s"}), Fault.HEADER_INVALID),
        ("nhsd-target-identifier", base64.b64encode(b'{"a":1,"a":2}').decode(), Fault.HEADER_MALFORMED),
        ("nhsd-target-identifier", base64.b64encode(b'{"a":' * 50 + b"1" + b"}" * 50).decode(), Fault.HEADER_MALFORMED),
        ("nhsd-target-identifier", LONG, Fault.HEADER_MALFORMED),
        ("nhsd-end-user-organisation", _b64({"resourceType": "Patient"}), Fault.HEADER_INVALID),
        ("nhsd-end-user-organisation", _b64({"resourceType": "Organization", "identifier": {}}), Fault.HEADER_INVALID),
        ("nhsd-requesting-software", _b64({}), Fault.HEADER_INVALID),
    ],
)
def test_a_header_that_cannot_be_used_is_named_and_never_repeated(name: str, value: str | None, fault: Fault) -> None:
    with pytest.raises(BarsRefused) as refused:
        bars.read_headers(headers(**{name: value}))
    assert refused.value.fault is fault
    assert (refused.value.expression or "").lower() == name
    assert value is None or value not in str(refused.value)


@given(
    st.dictionaries(
        st.sampled_from(sorted(headers())),
        st.text(max_size=60) | st.binary(max_size=40).map(lambda b: base64.b64encode(b).decode()),
    )
)
@settings(deadline=None, max_examples=80)
def test_hostile_headers_are_refused_and_nothing_else(changed: dict[str, str]) -> None:
    refused = _refusal(headers() | changed)
    assert refused is None or bars.outcome(refused)[0] == 400


def _refusal(given_: dict[str, str]) -> BarsRefused | None:
    try:
        bars.read_headers(given_)
    except BarsRefused as refused:
        return refused
    return None


# What is answered, and what answers mean


@pytest.mark.parametrize("fault", Fault)
def test_every_fault_is_an_operation_outcome_with_its_status(fault: Fault) -> None:
    status, body = bars.outcome(BarsRefused(fault, "words", "Bundle.type"))
    found = orjson.loads(body)
    model("OperationOutcome").model_validate(found)
    assert status == bars.words().faults[fault].status
    assert found["issue"][0]["details"]["coding"][0]["system"] == bars.words().systems["error"]


def _outcome(code: str, issue: str, severity: str = "error") -> bytes:
    details = {"coding": [{"code": code}]}
    return orjson.dumps(
        {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": issue, "details": details}]}
    )


def _answer(identifier: str, code: str = "ok") -> bytes:
    return orjson.dumps(response(response={"identifier": identifier, "code": code}))


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (200, b"", Meaning.ARRIVED),
        (200, _answer(PARCEL), Meaning.ARRIVED),
        (200, _answer(f"urn:uuid:{PARCEL.upper()}"), Meaning.ARRIVED),
        (200, _answer(PARCEL, "transient-error"), Meaning.AGAIN),
        (200, _answer(PARCEL, "fatal-error"), Meaning.REFUSED),
        (200, _answer(str(uuid4())), Meaning.AGAIN),
        (200, bars.write_message(incident(), referral(), FRAME, Reason.NEW, revoked=False), Meaning.ARRIVED),
        (200, b"<html>Welcome to the network</html>", Meaning.AGAIN),
        (200, _outcome("OK", "informational", "information"), Meaning.ARRIVED),
        (200, _outcome("REC_BAD_REQUEST", "invalid"), Meaning.REFUSED),
        (409, _outcome("REC_CONFLICT", "duplicate"), Meaning.ARRIVED),
        (409, _outcome("REC_CONFLICT", "conflict"), Meaning.REFUSED),
        (409, b"", Meaning.REFUSED),
        (400, _outcome("REC_BAD_REQUEST", "invalid"), Meaning.REFUSED),
        (401, b"", Meaning.REFUSED),
        (422, b"x", Meaning.REFUSED),
        (429, b"", Meaning.AGAIN),
        (500, _outcome("REC_SERVER_ERROR", "exception"), Meaning.AGAIN),
        (501, b"", Meaning.REFUSED),
        (503, b"", Meaning.AGAIN),
        (302, b"", Meaning.REFUSED),
    ],
)
def test_an_answer_means_one_thing(status: int, body: bytes, meaning: Meaning) -> None:
    assert bars.judge(status, body, PARCEL).meaning is meaning


def test_the_words_are_read_strictly() -> None:
    content = files("mappings").joinpath("nhs", "bars", "words.toml").read_bytes()
    assert read_words(content).sha256 == bars.words().sha256
    for wrong in (
        content + b"\n[more]\n",
        content.replace(b"failed = {", b"fialed = {"),
        content.replace(b"503,", b"200,"),
    ):
        with pytest.raises(ValueError, match=r"^(top|faults|answer|more)"):
            read_words(wrong)


# The published examples


def test_each_published_example_is_read_or_refused_by_the_taxonomy() -> None:
    read = refused = 0
    for path in sorted(shared_data("bars", "bars_api").rglob("*.json")):
        try:
            bars.read_message(path.read_bytes(), LIMITS)
            read += 1
        except BarsRefused as error:
            status, body = bars.outcome(error)
            assert status in {400, 422, 501}
            assert orjson.loads(body)["issue"]
            refused += 1
    assert read >= 4, "the requests and responses about a ServiceRequest are read"
    assert refused >= 100


def test_each_published_error_means_what_it_says() -> None:
    """As an answer to a message of ours, under the status in its name."""
    for path in sorted(shared_data("bars", "bars_api", "examples1.4.0", "OperationOutcome", "REC").glob("*.json")):
        status = int(path.name[:3])
        found = bars.judge(status, path.read_bytes(), PARCEL).meaning
        if "duplicate" in path.name:
            assert found is Meaning.ARRIVED, path.name
        elif status in {408, 500, 503}:
            assert found is Meaning.AGAIN, path.name
        else:
            assert found is Meaning.REFUSED, path.name
