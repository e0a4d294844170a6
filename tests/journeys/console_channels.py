"""The ways out that the console has, as calls to try (`channels.py`); and its routes that have no need to seal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import httpx

from gateway.agreement import shipped
from gateway.chance import fresh_id
from gateway.signin.claims import Person
from tests.support.console import ADVISER, AUDITOR, EVALUATOR, ConsoleClient, signed_in
from tests.support.world import World

Call = Callable[[World, Any], httpx.Response]

_PASSPHRASE = "kestrel umbrella twelve"


def console(world: World, person: Person = ADVISER) -> ConsoleClient:
    """A browser in which somebody has signed in, once for a world: its forms are read before anything fails."""
    known: dict[Person, ConsoleClient] = world.__dict__.setdefault("console_clients", {})
    if person not in known:
        known[person] = signed_in(world, person)
    return known[person]


def everybody(world: World) -> None:
    """Sign in everybody whose pages are tried here: nobody can where an entry cannot be committed."""
    for person in (ADVISER, AUDITOR, EVALUATOR):
        console(world, person)


def _downtime(world: World) -> httpx.Response:
    said = {"passphrase": _PASSPHRASE, "again": _PASSPHRASE}
    return console(world).form("/console/worklist/downtime", said, at="downtime").submit()


_LOG, _AGREEMENT = "/console/auditor", "/console/agreement"
_PERSON = {"by": "person", "family": "Ashdown", "given": "Marianne", "reason": "inspection"}
_BORN = {"born-day": "3", "born-month": "2", "born-year": "1991"}


def _seen(path: str) -> Mapping[str, Call]:
    """A page of the auditor's."""
    return {f"the auditor at {path}": lambda w, _: console(w, AUDITOR).get(path)}


def _looked_for(world: World) -> httpx.Response:
    return console(world, AUDITOR).form(f"{_LOG}/subjects", {**_PERSON, **_BORN}, at="Find references").submit()


def _tried(world: World) -> httpx.Response:
    candidate = {"candidate": shipped().text.decode(), "days": "7"}
    return console(world, AUDITOR).form(f"{_AGREEMENT}/try", candidate, at="Try it").submit()


_EVALUATION = "/console/evaluation"


def _evaluated(path: str) -> Mapping[str, Call]:
    """A report of the evaluation, in one of its forms."""
    return {f"the evaluation at {path}": lambda w, _: console(w, EVALUATOR).get(path)}


_CASE = "/console/referrals/{id_}"
_MARAC = {"criteria": ["professional-judgement"], "aware": "yes", "consent": "given"}


def _case(world: World, referral: str, *steps: str) -> httpx.Response:
    """A page of a case, opened with a reason."""
    path = "/".join((_CASE.format(id_=referral), *steps))
    return console(world).get(path, params={"reason": "follow-up"})


def _act(world: World, referral: str, action: str, values: Mapping[str, Any]) -> httpx.Response:
    """A form of a case, filled in; the page that holds it is answered where it cannot be shown."""
    page = _case(world, referral, action)
    return console(world).form(page, values, at=f"/{action}").submit() if page.is_success else page


def _marac(world: World, referral: str) -> httpx.Response:
    done = _act(world, referral, "marac", _MARAC)
    return _case(world, referral, "marac", "file") if done.is_redirect else done


CONSOLE_CHANNELS: Mapping[tuple[str, str], Mapping[str, Call]] = {
    ("GET", "/console/worklist"): {
        "the worklist as a page": lambda w, _: console(w).get("/console/worklist"),
        "a page of it without a row": lambda w, _: console(w).get("/console/worklist?page=9000"),
    },
    ("GET", "/console/worklist/rows"): {
        "rows for a page that is open": lambda w, _: console(w).get(f"/console/worklist/rows?known={fresh_id()}.1"),
    },
    **{
        ("GET", route): _seen(route.format(index=0, subject="a-reference", version=1))
        for route in (
            _LOG,
            f"{_LOG}/entries",
            f"{_LOG}/entries/export",
            f"{_LOG}/entries/{{index}}",
            f"{_LOG}/entries/{{index}}/entry.json",
            f"{_LOG}/subjects/{{subject}}",
            f"{_LOG}/clauses",
            f"{_LOG}/clauses/chart.svg",
            f"{_LOG}/findings",
            f"{_LOG}/witnesses",
            f"{_LOG}/pack",
            f"{_LOG}/pack/file",
            _AGREEMENT,
            f"{_AGREEMENT}/diff",
            f"{_AGREEMENT}/versions/{{version}}",
            f"{_AGREEMENT}/versions/{{version}}/text",
            f"{_AGREEMENT}/versions/{{version}}/document.pdf",
        )
    },
    ("POST", f"{_LOG}/subjects"): {"references of a person, by a page": lambda w, _: _looked_for(w)},
    ("POST", f"{_AGREEMENT}/try"): {"a candidate tried, by a page": lambda w, _: _tried(w)},
    ("GET", _CASE): {
        "a case as a page": lambda w, c: _case(w, c.task),
        "a case of nobody's as a page": lambda w, _: _case(w, fresh_id()),
    },
    ("GET", f"{_CASE}/safe-address"): {"where she is kept safe": lambda w, c: _case(w, c.task, "safe-address")},
    ("GET", f"{_CASE}/marac/file"): {"a file for the conference, by a page": lambda w, c: _marac(w, c.task)},
    ("GET", f"{_CASE}/{{action}}"): {"a form of a case": lambda w, c: _case(w, c.task, "contact")},
    ("POST", f"{_CASE}/{{action}}"): {
        "an act by a form": lambda w, c: _act(w, c.task, "risk", {"direction": "up"}),
        "a form that is refused": lambda w, c: _act(w, c.task, "contact", {}),
    },
    ("POST", "/console/worklist/downtime"): {"a downtime list": lambda w, _: _downtime(w)},
    **{
        ("GET", route): _evaluated(route.format(table="summary.csv"))
        for route in (
            _EVALUATION,
            f"{_EVALUATION}/report.pdf",
            f"{_EVALUATION}/report.fhir.json",
            f"{_EVALUATION}/tables/{{table}}",
        )
    },
}
"""Every page that discloses, with the calls that try it."""

CONSOLE_UNSEALED: Mapping[tuple[str, str], str] = {
    ("GET", "/console"): "leads to the first page of a role",
    ("GET", "/console/leave"): "leads away; the end of the sign-in is sealed in the operator's log: see test_look",
    ("GET", "/console/locked"): "shows nothing",
    ("GET", "/console/about"): "says what this is, and shows nothing",
    ("GET", "/console/static/{name}"): "the same for everybody",
    ("GET", "/console/worklist/events"): "says that something changed, and nothing of what: see test_worklist",
    ("GET", "/console/worklist/downtime"): "a form with nothing in it",
    ("GET", f"{_LOG}/entries/{{index}}/proof"): "hashes alone",
    ("GET", f"{_LOG}/consistency"): "hashes alone",
    ("GET", f"{_LOG}/subjects"): "a form with nothing in it",
    ("GET", f"{_AGREEMENT}/try"): "a form with nothing in it",
}
"""Every other route, with the reason why it seals nothing in the agreement's log."""
