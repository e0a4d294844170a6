"""How an item may be made less exact before it leaves: a closed set of methods, and what each does to a leaf.

An agreement names a method beside an item; `fits` says where a method has a meaning, so that a method which would do
nothing is refused when the agreement is read. Nothing here decides; `minimise.py` applies it to a record.

Source: domain.md sections 4.4 (P, count, coded, existence only, LSOA) and 4.5 (N4: yes or no only).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, get_args, get_origin

from pydantic import StringConstraints
from pydantic.fields import FieldInfo

from mappings.items import CATALOGUE, plan
from mappings.record import Address, AddressUse, Answer, Birth, Part, Record


class Method(StrEnum):
    """A way to make an item less exact."""

    YEAR = "year"  # of a birth: the year alone
    AGE_BAND = "age-band"  # of a birth: the band of the age at the time of the event
    LOCALITY = "locality"  # of an address: town and postcode district
    LSOA = "lsoa"  # of an address: the statistical area
    YES_NO = "yes-no"  # of a risk answer: the reply, without its text or source
    COUNT = "count"  # how many there are, in place of the parts
    CODED = "coded"  # codes, numbers and times stay; free text goes
    EXISTENCE = "existence"  # that there is one, in place of the parts


IN_WORDS = {
    Method.YEAR: "the year alone",
    Method.AGE_BAND: "an age band",
    Method.LOCALITY: "town and postcode district",
    Method.LSOA: "the statistical area",
    Method.YES_NO: "yes or no alone",
    Method.COUNT: "how many",
    Method.CODED: "codes without free text",
    Method.EXISTENCE: "that there is one",
}

TALLIED = frozenset({Method.COUNT, Method.EXISTENCE})
"""Methods that put a tally in place of the parts."""

Leaf = Callable[[Any, date | None], object]
"""What becomes of one leaf: from the part it is in, and the day of the event where that is known."""


def fits(method: Method, item: str) -> bool:
    """Whether a method has a meaning for an item of the catalogue."""
    return item in _fitting(method)


def leaf(method: Method, cls: type[Part], name: str) -> Leaf | bool:
    """What a method makes of one leaf: True keeps it, False drops it, a function gives its new value."""
    if method is Method.CODED:
        return not _is_text(cls.model_fields[name])
    return _LEAVES.get((method, cls, name), False)


def age_band(birth: Birth, event: date | None) -> str | None:
    """The band of the age on the day of the event, one of `AGE_BANDS`; None where several are possible."""
    if birth.age_band in AGE_BANDS:
        return birth.age_band
    ages = _ages(birth, event)
    least, greatest = map(_band, ages) if ages else (None, None)
    return least if least == greatest else None


def _year(birth: Birth, _: date | None) -> int | None:
    return birth.on.year if birth.on else birth.year


def _age_band(birth: Birth, event: date | None) -> str | None:
    return birth.age_band or age_band(birth, event)


def _ages(birth: Birth, event: date | None) -> tuple[int, int] | None:
    """The least and the greatest age at the event that what is known allows."""
    if birth.on and event:
        age = event.year - birth.on.year - ((event.month, event.day) < (birth.on.month, birth.on.day))
        return age, age
    if birth.age is not None:
        return birth.age, birth.age
    if birth.year and event:
        return event.year - birth.year - 1, event.year - birth.year
    if birth.age_from is not None and birth.age_to is not None:
        return birth.age_from, birth.age_to
    return None


def _band(age: int) -> str | None:
    return next((name for name, below in _BANDS if age < below), None) if age >= 0 else None


def _district(address: Address, event: date | None) -> str | None:
    del event
    outward, _, inward = (address.postcode or "").strip().rpartition(" ")
    return address.district or (outward if len(inward) == _INWARD else None)


_INWARD = 3  # the inward half of a postcode is one figure and two letters; anything else is not cut, but dropped

_BANDS = (
    ("under-16", 16),  # Domestic Abuse Act 2021 s.2: both are 16 or over
    ("16-17", 18),
    ("18-24", 25),
    ("25-34", 35),
    ("35-44", 45),
    ("45-54", 55),
    ("55-64", 65),
    ("65-or-over", 1000),
)
AGE_BANDS = tuple(name for name, _ in _BANDS)
"""The bands of ages there are, youngest first."""

_LEAVES: dict[tuple[Method, type[Part], str], Leaf | bool] = {
    (Method.YEAR, Birth, "year"): _year,
    (Method.AGE_BAND, Birth, "age_band"): _age_band,
    (Method.LOCALITY, Address, "use"): True,
    (Method.LOCALITY, Address, "town"): True,
    (Method.LOCALITY, Address, "district"): _district,
    (Method.LSOA, Address, "use"): True,
    (Method.LSOA, Address, "lsoa"): True,
    (Method.YES_NO, Answer, "code"): True,
    (Method.YES_NO, Answer, "reply"): True,
}


@cache
def _fitting(method: Method) -> frozenset[str]:
    if method in TALLIED:
        return frozenset(_gates(Record, ()))
    return frozenset(item for item in CATALOGUE if item.endswith(_ENDINGS[method]) or item.startswith(_STARTS[method]))


_STARTS: dict[Method, tuple[str, ...]] = {
    Method.YEAR: (),
    Method.AGE_BAND: (),
    Method.LOCALITY: (),
    Method.LSOA: (),
    Method.YES_NO: ("risk.answers",),
    Method.CODED: ("statement.", "adviser.", "marac.", "engagement.", "risk.", "orders", "event.times", "event.type"),
}
_ENDINGS: dict[Method, tuple[str, ...]] = {
    Method.YEAR: (".birth",),
    Method.AGE_BAND: (".birth",),
    Method.LOCALITY: tuple(f".{use}_address" for use in AddressUse),
    Method.LSOA: tuple(f".{use}_address" for use in AddressUse),
    Method.YES_NO: (),
    Method.CODED: (),
}


def _gates(cls: type[Part], outer: tuple[tuple[str, str], ...]) -> set[str]:
    """The items whose parts come in lists, and so can be counted."""
    found: set[str] = set()
    for words in [(*outer, (cls.fills, choice)) for choice in cls.choices] if cls.fills else [outer]:
        for field in plan(cls, words).fields:
            if field.part is None:
                continue
            if field.many:
                choices = [(*words, (field.part.fills, c)) for c in field.part.choices] if field.part.fills else [words]
                found |= {gate for inner in choices if (gate := plan(field.part, inner).gate)}
            found |= _gates(field.part, words)
    return found & CATALOGUE.keys()


def _is_text(field: FieldInfo) -> bool:
    """Whether a leaf holds free text: a string that no pattern bounds."""
    bounded = any(isinstance(m, StringConstraints) and m.pattern for m in field.metadata)
    return not bounded and _is_text_type(field.annotation)


def _is_text_type(annotation: Any) -> bool:  # noqa: ANN401 - a type expression has no type
    if get_origin(annotation) is Annotated:
        inner, *marks = get_args(annotation)
        return not any(isinstance(m, StringConstraints) and m.pattern for m in marks) and _is_text_type(inner)
    return annotation is str or any(_is_text_type(arg) for arg in get_args(annotation))
