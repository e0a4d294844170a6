"""A case from the worklist to its end in a real browser, by the keyboard alone; each page looked at by axe as well."""

from __future__ import annotations

from collections.abc import Sequence

from playwright.async_api import Page

from gateway.console.referral.actions import ACTIONS
from tests.console.referrals import at
from tests.support.browser import DESK, PHONE, Chromium, Live, objections, shot
from tests.support.console import ADVISER

_MOST_TABS = 120


async def _reach(page: Page, words: str) -> None:
    """Tab until what has the focus says so: a link or button by its words, a field by its label."""
    for _ in range(_MOST_TABS):
        await page.keyboard.press("Tab")
        if words in await page.evaluate(_SAYS):
            return
    raise AssertionError(f"no key leads to {words!r} at {page.url}")


_SAYS = """(() => {
  const one = document.activeElement;
  const label = one.labels && one.labels.length ? one.labels[0].textContent : one.textContent;
  return (label || one.value || "").replace(/\\s+/g, " ").trim();
})()"""


async def _press(page: Page, words: str) -> None:
    """Reach a link or button, and follow it."""
    await _reach(page, words)
    async with page.expect_navigation():
        await page.keyboard.press("Enter")


async def _choose(page: Page, group: str, label: str) -> None:
    """Reach a group of radios, and go down to the one of this label."""
    for _ in range(_MOST_TABS):
        await page.keyboard.press("Tab")
        if await page.evaluate(f"document.activeElement.type === 'radio' && document.activeElement.name === '{group}'"):
            break
    for _ in range(_MOST_TABS):
        if label in await page.evaluate(_SAYS):
            if not await page.evaluate("document.activeElement.checked"):
                await page.keyboard.press("Space")
            return
        await page.keyboard.press("ArrowDown")
    raise AssertionError(f"no key leads to {label!r} of {group!r} at {page.url}")


async def _says(page: Page, words: str) -> None:
    text = " ".join((await page.locator("main").inner_text()).split())
    assert words in text, text


async def _looked_at(page: Page, name: str) -> Sequence[str]:
    """What axe finds, on a desk and on a phone; a picture of each."""
    found: list[str] = []
    for size, where in ((DESK, "desk"), (PHONE, "phone")):
        await page.set_viewport_size({"width": size["width"], "height": size["height"]})
        found += [f"{name} {where}: {one['id']} {one['help']}" for one in await objections(page)]
        await shot(page, f"referral-{where}-{name}")
        wide = await page.evaluate("document.documentElement.scrollWidth")
        assert wide <= size["width"], f"{name} scrolls sideways: {wide}"
    await page.set_viewport_size({"width": DESK["width"], "height": DESK["height"]})
    return found


def test_a_case_is_worked_on_from_the_worklist_to_its_end_by_keyboard_alone(chromium: Chromium, live: Live) -> None:
    referral = live.referrals[0]

    async def journey() -> list[str]:
        found: list[str] = []
        async with chromium.context(live, ADVISER) as visitor:
            page = await visitor.open("/console/worklist")
            await _press(page, f"Open case {referral[:8]}")
            await _says(page, "Marianne Ashdown")
            found += await _looked_at(page, "new")
            await _press(page, "Acknowledge the referral")
            await _press(page, "Acknowledge")
            await _says(page, "You have acknowledged the referral, and it is yours.")
            for number in (1, 2, 3):
                await _press(page, "Record a contact attempt")
                if number == 1:
                    found += await _looked_at(page, "contact")
                await _choose(page, "channel", "Telephone")
                await _choose(page, "result", "No answer")
                await _press(page, "Record the attempt")
                await _says(page, f"Contact attempted ({number})")
            await _press(page, "The victim takes part")
            await _press(page, "Record that the victim takes part")
            await _says(page, "There is a problem")
            found += await _looked_at(page, "problem")
            assert await page.evaluate("document.activeElement.className.includes('error-summary')")
            await _choose(page, "level", "The victim takes part")
            await _press(page, "Record that the victim takes part")
            await _says(page, "Stage Engaged")
            await _press(page, "Close the case")
            await _choose(page, "how", "Planned")
            await _choose(page, "safer", "Yes")
            found += await _looked_at(page, "close")
            await _press(page, "Close the case")
            await _says(page, "The case is closed.")
            found += await _looked_at(page, "closed")
            await _press(page, "Something was entered by mistake")
            await _choose(page, "event", "Closed")
            await _choose(page, "reason", "It belongs to another case")
            found += await _looked_at(page, "entered-in-error")
            await _press(page, "Mark as entered in error")
            await _says(page, "Stage Engaged")
            await _says(page, "Entered in error, said")
            found += await _looked_at(page, "taken-back")
            # Chromium reports a form that is answered with what is wrong as a failure to load.
            return found + [one for one in visitor.said if "status of 422" not in one]

    assert chromium.run(journey()) == []


def test_every_form_is_made_so_that_everybody_can_use_it(chromium: Chromium, live: Live) -> None:
    """Those that differ most from each other, and the pages beside the case; the paper as well."""
    referral = live.referrals[1]
    forms = [one.slug for one in ACTIONS if one.slug in {"marac", "oral", "call", "hand-over", "break-glass"}]

    async def journey() -> list[str]:
        found: list[str] = []
        async with chromium.context(live, ADVISER) as visitor:
            page = await visitor.window()
            for one in forms:
                await visitor.go(page, f"{at(referral, one)}?reason=follow-up")
                found += await _looked_at(page, one)
            await visitor.go(page, at(live.referrals[0]))
            found += await _looked_at(page, "why")
            await visitor.go(page, f"{at(referral)}?reason=follow-up&print=1")
            await shot(page, "referral-paper")
            return found + visitor.said

    assert chromium.run(journey()) == []
