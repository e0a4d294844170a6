"""The work on a case (`/team/v1`): what is done, what was done, and who is on call.

Every call is a named person's. A referral of another team is as good as none (P8). Acts come in a list, and are done
all or none; a repeat under the same `Idempotency-Key`, or else the same `X-Request-Id`, is done once (P2).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import AwareDatetime, ConfigDict, Field
from sqlalchemy import Row
from starlette.requests import Request
from starlette.responses import Response

from audit.receipt import Receipt
from gateway import acting, case_history, entered_in_error, marac_forms, on_call
from gateway.casework.acts import MOST_ACTS, AnyAct, EnteredInError, Staff
from gateway.casework.reading import Done
from gateway.disclosure import Reader
from gateway.errors import Detail, Unprocessable
from gateway.evidence import Caller
from gateway.services import Services
from gateway.tokens.scopes import Scope
from gateway.under_agreement import log_of
from gateway.web.auth import caller_of
from gateway.web.bodies import Body, read_json
from gateway.web.fhirversions import if_match
from gateway.web.http import PlainRoute, json_response, receipt_header, receipt_json
from gateway.web.police import idempotency_key
from mappings.record import Feedback


class ActsBody(Body):
    """What was done, in order; each on the case as the one before it leaves it."""

    acts: Annotated[tuple[AnyAct, ...], Field(min_length=1, max_length=MOST_ACTS)]


class InErrorBody(EnteredInError, Body):
    """Why an act was entered in error."""


class OnCallBody(Body):
    """Who is on call, from when until when."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
    person: Staff
    from_: Annotated[AwareDatetime, Field(alias="from")]
    until: AwareDatetime


def routes(services: Services) -> APIRouter:
    """The routes of casework over these services."""
    desk = _Desk(services)
    router = APIRouter(prefix="/team/v1", tags=["casework"], route_class=PlainRoute)
    for path, answer, method in (
        ("/referrals/{id_}/acts", desk.act, "POST"),
        ("/referrals/{id_}/acts", desk.acts, "GET"),
        ("/referrals/{id_}/acts/{act}/entered-in-error", desk.take_back, "POST"),
        ("/referrals/{id_}/marac-referral.pdf", desk.form, "GET"),
        ("/on-call", desk.rota, "GET"),
        ("/on-call", desk.call, "POST"),
        ("/on-call/{id_}", desk.let_go, "DELETE"),
    ):
        router.add_api_route(path, answer, methods=[method])
    return router


class _Desk:
    """Answers the team: one method for each route."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._library = Reader(services.records, services.settings.public_url)

    async def act(self, request: Request, id_: str) -> Response:
        """Do something in a case: one act or several, all or none."""
        caller = await self._caller(request, Scope.REFERRAL_WRITE)
        body = await _read(request)
        match, key = _matching(request), _key(request, caller)
        done = await acting.act_on(self._services, self._library, caller, id_, body.acts, match, key)
        answer = {
            "version": done.version,
            "repeated": done.known,
            "told": [_feedback(one.feedback) for one in done.told],
            "receipts": [receipt_json(one, done.log_id) for one in done.receipts],
        }
        headers = receipt_header(done.receipts[0], done.log_id) | {"ETag": f'W/"{done.version}"'}
        return json_response(answer, headers=headers)

    async def acts(self, request: Request, id_: str) -> Response:
        """What was done in a case, and by when something must be."""
        caller = await self._caller(request, Scope.REFERRAL_READ)
        found = await case_history.read_acts(self._services, self._library, caller, id_)
        answer = {
            "version": found.version,
            "acts": [_done(one) for one in found.done],
            "clocks": [clock_json(row) for row in found.clocks],
            "notices": [{"notice": r.id, "kind": r.kind, "due_at": r.due_at} for r in found.notices],
            "joined": list(found.joined),
            "receipt": receipt_json(found.receipt, found.log_id),
        }
        headers = receipt_header(found.receipt, found.log_id) | {"ETag": f'W/"{found.version}"'}
        return json_response(answer, headers=headers)

    async def take_back(self, request: Request, id_: str, act: str) -> Response:
        """Say that an act of a case was entered in error."""
        caller = await self._caller(request, Scope.REFERRAL_WRITE)
        body = await read_json(request, InErrorBody)
        match, key = _matching(request), _key(request, caller)
        done = await entered_in_error.take_back(self._services, self._library, caller, id_, act, body, match, key)
        answer = {
            "version": done.version,
            "repeated": done.known,
            "taken_back": [_feedback(one) for one in done.words],
            "receipt": receipt_json(done.receipt, done.log_id),
        }
        headers = receipt_header(done.receipt, done.log_id) | {"ETag": f'W/"{done.version}"'}
        return json_response(answer, headers=headers)

    async def form(self, request: Request, id_: str) -> Response:
        """The referral to the conference as a file, prefilled with what the team may see and what was said."""
        caller = await self._caller(request, Scope.REFERRAL_READ)
        made = await marac_forms.marac_form(self._services, self._library, caller, id_)
        name = {"Content-Disposition": 'attachment; filename="marac-referral.pdf"'}
        headers = receipt_header(made.receipt, made.log_id) | name
        return Response(made.pdf, media_type="application/pdf", headers=headers)

    async def rota(self, request: Request) -> Response:
        """Who of the team is on call, now and later."""
        caller = await self._caller(request, Scope.REFERRAL_READ)
        rows, receipt = await on_call.read_rota(self._services, caller)
        times = [{"on_call": r.id, "person": r.person, "from": r.starts_at, "until": r.ends_at} for r in rows]
        return await self._answer(caller, {"times": times}, receipt)

    async def call(self, request: Request) -> Response:
        """Put somebody on call for the team."""
        caller = await self._caller(request, Scope.REFERRAL_WRITE)
        body = await read_json(request, OnCallBody)
        id_, receipt = await on_call.set_on_call(self._services, caller, body.person, body.from_, body.until)
        return await self._answer(caller, {"on_call": id_}, receipt, 201)

    async def let_go(self, request: Request, id_: str) -> Response:
        """Take a time off the team's rota."""
        caller = await self._caller(request, Scope.REFERRAL_WRITE)
        receipt = await on_call.remove_on_call(self._services, caller, id_)
        return await self._answer(caller, {"on_call": id_, "removed": True}, receipt)

    async def _answer(self, caller: Caller, body: dict[str, Any], receipt: Receipt, status: int = 200) -> Response:
        log_id = await log_of(self._services, caller)
        answer = body | {"receipt": receipt_json(receipt, log_id)}
        return json_response(answer, status, headers=receipt_header(receipt, log_id))

    async def _caller(self, request: Request, scope: Scope) -> Caller:
        return await caller_of(self._services, request, scope)


async def _read(request: Request) -> ActsBody:
    """The body. Raises as `read_json`; a path names the field, and not the kind of act it was looked for in."""
    try:
        return await read_json(request, ActsBody)
    except Unprocessable as wrong:
        details = [Detail(_KIND.sub(r"\1", one.path), one.code, one.words) for one in wrong.details]
        raise Unprocessable(wrong.words, details=details) from None


_KIND = re.compile(r"^(acts\[\d+\])\.[a-z-]+")


def _matching(request: Request) -> Callable[[int], bool]:
    """What `If-Match` says of a version; anything where it is not given, for an act names no state it relies on."""
    return if_match(request) if "if-match" in request.headers else (lambda _: True)


def clock_json(row: Row[Any]) -> dict[str, Any]:
    """A clock that runs, or has lapsed."""
    return {
        "clock": row.kind,
        "referral": row.referral_id,
        "started_at": row.started_at,
        "due_at": row.due_at,
        "reminded": row.reminded_at is not None,
        "escalated": row.escalated_at is not None,
        "lapsed": row.fired_at is not None,
    }


def _key(request: Request, caller: Caller) -> str | None:
    """The name of a request, by which its repeat is known."""
    return idempotency_key(request) or (caller.request if "x-request-id" in request.headers else None)


def _feedback(feedback: Feedback) -> dict[str, Any]:
    return {"code": feedback.code.value, "value": feedback.value, "count": feedback.count}


def _done(one: Done) -> dict[str, Any]:
    return {
        "id": one.id,
        "referral": one.referral_id,
        "act": one.kind,
        "happened_at": one.happened_at.isoformat(),
        "recorded_at": one.recorded_at.isoformat(),
        "by": one.by,
        "role": one.role,
        "codes": dict(one.codes),
        "words": dict(one.words) if one.words is not None else None,
        "index": one.index,
        "entered_in_error": _in_error(one.in_error) if one.in_error is not None else None,
    }


def _in_error(one: Done) -> dict[str, Any]:
    """What took an act back."""
    return {
        "by": one.by,
        "role": one.role,
        "recorded_at": one.recorded_at.isoformat(),
        "reason": one.codes["reason"],
        "index": one.index,
    }
