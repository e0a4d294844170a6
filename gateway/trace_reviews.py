"""What a person of the NHS side decides about a trace: both sides as the agreement lets them be seen, and their word.

    read_traces   what waits for the caller's team, by its clock, and nobody's name
    read_trace    the victim, or a child of hers, as police described them, and the patient PDS found
    decide_trace  the same person; somebody else; ask again; seen, and traced by other means

Both sides pass decide and minimise as one disclosure to the caller's team, sealed as combination before it is shown.
Whoever is not of an NHS party, or has no referral of hers, finds nothing here. Where anybody of the household is
restricted, nothing PDS said of where they live is shown. A number stands because of a person's word only where PDS says
that it is verified; otherwise it keeps the status PDS gave it, and files itself nowhere.

Source: domain.md sections 2.1, 2.6, 4.5 (N5, N15), 4.7 (human review with side-by-side); DPA 2018 s.62(1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from audit.entry import Operation
from audit.receipt import Receipt
from gateway.callers import check_named, check_recipient
from gateway.decide import Decision, Facts, decide_on
from gateway.decide import Outcome as Ruled
from gateway.disclosure import judged_of
from gateway.errors import NotFound, NotPermitted, Unprocessable
from gateway.evidence import Caller, Event, act
from gateway.intake import SAFEGUARDING
from gateway.minimise import minimise
from gateway.nothing_given import Missed
from gateway.reading_log import Look
from gateway.services import Services
from gateway.settings import Environment
from gateway.store import tables
from gateway.store.batch import Batch, DecideAgain, Unit
from gateway.store.envelope import Sealed
from gateway.store.journal import Committed
from gateway.store.records import Records, subject_of
from gateway.store.traced import PATIENT_MATCH, SHOWN, Candidate, Sought, State
from gateway.terms import Standing, agreement_ref
from gateway.ties import ties_of
from gateway.tracing.bands import TEST_NUMBERS, VERIFIED
from gateway.tracing.children import may_know
from gateway.tracing.steps import TRACE_REQUIRED, Answered, change, settled
from gateway.under_agreement import decided, log_of, standing_of
from mappings.items import present
from mappings.record import Person, Record, RecordKind


class Word(StrEnum):
    """What a person says of a trace."""

    SAME = "same"
    DIFFERENT = "different"
    AGAIN = "again"  # ask PDS once more
    NOTED = "noted"  # nobody was found: she is traced by other means, or not at all


OF_STATE: Mapping[State, frozenset[Word]] = {
    State.REVIEW: frozenset({Word.SAME, Word.DIFFERENT}),
    **{
        state: frozenset({Word.AGAIN, Word.NOTED})
        for state in (State.UNMATCHED, State.FAILED, State.UNASKABLE, State.DIFFERENT)
    },
}
"""What may be said of a trace in each state; in any other, nothing."""


@dataclass(frozen=True, slots=True)
class Sides:
    """A trace, the referral it is seen through, what was decided, and both people as they may be seen."""

    row: Row[Any]
    referral: Row[Any]
    facts: Facts
    decision: Decision
    candidate: Candidate | None
    meant: Person | None
    found: Person | None


async def read_traces(services: Services, caller: Caller) -> tuple[Sequence[Row[Any]], Receipt]:
    """What waits for the caller's team, the one due first at the top. Raises NotPermitted, Busy, NotSealed."""
    log_id = await log_of(services, caller)

    async def attempt() -> tuple[Sequence[Row[Any]], Receipt]:
        standing = await standing_of(services, log_id)
        _check(standing, caller)
        rows = await services.database.read(lambda c: _waiting(c, caller, standing, log_id))
        committed = await services.journals.of(log_id).submit(Look(caller, {"traces": len(rows)}, Event.TRACE_READ))
        return rows, committed.receipt

    return await decided(services, caller, log_id, attempt)


async def read_trace(services: Services, caller: Caller, trace_id: str) -> tuple[Sides, Receipt]:
    """One of them, both sides. Raises NotFound, NotPermitted, Busy, NotSealed."""
    log_id = await log_of(services, caller)

    async def attempt() -> tuple[Sides, Receipt]:
        standing, sides = await _sides(services, caller, log_id, trace_id)
        committed = await services.journals.of(log_id).submit(Show(sides, caller, standing))
        return sides, committed.receipt

    return await decided(services, caller, log_id, attempt)


async def decide_trace(services: Services, caller: Caller, trace_id: str, word: Word) -> tuple[str, Receipt]:
    """Say what it is; returns the state it led to. Raises NotFound, Unprocessable, NotPermitted, Busy, NotSealed."""
    log_id = await log_of(services, caller)

    async def attempt() -> Committed[str]:
        standing, sides = await _sides(services, caller, log_id, trace_id)
        production = services.settings.environment is Environment.PRODUCTION
        candidate = sides.candidate.number_alone() if sides.candidate is not None else None
        kept = services.records.traced.seal(trace_id, candidate) if candidate is not None else None
        unit = DecideTrace(sides, word, caller, standing, services.records, production, kept)
        return await services.journals.of(log_id).submit(unit)

    committed = await decided(services, caller, log_id, attempt)
    return committed.value, committed.receipt


async def _sides(services: Services, caller: Caller, log_id: str, trace_id: str) -> tuple[Standing, Sides]:
    """A trace as the caller may see it. Raises NotFound, sealed, NotPermitted."""
    standing = await standing_of(services, log_id)
    _check(standing, caller)

    def find(connection: Connection) -> Sides | None:
        return _find(connection, services.records, caller, standing, log_id, trace_id)

    sides = await services.database.read(find)
    if sides is None:
        await services.journals.of(log_id).submit(Missed(caller, Event.TRACE_READ))
        raise NotFound("there is no such trace")
    return standing, sides


def _check(standing: Standing, caller: Caller) -> None:
    """Raise NotPermitted unless a named person of an NHS party's team asks."""
    check_recipient(standing, caller)
    check_named(caller)
    content = standing.terms.agreement.content if standing.terms else None
    if content is None or not any(p.is_nhs and p.organisation == caller.organisation for p in content.parties):
        raise NotPermitted("an NHS number is for the NHS side", reason="not-nhs")


def _waiting(connection: Connection, caller: Caller, standing: Standing, log_id: str) -> Sequence[Row[Any]]:
    """What waits for the caller's team; of children only where it may know whose number it is."""
    rows = connection.execute(_WAITING, _whose(caller, log_id)).all()
    events = sorted({row.event_id for row in rows if row.child})
    if not events:
        return rows
    asked = _whose(caller, log_id) | {"events": events}
    now = datetime.now(UTC)
    told = {(one.event_id, one.victim) for one in connection.execute(_OF_EVENTS, asked) if may_know(one, standing, now)}
    return [row for row in rows if not row.child or (row.event_id, row.victim) in told]


def _find(
    connection: Connection, records: Records, caller: Caller, standing: Standing, log_id: str, trace_id: str
) -> Sides | None:
    row = connection.execute(_ONE, {"log": log_id, "id": trace_id}).one_or_none()
    # What is not there costs the same questions as what is not the caller's (P8).
    of = {"event": row.event_id, "victim": row.victim} if row is not None else {"event": trace_id, "victim": ""}
    referral = connection.execute(_REFERRAL, {**_whose(caller, log_id), **of}).first()
    if row is None or referral is None or (row.child and not may_know(referral, standing, datetime.now(UTC))):
        return None
    sought, candidate = Sought.of(row), records.traced.open(row)
    shown = SHOWN[sought.role]
    if candidate is not None and referral.label is not None:
        candidate = candidate.unplaced()
    other = _as_record(candidate.person, sought) if candidate is not None else None
    facts, _ = judged_of(referral, standing, ties_of(connection.execute, caller, log_id, [referral]), datetime.now(UTC))
    if other is not None:
        facts = replace(facts, items=tuple(sorted({*facts.items, *(present(other) & shown)})))
    decision = decide_on(facts, referral.team, SAFEGUARDING, standing.terms, datetime.now(UTC)).narrow(shown)
    if decision.outcome is not Ruled.PERMITTED:
        return None
    record = records.load(connection, [row.record_id]).get(row.record_id)
    meant = sought.within(minimise(record.for_victim(row.victim), decision)) if record is not None else None
    found = sought.within(minimise(other, decision)) if other is not None else None
    return Sides(row, referral, facts, decision, candidate, meant, found)


def _as_record(person: Person, sought: Sought) -> Record:
    """The patient who was found, as something a decision can be applied to; it is kept nowhere."""
    named = person.model_copy(update={"ref": sought.ref, "role": sought.role})
    return Record(kind=RecordKind.NOTICE, people=(named,))


@dataclass(frozen=True, slots=True)
class Show(Unit[None]):
    """Seal that two people were shown next to each other."""

    sides: Sides
    caller: Caller
    standing: Standing

    @property
    def referrals(self) -> Sequence[str]:
        """The referral that must not have changed."""
        return (self.sides.referral.id,)

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        row, referral, sides = self.sides.row, self.sides.referral, self.sides
        sought = Sought.of(row)
        batch.same_referral(referral.id, referral.version)
        again = decide_on(sides.facts, referral.team, SAFEGUARDING, self.standing.terms, batch.now)
        again = again.narrow(SHOWN[sought.role])
        if again.ruling != sides.decision.ruling:
            raise DecideAgain("the decision came out otherwise at the instant of sealing")
        batch.seal(
            act(
                Event.TRACE_READ,
                Operation.COMBINATION,
                at=batch.at,
                caller=self.caller,
                decision=sides.decision,
                facts=sides.facts,
                subjects=(subject_of(row.record_id, sought.ref),),
                record=row.record_id,
                case=referral.id,
                mapping=referral.mapping,
                detail={"types": PATIENT_MATCH[sought.role], "trace": row.id, "state": row.state},
            )
        )


@dataclass(frozen=True, slots=True)
class DecideTrace(Unit[str]):
    """Write what a person said; returns the state it led to. Raises Unprocessable where it cannot be said."""

    sides: Sides
    word: Word
    caller: Caller
    standing: Standing
    records: Records
    production: bool
    kept: Sealed | None

    @property
    def referrals(self) -> Sequence[str]:
        """The referral that must not have changed."""
        return (self.sides.referral.id,)

    def apply(self, batch: Batch) -> str:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        batch.same_referral(self.sides.referral.id, self.sides.referral.version)
        row = batch.read(_GRADED, {"log": batch.log_id, "id": self.sides.row.id})[0]
        if row.content != self.sides.row.content or row.record_id != self.sides.row.record_id:
            raise DecideAgain("the trace changed")
        if row.leased_until is not None or self.word not in OF_STATE.get(State(row.state), ()):
            raise Unprocessable(f"a trace that is {row.state} is not decided so")
        if self.word in {Word.AGAIN, Word.NOTED}:
            return self._set(batch, row)
        answered = self._answered()
        settled(batch, row, answered, self.standing, (Event.TRACE_DECIDED, self.caller))
        return answered.state.value

    def _answered(self) -> Answered:
        person = self.sides.candidate.person if self.sides.candidate is not None else None
        if self.word is Word.DIFFERENT or person is None or person.nhs_number is None:
            return Answered(State.DIFFERENT, self.word.value, 0)
        verified = person.nhs_number_status == VERIFIED
        if verified and self.production and person.nhs_number.startswith(TEST_NUMBERS):
            raise Unprocessable("the number is of the range that is nobody's")
        return Answered(
            State.VERIFIED if verified else State.CONFIRMED,
            self.word.value,
            0,
            status=person.nhs_number_status,
            label=self.sides.row.label,
            number=self.records.blind("nhs-number", person.nhs_number) if verified else None,
            content=self.kept,
        )

    def _set(self, batch: Batch, row: Row[Any]) -> str:
        values: dict[str, Any] = {"decided_at": batch.at, "decided_by": self.caller.user}
        state = row.state
        if self.word is Word.AGAIN:
            state = State.WAITING.value
            values = {"state": state, "status": TRACE_REQUIRED, "attempts": 0, "opened_at": batch.at}
            values |= dict.fromkeys(("reason", "next_at", "due_at", "overdue_at", "decided_at", "decided_by"))
            values |= dict.fromkeys(("content", "content_key"))
        batch.update(change(*values), {"of": row.id, **values})
        batch.seal(
            act(
                Event.TRACE_DECIDED,
                Operation.COMBINATION,
                at=batch.at,
                caller=self.caller,
                agreement=agreement_ref(self.standing.terms.agreement) if self.standing.terms else None,
                subjects=(subject_of(row.record_id, Sought.of(row).ref),),
                record=row.record_id,
                case=row.referral_id,
                reason=self.word.value,
                detail={"trace": row.id, "state": state, "late": row.due_at is not None and row.due_at < batch.clock},
            )
        )
        return str(state)


def _whose(caller: Caller, log_id: str) -> dict[str, Any]:
    return {"log": log_id, "organisation": caller.organisation, "team": caller.recipient}


MOST = 500  # traces of one list

_t, _f = tables.trace, tables.referral
_own = (
    (_f.c.log_id == bindparam("log"))
    & (_f.c.organisation == bindparam("organisation"))
    & (_f.c.team == bindparam("team"))
    & _f.c.erased_at.is_(None)
)
_WAITING = (
    select(*(column for column in _t.c if column.name not in {"content", "content_key", "asked"}))
    .where(
        _t.c.log_id == bindparam("log"),
        _t.c.decided_at.is_(None),
        _t.c.due_at.is_not(None),
        select(_f.c.id).where(_own, _f.c.event_id == _t.c.event_id, _f.c.victim == _t.c.victim).exists(),
    )
    .order_by(_t.c.due_at, _t.c.id)
    .limit(MOST)
)
_ONE = select(_t).where(
    _t.c.log_id == bindparam("log"),
    _t.c.id == bindparam("id"),
    _t.c.state.not_in((State.ERASED.value, State.GONE.value)),
)
_GRADED = (
    select(_t, _f.c.grade)
    .join(_f, _f.c.id == _t.c.referral_id)
    .where(_t.c.log_id == bindparam("log"), _t.c.id == bindparam("id"))
)
_OF_EVENTS: Any = select(_f.c.event_id, _f.c.victim, _f.c.organisation, _f.c.team, _f.c.facts, _f.c.event_at).where(
    _own, _f.c.event_id.in_(bindparam("events", expanding=True))
)
_REFERRAL = (
    select(_f).where(_own, _f.c.event_id == bindparam("event"), _f.c.victim == bindparam("victim")).order_by(_f.c.id)
)
