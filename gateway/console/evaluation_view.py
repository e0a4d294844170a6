"""A report as the page shows it: each figure with what it counts, of whom, its chart, and the table of that chart.

A view is of all areas or of one, which is a row of the same tables: it holds no number that the report does not. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lxml import etree

from gateway.evaluation.baseline import LATENCY
from gateway.evaluation.charts import draw
from gateway.evaluation.counting import Counted, Spread
from gateway.evaluation.definitions import CHILDREN, CHILDREN_WORDS, LATENCY_WORDS, REFERRED
from gateway.evaluation.report import Report
from gateway.evaluation.sheets import HIDDEN, HIDDEN_WORDS, Sheet, count_words, duration, sheets
from gateway.evaluation.suppression import Shown

TIMED = "timed"
"""The figure that is what the times rest on: it stands in the tables, and is nobody's first question."""
_WHOLE = 100  # per cent
_BAR, _EDGES = 30, 80  # units of a picture: each bar with its label, and what is round them
_NOBODY = "Nobody yet"


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the page. `value` is the number in large, `of` what it is of; `columns` and `rows` are its table.

    `table` is the id that its file has; `chart` a drawing that stands in the page as it is.
    """

    id: str
    title: str
    value: str
    of: str
    counts: str
    of_whom: str
    unstated: str
    chart: str
    table: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class View:
    """What the page shows of a report. `compared` is a drawing beside the table `before`, of all areas alone."""

    area: str | None
    figures: tuple[Figure, ...]
    before: Sheet
    compared: str | None
    not_counted: Sheet
    hidden_words: str
    count_words: str
    files: tuple[tuple[str, str], ...]


def view_of(report: Report, row: int = -1) -> View:
    """The view of all areas, or of the area in a row of the report's tables."""
    tables = {one.id: one for one in sheets(report)}
    areas = report.tables.axes.areas
    whole = row in {-1, len(areas) - 1}
    return View(
        area=None if whole else areas[row],
        figures=tuple(_figures(report, tables, row, whole=whole)),
        before=tables["before-and-after"],
        compared=_compared(report) if whole else None,
        not_counted=tables["not-counted"],
        hidden_words=HIDDEN_WORDS,
        count_words=count_words(report),
        files=tuple((one.id, one.title) for one in tables.values()),
    )


def _figures(report: Report, tables: dict[str, Sheet], row: int, *, whole: bool) -> Iterator[Figure]:
    axes, found = report.tables.axes, report.tables
    where = "all areas" if whole else axes.areas[row]
    quarters = axes.quarters[:-1]

    def figure(
        id_: str,
        title: str,
        value: str,
        of: str,
        words: tuple[str, str, str],
        unit: str,
        values: Sequence[float | None],
        most: float | None = None,
    ) -> Figure:
        picture = draw(f"{title}, {where}", unit, quarters, values, most=most)
        columns, rows = _turned(tables[id_], None if whole else row)
        return Figure(id_, title, value, of, *words, _within(picture), id_, columns, rows)

    if REFERRED.id not in report.not_released:
        words = (REFERRED.above, "", "")
        shown = found.referred[row]
        yield figure(REFERRED.id, REFERRED.title, _text(shown[-1]), "", words, "victims", shown[:-1])
    for one in report.rates:
        if one.definition.id != TIMED:
            shares = [_percent(one, row, column) for column in range(len(quarters))]
            defined = one.definition
            words = (defined.above, defined.below, _unstated(one, whole=whole))
            value, of = _share(one, row), _of(one, row)
            yield figure(defined.id, defined.title, value, of, words, "per cent", shares, _WHOLE)
    if LATENCY not in report.not_released:
        spreads, words = found.spreads[row], (LATENCY_WORDS, "", "")
        value, of = _time(spreads[-1], found.rate(TIMED).above, row)
        minutes = [None if one.median is None else round(one.median.total_seconds() / 60) for one in spreads[:-1]]
        yield figure(LATENCY, "From report to adviser", value, of, words, "minutes, median", minutes)
    if CHILDREN not in report.not_released:
        shown, words = found.children[row], (CHILDREN_WORDS, "", "")
        yield figure("children", "Children", _text(shown[-1]), "", words, "children", shown[:-1])


def _turned(sheet: Sheet, row: int | None) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """A table of areas by quarters turned, so that quarters go down as they do on paper; one area where one is named.

    Returns its columns and its rows; the first of each names the quarter.
    """
    areas = sheet.rows if row is None else (sheet.rows[row],)
    columns = ("Quarter", *(one[0] for one in areas))
    rows = zip(sheet.columns[1:], *(one[1:] for one in areas), strict=True)
    return columns, tuple(tuple(cells) for cells in rows)


def _compared(report: Report) -> str | None:
    """The shares that were published, and those of an earlier period, beside this period's."""
    bars: list[tuple[str, float | None]] = []
    for one in report.rates:
        id_, title = one.definition.id, one.definition.title
        others: list[tuple[str, float | None]] = [
            (f"{title}: published, {'before' if then.when == 'before' else 'since'}", then.per_cent)
            for then in report.published
            if then.figure == id_ and then.per_cent is not None
        ]
        earlier = [] if report.before is None else [one for one in report.before.rates if one.definition.id == id_]
        others += [(f"{title}: {report.before_period}", _percent(then, -1, -1)) for then in earlier]
        if others and id_ != TIMED:
            bars += [*others, (f"{title}: this period", _percent(one, -1, -1))]
    if not bars:
        return None
    bars.reverse()  # the first on top
    labels, values = zip(*bars, strict=True)
    height = _EDGES + _BAR * len(bars)
    picture = draw("Before and after", "per cent", labels, values, most=_WHOLE, lying=True, height=height)
    return _within(picture)


def _within(picture: bytes) -> str:
    """A picture as it stands in a page: its name is a label already, and a page has one title."""
    root = etree.fromstring(picture)
    for title in root.findall("{http://www.w3.org/2000/svg}title"):
        root.remove(title)
    found: str = etree.tostring(root, encoding="unicode")
    return found


def _text(number: int | None) -> str:
    return HIDDEN if number is None else f"{number:,}"


def _percent(one: Counted, row: int, column: int) -> float | None:
    share = one.share(row, column)
    return None if share is None else round(share * _WHOLE, 1)


def _share(one: Counted, row: int) -> str:
    above, below, share = one.above[row][-1], one.below[row][-1], _percent(one, row, -1)
    if above is None or below is None:
        return HIDDEN
    return _NOBODY if share is None else f"{share:.1f} %"


def _of(one: Counted, row: int) -> str:
    return f"{_text(one.above[row][-1])} of {_text(one.below[row][-1])}"


def _time(spread: Spread, timed: Shown, row: int) -> tuple[str, str]:
    """The median in large, and the slow end beside it."""
    if spread.median is None:
        return (_NOBODY if timed[row][-1] == 0 else HIDDEN), ""
    slow = f"median; 95 % within {duration(spread.slow)}" if spread.slow is not None else "median"
    return duration(spread.median), slow


def _unstated(one: Counted, *, whole: bool) -> str:
    """Of whom nobody recorded it: counted for all areas together."""
    return f"{_text(one.unstated)}. {one.definition.unstated}" if whole else one.definition.unstated
