"""Who of a new event is who of others: links where it is plain, a person's decision where it is likely, else nothing.

It happens right after intake, by the clock, for every event that was taken in and not yet compared: what waits stands
in the database, so that a crash loses none. People are compared with people of the same role in other events of the
log: a victim is never linked with a suspect (N9), and the two of one event never with each other. A link says that two
events may concern one person; nothing is merged, and a reviewer can say that it is two.

    look       find candidates, put together what is linked already, judge (`matching/`); reads only
    LinkPeople in one transaction: links, reviews with a clock, the entries (combination), the referrals' next version

An event that was erased is found by what shows by itself who somebody is (a number; a name with a day of birth), by
the blind index that outlives its content.

Source: domain.md sections 4.1 (steps 5 and 13), 4.5 (N9), 4.7; DPA 2018 s.62(1) (combination is logged).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, Row, bindparam, delete, func, or_, select, update

from audit.entry import Operation, timestamp
from gateway.chance import fresh_id
from gateway.evidence import Event, act
from gateway.facts import Facts
from gateway.matching.comparisons import Level
from gateway.matching.model import Band, Judged, Model, judge
from gateway.matching.traits import Traits, together
from gateway.repeats import ITEMS, Someone, arrival, grouped, is_before, linked
from gateway.store import tables
from gateway.store.batch import Batch, ReferralHead, Unit
from gateway.store.database import Database
from gateway.store.features import LAPSED, Featured, Features
from gateway.store.journal import Journals
from gateway.store.records import Records, numbered, subject_of
from mappings.record import Grade, Role

AT_ONCE = 50
"""Events that one unit links: intake waits for the log no longer than that takes."""

LEAST_PEOPLE = 100_000
"""How many people there are to choose from at least: whoever comes to a new gateway is one of an area's, not of ten."""

IN_A_ROUND = 500
"""Events of one call: what else is done by the clock waits no longer than that takes."""

REVIEW_WITHIN: Mapping[str, timedelta] = {Grade.HIGH.value: timedelta(hours=4)}
"""How soon a person decides, by the grade of the new event (domain.md section 4.1, step 5)."""
REVIEW_OTHERWISE = timedelta(days=1)

MOST_REVIEWS = 5
"""Candidates that are put to a person for one victim, the likeliest."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two people of two events who are, or may be, one: the basis, or the levels a reviewer decides on."""

    one: Someone
    other: Someone
    basis: str
    levels: Mapping[str, Level]
    records: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found for one event: the row it was found from, pairs to link, and pairs to put to a person."""

    match_id: str
    event_id: str
    links: tuple[Pair, ...]
    reviews: tuple[Pair, ...]


def link_waiting(database: Database, journals: Journals, records: Records, model: Model, log_id: str) -> int:
    """Compare what was taken in and not compared yet, some at a time; returns how many events that were.

    For a thread of its own. Raises NotSealed, Busy or Unreachable; what was done until then stands.
    """
    done = 0
    with database.reading() as connection:
        people = max(LEAST_PEOPLE, connection.execute(_PEOPLE, {"log": log_id}).scalar_one())
    while done < IN_A_ROUND:
        with database.reading() as connection:
            waiting = connection.execute(_WAITING, {"log": log_id, "most": AT_ONCE}).all()
            looked = [look(connection, records, model, log_id, row, people) for row in waiting]
        if not looked:
            break
        journals.of(log_id).submit_and_wait(LinkPeople(tuple(looked)))
        done += len(looked)
    return done


def look(
    connection: Connection,
    records: Records,
    model: Model,
    log_id: str,
    row: Any,  # noqa: ANN401 - the ids of the row that waits, and of its event
    people: int,
) -> Looked:
    """Find who each victim and suspect of an event is in others; `people` are those there are to choose from."""
    features = records.features
    own = features.of_events(connection, [row.event_id]).get(row.event_id)
    links: list[Pair] = []
    reviews: list[Pair] = []
    if own is not None:
        for role in (Role.VICTIM, Role.SUSPECT):
            for ref, traits in own.of_role(role.value).items():
                found = _candidates(connection, features, log_id, own, role.value, traits)
                for pair, each in _judged(model, own, ref, traits, found, people):
                    if each.band is Band.LINK:
                        links.append(pair)
                    elif each.band is Band.REVIEW and role is Role.VICTIM:
                        reviews.append(pair)
        links += _erased(connection, records, log_id, own)
    return Looked(row.id, row.event_id, tuple(links), tuple(reviews[:MOST_REVIEWS]))


def _candidates(
    connection: Connection, features: Features, log_id: str, own: Featured, role: str, traits: Traits
) -> list[list[tuple[Featured, str]]]:
    """The people who share a key, each with everybody they are linked with: one list for each."""
    near = [one for one in features.candidates(connection, log_id, role, traits) if one.event_id != own.event_id]
    known = {(one.event_id, ref): (one, ref) for one in near for ref in one.of_role(role)}
    if not known:
        return []
    groups = linked(connection.execute, log_id, known)
    beyond = {event for group in groups.values() for event, _ in group} - {one.event_id for one in near}
    for one in features.of_events(connection, sorted(beyond - {own.event_id})).values():
        known |= {(one.event_id, ref): (one, ref) for ref in one.of_role(role)}
    lists: list[list[tuple[Featured, str]]] = []
    taken: set[Someone] = set()
    for key, group in groups.items():
        if key not in taken:
            members = [key, *sorted(one for one in group if one in known and one[0] != own.event_id)]
            taken |= set(members)
            lists.append([known[one] for one in members])
    return lists


def _judged(
    model: Model, own: Featured, ref: str, traits: Traits, groups: Sequence[Sequence[tuple[Featured, str]]], people: int
) -> list[tuple[Pair, Judged]]:
    """What each candidate comes to, the likeliest first; the pair names the one of each group who is most alike."""
    whole = [together([one.people[their] for one, their in group]) for group in groups]
    found: list[tuple[Pair, Judged]] = []
    for group, each in zip(groups, judge(model, traits, whole, people), strict=True):
        if each.band is Band.NONE:
            continue
        best, their = max(group, key=lambda one: model.score(traits, one[0].people[one[1]]).bits)
        pair = Pair(
            (own.event_id, ref),
            (best.event_id, their),
            "score",
            dict(each.score.levels),
            (own.record_id, best.record_id),
        )
        found.append((pair, each))
    return sorted(found, key=lambda one: one[1].probability, reverse=True)


def _erased(connection: Connection, records: Records, log_id: str, own: Featured) -> list[Pair]:
    """Who of an event is somebody of an event that was erased: by a number, or a name with a day of birth."""
    record = records.load(connection, [own.record_id]).get(own.record_id)
    names: dict[bytes, str] = {}
    for person in record.people if record is not None else ():
        default = person.birth is not None and person.birth.on is not None and _is_default(person.birth.on)
        for kind, key in numbered(person) if person.ref in own.people else ():
            if kind != "person" or not default:
                names[records.blind(kind, key)] = person.ref
    found: dict[tuple[str, Someone], Pair] = {}
    for row in connection.execute(_ERASED, {"log": log_id, "names": list(names)}) if names else ():
        ref, their = names[bytes(row.digest)], row.subject.rpartition(".")[2]
        if row.event_id != own.event_id and ref.partition("-")[0] == their.partition("-")[0]:
            other = (row.event_id, their)
            found[ref, other] = Pair((own.event_id, ref), other, "key", {}, (own.record_id, row.record_id))
    return list(found.values())


def _is_default(day: Any) -> bool:  # noqa: ANN401 - a date
    return (day.month, day.day) == (1, 1)


@dataclass(frozen=True, slots=True)
class LinkPeople(Unit[None]):
    """Make true what was found for some events, as far as they are still what was looked at."""

    looked: tuple[Looked, ...]

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        asked = {"log": batch.log_id, "ids": [one.match_id for one in self.looked]}
        waiting = {row.id for row in batch.read(_STILL, asked)}
        found = [one for one in self.looked if one.match_id in waiting]
        if not found:
            return
        own = {one.event_id for one in found}
        others = {pair.other[0] for one in found for pair in (*one.links, *one.reviews)}
        decided = {_key(row): row.outcome for row in batch.read(_REVIEWS, _asked(batch, own | others))}
        known = {_key(row): row.basis for row in batch.read(_LINKED, _asked(batch, own | others))}
        links = {_pair(one): one for each in found for one in each.links if decided.get(_pair(one)) != DIFFERENT}
        reviews = {_pair(one): one for each in found for one in each.reviews}
        stale = [key for key, basis in known.items() if basis != REVIEWED and key not in links and _of(key) & own]
        together_now = Neighbours.of(batch, {*links, *(key for key in known if key not in stale)})
        grades = {(row.event_id, row.victim): row.grade for row in together_now.rows}

        for key in stale:
            unlink(batch, key)
        for key in links.keys() - known.keys():
            write_link(batch, links[key].one, links[key].other, links[key].basis)
            batch.seal(_combination(batch, links[key], "linked"))
        for key in reviews.keys() - decided.keys() - links.keys() - known.keys():
            self._review(batch, reviews[key], grades.get(reviews[key].one))
        batch.update(_MATCHED, {"ids": [one.match_id for one in found], "at": batch.at})
        together_now.mention(batch, own)

    @staticmethod
    def _review(batch: Batch, pair: Pair, grade: str | None) -> None:
        """Put two people to a person, with a clock; an unknown grade is never taken for a low one."""
        due = timestamp(batch.now + REVIEW_WITHIN.get(grade or Grade.HIGH.value, REVIEW_OTHERWISE))
        (event, person), (other_event, other_person) = pair.one, pair.other
        batch.insert(
            tables.match_review,
            {
                "id": fresh_id(),
                "log_id": batch.log_id,
                "event_id": event,
                "person": person,
                "other_event_id": other_event,
                "other_person": other_person,
                "levels": orjson.dumps(pair.levels).decode(),
                "opened_at": batch.at,
                "due_at": due,
                "decided_at": None,
                "decided_by": None,
                "outcome": None,
            },
        )
        batch.seal(_combination(batch, pair, "review"))


SAME, DIFFERENT = "same", "different"
"""What a review says: one person, or two."""
REVIEWED = "reviewed"
"""The basis of a link that a person made: no later look takes it away."""

Key = frozenset[Someone]
"""Two people who are linked, whichever was first."""


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


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The referrals of people who are linked, or are about to be, and who is whose: read before anything is written."""

    rows: Sequence[Row[Any]]
    group: Mapping[Someone, frozenset[Someone]]

    @classmethod
    def of(cls, batch: Batch, links: Iterable[Key]) -> Neighbours:
        """Everybody whom these links bring together, through what is linked already."""
        edges: dict[Someone, set[Someone]] = {}
        for key in links:
            for one in key:
                edges.setdefault(one, set()).update(key - {one})
        for one, more in linked(batch.read, batch.log_id, edges).items():
            edges[one] |= more
        group = grouped(edges)
        events = {event for event, _ in group}
        return cls(batch.read(_OF_EVENTS, _asked(batch, events)) if events else (), group)

    def mention(self, batch: Batch, changed: set[str]) -> None:
        """Have referrals say that there are earlier incidents.

        A referral that now has one, or one of which has changed, gets its next version, so that nobody is shown what
        was written before.
        """
        of_group: dict[frozenset[Someone], list[Row[Any]]] = {}
        for row in self.rows:
            if group := self.group.get((row.event_id, row.victim)):
                of_group.setdefault(group, []).append(row)
        for rows in of_group.values():
            rows.sort(key=arrival)
            new = [row for row in rows if row.event_id in changed]
            for at, row in enumerate(rows):
                # In order of arrival the nearest stands last: if that is too long ago, so are all the others.
                others = (one for one in reversed(rows[:at]) if one.event_id != row.event_id)
                nearest = next((one for one in others if arrival(one) < arrival(row)), None)
                has_earlier = nearest is not None and is_before(nearest, row)
                facts = Facts.from_json(orjson.loads(row.facts))
                items = tuple(sorted({*facts.items, *(ITEMS if has_earlier else ())}))
                touched = any(one.event_id != row.event_id and is_before(one, row) for one in new)
                if items == facts.items and not touched:
                    continue
                head = ReferralHead(row.version + 1, row.status, row.state, row.record_id)
                said = orjson.dumps(replace(facts, items=items).to_json()).decode()
                batch.change_referral(row.id, head, {"facts": said})


def _combination(batch: Batch, pair: Pair, reason: str) -> Any:  # noqa: ANN401 - an entry
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


def _pair(pair: Pair) -> Key:
    return frozenset((pair.one, pair.other))


def _of(key: Key) -> set[str]:
    return {event for event, _ in key}


def _asked(batch: Batch, events: Iterable[str]) -> dict[str, Any]:
    return {"log": batch.log_id, "events": sorted(events)}


def _key(row: Row[Any]) -> Key:
    return frozenset(((row.event_id, row.person), (row.other_event_id, row.other_person)))


_e, _l, _v, _f = tables.match_event, tables.person_link, tables.match_review, tables.referral
_log: Any = bindparam("log")
_events: Any = bindparam("events", expanding=True)
_PEOPLE = select(func.count()).select_from(_e).where(_e.c.log_id == _log)
_WAITING = (
    select(_e.c.id, _e.c.event_id)
    .where(_e.c.log_id == _log, _e.c.matched_at.is_(None))
    .order_by(_e.c.id)
    .limit(bindparam("most"))
)
_STILL = select(_e.c.id).where(
    _e.c.log_id == _log, _e.c.matched_at.is_(None), _e.c.id.in_(bindparam("ids", expanding=True))
)
_MATCHED = update(_e).where(_e.c.id.in_(bindparam("ids", expanding=True))).values(matched_at=bindparam("at"))
_PEOPLE_OF = (_v.c.event_id, _v.c.person, _v.c.other_event_id, _v.c.other_person)
_REVIEWS = select(*_PEOPLE_OF, _v.c.outcome).where(
    _v.c.log_id == _log,
    _v.c.event_id.in_(_events),
    _v.c.other_event_id.in_(_events),
    or_(_v.c.outcome.is_(None), _v.c.outcome != LAPSED),
)
_LINKED = select(_l.c.event_id, _l.c.person, _l.c.other_event_id, _l.c.other_person, _l.c.basis).where(
    _l.c.log_id == _log, _l.c.event_id.in_(_events)
)
_OF_EVENTS = select(_f).where(_f.c.log_id == _log, _f.c.event_id.in_(_events)).order_by(_f.c.id)
_UNLINK = delete(_l).where(
    _l.c.log_id == _log,
    _l.c.event_id == bindparam("of_event"),
    _l.c.person == bindparam("of_person"),
    _l.c.other_event_id == bindparam("of_other"),
    _l.c.other_person == bindparam("of_their"),
)
_r, _b = tables.record, tables.blind_index
_ERASED = (
    select(_b.c.digest, _b.c.subject, _b.c.record_id, _r.c.event_id)
    .join(_r, _r.c.id == _b.c.record_id)
    .where(
        _b.c.log_id == _log,
        _b.c.digest.in_(bindparam("names", expanding=True)),
        _r.c.erased_at.is_not(None),
    )
)
