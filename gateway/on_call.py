"""The rota of a team: who is on call when nobody is there. Set, read and changed by named people of the team itself.

Source: domain.md section 4.1 (escalate to on-call where a clock would lapse overnight).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Row

from audit.receipt import Receipt
from gateway.callers import check_named, check_recipient
from gateway.casework.rota import Duty, ReadRota, RemoveOnCall, SetOnCall
from gateway.chance import fresh_id
from gateway.errors import Detail, NotFound, Unprocessable
from gateway.evidence import Caller
from gateway.services import Services
from gateway.store.batch import Unit
from gateway.store.journal import Committed
from gateway.under_agreement import decided, log_of, standing_of

T = TypeVar("T")
LONGEST = timedelta(days=31)  # one entry of a rota; longer is a mistake of the keyboard
FURTHEST = timedelta(days=366)


async def set_on_call(
    services: Services, caller: Caller, person: str, starts: datetime, ends: datetime
) -> tuple[str, Receipt]:
    """Put somebody on call; returns the entry's id. Raises Unprocessable, NotPermitted, Busy, NotSealed."""
    now = datetime.now(UTC)
    if not timedelta() < ends - starts <= LONGEST or not now < ends <= now + FURTHEST:
        words = "it ends before it begins, or is over, or is longer than a month, or more than a year away"
        raise Unprocessable(f"until: {words}", details=(Detail("until", "business-rule", words),))
    duty = Duty(fresh_id(), person, starts, ends)
    return duty.id, (await _submit(services, caller, SetOnCall(duty, caller))).receipt


async def remove_on_call(services: Services, caller: Caller, duty_id: str) -> Receipt:
    """Take an entry off the rota. Raises NotFound (sealed), NotPermitted, Busy, NotSealed."""
    committed = await _submit(services, caller, RemoveOnCall(duty_id, caller))
    if not committed.value:
        raise NotFound("there is no such time on the rota")
    return committed.receipt


async def read_rota(services: Services, caller: Caller) -> tuple[Sequence[Row[Any]], Receipt]:
    """The entries that are not over, the first first. Raises NotPermitted, Busy, NotSealed."""
    committed = await _submit(services, caller, ReadRota(caller))
    return committed.value, committed.receipt


async def _submit(services: Services, caller: Caller, unit: Unit[T]) -> Committed[T]:
    """Do it for a named person of a team of the agreement."""
    log_id = await log_of(services, caller)

    async def attempt() -> Committed[T]:
        check_recipient(await standing_of(services, log_id), caller)
        check_named(caller)
        return await services.journals.of(log_id).submit(unit)

    return await decided(services, caller, log_id, attempt)
