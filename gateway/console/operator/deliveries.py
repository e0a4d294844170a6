"""The systems that referrals are delivered to and words pushed to: how each answers, what waits, what lies with people.

    /operator/deliveries            endpoints with their circuits, webhooks, and the deliveries in one `state`
    /operator/deliveries/renewal    one that lies with a human is sent again

Of one agreement at a time (`log`), sealed in its log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row
from starlette.requests import Request
from starlette.responses import Response

from gateway.console.console import Console
from gateway.console.desk import Route, Sight
from gateway.console.operator.desk import HOME, Desk, chosen, one
from gateway.delivery.endpoints import Registered, counts, endpoints
from gateway.delivery.page import Renew, State, listed
from gateway.errors import NotFound
from gateway.evidence import Event
from gateway.under_agreement import missed, standing_of
from gateway.webhook.endpoints import Endpoint, waiting
from gateway.webhook.endpoints import endpoints as webhooks

SHOWN_MAX = 200


def pages(console: Console) -> tuple[Route, ...]:
    """The routes."""
    area = _Deliveries(console)
    return ((f"{HOME}/deliveries", area.page, "GET"), (f"{HOME}/deliveries/renewal", area.renew, "POST"))


@dataclass(frozen=True, slots=True)
class Line:
    """An endpoint: how many deliveries wait for it, how many lie with a human, and until when it is left alone."""

    registered: Registered
    waiting: int
    with_human: int
    open_until: datetime | None


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook: how many words wait for it, and how many were given up and nobody fetched since."""

    endpoint: Endpoint
    waiting: int
    given_up: int


@dataclass(frozen=True, slots=True)
class Found:
    """What the page shows; of each delivery, when it was made."""

    lines: Sequence[Line]
    hooks: Sequence[Hook]
    deliveries: Sequence[tuple[Row[Any], datetime]]


class _Deliveries:
    def __init__(self, console: Console) -> None:
        self._desk = Desk(console)

    async def page(self, request: Request) -> Response:
        """What is delivered under an agreement, in one state: what lies with a human, where none is asked for."""
        visit = await self._desk.visit(request)
        logs = await self._desk.agreements()
        log_id = chosen(request, "log", logs)
        state = State(chosen(request, "state", _STATES))
        sight, found = await self._look(visit, log_id, state)
        done = "renewed" if request.query_params.get("done") == "renewed" else ""
        view: dict[str, Any] = {
            "log": log_id,
            "logs": logs,
            "state": state,
            "states": _STATES,
            "found": found,
            "done": done,
        }
        return self._desk.page(request, "operator_deliveries.html.jinja", sight, **view)

    async def _look(self, visit: Any, log_id: str, state: State) -> tuple[Sight, Found]:  # noqa: ANN401 - a visit
        if not log_id:
            return await self._desk.seal(visit, {"what": "deliveries"}), Found((), (), ())
        what = {"what": "deliveries", "state": state.value}
        sight = await self._desk.seal(visit, what, log_id, Event.DELIVERIES_READ)
        return sight, await self._desk.read(partial(_find, log_id=log_id, state=state))

    async def renew(self, request: Request) -> Response:
        """Have a delivery sent again. Raises NotFound, sealed."""
        visit, form = await self._desk.posted(request)
        log_id = one(form, "log")
        if log_id not in await self._desk.agreements():
            raise NotFound("there is no such agreement")
        standing = await standing_of(self._desk.services, log_id)
        unit = Renew(one(form, "delivery"), visit.caller, standing, of_all=True)
        committed = await self._desk.services.journals.of(log_id).submit(unit)
        if not committed.value:
            words = "there is no delivery of this id that lies with a human"
            raise await missed(self._desk.services, visit.caller, log_id, Event.DELIVERY_RENEWED, words)
        return self._desk.to(f"/deliveries?log={log_id}&done=renewed")


def _find(connection: Connection, *, log_id: str, state: State) -> Found:
    waits = counts(connection, log_id)
    now = datetime.now(UTC)
    hooks = [hook for hook in webhooks(connection) if hook.log_id == log_id]
    return Found(
        lines=[_line(found, waits.get(found.id, (0, 0)), now) for found in endpoints(connection, log_id)],
        hooks=[Hook(hook, *waiting(connection, hook)) for hook in hooks],
        deliveries=[
            (row, datetime.fromisoformat(row.created_at)) for row in listed(connection, log_id, None, state, SHOWN_MAX)
        ],
    )


def _line(found: Registered, waits: tuple[int, int], now: datetime) -> Line:
    until = found.circuit.open_until if found.circuit.is_open(now) else None
    return Line(found, *waits, datetime.fromisoformat(until) if until else None)


_STATES = (State.WITH_HUMAN.value, State.WAITING.value, State.ACKNOWLEDGED.value, State.STOPPED.value)
