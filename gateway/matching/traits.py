"""What of a person is compared, in its normal form: folded case, no accents, no punctuation.

Pure, and small enough to be encrypted and kept with a record. A field nobody stated is empty, and an empty field is no
evidence for or against anything.

Source: domain.md sections 4.7 (fields), 2.1 (NHS number).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from functools import lru_cache
from typing import Any

from mappings.record import Birth, Name, Person

Day = tuple[int, int, int]
"""A day as (year, month, day): compared part by part, for slips are made part by part."""

FullName = tuple[str, str]
"""A name as (family, given); either may be empty."""


@dataclass(frozen=True, slots=True)
class Traits:
    """A person as comparison sees them. Text is normalised.

    `names` are the usual ones, `aliases` maiden names and others. `born` are the days of birth somebody stated;
    where none is known, `years` are the first and last year of birth that a stated age allows. `numbers` are police
    identifiers as `system:value`, `places` first lines of addresses with their house numbers.
    """

    names: tuple[FullName, ...] = ()
    aliases: tuple[FullName, ...] = ()
    born: tuple[Day, ...] = ()
    years: tuple[tuple[int, int], ...] = ()
    sex: tuple[str, ...] = ()
    nhs_number: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    postcodes: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    towns: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()

    def to_json(self) -> list[Any]:
        """The traits as plain values, the fields in their order."""
        return [getattr(self, name) for name in _NAMES]

    @classmethod
    def from_json(cls, plain: Sequence[Sequence[Any]]) -> Traits:
        """The traits again, from what JSON makes of them."""
        parts: list[Any] = [tuple(tuple(one) if isinstance(one, list) else one for one in part) for part in plain]
        return cls(*parts)


_NAMES = tuple(one.name for one in fields(Traits))


def together(known: Sequence[Traits]) -> Traits:
    """What several records say of one person: every name, day, number and place that any of them gives.

    For comparing with the next record alone: the records stay as they are (N9).
    """
    if len(known) == 1:
        return known[0]
    return Traits(*(tuple(dict.fromkeys(one for each in known for one in getattr(each, name))) for name in _NAMES))


def traits_of(person: Person, event: date | None) -> Traits:
    """What is compared of a person; `event` is the day their age was stated for."""
    homes = person.addresses
    usual = _names(name for name in person.names if name.use == "usual") or _names(person.names[:1])
    return Traits(
        names=usual,
        aliases=tuple(name for name in _names(person.names) if name not in usual),
        born=_days(person.birth),
        years=_years(person.birth, event),
        sex=(person.sex,) if person.sex in _SEXES else (),
        nhs_number=(person.nhs_number,) if person.nhs_number else (),
        numbers=tuple(
            dict.fromkeys(f"{one.system}:{code(one.value)}" for one in person.identifiers if one.value)  # as issued
        ),
        postcodes=_each(code(one.postcode or "") for one in homes),
        places=_each(words(" ".join(one.lines[:1])) for one in homes),
        towns=_each(letters(one.town or "") for one in homes),
        phones=_each(phone(one.value or "") for one in person.contacts if one.system in _SPOKEN),
        emails=_each((one.value or "").strip().casefold() for one in person.contacts if one.system == "email"),
    )


_SEXES = frozenset({"male", "female"})
_SPOKEN = frozenset({"phone", "sms", "mobile", "telephone"})


@lru_cache(maxsize=8192)
def letters(text: str) -> str:
    """A name: letters alone, folded, without accents (`O'Néill-Smith` is `oneillsmith`)."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in plain if c.isalpha())


def words(text: str) -> str:
    """An address line: letters and digits, one space between words."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return " ".join("".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c)).split())


def code(text: str) -> str:
    """A postcode or number: letters and digits alone, folded."""
    return "".join(c for c in text.casefold() if c.isalnum())


def phone(text: str) -> str:
    """A telephone number by its digits, a British country code as the trunk zero."""
    digits = "".join(c for c in text if c.isdigit())
    if text.strip().startswith("+44") or digits.startswith("0044"):
        digits = "0" + digits.removeprefix("0044" if digits.startswith("0044") else "44").removeprefix("0")
    return digits


def _names(names: Iterable[Name]) -> tuple[FullName, ...]:
    found = ((letters(one.family or ""), letters(one.given[0] if one.given else "")) for one in names)
    return tuple(dict.fromkeys(name for name in found if any(name)))


def _days(birth: Birth | None) -> tuple[Day, ...]:
    return ((birth.on.year, birth.on.month, birth.on.day),) if birth and birth.on else ()


def _years(birth: Birth | None, event: date | None) -> tuple[tuple[int, int], ...]:
    """The years an age allows: whoever is 30 on a day of 2026 was born in 1995 or 1996."""
    if birth is None or birth.on:
        return ()
    if birth.year:
        return ((birth.year, birth.year),)
    youngest = birth.age if birth.age is not None else birth.age_from
    oldest = birth.age if birth.age is not None else birth.age_to
    if event is None or youngest is None or oldest is None:
        return ()
    return ((event.year - oldest - 1, event.year - youngest),)


def _each(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for one in found if one))
