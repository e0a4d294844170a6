"""Retention: how much is due for erasure by agreement and class, and the legal holds of one agreement (`log`).

A hold names a case by its reference, so that looking at the list is sealed in the log of the agreement.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gateway.console.console import Console
from gateway.console.desk import Route
from gateway.console.operator.desk import HOME, Desk, chosen
from gateway.retention.holds import open_holds
from gateway.retention.sweep import all_due


def pages(console: Console) -> tuple[Route, ...]:
    """The routes."""
    return ((f"{HOME}/retention", _Keeping(console).page, "GET"),)


class _Keeping:
    def __init__(self, console: Console) -> None:
        self._desk = Desk(console)

    async def page(self, request: Request) -> Response:
        visit = await self._desk.visit(request)
        logs = await self._desk.agreements()
        log_id = chosen(request, "log", logs)
        what = {"what": "legal-holds"}
        sight = await (self._desk.seal(visit, what, log_id) if log_id else self._desk.seal(visit, what))
        due = await self._desk.read(lambda connection: all_due(connection, datetime.now(UTC)))
        rows = await self._desk.read(lambda connection: open_holds(connection, log_id))
        held = [(row, datetime.fromisoformat(row.placed_at)) for row in rows]
        view: dict[str, Any] = {"log": log_id, "logs": logs, "due": due, "held": held}
        return self._desk.page(request, "operator_retention.html.jinja", sight, **view)
