"""What the auditor's pages share: whose log it is, the entry that says who looked, and how they answer.

The log is that of the visitor's agreement. Where there is none yet, the pages are as good as not there (P8).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from audit import sql as log_sql
from audit.errors import IndexUnknown, LogUnknown
from gateway.console import desk
from gateway.console.desk import Sight
from gateway.console.guard import Visit
from gateway.console.page import HEADERS, PREFIX
from gateway.errors import NotFound
from gateway.evidence import Event
from gateway.signin.claims import Role
from gateway.web.http import receipt_header
from gateway.web.looking import check_own

T = TypeVar("T")

HOME = "/auditor"
PATH = f"{PREFIX}{HOME}"
REASON = "audit"
"""What a reading is sealed with; of one person's accounting, the auditor says why they look."""


class Desk(desk.Desk):
    """The pages' common ground over an open console."""

    async def visit(self, request: Request, *roles: Role) -> tuple[Visit, str]:
        """An auditor (or somebody of the roles named), and their log. Raises what the guard does, and NotFound."""
        visit = await self.console.guard.visit(request, *(roles or (Role.AUDITOR,)))
        return visit, await self.own_log(visit)

    async def own_log(self, visit: Visit) -> str:
        """The log of a visitor's agreement. Raises NotFound, sealed."""
        log_id = visit.person.agreement or ""
        await check_own(self.services, visit.request, visit.caller, log_id)
        return log_id

    async def look(
        self,
        request: Request,
        what: Mapping[str, str | int],
        *,
        event: Event = Event.LOG_READ,
        reason: str = REASON,
    ) -> Sight:
        """Let an auditor look, sealed in the log they look into. `what` names the question, by codes and numbers."""
        visit, log_id = await self.visit(request)
        return await self.seal(visit, log_id, what, event=event, reason=reason)

    async def seal(
        self,
        visit: Visit,
        log_id: str,
        what: Mapping[str, str | int],
        *,
        event: Event = Event.LOG_READ,
        reason: str = REASON,
    ) -> Sight:
        """Seal that a visitor looks into their log."""
        return await self.sealed(visit, log_id, what, event, reason)

    async def read(self, read: Callable[[Connection], T]) -> T:
        """Read in a thread; what the log does not have is not found."""
        try:
            return await super().read(read)
        except (IndexUnknown, LogUnknown):
            raise NotFound("there is no such log, entry or size") from None

    def page(self, request: Request, template: str, sight: Sight, status: int = 200, **view: Any) -> Response:  # noqa: ANN401 - what a template is given
        """A page of the auditor's; every one has `log` (id, origin, size and key) and `receipt`."""
        key = self.services.signer(sight.log_id).verifier.text
        log = {"id": sight.log_id, "origin": sight.receipt.origin, "key": key, "seen": sight.receipt.index}
        sealed: dict[str, Any] = {"receipt": sight.receipt, "log_id": sight.log_id, "log": log, "path_to": PATH}
        return self.console.pages.page(request, template, sight.visit, status, **sealed | view)

    def form(self, request: Request, template: str, visit: Visit, status: int = 200, **view: Any) -> Response:  # noqa: ANN401 - as above
        """A page that shows nothing of the log: a form, empty or with what is wrong in it. It is not sealed."""
        return self.console.pages.page(request, template, visit, status, **{"path_to": PATH} | view)


def as_file(content: bytes, name: str, media: str, sight: Sight | None = None) -> Response:
    """A file to keep, with the console's headers; `sight` where it was sealed."""
    sealed = receipt_header(sight.receipt, sight.log_id) if sight else {}
    headers = {**HEADERS, **sealed, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, headers=headers, media_type=media)


def size_of(connection: Connection, log_id: str) -> int:
    """How many entries a log has. Raises LogUnknown."""
    return log_sql.read_head(connection, log_id).size
