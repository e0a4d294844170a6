"""What leaves, and the entry that says so first: pages of referrals for a team, feedback for police.

A search picks referrals of the caller's own team under one agreement; each is decided again on its sealed facts,
narrowed to what the resource types asked for can carry, minimised and written. The unit here seals one entry for each
referral and checks, in the same transaction, that neither the agreement nor the referral has changed since.

A caller who may not see a referral and a caller who asks for one that does not exist run the same queries, seal the
same entry and get the same answer (P8).
"""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

import orjson
from cachetools import LRUCache
from sqlalchemy import ColumnElement, Connection, Row, Select, false, func, or_, select

from adapters.nhs import fhir
from audit.entry import Entry, Operation, timestamp
from audit.entry import Outcome as EntryOutcome
from gateway.decide import Decision, Facts, Outcome, decide_on
from gateway.errors import BadParameter
from gateway.evidence import Caller, Event
from gateway.intake import SAFEGUARDING, agreement_of, items_of, recipients_of
from gateway.minimise import minimise
from gateway.store import tables
from gateway.store.journal import Batch, DecideAgain, Unit
from gateway.store.records import Records, referral_of, subject_of
from gateway.terms import Standing, agreement_ref
from mappings.record import Record
from mappings.referral import ReferralState, ReferralStatus

WRITTEN_MAX = 4096
"""Written resources kept for reading again, about 5 KB each; the one longest unused goes first."""


@dataclass(frozen=True, slots=True)
class Search:
    """What a caller asks for. Every condition given must hold; None is no condition.

    `types` are the resource types to write, the one searched first. `ids` are whole resource ids of the first type.
    `updated` are (prefix, instant) pairs of `_lastUpdated`. `count` is how many referrals a page may hold.
    """

    types: tuple[str, ...]
    ids: tuple[str, ...] | None = None
    patients: tuple[str, ...] | None = None
    statuses: tuple[str, ...] | None = None
    states: tuple[str, ...] | None = None
    priorities: tuple[str, ...] | None = None
    updated: tuple[tuple[str, datetime], ...] = ()
    count: int = 20
    cursor: str | None = None
    event: Event = Event.REFERRAL_READ

    @property
    def carried(self) -> tuple[tuple[str, frozenset[str]], ...]:
        """Each type with the items it brings: what is included beside the type searched is about the victim alone."""
        first, *others = self.types
        return ((first, fhir.carries(first)), *((one, _of_victim(one)) for one in others))

    @property
    def items(self) -> frozenset[str]:
        """Every item the answer can carry."""
        return frozenset().union(*(items for _, items in self.carried))


@cache
def _of_victim(type_: str) -> frozenset[str]:
    others = ("child.",) if type_ == "Patient" else ()
    return frozenset(item for item in fhir.carries(type_) if not item.startswith(others))


@dataclass(frozen=True, slots=True)
class Opened:
    """A referral as far as this caller may see it: the decision, and what was written of it."""

    row: Row[Any]
    facts: Facts
    decision: Decision
    matches: tuple[fhir.Written, ...]
    included: tuple[fhir.Written, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """The referrals a search found, before they are sealed; `total` where one referral is one resource."""

    opened: tuple[Opened, ...]
    total: int | None
    next_cursor: str | None


ONE_TO_ONE = frozenset({"Task", "ServiceRequest", "Flag"})
"""The types of which every referral is exactly one resource, so that counting referrals counts them."""


@dataclass(frozen=True)
class Reader:
    """Finds and writes referrals. Shared by all requests of a process."""

    records: Records
    base_url: str
    _written: LRUCache[Any, tuple[fhir.Written, ...]] = field(default_factory=lambda: LRUCache(WRITTEN_MAX))

    def find(
        self, connection: Connection, caller: Caller, search: Search, standing: Standing, log_id: str, now: datetime
    ) -> Found:
        """Run a search for a caller under an agreement. Nothing found here may leave before it is sealed."""
        query = _selection(search, log_id, caller)
        page = query.order_by(tables.referral.c.created_at, tables.referral.c.id)
        if search.cursor is not None:
            created_at, id_ = read_cursor(search.cursor)
            after = tables.referral.c.created_at > created_at
            same = (tables.referral.c.created_at == created_at) & (tables.referral.c.id > id_)
            page = page.where(or_(after, same))
        rows = connection.execute(page.limit(search.count + 1)).all()
        total = None
        if search.types[0] in ONE_TO_ONE:
            total = (
                connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()
                if search.cursor is not None or len(rows) > search.count
                else len(rows)
            )
        shown = rows[: search.count]
        judged = [(row, *self._judge(row, search, standing, now)) for row in shown]
        opened = self._open(connection, [one for one in judged if one[2].outcome is Outcome.PERMITTED], search)
        more = len(rows) > search.count
        return Found(tuple(opened), total, write_cursor(shown[-1]) if more else None)

    @staticmethod
    def standing_of(opened: Opened) -> tuple[ReferralStatus, ReferralState]:
        """Where an opened referral stands."""
        return ReferralStatus(opened.row.status), ReferralState(opened.row.state)

    def _judge(self, row: Row[Any], search: Search, standing: Standing, now: datetime) -> tuple[Facts, Decision]:
        facts = Facts.from_json(orjson.loads(row.facts))
        decision = decide_on(facts, row.team, SAFEGUARDING, standing.terms, now)
        return facts, decision.narrow(search.items)

    def _open(
        self, connection: Connection, judged: Sequence[tuple[Row[Any], Facts, Decision]], search: Search
    ) -> list[Opened]:
        missing = [row.record_id for row, _, decision in judged if not self._has(row, decision, search)]
        loaded = self.records.load(connection, missing)
        opened: list[Opened] = []
        for row, facts, decision in judged:
            written = [self._write(row, decision.narrow(items), type_, loaded) for type_, items in search.carried]
            matches = tuple(one for one in written[0] if search.ids is None or one.id in search.ids)
            others = tuple(one for ones in written[1:] for one in ones)
            if matches:
                opened.append(Opened(row, facts, decision, matches, others))
        return opened

    def _has(self, row: Row[Any], decision: Decision, search: Search) -> bool:
        return all(_key(row, decision.narrow(items), type_) in self._written for type_, items in search.carried)

    def _write(
        self,
        row: Row[Any],
        decision: Decision,
        type_: str,
        loaded: Mapping[str, Record],
    ) -> tuple[fhir.Written, ...]:
        key = _key(row, decision, type_)
        found = self._written.get(key)
        if found is None:
            record = loaded.get(row.record_id)
            if record is None:  # erased: nothing is left to write
                return ()
            narrowed = decision.narrow(fhir.carries(type_))
            found = fhir.write(
                type_, minimise(record.for_victim(row.victim), narrowed), referral_of(row), self.base_url
            )
            self._written[key] = found
        return found


def _key(row: Row[Any], decision: Decision, type_: str) -> tuple[str, int, str, object]:
    return (row.id, row.version, type_, decision.ruling)


def _selection(search: Search, log_id: str, caller: Caller) -> Select[Any]:
    table = tables.referral
    query = select(table).where(
        table.c.log_id == log_id, table.c.team == caller.recipient, table.c.organisation == caller.organisation
    )
    if search.ids is not None:
        query = query.where(table.c.id.in_(_referral_ids(search.ids)))
    if search.patients is not None:
        victims = [split for one in search.patients if (split := fhir.split_id(one)) is not None and split[1]]
        query = query.where(or_(false(), *((table.c.id == id_) & (table.c.victim == part) for id_, part in victims)))
    for column, wanted in (
        (table.c.status, search.statuses),
        (table.c.state, search.states),
        (table.c.priority, search.priorities),
    ):
        if wanted is not None:
            query = query.where(column.in_(wanted))
    for prefix, instant in search.updated:
        query = query.where(_compared(table.c.updated_at, prefix, instant))
    return query


def _referral_ids(ids: Sequence[str]) -> list[str]:
    return [split[0] for one in ids if (split := fhir.split_id(one)) is not None]


def _compared(column: ColumnElement[str], prefix: str, instant: datetime) -> ColumnElement[bool]:
    text = timestamp(instant)
    return {
        "eq": column == text,
        "ne": column != text,
        "gt": column > text,
        "sa": column > text,
        "lt": column < text,
        "eb": column < text,
        "ge": column >= text,
        "le": column <= text,
    }[prefix]


def write_cursor(row: Row[Any]) -> str:
    """The place after a referral in the order of pages: opaque, and of nothing but the gateway's own references."""
    return base64.urlsafe_b64encode(f"{row.created_at} {row.id}".encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[str, str]:
    """The place a cursor stands for. Raises BadParameter."""
    try:
        created_at, id_ = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii").split(" ")
    except (binascii.Error, ValueError):
        raise BadParameter("the cursor is not one of this server's links") from None
    return created_at, id_


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
        if not self.found.opened:
            batch.seal(nothing_found(batch, self.caller, self.standing, self.search.types[0]))
        for one in self.found.opened:
            head = batch.referral(one.row.id)
            if head is None or head.version != one.row.version:
                raise DecideAgain("the referral changed")
            decision = decide_on(one.facts, one.row.team, one.decision.purpose, self.standing.terms, batch.now)
            if decision.narrow(self.search.items).ruling != one.decision.ruling:
                raise DecideAgain("the decision came out otherwise at the instant of sealing")
            batch.seal(self._entry(batch, one))

    def _entry(self, batch: Batch, one: Opened) -> Entry:
        return Entry(
            id=str(uuid.uuid4()),
            time=batch.at,
            operation=Operation.DISCLOSURE,
            outcome=EntryOutcome.PERMITTED,
            event=self.search.event.value,
            actor=self.caller.actor,
            recipients=recipients_of(one.decision),
            subjects=subjects_in(one),
            record=one.row.record_id,
            case=one.row.id,
            agreement=agreement_of(one.decision),
            clauses=one.decision.clauses,
            items=items_of(one.decision),
            purpose=one.decision.purpose,
            reason=self.reason,
            facts=one.facts.to_json(),
            request=self.caller.request,
            correlation=self.caller.correlation,
            detail={"types": ",".join(self.search.types), "version": one.row.version},
        )


def subjects_in(one: Opened) -> tuple[str, ...]:
    """Whom an answer is about: the victim always, and everybody else a resource of it is of."""
    parts = {one.row.victim}
    for written in (*one.matches, *one.included):
        if written.type == "Patient" and (split := fhir.split_id(written.id)) is not None and split[1]:
            parts.add(split[1])
    return tuple(sorted(subject_of(one.row.record_id, part) for part in parts))


def nothing_found(batch: Batch, caller: Caller, standing: Standing, what: str) -> Entry:
    """The entry of a question without an answer: the same whether there is none or none for this caller (P8)."""
    agreement = standing.terms.agreement if standing.terms else None
    return Entry(
        id=str(uuid.uuid4()),
        time=batch.at,
        operation=Operation.CONSULTATION,
        outcome=EntryOutcome.DENIED,
        event=Event.NOTHING_FOUND.value,
        actor=caller.actor,
        agreement=None if agreement is None else agreement_ref(agreement),
        request=caller.request,
        correlation=caller.correlation,
        detail={"types": what},
    )
