"""What cannot go on by itself, by its faults (paths and codes, never content), and reading it again.

    /operator/quarantine          what waits under one agreement (`log`), the one due first at the top
    /operator/quarantine/input    one of them (`input`): where its profile of today finds what fault
    /operator/quarantine/replay   reading all of it again: a trial first, which changes nothing, and then in earnest

Whoever decides on a record that a rule left to a human does so as a person of a party, not here.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from gateway.console.console import Console
from gateway.console.forms import FormModel, read, typed
from gateway.console.operator.desk import HOME, Desk, Route, Sight, chosen
from gateway.errors import BadParameter, NotFound
from gateway.evidence import OPERATOR_LOG, Event
from gateway.quarantine import holds
from gateway.replaying import Wanted, look_at, replay

Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class Again(FormModel):
    """What is read again: of which log, by which profile, for which reason, since which day (UTC), and how."""

    log: Code
    profile: Annotated[Code | None, Field(title="the profile")] = None
    why: Annotated[Code | None, Field(title="the reason")] = None
    since: Annotated[date | None, Field(title="the day it came in")] = None
    run: Annotated[str, Field(pattern="^(trial|earnest)$")] = "trial"


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
        asked = read(form, Again)
        if isinstance(asked, tuple):
            return await self._list(request, asked, typed(form), 422)
        if asked.log not in await self._logs():
            raise NotFound("there is no such log")
        if asked.profile is not None and asked.profile not in self._desk.services.profiles.names:
            raise BadParameter("there is no profile of this name")
        wanted = Wanted(asked.profile, asked.why, asked.since.isoformat() if asked.since else None)
        trial = asked.run == "trial"
        done = await replay(self._desk.services, asked.log, visit.caller, wanted, dry_run=trial, of_all=True)
        sight = Sight(visit, asked.log, done.receipt)
        view: dict[str, Any] = {"asked": asked, "trial": trial, "replayed": done}
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
