"""What the operator's pages share: who looks, the log their look is sealed in, and which agreement is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.console import desk
from gateway.console.desk import Sight
from gateway.console.forms import Form
from gateway.console.guard import Visit
from gateway.console.page import HEADERS, PREFIX
from gateway.evidence import OPERATOR_LOG, Event
from gateway.signin.claims import Role
from gateway.terms import agreement_ids

HOME = "/operator"
PATH = f"{PREFIX}{HOME}"

SECTIONS = (
    ("", "Overview"),
    ("/clients", "Clients"),
    ("/deliveries", "Deliveries"),
    ("/quarantine", "Quarantine"),
    ("/clocks", "Clocks"),
    ("/mappings", "Mappings"),
    ("/retention", "Retention"),
    ("/people", "People"),
)


class Desk(desk.Desk):
    """The pages' common ground over an open console."""

    async def visit(self, request: Request) -> Visit:
        """The operator. Raises what the guard does."""
        return await self.console.guard.visit(request, Role.OPERATOR)

    async def posted(self, request: Request) -> tuple[Visit, Form]:
        """The operator, and the form they sent. Raises what the guard does."""
        return await self.console.guard.posted(request, Role.OPERATOR)

    async def seal(
        self,
        visit: Visit,
        what: Mapping[str, str | int],
        log_id: str = OPERATOR_LOG,
        event: Event = Event.OPERATION_READ,
    ) -> Sight:
        """Seal that an operator looks. `what` names the question, by codes and numbers."""
        return await self.sealed(visit, log_id, what, event)

    async def look(self, request: Request, what: str) -> Sight:
        """Let an operator look at what is of no agreement."""
        return await self.seal(await self.visit(request), {"what": what})

    async def agreements(self) -> tuple[str, ...]:
        """Every agreement of this gateway."""
        return tuple(await self.read(agreement_ids))

    def page(self, request: Request, template: str, sight: Sight, status: int = 200, **view: Any) -> Response:  # noqa: ANN401 - what a template is given
        """A page of the operator's; every one has its `sections`, and says where it is sealed."""
        common: dict[str, Any] = {
            "receipt": sight.receipt,
            "log_id": sight.log_id,
            "path_to": PATH,
            "sections": SECTIONS,
            "done": "",
        }
        return self.console.pages.page(request, template, sight.visit, status, **common | view)

    @staticmethod
    def to(path: str, done: str = "") -> Response:
        """Lead on to a page, which then says what was done: one of its own words."""
        return RedirectResponse(f"{PATH}{path}" + (f"?done={done}" if done else ""), 303, headers=HEADERS)


def chosen(request: Request, name: str, known: tuple[str, ...]) -> str:
    """What an address asks for, of what there is; the first of it otherwise, and "" where there is nothing."""
    asked = request.query_params.get(name, "")
    return asked if asked in known else next(iter(known), "")


def one(form: Form, name: str) -> str:
    """The one value of a hidden field; "" where it was sent twice or not at all."""
    values = form.get(name, ())
    return values[0] if len(values) == 1 else ""
