"""When a team is there: its shifts by the week, and from when on nobody is there before a clock runs out.

Pure. Written as practitioners do: `mon-fri 08:00-18:00, sat-sun 10:00-16:00`, by the clock in London; a shift that ends
no later than it begins ends on the next day, and `always` is a team that is never away. Nobody is there on a day that
is closed: one that the agreement names, or a bank holiday of England. Either counts, for to call somebody who is there
all the same costs a telephone call, and to call nobody costs more.

Source: domain.md section 4.1 (working hours matter: escalate where a clock would lapse overnight).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

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

    def _spans(self, start: datetime, until: datetime, closed: AbstractSet[date]) -> Iterator[Span]:
        """The shifts that may touch the time between two instants, in UTC."""
        day = day_of(start) - timedelta(days=1)  # a shift of the day before may end on this one
        last = min(day_of(until), day + timedelta(days=_LOOKED_AHEAD))
        while day <= last:
            for begins, ends in (self.week or ((),) * 7)[day.weekday()] if _is_open(day, closed) else ():
                end_day = day if ends > begins else day + timedelta(days=1)
                yield _at(day, begins), _at(end_day, ends)
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


def _is_open(day: date, closed: AbstractSet[date]) -> bool:
    return day not in closed and day not in bank_holidays(day.year)


def _at(day: date, when: time) -> datetime:
    return datetime.combine(day, when, LONDON).astimezone(UTC)
