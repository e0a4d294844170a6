"""Under which agreement an act happens: its log, how it stands, and deciding again where that changed in between.

What every road of the gateway begins with (`journey`, `byways`, `governing`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from audit.errors import LogUnknown
from gateway.callers import agreement_of, check_named
from gateway.errors import NotFound, NotPermitted, NotSealed
from gateway.evidence import OPERATOR_LOG, Caller, Event
from gateway.nothing_given import Deny, Missed
from gateway.services import Services
from gateway.store.batch import DecideAgain
from gateway.terms import Standing

ATTEMPTS = 5
"""How often a decision is made again because what it was made on changed; beyond, the caller is told 503."""

T = TypeVar("T")


async def log_of(services: Services, caller: Caller) -> str:
    """The log a caller's acts belong to: its agreement's, or the operator's where none of that id was drafted here."""
    agreement = agreement_of(caller)
    if agreement is None or services.terms.peek(agreement) is not None:
        return agreement or OPERATOR_LOG
    try:
        await standing_of(services, agreement)
    except LogUnknown:
        return OPERATOR_LOG
    return agreement


async def standing_of(services: Services, log_id: str) -> Standing:
    """The standing of a log's agreement; from memory where it was read before."""
    known = services.terms.peek(log_id)
    return known if known is not None else await services.database.read(lambda c: services.terms.read(c, log_id))


async def decided(services: Services, caller: Caller, log_id: str, attempt: Callable[[], Awaitable[T]]) -> T:
    """Run an attempt until what it decided on holds when it is sealed. Raises NotPermitted (sealed too), NotSealed."""
    for _ in range(ATTEMPTS):
        try:
            return await attempt()
        except DecideAgain:
            services.terms.forget(log_id)
        except NotPermitted as denied:
            await services.journals.of(log_id).submit(Deny(caller, denied.reason))
            raise
    raise NotSealed("the record or the agreement keeps changing; nothing is released", headers={"Retry-After": "1"})


async def missed(
    services: Services, caller: Caller, log_id: str, wanted: Event, words: str = "there is none"
) -> NotFound:
    """What to raise where what somebody wants is not there, or not theirs (P8); that they wanted it is sealed."""
    await services.journals.of(log_id).submit(Missed(caller, wanted))
    return NotFound(words)


async def governed(services: Services, caller: Caller) -> str:
    """The log of a caller's agreement. Raises NotPermitted, sealed, unless a named person of a party asks."""
    log_id = await log_of(services, caller)

    async def attempt() -> None:
        standing = await standing_of(services, log_id)
        check_named(caller)
        content = standing.content
        if content is None or caller.organisation not in {party.organisation for party in content.parties}:
            raise NotPermitted("the client's organisation is no party of an agreement here", reason="not-a-party")

    await decided(services, caller, log_id, attempt)
    return log_id
