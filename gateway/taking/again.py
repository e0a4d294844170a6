"""Taking a kept input in again: the unit that closes its hold with what becomes of it, or leaves it with its reason.

What reads it again, and when, is for `replaying`; how a record is taken in is for `take_in`.

Source: domain.md sections 4.1 (step 6), 4.5 (N7).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, bindparam, delete, select, update

from audit.entry import Operation, Outcome, timestamp
from gateway.evidence import Caller, Event, act
from gateway.quarantine import due_at
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.taking.answer import REASONS, Taken
from gateway.taking.take_in import TakeIn


class Left(StrEnum):
    """Why an input stays where it is, beside the states of `Taken`."""

    UNREADABLE = "unreadable"
    READABLE = "readable"  # of a trial run: it would be taken in, or go to a human for another reason
    DECIDED = "decided"  # somebody decided it in between


@dataclass(frozen=True, slots=True)
class LeaveOrTake(Unit[str]):
    """Take a kept input in and close its hold, or leave it with its new reason; returns what became of it.

    Its clock never grows longer: what now waits for another reason is due when it was, or sooner where the grade that
    can be read now asks for it. What turns out to be marked above this gateway's is erased at once (N7), unless a legal
    hold keeps it.
    """

    row: Row[Any]
    taking: TakeIn | None
    fault: str | None
    mapping: str | None
    caller: Caller | None
    run: str

    @property
    def claims(self) -> Sequence[bytes]:  # type: ignore[override]  # a value computed from the fields
        """The names of the record."""
        return self.taking.claims if self.taking is not None else ()

    def apply(self, batch: Batch) -> str:  # noqa: D102 - said by Unit.apply
        of = {"log": batch.log_id, "id": self.row.id}
        if not batch.read(_STILL_OPEN, of):
            return Left.DECIDED.value
        on_hold = bool(batch.read(_LEGAL_HOLD, of))
        if self.taking is None:
            self._leave(batch, self.fault or Left.UNREADABLE.value, self.row.risk)
            self._seal(batch, Left.UNREADABLE.value, self.fault, Outcome.FAILED)
            return Left.UNREADABLE.value
        answer = self.taking.apply(batch)
        held = answer.held["reference"] if answer.held else None
        kept = self.taking.prepared.hold
        if answer.taken in REASONS:
            self._leave(batch, REASONS[answer.taken], self.row.risk)
        elif held == self.row.id and kept is not None:
            self._leave(batch, kept.reason, kept.risk)
        elif held != self.row.id:
            self._close(batch, held)
        if answer.taken is Taken.REFUSED and not on_hold:
            self._erase(batch, answer.reason)
        outcome = Outcome.PERMITTED if answer.taken in _WENT_ON else Outcome.FAILED
        self._seal(batch, answer.taken.value, answer.reason, outcome, self.taking.prepared.record_id)
        return answer.taken.value

    def _leave(self, batch: Batch, reason: str, risk: str) -> None:
        due = min(self.row.due_at, timestamp(due_at(risk, batch.now)))
        batch.update(_LEAVE, {"of": self.row.id, "why": reason, "how": risk, "due": due})

    def _close(self, batch: Batch, held: str | None) -> None:
        batch.update(_CLOSE, {"of": self.row.id, "at": batch.at})
        if held is not None:
            batch.update(_NO_LATER, {"of": held, "due": self.row.due_at})

    def _erase(self, batch: Batch, reason: str | None) -> None:
        batch.update(_DELETE_KEY, {"of": self.row.id})
        batch.update(_EMPTY, {"of": self.row.id, "at": batch.at})
        detail: dict[str, str | int] = {"class": "quarantine", "quarantine": self.row.id}
        batch.seal(
            act(
                Event.RECORD_ERASED,
                Operation.ERASURE,
                at=batch.at,
                caller=self.caller,
                reason=reason,
                detail=detail,
            )
        )

    def _seal(self, batch: Batch, state: str, reason: str | None, outcome: Outcome, record: str | None = None) -> None:
        detail = {"quarantine": self.row.id, "replay": self.run, "was": self.row.reason, "state": state}
        batch.seal(
            act(
                Event.HOLD_REPLAYED,
                Operation.ALTERATION,
                at=batch.at,
                caller=self.caller,
                outcome=outcome,
                record=record if outcome is Outcome.PERMITTED else None,
                reason=reason,
                mapping=self.mapping,
                detail=detail,
            )
        )


@dataclass(frozen=True, slots=True)
class CloseHold(Unit[str]):
    """Close the hold of an input that was taken in by another way than a referral's; returns what became of it."""

    row: Row[Any]
    state: str
    mapping: str
    caller: Caller | None
    run: str

    def apply(self, batch: Batch) -> str:  # noqa: D102 - said by Unit.apply
        if not batch.read(_STILL_OPEN, {"log": batch.log_id, "id": self.row.id}):
            return Left.DECIDED.value
        batch.update(_CLOSE, {"of": self.row.id, "at": batch.at})
        detail = {"quarantine": self.row.id, "replay": self.run, "was": self.row.reason, "state": self.state}
        batch.seal(
            act(
                Event.HOLD_REPLAYED,
                Operation.ALTERATION,
                at=batch.at,
                caller=self.caller,
                mapping=self.mapping,
                detail=detail,
            )
        )
        return self.state


_WENT_ON = frozenset({Taken.ACCEPTED, Taken.UPDATED, Taken.KNOWN})
_q, _k = tables.quarantine, tables.data_key
_STILL_OPEN = select(_q.c.id).where(
    _q.c.log_id == bindparam("log"), _q.c.id == bindparam("id"), _q.c.closed_at.is_(None)
)
_h = tables.legal_hold
_LEGAL_HOLD = (
    select(_h.c.id)
    .where(_h.c.log_id == bindparam("log"), _h.c.event_id == bindparam("id"), _h.c.lifted_at.is_(None))
    .limit(1)
)
_LEAVE = (
    update(_q)
    .where(_q.c.id == bindparam("of"))
    .values(reason=bindparam("why"), risk=bindparam("how"), due_at=bindparam("due"))
)
_CLOSE = update(_q).where(_q.c.id == bindparam("of")).values(closed_at=bindparam("at"))
_NO_LATER = update(_q).where(_q.c.id == bindparam("of"), _q.c.due_at > bindparam("due")).values(due_at=bindparam("due"))
_DELETE_KEY = delete(_k).where(_k.c.id == bindparam("of"))
_EMPTY = update(_q).where(_q.c.id == bindparam("of")).values(content=b"", erased_at=bindparam("at"))
