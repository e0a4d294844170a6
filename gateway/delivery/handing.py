"""What did not arrive is put in front of a human: of the team it was meant for, with the clock of the agreement (P6).

The notice lies in the team's feed and among what is outstanding, the process log says it to the operator, and the
delivery stays on the operator's page. The referral itself lies on the worklist all along, where any browser reads it.
Where a delivery waits longer than the agreement gives for an answer, people are told before it is given up.

Source: domain.md sections 1.1 (six tries, then a human), 4.1 (clocks).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, and_, bindparam, exists, or_, select, update

from audit.entry import Operation, Outcome, Recipient, timestamp
from gateway.evidence import Caller, Event, act
from gateway.notices import Kind, Matter, acknowledging, due_by_grade, tell
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.store.waiting_deliveries import OPEN
from gateway.terms import Standing

PATIENCE = timedelta(hours=2)  # what six tries take, where the agreement's clock for the referral says nothing
LATE = "late"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A delivery as far as people are told of it."""

    id: str
    endpoint_id: str
    number: int
    referral_id: str
    event_id: str
    record_id: str
    organisation: str
    team: str
    grade: str | None
    told: bool

    @classmethod
    def of(cls, row: Row[Any]) -> Waiting:
        """A delivery's row joined with its referral's, whose record is `held`."""
        told = row.told_at is not None
        place = (row.id, row.endpoint_id, row.number)
        return cls(*place, row.referral_id, row.event_id, row.held, row.organisation, row.team, row.grade, told)


def hand_over(
    batch: Batch,
    one: Waiting,
    standing: Standing,
    caller: Caller | None,
    why: str,
    *,
    attempt: int = 0,
) -> None:
    """Give a delivery up and tell its team. Its bytes stay, so that a human can have them sent again."""
    batch.update(_GIVE_UP, {"of": one.id, "at": batch.at, "why": why})
    seal_failure(batch, one, standing, caller, why, {"try": attempt, "given_up": 1})
    if not one.told:
        tell_team(batch, one, standing, why)


def tell_team(batch: Batch, one: Waiting, standing: Standing, why: str) -> None:
    """Tell the team that a referral is not in its system, once for each delivery."""
    batch.update(_TOLD, {"of": one.id, "at": batch.at})
    matter = Matter(Kind.UNDELIVERED, one.event_id, one.referral_id, one.record_id, why)
    due = due_by_grade(standing.terms, one.grade, batch.now)
    tell(batch, matter, [Recipient(one.organisation, one.team)], due=due, caller=None, agreement=standing.agreement)


def take_back(batch: Batch, one: Waiting) -> None:
    """What was given up before is settled by this delivery: the system has, or lacks, what it should.

    The notices go with it, unless another system of the team still lacks the referral. Those of words to police stay.
    """
    batch.update(_SETTLED, {"case": one.referral_id, "to": one.endpoint_id, "before": one.number, "at": batch.at})
    of = {"log": batch.log_id, "case": one.referral_id, "to": one.endpoint_id}
    batch.update(_CLOSE, {**of, "at": batch.at, "by": "gateway"})


def seal_failure(
    batch: Batch, one: Waiting, standing: Standing, caller: Caller | None, why: str, detail: Mapping[str, str | int]
) -> None:
    """Seal that a delivery did not arrive, and why, as a code."""
    batch.seal(
        act(
            Event.DELIVERY_FAILED,
            Operation.ADMINISTRATION,
            at=batch.at,
            caller=caller,
            outcome=Outcome.FAILED,
            agreement=standing.agreement_ref,
            record=one.record_id,
            case=one.referral_id,
            reason=why,
            detail={"delivery": one.id, **detail},
        )
    )


@dataclass(frozen=True, slots=True)
class NoteLate(Unit[int]):
    """Tell the teams of deliveries that have waited longer than the referral may; returns how many. They go on."""

    standing: Standing
    most: int = 50

    def apply(self, batch: Batch) -> int:  # noqa: D102 - said by Unit.apply
        since = timestamp(batch.now - PATIENCE)
        rows = batch.read(_LATE, {"log": batch.log_id, "now": batch.clock, "since": since, "most": self.most})
        for row in rows:
            tell_team(batch, Waiting.of(row), self.standing, LATE)
        return len(rows)


_d, _r, _n, _f = tables.delivery, tables.referral, tables.notice, tables.feedback
OF_REFERRAL = (_r.c.organisation, _r.c.team, _r.c.event_id, _r.c.grade, _r.c.record_id.label("held"))
"""What `Waiting` reads of the referral beside the delivery."""
_own_clock = and_(_r.c.respond_by.is_not(None), _r.c.respond_by > _d.c.created_at)
_LATE = (
    select(_d, *OF_REFERRAL)
    .join(_r, _r.c.id == _d.c.referral_id)
    .where(
        _d.c.log_id == bindparam("log"),
        OPEN,
        _d.c.told_at.is_(None),
        or_(
            and_(_own_clock, _r.c.respond_by <= bindparam("now")),
            and_(~_own_clock, _d.c.created_at <= bindparam("since")),
        ),
    )
    .order_by(_d.c.created_at, _d.c.id)
    .limit(bindparam("most"))
)
_GIVE_UP = (
    update(_d)
    .where(_d.c.id == bindparam("of"))
    .values(given_up_at=bindparam("at"), failure=bindparam("why"), leased_until=None)
)
_TOLD = update(_d).where(_d.c.id == bindparam("of")).values(told_at=bindparam("at"))
_SETTLED = (
    update(_d)
    .where(
        _d.c.referral_id == bindparam("case"),
        _d.c.endpoint_id == bindparam("to"),
        _d.c.number < bindparam("before"),
        _d.c.given_up_at.is_not(None),
        _d.c.acknowledged_at.is_(None),
        _d.c.stopped_at.is_(None),
    )
    .values(stopped_at=bindparam("at"), content=None, content_key=None)
)
_lacking = exists().where(
    _d.c.referral_id == bindparam("case"),
    _d.c.endpoint_id != bindparam("to"),
    _d.c.told_at.is_not(None),
    _d.c.acknowledged_at.is_(None),
    _d.c.stopped_at.is_(None),
)
_CLOSE = acknowledging(
    _n.c.referral_id == bindparam("case"),
    _n.c.kind == Kind.UNDELIVERED.value,
    _n.c.record_id.not_in(select(_f.c.record_id).where(_f.c.referral_id == bindparam("case"))),
    ~_lacking,
)
