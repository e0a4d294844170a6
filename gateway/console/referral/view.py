"""A record as the page shows it: risk first, then how she may be reached, then everybody and everything else.

Pure: what the team may see in, what a template shows out. Nothing is judged: a grade is the one that was given (P10),
what is not stated safe is said to be unsafe (P5), and a template escapes every text.

Source: domain.md sections 1.6 (the items that count most; age, assessor), 4.4, 4.5 (N8, N10, N12).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from gateway.case_page import CasePage
from gateway.console.referral.asking import name_of
from gateway.console.times import day, years
from gateway.console.words import words
from gateway.decide import Facts
from gateway.london import day_of
from mappings.record import Address, AddressUse, Answer, Assessment, Birth, Contact, Order, Person, Record, Reply
from mappings.record import Role as InRecord

LETHALITY = ("STRG", "KILL", "WPN", "SEP", "STK", "PREG", "FREQ", "SEV", "SUI")
"""What goes before the other items, in its order; more often and worse are what is called escalation."""

_OF_DARA: Mapping[str, str] = {
    "DARA.STRANG": "STRG",
    "DARA.THREAT": "KILL",
    "DARA.WEAP": "WPN",
    "DARA.SEPAR": "SEP",
    "DARA.STALK": "STK",
    "DARA.ESCAL": "FREQ",
    "DARA.SUIC": "SUI",
}
"""The items of DARA that stand in the same places; they keep their own words, and no answer is converted (P10)."""


@dataclass(frozen=True, slots=True)
class Item:
    """An item of an assessment: its words, the reply in words, who said it, and what was written beside it."""

    text: str
    reply: str
    source: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class Risk:
    """An assessment: the items that were answered yes, those that count most first, and those nobody knows of them."""

    assessment: Assessment
    lethal: tuple[Item, ...]
    others: tuple[Item, ...]
    not_known: tuple[str, ...]
    every: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Channel:
    """A way to reach her. `safe` is what the panel says of it, in words; `usable` whether it may be used at all."""

    contact: Contact
    kind: str
    usable: bool
    safe: str
    voicemail: str
    text: str


@dataclass(frozen=True, slots=True)
class Somebody:
    """A person: name, age, relation to her, and the person as recorded."""

    person: Person
    name: str
    born: str | None
    relation: str | None
    home: str | None


@dataclass(frozen=True, slots=True)
class Bound:
    """An order: whether it still holds, and until when."""

    order: Order
    holds: str


def risks(record: Record) -> tuple[Risk, ...]:
    """The assessments, the latest first."""
    early = datetime(1, 1, 1, tzinfo=UTC)
    return tuple(_risk(one) for one in sorted(record.assessments, key=lambda one: one.at or early, reverse=True))


def channels(record: Record) -> tuple[Channel, ...]:
    """How she may be reached, what is stated safe first."""
    victim = victim_of(record)
    found = [_channel(one) for one in (victim.contacts if victim else ())]
    return tuple(sorted(found, key=lambda one: not one.usable))


def victim_of(record: Record) -> Person | None:
    """Whose case it is."""
    return next(iter(record.of_role(InRecord.VICTIM)), None)


def somebody(record: Record, role: InRecord) -> tuple[Somebody, ...]:
    """Everybody in a role."""
    return tuple(_somebody(record, one) for one in record.of_role(role))


def orders(record: Record, now: datetime) -> tuple[Bound, ...]:
    """Orders and bail conditions, those that hold first."""
    found = [Bound(one, _holds(one, now)) for one in record.orders]
    return tuple(sorted(found, key=lambda one: one.order.expired is True))


def view(page: CasePage, now: datetime) -> dict[str, Any]:
    """What the template is given of a case."""
    record = page.file.record
    return {
        "page": page,
        "record": record,
        "referral": page.file.referral,
        "row": page.file.row,
        "risks": risks(record),
        "channels": channels(record),
        "victims": somebody(record, InRecord.VICTIM),
        "children": somebody(record, InRecord.CHILD),
        "traced": page.traced,
        "suspects": somebody(record, InRecord.SUSPECT),
        "orders": orders(record, now),
        "notices": tuple((words(one.kind, "notice"), datetime.fromisoformat(one.created_at)) for one in page.notices),
        "clocks": tuple(
            (words(one.kind, "clock"), datetime.fromisoformat(one.due_at))
            for one in page.acts.clocks
            if one.referral_id == page.file.referral.id
        ),
        "stands": _stands(page),
        "counted": {tally.of: tally.count for tally in record.tallies},
    }


def _stands(page: CasePage) -> str | None:
    """What the case is decided on now, where it is not what the record says: the victim said otherwise since."""
    if "consent.state" not in page.file.decision.ruling.methods:
        return None
    now = Facts.from_json(orjson.loads(page.file.row.facts)).consent
    said = {one.effective.value for one in page.file.record.consents}
    return None if now is None or now in said else words(now, "consent")


def _risk(one: Assessment) -> Risk:
    order = {code: place for place, code in enumerate(LETHALITY)}

    def place(answer: Answer) -> int:
        return order.get(_OF_DARA.get(answer.code, answer.code), len(order))

    said = sorted((answer for answer in one.answers if answer.reply is Reply.YES), key=place)
    unknown = sorted((answer for answer in one.answers if answer.reply is Reply.UNKNOWN), key=place)
    return Risk(
        one,
        tuple(_item(answer) for answer in said if place(answer) < len(order)),
        tuple(_item(answer) for answer in said if place(answer) == len(order)),
        tuple(words(answer.code, "risk-item") for answer in unknown if place(answer) < len(order)),
        tuple(_item(answer) for answer in one.answers),
    )


def _item(answer: Answer) -> Item:
    source = words(answer.source, "role") if answer.source else None
    return Item(words(answer.code, "risk-item"), words(answer.reply.value, "reply"), source, answer.text)


def _channel(one: Contact) -> Channel:
    if one.shared_with_suspect:
        safe = "No: the suspect shares it"
    elif one.safe is None:
        safe = "Not known: treat it as unsafe"
    else:
        safe = "Yes, stated safe" if one.safe else "No, stated unsafe"
    return Channel(
        contact=one,
        kind=words(one.system, "contact"),
        usable=one.is_safe,
        safe=safe,
        voicemail=_permission(one.voicemail, one.may_leave_voicemail, "Leave none"),
        text=_permission(one.text, one.is_safe and one.text is True, "Send none"),
    )


def _permission(stated: bool | None, may: bool, otherwise: str) -> str:  # noqa: FBT001 - what was stated, and what follows
    if may:
        return "Yes"
    return f"Not known. {otherwise}" if stated is None else f"No. {otherwise}"


def _somebody(record: Record, person: Person) -> Somebody:
    victim = victim_of(record)
    relation = _relation(record, person, victim) if victim and victim.ref != person.ref else None
    homes = [one for one in person.addresses if one.use is not AddressUse.SAFE]
    return Somebody(person, name_of(person), _born(person.birth), relation, _address(homes))


def _relation(record: Record, person: Person, victim: Person) -> str | None:
    pair = {person.ref, victim.ref}
    for one in record.relationships:
        if {one.a, one.b} == pair:
            return words(one.type, "relationship")
    return None


def _born(birth: Birth | None) -> str | None:
    if birth is None:
        return None
    if birth.on is not None:
        age = years(birth.on, day_of(datetime.now(UTC)))
        return f"{day(birth.on)} (age {age})"
    if birth.age is not None:
        return f"Age {birth.age}"
    if birth.age_from is not None or birth.age_to is not None:
        return f"Age {birth.age_from if birth.age_from is not None else '?'} to {birth.age_to or '?'}"
    if birth.age_band is not None:
        return f"Age {birth.age_band}"
    return str(birth.year) if birth.year is not None else None


def _address(homes: Sequence[Address]) -> str | None:
    return "; ".join(filter(None, map(lines_of, homes))) or None


def lines_of(address: Address) -> str:
    """An address on one line, as far as it is known."""
    parts: Iterable[str | None] = (*address.lines, address.town, address.postcode or address.district, address.lsoa)
    return ", ".join(part for part in parts if part)


def _holds(order: Order, now: datetime) -> str:
    if order.expired or (order.ends_at is not None and order.ends_at <= now):
        return "Ended"
    return "No end is stated" if order.ends_at is None else "In force"
