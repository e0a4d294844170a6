"""The worklist by shift: what must be done before one goes, what is handed over, and nothing told by a number."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from lxml import html
from playwright.async_api import expect
from sqlalchemy import delete, select

from audit.entry import timestamp
from gateway.demo.incidents import incident
from gateway.evidence import Event
from gateway.on_call import remove_on_call, set_on_call
from gateway.shifts import Shifts, Turns
from gateway.store import tables
from gateway.worklist.by_shift import COUNTED_MAX
from tests.console.test_downtime import text_of
from tests.journeys.support import change, pushed, sealed, serial, size, status, world_on
from tests.support.browser import DESK, PHONE, Chromium, Live, shot
from tests.support.console import ADVISER, SECOND_ADVISER, ConsoleClient, signed_in
from tests.support.world import World

PATH = "/console/worklist"
HOUR = timedelta(hours=1)
OVERDUE, NOW, TOMORROW, AFTER = -HOUR, HOUR, 20 * HOUR, 60 * HOUR
"""When a first clock runs out, from now: late, in this shift, in the next, later."""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world on each engine, for what the database finds."""
    with world_on(request.param, request, tmp_path_factory.mktemp("shifts") / "world") as opened:
        yield opened


@pytest.fixture(autouse=True)
def turns(monkeypatch: pytest.MonkeyPatch) -> Turns:
    """A shift that is on for three hours more and the next in twelve, whatever the clock says."""
    now = datetime.now(UTC)
    found = Turns(now + 3 * HOUR, now + 12 * HOUR, now + 20 * HOUR, now + 36 * HOUR)
    monkeypatch.setattr(Shifts, "turns", lambda *_: found)
    return found


def due(world: World, task: str, *lengths: timedelta) -> None:
    """Have the clocks of a case run out so long from now; without any, none runs."""
    timer, at = tables.case_timer, datetime.now(UTC)
    with world.services.database.writing() as connection:
        row = dict(connection.execute(select(timer).where(timer.c.referral_id == task).limit(1)).one()._mapping)
        connection.execute(delete(timer).where(timer.c.referral_id == task))
        for number, length in enumerate(lengths):
            name = f"{task[:-2]}{number:02d}"
            connection.execute(timer.insert(), {**row, "id": name, "due_at": timestamp(at + length)})


def page(client: ConsoleClient, query: str = "") -> Any:
    answer = client.get(f"{PATH}{query}")
    assert answer.status_code == httpx.codes.OK, answer.text
    return html.fromstring(answer.text)  # type: ignore[no-untyped-call]  # lxml has no types


def ids(tree: Any) -> list[str]:
    found: list[str] = tree.xpath("//tr/@data-id")
    return found


def number(tree: Any, name: str) -> int:
    """A number of the page; `own` is what is to be handed over."""
    return int(tree.xpath(f"//*[@data-kept='{name}']")[0].text_content())


def text(tree: Any) -> str:
    return " ".join(tree.xpath("//main")[0].text_content().split())


def test_a_case_falls_to_one_shift_by_its_first_clock_and_what_is_overdue_to_this_one_too(both: World) -> None:
    client = signed_in(both, ADVISER)
    before = page(client)
    late, now, next_, later, never = (pushed(both)[1] for _ in range(5))
    due(both, late, OVERDUE, TOMORROW)
    due(both, now, AFTER, NOW)
    due(both, next_, TOMORROW, AFTER)
    due(both, later, AFTER)
    due(both, never)
    made = {late, now, next_, later, never}
    expected = {
        "": made,
        "?shift=overdue": {late},
        "?shift=this-shift": {late, now},
        "?shift=next-shift": {next_},
        "?shift=later": {later, never},
    }
    for query, cases in expected.items():
        assert made & set(ids(page(client, query))) == cases, query
    after = page(client)
    grown = {name: number(after, name) - number(before, name) for name in ("overdue", "this-shift", "next-shift")}
    assert grown == {"overdue": 1, "this-shift": 2, "next-shift": 1}
    with both.services.database.writing() as connection:
        for task in made:
            connection.execute(delete(tables.case_timer).where(tables.case_timer.c.referral_id == task))


def test_a_shift_is_asked_of_a_part_and_an_area_and_every_link_keeps_it(world: World) -> None:
    here, there = pushed(world, town="Fleetwood")[1], pushed(world, town="Blackpool")[1]
    for task in (here, there):
        due(world, task, TOMORROW)
    client = signed_in(world, ADVISER)
    tree = page(client, "?shift=next-shift&whose=unassigned&area=wyre")
    assert {here, there} & set(ids(tree)) == {here}
    assert number(tree, "next-shift") == len(ids(tree))
    rows = tree.xpath("//tbody/@data-rows")[0]
    assert "shift=next-shift" in rows
    assert "area=wyre" in rows
    assert {one.get("value") for one in tree.xpath("//input[@name='shift']")} == {"next-shift"}
    of_lists = [href for href in tree.xpath("//nav[not(@aria-label='When it falls due')]//a/@href") if "whose=" in href]
    kept = [href for href in of_lists if "closed" not in href]
    assert kept
    assert all("shift=next-shift" in href and "area=wyre" in href for href in kept)
    current = [one.text_content() for one in tree.xpath("//main//a[@aria-current='page']")]
    assert current == ["Unassigned", f"Next shift ({len(ids(tree))})"]
    closed = page(client, "?whose=closed&shift=next-shift")
    assert not closed.xpath("//*[@id='shift']")


def test_the_page_says_which_shift_is_on_and_leads_to_what_is_to_be_handed_over(world: World) -> None:
    mine, others = pushed(world)[1], pushed(world)[1]
    assert change(world, mine, 1, status("accepted")).is_success
    for task in (mine, others):
        due(world, task, TOMORROW)
    client = signed_in(world, ADVISER)
    tree = page(client)
    assert "This shift ends " in text(tree)
    assert "The next begins " in text(tree)
    (link,) = [one for one in tree.xpath("//a") if "Yours to hand over" in one.text_content()]
    assert number(tree, "own") == 1
    listed = page(client, link.get("href").removeprefix(PATH))
    assert ids(listed) == [mine]
    button = listed.xpath("//tbody//a")[0]
    assert button.text_content().startswith("Hand over")
    form = client.form(
        client.get(button.get("href")), {"whom": "next-shift", "note": "Ring her sister first."}, at="hand-over"
    )
    assert form.submit().is_redirect
    assert ids(page(client, "?whose=mine&shift=next-shift")) == []
    (row,) = [
        one
        for one in page(signed_in(world, SECOND_ADVISER), "?whose=unassigned").xpath("//tbody/tr")
        if one.get("data-id") == mine
    ]
    assert "Nobody: handed over" in " ".join(row.text_content().split())


def test_while_nobody_is_there_the_page_says_who_is_on_call(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime.now(UTC)
    night = Turns(None, now + 9 * HOUR, now + 19 * HOUR, now + 33 * HOUR)
    monkeypatch.setattr(Shifts, "turns", lambda *_: night)
    client = signed_in(world, ADVISER)
    said = text(page(client))
    assert "Nobody is on shift until" in said
    assert "Nobody is on call." in said
    assert "Yours to hand over" not in said
    caller = ADVISER.caller("test")
    made, _ = world.run(set_on_call(world.services, caller, "idva-0043", now - HOUR, now + 9 * HOUR))
    assert "On call: idva-0043." in text(page(client))
    world.run(remove_on_call(world.services, caller, made))


def test_a_team_that_is_always_there_has_no_shifts_to_choose(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _, task = pushed(world)
    due(world, task, AFTER)
    monkeypatch.setattr(Shifts, "turns", lambda *_: None)
    client = signed_in(world, ADVISER)
    before = size(world)
    tree = page(client, "?shift=overdue")
    assert task in ids(tree)
    assert not tree.xpath("//*[@id='shift']")
    assert Event.REFERRALS_COUNTED not in {one.event for one in sealed(world, start=before)}


def test_a_number_tells_nothing_of_a_case_that_the_reader_may_not_see(world: World) -> None:
    """N15, P8: somebody connected with a party finds the list, its numbers and when it moves as if there were none."""
    kin = f"idva-{serial()}"
    client = signed_in(world, ADVISER, id=kin)
    _, task = pushed(world)
    due(world, task, 15 * timedelta(minutes=1))
    with_it = page(client)
    assert number(with_it, "this-shift") >= 1
    assert world.guardian.post("/governance/v1/staff", json={"user": kin, "family_names": ["Ashdown"]}).is_success
    tree = page(client)
    assert [number(tree, name) for name in ("overdue", "this-shift", "next-shift", "own")] == [0, 0, 0, 0]
    assert int(tree.xpath("//tbody/@data-moves-in")[0]) > 2 * HOUR.total_seconds()
    assert int(with_it.xpath("//tbody/@data-moves-in")[0]) <= HOUR.total_seconds()


def test_what_was_counted_is_sealed_as_a_number_before_it_is_shown(world: World) -> None:
    client = signed_in(world, ADVISER)
    before = size(world)
    tree = page(client)
    entries = sealed(world, start=before)
    (counted,) = [one for one in entries if one.event == Event.REFERRALS_COUNTED]
    shown = number(tree, "this-shift") + number(tree, "next-shift")
    assert counted.detail is not None
    assert (counted.detail["types"], counted.detail["total"]) == ("WorklistRow", 0)
    assert counted.detail["by_shift"] == shown
    assert (counted.actor.user, counted.reason) == (ADVISER.id, "worklist")


def test_more_cases_than_are_counted_are_said_to_be_at_least_so_many(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.worklist.by_shift.COUNTED_MAX", 2)
    assert COUNTED_MAX > 2
    for _ in range(3):
        due(world, pushed(world)[1], OVERDUE)
    tree = page(signed_in(world, ADVISER))
    assert tree.xpath("//*[@data-kept='overdue']")[0].text_content() == "2 or more"


def test_the_downtime_list_is_offered_for_the_part_that_is_looked_at(world: World) -> None:
    tasks = {name: pushed(world)[1] for name in ("next", "later")}
    due(world, tasks["next"], TOMORROW)
    due(world, tasks["later"], AFTER)
    client = signed_in(world, ADVISER)
    (link,) = [one for one in page(client, "?shift=next-shift").xpath("//a") if one.text_content() == "Downtime list"]
    word = "kestrel umbrella twelve"
    before = size(world)
    answer = client.form(client.get(link.get("href")), {"passphrase": word, "again": word}, at="downtime").submit()
    assert answer.status_code == httpx.codes.OK
    assert "Which referrals: all open, next shift." in text_of(answer, word)  # paper must say that it is a part
    disclosed = {one.case for one in sealed(world, start=before) if one.event == Event.REFERRAL_READ}
    assert tasks["next"] in disclosed
    assert tasks["later"] not in disclosed


def test_numbers_and_the_shift_renew_themselves(
    chromium: Chromium, live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A push is counted at once; and when a shift ends the page says so, though nothing was pushed."""

    async def journey() -> None:
        async with chromium.context(live, ADVISER, size=DESK) as visitor:
            page = await visitor.open(f"{PATH}?shift=this-shift")
            await expect(page.locator("#live")).to_contain_text("Live since")
            count = page.locator("[data-kept='this-shift']")
            first = int(await count.inner_text())
            (task,) = await asyncio.to_thread(live.push, incident(serial()))  # high: to be answered within the hour
            await page.locator(f"tr[data-id='{task}']").wait_for()
            await expect(count).to_have_text(str(first + 1))
            await shot(page, "desk-worklist-shift")
            await page.set_viewport_size(PHONE)
            await shot(page, "phone-worklist-shift")
            now = datetime.now(UTC)
            ends = now + timedelta(seconds=2)
            soon = Turns(ends, now + 12 * HOUR, now + 20 * HOUR, now + 36 * HOUR)
            night = Turns(None, soon.over, soon.next_ends, soon.next_over)
            monkeypatch.setattr(Shifts, "turns", lambda _, at, __: soon if at < ends else night)
            await page.reload()
            await expect(page.locator("#shift")).to_contain_text("This shift ends")
            await expect(page.locator("#shift")).to_contain_text("Nobody is on shift")
            assert visitor.said == []

    chromium.run(journey())
