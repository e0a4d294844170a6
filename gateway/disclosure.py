"""What leaves, and the entry that says so first: pages of referrals for a team, feedback for police.

A search picks referrals of the caller's own team under one agreement; each is decided again on its sealed facts,
narrowed to what the resource types asked for can carry, minimised and written; what columns cannot tell is then asked
of what was written, and so of nothing that was withheld. The unit here seals one entry for each referral and checks, in
the same transaction, that neither the agreement nor the referral has changed since.

A caller who may not see a referral and a caller who asks for one that does not exist run the same queries, seal the
same entry and get the same answer (P8).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
from cachetools import LRUCache
from sqlalchemy import Connection, Row

from adapters.nhs import fhir
from audit.entry import Entry, Operation
from audit.entry import Outcome as EntryOutcome
from gateway.decide import Decision, Facts, Outcome, Reason, decide_on
from gateway.decision import Ruling
from gateway.errors import BadParameter
from gateway.evidence import Caller, Event, act
from gateway.facts import hours_since
from gateway.grades import with_history
from gateway.intake import SAFEGUARDING
from gateway.minimise import minimise
from gateway.nothing_given import nothing_found
from gateway.order_ends import passed, shown_at
from gateway.repeats import earlier_incidents, with_earlier
from gateway.same_incident import links_of, with_linked
from gateway.sealing import decided_again
from gateway.searching import Search, find_rows, place_of, rows_to_count
from gateway.selecting import selected
from gateway.store.batch import Batch, Unit
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

    def check(self, batch: Batch, search: Search, standing: Standing) -> None:
        """Decide again at the instant of sealing. Raises DecideAgain where the referral or the decision has changed."""
        batch.same_referral(self.row.id, self.row.version)
        decided_again(self.facts, self.decision, standing.terms, batch.now, search.items)


@dataclass(frozen=True, slots=True)
class Refused:
    """A referral that was asked for by its id, by somebody connected with a party (N15): it is answered as unknown."""

    row: Row[Any]
    facts: Facts
    decision: Decision


@dataclass(frozen=True, slots=True)
class Found:
    """The referrals a search found, before they are sealed; `next` is the place of the page after this one.

    `total` is given where it tells nothing that is not sealed: of a type that is one resource for each referral, when
    only routing was asked; or of a result that is whole on this page.
    """

    opened: tuple[Opened, ...]
    total: int | None
    next: tuple[str, ...] | None
    refused: tuple[Refused, ...] = ()


COUNTED_MAX = 1000
"""Referrals that are decided to say how many there are, some 20 us each; beyond, no total is given (it is optional)."""

LOOKED_AT_MAX = 500
"""Referrals a page looks into for what columns cannot tell, up to a millisecond each; then it ends, with a link."""

ONE_TO_ONE = frozenset({"Task", "ServiceRequest", "Flag", "Provenance"})
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
        if search.counted and not search.conditions and search.types[0] in ONE_TO_ONE:
            return Found((), _countable(self._count(connection, caller, search, standing, log_id, now)), None)
        opened: list[Opened] = []
        refused: list[Refused] = []
        looked_at, place = 0, search.after
        while True:
            at_once = min(search.count, LOOKED_AT_MAX)
            rows = find_rows(connection, search, log_id, caller, place, at_once)
            shown, more = rows[:at_once], len(rows) > at_once
            ties = ties_of(connection.execute, caller, log_id, shown)
            judged = [(row, *judged_of(row, standing, ties, now)) for row in shown]
            permitted = [one for one in judged if one[2].outcome is Outcome.PERMITTED and _may_fit(one[2], search)]
            opened += self._open(connection, permitted, search, now)
            refused += [Refused(*one) for one in judged if one[2].reason is Reason.CONNECTED]
            looked_at += len(shown)
            place = place_of(shown[-1], search) if more else None
            if not search.conditions or not more or len(opened) >= search.count or looked_at >= LOOKED_AT_MAX:
                break
        if len(opened) > search.count:
            opened = opened[: search.count]
            place = place_of(opened[-1].row, search)
        total = None
        if search.after is None and place is None and (search.total or search.counted):
            total = sum(len(one.matches) for one in opened)
        elif search.total and not search.conditions and search.types[0] in ONE_TO_ONE:
            total = self._count(connection, caller, search, standing, log_id, now)
        if search.counted:
            total = _countable(total)
        return Found(tuple(opened), total, place, tuple(refused) if search.ids is not None else ())

    @staticmethod
    def _count(
        connection: Connection, caller: Caller, search: Search, standing: Standing, log_id: str, now: datetime
    ) -> int | None:
        """How many referrals this caller may see, each decided; None where they are too many to decide for a number."""
        rows = rows_to_count(connection, search, log_id, caller, COUNTED_MAX)
        if rows is None:
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
        told = "Provenance" in search.types  # what names the record it was made from
        payloads = self.records.payloads(connection, missing) if told else {}
        again = [row for row, facts, _ in judged if row.record_id in loaded and "history.repeats" in facts.items]
        history = earlier_incidents(connection.execute, again)
        opened: list[Opened] = []
        for (row, facts, decision), keys in zip(judged, wanted, strict=True):
            for key, narrowed in keys:
                if key not in at_hand and row.record_id in loaded:  # an erased record leaves nothing to write
                    whole = whole_of(row, loaded, history.get(row.id, ()), now)
                    referral = replace(referral_of(row), payload=payloads.get(row.record_id))
                    at_hand[key] = fhir.write(key[2], minimise(whole, narrowed), referral, self.base_url)
            written = {key[2]: at_hand.get(key, ()) for key, _ in keys}
            matches, included = selected(written, search)
            if matches:
                withheld = bool(decision.for_recipient()["withheld"])
                opened.append(Opened(row, facts, decision.narrow(search.items), withheld, matches, included))
        with self._turn:
            self._written.update(at_hand)
        return opened


def whole_of(row: Row[Any], loaded: Mapping[str, Record], earlier: Sequence[Earlier], now: datetime) -> Record:
    """All there is of a referral at an instant, for its victim, before anything is taken from it."""
    whole = shown_at(with_linked(with_history(loaded[row.record_id], row), row, loaded), now)
    return with_earlier(whole, row.victim, earlier).for_victim(row.victim)


def _countable(total: int | None) -> int:
    """A number that was asked for and nothing else. Raises BadParameter where it is too large to be found."""
    if total is None:
        raise BadParameter("there are too many to count: narrow the search")
    return total


def judged_of(row: Row[Any], standing: Standing, ties: Ties, now: datetime) -> tuple[Facts, Decision]:
    """The facts of a referral at the moment somebody asks, and the decision on them.

    An emergency counts only where the decision would be no without it: then its clause, and no other, decides.
    """
    return judged_on(_facts(row.facts), row, standing, ties, now)


def judged_on(kept: Facts, row: Row[Any], standing: Standing, ties: Ties, now: datetime) -> tuple[Facts, Decision]:
    """The same, of a referral as it would be if it were decided on these facts."""
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


def _may_fit(decision: Decision, search: Search) -> bool:
    """Whether enough may leave for every condition to fit: where not, the record is not even opened."""
    return all(
        not one.positive or not one.asked.items or not one.asked.items.isdisjoint(decision.ruling.methods)
        for one in search.conditions
    )


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
    def referrals(self) -> Sequence[str]:
        """The referrals that must not have changed."""
        return [one.row.id for one in self.found.opened]

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        if self.search.counted and not self.found.opened:
            batch.seal(self._counted(batch))
        elif not self.found.opened and not self.found.refused:
            batch.seal(nothing_found(batch, self.caller, self.standing, self.search.types[0]))
        for one in self.found.opened:
            one.check(batch, self.search, self.standing)
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
                    detail={"types": ",".join(self.search.types), "version": one.row.version, **dict(self.search.note)},
                )
            )
        for refused in self.found.refused:  # last, so that receipts stand in the order of what they are of
            batch.seal(self._denied(batch, refused))

    def _counted(self, batch: Batch) -> Entry:
        """How many there are was told, and nothing of any: the same whether there are none or none for this caller."""
        return act(
            Event.REFERRALS_COUNTED,
            Operation.CONSULTATION,
            at=batch.at,
            caller=self.caller,
            agreement=self.standing.agreement_ref,
            reason=self.reason,
            detail={"types": ",".join(self.search.types), "total": self.found.total or 0},
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
