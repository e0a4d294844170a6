"""What every part of an agreement is written in: names, words, items and patterns of items, each with its form.

A piece of an agreement is frozen, and nothing in it is unknown. Nothing here says what a piece means.

Source: design.md section 6; style.md (load strictly).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from mappings.items import CATALOGUE

UNKNOWN = "unknown"
"""What nobody stated, as agreements write it."""


def _item(name: str) -> str:
    if name not in CATALOGUE:
        raise ValueError("not an item of the catalogue")
    return name


def _pattern(name: str) -> str:
    if not expand(name):
        raise ValueError("no item of the catalogue, and no pattern of one")
    return name


Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,63}$")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
ItemName = Annotated[str, AfterValidator(_item)]
ItemPattern = Annotated[str, AfterValidator(_pattern)]
Ids = Annotated[tuple[Id, ...], Field(min_length=1)]
Patterns = Annotated[tuple[ItemPattern, ...], Field(min_length=1)]


@lru_cache(maxsize=1024)
def expand(pattern: str) -> frozenset[str]:
    """The items a name or pattern covers: `police.covert`, `*.nhs_number`, `third_party.*`.

    Patterns only ever withhold or describe: what is released is named item by item, so that a new item is not (P3).
    """
    if pattern.startswith("*."):
        return frozenset(item for item in CATALOGUE if item.endswith(pattern[1:]))
    if pattern.endswith(".*"):
        return frozenset(item for item in CATALOGUE if item.startswith(pattern[:-1]))
    return frozenset({pattern} & CATALOGUE.keys())


class Piece(BaseModel):
    """A piece of an agreement: frozen, and nothing in it unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
