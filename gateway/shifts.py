"""When a team is there: its shifts by the week, whose turn it is, and from when on nobody is there before a clock ends.

Pure. Written as practitioners do: `mon-fri 08:00-18:00, sat-sun 10:00-16:00`, by the clock in London; a shift that ends
no later than it begins ends on the next day, and `always` is a team that is never away. Nobody is there on a day that
is closed: one that the agreement names, or a bank holiday of England. Either counts, for to call somebody who is there
all the same costs a telephone call, and to call nobody costs more.

A turn ends where somebody else takes over: when the shift ends, or, where nobody is there then, when the next begins,
for what runs out at night must be done by whoever is there in the evening.

Source: domain.md section 4.1 (working hours matter: escalate where a clock would lapse overnight).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import islice

from gateway.london import LONDON, day_of

ALWAYS = "always"
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FORM = re.compile(
    r"(?P<first>[a-z]{3})(?:-(?P<last>[a-z]{3}))? "
    r"(?P<start>[0-2][0-9]:[0-5][0-9])-(?P<end>[0-2][0-9]:[0-5][0-9])",
    re.ASCII,
)
_LOOKED_AHEAD = 400  # days: longer than any clock runs


Span = tuple[datetime, datetime]
"""From one instant up to, but not including, another."""


@dataclass(frozen=True, slots=True)
class Turns:
    """Whose turn it is now and whose it is next, in UTC.

    What falls due before `over` is for whoever is there now, what falls due from then until `next_over` for the shift
    after them. `ends` and `next_ends` are when the people of each go; `ends` is None while nobody is there.
    """

    ends: datetime | None
    over: datetime
    next_ends: datetime
    next_over: datetime


@dataclass(frozen=True, slots=True)
class Shifts:
    """The shifts of a week: for each day of it, from Monday, when they begin and end. None is a team always there."""

    week: tuple[tuple[tuple[time, time], ...], ...] | None

    def alone_from(self, started: datetime, due: datetime, closed: AbstractSet[date]) -> datetime | None:
        """From when on nobody is there before an instant that is due; None where somebody is there at that instant.

        In UTC, and no earlier than `started`. All instants are aware.
        """
        if self.week is None:
            return None
        left = started.astimezone(UTC)
        for begins, ends in self._spans(started, due, closed):
            if begins <= due < ends:
                return None
            if ends <= due:
                left = max(left, ends)
        return left

    def turns(self, now: datetime, closed: AbstractSet[date]) -> Turns | None:
        """Whose turn it is at an instant (aware); None for a team that is always there, or never."""
        most = max(map(len, self.week or ((),)))
        ahead = (one for one in self._spans(now, now + timedelta(days=_LOOKED_AHEAD), closed) if now < one[1])
        # Each turn is over within a day of its shift's beginning: three days' shifts and the next hold a turn.
        spans = tuple(islice(ahead, 2 * (3 * most + 1)))
        first = _turn(spans, now)
        second = _turn(spans, first[1]) if first else None
        if first is None or second is None or second[0] is None:
            return None
        return Turns(*first, second[0], second[1])

    def _spans(self, start: datetime, until: datetime, closed: AbstractSet[date]) -> Iterator[Span]:
        """The shifts that may touch the time between two instants, in UTC and in the order of their beginnings."""
        day = day_of(start) - timedelta(days=1)  # a shift of the day before may end on this one
        last = min(day_of(until), day + timedelta(days=_LOOKED_AHEAD))
        while day <= last:
            for begins, ends in (self.week or ((),) * 7)[day.weekday()] if _is_open(day, closed) else ():
                end_day = day if ends > begins else day + timedelta(days=1)
                span = _at(day, begins), _at(end_day, ends)
                if span[0] < span[1]:  # one that lies in the hour which a spring night leaves out is none
                    yield span
            day += timedelta(days=1)


@cache
def shifts(text: str) -> Shifts:
    """The shifts a text says; ValueError where it says none."""
    if text.strip() == ALWAYS:
        return Shifts(None)
    week: list[list[tuple[time, time]]] = [[] for _ in _DAYS]
    for part in text.split(","):
        found = _FORM.fullmatch(part.strip())
        if not found or not {found["first"], found["last"] or found["first"]} <= set(_DAYS):
            raise ValueError("not shifts: write `mon-fri 08:00-18:00, sat-sun 10:00-16:00`, or `always`")
        first, last = _DAYS.index(found["first"]), _DAYS.index(found["last"] or found["first"])
        for day in range(first, last + 1 + (len(_DAYS) if last < first else 0)):
            week[day % len(_DAYS)].append((time.fromisoformat(found["start"]), time.fromisoformat(found["end"])))
    return Shifts(tuple(tuple(sorted(day)) for day in week))


@cache
def bank_holidays(year: int) -> frozenset[date]:
    """The bank holidays of England in a year, substitute days among them."""
    import holidays  # noqa: PLC0415 - a tenth of a second that a command without clocks need not wait

    return frozenset(holidays.country_holidays("GB", subdiv="ENG", years=year))


def _turn(spans: tuple[Span, ...], now: datetime) -> tuple[datetime | None, datetime] | None:
    """When the first to go of those who are there goes, and when others have taken over; None where nobody will."""
    ends = min((ends for begins, ends in spans if begins <= now < ends), default=None)
    left = now if ends is None else ends
    if ends is not None and any(begins <= left < ends for begins, ends in spans):
        return ends, left
    begins = min((begins for begins, _ in spans if begins >= left), default=None)
    return None if begins is None else (ends, begins)


def _is_open(day: date, closed: AbstractSet[date]) -> bool:
    return day not in closed and day not in bank_holidays(day.year)


def _at(day: date, when: time) -> datetime:
    return datetime.combine(day, when, LONDON).astimezone(UTC)
