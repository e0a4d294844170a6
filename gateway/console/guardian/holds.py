"""What is held back, and cases that were stopped: let go on, on a ground, or kept back.

    /guardian/holds/{hold_id}           one hold, and the forms that decide it
    /guardian/holds/{hold_id}/release   let it go on
    /guardian/holds/{hold_id}/keep      keep it back
    /guardian/override                  a case that was stopped, by its reference

A hold is shown by its facts, its clauses and its clock, and by nobody's name.

Source: domain.md section 4.6.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from audit.receipt import Receipt
from gateway import governing
from gateway.console.console import Console
from gateway.console.desk import Route
from gateway.console.forms import FieldError, Form
from gateway.console.guard import Visit
from gateway.console.guardian.desk import HOME, Desk, at
from gateway.console.guardian.stating import STATED, Keep, Overriding, shown
from gateway.errors import NotFound
from gateway.store.envelope import Envelope

Reference = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


class GoOn(Overriding):
    """Let a held record go on; `area` where nobody stated one."""

    area: str | None = Field(None, title="the area, as the agreement calls it", pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")


class OverrideCase(Overriding):
    """Let a case go on that was stopped."""

    referral: Reference = Field(title="the reference of the case, all 36 characters of it")


def pages(console: Console) -> tuple[Route, ...]:
    """The routes."""
    area = _Holds(console)
    return (
        (f"{HOME}/holds/{{hold_id}}", area.hold, "GET"),
        (f"{HOME}/holds/{{hold_id}}/release", area.release, "POST"),
        (f"{HOME}/holds/{{hold_id}}/keep", area.keep, "POST"),
        (f"{HOME}/override", area.stopped, "GET"),
        (f"{HOME}/override", area.override, "POST"),
    )


class _Holds:
    def __init__(self, console: Console) -> None:
        self._desk = Desk(console)
        self._envelope = Envelope(console.services.keyring.content_key)

    async def hold(self, request: Request, hold_id: str) -> Response:
        """One hold, and the forms that decide it."""
        return await self._page(request, hold_id, await self._desk.visit(request))

    async def release(self, request: Request, hold_id: str) -> Response:
        """Let it go on."""

        async def act(visit: Visit, given: GoOn) -> Receipt:
            services, override = self._desk.services, given.made(self._envelope)
            return (await governing.decide_hold(services, visit.caller, hold_id, override, given.area))[1]

        return await self._desk.decided(request, GoOn, act, partial(self._page, request, hold_id), "released")

    async def keep(self, request: Request, hold_id: str) -> Response:
        """Keep it back."""

        async def act(visit: Visit, given: Keep) -> Receipt:
            return await governing.keep_back(self._desk.services, visit.caller, hold_id, given.reason)

        return await self._desk.decided(request, Keep, act, partial(self._page, request, hold_id), "kept")

    async def stopped(self, request: Request) -> Response:
        """The form by which a stopped case goes on; there is nothing in it yet."""
        return await self._stopped(request, await self._desk.visit(request))

    async def override(self, request: Request) -> Response:
        """Let a stopped case go on."""

        async def act(visit: Visit, given: OverrideCase) -> Receipt | FieldError:
            override = given.made(self._envelope)
            try:
                return await governing.override(self._desk.services, visit.caller, given.referral, override)
            except NotFound:
                return FieldError("referral", "There is no case of this reference")

        return await self._desk.decided(request, OverrideCase, act, partial(self._stopped, request), "released")

    async def _stopped(
        self, request: Request, visit: Visit, errors: tuple[FieldError, ...] = (), form: Form | None = None
    ) -> Response:
        template = "guardian_override.html.jinja"
        return await self._desk.page(request, visit, template, None, errors=errors, form=form, **STATED)

    async def _page(
        self,
        request: Request,
        hold_id: str,
        visit: Visit,
        errors: tuple[FieldError, ...] = (),
        form: Form | None = None,
    ) -> Response:
        held, receipt = await governing.read_hold(self._desk.services, visit.caller, hold_id)
        return await self._desk.page(
            request,
            visit,
            "guardian_hold.html.jinja",
            receipt,
            errors=errors,
            form=form,
            row=held.row,
            due=at(held.row.due_at),
            opened=at(held.row.opened_at),
            judged=shown((one.recipient, one.decision.words, one.facts) for one in held.judged),
            **STATED,
        )
