"""What the BaRS-style endpoint says of itself: its CapabilityStatement, and a MessageDefinition for each event.

Made of what is served. It names our own definitions and no profile of the standard, and says that conformance is not
claimed. Source: domain.md section 2.5; FHIR R4 CapabilityStatement (messaging), MessageDefinition.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

import orjson

from adapters.nhs.bars.message import TYPES, Event, definition
from adapters.nhs.bars.words import words
from adapters.nhs.fhir import FHIR_VERSION, JSON_TYPE
from adapters.nhs.fhir.models import Json, check

NOT_CONFORMANT: Final = (
    "Messages in the shape of the Booking and Referral Standard. No use case of the standard is about police and "
    "domestic abuse; conformance is not claimed, and nobody has assessed it."
)
_HELD: Final = {Event.REQUEST: ("MessageHeader", *TYPES), Event.RESPONSE: ("MessageHeader", "ServiceRequest")}
_NEEDED: Final = frozenset({"MessageHeader", "ServiceRequest"})


def capability(*, base_url: str, version: str, day: date) -> bytes:
    """The CapabilityStatement of one running server; `day` is when it last changed."""
    statement: Json = {
        "resourceType": "CapabilityStatement",
        "url": f"{base_url}/metadata",
        "version": version,
        "name": "ProvideGatewayMessages",
        "title": "Provide Gateway, messages",
        "status": "active",
        "date": day.isoformat(),
        "description": NOT_CONFORMANT,
        "kind": "instance",
        "software": {"name": "Provide Gateway", "version": version},
        "implementation": {"description": "Provide Gateway", "url": base_url},
        "fhirVersion": FHIR_VERSION,
        "format": [JSON_TYPE],
        "rest": [
            {
                "mode": "server",
                "operation": [{"name": "process-message", "definition": _PROCESS_MESSAGE}],
                "resource": [{"type": "MessageDefinition", "interaction": [{"code": "search-type"}]}],
            }
        ],
        "messaging": [
            {
                "supportedMessage": [
                    {"mode": mode, "definition": definition(event)} for event in Event for mode in _MODES[event]
                ]
            }
        ],
    }
    check(statement)
    return orjson.dumps(statement)


def definitions(*, base_url: str, day: date) -> bytes:
    """A searchset of our MessageDefinitions."""
    found = [_definition(event, day) for event in Event]
    return _searchset(found, f"{base_url}/MessageDefinition")


def _searchset(found: Sequence[Json], url: str) -> bytes:
    bundle: Json = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(found),
        "link": [{"relation": "self", "url": url}],
        "entry": [{"fullUrl": one["url"], "resource": one, "search": {"mode": "match"}} for one in found],
    }
    check(bundle)
    return orjson.dumps(bundle)


def _definition(event: Event, day: date) -> Json:
    found: Json = {
        "resourceType": "MessageDefinition",
        "id": event.value,
        "url": definition(event),
        "name": "".join(word.capitalize() for word in event.value.split("-")),
        "status": "active",
        "date": day.isoformat(),
        "description": NOT_CONFORMANT,
        "eventCoding": {"system": words().systems["event"], "code": event.value},
        "category": "consequence",
        "focus": [_focus(type_) for type_ in _HELD[event]],
    }
    if event is Event.REQUEST:
        found["responseRequired"] = "never"
        found["allowedResponse"] = [{"message": definition(Event.RESPONSE)}]
    return found


def _focus(type_: str) -> Json:
    return {"code": type_, "min": 1, "max": "1"} if type_ in _NEEDED else {"code": type_, "min": 0, "max": "*"}


_PROCESS_MESSAGE: Final = "http://hl7.org/fhir/OperationDefinition/MessageHeader-process-message"
_MODES: Final = {Event.REQUEST: ("sender", "receiver"), Event.RESPONSE: ("receiver",)}
