"""What a report covers: whole calendar quarters by the clock in London.

A period that could begin on any day would let whoever asks twice take one day's people out of the difference; quarters
are the least that can be asked for. A quarter is closed four weeks after its end: by then what is recorded late is in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

from gateway.london import LONDON

MONTHS = 3
MOST_QUARTERS = 40  # ten years: longer than anything here is kept

LATE = timedelta(days=28)
"""How long after its end a quarter waits for what is recorded late; then it is closed."""
TWO_YEARS = 8
"""Quarters of what is reported on: the last that are closed."""


class PeriodInvalid(ValueError):
    """The period is not one of whole quarters; the words say why."""


@dataclass(frozen=True, slots=True, order=True)
class Quarter:
    """A calendar quarter; `first` is its first month: 1, 4, 7 or 10."""

    year: int
    first: int

    @classmethod
    def of(cls, moment: datetime) -> Quarter:
        """The quarter an instant is in, in London."""
        day = moment.astimezone(LONDON).date()
        return cls(day.year, day.month - (day.month - 1) % MONTHS)

    @property
    def starts(self) -> date:
        """Its first day."""
        return date(self.year, self.first, 1)

    @property
    def next(self) -> Quarter:
        """The quarter after it."""
        return Quarter(self.year + 1, 1) if self.first + MONTHS > _DECEMBER else Quarter(self.year, self.first + MONTHS)

    @property
    def before(self) -> Quarter:
        """The quarter before it."""
        return Quarter(self.year, self.first - MONTHS) if self.first > MONTHS else Quarter(self.year - 1, _OCTOBER)

    def __str__(self) -> str:
        """`2026 Q3`."""
        return f"{self.year} Q{(self.first + MONTHS - 1) // MONTHS}"


_OCTOBER, _DECEMBER = 10, 12


@dataclass(frozen=True)
class Period:
    """From the first day of one quarter up to, and not including, that of another."""

    starts: date
    until: date

    def __post_init__(self) -> None:
        """Raise PeriodInvalid where these are no whole quarters, none, or too many."""
        for day in (self.starts, self.until):
            if day.day != 1 or day.month % MONTHS != 1:
                raise PeriodInvalid("a period begins and ends on the first day of January, April, July or October")
        if self.until <= self.starts:
            raise PeriodInvalid("a period ends after it begins")
        if self.until.year - self.starts.year > MOST_QUARTERS // 4:
            raise PeriodInvalid("a period is of ten years at most")

    @classmethod
    def parse(cls, starts: str, until: str) -> Period:
        """Read two days, as 2024-04-01. Raises PeriodInvalid."""
        try:
            return cls(date.fromisoformat(starts), date.fromisoformat(until))
        except PeriodInvalid:
            raise
        except ValueError:
            raise PeriodInvalid("a day is written 2024-04-01") from None

    @classmethod
    def closed(cls, now: datetime) -> Period:
        """The two years of quarters that are closed at an instant."""
        last = Quarter.of(now - LATE).before
        first = last
        for _ in range(TWO_YEARS - 1):
            first = first.before
        return cls(first.starts, last.next.starts)

    @classmethod
    def unfinished(cls, now: datetime) -> Period:
        """The quarters since: the one that is now, and in its first four weeks the one before it."""
        return cls(cls.closed(now).until, Quarter.of(now).next.starts)

    @property
    def closes(self) -> datetime:
        """When its last quarter is closed, in UTC."""
        return self.last_instant + LATE

    @cached_property
    def quarters(self) -> tuple[Quarter, ...]:
        """Its quarters, in order."""
        return tuple(self._quarters())

    @property
    def first_instant(self) -> datetime:
        """When it begins, in UTC."""
        return _midnight(self.starts)

    @property
    def last_instant(self) -> datetime:
        """The first instant after it, in UTC."""
        return _midnight(self.until)

    def _quarters(self) -> Iterator[Quarter]:
        one = Quarter(self.starts.year, self.starts.month)
        while one.starts < self.until:
            yield one
            one = one.next

    def __str__(self) -> str:
        """`2024-04-01 to 2026-04-01`."""
        return f"{self.starts.isoformat()} to {self.until.isoformat()}"


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=LONDON).astimezone(UTC)
