"""What the guardian's own hospital would tell police, and waits: let it go, keep it back, or what the victim says now.

    /guardian/hospital/{hospital_notice}           one notice: its facts, and for each police recipient the decision
    /guardian/hospital/{hospital_notice}/release   let it go, on a ground
    /guardian/hospital/{hospital_notice}/keep      it stays with the hospital
    /guardian/hospital/{hospital_notice}/consent   what the victim says now of telling police

A notice is shown by its facts and by nobody's name; the sender's own reference leads to it in the hospital's system.

Source: domain.md sections 4.5 (N11), 4.6.
"""

from __future__ import annotations

from functools import partial
from typing import Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from audit.receipt import Receipt
from gateway.console.console import Console
from gateway.console.desk import Route
from gateway.console.forms import FieldError, Form, FormModel
from gateway.console.guard import Visit
from gateway.console.guardian.desk import HOME, Desk, at
from gateway.console.guardian.stating import STATED, Keep, Overriding, shown
from gateway.console.words import words
from gateway.hospital import deciding
from gateway.hospital.standing import State
from gateway.store.envelope import Envelope
from mappings.record import ConsentState

SAYS = (ConsentState.GIVEN, ConsentState.REFUSED, ConsentState.WITHDRAWN, ConsentState.LACKS_CAPACITY)
"""What may be recorded that the victim says: nobody says that they are overridden."""


class SheSays(FormModel):
    """What the victim says now."""

    state: Literal["given", "refused", "withdrawn", "lacks-capacity"] = Field(title="what the victim says")


def pages(console: Console) -> tuple[Route, ...]:
    """The routes."""
    area, path = _Hospital(console), f"{HOME}/hospital/{{hospital_notice}}"
    return (
        (path, area.notice, "GET"),
        (f"{path}/release", area.release, "POST"),
        (f"{path}/keep", area.keep, "POST"),
        (f"{path}/consent", area.consent, "POST"),
    )


class _Hospital:
    def __init__(self, console: Console) -> None:
        self._desk = Desk(console)
        self._envelope = Envelope(console.services.keyring.content_key)

    async def notice(self, request: Request, hospital_notice: str) -> Response:
        """One notice, and the forms that decide it."""
        return await self._page(request, hospital_notice, await self._desk.visit(request))

    async def release(self, request: Request, hospital_notice: str) -> Response:
        """Let it go."""

        async def act(visit: Visit, given: Overriding) -> Receipt:
            override = given.made(self._envelope)
            return await deciding.release(self._desk.services, visit.caller, hospital_notice, override)

        return await self._desk.decided(
            request, Overriding, act, partial(self._page, request, hospital_notice), "released"
        )

    async def keep(self, request: Request, hospital_notice: str) -> Response:
        """Keep it back."""

        async def act(visit: Visit, given: Keep) -> Receipt:
            return await deciding.keep_back(self._desk.services, visit.caller, hospital_notice, given.reason)

        return await self._desk.decided(request, Keep, act, partial(self._page, request, hospital_notice), "kept")

    async def consent(self, request: Request, hospital_notice: str) -> Response:
        """Record what the victim says now."""

        async def act(visit: Visit, given: SheSays) -> Receipt:
            services, state = self._desk.services, ConsentState(given.state)
            return (await deciding.change_consent(services, visit.caller, hospital_notice, state, None))[0]

        return await self._desk.decided(request, SheSays, act, partial(self._page, request, hospital_notice), "consent")

    async def _page(
        self,
        request: Request,
        hospital_notice: str,
        visit: Visit,
        errors: tuple[FieldError, ...] = (),
        form: Form | None = None,
    ) -> Response:
        opened, receipt = await deciding.look_at(self._desk.services, visit.caller, hospital_notice)
        row = opened.row
        return await self._desk.page(
            request,
            visit,
            "guardian_hospital.html.jinja",
            receipt,
            errors=errors,
            form=form,
            row=row,
            reference=opened.record.reference("occurrence"),
            due=at(row.due_at) if row.decided_at is None else None,
            received=at(row.received_at),
            judged=shown((one.recipient, one.decision.words, one.facts) for one in opened.made),
            waits=row.state == State.HELD.value,
            says=[(one.value, words(one.value, "consent")) for one in SAYS],
            **STATED,
        )
