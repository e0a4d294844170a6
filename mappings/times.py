"""Dates and times as police systems write them, read without a guess.

A date is ISO 8601, DD/MM/YYYY (also with dots or hyphens) or "12 Apr 2026"; a two-digit year is not read. A time
without an offset is Europe/London. What was skipped when the clocks went forward is not read; what happened twice when
they went back is taken as the first, with a finding. Every moment comes out in UTC: RFC 3339 can say it, and two of
them compare.

Source: domain.md section 1.1 (irregular dates of the iHub example), 1.3 (`reported_at`: Europe/London).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from mappings.outcome import Cannot, Noted

_LONDON = ZoneInfo("Europe/London")
_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {m: i for i, m in enumerate(_MONTH_NAMES, start=1)}
_NUMERIC = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})", re.ASCII)
_WORDED = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[ -]([a-z]{3,9})\.?,?[ -](\d{4})", re.ASCII | re.IGNORECASE)
_ISO = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})", re.ASCII)
_CLOCK = re.compile(
    r"(\d{1,2}):?(\d{2})(?::?(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|[+-]\d{2}:?\d{2})?\s*(?:hrs|hours)?",
    re.ASCII | re.IGNORECASE,
)
_ISO_MOMENT = re.compile(r"(?:19|20)\d{2}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:Z|[+-]\d{2}:\d{2})?", re.ASCII)
_ISO_CLOCK = re.compile(r"\d{2}:\d{2}:\d{2}(?:Z|[+-]\d{2}:\d{2})?", re.ASCII)
_HOUR, _LOCAL = len("2026-04-12T21"), len("2026-04-12T21:40:00")
_BRITISH = {len("12/04/2026 21:40"), len("12/04/2026 21:40:10")}
_BRITISH_DAY = len("12/04/2026")
_CENTURIES, _COLON = {"19", "20"}, {"", ":"}
_YEAR = re.compile(r"\d{4}", re.ASCII)
_FIRST_YEAR = 1880  # before this nobody in a record is alive, and a date is a typing error
_LAST_YEAR = 2200


def read_date(value: object) -> date:
    """A date; a date-time gives the date it was in London. Raises `Cannot`."""
    found, rest = _split(_text(value))
    if not rest:
        return found
    moment = _london(found, rest)
    when = moment.value if isinstance(moment, Noted) else moment
    if not isinstance(when, datetime):
        raise Cannot("date-unreadable")
    return when.astimezone(_LONDON).date()


def read_birth_date(value: object, known: object = None) -> date | Noted | None:
    """A date of birth, and whether it is known; a year alone gives None, since `read_year_alone` reads it."""
    if value is None or _YEAR.fullmatch(_text(value)):
        return None
    found = read_date(value)
    if known is not None and str(known).strip().casefold() in {"false", "no"}:
        return Noted(found, "birth-date-not-known")
    return found


def read_year_alone(value: object) -> int | None:
    """The year, where there is nothing but a year; None where there is more."""
    text = _text(value)
    return int(text) if _YEAR.fullmatch(text) else None


def read_moment(value: object) -> datetime | Noted:
    """A date with a time, in UTC. A date alone is not read: midnight would be a guess."""
    quick = _quick(value)
    if quick is not None:
        return quick
    found, rest = _split(_text(value))
    if not rest:
        raise Cannot("time-missing")
    return _london(found, rest)


def read_moment_from(value: object) -> datetime | Noted:
    """The start of something: a date alone gives the start of that day in London, with a finding."""
    quick = _quick(value)
    if quick is not None:
        return quick
    found, rest = _split(_text(value))
    return _london(found, rest) if rest else Noted(_start_of(found), "time-missing")


def read_moment_to(day: object, clock: object = None) -> datetime | Noted | None:
    """The end of something, from a date or date-time and, apart from it, a time of day or a date-time.

    A date alone gives the last second of that day in London, with a finding; a time alone cannot be placed.
    """
    if clock is not None:
        text = _text(clock)
        if _CLOCK.fullmatch(text) is None:
            return read_moment_from(text) if day is None else read_moment_to(text, None)
        if day is None:
            raise Cannot("date-missing")
        return _london(_split(_text(day))[0], text)
    if day is None:
        return None
    found, rest = _split(_text(day))
    if rest:
        return _london(found, rest)
    return Noted(_start_of(found + timedelta(days=1)) - timedelta(seconds=1), "time-missing")


def read_date_or_moment(value: object) -> date | datetime | Noted:
    """A date-time where there is a time, else a date."""
    found, rest = _split(_text(value))
    return _london(found, rest) if rest else found


def _quick(value: object) -> datetime | Noted | None:
    """A date with a time in one of the two usual spellings; None sends it to the careful reading, which says why."""
    if type(value) is not str:
        return None
    if value[2:3] == "/" and len(value) in _BRITISH and value[5] == "/" and value[10] == " " and value[13] == ":":
        if value[6:8] not in _CENTURIES or value[16:17] not in _COLON:
            return None
        value = f"{value[6:10]}-{value[3:5]}-{value[:2]}T{value[11:]}"
    elif not _ISO_MOMENT.fullmatch(value):
        return None
    try:
        if len(value) > _LOCAL:
            return datetime.fromisoformat(value).astimezone(UTC)
        offset = _offset(value[:_HOUR])
        return (
            datetime.fromisoformat(value + offset).astimezone(UTC) if offset else _placed(datetime.fromisoformat(value))
        )
    except ValueError:
        return None


@lru_cache(maxsize=1024)  # the moments of a batch lie in few hours, and asking a time zone costs more than all the rest
def _offset(hour: str) -> str:
    """London's offset in an hour, which is one throughout it; "" where it has none or two. Raises ValueError."""
    local = datetime.fromisoformat(f"{hour}:00:00").replace(tzinfo=_LONDON)
    return local.isoformat()[_LOCAL:] if local.utcoffset() == local.replace(fold=1).utcoffset() else ""


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Cannot("wrong-type")
    return value.strip()


def _split(text: str) -> tuple[date, str]:
    """The date a text begins with, and what follows it."""
    if text[2:3] == "/" == text[5:6] and len(text) == _BRITISH_DAY and text[6:8] in _CENTURIES:  # as most of CSV is
        try:
            return date.fromisoformat(f"{text[6:]}-{text[3:5]}-{text[:2]}"), ""
        except ValueError:
            pass  # the careful reading says what is wrong with it
    return _split_with_care(text)


def _split_with_care(text: str) -> tuple[date, str]:
    if match := _ISO.match(text):
        year, month, day = match.groups()
    elif match := _NUMERIC.match(text):
        day, _, month, year = match.groups()
    elif (match := _WORDED.match(text)) and match[2][:3].lower() in _MONTHS:
        day, month, year = match[1], str(_MONTHS[match[2][:3].lower()]), match[3]
    else:
        raise Cannot("date-unreadable")
    rest = text[match.end() :]
    if rest and rest[0] not in "Tt ,":
        raise Cannot("date-unreadable")
    try:
        found = date(int(year), int(month), int(day))
    except ValueError:
        raise Cannot("date-impossible") from None
    if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise Cannot("date-out-of-range")
    return found, rest[1:].strip()


def _london(day: date, clock: str) -> datetime | Noted:
    """A day and a time of day as a moment in UTC; without an offset, the time is London's."""
    if not _ISO_CLOCK.fullmatch(clock):
        match = _CLOCK.fullmatch(clock)
        if match is None:
            raise Cannot("time-unreadable")
        hour, minute, second, fraction, offset = match.groups()
        clock = f"{int(hour):02}:{minute}:{second or '00'}.{(fraction or '0')[:6]:0<6}{(offset or '').upper()}"
    try:
        return _placed(datetime.combine(day, time.fromisoformat(clock)))
    except ValueError:
        raise Cannot("time-impossible") from None


def _placed(moment: datetime) -> datetime | Noted:
    """A date-time in UTC; without an offset, it is London's."""
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    local = moment.replace(tzinfo=_LONDON)
    placed = local.astimezone(UTC)
    if local.utcoffset() == local.replace(fold=1).utcoffset():
        return placed
    if placed.astimezone(_LONDON).replace(tzinfo=None) != moment:
        raise Cannot("time-skipped")
    return Noted(placed, "time-ambiguous")


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time(), _LONDON).astimezone(UTC)
