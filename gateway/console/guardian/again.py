"""What waits for the guardian, read again after a profile was mended: a trial first, and then in earnest.

    /guardian/again   the form, and what came of it

Only what is the guardian's to see is read (`gateway.sides`). Source: domain.md sections 4.1 (step 6), 4.5 (N7).
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from gateway import governing
from gateway.console.again import Again
from gateway.console.console import Console
from gateway.console.desk import Route
from gateway.console.forms import FieldError, Form, read
from gateway.console.guard import Visit
from gateway.console.guardian.desk import HOME, Desk
from gateway.replaying import replay_holds


def pages(console: Console) -> tuple[Route, ...]:
    """The routes."""
    area = _Again(console)
    return ((f"{HOME}/again", area.page, "GET"), (f"{HOME}/again", area.run, "POST"))


class _Again:
    def __init__(self, console: Console) -> None:
        self._desk = Desk(console)

    async def page(self, request: Request) -> Response:
        """The form."""
        return await self._form(request, await self._desk.visit(request))

    async def run(self, request: Request) -> Response:
        """Read what waits again; a trial's page offers to do it in earnest."""
        visit, form = await self._desk.posted(request)
        asked = read(form, Again)
        if isinstance(asked, tuple):
            return await self._form(request, visit, asked, form)
        services = self._desk.services
        done = await replay_holds(services, visit.caller, asked.wanted(services.profiles), dry_run=asked.trial)
        template = "guardian_replayed.html.jinja"
        return await self._desk.page(request, visit, template, done.receipt, asked=asked, replayed=done)

    async def _form(
        self, request: Request, visit: Visit, errors: tuple[FieldError, ...] = (), form: Form | None = None
    ) -> Response:
        rows, receipt = await governing.read_holds(self._desk.services, visit.caller)
        return await self._desk.page(
            request,
            visit,
            "guardian_again.html.jinja",
            receipt,
            errors=errors,
            form=form,
            waiting=len(rows),
            reasons=sorted({row.reason for row in rows}),
            profiles=sorted(self._desk.services.profiles.names),
        )
