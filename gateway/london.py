"""The clock in London, which is the police's: a log number, a rota and a profile's validity count in its days."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def day_of(moment: datetime) -> date:
    """The day of an instant, which has a time zone, by the clock in London."""
    return moment.astimezone(LONDON).date()
