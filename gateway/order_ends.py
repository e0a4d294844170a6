"""When orders end: an order that has run out is shown as such, and the team that relies on it is told, once.

The ends of the orders in force stand beside the referral as instants, nothing else, so that the clock can be kept
without opening a record. The notice goes to a team whose clauses release orders, and names none: what it was is read
through the team's own channel.

Source: domain.md sections 1.3 (`orders`), 4.1 (step 12).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import bindparam, select

from audit.entry import Operation, Recipient, timestamp
from gateway.decide import Facts, Outcome, decide_on
from gateway.evidence import Event, act
from gateway.intake import SAFEGUARDING
from gateway.notices import Kind, Matter, due_by_grade, tell
from gateway.store import tables
from gateway.store.batch import Batch, ReferralHead, Unit
from gateway.store.records import subject_of
from gateway.terms import Standing
from mappings.record import Order, Record

MOST_ENDS = 20


def ends_of(record: Record, now: datetime) -> str | None:
    """The instants at which orders of a record end, those to come, as they are kept; None where there is none."""
    ends = {timestamp(end) for one in record.orders if (end := one.ends_at) is not None and end > now}
    return ",".join(sorted(ends)[:MOST_ENDS]) or None


def passed(orders_end: str | None, now: datetime) -> bool:
    """Whether the first of the ends that are kept has come."""
    return orders_end is not None and orders_end.partition(",")[0] <= timestamp(now)


def shown_at(record: Record, now: datetime) -> Record:
    """The record with every order that has an end said to be in force or expired, as it is at an instant."""
    if all(one.expires is None for one in record.orders):
        return record
    return record.model_copy(update={"orders": tuple(_shown(one, now) for one in record.orders)})


def _shown(order: Order, now: datetime) -> Order:
    end = order.ends_at
    return order if end is None else order.model_copy(update={"expired": end <= now})


@dataclass(frozen=True, slots=True)
class NoteOrdersEnded(Unit[int]):
    """Seal each end of an order that has come, and tell the team that relies on it; returns how many referrals.

    A team whose decision releases no orders, or whose case is closed, is told nothing; the end is taken off all the
    same. Under an agreement that does not decide, nothing goes.
    """

    standing: Standing
    most: int = 100

    def apply(self, batch: Batch) -> int:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        rows = batch.read(_ENDED, {"log": batch.log_id, "now": batch.clock, "most": self.most})
        terms = self.standing.terms
        for row in rows:
            left = ",".join(one for one in row.orders_end.split(",") if one > batch.clock) or None
            head = ReferralHead(row.version + 1, row.status, row.state, row.record_id)
            batch.change_referral(row.id, head, {"orders_end": left})
            facts = Facts.from_json(orjson.loads(row.facts))
            decision = decide_on(facts, row.team, SAFEGUARDING, terms, batch.now).narrow(frozenset({"orders"}))
            goes = row.closed_at is None and decision.outcome is Outcome.PERMITTED and bool(decision.released)
            batch.seal(
                act(
                    Event.ORDER_EXPIRED,
                    Operation.ALTERATION,
                    at=batch.at,
                    caller=None,
                    decision=decision if goes else None,
                    facts=facts if goes else None,
                    subjects=(subject_of(row.record_id, row.victim),),
                    record=row.record_id,
                    case=row.id,
                    mapping=row.mapping,
                )
            )
            if goes:
                tell(
                    batch,
                    Matter(Kind.ORDER_EXPIRED, row.event_id, row.id, row.record_id),
                    (Recipient(row.organisation, row.team),),
                    due=due_by_grade(terms, facts.grade, batch.now),
                    caller=None,
                    agreement=terms.agreement if terms else None,
                )
        return len(rows)


_r = tables.referral
_ENDED = (
    select(_r)
    .where(
        _r.c.log_id == bindparam("log"),
        _r.c.orders_end <= bindparam("now"),
        _r.c.erased_at.is_(None),
    )
    .order_by(_r.c.orders_end, _r.c.id)
    .limit(bindparam("most"))
)
