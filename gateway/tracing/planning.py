"""Whom to look for: the victims of open referrals to NHS teams and their children, once for each version of a record.

A later version that says the same of who somebody is goes on with what was found; one that says something else loses
it, and he or she is looked for anew. A child of two victims is looked for on behalf of each: they have referrals of
their own, and may be told different things. Nothing is asked here.

Source: domain.md sections 2.1 (verification status), 2.3 (a child is a patient of its own), 4.7 (versions of one case).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, or_, select

from audit.entry import Entry, Operation
from gateway.chance import fresh_id
from gateway.evidence import Event, act
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.store.records import subject_of
from gateway.store.traced import Sought, State, leave
from gateway.tracing.noting import note
from gateway.tracing.steps import NOT_TRACED, TRACE_REQUIRED, change
from mappings.referral import ReferralStatus


@dataclass(frozen=True, slots=True)
class Planned:
    """Somebody of a referral to be looked for: `asked` is the keyed form of what would be asked, None of nothing.

    `numbered` says that police gave a number, which nobody verified; `number` is the blind form of one that is, where
    the trace of an earlier version found it; `child` the reference of a child, empty where it is the victim.
    """

    row: Row[Any]
    asked: bytes | None
    numbered: bool
    number: bytes | None = None
    child: str = ""


def unplanned(connection: Connection, log_id: str, organisations: Sequence[str], most: int) -> Sequence[Row[Any]]:
    """The open referrals to these organisations whose victim, in this version of the record, nobody looked for."""
    asked = {"log": log_id, "organisations": list(organisations), "most": most}
    return connection.execute(_UNPLANNED, asked).all()


def earlier(connection: Connection, row: Row[Any], child: str = "") -> Row[Any] | None:
    """The trace of an earlier version of a referral's record: the victim's, or a child's."""
    return connection.execute(_OF_EVENT, _named(row, child)).one_or_none()


def left_out(connection: Connection, row: Row[Any], named: Collection[str]) -> Sequence[str]:
    """The children who were looked for and whom this version of a referral's record does not name."""
    asked = {"log": row.log_id, "event": row.event_id, "victim": row.victim, "before": row.record_at}
    return sorted(set(connection.execute(_CHILDREN, asked).scalars()) - set(named))


def _named(row: Row[Any], child: str) -> dict[str, str]:
    return {"log": row.log_id, "event": row.event_id, "victim": row.victim, "child": child}


@dataclass(frozen=True, slots=True)
class Plan(Unit[bool]):
    """Have somebody looked for. False where that is done already."""

    planned: Planned

    def apply(self, batch: Batch) -> bool:  # noqa: D102 - said by Unit.apply
        row = self.planned.row
        found = batch.read(_OF_EVENT, _named(row, self.planned.child))
        of_record = {
            "referral_id": row.id,
            "organisation": row.organisation,
            "record_id": row.record_id,
            "record_at": row.record_at,
            "asked": self.planned.asked,
        }
        if not found:
            batch.insert(tables.trace, {**_fresh(batch, self.planned), **of_record, "label": None, "id": fresh_id()})
            return True
        if found[0].record_at >= row.record_at or found[0].state == State.ERASED:
            return False
        old = found[0]
        same = self.planned.asked is not None and old.asked == self.planned.asked
        if same:
            note(batch, old, row.record_id, label=old.label, number=self.planned.number)
        values = of_record if same else {**_fresh(batch, self.planned), **of_record}
        batch.update(change(*values), {"of": old.id, **values})
        if old.state in _SETTLED or old.label is not None:
            self._seal(batch, old, "unchanged" if same else "asked-anew")
        return True

    def _seal(self, batch: Batch, old: Row[Any], reason: str) -> None:
        """A later version of a record that a number was combined with: it goes on with it, or goes on without."""
        row = self.planned.row
        batch.seal(_entry(batch, row.record_id, row.id, old, reason))


@dataclass(frozen=True, slots=True)
class Leave(Unit[bool]):
    """Look no more for a child whom a later version of the record does not name. False where that is done already."""

    row: Row[Any]
    child: str

    def apply(self, batch: Batch) -> bool:  # noqa: D102 - said by Unit.apply
        old = next(iter(batch.read(_OF_EVENT, _named(self.row, self.child))), None)
        if old is None or old.record_at >= self.row.record_at or old.state in _ENDED:
            return False
        note(batch, old, self.row.record_id, label=None, number=None)
        leave(batch, old.id)
        batch.seal(_entry(batch, old.record_id, old.referral_id, old, "no-longer-listed"))
        return True


def _entry(batch: Batch, record_id: str, case: str, old: Row[Any], reason: str) -> Entry:
    return act(
        Event.PATIENT_TRACED,
        Operation.COMBINATION,
        at=batch.at,
        caller=None,
        subjects=(subject_of(record_id, Sought.of(old).ref),),
        record=record_id,
        case=case,
        reason=reason,
        detail={"trace": old.id, "state": old.state},
    )


_ENDED = (State.GONE.value, State.ERASED.value)
_SETTLED = frozenset({State.VERIFIED.value, State.CONFIRMED.value, State.REVIEW.value})


def _fresh(batch: Batch, planned: Planned) -> dict[str, Any]:
    """A trace that nobody has asked for yet; that somebody is restricted stands until the new answer is there (P5)."""
    return {
        "log_id": batch.log_id,
        "event_id": planned.row.event_id,
        "victim": planned.row.victim,
        "child": planned.child,
        "state": State.WAITING.value,
        "status": NOT_TRACED if planned.numbered else TRACE_REQUIRED,
        "attempts": 0,
        "opened_at": batch.at,
        **dict.fromkeys(_EMPTY),
    }


_EMPTY = (
    "epoch",
    "next_at",
    "leased_until",
    "reason",
    "content",
    "content_key",
    "due_at",
    "overdue_at",
    "decided_at",
    "decided_by",
)

_t, _f, _r = tables.trace, tables.referral, tables.record
_CLOSED = (ReferralStatus.REJECTED.value, ReferralStatus.ENTERED_IN_ERROR.value)
_UNPLANNED: Any = (
    select(_f, _r.c.received_at.label("record_at"))
    .join(_r, _r.c.id == _f.c.record_id)
    .outerjoin(
        _t,
        and_(
            _t.c.log_id == _f.c.log_id,
            _t.c.event_id == _f.c.event_id,
            _t.c.victim == _f.c.victim,
            _t.c.child == "",  # whoever has the victim looked for has had her children before
        ),
    )
    .where(
        _f.c.log_id == bindparam("log"),
        _f.c.organisation.in_(bindparam("organisations", expanding=True)),
        _f.c.erased_at.is_(None),
        _f.c.closed_at.is_(None),
        _f.c.status.not_in(_CLOSED),
        or_(_t.c.id.is_(None), and_(_t.c.record_at < _r.c.received_at, _t.c.state != State.ERASED.value)),
    )
    .order_by(_f.c.created_at, _f.c.id)
    .limit(bindparam("most"))
)
_CHILDREN = select(_t.c.child).where(
    _t.c.log_id == bindparam("log"),
    _t.c.event_id == bindparam("event"),
    _t.c.victim == bindparam("victim"),
    _t.c.child != "",
    _t.c.record_at < bindparam("before"),
    _t.c.state.not_in(_ENDED),
)
_OF_EVENT = select(_t).where(
    _t.c.log_id == bindparam("log"),
    _t.c.event_id == bindparam("event"),
    _t.c.victim == bindparam("victim"),
    _t.c.child == bindparam("child"),
)
