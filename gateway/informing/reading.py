"""Police read what became of their requests: each item after a cursor, decided again, minimised and sealed.

What was released and may go no more, its consent ended or withdrawn, the agreement suspended, leaves no trace in the
answer. Refused and not held are told as codes; they are the answer to a request, and hold nothing of anybody.

Source: domain.md sections 3.6, 4.5 (N2, N15), 4.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import orjson
from sqlalchemy import Connection, Row, Select, bindparam, select, update

from audit.entry import Operation, timestamp
from audit.receipt import Receipt
from gateway.callers import check_person
from gateway.decide import Decision, Facts, Outcome, decide_on, facts_of
from gateway.decision import Reason
from gateway.evidence import Caller, Event, act
from gateway.feeds import Page, page_of
from gateway.informing import VICTIM_INFORMATION
from gateway.informing.keeping import How
from gateway.informing.request import asking_recipient
from gateway.minimise import minimise
from gateway.nothing_given import nothing_found
from gateway.pulled import Asking, Leaving, Pulled, acknowledge, pull, seal
from gateway.services import Services
from gateway.store import tables
from gateway.store.batch import Batch, DecideAgain, Unit
from gateway.terms import Standing
from gateway.ties import ties_of
from gateway.under_agreement import decided, log_of, missed, standing_of
from mappings.record import ConsentState, Record, RecordKind, Source


@dataclass(frozen=True, slots=True)
class Told:
    """One answered item as police may have it: decided and minimised, not yet sealed."""

    row: Row[Any]
    facts: Facts
    decision: Decision
    record: Record | None

    def said(self) -> dict[str, Any]:
        """The answer as police read it."""
        row = self.row
        found: dict[str, Any] = {
            "request": row.request_id,
            "item": row.number,
            "asked": row.item,
            "answer": row.state,
            "reason": row.reason,
            "at": row.answered_at,
            "cursor": row.seq,
        }
        if self.record is not None:
            found["record"] = self.record.model_dump(mode="json", exclude_defaults=True)
        return found


async def read_answers(services: Services, caller: Caller, *, after: int, limit: int) -> Pulled[Told]:
    """What became of a force's requests after a cursor. Raises NotPermitted, Busy, NotSealed."""

    def find(asking: Asking) -> Page[Told]:
        of = {"log": asking.log_id, "own": caller.organisation}

        def rows(at: int, most: int) -> Sequence[Row[Any]]:
            return asking.connection.execute(_FEED, {**of, "after": at, "most": most}).all()

        return page_of(rows, partial(_decided, asking, datetime.now(UTC)), after=after, limit=limit)

    return await pull(
        services, caller, asking_recipient, find, lambda page, standing: ReadAnswers(page, caller, standing)
    )


async def read_request(
    services: Services, caller: Caller, request: str
) -> tuple[Row[Any], Sequence[Row[Any]], Receipt]:
    """Where one of a force's own requests stands, by codes and clocks. Raises NotFound, NotPermitted, NotSealed."""
    log_id = await log_of(services, caller)

    async def attempt() -> tuple[Row[Any], Sequence[Row[Any]], Receipt]:
        standing = await standing_of(services, log_id)
        check_person(standing, asking_recipient(standing.terms, caller.organisation), caller)

        def find(connection: Connection) -> tuple[Row[Any], Sequence[Row[Any]]] | None:
            asked = {"log": log_id, "own": caller.organisation, "id": request}
            row = connection.execute(_REQUEST, asked).one_or_none()
            return None if row is None else (row, connection.execute(_STATES, {"of": request}).all())

        found = await services.database.read(find)
        if found is None:
            raise await missed(services, caller, log_id, Event.INFORMATION_READ, "there is no such request")
        row, items = found
        return row, items, (await services.journals.of(log_id).submit(_Looked(caller, standing, row))).receipt

    return await decided(services, caller, log_id, attempt)


async def acknowledge_answers(services: Services, caller: Caller, through: int) -> tuple[int, Receipt]:
    """Note that a force has taken its answers up to a cursor; returns how many that were. Raises NotPermitted."""

    def noting(_: str, standing: Standing) -> AcknowledgeAnswers:
        return AcknowledgeAnswers(through, caller, standing)

    return await acknowledge(services, caller, asking_recipient, noting)


def _decided(asking: Asking, now: datetime, rows: Sequence[Row[Any]]) -> list[Told]:
    """Those of the rows that may go, each minimised for whoever asks."""
    released = [row.answer_id for row in rows if row.state == How.RELEASED and row.answer_id is not None]
    loaded = asking.records.load(asking.connection, released)
    ties = ties_of(asking.connection.execute, asking.caller, asking.log_id, rows)
    found: list[Told] = []
    for row in rows:
        answer = loaded.get(row.answer_id) if row.answer_id else None
        if row.state == How.RELEASED and (answer is None or expired(row, now)):
            continue
        source = Source(organisation=row.organisation)
        record = answer or Record(kind=RecordKind.STATUS, source=source, area=row.area)
        facts = _of_referral(facts_of(record, now), row)
        facts = facts.asked_by(ties.relationship(row), None, facts.hours_since_event)
        decision = decide_on(facts, asking.recipient, VICTIM_INFORMATION, asking.standing.terms, now)
        if answer is None and decision.reason in _MAY_HEAR:
            found.append(Told(row, facts, decision, None))
        elif answer is not None and decision.outcome is Outcome.PERMITTED:
            found.append(Told(row, facts, decision, minimise(answer, decision)))
    return found


_MAY_HEAR = frozenset({Reason.CLAUSE, Reason.NO_CLAUSE, Reason.NOTHING_RELEASED})
"""Whoever the agreement leads the flow to hears that an item is refused or not held: nothing of anybody is in that."""


def expired(row: Row[Any], now: datetime) -> bool:
    """Whether the consent that an answer was released on has ended."""
    return row.expires_at is not None and row.expires_at <= timestamp(now)


def _of_referral(facts: Facts, row: Row[Any]) -> Facts:
    """What she withdrew of the referral as a whole, she withdrew of this too (domain.md section 4.6)."""
    referral = Facts.from_json(orjson.loads(row.facts))
    withdrawn = referral.consent == ConsentState.WITHDRAWN
    return replace(facts, grade=referral.grade, consent=ConsentState.WITHDRAWN.value if withdrawn else facts.consent)


@dataclass(frozen=True, slots=True)
class ReadAnswers(Unit[None]):
    """Seal that answers leave for police: an entry for each, or one that there was nothing."""

    page: Page[Told]
    caller: Caller
    standing: Standing

    @property
    def referrals(self) -> Sequence[str]:
        """The referrals that must not have changed."""
        return [one.row.id for one in self.page.shown]

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        told = self.page.shown
        ids = [one.row.request_id for one in told]
        stands = {(row.request_id, row.number): row.seq for row in batch.read(_SAME, {"ids": ids})} if ids else {}
        if not told:
            batch.seal(nothing_found(batch, self.caller, self.standing, "information-answers"))
        for one in told:
            row = one.row
            batch.same_referral(row.id, row.referral_version)
            if stands.get((row.request_id, row.number)) != row.seq or expired(row, batch.now):
                raise DecideAgain("the answer changed")
            self._seal(batch, one)

    def _seal(self, batch: Batch, one: Told) -> None:
        row = one.row
        how = Leaving(
            Event.INFORMATION_READ,
            record=row.answer_id,
            case=row.id,
            reason=None if one.record is not None else row.state,
            detail={"request": row.request_id, "item": row.number, "cursor": row.seq},
        )
        seal(batch, self.caller, self.standing, one, how)


@dataclass(frozen=True, slots=True)
class AcknowledgeAnswers(Unit[int]):
    """Note that a force has taken every answer up to a cursor; returns how many it had not acknowledged before."""

    through: int
    caller: Caller
    standing: Standing

    def apply(self, batch: Batch) -> int:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        of = {"log": batch.log_id, "own": self.caller.organisation, "through": self.through}
        count = len(batch.read(_UNTAKEN, of))
        batch.update(_TAKE, {**of, "at": batch.at})
        batch.seal(
            act(
                Event.INFORMATION_ACKNOWLEDGED,
                Operation.CONSULTATION,
                at=batch.at,
                caller=self.caller,
                agreement=self.standing.agreement_ref,
                detail={"through": self.through, "answers": count},
            )
        )
        return count


@dataclass(frozen=True, slots=True)
class _Looked(Unit[None]):
    """Seal that a force looked where its own request stands."""

    caller: Caller
    standing: Standing
    row: Row[Any]

    def apply(self, batch: Batch) -> None:
        batch.seal(
            act(
                Event.INFORMATION_REQUEST_READ,
                Operation.CONSULTATION,
                at=batch.at,
                caller=self.caller,
                agreement=self.standing.agreement_ref,
                case=self.row.referral_id,
                detail={"request": self.row.id},
            )
        )


_q, _i, _r = tables.information_request, tables.information_item, tables.referral
_FEED: Select[Any] = (
    select(
        _i.c.request_id,
        _i.c.number,
        _i.c.item,
        _i.c.state,
        _i.c.reason,
        _i.c.seq,
        _i.c.expires_at,
        _i.c.answered_at,
        _i.c.record_id.label("answer_id"),
        _q.c.organisation,
        _r.c.id,
        _r.c.event_id,
        _r.c.record_id,
        _r.c.victim,
        _r.c.area,
        _r.c.facts,
        _r.c.assigned_to,
        _r.c.version.label("referral_version"),
    )
    .join(_q, _q.c.id == _i.c.request_id)
    .join(_r, _r.c.id == _q.c.referral_id)
    .where(
        _i.c.log_id == bindparam("log"),
        _q.c.force == bindparam("own"),
        _i.c.seq > bindparam("after"),
        _r.c.erased_at.is_(None),
    )
    .order_by(_i.c.seq)
    .limit(bindparam("most"))
)
_SAME = select(_i.c.request_id, _i.c.number, _i.c.seq).where(_i.c.request_id.in_(bindparam("ids", expanding=True)))
_REQUEST = select(_q).where(_q.c.log_id == bindparam("log"), _q.c.force == bindparam("own"), _q.c.id == bindparam("id"))
_STATES = select(_i).where(_i.c.request_id == bindparam("of")).order_by(_i.c.number)
_taken = (
    (_i.c.log_id == bindparam("log"))
    & (_i.c.seq <= bindparam("through"))
    & _i.c.acknowledged_at.is_(None)
    & _i.c.request_id.in_(select(_q.c.id).where(_q.c.log_id == bindparam("log"), _q.c.force == bindparam("own")))
)
_UNTAKEN = select(_i.c.seq).where(_taken)
_TAKE = update(_i).where(_taken).values(acknowledged_at=bindparam("at"))
