"""What is to be pushed: planned from the feed, leased, sealed before it goes, and settled after.

    Plan     the words a force has not been pushed become deliveries, in the order of the feed
    Begin    lease one, decide again, seal the disclosure: after this commit its first byte may go
    Finish   it arrived, or not: acknowledge, wait for the next try, or put it in front of a human

A word whose lease ran out goes again under the same delivery id, by which the receiver knows it. A later word of an
incident waits for an earlier one, until that arrived, was fetched or given up.

Source: design.md section 8; domain.md section 1.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, exists, func, select, update

from audit.entry import Entry, Operation, Outcome, Recipient, timestamp
from gateway.chance import fresh_id
from gateway.decide import Outcome as Ruled
from gateway.delivery.fault import NotDelivered
from gateway.delivery.leases import LEASE, free, still_open, times
from gateway.delivery.policy import TRIES, wait_after
from gateway.evidence import Caller, Event, act
from gateway.feedback import Telling, decided_now
from gateway.notices import Kind, Matter, due_by_grade, tell
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.store.records import subject_of
from gateway.terms import Standing
from gateway.webhook.endpoints import Endpoint, Pushed

_PLANNED_AT_ONCE = 200
_NO_ITEMS: frozenset[str] = frozenset()
"""The items of a push that says only that there are words: it carries none, and is a disclosure all the same."""


@dataclass(frozen=True, slots=True)
class Plan(Unit[int]):
    """Make deliveries of the words after those planned already; returns how many. Seals nothing: nothing leaves."""

    endpoint: Endpoint
    force: str
    recipient: str

    def apply(self, batch: Batch) -> int:  # noqa: D102 - said by Unit.apply
        own = batch.read(_ENDPOINT, {"id": self.endpoint.id})
        if not own:
            return 0
        asked = {"log": batch.log_id, "force": self.force, "after": own[0].planned_seq, "most": _PLANNED_AT_ONCE}
        rows = batch.read(_NEW_WORDS, asked)
        for row in rows:
            batch.insert(
                tables.outbox,
                {
                    "id": fresh_id(),
                    "log_id": batch.log_id,
                    "referral_id": row.referral_id,
                    "record_id": row.record_id,
                    "recipient": self.recipient,
                    "event": "feedback",
                    "created_at": batch.at,
                    "endpoint_id": self.endpoint.id,
                    "event_id": row.event_id,
                    "seq": row.seq,
                    "attempts": 0,
                },
            )
        if rows:
            batch.update(_PLANNED, {"of": self.endpoint.id, "to": rows[-1].seq})
        return len(rows)


def unplanned(connection: Connection, endpoint: Endpoint, force: str) -> bool:
    """Whether there are words that no delivery was made of."""
    asked = {"log": endpoint.log_id, "force": force, "after": endpoint.planned, "most": 1}
    return connection.execute(_NEW_WORDS, asked).first() is not None


def next_due(connection: Connection, endpoint: Endpoint, now: datetime) -> Row[Any] | None:
    """The delivery whose turn it is: waiting, not leased, and no earlier one of its incident still waits."""
    return connection.execute(_DUE, {"endpoint": endpoint.id, **times(now)}).one_or_none()


@dataclass(frozen=True, slots=True)
class Begin(Unit[int | None]):
    """Lease a delivery and seal the disclosure; returns the number of the try, None where nothing is to be sent.

    `telling` is the word as it may go, None where it may not. `now` is the courier's time, which leases run by.
    """

    endpoint: Endpoint
    delivery_id: str
    telling: Telling | None
    caller: Caller
    standing: Standing
    now: datetime

    @property
    def referrals(self) -> Sequence[str]:
        """The referral that must not have changed, so that no word of what is erased by now is pushed."""
        return (self.telling.row.referral_id,) if self.telling else ()

    def apply(self, batch: Batch) -> int | None:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        row = next(iter(batch.read(_ONE, {"id": self.delivery_id, **times(self.now)})), None)
        if row is None:
            return None
        if row.fetched_at is not None:
            batch.update(_SETTLE, {"of": row.id, "at": row.fetched_at})
            return None
        tried = row.attempts or 0
        if tried >= TRIES:  # the last try never reported: its gateway stopped
            give_up(batch, row, self.caller, self.standing, "no-report")
            return None
        if not self._may_go(batch):
            batch.update(_STOP, {"of": row.id, "at": batch.at})
            return None
        self._seal(batch, tried + 1)
        leased = {"of": row.id, "tried": tried + 1, "until": timestamp(self.now + LEASE)}
        batch.update(_LEASE, leased)
        return tried + 1

    def _may_go(self, batch: Batch) -> bool:
        one = self.telling
        if one is None:
            return False
        return decided_now(batch, one, self.standing).outcome is Ruled.PERMITTED

    def _seal(self, batch: Batch, attempt: int) -> None:
        one = self.telling
        if one is None:
            raise TypeError("nothing is sealed of what may not go")
        decision = one.decision
        if self.endpoint.content is Pushed.REFERENCE:
            decision = decision.narrow(_NO_ITEMS)
        entry = act(
            Event.FEEDBACK_PUSHED,
            Operation.DISCLOSURE,
            at=batch.at,
            caller=self.caller,
            decision=decision,
            facts=one.facts,
            subjects=(subject_of(one.row.record_id, "victim-1"),),
            record=one.row.record_id,
            case=one.row.referral_id,
            detail={"delivery": self.delivery_id, "try": attempt, "content": self.endpoint.content.value},
        )
        batch.seal(entry)


@dataclass(frozen=True, slots=True)
class Finish(Unit[bool]):
    """Settle a try: it arrived (`fault` None), or it did not. Returns whether the delivery is over."""

    endpoint: Endpoint
    delivery_id: str
    attempt: int
    fault: NotDelivered | None
    caller: Caller
    standing: Standing
    now: datetime

    def apply(self, batch: Batch) -> bool:  # noqa: D102 - said by Unit.apply
        row = next(iter(batch.read(_OPEN, {"id": self.delivery_id})), None)
        if row is None:
            return True
        if self.fault is None:
            return self._arrived(batch, row)
        if row.attempts != self.attempt:  # its lease ran out, and another gateway has the word now
            return False
        wait = wait_after(self.fault, self.attempt)
        if wait is None:
            give_up(batch, row, self.caller, self.standing, self.fault.code, attempt=self.attempt)
            return True
        next_at = timestamp(self.now + wait)
        batch.update(_WAIT, {"of": row.id, "next": next_at, "why": self.fault.code})
        batch.seal(_failed(batch, row, self.caller, self.standing, self.fault.code, {"try": self.attempt}))
        return False

    def _arrived(self, batch: Batch, row: Row[Any]) -> bool:
        batch.update(_SETTLE, {"of": row.id, "at": batch.at})
        if self.endpoint.content is Pushed.WORDS:
            batch.update(_ACKNOWLEDGE_WORD, {"log": batch.log_id, "word": row.seq, "at": batch.at})
        detail = {"delivery": row.id, "try": self.attempt, "content": self.endpoint.content.value}
        batch.seal(
            act(
                Event.PUSH_DELIVERED,
                Operation.CONSULTATION,
                at=batch.at,
                caller=self.caller,
                agreement=self.standing.agreement_ref,
                record=row.record_id,
                case=row.referral_id,
                detail=detail,
            )
        )
        return True


def give_up(batch: Batch, row: Row[Any], caller: Caller, standing: Standing, why: str, *, attempt: int = TRIES) -> None:
    """Put a word that did not arrive in front of the team that said it, with a clock (P6). It stays to be pulled."""
    batch.update(_GIVE_UP, {"of": row.id, "at": batch.at, "why": why})
    batch.seal(_failed(batch, row, caller, standing, why, {"try": attempt, "given_up": 1}))
    matter = Matter(Kind.UNDELIVERED, row.event_id, row.referral_id, row.record_id, why)
    due = due_by_grade(standing.terms, row.grade, batch.now)
    team = Recipient(row.organisation, row.team)
    tell(batch, matter, [team], due=due, caller=None, agreement=standing.agreement)


def _failed(
    batch: Batch, row: Row[Any], caller: Caller, standing: Standing, why: str, detail: dict[str, str | int]
) -> Entry:
    return act(
        Event.PUSH_FAILED,
        Operation.ADMINISTRATION,
        at=batch.at,
        caller=caller,
        outcome=Outcome.FAILED,
        agreement=standing.agreement_ref,
        record=row.record_id,
        case=row.referral_id,
        reason=why,
        detail={"delivery": row.id, **detail},
    )


_o, _f, _r, _e = tables.outbox, tables.feedback, tables.referral, tables.webhook_endpoint
_ENDPOINT = select(_e.c.planned_seq).where(_e.c.id == bindparam("id"), _e.c.removed_at.is_(None))
_NEW_WORDS = (
    select(_f.c.seq, _f.c.referral_id, _f.c.record_id, _r.c.event_id)
    .join(_r, _r.c.id == _f.c.referral_id)
    .where(_f.c.log_id == bindparam("log"), _f.c.force == bindparam("force"), _f.c.seq > bindparam("after"))
    .order_by(_f.c.seq)
    .limit(bindparam("most"))
)
_PLANNED = update(_e).where(_e.c.id == bindparam("of")).values(planned_seq=bindparam("to"))

_open, _free = still_open(_o.c), free(_o.c)
_earlier = tables.outbox.alias("earlier")
_first = ~exists().where(
    _earlier.c.endpoint_id == _o.c.endpoint_id,
    _earlier.c.event_id == _o.c.event_id,
    _earlier.c.seq < _o.c.seq,
    still_open(_earlier.c),
)
_DUE: Any = (
    select(_o.c.id, _o.c.seq)
    .where(_o.c.endpoint_id == bindparam("endpoint"), _open, _free, _first)
    .order_by(func.coalesce(_o.c.next_at, ""), _o.c.seq)
    .limit(1)
)
"""What was never tried goes before what is tried again: a word that keeps failing holds up no other incident's."""
_OPEN = (
    select(_o, _r.c.organisation, _r.c.team, _r.c.grade, _f.c.acknowledged_at.label("fetched_at"))
    .join(_r, _r.c.id == _o.c.referral_id)
    .outerjoin(_f, and_(_f.c.log_id == _o.c.log_id, _f.c.seq == _o.c.seq))
    .where(_o.c.id == bindparam("id"), _open)
)
_ONE = _OPEN.where(_free, _first)


def _change(**values: Any) -> Any:  # noqa: ANN401 - bound values, and SQLAlchemy's statement
    return update(_o).where(_o.c.id == bindparam("of")).values(values)


_LEASE = _change(attempts=bindparam("tried"), leased_until=bindparam("until"), next_at=None)
_WAIT = _change(next_at=bindparam("next"), leased_until=None, failure=bindparam("why"))
_SETTLE = _change(acknowledged_at=bindparam("at"), leased_until=None)
_STOP = _change(stopped_at=bindparam("at"), leased_until=None)
_GIVE_UP = _change(given_up_at=bindparam("at"), leased_until=None, failure=bindparam("why"))
_ACKNOWLEDGE_WORD = (
    update(_f)
    .where(_f.c.log_id == bindparam("log"), _f.c.seq == bindparam("word"), _f.c.acknowledged_at.is_(None))
    .values(acknowledged_at=bindparam("at"))
)
