"""The clocks of an agreement: how long until somebody must have answered.

A clock is an ISO 8601 duration in days, hours or minutes (`PT1H`), or a number of working days as practitioners count
them (`1 working day`): Monday to Friday in England, less the days the agreement calls closed. Nothing here asks the
time; the instant is an argument. Source: domain.md section 4.1.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache

from gateway.london import LONDON

_FORM = re.compile(
    r"(?P<working>[1-9][0-9]?) working days?"
    r"|P(?=[0-9T])(?:(?P<days>[0-9]{1,4})D)?(?:T(?=[0-9])(?:(?P<hours>[0-9]{1,4})H)?(?:(?P<minutes>[0-9]{1,4})M)?)?",
    re.ASCII,
)
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Clock:
    """How long: a duration, or a number of working days."""

    duration: timedelta
    working_days: int = 0

    def from_(self, now: datetime, closed: AbstractSet[date] = frozenset()) -> datetime:
        """The instant this clock, started now, runs out. `now` is aware; so is the answer, in the same zone.

        Working days end at the same time of day; one that begins on a closed day counts from the next open one.
        """
        if not self.working_days:
            return now + self.duration
        local = now.astimezone(LONDON)
        for _ in range(self.working_days):
            local += timedelta(days=1)
            while local.weekday() >= _SATURDAY or local.date() in closed:
                local += timedelta(days=1)
        return local.astimezone(now.tzinfo)


@cache
def clock(text: str) -> Clock:
    """The clock a text says; ValueError where it says none, or no time at all."""
    found = _FORM.fullmatch(text)
    if not found:
        raise ValueError("not a clock: an ISO 8601 duration in days, hours and minutes, or `2 working days`")
    if found["working"]:
        return Clock(timedelta(), int(found["working"]))
    parts = {unit: int(found[unit] or 0) for unit in ("days", "hours", "minutes")}
    if not any(parts.values()):
        raise ValueError("a clock of no time at all")
    return Clock(timedelta(**parts))
