"""Things that wait for a guardian, made in a world or before a live server: one of each kind."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Protocol

from sqlalchemy import insert, select

from audit.entry import timestamp
from gateway.chance import fresh_id
from gateway.demo.client import Client
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from gateway.linking.looking import link_waiting
from gateway.matching.model import shipped as shipped_model
from gateway.services import Services
from gateway.store import tables
from gateway.store.waiting_deliveries import new_row
from tests.journeys.channels import at_the_scene, trace_of
from tests.journeys.hospital_channels import send
from tests.journeys.support import serial


class Place(Protocol):
    """A world, or the live application."""

    services: Services

    @property
    def police(self) -> Client: ...
    @property
    def hospital(self) -> Client: ...


_JSON_API = {"Content-Type": "application/vnd.api+json"}


def push(place: Place, document: dict[str, Any]) -> dict[str, Any]:
    """Push an incident."""
    answer = place.police.post("/police/v1/incidents", json=document, headers=_JSON_API)
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found


def doubtful(place: Place, given: tuple[str, str] = ("Zelda", "Zuleika"), surname: str = "Doubtly") -> tuple[str, ...]:
    """Two incidents whose victims may be one person: the match that waits, and the references of the two."""
    incidents = []
    for one in given:
        document = incident(serial() + 5000)
        victim = document["data"]["relationships"]["victim"]["data"][0]["id"]
        person = next(each for each in document["included"] if each["id"] == victim)
        person["attributes"] |= {"surname": surname, "givenName": [one]}
        incidents.append(push(place, document)["incident"])
    services = place.services
    link_waiting(services.database, services.journals, services.records, shipped_model(), LOG)
    table = tables.match_review
    query = select(table.c.id).where(
        table.c.event_id.in_(incidents), table.c.other_event_id.in_(incidents), table.c.person.startswith("victim")
    )
    with services.database.reading() as connection:
        return str(connection.execute(query).scalars().one()), *incidents


def hospital_notice(place: Any) -> str:
    """What a hospital would tell police of a victim who refused."""
    return str(send(place, consent="refused").json()["identifier"]["value"])


def contact(place: Place) -> str:
    """A contact at the scene that no record is known of."""
    return str(place.hospital.post("/team/v1/co-responses", json=at_the_scene()).json()["co_response"])


def undelivered(place: Place, referral: str, endpoint: str | None = None) -> str:
    """A delivery that was given up, to a system that is there, or to one that was removed."""
    at = timestamp(datetime.now(UTC))
    with place.services.database.writing() as connection:
        if endpoint is None:
            endpoint = fresh_id()
            row: dict[str, Any] = {
                "id": endpoint,
                "log_id": LOG,
                "client": "demo-hospital",
                "channel": "fhir",
                "address": "test://it",
            }
            row |= {"organisation": "RXL", "team": "idva-team", "user_id": "idva-0042", "role": "idva", "options": "{}"}
            row |= {"hides_from_online_access": True, "added_at": at, "removed_at": at, "failures": 0}
            connection.execute(insert(tables.endpoint).values(row))
        given_up = {"given_up_at": at, "failure": "timeout", "attempts": 6}
        row = new_row(endpoint, referral, LOG, 1, at) | given_up
        connection.execute(insert(tables.delivery).values(row))
        return str(row["id"])


def notice(place: Place) -> str:
    """A notice to the guardian's organisation as a whole."""
    hospital_notice(place)
    table = tables.notice
    own = (table.c.organisation == "RXL", table.c.recipient == "", table.c.acknowledged_at.is_(None))
    with place.services.database.reading() as connection:
        return str(connection.execute(select(table.c.id).where(*own)).scalars().first())


def trace(place: Any, referral: str) -> str:
    """A trace of a referral's victim that waits for a person: too little was known to ask."""
    return trace_of(place, referral)
