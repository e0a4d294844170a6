"""Synthetic incidents as a force's record system would push them: JSON:API, in the shape the `ihub` profile reads."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

_NAMESPACE = uuid.UUID("5f0d6f2e-3f0e-4a51-9a54-0d9c2b6f1a77")


def incident(  # noqa: PLR0913 - what decisions turn on, each with a default
    serial: int,
    *,
    grade: str = "HIGH",
    town: str = "Blackpool",
    consent: str = "GIVEN",
    child: bool = True,
    marking: str = "OFFICIAL-SENSITIVE",
    handling: str | None = None,
    version: int = 1,
    description: str = "Victim states she was pushed against a wall and held by the throat. Neighbour heard shouting.",
) -> dict[str, Any]:
    """One incident. The same serial and arguments give the same document, byte for byte."""

    def id_of(name: str) -> str:
        return str(uuid.uuid5(_NAMESPACE, f"{serial}/{name}"))

    def link(type_: str, *names: str) -> dict[str, Any]:
        return {"data": [{"id": id_of(name), "type": type_} for name in names]}

    def entity(type_: str, name: str, attributes: Mapping[str, Any], **links: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        found = {"id": id_of(name), "type": type_, "attributes": dict(attributes)}
        return found | ({"relationships": links} if links else {})

    attributes = {
        "occurrenceReference": f"04-2026-{serial:06d}",
        "logReference": f"LC-20260412-{serial:04d}",
        "crimeReference": f"04/{serial:05d}/26",
        "recordVersion": version,
        "incidentStartDateTime": {"dateFrom": "2026-04-12T19:50:00+01:00", "dateTo": "2026-04-12"},
        "incidentEndDateTime": "20:05:00",
        "reportedDateTime": "2026-04-12T20:05:00+01:00",
        "attendedDateTime": "2026-04-12T20:31:00+01:00",
        "protectiveMarking": marking,
        "nsirCategory": "domestic-incident",
        "hoOffenceCode": "8N",
        "hoFlags": ["DA"],
        "physicallyAssaulted": "true",
        "hadWeapon": False,
        "incidentDescription": description,
        "hairColourOfDog": "brown",
    }
    if handling is not None:
        attributes |= {"sourceEvaluation": "2", "informationAssessment": "B", "handlingCode": handling}
    return {
        "data": {
            "id": id_of("incident"),
            "type": "incident",
            "attributes": attributes,
            "relationships": {
                "victim": link("person", "victim"),
                "suspect": link("person", "suspect"),
                **({"child": link("person", "child")} if child else {}),
                "personReporting": link("person", "reporter"),
                "incidentLocation": link("location", "scene"),
                "submission": link("submission", "submission"),
                "riskAssessment": link("riskAssessment", "dash"),
                "consent": link("consent", "consent"),
                "officerInCase": link("officer", "officer"),
                "personRelationship": link("personRelationship", "relationship"),
            },
        },
        "included": [
            entity(
                "person",
                "victim",
                {
                    "surname": "Ashdown",
                    "givenName": ["Marianne"],
                    "dateOfBirth": "1991-02-03",
                    "gender": "GNDR_0001",
                    "ethnicitySelfDefined": "ESDD_W1",
                    "disability": "false",
                    "interpreterRequired": "false",
                },
                currentAddress=link("location", "home"),
                personalTelephone=link("telephone", "mobile", "landline"),
            ),
            entity(
                "person",
                "suspect",
                {"surname": "Harbottle", "givenName": ["Piers"], "dateOfBirth": "1988-11-30", "gender": "GNDR_0002"},
                currentAddress=link("location", "suspect-home"),
            ),
            *(
                [
                    entity(
                        "person",
                        "child",
                        {
                            "surname": "Ashdown",
                            "givenName": ["Robin"],
                            "dateOfBirth": "2019-06-01",
                            "under18": True,
                            "school": "Example Primary School",
                            "present": True,
                            "witnessed": "true",
                        },
                    )
                ]
                if child
                else []
            ),
            entity("person", "reporter", {"surname": "Nextdoor", "givenName": ["Nora"], "dateofBirthKnown": "false"}),
            entity("location", "home", {"addressLine1": "12 Example Row", "town": town, "postcode": "ZZ99 3CZ"}),
            entity("location", "suspect-home", {"addressLine1": "4 Sample Close", "town": "Fleetwood"}),
            entity("location", "scene", {"addressLine1": "12 Example Row", "town": town, "postcode": "ZZ99 3CZ"}),
            entity(
                "telephone",
                "mobile",
                {
                    "telephoneNumber": "07700 900123",
                    "safeToContact": "true",
                    "voicemailAllowed": False,
                    "textAllowed": True,
                    "safeTimes": "weekdays 10:00-14:00",
                    "codeWord": "bluebell",
                },
            ),
            entity("telephone", "landline", {"telephoneNumber": "01632 960124"}),
            entity(
                "submission",
                "submission",
                {"forceIdentifier": "04", "recordSystem": "demo-rms", "ipAddress": "192.0.2.7", "userAgent": "demo"},
            ),
            entity(
                "riskAssessment",
                "dash",
                {
                    "instrument": "DASH 2009",
                    "assessorRole": "attending-officer",
                    "completedDateTime": "2026-04-12T21:00:00+01:00",
                    "riskGrade": grade,
                    "gradeBasis": "judgement",
                    "yesCount": 5,
                    "unknownCount": 1,
                    "itemCount": 27,
                    "answers": [
                        {"code": "INJ", "answer": "yes"},
                        {"code": "FRI", "answer": "yes"},
                        {"code": "STRG", "answer": "yes"},
                        {"code": "DEP", "answer": "yes"},
                        {"code": "SUB", "answer": "yes", "text": "drinks daily"},
                        {"code": "WPN", "answer": "unknown"},
                    ],
                },
                victim=link("person", "victim"),
            ),
            entity(
                "consent",
                "consent",
                {"consentState": consent, "askedBy": "attending-officer", "suspectPresent": "false"},
                victim=link("person", "victim"),
            ),
            entity("officer", "officer", {"collarNumber": "1234", "unit": "Blackpool PPU"}),
            entity(
                "personRelationship",
                "relationship",
                {"relationshipType": "ex-partner", "personallyConnected": "true"},
                victim=link("person", "victim"),
                suspect=link("person", "suspect"),
            ),
        ],
    }
