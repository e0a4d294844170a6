"""What no page may do, tried at every route of the console that the application has: a new one is tried by itself.

Nobody without a session; no form but from its own page; no id of another's; nothing that somebody wrote ever runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select, update

from gateway.demo.run import LOG
from gateway.evidence import OPERATOR_LOG
from gateway.signin.claims import Person
from gateway.store import tables
from tests.console.hostile import MARK, PAYLOAD, hostile_incident, ran
from tests.journeys.support import pushed, sealed, serial, size
from tests.support.browser import Chromium, Live
from tests.support.console import (
    ADVISER,
    AUDITOR,
    OFFICER,
    OPERATOR,
    OTHER_FORCE,
    OTHER_TEAM,
    PEOPLE,
    ConsoleClient,
    FilledForm,
    signed_in,
    visitor,
)
from tests.support.routes import Route, routes_of
from tests.support.world import World

PUBLIC = {
    (method, f"/console/{path}")
    for path in ("leave", "locked", "sign-in", "signed-in", "signed-out", "static/{name}")
    for method in ("GET", "HEAD")
}
"""What needs no session, and shows nothing of anybody: every route more is a decision, to be made here."""

EVERYBODY_S = {"/console", "/console/", "/console/about", "/console/sign-out"}
"""The pages that are of no role: each other one is somebody's, and not everybody's."""

FORMS: Mapping[str, str] = {"action": "contact"}
"""What stands for a part of an address that is no id: one of several forms that are made alike."""

STREAMS = ("/events",)
"""Answers that go on: nobody waits for their end here."""

ELSEWHERE = Person("idva-0042", "A namesake", "RXL", "idva-team", "another-agreement", ADVISER.roles)
STRANGERS: Mapping[str, Person] = {
    "another team": OTHER_TEAM,
    "another agreement": ELSEWHERE,
    "an auditor of another agreement": replace(AUDITOR, agreement="another-agreement"),
    "an officer of another force": OTHER_FORCE,
}
"""People to whom nothing in this world was given."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What somebody was answered, and the reasons that were sealed in the operator's log with it."""

    answer: httpx.Response
    reasons: tuple[str | None, ...]


@dataclass
class Site:
    """A world with a case in it, and a signed-in browser for everybody."""

    world: World
    referral: str

    @cached_property
    def clients(self) -> dict[str, ConsoleClient]:
        """Everybody's browser, by who they are."""
        return {name: signed_in(self.world, person) for name, person in PEOPLE.items()}

    @property
    def routes(self) -> list[Route]:
        """The console's routes."""
        return sorted(one for one in routes_of(self.world.app) if (one[1] + "/").startswith("/console/"))

    @property
    def pages(self) -> list[str]:
        """The addresses that answer GET with something that ends, parts not filled in."""
        return [
            path
            for method, path in self.routes
            if method == "GET" and not path.endswith(STREAMS) and (method, path) not in PUBLIC
        ]

    @cached_property
    def shown(self) -> dict[str, dict[str, Shown]]:
        """Of each page with the case in it, what everybody is answered, asked once."""
        return {path: {name: self._ask(name, path) for name in self.clients} for path in self.pages}

    def _ask(self, name: str, path: str) -> Shown:
        before = size(self.world, OPERATOR_LOG)
        answer = self.clients[name].get(filled(path, self.referral))
        return Shown(answer, tuple(one.reason for one in sealed(self.world, OPERATOR_LOG, before)))

    @cached_property
    def openers(self) -> dict[str, list[str]]:
        """Of each page, who is shown it: the others are answered as if there were none."""
        return {
            path: [name for name, one in of.items() if one.answer.status_code != httpx.codes.NOT_FOUND]
            for path, of in self.shown.items()
        }

    @cached_property
    def senders(self) -> dict[Route, str]:
        """Of each route that changes something, somebody whose form it would take."""
        found: dict[Route, str] = {}
        for method, path in self.routes:
            if method not in {"GET", "HEAD"}:
                statuses = {
                    name: client.post(filled(path, self.referral), {"everywhere": "yes"}).status_code
                    for name, client in self.clients.items()
                }
                assert set(statuses.values()) <= {403, 404}, (path, statuses)
                found[method, path] = next(name for name, status in statuses.items() if status == 403)
        assert ("POST", "/console/sign-out") in found
        return found

    @property
    def known(self) -> list[str]:
        """Ids that this world has: of the referral, of its record, of a notice."""
        with self.world.services.database.reading() as connection:
            tried = (tables.record, tables.notice)
            rows = [connection.execute(select(table.c.id).limit(1)).first() for table in tried]
        return [self.referral, *(row.id for row in rows if row is not None)]

    def known_at(self, path: str) -> list[str]:
        """Those that could be one at an address: what cannot be the id of a referral is told apart by its form."""
        return [one for one in self.known if not path.startswith("/console/referrals/") or _UUID.fullmatch(one)]


_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def site(world: World) -> Site:
    _, referral = pushed(world)
    return Site(world, referral)


def filled(path: str, value: str | None = None) -> str:
    """An address of a route: a value for each of its parts, one that nobody has where none is given.

    What is a number is one: the first there is, and one far beyond the last.
    """
    number = "0" if value else "999999"
    names = {**dict.fromkeys(NUMBERS, number), **FORMS}
    return re.sub(r"{(\w+)}", lambda found: names.get(found[1]) or value or str(uuid4()), path)


NUMBERS = frozenset({"index", "version", "size", "number"})


def like(answer: httpx.Response, *own: str) -> tuple[int, str]:
    """Status and body, without what differs from one loading to the next, and the id that was asked for."""
    text = answer.text
    for one in own:
        text = text.replace(one, "…")
    return answer.status_code, re.sub(r'name="csrf" value="[^"]*"', "", text)


# Who is not signed in


def test_no_page_is_shown_to_anybody_who_has_not_signed_in(site: Site) -> None:
    """With no cookie, one of somebody's own making, and one that has ended."""
    ended = signed_in(site.world, id="idva-gone")
    ended.form("/console/sign-out", at="this browser").submit()
    made_up = visitor(site.world)
    made_up.http.cookies.set("__Host-console", "A" * 43, domain="gateway.test", path="/")
    assert set(site.routes) >= PUBLIC
    for client in (visitor(site.world), made_up, ended):
        for method, path in site.routes:
            if (method, path) in PUBLIC:
                continue
            answer = client.http.request(method, filled(path, site.referral))
            assert answer.status_code == 303, (method, path)
            assert answer.headers["location"].startswith("/console/sign-in?to=/console"), (method, path)
            assert answer.content == b"", (method, path)


def test_what_needs_no_session_says_nothing_of_anybody(site: Site) -> None:
    client = visitor(site.world)
    start = size(site.world, LOG)
    for method, path in sorted(PUBLIC):
        answer = client.http.request(method, filled(path, site.referral))
        assert "Ashdown" not in answer.text
        assert site.referral not in answer.text
    assert size(site.world, LOG) == start


# Forms


def _refused(site: Site, csrf: str | None, headers: Mapping[str, str]) -> None:
    """Every route refuses such a form from somebody whose own it would take, changes nothing, and seals it.

    `csrf` None is the token of their own session.
    """
    tokens = {name: _token(site.clients[name]) for name in set(site.senders.values())}
    start, before = size(site.world, LOG), size(site.world, OPERATOR_LOG)
    for (method, path), name in site.senders.items():
        fields = {"csrf": tokens[name] if csrf is None else csrf}
        answer = site.clients[name].post(filled(path, site.referral), fields, headers=dict(headers))
        assert answer.status_code == 403, (method, path, name)
    told = [one.event for one in sealed(site.world, OPERATOR_LOG, before)]
    assert told.count("access-refused") == len(told) >= len(site.senders)
    assert all(site.clients[name].get("/console/sign-out").status_code == 200 for name in tokens)
    assert size(site.world, LOG) == start


def _token(client: ConsoleClient) -> str:
    token: str = dict(client.form("/console/sign-out", at="this browser").fields)["csrf"]
    return token


def test_a_form_without_its_token_is_refused(site: Site) -> None:
    assert site.senders  # each was sent without one, to find out whose it is
    _refused(site, "", {})


def test_a_form_with_another_session_s_token_is_refused(site: Site) -> None:
    """Not even the same person's, signed in in another browser."""
    other = signed_in(site.world)
    _refused(site, _token(other), {})


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "https://gateway.test.evil.example"},
        {"Origin": "http://gateway.test"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": ""},  # not said, and an origin that says nothing either
    ],
)
def test_a_form_from_elsewhere_is_refused_even_with_its_token(site: Site, headers: dict[str, str]) -> None:
    _refused(site, None, headers)


def test_a_browser_that_only_says_its_origin_is_believed(site: Site) -> None:
    """One from before Fetch Metadata."""
    client = signed_in(site.world, id="idva-old-browser")
    headers = {"Origin": "https://gateway.test", "Sec-Fetch-Site": "", "Sec-Fetch-Mode": ""}
    form = client.form("/console/sign-out", at="this browser")
    assert form.submit(headers=headers).status_code == 200
    assert client.get("/console/sign-out").is_redirect


@pytest.mark.parametrize(
    ("body", "media"),
    [
        (b"csrf=%FF", "application/x-www-form-urlencoded"),
        (b"csrf=a%00b", "application/x-www-form-urlencoded"),
        (b'{"csrf": "x"}', "application/json"),
        (b"csrf=x", "text/plain"),
        (b"csrf=" + b"x" * 200_000, "application/x-www-form-urlencoded"),
        (b"&".join(b"a%d=1" % n for n in range(1000)), "application/x-www-form-urlencoded"),
    ],
)
def test_a_form_that_cannot_be_read_is_refused_in_words(site: Site, body: bytes, media: str) -> None:
    client = site.clients["adviser"]
    headers = {"Content-Type": media, "Sec-Fetch-Site": "same-origin"}
    answer = client.http.post("/console/sign-out", content=body, headers=headers)
    assert answer.status_code in {400, 413, 415}
    assert answer.headers["content-type"].startswith("text/html")


# Other people's


def test_a_page_of_another_role_is_the_same_as_none_at_all(site: Site) -> None:
    """To the letter, with the id of something real or of nothing; and each try is sealed."""
    refused: dict[str, set[str]] = {path: set() for path in site.pages}
    for name, client in site.clients.items():
        nothing = like(client.get("/console/there-is-no-such-page"))
        assert nothing[0] == 404
        for path in site.pages:
            shown = site.shown[path][name]
            if "role-missing" in shown.reasons:
                refused[path].add(name)
                assert like(shown.answer) == nothing, (name, path)
                assert "{" not in path or like(client.get(filled(path))) == nothing, (name, path)
    assert {path for path, names in refused.items() if not names} == EVERYBODY_S
    assert not any(names == PEOPLE.keys() for names in refused.values())
    assert {"officer", "auditor", "operator"} <= refused["/console/worklist"]


@pytest.mark.parametrize("person", STRANGERS.values(), ids=STRANGERS)
def test_every_id_of_somebody_else_s_is_answered_like_one_that_nobody_has(site: Site, person: Person) -> None:
    """IDOR: of another team, agreement or role, whatever the id names: the same status, the same body."""
    client = signed_in(site.world, person)
    for path in (one for one in site.pages if "{" in one):
        for asked in ("", "?reason=follow-up"):
            unknown = str(uuid4())
            as_none = like(client.get(filled(path, unknown) + asked), unknown, unknown[:8])
            for id_ in site.known_at(path):
                answer = client.get(filled(path, id_) + asked)
                assert like(answer, id_, id_[:8]) == as_none, (path, id_)
                assert "Ashdown" not in answer.text


@pytest.mark.parametrize("person", STRANGERS.values(), ids=STRANGERS)
def test_nobody_s_form_reaches_somebody_else_s_case(site: Site, person: Person) -> None:
    client = signed_in(site.world, person)
    token = _token(client)
    for _, path in (one for one in site.senders if "{" in one[1]):
        unknown = str(uuid4())
        as_none = like(client.post(filled(path, unknown), {"csrf": token}), unknown, unknown[:8])
        for id_ in site.known_at(path):
            start = size(site.world, LOG)
            answer = client.post(filled(path, id_), {"csrf": token})
            assert like(answer, id_, id_[:8]) == as_none, (path, id_)
            changed = [one for one in sealed(site.world, LOG, start) if one.operation == "alteration"]
            assert changed == []


def test_a_list_shows_a_stranger_nothing_of_anybody(site: Site) -> None:
    for name, person in STRANGERS.items():
        client = signed_in(site.world, person)
        for path in (one for one in site.pages if "{" not in one):
            answer = client.get(path)
            assert site.referral not in answer.text, (name, path)
            assert answer.status_code < 500, (name, path)


@pytest.mark.parametrize("value", ["x", "%2e%2e%2f", "0", "-1", "9" * 40, "a%00b", "%00", "'", "%F0%9F%98%80"])
def test_an_id_that_is_none_is_not_found(site: Site, value: str) -> None:
    """Whatever stands in an address, it is a page that says so: never an error of the program's."""
    client = site.clients["adviser"]
    for path in (one for one in site.pages if "{" in one):
        answer = client.get(filled(path, value))
        assert answer.status_code in {303, 307, 400, 404}, (path, value)
        assert answer.is_redirect or answer.headers["content-type"].startswith("text/html"), (path, value)


# Frames, leaving, and time


def test_no_page_can_be_framed_or_kept(site: Site) -> None:
    """Clickjacking; and nothing stays in a browser that the next person at the desk could go back to."""
    for path, names in site.openers.items():
        answer = site.shown[path][next(iter(names), "adviser")].answer
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"], path
        assert answer.headers["x-frame-options"] == "DENY", path
        assert answer.headers["cache-control"] == "no-store", path
        assert answer.headers["referrer-policy"] == "no-referrer", path


def test_nothing_of_a_person_stands_in_an_address(site: Site) -> None:
    """Every link and form of every page leads to the console, and names things by ids alone (P7)."""
    for path, names in site.openers.items():
        for name in names[:1]:
            page = site.shown[path][name].answer
            for address in re.findall(r'(?:href|action|src)="([^"]*)"', page.text):
                parts = urlsplit(address)
                assert not parts.netloc, (path, address)
                assert "Ashdown" not in address, (path, address)


def test_a_sign_in_that_ran_idle_leads_to_sign_in_again(site: Site) -> None:
    client = signed_in(site.world, id="idva-idle")
    assert client.get("/console/sign-out").status_code == 200
    with site.world.services.database.writing() as connection:
        of = tables.console_session.c.person == "idva-idle"
        connection.execute(update(tables.console_session).where(of).values(seen_at="2026-01-01T00:00:00.000Z"))
    assert client.get("/console/sign-out").is_redirect


def test_going_back_after_signing_out_shows_nothing(site: Site) -> None:
    client = signed_in(site.world, id="idva-back")
    pages = [path for path in site.pages if client.get(filled(path, site.referral)).status_code == 200]
    assert pages
    answer = client.form("/console/sign-out", at="this browser").submit()
    assert answer.headers["clear-site-data"] == '"cache"'
    assert all(client.get(filled(path, site.referral)).is_redirect for path in pages)


def test_leaving_from_elsewhere_signs_nobody_out(site: Site) -> None:
    client = signed_in(site.world, id="idva-lured")
    client.get("/console/leave", headers={"Sec-Fetch-Site": "cross-site"})
    assert client.get("/console/sign-out").status_code == 200


# Stored scripts


@pytest.fixture(scope="module")
def planted(site: Site) -> str:
    """A referral in which whoever wrote it tried to have something run."""
    answer = site.world.push(hostile_incident(serial()))
    assert answer.status_code == 201, answer.text
    found: str = answer.json()["referrals"][0]["reference"]
    return found


def _addresses(site: Site, referral: str) -> Iterator[tuple[str, str]]:
    """Every page, with each reason to open one that needs it."""
    for path in site.pages:
        yield path, filled(path, referral)
        if "{" in path:
            yield path, f"{filled(path, referral)}?reason=follow-up"


def test_nothing_that_police_wrote_ever_runs(site: Site, planted: str) -> None:
    for path, address in _addresses(site, planted):
        for name in site.openers[path][:1]:
            answer = site.clients[name].get(address)
            if answer.headers.get("content-type", "").startswith("text/html") and answer.text:
                assert ran(answer.text) == [], (name, path)


def test_a_name_and_a_page_s_own_address_stay_text(site: Site) -> None:
    client = signed_in(site.world, name=PAYLOAD, id="idva-named")
    for path in site.pages:
        assert ran(client.get(filled(path, site.referral)).text or "<p>") == [], path
    for path, _ in _addresses(site, site.referral):
        answer = client.get(filled(path, site.referral), params={"q": PAYLOAD, "area": PAYLOAD, "to": PAYLOAD})
        assert ran(answer.text or "<p>") == [], path
    assert ran(visitor(site.world).get("/console/locked", params={"to": PAYLOAD}).text) == []


def test_nothing_that_is_typed_into_a_form_ever_runs(site: Site, planted: str) -> None:
    """Every text box of every form: the page that answers, and every page after it."""
    tried = 0
    for path, address in list(_addresses(site, planted)):
        for name in site.openers[path][:1]:
            client = site.clients[name]
            for form in _forms(client, address):
                _fill(form)
                tried += 1
                answer = client.follow(form.submit())
                assert answer.status_code < 500, (name, address)
                assert ran(answer.text or "<p>") == [], (name, address)
    client = signed_in(site.world)
    for path, address in _addresses(site, planted):
        assert ran(client.get(address).text or "<p>") == [], path
    print(f"{tried} forms were filled in")


def _forms(client: ConsoleClient, address: str) -> Sequence[FilledForm]:
    """The forms of a page; those that end the visit are left alone."""
    from lxml import html  # noqa: PLC0415 - here alone

    page = client.get(address)
    if page.status_code != httpx.codes.OK or not page.headers["content-type"].startswith("text/html"):
        return ()
    tree: Any = html.document_fromstring(page.text)  # type: ignore[no-untyped-call]  # lxml has no types
    return [
        FilledForm(client, str(page.url), one)
        for one in tree.forms
        if "sign-out" not in (one.get("action") or "") and "leave" not in (one.get("action") or "")
    ]


def _fill(form: FilledForm) -> None:
    """The payload in every text, the first of every choice."""
    for one in form.form.xpath(".//textarea|.//input|.//select"):
        kind = (one.get("type") or "text").lower() if one.tag == "input" else one.tag
        name = one.get("name")
        if name is None or kind in {"hidden", "submit", "button"}:
            continue
        if kind in {"radio", "checkbox"}:
            if not any(other.checked for other in form.form.xpath(".//*[@name=$name]", name=name)):
                one.checked = True
        elif kind == "select":
            one.value = next(iter(one.value_options), None)
        elif kind in {"text", "search", "tel", "email", "password", "textarea"}:
            one.value = PAYLOAD


def test_a_browser_runs_nothing_of_it(live: Live, chromium: Chromium) -> None:
    """Chromium itself, with scripts on: no dialog, and not one report of the page's own policy."""
    live.push(hostile_incident(serial()))

    async def look(person: Person, addresses: Sequence[str]) -> list[str]:
        async with chromium.context(live, person) as browser:
            page = await browser.open("/console/sign-out")
            page.on("dialog", lambda dialog: browser.said.append(f"dialog: {dialog.message}"))
            for address in addresses:
                await page.goto(live.url + address)
                if await page.locator(MARK).count():
                    browser.said.append(f"{address}: an element of the text's own")
            return browser.said

    seen: set[str] = set()
    for person in (ADVISER, OFFICER, AUDITOR, OPERATOR):
        named = replace(person, name=PAYLOAD)
        addresses = [one for one in _shown(live, named) if one not in seen]
        seen.update(addresses)
        if addresses:
            assert chromium.run(look(named, addresses)) == []
    assert "/console/worklist" in seen


def _shown(live: Live, person: Person) -> Iterator[str]:
    """The pages that somebody is shown, with the case in them."""
    routes = sorted(path for method, path in routes_of(live.app) if method == "GET" and (method, path) not in PUBLIC)
    with httpx.Client(base_url=live.url, cookies=live.cookies(person), trust_env=False) as client:
        for path in (one for one in routes if (one + "/").startswith("/console/") and not one.endswith(STREAMS)):
            address = filled(path, live.referrals[-1]) + ("?reason=follow-up" if "{" in path else "")
            answer = client.get(address)
            if answer.status_code == httpx.codes.OK and answer.text.startswith("<!DOCTYPE html>"):  # no part of one
                yield address
