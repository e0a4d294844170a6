"""A candidate agreement tried on the past: pasted into a form, judged, compared, and replayed; and kept nowhere.

Beside its static checks and what it changes in words, every decision of the period is made again under it, on the
facts that entries hold (`gateway.oversight.what_if`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from gateway.agreement import Agreement, AgreementUnreadable, parse
from gateway.agreement import diff as differences
from gateway.agreement_check import Finding, check
from gateway.console.auditor.agreement import PATH
from gateway.console.auditor.desk import Desk
from gateway.console.auditor.period import PERIODS, start_of
from gateway.console.console import Console
from gateway.console.desk import Route
from gateway.console.forms import Bounds, FieldError, FormModel, read, typed
from gateway.console.guard import Visit
from gateway.evidence import Event
from gateway.oversight.asking import tried
from gateway.oversight.entries import LogSource
from gateway.oversight.what_if import WhatIf, try_on
from gateway.signin.claims import Role
from gateway.terms import current_terms
from gateway.web.oversight import ENTRIES_MAX

CANDIDATE_MOST = 262_144
"""Characters of a candidate: the shipped agreement has 93,000."""

BOUNDS = Bounds(max_bytes=1_048_576, max_characters=CANDIDATE_MOST)
ROWS_SHOWN = 200
_TEMPLATE = "agreement_try.html.jinja"


class Try(FormModel):
    """A candidate, and how far back it is tried."""

    candidate: str = Field(title="the text of the candidate", max_length=CANDIDATE_MOST)
    days: Literal["7", "30", "90", "365", "all"] = Field(title="how far back")


def pages(console: Console) -> tuple[Route, ...]:
    """The routes."""
    desk = _Trying(console)
    return ((f"{PATH}/try", desk.form, "GET"), (f"{PATH}/try", desk.answer, "POST"))


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a candidate: what its author should look at, what it changes in words, and what in the past."""

    candidate: Agreement
    remarks: Sequence[Finding]
    reach: Sequence[differences.Change]
    result: WhatIf


class _Trying:
    def __init__(self, console: Console) -> None:
        self._desk = Desk(console)

    async def form(self, request: Request) -> Response:
        """An empty form."""
        visit, _ = await self._desk.visit(request)
        return self._form(request, visit)

    async def answer(self, request: Request) -> Response:
        """What the candidate would have changed."""
        visit, form = await self._desk.console.guard.posted(request, Role.AUDITOR, bounds=BOUNDS)
        log_id = await self._desk.own_log(visit)
        asked = read(form, Try)
        candidate = await asyncio.to_thread(_candidate, asked, log_id) if isinstance(asked, Try) else asked
        start = start_of(asked.days, datetime.now(UTC)) if isinstance(asked, Try) else None
        if isinstance(candidate, Agreement):
            size = await self._desk.read(lambda connection: _entries(connection, log_id, start))
            if size <= ENTRIES_MAX:
                what = tried(candidate, start, None)
                sight = await self._desk.seal(visit, log_id, what, event=Event.AGREEMENT_REPLAYED)
                done = await self._desk.read(partial(_tried, log_id=log_id, candidate=candidate, start=start))
                view: dict[str, Any] = {"tried": done, "periods": PERIODS, "most_rows": ROWS_SHOWN}
                return self._desk.page(request, _TEMPLATE, sight, typed=typed(form), **view)
            words = (
                f"These days hold {size} entries, and an answer is made of {ENTRIES_MAX} at most. Choose fewer days."
            )
            candidate = (FieldError("days", words),)
        return self._form(request, visit, 422, errors=candidate, typed=typed(form))

    def _form(self, request: Request, visit: Visit, status: int = 200, **view: object) -> Response:
        return self._desk.form(request, _TEMPLATE, visit, status, tried=None, periods=PERIODS, **view)


def _candidate(asked: Try, agreement_id: str) -> Agreement | tuple[FieldError, ...]:
    """The candidate, or what is wrong with it, by its line."""
    try:
        found = parse(asked.candidate.encode())
    except AgreementUnreadable as unreadable:
        return (FieldError("candidate", f"The text cannot be read: {unreadable}"),)
    if found.id != agreement_id:
        return (FieldError("candidate", "The candidate has the id of another agreement"),)
    return found


def _entries(connection: Connection, log_id: str, start: datetime | None) -> int:
    first, end = LogSource(connection, log_id).bounds(start)
    return end - first


def _tried(connection: Connection, *, log_id: str, candidate: Agreement, start: datetime | None) -> Tried:
    terms = current_terms(connection, log_id)
    reach = differences.reach(terms.agreement, candidate) if terms else ()
    return Tried(candidate, check(candidate), reach, try_on(LogSource(connection, log_id), candidate, start))
