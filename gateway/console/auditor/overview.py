"""The auditor's first page: how large the log is, who has seen it, what somebody should look at, what is in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from audit import search as log_search
from audit import sql as log_sql
from audit.entry import Operation, Outcome, timestamp
from audit.search import Query
from gateway.agreement_life import overview as agreement_overview
from gateway.console.auditor.desk import HOME, Desk
from gateway.console.console import Console
from gateway.console.desk import Route
from gateway.oversight.entries import LogSource
from gateway.oversight.findings import find
from gateway.witnesses import Standing, standings

DAYS = 7
FINDINGS_ENTRIES = 5_000
"""Entries looked through for findings on this page, a fifth of a second; where the week has more, the page of findings
is asked.
"""


def pages(console: Console) -> tuple[Route, ...]:
    """The routes."""
    return ((HOME, _Overview(console).page, "GET"),)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the page shows. `findings` is None where the week holds too much to look through at once."""

    last_at: datetime
    checkpoint: str
    witnesses: tuple[Standing, ...]
    findings: Mapping[str, int] | None
    operations: Mapping[str, int]
    denied: int
    agreement: Mapping[str, Any] | None


class _Overview:
    def __init__(self, console: Console) -> None:
        self._desk = Desk(console)

    async def page(self, request: Request) -> Response:
        sight = await self._desk.look(request, {"what": "overview"})
        lag = self._desk.services.settings.witness_lag_seconds
        read = partial(_read, log_id=sight.log_id, now=datetime.now(UTC), lag_seconds=lag)
        return self._desk.page(
            request,
            "auditor_overview.html.jinja",
            sight,
            seen=await self._desk.read(read),
            days=DAYS,
            most=FINDINGS_ENTRIES,
        )


def _read(connection: Connection, *, log_id: str, now: datetime, lag_seconds: int) -> Seen:
    head = log_sql.read_head(connection, log_id)
    since = now - timedelta(days=DAYS)
    week = timestamp(since)
    counts = {
        one.value: log_search.count(connection, log_id, Query(time_from=week, operation=one)) for one in Operation
    }
    return Seen(
        last_at=datetime.fromisoformat(log_sql.entry(connection, log_id, head.size - 1).entry().time),
        checkpoint=head.checkpoint,
        witnesses=tuple(standings(connection, log_id, now, lag_seconds)),
        findings=_findings(connection, log_id, since, now),
        operations=counts,
        denied=log_search.count(connection, log_id, Query(time_from=week, outcome=Outcome.DENIED)),
        agreement=agreement_overview(connection, log_id, now),
    )


def _findings(connection: Connection, log_id: str, since: datetime, now: datetime) -> Mapping[str, int] | None:
    source = LogSource(connection, log_id)
    first, end = source.bounds(since)
    if end - first > FINDINGS_ENTRIES:
        return None
    return find(source, None, since, now=now).counts
