"""Forms of given names: which are one name (Liz, Elizabeth), and which are two however alike they are spelt.

Facts of common use in England, kept as data beside this page (`given_names.txt`); a name that is not in it is compared
by its letters alone. A line is one name with its short and pet forms; a form may stand in several lines (Alex).
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from rapidfuzz.distance import DamerauLevenshtein


def same_given(one: str, two: str) -> bool:
    """Whether two normalised given names are forms of one."""
    lines = _lines()
    return not lines.get(one, _NONE).isdisjoint(lines.get(two, _NONE))


def two_names(one: str, two: str) -> bool:
    """Whether both are known names and no forms of one: so neither is a slip for the other."""
    lines = _lines()
    return one in lines and two in lines and lines[one].isdisjoint(lines[two])


def is_slip(one: str, two: str) -> bool:
    """Whether one is a known name and the other none, but for a slip in it: a letter, or two of a longer name."""
    short = min(len(one), len(two))
    if short < SHORTEST or (one in _lines()) == (two in _lines()):
        return False
    allowed = 1 if short == SHORTEST else 2
    return DamerauLevenshtein.distance(one, two, score_cutoff=allowed) <= allowed


SHORTEST = 4  # letters: a slip in a shorter name makes another name
_NONE: frozenset[int] = frozenset()


@cache
def _lines() -> dict[str, frozenset[int]]:
    """The numbers of the lines each form stands in."""
    text = files("gateway.matching").joinpath("given_names.txt").read_text(encoding="utf-8")
    found: dict[str, set[int]] = {}
    for number, line in enumerate(text.splitlines()):
        for name in line.partition("#")[0].split():
            found.setdefault(name, set()).add(number)
    return {name: frozenset(numbers) for name, numbers in found.items()}
