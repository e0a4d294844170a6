"""A contact at the scene that no police record has joined: joined to a case by a person, or closed without one.

    /guardian/contacts/{contact_id}         its references and codes, and nobody's words
    /guardian/contacts/{contact_id}/join    it was about this case
    /guardian/contacts/{contact_id}/close   no record will come

Source: domain.md sections 0a (co-response), 4.1 (step 2).
"""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from audit.receipt import Receipt
from gateway import scene_contacts
from gateway.console.console import Console
from gateway.console.desk import Route
from gateway.console.forms import FieldError, Form, FormModel
from gateway.console.guard import Visit
from gateway.console.guardian.desk import HOME, Desk, at
from gateway.console.guardian.holds import Reference
from gateway.errors import NotFound

JOINED = (
    ("wrong-log-number", "The log number was wrong"),
    ("wrong-day", "The day was wrong"),
    ("one-of-several", "Several cases fit, and it is this one"),
    ("recorded-later", "Police recorded it under another reference"),
)
CLOSED = (
    ("not-domestic-abuse", "It was not domestic abuse"),
    ("not-recorded", "Police made no record of it"),
    ("recorded-twice", "It is recorded here twice"),
)


class Join(FormModel):
    """Which case it was about, and why somebody says so."""

    referral: Reference = Field(title="the reference of the case, all 36 characters of it")
    reason: Literal["wrong-log-number", "wrong-day", "one-of-several", "recorded-later"] = Field(
        title="why it is this case"
    )


class Close(FormModel):
    """Why no record will come."""

    why: Literal["not-domestic-abuse", "not-recorded", "recorded-twice"] = Field(title="why no record will come")


def pages(console: Console) -> tuple[Route, ...]:
    """The routes."""
    area, path = _Contacts(console), f"{HOME}/contacts/{{contact_id}}"
    return ((path, area.contact, "GET"), (f"{path}/join", area.join, "POST"), (f"{path}/close", area.close, "POST"))


class _Contacts:
    def __init__(self, console: Console) -> None:
        self._desk = Desk(console)

    async def contact(self, request: Request, contact_id: str) -> Response:
        """One that waits, by its references."""
        return await self._page(request, contact_id, await self._desk.visit(request))

    async def join(self, request: Request, contact_id: str) -> Response:
        """Join it to a case."""

        async def act(visit: Visit, given: Join) -> Receipt | FieldError:
            services, caller = self._desk.services, visit.caller
            try:
                return await scene_contacts.join_contact(services, caller, contact_id, given.referral, given.reason)
            except NotFound:  # of the contact, the page itself says so
                return FieldError("referral", "There is no case of this reference, team and force")

        return await self._desk.decided(request, Join, act, partial(self._page, request, contact_id), "joined")

    async def close(self, request: Request, contact_id: str) -> Response:
        """Say that no record will come."""

        async def act(visit: Visit, given: Close) -> Receipt:
            return await scene_contacts.close_contact(self._desk.services, visit.caller, contact_id, given.why)

        return await self._desk.decided(request, Close, act, partial(self._page, request, contact_id), "closed")

    async def _page(
        self,
        request: Request,
        contact_id: str,
        visit: Visit,
        errors: tuple[FieldError, ...] = (),
        form: Form | None = None,
    ) -> Response:
        row, references, receipt = await scene_contacts.look_at(self._desk.services, visit.caller, contact_id)
        return await self._desk.page(
            request,
            visit,
            "guardian_contact.html.jinja",
            receipt,
            errors=errors,
            form=form,
            row=row,
            references=references,
            day=date.fromisoformat(references["day"]),
            happened=at(row.at),
            due=at(row.due_at),
            joined=JOINED,
            closed=CLOSED,
        )
