"""Who has seen how much of the log: each witness, its last cosignature, and how far it is behind."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gateway.console.auditor.desk import HOME, Desk
from gateway.console.console import Console
from gateway.console.desk import Route
from gateway.witnesses import Standing, standings


def pages(console: Console) -> tuple[Route, ...]:
    """The routes."""
    return ((f"{HOME}/witnesses", _Witnesses(console).page, "GET"),)


class _Witnesses:
    def __init__(self, console: Console) -> None:
        self._desk = Desk(console)

    async def page(self, request: Request) -> Response:
        """Every witness."""
        sight = await self._desk.look(request, {"what": "witnesses"})
        now, lag = datetime.now(UTC), self._desk.services.settings.witness_lag_seconds
        found = await self._desk.read(lambda connection: standings(connection, sight.log_id, now, lag))
        view: dict[str, Any] = {"witnesses": [(one, _at(one)) for one in found]}
        return self._desk.page(request, "auditor_witnesses.html.jinja", sight, **view)


def _at(one: Standing) -> datetime | None:
    """When a witness last cosigned."""
    return datetime.fromtimestamp(one.last.time, UTC) if one.last else None
