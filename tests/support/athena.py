"""An Athena-like investigation as plain JSON, with invented people: the shape of `mappings/police/athena.toml`."""

from __future__ import annotations

from typing import Any

VICTIM, SUSPECT, CHILD, NEIGHBOUR = "P1", "P2", "P3", "P4"


def investigation(reference: str = "04-2026-000701", version: int = 1, change: str = "New") -> dict[str, Any]:
    """A whole investigation: a victim, a suspect, a child and who reported it, each named by an id."""
    return {
        "documentType": "InvestigationShare",
        "schemaVersion": "3",
        "investigation": {
            "changeType": change,
            "investigationReference": reference,
            "version": version,
            "logReference": "LC-20261108-0412",
            "crimeReference": "04/20701/26",
            "forceCode": "04",
            "system": "Athena",
            "reportedOn": "08/11/2026 21:04",
            "occurredFrom": "08/11/2026 20:40",
            "occurredTo": "08/11/2026 21:00",
            "attendedOn": "2026-11-08T21:19:00+00:00",
            "recordedOn": "08/11/2026 23:10:31",
            "marking": {"classification": "OFFICIAL-SENSITIVE", "handlingCode": "P"},
            "classification": {"nsir": "Domestic incident", "offenceCode": "8N", "flags": ["Domestic abuse"]},
            "outcome": {"code": "18"},
            "officerSafetyWarnings": ["violent"],
            "summary": "He pushed her into the hall and took her telephone. Her neighbour heard shouting and rang.",
            "intelligence": "Said to have the use of a second car.",
            "scene": {
                "line1": "7 Example Parade",
                "town": "Blackpool",
                "district": "Blackpool",
                "postcode": "ZZ99 3CZ",
            },
            "officerInCase": {"collarNumber": "2207", "team": "Response West"},
        },
        "persons": [_victim(), _suspect(), _child(), {"personId": NEIGHBOUR, "surname": "Tolliver"}],
        "involvements": [
            {"personId": VICTIM, "role": "Victim", "present": True, "injured": "yes"},
            {"personId": SUSPECT, "role": "SUSPECT", "present": False},
            {"personId": CHILD, "role": "Child", "present": True, "witnessed": True},
            {"personId": NEIGHBOUR, "role": "Person reporting"},
        ],
        "relationships": [
            {
                "fromPersonId": VICTIM,
                "toPersonId": SUSPECT,
                "relationship": "ex-partner",
                "personallyConnected": True,
            }
        ],
        "riskAssessments": [_assessment()],
        "consents": [{"personId": VICTIM, "state": "Given", "askedBy": "officer", "askedOn": "08/11/2026 21:40"}],
        "maracCriteria": [{"criterion": "professional judgement", "met": True, "personId": VICTIM}],
        "orders": [
            {
                "orderType": "DVPN",
                "subjectPersonId": SUSPECT,
                "protectedPersonId": VICTIM,
                "conditions": "Not to enter Example Parade.",
                "expiresOn": "10/11/2026 22:00",
            }
        ],
        "custody": [{"event": "Released on bail", "personId": SUSPECT, "at": "09/11/2026 06:15"}],
        "attachments": [{"kind": "photo", "mediaType": "image/jpeg", "fileName": "hall.jpg"}],
    }


def _victim() -> dict[str, Any]:
    return {
        "personId": VICTIM,
        "nominalReference": "N/55120",
        "surname": "Ardenholme",
        "forename1": "Rosalind",
        "forename2": "May",
        "dateOfBirth": "14/02/1991",
        "sex": "F",
        "selfDefinedEthnicity": "W1",
        "nhsNumber": "999 000 0018",
        "language": "en",
        "interpreterRequired": "N",
        "telephones": [
            {"number": "07700 900 411", "safe": True, "voicemail": False, "safeTimes": "09:00-14:30"},
            {"number": "01632 960 411"},
        ],
        "emails": [{"address": "rosalind@example.org", "safe": "unknown"}],
        "addresses": [
            {"addressType": "Home", "line1": "7 Example Parade", "town": "Blackpool", "postcode": "zz993cz"},
            {"addressType": "Refuge", "line1": "2 Example Mews", "town": "Fleetwood", "postcode": "ZZ99 3VZ"},
            {"addressType": "Favourite cafe", "line1": "1 Example Pier"},
        ],
    }


def _suspect() -> dict[str, Any]:
    return {
        "personId": SUSPECT,
        "surname": "Quarrie",
        "forename1": "Dale",
        "dateOfBirth": "1988",
        "sex": "M",
        "pncId": "2008/0123456x",
        "warnings": ["violent"],
        "telephones": [{"number": "07700 900 412"}],
    }


def _child() -> dict[str, Any]:
    return {
        "personId": CHILD,
        "surname": "Ardenholme",
        "forename1": "Ivo",
        "age": 6,
        "school": "Example Primary School",
        "encompass": {"notified": True, "notifiedOn": "09/11/2026 07:50"},
    }


def _assessment() -> dict[str, Any]:
    return {
        "personId": VICTIM,
        "instrument": "DASH 2009",
        "completedOn": "08/11/2026 22:05",
        "assessorRole": "Attending officer",
        "grade": "High",
        "gradeBasis": "professional-judgement",
        "yesCount": 2,
        "itemCount": 27,
        "answers": [
            {"question": "STRG", "answer": "Y"},
            {"question": "SEP", "answer": "Yes", "comment": "Left in October."},
            {"question": "PREG", "answer": "N"},
        ],
        "previousGrades": [{"grade": "Medium", "gradedOn": "08/11/2026 21:30", "assessorRole": "Attending officer"}],
    }
