"""A hospital's notice as its system sends it: a FHIR Bundle in UK Core shapes, of invented people.

Every text that police may never have begins with `CLINICAL`, `HEALTH`, `NOTE` or `WHERE`, so that a leak shows itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import orjson

SNOMED = "http://snomed.info/sct"
OWN = "https://provide-gateway.example/fhir"
NHS_NUMBER = "9990000018"
CLINICAL, HEALTH, NOTE, WHERE = "Clinicalzq", "Healthzq", "Notezq", "Wherezq"
MARKS = (CLINICAL, HEALTH, NOTE, WHERE, NHS_NUMBER, "999 000 0018")
"""What never leaves for police, whoever sends it."""

JSON = {"Content-Type": "application/fhir+json"}
_numbers = itertools.count(1)


def number() -> int:
    """A number that no other notice of this run has."""
    return next(_numbers)


def bundle(  # noqa: PLR0913 - what a notice can say
    serial: int,
    *,
    document: str | None = None,
    consent: str | None = "given",
    grade: str | None = "high",
    children: bool = False,
    status: str = "active",
    restricted: bool = False,
    authored: str = "2026-11-20T10:00:00Z",
    kind: str = "transaction",
    codes: tuple[str, ...] = ("707087005",),
) -> dict[str, Any]:
    """A notice about one victim. `serial` is the sender's own number of it, `document` of this message."""
    victim = f"urn:uuid:00000000-0000-4000-8000-{serial:012d}"
    resources: list[tuple[str | None, dict[str, Any]]] = []
    if kind == "message":
        resources.append((None, _header(serial)))
    resources.append((victim, _victim(restricted=restricted)))
    if children:
        resources.append(
            (None, {"resourceType": "Patient", "name": [{"family": "Ashdown"}], "birthDate": "2019-02-03"})
        )
    resources.append((None, _request(serial, victim, status, authored, codes)))
    about = {"subject": {"reference": victim}}
    resources.append((None, {"resourceType": "Condition", **about, "code": _code("125605004", f"{CLINICAL} fracture")}))
    observation = {"resourceType": "Observation", "status": "final", **about, "valueString": f"{CLINICAL} bruising"}
    resources.append((None, observation | {"code": _code("271649006", f"{CLINICAL} pressure")}))
    if consent is not None:
        resources.append((None, _consent(victim, consent)))
    if grade is not None:
        prediction = [{"qualitativeRisk": {"coding": [{"code": grade}]}}]
        risk = {"resourceType": "RiskAssessment", "status": "final", **about, "occurrenceDateTime": authored}
        resources.append((None, risk | {"prediction": prediction}))
    return {
        "resourceType": "Bundle",
        "type": kind,
        "identifier": {"system": "urn:trust:documents", "value": document or f"doc-{number()}"},
        "timestamp": authored,
        "entry": [_entry(url, one, kind) for url, one in resources],
    }


def body(bundle_: Mapping[str, Any]) -> bytes:
    """The bytes of a Bundle."""
    return orjson.dumps(bundle_)


def _entry(url: str | None, resource: dict[str, Any], kind: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"resource": resource} | ({"fullUrl": url} if url else {})
    return entry | ({"request": {"method": "POST", "url": resource["resourceType"]}} if kind == "transaction" else {})


def _header(serial: int) -> dict[str, Any]:
    return {
        "resourceType": "MessageHeader",
        "id": f"header-{serial}",
        "eventCoding": {
            "system": "https://fhir.nhs.uk/CodeSystem/message-events-bars",
            "code": "servicerequest-request",
        },
        "source": {"endpoint": "https://ed.trust.example/"},
    }


def _victim(*, restricted: bool) -> dict[str, Any]:
    labels = [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]
    return {
        "resourceType": "Patient",
        **({"meta": {"security": labels}} if restricted else {}),
        "identifier": [
            {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": NHS_NUMBER},
            {"system": "urn:trust:mrn", "value": f"{CLINICAL}MRN"},
        ],
        "name": [{"use": "official", "family": "Ashdown", "given": ["Marianne"]}],
        "gender": "female",
        "birthDate": "1991-02-03",
        "telecom": [{"system": "phone", "value": "01632 960123"}],
        "address": [{"use": "home", "line": [f"{WHERE} Row"], "city": f"{WHERE}town", "postalCode": "ZZ99 9ZZ"}],
        "generalPractitioner": [{"display": f"{CLINICAL} Practice"}],
    }


def _request(serial: int, victim: str, status: str, authored: str, codes: tuple[str, ...]) -> dict[str, Any]:
    suspect = {
        "resourceType": "Basic",
        "id": "suspect-1",
        "code": {"coding": [{"system": f"{OWN}/CodeSystem/person", "code": "suspect"}]},
        "extension": [
            {
                "url": f"{OWN}/StructureDefinition/person-name",
                "valueHumanName": {"family": "Brackwater", "given": ["Owen"]},
            }
        ],
    }
    return {
        "resourceType": "ServiceRequest",
        "identifier": [{"system": "urn:trust:requests", "value": f"SR-{serial}"}],
        "status": status,
        "intent": "order",
        "contained": [suspect],
        "subject": {"reference": victim},
        "authoredOn": authored,
        "occurrenceDateTime": "2026-11-19T22:00:00Z",
        "locationCode": [{"coding": [{"code": "blackpool"}]}],
        "reasonCode": [_code(one, f"{CLINICAL} reason") for one in codes],
        "note": [{"text": f"{NOTE}: she told the nurse that he is {HEALTH} schizophrenic."}],
        "supportingInfo": [{"reference": "#suspect-1"}],
    }


def _code(code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": SNOMED, "code": code, "display": display}]}


def _consent(victim: str, state: str) -> dict[str, Any]:
    return {
        "resourceType": "Consent",
        "extension": [{"url": f"{OWN}/StructureDefinition/consent-state", "valueCode": state}],
        "status": "active" if state == "given" else "rejected",
        "scope": {"coding": [{"code": "patient-privacy"}]},
        "category": [{"coding": [{"code": "IDSCL"}]}],
        "policyRule": {"coding": [{"code": "information-sharing-agreement"}]},
        "patient": {"reference": victim},
        "dateTime": "2026-11-20T09:50:00Z",
    }
