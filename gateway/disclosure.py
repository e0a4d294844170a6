"""What leaves, and the entry that says so first: pages of referrals for a team, feedback for police.

A search picks referrals of the caller's own team under one agreement; each is decided again on its sealed facts,
narrowed to what the resource types asked for can carry, minimised and written. The unit here seals one entry for each
referral and checks, in the same transaction, that neither the agreement nor the referral has changed since.

A caller who may not see a referral and a caller who asks for one that does not exist run the same queries, seal the
same entry and get the same answer (P8).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import chain
from typing import Any

import orjson
from cachetools import LRUCache
from sqlalchemy import Connection, Row

from adapters.nhs import fhir
from audit.entry import Entry, Operation
from audit.entry import Outcome as EntryOutcome
from gateway.decide import Decision, Facts, Outcome, Reason, decide_on
from gateway.decision import Ruling
from gateway.evidence import Caller, Event, act
from gateway.facts import hours_since
from gateway.grades import with_history
from gateway.intake import SAFEGUARDING
from gateway.minimise import minimise
from gateway.nothing_given import nothing_found
from gateway.order_ends import passed, shown_at
from gateway.repeats import earlier_incidents, with_earlier
from gateway.same_incident import links_of, with_linked
from gateway.searching import Search, find_all, find_rows, write_cursor
from gateway.store.batch import Batch, DecideAgain, Unit
from gateway.store.records import Records, referral_of, subject_of
from gateway.terms import Standing
from gateway.ties import Ties, ties_of
from mappings.record import Earlier, Record
from mappings.referral import ReferralState, ReferralStatus

WRITTEN_MAX = 4096
"""Written resources kept for reading again, about 5 KB each; the one longest unused goes first."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A referral as far as this caller may see it: the decision on what the answer can carry, and what was written.

    `withheld` says whether anything of the whole record is kept from this caller: that, never what.
    """

    row: Row[Any]
    facts: Facts
    decision: Decision
    withheld: bool
    matches: tuple[fhir.Written, ...]
    included: tuple[fhir.Written, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """A referral that was asked for by its id, by somebody connected with a party (N15): it is answered as unknown."""

    row: Row[Any]
    facts: Facts
    decision: Decision


@dataclass(frozen=True, slots=True)
class Found:
    """The referrals a search found, before they are sealed; `total` where one referral is one resource."""

    opened: tuple[Opened, ...]
    total: int | None
    next_cursor: str | None
    refused: tuple[Refused, ...] = ()


COUNTED_MAX = 1000
"""Referrals that are decided to say how many there are, some 20 us each; beyond, no total is given (it is optional)."""

ONE_TO_ONE = frozenset({"Task", "ServiceRequest", "Flag"})
"""The types of which every referral is exactly one resource, so that counting referrals counts them."""


@dataclass(frozen=True)
class Reader:
    """Finds and writes referrals. Shared by all requests of a process."""

    records: Records
    base_url: str
    _written: LRUCache[_Key, tuple[fhir.Written, ...]] = field(default_factory=lambda: LRUCache(WRITTEN_MAX))
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def find(
        self, connection: Connection, caller: Caller, search: Search, standing: Standing, log_id: str, now: datetime
    ) -> Found:
        """Run a search for a caller under an agreement. Nothing found here may leave before it is sealed."""
        rows = find_rows(connection, search, log_id, caller)
        shown, more = rows[: search.count], len(rows) > search.count
        ties = ties_of(connection.execute, caller, log_id, shown)
        judged = [(row, *judged_of(row, standing, ties, now)) for row in shown]
        permitted = [one for one in judged if one[2].outcome is Outcome.PERMITTED]
        opened = self._open(connection, permitted, search, now)
        total = None
        if search.types[0] in ONE_TO_ONE:
            whole = search.cursor is None and not more
            total = len(opened) if whole else self._count(connection, caller, search, standing, log_id, now)
        refused = [Refused(*one) for one in judged if search.ids is not None and one[2].reason is Reason.CONNECTED]
        return Found(tuple(opened), total, write_cursor(shown[-1]) if more else None, tuple(refused))

    @staticmethod
    def _count(
        connection: Connection, caller: Caller, search: Search, standing: Standing, log_id: str, now: datetime
    ) -> int | None:
        """How many referrals this caller may see, each decided; None where they are too many to decide for a number."""
        rows = find_all(connection, search, log_id, caller, COUNTED_MAX)
        if len(rows) > COUNTED_MAX:
            return None
        ties = ties_of(connection.execute, caller, log_id, rows)
        return sum(judged_of(row, standing, ties, now)[1].outcome is Outcome.PERMITTED for row in rows)

    @staticmethod
    def standing_of(opened: Opened) -> tuple[ReferralStatus, ReferralState]:
        """Where an opened referral stands."""
        return ReferralStatus(opened.row.status), ReferralState(opened.row.state)

    def _open(
        self, connection: Connection, judged: Sequence[tuple[Row[Any], Facts, Decision]], search: Search, now: datetime
    ) -> list[Opened]:
        """Write what may leave of each referral; only what is not at hand is decrypted."""
        wanted = [
            [(_key(row, narrowed, type_, now), narrowed) for type_, narrowed in _by_type(decision, search)]
            for row, _, decision in judged
        ]
        with self._turn:
            at_hand = {key: self._written[key] for keys in wanted for key, _ in keys if key in self._written}
        missing = [
            one
            for (row, _, _), keys in zip(judged, wanted, strict=True)
            if any(key not in at_hand for key, _ in keys)
            for one in (row.record_id, *(link["record"] for link in links_of(row.linked)))
        ]
        loaded = self.records.load(connection, missing)
        again = [row for row, facts, _ in judged if row.record_id in loaded and "history.repeats" in facts.items]
        history = earlier_incidents(connection.execute, again)
        opened: list[Opened] = []
        for (row, facts, decision), keys in zip(judged, wanted, strict=True):
            for key, narrowed in keys:
                if key not in at_hand and row.record_id in loaded:  # an erased record leaves nothing to write
                    at_hand[key] = self._write(row, narrowed, key[2], loaded, history.get(row.id, ()), now)
            first, *others = (at_hand.get(key, ()) for key, _ in keys)
            matches = tuple(one for one in first if search.ids is None or one.id in search.ids)
            if matches:
                included = tuple(chain.from_iterable(others))
                withheld = bool(decision.for_recipient()["withheld"])
                opened.append(Opened(row, facts, decision.narrow(search.items), withheld, matches, included))
        with self._turn:
            self._written.update(at_hand)
        return opened

    def _write(
        self,
        row: Row[Any],
        decision: Decision,
        type_: str,
        loaded: Mapping[str, Record],
        earlier: Sequence[Earlier],
        now: datetime,
    ) -> tuple[fhir.Written, ...]:
        whole = shown_at(with_linked(with_history(loaded[row.record_id], row), row, loaded), now)
        whole = with_earlier(whole, row.victim, earlier)
        minimised = minimise(whole.for_victim(row.victim), decision)
        return fhir.write(type_, minimised, referral_of(row), self.base_url)


def judged_of(row: Row[Any], standing: Standing, ties: Ties, now: datetime) -> tuple[Facts, Decision]:
    """The facts of a referral at the moment somebody asks, and the decision on them.

    An emergency counts only where the decision would be no without it: then its clause, and no other, decides.
    """
    kept = _facts(row.facts)
    hours = hours_since(datetime.fromisoformat(row.event_at), now) if row.event_at else kept.hours_since_event
    facts = kept.asked_by(ties.relationship(row), None, hours)
    decision = decide_on(facts, row.team, SAFEGUARDING, standing.terms, now)
    ground = None if decision.outcome is Outcome.PERMITTED else ties.emergency(row, now)
    if ground is not None:
        facts = facts.asked_by(facts.relationship, ground, hours)
        decision = decide_on(facts, row.team, SAFEGUARDING, standing.terms, now)
    return facts, decision


@lru_cache(maxsize=4096)
def _facts(text: str) -> Facts:
    """The facts a referral's row holds; they identify nobody, and many rows hold the same."""
    return Facts.from_json(orjson.loads(text))


def _by_type(decision: Decision, search: Search) -> list[tuple[str, Decision]]:
    """The decision as it is for each type asked for."""
    return [(type_, decision.narrow(items)) for type_, items in search.carried]


_Key = tuple[str, int, str, Ruling, datetime | None]


def _key(row: Row[Any], decision: Decision, type_: str, now: datetime) -> _Key:
    """What is written under a key is written again the same; where an order has ended since, nothing is."""
    return (row.id, row.version, type_, decision.ruling, now if passed(row.orders_end, now) else None)


@dataclass(frozen=True, slots=True)
class Disclose(Unit[None]):
    """Seal that what was found leaves: an entry for each referral, or one that nothing was found."""

    found: Found
    search: Search
    caller: Caller
    standing: Standing
    reason: str | None = None

    @property
    def referrals(self) -> Sequence[str]:  # type: ignore[override]  # a value computed from the fields
        """The referrals that must not have changed."""
        return [one.row.id for one in self.found.opened]

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        for refused in self.found.refused:
            batch.seal(self._denied(batch, refused))
        if not self.found.opened and not self.found.refused:
            batch.seal(nothing_found(batch, self.caller, self.standing, self.search.types[0]))
        for one in self.found.opened:
            batch.same_referral(one.row.id, one.row.version)
            decision = decide_on(one.facts, one.row.team, one.decision.purpose, self.standing.terms, batch.now)
            if decision.narrow(self.search.items).ruling != one.decision.ruling:
                raise DecideAgain("the decision came out otherwise at the instant of sealing")
            batch.seal(
                act(
                    self.search.event,
                    Operation.DISCLOSURE,
                    at=batch.at,
                    caller=self.caller,
                    decision=one.decision,
                    facts=one.facts,
                    subjects=subjects_in(one),
                    record=one.row.record_id,
                    case=one.row.id,
                    reason=self.reason,
                    mapping=one.row.mapping,
                    detail={"types": ",".join(self.search.types), "version": one.row.version},
                )
            )

    def _denied(self, batch: Batch, one: Refused) -> Entry:
        return act(
            Event.ACCESS_REFUSED,
            Operation.CONSULTATION,
            at=batch.at,
            caller=self.caller,
            outcome=EntryOutcome.DENIED,
            decision=one.decision,
            facts=one.facts,
            subjects=(subject_of(one.row.record_id, one.row.victim),),
            record=one.row.record_id,
            case=one.row.id,
            mapping=one.row.mapping,
        )


def subjects_in(one: Opened) -> tuple[str, ...]:
    """Whom an answer is about: the victim always, and everybody else a resource of it is of."""
    parts = {one.row.victim}
    for written in (*one.matches, *one.included):
        if written.type == "Patient" and (split := fhir.split_id(written.id)) is not None and split[1]:
            parts.add(split[1])
    return tuple(sorted(subject_of(one.row.record_id, part) for part in parts))
