"""What witnesses ask and hand in, and what an auditor may know of them (C2SP tlog-witness, tlog-cosignature).

A witness's fetch is no entry: it holds hashes alone, and an entry for each would make the log grow by being watched, so
that every witness were one behind for ever. The auditor's question who has seen what is one, as every reading is.
"""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from audit import sql as log_sql
from audit.encoding import to_base64
from gateway.errors import BadParameter, NotFound, Unprocessable
from gateway.services import Services
from gateway.tokens.scopes import Scope
from gateway.web.auth import caller_of
from gateway.web.http import PlainRoute, json_response, media_type, read_body, receipt_header
from gateway.web.looking import check_own, look
from gateway.witnesses import Standing, standings
from gateway.witnessing import accept

_NOTE = "text/plain; charset=utf-8"
_NOTE_MAX_BYTES = 65_536


def routes(services: Services) -> APIRouter:
    """The routes over these services."""
    router = APIRouter(prefix="/audit/v1/logs/{log_id}", tags=["audit"], route_class=PlainRoute)

    async def witness_of(request: Request, log_id: str) -> None:
        caller = await caller_of(services, request, Scope.LOG_WITNESS)
        await check_own(services, request, caller, log_id)

    @router.get("/witness/checkpoint", summary="The last signed checkpoint, with the cosignatures of its size")
    async def checkpoint(request: Request, log_id: str) -> Response:
        await witness_of(request, log_id)

        def read(connection: Connection) -> str:
            head = log_sql.read_head(connection, log_id)
            latest = log_sql.latest_cosignatures(connection, log_id).values()
            return head.checkpoint + "".join(one.line for one in latest if one.size == head.size)

        return Response(await services.database.read(read), media_type=_NOTE)

    @router.get("/witness/consistency", summary="That the log at one size is a prefix of it at another")
    async def consistency(request: Request, log_id: str) -> Response:
        await witness_of(request, log_id)
        first, second = _size(request, "first"), _size(request, "second")

        def read(connection: Connection) -> list[bytes]:
            if not 0 < first <= second <= log_sql.read_head(connection, log_id).size:
                raise NotFound("the log has not reached this size")
            return log_sql.consistency(connection, log_id, first, second)

        hashes = [to_base64(one) for one in await services.database.read(read)]
        return json_response({"first": first, "second": second, "hashes": hashes})

    @router.post("/cosignatures", summary="Hand in a checkpoint of this log with a witness's cosignature")
    async def cosignatures(request: Request, log_id: str) -> Response:
        await witness_of(request, log_id)
        media_type(request, ("text/plain",))
        try:
            note = (await read_body(request, _NOTE_MAX_BYTES)).decode()
        except UnicodeDecodeError:
            raise Unprocessable("the note is not UTF-8") from None
        kept = await asyncio.to_thread(accept, services, log_id, note)
        return json_response({"kept": sorted(one.name for one in kept)})

    @router.get("/witnesses", summary="Who has seen how much of the log")
    async def witnesses(request: Request, log_id: str) -> Response:
        receipt = await look(services, request, log_id, {"what": "witnesses"})
        now, limit = datetime.now(UTC), services.settings.witness_lag_seconds
        found = await services.database.read(lambda connection: standings(connection, log_id, now, limit))
        body = {"log": receipt.origin, "witnesses": [_shown(one) for one in found]}
        return json_response(body, headers=receipt_header(receipt, log_id))

    return router


def _shown(one: Standing) -> dict[str, Any]:
    """A witness as the auditor reads it. The note is the last one it cosigned, to be checked with both keys."""
    last = one.last
    return {
        "name": one.witness.name,
        "key": one.witness.key,
        "state": one.state,
        "size": last.size if last else None,
        "at": datetime.fromtimestamp(last.time, UTC).isoformat() if last else None,
        "lag_entries": one.lag_entries,
        "lag_seconds": one.lag_seconds,
        "checkpoint": last.note + last.line if last else None,
    }


def _size(request: Request, name: str) -> int:
    text = request.query_params.get(name, "")
    if not re.fullmatch(r"\d{1,15}", text, re.ASCII):
        raise BadParameter(f"{name} is a whole number")
    return int(text)
