"""What is delivered to the systems of teams (`/governance/v1/deliveries`): what waits, what lies with a human.

For named people of the organisation whose systems they are. Nothing is shown but references, codes and times.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from sqlalchemy import Connection, Row
from starlette.requests import Request
from starlette.responses import Response

from audit.receipt import Receipt
from gateway.delivery.endpoints import Registered, counts, endpoints
from gateway.delivery.page import Renew, State, listed, state_of
from gateway.errors import BadParameter
from gateway.evidence import Caller, Event
from gateway.reading_log import Look
from gateway.services import Services
from gateway.tokens.scopes import Scope
from gateway.under_agreement import governed, missed, standing_of
from gateway.web.auth import caller_of
from gateway.web.http import PlainRoute, json_response, receipt_header, receipt_json

SHOWN_MAX = 500


def routes(services: Services) -> APIRouter:
    """The routes over these services."""
    desk = _Desk(services)
    router = APIRouter(prefix="/governance/v1/deliveries", tags=["governance"], route_class=PlainRoute)
    router.add_api_route("", desk.deliveries, methods=["GET"])
    router.add_api_route("/{delivery_id}/renewal", desk.renew, methods=["POST"])
    return router


class _Desk:
    """Answers the people who look after deliveries: one method for each route."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def deliveries(self, request: Request) -> Response:
        """The systems, and the deliveries in one `state`: with-human where none is asked for."""
        caller = await self._caller(request)
        asked = request.query_params.get("state", State.WITH_HUMAN.value)
        if asked not in set(State):
            raise BadParameter(f"state: one of {', '.join(State)}")
        log_id = await governed(self._services, caller)
        unit = Look(caller, {"what": "deliveries", "state": asked}, Event.DELIVERIES_READ)
        receipt = (await self._services.journals.of(log_id).submit(unit)).receipt

        def read(connection: Connection) -> dict[str, Any]:
            waits = counts(connection, log_id)
            rows = listed(connection, log_id, caller.organisation, State(asked), SHOWN_MAX)
            own = [one for one in endpoints(connection, log_id) if one.endpoint.organisation == caller.organisation]
            return {
                "endpoints": [_endpoint(one, *waits.get(one.id, (0, 0))) for one in own],
                "deliveries": [_delivery(row) for row in rows],
            }

        return self._answer(log_id, await self._services.database.read(read), receipt)

    async def renew(self, request: Request, delivery_id: str) -> Response:
        """Have one that lies with a human sent again."""
        caller = await self._caller(request)
        log_id = await governed(self._services, caller)
        unit = Renew(delivery_id, caller, await standing_of(self._services, log_id))
        committed = await self._services.journals.of(log_id).submit(unit)
        if not committed.value:
            words = "there is no delivery of this id that lies with a human"
            raise await missed(self._services, caller, log_id, Event.DELIVERY_RENEWED, words)
        return self._answer(log_id, {"delivery": delivery_id, "state": State.WAITING.value}, committed.receipt)

    async def _caller(self, request: Request) -> Caller:
        return await caller_of(self._services, request, Scope.GOVERNANCE_REVIEW)

    @staticmethod
    def _answer(log_id: str, body: dict[str, Any], receipt: Receipt) -> Response:
        return json_response(body | {"receipt": receipt_json(receipt, log_id)}, headers=receipt_header(receipt, log_id))


def _endpoint(one: Registered, waiting: int, with_human: int) -> dict[str, Any]:
    endpoint = one.endpoint
    return {
        "endpoint": one.id,
        "to": {"organisation": endpoint.organisation, "recipient": endpoint.team},
        "channel": endpoint.channel,
        "hides_from_online_access": endpoint.hides_from_online_access,
        "waiting": waiting,
        "with_human": with_human,
        "failures": one.circuit.failures,
        "left_alone_until": one.circuit.open_until,
    }


def _delivery(row: Row[Any]) -> dict[str, Any]:
    return {
        "delivery": row.id,
        "endpoint": row.endpoint_id,
        "case": row.referral_id,
        "reason": row.reason,
        "state": state_of(row).value,
        "tries": row.attempts,
        "failure": row.failure,
        "created_at": row.created_at,
        "next_at": row.next_at,
    }
