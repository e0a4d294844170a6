"""A page of a feed of which not everything may go: what may, and no trace of the rest, not even its end (P8)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import Row


class Placed(Protocol):
    """Something with a place in a feed: its row has a `seq`."""

    @property
    def row(self) -> Row[Any]:
        """As it lies in the feed."""


T = TypeVar("T", bound=Placed)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """What may go; `next_cursor` is where the next page begins: at the last one shown, or where this one began."""

    shown: tuple[T, ...]
    next_cursor: int
    more: bool


def page_of(
    rows: Callable[[int, int], Sequence[Row[Any]]],
    decided: Callable[[Sequence[Row[Any]]], Iterable[T]],
    *,
    after: int,
    limit: int,
) -> Page[T]:
    """A page ends at something that may go, and there is a next one only where something more may.

    `rows` gives those after a cursor, so many at most, in their order; `decided` what of them may go.
    """
    shown: list[T] = []
    at, searching = after, True
    while searching and len(shown) <= limit:
        found = rows(at, limit + 1)
        shown += decided(found)
        at, searching = (found[-1].seq, len(found) > limit) if found else (at, False)
    page = shown[:limit]
    return Page(tuple(page), page[-1].row.seq if page else after, len(shown) > limit)
