"""How far two people agree: for each field a named level, or None where one of them does not state it.

Pure functions of two `Traits`. A level says what was seen, not what it is worth: the weights are data (`model.py`).
Where somebody has several names, addresses or numbers, the best agreement counts, so that a maiden name, an alias or an
earlier address is evidence too.

Source: domain.md section 4.7; Winkler (1990) for the string comparator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final, TypeVar

from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler

from gateway.matching.names import is_slip, same_given, two_names
from gateway.matching.traits import Day, Traits

SIMILAR = 0.92  # Jaro-Winkler: one slip in a name of usual length (domain.md section 4.7)
NEAR = 0.80  # two slips, or one in a short name

T = TypeVar("T")
Level = str
Compare = Callable[[Traits, Traits], Level | None]


def family(a: Traits, b: Traits) -> Level | None:
    """`exact` (the usual names), `alias` (another name of either), `similar`, `near`, `swapped` with given, `other`."""
    best: Level | None = None
    for one, _ in a.names:
        for two, _ in b.names:
            if one and two:
                if one == two:
                    return "exact"
                best = "other"
    if a.aliases or b.aliases:
        every = {name for name, _ in a.names + a.aliases if name}
        if any(name in every for name, _ in b.names + b.aliases):
            return "alias"
    if best is None:
        return None
    likeness = max([_likeness(one, two) for one, _ in a.names for two, _ in b.names])
    if likeness >= SIMILAR:
        return "similar"
    if _swapped(a, b):
        return "swapped"
    return "near" if likeness >= NEAR else "other"


def given(a: Traits, b: Traits) -> Level | None:
    """`exact`, `nickname`, `slip` (of a known name), `initial`, `similar`, `near`, `swapped`, `other`, `apart`.

    `swapped` is with family. `apart` are two names that are both known and no forms of one: they are two people's,
    however alike they are spelt.
    """
    best: Level | None = None
    for _, one in a.names + a.aliases:
        for _, two in b.names + b.aliases:
            if one and two:
                found = _given(one, two)
                if best is None or _GIVEN_ORDER[found] < _GIVEN_ORDER[best]:
                    best = found
    return "swapped" if best in {"other", "apart"} and _swapped(a, b) else best


def birth(a: Traits, b: Traits) -> Level | None:
    """How two days of birth agree; where only an age is known of one, whether the year is possible.

    `exact`, `default` (both 1 January of one year, which is what is typed where nobody knows), `swapped` day and month,
    `slip` (one digit, or two that changed places), `year` (day and month agree, the year is one off), `close` (two
    of day, month and year agree, or within forty days), `near` (within some thirteen months), `decade` (ten years off,
    give or take one, near in the calendar), `years` (an age or a year fits), `other`, `far` (a generation apart).
    """
    if not a.born or not b.born:
        return _years(a, b)
    return _best(a.born, b.born, _days, _BIRTHS)


@lru_cache(maxsize=65_536)
def _days(one: Day, two: Day) -> Level:  # noqa: PLR0911 - a level a line
    if one == two:
        return "default" if one[1:] == (1, 1) else "exact"
    if (one[0], one[2], one[1]) == two:
        return "swapped"
    same = [x == y for x, y in zip(one, two, strict=True)]
    apart = abs(_ordinal(one) - _ordinal(two))
    if apart >= GENERATION_DAYS:
        return "far"  # a slip in the decade, perhaps, and perhaps a father and his son
    if same[1] and same[2] and abs(one[0] - two[0]) == 1:
        return "year"
    if DamerauLevenshtein.distance(_digits(one), _digits(two), score_cutoff=1) <= 1:
        return "slip"
    if same[0] and (1, 1) in {one[1:], two[1:]}:
        return "years"
    if sum(same) > 1 or apart <= CLOSE_DAYS:
        return "close"
    if apart <= NEAR_DAYS:
        return "near"
    months = abs(one[1] - two[1])
    if abs(abs(one[0] - two[0]) - 10) <= 1 and min(months, 12 - months) <= 1:
        return "decade"
    return "other"


CLOSE_DAYS = 40
NEAR_DAYS = 400
GENERATION_DAYS = 13 * 365  # nobody is a parent at twelve


def postcode(a: Traits, b: Traits) -> Level | None:
    """`exact` (any of either's), `slip`, `sector`, `district`, `other`."""
    return _best(a.postcodes, b.postcodes, _postcode, _PLACES)


def place(a: Traits, b: Traits) -> Level | None:
    """The first line of an address: `exact`, `similar`, `other`."""
    return _best(a.places, b.places, _similar, _SIMILAR_ORDER)


def town(a: Traits, b: Traits) -> Level | None:
    """`exact`, `similar`, `other`."""
    return _best(a.towns, b.towns, _similar, _SIMILAR_ORDER)


def phone(a: Traits, b: Traits) -> Level | None:
    """`exact`, `slip`, `other`."""
    return _best(a.phones, b.phones, _number, _NUMBERS)


def email(a: Traits, b: Traits) -> Level | None:
    """`exact`, `slip` (a character or two), `similar`, `other`."""
    return _best(a.emails, b.emails, _email, _EMAILS)


def sex(a: Traits, b: Traits) -> Level | None:
    """`exact`, `other`."""
    return None if not a.sex or not b.sex else "other" if a.sex != b.sex else "exact"


def nhs_number(a: Traits, b: Traits) -> Level | None:
    """`exact`, `slip`, `other`."""
    return _best(a.nhs_number, b.nhs_number, _number, _NUMBERS)


def number(a: Traits, b: Traits) -> Level | None:
    """A police identifier of one system: `exact`, `slip`, `other`."""
    best: Level | None = None
    for one in a.numbers:
        for two in b.numbers:
            if one.partition(":")[0] == two.partition(":")[0]:
                found = _number(one, two)
                best = found if best is None or _NUMBERS[found] < _NUMBERS[best] else best
    return best


FIELDS: Final[Mapping[str, Compare]] = MappingProxyType(
    {
        "family": family,
        "given": given,
        "birth": birth,
        "sex": sex,
        "nhs_number": nhs_number,
        "number": number,
        "postcode": postcode,
        "place": place,
        "town": town,
        "phone": phone,
        "email": email,
    }
)
"""Every field that is compared, by its name in the weights."""


def _order(*levels: Level) -> Mapping[Level, int]:
    return {level: rank for rank, level in enumerate(levels)}


_GIVEN_ORDER = _order("exact", "nickname", "slip", "initial", "similar", "near", "other", "apart")
_BIRTHS = _order("exact", "swapped", "year", "slip", "close", "default", "near", "decade", "years", "other", "far")
_PLACES = _order("exact", "slip", "sector", "district", "other")
_NUMBERS = _order("exact", "slip", "other")
_EMAILS = _order("exact", "slip", "similar", "other")
_SIMILAR_ORDER = _order("exact", "similar", "other")
LEVELS: Final[Mapping[str, tuple[Level, ...]]] = MappingProxyType(
    {
        "family": ("exact", "alias", "similar", "near", "swapped", "other"),
        "given": ("exact", "nickname", "slip", "initial", "similar", "near", "swapped", "other", "apart"),
        "birth": tuple(_BIRTHS),
        "sex": ("exact", "other"),
        "nhs_number": tuple(_NUMBERS),
        "number": tuple(_NUMBERS),
        "postcode": tuple(_PLACES),
        "place": tuple(_SIMILAR_ORDER),
        "town": tuple(_SIMILAR_ORDER),
        "phone": tuple(_NUMBERS),
        "email": tuple(_EMAILS),
    }
)
"""Every level of every field: the weights name exactly these."""


def _best(
    a: tuple[T, ...], b: tuple[T, ...], compare: Callable[[T, T], Level], order: Mapping[Level, int]
) -> Level | None:
    if not a or not b:
        return None
    if len(a) == len(b) == 1:
        return compare(a[0], b[0])
    return min((compare(one, two) for one in a for two in b), key=order.__getitem__)


def _swapped(a: Traits, b: Traits) -> bool:
    """Whether family and given name stand in each other's place."""
    for f1, g1 in a.names:
        for f2, g2 in b.names:
            if f1 and g1 and f2 and g2 and _alike(f1, g2) and _alike(g1, f2):
                return True
    return False


def _alike(one: str, two: str) -> bool:
    return one == two or _likeness(one, two) >= SIMILAR


@lru_cache(maxsize=65_536)
def _likeness(one: str, two: str) -> float:
    return JaroWinkler.similarity(one, two) if one and two else 0.0


@lru_cache(maxsize=65_536)
def _given(one: str, two: str) -> Level:
    if one == two:
        return "exact" if len(one) > 1 else "initial"
    if same_given(one, two):
        return "nickname"
    if (len(one) == 1 or len(two) == 1) and one[0] == two[0]:
        return "initial"
    if two_names(one, two):
        return "apart"
    if is_slip(one, two):
        return "slip"
    likeness = JaroWinkler.similarity(one, two)
    return "similar" if likeness >= SIMILAR else "near" if likeness >= NEAR else "other"


def _digits(day: Day) -> str:
    return f"{day[0]:04}{day[1]:02}{day[2]:02}"


def _ordinal(day: Day) -> int:
    return day[0] * 365 + day[1] * 30 + day[2]  # to a few days: enough to tell near from far


def _years(a: Traits, b: Traits) -> Level | None:
    one, two = _spans(a), _spans(b)
    if not one or not two:
        return None
    fits = any(first[0] <= second[1] and second[0] <= first[1] for first in one for second in two)
    return "years" if fits else "other"


def _spans(a: Traits) -> tuple[tuple[int, int], ...]:
    return tuple((day[0], day[0]) for day in a.born) or a.years


def _postcode(one: str, two: str) -> Level:
    if one == two:
        return "exact"
    if DamerauLevenshtein.distance(one, two, score_cutoff=1) <= 1 and len(one) == len(two):
        return "slip"
    if len(one) > _INWARD and one[:-2] == two[:-2]:
        return "sector"
    return "district" if len(one) > _INWARD and one[:-_INWARD] == two[:-_INWARD] else "other"


_INWARD = 3  # the inward code of a postcode: the sector's digit and two letters


@lru_cache(maxsize=65_536)
def _similar(one: str, two: str) -> Level:
    if one == two:
        return "exact"
    if JaroWinkler.similarity(one, two, score_cutoff=SIMILAR) < SIMILAR:
        return "other"
    return "similar" if _digits_of(one) == _digits_of(two) else "other"  # another house is another place


def _digits_of(text: str) -> str:
    return "".join(c for c in text if c.isdigit())


def _number(one: str, two: str) -> Level:
    if one == two:
        return "exact"
    return "slip" if DamerauLevenshtein.distance(one, two, score_cutoff=1) <= 1 else "other"


def _email(one: str, two: str) -> Level:
    if one == two:
        return "exact"
    if DamerauLevenshtein.distance(one, two, score_cutoff=2) <= SLIPS:
        return "slip"
    return "similar" if DamerauLevenshtein.normalized_similarity(one, two) >= NEAR else "other"


SLIPS = 2  # characters of an e-mail address, which is long
