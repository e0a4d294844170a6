"""The operator's view: what waits for which system, what lies with a human, and having it sent again.

Nothing here is of anybody: references, codes and times.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Boolean, Connection, Row, bindparam, or_, select, update

from audit.entry import Operation
from gateway.delivery.deliveries import is_open, of_case
from gateway.evidence import Caller, Event, act
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.store.waiting_deliveries import OPEN, new_row
from gateway.terms import Standing


class State(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"  # or on its way
    ACKNOWLEDGED = "acknowledged"
    STOPPED = "stopped"  # it was not to be said, or another took its place
    WITH_HUMAN = "with-human"


def state_of(row: Row[Any]) -> State:
    """Where a delivery stands."""
    if row.acknowledged_at is not None:
        return State.ACKNOWLEDGED
    if row.stopped_at is not None:
        return State.STOPPED
    return State.WITH_HUMAN if row.given_up_at is not None else State.WAITING


def listed(connection: Connection, log_id: str, organisation: str | None, state: State, most: int) -> Sequence[Any]:
    """The deliveries to an organisation's systems in a state, the first made at the top; of those over, the last.

    None is every organisation's, for whoever runs the gateway.
    """
    return connection.execute(_LISTED[state], {"log": log_id, **_whose(organisation), "most": most}).all()


@dataclass(frozen=True, slots=True)
class Renew(Unit[bool]):
    """Have a delivery that lies with a human sent again; False where none of the caller's organisation does.

    `of_all` lets whoever runs the gateway renew any organisation's.

    What may have arrived goes again as it was, under the same id, by which the system knows it; what was refused goes
    as a message of its own.
    """

    delivery_id: str
    caller: Caller
    standing: Standing
    of_all: bool = False

    def apply(self, batch: Batch) -> bool:  # noqa: D102 - said by Unit.apply
        whose = _whose(None if self.of_all else self.caller.organisation)
        row = next(iter(batch.read(_GIVEN_UP, {"id": self.delivery_id, "log": batch.log_id, **whose})), None)
        if row is None or row.removed_at is not None:
            return False
        rows = of_case(batch.read, row.endpoint_id, row.referral_id)
        newest = rows[-1]
        if is_open(newest):
            return False
        if newest.id == row.id and row.content is not None and row.doubts:
            batch.update(_REOPEN, {"of": row.id})
        else:
            batch.insert(
                tables.delivery, new_row(row.endpoint_id, row.referral_id, batch.log_id, newest.number + 1, batch.at)
            )
            batch.update(_REPLACED, {"of": row.id, "at": batch.at})
        batch.seal(
            act(
                Event.DELIVERY_RENEWED,
                Operation.ADMINISTRATION,
                at=batch.at,
                caller=self.caller,
                agreement=self.standing.agreement_ref,
                record=row.record_id,
                case=row.referral_id,
                detail={"delivery": row.id},
            )
        )
        return True


def _whose(organisation: str | None) -> Mapping[str, Any]:
    return {"own": organisation or "", "all": organisation is None}


_d, _e = tables.delivery, tables.endpoint
_own = or_(bindparam("all", type_=Boolean), _e.c.organisation == bindparam("own"))
_shown = (
    _d.c.id,
    _d.c.endpoint_id,
    _d.c.referral_id,
    _d.c.reason,
    _d.c.attempts,
    _d.c.failure,
    _d.c.created_at,
    _d.c.next_at,
    _d.c.acknowledged_at,
    _d.c.stopped_at,
    _d.c.given_up_at,
)
_of_log = (
    select(*_shown)
    .join(_e, _e.c.id == _d.c.endpoint_id)
    .where(_d.c.log_id == bindparam("log"), _own)
    .limit(bindparam("most"))
)
_newest = _of_log.order_by(_d.c.created_at.desc(), _d.c.id)
_oldest = _of_log.order_by(_d.c.created_at, _d.c.id)
_LISTED = {
    State.WAITING: _oldest.where(OPEN),
    State.WITH_HUMAN: _oldest.where(
        _d.c.given_up_at.is_not(None), _d.c.acknowledged_at.is_(None), _d.c.stopped_at.is_(None)
    ),
    State.ACKNOWLEDGED: _newest.where(_d.c.acknowledged_at.is_not(None)),
    State.STOPPED: _newest.where(_d.c.stopped_at.is_not(None), _d.c.acknowledged_at.is_(None)),
}
_GIVEN_UP = (
    select(_d, _e.c.removed_at)
    .join(_e, _e.c.id == _d.c.endpoint_id)
    .where(
        _d.c.id == bindparam("id"),
        _d.c.log_id == bindparam("log"),
        _own,
        _d.c.given_up_at.is_not(None),
        _d.c.acknowledged_at.is_(None),
        _d.c.stopped_at.is_(None),
    )
)
_REOPEN = update(_d).where(_d.c.id == bindparam("of")).values(given_up_at=None, told_at=None, attempts=0, next_at=None)
_REPLACED = update(_d).where(_d.c.id == bindparam("of")).values(stopped_at=bindparam("at"))
