"""Police read what hospitals tell them, a page after a cursor, and acknowledge what they have taken.

Each notice is decided again whenever police ask, for the person who asks; what may not go leaves no trace in the
answer, not even a place in the numbering (P8). A later version comes again under a new cursor. One that was sent in
error comes as retracted, and one that was given and may not be read any more as withdrawn, both without content (P9).
The journal seals each disclosure before it leaves.

Source: domain.md sections 3.1 (F3), 4.5 (N2, N4, N5, N14, N15).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from sqlalchemy import Row, bindparam, exists, literal, or_, select, update

from audit.entry import Operation
from audit.receipt import Receipt
from gateway.agreement import Terms
from gateway.decide import Decision, Facts, Outcome, decide_on, facts_of
from gateway.decision import Reason
from gateway.evidence import Caller, Event, act
from gateway.feeds import Page, page_of
from gateway.hospital.standing import NOTICE, State, consent_now
from gateway.minimise import minimise
from gateway.nothing_given import nothing_found
from gateway.notices import Kind, acknowledging
from gateway.pulled import Asking, Leaving, Pulled, acknowledge, pull, seal
from gateway.services import Services
from gateway.store import tables
from gateway.store.batch import Batch, DecideAgain, Unit
from gateway.terms import Standing
from gateway.ties import ties_of
from mappings.record import Record


@dataclass(frozen=True, slots=True)
class Shown:
    """A notice as police may have it: decided and minimised, or that it is retracted or withdrawn; not yet sealed."""

    row: Row[Any]
    facts: Facts
    decision: Decision
    record: Record | None

    @property
    def gone(self) -> str | None:
        """What a line without content says; None where there is content."""
        if self.record is not None:
            return None
        return State.RETRACTED.value if self.row.state == State.RETRACTED else WITHDRAWN

    def said(self) -> dict[str, Any]:
        """The notice as police read it."""
        row = self.row
        found: dict[str, Any] = {
            "notice": row.id,
            "version": row.version,
            "state": self.gone or "current",
            "hospital": row.organisation,
            "received_at": row.received_at,
            "updated_at": row.updated_at,
            "cursor": row.seq,
        }
        if self.record is not None:
            found["record"] = self.record.model_dump(mode="json", exclude_defaults=True)
            found |= self.decision.for_recipient()
        return found


async def read_notices(services: Services, caller: Caller, *, after: int, limit: int) -> Pulled[Shown]:
    """The notices for a force after a cursor. Raises NotPermitted, Busy, NotSealed."""

    def find(asking: Asking) -> Page[Shown]:
        of = {"log": asking.log_id, "of_force": caller.organisation, "to": asking.recipient}

        def rows(at: int, most: int) -> Sequence[Row[Any]]:
            return asking.connection.execute(_FEED, {**of, "after": at, "most": most}).all()

        return page_of(rows, partial(_decided, asking, datetime.now(UTC)), after=after, limit=limit)

    return await pull(
        services, caller, notice_recipient, find, lambda page, standing: ReadNotices(page, caller, standing)
    )


async def acknowledge_notices(services: Services, caller: Caller, through: int) -> tuple[int, Receipt]:
    """Note that a force has taken its notices up to a cursor; returns how many that were. Raises NotPermitted."""

    def noting(recipient: str, standing: Standing) -> AcknowledgeNotices:
        return AcknowledgeNotices(through, recipient, caller, standing)

    return await acknowledge(services, caller, notice_recipient, noting)


def notice_recipient(terms: Terms | None, organisation: str) -> str | None:
    """The recipient of an organisation that hospitals' notices go to; None where the agreement has none."""
    found = terms.agreement.content.told(organisation, NOTICE) if terms else None
    return found.id if found else None


def _decided(asking: Asking, now: datetime, rows: Sequence[Row[Any]]) -> list[Shown]:
    """Those of the rows that may go, each minimised for whoever asks."""
    loaded = asking.records.load(asking.connection, [row.record_id for row in rows])
    ties = ties_of(asking.connection.execute, asking.caller, asking.log_id, rows)
    found: list[Shown] = []
    for row in rows:
        record = loaded.get(row.record_id)
        if record is None:
            continue
        facts = replace(facts_of(record, now), consent=consent_now(row, now))
        facts = facts.asked_by(ties.relationship(row), None, facts.hours_since_event)
        decision = decide_on(facts, asking.recipient, NOTICE, asking.standing.terms, now)
        if (row.state == State.RETRACTED or row.withdrawn) and decision.reason in _MAY_HEAR:
            found.append(Shown(row, facts, decision, None))
        elif row.state == State.OPEN and not row.withdrawn and decision.outcome is Outcome.PERMITTED:
            found.append(Shown(row, facts, decision, minimise(record, decision)))
    return found


WITHDRAWN: Final = "withdrawn"
"""What police read of a notice that they were given and may not be given any more: her wish, or an override's end."""

_MAY_HEAR = frozenset(
    {
        Reason.CLAUSE,
        Reason.NO_CLAUSE,
        Reason.NOTHING_RELEASED,
        Reason.HOLD,
        Reason.MARKING,
        Reason.AREA_UNKNOWN,
        Reason.OUTSIDE_AREA,
    }
)
"""Whoever the agreement leads a flow to hears that what it read is gone, whatever it may read now (N14)."""


@dataclass(frozen=True, slots=True)
class ReadNotices(Unit[None]):
    """Seal that notices leave for police: an entry for each, or one that there was nothing."""

    page: Page[Shown]
    caller: Caller
    standing: Standing

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        shown = self.page.shown
        ids = [one.row.id for one in shown]
        stands = {row.id: row for row in batch.read(_STANDS, {"log": batch.log_id, "ids": ids})} if ids else {}
        if not shown:
            batch.seal(nothing_found(batch, self.caller, self.standing, "hospital-notices"))
        for one in shown:
            self._seal(batch, one, stands.get(one.row.id))

    def _seal(self, batch: Batch, one: Shown, stands: Row[Any] | None) -> None:
        same = stands is not None and all(getattr(stands, name) == getattr(one.row, name) for name in _RELIED_ON)
        if stands is None or not same or consent_now(stands, batch.now) != one.facts.consent:
            raise DecideAgain("the notice changed")
        how = Leaving(
            Event.HOSPITAL_NOTICE_READ,
            record=one.row.record_id,
            case=one.row.id,
            reason=one.gone,
            detail={"cursor": one.row.seq, "version": one.row.version},
            mapping=one.row.mapping,
        )
        seal(batch, self.caller, self.standing, one, how)


@dataclass(frozen=True, slots=True)
class AcknowledgeNotices(Unit[int]):
    """Note that a force has taken every notice up to a cursor; returns how many it had not acknowledged before."""

    through: int
    recipient: str
    caller: Caller
    standing: Standing

    def apply(self, batch: Batch) -> int:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        of = {"log": batch.log_id, "of_force": self.caller.organisation, "to": self.recipient}
        count = len(batch.read(_UNTAKEN, {**of, "through": self.through}))
        took = {**of, "through": self.through, "at": batch.at, "by": self.caller.who}
        batch.update(_TAKE, took)
        batch.update(_CLOSE_TOLD, took)
        batch.seal(
            act(
                Event.HOSPITAL_NOTICE_ACKNOWLEDGED,
                Operation.CONSULTATION,
                at=batch.at,
                caller=self.caller,
                agreement=self.standing.agreement_ref,
                detail={"through": self.through, "notices": count},
            )
        )
        return count


_n, _f, _o, _t = tables.hospital_notice, tables.hospital_feed, tables.consent_override, tables.notice
_override = (_o.c.expires_at.label("override_expires"), _o.c.ended_at.label("override_ended"))
_later = _f.alias()
_FEED = (
    select(_n, _n.c.id.label("event_id"), literal(None).label("assigned_to"), _f.c.seq, _f.c.withdrawn, *_override)
    .join(_f, (_f.c.notice_id == _n.c.id) & (_f.c.version == _n.c.version))
    .outerjoin(_o, _o.c.id == _n.c.override_id)
    .where(
        _f.c.log_id == bindparam("log"),
        _f.c.force == bindparam("of_force"),
        _f.c.recipient == bindparam("to"),
        _f.c.seq > bindparam("after"),
        or_(_n.c.state.in_((State.OPEN.value, State.RETRACTED.value)), _f.c.withdrawn),
        # Of what was given, withdrawn and given again, the last counts.
        ~exists().where(
            _later.c.notice_id == _f.c.notice_id,
            _later.c.recipient == _f.c.recipient,
            _later.c.force == _f.c.force,
            _later.c.seq > _f.c.seq,
        ),
    )
    .order_by(_f.c.seq)
    .limit(bindparam("most"))
)
_RELIED_ON = ("version", "state", "record_id", "consent", "override_id")
_STANDS = (
    select(_n, *_override)
    .outerjoin(_o, _o.c.id == _n.c.override_id)
    .where(_n.c.log_id == bindparam("log"), _n.c.id.in_(bindparam("ids", expanding=True)))
)
_of_force = (
    (_f.c.log_id == bindparam("log"))
    & (_f.c.force == bindparam("of_force"))
    & (_f.c.recipient == bindparam("to"))
    & (_f.c.seq <= bindparam("through"))
)
_UNTAKEN = select(_f.c.seq).where(_of_force, _f.c.acknowledged_at.is_(None))
_TAKE = (
    update(_f)
    .where(_of_force, _f.c.acknowledged_at.is_(None))
    .values(acknowledged_at=bindparam("at"), acknowledged_by=bindparam("by"))
)
_TOLD = (
    Kind.HOSPITAL_NOTICE.value,
    Kind.CORRECTED.value,
    Kind.RETRACTED.value,
    Kind.STOPPED.value,
    Kind.CONSENT_REFUSED.value,
    Kind.CONSENT_WITHDRAWN.value,
)
_CLOSE_TOLD = acknowledging(
    _t.c.organisation == bindparam("of_force"),
    _t.c.kind.in_(_TOLD),
    select(_f.c.seq)
    .where(_of_force, _f.c.notice_id == _t.c.event_id, _f.c.created_at >= _t.c.created_at)
    .correlate(_t)
    .exists(),
)
"""Who has taken a notice has been told of it, and of every change up to it."""
