"""What a hospital's system says of a victim, for the team to decide on (`/team/v1/referrals/{id}/demographics`).

Every call is a named person's. A referral of another team is as good as none (P8).
"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from gateway.disclosure import Reader
from gateway.messaging.deciding import Decision, decide_proposal, read_proposals
from gateway.services import Services
from gateway.tokens.scopes import Scope
from gateway.under_agreement import log_of
from gateway.web.auth import caller_of
from gateway.web.bodies import Body, read_json
from gateway.web.http import PlainRoute, json_response, receipt_header, receipt_json


class DecisionBody(Body):
    """What a person decides."""

    decision: Decision


def routes(services: Services) -> APIRouter:
    """The routes over these services."""
    router = APIRouter(prefix="/team/v1", tags=["team"], route_class=PlainRoute)
    library = Reader(services.records, services.settings.public_url)

    @router.get("/referrals/{id_}/demographics", summary="Read what the hospital's system says otherwise of the victim")
    async def demographics(request: Request, id_: str) -> Response:
        caller = await caller_of(services, request, Scope.REFERRAL_READ)
        shown, receipt = await read_proposals(services, library, caller, id_)
        log_id = await log_of(services, caller)
        found = [{"id": one.id, "at": one.opened_at, "suppressed": one.suppressed, "says": one.says} for one in shown]
        answer = {"proposals": found, "receipt": receipt_json(receipt, log_id)}
        return json_response(answer, headers=receipt_header(receipt, log_id))

    @router.post("/referrals/{id_}/demographics/{proposal}", summary="Decide whether what it says is used")
    async def decision(request: Request, id_: str, proposal: str) -> Response:
        caller = await caller_of(services, request, Scope.REFERRAL_WRITE)
        body = await read_json(request, DecisionBody)
        receipt = await decide_proposal(services, library, caller, id_, proposal, body.decision)
        log_id = await log_of(services, caller)
        answer = {"decision": body.decision.value, "receipt": receipt_json(receipt, log_id)}
        return json_response(answer, headers=receipt_header(receipt, log_id))

    return router
