"""Victim information requests: police ask and read (`/police/v1`), the hospital's people answer (`/team/v1`).

No text of a request or an answer is ever part of a URL, a log or an error: places are named, and codes.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import AwareDatetime, Field, StringConstraints
from sqlalchemy import Row
from starlette.requests import Request
from starlette.responses import Response

from audit.entry import timestamp
from audit.receipt import Receipt
from gateway.errors import BadParameter
from gateway.evidence import Caller
from gateway.informing import answering, asking, reading
from gateway.informing.keeping import Answer, How, View, Why
from gateway.informing.request import Ask, VictimTold, Wanted
from gateway.services import Services
from gateway.tokens.scopes import Scope
from gateway.under_agreement import log_of
from gateway.web.auth import caller_of
from gateway.web.bodies import Body, read_json
from gateway.web.http import PlainRoute, json_response, receipt_header, receipt_json
from gateway.web.police import idempotency_key
from gateway.web.query import limit_of, number
from gateway.web.team import Code, Words

PAGE_MAX = 500
Line = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
ItemName = Annotated[str, StringConstraints(pattern=r"^[a-z_.]{1,64}$")]


class WantedBody(Body):
    """One item: what, when, why, on which basis, what it bears on, and what the victim was told."""

    item: ItemName
    what: Words
    since: date
    until: date
    why: Words
    basis: Code
    relevance: Words
    victim_told: VictimTold
    why_not_told: Words | None = None


class AskBody(Body):
    """A request about one referral."""

    referral: Code
    line_of_enquiry: Words
    alternatives: Words
    authorised_by: Line
    items: Annotated[tuple[WantedBody, ...], Field(min_length=1, max_length=100)]

    def made(self) -> Ask:
        """The same as the gateway judges it."""
        items = tuple(Wanted(**dict(one)) for one in self.items)
        return Ask(self.referral, self.line_of_enquiry, self.alternatives, self.authorised_by, items)


class AnswerBody(Body):
    """What a person says to one item."""

    answer: How
    view: View
    reason: Why | None = None
    words: Words | None = None
    agreed_at: AwareDatetime | None = None
    consent_ref: Code | None = None
    expiry: AwareDatetime | None = None
    no_clinical_facts: bool = False

    def made(self) -> Answer:
        """The same, checked. Raises Unprocessable, naming each place at fault."""
        found = Answer(
            self.answer,
            self.view,
            self.reason,
            self.words,
            self.agreed_at,
            self.consent_ref,
            self.expiry,
            self.no_clinical_facts,
        )
        found.check(datetime.now(UTC))
        return found


def routes(services: Services) -> APIRouter:
    """The routes over these services."""
    desk = _Desk(services)
    router = APIRouter(tags=["information-requests"], route_class=PlainRoute)
    for path, answer, method in (
        ("/police/v1/information-requests", desk.ask, "POST"),
        ("/police/v1/information-requests/{id_}", desk.own, "GET"),
        ("/police/v1/information-answers", desk.read, "GET"),
        ("/police/v1/information-answers/acknowledgements", desk.acknowledge, "POST"),
        ("/team/v1/information-requests", desk.waiting, "GET"),
        ("/team/v1/information-requests/{id_}", desk.look_at, "GET"),
        ("/team/v1/information-requests/{id_}/items/{item:version}", desk.answer, "POST"),
    ):
        router.add_api_route(path, answer, methods=[method])
    return router


class _Desk:
    """Answers police and the hospital's people: one method for each route."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def ask(self, request: Request) -> Response:
        """Ask for a victim's information, item by item."""
        caller = await caller_of(self._services, request, Scope.INFORMATION_REQUEST)
        key = idempotency_key(request)
        wanted = (await read_json(request, AskBody)).made()
        made, receipt = await asking.ask(self._services, caller, wanted, key)
        body = {"request": made.id, "state": "open", "answered_by": made.owner, "due_at": made.due_at}
        return await self._answer(caller, body, receipt, 200 if made.known else 201)

    async def own(self, request: Request, id_: str) -> Response:
        """Where one of the force's own requests stands."""
        caller = await caller_of(self._services, request, Scope.INFORMATION_REQUEST)
        row, items, receipt = await reading.read_request(self._services, caller, id_)
        # What was released is read, and decided, with the answers; here it is answered or not.
        states = [{"item": one.number, "asked": one.item, "answered": one.state != How.OPEN} for one in items]
        return await self._answer(caller, _shown(row) | {"items": states}, receipt)

    async def read(self, request: Request) -> Response:
        """The answers since a cursor."""
        caller = await caller_of(self._services, request, Scope.INFORMATION_REQUEST)
        after = number(request, "after", -1, least=None)
        found = await reading.read_answers(self._services, caller, after=after, limit=limit_of(request, 100, PAGE_MAX))
        receipts = [receipt_json(one, found.log_id) for one in found.receipts]
        body = {
            "answers": [one.said() | {"receipt": r} for one, r in zip(found.page.shown, receipts, strict=False)],
            "next": found.page.next_cursor,
            "more": found.page.more,
            "receipt": receipts[0],
        }
        return json_response(body, headers=receipt_header(found.receipts[0], found.log_id))

    async def acknowledge(self, request: Request) -> Response:
        """Say that every answer up to a cursor is taken."""
        caller = await caller_of(self._services, request, Scope.INFORMATION_REQUEST)
        through = number(request, "through")
        count, receipt = await reading.acknowledge_answers(self._services, caller, through)
        return await self._answer(caller, {"acknowledged": count, "through": through}, receipt)

    async def waiting(self, request: Request) -> Response:
        """What police ask of the team, the one due first at the top."""
        caller = await caller_of(self._services, request, Scope.INFORMATION_ANSWER)
        state = request.query_params.get("state", "open")
        if state not in {"open", "all"}:
            raise BadParameter("state is open or all")
        rows, receipt = await answering.read_requests(self._services, caller, every=state == "all")
        return await self._answer(caller, {"requests": [_shown(row) for row in rows]}, receipt)

    async def look_at(self, request: Request, id_: str) -> Response:
        """One of them, in the words of whoever asks."""
        caller = await caller_of(self._services, request, Scope.INFORMATION_ANSWER)
        opened, receipt = await answering.look_at(self._services, caller, id_)
        asked = opened.said["items"]
        items = [
            one | {"number": row.number, "state": row.state, "reason": row.reason, "view": row.view}
            for one, row in zip(asked, opened.items, strict=True)
        ]
        words = {name: opened.said[name] for name in ("line_of_enquiry", "alternatives", "authorised_by")}
        who = {"asked_by": opened.row.user_id, "role": opened.row.role}
        return await self._answer(caller, _shown(opened.row) | words | who | {"items": items}, receipt)

    async def answer(self, request: Request, id_: str, item: int) -> Response:
        """Answer one item."""
        caller = await caller_of(self._services, request, Scope.INFORMATION_ANSWER)
        given = (await read_json(request, AnswerBody)).made()
        done, receipt = await answering.answer(self._services, caller, id_, item, given)
        body = {"request": id_, "item": item, "answer": given.how.value, "complete": done}
        return await self._answer(caller, body, receipt)

    async def _answer(self, caller: Caller, body: dict[str, Any], receipt: Receipt, status: int = 200) -> Response:
        log_id = await log_of(self._services, caller)
        headers = receipt_header(receipt, log_id)
        return json_response(body | {"receipt": receipt_json(receipt, log_id)}, status, headers=headers)


def _shown(row: Row[Any]) -> dict[str, Any]:
    """A request by its codes and clocks."""
    return {
        "request": row.id,
        "referral": row.referral_id,
        "incident": row.event_id,
        "force": row.force,
        "state": "open" if row.answered_at is None else "answered",
        "answered_by": row.owner,
        "created_at": row.created_at,
        "due_at": row.due_at,
        "overdue": row.overdue_at is not None
        or (row.answered_at is None and row.due_at < timestamp(datetime.now(UTC))),
    }
