"""Two who are linked are two: a person says so, whoever or whatever linked them, and what was told on it is corrected.

The match is remembered as decided, so that they are never linked again without a person. Where others join the two all
the same, one of the two is cut loose from those as well, the one that fewer links hold; each of these is put to a
person with a clock, for nobody has said anything of them.

Source: domain.md sections 4.5 (N9, N14), 4.7; DPA 2018 s.62(1) (combination is logged).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import bindparam, select

from audit.entry import Operation
from gateway.errors import Unprocessable
from gateway.evidence import Caller, Event, act
from gateway.linking.found import DIFFERENT, LINKED, SAME, Key, conclude, events_of, key_of, matches, reopen, unlink
from gateway.linking.neighbours import Corrections, Neighbours, without
from gateway.repeats import Someone, grouped
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.store.features import LAPSED
from gateway.store.records import subject_of
from gateway.terms import Standing
from mappings.record import Role


class Ground(StrEnum):
    """Why two who were linked are two."""

    RELATIVES = "relatives"  # twins, sisters, a father and his son
    SHARED_HOME = "shared-home"
    SHARED_NUMBER = "shared-number"  # a telephone, an address for letters, a number that was copied
    TOLD = "told"  # she or somebody who knows her says so
    MISTAKE = "mistake"  # whoever said that they are one was wrong
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class UndoMatch(Unit[bool]):
    """Take a link back, as a person decided who may see both (`match_reviews`)."""

    match_id: str
    ground: Ground
    caller: Caller
    standing: Standing

    def apply(self, batch: Batch) -> bool:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        (row,) = batch.read(_ONE, {"log": batch.log_id, "id": self.match_id})
        if row.outcome not in {LINKED, SAME}:
            raise Unprocessable("they are not linked: there is nothing to undo")
        key = key_of(row)
        near = Neighbours.of(batch, [key])
        cut = {key} | parting(near.edges, (row.event_id, row.person), (row.other_event_id, row.other_person))
        said = {one: found for one, found in matches(batch, events_of(cut)).items() if one in cut}
        records = {one.event_id: one.id for one in batch.read(_RECORDS, {"events": sorted(events_of(cut))})}
        wrong = Corrections.of(batch, cut, (), min(one.decided_at for one in said.values() if one.decided_at))
        grades = {(one.event_id, one.victim): one.grade for one in near.rows}

        conclude(batch, row.id, DIFFERENT, self.caller.user)
        for one in cut:
            unlink(batch, one)
            match = said.get(one)
            if match is not None and one != key:
                if match.person.partition("-")[0] == Role.VICTIM.value:
                    reopen(batch, match.id, grades.get((match.event_id, match.person)))
                else:
                    conclude(batch, match.id, LAPSED, None)
            detail: dict[str, str | int] = {"match": match.id} if match is not None else {}
            entry = act(
                Event.MATCH_UNDONE,
                Operation.COMBINATION,
                at=batch.at,
                caller=self.caller,
                subjects=tuple(subject_of(records[event], person) for event, person in sorted(one)),
                reason=self.ground.value if one == key else FOLLOWS,
                detail=detail if one == key else {**detail, "after": row.id},
            )
            batch.seal(entry)
        wrong.send(batch, self.caller, self.standing.terms)
        return True


FOLLOWS = "follows"
"""Why a link goes that joined the two by way of others: a person decides it anew."""


def parting(edges: Mapping[Someone, set[Someone]], one: Someone, other: Someone) -> set[Key]:
    """The links that must go so that nothing joins two people: those of one of them, whichever are fewer."""
    return min(_leading(edges, one, other), _leading(edges, other, one), key=len)


def _leading(edges: Mapping[Someone, set[Someone]], here: Someone, there: Someone) -> set[Key]:
    """The links of one person by which another is reached, straight or by way of others."""
    beyond = grouped(without(edges, frozenset(frozenset((here, one)) for one in edges[here])))
    reached = beyond.get(there, frozenset()) | {there}
    return {frozenset((here, one)) for one in edges[here] & reached}


_v, _r = tables.match_review, tables.record
_ONE = select(_v).where(_v.c.log_id == bindparam("log"), _v.c.id == bindparam("id"))
_events: Any = bindparam("events", expanding=True)
_RECORDS = select(_r.c.event_id, _r.c.id).where(_r.c.event_id.in_(_events)).order_by(_r.c.event_id, _r.c.version)
