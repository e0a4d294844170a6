"""An evaluator's visit in a real browser, by the keyboard alone: what this is, figures, an area, paper; with axe."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page

from gateway.duties import link_people
from gateway.evaluation.synthetic.loading import load
from tests.support.browser import PHONE, Chromium, Live, live_over, objections, shot
from tests.support.console import EVALUATOR
from tests.support.evaluation import years

VICTIMS = 24
_MOST_TABS = 60


@pytest.fixture(scope="module")
def evaluated(prepared_world: Path, seed: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The application on a port of loopback, with two synthetic years of a few."""
    with live_over(prepared_world, tmp_path_factory.mktemp("evaluated") / "world") as served:
        asyncio.run(_fill(served, seed))
        link_people(served.services)
        yield served


async def _fill(live: Live, seed: int) -> None:
    wanted = years(datetime.now(UTC).replace(microsecond=0), VICTIMS, seed)
    headers = [{"Authorization": one.http.headers["Authorization"]} for one in (live.police, live.hospital)]
    async with (
        httpx.AsyncClient(base_url=live.url, headers=headers[0]) as police,
        httpx.AsyncClient(base_url=live.url, headers=headers[1]) as team,
    ):
        await load(wanted, police, team)


def test_an_evaluator_looks_at_the_figures_by_keyboard(chromium: Chromium, evaluated: Live) -> None:
    async def journey() -> None:
        async with chromium.context(evaluated, EVALUATOR) as visitor:
            page = await visitor.open("/console/about")
            await _look(page, "desk-about")
            await _press(page, "Evaluation")
            assert f"of {VICTIMS}" in await page.locator("main").inner_text()
            await _look(page, "desk-evaluation")
            await _reach(page, "area")
            await page.keyboard.type("Blackpool")
            await _press(page, "Show")
            assert "area=blackpool" in page.url
            assert "Blackpool, " in await page.locator("main").inner_text()
            await _look(page, "desk-evaluation-area")
            await page.set_viewport_size(PHONE)
            await _look(page, "phone-evaluation-area")
            await _press(page, "This page to print")
            await page.emulate_media(media="print")
            assert await page.locator("main a, form, button").count() == 0
            await _look(page, "paper-evaluation")
            assert visitor.said == []

    chromium.run(journey())


def test_without_scripts_a_period_is_chosen_and_what_is_wrong_is_said(chromium: Chromium, evaluated: Live) -> None:
    async def journey() -> None:
        async with chromium.context(evaluated, EVALUATOR, scripts=False) as visitor:
            page = await visitor.open("/console/evaluation")
            await _choose(page, first="2026-Q2", last="2025-Q2")
            await page.get_by_role("link", name="The last quarter must not be before the first").wait_for()
            await _choose(page, first="2025-Q1", last="2025-Q2")
            assert "2025 Q1 to 2025 Q2" in await page.locator("main").inner_text()

    chromium.run(journey())


async def _choose(page: Page, **quarters: str) -> None:
    for name, value in quarters.items():
        await page.select_option(f"#{name}", value)
    async with page.expect_navigation():
        await page.get_by_role("button", name="Show").click()


async def _look(page: Page, name: str) -> None:
    """See that nothing keeps anybody out, and nothing scrolls sideways; keep a picture."""
    assert [one["id"] for one in await objections(page)] == [], name
    width: int = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert width <= 0, name
    await shot(page, name)


async def _reach(page: Page, words: str) -> None:
    """Tab until what has the focus has this id, or says exactly this."""
    for _ in range(_MOST_TABS):
        await page.keyboard.press("Tab")
        if words in await page.evaluate("[document.activeElement.id, document.activeElement.innerText.trim()]"):
            return
    raise AssertionError(f"no key leads to {words!r} at {page.url}")


async def _press(page: Page, words: str) -> None:
    await _reach(page, words)
    async with page.expect_navigation():
        await page.keyboard.press("Enter")
