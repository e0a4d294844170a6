"""What a hospital's notice can be about, in words that hold no clinical fact: a closed list, and how codes say it.

The list is data (`codes/safeguarding-concern.json`). A code that is not in it is a clinical fact, whatever it says, and
belongs to the person it is of.

Source: domain.md sections 2.10 (SNOMED CT), 4.5 (N5).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from mappings.codemap import CODES, fold, load_codemap


def concern_of(code: str) -> str | None:
    """The concern that a SNOMED CT code says; None where it says none of the list."""
    return _codes().get(fold(code))


@cache
def concerns() -> frozenset[str]:
    """Every word of the list."""
    return frozenset(_codes().values())


@cache
def _codes() -> Mapping[str, str]:
    return load_codemap(CODES / "safeguarding-concern.json").codes
