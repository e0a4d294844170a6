"""Whom links bring together, and what their referrals say of it: earlier incidents, or that those were not hers.

Read before anything is written, under the log's head. A referral that comes to have an earlier incident, or loses one,
gets its next version, so that nobody is shown what was written before; whoever was told of one that was not hers is
sent a correction, and who that is says the log itself (P9).

Source: domain.md sections 1.8 (repeat), 4.1 (step 13), 4.5 (N9, N14).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlalchemy import Row, bindparam, select

from audit.entry import Recipient
from gateway.agreement import Terms
from gateway.evidence import Caller
from gateway.facts import Facts
from gateway.linking.found import Key
from gateway.linking.reopening import known, reopen
from gateway.notices import Kind, Matter, due_by_grade, past_recipients, tell
from gateway.repeats import ITEMS, Someone, arrival, followed, grouped, is_before
from gateway.store import tables
from gateway.store.batch import Batch, ReferralHead
from mappings.referral import ReferralStatus

NOT_ONE_PERSON = "not-one-person"
"""Why a correction is sent: an earlier incident that was stated is somebody else's."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The referrals of people who are linked, or are about to be, and who is whose."""

    rows: Sequence[Row[Any]]
    edges: Mapping[Someone, set[Someone]]
    group: Mapping[Someone, frozenset[Someone]]
    reopened: frozenset[str] = frozenset()

    @classmethod
    def of(cls, batch: Batch, links: Iterable[Key]) -> Neighbours:
        """Everybody whom these links bring together, through what is linked already."""
        edges: dict[Someone, set[Someone]] = {}
        _add(edges, links)
        for one, more in followed(batch.read, batch.log_id, list(edges)).items():
            edges.setdefault(one, set()).update(more)
        group = grouped(edges)
        events = sorted({event for event, _ in group})
        rows = batch.read(_OF_EVENTS, {"log": batch.log_id, "events": events}) if events else ()
        return cls(rows, edges, group, known(batch, rows))

    def joins(self, apart: Iterable[Key]) -> set[frozenset[Someone]]:
        """The groups that hold two of whom a person said that they are two."""
        parted = frozenset(apart)
        return {group for group in set(self.group.values()) if any(key <= group for key in parted)}

    def mention(self, batch: Batch, changed: set[str]) -> None:
        """Have referrals say that there are earlier incidents: those that now have one, or one of which changed."""
        of_group: dict[frozenset[Someone], list[Row[Any]]] = {}
        for row in self.rows:
            if group := self.group.get((row.event_id, row.victim)):
                of_group.setdefault(group, []).append(row)
        for rows in of_group.values():
            rows.sort(key=arrival)
            reopen(batch, rows, self.reopened)
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
                said = orjson.dumps(replace(facts, items=items).to_json()).decode()
                batch.change_referral(row.id, _next(row), {"facts": said})


@dataclass(frozen=True, slots=True)
class Corrections:
    """The referrals that stated an earlier incident that was not hers, or the same suspect, and whom they told."""

    rows: Sequence[Row[Any]]
    told: Mapping[str, tuple[Recipient, ...]]

    @classmethod
    def of(cls, batch: Batch, cut: Iterable[Key], added: Iterable[Key], since: str) -> Corrections:
        """What taking links back makes wrong; `added` are written in the same breath, `since` is when the first stood.

        Raises TypeError once the unit has written.
        """
        cut = frozenset(cut)
        if not cut:
            return cls((), {})
        before = Neighbours.of(batch, cut)
        after = grouped(without(before.edges, cut, added))
        victims = {(row.event_id, row.victim) for row in before.rows}
        hers = grouped(_merged(before.edges, followed(batch.read, batch.log_id, victims)))
        lost = {one: group - after.get(one, frozenset((one,))) for one, group in before.group.items()}
        rows = [row for row in before.rows if _stated(row, before.rows, lost, hers)]
        return cls(rows, past_recipients(batch, [row.id for row in rows], items=ITEMS, since=since) if rows else {})

    def send(self, batch: Batch, caller: Caller | None, terms: Terms | None) -> int:
        """Write the next version of each, and tell those who were told; returns how many notices that makes."""
        count = 0
        for row in self.rows:
            batch.change_referral(row.id, _next(row), {})
            matter = Matter(Kind.CORRECTED, row.event_id, row.id, row.record_id, NOT_ONE_PERSON)
            due = due_by_grade(terms, row.grade, batch.now)
            agreement = terms.agreement if terms else None
            count += tell(batch, matter, self.told[row.id], due=due, caller=caller, agreement=agreement)
        return count


def without(
    edges: Mapping[Someone, set[Someone]], cut: frozenset[Key], added: Iterable[Key] = ()
) -> dict[Someone, set[Someone]]:
    """Links without those that are cut, and with those that are added."""
    left = {one: {other for other in others if frozenset((one, other)) not in cut} for one, others in edges.items()}
    _add(left, added)
    return left


def _stated(
    row: Row[Any],
    rows: Sequence[Row[Any]],
    lost: Mapping[Someone, frozenset[Someone]],
    hers: Mapping[Someone, frozenset[Someone]],
) -> bool:
    """Whether a referral stated an incident of somebody it has lost, or that the suspect of one was the same."""
    victim = (row.event_id, row.victim)
    own, theirs = lost.get(victim, _NOBODY), hers.get(victim, _NOBODY)
    elsewhere = {event for (event, _), gone in lost.items() if event == row.event_id for event, _ in gone}
    return any(
        ((one.event_id, one.victim) in own or (one.event_id in elsewhere and (one.event_id, one.victim) in theirs))
        and one.status != ReferralStatus.ENTERED_IN_ERROR.value
        and is_before(one, row)
        for one in rows
        if one.event_id != row.event_id
    )


_NOBODY: frozenset[Someone] = frozenset()


def _next(row: Row[Any]) -> ReferralHead:
    return ReferralHead(row.version + 1, row.status, row.state, row.record_id)


def _add(edges: dict[Someone, set[Someone]], links: Iterable[Key]) -> None:
    for key in links:
        for one in key:
            edges.setdefault(one, set()).update(key - {one})


def _merged(*many: Mapping[Someone, set[Someone]]) -> dict[Someone, set[Someone]]:
    merged: dict[Someone, set[Someone]] = {}
    for edges in many:
        for one, others in edges.items():
            merged.setdefault(one, set()).update(others)
    return merged


_f = tables.referral
_OF_EVENTS = (
    select(_f)
    .where(_f.c.log_id == bindparam("log"), _f.c.event_id.in_(bindparam("events", expanding=True)))
    .order_by(_f.c.id)
)
