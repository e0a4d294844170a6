"""What is kept and sealed of each step of a trace.

    Begin    lease one, decide again, seal the disclosure to PDS: after this commit its first byte may go
    Settle   what was answered is combined with the record, or a human is asked, or it is tried again

A lease that ran out is a gateway that stopped in between: the same question goes again under the same request ids. What
was settled for another question than the one that stands now is left alone.

Source: design.md section 8; domain.md sections 2.1 (verification status), 2.6, 4.5 (N11); DPA 2018 s.62(1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, Row, and_, bindparam, or_, select, update

from audit.entry import Operation, Outcome, timestamp
from gateway.decide import Decision, Facts, decide_on
from gateway.decide import Outcome as Ruled
from gateway.delivery.fault import NotDelivered
from gateway.delivery.policy import AFTER_MAX, TRIES, wait_after
from gateway.evidence import Event, act
from gateway.notices import due_by_grade
from gateway.store import tables
from gateway.store.batch import Batch, ReferralHead, Unit
from gateway.store.envelope import Sealed
from gateway.store.records import subject_of
from gateway.store.traced import ASKED, NUMBER, PDS_QUESTION, State
from gateway.terms import Standing, agreement_ref
from gateway.tracing.bands import VERIFIED

LEASE = timedelta(minutes=5)  # two passes of three tries, each signing in and hanging, end within four
PURPOSE = "tracing"
"""The purpose an agreement must name for asking PDS."""

NOT_TRACED, TRACE_REQUIRED, NO_OR_SEVERAL, UNRESOLVED, IN_PROGRESS = "02", "03", "04", "05", "06"


def due(connection: Connection, log_id: str, epoch: int, now: datetime, most: int) -> Sequence[Row[Any]]:
    """The traces whose turn it is, the one opened first at the top."""
    return connection.execute(_DUE, {"log": log_id, "epoch": epoch, "most": most, **_times(now)}).all()


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
        asked = {"id": self.trace.id, "epoch": self.standing.epoch, **_times(self.now)}
        row = next(iter(batch.read(_ONE_DUE, asked)), None)
        if row is None or row.asked != self.trace.asked:
            return None
        tried: int = row.attempts + 1
        if tried > TRIES:  # the last try never reported: its gateway stopped
            fail(batch, row, self.standing, "no-report")
            return None
        again = decide_on(self.facts, self.decision.recipient, PURPOSE, self.standing.terms, batch.now).narrow(ASKED)
        permitted = again.outcome is Ruled.PERMITTED and again.ruling == self.decision.ruling
        batch.seal(
            act(
                Event.TRACE_ASKED,
                Operation.DISCLOSURE,
                at=batch.at,
                caller=None,
                outcome=Outcome.PERMITTED if permitted else Outcome.DENIED,
                decision=again,
                facts=self.facts,
                subjects=(subject_of(row.record_id, row.victim),),
                record=row.record_id,
                case=row.referral_id,
                detail={"types": PDS_QUESTION, "trace": row.id, "try": tried, "organisation": row.organisation},
            )
        )
        if not permitted:
            values = {"state": State.REFUSED.value, "epoch": self.standing.epoch, "reason": again.reason.value}
            batch.update(change(*values), {"of": row.id, **values})
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
        row = next(iter(batch.read(_ONE, {"id": self.trace.id})), None)
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
        asked = {"id": self.trace.id, "epoch": self.standing.epoch, **_times(self.now)}
        row = next(iter(batch.read(_ONE_DUE, asked)), None)
        if row is not None and row.asked == self.trace.asked:
            fail(batch, row, self.standing, self.reason, State.UNASKABLE)


def settled(
    batch: Batch, row: Row[Any], answered: Answered, standing: Standing, by: tuple[Event, Any] | None = None
) -> None:
    """Write what a trace came to, and seal it as combination; `by` is a person's own act.

    A verified number, or that she is restricted, is said by every referral of that version from now on.
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
            subjects=(subject_of(row.record_id, row.victim),),
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


def note(batch: Batch, row: Row[Any], record_id: str, *, label: str | None, number: bytes | None) -> None:
    """Have every referral of a version say what was traced; its next version tells every reader.

    `number` is the blind form of a verified one. Reads, so a unit calls it before it writes.
    """
    rows = batch.read(_REFERRALS, {"log": batch.log_id, "event": row.event_id, "victim": row.victim, "of": record_id})
    subject = subject_of(record_id, row.victim)
    name = {"log_id": batch.log_id, "digest": number, "record_id": record_id, "subject": subject}
    if number is not None and not batch.read(_NAMED, name):
        batch.insert(tables.blind_index, name)
    for one in rows:
        facts = Facts.from_json(orjson.loads(one.facts))
        items = tuple(sorted({*facts.items, *((NUMBER,) if number is not None else ())}))
        if number is None and one.label == label:
            continue
        said = orjson.dumps(replace(facts, items=items).to_json()).decode()
        head = ReferralHead(one.version + 1, one.status, one.state, record_id)
        batch.change_referral(one.id, head, {"facts": said, "label": label})


def change(*columns: str) -> Any:  # noqa: ANN401 - SQLAlchemy's statement
    """The statement that gives these columns of one trace new values."""
    return update(_t).where(_t.c.id == bindparam("of")).values({name: bindparam(name) for name in columns})


def _failed(batch: Batch, row: Row[Any], standing: Standing, why: str, detail: dict[str, str | int]) -> Any:  # noqa: ANN401 - an entry
    return act(
        Event.PATIENT_TRACED,
        Operation.ADMINISTRATION,
        at=batch.at,
        caller=None,
        outcome=Outcome.FAILED,
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


def _times(now: datetime) -> dict[str, str]:
    """The time, and twice as far as a lease or a wait of now reaches: beyond, it is of a clock that was set back."""
    return {"now": timestamp(now), "leased": timestamp(now + 2 * LEASE), "waited": timestamp(now + 2 * AFTER_MAX)}


_t, _f, _b = tables.trace, tables.referral, tables.blind_index
_free = or_(_t.c.leased_until.is_(None), _t.c.leased_until <= bindparam("now"), _t.c.leased_until > bindparam("leased"))
_ripe = or_(_t.c.next_at.is_(None), _t.c.next_at <= bindparam("now"), _t.c.next_at > bindparam("waited"))
_turn = or_(
    and_(_t.c.state == State.WAITING.value, _free, _ripe),
    and_(_t.c.state == State.REFUSED.value, _t.c.epoch != bindparam("epoch")),
)
_graded = select(_t, _f.c.grade, _f.c.team, _f.c.facts).join(_f, _f.c.id == _t.c.referral_id)
_DUE: Any = (
    _graded.where(_t.c.log_id == bindparam("log"), _turn).order_by(_t.c.opened_at, _t.c.id).limit(bindparam("most"))
)
_ONE_DUE: Any = _graded.where(_t.c.id == bindparam("id"), _turn)
_ONE: Any = _graded.where(_t.c.id == bindparam("id"))
_REFERRALS = (
    select(_f.c.id, _f.c.version, _f.c.status, _f.c.state, _f.c.facts, _f.c.label)
    .where(
        _f.c.log_id == bindparam("log"),
        _f.c.event_id == bindparam("event"),
        _f.c.victim == bindparam("victim"),
        _f.c.record_id == bindparam("of"),
        _f.c.erased_at.is_(None),
    )
    .order_by(_f.c.id)
)
_NAMED = select(_b.c.record_id).where(
    _b.c.log_id == bindparam("log_id"),
    _b.c.digest == bindparam("digest"),
    _b.c.record_id == bindparam("record_id"),
    _b.c.subject == bindparam("subject"),
)
