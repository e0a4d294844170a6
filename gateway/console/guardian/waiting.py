"""What waits for the guardian, in one list: late first, each with its clock, in words, and by nobody's name.

    /guardian   everything, or one kind of it (`kind`)

Each kind that is shown is read, and sealed as looked at, by the function that the interfaces ask.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from audit.receipt import Receipt
from gateway import governing
from gateway.console.console import Console
from gateway.console.desk import Route
from gateway.console.guard import Visit
from gateway.console.guardian.deliveries import read_undelivered
from gateway.console.guardian.desk import HOME, PATH, Desk
from gateway.console.guardian.reviews import named
from gateway.console.words import words
from gateway.hospital import deciding

SHOWN_MAX = 200
"""Lines of one page; of more, it says how many, and a kind of its own shows more of it."""

KINDS: Mapping[str, str] = {
    "": "Everything",
    "holds": "Held back",
    "reviews": "To review",
    "matches": "One person or two",
    "hospital": "For police",
    "deliveries": "Not arrived",
    "contacts": "No police record",
    "notices": "Not acknowledged",
}
"""The kinds as the page's tabs call them."""


@dataclass(frozen=True, slots=True)
class Line:
    """Something that waits. `due` is its clock, None where it has none and lies here `since` then.

    `href` is empty where there is nothing to look at.
    """

    kind: str
    text: str
    detail: str
    due: datetime | None
    since: datetime | None
    href: str
    id: str

    @property
    def order(self) -> datetime:
        """Late first: what has no clock is as late as it is old."""
        return self.due or self.since or _NEVER


UNDECIDABLE = "No organisation may see both sides: they stay two people until one may"

_NEVER = datetime(9999, 1, 1, tzinfo=UTC)

Found = tuple[Sequence[Line], Receipt]


def pages(console: Console) -> tuple[Route, ...]:
    """The route."""
    return ((HOME, _Waiting(console).page, "GET"),)


class _Waiting:
    def __init__(self, console: Console) -> None:
        self._desk = Desk(console)

    async def page(self, request: Request) -> Response:
        """What waits; of one kind where one is asked for."""
        visit = await self._desk.visit(request)
        asked = request.query_params.get("kind", "")
        kind = asked if asked in KINDS else ""
        wanted = [read for kinds, read in self._reads if not kind or kind in kinds]
        lists = [asyncio.create_task(read(visit)) for read in wanted]
        await asyncio.wait(lists)  # where one fails, the others are not sealed behind the answer
        found = await asyncio.gather(*lists)
        lines = [line for lines, _ in found for line in lines if kind in {"", line.kind}]
        lines.sort(key=lambda line: (line.order, line.id))
        return await self._desk.page(
            request,
            visit,
            "guardian.html.jinja",
            found[-1][1],
            lines=lines[:SHOWN_MAX],
            more=max(0, len(lines) - SHOWN_MAX),
            late=sum(1 for line in lines if line.due is not None and line.due <= datetime.now(UTC)),
            kind=kind,
            kinds=KINDS,
        )

    @property
    def _reads(self) -> Iterable[tuple[frozenset[str], Callable[[Visit], Coroutine[Any, Any, Found]]]]:
        return (
            (frozenset({"holds"}), self._holds),
            (frozenset({"hospital"}), self._hospital),
            (frozenset({"deliveries"}), self._deliveries),
            (frozenset({"reviews", "matches", "contacts", "notices"}), self._outstanding),
        )

    async def _holds(self, visit: Visit) -> Found:
        rows, receipt = await governing.read_holds(self._desk.services, visit.caller)
        return [
            _line("holds", row, f"A record from {row.organisation}", f"{_why(row.reason)}. Risk: {_grade(row.risk)}")
            for row in rows
        ], receipt

    async def _hospital(self, visit: Visit) -> Found:
        rows, receipt = await deciding.read_held(self._desk.services, visit.caller, every=False)
        said = "A hospital notice for police"
        return [_line("hospital", row, said, f"{_why(row.reason)}. Risk: {_grade(row.grade)}") for row in rows], receipt

    async def _deliveries(self, visit: Visit) -> Found:
        found, receipt = await read_undelivered(self._desk.services, visit)
        return [
            Line(
                "deliveries",
                "A referral did not arrive",
                f"At {one.system.team}, by {one.system.channel}"
                if one.system
                else "At a system that was removed since",
                None,
                one.made,
                f"{PATH}/deliveries/{one.row.id}",
                one.row.id,
            )
            for one in found
        ], receipt

    async def _outstanding(self, visit: Visit) -> Found:
        due, receipt = await governing.read_outstanding(self._desk.services, visit.caller)
        found = [_review(what, row, visit.person.organisation) for what, row in due.reviews]
        found += [
            _line("matches", one.row, "Two people who may be one", words(one.row.person.rpartition("-")[0], "role"))
            if one.decidable
            else _undecidable(one.row)
            for one in due.matches
        ]
        found += [
            _line("contacts", row, "A contact at the scene without a police record", words(row.contact, "scene"))
            for row in due.contacts
        ]
        found += [
            _line("notices", row, words(row.kind, "notice"), f"To {row.recipient or 'the whole of'} {row.organisation}")
            for row in due.notices
        ]
        return found, receipt


def _line(kind: str, row: Any, text: str, detail: str) -> Line:  # noqa: ANN401 - a row
    due = datetime.fromisoformat(row.due_at) if row.due_at else None
    return Line(kind, text, detail, due, None, f"{PATH}/{kind}/{row.id}", row.id)


def _undecidable(row: Any) -> Line:  # noqa: ANN401 - a row
    """A match that lies with the agreement's owner: there is nothing in it for anybody to look at."""
    return replace(_line("matches", row, "Two people who may be one", UNDECIDABLE), href="")


def _review(what: str, row: Any, own: str) -> Line:  # noqa: ANN401 - a row
    said = "Somebody broke the glass" if what == "break-glass" else "Somebody overrode a hold or a refusal"
    due = datetime.fromisoformat(row.review_due)
    ground = words(row.ground, "override-ground")
    detail = ground if row.organisation == own else f"{ground}. For somebody of {row.organisation} to review"
    return Line("reviews", said, detail, due, None, f"{PATH}/reviews/{named(what)}/{row.id}", row.id)


def _grade(grade: str | None) -> str:
    return "not graded, treat as high" if grade in {None, "unknown"} else words(grade, "grade").lower()


def _why(reason: str | None) -> str:
    return words(reason, "hold") if reason else "It waits for a person"
