"""A match as it is kept: two people of two events, how far they agree, and what became of it; and the link it makes.

A match is open (a person decides), or `linked` (it was plain), `same` or `different` (a person said so), or `lapsed`
(there is nothing left to compare). Of one pair at most one has not lapsed. A link stands both ways, so that each of the
two is found from the other.

Source: domain.md section 4.7.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy import Row, bindparam, delete, or_, select, update

from audit.entry import Entry, Operation, timestamp
from gateway.chance import fresh_id
from gateway.evidence import Event, act
from gateway.matching.comparisons import Level
from gateway.repeats import Someone
from gateway.store import tables
from gateway.store.batch import Batch
from gateway.store.features import LAPSED
from gateway.store.records import subject_of
from mappings.record import Grade, Role

LINKED, SAME, DIFFERENT = "linked", "same", "different"
"""What became of a match: linked without a person, or what a person said."""

REVIEWED = "reviewed"
"""The basis of a link that a person made: no later look takes it away."""

REVIEW_WITHIN: Mapping[str, timedelta] = {Grade.HIGH.value: timedelta(hours=4)}
"""How soon a person decides, by the grade of the new event (domain.md section 4.1, step 5)."""
REVIEW_OTHERWISE = timedelta(days=1)

Key = frozenset[Someone]
"""Two people who are linked or may be, whichever was first."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two people of two events who are, or may be, one: the basis, or the levels a reviewer decides on."""

    one: Someone
    other: Someone
    basis: str
    levels: Mapping[str, Level]
    records: tuple[str, str]

    @property
    def key(self) -> Key:
        """The two, in no order."""
        return frozenset((self.one, self.other))

    @property
    def of_victims(self) -> bool:
        """Whether a person can decide it: a suspect is shown to nobody for that."""
        return self.one[1].partition("-")[0] == Role.VICTIM.value


def key_of(row: Row[Any]) -> Key:
    """The two of a row that names them."""
    return frozenset(((row.event_id, row.person), (row.other_event_id, row.other_person)))


def events_of(keys: Iterable[Key]) -> set[str]:
    """The events of all of them."""
    return {event for key in keys for event, _ in key}


def matches(batch: Batch, events: Iterable[str]) -> dict[Key, Row[Any]]:
    """What has not lapsed between any two of these events."""
    asked = {"log": batch.log_id, "events": sorted(events)}
    return {key_of(row): row for row in batch.read(_BETWEEN, asked)} if asked["events"] else {}


def put_to_a_person(batch: Batch, pair: Pair, grade: str | None) -> None:
    """Have a person decide, with a clock; seal that the two were compared."""
    _keep(batch, pair, due_at=due(batch, grade))
    batch.seal(_combination(batch, pair, "review"))


def link(batch: Batch, pair: Pair) -> None:
    """Link two who are plainly one; seal it."""
    write_link(batch, pair.one, pair.other, pair.basis)
    _keep(batch, pair, decided_at=batch.at, outcome=LINKED)
    batch.seal(_combination(batch, pair, "linked"))


def due(batch: Batch, grade: str | None) -> str:
    """When a person must have decided; an unknown grade is never taken for a low one."""
    return timestamp(batch.now + REVIEW_WITHIN.get(grade or Grade.HIGH.value, REVIEW_OTHERWISE))


def write_link(batch: Batch, one: Someone, other: Someone, basis: str) -> None:
    """Link two people, so that each is found from the other."""
    for (event, person), (other_event, other_person) in ((one, other), (other, one)):
        batch.insert(
            tables.person_link,
            {
                "log_id": batch.log_id,
                "event_id": event,
                "person": person,
                "other_event_id": other_event,
                "other_person": other_person,
                "basis": basis,
                "created_at": batch.at,
            },
        )


def unlink(batch: Batch, key: Key) -> None:
    """Take a link back, both ways."""
    (event, person), (other, their) = sorted(key)
    for one in ((event, person, other, their), (other, their, event, person)):
        names = ("of_event", "of_person", "of_other", "of_their")
        batch.update(_UNLINK, {"log": batch.log_id, **dict(zip(names, one, strict=True))})


def conclude(batch: Batch, match_id: str, outcome: str, by: str | None) -> None:
    """Write what became of a match; `by` is the person who said so."""
    batch.update(_CONCLUDE, {"of": match_id, "at": batch.at, "by": by, "what": outcome})


def reopen(batch: Batch, match_id: str, grade: str | None) -> None:
    """Put a match to a person again, with a clock from now."""
    batch.update(_REOPEN, {"of": match_id, "at": batch.at, "by": due(batch, grade)})


def _keep(
    batch: Batch, pair: Pair, *, due_at: str | None = None, decided_at: str | None = None, outcome: str | None = None
) -> None:
    batch.insert(
        tables.match_review,
        {
            "id": fresh_id(),
            "log_id": batch.log_id,
            "event_id": pair.one[0],
            "person": pair.one[1],
            "other_event_id": pair.other[0],
            "other_person": pair.other[1],
            "levels": orjson.dumps(pair.levels).decode(),
            "opened_at": batch.at,
            "due_at": due_at,
            "overdue_at": None,
            "decided_at": decided_at,
            "decided_by": None,
            "outcome": outcome,
        },
    )


def _combination(batch: Batch, pair: Pair, reason: str) -> Entry:
    compared = {field.replace("_", "-"): level for field, level in pair.levels.items()}
    return act(
        Event.SUBJECTS_MATCHED,
        Operation.COMBINATION,
        at=batch.at,
        caller=None,
        subjects=tuple(
            subject_of(record, one[1]) for record, one in zip(pair.records, (pair.one, pair.other), strict=True)
        ),
        record=pair.records[0],
        reason=reason,
        detail={"basis": pair.basis, "other": pair.records[1], **compared},
    )


_l, _v = tables.person_link, tables.match_review
_events: Any = bindparam("events", expanding=True)
_BETWEEN = select(_v).where(
    _v.c.log_id == bindparam("log"),
    _v.c.event_id.in_(_events),
    _v.c.other_event_id.in_(_events),
    or_(_v.c.outcome.is_(None), _v.c.outcome != LAPSED),
)
_CONCLUDE = (
    update(_v)
    .where(_v.c.id == bindparam("of"))
    .values(decided_at=bindparam("at"), decided_by=bindparam("by"), outcome=bindparam("what"))
)
_REOPEN = (
    update(_v)
    .where(_v.c.id == bindparam("of"))
    .values(
        opened_at=bindparam("at"),
        due_at=bindparam("by"),
        overdue_at=None,
        decided_at=None,
        decided_by=None,
        outcome=None,
    )
)
_UNLINK = delete(_l).where(
    _l.c.log_id == bindparam("log"),
    _l.c.event_id == bindparam("of_event"),
    _l.c.person == bindparam("of_person"),
    _l.c.other_event_id == bindparam("of_other"),
    _l.c.other_person == bindparam("of_their"),
)
