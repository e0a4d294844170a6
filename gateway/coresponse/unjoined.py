"""Contacts at the scene that no record has joined: joined or closed by a human, looked for in time, erased in the end.

    JoinByHand      a human joins one that no rule could
    CloseContact    a human says that no record will come
    NoteMissing     no record came in time: a named human, once (P6)
    EraseContacts   one that never met a record is erased like an input that nobody could use

Source: domain.md sections 0a (co-response), 3.9 (retention), 4.5 (N11).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, select

from audit.entry import Operation, Outcome, Recipient, timestamp
from gateway.coresponse.contact import Attended, keep, waiting
from gateway.coresponse.meeting import join
from gateway.coresponse.recording import MAY_JOIN, candidate_of, change, unchanged
from gateway.evidence import Caller, Event, act
from gateway.notices import Kind, Matter, tell
from gateway.quarantine import due_at
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.store.outstanding import Outstanding
from gateway.store.records import Records


@dataclass(frozen=True, slots=True)
class JoinByHand(Unit[bool]):
    """Join a contact that waits to a referral of its team and force, as a human decided; False where there is none."""

    row: Row[Any]
    contact: Attended
    waits: bytes
    referral_id: str
    reason: str
    caller: Caller
    records: Records

    @property
    def claims(self) -> Sequence[bytes]:  # type: ignore[override]  # a value computed from the fields
        """Where it waits."""
        return (self.waits,)

    def apply(self, batch: Batch) -> bool:  # noqa: D102 - said by Unit.apply
        row = unchanged(batch, self.row)
        asked = {"log": batch.log_id, "id": self.referral_id, "team": row.team, "force": row.force}
        found = batch.read(_REFERRAL, asked)
        if not found or row.closed_at is not None:
            return False
        _forget(batch, self.waits, row.id)
        to = candidate_of(found[0])
        join(batch, self.contact, to, self.records, caller=self.caller, reason=self.reason)
        return True


@dataclass(frozen=True, slots=True)
class CloseContact(Unit[bool]):
    """Close a contact that no record will join, as a human decided; False where somebody has."""

    row: Row[Any]
    waits: bytes
    reason: str
    caller: Caller

    @property
    def claims(self) -> Sequence[bytes]:  # type: ignore[override]  # a value computed from the fields
        """Where it waits."""
        return (self.waits,)

    def apply(self, batch: Batch) -> bool:  # noqa: D102 - said by Unit.apply
        row = unchanged(batch, self.row)
        if row.closed_at is not None:
            return False
        _forget(batch, self.waits, row.id)
        by = self.caller.user or self.caller.client
        batch.update(_CLOSE, {"of": row.id, "now": batch.at, "by": by, "next": row.version + 1})
        entry = act(
            Event.CO_RESPONSE_CLOSED,
            Operation.ALTERATION,
            at=batch.at,
            caller=self.caller,
            reason=self.reason,
            detail={"co_response": row.id},
        )
        batch.seal(entry)
        return True


@dataclass(frozen=True, slots=True)
class NoteMissing(Unit[int]):
    """Seal, once for each, that no police record joined a contact in time, and tell its team; returns how many."""

    most: int = 100

    def apply(self, batch: Batch) -> int:  # noqa: D102 - said by Unit.apply
        rows = _UNMET.become_late(batch, self.most)
        for row in rows:
            detail = {"co_response": row.id, "due": row.due_at}
            batch.seal(
                act(
                    Event.CO_RESPONSE_OVERDUE,
                    Operation.ADMINISTRATION,
                    at=batch.at,
                    caller=None,
                    outcome=Outcome.FAILED,
                    reason="no-record",
                    detail=detail,
                )
            )
            matter = Matter(Kind.RECORD_MISSING, None, None, None, row.id)
            team = Recipient(row.organisation, row.team)
            tell(batch, matter, [team], due=due_at("unknown", batch.now), caller=None, agreement=None)
        return len(rows)


@dataclass(frozen=True, slots=True)
class EraseContacts(Unit[int]):
    """Erase contacts without a record that were recorded before an instant; returns how many."""

    before: datetime
    most: int = 100

    def apply(self, batch: Batch) -> int:  # noqa: D102 - said by Unit.apply
        rows = batch.read(_UNJOINED, {"log": batch.log_id, "before": timestamp(self.before), "most": self.most})
        for row in rows:
            batch.update(_ERASE, {"of": row.id, "now": batch.at})
            batch.update(_DELETE_KEY, {"of": row.id})
            entry = act(
                Event.RECORD_ERASED,
                Operation.ERASURE,
                at=batch.at,
                caller=None,
                reason="received",
                detail={"class": "co-response", "co_response": row.id},
            )
            batch.seal(entry)
        return len(rows)


def missing(connection: Connection, log_id: str, limit: int = 500) -> Sequence[Row[Any]]:
    """The contacts that wait for a record, the one due first at the top."""
    return _UNMET.find(connection, log_id, limit)


def _forget(batch: Batch, waits: bytes, id_: str) -> None:
    """Have a contact wait no more."""
    if batch.owner(waits) is not None:
        keep(batch, waits, [one for one in waiting(batch.owner(waits)) if one.id != id_])


_c = tables.co_response
_UNMET = Outstanding(_c, until="closed_at")
_REFERRAL = MAY_JOIN.where(tables.referral.c.id == bindparam("id"))


_CLOSE = change(closed_at=bindparam("now"), closed_by=bindparam("by"), version=bindparam("next"))
_ERASE = change(content=b"", erased_at=bindparam("now"), closed_at=bindparam("now"))
_DELETE_KEY = delete(tables.data_key).where(tables.data_key.c.id == bindparam("of"))
_UNJOINED = (
    select(_c.c.id)
    .where(_c.c.log_id == bindparam("log"), _c.c.event_id.is_(None), _c.c.erased_at.is_(None))
    .where(_c.c.recorded_at <= bindparam("before"))
    .order_by(_c.c.recorded_at, _c.c.id)
    .limit(bindparam("most"))
)
