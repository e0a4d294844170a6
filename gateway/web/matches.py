"""People who may be one, for a person to decide (`/governance/v1/matches`).

What waits, or what became of all that an incident was compared with; both sides; the decision; and that it was wrong.
"""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from audit.receipt import Receipt
from gateway import match_reviews
from gateway.evidence import Caller
from gateway.linking.found import DIFFERENT
from gateway.linking.undoing import Ground
from gateway.match_reviews import Shown
from gateway.match_sides import Listed
from gateway.services import Services
from gateway.tokens.scopes import Scope
from gateway.under_agreement import log_of
from gateway.web.auth import caller_of
from gateway.web.bodies import Body, read_json
from gateway.web.http import PlainRoute, json_response, receipt_header, receipt_json


class DecisionBody(Body):
    """What the reviewer says: one person, or two."""

    outcome: Literal["same", "different"]


class UndoBody(Body):
    """Why two who are linked are two."""

    reason: Ground


def routes(services: Services) -> APIRouter:
    """The routes over these services."""
    desk = _Desk(services)
    router = APIRouter(prefix="/governance/v1/matches", tags=["governance"], route_class=PlainRoute)
    for path, answer, method in (
        ("", desk.matches, "GET"),
        ("/{match_id}", desk.match, "GET"),
        ("/{match_id}/decision", desk.decide, "POST"),
        ("/{match_id}/undo", desk.undo, "POST"),
    ):
        router.add_api_route(path, answer, methods=[method])
    return router


class _Desk:
    """Answers the people who decide: one method for each route."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def matches(self, request: Request) -> Response:
        """Everything that waits, the one due first at the top; of an `incident` also what was decided."""
        caller = await self._caller(request)
        incident = request.query_params.get("incident")
        found, receipt = await match_reviews.read_matches(self._services, caller, incident)
        return await self._answer(caller, {"matches": [shown(one) for one in found]}, receipt)

    async def match(self, request: Request, match_id: str) -> Response:
        """One of them, both sides."""
        caller = await self._caller(request)
        found, receipt = await match_reviews.read_match(self._services, caller, match_id)
        said = shown(Listed(found.row, decidable=True)) | {
            "compared": dict(found.levels),
            "sides": [_side(side) for side in found.sides],
        }
        return await self._answer(caller, said, receipt)

    async def decide(self, request: Request, match_id: str) -> Response:
        """Say whether they are one person."""
        caller = await self._caller(request)
        body = await read_json(request, DecisionBody)
        receipt = await match_reviews.decide_match(self._services, caller, match_id, body.outcome)
        return await self._answer(caller, {"match": match_id, "outcome": body.outcome}, receipt)

    async def undo(self, request: Request, match_id: str) -> Response:
        """Say that two who are linked are two."""
        caller = await self._caller(request)
        body = await read_json(request, UndoBody)
        receipt = await match_reviews.undo_match(self._services, caller, match_id, body.reason)
        return await self._answer(caller, {"match": match_id, "outcome": DIFFERENT}, receipt)

    async def _caller(self, request: Request) -> Caller:
        return await caller_of(self._services, request, Scope.GOVERNANCE_REVIEW)

    async def _answer(self, caller: Caller, body: dict[str, Any], receipt: Receipt) -> Response:
        log_id = await log_of(self._services, caller)
        return json_response(body | {"receipt": receipt_json(receipt, log_id)}, headers=receipt_header(receipt, log_id))


def shown(one: Listed) -> dict[str, Any]:
    """A match without anybody's name: whose it is, its clock, and what became of it.

    Of one that nobody may decide there is the clock alone: whoever it lies with may have no case of either.
    """
    row = one.row
    return {
        "match": row.id,
        "incidents": [row.event_id, row.other_event_id] if one.decidable else [],
        "people": [row.person, row.other_person] if one.decidable else [],
        "state": row.outcome or "open",
        "opened_at": row.opened_at,
        "due_at": row.due_at,
        "decided_at": row.decided_at,
        "overdue": row.overdue_at is not None,
        "decidable": one.decidable,
    }


def _side(side: Shown) -> dict[str, Any] | None:
    """A person as far as the reviewer may see her; None where nothing is left of her, and for a suspect."""
    if side.person is None:
        return None
    return {"referral": side.row.id, "person": side.person.model_dump(mode="json", exclude_defaults=True)}
