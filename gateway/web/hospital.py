"""A hospital tells police: the Bundle that brings a notice (`POST /fhir/R4`), and what its people decide of it.

Police read the notices at `/police/v1/notices`. What waits for a person of the hospital stands at
`/governance/v1/hospital-notices`: by its facts, its clauses and its clock, and by nobody's name; the sender's own
reference leads to it in the hospital's own system.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from sqlalchemy import Row
from starlette.requests import Request
from starlette.responses import Response

from adapters.nhs import fhir
from adapters.socket import Unreadable
from audit.receipt import Receipt
from gateway.errors import BadParameter, Unprocessable
from gateway.evidence import Caller
from gateway.hospital import How, State, Taken, deciding, pulling, take_notice, unreadable_notice
from gateway.hospital.bundles import fhir_media, read_bundle
from gateway.hospital.deciding import Opened
from gateway.hospital.standing import Judged
from gateway.services import Services
from gateway.store.envelope import Envelope
from gateway.tokens.scopes import Scope
from gateway.under_agreement import log_of
from gateway.web.auth import caller_of
from gateway.web.bodies import Body, read_json
from gateway.web.governance import KeepBody, OverrideBody
from gateway.web.http import PlainRoute, json_response, receipt_header, receipt_json
from gateway.web.query import limit_of, number
from gateway.web.team import Code
from mappings.record import ConsentState

PAGE_MAX = 500
BUNDLE_SCOPES = (Scope.REFERRAL_READ, Scope.NOTICE_WRITE)
"""Who may send a Bundle at all: one that reads, or one that brings a notice."""


class SheSays(Body):
    """What the victim says now of telling police."""

    state: ConsentState
    reason: Code | None = None


def brings_notice(caller: Caller, body: bytes) -> bool:
    """Whether a Bundle brings a notice rather than reads.

    Of a sender of notices, what nobody can read is kept as one, and so is what asks for nothing: it may tell of
    somebody at risk (P6).
    """
    if Scope.NOTICE_WRITE not in caller.scopes:
        return False
    try:
        sent = fhir.as_sent(body)
    except fhir.FhirRefused:
        return True
    asks = sent.get("resourceType") == "Bundle" and sent.get("type") in {"batch", "transaction"}
    if Scope.REFERRAL_READ not in caller.scopes or not asks:
        return True
    entries = sent.get("entry")
    if sent["type"] == "batch":  # of which each entry is answered by itself, as long as one of them asks
        return isinstance(entries, list) and bool(entries) and not any(map(_reads, entries))
    return not all(map(_reads, entries if isinstance(entries, list) else [None]))


def _reads(entry: object) -> bool:
    request = entry.get("request") if isinstance(entry, dict) else None
    return isinstance(request, dict) and request.get("method") == "GET"


async def take_bundle(services: Services, request: Request, body: bytes, media: str, base_url: str) -> Response:
    """Take a notice in and answer in FHIR. Raises UnreadableInput (kept), and what `take_notice` raises."""
    caller = await caller_of(services, request, Scope.NOTICE_WRITE)
    try:
        brought = await read_bundle(services, caller, body, media)
    except Unreadable as unreadable:
        raise await unreadable_notice(services, caller, body, fhir_media(media), unreadable) from unreadable
    document = brought.record.reference("document")
    taken = await take_notice(services, caller, brought.record, body, brought.media_type, document=document)
    issues = [fhir.Issue("information", "informational", _words(taken))]
    if brought.losses:
        issues.append(fhir.Issue("warning", "incomplete", f"{brought.losses} elements were not read"))
    sent = fhir.as_sent(body)
    issues += fhir.remarks(sent)
    answer = fhir.notice_answer(
        sent,
        notice=taken.notice,
        new=taken.how is How.ACCEPTED,
        issues=issues,
        base_url=base_url,
    )
    return Response(answer, headers=receipt_header(taken.receipt, taken.log_id), media_type=fhir.JSON_TYPE)


def routes(services: Services) -> APIRouter:
    """The routes of police and of those who decide, over these services."""
    desk = _Desk(services)
    router = APIRouter(tags=["hospital-notices"], route_class=PlainRoute)
    for path, answer, method in (
        ("/police/v1/notices", desk.read, "GET"),
        ("/police/v1/notices/acknowledgements", desk.acknowledge, "POST"),
        ("/governance/v1/hospital-notices", desk.held, "GET"),
        ("/governance/v1/hospital-notices/{id_}", desk.look_at, "GET"),
        ("/governance/v1/hospital-notices/{id_}/release", desk.release, "POST"),
        ("/governance/v1/hospital-notices/{id_}/keep-back", desk.keep_back, "POST"),
        ("/governance/v1/hospital-notices/{id_}/consent", desk.consent, "POST"),
    ):
        router.add_api_route(path, answer, methods=[method])
    return router


class _Desk:
    """Answers police and the people of the hospital: one method for each route."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def read(self, request: Request) -> Response:
        """Notices for the force since a cursor."""
        caller = await caller_of(self._services, request, Scope.NOTICE_READ)
        after = number(request, "after", -1, least=None)
        limit = limit_of(request, 100, PAGE_MAX)
        pulled = await pulling.read_notices(self._services, caller, after=after, limit=limit)
        receipts = [receipt_json(one, pulled.log_id) for one in pulled.receipts]
        shown = pulled.page.shown
        body = {
            "notices": [one.said() | {"receipt": r} for one, r in zip(shown, receipts, strict=False)],
            "next": pulled.page.next_cursor,
            "more": pulled.page.more,
            "receipt": receipts[0],
        }
        return json_response(body, headers=receipt_header(pulled.receipts[0], pulled.log_id))

    async def acknowledge(self, request: Request) -> Response:
        """Say that every notice up to a cursor is taken."""
        caller = await caller_of(self._services, request, Scope.NOTICE_READ)
        through = number(request, "through")
        count, receipt = await pulling.acknowledge_notices(self._services, caller, through)
        return await self._answer(caller, {"acknowledged": count, "through": through}, receipt)

    async def held(self, request: Request) -> Response:
        """The hospital's notices that wait for a person, or all of them."""
        caller = await caller_of(self._services, request, Scope.GOVERNANCE_REVIEW)
        state = request.query_params.get("state", "held")
        if state not in {"held", "all"}:
            raise BadParameter("state is held or all")
        rows, receipt = await deciding.read_held(self._services, caller, every=state == "all")
        return await self._answer(caller, {"notices": [shown(row) for row in rows]}, receipt)

    async def look_at(self, request: Request, id_: str) -> Response:
        """One of them, with the decision for each police recipient in words."""
        caller = await caller_of(self._services, request, Scope.GOVERNANCE_REVIEW)
        opened, receipt = await deciding.look_at(self._services, caller, id_)
        return await self._answer(caller, _opened(opened), receipt)

    async def release(self, request: Request, id_: str) -> Response:
        """Let one go, on a ground."""
        caller = await caller_of(self._services, request, Scope.GOVERNANCE_REVIEW)
        body = await read_json(request, OverrideBody)
        override = body.made(Envelope(self._services.keyring.content_key))
        receipt = await deciding.release(self._services, caller, id_, override)
        return await self._answer(caller, {"state": State.OPEN.value, "override": override.id}, receipt)

    async def keep_back(self, request: Request, id_: str) -> Response:
        """Keep one back."""
        caller = await caller_of(self._services, request, Scope.GOVERNANCE_REVIEW)
        body = await read_json(request, KeepBody)
        receipt = await deciding.keep_back(self._services, caller, id_, body.reason)
        return await self._answer(caller, {"state": State.KEPT_BACK.value}, receipt)

    async def consent(self, request: Request, id_: str) -> Response:
        """Record what she says now of telling police."""
        caller = await caller_of(self._services, request, Scope.GOVERNANCE_REVIEW)
        body = await read_json(request, SheSays)
        if body.state is ConsentState.OVERRIDDEN:
            raise Unprocessable("state: nobody says that they are overridden; release it on a ground")
        receipt, state = await deciding.change_consent(self._services, caller, id_, body.state, body.reason)
        return await self._answer(caller, {"consent": body.state.value, "state": state.value}, receipt)

    async def _answer(self, caller: Caller, body: dict[str, Any], receipt: Receipt) -> Response:
        log_id = await log_of(self._services, caller)
        headers = receipt_header(receipt, log_id)
        return json_response(body | {"receipt": receipt_json(receipt, log_id)}, headers=headers)


def shown(row: Row[Any]) -> dict[str, Any]:
    """A notice by its codes and clocks."""
    return {
        "notice": row.id,
        "version": row.version,
        "state": row.state,
        "reason": row.reason,
        "area": row.area,
        "grade": row.grade,
        "consent": row.consent,
        "override": row.override_id,
        "owner": row.owner,
        "received_at": row.received_at,
        "due_at": row.due_at if row.decided_at is None else None,
        "overdue": row.overdue_at is not None,
    }


def _opened(opened: Opened) -> dict[str, Any]:
    return shown(opened.row) | {
        "reference": opened.record.reference("occurrence"),
        "children": any(one.facts.children for one in opened.made),
        "quality": [{"path": one.path, "code": one.code} for one in opened.record.quality],
        "decisions": [_decision(one) for one in opened.made],
    }


def _decision(one: Judged) -> dict[str, Any]:
    return one.decision.for_sender() | {"items": list(one.facts.items), "releases": list(one.decision.released)}


def _words(taken: Taken) -> str:
    """What became of a notice, for the person who sent it."""
    if taken.how is How.KNOWN:
        return f"known before; it is {taken.state.value}"
    if taken.state is State.HELD:
        return f"{taken.how.value}; {taken.words}. Decided by {taken.owner}, by {taken.due_at}"
    if taken.state is State.STOPPED:
        return f"{taken.how.value}; it stays with the hospital: {taken.words}"
    return f"{taken.how.value}; it is {taken.state.value}"
