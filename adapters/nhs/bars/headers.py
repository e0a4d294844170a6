"""The headers of a BaRS call: who is meant, who asks, with what software, and the two ids.

Three of them are Base64 of JSON: hostile input like any body, so their size, depth and names are bounded, and nothing
of them is repeated. What they claim adds nothing to what the access token allows. Source: domain.md section 2.5.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from adapters import strictjson
from adapters.nhs.bars.errors import BarsRefused
from adapters.nhs.bars.words import Fault
from adapters.nhs.fhir import CANONICAL
from adapters.socket import Limits, Unreadable

TARGET: Final = "NHSD-Target-Identifier"
ORGANISATION: Final = "NHSD-End-User-Organisation"
SOFTWARE: Final = "NHSD-Requesting-Software"
REQUEST_ID: Final = "X-Request-Id"
CORRELATION_ID: Final = "X-Correlation-Id"
ODS_SYSTEMS: Final = frozenset({"https://fhir.nhs.uk/id/ods-organization-code", "https://fhir.nhs.uk/id/ods-site-code"})
"""In lower case, as systems are compared: a published example writes one so (domain.md section 2.2)."""

HEADER_MAX_BYTES: Final = 8_192  # of Base64; a published one has some 300
_LIMITS: Final = Limits(max_bytes=HEADER_MAX_BYTES, max_depth=8, max_elements=200, max_text=1_024)
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_ODS: Final = re.compile(r"[A-Z0-9]{3,10}")


@dataclass(frozen=True, slots=True)
class Service:
    """A service as a message names it: the value under its system (`https://fhir.nhs.uk/Id/dos-service-id`)."""

    system: str
    value: str

    @property
    def token(self) -> str:
        """System and value with a bar between, as MessageHeader writes an endpoint."""
        return f"{self.system}|{self.value}"


@dataclass(frozen=True, slots=True)
class Headers:
    """What the headers of a call say. `organisation` is the ODS code of whoever asks; the ids are UUIDs."""

    target: Service
    organisation: str
    request_id: str
    correlation_id: str


def read_headers(given: Mapping[str, str]) -> Headers:
    """The headers of a call; names in lower case. Raises BarsRefused."""
    request_id, correlation_id = (_uuid(name, given) for name in (REQUEST_ID, CORRELATION_ID))
    target = _decoded(TARGET, given)
    system, value = target.get("system"), target.get("value")
    if not isinstance(system, str) or not isinstance(value, str) or not system or not value:
        raise BarsRefused(Fault.HEADER_INVALID, "an identifier has a system and a value", TARGET)
    organisation = _organisation(_decoded(ORGANISATION, given))
    if _decoded(SOFTWARE, given).get("resourceType") != "Device":
        raise BarsRefused(Fault.HEADER_INVALID, "not a Device", SOFTWARE)
    return Headers(Service(system, value), organisation, request_id, correlation_id)


def write_headers(
    target: Service, organisation: Mapping[str, Any], version: str, request_id: str, correlation_id: str
) -> dict[str, str]:
    """The headers of a call of ours; `organisation` is the FHIR Organization on whose behalf it is made."""
    device = {
        "resourceType": "Device",
        "identifier": [{"system": f"{CANONICAL}/Id/software", "value": "provide-gateway"}],
        "deviceName": [{"name": "Provide Gateway", "type": "manufacturer-name"}],
        "version": [{"value": version}],
    }
    return {
        TARGET: _encoded({"value": target.value, "system": target.system}),
        ORGANISATION: _encoded(organisation),
        SOFTWARE: _encoded(device),
        REQUEST_ID: request_id,
        CORRELATION_ID: correlation_id,
    }


def _encoded(value: Mapping[str, Any]) -> str:
    return base64.b64encode(orjson.dumps(value)).decode()


def _text(name: str, given: Mapping[str, str]) -> str:
    value = given.get(name.lower(), "").strip()
    if not value:
        raise BarsRefused(Fault.HEADER_MISSING, "this header is needed", name)
    return value


def _uuid(name: str, given: Mapping[str, str]) -> str:
    value = _text(name, given)
    if not _UUID.fullmatch(value):
        raise BarsRefused(Fault.HEADER_INVALID, "not a UUID", name)
    return value.lower()


def _decoded(name: str, given: Mapping[str, str]) -> dict[str, Any]:
    value = _text(name, given)
    if len(value) > HEADER_MAX_BYTES:
        raise BarsRefused(Fault.HEADER_MALFORMED, f"longer than {HEADER_MAX_BYTES} bytes", name)
    try:
        return strictjson.parse(base64.b64decode(value, validate=True), _LIMITS)
    except (binascii.Error, ValueError, Unreadable):
        raise BarsRefused(Fault.HEADER_MALFORMED, "not an object of JSON in Base64", name) from None


def _organisation(found: Mapping[str, Any]) -> str:
    if found.get("resourceType") != "Organization":
        raise BarsRefused(Fault.HEADER_INVALID, "not an Organization", ORGANISATION)
    code = ods_code(found)
    if code is None:
        raise BarsRefused(Fault.HEADER_INVALID, "an Organization with one ODS code is needed", ORGANISATION)
    return code


def ods_code(organisation: Mapping[str, Any]) -> str | None:
    """The one ODS code of an Organization, None where it has none, or several."""
    identifiers = organisation.get("identifier")
    found = {
        str(one.get("value")).upper()
        for one in (identifiers if isinstance(identifiers, list) else [])
        if isinstance(one, dict) and str(one.get("system")).lower() in ODS_SYSTEMS
    }
    code = next(iter(found)) if len(found) == 1 else ""
    return code if _ODS.fullmatch(code) else None
