"""Oversight over HTTP: findings for an auditor, and a candidate agreement tried on the past.

Both read a range of a log in a reader thread, so the range is bounded; the command line has no bound. Each is sealed in
the log before it is answered, and a log that is none of the caller's is as good as none (P8).
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from audit.receipt import Receipt
from gateway.agreement import Agreement, AgreementUnreadable, parse
from gateway.errors import BadParameter, Unprocessable
from gateway.evidence import Caller, Event
from gateway.oversight.asking import looked, tried
from gateway.oversight.entries import LogSource
from gateway.oversight.findings import COLUMNS, Found, find
from gateway.oversight.spreadsheet import to_csv
from gateway.oversight.what_if import WhatIf, try_on
from gateway.reading_log import Look
from gateway.services import Services
from gateway.store.batch import Unit
from gateway.tokens.scopes import Scope
from gateway.web.auth import caller_of
from gateway.web.http import PlainRoute, json_response, media_type, read_body, reason_of, receipt_header, receipt_json
from gateway.web.looking import check_own

ENTRIES_MAX = 50_000
"""Entries of one answer: some two seconds of a reader thread."""

CANDIDATE_MAX_BYTES = 1_048_576
_YAML = ("application/yaml", "text/yaml", "application/x-yaml")

Range = tuple[datetime | None, datetime | None]


def routes(services: Services) -> APIRouter:
    """The routes over these services."""
    desk = _Desk(services)
    router = APIRouter(tags=["oversight"], route_class=PlainRoute)
    router.add_api_route("/audit/v1/logs/{log_id}/findings", desk.findings, methods=["GET"])
    router.add_api_route("/agreements/v1/{agreement_id}/replay", desk.replay, methods=["POST"])
    return router


class _Desk:
    """Answers: one method for each route."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def findings(self, request: Request, log_id: str) -> Response:
        """What an auditor should look at in a range: JSON, or CSV with `format=csv`."""
        caller = await self._caller(request, log_id)
        start, stop = _range(request, {"format"})
        form = request.query_params.get("format", "json")
        if form not in {"json", "csv"}:
            raise BadParameter("format is json or csv")
        await self._check_size(log_id, (start, stop))
        unit = Look(caller, looked("findings", start, stop), reason=reason_of(request))
        receipt = await self._sealed(log_id, unit)
        now = datetime.now(UTC)

        def read(connection: Connection) -> Found:
            return find(LogSource(connection, log_id), None, start, stop, now=now)

        found = await self._services.database.read(read)
        headers = receipt_header(receipt, log_id)
        if form == "csv":
            return Response(to_csv(COLUMNS, found.table()), media_type="text/csv; charset=utf-8", headers=headers)
        return json_response({"log": receipt.origin, **found.to_json()}, headers=headers)

    async def replay(self, request: Request, agreement_id: str) -> Response:
        """What a candidate would have changed: its text is the body, and is not kept."""
        caller = await self._caller(request, agreement_id)
        start, stop = _range(request, frozenset())
        media_type(request, _YAML)
        candidate = await _candidate(await read_body(request, CANDIDATE_MAX_BYTES), agreement_id)
        await self._check_size(agreement_id, (start, stop))
        unit = Look(caller, tried(candidate, start, stop), Event.AGREEMENT_REPLAYED, reason_of(request))
        receipt = await self._sealed(agreement_id, unit)

        def read(connection: Connection) -> WhatIf:
            return try_on(LogSource(connection, agreement_id), candidate, start, stop)

        result = await self._services.database.read(read)
        body = {**result.to_json(), "receipt": receipt_json(receipt, agreement_id)}
        return json_response(body, headers=receipt_header(receipt, agreement_id))

    async def _caller(self, request: Request, log_id: str) -> Caller:
        caller = await caller_of(self._services, request, Scope.LOG_READ)
        await check_own(self._services, request, caller, log_id)
        return caller

    async def _check_size(self, log_id: str, asked: Range) -> None:
        """Raise Unprocessable where a range holds too much for one answer."""
        first, end = await self._services.database.read(lambda c: LogSource(c, log_id).bounds(*asked))
        if end - first > ENTRIES_MAX:
            raise Unprocessable(
                f"the range holds {end - first} entries, and an answer is made of {ENTRIES_MAX} at most: "
                "ask for less, or use `gateway agreement replay` or `gateway audit findings` with --log or --pack"
            )

    async def _sealed(self, log_id: str, unit: Unit[None]) -> Receipt:
        return (await self._services.journals.of(log_id).submit(unit)).receipt


async def _candidate(body: bytes, agreement_id: str) -> Agreement:
    """The candidate in a body, read beside the event loop. Raises Unprocessable, naming the line."""
    try:
        candidate = await asyncio.to_thread(parse, body)
    except AgreementUnreadable as unreadable:
        raise Unprocessable(str(unreadable)) from None
    if candidate.id != agreement_id:
        raise Unprocessable("the candidate has the id of another agreement")
    return candidate


def _range(request: Request, others: frozenset[str] | set[str]) -> Range:
    """The bounds `from` and `to` of a request. Raises BadParameter."""
    known = {"from", "to", *others}
    for name, _ in request.query_params.multi_items():
        if name not in known or len(request.query_params.getlist(name)) > 1:
            raise BadParameter(f"parameters are {', '.join(sorted(known))}, each given once")
    start, stop = _moment(request, "from"), _moment(request, "to")
    if start is not None and stop is not None and stop < start:
        raise BadParameter("to is before from")
    return start, stop


def _moment(request: Request, name: str) -> datetime | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise BadParameter(f"{name} is a time with its offset (RFC 3339)")
