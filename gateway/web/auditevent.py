"""The log as FHIR AuditEvents (`/fhir/R4/AuditEvent`), for auditors: read, and search newest first.

A search goes over every log of the caller's, one after the other; each log that is looked into seals that first, and a
log that is none of the caller's is as good as none (P8). Nothing is shown of what was sealed after the look began, so
pages hold still. Only what the CapabilityStatement declares can be asked; an unknown parameter is refused (P3).

Source: FHIR R4 http and search, AuditEvent search parameters; `audit.fhir` for the resource.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from urllib.parse import parse_qsl, urlencode

import orjson
from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from adapters.nhs import fhir
from audit import search as log_search
from audit import sql as log_sql
from audit.errors import IndexUnknown
from audit.fhir import Setting, audit_event
from audit.receipt import Receipt
from audit.search import Query
from gateway.balp import is_patient, shape_of
from gateway.errors import BadParameter, NotFound
from gateway.evidence import GATEWAY, OPERATOR_LOG, Caller
from gateway.reading_log import Look, logs
from gateway.services import Services
from gateway.tokens.scopes import Scope
from gateway.web.auditquery import CURSOR, parameters, query
from gateway.web.auth import caller_of, seal_refusal
from gateway.web.fhir import PREFIX, fhir_response
from gateway.web.fhirform import FhirRoute
from gateway.web.fhirshape import page_size
from gateway.web.http import media_type, read_body, reason_of, receipt_header

_FORM = "application/x-www-form-urlencoded"
_FORM_BYTES = 16_384  # far more than every parameter at its longest
_ID = re.compile(r"([A-Za-z0-9.-]{1,48})\.(\d{1,15})", re.ASCII)
_LONGEST_NAME = 48  # with a full stop and an index of fifteen digits, the 64 characters of a FHIR id


def routes(services: Services) -> APIRouter:
    """The AuditEvent routes over these services; they come before those of `gateway.web.fhir`, which take any type."""
    desk = _Desk(services)
    router = APIRouter(prefix=f"{PREFIX}/AuditEvent", tags=["fhir", "audit"], route_class=FhirRoute)
    router.add_api_route("", desk.search, methods=["GET"], summary="Search AuditEvents")
    router.add_api_route("/_search", desk.search_by_form, methods=["POST"], summary="Search AuditEvents by a form")
    router.add_api_route("/{id_}", desk.read, methods=["GET"], summary="Read an AuditEvent")
    return router


class _Desk:
    """Answers for AuditEvents: one method for each route."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._site = services.settings.public_url.rstrip("/")
        self._url = f"{self._site}{PREFIX}/AuditEvent"

    async def search(self, request: Request) -> Response:
        """Search by the query of the address."""
        return await self._search(request, request.query_params.multi_items())

    async def search_by_form(self, request: Request) -> Response:
        """Search by a form, and by the query of the address where it has one."""
        media_type(request, (_FORM,))
        body = await read_body(request, _FORM_BYTES)
        try:
            form = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body))
        except ValueError:
            raise BadParameter("the form cannot be read") from None
        return await self._search(request, [*request.query_params.multi_items(), *form])

    async def read(self, request: Request, id_: str) -> Response:
        """One AuditEvent by its id: the log's name and the index."""
        caller = await caller_of(self._services, request, Scope.LOG_READ)
        found = _ID.fullmatch(id_)
        log_id = next((one for one in await self._logs(caller) if found and found[1] == _name(one)), None)
        if found is None or log_id is None:
            await seal_refusal(self._services, request, caller, "log-not-found")
            raise NotFound("there is no such resource")
        index = int(found[2])
        receipt = await self._look(request, caller, log_id, {"what": "audit-event", "index": index})
        try:
            stored = await self._services.database.read(lambda connection: log_sql.entry(connection, log_id, index))
        except IndexUnknown:
            raise NotFound("there is no such resource", headers=receipt_header(receipt, log_id)) from None
        return fhir_response(self._written(log_id, stored).body, headers=receipt_header(receipt, log_id))

    async def _search(self, request: Request, items: Sequence[tuple[str, str]]) -> Response:
        caller = await caller_of(self._services, request, Scope.LOG_READ)
        asked = parameters(items)
        wanted = query(asked)
        ids = asked["_id"].split(",") if "_id" in asked else None
        count = page_size([asked["_count"]] if "_count" in asked else None, self._services.settings)
        names = ",".join(sorted(asked))
        what = {"what": "audit-events", **({"filters": names} if names else {})}

        known = await self._logs(caller)
        first, below = _begin(known, asked.get(CURSOR))
        looks: dict[str, Receipt] = {}
        matches: list[fhir.Written] = []
        cursor: str | None = None
        total = 0 if asked.get("_total") == "accurate" else None
        for log_id in known if total is not None else known[first:]:
            look = looks[log_id] = await self._look(request, caller, log_id, what)
            if total is not None:
                total += await self._count(log_id, wanted, ids, look.index)
            if known.index(log_id) < first or cursor is not None:
                continue
            upto = look.index if log_id != known[first] or below is None else min(below, look.index)
            found = await self._page(log_id, wanted, ids, upto, count + 1 - len(matches))
            matches += [self._written(log_id, one) for one in found]
            if len(matches) > count:
                matches.pop()
                # The next page begins with what was one too many, which may be the first of its log.
                cursor = _cursor(log_id, found[-1].idx + 1)
            if cursor is not None and total is None:
                break
        if not known:
            looks[OPERATOR_LOG] = await self._look(request, caller, OPERATOR_LOG, what)
        page = [(name, value) for name, value in items if name != CURSOR]
        body = fhir.bundle(
            matches,
            total=total,
            self_link=f"{self._url}?{urlencode(list(items))}",
            next_link=f"{self._url}?{urlencode([*page, (CURSOR, cursor)])}" if cursor else None,
        )
        log_id, receipt = next(iter(looks.items()))
        return fhir_response(body, headers=receipt_header(receipt, log_id))

    async def _logs(self, caller: Caller) -> list[str]:
        return await self._services.database.read(lambda connection: logs(connection, caller.agreements))

    async def _look(self, request: Request, caller: Caller, log_id: str, what: Mapping[str, str | int]) -> Receipt:
        look = Look(caller, what, reason=reason_of(request))
        return (await self._services.journals.of(log_id).submit(look)).receipt

    async def _page(
        self, log_id: str, wanted: Query, ids: list[str] | None, upto: int, limit: int
    ) -> list[log_sql.Stored]:
        def find(connection: Connection) -> list[log_sql.Stored]:
            if ids is None:
                return log_search.entries(connection, log_id, wanted, limit=limit, before=upto, newest_first=True)
            found: list[log_sql.Stored] = []
            for index in _indexes(log_id, ids, upto):
                found += log_search.entries(connection, log_id, wanted, index - 1, before=index + 1)
            return found[:limit]

        return await self._services.database.read(find)

    async def _count(self, log_id: str, wanted: Query, ids: list[str] | None, upto: int) -> int:
        if ids is not None:
            return len(await self._page(log_id, wanted, ids, upto, len(ids)))
        return await self._services.database.read(
            lambda connection: log_search.count(connection, log_id, wanted, before=upto)
        )

    def _written(self, log_id: str, stored: log_sql.Stored) -> fhir.Written:
        entry = stored.entry()
        id_ = f"{_name(log_id)}.{stored.idx}"
        setting = Setting(
            site=self._site,
            namespace=fhir.CANONICAL,
            log_id=log_id,
            origin=self._services.signer(log_id).name,
            gateway=GATEWAY.client,
            is_patient=is_patient,
        )
        shape = shape_of(entry.event, entry.outcome)
        body = orjson.dumps(audit_event(id_, stored.idx, stored.leaf_hash, entry, shape, setting))
        at = datetime.fromisoformat(entry.time)
        return fhir.Written("AuditEvent", id_, 1, at, body, f"{self._url}/{id_}")


def _name(log_id: str) -> str:
    """What stands for a log in an id; a long one by its hash, for a FHIR id has 64 characters."""
    return log_id if len(log_id) <= _LONGEST_NAME else sha256(log_id.encode()).hexdigest()[:_LONGEST_NAME]


def _indexes(log_id: str, ids: Sequence[str], upto: int) -> list[int]:
    """The indexes that ids name in a log, newest first."""
    named = (_ID.fullmatch(one) for one in ids)
    return sorted(
        {int(one[2]) for one in named if one and one[1] == _name(log_id) and int(one[2]) < upto}, reverse=True
    )


def _cursor(log_id: str, below: int) -> str:
    return urlsafe_b64encode(f"{below}.{log_id}".encode()).decode().rstrip("=")


def _begin(known: Sequence[str], cursor: str | None) -> tuple[int, int | None]:
    """Where a page begins: the place of its first log, and the index below which."""
    if cursor is None:
        return 0, None
    try:
        below, _, log_id = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii").partition(".")
        if re.fullmatch(r"\d{1,15}", below, re.ASCII):
            return known.index(log_id), int(below)
    except ValueError:
        pass
    raise BadParameter("the cursor is none that this server gave")
