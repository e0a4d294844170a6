"""Subscription (R4, rest-hook): a team's system asks to be told that a referral has come or changed.

What it is told holds nothing of anybody: nothing at all, or the id of the Task that it may then read. Criteria are of
the types, parameters and codes that a referral's own routing answers, so that they are judged without opening a record;
anything else is refused, for a filter that is passed over tells of more than was asked for. How much a notification
holds is said as the R4 backport of topic-based subscriptions says it; nothing else of that guide is followed.

Source: FHIR R4 Subscription; HL7 Subscriptions R5 Backport 1.1 (backport-payload-content).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson

from adapters.nhs.fhir.canonical import JSON_TYPE, code_system
from adapters.nhs.fhir.elements import instant
from adapters.nhs.fhir.errors import FhirRefused
from adapters.nhs.fhir.models import Json, check
from adapters.nhs.fhir.parse import parse
from adapters.nhs.fhir.request import request_status
from adapters.nhs.fhir.search import SEARCH
from adapters.nhs.fhir.strict import Limits
from mappings.referral import Priority, Referral, ReferralState, ReferralStatus

LIMITS: Final = Limits(max_bytes=16_384)  # a Subscription is some 500 bytes
CRITERIA_MAX: Final = 512  # characters


class Payload(StrEnum):
    """What a notification holds: nothing, or the reference of the Task."""

    EMPTY = "empty"
    ID_ONLY = "id-only"


class Status(StrEnum):
    """How a subscription stands (R4 SubscriptionStatus; `requested` does not occur, for the handshake comes first)."""

    ACTIVE = "active"
    ERROR = "error"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A subscription as it is asked for and kept."""

    criteria: str
    endpoint: str
    payload: Payload


@dataclass(frozen=True, slots=True)
class Criteria:
    """Which referrals: of each parameter that is named, one of these codes."""

    type: str
    codes: Mapping[str, frozenset[str]]

    def met(self, referral: Referral) -> bool:
        """Whether a referral, as it stands, is one of them."""
        return all(_SERVED[self.type][name][1](referral) in codes for name, codes in self.codes.items())


def read_subscription(body: bytes) -> Subscribed:
    """What is asked for. Raises FhirRefused, by its path, for whatever would be passed over."""
    parsed = parse(body, limits=LIMITS)
    if parsed.type != "Subscription":
        raise FhirRefused(422, "invalid", "resourceType", "not a Subscription")
    content = parsed.content
    _only(content, _ELEMENTS, "Subscription")
    if content["status"] != "requested":
        raise FhirRefused(422, "value", "Subscription.status", "a subscription is asked for as requested")
    channel = content["channel"]
    _only(channel, _CHANNEL, "Subscription.channel")
    if channel["type"] != _REST_HOOK:
        raise FhirRefused(422, "not-supported", "Subscription.channel.type", "only a rest-hook is served")
    if "endpoint" not in channel:
        raise FhirRefused(422, "required", "Subscription.channel.endpoint", "a rest-hook has an endpoint")
    criteria_of(content["criteria"])
    return Subscribed(content["criteria"], channel["endpoint"], _payload(channel))


def criteria_of(text: str) -> Criteria:
    """Criteria as they were asked for. Raises FhirRefused."""
    type_, _, query = text.partition("?")
    served = _SERVED.get(type_)
    if served is None or len(text) > CRITERIA_MAX:
        raise _criteria(f"of {', '.join(_SERVED)}, and at most {CRITERIA_MAX} characters")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        raise _criteria("not a search") from None
    found: dict[str, frozenset[str]] = {}
    for name, value in pairs:
        if name not in served or name in found:
            raise _criteria(f"each of {', '.join(served)} at most once")
        found[name] = frozenset(_code(type_, name, one) for one in value.split(","))
    return Criteria(type_, MappingProxyType(found))


def write_subscription(id_: str, kept: Subscribed, status: Status, since: datetime) -> bytes:
    """A subscription as it is read back."""
    channel: Json = {"type": _REST_HOOK, "endpoint": kept.endpoint}
    if kept.payload is Payload.ID_ONLY:
        channel |= {"payload": JSON_TYPE, "_payload": {"extension": [{"url": _CONTENT, "valueCode": "id-only"}]}}
    found: Json = {
        "resourceType": "Subscription",
        "id": id_,
        "meta": {"lastUpdated": instant(since)},
        "status": status.value,
        "reason": "To be told that a referral has come or changed.",
        "criteria": kept.criteria,
        "channel": channel,
    }
    if status is Status.ERROR:
        found["error"] = "The endpoint does not answer; it is tried again."
    check(found)
    return orjson.dumps(found)


def write_notification(subscription: str, payload: Payload, referral: Referral, at: datetime) -> bytes:
    """What an endpoint is sent: nothing, or Parameters that name the subscription and the Task."""
    if payload is Payload.EMPTY:
        return b""
    found: Json = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "subscription", "valueReference": {"reference": f"Subscription/{subscription}"}},
            {"name": "type", "valueCode": "event-notification"},
            {"name": "timestamp", "valueInstant": instant(at)},
            {"name": "focus", "valueReference": {"reference": f"Task/{referral.id}"}},
        ],
    }
    check(found)
    return orjson.dumps(found)


def _only(content: Mapping[str, Any], allowed: frozenset[str], path: str) -> None:
    """Refuse elements that would have no effect: whoever sends an end or a header counts on it."""
    for name in content:
        if name.removeprefix("_") not in allowed:
            raise FhirRefused(422, "not-supported", f"{path}.{name.removeprefix('_')}", "not served here")


def _payload(channel: Json) -> Payload:
    path = "Subscription.channel.payload"
    extensions = channel.get("_payload", {}).get("extension", [])
    said = [one.get("valueCode") for one in extensions if one.get("url") == _CONTENT]
    if len(said) != len(extensions) or len(said) > 1:
        raise FhirRefused(422, "not-supported", path, "not an extension that is served here")
    if "payload" not in channel and not said:
        return Payload.EMPTY
    if channel.get("payload") not in {None, JSON_TYPE, "application/json"} or not said:
        raise FhirRefused(422, "not-supported", path, "empty, or id-only by backport-payload-content: never a resource")
    try:
        return Payload(str(said[0]))
    except ValueError:
        raise FhirRefused(422, "not-supported", path, "empty or id-only: a notification holds no resource") from None


def _code(type_: str, name: str, value: str) -> str:
    codes, _ = _SERVED[type_][name]
    system, _, code = value.rpartition("|")
    of = SEARCH[type_][name].system or code_system("referral-state")
    if system not in {"", of} or code not in codes:
        raise _criteria(f"a value of {name} that no referral of ours can have")
    return code


def _criteria(words: str) -> FhirRefused:
    return FhirRefused(422, "not-supported", "Subscription.criteria", words)


def _codes(values: type[StrEnum]) -> frozenset[str]:
    return frozenset(one.value for one in values)


_Says = tuple[frozenset[str], Callable[[Referral], str]]
_PRIORITY: Final[_Says] = (_codes(Priority), lambda one: one.priority.value)
_SERVED: Final[Mapping[str, Mapping[str, _Says]]] = MappingProxyType(
    {
        "Task": {
            "status": (_codes(ReferralStatus), lambda one: one.status.value),
            "business-status": (_codes(ReferralState), lambda one: one.state.value),
            "priority": _PRIORITY,
        },
        "ServiceRequest": {
            "status": (frozenset(map(request_status, ReferralStatus)), lambda one: request_status(one.status)),
            "priority": _PRIORITY,
        },
    }
)
"""The parameters that criteria can name, by type: the codes there are, and a referral's own."""
CRITERIA: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({key: tuple(one) for key, one in _SERVED.items()})
"""The types and parameters that criteria can name."""

_REST_HOOK: Final = "rest-hook"
_CONTENT: Final = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-payload-content"
_ELEMENTS: Final = frozenset({"resourceType", "status", "reason", "criteria", "channel"})
_CHANNEL: Final = frozenset({"type", "endpoint", "payload"})
