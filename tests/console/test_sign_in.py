"""Signing in at the embedded provider, by its own pages and the whole code flow; and what it tells nobody."""

from __future__ import annotations

import asyncio
import re
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pyotp
import pytest
from sqlalchemy import delete, select, update

from audit.entry import Entry, timestamp
from gateway.app import create_app
from gateway.console.guard import HOME
from gateway.evidence import OPERATOR_LOG
from gateway.settings import Environment
from gateway.signin.cookies import SESSION, Cookies
from gateway.signin.provider import attempts
from gateway.store import tables
from tests.journeys.support import sealed, serial, size
from tests.support.console import (
    ADVISER,
    PASSWORD,
    ConsoleClient,
    add_account,
    sign_in,
    signed_in,
    visitor,
)
from tests.support.routes import routes_of
from tests.support.world import URL, Bridge, World

HERE = "/console/worklist"
"""The adviser's first page."""


@pytest.fixture(autouse=True)
def _unlocked(world: World) -> Iterator[None]:
    """Failures of one test lock nobody in another."""
    yield
    with world.services.database.writing() as connection:
        connection.execute(delete(tables.sign_in_failure))


def somebody() -> str:
    return f"idva-{serial()}"


def since(world: World, start: int) -> list[Entry]:
    return sealed(world, OPERATOR_LOG, start)


def cookie(answer: httpx.Response, name: str) -> str:
    """A cookie as it was set."""
    return next(one for one in answer.headers.get_list("set-cookie") if one.startswith(f"{name}="))


def test_the_code_flow_from_a_page_and_back_to_it(world: World) -> None:
    who = replace(ADVISER, id=somebody())
    add_account(world, who)
    start = size(world, OPERATOR_LOG)
    client, page = sign_in(world, who, to=HERE)
    assert (page.status_code, page.url.path) == (200, HERE)
    assert who.name in page.text
    (entry,) = since(world, start)
    assert (entry.event, entry.actor.user, entry.actor.role) == ("person-signed-in", who.id, "idva")
    assert entry.detail is not None
    assert entry.detail["acr"] == "AAL1"
    assert client.get("/console/sign-in", params={"to": HERE}).headers["location"] == HERE  # once is enough


def test_the_session_s_cookie_can_be_read_and_sent_by_nobody_else(world: World) -> None:
    who = replace(ADVISER, id=somebody())
    add_account(world, who)
    client = visitor(world)
    page = client.follow(client.get("/console/sign-in"))
    answer = client.form(page, {"person": who.id, "password": PASSWORD}).submit()
    assert answer.next_request is not None
    back = client.http.send(answer.next_request)
    found = cookie(back, "__Host-console")
    flags = {part.strip().lower() for part in found.split(";")[1:]}
    assert flags == {"secure", "httponly", "samesite=lax", "path=/"}  # no Domain, and gone with the browser
    assert "max-age=0" in cookie(back, "__Host-console-asked").lower()
    assert back.headers["cache-control"] == "no-store"


def test_the_provider_is_asked_as_the_standards_say(world: World) -> None:
    answer = visitor(world).get("/console/sign-in", params={"to": "/console/worklist"})
    asked = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == f"{URL}/console/signed-in"
    assert all(len(asked[name]) >= 43 for name in ("state", "nonce", "code_challenge"))
    assert "worklist" not in answer.headers["location"]  # the page that is wanted stays here
    assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    "to",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/console/../evil",
        "/console//evil.example",
        "/console/%2e%2e/x",
        "/console\\@evil.example",
        "/console@evil.example",
        "/console/x\r\nSet-Cookie: a=b",
        "/console/x\tb",
        "javascript:alert(1)",
        "/consoleevil",
        "/console/sign-in?to=//evil.example",
        "/console/leave",
        "%2F%2Fevil.example",
        "/console?x=https://evil.example/#",
        "",
    ],
)
def test_nobody_is_led_elsewhere_after_signing_in(world: World, to: str) -> None:
    """Open redirects: anything but a page of the console is its first page."""
    answer = signed_in(world).get("/console/sign-in", params={"to": to})
    assert (answer.status_code, answer.headers["location"]) == (303, HOME)


def test_a_wanted_page_with_a_question_is_come_back_to(world: World) -> None:
    client = signed_in(world)
    to = "/console/worklist?area=blackpool&mine=yes"
    assert client.get("/console/sign-in", params={"to": to}).headers["location"] == to
    led = visitor(world).get(HERE)
    assert led.headers["location"] == f"/console/sign-in?to={HERE}"


def test_an_id_that_nobody_has_is_answered_like_a_wrong_password(world: World) -> None:
    """No oracle: the same page but for what was typed, the same work, counted and locked the same."""
    who = replace(ADVISER, id=somebody())
    add_account(world, who, second_factor=True)
    ghost = f"ghost-{serial()}"
    seen: dict[str, list[str]] = {who.id: [], ghost: []}
    took: dict[str, list[float]] = {who.id: [], ghost: []}
    for _ in range(attempts.FREE + 2):
        for person, answers in seen.items():
            client = visitor(world)
            page = client.follow(client.get("/console/sign-in"))
            form = client.form(page, {"person": person, "password": "wrong", "code": "123456"})
            began = time.perf_counter()
            answer = form.submit()
            took[person].append(time.perf_counter() - began)
            said = re.sub(r'action="[^"]*"', "", answer.text).replace(person, "…")
            answers.append(f"{answer.status_code} {said}")
    assert seen[who.id] == seen[ghost]
    assert len(set(seen[ghost])) == 1  # not even that it is locked now
    slow, quick = sorted(statistics.median(one) for one in took.values())[::-1]
    assert slow < 2 * quick  # hashing is most of it, and is done for both
    with world.services.database.reading() as connection:
        rows = connection.execute(select(tables.sign_in_failure)).all()
    assert sorted(row.failures for row in rows) == [attempts.FREE, attempts.FREE]
    assert not any(ghost in str(row) for row in rows)


def test_failures_lock_an_account_longer_each_time_even_against_the_right_password(world: World) -> None:
    who = replace(ADVISER, id=somebody())
    add_account(world, who)
    start = size(world, OPERATOR_LOG)

    def wrong() -> int:
        return sign_in(world, who, password="wrong")[1].status_code

    def later(seconds: float) -> None:
        """Time passes: what is locked until a moment is so until an earlier one."""
        with world.services.database.writing() as connection:
            row = connection.execute(select(tables.sign_in_failure)).one()
            until = datetime.fromisoformat(row.locked_until) - timedelta(seconds=seconds)
            connection.execute(update(tables.sign_in_failure).values(locked_until=timestamp(until)))

    def locked_for() -> float:
        with world.services.database.reading() as connection:
            row = connection.execute(select(tables.sign_in_failure)).one()
        return (datetime.fromisoformat(row.locked_until) - datetime.fromisoformat(row.last_at)).total_seconds()

    assert [wrong() for _ in range(attempts.FREE)] == [403] * attempts.FREE
    assert sign_in(world, who)[1].status_code == 403  # the right one, too soon
    waits = []
    for _ in range(7):
        waits.append(locked_for())
        later(waits[-1] + 1)
        assert wrong() == 403
    assert waits == [30, 60, 120, 240, 480, 900, 900]
    later(901)
    assert sign_in(world, who)[1].status_code == 200
    with world.services.database.reading() as connection:
        assert connection.execute(select(tables.sign_in_failure)).all() == []
    reasons = [one.reason for one in since(world, start) if one.event == "sign-in-refused"]
    assert reasons.count("locked") == 1
    assert reasons.count("not-right") == attempts.FREE + 7
    assert all(one.detail == {"person": who.id} for one in since(world, start) if one.event == "sign-in-refused")


def test_what_was_typed_is_sealed_nowhere(world: World) -> None:
    """People type their password into the wrong box."""
    start = size(world, OPERATOR_LOG)
    client = visitor(world)
    page = client.follow(client.get("/console/sign-in"))
    assert client.form(page, {"person": "correct-horse-battery", "password": "x"}).submit().status_code == 403
    assert "correct-horse" not in repr(since(world, start))


def test_a_second_factor_is_set_up_at_the_first_sign_in_and_wanted_from_then_on(world: World) -> None:
    who = replace(ADVISER, id=somebody())
    add_account(world, who, second_factor=True)
    with world.services.database.writing() as connection:  # as one whose factor was taken back
        connection.execute(update(tables.person).where(tables.person.c.id == who.id).values(totp=None))
    client, page = sign_in(world, who)
    assert "<svg" in page.text
    found = re.search(r'app-mono">([A-Z2-7]{32})<', page.text)
    assert found is not None
    secret = found[1]
    wrong = client.form(page, {"code": "000000"}).submit()
    assert wrong.status_code == 403
    assert secret in wrong.text  # the same square, to be scanned once
    done = client.follow(client.form(wrong, {"code": pyotp.TOTP(secret).now()}).submit())
    assert (done.status_code, done.url.path) == (200, HERE)
    assert client.form(page, {"code": pyotp.TOTP(secret).now()}).submit().status_code == 403  # set up once
    assert sign_in(world, who)[1].status_code == 403  # the password alone is not enough now
    assert sign_in(world, who, code="000000")[1].status_code == 403


def test_a_code_of_the_second_factor_is_good_once(world: World) -> None:
    who = replace(ADVISER, id=somebody())
    secret = add_account(world, who, second_factor=True)
    code = pyotp.TOTP(secret).now()
    start = size(world, OPERATOR_LOG)
    assert sign_in(world, who, code=f"{code[:3]} {code[3:]}")[1].status_code == 200
    assert sign_in(world, who, code=code)[1].status_code == 403
    signed = next(one for one in since(world, start) if one.event == "person-signed-in")
    assert signed.detail is not None
    assert signed.detail["acr"] == "AAL2"


def test_of_two_tries_with_one_code_at_once_one_gets_in(world: World) -> None:
    """Whoever looks over a shoulder is as quick as the person: the code is used up in the transaction that judges."""
    who = replace(ADVISER, id=somebody())
    add_account(world, who, second_factor=True)
    journal = world.services.journals.of(OPERATOR_LOG)
    tries = [
        attempts.Attempt(who.id.encode(), who.id, version=1, right=True, step=step, ids=(f"request-{n}", None))
        for n, step in enumerate((100, 100, 99, 101))
    ]

    async def at_once() -> list[bool]:
        return [one.value for one in await asyncio.gather(*(journal.submit(one) for one in tries))]

    assert world.run(at_once()) == [True, False, False, True]


def coming_back(world: World, person_id: str) -> tuple[ConsoleClient, str]:
    """A browser about to come back from the provider, and the address it would open."""
    client = visitor(world)
    page = client.follow(client.get("/console/sign-in"))
    answer = client.form(page, {"person": person_id, "password": PASSWORD}).submit()
    return client, answer.headers["location"]


def test_an_answer_is_good_in_the_browser_that_asked_and_once(world: World) -> None:
    """Login CSRF: nobody is signed in as somebody else by following a link."""
    who = replace(ADVISER, id=somebody())
    add_account(world, who)
    client, address = coming_back(world, who.id)
    stranger = visitor(world)
    assert stranger.get(address).status_code == 403  # it never asked
    stranger.get("/console/sign-in")
    assert stranger.get(address).status_code == 403  # it asked something else
    assert client.get(address).status_code == 303
    assert visitor(world).get(address).status_code == 403


def test_a_code_cannot_be_exchanged_twice_even_with_its_state(world: World) -> None:
    who = replace(ADVISER, id=somebody())
    add_account(world, who)
    client, address = coming_back(world, who.id)
    ticket = client.http.cookies["__Host-console-asked"]
    assert client.get(address).status_code == 303
    thief = visitor(world)
    thief.http.cookies.set("__Host-console-asked", ticket, domain="gateway.test", path="/")
    assert thief.get(address).status_code == 403


@pytest.mark.parametrize(
    "change",
    [
        {"state": "x" * 43},
        {"state": ""},
        {"code": "x" * 43},
        {"code": ""},
        {"error": "access_denied"},
        {"iss": "https://other.example"},
    ],
)
def test_an_answer_that_was_altered_signs_nobody_in(world: World, change: dict[str, str]) -> None:
    who = replace(ADVISER, id=somebody())
    add_account(world, who)
    client, address = coming_back(world, who.id)
    start = size(world, OPERATOR_LOG)
    answer = client.get(str(httpx.URL(address).copy_merge_params(change)))
    assert answer.status_code == 403
    assert "__Host-console" not in client.http.cookies
    assert [one.event for one in since(world, start)] == ["sign-in-refused"]


def test_a_parameter_that_comes_twice_is_refused(world: World) -> None:
    who = replace(ADVISER, id=somebody())
    add_account(world, who)
    client, address = coming_back(world, who.id)
    assert client.get(f"{address}&state=x").status_code == 403


def test_nobody_signs_in_without_a_role_that_is_known_here(world: World) -> None:
    """The provider knows them; the console does not know what they do."""
    who = replace(ADVISER, id=somebody(), recipient=None)  # an adviser of no team
    add_account(world, who)
    start = size(world, OPERATOR_LOG)
    _, answer = sign_in(world, who)
    assert answer.status_code == 403
    (entry,) = since(world, start)
    assert (entry.event, entry.reason, entry.detail) == ("sign-in-refused", "team-missing", {"claim": "team"})


@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uri": "https://evil.example/signed-in"},
        {"redirect_uri": f"{URL}/console/signed-in/../x"},
        {"client_id": "somebody-else"},
    ],
)
def test_the_provider_leads_to_no_address_but_the_console_s(world: World, change: dict[str, str]) -> None:
    address = visitor(world).get("/console/sign-in").headers["location"]
    answer = visitor(world).get(str(httpx.URL(address).copy_merge_params(change)))
    assert answer.status_code == 400
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    "change",
    [
        {"code_challenge_method": "plain"},
        {"code_challenge_method": ""},
        {"code_challenge": ""},
        {"nonce": ""},
        {"scope": "profile"},
        {"response_type": "token"},
    ],
)
def test_the_provider_asks_for_pkce_a_nonce_and_openid(world: World, change: dict[str, str]) -> None:
    address = visitor(world).get("/console/sign-in").headers["location"]
    query = {name: value for name, value in httpx.URL(address).copy_merge_params(change).params.items() if value}
    answer = visitor(world).get(str(httpx.URL(address).copy_with(params=query)))
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{URL}/console/signed-in?error=")


def test_the_token_endpoint_wants_the_console_s_secret_and_the_verifier(world: World) -> None:
    who = replace(ADVISER, id=somebody())
    add_account(world, who)
    _, address = coming_back(world, who.id)
    form = {
        "grant_type": "authorization_code",
        "code": httpx.URL(address).params["code"],
        "redirect_uri": f"{URL}/console/signed-in",
        "code_verifier": "v" * 43,
    }
    client = visitor(world)
    assert client.http.post("/provider/token", data=form).json()["error"] == "invalid_client"
    wrong = client.http.post("/provider/token", data=form, auth=("provide-console", "guess"))
    assert wrong.json()["error"] == "invalid_client"


def test_the_provider_s_form_is_taken_from_its_own_page_alone(world: World) -> None:
    who = replace(ADVISER, id=somebody())
    add_account(world, who)
    address = visitor(world).get("/console/sign-in").headers["location"]
    fields = {"person": who.id, "password": PASSWORD, "code": ""}
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": ""}):
        answer = visitor(world).post(address, fields, headers=headers)
        assert answer.status_code == 403, headers
        assert "text/html" in answer.headers["content-type"]
    assert visitor(world).post(address, fields).status_code == 303


def test_signing_out_ends_this_session_and_everywhere_ends_all(world: World) -> None:
    here, there, elsewhere = (signed_in(world, id="idva-leaver") for _ in range(3))
    answer = here.form("/console/sign-out", at="Sign out of this browser").submit()
    assert answer.status_code == 200
    assert here.get(HERE).is_redirect
    assert there.get(HERE).status_code == 200
    there.form("/console/sign-out", at="Sign out everywhere").submit()
    assert there.get(HERE).is_redirect
    assert elsewhere.get(HERE).is_redirect


def test_a_script_is_not_led_to_the_provider(world: World) -> None:
    """Or a worklist in another window would overwrite the sign-in that somebody is in the middle of."""
    client = visitor(world)
    answer = client.get("/console/sign-in", headers={"Sec-Fetch-Mode": "cors"})
    assert "__Host-console-asked" not in client.http.cookies
    assert "provider" not in answer.headers.get("location", "")


def test_plain_http_on_loopback_has_a_cookie_without_the_prefix(world: World) -> None:
    plain = world.services.settings.model_copy(update={"public_url": "http://127.0.0.1:8080"})
    assert Cookies(plain).name(SESSION) == "console"
    assert Cookies(world.services.settings).name(SESSION) == "__Host-console"


def test_production_has_no_embedded_provider_and_says_that_nobody_can_sign_in(world: World) -> None:
    production = world.services.settings.model_copy(update={"environment": Environment.PRODUCTION})
    app = create_app(replace(world.services, settings=production))
    client = ConsoleClient(httpx.Client(base_url=URL, transport=Bridge(app, world._runner)))
    for path in ("/console/sign-in", "/console/signed-in?code=x&state=y"):
        answer = client.get(path)
        assert answer.status_code == 503
        assert "no sign-in service has been set up" in answer.text
    for method, path in sorted(routes_of(world.app) - routes_of(app)):
        assert path.startswith("/provider/")
        assert client.http.request(method, path).status_code == 404
    assert len(routes_of(world.app) - routes_of(app)) == 5
