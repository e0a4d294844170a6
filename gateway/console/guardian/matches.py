"""People who may be one: both sides next to each other, each as the guardian's organisation may see it.

    /guardian/matches                        what waits, and all that became of one incident's, by its reference
    /guardian/matches/{match_id}             both sides
    /guardian/matches/{match_id}/decision    one person, or two
    /guardian/matches/{match_id}/undo        two after all, though they were linked

Nothing is merged: one person is two records that are read together (N9).

Source: domain.md sections 4.5 (N9), 4.7 (human review with side-by-side).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import Row
from starlette.requests import Request
from starlette.responses import Response

from audit.receipt import Receipt
from gateway import match_reviews
from gateway.console.console import Console
from gateway.console.desk import Route
from gateway.console.forms import FieldError, Form, FormModel, read
from gateway.console.guard import Visit
from gateway.console.guardian.desk import HOME, Desk, at
from gateway.console.guardian.holds import Reference
from gateway.console.guardian.sides import compared
from gateway.linking.found import LINKED, SAME
from gateway.linking.undoing import Ground
from gateway.match_sides import Listed
from mappings.record import Role


class Decide(FormModel):
    """What the reviewer says: one person, or two."""

    outcome: Literal["same", "different"] = Field(title="whether they are one person")


class Undo(FormModel):
    """Why two who are linked are two."""

    reason: Ground = Field(title="why they are two people")


class Search(FormModel):
    """An incident, by its reference or that of one of its cases."""

    incident: Reference = Field(title="the reference, all 36 characters of it")


def pages(console: Console) -> tuple[Route, ...]:
    """The routes."""
    area = _Matches(console)
    return (
        (f"{HOME}/matches", area.waiting, "GET"),
        (f"{HOME}/matches", area.search, "POST"),
        (f"{HOME}/matches/{{match_id}}", area.match, "GET"),
        (f"{HOME}/matches/{{match_id}}/decision", area.decide, "POST"),
        (f"{HOME}/matches/{{match_id}}/undo", area.undo, "POST"),
    )


@dataclass(frozen=True, slots=True)
class Line:
    """A match without anybody's name: who is compared, and what became of it."""

    row: Row[Any]
    role: str
    due: Any
    decided: Any
    decidable: bool


class _Matches:
    def __init__(self, console: Console) -> None:
        self._desk = Desk(console)

    async def waiting(self, request: Request) -> Response:
        """What waits, and a form to look for an incident's."""
        visit = await self._desk.visit(request)
        found, receipt = await match_reviews.read_matches(self._desk.services, visit.caller)
        return await self._list(request, visit, found, receipt)

    async def search(self, request: Request) -> Response:
        """Of one incident, also what was decided; the reference stands in no address."""
        visit, form = await self._desk.posted(request)
        given = read(form, Search)
        incident = None if isinstance(given, tuple) else given.incident
        found, receipt = await match_reviews.read_matches(self._desk.services, visit.caller, incident)
        errors = given if isinstance(given, tuple) else ()
        return await self._list(request, visit, found, receipt, errors, form, of=incident or "")

    async def match(self, request: Request, match_id: str) -> Response:
        """One of them, both sides."""
        return await self._match(request, match_id, await self._desk.visit(request))

    async def decide(self, request: Request, match_id: str) -> Response:
        """Say whether they are one person."""

        async def act(visit: Visit, given: Decide) -> Receipt:
            return await match_reviews.decide_match(self._desk.services, visit.caller, match_id, given.outcome)

        return await self._desk.decided(request, Decide, act, partial(self._match, request, match_id), "outcome")

    async def undo(self, request: Request, match_id: str) -> Response:
        """Say that two who are linked are two."""

        async def act(visit: Visit, given: Undo) -> Receipt:
            return await match_reviews.undo_match(self._desk.services, visit.caller, match_id, given.reason)

        return await self._desk.decided(request, Undo, act, partial(self._match, request, match_id), "undone")

    async def _list(
        self,
        request: Request,
        visit: Visit,
        found: Sequence[Listed],
        receipt: Receipt,
        errors: tuple[FieldError, ...] = (),
        form: Form | None = None,
        *,
        of: str = "",
    ) -> Response:
        view: Mapping[str, Any] = {"lines": [_line(one) for one in found], "of": of}
        template = "guardian_matches.html.jinja"
        return await self._desk.page(request, visit, template, receipt, errors=errors, form=form, **view)

    async def _match(
        self,
        request: Request,
        match_id: str,
        visit: Visit,
        errors: tuple[FieldError, ...] = (),
        form: Form | None = None,
    ) -> Response:
        found, receipt = await match_reviews.read_match(self._desk.services, visit.caller, match_id)
        one, other = (side.person for side in found.sides)
        return await self._desk.page(
            request,
            visit,
            "guardian_match.html.jinja",
            receipt,
            errors=errors,
            form=form,
            line=_line(Listed(found.row, decidable=True)),
            rows=compared(one, other, found.levels),
            of_suspects=found.row.person.startswith(Role.SUSPECT.value),
            shown=sum(person is not None for person in (one, other)),
            is_open=found.row.decided_at is None,
            is_linked=found.row.outcome in {LINKED, SAME},
            grounds=[one.value for one in Ground],
        )


def _line(one: Listed) -> Line:
    row = one.row
    role = row.person.rpartition("-")[0] or row.person
    return Line(row, role, at(row.due_at), at(row.decided_at), one.decidable)
