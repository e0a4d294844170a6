"""SNOMED CT identifiers: whether one can be right at all. It knows no terms, and looks nothing up.

An SCTID has 6 to 18 digits, no leading zero, a two-digit partition identifier and last a Verhoeff check digit over all
before it. Codes that fail have been published (domain.md section 2.10): they are warned of, never a reason to stop.

Source: SNOMED CT Release File Specification, section 6 (SCTID); J. Verhoeff, Error Detecting Decimal Codes (1969).
"""

from __future__ import annotations

import re
from typing import Final

SYSTEM: Final = "http://snomed.info/sct"

_SCTID: Final = re.compile(r"[1-9]\d{5,17}", re.ASCII)
_CONCEPT: Final = frozenset({"00", "10"})  # partition: a concept of the international edition, or of an extension
_TURNED: Final = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
_HALF: Final = 5


def is_concept_id(code: str) -> bool:
    """Whether a code has the form of a concept's identifier, its check digit included."""
    return _SCTID.fullmatch(code) is not None and code[-3:-1] in _CONCEPT and _sum(code) == 0


def _sum(digits: str) -> int:
    """Verhoeff's check sum: 0 where the last digit agrees with those before it."""
    found = 0
    for place, digit in enumerate(reversed(digits)):
        found = _PRODUCT[found][_POWERS[place % 8][int(digit)]]
    return found


def _product(a: int, b: int) -> int:
    """Multiplication in the group of turns and reflections of a pentagon."""
    if a < _HALF:
        return (a + b) % _HALF if b < _HALF else _HALF + (a + b) % _HALF
    return _HALF + (a - b) % _HALF if b < _HALF else (a - b) % _HALF


def _powers() -> tuple[tuple[int, ...], ...]:
    """The permutation of digits for each place, which repeats after eight."""
    rows = [tuple(range(10))]
    for _ in range(7):
        rows.append(tuple(_TURNED[digit] for digit in rows[-1]))
    return tuple(rows)


_PRODUCT: Final = tuple(tuple(_product(a, b) for b in range(10)) for a in range(10))
_POWERS: Final = _powers()
