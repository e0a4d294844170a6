"""What may connect a member of one's own staff with a party: registered, so that they see nothing of such a case (N15).

    /guardian/staff   the form

Names and addresses are kept as keyed digests alone, and are shown to nobody again. Source: domain.md section 4.5 (N15).
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Self

from pydantic import Field, model_validator
from starlette.requests import Request
from starlette.responses import Response

from audit.receipt import Receipt
from gateway import governing
from gateway.console.console import Console
from gateway.console.desk import Route
from gateway.console.forms import FieldError, Form, FormModel
from gateway.console.guard import Visit
from gateway.console.guardian.desk import HOME, Desk

MOST_NAMES = 10
Line = Annotated[str, Field(min_length=1, max_length=200)]


class Connect(FormModel):
    """Who, and what may connect them: family names, an address, or both."""

    user: str = Field(title="their staff id, without spaces", pattern=r"^[\x21-\x7e]{1,128}$")
    families: Line | None = Field(None, title="their family names")
    line: Line | None = Field(None, title="the first line of their address")
    postcode: str | None = Field(None, title="its postcode", min_length=1, max_length=16)

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not self.names and self.line is None:
            raise ValueError("Enter a family name or an address")
        if (self.line is None) is not (self.postcode is None):
            raise ValueError("Enter the first line of the address and its postcode, or neither")
        if len(self.names) > MOST_NAMES:
            raise ValueError(f"Enter at most {MOST_NAMES} family names")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The family names."""
        return tuple(one.strip() for one in (self.families or "").split(",") if one.strip())

    @property
    def addresses(self) -> tuple[tuple[str, str], ...]:
        """The address, where there is one."""
        return ((self.line, self.postcode),) if self.line and self.postcode else ()


def pages(console: Console) -> tuple[Route, ...]:
    """The routes."""
    area = _Staff(console)
    return ((f"{HOME}/staff", area.page, "GET"), (f"{HOME}/staff", area.register, "POST"))


class _Staff:
    def __init__(self, console: Console) -> None:
        self._desk = Desk(console)

    async def page(self, request: Request) -> Response:
        """The form; there is nothing in it yet."""
        return await self._form(request, await self._desk.visit(request))

    async def register(self, request: Request) -> Response:
        """Register it."""

        async def act(visit: Visit, given: Connect) -> Receipt:
            services, caller = self._desk.services, visit.caller
            return (await governing.register_staff(services, caller, given.user, given.names, given.addresses))[1]

        return await self._desk.decided(request, Connect, act, partial(self._form, request), "registered")

    async def _form(
        self, request: Request, visit: Visit, errors: tuple[FieldError, ...] = (), form: Form | None = None
    ) -> Response:
        template = "guardian_staff.html.jinja"
        return await self._desk.page(request, visit, template, None, errors=errors, form=form)
