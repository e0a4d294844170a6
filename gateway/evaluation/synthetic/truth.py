"""What a report must say of a plan: worked out from the stories alone, as a slow twin of the gateway's counting.

It knows no row, no agreement and nothing of hiding small numbers: whoever compares leaves hidden numbers out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from gateway.evaluation.period import Quarter
from gateway.evaluation.synthetic.plan import Plan, Story

Cell = tuple[str, str]
"""An area's code, and a quarter as it is written."""


@dataclass(frozen=True, slots=True)
class Truth:
    """The numbers of a plan: of each figure by area and quarter, and how long it took."""

    figures: Mapping[str, Counter[Cell]]
    took: Mapping[Cell, tuple[timedelta, ...]]

    def of(self, figure: str, area: str | None = None, quarter: str | None = None) -> int:
        """A figure in an area and a quarter; of all of them where none is named."""
        counted = self.figures[figure].items()
        return sum(number for (one, at), number in counted if area in {None, one} and quarter in {None, at})

    def total(self, figure: str) -> int:
        """A figure over all areas and quarters."""
        return self.of(figure)

    @property
    def every(self) -> tuple[timedelta, ...]:
        """All times, the shortest first."""
        return tuple(sorted(one for each in self.took.values() for one in each))

    @property
    def median(self) -> timedelta:
        """The median of all times."""
        return timedelta(seconds=median(one.total_seconds() for one in self.every))

    @property
    def slow(self) -> timedelta:
        """The 95th percentile of all times, by nearest rank."""
        return self.every[-(-len(self.every) * 95 // 100) - 1]


def truth(plan: Plan) -> Truth:
    """The truth of a plan."""
    took: dict[Cell, list[timedelta]] = {}
    for story in plan.stories:
        took.setdefault(_cell(story), []).append(story.had - story.first.reported)
    return Truth(
        {name: _count(plan, of) for name, of in _FIGURES.items()},
        {cell: tuple(sorted(each)) for cell, each in took.items()},
    )


_FIGURES: Mapping[str, Callable[[Story], int]] = {
    "referred": lambda _: 1,
    "reached": lambda story: story.reached,
    "engaged": lambda story: story.engaged,
    "supporting": lambda story: story.supports is True,
    "asked": lambda story: story.safer is not None,
    "safer": lambda story: story.safer is True,
    "repeated": lambda story: len(story.incidents) > 1,
    "with-children": lambda story: bool(story.household.children),
    "children": lambda story: len(story.household.children),
    "timed": lambda _: 1,
}


def _count(plan: Plan, of: Callable[[Story], int]) -> Counter[Cell]:
    counted: Counter[Cell] = Counter()
    for story in plan.stories:
        counted[_cell(story)] += of(story)
    return counted


def _cell(story: Story) -> Cell:
    return story.area, str(Quarter.of(story.first.reported))
