"""A trust's system answers a referral that was delivered to it, by a message: the change goes the road of every change.

    answer_delivery   which referral the message that is answered was about, for this team and nobody else's;
                      then journey.change_referral: as the team may see it, the state machine, sealed
    refuse_delivery   it cannot use what it had acknowledged: the team is told, with the clock of the agreement (P6)

A message that answers nothing of ours, or what was delivered to another team, is refused alike (P8); the asking is
sealed. The answer repeated changes nothing, and is said to be a repeat. Any channel may call this.

Source: domain.md sections 2.5, 4.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, select

from adapters.nhs.fhir import TaskChange
from gateway import journey
from gateway.callers import check_recipient
from gateway.chance import fresh_id
from gateway.delivery.handing import OF_REFERRAL, Waiting, seal_failure, tell_team
from gateway.disclosure import Reader
from gateway.errors import AlreadyAnswered, NotFound
from gateway.evidence import Caller, Event
from gateway.journey import Page
from gateway.nothing_given import Missed
from gateway.services import Services
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.store.journal import Committed
from gateway.terms import Standing
from gateway.under_agreement import decided, log_of, standing_of

REFUSED_LATER = "refused-later"
"""Why a delivery failed that had been acknowledged: the system found that it cannot use it."""


async def answer_delivery(
    services: Services, library: Reader, caller: Caller, delivery_id: str, change: TaskChange
) -> Page:
    """Make the change that an answer to a delivery asks for.

    Raises NotFound where the caller's team was delivered no such thing, AlreadyAnswered, TransitionRefused,
    NotPermitted, Busy, NotSealed.
    """
    log_id = await log_of(services, caller)
    asked_for = _asked_for(delivery_id, log_id, caller)

    def find(connection: Connection) -> str | None:
        row = connection.execute(_ABOUT, asked_for).one_or_none()
        return row.referral_id if row is not None else None

    # An id that nobody has runs the same queries and seals the same entry as one of another team (P8).
    referral = await services.database.read(find) or fresh_id()

    def asked(current: dict[str, Any]) -> TaskChange:
        if change.status is not None and current["status"] == change.status.value and not change.feedback:
            raise AlreadyAnswered("the referral stands there already")
        return change

    try:
        return await journey.change_referral(services, library, caller, referral, asked)
    except NotFound:
        raise _none() from None


async def refuse_delivery(services: Services, caller: Caller, delivery_id: str) -> tuple[Committed[bool | None], str]:
    """Tell the team that its system cannot use what it acknowledged. Returns the receipts, and the log.

    Raises NotFound, AlreadyAnswered where the team was told before, NotPermitted, Busy, NotSealed.
    """
    log_id = await log_of(services, caller)

    async def attempt() -> Committed[bool | None]:
        standing = await standing_of(services, log_id)
        check_recipient(standing, caller)
        return await services.journals.of(log_id).submit(RefuseDelivered(delivery_id, caller, standing))

    committed = await decided(services, caller, log_id, attempt)
    if committed.value is None:
        raise _none()
    if not committed.value:
        raise AlreadyAnswered("the team was told so before")
    return committed, log_id


@dataclass(frozen=True, slots=True)
class RefuseDelivered(Unit[bool | None]):
    """Seal that a system cannot use a delivery, and tell its team once; None where the team was delivered none such."""

    delivery_id: str
    caller: Caller
    standing: Standing

    def apply(self, batch: Batch) -> bool | None:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        rows = batch.read(_ABOUT, _asked_for(self.delivery_id, batch.log_id, self.caller))
        if not rows:
            Missed(self.caller, Event.DELIVERY_FAILED).apply(batch)
            return None
        one = Waiting.of(rows[0])
        seal_failure(batch, one, self.standing, self.caller, REFUSED_LATER, {"told": int(not one.told)})
        if one.told:
            return False
        tell_team(batch, one, self.standing, REFUSED_LATER)
        return True


def _asked_for(delivery_id: str, log_id: str, caller: Caller) -> dict[str, str | None]:
    return {"id": delivery_id, "log": log_id, "organisation": caller.organisation, "team": caller.recipient}


def _none() -> NotFound:
    return NotFound("no message of that id was sent to this team")


_d, _e, _r = tables.delivery, tables.endpoint, tables.referral
_ABOUT = (
    select(_d, *OF_REFERRAL)
    .join(_e, _e.c.id == _d.c.endpoint_id)
    .join(_r, _r.c.id == _d.c.referral_id)
    .where(
        _d.c.id == bindparam("id"),
        _d.c.log_id == bindparam("log"),
        _d.c.reason.is_not(None),  # it was written, and may have arrived
        _e.c.organisation == bindparam("organisation"),
        _e.c.team == bindparam("team"),
        _r.c.erased_at.is_(None),
    )
)
