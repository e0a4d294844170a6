"""What codes in a message mean in the common record: `person.toml` and `notice.toml`, loaded strictly.

Source: style.md habits 7 and 8; the files say what each key means.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from adapters.nhs.hl7v2.facts import FactsInvalid, facts, only, texts
from mappings.concerns import concerns
from mappings.record import AddressUse, Role

_PLACE: Final = re.compile(r"([A-Z][A-Z0-9]{2})-(\d{1,2})")
_SEXES: Final = {"female", "male", "other"}
_USES: Final = {"usual", "official", "former", "maiden", "alias", "nickname"}
_NUMBERS: Final = {"types", "national", "authorities"}
_MEANINGS: Final = {"grade", "yes", "items", "instrument", "assessor_role", "consent"}

Place = tuple[str, int]
"""A segment and a field."""


@dataclass(frozen=True, slots=True)
class Words:
    """Both files. Codes are as they are compared: in capitals."""

    sex: Mapping[str, str]
    names: Mapping[str, str]
    addresses: Mapping[str, AddressUse]
    no_names: frozenset[str]
    unused: frozenset[str]
    others: frozenset[str]
    online: frozenset[str]
    number_types: frozenset[str]
    number_national: frozenset[str]
    number_authorities: frozenset[str]
    statuses: frozenset[str]
    systems: frozenset[str]
    coded: tuple[Place, ...]
    answered: tuple[Place, ...]
    yes: frozenset[str]
    retired: Mapping[str, tuple[int, frozenset[str]]]
    roles: Mapping[str, Role]
    observations: Mapping[str, str]


@cache
def words() -> Words:
    """The words that ship with the product. Raises `FactsInvalid` naming the key."""
    keys = {"sex", "names", "no_names", "addresses", "unused", "others", "online", "numbers", "statuses"}
    person = facts("person", keys)
    notice = facts("notice", {"systems", "coded", "answered", "yes", "retired", "roles", "observations"})
    return compiled(person, notice)


def compiled(person: Mapping[str, Any], notice: Mapping[str, Any]) -> Words:
    """Words out of the content of both files. Raises `FactsInvalid` naming the key."""
    only("numbers", person["numbers"], _NUMBERS, _NUMBERS)
    return Words(
        sex=_among("sex", person["sex"], _SEXES),
        names=_among("names", person["names"], _USES),
        addresses={
            k: AddressUse(v) for k, v in _among("addresses", person["addresses"], set(map(str, AddressUse))).items()
        },
        no_names=_folded("no_names", person["no_names"]),
        unused=_folded("unused", person["unused"]),
        others=_folded("others", person["others"]),
        online=_folded("online", person["online"]),
        number_types=_folded("numbers.types", person["numbers"]["types"]),
        number_national=_folded("numbers.national", person["numbers"]["national"]),
        number_authorities=_folded("numbers.authorities", person["numbers"]["authorities"]),
        statuses=_folded("statuses", person["statuses"]),
        systems=_folded("systems", notice["systems"]),
        coded=_places("coded", notice["coded"]),
        answered=_places("answered", notice["answered"]),
        yes=_folded("yes", notice["yes"]),
        retired=_retired(notice["retired"]),
        roles=_roles(notice["roles"]),
        observations=_among("observations", notice["observations"], _MEANINGS),
    )


def _folded(where: str, found: object) -> frozenset[str]:
    return frozenset(one.upper() for one in texts(where, found))


def _retired(found: Mapping[str, Any]) -> dict[str, tuple[int, frozenset[str]]]:
    only("retired", found, set(found), set())
    places = dict(zip(found, _places("retired", list(found)), strict=True))
    return {segment: (of, _folded(f"retired.{at}", found[at])) for at, (segment, of) in places.items()}


def _among(where: str, found: Mapping[str, Any], known: set[str]) -> dict[str, str]:
    only(where, found, set(found), set())
    for key, value in found.items():
        if value not in known:
            raise FactsInvalid(f"{where}.{key!r}: {value!r} is none of {', '.join(sorted(known))}")
    return {key.upper(): value for key, value in found.items()}


def _roles(found: Mapping[str, Any]) -> dict[str, Role]:
    only("roles", found, set(concerns()), set())
    return {concern: Role(word) for concern, word in _kept("roles", found).items()}


def _kept(where: str, found: Mapping[str, Any]) -> dict[str, str]:
    for key, value in found.items():
        if value not in list(Role):
            raise FactsInvalid(f"{where}.{key}: there is no role {value!r}")
    return dict(found)


def _places(where: str, found: object) -> tuple[Place, ...]:
    places = []
    for text in texts(where, found):
        at = _PLACE.fullmatch(text)
        if at is None:
            raise FactsInvalid(f"{where}: no field is {text!r}")
        places.append((at[1], int(at[2])))
    return tuple(places)
