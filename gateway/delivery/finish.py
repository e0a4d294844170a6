"""Settle a try: the receiver has it, or does not, or nobody knows; and look again where the referral has changed since.

An acknowledgement counts whenever it comes, for it names this very message. A failure counts for the try it was of
alone: where its lease ran out, another gateway has the delivery now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, select, update

from audit.entry import Operation, timestamp
from gateway.delivery.channel import NotDelivered, NotSent, Reason, Refused, Reply, TryAgain, Unknown
from gateway.delivery.circuit import OPEN_AFTER, Circuit
from gateway.delivery.deliveries import is_open, of_case
from gateway.delivery.endpoints import Registered
from gateway.delivery.handing import OF_REFERRAL, Waiting, hand_over, seal_failure, take_back
from gateway.delivery.policy import wait_after
from gateway.evidence import Caller, Event, act
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.store.waiting_deliveries import new_row
from gateway.terms import Standing

REFERENCE_MAX = 200


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of a try: whether a human has it now, and how the endpoint has answered lately."""

    given_up: bool
    circuit: Circuit

    @property
    def opened(self) -> bool:
        """Whether the endpoint is left alone for a while."""
        return self.circuit.failures >= OPEN_AFTER


@dataclass(frozen=True, slots=True)
class Finish(Unit[Settled]):
    """Settle try number `attempt` of a delivery: `came` is what the receiver replied, or why it did not arrive."""

    registered: Registered
    delivery_id: str
    attempt: int
    came: Reply | NotDelivered
    caller: Caller
    standing: Standing
    now: datetime

    def apply(self, batch: Batch) -> Settled:  # noqa: D102 - said by Unit.apply
        row = next(iter(batch.read(_ONE, {"id": self.delivery_id})), None)
        circuit = self._circuit(batch)
        if row is None or row.acknowledged_at is not None:
            return Settled(given_up=False, circuit=circuit)
        rows = of_case(batch.read, self.registered.id, row.referral_id)
        batch.update(_ANSWERED, {"of": self.registered.id, "count": circuit.failures, "until": circuit.open_until})
        if isinstance(self.came, Reply):
            self._arrived(batch, row, self.came)
        elif not is_open(row) or row.attempts != self.attempt:
            self._doubt_less(batch, row)
            return Settled(given_up=False, circuit=circuit)
        elif isinstance(self.came, Unknown) and row.reason != Reason.NEW:
            self._doubt_less(batch, row)
            self._never_there(batch, row, rows)
            return Settled(given_up=False, circuit=circuit)
        elif (wait := wait_after(self.came, self.attempt)) is not None:
            next_at = timestamp(self.now + wait)
            self._doubt_less(batch, row)
            batch.update(_WAIT, {"of": row.id, "next": next_at, "why": self.came.code[:_CODE_MAX]})
            seal_failure(batch, Waiting.of(row), self.standing, self.caller, self.came.code, {"try": self.attempt})
            return Settled(given_up=False, circuit=circuit)
        else:
            self._doubt_less(batch, row)
            why = self.came.code[:_CODE_MAX]
            hand_over(batch, Waiting.of(row), self.standing, self.caller, why, attempt=self.attempt)
        if row.now_version != row.version and row.erased_at is None:
            self._look_again(batch, row, rows)
        return Settled(given_up=not isinstance(self.came, Reply), circuit=circuit)

    def _circuit(self, batch: Batch) -> Circuit:
        row = next(iter(batch.read(_CIRCUIT, {"id": self.registered.id})), None)
        circuit = Circuit(row.failures, row.open_until) if row is not None else self.registered.circuit
        return circuit.failed(self.now, self.came.after) if isinstance(self.came, TryAgain) else circuit.answered()

    def _doubt_less(self, batch: Batch, row: Row[Any]) -> None:
        """Where it is certain that this try did not arrive, there is one doubt less."""
        if isinstance(self.came, NotSent | Refused):
            batch.update(_CERTAIN, {"of": row.id})

    def _never_there(self, batch: Batch, row: Row[Any], rows: Sequence[Row[Any]]) -> None:
        """The receiver has nothing to change: what was an update goes as new; of a recall nothing is left to do."""
        code = self.came.code if isinstance(self.came, NotDelivered) else ""
        batch.update(_NOT_THERE, {"of": row.id, "at": batch.at, "why": code[:_CODE_MAX]})
        seal_failure(batch, Waiting.of(row), self.standing, self.caller, code, {"try": self.attempt})
        if row.reason == Reason.CANCEL:
            take_back(batch, Waiting.of(row))
        if row.reason == Reason.UPDATE or row.now_version != row.version:
            self._look_again(batch, row, rows)

    def _look_again(self, batch: Batch, row: Row[Any], rows: Sequence[Row[Any]]) -> None:
        """Note the referral again, where it is not noted already."""
        if any(is_open(one) and one.id != row.id for one in rows):
            return
        number = max(one.number for one in rows) + 1
        batch.insert(tables.delivery, new_row(self.registered.id, row.referral_id, batch.log_id, number, batch.at))

    def _arrived(self, batch: Batch, row: Row[Any], reply: Reply) -> None:
        reference = reply.reference[:REFERENCE_MAX] if reply.reference else None
        batch.update(_SETTLE, {"of": row.id, "at": batch.at, "name": reference})
        take_back(batch, Waiting.of(row))
        batch.seal(
            act(
                Event.DELIVERY_ACKNOWLEDGED,
                Operation.CONSULTATION,
                at=batch.at,
                caller=self.caller,
                agreement=self.standing.agreement_ref,
                record=row.record_id,
                case=row.referral_id,
                detail={"delivery": row.id, "try": self.attempt, "why": row.reason},
            )
        )


_CODE_MAX = 64
_d, _e, _r = tables.delivery, tables.endpoint, tables.referral
_ONE = (
    select(_d, *OF_REFERRAL, _r.c.version.label("now_version"), _r.c.erased_at)
    .join(_r, _r.c.id == _d.c.referral_id)
    .where(_d.c.id == bindparam("id"))
)
_CIRCUIT = select(_e.c.failures, _e.c.open_until).where(_e.c.id == bindparam("id"))
_ANSWERED = (
    update(_e).where(_e.c.id == bindparam("of")).values(failures=bindparam("count"), open_until=bindparam("until"))
)


def _change(**values: Any) -> Any:  # noqa: ANN401 - bound values, and SQLAlchemy's statement
    return update(_d).where(_d.c.id == bindparam("of")).values(leased_until=None, **values)


_CERTAIN = update(_d).where(_d.c.id == bindparam("of")).values(doubts=_d.c.doubts - 1)
_WAIT = _change(next_at=bindparam("next"), failure=bindparam("why"))
_SETTLE = _change(acknowledged_at=bindparam("at"), reference=bindparam("name"), content=None, content_key=None)
_NOT_THERE = _change(stopped_at=bindparam("at"), failure=bindparam("why"), unknown=True, content=None, content_key=None)
