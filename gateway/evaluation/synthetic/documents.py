"""A story's incidents as a force's record system pushes them: JSON:API documents as the `ihub` profile reads them.

The same plan gives the same bytes.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson

from gateway.evaluation.synthetic.people import Adult
from gateway.evaluation.synthetic.plan import Incident, Plan, Story
from gateway.london import LONDON

MEDIA_TYPE = "application/x-ndjson"
"""What a batch of them is."""

_NAMESPACE = uuid.UUID("0c7c8f5a-7b0e-4c1c-9d57-1f3a4be2c6d1")


def batch(plan: Plan) -> bytes:
    """Every incident of a plan in one batch, a document on each line, in the order they were reported."""
    return b"".join(orjson.dumps(document(plan.seed, story, one)) + b"\n" for story, one in plan.incidents())


def document(seed: int, story: Story, incident: Incident) -> dict[str, Any]:
    """One incident as a document."""
    return _Document(seed, story, incident).whole()


class _Document:
    """One document: its parts name each other by ids that come of the plan's seed and the incident."""

    def __init__(self, seed: int, story: Story, incident: Incident) -> None:
        self._seed = seed
        self._story = story
        self._incident = incident

    def whole(self) -> dict[str, Any]:
        children = [f"child-{at}" for at, _ in enumerate(self._story.household.children)]
        return {
            "data": {
                "id": self._id("incident"),
                "type": "incident",
                "attributes": self._attributes(),
                "relationships": {
                    "victim": self._link("person", "victim"),
                    "suspect": self._link("person", "suspect"),
                    **({"child": self._link("person", *children)} if children else {}),
                    "incidentLocation": self._link("location", "home"),
                    "submission": self._link("submission", "submission"),
                    "riskAssessment": self._link("riskAssessment", "dash"),
                    "consent": self._link("consent", "consent"),
                    "officerInCase": self._link("officer", "officer"),
                    "personRelationship": self._link("personRelationship", "relationship"),
                },
            },
            "included": [*self._people(), *self._places(), *self._assessed()],
        }

    def _attributes(self) -> dict[str, Any]:
        one = self._incident
        occurred = one.occurred.astimezone(LONDON)
        return {
            "occurrenceReference": f"04-{occurred.year}-S{self._seed}{one.serial:06d}",
            "logReference": f"LC-{occurred:%Y%m%d}-S{one.serial:05d}",
            "recordVersion": 1,
            "incidentStartDateTime": {"dateFrom": _at(one.occurred)},
            "reportedDateTime": _at(one.reported),
            "attendedDateTime": _at(one.reported + timedelta(minutes=9 + one.serial % 31)),
            "protectiveMarking": "OFFICIAL-SENSITIVE",
            "nsirCategory": "domestic-incident",
            "hoOffenceCode": "8N",
            "hoFlags": ["DA"],
            "incidentDescription": _SUMMARIES[one.serial % len(_SUMMARIES)],
        }

    def _people(self) -> Iterator[dict[str, Any]]:
        home = self._story.household
        her = _person(home.victim) | {"gender": "GNDR_0001", "interpreterRequired": "false"}
        yield self._entity(
            "person",
            "victim",
            her,
            currentAddress=self._link("location", "home"),
            personalTelephone=self._link("telephone", "phone"),
        )
        yield self._entity("person", "suspect", _person(home.suspect) | {"gender": "GNDR_0002"})
        for at, child in enumerate(home.children):
            here = {"under18": True, "present": True, "witnessed": "true" if at == 0 else "false"}
            yield self._entity("person", f"child-{at}", _person(child) | here)
        yield self._entity("officer", "officer", {"collarNumber": f"{1000 + self._incident.serial % 900}"})
        yield self._entity(
            "personRelationship",
            "relationship",
            {"relationshipType": "ex-partner" if self._story.serial % 2 else "partner", "personallyConnected": "true"},
            victim=self._link("person", "victim"),
            suspect=self._link("person", "suspect"),
        )

    def _places(self) -> Iterator[dict[str, Any]]:
        home = self._story.household
        where = {"addressLine1": home.line, "town": home.town, "postcode": home.postcode}
        yield self._entity("location", "home", where)
        serial = self._story.serial
        safe: dict[str, Any] = {"telephoneNumber": home.phone}
        if serial % 3:
            safe |= {"safeToContact": "true", "voicemailAllowed": False, "textAllowed": bool(serial % 2)}
            safe |= {"safeTimes": _TIMES[serial % len(_TIMES)]}
        yield self._entity("telephone", "phone", safe)
        yield self._entity("submission", "submission", {"forceIdentifier": "04", "recordSystem": "synthetic-rms"})

    def _assessed(self) -> Iterator[dict[str, Any]]:
        one = self._incident
        victim = self._link("person", "victim")
        codes = _ANSWERS[: _YES[one.grade]]
        yield self._entity(
            "riskAssessment",
            "dash",
            {
                "instrument": "DASH 2009",
                "assessorRole": "attending-officer",
                "completedDateTime": _at(one.reported + timedelta(minutes=40)),
                "riskGrade": one.grade,
                "gradeBasis": "judgement",
                "yesCount": len(codes),
                "unknownCount": 0,
                "itemCount": 27,
                "answers": [{"code": code, "answer": "yes"} for code in codes],
            },
            victim=victim,
        )
        asked = {"consentState": "GIVEN", "askedBy": "attending-officer", "suspectPresent": "false"}
        yield self._entity("consent", "consent", asked, victim=victim)

    def _id(self, name: str) -> str:
        return str(uuid.uuid5(_NAMESPACE, f"{self._seed}/{self._incident.serial}/{name}"))

    def _link(self, type_: str, *names: str) -> dict[str, Any]:
        return {"data": [{"id": self._id(name), "type": type_} for name in names]}

    def _entity(self, type_: str, name: str, attributes: Mapping[str, Any], **links: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        found = {"id": self._id(name), "type": type_, "attributes": dict(attributes)}
        return found | ({"relationships": links} if links else {})


def _person(one: Adult) -> dict[str, Any]:
    return {"surname": one.family, "givenName": [one.given], "dateOfBirth": one.born.isoformat()}


def _at(moment: datetime) -> str:
    return moment.astimezone(LONDON).isoformat(timespec="seconds")


_YES = {"HIGH": 9, "MEDIUM": 5, "STANDARD": 2}
_ANSWERS = ("FRI", "INJ", "ISO", "CTRL", "SEP", "STRG", "WPN", "KILL", "FREQ")
_TIMES = ("weekdays 10:00-14:00", "weekdays after 09:30", "mornings")
_SUMMARIES = (
    "Victim states she was pushed against a wall.",
    "Victim states the suspect shouted at her and broke the door.",
    "Suspect took her telephone and would not let her leave.",
    "Victim states she was slapped. Officers attended.",
    "Suspect came to her home after they had separated and shouted threats.",
)
