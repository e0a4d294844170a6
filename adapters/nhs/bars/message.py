"""Message Bundles in the shape of BaRS: a referral as a servicerequest-request, and what a sender says to us.

Written: MessageHeader first, then the ServiceRequest in its focus, then what that refers to, all of it what the FHIR
facade would show of the same minimised record; one reference is one `urn:uuid`, made from the referral's own, so that
the same parcel is the same bytes. A cancellation is an update whose ServiceRequest is `revoked`, with references alone.
No profile of the standard is named, for nobody has assessed us against one. Read: the frame of a message (who, which
event, why, in answer to what); what it holds is for whoever it is for.

Source: domain.md section 2.5; FHIR R4 messaging (MessageHeader first, bdl-12), Bundle (references by fullUrl).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID, uuid5

import orjson

from adapters.nhs.bars.errors import BarsRefused
from adapters.nhs.bars.headers import Service, ods_code
from adapters.nhs.bars.words import Fault, words
from adapters.nhs.fhir import CANONICAL, FhirRefused, Limits, validated, write
from adapters.nhs.fhir.elements import HIDE, SECURITY, concept, force, instant, trust
from adapters.nhs.fhir.models import Json, check
from adapters.nhs.fhir.modifiers import modified
from adapters.nhs.fhir.strict import strict_json
from mappings.record import Record, RecordKind
from mappings.referral import Referral, ReferralStatus

TYPES: Final = ("ServiceRequest", "Patient", "QuestionnaireResponse", "RiskAssessment", "Consent", "Flag")
"""What of the facade's types a message holds, the focus first."""


class Event(StrEnum):
    """What a message is (`message-events-bars`); bookings are of no use here."""

    REQUEST = "servicerequest-request"
    RESPONSE = "servicerequest-response"


class Reason(StrEnum):
    """Why a message is sent (`message-reason-bars`)."""

    NEW = "new"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Frame:
    """What a message says of itself, beside the referral: its id (a UUID), to which service, from which address."""

    id: str
    to: Service
    reply_to: str
    version: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """The frame of a message that was sent to us.

    `responds_to` is the id of the message it answers, and `code` how (R4 response-code); both None for a request.
    `sender` is the ODS code of its sending Organization, where it has one; `request` the ServiceRequest in its focus.
    """

    id: str
    event: Event
    reason: Reason
    sender: str | None
    responds_to: str | None
    code: str | None
    request: Json


def write_message(record: Record, referral: Referral, frame: Frame, reason: Reason, *, revoked: bool) -> bytes:
    """The message, whole. Where it is `revoked`, nothing of the record is in it. Raises FhirUnwritable."""
    record = _NOTHING if revoked else record
    written = [one for type_ in TYPES[: 1 if revoked else None] for one in write(type_, record, referral, CANONICAL)]
    space = UUID(referral.id)
    addresses = {f"{one.type}/{one.id}": f"urn:uuid:{uuid5(space, f'{one.type}/{one.id}')}" for one in written}
    request, *others = (orjson.loads(one.body) for one in written)
    focus = addresses[f"ServiceRequest/{request['id']}"] = f"urn:uuid:{referral.id}"
    request = _revoked(request, referral) if revoked else _asked(request, referral)
    sender, receiver = (f"urn:uuid:{uuid5(space, name)}" for name in ("sender", "receiver"))
    rows: list[tuple[str, Json]] = [
        (f"urn:uuid:{frame.id}", _header(frame, reason, focus, sender, receiver)),
        (focus, _readdressed(request, addresses)),
    ]
    rows += [(addresses[f"{one['resourceType']}/{one['id']}"], _readdressed(one, addresses)) for one in others]
    rows += [(sender, organisation(referral.force)), (receiver, _receiver(referral))]
    bundle: Json = {
        "resourceType": "Bundle",
        "id": frame.id,
        "meta": {"extension": [HIDE], "security": SECURITY},
        "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{frame.id}"},
        "type": "message",
        "timestamp": instant(frame.at),
        "entry": [{"fullUrl": url} for url, _ in rows],
    }
    for changed in (bundle, rows[0][1], rows[1][1], rows[-2][1], rows[-1][1]):  # the others are as they were written
        check(changed)
    for entry, (_, resource) in zip(bundle["entry"], rows, strict=True):
        entry["resource"] = resource
    return orjson.dumps(bundle)


def organisation(number: str) -> Json:
    """A police force as an Organization: forces have a number, and no ODS code."""
    return {"resourceType": "Organization", "identifier": [force(number)["identifier"]]}


def read_message(body: bytes, limits: Limits) -> Message:
    """The frame of a message Bundle. Raises BarsRefused for whatever is none, or none that is served.

    MessageHeader and ServiceRequest are valid FHIR; whether the rest is, whoever reads it says.
    """
    try:
        content = strict_json(body, limits)
        entries = _entries(content, limits)
        first = _valid(entries[0][1], limits, "MessageHeader")
        resources = _resources(entries)
        event = _event(first)
        request = _valid(_focus(first, resources), limits, "ServiceRequest")
        _plain(content, first, request)
    except FhirRefused as refused:
        fault = Fault.TOO_COSTLY if refused.issue_code in _COSTLY else Fault.NOT_READABLE
        raise BarsRefused(fault, refused.diagnostics, refused.expression) from None
    id_ = bare_id(first.get("id")) or bare_id(entries[0][0])
    if id_ is None:
        raise BarsRefused(Fault.VALUE_MISSING, "a message has an id, which is a UUID", "MessageHeader.id")
    responds_to, code = _response(first, event)
    return Message(id_, event, _reason(first), _sender(first, resources), responds_to, code, request)


def bare_id(value: object) -> str | None:
    """A UUID as an id or a `urn:uuid` says it, in lower case; None for anything else."""
    found = _UUID.fullmatch(value) if isinstance(value, str) else None
    return found[1].lower() if found else None


def _header(frame: Frame, reason: Reason, focus: str, sender: str, receiver: str) -> Json:
    systems = words().systems
    return {
        "resourceType": "MessageHeader",
        "id": frame.id,
        "meta": {"extension": [HIDE], "security": SECURITY},
        "eventCoding": {"system": systems["event"], "code": Event.REQUEST.value},
        "destination": [{"endpoint": frame.to.token, "receiver": {"reference": receiver}}],
        "sender": {"reference": sender},
        "source": {"name": "Provide Gateway", "software": "Provide Gateway", "version": frame.version}
        | {"endpoint": frame.reply_to},
        "reason": concept(systems["reason"], reason.value),
        "focus": [{"reference": focus}],
        "definition": definition(Event.REQUEST),
    }


def definition(event: Event) -> str:
    """The address of our own MessageDefinition of an event."""
    return f"{CANONICAL}/MessageDefinition/{event.value}"


def _asked(request: Json, referral: Referral) -> Json:
    """The ServiceRequest with what the standard's receivers look for: the category, and by when."""
    found = request | {"category": [*request["category"], concept(words().systems["category"], "referral")]}
    if referral.respond_by is not None:
        found["occurrencePeriod"] = {"end": instant(referral.respond_by)}
    return found


def _revoked(request: Json, referral: Referral) -> Json:
    status = "entered-in-error" if referral.status is ReferralStatus.ENTERED_IN_ERROR else "revoked"
    return {name: value for name, value in request.items() if name in _REFERENCES} | {"status": status}


def _receiver(referral: Referral) -> Json:
    return {"resourceType": "Organization", "identifier": [trust(referral)["identifier"]], "name": referral.team}


def _readdressed(resource: Json, addresses: Mapping[str, str]) -> Json:
    """A resource whose references to what is in the message go by its address there."""
    for node in _nodes(resource):
        target = node.get("reference")
        if isinstance(target, str) and target in addresses:
            node["reference"] = addresses[target]
    return resource


def _nodes(node: Any) -> Iterator[Json]:  # noqa: ANN401 - any JSON
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from _nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from _nodes(value)


def _entries(content: object, limits: Limits) -> list[tuple[str, Json]]:
    """The resources of a message with their addresses, "" where one has none. Raises BarsRefused."""
    bundle = content if isinstance(content, dict) else {}
    if bundle.get("resourceType") != "Bundle" or bundle.get("type") != "message":
        raise BarsRefused(Fault.NOT_READABLE, "a Bundle of type message is needed", "Bundle.type")
    entries = bundle.get("entry")
    if not isinstance(entries, list) or not entries:
        raise BarsRefused(Fault.VALUE_MISSING, "a message begins with its MessageHeader", "Bundle.entry")
    if len(entries) > limits.max_entries:
        raise BarsRefused(Fault.TOO_COSTLY, f"more than {limits.max_entries} entries", "Bundle.entry")
    found: list[tuple[str, Json]] = []
    for index, entry in enumerate(entries):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
            raise BarsRefused(Fault.NOT_READABLE, "not a resource", f"Bundle.entry[{index}].resource")
        found.append((str(entry.get("fullUrl", "")), resource))
    return found


def _plain(bundle: Json, header: Json, request: Json) -> None:
    """Refuse what may mean something else than it says: nobody here understands a modifier (FHIR R4, 2.4.1.1)."""
    whole = {name: value for name, value in bundle.items() if name != "entry"}
    found = [*modified(whole, "Bundle"), *modified(header, "MessageHeader"), *modified(request, "ServiceRequest")]
    found += ["ServiceRequest.doNotPerform"] if request.get("doNotPerform") is True else []
    if found:
        raise BarsRefused(Fault.NOT_SUPPORTED, "it may mean something else than it says", found[0])


def _valid(resource: Json, limits: Limits, type_: str) -> Json:
    if resource["resourceType"] != type_:
        raise BarsRefused(Fault.VALUE_MISSING, "a message begins with its MessageHeader", "Bundle.entry[0].resource")
    return validated(resource, limits).content


def _resources(entries: Sequence[tuple[str, Json]]) -> dict[str, Json]:
    """The resources of a message by every way they can be referred to."""
    found: dict[str, Json] = {}
    for url, resource in entries:
        found[url] = resource
        found[f"{resource['resourceType']}/{resource.get('id')}"] = resource
    return found


def _event(header: Json) -> Event:
    coding = header.get("eventCoding", {})
    path = "MessageHeader.eventCoding"
    if str(coding.get("system")).lower() != words().systems["event"].lower():
        raise BarsRefused(Fault.EVENT_UNKNOWN, "not the code system of message events", f"{path}.system")
    code = str(coding.get("code"))
    if code in _BOOKINGS:
        raise BarsRefused(Fault.EVENT_NOT_SERVED, "bookings are not served here", f"{path}.code")
    try:
        return Event(code)
    except ValueError:
        raise BarsRefused(Fault.EVENT_UNKNOWN, "not an event that is served here", f"{path}.code") from None


def _reason(header: Json) -> Reason:
    codings = header.get("reason", {}).get("coding", ())
    try:
        return Reason(codings[0]["code"] if len(codings) == 1 else "")
    except (KeyError, ValueError):
        path = "MessageHeader.reason.coding"
        raise BarsRefused(Fault.VALUE_MISSING, "one of new, update, delete is needed", path) from None


def _response(header: Json, event: Event) -> tuple[str | None, str | None]:
    response = header.get("response")
    if (event is Event.RESPONSE) is not (response is not None):
        raise BarsRefused(Fault.WORKFLOW_UNKNOWN, "a response, and nothing else, answers a message", _RESPONSE)
    if response is None:
        return None, None
    found = bare_id(response.get("identifier"))
    if found is None:
        raise BarsRefused(Fault.VALUE_WRONG, "the id of the message that is answered", f"{_RESPONSE}.identifier")
    return found, str(response.get("code"))


def _focus(header: Json, resources: Mapping[str, Json]) -> Json:
    found = [resources.get(str(one.get("reference"))) for one in header.get("focus", ())]
    requests = [one for one in found if one is not None and one["resourceType"] == "ServiceRequest"]
    if len(requests) != 1:
        raise BarsRefused(Fault.VALUE_MISSING, "one ServiceRequest of the message is its focus", "MessageHeader.focus")
    return requests[0]


def _sender(header: Json, resources: Mapping[str, Json]) -> str | None:
    found = resources.get(str(header.get("sender", {}).get("reference")))
    return ods_code(found) if found is not None else None


_NOTHING: Final = Record(kind=RecordKind.RETRACTION)
_UUID: Final = re.compile(
    r"(?:urn:uuid:)?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})", re.IGNORECASE
)
_RESPONSE: Final = "MessageHeader.response"
_BOOKINGS: Final = frozenset({"booking-request", "booking-response"})
_COSTLY: Final = frozenset({"too-long", "too-costly"})
_REFERENCES: Final = frozenset({"resourceType", "id", "meta", "intent", "subject", "authoredOn", "performer"})
