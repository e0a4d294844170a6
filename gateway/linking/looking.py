"""Who of a new event is who of others: links where it is plain, a person's decision where it is likely, else nothing.

It happens right after intake, by the clock, for every event that was taken in and not yet compared: what waits stands
in the database, so that a crash loses none. People are compared with people of the same role in other events of the
log: a victim is never linked with a suspect (N9), and the two of one event never with each other.

    look         find candidates, put together what is linked already, judge (`matching/`); reads only
    LinkPeople   (`making`) makes it true, in one transaction

An event that was erased is found by what shows by itself who somebody is (a number; a name with a day of birth), by
the blind index that outlives its content.

Source: domain.md sections 4.1 (steps 5 and 13), 4.5 (N9), 4.7.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from gateway.linking.found import Pair
from gateway.linking.making import LinkPeople, Looked
from gateway.matching.model import Band, Judged, Model, judge
from gateway.matching.traits import Traits, together
from gateway.repeats import Someone, followed, grouped
from gateway.store import tables
from gateway.store.database import Database
from gateway.store.features import Featured, Features
from gateway.store.journal import Journal, Journals
from gateway.store.records import Records, numbered
from mappings.record import Role

AT_ONCE = 50
"""Events of one call, which one unit links: intake waits for the log, and what else is done by the clock for its turn,
no longer than that takes."""

LEAST_PEOPLE = 100_000
"""How many people there are to choose from at least: whoever comes to a new gateway is one of an area's, not of ten."""

GIVES_WAY_SECONDS = 0.2
"""How long each event waits at most for callers who want an answer: under load four events a second are linked, which
is more than a county has, and nobody is kept waiting for it."""

MOST_BEYOND = 60
"""Events that are read of those whom candidates are linked with already: more of one person's tell no more of who she
is, and a page of a hundred incidents must not cost a hundred times as much as one."""

MOST_REVIEWS = 5
"""Candidates that are put to a person for one victim, the likeliest."""


def link_waiting(database: Database, journals: Journals, records: Records, model: Model, log_id: str) -> int:
    """Compare what was taken in and not compared yet, `AT_ONCE` at most; returns how many events that were.

    For a thread of its own. Raises NotSealed, Busy or Unreachable; what was done until then stands.
    """
    journal = journals.of(log_id)
    with database.reading() as connection:
        people = max(LEAST_PEOPLE, connection.execute(_PEOPLE, {"log": log_id}).scalar_one())
        waiting = connection.execute(_WAITING, {"log": log_id, "most": AT_ONCE}).all()
        erased = bool(waiting) and connection.execute(_ANY_ERASED, {"log": log_id}).first() is not None
        looked = [
            look(connection, records, model, log_id, row, people, erased=erased) for row in _in_turn(waiting, journal)
        ]
    if looked:
        journal.submit_and_wait(LinkPeople(tuple(looked)))
    return len(looked)


def _in_turn(waiting: Iterable[Any], journal: Journal) -> Iterator[Any]:
    """Those that wait, each when nobody who wants an answer is kept from it, or has been long enough."""
    for row in waiting:
        journal.give_way(GIVES_WAY_SECONDS)
        yield row


def look(
    connection: Connection,
    records: Records,
    model: Model,
    log_id: str,
    row: Any,  # noqa: ANN401 - the ids of the row that waits, and of its event
    people: int,
    *,
    erased: bool = True,
) -> Looked:
    """Find who each victim and suspect of an event is in others; `people` are those there are to choose from.

    `erased` says whether there may be events that were erased: where there are none, the record need not be opened.
    """
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
                    elif each.band is Band.REVIEW and pair.of_victims:
                        reviews.append(pair)
        links += _erased(connection, records, log_id, own) if erased else ()
    return Looked(row.id, row.event_id, tuple(links), tuple(reviews[:MOST_REVIEWS]))


def _candidates(
    connection: Connection, features: Features, log_id: str, own: Featured, role: str, traits: Traits
) -> list[list[tuple[Featured, str]]]:
    """The people who share a key, each with everybody they are linked with: one list for each.

    Links through the event itself do not count: two who are one only by way of it are each to be linked with it again,
    or the second would be lost with the link that it no longer shows.
    """
    near = [one for one in features.candidates(connection, log_id, role, traits) if one.event_id != own.event_id]
    known = {(one.event_id, ref): (one, ref) for one in near for ref in one.of_role(role)}
    if not known:
        return []
    edges = followed(connection.execute, log_id, known)
    others = {one: {to for to in tos if to[0] != own.event_id} for one, tos in edges.items() if one[0] != own.event_id}
    whole = grouped(others)
    groups = {one: whole.get(one, frozenset()) - {one} for one in known}
    beyond = {event for group in groups.values() for event, _ in group} - {one.event_id for one in near}
    for one in features.of_events(connection, sorted(beyond - {own.event_id})[:MOST_BEYOND]).values():
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


_e = tables.match_event
_log: Any = bindparam("log")
_PEOPLE = select(func.count()).select_from(_e).where(_e.c.log_id == _log)
_WAITING = (
    select(_e.c.id, _e.c.event_id)
    .where(_e.c.log_id == _log, _e.c.matched_at.is_(None))
    .order_by(_e.c.id)
    .limit(bindparam("most"))
)
_r, _b = tables.record, tables.blind_index
_ANY_ERASED = select(_r.c.id).where(_r.c.log_id == _log, _r.c.erased_at.is_not(None)).limit(1)
_ERASED = (
    select(_b.c.digest, _b.c.subject, _b.c.record_id, _r.c.event_id)
    .join(_r, _r.c.id == _b.c.record_id)
    .where(
        _b.c.log_id == _log,
        _b.c.digest.in_(bindparam("names", expanding=True)),
        _r.c.erased_at.is_not(None),
    )
)
