"""Values of a TOML file, each checked for its kind before it is used.

Each function takes the place of a value in the file and the value, gives the value back as what it is, and raises a
`ValueError` that begins with the place. Nothing is converted and nothing is filled in (style.md habit 8).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

Foreign = Any
"""What a TOML document may hold; every function looks before it uses it."""


def keys(where: str, value: Foreign, allowed: Collection[str], required: Collection[str]) -> None:
    """A table with these keys alone, and with all that are required."""
    for key in table(where or "top", value):
        if key not in allowed:
            raise ValueError(f"{where}.{key}: unknown key".lstrip("."))
    for key in sorted(required):
        if key not in value:
            raise ValueError(f"{where}.{key}: missing".lstrip("."))


def table(where: str, value: Foreign) -> dict[str, Foreign]:
    """A table."""
    if not isinstance(value, dict):
        raise ValueError(f"{where}: not a table")  # noqa: TRY004 - what is invalid is the file
    return value


def string(where: str, value: Foreign) -> str:
    """Text that is not blank."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{where}: not text, or blank")
    return value


def some(where: str, value: Foreign) -> list[Foreign]:
    """A list that is not empty."""
    if not isinstance(value, list) or not value:
        raise ValueError(f"{where}: not a list, or an empty one")
    return value


def strings(where: str, value: Foreign) -> list[str]:
    """A list of texts, none of them twice."""
    found = [string(where, one) for one in some(where, value)]
    if len(set(found)) != len(found):
        raise ValueError(f"{where}: the same twice")
    return found


def one_or_more(where: str, value: Foreign) -> list[str]:
    """A text, or a list of texts."""
    return [string(where, value)] if isinstance(value, str) else strings(where, value)


def texts(where: str, value: Foreign) -> dict[str, str]:
    """A table of texts."""
    return {key: string(f"{where}.{key}", one) for key, one in table(where, value).items()}


def one_of(where: str, value: Foreign, among: Collection[str]) -> str:
    """One of these words."""
    if not isinstance(value, str) or value not in among:
        raise ValueError(f"{where}: one of {', '.join(among)}")
    return value


def day(where: str, value: Foreign) -> date:
    """A date without a time."""
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ValueError(f"{where}: not a day, as in 2026-04-01 without quotes")  # noqa: TRY004 - as above
    return value


def switch(where: str, value: Foreign) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError(f"{where}: true or false")  # noqa: TRY004 - as above
    return value
