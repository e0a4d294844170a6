"""Police read what hospitals tell them, a page after a cursor, and acknowledge what they have taken.

Each notice is decided again whenever police ask, for the person who asks; what may not go leaves no trace in the
answer, not even a place in the numbering (P8). A later version comes again under a new cursor, and one that was sent in
error comes as retracted, without its content (P9). The journal seals each disclosure before it leaves.

Source: domain.md sections 3.1 (F3), 4.5 (N2, N4, N5, N14, N15).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, literal, select, update

from audit.entry import Operation, Recipient
from audit.receipt import Receipt
from gateway.agreement import Terms
from gateway.callers import check_person
from gateway.decide import Decision, Facts, Outcome, decide_on, facts_of
from gateway.decision import Reason
from gateway.evidence import Caller, Event, act
from gateway.hospital.standing import NOTICE, State, consent_now
from gateway.minimise import minimise
from gateway.nothing_given import nothing_found
from gateway.notices import Kind
from gateway.services import Services
from gateway.store import tables
from gateway.store.batch import Batch, DecideAgain, Unit
from gateway.store.journal import Committed
from gateway.store.records import Records, subject_of
from gateway.terms import Standing, agreement_ref
from gateway.ties import ties_of
from gateway.under_agreement import decided, log_of, standing_of
from mappings.record import Record


@dataclass(frozen=True, slots=True)
class Shown:
    """A notice as police may have it: decided and minimised, or retracted and nothing more; not yet sealed."""

    row: Row[Any]
    facts: Facts
    decision: Decision
    record: Record | None

    def said(self) -> dict[str, Any]:
        """The notice as police read it."""
        row = self.row
        found: dict[str, Any] = {
            "notice": row.id,
            "version": row.version,
            "state": State.RETRACTED.value if self.record is None else "current",
            "hospital": row.organisation,
            "received_at": row.received_at,
            "updated_at": row.updated_at,
            "cursor": row.seq,
        }
        if self.record is not None:
            found["record"] = self.record.model_dump(mode="json", exclude_defaults=True)
            found |= self.decision.for_recipient()
        return found


@dataclass(frozen=True, slots=True)
class Page:
    """A page of notices; `next_cursor` is where the next begins: at the last one shown, or where this page began."""

    shown: tuple[Shown, ...]
    next_cursor: int
    more: bool


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a reading answers: the page, the receipts, and the log they are of."""

    page: Page
    receipts: tuple[Receipt, ...]
    log_id: str


async def read_notices(services: Services, caller: Caller, *, after: int, limit: int) -> Pulled:
    """The notices for a force after a cursor. Raises NotPermitted, Busy, NotSealed."""
    log_id = await log_of(services, caller)

    async def attempt() -> Pulled:
        # 1. Who asks: a police recipient of the agreement, with the person it wants named.
        standing = await standing_of(services, log_id)
        recipient = notice_recipient(standing.terms, caller.organisation)
        check_person(standing, recipient, caller)

        # 2. Find the force's notices, decide each again for this person, minimise.
        def find(connection: Connection) -> Page:
            pulling = _Pulling(connection, services.records, caller, standing, log_id, recipient or "")
            return pulling.page(datetime.now(UTC), after, limit)

        page = await services.database.read(find)

        # 3. Seal each disclosure, or that there was nothing; then answer.
        committed = await services.journals.of(log_id).submit(ReadNotices(page, caller, standing))
        return Pulled(page, committed.receipts, log_id)

    return await decided(services, caller, log_id, attempt)


async def acknowledge_notices(services: Services, caller: Caller, through: int) -> tuple[int, Receipt]:
    """Note that a force has taken its notices up to a cursor; returns how many that were. Raises NotPermitted."""
    log_id = await log_of(services, caller)

    async def attempt() -> Committed[int]:
        standing = await standing_of(services, log_id)
        recipient = notice_recipient(standing.terms, caller.organisation)
        check_person(standing, recipient, caller)
        unit = AcknowledgeNotices(through, recipient or "", caller, standing)
        return await services.journals.of(log_id).submit(unit)

    committed = await decided(services, caller, log_id, attempt)
    return committed.value, committed.receipt


def notice_recipient(terms: Terms | None, organisation: str) -> str | None:
    """The recipient of an organisation that hospitals' notices go to; None where the agreement has none."""
    if terms is None:
        return None
    content = terms.agreement.content
    told = {to for flow in content.flows if flow.purpose == NOTICE for to in flow.to}
    own = {party.id for party in content.parties if party.organisation == organisation}
    return next((one.id for one in content.recipients if one.id in told and one.party in own), None)


@dataclass(frozen=True, slots=True)
class _Pulling:
    """One reading: who asks, under what, where."""

    connection: Connection
    records: Records
    caller: Caller
    standing: Standing
    log_id: str
    recipient: str

    def page(self, now: datetime, after: int, limit: int) -> Page:
        """A page ends at a notice that may go, and there is a next one only where another may."""
        shown: list[Shown] = []
        at, searching = after, True
        asked = {"log": self.log_id, "of_force": self.caller.organisation, "to": self.recipient, "most": limit + 1}
        while searching and len(shown) <= limit:
            rows = self.connection.execute(_FEED, {**asked, "after": at}).all()
            shown += self._decided(rows, now)
            at, searching = (rows[-1].seq, len(rows) > limit) if rows else (at, False)
        page = shown[:limit]
        return Page(tuple(page), page[-1].row.seq if page else after, len(shown) > limit)

    def _decided(self, rows: Sequence[Row[Any]], now: datetime) -> list[Shown]:
        loaded = self.records.load(self.connection, [row.record_id for row in rows])
        ties = ties_of(self.connection.execute, self.caller, self.log_id, rows)
        found: list[Shown] = []
        for row in rows:
            record = loaded.get(row.record_id)
            if record is None:
                continue
            facts = replace(facts_of(record, now), consent=consent_now(row, now))
            facts = facts.asked_by(ties.relationship(row), None, facts.hours_since_event)
            decision = decide_on(facts, self.recipient, NOTICE, self.standing.terms, now)
            if row.state == State.RETRACTED and decision.reason in _MAY_HEAR:
                found.append(Shown(row, facts, decision, None))
            elif row.state == State.OPEN and decision.outcome is Outcome.PERMITTED:
                found.append(Shown(row, facts, decision, minimise(record, decision)))
        return found


_MAY_HEAR = frozenset({Reason.CLAUSE, Reason.NO_CLAUSE, Reason.NOTHING_RELEASED})
"""Whoever the agreement leads a flow to hears that what it read was sent in error, whatever it may read now (N14)."""


@dataclass(frozen=True, slots=True)
class ReadNotices(Unit[None]):
    """Seal that notices leave for police: an entry for each, or one that there was nothing."""

    page: Page
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
        decision = decide_on(one.facts, one.decision.recipient, NOTICE, self.standing.terms, batch.now)
        if (decision.outcome, decision.ruling) != (one.decision.outcome, one.decision.ruling):
            raise DecideAgain("the decision came out otherwise at the instant of sealing")
        said = {"cursor": one.row.seq, "version": one.row.version}
        entry = act(
            Event.HOSPITAL_NOTICE_READ,
            Operation.DISCLOSURE,
            at=batch.at,
            caller=self.caller,
            decision=decision if one.record is not None else None,
            facts=one.facts,
            agreement=agreement_ref(self.standing.terms.agreement) if self.standing.terms else None,
            subjects=(subject_of(one.row.record_id, one.row.victim),),
            record=one.row.record_id,
            case=one.row.id,
            reason=None if one.record is not None else State.RETRACTED.value,
            mapping=one.row.mapping,
            detail=said,
        )
        recipients = (Recipient(decision.organisation or "", decision.recipient),)
        batch.seal(entry if one.record is not None else entry._replace(recipients=recipients))


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
        took = {**of, "through": self.through, "at": batch.at, "by": self.caller.user or self.caller.client}
        batch.update(_TAKE, took)
        batch.update(_CLOSE_TOLD, took)
        batch.seal(
            act(
                Event.HOSPITAL_NOTICE_ACKNOWLEDGED,
                Operation.CONSULTATION,
                at=batch.at,
                caller=self.caller,
                agreement=agreement_ref(self.standing.terms.agreement) if self.standing.terms else None,
                detail={"through": self.through, "notices": count},
            )
        )
        return count


_n, _f, _o, _t = tables.hospital_notice, tables.hospital_feed, tables.consent_override, tables.notice
_override = (_o.c.expires_at.label("override_expires"), _o.c.ended_at.label("override_ended"))
_FEED = (
    select(_n, _n.c.id.label("event_id"), literal(None).label("assigned_to"), _f.c.seq, *_override)
    .join(_f, (_f.c.notice_id == _n.c.id) & (_f.c.version == _n.c.version))
    .outerjoin(_o, _o.c.id == _n.c.override_id)
    .where(
        _f.c.log_id == bindparam("log"),
        _f.c.force == bindparam("of_force"),
        _f.c.recipient == bindparam("to"),
        _f.c.seq > bindparam("after"),
        _n.c.state.in_((State.OPEN.value, State.RETRACTED.value)),
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
_CLOSE_TOLD = (
    update(_t)
    .where(
        _t.c.log_id == bindparam("log"),
        _t.c.organisation == bindparam("of_force"),
        _t.c.kind.in_((Kind.HOSPITAL_NOTICE.value, Kind.CORRECTED.value, Kind.RETRACTED.value)),
        _t.c.acknowledged_at.is_(None),
        select(_f.c.seq)
        .where(_of_force, _f.c.notice_id == _t.c.event_id, _f.c.created_at >= _t.c.created_at)
        .correlate(_t)
        .exists(),
    )
    .values(acknowledged_at=bindparam("at"), acknowledged_by=bindparam("by"))
)
"""Who has taken a notice has been told of it, and of every change up to it."""
