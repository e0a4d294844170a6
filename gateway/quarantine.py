"""What cannot go on by itself: kept encrypted, with a named human and a clock (P6).

Two things end here: bytes nobody could read, and records that a rule or an agreement leaves to a human, or that no
agreement covers. Nobody is given any of it. The clock runs by risk: what is high, or of unknown risk, is due soonest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from audit.entry import Operation, Outcome, timestamp
from gateway.agreement.content import Content
from gateway.chance import fresh_id
from gateway.clock import clock
from gateway.evidence import Caller, Event, act
from gateway.overdue import Late, seal_late
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.store.envelope import Envelope
from gateway.store.outstanding import Outstanding
from mappings.record import Grade

URGENT = clock("PT1H")  # domain.md section 4.1, step 6: high risk is looked at within the hour
OTHER = clock("1 working day")  # the same step: everything else


@dataclass(frozen=True, slots=True)
class Kept:
    """A quarantined input, sealed and ready to be written."""

    id: str
    reason: str
    risk: str
    owner: str
    row: Mapping[str, Any]
    key: bytes

    def write(self, batch: Batch) -> datetime:
        """Hand the rows to the batch; returns when somebody must have looked at it."""
        due = due_at(self.risk, batch.now)
        batch.insert(tables.data_key, {"id": self.id, "content_key": self.key, "vault_key": None})
        batch.insert(
            tables.quarantine, {**self.row, "opened_at": batch.at, "due_at": timestamp(due), "closed_at": None}
        )
        return due


class Quarantine:
    """Seals inputs for quarantine."""

    def __init__(self, key: bytes) -> None:
        self._envelope = Envelope(key)

    def keep(
        self, body: bytes, *, log_id: str, caller: Caller, reason: str, media_type: str, grade: str | None, owner: str
    ) -> Kept:
        """Encrypt an input. `grade` None is unknown risk, which is treated as high."""
        id_ = fresh_id()
        sealed = self._envelope.seal(body, f"quarantine.content|{id_}")
        risk = grade or "unknown"
        row = {
            "id": id_,
            "log_id": log_id,
            "organisation": caller.organisation,
            "client": caller.client,
            "reason": reason,
            "media_type": media_type,
            "content": sealed.content,
            "risk": risk,
            "owner": owner,
        }
        return Kept(id_, reason, risk, owner, row, sealed.key)

    def open(self, row: Any, key: bytes) -> bytes:  # noqa: ANN401 - a row
        """The bytes as they came in."""
        return self._envelope.open(row.content, key, f"quarantine.content|{row.id}")


def holds(connection: Connection, log_id: str) -> Sequence[Row[Any]]:
    """Everything that waits for a human, the one due first at the top."""
    table = tables.quarantine
    query = select(table).where(table.c.log_id == log_id, table.c.closed_at.is_(None))
    return connection.execute(query.order_by(table.c.due_at, table.c.id)).all()


def due_at(risk: str, now: datetime) -> datetime:
    """When somebody must have looked at an input of this risk."""
    return (OTHER if risk in {Grade.STANDARD, Grade.MEDIUM} else URGENT).from_(now)


def owner_named(content: Content | None, owner: str | None, otherwise: str) -> str:
    """The human who decides, by name and post: the agreement's contact, or whoever the operator named."""
    if content is None:
        return otherwise
    wanted = owner or content.owner
    return next((f"{c.name}, {c.post}" for c in content.contacts if c.id == wanted), otherwise)


@dataclass(frozen=True, slots=True)
class KeepUnreadable(Unit[str | None]):
    """Keep unreadable bytes and seal it; returns the reference a human will look at, None where there were no bytes."""

    kept: Kept | None
    claim: bytes
    fault: str
    caller: Caller

    @property
    def claims(self) -> Sequence[bytes]:  # type: ignore[override]  # a value computed from the fields
        """The name under which the same bytes are recognised."""
        return (self.claim,)

    def apply(self, batch: Batch) -> str | None:  # noqa: D102 - said by Unit.apply
        known = batch.owner(self.claim)
        reference = known.decode() if known is not None else None
        if reference is None and self.kept is not None:
            self.kept.write(batch)
            batch.claim(self.claim, self.kept.id.encode())
            reference = self.kept.id
        entry = act(
            Event.INPUT_UNREADABLE,
            Operation.COLLECTION,
            at=batch.at,
            caller=self.caller,
            outcome=Outcome.FAILED,
            reason=self.fault,
            detail={"quarantine": reference} if reference else None,
        )
        batch.seal(entry)
        return reference


HOLDS = Outstanding(tables.quarantine, until="closed_at")


@dataclass(frozen=True, slots=True)
class NoteHoldsOverdue(Unit[int]):
    """Seal, once for each, that nobody decided an input in time; returns how many. Its owner is named in the list."""

    most: int = 100

    def apply(self, batch: Batch) -> int:  # noqa: D102 - said by Unit.apply
        return seal_late(batch, HOLDS, self.most, self._late)

    @staticmethod
    def _late(row: Row[Any]) -> Late:
        detail = {"quarantine": row.id, "risk": row.risk, "due": row.due_at}
        return Late(Event.HOLD_OVERDUE, detail, reason=row.reason)
