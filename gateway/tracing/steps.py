"""What is kept and sealed of each step of a trace.

    Begin    lease one, decide again, seal the disclosure to PDS: after this commit its first byte may go
    Settle   what was answered is combined with the record, or a human is asked, or it is tried again

A lease that ran out is a gateway that stopped in between: the same question goes again under the same request ids. What
was settled for another question than the one that stands now is left alone.

Source: design.md section 8; domain.md sections 2.1 (verification status), 2.6, 4.5 (N11); DPA 2018 s.62(1).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, update

from audit.entry import Entry, Operation, Outcome, timestamp
from gateway.decide import Decision, Facts, decide_on
from gateway.decide import Outcome as Ruled
from gateway.delivery.fault import NotDelivered
from gateway.delivery.policy import TRIES, wait_after
from gateway.evidence import Event, act
from gateway.notices import due_by_grade
from gateway.store import tables
from gateway.store.batch import Batch, DecideAgain, Unit
from gateway.store.envelope import Sealed
from gateway.store.records import subject_of
from gateway.store.traced import ASKED, PDS_QUESTION, Sought, State
from gateway.terms import Standing, agreement_ref
from gateway.tracing.bands import VERIFIED
from gateway.tracing.children import PURPOSE, why_not
from gateway.tracing.noting import note
from gateway.tracing.turns import LEASE, as_it_stands, still_due, teams

NOT_TRACED, TRACE_REQUIRED, NO_OR_SEVERAL, UNRESOLVED, IN_PROGRESS = "02", "03", "04", "05", "06"


@dataclass(frozen=True, slots=True)
class Begin(Unit[int | None]):
    """Lease a trace and seal what PDS is about to be told; returns the number of the try, None where nobody may ask."""

    trace: Row[Any]
    decision: Decision
    facts: Facts
    standing: Standing
    now: datetime

    def apply(self, batch: Batch) -> int | None:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        row = still_due(batch.read, self.trace, self.standing.epoch, self.now)
        if row is None or row.asked != self.trace.asked:
            return None
        if row.facts != self.trace.facts:
            raise DecideAgain("what the decision reads of the referral changed")
        if row.child:
            why = why_not(teams(batch.read, row), self.facts, self.decision.recipient, self.standing, batch.now)
            if why is not None:
                refuse(batch, row, self.standing, why)
                return None
        tried: int = row.attempts + 1
        if tried > TRIES:  # the last try never reported: its gateway stopped
            fail(batch, row, self.standing, "no-report")
            return None
        sought = Sought.of(row)
        again = decide_on(self.facts, self.decision.recipient, PURPOSE, self.standing.terms, batch.now)
        again = again.narrow(ASKED[sought.role])
        permitted = again.outcome is Ruled.PERMITTED and again.ruling == self.decision.ruling
        if not permitted and _refused_so(row, self.standing, again.reason.value):
            _set_refused(batch, row, self.standing, again.reason.value)
            return None
        batch.seal(
            act(
                Event.TRACE_ASKED,
                Operation.DISCLOSURE,
                at=batch.at,
                caller=None,
                outcome=Outcome.PERMITTED if permitted else Outcome.DENIED,
                decision=again,
                facts=self.facts,
                subjects=(subject_of(row.record_id, sought.ref),),
                record=row.record_id,
                case=row.referral_id,
                detail={"types": PDS_QUESTION[sought.role], "trace": row.id, "try": tried}
                | ({"organisation": again.organisation} if again.organisation else {}),
            )
        )
        if not permitted:
            _set_refused(batch, row, self.standing, again.reason.value)
            return None
        leased = {
            "state": State.WAITING.value,
            "status": IN_PROGRESS,
            "attempts": tried,
            "next_at": None,
            "leased_until": timestamp(self.now + LEASE),
        }
        batch.update(change(*leased), {"of": row.id, **leased})
        return tried


@dataclass(frozen=True, slots=True)
class Refuse(Unit[None]):
    """Leave a child alone whom nobody may be told of; looked at again when the agreement or the referral changes."""

    trace: Row[Any]
    why: str
    standing: Standing
    now: datetime

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        row = still_due(batch.read, self.trace, self.standing.epoch, self.now)
        if row is not None and row.asked == self.trace.asked:
            refuse(batch, row, self.standing, self.why)


def refuse(batch: Batch, row: Row[Any], standing: Standing, why: str) -> None:
    """Seal, once for each reason and standing, that nobody is asked about a child, and say when to look again."""
    known = _refused_so(row, standing, why)
    _set_refused(batch, row, standing, why)
    if not known:
        batch.seal(_failed(batch, row, standing, why, {}, Outcome.DENIED))


def _refused_so(row: Row[Any], standing: Standing, why: str) -> bool:
    return (row.state, row.epoch, row.reason) == (State.REFUSED.value, standing.epoch, why)


def _set_refused(batch: Batch, row: Row[Any], standing: Standing, why: str) -> None:
    values = {"state": State.REFUSED.value, "epoch": standing.epoch, "reason": why, "opened_at": batch.at}
    batch.update(change(*values), {"of": row.id, **values})


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of a trace: the state it leads to, why, whether she is restricted, and who was found.

    `number` is the blind form of a number that files itself; `status` is what PDS says of it.
    """

    state: State
    reason: str | None
    passes: int
    requests: tuple[str, ...] = ()
    status: str | None = None
    label: str | None = None
    score: float | None = None
    number: bytes | None = None
    content: Sealed | None = None


@dataclass(frozen=True, slots=True)
class Settle(Unit[bool]):
    """Settle a try: it was answered, or it was not. False where another question stands by now."""

    trace: Row[Any]
    attempt: int
    result: Answered | NotDelivered
    standing: Standing
    now: datetime

    def apply(self, batch: Batch) -> bool:  # noqa: D102 - said by Unit.apply
        row = as_it_stands(batch.read, self.trace)
        if row is None or row.asked != self.trace.asked or row.attempts != self.attempt or row.leased_until is None:
            return False
        if isinstance(self.result, NotDelivered):
            self._not_answered(batch, row, self.result)
        else:
            settled(batch, row, self.result, self.standing)
        return True

    def _not_answered(self, batch: Batch, row: Row[Any], fault: NotDelivered) -> None:
        wait = wait_after(fault, self.attempt)
        if wait is None:
            fail(batch, row, self.standing, fault.code)
            return
        values = {"next_at": timestamp(self.now + wait), "leased_until": None, "reason": fault.code}
        batch.update(change(*values), {"of": row.id, **values})
        batch.seal(_failed(batch, row, self.standing, fault.code, {"try": self.attempt}))


@dataclass(frozen=True, slots=True)
class Unaskable(Unit[None]):
    """Put in front of a human what cannot be asked: too little is known, or may leave."""

    trace: Row[Any]
    reason: str
    standing: Standing
    now: datetime

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        row = still_due(batch.read, self.trace, self.standing.epoch, self.now)
        if row is not None and row.asked == self.trace.asked:
            fail(batch, row, self.standing, self.reason, State.UNASKABLE)


def settled(
    batch: Batch, row: Row[Any], answered: Answered, standing: Standing, by: tuple[Event, Any] | None = None
) -> None:
    """Write what a trace came to, and seal it as combination; `by` is a person's own act.

    A verified number, or that somebody is restricted, is said by the referrals of that version from now on.
    """
    verified = answered.state is State.VERIFIED
    note(batch, row, row.record_id, label=answered.label, number=answered.number)
    ended = verified or by is not None
    grade = row.grade
    values: dict[str, Any] = {
        "state": answered.state.value,
        "status": _STATUS.get(answered.state) or answered.status or UNRESOLVED,
        "label": answered.label,
        "reason": answered.reason,
        "next_at": None,
        "leased_until": None,
        "due_at": row.due_at if ended else timestamp(due_by_grade(standing.terms, grade, batch.now)),
        "decided_at": batch.at if ended else None,
        "decided_by": by[1].user if by is not None else None,
    }
    if answered.content is not None or answered.state is State.DIFFERENT:
        sealed = answered.content
        values |= {"content": sealed and sealed.content, "content_key": sealed and sealed.key}
    batch.update(change(*values), {"of": row.id, **values})
    detail: dict[str, str | int] = {"trace": row.id, "state": answered.state.value, "passes": answered.passes}
    if answered.label is not None:
        detail["restricted"] = 1
    if answered.score is not None:
        detail["score_percent"] = round(answered.score * 100)
    for at, request in enumerate(answered.requests, 1):
        detail[f"request_{at}"] = request
    batch.seal(
        act(
            by[0] if by is not None else Event.PATIENT_TRACED,
            Operation.COMBINATION,
            at=batch.at,
            caller=by[1] if by is not None else None,
            agreement=agreement_ref(standing.terms.agreement) if standing.terms else None,
            subjects=(subject_of(row.record_id, Sought.of(row).ref),),
            record=row.record_id,
            case=row.referral_id,
            reason=answered.reason or answered.state.value,
            detail=detail,
        )
    )


def fail(batch: Batch, row: Row[Any], standing: Standing, why: str, state: State = State.FAILED) -> None:
    """Put a trace in front of a human of the NHS side, with a clock (P6, N11)."""
    values = {
        "state": state.value,
        "status": TRACE_REQUIRED,
        "reason": why,
        "next_at": None,
        "leased_until": None,
        "due_at": timestamp(due_by_grade(standing.terms, row.grade, batch.now)),
    }
    batch.update(change(*values), {"of": row.id, **values})
    batch.seal(_failed(batch, row, standing, why, {"try": row.attempts, "given_up": 1}))


def change(*columns: str) -> Any:  # noqa: ANN401 - SQLAlchemy's statement
    """The statement that gives these columns of one trace new values."""
    return update(_t).where(_t.c.id == bindparam("of")).values({name: bindparam(name) for name in columns})


def _failed(
    batch: Batch,
    row: Row[Any],
    standing: Standing,
    why: str,
    detail: dict[str, str | int],
    outcome: Outcome = Outcome.FAILED,
) -> Entry:
    return act(
        Event.PATIENT_TRACED,
        Operation.ADMINISTRATION,
        at=batch.at,
        caller=None,
        outcome=outcome,
        agreement=agreement_ref(standing.terms.agreement) if standing.terms else None,
        record=row.record_id,
        case=row.referral_id,
        reason=why,
        detail={"trace": row.id, **detail},
    )


_STATUS = {
    State.VERIFIED: VERIFIED,
    State.REVIEW: UNRESOLVED,
    State.UNMATCHED: NO_OR_SEVERAL,
    State.DIFFERENT: NO_OR_SEVERAL,
    State.FAILED: TRACE_REQUIRED,
    State.WAITING: TRACE_REQUIRED,
}
"""What the state of a trace says of the number; a number a person confirmed keeps the status PDS gave it."""


_t = tables.trace
