"""What cannot go on by itself, by its faults (paths and codes, never content), and reading it again.

    /operator/quarantine          what waits under one agreement (`log`), the one due first at the top
    /operator/quarantine/input    one of them (`input`): where its profile of today finds what fault
    /operator/quarantine/replay   reading all of it again: a trial first, which changes nothing, and then in earnest

Whoever decides on a record that a rule left to a human does so as a person of a party, not here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gateway.console.again import Again, Code
from gateway.console.console import Console
from gateway.console.desk import Route, Sight
from gateway.console.forms import read, typed
from gateway.console.operator.desk import HOME, Desk, chosen
from gateway.errors import NotFound
from gateway.evidence import OPERATOR_LOG, Event
from gateway.quarantine import holds
from gateway.replaying import look_at, replay


class AgainOf(Again):
    """What is read again of which log."""

    log: Code


def pages(console: Console) -> tuple[Route, ...]:
    """The routes."""
    area = _Quarantine(console)
    return (
        (f"{HOME}/quarantine", area.page, "GET"),
        (f"{HOME}/quarantine/input", area.one, "GET"),
        (f"{HOME}/quarantine/replay", area.again, "POST"),
    )


class _Quarantine:
    def __init__(self, console: Console) -> None:
        self._desk = Desk(console)

    async def page(self, request: Request) -> Response:
        """What waits."""
        return await self._list(request, (), {}, 200)

    async def one(self, request: Request) -> Response:
        """One input by its faults; without one in the address, the list."""
        visit = await self._desk.visit(request)
        log_id, hold = chosen(request, "log", await self._logs()), request.query_params.get("input", "")
        if not hold:
            return self._desk.to("/quarantine")
        again, judged, receipt = await look_at(self._desk.services, log_id, visit.caller, hold, None)
        sight = Sight(visit, log_id, receipt)
        view: dict[str, Any] = {
            "log": log_id,
            "row": again.row,
            "times": _times(again.row),
            "profile": again.profile,
            "problems": again.problems,
            "findings": again.reading.findings if again.reading else (),
            "judged": judged,
        }
        return self._desk.page(request, "operator_input.html.jinja", sight, **view)

    async def again(self, request: Request) -> Response:
        """Read what waits again; a trial's page offers to do it in earnest."""
        visit, form = await self._desk.posted(request)
        asked = read(form, AgainOf)
        if isinstance(asked, tuple):
            return await self._list(request, asked, typed(form), 422)
        if asked.log not in await self._logs():
            raise NotFound("there is no such log")
        services = self._desk.services
        wanted = asked.wanted(services.profiles)
        done = await replay(services, asked.log, visit.caller, wanted, dry_run=asked.trial, of_all=True)
        sight = Sight(visit, asked.log, done.receipt)
        view: dict[str, Any] = {"asked": asked, "replayed": done}
        return self._desk.page(request, "operator_replayed.html.jinja", sight, **view)

    async def _list(self, request: Request, errors: Any, said: dict[str, str], status: int) -> Response:  # noqa: ANN401 - errors of fields
        visit = await self._desk.visit(request)
        logs = await self._logs()
        log_id = said["log"] if said.get("log") in logs else chosen(request, "log", logs)
        sight = await self._desk.seal(visit, {"what": "list"}, log_id, Event.HOLD_READ)
        rows = await self._desk.read(lambda connection: holds(connection, log_id))
        view: dict[str, Any] = {
            "log": log_id,
            "logs": logs,
            "rows": [(row, _times(row)) for row in rows],
            "reasons": sorted({row.reason for row in rows}),
            "profiles": sorted(self._desk.services.profiles.names),
            "errors": errors,
            "typed": said,
        }
        return self._desk.page(request, "operator_quarantine.html.jinja", sight, status, **view)

    async def _logs(self) -> tuple[str, ...]:
        """Every log: what came in before there was an agreement waits in the operator's."""
        return (*await self._desk.agreements(), OPERATOR_LOG)


def _times(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a row
    due = datetime.fromisoformat(row.due_at)
    return {"opened": datetime.fromisoformat(row.opened_at), "due": due, "late": due <= datetime.now(UTC)}
