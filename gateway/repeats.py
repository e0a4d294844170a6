"""Earlier incidents of the same victim: found by links between people, shown to the adviser as days and grades alone.

Links outlive the content they were made from, for they hold references only; so do the day and the grade of a referral.
An incident that was erased still counts, one that was retracted or entered in error never does, and nothing of it is
shown but its day, its grade and whether the suspect was the same. What follows for a conference (a repeat, three in
twelve months) is stated as a fact with its evidence; no grade comes of it (P10).

Source: domain.md sections 1.8 (repeat, escalation), 4.1 (step 13: a new incident within twelve months), 4.5 (N9, N10).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, bindparam, select

from gateway.london import LONDON
from gateway.store import tables
from mappings.record import GRADE_ORDER, Criterion, Earlier, Grade, Record, Role
from mappings.referral import ReferralStatus

Someone = tuple[str, str]
"""A person of an event: the event's reference, and the person's within it (`victim-1`)."""

ITEMS = frozenset({"history.repeats", "marac.criteria"})
"""The items that a referral holds once an earlier incident is known."""

PERSON_MATCH = "PersonMatch"
"""What an entry names as its type where two people were shown next to each other."""

COMPARED = frozenset({"victim.listed", "victim.name", "victim.birth", "victim.sex", "victim.home_address"})
"""What a reviewer compares of two people, as far as the agreement releases it; how to reach her is not among it."""

ESCALATION = 3
"""Incidents in twelve months, this one among them, that are an escalation (domain.md section 1.8)."""

MOST_SHOWN = 20
"""Earlier incidents that are shown one by one, the latest of them; all of them are counted."""

MOST_LINKED = 500
"""Events that links are followed through, beside those that were asked of."""


def linked(read: Any, log_id: str, people: Iterable[Someone]) -> dict[Someone, frozenset[Someone]]:  # noqa: ANN401 - a connection's `execute`, or a batch's `read`
    """Everybody each of these people is linked with, through any number of links; themselves not among them."""
    roots = set(people)
    groups = grouped(followed(read, log_id, roots))
    return {root: groups.get(root, frozenset()) - {root} for root in roots}


def followed(read: Any, log_id: str, people: Iterable[Someone]) -> dict[Someone, set[Someone]]:  # noqa: ANN401 - as above
    """The links that lead on from these people: of everybody in the events they come by, the others of each.

    Beyond so many events nobody looks further: who has them is known well enough, and a page must not wait for more.
    """
    edges: dict[Someone, set[Someone]] = {}
    asked: set[str] = set()
    wanted = {event for event, _ in people}
    while wanted and len(asked) < MOST_LINKED:
        asked |= wanted
        found = read(_LINKS, {"log": log_id, "events": sorted(wanted)})
        wanted = set()
        for row in found:
            edges.setdefault((row.event_id, row.person), set()).add((row.other_event_id, row.other_person))
            if row.other_event_id not in asked:
                wanted.add(row.other_event_id)
        wanted = set(sorted(wanted)[: max(0, MOST_LINKED - len(asked))])  # one event may lead to any number
    return edges


def grouped(edges: Mapping[Someone, set[Someone]]) -> dict[Someone, frozenset[Someone]]:
    """Everybody who is linked with each person, themselves among them; each group is one set, walked once."""
    both: dict[Someone, set[Someone]] = {}
    for one, others in edges.items():
        both.setdefault(one, set()).update(others)
        for other in others:
            both.setdefault(other, set()).add(one)
    groups: dict[Someone, frozenset[Someone]] = {}
    for root in both:
        if root in groups:
            continue
        seen, waiting = {root}, [root]
        while waiting:
            more = both[waiting.pop()] - seen
            seen |= more
            waiting += more
        group = frozenset(seen)
        groups |= dict.fromkeys(group, group)
    return groups


def earlier_incidents(read: Any, rows: Sequence[Row[Any]]) -> dict[str, tuple[Earlier, ...]]:  # noqa: ANN401 - as above
    """The incidents in the twelve months before that of each referral, the latest first, by the referral's id.

    The referrals are of one log.
    """
    if not rows:
        return {}
    log_id = rows[0].log_id
    suspects = read(_ACCUSED, {"log": log_id, "events": sorted({row.event_id for row in rows})})
    accused = {(row.event_id, row.person) for row in suspects if row.person.startswith(Role.SUSPECT.value)}
    known = linked(read, log_id, {*((row.event_id, row.victim) for row in rows), *accused})
    events = {event for found in known.values() for event, _ in found}
    incidents = _incidents(read, log_id, events)
    shown: dict[str, tuple[Earlier, ...]] = {}
    for row in rows:
        now = day_of(row)
        same_pair = {event for one in accused if one[0] == row.event_id for event, _ in known[one]}
        before: dict[str, Earlier] = {}
        for one in known[row.event_id, row.victim]:
            if one[0] == row.event_id or one not in incidents:
                continue
            on, came, grade = incidents[one]
            if year_before(now) <= on and (on, came) < (now, row.created_at):
                before[one[0]] = Earlier(on=on, grade=grade, pair=one[0] in same_pair)
        shown[row.id] = tuple(sorted(before.values(), key=lambda one: one.on, reverse=True))
    return shown


def with_earlier(record: Record, victim: str, earlier: Sequence[Earlier]) -> Record:
    """The record with its victim's earlier incidents, and what they make of it for a conference, as stated facts."""
    if not earlier:
        return record
    first = min(one.on for one in earlier)
    incidents = len(earlier) + 1
    found = [Criterion(code="repeat", met=True, subject=victim, basis="found", count=incidents, since=first)]
    if incidents >= ESCALATION:
        found.append(
            Criterion(code="escalation", met=True, subject=victim, basis="found", count=incidents, since=first)
        )
    return record.model_copy(update={"earlier": tuple(earlier[:MOST_SHOWN]), "criteria": (*record.criteria, *found)})


def day_of(row: Row[Any]) -> date:
    """The day in London of a referral's incident; where nobody said, the day it came in."""
    return datetime.fromisoformat(row.event_at or row.created_at).astimezone(LONDON).date()


def arrival(row: Row[Any]) -> tuple[date, str]:
    """What puts referrals in the order of their incidents: the day, and when it came in."""
    return day_of(row), row.created_at


def is_before(other: Row[Any], row: Row[Any]) -> bool:
    """Whether one referral's incident is an earlier one of another's, within twelve months."""
    before, then = arrival(other), arrival(row)
    return year_before(then[0]) <= before[0] and before < then


def closed_before(other: Row[Any], row: Row[Any]) -> bool:
    """Whether the work on an earlier incident had ended when the other came in, and no more than twelve months before.

    Work that ended otherwise than by its own end (turned down, entered in error) is none that could go on.
    """
    if other.closed_at is None or other.status != ReferralStatus.COMPLETED.value or other.event_id == row.event_id:
        return False
    ended = datetime.fromisoformat(other.closed_at).astimezone(LONDON).date()
    return other.closed_at <= row.created_at and year_before(day_of(row)) <= ended and arrival(other) < arrival(row)


def year_before(day: date) -> date:
    """The same day of the year before; of 29 February, the 28th."""
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)


def _incidents(read: Any, log_id: str, events: Iterable[str]) -> dict[Someone, tuple[date, str, Grade | None]]:  # noqa: ANN401 - as above
    """The day, the time of arrival and the highest grade of each victim's incident; of several teams', the first."""
    found: dict[Someone, tuple[date, str, Grade | None]] = {}
    for row in read(_REFERRALS, {"log": log_id, "events": sorted(events)}) if events else ():
        key = (row.event_id, row.victim)
        grade = Grade(row.grade) if row.grade else None
        known = found.get(key)
        if known is None:
            found[key] = (day_of(row), row.created_at, grade)
        elif GRADE_ORDER.get(grade or "", 0) > GRADE_ORDER.get(known[2] or "", 0):
            found[key] = (known[0], known[1], grade)
    return found


_l, _f = tables.person_link, tables.referral
_events: Any = bindparam("events", expanding=True)
_LINKS = select(_l.c.event_id, _l.c.person, _l.c.other_event_id, _l.c.other_person).where(
    _l.c.log_id == bindparam("log"), _l.c.event_id.in_(_events)
)
_ACCUSED = (
    select(_l.c.event_id, _l.c.person).distinct().where(_l.c.log_id == bindparam("log"), _l.c.event_id.in_(_events))
)
_REFERRALS = (
    select(_f.c.event_id, _f.c.victim, _f.c.event_at, _f.c.created_at, _f.c.grade)
    .where(
        _f.c.log_id == bindparam("log"),
        _f.c.event_id.in_(_events),
        _f.c.status != ReferralStatus.ENTERED_IN_ERROR.value,
    )
    .order_by(_f.c.created_at, _f.c.id)
)
