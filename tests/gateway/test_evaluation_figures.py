"""The figures: what each counts, in whichever order things were said, and what nobody knows is nobody's yes or no."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.evaluation.baseline import BaselineInvalid, read_baseline, shipped
from gateway.evaluation.coded import Case, Said, Victim
from gateway.evaluation.counting import count
from gateway.evaluation.definitions import RATES, STATUS, WISHES, Found, latency
from gateway.evaluation.period import Period, PeriodInvalid, Quarter
from gateway.evaluation.sheets import duration
from gateway.evaluation.words import word_of

START = datetime(2026, 2, 3, 21, 30, tzinfo=UTC)
PERIOD = Period.parse("2026-01-01", "2026-07-01")
FIND: Mapping[str, Callable[[Victim], Found]] = {one.id: one.finds for one in RATES}


def case(*acts: tuple[str, Mapping[str, Any]], **more: Any) -> Case:
    """A referral on which acts were recorded, an hour apart."""
    words = tuple(
        Said(word.code, START + timedelta(hours=at), word.value)
        for at, (kind, codes) in enumerate(acts, start=1)
        for word in word_of(kind, codes)
    )
    plain: dict[str, Any] = {"id": "r1", "at": START, "area": "wyre", "words": words, "child": False, "children": 0}
    return Case(**plain | more)


ACKNOWLEDGED: tuple[str, Mapping[str, Any]] = ("acknowledge", {})
REACHED = ("contact-attempt", {"channel": "phone", "result": "reached"})
MISSED = ("contact-attempt", {"channel": "phone", "result": "no-answer"})
SAFER = ("close", {"how": "planned", "exit": {"safer": "yes"}})


@pytest.mark.parametrize(
    ("figure", "of", "found"),
    [
        ("reached", case(ACKNOWLEDGED, MISSED), Found.NO),
        ("reached", case(MISSED, REACHED), Found.YES),
        ("reached", case(("decline", {"reason": "not-now"})), Found.YES),
        ("reached", case(), Found.UNSTATED),
        ("reached", case(withheld=frozenset({STATUS})), Found.WITHHELD),
        ("engaged", case(REACHED), Found.NO),
        ("engaged", case(("engage", {"level": "limited"})), Found.YES),
        ("engaged", case(("engage", {"level": "full"}), ("decline", {})), Found.YES),
        ("supporting", case(REACHED), Found.UNSTATED),
        ("supporting", case(("supports-prosecution", {"value": "yes"})), Found.YES),
        ("supporting", case(("supports-prosecution", {"value": "undecided"})), Found.UNSTATED),
        (
            "supporting",
            case(("supports-prosecution", {"value": "yes"}), ("supports-prosecution", {"value": "withdrawn"})),
            Found.NO,
        ),
        ("supporting", case(withheld=frozenset({WISHES})), Found.WITHHELD),
        ("safer", case(SAFER), Found.YES),
        ("safer", case(("close", {"how": "planned", "exit": {"safer": "no"}})), Found.NO),
        ("safer", case(("close", {"how": "planned", "exit": {"safer": "not-known"}})), Found.UNSTATED),
        ("safer", case(("close", {"how": "unplanned"})), Found.UNSTATED),
        ("with-children", case(child=True, children=2), Found.YES),
        ("with-children", case(), Found.NO),
        ("with-children", case(child=None, children=None), Found.UNSTATED),
        ("timed", case(reported=START, had=START + timedelta(hours=1)), Found.YES),
        ("timed", case(reported=START), Found.UNSTATED),
    ],
)
def test_a_figure_finds_what_was_said_of_a_victim(figure: str, of: Case, found: Found) -> None:
    assert FIND[figure](Victim((of,))) is found


@pytest.mark.parametrize(
    ("days", "found"),
    [((0,), Found.NO), ((0, 0), Found.NO), ((0, 5), Found.YES), ((0, 364), Found.YES), ((0, 400), Found.NO)],
)
def test_a_repeat_is_on_a_later_day_within_twelve_months(days: tuple[int, ...], found: Found) -> None:
    cases = tuple(case(id=f"r{at}", at=START + timedelta(days=day)) for at, day in enumerate(days))
    assert FIND["repeated"](Victim(cases)) is found


def test_a_time_counts_from_the_report_and_an_adviser_at_the_scene_was_there_at_once() -> None:
    assert latency(case(reported=START, had=START + timedelta(minutes=40))) == timedelta(minutes=40)
    assert latency(case(reported=START, had=START - timedelta(minutes=5))) == timedelta(0)
    assert latency(case(had=START)) is None


def victims(number: int, **more: Any) -> list[Victim]:
    return [Victim((case(REACHED, id=f"v{at}", **more),)) for at in range(number)]


def test_a_victim_is_counted_once_where_and_when_she_was_first_referred() -> None:
    twice = [
        Victim((case(id=f"a{at}"), case(id=f"b{at}", at=START + timedelta(days=80), area="fylde"))) for at in range(6)
    ]
    tables = count(twice, PERIOD, {"fylde": "Fylde", "wyre": "Wyre"})
    assert tables.axes.areas == ("Fylde", "Wyre", "Total")
    assert tables.axes.quarters == ("2026 Q1", "2026 Q2", "Total")
    assert tables.referred == ((0, 0, 0), (6, 0, 6), (6, 0, 6))
    assert tables.rate("repeated").above == ((0, 0, 0), (6, 0, 6), (6, 0, 6))


def test_an_area_that_is_not_released_or_not_the_agreements_is_counted_as_not_stated() -> None:
    tables = count([*victims(6, area=None), *victims(5)], PERIOD, {"wyre": "Wyre"})
    assert tables.axes.areas == ("Wyre", "Not stated", "Total")
    assert [row[-1] for row in tables.referred] == [5, 6, 11]


def test_the_slow_end_is_told_of_twenty_and_the_median_of_five() -> None:
    def took(*minutes: int) -> list[Victim]:
        return [
            Victim((case(id=f"v{at}", reported=START, had=START + timedelta(minutes=one)),))
            for at, one in enumerate(minutes)
        ]

    five = count(took(1, 2, 3, 4, 100), PERIOD, {"wyre": "Wyre"}).spreads[-1][-1]
    assert (five.median, five.slow) == (timedelta(minutes=3), None)
    twenty = count(took(*range(1, 21)), PERIOD, {"wyre": "Wyre"}).spreads[-1][-1]
    assert (twenty.median, twenty.slow) == (timedelta(minutes=10, seconds=30), timedelta(minutes=19))
    four = count(took(1, 2, 3, 4), PERIOD, {"wyre": "Wyre"}).spreads[-1][-1]
    assert (four.median, four.slow) == (None, None)


def test_a_period_is_of_whole_quarters_in_london() -> None:
    assert [str(one) for one in PERIOD.quarters] == ["2026 Q1", "2026 Q2"]
    assert PERIOD.last_instant == datetime(2026, 6, 30, 23, tzinfo=UTC)
    assert str(Quarter.of(datetime(2026, 6, 30, 23, 30, tzinfo=UTC))) == "2026 Q3"


@pytest.mark.parametrize(
    ("now", "closed", "unfinished"),
    [
        ("2026-10-28T22:59:59Z", "2024-07-01 to 2026-07-01", "2026-07-01 to 2027-01-01"),
        ("2026-10-29T00:00:00Z", "2024-10-01 to 2026-10-01", "2026-10-01 to 2027-01-01"),
        ("2027-01-28T23:59:59Z", "2024-10-01 to 2026-10-01", "2026-10-01 to 2027-04-01"),
        ("2027-01-29T00:00:00Z", "2025-01-01 to 2027-01-01", "2027-01-01 to 2027-04-01"),
    ],
)
def test_a_quarter_is_closed_four_weeks_after_its_end(now: str, closed: str, unfinished: str) -> None:
    at = datetime.fromisoformat(now)
    assert (str(Period.closed(at)), str(Period.unfinished(at))) == (closed, unfinished)
    assert Period.closed(at).closes <= at


@pytest.mark.parametrize(
    ("starts", "until"),
    [
        ("2026-01-02", "2026-04-01"),
        ("2026-02-01", "2026-04-01"),
        ("2026-04-01", "2026-04-01"),
        ("2026-07-01", "2026-04-01"),
        ("2000-01-01", "2026-04-01"),
        ("first of May", "2026-04-01"),
    ],
)
def test_a_period_that_could_be_shifted_by_a_day_is_refused(starts: str, until: str) -> None:
    with pytest.raises(PeriodInvalid):
        Period.parse(starts, until)


def test_what_was_published_is_read_with_its_source_and_a_mistake_is_named() -> None:
    known = {(one.figure, one.when): one.value for one in shipped()}
    assert known["engaged", "before"] == "21.5 %"
    assert known["supporting", "before"] == "14.4 %"
    assert known["latency", "before"] == "96 to 120 hours"
    for text, place in (
        ('[[published]]\nfigure = "engaged"\nwhen = "before"\nper_cent = 1\nwords = "w"', "source"),
        (
            '[[published]]\nfigure = "mood"\nwhen = "before"\nper_cent = 1\nwords = "w"\nsource = "s"',
            "figure is one of",
        ),
        ('[[published]]\nfigure = "latency"\nwhen = "before"\nper_cent = 1\nwords = "w"\nsource = "s"', "hours"),
        ("published = 1", "published"),
        ("published = [", "Invalid"),
    ):
        with pytest.raises(BaselineInvalid, match=place):
            read_baseline(text)


def test_a_time_is_said_in_words() -> None:
    said = [duration(timedelta(minutes=one)) for one in (3, 75, 2_879, 2_880, 6_000)]
    assert said == ["3 min", "1 h 15 min", "47 h 59 min", "2 d 0 h", "4 d 4 h"]
