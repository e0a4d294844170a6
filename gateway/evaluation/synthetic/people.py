"""Invented people: names, telephone numbers and addresses that nobody has, and no two victims share.

Telephone numbers are Ofcom's for drama (07700 900xxx, 01632 960xxx), postcodes of the area ZZ99, which is no place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from random import Random


def _names() -> Mapping[str, tuple[str, ...]]:
    lines = files("gateway.evaluation.synthetic").joinpath("names.txt").read_text("utf-8").splitlines()
    kinds = (line.split(": ") for line in lines if not line.startswith("#"))
    return {kind: tuple(names.split(", ")) for kind, names in kinds}


_NAMES = _names()
WOMEN, MEN, CHILDREN = _NAMES["women"], _NAMES["men"], _NAMES["children"]
FAMILIES, STREETS = _NAMES["families"], _NAMES["streets"]
TOWNS: Mapping[str, tuple[str, ...]] = {
    "blackpool": ("Blackpool", "Bispham"),
    "fylde": ("Lytham St Annes", "Kirkham"),
    "wyre": ("Fleetwood", "Thornton"),
    "lancaster": ("Lancaster",),
    "morecambe": ("Morecambe",),
}
"""Towns that an area's code is read from."""

MOST = 2_000
"""Victims at most: so many telephone numbers there are."""

_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"
_EACH = 1_000  # numbers of each of the two ranges


@dataclass(frozen=True, slots=True)
class Adult:
    """Somebody grown up: a name and a birthday."""

    given: str
    family: str
    born: date


@dataclass(frozen=True, slots=True)
class Household:
    """A victim, whoever is said to have harmed her, her children, and where she is reached."""

    victim: Adult
    suspect: Adult
    children: tuple[Adult, ...]
    line: str
    town: str
    postcode: str
    phone: str


def household(serial: int, area: str, children: int, today: date, random: Random) -> Household:
    """The household of a serial number, below MOST, at the end of the years. The same arguments give the same one."""
    victim = Adult(WOMEN[serial % len(WOMEN)], FAMILIES[_spread(serial, FAMILIES)], _birthday(today, serial))
    suspect = Adult(MEN[serial % len(MEN)], FAMILIES[_spread(serial + 37, FAMILIES)], _born(today, 24, 66, random))
    minors = tuple(Adult(random.choice(CHILDREN), victim.family, _born(today, 0, 16, random)) for _ in range(children))
    number, street = divmod(serial, len(STREETS))
    towns = TOWNS[area]
    return Household(
        victim,
        suspect,
        minors,
        f"{number + 1} {STREETS[street]}",
        towns[serial % len(towns)],
        _postcode(serial),
        f"07700 900{serial:03}" if serial < _EACH else f"01632 960{serial - _EACH:03}",
    )


def _spread(serial: int, names: tuple[str, ...]) -> int:
    """Another family name for each victim of one given name, so that no two have both."""
    return (serial + serial // len(WOMEN) * 7) % len(names)


def _birthday(today: date, serial: int) -> date:
    """A victim's: of somebody from 23 to about 75, and nobody else's, for who has one name and one birthday is one.

    Never the first of January, which is what is typed where nobody knows.
    """
    days = _YOUNGEST + serial * _STEP % _SPAN
    beyond = _SPAN + serial
    while (born := date.fromordinal(today.toordinal() - days)).timetuple().tm_yday == 1:
        days, beyond = _YOUNGEST + beyond, beyond + MOST
    return born


_YOUNGEST = 23 * 366  # days: grown up at the beginning of five years, too
_SPAN, _STEP = 17_000, 7_919  # no common divisor: no two serials below MOST meet


def _born(today: date, youngest: int, oldest: int, random: Random) -> date:
    days = random.randrange(youngest * 365 + youngest // 4 + 1, oldest * 365)
    return date.fromordinal(today.toordinal() - days)


def _postcode(serial: int) -> str:
    rest, last = divmod(serial, len(_LETTERS))
    figure, first = divmod(rest, len(_LETTERS))
    return f"ZZ99 {figure}{_LETTERS[first]}{_LETTERS[last]}"
