"""The pages of signing in and out in a real browser: by keyboard alone, for everybody, and as they look."""

from __future__ import annotations

from dataclasses import replace

import pyotp
import pytest
from playwright.async_api import Page

from gateway.evidence import OPERATOR_LOG
from gateway.signin.provider.accounts import Accounts, AddPerson
from gateway.signin.provider.passwords import hashed
from gateway.signin.secrets import SignInKeys
from tests.support.browser import PHONE, Chromium, Live, objections, shot
from tests.support.console import ADVISER, PASSWORD

WHO = replace(ADVISER, id="idva-by-keyboard")


@pytest.fixture(scope="module", autouse=True)
def _account(live: Live) -> None:
    """Somebody who signs in for the first time."""
    accounts = Accounts(SignInKeys(live.services.keyring))
    columns, factor = accounts.columns(WHO, second_factor=True), accounts.factor(WHO.id, None)
    live.services.journals.of(OPERATOR_LOG).submit_and_wait(AddPerson(WHO, columns, factor, hashed(PASSWORD)))


async def looked_at(page: Page, name: str) -> None:
    """A picture, and what axe objects to; nothing wider than a telephone."""
    await shot(page, f"sign-in-{name}")
    assert [one["id"] for one in await objections(page)] == [], name
    wide = await page.evaluate("document.documentElement.scrollWidth")
    assert wide <= PHONE["width"], name


async def typed(page: Page, *texts: str) -> None:
    """What a person types from where they are, going on by the tab key, and Enter at the end."""
    for text in texts:
        await page.keyboard.type(text)
        await page.keyboard.press("Tab")
    async with page.expect_navigation():
        await page.keyboard.press("Enter")


async def begun(page: Page) -> None:
    """The keyboard's way to the first box: over the link that skips, and the mark in the header."""
    for _ in range(8):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.tagName") == "INPUT":
            return
    raise AssertionError("the keyboard does not reach the form")


def test_somebody_signs_in_for_the_first_time_and_out_by_keyboard_alone(chromium: Chromium, live: Live) -> None:
    async def journey() -> list[str]:
        async with chromium.context(live, size=PHONE) as visitor:
            page = await visitor.open("/console/worklist")
            assert "/provider/authorize" in page.url
            await looked_at(page, "1-who")
            await begun(page)
            await typed(page, WHO.id, "wrong", "")
            await looked_at(page, "2-refused")
            await begun(page)
            await page.keyboard.press("Tab")  # who they are stands there still
            await typed(page, PASSWORD, "")
            await looked_at(page, "3-second-factor")
            key = await page.locator("main .app-mono").inner_text()
            await begun(page)
            await typed(page, pyotp.TOTP(key).now())
            assert page.url.endswith("/console/worklist")
            await page.goto(f"{live.url}/console/sign-out")
            await looked_at(page, "4-sign-out")
            await page.get_by_role("button", name="Sign out everywhere").focus()
            async with page.expect_navigation():
                await page.keyboard.press("Enter")
            await looked_at(page, "5-signed-out")
            await page.goto(f"{live.url}/console/signed-in?code=x&state=y")
            await looked_at(page, "6-failed")
            await page.goto(f"{live.url}/provider/authorize")
            await looked_at(page, "7-leads-nowhere")
            return [one for one in visitor.said if "the server responded with a status of 40" not in one]

    assert chromium.run(journey()) == []
