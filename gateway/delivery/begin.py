"""Lease a delivery and seal the intention: after this commit its first byte may go, and not before (P1).

Everything the turn was judged on is looked at again under the log's head: the agreement's standing, the referral, the
endpoint and what it declares, the client, the deliveries before it, and the decision itself. So whatever was suspended,
ended, removed, revoked, retracted or erased until this instant stops it, also between the look and the lease.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, delete, func, select, update

from audit.entry import Operation, Recipient, timestamp
from gateway.delivery.channel import Reason
from gateway.delivery.content import Content
from gateway.delivery.deliveries import is_free, is_open, of_case
from gateway.delivery.endpoints import Registered, registered_of
from gateway.delivery.handing import OF_REFERRAL, Waiting, hand_over, take_back
from gateway.delivery.leases import LEASE, leased, times
from gateway.delivery.letters import Letter
from gateway.delivery.turn import Do, Turn
from gateway.evidence import Caller, Event, act
from gateway.sealing import decided_again
from gateway.store import tables
from gateway.store.batch import Batch, DecideAgain, Unit
from gateway.store.records import subject_of
from gateway.store.waiting_deliveries import new_row
from gateway.terms import Standing
from gateway.tokens.scopes import Scope


@dataclass(frozen=True, slots=True)
class Begin(Unit[int | None]):
    """Lease and seal; returns the number of the try, None where nothing is to be sent.

    `rows` are the deliveries of the case as they were judged, `turn` what came of it, `letter` what is sent. `now` is
    the courier's time, which leases run by. Raises DecideAgain where anything changed since.
    """

    registered: Registered
    delivery_id: str
    rows: Sequence[Row[Any]]
    turn: Turn
    content: Content | None
    letter: Letter | None
    caller: Caller
    standing: Standing
    now: datetime

    @property
    def referrals(self) -> Sequence[str]:
        """The referral that must not have changed."""
        return (self.content.row.id,) if self.content else ()

    def apply(self, batch: Batch) -> int | None:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        own = next(one for one in self.rows if one.id == self.delivery_id)
        if not self._may_begin(batch):
            return None
        rows = of_case(batch.read, self.registered.id, own.referral_id)
        if list(map(_state, rows)) != list(map(_state, self.rows)):
            raise DecideAgain("the deliveries of the referral changed")
        found = next((one for one in rows if one.id == own.id), None)
        if found is None or not is_open(found) or not is_free(found, self.now):
            return None
        told = batch.read(_TOLD_OF, {"id": own.id})
        if self.content is not None:
            batch.same_referral(self.content.row.id, self.content.row.version)
            decided_again(self.content.facts, self.content.decision, self.standing.terms, batch.now)
        return self._do(batch, found, told)

    def _may_begin(self, batch: Batch) -> bool:
        """Whether the endpoint stands as it did, its client too, and its circuit lets one through."""
        row = next(iter(batch.read(_ENDPOINT, {"id": self.registered.id, **times(self.now)})), None)
        if row is None:
            return False
        found = registered_of(row)
        if found.endpoint != self.registered.endpoint:
            raise DecideAgain("the endpoint changed")
        if found.circuit.is_open(self.now) or (found.circuit.is_probing and row.on_the_way):
            return False
        client = next(iter(batch.read(_CLIENT, {"id": found.client})), None)
        return client is not None and client.revoked_at is None and Scope.REFERRAL_READ.value in client.scopes

    def _do(self, batch: Batch, own: Row[Any], told: Sequence[Row[Any]]) -> int | None:
        do, why = self.turn.do, self.turn.why or ""
        if self.turn.settles:
            for row in told:
                take_back(batch, Waiting.of(row))
        if do is Do.FORGET:
            batch.update(_FORGET, {"of": own.id})
        elif do is Do.STOP:
            batch.update(_STOP, {"of": own.id, "at": batch.at, "why": why})
        elif do is Do.HAND_OVER:
            for row in told:
                hand_over(batch, Waiting.of(row), self.standing, self.caller, why, attempt=own.attempts)
        elif self.content is not None and self.letter is not None and self.turn.reason is not None:
            return self._send(batch, own, self.content, self.letter, self.turn.reason)
        return None

    def _send(self, batch: Batch, own: Row[Any], content: Content, letter: Letter, reason: Reason) -> int:
        attempt = 1 if self.turn.replaces or self.turn.do is Do.SEND else own.attempts + 1
        batch.seal(self._entry(batch, content, letter, reason, attempt))
        if self.turn.do is Do.AGAIN:
            batch.update(_LEASE, {"of": own.id, "tried": attempt, "until": timestamp(self.now + LEASE)})
            return attempt
        if self.turn.replaces:
            batch.update(_STOP, {"of": own.id, "at": batch.at, "why": "superseded"})
            fresh = new_row(self.registered.id, own.referral_id, batch.log_id, own.number + 1, batch.at)
            batch.insert(tables.delivery, {**fresh, "id": letter.parcel})
        batch.update(
            _WRITE,
            {
                "of": letter.parcel,
                "tried": attempt,
                "until": timestamp(self.now + LEASE),
                "why": reason.value,
                "instead": self.turn.supersedes,
                "held": content.row.record_id,
                "at_version": content.row.version,
                "said": content.digest,
                "bytes": letter.content,
                "by_key": letter.content_key,
            },
        )
        return attempt

    def _entry(self, batch: Batch, content: Content, letter: Letter, reason: Reason, attempt: int) -> Any:  # noqa: ANN401 - an entry
        row, endpoint = content.row, self.registered.endpoint
        detail: dict[str, str | int] = {
            "delivery": letter.parcel,
            "try": attempt,
            "endpoint": endpoint.id,
            "channel": endpoint.channel,
            "why": reason.value,
            "version": row.version,
        }
        about = {"subjects": (subject_of(row.record_id, row.victim),), "record": row.record_id, "case": row.id}
        if reason is not Reason.CANCEL:
            return act(
                Event.REFERRAL_DELIVERED,
                Operation.DISCLOSURE,
                at=batch.at,
                caller=self.caller,
                decision=content.decision,
                facts=content.facts,
                mapping=row.mapping,
                detail=detail,
                **about,
            )
        entry = act(
            Event.REFERRAL_RECALLED,
            Operation.ALTERATION,
            at=batch.at,
            caller=self.caller,
            agreement=self.standing.agreement_ref,
            reason="entered-in-error" if content.withdrawn else content.decision.reason.value,
            detail=detail,
            **about,
        )
        return entry._replace(recipients=(Recipient(row.organisation, row.team),))


def _state(row: Row[Any]) -> tuple[Any, ...]:
    """What of a delivery a turn was judged on."""
    closed = (row.acknowledged_at, row.stopped_at, row.given_up_at, row.doubts)
    return (row.id, row.attempts, row.reason, row.leased_until, row.next_at, *closed)


_d, _e, _c, _r = tables.delivery, tables.endpoint, tables.client, tables.referral
_on_the_way = (
    select(func.count())
    .select_from(_d)
    .where(_d.c.endpoint_id == _e.c.id, leased(_d.c))
    .correlate(_e)
    .scalar_subquery()
)
_ENDPOINT = select(_e, _on_the_way.label("on_the_way")).where(_e.c.id == bindparam("id"), _e.c.removed_at.is_(None))
_CLIENT = select(_c.c.revoked_at, _c.c.scopes).where(_c.c.id == bindparam("id"))
_TOLD_OF = select(_d, *OF_REFERRAL).join(_r, _r.c.id == _d.c.referral_id).where(_d.c.id == bindparam("id"))


def _change(**values: Any) -> Any:  # noqa: ANN401 - bound values, and SQLAlchemy's statement
    return update(_d).where(_d.c.id == bindparam("of")).values(values)


_LEASE = _change(attempts=bindparam("tried"), leased_until=bindparam("until"), next_at=None, doubts=_d.c.doubts + 1)
_WRITE = _change(
    attempts=bindparam("tried"),
    leased_until=bindparam("until"),
    next_at=None,
    doubts=1,
    reason=bindparam("why"),
    supersedes=bindparam("instead"),
    record_id=bindparam("held"),
    version=bindparam("at_version"),
    digest=bindparam("said"),
    content=bindparam("bytes"),
    content_key=bindparam("by_key"),
)
_STOP = _change(stopped_at=bindparam("at"), failure=bindparam("why"), leased_until=None, content=None, content_key=None)
_FORGET = delete(_d).where(_d.c.id == bindparam("of"))
