"""Every page of the console, found in the application itself: a new page is looked at without anybody listing it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI

from gateway.signin.claims import Person
from tests.support.browser import Live
from tests.support.console import PEOPLE

FILLED: Mapping[str, Callable[[Live], str]] = {
    "id_": lambda live: live.referrals[0],
    "referral_id": lambda live: live.referrals[0],
    "action": lambda _: "contact",
    "log_id": lambda _: "operation-provide",
    "index": lambda _: "3",
    "subject": lambda _: "a-person-of-no-record",
    "version": lambda _: "1",
    "table": lambda _: "summary.csv",
}
"""What stands for a part of an address; where a route has another, it is named here."""

ASKED: Mapping[str, str] = {
    "/console/auditor/consistency": "first=1&second=2","/console/referrals": "reason=follow-up"}
"""What is asked of pages whose address begins so, where a page wants something asked."""

NO_PAGES = ("/console/static/", "/console/leave", "/console/sign")
"""Addresses that show no page of their own: files, the way out, and signing in, which is tested for itself."""


@dataclass(frozen=True, slots=True)
class Place:
    """A page: the route, an address of it, and somebody who may open it (None: it needs nobody)."""

    route: str
    path: str
    person: Person | None


def console_routes(app: FastAPI) -> Iterator[str]:
    """The paths of the console that answer GET."""
    for route in _routes(app.routes):
        if "GET" in route.methods and (route.path == "/console" or route.path.startswith("/console/")):
            yield route.path


def places(live: Live) -> list[Place]:
    """Every page, each for the first person who is shown it."""
    return [place for route in console_routes(live.app) if (place := _place(live, route)) is not None]


def _place(live: Live, route: str) -> Place | None:
    if route.startswith(NO_PAGES):
        return None
    path = re.sub(r"{(\w+)(?::\w+)?}", lambda found: _fill(live, route, found[1]), route)
    query = next((asked for begins, asked in ASKED.items() if route.startswith(begins)), "")
    path = f"{path}?{query}" if query else path
    for person in PEOPLE.values():
        with httpx.stream("GET", live.url + path, cookies=live.cookies(person)) as answer:
            if answer.status_code == httpx.codes.OK:
                return Place(route, path, person) if _is_page(answer) else None
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
