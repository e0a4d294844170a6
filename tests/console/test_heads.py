"""HEAD is GET without the page (RFC 9110 section 9.3.2): on every route; each page is in test_look."""

from __future__ import annotations

import httpx
import pytest

from gateway.signin.claims import Person
from tests.console.pages import console_routes
from tests.support.browser import Live
from tests.support.console import ADVISER, AUDITOR
from tests.support.routes import routes_of


def test_every_route_that_answers_get_answers_head(live: Live) -> None:
    of_console = {path for method, path in routes_of(live.app) if method == "HEAD" and path.startswith("/console")}
    assert of_console == {path for method, path in routes_of(live.app) if method == "GET" and path in of_console}
    assert len(of_console) == len(set(console_routes(live.app)))


@pytest.mark.parametrize(
    ("path", "person"),
    [("/console/worklist/events", ADVISER), ("/console/auditor/pack/file", AUDITOR)],
    ids=["a line of events", "a pack"],
)
def test_an_answer_that_would_go_on_is_not_begun(live: Live, path: str, person: Person) -> None:
    answer = httpx.head(live.url + path, cookies=live.cookies(person), timeout=5)
    assert (answer.status_code, answer.content) == (httpx.codes.OK, b"")


def test_somebody_who_has_not_signed_in_is_led_there_and_what_is_not_theirs_is_not_found(live: Live) -> None:
    answer = httpx.head(f"{live.url}/console/worklist")
    assert answer.status_code == httpx.codes.SEE_OTHER
    assert answer.headers["location"].startswith("/console/sign-in?to=")
    assert httpx.head(f"{live.url}/console/operator", cookies=live.cookies(ADVISER)).status_code == 404
    assert httpx.head(f"{live.url}/console/nothing", cookies=live.cookies(ADVISER)).content == b""
