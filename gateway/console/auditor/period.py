"""How far back a page of the auditor's looks: a number of days that the page offers, or all of the log."""

from __future__ import annotations

from datetime import datetime, timedelta

from starlette.requests import Request

PERIODS: tuple[tuple[str, str], ...] = (
    ("7", "7 days"),
    ("30", "30 days"),
    ("90", "90 days"),
    ("365", "a year"),
    ("all", "all of the log"),
)
"""What may be chosen, in words."""

_OTHERWISE = "30"


def period_of(request: Request) -> str:
    """What an address chooses; what it may not choose is as good as nothing."""
    asked = request.query_params.get("days", _OTHERWISE)
    return asked if asked in dict(PERIODS) else _OTHERWISE


def start_of(period: str, now: datetime) -> datetime | None:
    """When a period began; None where it has no beginning."""
    return None if period == "all" else now - timedelta(days=int(period))
