"""The ways out that the console has, as calls to try (`channels.py`); and its routes that have no need to seal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import httpx

from gateway.chance import fresh_id
from gateway.signin.claims import Person
from tests.support.console import ADVISER, ConsoleClient, signed_in
from tests.support.world import World

Call = Callable[[World, Any], httpx.Response]

_PASSPHRASE = "kestrel umbrella twelve"


def console(world: World, person: Person = ADVISER) -> ConsoleClient:
    """A browser in which somebody has signed in, once for a world: its forms are read before anything fails."""
    known: dict[Person, ConsoleClient] = world.__dict__.setdefault("console_clients", {})
    if person not in known:
        known[person] = signed_in(world, person)
    return known[person]


def _downtime(world: World) -> httpx.Response:
    said = {"passphrase": _PASSPHRASE, "again": _PASSPHRASE}
    return console(world).form("/console/worklist/downtime", said, at="downtime").submit()


CONSOLE_CHANNELS: Mapping[tuple[str, str], Mapping[str, Call]] = {
    ("GET", "/console/worklist"): {
        "the worklist as a page": lambda w, _: console(w).get("/console/worklist"),
        "a page of it without a row": lambda w, _: console(w).get("/console/worklist?page=9000"),
    },
    ("GET", "/console/worklist/rows"): {
        "rows for a page that is open": lambda w, _: console(w).get(f"/console/worklist/rows?known={fresh_id()}.1"),
    },
    ("POST", "/console/worklist/downtime"): {"a downtime list": lambda w, _: _downtime(w)},
}
"""Every page that discloses, with the calls that try it."""

CONSOLE_UNSEALED: Mapping[tuple[str, str], str] = {
    ("GET", "/console"): "leads to the first page of a role",
    ("GET", "/console/leave"): "leads away; the end of the sign-in is sealed in the operator's log: see test_look",
    ("GET", "/console/locked"): "shows nothing",
    ("GET", "/console/static/{name}"): "the same for everybody",
    ("GET", "/console/worklist/events"): "says that something changed, and nothing of what: see test_worklist",
    ("GET", "/console/worklist/downtime"): "a form with nothing in it",
}
"""Every other route, with the reason why it seals nothing in the agreement's log."""
