"""The ways out that the console has, as calls to try (`channels.py`); and its routes that have no need to seal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import httpx

from gateway.agreement import shipped
from gateway.chance import fresh_id
from gateway.demo.run import LOG
from gateway.signin.claims import Person
from tests.support.console import ADVISER, AUDITOR, EVALUATOR, GUARDIAN, OFFICER, OPERATOR, ConsoleClient, signed_in
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
    for person in (ADVISER, AUDITOR, EVALUATOR, OFFICER, OPERATOR, GUARDIAN):
        console(world, person)


def _downtime(world: World) -> httpx.Response:
    said = {"passphrase": _PASSPHRASE, "again": _PASSPHRASE}
    return console(world).form("/console/worklist/downtime", said, at="downtime").submit()


_LOG, _AGREEMENT = "/console/auditor", "/console/agreement"
_PERSON = {"by": "person", "family": "Ashdown", "given": "Marianne", "reason": "inspection"}
_BORN = {"born-day": "3", "born-month": "2", "born-year": "1991"}


_GUARDIAN, _TRACES = "/console/guardian", "/console/traces"
_KEPT = {"reason": "sent-in-error"}
_WORDS = dict.fromkeys(("evidence", "proportionality", "minimum_set"), "What there is to say.")
_OVERRIDE = {"ground": "life-or-limb", "victim_told": "yes", "days": "28", **_WORDS}


def _decided(world: World, path: str, fields: Mapping[str, str]) -> httpx.Response:
    """A guardian's form, sent as its page would send it."""
    client = console(world, GUARDIAN)
    token = dict(client.form("/console/sign-out", at="this browser").fields)["csrf"]
    return client.post(f"{_GUARDIAN}/{path}", {"csrf": token, **fields})


def _of_no_hospital(act: str, said: Mapping[str, str]) -> Mapping[str, Call]:
    """A guardian's act on a hospital's notice that there is not."""
    return {
        f"nothing of a hospital's, {act}, by a page": lambda w, _: _decided(w, f"hospital/{fresh_id()}/{act}", said)
    }


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


_POLICE, _OPERATOR = "/console/officer", "/console/operator"


def _sent(world: World, person: Person, path: str, fields: Mapping[str, str]) -> httpx.Response:
    """A form of somebody's, with the token of a page that shows nothing."""
    client = console(world, person)
    token = dict(client.form("/console/sign-out", at="this browser").fields)["csrf"]
    return client.post(path, {**fields, "csrf": token})


def _operated(path: str) -> Mapping[str, Call]:
    """A page of the operator's that names what lies under the agreement, by its references."""
    return {f"the operator at {path}": lambda w, _: console(w, OPERATOR).get(f"{_OPERATOR}/{path}")}


CONSOLE_CHANNELS: Mapping[tuple[str, str], Mapping[str, Call]] = {
    ("GET", _POLICE): {
        "an officer's cases": lambda w, _: console(w, OFFICER).get(_POLICE),
        "a force's cases": lambda w, _: console(w, OFFICER).get(f"{_POLICE}?whose=force"),
        "an officer's cases that are overdue": lambda w, _: console(w, OFFICER).get(f"{_POLICE}?only=overdue"),
    },
    ("POST", f"{_POLICE}/search"): {
        "a case by no occurrence": lambda w, _: _sent(w, OFFICER, f"{_POLICE}/search", {"reference": "nothing"}),
    },
    ("GET", f"{_POLICE}/cases/{{incident}}"): {
        "an officer's case": lambda w, c: console(w, OFFICER).get(f"{_POLICE}/cases/{c.incident}"),
        "an officer's case of none": lambda w, _: console(w, OFFICER).get(f"{_POLICE}/cases/{fresh_id()}"),
    },
    ("GET", f"{_POLICE}/notices"): {"an officer's notices": lambda w, _: console(w, OFFICER).get(f"{_POLICE}/notices")},
    ("POST", f"{_POLICE}/notices/acknowledgement"): {
        "an officer's notice of none": lambda w, _: _sent(
            w, OFFICER, f"{_POLICE}/notices/acknowledgement", {"notice": fresh_id()}
        ),
    },
    ("GET", f"{_POLICE}/hospital"): {
        "what hospitals tell, as a page": lambda w, _: console(w, OFFICER).get(f"{_POLICE}/hospital")
    },
    **{("GET", f"{_OPERATOR}/{path}"): _operated(path) for path in ("deliveries", "quarantine", "clocks", "retention")},
    ("POST", f"{_OPERATOR}/deliveries/renewal"): {
        "the operator renews none": lambda w, _: _sent(
            w, OPERATOR, f"{_OPERATOR}/deliveries/renewal", {"log": LOG, "delivery": fresh_id()}
        ),
    },
    ("GET", f"{_OPERATOR}/quarantine/input"): {
        "the operator at an input": lambda w, c: console(w, OPERATOR).get(
            f"{_OPERATOR}/quarantine/input", params={"log": LOG, "input": c.held}
        ),
    },
    ("POST", f"{_OPERATOR}/quarantine/replay"): {
        "the operator tries a replay": lambda w, _: _sent(
            w, OPERATOR, f"{_OPERATOR}/quarantine/replay", {"log": LOG, "run": "trial"}
        ),
    },
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
    ("GET", _GUARDIAN): {"what waits for a guardian": lambda w, _: console(w, GUARDIAN).get(_GUARDIAN)},
    ("GET", f"{_GUARDIAN}/holds/{{hold_id}}"): {
        "a hold, by a page": lambda w, c: console(w, GUARDIAN).get(f"{_GUARDIAN}/holds/{c.held}"),
        "a hold of none, by a page": lambda w, _: console(w, GUARDIAN).get(f"{_GUARDIAN}/holds/{fresh_id()}"),
    },
    ("POST", f"{_GUARDIAN}/holds/{{hold_id}}/release"): {
        "a hold of none let go, by a page": lambda w, _: _decided(w, f"holds/{fresh_id()}/release", _OVERRIDE),
    },
    ("POST", f"{_GUARDIAN}/holds/{{hold_id}}/keep"): {
        "a hold of none kept, by a page": lambda w, _: _decided(w, f"holds/{fresh_id()}/keep", _KEPT),
    },
    ("POST", f"{_GUARDIAN}/override"): {
        "a case of none let go, by a page": lambda w, _: _decided(w, "override", {**_OVERRIDE, "referral": fresh_id()}),
    },
    ("GET", f"{_GUARDIAN}/matches"): {
        "matches, by a page": lambda w, _: console(w, GUARDIAN).get(f"{_GUARDIAN}/matches")
    },
    ("POST", f"{_GUARDIAN}/matches"): {
        "matches of an incident, by a page": lambda w, c: _decided(w, "matches", {"incident": c.incident}),
    },
    ("GET", f"{_GUARDIAN}/matches/{{match_id}}"): {
        "both sides of a match": lambda w, c: console(w, GUARDIAN).get(f"{_GUARDIAN}/matches/{c.match}"),
        "both sides of none": lambda w, _: console(w, GUARDIAN).get(f"{_GUARDIAN}/matches/{fresh_id()}"),
    },
    ("POST", f"{_GUARDIAN}/matches/{{match_id}}/decision"): {
        "no match decided, by a page": lambda w, _: _decided(w, f"matches/{fresh_id()}/decision", {"outcome": "same"}),
    },
    ("POST", f"{_GUARDIAN}/matches/{{match_id}}/undo"): {
        "no match undone, by a page": lambda w, _: _decided(w, f"matches/{fresh_id()}/undo", {"reason": "relatives"}),
    },
    ("GET", f"{_GUARDIAN}/hospital/{{hospital_notice}}"): {
        "a hospital's notice, by a page": lambda w, c: console(w, GUARDIAN).get(
            f"{_GUARDIAN}/hospital/{c.hospital.waiting}"
        ),
    },
    **{
        ("POST", f"{_GUARDIAN}/hospital/{{hospital_notice}}/{act}"): _of_no_hospital(act, said)
        for act, said in (("release", _OVERRIDE), ("keep", _KEPT), ("consent", {"state": "given"}))
    },
    ("GET", f"{_GUARDIAN}/deliveries/{{delivery_id}}"): {
        "a delivery of none": lambda w, _: console(w, GUARDIAN).get(f"{_GUARDIAN}/deliveries/{fresh_id()}"),
    },
    ("POST", f"{_GUARDIAN}/deliveries/{{delivery_id}}/renewal"): {
        "nothing sent again, by a page": lambda w, _: _decided(w, f"deliveries/{fresh_id()}/renewal", {}),
    },
    ("GET", f"{_GUARDIAN}/contacts/{{contact_id}}"): {
        "a contact at the scene, by a page": lambda w, c: console(w, GUARDIAN).get(f"{_GUARDIAN}/contacts/{c.contact}"),
    },
    ("POST", f"{_GUARDIAN}/contacts/{{contact_id}}/join"): {
        "no contact joined, by a page": lambda w, c: _decided(
            w, f"contacts/{fresh_id()}/join", {"referral": c.task, "reason": "wrong-day"}
        ),
    },
    ("POST", f"{_GUARDIAN}/contacts/{{contact_id}}/close"): {
        "no contact closed, by a page": lambda w, _: _decided(
            w, f"contacts/{fresh_id()}/close", {"why": "not-recorded"}
        ),
    },
    ("GET", f"{_GUARDIAN}/notices/{{notice_id}}"): {
        "a notice of none": lambda w, _: console(w, GUARDIAN).get(f"{_GUARDIAN}/notices/{fresh_id()}"),
    },
    ("POST", f"{_GUARDIAN}/notices/{{notice_id}}/acknowledgement"): {
        "nothing noted, by a page": lambda w, _: _decided(w, f"notices/{fresh_id()}/acknowledgement", {}),
    },
    ("GET", f"{_GUARDIAN}/again"): {
        "what may be read again": lambda w, _: console(w, GUARDIAN).get(f"{_GUARDIAN}/again"),
    },
    ("POST", f"{_GUARDIAN}/again"): {
        "a guardian tries a replay": lambda w, _: _decided(w, "again", {"run": "trial"}),
    },
    ("POST", f"{_GUARDIAN}/staff"): {
        "staff registered, by a page": lambda w, _: _decided(
            w, "staff", {"user": f"idva-{fresh_id()}", "families": "Example"}
        ),
    },
    ("GET", _TRACES): {"NHS numbers that wait": lambda w, _: console(w).get(_TRACES)},
    ("GET", f"{_TRACES}/{{trace_id}}"): {
        "who was meant and who was found": lambda w, c: console(w).get(f"{_TRACES}/{c.trace}"),
    },
    ("POST", f"{_TRACES}/{{trace_id}}/decision"): {
        "no number decided, by a page": lambda w, _: _sent(
            w, ADVISER, f"{_TRACES}/{fresh_id()}/decision", {"outcome": "again"}
        ),
    },
    ("GET", f"{_GUARDIAN}/reviews/{{what}}/{{review_id}}"): {
        "a review of none, by a page": lambda w, _: console(w, GUARDIAN).get(
            f"{_GUARDIAN}/reviews/override/{fresh_id()}"
        ),
    },
    ("POST", f"{_GUARDIAN}/reviews/{{what}}/{{review_id}}/words"): {
        "nothing that was written, by a page": lambda w, _: _decided(w, f"reviews/override/{fresh_id()}/words", {}),
    },
    ("POST", f"{_GUARDIAN}/reviews/{{what}}/{{review_id}}"): {
        "nothing judged, by a page": lambda w, _: _decided(
            w, f"reviews/override/{fresh_id()}", {"outcome": "justified"}
        ),
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
    **{
        (method, f"{_OPERATOR}{path}"): "of no agreement; sealed in the operator's log: see test_operator_pages"
        for method, path in (
            ("GET", ""),
            ("GET", "/clients"),
            ("GET", "/clients/revoke"),
            ("POST", "/clients/revoke"),
            ("GET", "/mappings"),
            ("GET", "/people"),
            ("GET", "/people/sign-out"),
            ("POST", "/people/sign-out"),
        )
    },
    ("GET", "/console"): "leads to the first page of a role",
    ("GET", "/console/"): "the same",
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
    ("GET", f"{_GUARDIAN}/override"): "a form with nothing in it",
    ("GET", f"{_GUARDIAN}/staff"): "a form with nothing in it",
}
"""Every other route, with the reason why it seals nothing in the agreement's log."""
