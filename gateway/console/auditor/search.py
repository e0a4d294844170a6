"""Searching the log: filters, how many entries there are of each kind, and a page of them, the newest first.

    /auditor/entries            the page; its address carries the filters
    /auditor/entries/export     the same entries as CSV or NDJSON, for the auditor's own tools

What is shown was in the log before the look that shows it. Without an item every question is answered by the log's
index; with one, so many entries are looked through at a time, and the page says how far it has come.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from audit import search as log_search
from audit.entry import Operation, Outcome
from audit.search import Query
from audit.sql import Stored
from gateway.console.auditor.desk import HOME, PATH, Desk
from gateway.console.auditor.filters import ITEMS, Filters
from gateway.console.auditor.rows import Row, row_of, said_of
from gateway.console.console import Console
from gateway.console.desk import Route, Sight
from gateway.console.forms import FieldError, read
from gateway.console.page import HEADERS
from gateway.errors import BadParameter
from gateway.evidence import Event
from gateway.reading_log import Extract, Form
from gateway.terms import terms_of
from gateway.web.http import receipt_header

ROWS = 50
LOOK_THROUGH = 20_000
"""Entries looked through for an item at a time: a third of a second of a reader thread."""

_MOST_FIGURES = 15
_MEDIA = {Form.CSV: "text/csv; charset=utf-8; header=present", Form.NDJSON: "application/x-ndjson"}


def pages(console: Console) -> tuple[Route, ...]:
    """The routes."""
    search = _Search(console)
    return ((f"{HOME}/entries", search.page, "GET"), (f"{HOME}/entries/export", search.export, "GET"))


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins: entries older than `before`, or those next newer than `after`."""

    before: int | None = None
    after: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A page of entries, the newest first.

    `counts` has the entries of each operation and outcome under the other filters, and is empty where an item is asked
    for. `reached` is the last entry looked at, where there is more; `newer` says whether there may be newer ones.
    """

    rows: tuple[Row, ...]
    counts: Mapping[str, Mapping[str, int]]
    total: int | None
    reached: int | None
    newer: bool
    clauses: tuple[str, ...]
    organisations: Mapping[str, str]


class _Search:
    def __init__(self, console: Console) -> None:
        self._desk = Desk(console)

    async def page(self, request: Request) -> Response:
        """The filters, and what they find."""
        asked = read(_given(request, {"before", "after"}), Filters)
        errors = asked if isinstance(asked, tuple) else ()
        filters = Filters() if isinstance(asked, tuple) else asked
        named = ",".join(sorted(filters.given()))
        sight = await self._desk.look(request, {"what": "entries", **({"filters": named} if named else {})})
        cursor = Cursor(_number(request, "before"), _number(request, "after"))
        find = partial(_find, log_id=sight.log_id, filters=filters, cursor=cursor, below=sight.receipt.index)
        found = await self._desk.read(find)
        return self._page(request, sight, filters, errors, found)

    def _page(
        self, request: Request, sight: Sight, filters: Filters, errors: Sequence[FieldError], found: Found
    ) -> Response:
        given = dict(request.query_params) if errors else filters.given()
        view: dict[str, Any] = {
            "filters": filters,
            "typed": given,
            "errors": errors,
            "found": found,
            "events": sorted(Event, key=lambda one: one.value),
            "operations": list(Operation),
            "outcomes": list(Outcome),
            "items": ITEMS,
            "address": partial(_address, filters.given()),
            "most": LOOK_THROUGH,
        }
        return self._desk.page(request, "auditor_entries.html.jinja", sight, 422 if errors else 200, **view)

    async def export(self, request: Request) -> Response:
        """The matching entries up to the entry of this export, streamed. Raises BadParameter."""
        form = Form.NDJSON if request.query_params.get("format") == Form.NDJSON else Form.CSV
        filters = read(_given(request, {"format"}), Filters)
        if isinstance(filters, tuple) or filters.item:
            raise BadParameter("the filters are not those of the search, or name an item, which no export goes by")
        named = ",".join(sorted(filters.given()))
        what = {"what": form.value, **({"filters": named} if named else {})}
        sight = await self._desk.look(request, what, event=Event.LOG_EXPORTED)
        extract = Extract(sight.log_id, filters.query(), form, sight.receipt.index + 1)
        first = await self._desk.read(extract.piece)  # what cannot be read at all has an answer of its own
        name = f'attachment; filename="{sight.log_id}.{form.value}"'
        headers = {**HEADERS, **receipt_header(sight.receipt, sight.log_id), "Content-Disposition": name}
        return StreamingResponse(self._pieces(extract, first), headers=headers, media_type=_MEDIA[form])

    async def _pieces(self, extract: Extract, first: bytes) -> AsyncIterator[bytes]:
        piece = first
        while piece:
            yield piece
            piece = await self._desk.services.database.read(extract.piece)


def _given(request: Request, others: set[str]) -> dict[str, tuple[str, ...]]:
    """What an address asks, as a form says it."""
    query = request.query_params
    return {name: tuple(query.getlist(name)) for name in query if name not in others}


def _number(request: Request, name: str) -> int | None:
    """The number of an entry in an address; what is none is as good as not asked."""
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_FIGURES else None


def _address(given: Mapping[str, str], path: str = "/entries", **more: object) -> str:
    """An address of the search with these filters and `more`; what is "" in `more` is left out."""
    query = {name: value for name, value in {**given, **more}.items() if value != ""}
    return f"{PATH}{path}?{urlencode(query)}" if query else f"{PATH}{path}"


def _find(connection: Connection, *, log_id: str, filters: Filters, cursor: Cursor, below: int) -> Found:
    query = filters.query()
    entries, reached = _page_of(connection, log_id, query, filters, cursor, below)
    terms = terms_of(connection, log_id)
    content = terms.agreement.content if terms else None
    counted = not filters.item
    newest = entries[0].idx if entries else None
    return Found(
        rows=tuple(row_of(one) for one in entries),
        counts=_counts(connection, log_id, query, below) if counted else {},
        total=log_search.count(connection, log_id, query, before=below) if counted else None,
        reached=reached,
        newer=newest is not None and (cursor.before is not None or cursor.after is not None),
        clauses=tuple(one.id for one in content.clauses) if content else (),
        organisations={one.organisation: one.name for one in content.parties} if content else {},
    )


def _page_of(
    connection: Connection, log_id: str, query: Query, filters: Filters, cursor: Cursor, below: int
) -> tuple[list[Stored], int | None]:
    """The entries of a page, the newest first, and the last one looked at where there is more behind it."""
    upwards = cursor.after is not None and cursor.before is None
    after = cursor.after if upwards and cursor.after is not None else -1
    before = below if upwards or cursor.before is None else min(cursor.before, below)
    found: list[Stored] = []
    looked, more = 0, True
    while more and len(found) < ROWS and looked < LOOK_THROUGH:
        most = ROWS + 1 if filters.item is None else _STRETCH
        page = log_search.entries(connection, log_id, query, after, most, before=before, newest_first=not upwards)
        more = len(page) == most
        for one in page:
            if len(found) == ROWS:
                more = True
                break
            looked += 1
            after, before = (one.idx, before) if upwards else (after, one.idx)
            if filters.item is None or filters.has_item(said_of(one.body)):
                found.append(one)
    if upwards:
        return found[::-1], found[0].idx if found else None
    return found, before if more else None


_STRETCH = 512  # entries held at a time while looking through them


def _counts(connection: Connection, log_id: str, query: Query, below: int) -> dict[str, dict[str, int]]:
    """How many entries each operation and each outcome would find, the other filters as they are."""

    def count(**changed: Any) -> int:  # noqa: ANN401 - a field of the query
        named = {name: getattr(query, name) for name in Query.__dataclass_fields__}
        return log_search.count(connection, log_id, Query(**{**named, **changed}), before=below)

    return {
        "operation": {one.value: count(operation=one) for one in Operation},
        "outcome": {one.value: count(outcome=one) for one in Outcome},
    }
