"""Every page: its headers, its policy, for whoever sees, hears or prints it, on a desk and on a phone, without scripts.

Pages are found in the application (`pages.py`), so a new one is tried here without anybody naming it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any

import httpx
import pytest
from lxml import html
from playwright.async_api import Page, ViewportSize
from sqlalchemy import func, select
from starlette.requests import Request

from audit.sql.tables import log_entry
from gateway.console.page import HEADERS, Pages
from gateway.console.static_files import static_files
from gateway.errors import FACES, GatewayError
from gateway.signin.claims import Person
from gateway.store.tables import console_session as table
from tests.console.pages import Place, places
from tests.support.browser import DESK, Chromium, Live, Visitor, objections, phone_shot, shot
from tests.support.console import ADVISER, AUDITOR

NARROWEST = ViewportSize(width=320, height=640)
"""WCAG 2.2, 1.4.10: nothing scrolls sideways at 320 CSS pixels."""


@pytest.fixture(scope="module")
def every(live: Live) -> list[Place]:
    found = places(live)
    assert {"/console/locked", "/console/worklist"} <= {one.route for one in found}
    return found


def tree_of(answer: httpx.Response) -> Any:
    """The page as a tree."""
    return html.fromstring(answer.text)  # type: ignore[no-untyped-call]  # lxml has no types


def test_every_page_and_every_error_has_its_headers(live: Live, every: list[Place]) -> None:
    answers = [one.answer for one in every]
    answers += [httpx.get(live.url + path) for path in ("/console", "/console/nothing", "/console/leave")]
    answers.append(httpx.post(live.url + "/console/worklist"))
    for answer in answers:
        for name, value in HEADERS.items():
            assert answer.headers[name] == value, (answer.url, name)
        assert answer.headers["x-content-type-options"] == "nosniff"
    policy = HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy


def test_head_of_every_page_is_answered_and_sealed_as_get_is(live: Live, every: list[Place]) -> None:
    """RFC 9110 section 9.3.2; what may differ is when, under which id, and where each is sealed."""
    varies = {"content-length", "date", "gateway-receipt", "server", "set-cookie", "x-request-id"}
    assert len(every) > 40
    with httpx.Client() as browser:
        for place in every:
            page, sealed = _asked(live, browser, "GET", place)
            head, sealed_again = _asked(live, browser, "HEAD", place)
            assert head.content == b"", place
            assert (head.status_code, sealed_again) == (page.status_code, sealed), place
            assert head.headers.keys() == page.headers.keys(), place
            assert all(head.headers[name] == page.headers[name] for name in head.headers.keys() - varies), place


def _asked(live: Live, browser: httpx.Client, method: str, place: Place) -> tuple[httpx.Response, int]:
    """The answer, and how many entries it took."""
    before = _entries(live)
    cookies = live.cookies(place.person) if place.person else {}
    said = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    answer = browser.request(method, live.url + place.path, headers=said)
    return answer, _entries(live) - before


def _entries(live: Live) -> int:
    with live.services.database.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(log_entry)).scalar_one())


def test_no_page_has_a_script_or_a_style_in_itself(every: list[Place]) -> None:
    for one in every:
        tree = tree_of(one.answer)
        assert tree.xpath("//@style") == [], one.path
        assert tree.xpath("//style") == [], one.path
        assert tree.xpath("//script[not(@src)]") == [], one.path
        assert [name for name in tree.xpath("//@*") if _is_handler(name)] == [], one.path
        sources = tree.xpath("//@src | //link/@href | //form/@action")
        assert all(source.startswith("/console") for source in sources), (one.path, sources)


def _is_handler(attribute: object) -> bool:
    name = getattr(attribute, "attrname", "")
    return name.startswith("on") or str(attribute).lstrip().lower().startswith("javascript:")


def test_every_page_has_a_language_landmarks_one_heading_and_a_title_of_its_own(every: list[Place]) -> None:
    titles: dict[str, str] = {}
    for one in every:
        tree = tree_of(one.answer)
        assert tree.get("lang") == "en-GB"
        assert len(tree.xpath("//main")) == 1
        assert len(tree.xpath("//h1")) == 1, one.path
        (title,) = tree.xpath("//title/text()")
        assert title.endswith(" \N{EN DASH} Provide Gateway")
        assert title not in titles, (title, one.path, titles)
        titles[title] = one.path


def test_every_link_of_every_page_leads_somewhere(live: Live, every: list[Place]) -> None:
    """Whoever is shown a page may follow its links, each once; cases are opened on pages of their own."""
    leading: dict[tuple[Person | None, str], str] = {}
    for one in every:
        for link in {str(link).partition("#")[0] for link in tree_of(one.answer).xpath("//a/@href")}:
            assert not link or link.startswith("/console"), (one.path, link)
            if link and not link.startswith(("/console/leave", "/console/referrals/")):
                leading[one.person, link] = one.path
    assert len(leading) > len(every)
    with httpx.Client(base_url=live.url, trust_env=False, timeout=60) as client:
        for (person, link), path in leading.items():
            with client.stream("GET", link, headers=live.headers(person)) as answer:
                assert answer.status_code < 400, (path, link, answer.status_code)


@dataclass(frozen=True, slots=True)
class Look:
    """What a browser found of a page.

    What axe objects to, what the page complained of, how wide it is on the narrowest screen, and its words with scripts
    on and off.
    """

    violations: tuple[str, ...]
    said: tuple[str, ...]
    narrow: int
    words: str
    words_without_scripts: str


@pytest.fixture(scope="module")
def looks(chromium: Chromium, live: Live, every: list[Place]) -> dict[str, Look]:
    """Every page looked at once, in two windows: loading one costs more than what is asked of it, a new window more."""

    async def journey() -> dict[str, Look]:
        found: dict[str, Look] = {}
        async with chromium.context(live) as visitor, chromium.context(live, scripts=False) as plain:
            page, bare = await visitor.window(), await plain.window()
            for person in {one.person: None for one in every}:
                await visitor.become(person)
                await plain.become(person)
                for one in every:
                    if one.person == person:
                        found[one.path] = await _look(visitor, page, bare, one)
        return found

    return chromium.run(journey())


async def _look(visitor: Visitor, page: Page, bare: Page, one: Place) -> Look:
    visitor.said.clear()
    await visitor.go(page, one.path)
    name = one.route.replace("/", "-")
    words = await _words(page)
    violations = tuple(_violations(await objections(page)))
    await shot(page, f"desk{name}")
    await phone_shot(page, f"phone{name}")
    await page.set_viewport_size(NARROWEST)
    narrow = await page.evaluate("document.documentElement.scrollWidth")
    await page.set_viewport_size(DESK)
    await visitor.go(bare, one.path)
    without = await _words(bare)
    return Look(violations, tuple(visitor.said), narrow, words, without)


async def _words(page: Page) -> str:
    """What a page says, but for what the reader's own browser finds for itself, and what grows by being looked at."""
    words = await page.locator("main").inner_text()
    for own in await page.locator("main :is([data-browser-only], [data-grows])").all():
        words = words.replace(await own.inner_text(), "")
    return words


def _violations(violations: Iterable[Any]) -> Iterator[str]:
    for one in violations:
        yield f"{one['id']}: {one['help']} {[node['html'] for node in one['nodes']]}"


def test_accessibility_checks_find_nothing(looks: dict[str, Look]) -> None:
    """WCAG 2.2 AA and axe's best practices."""
    assert {path: one.violations for path, one in looks.items() if one.violations} == {}


def test_no_page_breaks_its_policy_or_fails_in_a_script(looks: dict[str, Look]) -> None:
    assert {path: one.said for path, one in looks.items() if one.said} == {}


def test_no_page_scrolls_sideways_on_the_narrowest_screen(looks: dict[str, Look]) -> None:
    assert {path: one.narrow for path, one in looks.items() if one.narrow > NARROWEST["width"]} == {}


def test_every_page_shows_the_same_with_scripts_off(looks: dict[str, Look]) -> None:
    """What a script adds is the state of the line and the hiding of the screen, and nothing to read or press."""
    for path, one in looks.items():
        assert _lines(one.words_without_scripts) == _lines(one.words), path


def _lines(words: str) -> list[str]:
    lines = [_PASSING.sub("0", line.strip()) for line in words.splitlines()]
    return [line for line in lines if line and not line.startswith(("Live since", "Sealed as"))]


_PASSING = re.compile(r"less than a minute|\d+ (?:minute|hour)s?|\d+")
"""What differs between two looks: a log grows with each, and a minute may pass."""


async def _focused(page: Page) -> str:
    words: str = await page.evaluate("document.activeElement.textContent.trim()")
    return words


def test_the_first_key_leads_past_the_header_and_what_has_the_focus_is_seen(chromium: Chromium, live: Live) -> None:
    async def journey() -> None:
        async with chromium.context(live, ADVISER) as visitor:
            page = await visitor.open("/console/worklist")
            await page.keyboard.press("Tab")
            assert await _focused(page) == "Skip to main content"
            assert await page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
            await page.keyboard.press("Enter")
            assert await page.evaluate("document.activeElement.id") == "maincontent"
            for _ in range(3):
                await page.keyboard.press("Tab")
                shadow = await page.evaluate("getComputedStyle(document.activeElement).boxShadow")
                assert "255, 235, 59" in shadow or "33, 43, 50" in shadow

    chromium.run(journey())


def test_escape_three_times_leaves_and_signs_out(chromium: Chromium, live: Live) -> None:
    somebody = replace(ADVISER, id="idva-0099")

    async def journey() -> None:
        async with chromium.context(live, somebody) as visitor:
            page = await visitor.open("/console/worklist")
            for _ in range(2):
                await page.keyboard.press("Escape")
            assert page.url == f"{live.url}/console/worklist"
            # The browser here reaches loopback alone; what the page asked for by itself may fail as it is left, too.
            away = page.expect_event("requestfailed", lambda request: not request.url.startswith(live.url))
            async with away as leaving:
                await page.keyboard.press("Escape")
            assert (await leaving.value).url == "https://www.bbc.co.uk/weather"

    chromium.run(journey())
    answer = httpx.get(live.url + "/console/worklist", cookies=live.cookies(somebody))
    assert answer.headers["location"].startswith("/console/sign-in")
    with live.services.database.reading() as connection:
        assert connection.execute(select(table.c.id).where(table.c.person == somebody.id)).all() == []


def test_leaving_by_the_link_leads_away_whoever_asks_and_signs_out_nobody_from_elsewhere(live: Live) -> None:
    somebody = replace(ADVISER, id="idva-0098")
    cookies = live.cookies(somebody)
    for site in ("cross-site", "same-site", "same-origin", "none"):
        answer = httpx.get(live.url + "/console/leave", cookies=cookies, headers={"Sec-Fetch-Site": site})
        assert answer.headers["location"] == "https://www.bbc.co.uk/weather"
        signed_in = httpx.get(live.url + "/console/worklist", cookies=cookies).status_code == httpx.codes.OK
        assert signed_in is (site in {"cross-site", "same-site"})


def test_a_screen_that_nobody_looks_after_is_covered_and_what_was_typed_stays(chromium: Chromium, live: Live) -> None:
    async def journey() -> None:
        async with chromium.context(live, ADVISER) as visitor:
            await visitor.context.clock.install()
            page = await visitor.open("/console/worklist")
            table = page.get_by_role("table")
            assert await table.is_visible()
            await visitor.context.clock.fast_forward(181_000)
            await page.get_by_role("dialog").wait_for()
            assert not await table.is_visible()
            assert await _focused(page) == "Show it again"
            await shot(page, "desk-covered")
            await page.keyboard.press("Enter")
            assert await table.is_visible()
            await visitor.context.clock.fast_forward(901_000)
            await page.wait_for_url("**/console/locked?to=*")
            await page.get_by_role("link", name="Go on").click()
            assert page.url == f"{live.url}/console/worklist"

    chromium.run(journey())


@pytest.mark.parametrize(
    "to",
    ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/console/../evil", "%2f%2fe"],
)
def test_a_hidden_screen_leads_back_to_a_page_of_the_console_and_nowhere_else(live: Live, to: str) -> None:
    tree = tree_of(httpx.get(live.url + "/console/locked", params={"to": to}))
    assert tree.xpath("//main//a/@href") == ["/console"]


def test_without_scripts_a_page_hides_itself(live: Live) -> None:
    tree = tree_of(httpx.get(live.url + "/console/worklist", cookies=live.cookies(ADVISER)))
    assert tree.xpath("//noscript/meta[@http-equiv='refresh']/@content") == [
        "180; url=/console/locked?to=/console/worklist"
    ]


def test_files_are_kept_for_ever_under_a_name_that_changes_with_them(live: Live) -> None:
    for name, served in static_files().names.items():
        answer = httpx.get(live.url + static_files().address(name))
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert ("content-encoding" in answer.headers) is (len(answer.content) > 500), name
        assert answer.headers["content-security-policy"]
        assert hashlib.sha256(answer.content).hexdigest().startswith(served.split(".")[1])
    assert httpx.get(live.url + "/console/static/console.0000000000000000.css").status_code == 404


def test_what_is_printed_holds_nothing_to_press(chromium: Chromium, live: Live) -> None:
    """On paper from the page itself, and from the page that is written for paper."""
    tree = tree_of(httpx.get(live.url + "/console/worklist?print=1", cookies=live.cookies(ADVISER)))
    assert tree.xpath("//button | //form | //script | //nav | //main//a") == []
    assert "for Rosalind Featherstone" in tree.text_content()

    async def journey() -> None:
        async with chromium.context(live, ADVISER) as visitor:
            page = await visitor.open("/console/worklist")
            await page.emulate_media(media="print")
            assert not await page.get_by_role("banner").is_visible()
            assert await page.locator("button:visible, a.nhsuk-button:visible").count() == 0
            assert await page.get_by_role("table").is_visible()
            await shot(page, "paper-worklist")

    chromium.run(journey())


def test_every_class_of_ours_that_is_used_has_a_style() -> None:
    """A class of ours that nobody styles is a slip."""
    folder = files("gateway.console")
    texts = [one.read_text() for one in folder.joinpath("templates").iterdir()]
    scripts = [one.read_text() for one in folder.joinpath("static").iterdir() if one.name.endswith(".js")]
    styled = set(re.findall(r"\.(app-[a-z_-]+)", folder.joinpath("static", "console.css").read_text()))
    worn = {one for text in (*texts, *scripts) for one in re.findall(r"\bapp-[a-z]+(?:[_-]+[a-z]+)*\b", text)}
    assert worn - styled == set()


@pytest.mark.parametrize("error", FACES, ids=lambda error: error.__name__)
def test_every_error_has_a_page_that_says_what_to_do(live: Live, error: type[GatewayError]) -> None:
    """The words of an error are shown where they help; of the rest, and of what nobody foresaw, nothing."""
    pages = Pages(live.services.settings)
    scope = {"type": "http", "method": "GET", "path": "/console/x", "query_string": b"", "headers": []}
    raised: BaseException = GatewayError.__new__(error)
    GatewayError.__init__(raised, "the telling words")  # type: ignore[arg-type]  # what every one of them begins with
    answer = pages.failure(Request(scope), raised)
    tree = html.fromstring(bytes(answer.body))  # type: ignore[no-untyped-call]  # lxml has no types
    assert answer.status_code == FACES[error].status
    assert tree.xpath("//h1/text()")[0].strip()
    assert len(tree.xpath("//main//p")) >= 2
    assert ("he telling words" in tree.text_content()) is (answer.status_code in {400, 403, 409, 413, 415, 422})
    unforeseen = pages.failure(Request(scope), ValueError("secret"))
    assert unforeseen.status_code == 500
    assert b"secret" not in bytes(unforeseen.body)


@pytest.mark.parametrize("kind", ["not found", "not theirs"])
def test_an_address_of_another_role_and_none_are_the_same_page(live: Live, kind: str) -> None:
    """P8: to the letter, but for the request's own id."""
    path = "/console/nothing" if kind == "not found" else "/console/worklist"
    answer = httpx.get(live.url + path, cookies=live.cookies(AUDITOR))
    none = httpx.get(live.url + "/console/none-such", cookies=live.cookies(AUDITOR))
    assert (answer.status_code, answer.text) == (404, none.text)
    own = {"x-request-id", "date"}
    assert {k: v for k, v in answer.headers.items() if k not in own} == {
        k: v for k, v in none.headers.items() if k not in own
    }
