"""Batches of police documents: send one, see where it stands, read what became of each row (design.md section 9).

`POST` answers 200 when every row has been taken in or set aside; half of them bad is still 200, and the counts say so.
One that nobody could begin with (415, 413) is refused as a whole, sealed, and its beginning kept for a human.
A batch belongs to the organisation that sent it; to everybody else there is none (P8).
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

import orjson
from fastapi import APIRouter
from sqlalchemy import Row
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from adapters.batch import MEDIA_TYPES
from audit.receipt import Receipt
from gateway import batches
from gateway.batch_rows import BAD, STATES
from gateway.batches import Batched, RowsOf
from gateway.errors import BadMediaType, BadParameter, BodyTooLarge, NotAcceptable, UnreadableInput
from gateway.evidence import Caller
from gateway.services import Services
from gateway.tokens.scopes import Scope
from gateway.web.auth import caller_of
from gateway.web.http import PlainRoute, declared_bytes, json_response, media_type, receipt_header, receipt_json
from gateway.web.police import idempotency_key, kept
from gateway.web.query import limit_of, number

PAGE_MAX = 1000
_STREAM_PAGE = 1000  # rows; 200 KB that an answer holds
_LAST_ROW = 2**31 - 1  # what the column of a row's number holds
_BATCHES_MAX = 100


def routes(services: Services) -> APIRouter:
    """The routes of batches over these services."""
    router = APIRouter(prefix="/police/v1", tags=["police"], route_class=PlainRoute)

    @router.post("/batches", summary="Push a batch of incidents: NDJSON, CSV, or a zip of CSV files")
    async def push(request: Request) -> Response:
        caller = await caller_of(services, request, Scope.INCIDENT_WRITE)
        key = idempotency_key(request)
        try:
            media = media_type(request, MEDIA_TYPES)
            if declared_bytes(request) > services.settings.batch_max_bytes:
                raise BodyTooLarge(f"the batch is larger than {services.settings.batch_max_bytes} bytes")  # noqa: TRY301 - refused as any other
            batched, receipt, log_id = await batches.take_batch(services, caller, request.stream(), media, key)
        except (BadMediaType, BodyTooLarge) as error:
            if "Location" in error.headers:  # it was begun, and is there to be looked at
                raise
            raise await _refused(services, caller, request, error) from error
        headers = receipt_header(receipt, log_id) | {"Location": batches.location(batched.id)}
        return json_response(_shown(batched, receipt, log_id), headers=headers)

    @router.get("/batches", summary="The latest batches")
    async def latest(request: Request) -> Response:
        caller = await caller_of(services, request, Scope.INCIDENT_WRITE)
        most = limit_of(request, 20, _BATCHES_MAX)
        found, receipt, log_id = await batches.read_batches(services, caller, most)
        body = {"batches": [_state(one) for one in found], "receipt": receipt_json(receipt, log_id)}
        return json_response(body, headers=receipt_header(receipt, log_id))

    @router.get("/batches/{batch_id}", summary="Where a batch stands")
    async def batch(request: Request, batch_id: str) -> Response:
        caller = await caller_of(services, request, Scope.INCIDENT_WRITE)
        found, receipt, log_id = await batches.read_batch(services, caller, batch_id)
        return json_response(_shown(found, receipt, log_id), headers=receipt_header(receipt, log_id))

    @router.get("/batches/{batch_id}/rows", summary="What became of each row: a page of JSON, or all as NDJSON or CSV")
    async def rows(request: Request, batch_id: str) -> Response:
        caller = await caller_of(services, request, Scope.INCIDENT_WRITE)
        after, most = min(number(request, "after", 0), _LAST_ROW), limit_of(request, 100, PAGE_MAX)
        states, form = _states(request), _form(request)
        found, receipt, log_id = await batches.read_rows(services, caller, batch_id, states)
        headers = receipt_header(receipt, log_id)
        if form is not None:
            return StreamingResponse(_pieces(found, after, _FORMS[form]), media_type=form, headers=headers)
        page = await found.page(after, most)
        body = {
            "rows": [_row(row) for row in page],
            "next": page[-1].number if page else after,
            "more": len(page) == most,
            "receipt": receipt_json(receipt, log_id),
        }
        return json_response(body, headers=headers)

    return router


async def _refused(
    services: Services, caller: Caller, request: Request, error: BadMediaType | BodyTooLarge
) -> UnreadableInput:
    """A batch that was not begun: the sender is told that nothing of it was taken, and a human sees how it begins."""
    fault = "media-type" if isinstance(error, BadMediaType) else "too-large"
    words = f"{error.words}; nothing of this batch was taken in: send it again"
    return await kept(services, caller, request, fault, words, await _beginning(request, services.limits.max_bytes))


async def _beginning(request: Request, most: int) -> bytes:
    """The first bytes of a body: as many as a human is given of one document."""
    held = bytearray()
    with suppress(ClientDisconnect):
        async for chunk in request.stream():
            held += chunk
            if len(held) >= most:
                break
    return bytes(held[:most])


def _shown(one: Batched, receipt: Receipt, log_id: str) -> dict[str, Any]:
    return {
        **_state(one),
        "rows": sum(one.counts.values()),
        "counts": {state: one.counts.get(state, 0) for state in STATES},
        "receipt": receipt_json(receipt, log_id),
    }


def _state(one: Batched) -> dict[str, Any]:
    said = {"batch": one.id, "state": one.state.value, "reason": one.reason}
    return said | {"began_at": one.began_at, "ended_at": one.ended_at}


def _row(row: Row[Any]) -> dict[str, Any]:
    return {
        "row": row.number,
        "line": row.line,
        "state": row.state,
        "incident": row.incident,
        "quarantine": row.hold,
        "problems": [{"path": path, "code": code} for path, code in orjson.loads(row.problems)],
    }


_Writer = Callable[[Iterable[Row[Any]], bool], bytes]
"""Writes a page of rows; told whether it is the first."""


async def _pieces(found: RowsOf, after: int, write: _Writer) -> AsyncIterator[bytes]:
    """All rows beyond a number, a page at a time; nothing is held between two."""
    page: Sequence[Row[Any]] = await found.page(after, _STREAM_PAGE)
    yield write(page, True)  # noqa: FBT003 - the first
    while len(page) == _STREAM_PAGE:
        page = await found.page(page[-1].number, _STREAM_PAGE)
        yield write(page, False)  # noqa: FBT003 - not the first


def _ndjson(rows: Iterable[Row[Any]], _first: bool) -> bytes:  # noqa: FBT001 - as every writer here
    return b"".join(orjson.dumps(_row(row), option=orjson.OPT_APPEND_NEWLINE) for row in rows)


def _csv(rows: Iterable[Row[Any]], first: bool) -> bytes:  # noqa: FBT001 - as every writer here
    text = io.StringIO(newline="")
    out = csv.writer(text)
    if first:
        out.writerow(("row", "line", "state", "incident", "quarantine", "problems"))
    for row in rows:
        said = [f"{code} {path}".strip() for path, code in orjson.loads(row.problems)]  # no code begins a formula
        out.writerow((row.number, row.line, row.state, row.incident, row.hold, "; ".join(said)))
    return text.getvalue().encode()


_FORMS: dict[str, _Writer] = {"application/x-ndjson": _ndjson, "text/csv": _csv}


def _form(request: Request) -> str | None:
    """What the rows are written as; None is a page of JSON. Raises NotAcceptable."""
    wanted = [one.partition(";")[0].strip() for one in request.headers.get("accept", "*/*").split(",")]
    for one in wanted:
        if one in _FORMS:
            return one
        if one in {"*/*", "application/*", "application/json"}:
            return None
    raise NotAcceptable(f"rows are written as application/json, {', '.join(_FORMS)}")


def _states(request: Request) -> Sequence[str]:
    """The states that are asked for; `bad` is all that a sender must look at. Raises BadParameter."""
    values = request.query_params.getlist("state")
    if values == ["bad"]:
        return BAD
    if not set(values) <= set(STATES):
        raise BadParameter(f"state is bad, or any of {', '.join(STATES)}")
    return values or STATES
