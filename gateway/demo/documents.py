"""What a hospital's system and an officer write in the walk: a safeguarding notice, an information request.

The patient is invented; what is planted under `CLINICAL` is looked for in everything police are answered.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.demo.pds import number

CLINICAL = ("fractured ulna", "Fernlea Practice", "9 Hidden Lane", "01632 960777", number(2))
"""What no police officer may read of the notice: clinical facts, her practice, address, telephone, NHS number."""

_EXTENSIONS = "https://provide-gateway.example/fhir/StructureDefinition"
_VICTIM = "urn:uuid:3b0e3a62-1c37-4b7c-9d0a-4f1f6a0c7e11"
_ABOUT = {"subject": {"reference": _VICTIM}}


def notice() -> dict[str, Any]:
    """A hospital's safeguarding notice as a FHIR `message`, with more in it than police may have."""
    now = datetime.now(UTC)
    authored = now.isoformat(timespec="seconds")
    resources: list[dict[str, Any]] = [
        {
            "resourceType": "MessageHeader",
            "id": "header-1",
            "eventCoding": {
                "system": "https://fhir.nhs.uk/CodeSystem/message-events-bars",
                "code": "servicerequest-request",
            },
            "source": {"endpoint": "https://ed.trust.example/"},
        },
        {
            "resourceType": "Patient",
            "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": CLINICAL[4]}],
            "name": [{"use": "official", "family": "Thornbury", "given": ["Isolde"]}],
            "gender": "female",
            "birthDate": "1984-09-17",
            "telecom": [{"system": "phone", "value": CLINICAL[3]}],
            "address": [{"use": "home", "line": [CLINICAL[2]], "city": "Blackpool", "postalCode": "ZZ99 9ZZ"}],
            "generalPractitioner": [{"display": CLINICAL[1]}],
        },
        {
            "resourceType": "ServiceRequest",
            "identifier": [{"system": "urn:trust:requests", "value": "SR-1"}],
            "status": "active",
            "intent": "order",
            **_ABOUT,
            "authoredOn": authored,
            "occurrenceDateTime": (now - timedelta(hours=3)).isoformat(timespec="seconds"),
            "locationCode": [{"coding": [{"code": "blackpool"}]}],
            "reasonCode": [_snomed("707087005")],
        },
        {"resourceType": "Condition", **_ABOUT, "code": _snomed("125605004") | {"text": CLINICAL[0]}},
        {
            "resourceType": "Consent",
            "extension": [{"url": f"{_EXTENSIONS}/consent-state", "valueCode": "given"}],
            "status": "active",
            "scope": {"coding": [{"code": "patient-privacy"}]},
            "category": [{"coding": [{"code": "IDSCL"}]}],
            "policyRule": {"coding": [{"code": "information-sharing-agreement"}]},
            "patient": {"reference": _VICTIM},
            "dateTime": authored,
        },
        {
            "resourceType": "RiskAssessment",
            "status": "final",
            **_ABOUT,
            "occurrenceDateTime": authored,
            "prediction": [{"qualitativeRisk": {"coding": [{"code": "high"}]}}],
        },
    ]
    return {
        "resourceType": "Bundle",
        "type": "message",
        "identifier": {"system": "urn:trust:documents", "value": "notice-1"},
        "timestamp": authored,
        "entry": [
            ({"fullUrl": _VICTIM} if one["resourceType"] == "Patient" else {}) | {"resource": one} for one in resources
        ],
    }


def request(referral: str) -> dict[str, Any]:
    """A victim information request in two items, each with a reason of its own (domain.md section 3.6)."""
    items = [
        {
            "item": "statement.summary",
            "what": "her account of the evening of 12 April",
            "since": "2026-04-12",
            "until": "2026-04-13",
            "why": "Nobody else was in the house.",
            "basis": "pcsc-2022-s44a",
            "relevance": "It bears on whether he was there.",
            "victim_told": "agrees",
        },
        {
            "item": "statement.summary",
            "what": "what she told the adviser of his calls in May",
            "since": "2026-05-01",
            "until": "2026-05-31",
            "why": "His telephone was not found.",
            "basis": "pcsc-2022-s44a",
            "relevance": "It bears on whether he kept away from her, as his bail asked.",
            "victim_told": "told",
        },
    ]
    return {
        "referral": referral,
        "line_of_enquiry": "An assault on 12 April, and calls after it.",
        "alternatives": "The neighbours saw nothing.",
        "authorised_by": "Inspector 4567",
        "items": items,
    }


def released() -> dict[str, Any]:
    """The answer of a person who releases an item, with what the victim agreed to."""
    agreed = (datetime.now(UTC) - timedelta(hours=1)).isoformat(timespec="seconds")
    words = "She says that he pushed her against the wall of the hall at about nine."
    return {"answer": "released", "view": "agrees", "words": words, "agreed_at": agreed, "no_clinical_facts": True}


REFUSED = {"answer": "refused", "view": "objects", "reason": "not-given"}
"""The answer of a person who does not release one, because she objects."""


def _snomed(code: str) -> dict[str, Any]:
    return {"coding": [{"system": "http://snomed.info/sct", "code": code}]}
