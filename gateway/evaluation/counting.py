"""Victims as tables: one for each figure, areas down and quarters across, totals last; small numbers hidden.

Every victim is in exactly one place of a table, so that its totals are sums. What is hidden of the victims referred is
hidden of every figure about them, and what is hidden of those who were reached, of those who engaged. A time is told
where at least five are counted, and the slow end where at least 20 are: a percentile of few is somebody's own. Fewer
quarters are columns of the same tables, never counted anew: two reports that overlap tell no number between them.

Pure. Source: domain.md sections 0a (latency), 4.1 (step 15), 5.2 point 15.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import combinations

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


Columns = tuple[int, int]
"""Quarters in a row: the first, and the one after the last."""


@dataclass(frozen=True, slots=True)
class Tables:
    """Everything that was counted. The last row and column of each are totals.

    `over` has what is no sum: for quarters in a row, of each area, how long it took.
    """

    axes: Axes
    referred: Shown
    children: Shown
    rates: tuple[Counted, ...]
    spreads: tuple[tuple[Spread, ...], ...]
    over: Mapping[Columns, tuple[Spread, ...]]

    def rate(self, id_: str) -> Counted:
        """A figure by its id. Raises KeyError."""
        return {one.definition.id: one for one in self.rates}[id_]

    def part(self, columns: Columns) -> Tables:
        """The tables of some of the quarters: their columns, and a total where all that it adds up is shown.

        Whatever it tells follows from what these tables tell. Of whom nobody recorded it is known of the whole alone.
        """
        first, until = columns
        if columns == (0, len(self.axes.quarters) - 1):
            return self
        rates = tuple(
            Counted(one.definition, _part(one.above, columns), _part(one.below, columns), None, None)
            for one in self.rates
        )
        timed = next(one for one in rates if one.definition.id == "timed").above
        totals = (took if line[-1] else _UNTOLD for took, line in zip(self.over[columns], timed, strict=True))
        return Tables(
            Axes(self.axes.areas, (*self.axes.quarters[first:until], TOTAL)),
            _part(self.referred, columns),
            _part(self.children, columns),
            rates,
            tuple((*line[first:until], total) for line, total in zip(self.spreads, totals, strict=True)),
            {(a - first, b - first): took for (a, b), took in self.over.items() if first <= a and b <= until},
        )


def _part(shown: Shown, columns: Columns) -> Shown:
    cut = [line[slice(*columns)] for line in shown]
    return tuple((*line, None if None in line else sum(one or 0 for one in line)) for line in cut)


def count(victims: Sequence[Victim], period: Period, areas: Mapping[str, str]) -> Tables:
    """Count the victims of a period. `areas` are the agreement's, by code, in words; others count as not stated."""
    cells = _Cells(victims, period, areas)
    everybody = hide(cells.grid(lambda _: 1))
    rates, hidden = _rates(cells, everybody)
    timed = next(one for one in rates if one.definition.id == "timed")
    rows, last = range(len(cells.axes.areas)), len(cells.axes.quarters) - 1
    spreads = tuple(
        tuple(_spread(cells.under(row, column), timed.above[row][column]) for column in range(last + 1)) for row in rows
    )
    over = {
        columns: tuple(_spread(cells.within(row, columns), timed.above[row][-1]) for row in rows)
        for columns in combinations(range(last + 1), 2)
    }
    minors = hide(cells.grid(children), known=hidden["with-children"].none)
    return Tables(cells.axes, everybody.shown, minors.shown, rates, spreads, over)


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
        last = len(self._quarters)
        return self.within(row, (0, last) if column == last else (column, column + 1))

    def within(self, row: int, columns: Columns) -> list[Victim]:
        """The victims of a row in some quarters; of all rows where it is the total."""
        quarters = range(*columns)
        return [one for (r, c), here in self._at.items() if row in {r, self._rows} and c in quarters for one in here]

    @property
    def all(self) -> list[Victim]:
        return self.under(self._rows, len(self._quarters))


def _rates(cells: _Cells, everybody: Table) -> tuple[tuple[Counted, ...], Mapping[str, Table]]:
    """Every figure, and what is above the line of each as a table; one that is within another is hidden with it."""
    above: dict[str, Table] = {}
    counted: dict[str, Counted] = {}
    for one in RATES:
        below = everybody
        if one.line is Below.ASKED:
            below = hide(cells.grid(partial(_is, one, frozenset({Found.YES, Found.NO}))), everybody)
        yes = cells.grid(partial(_is, one, frozenset({Found.YES})))
        above[one.id] = table = hide(yes, above[one.within] if one.within else below)
        every = Counter(one.finds(her) for her in cells.all)
        beside = _beside(every, one.line, hidden=table.shown[-1][-1] is None)
        counted[one.id] = Counted(one, table.shown, below.shown, *beside)
        if one.within and None in (*beside, counted[one.within].unstated, counted[one.within].withheld):
            # Of both the same are not recorded: what is hidden beside one must not be told beside the other.
            for id_ in (one.id, one.within):
                counted[id_] = replace(counted[id_], unstated=None, withheld=None)
    return tuple(counted.values()), above


def _is(one: Definition, wanted: frozenset[Found], victim: Victim) -> bool:
    return one.finds(victim) in wanted


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


def _spread(victims: Sequence[Victim], shown: int | None) -> Spread:
    """How long it took for these, of whom it is shown how many are timed."""
    took = sorted(each for one in victims if (each := latency(one.first)) is not None)
    if not shown or not took or is_small(len(took)):
        return _UNTOLD
    slow = took[-(-len(took) * 95 // 100) - 1] if len(took) >= LEAST_TIMED else None  # nearest rank
    return Spread(middle(took), slow)


_UNTOLD = Spread(None, None)


def middle(took: Sequence[timedelta]) -> timedelta:
    """The median of times in order, of which there is at least one."""
    return (took[(len(took) - 1) // 2] + took[len(took) // 2]) / 2
