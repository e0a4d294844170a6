"""FHIR dates as intervals, and how a search compares them (FHIR R4 search, section 3.1.1.4.6).

A date stands for the whole of what it names: a year, a month, a day, a second. Instants are aware, in UTC, and the end
of an interval is the first instant after it. A date without a zone is taken as UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from adapters.nhs.fhir.errors import FhirRefused

_DATE: Final = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb)?(\d{4}(?:-\d{2}(?:-\d{2}(?:T.+)?)?)?)", re.ASCII)
_YEAR, _MONTH, _DAY = len("2026"), len("2026-04"), len("2026-04-12")

Span = tuple[datetime, datetime]
"""The first instant, and the first after it."""

ALWAYS: Final[Span] = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


def interval(value: str) -> tuple[str, datetime, datetime]:
    """A date parameter as its prefix (`eq` where it has none) and its interval. Raises `FhirRefused` 400."""
    found = _DATE.fullmatch(value)
    try:
        start, end = span(found[2] if found else "")
    except (ValueError, OverflowError):
        words = "a date is a day, a month, a year or an instant, with a prefix at most"
        raise FhirRefused(400, "invalid", None, words) from None
    return (found and found[1]) or "eq", start, end


def span(text: str) -> Span:
    """The interval of a FHIR date, dateTime or instant. Raises ValueError or OverflowError for any other text."""
    start = datetime.fromisoformat(text + "-01-01"[max(0, len(text) - _YEAR) :] if len(text) < _DAY else text)
    start = (start if start.tzinfo else start.replace(tzinfo=UTC)).astimezone(UTC)
    end = start + _precision(text)
    return start, end.replace(day=1) if len(text) < _DAY else end


def _precision(text: str) -> timedelta:
    """How long the interval of a date is; of a year and a month, long enough to reach the next."""
    if len(text) <= _DAY:
        return timedelta(days={_YEAR: 366, _MONTH: 31}.get(len(text), 1))
    return timedelta(milliseconds=1) if "." in text else timedelta(seconds=1)


def fits(prefix: str, of: Span, asked: Span) -> bool:
    """Whether the interval of an element stands to the one asked for as the prefix says."""
    (start, end), (first, after) = of, asked
    if prefix in {"eq", "ne"}:
        return (first <= start and end <= after) is (prefix == "eq")
    return {
        "gt": end > after,
        "ge": end > after or (first <= start and end <= after),
        "lt": start < first,
        "le": start < first or (first <= start and end <= after),
        "sa": start >= after,
        "eb": end <= first,
    }[prefix]
