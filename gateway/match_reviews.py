"""People who may be one, put to a person: both sides as the agreement lets them be seen, and what the person says.

    read_matches   what waits, by its clock, and nobody's name; or all of one incident, with what became of each
    read_match     both sides next to each other, each as the reviewer's own organisation may see it
    decide_match   one person, or two
    undo_match     two all the same, though they were linked

A match is there for whoever may see both sides of it at the instant they ask (`match_sides`), and for nobody else: that
somebody wanted one that is not there for them is sealed, and answered, as if it were not there at all. What is shown of
a side is sealed as combination before it is shown. Saying that they are one links them; nothing is merged (N9).

Source: domain.md sections 4.5 (N9, N15), 4.7 (human review with side-by-side); DPA 2018 s.62(1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Row, bindparam, or_, select

from audit.entry import Operation
from audit.receipt import Receipt
from gateway.decide import Decision
from gateway.errors import Unprocessable
from gateway.evidence import Caller, Event, act
from gateway.facts import Facts
from gateway.linking.found import DIFFERENT, REVIEWED, SAME, conclude, events_of, key_of, matches, write_link
from gateway.linking.neighbours import Neighbours
from gateway.linking.undoing import Ground, UndoMatch
from gateway.linking.unreviewed import open_matches
from gateway.match_sides import Listed, listed, sides_of
from gateway.minimise import minimise
from gateway.reading_log import Look
from gateway.repeats import COMPARED, PERSON_MATCH, followed, grouped
from gateway.sealing import decided_again
from gateway.services import Services
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.store.features import LAPSED
from gateway.store.journal import Committed
from gateway.store.records import subject_of
from gateway.terms import Standing
from gateway.under_agreement import decided, governed, missed, standing_of
from mappings.record import Person, Role


@dataclass(frozen=True, slots=True)
class Shown:
    """One of the two: the referral she is seen through, and what was decided of what is compared.

    `person` is None where nothing is left to show, for the incident was erased, and for a suspect.
    """

    row: Row[Any]
    facts: Facts
    decision: Decision
    person: Person | None


@dataclass(frozen=True, slots=True)
class Match:
    """A match and its two sides."""

    row: Row[Any]
    levels: Mapping[str, str]
    sides: tuple[Shown, Shown]


async def read_matches(
    services: Services, caller: Caller, incident: str | None = None
) -> tuple[Sequence[Listed], Receipt]:
    """What waits for the caller, the one due first at the top.

    Of an `incident`, by its reference or that of one of its referrals, also what was decided: every match of it and of
    the incidents that links lead to, the newest first.
    """
    log_id = await governed(services, caller)

    def every(connection: Connection) -> Sequence[Row[Any]]:
        if incident is None:
            return open_matches(connection, log_id)
        event = connection.execute(_EVENT, {"log": log_id, "id": incident}).scalar_one_or_none() or incident
        groups = grouped(followed(connection.execute, log_id, [(event, "")]))
        hers = (group for (of, _), group in groups.items() if of == event)
        events = sorted({event} | {one for group in hers for one, _ in group})
        return connection.execute(_OF_EVENTS, {"log": log_id, "events": events}).all()

    async def attempt() -> tuple[Sequence[Listed], Receipt]:
        standing = await standing_of(services, log_id)
        found = await services.database.read(
            lambda c: listed(c.execute, caller, log_id, standing, every(c), datetime.now(UTC))
        )
        what: dict[str, str | int] = {"matches": len(found)}
        if incident is not None and found:  # what leads to nothing may be anything, and is not repeated (P7)
            what["incident"] = incident
        unit = Look(caller, what, Event.MATCH_READ, standing=standing)
        return found, (await services.journals.of(log_id).submit(unit)).receipt

    return await decided(services, caller, log_id, attempt)


async def read_match(services: Services, caller: Caller, review_id: str) -> tuple[Match, Receipt]:
    """One of them, both sides. Raises NotFound, NotPermitted, Busy, NotSealed."""
    log_id = await governed(services, caller)

    async def attempt() -> tuple[Match, Receipt]:
        standing = await standing_of(services, log_id)

        def find(connection: Connection) -> Match | None:
            return _find(connection, services, caller, standing, log_id, review_id)

        match = await services.database.read(find)
        if match is None:
            raise await missed(services, caller, log_id, Event.MATCH_READ, NONE)
        committed = await services.journals.of(log_id).submit(Compare(match, caller, standing))
        return match, committed.receipt

    return await decided(services, caller, log_id, attempt)


async def decide_match(services: Services, caller: Caller, review_id: str, outcome: str) -> Receipt:
    """Say whether they are one. Raises NotFound, Unprocessable where it was decided, NotPermitted, Busy, NotSealed."""

    def said(_: Standing) -> Unit[bool]:
        return DecideMatch(review_id, outcome, caller)

    return await _say(services, caller, review_id, said, Event.MATCH_DECIDED)


async def undo_match(services: Services, caller: Caller, match_id: str, ground: Ground) -> Receipt:
    """Say that two who are linked are two. Raises NotFound, Unprocessable, NotPermitted, Busy, NotSealed."""

    def said(standing: Standing) -> Unit[bool]:
        return UndoMatch(match_id, ground, caller, standing)

    return await _say(services, caller, match_id, said, Event.MATCH_UNDONE)


async def _say(
    services: Services, caller: Caller, match_id: str, said: Callable[[Standing], Unit[bool]], wanted: Event
) -> Receipt:
    """Have it said of a match; that it is not there for the caller is sealed, and raised."""
    log_id = await governed(services, caller)

    async def attempt() -> Committed[bool]:
        standing = await standing_of(services, log_id)
        return await services.journals.of(log_id).submit(OfBothSides(match_id, said(standing), caller, standing))

    committed = await decided(services, caller, log_id, attempt)
    if not committed.value:
        raise await missed(services, caller, log_id, wanted, NONE)
    return committed.receipt


def _find(
    connection: Connection, services: Services, caller: Caller, standing: Standing, log_id: str, review_id: str
) -> Match | None:
    rows = connection.execute(_ONE, {"log": log_id, "id": review_id}).all()
    sides = sides_of(connection.execute, caller, log_id, standing, rows, datetime.now(UTC)).get(review_id)
    if sides is None:
        return None
    (row,) = rows
    records = services.records.load(connection, sorted({side.row.record_id for side in sides}))
    shown: list[Shown] = []
    for side, ref in zip(sides, (row.person, row.other_person), strict=True):
        decision = side.decision.narrow(COMPARED)
        record = records.get(side.row.record_id)
        people = minimise(record.for_victim(side.row.victim), decision).of_role(Role.VICTIM) if record else ()
        shown.append(Shown(side.row, side.facts, decision, next((one for one in people if one.ref == ref), None)))
    return Match(row, orjson.loads(row.levels), (shown[0], shown[1]))


@dataclass(frozen=True, slots=True)
class Compare(Unit[None]):
    """Seal that two people were shown next to each other: an entry for each side that was."""

    match: Match
    caller: Caller
    standing: Standing

    @property
    def referrals(self) -> Sequence[str]:
        """The referrals that must not have changed."""
        return [side.row.id for side in self.match.sides]

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        review = {"match": self.match.row.id, "types": PERSON_MATCH}
        shown = [side for side in self.match.sides if side.person is not None]
        for side in self.match.sides:
            batch.same_referral(side.row.id, side.row.version)
            decided_again(side.facts, side.decision, self.standing.terms, batch.now, COMPARED)
        for side in shown:
            batch.seal(
                act(
                    Event.MATCH_READ,
                    Operation.COMBINATION,
                    at=batch.at,
                    caller=self.caller,
                    decision=side.decision,
                    facts=side.facts,
                    subjects=(subject_of(side.row.record_id, side.row.victim),),
                    record=side.row.record_id,
                    case=side.row.id,
                    mapping=side.row.mapping,
                    detail=review,
                )
            )
        if not shown:
            batch.seal(act(Event.MATCH_READ, Operation.COMBINATION, at=batch.at, caller=self.caller, detail=review))


@dataclass(frozen=True, slots=True)
class OfBothSides(Unit[bool]):
    """Have something said of a match by somebody who may see both sides, as the log stands now. False where not.

    The one place where that is asked, whatever is said and however it comes in.
    """

    match_id: str
    said: Unit[bool]
    caller: Caller
    standing: Standing

    def apply(self, batch: Batch) -> bool:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        rows = batch.read(_ONE, {"log": batch.log_id, "id": self.match_id})
        seen = sides_of(batch.read, self.caller, batch.log_id, self.standing, rows, batch.now)
        return self.match_id in seen and self.said.apply(batch)


@dataclass(frozen=True, slots=True)
class DecideMatch(Unit[bool]):
    """Write what a person said, and link the two where they are one: a match that is there (`OfBothSides`)."""

    review_id: str
    outcome: str
    caller: Caller

    def apply(self, batch: Batch) -> bool:  # noqa: D102 - said by Unit.apply
        (row,) = batch.read(_ONE, {"log": batch.log_id, "id": self.review_id})
        if row.decided_at is not None:
            raise Unprocessable("somebody has decided it")
        near = Neighbours.of(batch, [key_of(row)]) if self.outcome == SAME else None
        if near is not None:
            said = matches(batch, events_of(near.group.values()))
            if near.joins(key for key, one in said.items() if one.outcome == DIFFERENT):
                raise Unprocessable("two of whom somebody said that they are two would be one: undo what links them")
        conclude(batch, row.id, self.outcome, self.caller.user)
        if near is not None:
            write_link(batch, (row.event_id, row.person), (row.other_event_id, row.other_person), REVIEWED)
            near.mention(batch, {row.event_id, row.other_event_id})
        detail: dict[str, str | int] = {"match": row.id, "late": batch.clock > row.due_at}
        entry = act(
            Event.MATCH_DECIDED,
            Operation.COMBINATION,
            at=batch.at,
            caller=self.caller,
            reason=self.outcome,
            detail=detail,
        )
        batch.seal(entry)
        return True


NONE = "there is no such match"
MOST = 500  # matches of one incident that are shown, the newest

_v, _f = tables.match_review, tables.referral
_log: Any = bindparam("log")
_events: Any = bindparam("events", expanding=True)
_EVENT = select(_f.c.event_id).where(_f.c.log_id == _log, _f.c.id == bindparam("id"))
_OF_EVENTS = (
    select(_v)
    .where(
        _v.c.log_id == _log,
        or_(_v.c.event_id.in_(_events), _v.c.other_event_id.in_(_events)),
        or_(_v.c.outcome.is_(None), _v.c.outcome != LAPSED),
    )
    .order_by(_v.c.opened_at.desc(), _v.c.id)
    .limit(MOST)
)
_ONE = select(_v).where(
    _v.c.log_id == _log, _v.c.id == bindparam("id"), or_(_v.c.outcome.is_(None), _v.c.outcome != LAPSED)
)
