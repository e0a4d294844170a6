"""Traces that wait for a person of the NHS side (`/team/v1/traces`): what waits, both sides, and what she says.

Every call is a named person's. A trace of another team's victim is as good as none (P8).
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from sqlalchemy import Row
from starlette.requests import Request
from starlette.responses import Response

from audit.receipt import Receipt
from gateway import trace_reviews
from gateway.evidence import Caller
from gateway.services import Services
from gateway.store.traced import Sought, State
from gateway.tokens.scopes import Scope
from gateway.trace_reviews import OF_STATE, Sides, Word
from gateway.under_agreement import log_of
from gateway.web.auth import caller_of
from gateway.web.bodies import Body, read_json
from gateway.web.http import PlainRoute, json_response, receipt_header, receipt_json
from mappings.record import Person


class TraceBody(Body):
    """What the reviewer says."""

    outcome: Word


def routes(services: Services) -> APIRouter:
    """The routes over these services."""
    router = APIRouter(prefix="/team/v1/traces", tags=["team"], route_class=PlainRoute)

    @router.get("", summary="Victims and children whose NHS number waits for a person, the one due first at the top")
    async def waiting(request: Request) -> Response:
        caller = await caller_of(services, request, Scope.REFERRAL_READ)
        rows, receipt = await trace_reviews.read_traces(services, caller)
        return await _answer(services, caller, {"traces": [shown(row) for row in rows]}, receipt)

    @router.get("/{trace_id}", summary="Who was meant and who was found, next to each other")
    async def one(request: Request, trace_id: str) -> Response:
        caller = await caller_of(services, request, Scope.REFERRAL_READ)
        sides, receipt = await trace_reviews.read_trace(services, caller, trace_id)
        return await _answer(services, caller, _both(sides), receipt)

    @router.post("/{trace_id}/decision", summary="Say whether it is the same person")
    async def decide(request: Request, trace_id: str) -> Response:
        caller = await caller_of(services, request, Scope.REFERRAL_WRITE)
        body = await read_json(request, TraceBody)
        state, receipt = await trace_reviews.decide_trace(services, caller, trace_id, body.outcome)
        return await _answer(services, caller, {"trace": trace_id, "state": state}, receipt)

    return router


def shown(row: Row[Any]) -> dict[str, Any]:
    """A trace without anybody's name: whether of a victim or a child, where it stands, its clock."""
    return {
        "trace": row.id,
        "referral": row.referral_id,
        "incident": row.event_id,
        "of": Sought.of(row).role.value,
        "state": row.state,
        "verification_status": row.status,
        "restricted": row.label is not None,
        "reason": row.reason,
        "opened_at": row.opened_at,
        "due_at": row.due_at,
        "decided_at": row.decided_at,
        "overdue": row.overdue_at is not None,
        "may_be": sorted(OF_STATE.get(State(row.state), ())),
    }


def _both(sides: Sides) -> dict[str, Any]:
    compared = sides.candidate.levels if sides.candidate is not None and sides.found is not None else {}
    score = sides.candidate.score if sides.candidate is not None and sides.found is not None else None
    return shown(sides.row) | {
        "household_restricted": sides.referral.label is not None,
        "compared": dict(compared),
        "score": score,
        "meant": _person(sides.meant),
        "found": _person(sides.found),
    }


def _person(person: Person | None) -> dict[str, Any] | None:
    """A person as far as the reviewer may see her; None where there is nothing of her for the reviewer."""
    return None if person is None else person.model_dump(mode="json", exclude_defaults=True, exclude={"ref", "role"})


async def _answer(services: Services, caller: Caller, body: dict[str, Any], receipt: Receipt) -> Response:
    log_id = await log_of(services, caller)
    return json_response(body | {"receipt": receipt_json(receipt, log_id)}, headers=receipt_header(receipt, log_id))
