"""Victims as tables: one for each figure, areas down and quarters across, totals last; small numbers hidden.

Every victim is in exactly one place of a table, so that its totals are sums. What is hidden of the victims referred is
hidden of every figure about them. A time is told where at least five are counted, and the slow end where at least 20
are: a percentile of few is somebody's own.

Pure. Source: domain.md sections 0a (latency), 4.1 (step 15), 5.2 point 15.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from gateway.evaluation.coded import Victim
from gateway.evaluation.definitions import RATES, Below, Definition, Found, children, latency
from gateway.evaluation.period import Period, Quarter
from gateway.evaluation.suppression import Grid, Place, Shown, Table, hide, is_small

TOTAL = "Total"
LEAST_TIMED = 20
"""How many the 95th percentile is worked out of at least: of fewer it is the slowest but none."""


@dataclass(frozen=True, slots=True)
class Axes:
    """What a table has down and across: areas by their name in words, and quarters; both end in the total."""

    areas: tuple[str, ...]
    quarters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Counted:
    """A figure that is a share: what is above and below the line at each place, None where it is hidden.

    `unstated` and `withheld` are those, of all, of whom nobody recorded it and of whom it is not released.
    """

    definition: Definition
    above: Shown
    below: Shown
    unstated: int | None
    withheld: int | None

    def share(self, row: int, column: int) -> float | None:
        """The share at a place, from 0 to 1; None where it is hidden, or of nobody."""
        above, below = self.above[row][column], self.below[row][column]
        return above / below if above is not None and below else None


@dataclass(frozen=True, slots=True)
class Spread:
    """How long it took, at one place: the median and the 95th percentile; None where too few are counted."""

    median: timedelta | None
    slow: timedelta | None


@dataclass(frozen=True, slots=True)
class Tables:
    """Everything that was counted. The last row and column of each are totals."""

    axes: Axes
    referred: Shown
    children: Shown
    rates: tuple[Counted, ...]
    spreads: tuple[tuple[Spread, ...], ...]

    def rate(self, id_: str) -> Counted:
        """A figure by its id. Raises KeyError."""
        return {one.definition.id: one for one in self.rates}[id_]


def count(victims: Sequence[Victim], period: Period, areas: Mapping[str, str]) -> Tables:
    """Count the victims of a period. `areas` are the agreement's, by code, in words; others count as not stated."""
    cells = _Cells(victims, period, areas)
    everybody = hide(cells.grid(lambda _: 1))
    rates = tuple(_rate(cells, one, everybody) for one in RATES)
    spreads = _spreads(cells, next(one for one in rates if one.definition.id == "timed"))
    return Tables(cells.axes, everybody.shown, hide(cells.grid(children)).shown, rates, spreads)


UNSTATED_AREA = "Not stated"


class _Cells:
    """The victims by place."""

    def __init__(self, victims: Sequence[Victim], period: Period, areas: Mapping[str, str]) -> None:
        codes = [*areas, None]
        self._quarters = period.quarters
        self._at: dict[Place, list[Victim]] = {}
        for victim in victims:
            area = victim.first.area
            row = codes.index(area if area in areas else None)
            column = self._quarters.index(Quarter.of(victim.first.placed))
            self._at.setdefault((row, column), []).append(victim)
        known = len(areas) if not any(row == len(areas) for row, _ in self._at) else len(codes)
        self._rows = max(known, 1)
        names = [*areas.values(), UNSTATED_AREA][: self._rows]
        self.axes = Axes((*names, TOTAL), (*(str(one) for one in self._quarters), TOTAL))

    def grid(self, of: Callable[[Victim], int]) -> Grid:
        """The sums of something over the victims of each place."""
        columns = range(len(self._quarters))
        return Grid.of(
            [[sum(map(of, self._at.get((row, column), ()))) for column in columns] for row in range(self._rows)]
        )

    def under(self, row: int, column: int) -> list[Victim]:
        """The victims a place stands for, totals for all of their row or column."""
        last_row, last_column = self._rows, len(self._quarters)
        return [
            one
            for (r, c), here in self._at.items()
            if row in {r, last_row} and column in {c, last_column}
            for one in here
        ]

    @property
    def all(self) -> list[Victim]:
        return self.under(self._rows, len(self._quarters))


def _rate(cells: _Cells, definition: Definition, everybody: Table) -> Counted:
    found = definition.finds
    below = everybody
    if definition.line is Below.ASKED:
        below = hide(cells.grid(lambda one: found(one) in {Found.YES, Found.NO}), everybody)
    above = hide(cells.grid(lambda one: found(one) is Found.YES), below)
    every = Counter(found(one) for one in cells.all)
    whole = (len(cells.axes.areas) - 1, len(cells.axes.quarters) - 1)
    unstated, withheld = _beside(every, definition.line, hidden=whole in above.hidden)
    return Counted(definition, above.shown, below.shown, unstated, withheld)


def _beside(every: Mapping[Found, int], line: Below, *, hidden: bool) -> tuple[int | None, int | None]:
    """What may be told of those who are not above the line, who add up to what anybody can work out.

    Below the line of those who were asked, it is the two told here alone that add up.
    """
    unstated, withheld, no = (every.get(one, 0) for one in (Found.UNSTATED, Found.WITHHELD, Found.NO))
    if hidden or (line is Below.ASKED and (is_small(unstated) or is_small(withheld))):
        return None, None
    shown = [None if is_small(one) else one for one in (unstated, withheld)]
    if line is Below.REFERRED and is_small(no) and None not in shown:
        shown[unstated < withheld] = None  # the larger of the two, so that what is left can be either's
    return shown[0], shown[1]


def _spreads(cells: _Cells, timed: Counted) -> tuple[tuple[Spread, ...], ...]:
    rows, columns = range(len(cells.axes.areas)), range(len(cells.axes.quarters))
    return tuple(tuple(_spread(cells, timed, row, column) for column in columns) for row in rows)


def _spread(cells: _Cells, timed: Counted, row: int, column: int) -> Spread:
    if not timed.above[row][column]:
        return Spread(None, None)
    took = sorted(each for one in cells.under(row, column) if (each := latency(one.first)) is not None)
    if is_small(len(took)):
        return Spread(None, None)
    slow = took[-(-len(took) * 95 // 100) - 1] if len(took) >= LEAST_TIMED else None  # nearest rank
    return Spread(middle(took), slow)


def middle(took: Sequence[timedelta]) -> timedelta:
    """The median of times in order, of which there is at least one."""
    return (took[(len(took) - 1) // 2] + took[len(took) // 2]) / 2
