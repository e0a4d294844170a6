"""Looking into a log: whose it is, and the entry that says who looked, before anything of it is shown.

A log that is none of the caller's is as good as none (P8), and asking for it is sealed in the operator's log.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request

from audit import sql as log_sql
from audit.errors import LogUnknown
from audit.receipt import Receipt
from gateway.errors import NotFound
from gateway.evidence import Caller, Event
from gateway.reading_log import Look
from gateway.services import Services
from gateway.tokens.scopes import Scope
from gateway.web.auth import caller_of, seal_refusal
from gateway.web.http import reason_of


async def look(
    services: Services,
    request: Request,
    log_id: str,
    what: Mapping[str, str | int],
    *,
    scope: Scope = Scope.LOG_READ,
    event: Event = Event.LOG_READ,
) -> Receipt:
    """Let the caller look into a log, sealed there. Raises NotFound for a log that is none of the caller's."""
    caller = await caller_of(services, request, scope)
    await check_own(services, request, caller, log_id)
    committed = await services.journals.of(log_id).submit(Look(caller, what, event, reason_of(request)))
    return committed.receipt


async def check_own(services: Services, request: Request, caller: Caller, log_id: str) -> None:
    """Raise NotFound, sealed, for a log that is none of the caller's or that is not there: the same to them."""
    if log_id in caller.agreements and await _is_there(services, log_id):
        return
    await seal_refusal(services, request, caller, "log-not-found")
    raise NotFound("there is no such log")


async def _is_there(services: Services, log_id: str) -> bool:
    try:
        await services.database.read(lambda connection: log_sql.read_head(connection, log_id))
    except LogUnknown:
        return False
    return True
