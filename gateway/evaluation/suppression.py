"""Small numbers taken out of tables, and whatever else would let somebody work them out again.

A count of one to four is hidden, and so is one that leaves one to four of those it is counted among. Then it is asked
of every hidden number whether rows, columns and totals pin it: it is not pinned where it stands on a cycle of hidden
numbers along which one person can be moved, every number staying what it could be, and every total what it is. Where
there is no such cycle the cheapest one is hidden as well (complementary suppression). So every hidden number has at
least two values that fit everything that is shown; what is shown of another table is among what it must fit.

Numbers of which nothing is shown may move together with those they are counted among, along one cycle.

A table with its totals is a network: rows and columns are nodes, numbers are arcs, and such a cycle is one of the
residual network. Totals are arcs like others, their sign turned round, so that they too can be hidden.

Pure. Source: domain.md section 4.1 (step 15: below five); Willenborg and de Waal, Elements of Statistical Disclosure
Control (2001), chapter 8, and Cox, Network models for complementary cell suppression (JASA 90, 1995), for the method.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import heappop, heappush
from typing import Final

SMALL: Final = 5
"""The least count that is shown, but none at all."""

Place = tuple[int, int]
Counts = tuple[tuple[int, ...], ...]
Shown = tuple[tuple[int | None, ...], ...]
"""Counts as they may be seen; None is hidden."""

_NUMBER, _TOTAL, _GRAND = 1_000, 1_000_000, 1_000_000_000
"""What hiding costs: a number before a total, a total before the total of all, and among each the smaller first."""

_NONE = 100_000
"""That there was nobody tells of nobody: a zero is hidden only where little else is left."""


@dataclass(frozen=True)
class Grid:
    """Counts with their totals: the last column and the last row."""

    counts: Counts

    @classmethod
    def of(cls, inner: Sequence[Sequence[int]]) -> Grid:
        """The grid of counts without their totals; at least one row and one column."""
        rows = [(*row, sum(row)) for row in inner]
        return cls((*rows, tuple(sum(column) for column in zip(*rows, strict=True))))

    @cached_property
    def size(self) -> Place:
        """Rows and columns, totals among them."""
        return len(self.counts), len(self.counts[0])

    def places(self) -> Iterator[Place]:
        """Every place, totals among them."""
        rows, columns = self.size
        return ((row, column) for row in range(rows) for column in range(columns))

    def at(self, place: Place) -> int:
        """The count at a place."""
        return self.counts[place[0]][place[1]]


@dataclass(frozen=True)
class Table:
    """Counts of which some places are hidden, and the table of those they are counted among."""

    grid: Grid
    hidden: frozenset[Place]
    among: Table | None = None

    @property
    def none(self) -> frozenset[Place]:
        """Where it is shown that there is nobody."""
        return frozenset(one for one in self.grid.places() if one not in self.hidden and self.grid.at(one) == 0)

    @property
    def shown(self) -> Shown:
        """The counts as they may be seen."""
        return tuple(
            tuple(None if (row, column) in self.hidden else count for column, count in enumerate(line))
            for row, line in enumerate(self.grid.counts)
        )


def is_small(count: int) -> bool:
    """Whether a count says something of so few that it is hidden."""
    return 0 < count < SMALL


def hide(grid: Grid, among: Table | None = None, known: frozenset[Place] = frozenset()) -> Table:
    """The table of a grid. `among` are those it is counted among: what is hidden there is hidden here.

    `known` are places of which another table tells the number: it protects none, for nobody takes it for another.
    Where small numbers leave no other way, all of the table is hidden but what is none of a shown none.
    """
    hidden = set(among.hidden if among else ())
    for place in grid.places():
        left = among.grid.at(place) - grid.at(place) if among else 0
        if is_small(grid.at(place)) or is_small(left):
            hidden.add(place)
    safe: set[Place] = set()
    while waiting := sorted(hidden - safe):
        cycle = _cheapest(grid, among, hidden, known, waiting[0])
        if cycle is None:
            return Table(grid, _everything(grid, among), among)
        hidden |= cycle
        safe |= cycle
    return Table(grid, frozenset(hidden), among)


def _everything(grid: Grid, among: Table | None) -> frozenset[Place]:
    if among is None:
        return frozenset(grid.places())
    return among.hidden | {one for one in grid.places() if among.grid.at(one) > 0}


def _cheapest(
    grid: Grid, among: Table | None, hidden: set[Place], known: frozenset[Place], place: Place
) -> frozenset[Place] | None:
    """The cycle through a place that hides least more, whichever way round, and however many tables move with it."""
    found: list[tuple[int, frozenset[Place]]] = []
    within: frozenset[Place] | None = None
    top, limit = grid, among
    while within is None or place in within:
        moving = _Moving(grid, top, limit, hidden, known, within)
        found += [one for more in (True, False) if (one := moving.cycle(place, more=more))]
        if limit is None:
            break
        within = limit.hidden if within is None else within & limit.hidden
        top, limit = limit.grid, limit.among
    return min(found, default=(0, None), key=lambda one: one[0])[1]


@dataclass(frozen=True)
class _Moving:
    """How the numbers of a table can move, alone or with all up to `top` that they are counted among, below `limit`.

    Where several move together, only `within` the places that are hidden in each. What is `known` does not move.
    """

    grid: Grid
    top: Grid
    limit: Table | None
    hidden: set[Place]
    known: frozenset[Place]
    within: frozenset[Place] | None

    def cycle(self, place: Place, *, more: bool) -> tuple[int, frozenset[Place]] | None:
        """The cheapest cycle on which the number at a place goes up (`more`), or down, with its cost.

        Nodes are rows, and columns counted on after them. Going from a row to a column takes a number up by one in the
        network, going back takes one down; the way sought leads from one end of the place's own arc to its other.
        """
        if not self._moves(place, up=more):
            return None
        rows, _ = self.grid.size
        row, column = place[0], rows + place[1]
        start, goal = (column, row) if more else (row, column)
        best: dict[int, int] = {start: 0}
        came: dict[int, tuple[int, Place]] = {}
        queue = [(0, start)]
        while queue:
            cost, node = heappop(queue)
            if node == goal:
                return cost, _walked(came, start, goal) | {place}
            if cost > best[node]:
                continue
            for to, through in self._arcs(node):
                if through != place and (ahead := cost + self._cost(through)) < best.get(to, ahead + 1):
                    best[to], came[to] = ahead, (node, through)
                    heappush(queue, (ahead, to))
        return None

    def _arcs(self, node: int) -> Iterator[tuple[int, Place]]:
        """Where one can go from a node, and through which number."""
        rows, columns = self.grid.size
        from_row = node < rows
        for other in range(columns if from_row else rows):
            through = (node, other) if from_row else (other, node - rows)
            if self._moves(through, up=from_row):
                yield (rows + other if from_row else other), through

    def _moves(self, place: Place, *, up: bool) -> bool:
        """Whether the number at a place can go one up, or down, in the network, where a total's sign is turned."""
        if place in self.known or (self.within is not None and place not in self.within):
            return False
        rows, columns = self.grid.size
        total = (place[0] == rows - 1) is not (place[1] == columns - 1)
        count = self.grid.at(place)
        if up is not total:
            return self.limit is None or self.top.at(place) < self.limit.grid.at(place)
        return count > 0

    def _cost(self, place: Place) -> int:
        if place in self.hidden:
            return 0
        rows, columns = self.grid.size
        totals = (place[0] == rows - 1) + (place[1] == columns - 1)
        return (_NUMBER, _TOTAL, _GRAND)[totals] + (self.grid.at(place) or _NONE)


def _walked(came: dict[int, tuple[int, Place]], start: int, goal: int) -> frozenset[Place]:
    walked: set[Place] = set()
    node = goal
    while node != start:
        node, place = came[node]
        walked.add(place)
    return frozenset(walked)
