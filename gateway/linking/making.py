"""Making true what was found: links, matches for a person, the entries, and the referrals' next version.

Nobody is linked, by any number of links, with somebody of whom a person said that it is another: where a new link would
do that, it is put to a person instead. What a later version no longer shows is taken back, unless a person said it, and
whoever was told on its strength is sent a correction.

Source: domain.md sections 4.1 (step 5), 4.5 (N9, N14), 4.7.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, bindparam, select, update

from gateway.linking.found import (
    DIFFERENT,
    LINKED,
    REVIEWED,
    Key,
    Pair,
    conclude,
    events_of,
    key_of,
    link,
    matches,
    put_to_a_person,
    unlink,
)
from gateway.linking.neighbours import Corrections, Neighbours
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.store.features import LAPSED


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found for one event: the row it was found from, pairs to link, and pairs to put to a person."""

    match_id: str
    event_id: str
    links: tuple[Pair, ...]
    reviews: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class LinkPeople(Unit[None]):
    """Make true what was found for some events, as far as they are still what was looked at."""

    looked: tuple[Looked, ...]

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        ids = [one.match_id for one in self.looked]
        waiting = {row.id for row in batch.read(_STILL, {"log": batch.log_id, "ids": ids})}
        found = [one for one in self.looked if one.match_id in waiting]
        if not found:
            return
        own = {one.event_id for one in found}
        pairs = {pair.key: pair for one in found for pair in (*one.reviews, *one.links)}
        events = own | events_of(pairs)
        said = matches(batch, events)
        known = {key_of(row): row for row in batch.read(_LINKED, {"log": batch.log_id, "events": sorted(events)})}
        wanted = {pair.key: pair for one in found for pair in one.links if not _is(said.get(pair.key), DIFFERENT)}
        kept = {
            key for key, row in known.items() if row.basis == REVIEWED or key in wanted or not events_of([key]) & own
        }
        stale = known.keys() - kept
        links, near = _without_contradiction(batch, wanted, kept)
        lapsing = {key for key in stale if _is(said.get(key), LINKED)}
        settled = links.keys() | kept | (said.keys() - lapsing)
        asked = [pair for key, pair in pairs.items() if pair.of_victims and key not in settled]
        since = min((known[key].created_at for key in stale), default="")
        wrong = Corrections.of(batch, stale, links, since)
        grades = {(row.event_id, row.victim): row.grade for row in near.rows}

        for key in stale:
            unlink(batch, key)
            if key in lapsing:
                conclude(batch, said[key].id, LAPSED, None)
        for key in links.keys() - known.keys():
            if key in said:  # a person was asked, and a later version answered
                conclude(batch, said[key].id, LAPSED, None)
            link(batch, links[key])
        for pair in asked:
            put_to_a_person(batch, pair, grades.get(pair.one))
        batch.update(_MATCHED, {"ids": [one.match_id for one in found], "at": batch.at})
        near.mention(batch, own)
        wrong.send(batch, None, None)


def _without_contradiction(
    batch: Batch, links: Mapping[Key, Pair], kept: set[Key]
) -> tuple[Mapping[Key, Pair], Neighbours]:
    """The links that join no two of whom a person said that they are two, and whom they bring together."""
    near = Neighbours.of(batch, {*links, *kept})
    new = links.keys() - kept
    if not new:
        return links, near
    said = matches(batch, events_of([*near.group.values()]))
    wrong = near.joins(key for key, row in said.items() if row.outcome == DIFFERENT)
    if not wrong:
        return links, near
    left = {key: pair for key, pair in links.items() if key in kept or near.group[pair.one] not in wrong}
    return left, Neighbours.of(batch, {*left, *kept})


def _is(row: Row[Any] | None, outcome: str) -> bool:
    return row is not None and row.outcome == outcome


_e, _l = tables.match_event, tables.person_link
_ids: Any = bindparam("ids", expanding=True)
_STILL = select(_e.c.id).where(_e.c.log_id == bindparam("log"), _e.c.matched_at.is_(None), _e.c.id.in_(_ids))
_MATCHED = update(_e).where(_e.c.id.in_(_ids)).values(matched_at=bindparam("at"))
_LINKED = select(_l.c.event_id, _l.c.person, _l.c.other_event_id, _l.c.other_person, _l.c.basis, _l.c.created_at).where(
    _l.c.log_id == bindparam("log"), _l.c.event_id.in_(bindparam("events", expanding=True))
)
