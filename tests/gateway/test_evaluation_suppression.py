"""Small numbers: nobody who solves the equations of what is shown can tell a hidden number, and the rest is shown."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.evaluation.suppression import SMALL, Counts, Grid, Place, Shown, Table, hide

MOST = 5
BEYOND = MOST + 2
"""An attacker tries every number up to here: more than one beyond the largest."""

shapes = st.sampled_from([(1, 1), (1, 2), (2, 1), (1, 3), (2, 2)])


@st.composite
def chains(draw: st.DrawFn) -> tuple[Grid, Grid, Grid]:
    """Counts, counts of some of those, and of some of these."""
    rows, columns = draw(shapes)
    inner = [[draw(st.integers(0, MOST)) for _ in range(columns)] for _ in range(rows)]
    grids = [Grid.of(inner)]
    for _ in range(2):
        kind = draw(st.sampled_from(["some", "all", "none", "all or none"]))
        inner = [[draw(_among(kind, count)) for count in row] for row in inner]
        grids.append(Grid.of(inner))
    return grids[0], grids[1], grids[2]


def _among(kind: str, count: int) -> st.SearchStrategy[int]:
    every = {"some": range(count + 1), "all": (count,), "none": (0,), "all or none": (0, count)}
    return st.sampled_from(sorted(set(every[kind])))


def fits(shown: Shown) -> list[Counts]:
    """Every table that fits what is shown: what an attacker who solves the equations is left with."""
    rows = [_lines(line) for line in shown[:-1]]
    found = ((*inner, tuple(map(sum, zip(*inner, strict=True)))) for inner in product(*rows))
    return [one for one in found if _agrees(one[-1], shown[-1])]


def _lines(line: tuple[int | None, ...]) -> list[tuple[int, ...]]:
    """Every line that fits one that is shown, its total last."""
    free = [range(BEYOND + 1) if number is None else (number,) for number in line[:-1]]
    return [full for one in product(*free) if _agrees(full := (*one, sum(one)), line)]


def _agrees(line: tuple[int, ...], shown: tuple[int | None, ...]) -> bool:
    return all(seen is None or seen == number for number, seen in zip(line, shown, strict=True))


def _below(one: Counts, other: Counts) -> bool:
    return all(a <= b for line, row in zip(one, other, strict=True) for a, b in zip(line, row, strict=True))


def pinned(first: Table, second: Table) -> Iterator[tuple[str, Place]]:
    """The hidden places of which an attacker who holds both tables is left with a single value."""
    outer, inner = fits(first.shown), fits(second.shown)
    for place in first.hidden:
        if len({one[place[0]][place[1]] for one in outer}) == 1:
            yield "first", place
    for row, column in second.hidden:
        values: set[int] = set()
        for one in inner:
            value = one[row][column]
            if value not in values and any(_below(one, other) for other in outer):
                values.add(value)
            if len(values) > 1:
                break
        if len(values) == 1:
            yield "second", (row, column)


@settings(max_examples=80)
@given(chains())
def test_no_hidden_number_can_be_told_from_the_numbers_that_are_shown(grids: tuple[Grid, Grid, Grid]) -> None:
    referred = hide(grids[0])
    asked = hide(grids[1], referred)
    safer = hide(grids[2], asked)
    assert list(pinned(referred, asked)) == []
    assert list(pinned(asked, safer)) == []


@settings(max_examples=25)
@given(chains().filter(lambda grids: len(grids[0].counts) * len(grids[0].counts[0]) <= 6))
def test_nor_from_three_tables_of_which_each_is_within_the_one_before(grids: tuple[Grid, Grid, Grid]) -> None:
    """Those referred, reached and engaged: what is hidden of the one in the middle is held between the other two."""
    referred = hide(grids[0])
    reached = hide(grids[1], referred)
    engaged = hide(grids[2], reached)
    outer, middle, inner = fits(referred.shown), fits(reached.shown), fits(engaged.shown)
    for row, column in reached.hidden:
        values: set[int] = set()
        for one in middle:
            fresh = one[row][column] not in values
            if fresh and any(_below(less, one) for less in inner) and any(_below(one, more) for more in outer):
                values.add(one[row][column])
            if len(values) > 1:
                break
        assert len(values) > 1


def test_a_none_that_another_table_tells_protects_nothing() -> None:
    """Where no victim has a child there are no children: hidden, such a none would be nobody's doubt."""
    children = Grid.of([[3, 0, 20], [0, 9, 20]])
    assert hide(children).shown == ((None, 0, None, 23), (None, 9, None, 29), (None, 9, None, 52))
    found = hide(children, known=frozenset({(0, 1), (1, 0)}))
    assert found.shown == ((None, 0, None, 23), (0, 9, 20, 29), (None, 9, None, 52)), "the 3 could be any up to 23"


@settings(max_examples=200)
@given(chains())
def test_no_count_of_one_to_four_is_shown_nor_what_is_left_of_those_it_is_among(grids: tuple[Grid, Grid, Grid]) -> None:
    referred = hide(grids[0])
    some = hide(grids[1], referred)
    for place in grids[0].places():
        count, among = grids[1].at(place), grids[0].at(place)
        assert place in some.hidden or not (0 < count < SMALL or 0 < among - count < SMALL)
        assert place in referred.hidden or not 0 < among < SMALL
    assert referred.hidden <= some.hidden


def test_a_table_without_small_numbers_is_shown_whole() -> None:
    grid = Grid.of([[10, 0, 25], [5, 7, 0]])
    assert hide(grid).shown == ((10, 0, 25, 35), (5, 7, 0, 12), (15, 7, 25, 47))


def test_one_small_number_hides_three_more_and_no_total_where_that_is_enough() -> None:
    grid = Grid.of([[3, 20, 30], [12, 25, 35], [40, 50, 60]])
    shown = hide(grid).shown
    assert shown[0] == (None, None, 30, 53)
    assert shown[1] == (None, None, 35, 72)
    assert shown[2] == (40, 50, 60, 150)
    assert shown[3] == (55, 95, 125, 275)


def test_the_total_of_all_is_shown_though_every_number_below_it_is_small() -> None:
    grid = Grid.of([[1, 2, 3], [4, 1, 2]])
    shown = hide(grid).shown
    assert shown[-1][-1] == 13
    assert all(number is None for row in shown[:-1] for number in row[:-1])


def test_all_of_them_may_be_told_where_it_is_all_of_many() -> None:
    referred = hide(Grid.of([[30, 20]]))
    assert hide(Grid.of([[30, 20]]), referred).shown == ((30, 20, 50), (30, 20, 50))


def test_what_is_hidden_of_those_referred_is_hidden_of_every_figure_about_them() -> None:
    referred = hide(Grid.of([[3, 20], [30, 40]]))
    engaged = hide(Grid.of([[3, 20], [30, 40]]), referred)
    assert (0, 0) in referred.hidden
    assert referred.hidden <= engaged.hidden
    assert engaged.shown[-1][-1] == 93
