"""Unusual use: what named rules find in a period, in words, each with the entries it rests on.

There is no score, and a finding is no judgement of anybody: it asks somebody to look (`gateway.oversight`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from gateway.console.auditor.desk import HOME, Desk
from gateway.console.auditor.period import PERIODS, period_of, start_of
from gateway.console.console import Console
from gateway.console.desk import Route
from gateway.oversight.asking import looked
from gateway.oversight.entries import LogSource
from gateway.oversight.findings import Found, find
from gateway.web.oversight import ENTRIES_MAX

SHOWN = 200
"""Findings of one page; there are more only where something is very wrong, and the page says how many."""


def pages(console: Console) -> tuple[Route, ...]:
    """The routes."""
    return ((f"{HOME}/findings", _Findings(console).page, "GET"),)


class _Findings:
    def __init__(self, console: Console) -> None:
        self._desk = Desk(console)

    async def page(self, request: Request) -> Response:
        """The findings of a period; where it holds too much for one answer, that."""
        period, now = period_of(request), datetime.now(UTC)
        start = start_of(period, now)
        sight = await self._desk.look(request, looked("findings", start, None))
        found = await self._desk.read(partial(_found, log_id=sight.log_id, start=start, now=now))
        view: dict[str, Any] = {
            "found": found,
            "shown": found.findings[::-1][:SHOWN] if found else (),
            "most": ENTRIES_MAX,
            "period": period,
            "periods": PERIODS,
            "words_of": dict(PERIODS),
        }
        return self._desk.page(request, "auditor_findings.html.jinja", sight, **view)


def _found(connection: Connection, *, log_id: str, start: datetime | None, now: datetime) -> Found | None:
    source = LogSource(connection, log_id)
    first, end = source.bounds(start)
    return None if end - first > ENTRIES_MAX else find(source, None, start, now=now)
