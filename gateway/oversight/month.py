"""A calendar month in England: what a monthly report covers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.london import LONDON

_FORM = re.compile(r"(?P<year>20[0-9]{2})-(?P<month>0[1-9]|1[0-2])", re.ASCII)
_DECEMBER = 12


@dataclass(frozen=True, slots=True)
class Month:
    """From the first instant of a month by the clock in London, up to but not including that of the next."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> Month:
        """Read `2026-11`. Raises ValueError."""
        found = _FORM.fullmatch(text)
        if found is None:
            raise ValueError("a month is written 2026-11")
        return cls(int(found["year"]), int(found["month"]))

    @property
    def start(self) -> datetime:
        """Its first instant, in UTC."""
        return datetime(self.year, self.month, 1, tzinfo=LONDON).astimezone(UTC)

    @property
    def stop(self) -> datetime:
        """The first instant after it, in UTC."""
        return self.next.start

    @property
    def next(self) -> Month:
        """The month after it."""
        return Month(self.year + 1, 1) if self.month == _DECEMBER else Month(self.year, self.month + 1)

    def __str__(self) -> str:
        """`2026-11`."""
        return f"{self.year}-{self.month:02}"
