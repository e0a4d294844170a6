"""Victims and children whose NHS number waits for a person of their team: who was meant, and who was found.

    /traces                       what waits, the one due first at the top, by nobody's name
    /traces/{trace_id}            both sides
    /traces/{trace_id}/decision   the same; somebody else; ask again; noted, and traced by other means

For advisers and safeguarding leads: a trace of another team's victim is as good as none (P8).

Source: domain.md sections 2.1, 2.6, 4.5 (N5), 4.7.
"""

from __future__ import annotations

from functools import partial

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from audit.receipt import Receipt
from gateway import trace_reviews
from gateway.console.console import Console
from gateway.console.desk import Route
from gateway.console.forms import FieldError, Form, FormModel
from gateway.console.guard import Visit
from gateway.console.guardian.desk import Desk, at
from gateway.console.guardian.sides import NOBODY, NOT_SHOWN, compared
from gateway.console.page import PREFIX
from gateway.signin.claims import Role
from gateway.store.traced import State
from gateway.trace_reviews import OF_STATE, Word

HOME = "/traces"


class Say(FormModel):
    """What the reviewer says."""

    outcome: Word = Field(title="what you say of it")


def pages(console: Console) -> tuple[Route, ...]:
    """The routes."""
    area = _Traces(console)
    return (
        (HOME, area.waiting, "GET"),
        (f"{HOME}/{{trace_id}}", area.trace, "GET"),
        (f"{HOME}/{{trace_id}}/decision", area.decide, "POST"),
    )


class _Traces:
    def __init__(self, console: Console) -> None:
        self._desk = Desk(console, Role.ADVISER, Role.SAFEGUARDING, home=f"{PREFIX}{HOME}")

    async def waiting(self, request: Request) -> Response:
        """What waits for the visitor's team."""
        visit = await self._desk.visit(request)
        rows, receipt = await trace_reviews.read_traces(self._desk.services, visit.caller)
        lines = [(row, at(row.due_at)) for row in rows]
        return await self._desk.page(request, visit, "traces.html.jinja", receipt, lines=lines)

    async def trace(self, request: Request, trace_id: str) -> Response:
        """One of them, both sides."""
        return await self._page(request, trace_id, await self._desk.visit(request))

    async def decide(self, request: Request, trace_id: str) -> Response:
        """Say what it is."""

        async def act(visit: Visit, given: Say) -> Receipt:
            services = self._desk.services
            return (await trace_reviews.decide_trace(services, visit.caller, trace_id, given.outcome))[1]

        return await self._desk.decided(request, Say, act, partial(self._page, request, trace_id), "traced")

    async def _page(
        self,
        request: Request,
        trace_id: str,
        visit: Visit,
        errors: tuple[FieldError, ...] = (),
        form: Form | None = None,
    ) -> Response:
        sides, receipt = await trace_reviews.read_trace(self._desk.services, visit.caller, trace_id)
        row = sides.row
        shown = sides.candidate is not None and sides.found is not None
        levels = sides.candidate.levels if sides.candidate is not None and shown else {}
        may_be = OF_STATE.get(State(row.state), frozenset())
        return await self._desk.page(
            request,
            visit,
            "trace.html.jinja",
            receipt,
            errors=errors,
            form=form,
            row=row,
            due=at(row.due_at) if row.decided_at is None else None,
            rows=compared(sides.meant, sides.found, levels, NOBODY if sides.candidate is None else NOT_SHOWN),
            hidden=sides.candidate is not None and not shown,
            restricted=row.label is not None,
            household=sides.referral.label is not None,
            words_of=[one.value for one in Word if one in may_be],
        )
