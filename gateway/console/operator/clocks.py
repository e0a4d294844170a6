"""What is overdue, and what is due next: clocks of cases, notices nobody has taken, inputs nobody has looked at.

Counts of every agreement; the overdue ones of one agreement (`log`) by their references, sealed in its log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select
from starlette.requests import Request
from starlette.responses import Response

from audit.entry import timestamp
from gateway.console.console import Console
from gateway.console.desk import Route
from gateway.console.operator.desk import HOME, Desk, chosen
from gateway.notices import outstanding
from gateway.quarantine import holds
from gateway.store import tables

SHOWN_MAX = 100


def pages(console: Console) -> tuple[Route, ...]:
    """The routes."""
    return ((f"{HOME}/clocks", _Clocks(console).page, "GET"),)


@dataclass(frozen=True, slots=True)
class Count:
    """Clocks of one kind and team: how many run, how many have lapsed and were not stopped, and the next that ends."""

    kind: str
    organisation: str
    team: str
    running: int
    lapsed: int
    next_due: datetime | None


@dataclass(frozen=True, slots=True)
class Overdue:
    """Something whose time is over: what, of which kind, whose it is, its reference, and since when."""

    what: str
    kind: str
    whose: str
    reference: str
    due: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """What the page shows. `most` says that more is overdue than is listed."""

    counts: Sequence[Count]
    overdue: Sequence[Overdue]
    more: bool


class _Clocks:
    def __init__(self, console: Console) -> None:
        self._desk = Desk(console)

    async def page(self, request: Request) -> Response:
        visit = await self._desk.visit(request)
        logs = await self._desk.agreements()
        log_id = chosen(request, "log", logs)
        sight = await (self._desk.seal(visit, {"what": "clocks"}, log_id) if log_id else self._desk.seal(visit, _NONE))
        found = await self._desk.read(partial(_find, log_id=log_id, now=datetime.now(UTC)))
        view: dict[str, Any] = {"log": log_id, "logs": logs, "found": found, "most": SHOWN_MAX}
        return self._desk.page(request, "operator_clocks.html.jinja", sight, **view)


def _find(connection: Connection, *, log_id: str, now: datetime) -> Found:
    at = timestamp(now)
    counts = [_count(row) for row in connection.execute(_COUNTS, {"log": log_id, "now": at})]
    overdue = [
        Overdue("clock", row.kind, row.team, row.referral_id, datetime.fromisoformat(row.due_at))
        for row in connection.execute(_LAPSED, {"log": log_id, "now": at, "most": SHOWN_MAX + 1})
    ]
    overdue += [
        Overdue("notice", row.kind, f"{row.organisation} {row.recipient}".strip(), row.referral_id or row.id, due)
        for row in outstanding(connection, log_id, SHOWN_MAX + 1)
        if (due := datetime.fromisoformat(row.due_at)) <= now
    ]
    overdue += [
        Overdue("input", row.reason, row.owner, row.id, due)
        for row in holds(connection, log_id)
        if (due := datetime.fromisoformat(row.due_at)) <= now
    ]
    overdue.sort(key=lambda one: one.due)
    return Found(counts, overdue[:SHOWN_MAX], len(overdue) > SHOWN_MAX)


def _count(row: Row[Any]) -> Count:
    due = datetime.fromisoformat(row.next_due) if row.next_due else None
    return Count(row.kind, row.organisation, row.team, row.running, row.lapsed, due)


_NONE = {"what": "clocks"}
_t = tables.case_timer
_late = _t.c.due_at <= bindparam("now")
_COUNTS = (
    select(
        _t.c.kind,
        _t.c.organisation,
        _t.c.team,
        func.count().filter(~_late).label("running"),
        func.count().filter(_late).label("lapsed"),
        func.min(_t.c.due_at).filter(~_late).label("next_due"),
    )
    .where(_t.c.log_id == bindparam("log"), _t.c.stopped_at.is_(None))
    .group_by(_t.c.kind, _t.c.organisation, _t.c.team)
    .order_by(_t.c.organisation, _t.c.team, _t.c.kind)
)
_LAPSED = (
    select(_t.c.kind, _t.c.team, _t.c.referral_id, _t.c.due_at)
    .where(_t.c.log_id == bindparam("log"), _t.c.stopped_at.is_(None), _late)
    .order_by(_t.c.due_at)
    .limit(bindparam("most"))
)
