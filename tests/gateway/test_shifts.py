"""Whose turn it is: shift boundaries by the clock in London, nights, clock changes, days off."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.shifts import Turns, shifts

WEEK = "mon-fri 08:00-18:00"
ROUND_THE_CLOCK = "mon-sun 06:00-14:00, mon-sun 14:00-22:00, mon-sun 22:00-06:00"
OVERLAPPING = "mon-sun 08:00-16:00, mon-sun 14:00-22:00"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("pattern", "now", "ends", "over", "next_ends", "next_over"),
    [
        pytest.param(
            *(WEEK, "2026-11-23T10:00", "2026-11-23T18:00", "2026-11-24T08:00", "2026-11-24T18:00", "2026-11-25T08:00"),
            id="what runs out at night is for whoever is there before it",
        ),
        pytest.param(
            *(WEEK, "2026-11-23T20:00", None, "2026-11-24T08:00", "2026-11-24T18:00", "2026-11-25T08:00"),
            id="in the evening nobody is there until the morning",
        ),
        pytest.param(
            *(WEEK, "2026-11-27T17:59", "2026-11-27T18:00", "2026-11-30T08:00", "2026-11-30T18:00", "2026-12-01T08:00"),
            id="on Friday the next shift is Monday's",
        ),
        pytest.param(
            *(WEEK, "2026-11-23T18:00", None, "2026-11-24T08:00", "2026-11-24T18:00", "2026-11-25T08:00"),
            id="a shift is over at the instant it ends",
        ),
        pytest.param(
            *(WEEK, "2026-11-23T08:00", "2026-11-23T18:00", "2026-11-24T08:00", "2026-11-24T18:00", "2026-11-25T08:00"),
            id="and there at the instant it begins",
        ),
        pytest.param(
            *(WEEK, "2026-12-24T12:00", "2026-12-24T18:00", "2026-12-29T08:00", "2026-12-29T18:00", "2026-12-30T08:00"),
            id="Christmas, a weekend and the substitute day pass by",
        ),
        pytest.param(
            ROUND_THE_CLOCK,
            *("2026-11-23T23:30", "2026-11-24T06:00", "2026-11-24T06:00", "2026-11-24T14:00", "2026-11-24T14:00"),
            id="a night shift before midnight",
        ),
        pytest.param(
            ROUND_THE_CLOCK,
            *("2026-11-24T03:00", "2026-11-24T06:00", "2026-11-24T06:00", "2026-11-24T14:00", "2026-11-24T14:00"),
            id="the same shift after midnight",
        ),
        pytest.param(
            ROUND_THE_CLOCK,
            *("2026-10-24T22:00", "2026-10-25T06:00", "2026-10-25T06:00", "2026-10-25T14:00", "2026-10-25T14:00"),
            id="the autumn night is an hour longer",  # 22:00 UTC is 23:00 BST; 06:00 GMT is 06:00 UTC
        ),
        pytest.param(
            ROUND_THE_CLOCK,
            *("2026-03-28T23:00", "2026-03-29T05:00", "2026-03-29T05:00", "2026-03-29T13:00", "2026-03-29T13:00"),
            id="the spring night is an hour shorter",  # 06:00 BST is 05:00 UTC
        ),
        pytest.param(
            OVERLAPPING,
            *("2026-11-23T15:00", "2026-11-23T16:00", "2026-11-23T16:00", "2026-11-23T22:00", "2026-11-24T08:00"),
            id="of two that overlap the first to go hands over to those who stay",
        ),
        pytest.param(
            "mon 09:00-17:00",
            *("2026-11-25T12:00", None, "2026-11-30T09:00", "2026-11-30T17:00", "2026-12-07T09:00"),
            id="a team that is there once a week",
        ),
    ],
)
def test_whose_turn_it_is(pattern: str, now: str, ends: str | None, over: str, next_ends: str, next_over: str) -> None:
    expected = Turns(at(ends) if ends else None, at(over), at(next_ends), at(next_over))
    assert shifts(pattern).turns(at(now), frozenset()) == expected


def test_a_day_that_the_agreement_closes_is_nobodys_turn() -> None:
    found = shifts(WEEK).turns(at("2026-11-23T10:00"), frozenset({date(2026, 11, 24)}))
    assert found is not None
    assert found.over == at("2026-11-25T08:00")


def test_a_team_that_is_always_there_has_no_turns() -> None:
    assert shifts("always").turns(at("2026-11-23T10:00"), frozenset()) is None


def test_a_team_that_is_never_there_again_has_no_turns() -> None:
    closed = frozenset(date(2026, 11, 1) + timedelta(days=number) for number in range(500))
    assert shifts(WEEK).turns(at("2026-11-23T10:00"), closed) is None


def test_a_shift_inside_the_hour_that_spring_leaves_out_is_none() -> None:
    found = shifts("sun 01:45-02:15, sun 08:00-09:00").turns(at("2026-03-28T12:00"), frozenset())
    assert found == Turns(None, at("2026-03-29T07:00"), at("2026-03-29T08:00"), at("2026-04-05T00:45"))


_TIMES = st.sampled_from([f"{hour:02d}:{minute:02d}" for hour in range(24) for minute in (0, 30)])
_PARTS = st.tuples(st.sampled_from(("mon-fri", "mon-sun", "sat-sun", "fri-mon", "wed")), _TIMES, _TIMES)


@given(
    parts=st.lists(_PARTS, min_size=1, max_size=4),
    minutes=st.integers(min_value=0, max_value=7 * 24 * 60),
    week=st.sampled_from(["2026-03-25T00:00", "2026-10-21T00:00", "2026-12-22T00:00", "2026-06-10T00:00"]),
)
def test_it_is_what_somebody_finds_who_walks_through_the_half_hours(
    parts: list[tuple[str, str, str]], minutes: int, week: str
) -> None:
    """A slow twin: whether somebody is there is asked of `alone_from`, which knows nothing of turns."""
    of = shifts(", ".join(f"{days} {begins}-{ends}" for days, begins, ends in parts))
    now = at(week) + timedelta(minutes=minutes)
    found = of.turns(now, frozenset())
    assert found is not None

    def there(moment: datetime) -> bool:
        return of.alone_from(moment, moment, frozenset()) is None

    assert now < found.over < found.next_over
    assert (found.ends is not None) is there(now)
    assert found.ends is None or now < found.ends <= found.over
    assert there(found.over)
    assert found.over < found.next_ends <= found.next_over
    assert there(found.next_over)
    for left, over in ((found.ends or now, found.over), (found.next_ends, found.next_over)):
        moment = left
        while moment < over:  # nobody is there until the turn is over
            assert not there(moment)
            moment += timedelta(minutes=30) if moment.minute % 30 == 0 else timedelta(minutes=1)
