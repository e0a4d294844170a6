"""What a team does about its own cases beside FHIR (`/team/v1`): consent, spoken disclosures, emergencies, connections.

Every call is a named person's. A referral of another team is as good as none (P8).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter
from pydantic import AwareDatetime, Field, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from gateway import byways
from gateway.break_glass import Emergency, Ground
from gateway.disclosure import Reader
from gateway.errors import Unprocessable
from gateway.oral import Channel, Said
from gateway.services import Services
from gateway.store.envelope import Envelope
from gateway.tokens.scopes import Scope
from gateway.under_agreement import log_of
from gateway.web.auth import caller_of
from gateway.web.bodies import Body, read_json
from gateway.web.http import PlainRoute, json_response, receipt_header, receipt_json
from mappings.items import CATALOGUE
from mappings.record import ConsentState

Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=4000, strip_whitespace=True)]
_CLOCK_OFF = timedelta(minutes=5)  # how far ahead of ours a caller's clock may be


class ConsentBody(Body):
    """What the victim says now."""

    state: ConsentState
    reason: Code | None = None


class EmergencyBody(Body):
    """Why the glass is broken."""

    ground: Ground
    reason: Words


class OralBody(Body):
    """What was said, to whom, when and how."""

    to: Code
    items: Annotated[tuple[str, ...], Field(min_length=1, max_length=len(CATALOGUE))]
    said_at: AwareDatetime
    channel: Channel
    subject: Code | None = None
    purpose: Code | None = None
    reason: Code | None = None

    def said(self) -> Said:
        """The same as the gateway records it. Raises Unprocessable for an item nobody knows, or a time to come."""
        if not set(self.items) <= CATALOGUE.keys():
            raise Unprocessable("items: one of them is not an item of the catalogue")
        try:
            said_at = self.said_at.astimezone(UTC)
        except OverflowError:
            raise Unprocessable("said_at: it is before the first year there is") from None
        if said_at > datetime.now(UTC) + _CLOCK_OFF:
            raise Unprocessable("said_at: it is still to come")
        items = tuple(sorted(set(self.items)))
        return Said(self.to, self.purpose or "", items, said_at, self.channel, self.reason)


def routes(services: Services) -> APIRouter:
    """The team's routes over these services."""
    router = APIRouter(prefix="/team/v1", tags=["team"], route_class=PlainRoute)
    library = Reader(services.records, services.settings.public_url)

    @router.post("/referrals/{id_}/consent", summary="Record what the victim says now of sharing")
    async def consent(request: Request, id_: str) -> Response:
        caller = await caller_of(services, request, Scope.REFERRAL_WRITE)
        body = await read_json(request, ConsentBody)
        if body.state is ConsentState.OVERRIDDEN:
            raise Unprocessable("state: nobody says that they are overridden; see governance")
        heard = await byways.change_consent(services, library, caller, id_, body.state, body.reason)
        log_id = await log_of(services, caller)
        receipt = receipt_json(heard.receipt, log_id)
        answer = {"consent": body.state.value, "act": heard.act, "told": heard.told, "receipt": receipt}
        return json_response(answer, headers=receipt_header(heard.receipt, log_id))

    @router.post("/referrals/{id_}/break-glass", status_code=201, summary="Override a denial: a life is at risk")
    async def break_glass(request: Request, id_: str) -> Response:
        caller = await caller_of(services, request, Scope.REFERRAL_WRITE)
        body = await read_json(request, EmergencyBody)
        emergency = Emergency.of(Envelope(services.keyring.content_key), id_, body.ground, body.reason)
        opened, receipt = await byways.break_glass(services, caller, emergency)
        log_id = await log_of(services, caller)
        answer = {
            "break_glass": opened.id,
            "open_until": opened.until,
            "review_due": opened.review_due,
            "receipt": receipt_json(receipt, log_id),
        }
        return json_response(answer, 201, headers=receipt_header(receipt, log_id))

    @router.post("/referrals/{id_}/connection", summary="Declare that one knows a party of this case")
    async def connection(request: Request, id_: str) -> Response:
        caller = await caller_of(services, request, Scope.REFERRAL_READ)
        receipt = await byways.declare_connection(services, library, caller, id_)
        log_id = await log_of(services, caller)
        return json_response({"receipt": receipt_json(receipt, log_id)}, headers=receipt_header(receipt, log_id))

    @router.post("/referrals/{id_}/oral-disclosures", status_code=201, summary="Record what was said to police")
    async def oral(request: Request, id_: str) -> Response:
        return await record_oral(services, request, id_, Scope.REFERRAL_WRITE)

    return router


async def record_oral(services: Services, request: Request, reference: str, scope: Scope) -> Response:
    """Record a spoken disclosure and answer; for teams and for police alike."""
    caller = await caller_of(services, request, scope)
    body = await read_json(request, OralBody)
    beyond, receipt = await byways.record_oral(services, caller, reference, body.subject, body.said())
    log_id = await log_of(services, caller)
    answer = {"recorded": True, "beyond_agreement": beyond, "receipt": receipt_json(receipt, log_id)}
    return json_response(answer, 201, headers=receipt_header(receipt, log_id))
