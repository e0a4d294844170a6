"""The catalogue of data items: what an agreement can name, and which item each leaf of a record belongs to.

An item is released, generalised or withheld as a whole. A leaf finds its item through the `Item` beside its field in
`record`; a new field without one does not load, and an item that no agreement names is withheld everywhere
(design.md section 5, P3). This page reads records; it never decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import UnionType
from typing import Any, Union, get_args, get_origin

from mappings.record import Item, Part, Record

_ROLE_ITEMS = {
    "listed": "that there is such a person, and in which role",
    "name": "name",
    "birth": "date of birth or age",
    "sex": "sex",
    "ethnicity": "self-defined ethnicity",
    "ethnicity_observed": "ethnicity as an officer saw it",
    "police_identifiers": "police identifiers (PNC, CRO, nominal)",
    "nhs_number": "NHS number",
    "general_practice": "general practice",
    "clinical": "clinical facts",
    "contact": "telephone, text and e-mail",
    "safe_contact": "how to make contact safely",
    "home_address": "home address",
    "safe_address": "safe address or refuge",
    "work_address": "workplace",
    "other_address": "another address",
    "needs": "language, interpreter and other needs",
    "description": "description",
    "occupation": "occupation",
    "school": "school or nursery",
    "presence": "present, saw it, injured, deceased",
}
_ROLE_TITLES = {"victim": "victim", "suspect": "suspect", "child": "child", "third_party": "third party"}

_EVENT_ITEMS = {
    "event.kind": "what kind of record this is",
    "event.source": "which organisation and system sent it",
    "event.references": "police references",
    "event.times": "when it happened",
    "event.area": "area",
    "event.type": "type of incident, offence and flags",
    "event.location": "where it happened",
    "event.quality": "remarks on data quality",
    "event.attachments": "that there are photographs, recordings or documents",
    "police.marking": "protective marking and intelligence grading",
    "police.officer": "officer in the case: collar number and team",
    "police.safety_warnings": "officer-safety codes",
    "police.custody": "arrest, charge and release",
    "police.outcome": "police outcome",
    "police.intelligence": "intelligence",
    "police.covert": "covert activity and arrest plans",
    "people.relationships": "who is related to whom",
    "people.counter_allegation": "that one person is victim and suspect of the same event",
    "risk.assessment": "which assessment was made, by whom, when",
    "risk.grade": "risk grade",
    "risk.count": "how many answers were yes",
    "risk.answers": "risk answers on the abuse",
    "risk.answers.victim_health": "risk answers on the victim's health",
    "risk.answers.suspect_background": "risk answers on the suspect's health and past",
    "consent.state": "consent",
    "consent.reason": "why consent was not asked or given",
    "orders": "orders and bail conditions",
    "statement.summary": "what happened",
    "statement.third_party": "who reported it and what third parties said",
    "adviser.case_notes": "adviser's case notes",
    "adviser.safety_plan": "safety plan",
    "marac.minutes": "MARAC minutes",
    "history.repeats": "earlier incidents of the same victim: days and grades",
    "marac.criteria": "criteria for a MARAC, and what they rest on",
    "encompass.status": "whether the school was told (Operation Encompass)",
    "engagement.status": "whether the adviser reached the victim",
    "engagement.wishes": "what the victim wishes",
}

CATALOGUE: Mapping[str, str] = _EVENT_ITEMS | {
    f"{role}.{item}": f"{title}: {words}" for role, title in _ROLE_TITLES.items() for item, words in _ROLE_ITEMS.items()
}
"""Every item an agreement can name, with its name in words."""

VAULTED = frozenset({f"{role}.{item}" for role in _ROLE_TITLES for item in ("safe_address", "safe_contact", "contact")})
"""Items kept under a key of their own (design.md section 8): what would lead somebody to her door."""


Words = tuple[tuple[str, str], ...]
"""The words that fill item patterns at some place of a record, outermost first: `(("role", "victim"),)`."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a part at some place: a leaf with its item, or a part or parts with their class."""

    name: str
    item: str
    part: type[Part] | None
    many: bool
    default: object


@dataclass(frozen=True, slots=True)
class Plan:
    """What a walk needs to know of one class of parts at one place: the item of its gate and of each leaf."""

    gate: str | None
    fields: tuple[Field, ...]


@lru_cache(maxsize=4096)  # bounded: a tally may bring any word
def plan(cls: type[Part], words: Words = ()) -> Plan:
    """How to walk a class of parts where `words` hold, its own word included.

    Raises TypeError naming the field where a leaf has no item or a part has one, so that such a schema never loads.
    """
    filled = dict(words)
    gate = cls.gate.format(**filled) if cls.gate else None
    return Plan(gate, tuple(_field(cls, name, filled) for name in cls.model_fields))


def within(part: Part, outer: Words) -> Words:
    """The words that hold inside a part, given those around it."""
    return (*outer, (part.fills, part.word())) if part.fills else outer


def present(record: Record) -> frozenset[str]:
    """The items of which a record holds something."""
    found: set[str] = set()
    _collect(_place(Record, ()), record, found)
    return frozenset(found)


def leaves(part: Part, path: str = "", outer: Words = ()) -> Iterator[tuple[str, str, object]]:
    """Every leaf of a part that holds something, as (path, item, value)."""
    words = within(part, outer)
    for field in plan(type(part), words).fields:
        value = getattr(part, field.name)
        here = f"{path}.{field.name}" if path else field.name
        if value is None or value == ():
            continue
        if field.part is None:
            yield here, field.item, value
        elif field.many:
            for index, one in enumerate(value):
                yield from leaves(one, f"{here}[{index}]", words)
        else:
            yield from leaves(value, here, words)


def possible_items(cls: type[Part] = Record, outer: Words = ()) -> frozenset[str]:
    """Every item that a leaf of the schema can belong to, found from the classes alone."""
    found: set[str] = set()
    for words in [(*outer, (cls.fills, choice)) for choice in cls.choices] if cls.fills else [outer]:
        for field in plan(cls, words).fields:
            found |= {field.item} if field.part is None else possible_items(field.part, words)
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class _Place:
    """A class of parts at one place: its leaves with their items, and the places its parts stand at, by their word."""

    cls: type[Part]
    words: Words
    leaves: tuple[tuple[str, str], ...]
    parts: tuple[tuple[str, bool, type[Part], dict[str, _Place]], ...]


@lru_cache(maxsize=4096)  # a tally brings a word of its own, so the places are not a closed set
def _place(cls: type[Part], words: Words) -> _Place:
    fields = plan(cls, words).fields
    return _Place(
        cls,
        words,
        tuple((f.name, f.item) for f in fields if f.part is None),
        tuple((f.name, f.many, f.part, {}) for f in fields if f.part is not None),
    )


def _collect(place: _Place, part: Part, found: set[str]) -> None:
    """Add the items of a part. Every record passes here at every decision: places find each other by one word."""
    values = part.__dict__
    for name, item in place.leaves:
        value = values[name]
        if value is not None and value != ():
            found.add(item)
    for name, many, cls, by_word in place.parts:
        value = values[name]
        if not value:
            continue
        for one in value if many else (value,):
            word = one.word() if cls.fills else ""
            inner = by_word.get(word)
            if inner is None:
                inner = _place(cls, (*place.words, (cls.fills, word)) if cls.fills else place.words)
                if not cls.fills or word in cls.choices:
                    by_word[word] = inner
            _collect(inner, one, found)


def _field(cls: type[Part], name: str, filled: dict[str, str]) -> Field:
    info = cls.model_fields[name]
    marks = [m for m in info.metadata if isinstance(m, Item)]
    inner, many = _part_class(info.annotation)
    default = info.get_default(call_default_factory=True)
    if inner is not None:
        if marks:
            raise TypeError(f"{cls.__name__}.{name} is a part: its leaves carry the items")
        return Field(name, "", inner, many, default)
    if len(marks) != 1:
        raise TypeError(f"{cls.__name__}.{name} has {len(marks)} data items; a leaf has exactly one")
    return Field(name, marks[0].name.format(**filled), None, many=False, default=default)


def _part_class(annotation: Any) -> tuple[type[Part] | None, bool]:  # noqa: ANN401 - a type expression has no type
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation, False
    if get_origin(annotation) is tuple:
        inner, _ = _part_class(get_args(annotation)[0])
        return inner, inner is not None
    if get_origin(annotation) in {Union, UnionType}:
        found = [_part_class(arg) for arg in get_args(annotation)]
        return next((f for f in found if f[0] is not None), (None, False))
    return None, False
