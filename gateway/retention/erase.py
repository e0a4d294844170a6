"""Erasing content: the unit that deletes the keys, empties the rows and seals what has gone, at once or not at all.

Deleting a wrapped data key makes its content unreadable for good, also to whoever holds every key of the keyring. What
was found to be due is asked again under the log's head, so that a hold placed in between, a later version or another
replica's sweep is never overtaken. What stays identifies nobody: references, states, keyed hashes (so that a repeat is
recognised and a person's accounting of disclosures stays complete), and the facts that decisions were made on.

Source: DPA 2018 s.62(1) (erasure is logged); domain.md section 3.9.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, delete, func, or_, select, update

from audit.entry import Entry, Operation, timestamp
from gateway.evidence import Event, act
from gateway.retention.due import due, of_class, values
from gateway.retention.schedule import Kept, Rule, Schedule
from gateway.store import tables, traced
from gateway.store.batch import Batch, DecideAgain, ReferralHead, Unit
from gateway.store.features import forget
from gateway.store.records import subject_of
from mappings.record import Record, Role

BACKSTOP = "backstop"
"""The reason where content was never closed and goes all the same; otherwise the reason is what its days ran from."""


@dataclass(frozen=True, slots=True)
class People:
    """Whom a record is about, read before it is erased: everybody in it, and each victim's part of them."""

    everybody: tuple[str, ...] = ()
    of_victim: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, record: Record) -> People:
        """The people of a record, by their references within it."""
        parts = {
            victim.ref: tuple(person.ref for person in record.for_victim(victim.ref).people)
            for victim in record.of_role(Role.VICTIM)
        }
        return cls(tuple(person.ref for person in record.people), parts)

    def subjects(self, record_id: str, victim: str | None) -> tuple[str, ...]:
        """As an entry names them; of a record that did not open, the victim alone."""
        refs = self.everybody if victim is None else self.of_victim.get(victim, (victim,))
        return tuple(subject_of(record_id, ref) for ref in refs)


NOBODY_KNOWN = People()
"""The people of a record that did not open."""


@dataclass(frozen=True, slots=True)
class Erase(Unit[int]):
    """Erase what is due of one class among some references; returns how many of them were.

    `now` is the instant it is judged for. Raises DecideAgain where the agreement's standing changed since `epoch`.
    """

    kept: Kept
    references: Sequence[str]
    schedule: Schedule
    epoch: int
    now: datetime
    people: Mapping[str, People]

    @property
    def rule(self) -> Rule:
        """The rule of the class."""
        return self.schedule.rules[self.kept]

    def apply(self, batch: Batch) -> int:  # noqa: D102 - said by Unit.apply
        if batch.terms_epoch != self.epoch:
            raise DecideAgain("the agreement's standing changed")
        statement = due(self.kept, from_closing=self.rule.from_closing, named=True)
        asked = {**values(batch.log_id, self.rule, self.now), "named": list(self.references)}
        references = [row[0] for row in batch.read(statement, asked)]
        if references and self.kept is Kept.QUARANTINE:
            self._erase_inputs(batch, references)
        elif references:
            self._erase_events(batch, references)
        return len(references)

    def _erase_events(self, batch: Batch, events: Sequence[str]) -> None:
        asked = {"of": list(events)}
        records = batch.read(_RECORDS[self.kept], asked)
        referrals = batch.read(_REFERRALS, asked)
        case_of = {row.record_id: row.referral_id for row in batch.read(_WORDS, asked)}
        taken = {row.id: [None if row.untaken else row.decided_at] for row in batch.read(_NOTICES, asked)}
        reasons = _reasons(batch, _REASONS, events) if self.kept is Kept.RECORD else {}
        gone = [row.id for row in records]
        _forget(batch, gone, reasons)
        batch.update(_EMPTY_RECORDS, {"of": gone, "at": batch.at})
        if self.kept is Kept.RECORD:
            forget(batch, events)
            traced.forget(batch, events)
            batch.update(_DELETE_PROPOSAL_KEYS, {"of": list(events)})
            batch.update(_EMPTY_PROPOSALS, {"of": list(events), "at": batch.at})
            batch.update(_STOP_OFFERS, {"of": [row.id for row in referrals], "at": batch.at})
            batch.update(_STOP_DELIVERIES, {"of": [row.id for row in referrals], "at": batch.at})
            batch.update(_STOP_CLOCKS, {"of": [row.id for row in referrals], "at": batch.at})
        else:
            batch.update(_DELETE_WORDS, {"of": gone})
        for row in referrals:
            self._empty_referral(batch, row)
        for event in events:
            cases = [row for row in referrals if row.event_id == event]
            versions = [row for row in records if row.event_id == event]
            written = sum(of == event for of in reasons.values())
            closed = [row.closed_at for row in cases] or taken.get(event, [])
            by_rule = self._by_rule(max(row.received_at for row in versions), closed)
            for one in versions:
                own = [row for row in cases if case_of.get(one.id, row.id) == row.id]
                for case in own or (None,):
                    batch.seal(self._entry(batch, one, case, by_rule=by_rule, reasons=written))

    def _by_rule(self, received: str, closed: Sequence[str | None]) -> bool:
        """Whether content is due by its rule; otherwise the backstop has come first."""
        cutoff = timestamp(self.rule.cutoffs(self.now)[0])
        ends = [received, *closed] if self.rule.from_closing else [received]
        return (bool(closed) or not self.rule.from_closing) and all(end is not None and end <= cutoff for end in ends)

    def _empty_referral(self, batch: Batch, row: Row[Any]) -> None:
        """Take the words out of a referral; its next version tells every process that what it wrote is stale."""
        erased = {"erased_at": batch.at} if self.kept is Kept.RECORD else {}
        head = ReferralHead(row.version + 1, row.status, row.state, row.record_id)
        batch.change_referral(row.id, head, {"feedback": "[]", **erased})

    def _erase_inputs(self, batch: Batch, inputs: Sequence[str]) -> None:
        rows = batch.read(_INPUTS, {"of": list(inputs)})
        reasons = _reasons(batch, _REASONS_OF_INPUTS, inputs)
        _forget(batch, inputs, reasons)
        batch.update(_EMPTY_INPUTS, {"of": list(inputs), "at": batch.at})
        for row in rows:
            detail = {"quarantine": row.id, "looked_at": int(row.closed_at is not None)}
            by_rule = self._by_rule(row.opened_at, [row.closed_at])
            batch.seal(self._act(batch, by_rule=by_rule, detail=detail))

    def _entry(self, batch: Batch, one: Row[Any], case: Row[Any] | None, *, by_rule: bool, reasons: int) -> Entry:
        detail = {"version": one.version} | ({"reasons": reasons} if self.kept is Kept.RECORD else {})
        victim = case.victim if case is not None else None
        return self._act(batch, by_rule=by_rule, detail=detail)._replace(
            subjects=self.people.get(one.id, NOBODY_KNOWN).subjects(one.id, victim),
            record=one.id,
            case=case.id if case is not None else None,
            mapping=one.mapping,
        )

    def _act(self, batch: Batch, *, by_rule: bool, detail: Mapping[str, str | int]) -> Entry:
        days = self.rule.days if by_rule else self.rule.backstop_days
        return act(
            Event.RECORD_ERASED,
            Operation.ERASURE,
            at=batch.at,
            caller=None,
            agreement=self.schedule.agreement,
            reason=self.rule.starts if by_rule else BACKSTOP,
            detail={"class": self.kept.value, "days": days, **detail},
        )


def _reasons(batch: Batch, queries: Sequence[Any], of: Sequence[str]) -> dict[str, str]:
    """The reasons that people gave in writing, with what each was given for: they say of her what the record says."""
    return {row.id: row.of for query in queries for row in batch.read(query, {"log": batch.log_id, "of": list(of)})}


def _forget(batch: Batch, contents: Sequence[str], reasons: Mapping[str, str]) -> None:
    """Delete the keys of contents and of written reasons, and empty the rows of the reasons."""
    batch.update(_DELETE_KEYS, {"of": [*contents, *reasons]})
    for statement in _EMPTY_REASONS:
        batch.update(statement, {"of": list(reasons)})


def _named() -> Any:  # noqa: ANN401 - SQLAlchemy's own type for a list parameter
    return bindparam("of", expanding=True)


_r, _f, _q = tables.record, tables.referral, tables.quarantine
_log: Any = bindparam("log")
_RECORDS: Mapping[Kept, Any] = {
    kept: select(_r.c.id, _r.c.event_id, _r.c.version, _r.c.received_at, _r.c.mapping)
    .where(_r.c.event_id.in_(_named()), _r.c.erased_at.is_(None), of_class(kept))
    .order_by(_r.c.event_id, _r.c.version, _r.c.id)
    for kept in (Kept.RECORD, Kept.FEEDBACK)
}
_REFERRALS = (
    select(_f.c.id, _f.c.event_id, _f.c.record_id, _f.c.victim, _f.c.version, _f.c.status, _f.c.state, _f.c.closed_at)
    .where(_f.c.event_id.in_(_named()))
    .order_by(_f.c.id)
)
_WORDS = select(tables.feedback.c.record_id, tables.feedback.c.referral_id).where(
    tables.feedback.c.referral_id.in_(select(_f.c.id).where(_f.c.event_id.in_(_named()))),
)
_INPUTS = select(_q.c.id, _q.c.opened_at, _q.c.closed_at).where(_q.c.id.in_(_named())).order_by(_q.c.id)
_o, _b, _c = tables.consent_override, tables.break_glass, tables.co_response
_n, _feed = tables.hospital_notice, tables.hospital_feed
_NOTICES = select(
    _n.c.id,
    _n.c.decided_at,
    select(func.count(_feed.c.seq))
    .where(_feed.c.notice_id == _n.c.id, _feed.c.acknowledged_at.is_(None))
    .correlate(_n)
    .scalar_subquery()
    .label("untaken"),
).where(_n.c.id.in_(_named()))
_doc, _ask, _w = tables.hospital_document, tables.information_request, tables.case_event
_REASONS = (
    select(_o.c.id, func.coalesce(_o.c.event_id, _f.c.event_id).label("of"))
    .outerjoin(_f, _f.c.id == _o.c.referral_id)
    .where(_o.c.log_id == _log, or_(_o.c.event_id.in_(_named()), _f.c.event_id.in_(_named()))),
    select(_b.c.id, _f.c.event_id.label("of"))
    .join(_f, _f.c.id == _b.c.referral_id)
    .where(_b.c.log_id == _log, _f.c.event_id.in_(_named())),
    # A contact at the scene is about the incident it was joined to.
    select(_c.c.id, _c.c.event_id.label("of")).where(_c.c.log_id == _log, _c.c.event_id.in_(_named())),
    # The document a hospital's notice came in, and what police asked of the hospital about an incident.
    select(_doc.c.id, _doc.c.event_id.label("of")).where(_doc.c.log_id == _log, _doc.c.event_id.in_(_named())),
    select(_ask.c.id, _ask.c.event_id.label("of")).where(_ask.c.log_id == _log, _ask.c.event_id.in_(_named())),
    # What advisers wrote of their work on the case.
    select(_w.c.id, _f.c.event_id.label("of"))
    .join(_f, _f.c.id == _w.c.referral_id)
    .where(_w.c.log_id == _log, _w.c.content.is_not(None), _f.c.event_id.in_(_named())),
)
_REASONS_OF_INPUTS = (
    # The reason for letting an input go on is about the incident it became, and goes with that.
    select(_o.c.id, _o.c.quarantine_id.label("of")).where(
        _o.c.log_id == _log, _o.c.quarantine_id.in_(_named()), _o.c.event_id.is_(None)
    ),
)
_DELETE_KEYS = delete(tables.data_key).where(tables.data_key.c.id.in_(_named()))
_DELETE_WORDS = delete(tables.feedback).where(tables.feedback.c.record_id.in_(_named()))
_EMPTY_RECORDS = update(_r).where(_r.c.id.in_(_named())).values(content=b"", vault=None, erased_at=bindparam("at"))
_EMPTY_INPUTS = (
    update(_q)
    .where(_q.c.id.in_(_named()))
    .values(content=b"", erased_at=bindparam("at"), closed_at=func.coalesce(_q.c.closed_at, bindparam("at")))
)
_EMPTY_REASONS = tuple(
    update(table).where(table.c.id.in_(_named())).values(content=b"") for table in (_o, _b, _c, _doc, _ask, _w)
)
_d = tables.delivery
_STOP_DELIVERIES = (
    update(_d)
    .where(_d.c.referral_id.in_(_named()))
    .values(
        stopped_at=func.coalesce(_d.c.stopped_at, bindparam("at")),
        content=None,
        content_key=None,
        leased_until=None,
    )
)
_p = tables.demographic_change
_DELETE_PROPOSAL_KEYS = delete(tables.data_key).where(
    tables.data_key.c.id.in_(select(_p.c.id).where(_p.c.event_id.in_(_named())))
)
_EMPTY_PROPOSALS = (
    update(_p)
    .where(_p.c.event_id.in_(_named()))
    .values(content=b"", erased_at=bindparam("at"), decided_at=func.coalesce(_p.c.decided_at, bindparam("at")))
)
_clock = tables.case_timer
_STOP_CLOCKS = (
    update(_clock)
    .where(_clock.c.referral_id.in_(_named()), _clock.c.stopped_at.is_(None))
    .values(stopped_at=bindparam("at"), next_at=None)
)
_STOP_OFFERS = (
    update(tables.outbox)
    .where(
        tables.outbox.c.referral_id.in_(_named()),
        tables.outbox.c.acknowledged_at.is_(None),
        tables.outbox.c.stopped_at.is_(None),
    )
    .values(stopped_at=bindparam("at"))
)
