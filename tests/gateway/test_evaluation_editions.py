"""Editions: whoever asks again is given the same numbers, fewer quarters tell nothing new, and a recount says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import combinations
from random import Random

import pytest
from sqlalchemy import func, select

from gateway.agreement import shipped
from gateway.demo.run import LOG
from gateway.errors import BadParameter
from gateway.evaluation.coded import Case, Said, Victim
from gateway.evaluation.counting import Tables, count
from gateway.evaluation.definitions import ENGAGED, SPOKEN
from gateway.evaluation.edition import Edition, edition_for, latest
from gateway.evaluation.making import Asked, make, make_here
from gateway.evaluation.period import Period
from gateway.evaluation.report import Report
from gateway.evaluation.sheets import COMPARED_WORDS, count_words, sheets
from gateway.evaluation.suppression import SMALL, Shown
from gateway.store import tables
from tests.journeys.support import pushed, world_on
from tests.support.console import EVALUATOR
from tests.support.world import World

NOW = datetime.now(UTC).replace(microsecond=0)
ALL = Asked(Period.closed(NOW))


def made(world: World, asked: Asked = ALL) -> Report:
    return make_here(world.services, LOG, asked).report


def engage(world: World, task: str) -> None:
    done = world.hospital.post(f"/team/v1/referrals/{task}/acts", json={"acts": [{"act": "engage", "level": "full"}]})
    assert done.is_success


def kept(world: World) -> int:
    with world.services.database.reading() as connection:
        found: int = connection.execute(select(func.count()).select_from(tables.evaluation_edition)).scalar_one()
        return found


def test_whoever_asks_again_is_given_the_same_until_it_is_counted_again_and_says_so(
    engine_name: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with world_on(engine_name, request, tmp_path_factory.mktemp("editions") / "world") as world:
        assert made(world).tables.referred[-1][-1] == 0
        assert kept(world) == 0, "of nobody there is nothing to keep"
        tasks = [pushed(world)[1] for _ in range(11)]
        for task in tasks[:5]:
            engage(world, task)
        first = made(world)
        engage(world, tasks[5])  # what one report would tell beside the next
        second = made(world)
        assert (first.tables.rate("engaged").above[-1][-1], first.tables.referred[-1][-1]) == (5, 11)
        assert second.tables == first.tables
        assert (second.edition, kept(world)) == (first.edition, 1)
        revised = made(world, Asked(ALL.period, revise=True))
        assert (revised.tables.rate("engaged").above[-1][-1], revised.edition.revision) == (6, 2)
        assert "Revision 2: counted again" in count_words(revised)
        assert made(world).edition == revised.edition
        assert [one.entry().detail for one in world.entries()[-2:]] == [
            {"what": "evaluation", "from": str(ALL.period.starts), "until": str(ALL.period.until)}
            | {"edition": first.edition.name.id, "revision": 2}
        ] * 2
        with world.services.database.reading() as connection:
            assert latest(connection, LOG, first.edition.name, "0" * 64) == (None, 0), "another agreement has its own"


def test_of_two_who_ask_first_at_once_one_counts_and_both_are_given_it(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with world_on("sqlite", request, tmp_path_factory.mktemp("at-once") / "world") as world:
        for _ in range(5):
            pushed(world)
        caller = EVALUATOR.caller("test")

        async def both() -> list[Edition]:
            found = await asyncio.gather(*(make(world.services, caller, ALL) for _ in range(4)))
            return [one.report.edition for one in found]

        found = world.run(both())
        assert [one.counted for one in found] == [found[0].counted] * 4
        assert kept(world) == 1


@pytest.mark.parametrize(
    ("starts", "until"),
    [
        (lambda closed: closed.starts, lambda since: since.until),
        (lambda closed: closed.quarters[0].before.starts, None),
    ],
)
def test_what_is_closed_is_not_mixed_with_what_is_not_nor_with_what_is_too_old(
    starts: Callable[[Period], object], until: Callable[[Period], object] | None
) -> None:
    closed, since = Period.closed(NOW), Period.unfinished(NOW)
    period = Period.parse(str(starts(closed)), str(until(since) if until else closed.until))
    with pytest.raises(BadParameter):
        edition_for(period, NOW)


def test_an_edition_is_of_eight_closed_quarters_until_the_next_is_closed_or_of_a_calendar_week() -> None:
    def name(now: str) -> str:
        at = datetime.fromisoformat(now)
        return f"{edition_for(Period.closed(at), at).id}, {edition_for(Period.unfinished(at), at).id}"

    assert name("2026-10-28T22:59:59Z") == "2026-Q2, 2026-Q4-2026-W44"
    assert name("2026-10-28T23:00:00Z") == "2026-Q3, 2026-Q4-2026-W44"
    assert name("2026-11-29T23:59:59Z") == "2026-Q3, 2026-Q4-2026-W48"
    assert name("2026-11-30T00:00:00Z") == "2026-Q3, 2026-Q4-2026-W49"
    assert name("2026-07-05T23:00:00Z") == "2026-Q1, 2026-Q3-2026-W28", "a week begins at midnight in London"


def test_the_report_says_since_when_it_stands_until_when_and_what_that_does_not_prevent() -> None:
    at = datetime(2026, 11, 25, 12, tzinfo=UTC)
    closed, since = Period.closed(at), Period.unfinished(at)
    assert "Counted on 25 November 2026 and given unchanged until 29 January 2027" in said(closed, at)
    assert "Counted on 25 November 2026 and given unchanged until 30 November 2026" in said(since, at)
    assert "Unfinished" in said(since, at)
    assert "Unfinished" not in said(closed, at)
    assert COMPARED_WORDS in said(closed, at)


def said(period: Period, at: datetime) -> str:
    edition = Edition(edition_for(period, at), 1, at, tallied(Random(0), period, 60), (), frozenset(), (), ())
    agreement = shipped()
    report = Report(agreement.content.title, agreement.id, 1, "", "evaluation", period, at, edition, edition.tables, ())
    (rows,) = [one.rows for one in sheets(report) if one.id == "definitions"]
    assert rows[-1] == ("This count", count_words(report), "", "")
    return count_words(report)


def test_fewer_quarters_tell_nothing_that_all_of_them_do_not(seed: int) -> None:
    period = Period.closed(NOW)
    random = Random(seed)
    for victims in (40, 150, 600):
        whole = tallied(random, period, victims)
        for columns in combinations(range(len(period.quarters) + 1), 2):
            part = whole.part(columns)
            if columns == (0, len(period.quarters)):
                assert part is whole
                continue
            for mine, theirs in zip(shown(part), shown(whole), strict=True):
                for line, full in zip(mine, theirs, strict=True):
                    assert line[:-1] == full[slice(*columns)]
                    assert line[-1] == (None if None in line[:-1] else sum(one or 0 for one in line[:-1]))
            for row, spreads in enumerate(part.spreads):
                if not part.rate("timed").above[row][-1]:
                    assert (spreads[-1].median, spreads[-1].slow) == (None, None)
            assert {(one.unstated, one.withheld) for one in part.rates} == {(None, None)}


def test_of_those_who_were_reached_and_did_not_engage_no_few_are_told(seed: int) -> None:
    random, told = Random(seed), 0
    for victims in (60, 200, 400):
        found = tallied(random, Period.closed(NOW), victims)
        reached, engaged = found.rate("reached"), found.rate("engaged")
        for more, less in zip(reached.above, engaged.above, strict=True):
            for one, other in zip(more, less, strict=True):
                assert one is not None or other is None
                if one is not None and other is not None:
                    told += 1
                    assert not 0 < one - other < SMALL
        assert (reached.unstated is None) is (engaged.unstated is None)
    assert told


def shown(found: Tables) -> list[Shown]:
    return [found.referred, found.children, *(one for rate in found.rates for one in (rate.above, rate.below))]


def tallied(random: Random, period: Period, number: int) -> Tables:
    """The tables of victims drawn by chance."""
    areas = dict(shipped().content.areas)
    every = []
    for at in range(number):
        day = random.choice(period.quarters).starts + timedelta(days=random.randrange(80))
        when = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        codes = [code for code in (SPOKEN, ENGAGED) if random.random() < 0.6]
        every.append(
            Victim(
                (
                    Case(
                        id=f"v{at}",
                        at=when,
                        area=random.choice(list(areas)),
                        reported=when,
                        had=when + timedelta(minutes=random.randrange(300)),
                        child=bool(at % 2),
                        children=at % 2,
                        words=tuple(Said(code, when) for code in codes),
                    ),
                )
            )
        )
    return count(every, period, areas)
