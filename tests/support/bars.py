"""BaRS-style messages as a trust's system would send them, to try the gateway with. The people in them are invented."""

from __future__ import annotations

import base64
from typing import Any
from uuid import uuid4

import httpx
import orjson

from adapters.nhs import bars
from gateway.bars.channel import PREFIX
from tests.support.world import World

BOOKING = {"system": bars.words().systems["event"], "code": "booking-request"}
"""An event of the standard that is not served here."""


def headers(organisation: str = "RXL", service: str = "provide-gateway", **changed: str) -> dict[str, str]:
    def coded(value: Any) -> str:
        return base64.b64encode(orjson.dumps(value)).decode()

    ods = {"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": organisation}
    return {
        "Content-Type": "application/fhir+json",
        "Accept": "application/fhir+json; version=1.4",
        "NHSD-Target-Identifier": coded({"system": "https://fhir.nhs.uk/Id/dos-service-id", "value": service}),
        "NHSD-End-User-Organisation": coded({"resourceType": "Organization", "identifier": [ods]}),
        "NHSD-Requesting-Software": coded({"resourceType": "Device"}),
        "X-Request-Id": str(uuid4()),
        "X-Correlation-Id": str(uuid4()),
        **changed,
    }


def answer(delivery: str, status: str = "active", **changed: Any) -> dict[str, Any]:
    """A servicerequest-response, as a trust sends it."""
    words = bars.words().systems
    header = {
        "resourceType": "MessageHeader",
        "id": str(uuid4()),
        "eventCoding": {"system": words["event"], "code": "servicerequest-response"},
        "source": {"endpoint": "https://trust.example/FHIR/R4"},
        "reason": {"coding": [{"system": words["reason"], "code": "new"}]},
        "response": {"identifier": delivery, "code": "ok"},
        "focus": [{"reference": "urn:uuid:6f1c0a52-0d3e-4f7b-9a51-0c2f4f7f1d10"}],
        **changed,
    }
    request = {
        "resourceType": "ServiceRequest",
        "status": status,
        "intent": "order",
        "subject": {"display": "as in the request"},
    }
    entries = [
        {"fullUrl": f"urn:uuid:{header['id']}", "resource": header},
        {"fullUrl": "urn:uuid:6f1c0a52-0d3e-4f7b-9a51-0c2f4f7f1d10", "resource": request},
    ]
    return {"resourceType": "Bundle", "type": "message", "entry": entries}


def post(world: World, body: Any, given: dict[str, str] | None = None) -> httpx.Response:
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    found: httpx.Response = world.hospital.http.post(
        f"{PREFIX}/$process-message", content=content, headers=given or headers()
    )
    return found


def request() -> dict[str, Any]:
    """A servicerequest-request of a hospital."""
    words = bars.words().systems
    id_, referral, patient = str(uuid4()), str(uuid4()), str(uuid4())
    header = {
        "resourceType": "MessageHeader",
        "id": id_,
        "eventCoding": {"system": words["event"], "code": "servicerequest-request"},
        "source": {"endpoint": "https://trust.example/FHIR/R4"},
        "reason": {"coding": [{"system": words["reason"], "code": "new"}]},
        "focus": [{"reference": f"urn:uuid:{referral}"}],
    }
    asked = {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "identifier": [{"system": "https://trust.example/Id/notice", "value": f"N-{uuid4()}"}],
        "subject": {"reference": f"urn:uuid:{patient}"},
        "authoredOn": "2026-04-12T18:50:00+01:00",
        "reasonCode": [{"coding": [{"system": "http://snomed.info/sct", "code": "707087005"}]}],
    }
    person = {"resourceType": "Patient", "name": [{"family": "Testing", "given": ["Petra"]}], "birthDate": "1991-02-03"}
    resources = [(id_, header), (referral, asked), (patient, person)]
    entries = [{"fullUrl": f"urn:uuid:{one}", "resource": resource} for one, resource in resources]
    bundle_id = {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{id_}"}
    return {"resourceType": "Bundle", "identifier": bundle_id, "type": "message", "entry": entries}
