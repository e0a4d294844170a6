"""The adviser's worklist: a page that renews itself while it is open, and works without scripts.

    /worklist           the page: a part of the list (`whose`), areas (`area`), what falls to a shift (`shift`), a page
    /worklist/rows      what has changed of it since, for the page's own script
    /worklist/events    that something has changed, and nothing of what (server-sent events, HTML standard section 9.2)

Nobody's identity is on it; a case is opened with a reason, which is one click. What a page shows was sealed before.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from gateway.casefile import Opening
from gateway.console.console import Console
from gateway.console.guard import Visit
from gateway.console.heads import page_router
from gateway.console.live import Live, Team
from gateway.console.page import HEADERS, PREFIX
from gateway.errors import Busy
from gateway.signin.claims import Role
from gateway.under_agreement import log_of
from gateway.worklist.falling_due import Falls
from gateway.worklist.order import PAGE_ROWS, Asked, Whose
from gateway.worklist.reading import Worklist, read_worklist

PATH = f"{PREFIX}/worklist"
WHO = (Role.ADVISER, Role.SAFEGUARDING)
EVERY_AREA = "all"
REASON = "worklist"
"""What the reading of the list itself is sealed with; the reason of a case is chosen where it is opened."""

FALLS: Mapping[Falls, str] = {
    Falls.ANY: "Whenever due",
    Falls.OVERDUE: "Overdue",
    Falls.THIS: "This shift",
    Falls.NEXT: "Next shift",
    Falls.LATER: "Later",
}
"""The shifts that a case may fall to, in the order and the words of the page."""

SOON = timedelta(hours=4)
"""A clock that runs out within it stands out; the page's own script says the same (`worklist.js`)."""

MOST_LINES = 8
"""Pages of one sign-in that are live at once in a process."""

BEAT_SECONDS = 15.0
"""How often a watched page is told that the line still stands, and whether its sign-in does is looked up."""
WATCH_SECONDS = 600.0
"""How long one line lasts: the page calls again by itself, and a gateway that stops is not kept waiting for it."""


def routes(console: Console) -> APIRouter:
    """The routes of the worklist."""
    router = page_router("/worklist")
    area = _Area(console)
    router.add_api_route("", area.page, methods=["GET"])
    router.add_api_route("/rows", area.rows, methods=["GET"])
    router.add_api_route("/events", area.events, methods=["GET"])
    return router


class _Area:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console.services)
        self._lines: Counter[str] = Counter()

    async def page(self, request: Request) -> Response:
        """The page."""
        visit = await self._console.guard.visit(request, *WHO)
        asked = _asked(request, visit)
        found = await read_worklist(self._console.services, visit.caller, asked, REASON)
        return self._console.pages.page(request, "worklist.html.jinja", visit, **_view(visit, asked, found))

    async def rows(self, request: Request) -> Response:
        """The rows that are new to the page, and the order of all."""
        visit = await self._console.guard.visit(request, *WHO)
        asked = _asked(request, visit)
        found = await read_worklist(self._console.services, visit.caller, asked, REASON)
        return self._console.pages.fragment(request, "worklist_rows.html.jinja", visit, **_view(visit, asked, found))

    async def events(self, request: Request) -> Response:
        """A line on which the page hears that something has changed."""
        visit = await self._console.guard.visit(request, *WHO)
        log_id = await log_of(self._console.services, visit.caller)
        team = (log_id, visit.caller.organisation, visit.caller.recipient or "")
        if self._lines[visit.session] >= MOST_LINES:
            raise Busy("too many pages of this sign-in are open", headers={"Retry-After": "60"})
        headers = {**HEADERS, "X-Accel-Buffering": "no"}  # a proxy in front passes it on as it comes
        return StreamingResponse(self._line(visit, team), headers=headers, media_type="text/event-stream")

    async def _line(self, visit: Visit, team: Team) -> AsyncIterator[bytes]:
        until = asyncio.get_running_loop().time() + WATCH_SECONDS
        async with self._counted(visit.session), self._live.watching(team) as watch:
            yield b"retry: 1000\nevent: watching\ndata:\n\n"  # the page renews itself now, and then misses nothing
            while asyncio.get_running_loop().time() < until:
                try:
                    await asyncio.wait_for(watch.changed.wait(), BEAT_SECONDS)
                except TimeoutError:
                    if not await self._console.guard.stands(visit):
                        break
                    yield b": still there\n\n"
                    continue
                watch.changed.clear()
                yield b"event: changed\ndata:\n\n"

    @asynccontextmanager
    async def _counted(self, session: str) -> AsyncIterator[None]:
        self._lines[session] += 1
        try:
            yield
        finally:
            self._lines[session] -= 1
            if not self._lines[session]:
                del self._lines[session]


_KNOWN = re.compile(r"([0-9a-f-]{36})\.([0-9]{1,9})")
_AREA = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_MOST_PAGES = 10_000


def _asked(request: Request, visit: Visit) -> Asked:
    """What the address asks for; what is none of ours is as good as not asked."""
    query = request.query_params
    whose = query.get("whose", "")
    shift = query.get("shift", "")
    number = query.get("page", "")
    area = query.get("area", "")
    areas = visit.person.areas or None
    if area == EVERY_AREA:
        areas = None
    elif _AREA.fullmatch(area):
        areas = (area,)
    known = [found for one in query.get("known", "").split("_")[:PAGE_ROWS] if (found := _KNOWN.fullmatch(one))]
    return Asked(
        whose=Whose(whose) if whose in set(Whose) else Whose.ALL,
        areas=areas,
        falls=Falls(shift) if shift in set(Falls) and whose != Whose.CLOSED else Falls.ANY,
        page=min(int(number), _MOST_PAGES) if number.isascii() and number.isdecimal() and int(number[:9]) else 1,
        known={found[1]: int(found[2]) for found in known},
    )


def _view(visit: Visit, asked: Asked, found: Worklist) -> dict[str, Any]:
    now = datetime.now(UTC)
    chosen = asked.areas[0] if asked.areas and len(asked.areas) == 1 else None
    query = {"area": chosen} if chosen else {"area": EVERY_AREA} if visit.person.areas and asked.areas is None else {}
    return {
        "receipt": found.receipts[0],
        "log_id": found.log_id,
        "rows": found.rows,
        "order": found.order,
        "more": found.more,
        "shifts": found.shifts,
        "moves_in": max(1, ceil((found.shifts.moves_at - now).total_seconds())) if found.shifts else None,
        "whose": asked.whose,
        "every": list(Whose),
        "falls": asked.falls if found.shifts else Falls.ANY,
        "every_fall": list(FALLS),
        "fall_names": FALLS,
        "area": chosen or (EVERY_AREA if asked.areas is None else ""),
        "areas": found.areas,
        "own_areas": visit.person.areas,
        "number": asked.page,
        "me": visit.person.id,
        "soon": now + SOON,
        "openings": list(Opening),
        "address": _addresses(asked, query),
    }


def _addresses(asked: Asked, query: Mapping[str, str]) -> dict[str, str]:
    """The addresses that the page leads to, by what they are."""

    def address(
        whose: Whose = asked.whose, falls: Falls = asked.falls, page: int = 1, path: str = "", **more: str
    ) -> str:
        given = dict(query)
        if whose is not Whose.ALL:
            given["whose"] = whose.value
        if falls is not Falls.ANY and whose is not Whose.CLOSED:
            given["shift"] = falls.value
        if page > 1:
            given["page"] = str(page)
        given |= more
        return f"{PATH}{path}?{urlencode(given)}" if given else f"{PATH}{path}"

    return {
        **{one.value: address(whose=one) for one in Whose},
        **{one.value: address(falls=one) for one in Falls},
        "hand_over": address(Whose.MINE, Falls.NEXT),
        "rows": address(page=asked.page, path="/rows"),
        "events": f"{PATH}/events",
        "next": address(page=asked.page + 1),
        "previous": address(page=asked.page - 1),
        "print": address(page=asked.page, print="1"),
        "downtime": address(Whose.ALL if asked.whose is Whose.CLOSED else asked.whose, path="/downtime"),
    }
