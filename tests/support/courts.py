"""Court messages in the shapes of Libra and the Common Platform, about invented people."""

from __future__ import annotations

from typing import Any


def libra() -> dict[str, Any]:
    """One defendant's case as it is listed for a sitting."""
    return {
        "caseId": 4410021,
        "caseNo": "2600410021",
        "name": {"title": "Mr", "forename1": "Dale", "forename2": "Ivor", "surname": "QUARRIE"},
        "defendantName": "Mr Dale Ivor QUARRIE",
        "defendantType": "P",
        "defendantSex": "M",
        "defendantDob": "03/05/1988",
        "defendantAge": "38",
        "defendantAddress": {"line1": "4 Example Walk", "line2": "Exampleton", "pcode": "ZZ99 3CZ"},
        "cro": "90001/08Z",
        "pnc": "2008/0123456X",
        "listNo": "2nd",
        "nationality1": "British",
        "offences": [
            {
                "seq": 1,
                "title": "Assault by beating",
                "act": "Contrary to section 39 of the Criminal Justice Act 1988.",
                "summary": "On 08/11/2026 at Blackpool assaulted a person by beating her.",
            },
            {"seq": 2, "title": "Criminal damage to property valued under £5000"},
        ],
        "sessionStartTime": "2026-11-20T10:00:00",
        "courtCode": "B99ZZ",
        "courtRoom": "02",
        "seq": 3,
        "cId": "CID900017",
    }


def common_platform() -> dict[str, Any]:
    """One hearing of one case with two defendants."""
    return {
        "hearing": {
            "id": "1f3a9a52-6f5b-4a0e-9c0e-3f5c9d1a7b10",
            "type": {"description": "First hearing"},
            "jurisdictionType": "MAGISTRATES",
            "courtCentre": {
                "id": "8c6f1a7e-0f3f-4b64-8f4e-0b8f0c5d2e11",
                "roomId": "2b7d4c9a-5b1e-4a8d-9d0c-6a2f8e4c1d12",
                "roomName": "Courtroom 02",
                "code": "B99ZZ00",
            },
            "hearingDays": [
                {"listedDurationMinutes": 20, "listingSequence": 0, "sittingDay": "2026-11-20T10:00:00.000Z"}
            ],
            "prosecutionCases": [
                {
                    "id": "5d0c7b1e-1a2b-4c3d-8e4f-9a0b1c2d3e13",
                    "prosecutionCaseIdentifier": {"caseURN": "04ZZ9900126"},
                    "defendants": [_defendant("Dale", "QUARRIE", "M"), _defendant("Lorna", "PELL", "F")],
                }
            ],
        }
    }


def _defendant(first: str, last: str, gender: str) -> dict[str, Any]:
    return {
        "id": f"7e1b2c3d-4e5f-4a6b-8c7d-00000000000{ord(gender) % 10}",
        "cprUUID": f"core-{last.lower()}",
        "pncId": "2008/0123456X",
        "croNumber": "",
        "prosecutionCaseId": "5d0c7b1e-1a2b-4c3d-8e4f-9a0b1c2d3e13",
        "offences": [
            {
                "id": f"offence-{last.lower()}",
                "offenceCode": "ZZ99001",
                "offenceTitle": f"Assault by beating ({last})",
                "offenceLegislation": "Contrary to section 39 of the Criminal Justice Act 1988.",
                "wording": "On 08/11/2026 at Blackpool assaulted a person by beating her.",
                "listingNumber": 1,
            }
        ],
        "personDefendant": {
            "personDetails": {
                "firstName": first,
                "lastName": last,
                "dateOfBirth": "1988-05-03",
                "gender": {"M": "MALE", "F": "FEMALE"}[gender],
                "address": {"address1": "4 Example Walk", "address2": "Exampleton", "postcode": "ZZ99 3CZ"},
            }
        },
    }
