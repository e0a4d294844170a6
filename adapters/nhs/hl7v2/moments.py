"""Dates and times as HL7 writes them: YYYY[MM[DD[HH[MM[SS[.S…]]]]]][±ZZZZ], read without a guess.

A time without an offset is Europe/London. What the clocks skip in spring is not read; of what they repeat in autumn the
first is meant. What is no day of the calendar is not read: `196513121515` has a month 13 (domain.md section 2.9).

Source: HL7 v2.4 section 2.9.47 (TS).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final
from zoneinfo import ZoneInfo

_LONDON: Final = ZoneInfo("Europe/London")
_TS: Final = re.compile(
    r"(\d{4})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:\.(\d{1,4}))?)?)?)?)?)?([+-]\d{4})?", re.ASCII
)
_FIRST_YEAR: Final = 1880  # as in `mappings.times`: nobody in a message was born before
_FURTHEST: Final = "14"  # hours: no clock of the world is further from Greenwich


def day(text: str) -> date | None:
    """The calendar day that a date or a time begins with; None where it has none, or none of the calendar."""
    found = _TS.fullmatch(text.strip())
    if found is None or found[3] is None or (found[4] is not None and not _clock(found)):
        return None
    try:
        read = date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None
    return read if read.year >= _FIRST_YEAR else None


def moment(text: str) -> datetime | None:
    """A time to the minute or finer, in UTC; None where it is none."""
    found = _TS.fullmatch(text.strip()) if text else None
    if found is None or found[5] is None or not _clock(found):
        return None
    year, month, of_month, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    fraction = int((found[7] or "").ljust(6, "0"))
    try:
        local = datetime(year, month, of_month, hour, minute, second, fraction, tzinfo=_zone(found[8]))
        utc = local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return utc if utc.astimezone(local.tzinfo).replace(fold=0) == local else None


def written(at: datetime) -> str:
    """A moment as we write it: to the second, in UTC, with its offset. Raises `ValueError` where it has no zone."""
    if at.tzinfo is None:
        raise ValueError("a moment has a zone")
    return at.astimezone(UTC).strftime("%Y%m%d%H%M%S+0000")


def _clock(found: re.Match[str]) -> bool:
    """Whether hour, minute, second and offset are those of a clock; two digits compare as the numbers they are."""
    hour, minute, second, offset = found[4], found[5] or "", found[6] or "", found[8]
    return (
        hour < "24"
        and minute < "60"
        and second < "60"
        and (offset is None or (offset[1:3] <= _FURTHEST and offset[3:] < "60"))
    )


def _zone(offset: str | None) -> timezone | ZoneInfo:
    if offset is None:
        return _LONDON
    size = timedelta(hours=int(offset[1:3]), minutes=int(offset[3:]))
    return timezone(-size if offset[0] == "-" else size)
