"""An officer's and an operator's day in a real browser, partly by keyboard, with axe on what no list shows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Page, ViewportSize

from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from gateway.evidence import OPERATOR_LOG
from gateway.tokens.clients import AddClient
from gateway.tokens.scopes import Scope
from tests.journeys.support import serial
from tests.support.browser import PHONE, Chromium, Live, objections, shot
from tests.support.console import OFFICER, OPERATOR

NARROWEST = ViewportSize(width=320, height=640)
"""WCAG 2.2, 1.4.10."""


async def sound(page: Page, name: str) -> None:
    """Keep a picture; nothing that axe objects to, and nothing that scrolls sideways."""
    await shot(page, name)
    assert await objections(page) == [], name
    before = page.viewport_size
    await page.set_viewport_size(NARROWEST)
    wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, name
    if before is not None:
        await page.set_viewport_size(before)


def act(live: Live, referral: str, *acts: dict[str, Any]) -> None:
    answer = live.hospital.post(f"/team/v1/referrals/{referral}/acts", json={"acts": list(acts)})
    assert answer.status_code == 200, answer.text


def test_an_officer_learns_on_a_phone_whether_anybody_reached_her(chromium: Chromium, live: Live) -> None:
    """Looks their cases through, finds one by its occurrence with the keyboard alone, and reads when to ring her."""
    number = serial()
    (referral,) = live.push(incident(number))
    safe = datetime.now(UTC).replace(hour=10, minute=30, second=0, microsecond=0) + timedelta(days=1)
    window = {"from": safe.isoformat(), "until": (safe + timedelta(hours=1)).isoformat()}
    tried = {"act": "contact-attempt", "channel": "phone", "result": "no-answer"}
    act(live, referral, {"act": "acknowledge"}, tried, {"act": "engage"}, {"act": "request-call", **window})

    async def journey() -> None:
        async with chromium.context(live, OFFICER, size=PHONE) as visitor:
            page = await visitor.open("/console/officer")
            await sound(page, "officer-phone")
            assert "Reached" in await page.locator("tbody tr", has_text=f"04-2026-{number:06d}").inner_text()
            await page.focus("#reference")
            await page.keyboard.type(f"04-2026-{number:06d}")
            await page.keyboard.press("Enter")
            await page.wait_for_url("**/console/officer/cases/*")
            assert "She asks you to ring her" in await page.locator("main").inner_text()
            assert f"04-2026-{number:06d}" not in page.url
            await sound(page, "officer-case-phone")
            await page.set_viewport_size({"width": 1280, "height": 900})
            await sound(page, "officer-case-desk")
            await page.goto(f"{live.url}/console/officer/notices")
            await sound(page, "officer-notices")
            await page.goto(f"{live.url}/console/officer?only=calls")
            await sound(page, "officer-calls")
            assert visitor.said == []

    chromium.run(journey())


@pytest.fixture
def spare(live: Live) -> str:
    """A client that nobody misses."""
    name = f"spare-{serial()}"
    key = next(iter(live.services.clients.current().clients["demo-rms"].keys.keys)).as_dict(private=False)
    unit = AddClient(
        name, "A spare system", "04", scopes=[Scope.INCIDENT_WRITE.value], agreements=[LOG], jwks={"keys": [key]}
    )
    live.services.journals.of(OPERATOR_LOG).submit_and_wait(unit)
    live.services.clients.refresh()
    return name


def test_an_operator_looks_at_faults_tries_a_replay_and_revokes_a_client(
    chromium: Chromium, live: Live, spare: str
) -> None:
    broken = b'{"data": {"type": "incident", "attributes": {"surname": "Ashdown"}}}'
    headers = {"Content-Type": "application/vnd.api+json"}
    assert live.police.post("/police/v1/incidents", content=broken, headers=headers).status_code == 422
    assert live.police.post(
        "/police/v1/incidents", json=incident(serial(), consent="REFUSED"), headers=headers
    ).is_success

    async def journey() -> None:
        async with chromium.context(live, OPERATOR) as visitor:
            page = await visitor.open("/console")
            await page.wait_for_url("**/console/operator")
            await sound(page, "operator-overview")
            await page.get_by_role("link", name="Look at faults").click()
            await sound(page, "operator-quarantine")
            await page.locator("tbody a").first.click()
            await sound(page, "operator-input")
            await page.get_by_role("link", name="Quarantine").click()
            await page.get_by_role("button", name="Try it").focus()
            await page.keyboard.press("Enter")
            await page.get_by_role("heading", name="Trial: nothing has changed").wait_for()
            await sound(page, "operator-trial")
            await page.get_by_role("button", name="Read it again in earnest").click()
            await page.get_by_role("heading", name="Read again").wait_for()
            await sound(page, "operator-replayed")
            await page.goto(f"{live.url}/console/operator/clients")
            await sound(page, "operator-clients")
            await page.get_by_role("link", name=f"Revoke {spare}").click()
            await sound(page, "operator-revoke")
            await page.get_by_role("button", name="Revoke this client").click()
            await page.wait_for_url("**/clients?done=revoked")
            assert "Revoked" in await page.locator("tbody tr", has_text=spare).inner_text()
            for name in ("deliveries", "clocks", "mappings", "retention", "people"):
                await page.goto(f"{live.url}/console/operator/{name}")
                await sound(page, f"operator-{name}")
            await page.set_viewport_size(PHONE)
            for name in ("", "/clients", "/deliveries", "/quarantine", "/clocks", "/people"):
                await page.goto(f"{live.url}/console/operator{name}")
                await sound(page, f"operator-phone{name.replace('/', '-')}")
            await page.goto(f"{live.url}/console/operator/people/sign-out?organisation=operator&person={OPERATOR.id}")
            await sound(page, "operator-sign-out")
            assert visitor.said == []

    chromium.run(journey())
