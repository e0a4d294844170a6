"""What a recipient is told (`/notices/v1`): that something it was given has changed, or that somebody must act.

A notice names the case by the gateway's own reference and holds nothing of it. It stays until it is acknowledged.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from sqlalchemy import Row
from starlette.requests import Request
from starlette.responses import Response

from gateway import byways
from gateway.errors import BadParameter
from gateway.services import Services
from gateway.tokens.scopes import Scope
from gateway.under_agreement import log_of
from gateway.web.auth import caller_with_any
from gateway.web.http import PlainRoute, json_response, receipt_header, receipt_json
from gateway.web.query import limit_of, number

PAGE_MAX = 500
SCOPES = (Scope.REFERRAL_READ, Scope.FEEDBACK_READ, Scope.GOVERNANCE_REVIEW)
"""Whoever may read something may learn that it has changed."""


def routes(services: Services) -> APIRouter:
    """The routes over these services."""
    router = APIRouter(prefix="/notices/v1", tags=["notices"], route_class=PlainRoute)

    @router.get("", summary="Notices since a cursor")
    async def notices(request: Request) -> Response:
        caller = await caller_with_any(services, request, SCOPES)
        after = number(request, "after", -1, least=None)
        state = request.query_params.get("state", "open")
        if state not in {"open", "all"}:
            raise BadParameter("state is open or all")
        most = limit_of(request, 100, PAGE_MAX)
        rows, receipts = await byways.read_notices(services, caller, after, most, open_only=state == "open")
        log_id = await log_of(services, caller)
        body = {
            "notices": [_notice(row) for row in rows],
            "next": rows[-1].seq if rows else after,
            "receipt": receipt_json(receipts[0], log_id),
        }
        return json_response(body, headers=receipt_header(receipts[0], log_id))

    @router.post("/{notice_id}/acknowledgement", summary="Acknowledge a notice")
    async def acknowledge(request: Request, notice_id: str) -> Response:
        caller = await caller_with_any(services, request, SCOPES)
        receipt = await byways.acknowledge_notice(services, caller, notice_id)
        log_id = await log_of(services, caller)
        body = {"acknowledged": notice_id, "receipt": receipt_json(receipt, log_id)}
        return json_response(body, headers=receipt_header(receipt, log_id))

    return router


def _notice(row: Row[Any]) -> dict[str, Any]:
    return {
        "notice": row.id,
        "kind": row.kind,
        "reason": row.reason,
        "person": row.person,
        "incident": row.event_id,
        "referral": row.referral_id,
        "created_at": row.created_at,
        "due_at": row.due_at,
        "acknowledged_at": row.acknowledged_at,
        "cursor": row.seq,
    }
