"""What the guardian's pages share: who decides, the page that shows it, and the way back with what was done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from audit.receipt import Receipt
from gateway.console import desk
from gateway.console.console import Console
from gateway.console.forms import FieldError, Form, FormModel, read, typed
from gateway.console.guard import Visit
from gateway.console.page import HEADERS, PREFIX
from gateway.errors import GatewayError, NotFound, Unprocessable
from gateway.evidence import Event
from gateway.signin.claims import Role
from gateway.under_agreement import log_of, missed
from gateway.web.http import receipt_header

HOME = "/guardian"
PATH = f"{PREFIX}{HOME}"

M = TypeVar("M", bound=FormModel)

DONE: Mapping[str, str] = {
    "released": "It goes on. Both parties can see why, and somebody else will review it.",
    "kept": "It is kept back.",
    "reviewed": "Your review is sealed.",
    "same": "They are one person: what is known of one is now read with the other.",
    "different": "They are two people. Nothing will link them without a person.",
    "undone": "They are two people after all. Whoever was told otherwise is corrected.",
    "consent": "What the victim says is sealed, and the notice was decided again.",
    "renewed": "It is sent again.",
    "joined": "The contact is joined to the case.",
    "closed": "The contact is closed without a police record.",
    "noted": "Noted, for your whole organisation.",
    "registered": "It is registered: they see nothing of such a case from now on.",
    "traced": "Your word on the NHS number is sealed.",
}
"""What was done, as the next page says it."""


class Desk(desk.Desk):
    """The pages' common ground over an open console."""

    def __init__(self, console: Console, *roles: Role, home: str = PATH) -> None:
        super().__init__(console)
        self._roles = roles or (Role.GUARDIAN,)
        self._home = home

    async def visit(self, request: Request) -> Visit:
        """Whoever decides. Raises what the guard does."""
        return await self.console.guard.visit(request, *self._roles)

    async def posted(self, request: Request) -> tuple[Visit, Form]:
        """Whoever decides, and the form they sent. Raises what the guard does."""
        return await self.console.guard.posted(request, *self._roles)

    async def page(
        self,
        request: Request,
        visit: Visit,
        template: str,
        receipt: Receipt | None,
        *,
        errors: tuple[FieldError, ...] = (),
        form: Form | None = None,
        **view: Any,  # noqa: ANN401 - what a template is given
    ) -> Response:
        """A page; one that shows a form again says what is wrong with it."""
        done = request.query_params.get("done", "")
        common: dict[str, Any] = {
            "path_to": self._home,
            "done": DONE.get(done, ""),
            "errors": errors,
            "typed": typed(form or {}),
            "receipt": receipt,
            "log_id": await log_of(self.services, visit.caller),
        }
        status = 422 if errors else 200
        return self.console.pages.page(request, template, visit, status, **common | view)

    async def done(self, visit: Visit, what: str, receipt: Receipt) -> Response:
        """Back to what waits, with the receipt of what was done: one of `DONE`."""
        headers = {**HEADERS, **receipt_header(receipt, await log_of(self.services, visit.caller))}
        return RedirectResponse(f"{self._home}?done={what}", 303, headers=headers)

    async def decided(
        self,
        request: Request,
        model: type[M],
        act: Callable[[Visit, M], Awaitable[Receipt | FieldError]],
        page: Callable[[Visit, tuple[FieldError, ...], Form], Awaitable[Response]],
        done: str,
    ) -> Response:
        """Read a form, act on it, and go back; what is wrong with it, or is refused, stands on the page again.

        `done` is one of `DONE`, or names a field of the form whose value is.
        """
        visit, form = await self.posted(request)
        given = read(form, model)
        if isinstance(given, tuple):
            return await page(visit, given, form)
        try:
            came = await act(visit, given)
        except Unprocessable as error:
            return await page(visit, refused(error), form)
        if isinstance(came, FieldError):
            return await page(visit, (came,), form)
        return await self.done(visit, done if done in DONE else str(getattr(given, done)), came)

    async def none(self, visit: Visit, wanted: Event) -> NotFound:
        """What to raise where nothing of this id waits for the visitor; that they asked is sealed."""
        log_id = await log_of(self.services, visit.caller)
        return await missed(self.services, visit.caller, log_id, wanted)


def refused(error: GatewayError) -> tuple[FieldError, ...]:
    """The gateway's own words, which hold nothing of a person (P7), as what is wrong with a form as a whole."""
    return (FieldError("", error.words[:1].upper() + error.words[1:]),)


def at(time: str | None) -> datetime | None:
    """An instant as rows keep it."""
    return datetime.fromisoformat(time) if time else None
