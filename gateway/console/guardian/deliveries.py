"""What did not arrive at a system of the guardian's organisation, and lies with a person until it is sent again.

    /guardian/deliveries/{delivery_id}           one of them: which system, which case, why
    /guardian/deliveries/{delivery_id}/renewal   sent again

Nothing of anybody: references, codes and times. Source: domain.md section 4.5 (N11).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row
from starlette.requests import Request
from starlette.responses import Response

from audit.receipt import Receipt
from gateway.console.console import Console
from gateway.console.desk import Route
from gateway.console.guard import Visit
from gateway.console.guardian.desk import HOME, Desk
from gateway.delivery.channel import Endpoint
from gateway.delivery.endpoints import endpoints
from gateway.delivery.page import Renew, State, listed
from gateway.evidence import Event
from gateway.reading_log import Look
from gateway.services import Services
from gateway.under_agreement import governed, missed, standing_of

SHOWN_MAX = 500


def pages(console: Console) -> tuple[Route, ...]:
    """The routes."""
    area, path = _Deliveries(console), f"{HOME}/deliveries/{{delivery_id}}"
    return ((path, area.delivery, "GET"), (f"{path}/renewal", area.renew, "POST"))


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A delivery that lies with a person, and the system it was for: None where that was removed since."""

    row: Row[Any]
    made: datetime
    system: Endpoint | None


async def read_undelivered(services: Services, visit: Visit) -> tuple[Sequence[Undelivered], Receipt]:
    """What lies with people of the visitor's organisation, sealed as looked at. Raises NotPermitted, NotSealed."""
    log_id = await governed(services, visit.caller)
    unit = Look(visit.caller, {"what": "deliveries", "state": State.WITH_HUMAN.value}, Event.DELIVERIES_READ)
    receipt = (await services.journals.of(log_id).submit(unit)).receipt

    def find(connection: Connection) -> Sequence[Undelivered]:
        at = {one.id: one.endpoint for one in endpoints(connection, log_id)}
        rows = listed(connection, log_id, visit.caller.organisation, State.WITH_HUMAN, SHOWN_MAX)
        return [Undelivered(row, datetime.fromisoformat(row.created_at), at.get(row.endpoint_id)) for row in rows]

    return await services.database.read(find), receipt


class _Deliveries:
    def __init__(self, console: Console) -> None:
        self._desk = Desk(console)

    async def delivery(self, request: Request, delivery_id: str) -> Response:
        """One of them."""
        visit = await self._desk.visit(request)
        found, receipt = await read_undelivered(self._desk.services, visit)
        one = next((one for one in found if one.row.id == delivery_id), None)
        if one is None:
            raise await self._desk.none(visit, Event.DELIVERIES_READ)
        return await self._desk.page(request, visit, "guardian_delivery.html.jinja", receipt, one=one)

    async def renew(self, request: Request, delivery_id: str) -> Response:
        """Have it sent again. Raises NotFound, sealed."""
        visit, _ = await self._desk.posted(request)
        services, caller = self._desk.services, visit.caller
        log_id = await governed(services, caller)
        renew = Renew(delivery_id, caller, await standing_of(services, log_id))
        committed = await services.journals.of(log_id).submit(renew)
        if not committed.value:
            raise await missed(services, caller, log_id, Event.DELIVERY_RENEWED)
        return await self._desk.done(visit, "renewed", committed.receipt)
