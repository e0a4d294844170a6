"""Clauses and their use: how often each clause of the agreement let something pass, stopped something, and last did.

    /auditor/clauses              the page: a table, and beside it the picture
    /auditor/clauses/chart.svg    the picture of the same period

A clause that nothing ever passed by is one that the parties may not need: data minimisation asks for that too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from audit import search as log_search
from audit.entry import Outcome, timestamp
from audit.search import Query
from gateway.console.auditor.desk import HOME, Desk
from gateway.console.auditor.period import PERIODS, period_of, start_of
from gateway.console.console import Console
from gateway.console.desk import Route
from gateway.console.page import HEADERS
from gateway.evaluation.charts import draw
from gateway.terms import current_terms
from gateway.web.http import receipt_header

_EDGES, _BAR = 80, 26  # units of the picture: its axis and margins, and each bar with its label
_LEFT = 70  # units; the longest name of a clause begins in the margin


def pages(console: Console) -> tuple[Route, ...]:
    """The routes."""
    clauses = _Clauses(console)
    return ((f"{HOME}/clauses", clauses.page, "GET"), (f"{HOME}/clauses/chart.svg", clauses.chart, "GET"))


@dataclass(frozen=True, slots=True)
class Use:
    """A clause, and how often an entry of the period names it. `last` is the newest entry of all that does."""

    clause: str
    title: str
    flow: str
    permitted: int
    denied: int
    last: int | None


class _Clauses:
    def __init__(self, console: Console) -> None:
        self._desk = Desk(console)

    async def page(self, request: Request) -> Response:
        """Each clause with its figures."""
        period = period_of(request)
        sight = await self._desk.look(request, {"what": "clauses", "days": period})
        uses = await self._desk.read(partial(_uses, log_id=sight.log_id, since=start_of(period, datetime.now(UTC))))
        view: dict[str, Any] = {"uses": uses, "period": period, "periods": PERIODS, "words_of": dict(PERIODS)}
        return self._desk.page(request, "auditor_clauses.html.jinja", sight, **view)

    async def chart(self, request: Request) -> Response:
        """The same as a picture."""
        period = period_of(request)
        sight = await self._desk.look(request, {"what": "clauses-chart", "days": period})
        uses = await self._desk.read(partial(_uses, log_id=sight.log_id, since=start_of(period, datetime.now(UTC))))
        title = f"Acts permitted by each clause, {dict(PERIODS)[period]}"
        names, values = [one.clause for one in uses[::-1]], [one.permitted for one in uses[::-1]]  # from below upwards
        height = _EDGES + _BAR * len(uses)
        picture = draw(title, "acts", names, values, lying=True, height=height, margin_left=_LEFT)
        headers = {**HEADERS, **receipt_header(sight.receipt, sight.log_id)}
        return Response(picture, headers=headers, media_type="image/svg+xml")


def _uses(connection: Connection, *, log_id: str, since: datetime | None) -> tuple[Use, ...]:
    """Every clause of the version that was activated last, in its order."""
    terms = current_terms(connection, log_id)
    begin = timestamp(since) if since else None

    def use(clause: str, title: str, flow: str) -> Use:
        def count(outcome: Outcome) -> int:
            return log_search.count(connection, log_id, Query(time_from=begin, clause=clause, outcome=outcome))

        newest = log_search.entries(connection, log_id, Query(clause=clause), limit=1, newest_first=True)
        last = newest[0].idx if newest else None
        return Use(clause, title, flow, count(Outcome.PERMITTED), count(Outcome.DENIED), last)

    return tuple(use(one.id, one.title, one.flow) for one in terms.agreement.content.clauses) if terms else ()
