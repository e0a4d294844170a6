"""The police interface: push an incident, see what became of it, pull feedback (design.md section 9).

In comes any format that a profile of the client reads, out goes JSON; failures are RFC 9457 problems. No name of a
person or of an event in the sender's system is ever part of a URL: `{reference}` is the gateway's own, from the answer
to the push.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from gateway import journey
from gateway.errors import BadMediaType, BadParameter, BodyTooLarge, Detail, NotFound, UnreadableInput
from gateway.evidence import Caller, Event
from gateway.explain import for_sender
from gateway.feedback import Telling
from gateway.intake import Submission
from gateway.journey import Intake, Told
from gateway.services import Services
from gateway.setting_aside import set_aside
from gateway.taking import Taken
from gateway.tokens.scopes import Scope
from gateway.under_agreement import log_of
from gateway.web.auth import caller_of
from gateway.web.http import PlainRoute, json_response, media_type, read_body, receipt_header, receipt_json
from gateway.web.query import limit_of, number
from gateway.web.team import record_oral
from mappings.record import FeedbackCode

FEEDBACK_PAGE_MAX = 500
_TOLD_APART = frozenset(
    {
        "application/json",
        "application/vnd.api+json",
        "application/xml",
        "text/xml",
        "text/csv",
        "text/plain",
        "application/pdf",
        "application/x-ndjson",
        "application/zip",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    }
)
"""The types a human is told of, for input nobody could read; any other text of the header could say anything (P7)."""
_KEY = re.compile(r"[\x21-\x7e]{1,255}")

_STATUS = {Taken.ACCEPTED: 201, Taken.UPDATED: 200, Taken.KNOWN: 200, Taken.HELD: 202}


def routes(services: Services) -> APIRouter:
    """The police routes over these services."""
    router = APIRouter(prefix="/police/v1", tags=["police"], route_class=PlainRoute)

    @router.post("/incidents", status_code=201, summary="Push an incident")
    async def push(request: Request) -> Response:
        caller = await caller_of(services, request, Scope.INCIDENT_WRITE)
        key = idempotency_key(request)
        try:
            media = media_type(request, services.profiles.media_types(caller.profiles))
            body = await read_body(request, services.settings.body_max_bytes)
        except (BadMediaType, BodyTooLarge) as error:
            raise await _kept(services, caller, request, error) from error
        intake = await journey.take_in(services, caller, body, media, key)
        status = _STATUS[intake.answer.taken]
        headers = receipt_header(intake.receipt, intake.log_id)
        if intake.answer.incident:
            headers["Location"] = f"/police/v1/incidents/{intake.answer.incident}"
        return json_response(pushed(intake), status, headers=headers)

    @router.get("/incidents/{reference}", summary="What became of an incident")
    async def state(request: Request, reference: str) -> Response:
        caller = await caller_of(services, request, Scope.FEEDBACK_READ)
        known = await journey.knows_incident(services, caller, reference)
        told = await journey.tell_police(services, caller, event_id=reference, event=Event.INCIDENT_STATUS_READ)
        if not known:
            raise NotFound("there is no such incident")
        body = {
            "incident": reference,
            "state": _state(told.tellings.told),
            "feedback": [one.said() for one in told.tellings.told],
            "receipts": [receipt_json(one, told.log_id) for one in told.receipts],
        }
        return json_response(body, headers=receipt_header(told.receipts[0], told.log_id))

    @router.post("/incidents/{reference}/oral-disclosures", status_code=201, summary="Record what was said")
    async def oral(request: Request, reference: str) -> Response:
        return await record_oral(services, request, reference, Scope.INCIDENT_WRITE)

    @router.get("/feedback", summary="Coded feedback since a cursor")
    async def feedback(request: Request) -> Response:
        caller = await caller_of(services, request, Scope.FEEDBACK_READ)
        after = number(request, "after", -1, least=None)
        told = await journey.tell_police(services, caller, after=after, limit=limit_of(request, 100, FEEDBACK_PAGE_MAX))
        return json_response(_page(told), headers=receipt_header(told.receipts[0], told.log_id))

    @router.post("/feedback/acknowledgements", summary="Acknowledge feedback up to a cursor")
    async def acknowledge(request: Request) -> Response:
        caller = await caller_of(services, request, Scope.FEEDBACK_READ)
        through = number(request, "through", least=None)
        committed = await journey.acknowledge(services, caller, through)
        log_id = await log_of(services, caller)
        body = {"acknowledged_through": through, "receipt": receipt_json(committed.receipt, log_id)}
        return json_response(body, headers=receipt_header(committed.receipt, log_id))

    return router


async def _kept(
    services: Services, caller: Caller, request: Request, error: BadMediaType | BodyTooLarge
) -> UnreadableInput:
    """Input of another type is kept for a human like any other that cannot be read; input too large is not."""
    fault, body = "too-large", b""
    if isinstance(error, BadMediaType):
        try:
            fault, body = "media-type", await read_body(request, services.settings.body_max_bytes)
        except BodyTooLarge as too_large:
            error = too_large
    return await kept(services, caller, request, fault, error.words, body)


async def kept(
    services: Services, caller: Caller, request: Request, fault: str, words: str, body: bytes
) -> UnreadableInput:
    """Keep bytes of which not even the type is one that is read; returns the error to raise."""
    log_id = await log_of(services, caller)
    named = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    media = named if named in _TOLD_APART else "unknown"
    submission = Submission(caller, body, media, None, log_id)
    return await set_aside(services, submission, fault, words, (Detail("", fault, words),))


def idempotency_key(request: Request) -> str | None:
    """The caller's `Idempotency-Key`: at most 255 visible ASCII characters. Raises BadParameter."""
    keys = request.headers.getlist("idempotency-key")
    if not keys:
        return None
    if len(keys) > 1 or not _KEY.fullmatch(keys[0]):
        raise BadParameter("Idempotency-Key is one value of at most 255 visible ASCII characters")
    return keys[0]


def pushed(intake: Intake) -> dict[str, Any]:
    """What the sender is told of a push."""
    answer, reading = intake.answer, intake.reading
    body: dict[str, Any] = {
        "state": answer.taken.value,
        "incident": answer.incident,
        "referrals": list(answer.referrals),
    }
    if answer.held:
        body |= {"held": answer.held, "reason": answer.reason, "detail": answer.words}
    body["decisions"] = [
        {"subject": offer.victim, "purpose": offer.purpose, **for_sender(offer.decision)}
        for offer in intake.offers
        if offer.recipient
    ]
    body["losses"] = {
        "count": reading.loss_count,
        "paths": [{"path": one.path, "reason": one.reason} for one in reading.losses],
    }
    body["quality"] = [{"path": one.path, "code": one.code} for one in reading.findings]
    body["receipt"] = receipt_json(intake.receipt, intake.log_id)
    return body


def _state(told: Sequence[Telling]) -> str:
    """The last word that stands: one that takes another back is none."""
    codes = [one.feedback.code for one in told]
    return next((one.value for one in reversed(codes) if one is not FeedbackCode.ENTERED_IN_ERROR), "offered")


def _page(told: Told) -> dict[str, Any]:
    return {
        "feedback": [
            {**one.said(), "receipt": receipt_json(receipt, told.log_id)}
            for one, receipt in zip(told.tellings.told, told.receipts, strict=False)
        ],
        "next": told.tellings.next_cursor,
        "more": told.tellings.more,
        "receipt": receipt_json(told.receipts[0], told.log_id),
    }
