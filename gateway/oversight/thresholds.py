"""Where unusual begins: every threshold of the findings, with its reason, in one place.

A board may choose others; a report says which it was made with. None of them is a judgement of a person: a finding asks
somebody to look.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from gateway.london import LONDON


@dataclass(frozen=True, slots=True)
class Rota:
    """When a team works, by the clock in London. Days are numbered from Monday, 0. It may run past midnight."""

    days: frozenset[int] = frozenset(range(7))  # advisers ride along at weekends (domain.md section 0a)
    opens: time = time(7)
    closes: time = time(22)  # the end of the evening shift
    holidays: bool = True  # whether the days that the agreement calls closed are worked

    def works(self, at: datetime, closed: AbstractSet[date]) -> bool:
        """Whether the team works at an instant. The small hours belong to the day on which the shift began."""
        local = at.astimezone(LONDON)
        day, now = local.date(), local.time()
        past_midnight = self.closes <= self.opens
        if past_midnight and now < self.closes:
            day -= timedelta(days=1)
        elif not (now >= self.opens and (past_midnight or now < self.closes)):
            return False
        return day.weekday() in self.days and (self.holidays or day not in closed)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What each rule of `unusual.py` takes for unusual."""

    cases_an_hour: int = 20  # an adviser who opens one every three minutes reads, and does not work with them
    cases_a_day: int = 60  # a team of six sees some three new referrals a day (domain.md section 0a)
    action_hours: int = 72  # first contact is due in 24 hours at high risk, in two working days otherwise (4.1, step 7)
    refusals: int = 10  # a mistyped key or a stale link is refused a few times, and then somebody looks
    refusal_minutes: int = 10
    rota: Rota = field(default_factory=Rota)

    @property
    def action_window(self) -> timedelta:
        """How long before and after an opening somebody's action accounts for it."""
        return timedelta(hours=self.action_hours)

    @property
    def lookback(self) -> timedelta:
        """How much of the past decides what is found in a range."""
        return max(2 * self.action_window, timedelta(days=1), timedelta(minutes=self.refusal_minutes))
