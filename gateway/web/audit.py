"""The auditor's interface: entries, proofs, checkpoints, one person's accounting of disclosures, and the pack.

A client reads the logs of its agreements, and the operator's log where it is bound to `operator`; every other log is as
good as none (P8). Reading the log is an entry: every answer is sealed first, in the log it is read from. Only a bare
proof is not, for it holds hashes alone.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import IO, Any, TypeVar

import orjson
from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from audit import search as log_search
from audit import sql as log_sql
from audit.checkpoint import Checkpoint
from audit.encoding import to_base64
from audit.entry import Operation, Outcome, timestamp
from audit.errors import IndexUnknown, LogUnknown
from audit.receipt import Receipt
from audit.search import Query
from gateway.errors import BadParameter, NotFound, Unprocessable
from gateway.evidence import OPERATOR_LOG, Caller, Event
from gateway.reading_log import Look, logs, write_pack
from gateway.services import Services
from gateway.store.records import name_key
from gateway.tokens.scopes import Scope
from gateway.web.auth import caller_of, seal_refusal
from gateway.web.http import PlainRoute, json_response, media_type, proof_path, read_body, reason_of, receipt_header

T = TypeVar("T")

_FILTERS = ("organisation", "client", "user", "subject", "record", "case", "clause", "event")
_CODE = re.compile(r"[\x21-\x7e]{1,128}")
_CHUNK_BYTES = 65_536
_PACK_IN_MEMORY_BYTES = 8 * 1024 * 1024  # beyond, the pack waits on disk until it is sent


def routes(services: Services) -> APIRouter:
    """The auditor's routes over these services."""
    desk = _Desk(services)
    router = APIRouter(prefix="/audit/v1", tags=["audit"], route_class=PlainRoute)
    for path, answer, method in (
        ("/logs", desk.logs, "GET"),
        ("/logs/{log_id}/checkpoint", desk.checkpoint, "GET"),
        ("/logs/{log_id}/entries", desk.entries, "GET"),
        ("/logs/{log_id}/entries/{index:int}", desk.entry, "GET"),
        ("/logs/{log_id}/entries/{index:int}/proof", desk.proof, "GET"),
        ("/logs/{log_id}/consistency", desk.consistency, "GET"),
        ("/logs/{log_id}/subjects", desk.subjects, "POST"),
        ("/logs/{log_id}/subjects/{subject}/disclosures", desk.disclosures, "GET"),
        ("/logs/{log_id}/pack", desk.pack, "GET"),
    ):
        router.add_api_route(path, answer, methods=[method])
    return router


class _Desk:
    """Answers the auditor: one method for each route."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def logs(self, request: Request) -> Response:
        """The logs this client may read."""
        services = self._services
        caller = await caller_of(services, request, Scope.LOG_READ)

        await services.journals.of(OPERATOR_LOG).submit(Look(caller, {"what": "logs"}))

        def read(connection: Connection) -> list[dict[str, Any]]:
            return [_head(services, connection, log_id) for log_id in logs(connection, caller.agreements)]

        return json_response({"logs": await self._read(read)})

    async def checkpoint(self, request: Request, log_id: str) -> Response:
        """The last signed checkpoint (C2SP tlog-checkpoint): the one that covers this reading."""
        receipt = await self._look(request, log_id, {"what": "checkpoint"})
        headers = receipt_header(receipt, log_id)
        return Response(receipt.checkpoint_text, media_type="text/plain; charset=utf-8", headers=headers)

    async def entries(self, request: Request, log_id: str) -> Response:
        """Search the entries."""
        settings = self._services.settings
        query, after, limit = _query(request, settings.audit_page_default, settings.audit_page_max)
        asked = ",".join(sorted(request.query_params.keys()))
        receipt = await self._look(
            request, log_id, {"what": "entries", "filters": asked} if asked else {"what": "entries"}
        )
        found = await self._read(lambda connection: log_search.entries(connection, log_id, query, after, limit))
        body = {
            "log": receipt.origin,
            "entries": [_entry(one, log_id) for one in found],
            "next": found[-1].idx if len(found) == limit else None,
        }
        return json_response(body, headers=receipt_header(receipt, log_id))

    async def entry(self, request: Request, log_id: str, index: int) -> Response:
        """One entry with its inclusion proof."""
        receipt = await self._look(request, log_id, {"what": "entry", "index": _index(index)})

        def read(connection: Connection) -> dict[str, Any]:
            stored = log_sql.entry(connection, log_id, index)
            return {**_entry(stored, log_id), "receipt": log_sql.receipt(connection, log_id, index).to_json()}

        return json_response(await self._read(read), headers=receipt_header(receipt, log_id))

    async def proof(self, request: Request, log_id: str, index: int) -> Response:
        """What a receipt links to (C2SP tlog-proof): hashes alone, for any client of the log's agreement."""
        caller = await caller_of(self._services, request, None)
        await self._check_own(request, caller, log_id)
        receipt = await self._read(lambda connection: log_sql.receipt(connection, log_id, _index(index)))
        return Response(receipt.to_text(), media_type="text/plain; charset=utf-8")

    async def consistency(self, request: Request, log_id: str) -> Response:
        """That the log at one size is a prefix of it at another."""
        first, second = _number(request, "first"), _number(request, "second")
        receipt = await self._look(request, log_id, {"what": "consistency", "first": first, "second": second})
        committed = Checkpoint.unverified(receipt.checkpoint_text).size
        if not 0 < first <= second <= committed:
            raise NotFound("the log has no such entry or size")
        hashes = await self._read(lambda connection: log_sql.consistency(connection, log_id, first, second))
        body = {"log": receipt.origin, "first": first, "second": second, "hashes": [to_base64(one) for one in hashes]}
        return json_response(body, headers=receipt_header(receipt, log_id))

    async def subjects(self, request: Request, log_id: str) -> Response:
        """The references a person has in this log, by a body: no personal data goes into a URL (P7)."""
        media_type(request, ("application/json",))
        kind, value = _identity(await read_body(request, _CHUNK_BYTES))
        receipt = await self._look(request, log_id, {"what": "subjects", "kind": kind})
        records = self._services.records
        found = await self._read(lambda connection: records.find_subjects(connection, log_id, kind, value))
        return json_response({"subjects": found}, headers=receipt_header(receipt, log_id))

    async def disclosures(self, request: Request, log_id: str, subject: str) -> Response:
        """A person's complete accounting of disclosures."""
        if not _CODE.fullmatch(subject):
            raise NotFound("there is no such subject")
        receipt = await self._look(request, log_id, {"what": "disclosures"})

        def read(connection: Connection) -> list[dict[str, Any]]:
            return [_entry(one, log_id) for one in log_search.disclosures_about(connection, log_id, subject)]

        body = {"log": receipt.origin, "subject": subject, "disclosures": await self._read(read)}
        return json_response(body, headers=receipt_header(receipt, log_id))

    async def pack(self, request: Request, log_id: str) -> Response:
        """The auditor's pack, which covers its own export."""
        receipt = await self._look(request, log_id, {"what": "pack"}, Scope.PACK_EXPORT, Event.LOG_EXPORTED)

        def write(connection: Connection) -> IO[bytes]:
            file = tempfile.SpooledTemporaryFile(_PACK_IN_MEMORY_BYTES)  # noqa: SIM115 - closed when it has been sent
            write_pack(self._services, connection, log_id, file)
            file.seek(0)
            return file

        file = await self._read(write)

        def chunks() -> Iterator[bytes]:
            with file:
                while chunk := file.read(_CHUNK_BYTES):
                    yield chunk

        headers = receipt_header(receipt, log_id) | {"Content-Disposition": f'attachment; filename="{log_id}.pack"'}
        return StreamingResponse(chunks(), media_type="application/octet-stream", headers=headers)

    async def _look(
        self,
        request: Request,
        log_id: str,
        what: Mapping[str, str | int],
        scope: Scope = Scope.LOG_READ,
        event: Event = Event.LOG_READ,
    ) -> Receipt:
        """Let the caller look into a log, sealed. Raises NotFound for a log that is none of the caller's."""
        services = self._services
        caller = await caller_of(services, request, scope)
        await self._check_own(request, caller, log_id)
        committed = await services.journals.of(log_id).submit(Look(caller, what, event, reason_of(request)))
        return committed.receipt

    async def _check_own(self, request: Request, caller: Caller, log_id: str) -> None:
        """Raise NotFound, sealed, for a log that is none of the caller's or that is not there: the same to them."""
        if log_id in caller.agreements and await self._is_there(log_id):
            return
        await seal_refusal(self._services, request, caller, "log-not-found")
        raise NotFound("there is no such log")

    async def _is_there(self, log_id: str) -> bool:
        try:
            await self._services.database.read(lambda connection: log_sql.read_head(connection, log_id))
        except LogUnknown:
            return False
        return True

    async def _read(self, read: Callable[[Connection], T]) -> T:
        """Read in a thread; what the log does not have is not found."""
        try:
            return await self._services.database.read(read)
        except (IndexUnknown, LogUnknown):
            raise NotFound("there is no such log, entry or size") from None


def _head(services: Services, connection: Connection, log_id: str) -> dict[str, Any]:
    head = log_sql.read_head(connection, log_id)
    return {"id": log_id, "origin": head.origin, "size": head.size, "key": services.signer(log_id).verifier.text}


def _entry(stored: log_sql.Stored, log_id: str) -> dict[str, Any]:
    return {
        "index": stored.idx,
        "leaf_hash": to_base64(stored.leaf_hash),
        "entry": orjson.Fragment(stored.body),
        "proof": proof_path(log_id, stored.idx),
    }


def _query(request: Request, default: int, most: int) -> tuple[Query, int, int]:
    known = {*_FILTERS, "operation", "outcome", "from", "to", "after", "limit"}
    asked: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in known or name in asked or not _CODE.fullmatch(value):
            raise BadParameter(f"filters are {', '.join(sorted(known))}, each given once, as codes")
        asked[name] = value
    try:
        query = Query(
            time_from=_time(asked.get("from")),
            time_to=_time(asked.get("to")),
            operation=Operation(asked["operation"]) if "operation" in asked else None,
            outcome=Outcome(asked["outcome"]) if "outcome" in asked else None,
            **{name: asked.get(name) for name in _FILTERS},
        )
    except (ValueError, OverflowError):
        raise BadParameter("operation, outcome, from or to is not one that entries have") from None
    after = _number(request, "after", -1)
    return query, after, max(1, min(_number(request, "limit", default), most))


def _time(text: str | None) -> str | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without its offset")
    return timestamp(moment)


def _number(request: Request, name: str, otherwise: int | None = None) -> int:
    text = request.query_params.get(name)
    if text is None and otherwise is not None:
        return otherwise
    if text is None or not re.fullmatch(r"\d{1,15}", text, re.ASCII):
        raise BadParameter(f"{name} is a whole number")
    return int(text)


def _index(index: int) -> int:
    if not 0 <= index < 2**53:
        raise NotFound("the log has no such entry or size")
    return index


def _identity(body: bytes) -> tuple[str, str]:
    """What a person is looked for by: name and date of birth, or one reference of the sender's."""
    try:
        asked = orjson.loads(body)
        if set(asked) == {"family", "given", "birth_date"}:
            return "person", name_key(str(asked["family"]), [str(asked["given"])], str(asked["birth_date"]))
        if len(asked) == 1 and (kind := next(iter(asked))) in {"occurrence", "log", "crime", "nhs-number"}:
            return kind, str(asked[kind]).casefold()
    except (ValueError, TypeError):
        pass
    raise Unprocessable("send family, given and birth_date, or one of occurrence, log, crime, nhs-number")
