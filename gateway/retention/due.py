"""What is due for erasure: questions of the database, asked by whoever looks and again by whoever erases.

Content goes by event: the versions of an incident together, the words to police about it together. An event is due
when its newest content is, and every referral of it was closed long enough ago; a legal hold on it stops both.
The same statement finds what is due and, under the log's head, confirms it. An incident belongs to one log: where
incidents are named the log is not, so that the engine looks them up and does not walk everything that is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    union,
)

from audit.entry import timestamp
from gateway.retention.schedule import Kept, Rule
from gateway.store.tables import feedback, hospital_feed, hospital_notice, legal_hold, quarantine, record, referral
from mappings.record import RecordKind


def find_due(connection: Connection, log_id: str, kept: Kept, rule: Rule, now: datetime, most: int) -> Sequence[str]:
    """The references due for erasure, longest kept first: incidents, or inputs in quarantine."""
    statement = due(kept, from_closing=rule.from_closing).limit(bindparam("most"))
    return connection.execute(statement, {**values(log_id, rule, now), "most": most}).scalars().all()


def count_due(connection: Connection, log_id: str, kept: Kept, rule: Rule, now: datetime, *, held: bool = False) -> int:
    """How many references are due; `held` counts those that only a legal hold keeps."""
    statement = due(kept, from_closing=rule.from_closing, held=held).order_by(None).subquery()
    counted: int = connection.execute(
        select(func.count()).select_from(statement), values(log_id, rule, now)
    ).scalar_one()
    return counted


def values(log_id: str, rule: Rule, now: datetime) -> dict[str, Any]:
    """The parameters of `due`."""
    by_rule, anyway = rule.cutoffs(now)
    return {
        "log": log_id,
        "by_rule": timestamp(by_rule),
        "anyway": timestamp(anyway),
        "received_by": timestamp(anyway if rule.from_closing else max(by_rule, anyway)),
    }


@cache
def due(kept: Kept, *, from_closing: bool, named: bool = False, held: bool = False) -> Select[Any]:
    """The statement that finds what is due of one class; `named` asks only about the references in `:named`."""
    if kept is Kept.QUARANTINE:
        return _due_inputs(from_closing=from_closing, named=named, held=held)
    return _due_events(kept, from_closing=from_closing, named=named, held=held)


def of_class(kept: Kept) -> ColumnElement[bool]:
    """The condition that a record is of a class: words to police are records of a kind of their own."""
    status = RecordKind.STATUS.value
    return record.c.kind == status if kept is Kept.FEEDBACK else record.c.kind != status


def _due_events(kept: Kept, *, from_closing: bool, named: bool, held: bool) -> Select[Any]:
    newest = func.max(record.c.received_at)
    by_rule = newest <= bindparam("by_rule")
    if from_closing:
        by_rule = and_(by_rule, or_(and_(exists(_referrals()), ~exists(_referrals(_open()))), exists(_closed_notice())))
    candidates: Any = bindparam("named", expanding=True) if named else _candidates(kept)
    return (
        select(record.c.event_id)
        .where(
            record.c.event_id.in_(candidates),
            record.c.erased_at.is_(None),
            of_class(kept),
            _on_hold(record.c.event_id, held=held),
        )
        .group_by(record.c.event_id)
        .having(or_(newest <= bindparam("anyway"), by_rule))
        .order_by(newest, record.c.event_id)
    )


def _candidates(kept: Kept) -> CompoundSelect[Any]:
    """The events that may be due, found by indexes: what is kept is far more than what is due."""
    older = record.alias()
    received = select(older.c.event_id).where(
        older.c.log_id == bindparam("log"),
        older.c.erased_at.is_(None),
        older.c.received_at <= bindparam("received_by"),
    )
    closed = select(referral.c.event_id).where(
        referral.c.log_id == bindparam("log"), referral.c.closed_at <= bindparam("by_rule")
    )
    if kept is Kept.RECORD:
        notices = select(hospital_notice.c.id).where(
            hospital_notice.c.log_id == bindparam("log"), hospital_notice.c.decided_at <= bindparam("by_rule")
        )
        return union(received, closed.where(referral.c.erased_at.is_(None)), notices)
    of_words = select(feedback.c.referral_id).where(feedback.c.log_id == bindparam("log"))
    return union(received, closed.where(referral.c.id.in_(of_words)))


def _due_inputs(*, from_closing: bool, named: bool, held: bool) -> Select[Any]:
    began = quarantine.c.closed_at if from_closing else quarantine.c.opened_at
    query = select(quarantine.c.id).where(
        quarantine.c.log_id == bindparam("log"),
        quarantine.c.erased_at.is_(None),
        or_(began <= bindparam("by_rule"), quarantine.c.opened_at <= bindparam("anyway")),
        _on_hold(quarantine.c.id, held=held),
    )
    if named:
        query = query.where(quarantine.c.id.in_(bindparam("named", expanding=True)))
    return query.order_by(quarantine.c.opened_at, quarantine.c.id)


def _referrals(*conditions: ColumnElement[bool]) -> Select[Any]:
    found = select(referral.c.id).where(referral.c.event_id == record.c.event_id, *conditions)
    return found.correlate(record)


def _open() -> ColumnElement[bool]:
    return or_(referral.c.closed_at.is_(None), referral.c.closed_at > bindparam("by_rule"))


def _closed_notice() -> Select[Any]:
    """A hospital's notice of an event that was decided, and that every recipient has taken."""
    untaken = select(hospital_feed.c.seq).where(
        hospital_feed.c.notice_id == hospital_notice.c.id,
        or_(hospital_feed.c.acknowledged_at.is_(None), hospital_feed.c.acknowledged_at > bindparam("by_rule")),
    )
    found = select(hospital_notice.c.id).where(
        hospital_notice.c.id == record.c.event_id,
        hospital_notice.c.decided_at <= bindparam("by_rule"),
        ~exists(untaken.correlate(hospital_notice)),
    )
    return found.correlate(record)


def _on_hold(reference: ColumnElement[str], *, held: bool) -> ColumnElement[bool]:
    of = (legal_hold.c.log_id == bindparam("log"), legal_hold.c.event_id == reference, legal_hold.c.lifted_at.is_(None))
    there = exists(select(legal_hold.c.id).where(*of).correlate(reference.table))
    return there if held else ~there
