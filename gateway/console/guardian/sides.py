"""Two people next to each other: of each thing that is compared, what either side says, and how far they agree.

Pure. A side of which nothing was released is said to be not shown, which is not the same as nothing stated; how far the
two agree was reckoned before, and is shown all the same (domain.md section 4.7).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.console.times import day
from gateway.console.words import words
from mappings.record import AddressUse, Person

NOT_SHOWN, NOTHING, NOBODY = "Not shown to you", "Nothing stated", "Nobody found"


@dataclass(frozen=True, slots=True)
class Compared:
    """One thing in words: its name, both sides, how far they agree; `apart` where that speaks against one person."""

    name: str
    one: str
    other: str
    level: str
    apart: bool


def compared(
    one: Person | None, other: Person | None, levels: Mapping[str, str], absent: str = NOT_SHOWN
) -> Sequence[Compared]:
    """What either side says, thing by thing, and then what agrees or not of what nobody is shown.

    `absent` is what stands on the other side where there is no person.
    """
    found: list[Compared] = []
    told = {name.replace("-", "_"): level for name, level in levels.items()}
    for name, fields, said in _THINGS:
        of = {field: told.pop(field) for field in fields if field in told}
        left = NOT_SHOWN if one is None else said(one)
        right = absent if other is None else said(other)
        if of or {left, right} - {NOT_SHOWN, NOBODY, ""}:
            found.append(Compared(name, left or NOTHING, right or NOTHING, _levels(of), _apart(of)))
    for field, level in told.items():
        name = words(field.replace("_", "-"), "compared")
        found.append(Compared(name, NOT_SHOWN, NOT_SHOWN, _levels({field: level}), _apart({field: level})))
    return found


def _levels(of: Mapping[str, str]) -> str:
    if not of:
        return "Not compared"
    if len(of) == 1:
        return words(next(iter(of.values())), "agreement")
    return "; ".join(
        f"{words(field.replace('_', '-'), 'compared')}: {words(level, 'agreement').lower()}"
        for field, level in of.items()
    )


def _apart(of: Mapping[str, str]) -> bool:
    return not _AGAINST.isdisjoint(of.values())


_AGAINST = frozenset({"other", "apart", "far"})


def _names(person: Person) -> str:
    found = [" ".join(part for part in (*one.given, one.family) if part) for one in person.names]
    return ", also ".join(one for one in found if one)


def _born(person: Person) -> str:
    birth = person.birth
    if birth is None:
        return ""
    if birth.on is not None:
        return day(birth.on)
    return str(birth.year) if birth.year is not None else "" if birth.age is None else f"Age {birth.age}"


def _sex(person: Person) -> str:
    return words(person.sex, "sex") if person.sex else ""


def _home(person: Person) -> str:
    homes = [one for one in person.addresses if one.use is AddressUse.HOME]
    return "; ".join(", ".join(part for part in (*one.lines, one.town, one.postcode) if part) for one in homes)


def _number(person: Person) -> str:
    number = person.nhs_number
    return f"{number[:3]} {number[3:6]} {number[6:]}" if number else ""


_THINGS = (
    ("Name", ("family", "given"), _names),
    ("Born", ("birth",), _born),
    ("Sex", ("sex",), _sex),
    ("Home address", ("place", "town", "postcode"), _home),
    ("NHS number", ("nhs_number",), _number),
)
