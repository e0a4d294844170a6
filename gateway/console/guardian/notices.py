"""What somebody was told and nobody has acknowledged: whom to ring, and one's own organisation's noted by a form.

    /guardian/notices/{notice_id}                   one of them
    /guardian/notices/{notice_id}/acknowledgement   noted, where it is for the guardian's organisation as a whole

A notice to a team is the team's to take: noting it here would take it from their worklist unread.

Source: domain.md sections 3.2, 4.5 (N14).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row
from starlette.requests import Request
from starlette.responses import Response

from audit.receipt import Receipt
from gateway import byways, governing
from gateway.console.console import Console
from gateway.console.desk import Route
from gateway.console.guard import Visit
from gateway.console.guardian.desk import HOME, Desk, at
from gateway.evidence import Event
from gateway.notices import EVERYBODY


def pages(console: Console) -> tuple[Route, ...]:
    """The routes."""
    area, path = _Notices(console), f"{HOME}/notices/{{notice_id}}"
    return ((path, area.notice, "GET"), (f"{path}/acknowledgement", area.acknowledge, "POST"))


def is_own(row: Row[Any], visit: Visit) -> bool:
    """Whether a notice is for the visitor's organisation as a whole, or for the visitor."""
    whose = row.organisation == visit.person.organisation and row.recipient in {EVERYBODY, visit.person.recipient}
    return whose and row.person in {None, visit.person.id}


class _Notices:
    def __init__(self, console: Console) -> None:
        self._desk = Desk(console)

    async def notice(self, request: Request, notice_id: str) -> Response:
        """One of them."""
        visit = await self._desk.visit(request)
        row, receipt = await self._one(visit, notice_id)
        return await self._desk.page(
            request,
            visit,
            "guardian_notice.html.jinja",
            receipt,
            row=row,
            due=at(row.due_at),
            created=at(row.created_at),
            own=is_own(row, visit),
        )

    async def acknowledge(self, request: Request, notice_id: str) -> Response:
        """Take note of it."""
        visit, _ = await self._desk.posted(request)
        row, _ = await self._one(visit, notice_id)
        if not is_own(row, visit):
            raise await self._desk.none(visit, Event.NOTICE_ACKNOWLEDGED)
        receipt = await byways.acknowledge_notice(self._desk.services, visit.caller, notice_id)
        return await self._desk.done(visit, "noted", receipt)

    async def _one(self, visit: Visit, notice_id: str) -> tuple[Row[Any], Receipt]:
        due, receipt = await governing.read_outstanding(self._desk.services, visit.caller)
        row = next((row for row in due.notices if row.id == notice_id), None)
        if row is None:
            raise await self._desk.none(visit, Event.REVIEWS_READ)
        return row, receipt
