"""Who calls: the bearer token of a request becomes a caller, and a refusal is sealed before it is answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request

from audit.entry import Actor, Outcome
from gateway.errors import NotAuthenticated, NotPermitted
from gateway.evidence import OPERATOR_LOG, Caller, Event, administration
from gateway.services import Services
from gateway.store.batch import Batch, Unit
from gateway.web.http import call_ids, with_ids

NOBODY = Actor("unknown", "unknown")


async def caller_of(services: Services, request: Request, scope: str | None) -> Caller:
    """The caller of a request whose token has the scope; None asks for no scope.

    Raises NotAuthenticated or NotPermitted, sealed either way.
    """
    await services.clients.fresh()
    try:
        caller = with_ids(services.tokens.caller(_authorization(request)), request)
    except NotAuthenticated as error:
        await seal_refusal(services, request, None, getattr(error, "reason", "token-refused"))
        raise
    if scope is None:
        return caller
    try:
        services.tokens.require(caller, scope)
    except NotPermitted as error:
        await seal_refusal(services, request, caller, error.reason)
        raise
    return caller


def _authorization(request: Request) -> str | None:
    """What the request is authorised by; two are put in one line (RFC 9110 section 5.3), which is no token's form."""
    return ", ".join(request.headers.getlist("authorization")) or None


async def caller_with_any(services: Services, request: Request, scopes: Sequence[str]) -> Caller:
    """The caller of a request whose token has one of the scopes. Raises NotAuthenticated or NotPermitted, sealed."""
    caller = await caller_of(services, request, None)
    scope = next((one for one in scopes if one in caller.scopes), scopes[0])
    return await caller_of(services, request, scope)


async def seal_refusal(services: Services, request: Request, caller: Caller | None, reason: str) -> None:
    """Seal in the operator's log that somebody was not let in."""
    request_id, correlation_id = call_ids(request)
    unit = Refuse(caller, reason, request_id, correlation_id)
    await services.journals.of(OPERATOR_LOG).submit(unit)


@dataclass(frozen=True, slots=True)
class Refuse(Unit[None]):
    """Seal in the operator's log that somebody was not let in."""

    caller: Caller | None
    reason: str
    request: str
    correlation: str | None

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        entry = administration(
            Event.ACCESS_REFUSED,
            at=batch.at,
            actor=self.caller.actor if self.caller else NOBODY,
            outcome=Outcome.DENIED,
            reason=self.reason,
        )
        batch.seal(entry._replace(request=self.request, correlation=self.correlation))
