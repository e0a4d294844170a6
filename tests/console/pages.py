"""Every page of the console, found in the application itself: a new page is looked at without anybody listing it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import select

from gateway.demo.incidents import incident
from gateway.demo.run import GUARDIAN
from gateway.signin.claims import Person
from gateway.store import tables
from tests.console.waiting import contact, doubtful, hospital_notice, notice, trace, undelivered
from tests.journeys.support import serial
from tests.support.browser import Live
from tests.support.console import PEOPLE


def _incident(live: Live) -> str:
    """The incident of the first referral."""
    table = tables.referral
    with live.services.database.reading() as connection:
        query = select(table.c.event_id).where(table.c.id == live.referrals[0])
        return str(connection.execute(query).scalar_one())


def held(live: Live) -> str:
    """A record that waits for a human, because she refused consent."""
    headers = {"Content-Type": "application/vnd.api+json"}
    document = incident(serial(), grade="STANDARD", consent="REFUSED")
    return str(live.police.post("/police/v1/incidents", json=document, headers=headers).json()["held"]["reference"])


def overridden(live: Live) -> str:
    """An override that waits for its review."""
    said = {"ground": "life-or-limb", "victim_told": "yes"}
    said |= dict.fromkeys(("evidence", "proportionality", "minimum_set"), "What there is to say.")
    client = live.client("demo-guardian", GUARDIAN)
    assert client.post(f"/governance/v1/holds/{held(live)}/release", json=said).is_success
    table = tables.consent_override
    with live.services.database.reading() as connection:
        return str(connection.execute(select(table.c.id).where(table.c.reviewed_at.is_(None))).scalars().first())


FILLED: Mapping[str, Callable[[Live], str]] = {
    "id_": lambda live: live.referrals[0],
    "referral_id": lambda live: live.referrals[0],
    "action": lambda _: "contact",
    "log_id": lambda _: "operation-provide",
    "index": lambda _: "3",
    "subject": lambda _: "a-person-of-no-record",
    "version": lambda _: "1",
    "hold_id": held,
    "what": lambda _: "override",
    "review_id": overridden,
    "table": lambda _: "summary.csv",
    "incident": _incident,
    "match_id": lambda live: doubtful(live)[0],
    "hospital_notice": hospital_notice,
    "delivery_id": lambda live: undelivered(live, live.referrals[0]),
    "contact_id": contact,
    "notice_id": notice,
    "trace_id": lambda live: trace(live, live.push(incident(902))[0]),
}
"""What stands for a part of an address; where a route has another, it is named here."""

ASKED: Mapping[str, str] = {
    "/console/auditor/consistency": "first=1&second=2",
    "/console/referrals": "reason=follow-up",
}
"""What is asked of pages whose address begins so, where a page wants something asked."""

NO_PAGES = ("/console/static/", "/console/leave", "/console/sign")
"""Addresses that show no page of their own: files, the way out, and signing in, which is tested for itself."""


@dataclass(frozen=True, slots=True)
class Place:
    """A page: the route, an address of it, who may open it (None: it needs nobody), and what they were shown."""

    route: str
    path: str
    person: Person | None
    answer: httpx.Response = field(repr=False, compare=False)


def console_routes(app: FastAPI) -> Iterator[str]:
    """The paths of the console that answer GET."""
    for route in _routes(app.routes):
        if "GET" in route.methods and (route.path == "/console" or route.path.startswith("/console/")):
            yield route.path


def places(live: Live) -> list[Place]:
    """Every page, each for somebody who is shown it."""
    found: list[Place] = []
    likely = list(PEOPLE.values())
    with httpx.Client(base_url=live.url, trust_env=False, timeout=60) as client:
        for route in console_routes(live.app):
            if not route.startswith(NO_PAGES) and (place := _place(live, client, route, likely)) is not None:
                found.append(place)
                likely.sort(key=lambda one: one != place.person)  # the next page is of the same area, and likely theirs
    return found


def _place(live: Live, client: httpx.Client, route: str, people: Iterable[Person]) -> Place | None:
    path = re.sub(r"{(\w+)(?::\w+)?}", lambda found: _fill(live, route, found[1]), route)
    query = next((asked for begins, asked in ASKED.items() if route.startswith(begins)), "")
    path = f"{path}?{query}" if query else path
    for person in people:
        with client.stream("GET", path, headers=live.headers(person)) as answer:
            if answer.status_code == httpx.codes.OK:
                return Place(route, path, person, answer) if _is_page(answer) else None
            if answer.is_redirect and not answer.headers["location"].startswith("/console/sign-in"):
                return None  # it leads to another page, which is here itself
    raise AssertionError(
        f"nobody may open {path}: say what stands for its parts (FILLED), what it asks (ASKED), or that it is no page"
    )


def _is_page(answer: httpx.Response) -> bool:
    """Whether it is a document, and no stream, no file and no part of a page."""
    if not answer.headers.get("content-type", "").startswith("text/html"):
        return False
    return answer.read().startswith(b"<!DOCTYPE html>")


def _fill(live: Live, route: str, name: str) -> str:
    assert name in FILLED, f"{route}: what stands for {name}? Add it to FILLED"
    return FILLED[name](live)


def _routes(routes: list[Any]) -> Iterator[Any]:
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is not None:
            yield from _routes(included.routes)
        elif hasattr(route, "methods"):
            yield route
