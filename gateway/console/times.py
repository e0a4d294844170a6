"""Times and ages as people read them: in London, with the zone said, and how long ago or how soon.

Pure: the instant that is now is an argument. NHS content style: 23 November 2026, no leading zeros; the clock of 24
hours that police and hospitals use.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from gateway.london import LONDON, day_of

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_HOURS_UP_TO, _DAYS_UP_TO, _WEEKS_UP_TO = timedelta(hours=48), timedelta(days=21), timedelta(days=90)
_MONTH_DAYS, _YEAR_MONTHS = 30.44, 12  # of the calendar, on average; for ages of months, which nobody counts in days
_MONTHS_UP_TO = 24


def when(moment: datetime | None) -> str:
    """`23 November 2026 at 17:05 GMT`; what nobody stated is said so."""
    if moment is None:
        return "not known"
    here = moment.astimezone(LONDON)
    return f"{day(here.date())} at {here:%H:%M} {here.tzname()}"


def clock_time(moment: datetime) -> str:
    """`17:05 GMT`."""
    here = moment.astimezone(LONDON)
    return f"{here:%H:%M} {here.tzname()}"


def day(on: date | None) -> str:
    """`23 November 2026`."""
    return "not known" if on is None else f"{on.day} {on:%B} {on.year}"


def short_when(moment: datetime, now: datetime) -> str:
    """`today at 17:05`, `yesterday at 17:05`, `tomorrow at 17:05`, or `21 November at 17:05`; London's."""
    here = moment.astimezone(LONDON)
    days = (here.date() - day_of(now)).days
    near = {0: "today", -1: "yesterday", 1: "tomorrow"}.get(days)
    if near is None:
        near = f"{here.day} {here:%B}" + ("" if here.year == now.astimezone(LONDON).year else f" {here.year}")
    return f"{near} at {here:%H:%M}"


def span(length: timedelta) -> str:
    """A length of time in its largest sensible unit: `45 minutes`, `3 hours`, `6 days`, `5 weeks`, `14 months`."""
    if length < _MINUTE:
        return "less than a minute"
    if length < _HOUR:
        return _counted(length // _MINUTE, "minute")
    if length < _HOURS_UP_TO:
        return _counted(length // _HOUR, "hour")
    if length < _DAYS_UP_TO:
        return _counted(length.days, "day")
    if length < _WEEKS_UP_TO:
        return _counted(length.days // 7, "week")
    months = int(length.days / _MONTH_DAYS)
    return _counted(months, "month") if months < _MONTHS_UP_TO else _counted(months // _YEAR_MONTHS, "year")


def ago(moment: datetime | None, now: datetime) -> str:
    """`3 hours ago`; of an instant to come `in 3 hours`."""
    if moment is None:
        return "not known"
    passed = now - moment
    return f"{span(passed)} ago" if passed >= timedelta() else f"in {span(-passed)}"


def due(by: datetime | None, now: datetime) -> str:
    """How a clock stands: `Overdue by 2 hours`, `Due in 45 minutes`, or `No clock`."""
    if by is None:
        return "No clock"
    return f"Overdue by {span(now - by)}" if by <= now else f"Due in {span(by - now)}"


def years(born: date, on: date) -> int:
    """An age in whole years."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
