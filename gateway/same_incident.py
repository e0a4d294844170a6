"""Records of one incident that come under several names: how they find each other, and what each shows of the others.

A force sends one incident as several records: a log and, days later, the crime it became; sections of one notice about
an adult and a child; a word that the suspect was released. They share a log number on one day, or a reference of the
incident, and find each other by those names, blind (domain.md section 4.7 c and d).

A crime that comes later for a log is a version of the same case where its victims are plainly the same people; where
it says less than the log did, the referral stays on the fuller record and shows the crime's reference. Anything else
is linked: each keeps its own record and referral and shows the other's reference. Nothing is ever merged, and records
whose victim is the other's suspect are not linked at all (N9). A word about the suspect, without a victim of its own,
is shown beside the record that it is about.

Pure: names and records in, values out. The units that write them are in `gateway.taking`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row

from gateway.london import day_of
from gateway.store.records import numbered
from mappings.record import Custody, Link, Order, Person, Record, RecordKind, Reference, Role

MOST_LINKS = 20
"""Records that one referral shows links to; an incident has two or three."""

RELIED_ON = frozenset(
    {
        "victim.contact",
        "victim.safe_contact",
        "victim.safe_address",
        "victim.home_address",
        "victim.needs",
        "consent.state",
        "risk.grade",
        "risk.answers",
        "child.listed",
        "orders",
        "statement.summary",
    }
)
"""What an adviser works with: a record without some of it does not take the place of one that has it."""

SUPPLEMENTS = frozenset({"police.custody", "orders"})
"""The items of a word about the suspect that are shown beside the record it is about."""


@dataclass(frozen=True, slots=True)
class Member:
    """A record that is known under a shared name: its event, and what it is of the incident."""

    event: str
    record: str
    section: str | None
    crime: bool

    def to_json(self) -> dict[str, Any]:
        """The member as a claim keeps it."""
        return {"event": self.event, "record": self.record, "section": self.section, "crime": self.crime}


def shared_names(record: Record, organisation: str) -> Iterator[tuple[str, str]]:
    """The names a record shares with others of its incident, as (kind, normal form).

    A log number is unique in a force on a day of London; without a day it is no name (domain.md section 1.3).
    """
    log, times = record.reference("log"), record.times
    at = (times.reported or times.occurred_from) if times else None
    if log and at:
        yield "log-day", f"{organisation}|{log.casefold()}|{day_of(at).isoformat()}"
    if incident := record.reference("incident"):
        yield "incident", f"{organisation}|{incident.casefold()}"


def people_names(record: Record, blind: Callable[[str, str], bytes]) -> tuple[tuple[str, bytes], ...]:
    """What shows who a victim or suspect is, as (reference, blind name): a number, or a name with a date of birth."""
    people = [one for one in record.people if one.role in {Role.VICTIM, Role.SUSPECT}]
    return tuple((one.ref, blind(kind, key)) for one in people for kind, key in numbered(one))


def members(claimed: bytes | None) -> list[Member]:
    """The members that a claim keeps."""
    return [Member(**one) for one in orjson.loads(claimed)] if claimed is not None else []


def is_supplement(record: Record) -> bool:
    """Whether a record is a word about the suspect, without a victim of its own."""
    word = record.kind is RecordKind.NOTICE or (record.kind is RecordKind.UPDATE and bool(record.custody))
    return word and not record.of_role(Role.VICTIM)


def late_crime(record: Record, near: Sequence[Member]) -> Member | None:
    """The log that a record is the crime of: the only record near it, with no crime number and no section so far."""
    if record.reference("crime") is None or record.section or len({one.event for one in near}) != 1:
        return None
    log = near[0]
    return None if log.crime or log.section else log


def same_victims(found: Iterable[tuple[str, str]], victims: Iterable[str]) -> Mapping[str, str] | None:
    """Which victim of the earlier record each of these is, one for one; None where that is not plain.

    `found` are pairs of references that share a name: here, and there.
    """
    same: dict[str, set[str]] = {}
    for here, there in found:
        if there.startswith("victim"):
            same.setdefault(here, set()).add(there)
    plain = {here: next(iter(same[here])) for here in victims if len(same.get(here, ())) == 1}
    whole = len(plain) == len(set(victims)) == len(set(plain.values()))
    return plain if plain and whole else None


def swapped(found: Iterable[tuple[str, str]]) -> bool:
    """Whether somebody is victim in one record and suspect in the other (counter-allegation)."""
    return any(here.partition("-")[0] != there.partition("-")[0] for here, there in found)


def link(kind: str, record_id: str, items: Iterable[str] = ()) -> dict[str, Any]:
    """A link as a referral keeps it."""
    return {"kind": kind, "record": record_id, "items": sorted(items)}


def with_link(kept: str | None, more: Iterable[Mapping[str, Any]]) -> str | None:
    """The links of a referral and more of them, each record once."""
    links: list[Mapping[str, Any]] = links_of(kept)
    known = {one["record"] for one in links}
    links += [one for one in more if one["record"] not in known]
    return orjson.dumps(links[-MOST_LINKS:]).decode() if links else None


def links_of(kept: str | None) -> list[Mapping[str, Any]]:
    """The links that a referral keeps."""
    return orjson.loads(kept) if kept else []


def with_linked(record: Record, row: Row[Any], others: Mapping[str, Record]) -> Record:
    """The record with the references of those linked to it, and what words about its suspect say of him.

    `others` are the linked records that are still there; one that was erased leaves no trace.
    """
    shown: list[Link] = []
    custody: list[Custody] = []
    orders: list[Order] = []
    for one in links_of(row.linked):
        other = others.get(one["record"])
        if other is None or one["record"] == row.record_id:
            continue
        references = tuple(Reference(type=ref.type, value=ref.value) for ref in other.references)
        shown.append(Link(kind=one["kind"], section=other.section, references=references))
        if one["items"]:
            custody += [c.model_copy(update={"subject": _here(c.subject, other, record)}) for c in other.custody]
            bound = [(o, _here(o.subject, other, record)) for o in other.orders]
            orders += [o.model_copy(update={"subject": ref, "protects": None}) for o, ref in bound]
    if not shown:
        return record
    more: dict[str, object] = {"linked": (*record.linked, *shown)}
    if custody:
        more["custody"] = (*record.custody, *custody)
    if orders:
        more["orders"] = (*record.orders, *orders)
    return record.model_copy(update=more)


def concerns(record: Record, known: Record, victim: str) -> bool:
    """Whether a word about a suspect is about the suspect of this victim's part: anybody of it, or nobody named."""
    suspects = {one.ref for one in known.for_victim(victim).of_role(Role.SUSPECT)}
    named = [*(one.subject for one in record.custody), *(one.subject for one in record.orders)]
    meant = {_here(ref, record, known) for ref in named}
    one_alone = len(known.of_role(Role.SUSPECT)) <= 1  # with several, nobody can say whom it means
    return bool(meant & suspects) or (meant <= {None} and one_alone)


def release_of(record: Record, now: datetime) -> datetime | None:
    """When the suspect was released last, as a record says; the present, where it does not say when."""
    return max((one.at or now for one in record.custody if one.is_release), default=None)


def _here(ref: str | None, there: Record, here: Record) -> str | None:
    """The reference here of a suspect of another record: by a number or a name, or because each has one alone."""
    other = next((one for one in there.people if one.ref == ref), None)
    suspects = here.of_role(Role.SUSPECT)
    if other is None:
        return None
    marks = _marks(other)
    for one in suspects:
        if marks & _marks(one):
            return one.ref
    return suspects[0].ref if len(suspects) == 1 and not marks else None


def _marks(person: Person) -> frozenset[tuple[str, str]]:
    return frozenset(numbered(person))
