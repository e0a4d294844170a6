"""Contacts at the scene: `/team/v1/co-responses` for advisers, `/governance/v1/co-responses` for who must join them.

The first call is short, for it is made from a car: a force, a reference, a time, a code. Words come later, or never.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import AwareDatetime, Field, StringConstraints
from sqlalchemy import Row
from starlette.requests import Request
from starlette.responses import Response

from audit.receipt import Receipt
from gateway import scene_contacts
from gateway.coresponse.contact import Contact
from gateway.coresponse.recording import Scene
from gateway.errors import Unprocessable
from gateway.evidence import Caller
from gateway.london import day_of
from gateway.scene_contacts import Happened
from gateway.services import Services
from gateway.tokens.scopes import Scope
from gateway.under_agreement import log_of
from gateway.web.auth import caller_of
from gateway.web.bodies import Body, read_json
from gateway.web.http import PlainRoute, json_response, receipt_header, receipt_json
from gateway.web.police import idempotency_key
from gateway.web.team import Code, Words

Reference = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
_CLOCK_OFF = timedelta(minutes=5)  # how far ahead of ours a caller's clock may be
_OLDEST = timedelta(days=31)  # a contact older than this is no report from a scene


class SceneBody(Body):
    """What an adviser says from the scene. `day` is the log's, where it is not the day of the contact."""

    force: Annotated[str, Field(pattern=r"^[A-Z0-9]{2,8}$")]
    log: Reference | None = None
    day: date | None = None
    occurrence: Reference | None = None
    at: AwareDatetime
    area: Code | None = None
    contact: Contact
    details: Words | None = None

    def said(self) -> tuple[Scene, Happened]:
        """The same as the gateway keeps it. Raises Unprocessable without a reference, or for a time that cannot be."""
        if self.log is None and self.occurrence is None:
            raise Unprocessable("log: is missing, and so is occurrence")
        now = datetime.now(UTC)
        try:
            at = self.at.astimezone(UTC)
        except OverflowError:
            raise Unprocessable("at: it is before the first year there is") from None
        if not now - _OLDEST <= at <= now + _CLOCK_OFF:
            raise Unprocessable("at: it is still to come, or more than a month ago")
        day = self.day or day_of(at)
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        return Scene(self.force, self.log, day, self.occurrence, self.details), Happened(self.contact, at, self.area)


class DetailsBody(Body):
    """What there was no time for at the scene."""

    details: Words


class JoinBody(Body):
    """Which referral a contact was about, and why somebody says so."""

    referral: Code
    reason: Code


class CloseBody(Body):
    """Why no record will come."""

    reason: Code


def routes(services: Services) -> APIRouter:
    """The routes of contacts at the scene over these services."""
    desk = _Desk(services)
    router = APIRouter(tags=["co-response"], route_class=PlainRoute)
    for path, answer, method in (
        ("/team/v1/co-responses", desk.record, "POST"),
        ("/team/v1/co-responses", desk.contacts, "GET"),
        ("/team/v1/co-responses/{id_}", desk.contact, "GET"),
        ("/team/v1/co-responses/{id_}/details", desk.details, "POST"),
        ("/governance/v1/co-responses/{id_}", desk.look_at, "GET"),
        ("/governance/v1/co-responses/{id_}/join", desk.join, "POST"),
        ("/governance/v1/co-responses/{id_}/close", desk.close, "POST"),
    ):
        router.add_api_route(path, answer, methods=[method])
    return router


def shown(row: Row[Any]) -> dict[str, Any]:
    """A contact by its codes and clocks."""
    return {
        "co_response": row.id,
        "state": "joined" if row.referral_id else "closed" if row.closed_at else "waiting",
        "force": row.force,
        "area": row.area,
        "contact": row.contact,
        "at": row.at,
        "by": row.user_id,
        "referral": row.referral_id,
        "owner": row.owner,
        "due_at": row.due_at,
        "overdue": row.overdue_at is not None,
    }


class _Desk:
    """Answers advisers and those who decide: one method for each route."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def record(self, request: Request) -> Response:
        """Record a contact at the scene."""
        caller = await self._caller(request, Scope.REFERRAL_WRITE)
        key = idempotency_key(request)
        scene, happened = (await read_json(request, SceneBody)).said()
        made, receipt = await scene_contacts.record_contact(self._services, caller, scene, happened, key)
        body = {
            "co_response": made.id,
            "state": "joined" if made.referral else "waiting",
            "referral": made.referral,
            "due_at": made.due_at,
        }
        return await self._answer(caller, body, receipt, 200 if made.known else 201)

    async def contacts(self, request: Request) -> Response:
        """The team's contacts that wait for a record."""
        caller = await self._caller(request, Scope.REFERRAL_READ)
        rows, receipt = await scene_contacts.read_contacts(self._services, caller)
        return await self._answer(caller, {"co_responses": [shown(row) for row in rows]}, receipt)

    async def contact(self, request: Request, id_: str) -> Response:
        """One of them, with its words."""
        caller = await self._caller(request, Scope.REFERRAL_READ)
        row, content, receipt = await scene_contacts.read_contact(self._services, caller, id_)
        return await self._answer(caller, shown(row) | content, receipt)

    async def details(self, request: Request, id_: str) -> Response:
        """Add what there was no time for."""
        caller = await self._caller(request, Scope.REFERRAL_WRITE)
        body = await read_json(request, DetailsBody)
        receipt = await scene_contacts.add_details(self._services, caller, id_, body.details)
        return await self._answer(caller, {"co_response": id_}, receipt)

    async def look_at(self, request: Request, id_: str) -> Response:
        """One that waits, by its references."""
        caller = await self._caller(request, Scope.GOVERNANCE_REVIEW)
        row, references, receipt = await scene_contacts.look_at(self._services, caller, id_)
        return await self._answer(caller, shown(row) | references, receipt)

    async def join(self, request: Request, id_: str) -> Response:
        """Join it to a referral, as a human decided."""
        caller = await self._caller(request, Scope.GOVERNANCE_REVIEW)
        body = await read_json(request, JoinBody)
        receipt = await scene_contacts.join_contact(self._services, caller, id_, body.referral, body.reason)
        return await self._answer(caller, {"state": "joined", "referral": body.referral}, receipt)

    async def close(self, request: Request, id_: str) -> Response:
        """Say that no record will come."""
        caller = await self._caller(request, Scope.GOVERNANCE_REVIEW)
        body = await read_json(request, CloseBody)
        receipt = await scene_contacts.close_contact(self._services, caller, id_, body.reason)
        return await self._answer(caller, {"state": "closed"}, receipt)

    async def _caller(self, request: Request, scope: Scope) -> Caller:
        return await caller_of(self._services, request, scope)

    async def _answer(self, caller: Caller, body: dict[str, Any], receipt: Receipt, status: int = 200) -> Response:
        log_id = await log_of(self._services, caller)
        headers = receipt_header(receipt, log_id)
        return json_response(body | {"receipt": receipt_json(receipt, log_id)}, status, headers=headers)
