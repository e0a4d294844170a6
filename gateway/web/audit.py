"""The auditor's interface: entries, proofs, checkpoints, one person's accounting of disclosures, and the pack.

A client reads the logs of its agreements, and the operator's log where it is bound to `operator`; every other log is as
good as none (P8). Reading the log is an entry: every answer is sealed first, in the log it is read from. Only a bare
proof is not, for it holds hashes alone.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

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
from gateway.evidence import OPERATOR_LOG, Event
from gateway.reading_log import Export, Look, logs
from gateway.services import Services
from gateway.store.records import name_key
from gateway.tokens.scopes import Scope
from gateway.web.auth import caller_of
from gateway.web.http import PlainRoute, json_response, media_type, proof_path, read_body, receipt_header
from gateway.web.looking import check_own, look
from gateway.web.query import limit_of, number

T = TypeVar("T")

_FILTERS = (
    *("organisation", "recipient", "client", "user", "subject"),
    *("record", "case", "agreement", "clause", "event"),
)
_PAGING = frozenset({"after", "before", "limit", "order"})
_CODE = re.compile(r"[\x21-\x7e]{1,128}")
_CHUNK_BYTES = 65_536


def routes(services: Services) -> APIRouter:
    """The auditor's routes over these services."""
    desk = _Desk(services)
    router = APIRouter(prefix="/audit/v1", tags=["audit"], route_class=PlainRoute)
    for path, answer, method in (
        ("/logs", desk.logs, "GET"),
        ("/logs/{log_id}/checkpoint", desk.checkpoint, "GET"),
        ("/logs/{log_id}/entries", desk.entries, "GET"),
        ("/logs/{log_id}/entries/{index:number}", desk.entry, "GET"),
        ("/logs/{log_id}/entries/{index:number}/proof", desk.proof, "GET"),
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
        """Search the entries, the oldest first or, with `order=desc`, the newest."""
        settings = self._services.settings
        query, page = query_of(request, _PAGING), _page(request, settings.audit_page_default, settings.audit_page_max)
        asked = ",".join(sorted(request.query_params.keys()))
        receipt = await self._look(
            request, log_id, {"what": "entries", "filters": asked} if asked else {"what": "entries"}
        )
        found = await self._read(
            lambda connection: log_search.entries(
                connection,
                log_id,
                query,
                page.after,
                page.limit,
                before=page.before,
                newest_first=page.newest_first,
            )
        )
        body = {
            "log": receipt.origin,
            "entries": [_entry(one, log_id) for one in found],
            "next": found[-1].idx if len(found) == page.limit else None,
        }
        return json_response(body, headers=receipt_header(receipt, log_id))

    async def entry(self, request: Request, log_id: str, index: int) -> Response:
        """One entry with its inclusion proof."""
        receipt = await self._look(request, log_id, {"what": "entry", "index": index})

        def read(connection: Connection) -> dict[str, Any]:
            stored = log_sql.entry(connection, log_id, index)
            return {**_entry(stored, log_id), "receipt": log_sql.receipt(connection, log_id, index).to_json()}

        return json_response(await self._read(read), headers=receipt_header(receipt, log_id))

    async def proof(self, request: Request, log_id: str, index: int) -> Response:
        """What a receipt links to (C2SP tlog-proof): hashes alone, for any client of the log's agreement."""
        caller = await caller_of(self._services, request, None)
        await check_own(self._services, request, caller, log_id)
        receipt = await self._read(lambda connection: log_sql.receipt(connection, log_id, index))
        return Response(receipt.to_text(), media_type="text/plain; charset=utf-8")

    async def consistency(self, request: Request, log_id: str) -> Response:
        """That the log at one size is a prefix of it at another."""
        first, second = number(request, "first"), number(request, "second")
        receipt = await self._look(request, log_id, {"what": "consistency", "first": first, "second": second})
        committed = Checkpoint.unverified(receipt.checkpoint_text).size
        if not 0 < first <= second <= committed:
            raise NotFound("the log has no such entry or size")
        hashes = await self._read(lambda connection: log_sql.consistency(connection, log_id, first, second))
        body = {"log": receipt.origin, "first": first, "second": second, "hashes": [to_base64(one) for one in hashes]}
        return json_response(body, headers=receipt_header(receipt, log_id))

    async def subjects(self, request: Request, log_id: str) -> Response:
        """The references a person has in this log, by a body: no personal data goes into a URL (P7).

        It brings together what several records say of one person: a combination, in the words of DPA 2018 s.62.
        """
        media_type(request, ("application/json",))
        kind, value = _identity(await read_body(request, _CHUNK_BYTES))
        what = {"what": "subjects", "kind": kind}
        receipt = await self._look(request, log_id, what, event=Event.SUBJECTS_MATCHED)
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

        export = await self._read(lambda connection: Export(self._services, connection, log_id))
        first = await self._read(export.piece)  # what cannot be read at all still has an answer of its own

        async def pieces() -> AsyncIterator[bytes]:
            piece = first
            while piece:
                yield piece
                piece = await self._services.database.read(export.piece)

        headers = receipt_header(receipt, log_id) | {"Content-Disposition": f'attachment; filename="{log_id}.pack"'}
        return StreamingResponse(pieces(), media_type="application/octet-stream", headers=headers)

    async def _look(
        self,
        request: Request,
        log_id: str,
        what: Mapping[str, str | int],
        scope: Scope = Scope.LOG_READ,
        event: Event = Event.LOG_READ,
    ) -> Receipt:
        """Let the caller look into a log, sealed. Raises NotFound for a log that is none of the caller's."""
        return await look(self._services, request, log_id, what, scope=scope, event=event)

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


@dataclass(frozen=True, slots=True)
class _Page:
    """Where a page begins and ends, how long it is, and which way it runs."""

    after: int
    before: int | None
    limit: int
    newest_first: bool


def _page(request: Request, default: int, most: int) -> _Page:
    order = request.query_params.get("order", "asc")
    if order not in {"asc", "desc"}:
        raise BadParameter("order is asc or desc")
    before = number(request, "before") if "before" in request.query_params else None
    limit = limit_of(request, default, most)
    return _Page(number(request, "after", -1), before, limit, newest_first=order == "desc")


def query_of(request: Request, others: frozenset[str]) -> Query:
    """What the filters of a request look for; `others` are parameters that are no filters. Raises BadParameter."""
    known = {*_FILTERS, "operation", "outcome", "from", "to"}
    asked: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in known | others or name in asked or not _CODE.fullmatch(value):
            raise BadParameter(f"filters are {', '.join(sorted(known))}, each given once, as codes")
        asked[name] = value
    named: dict[str, Any] = {name: asked.get(name) for name in _FILTERS}
    try:
        return Query(
            time_from=_time(asked.get("from")),
            time_to=_time(asked.get("to")),
            operation=Operation(asked["operation"]) if "operation" in asked else None,
            outcome=Outcome(asked["outcome"]) if "outcome" in asked else None,
            **named,
        )
    except (ValueError, OverflowError):
        raise BadParameter("operation, outcome, from or to is not one that entries have") from None


def _time(text: str | None) -> str | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without its offset")
    return timestamp(moment)


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
