"""A report as tables in words: each with its title, its definition and its denominator, ready to be shown.

Whoever renders them adds form and nothing else. A hidden number stands as its mark.

Source: domain.md sections 0a, 5.2 point 15; Government Analysis Function, symbols in tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from gateway.evaluation.baseline import LATENCY
from gateway.evaluation.counting import Axes, Counted, Spread, Tables
from gateway.evaluation.definitions import CHILDREN, CHILDREN_WORDS, LATENCY_WORDS, RATES, REFERRED
from gateway.evaluation.report import Report
from gateway.evaluation.suppression import Shown
from gateway.london import LONDON

HIDDEN = "[c]"
"""What stands where a number is hidden (Government Analysis Function, symbols in tables)."""
HIDDEN_WORDS = (
    f"{HIDDEN} is a number that is hidden: fewer than five, or from it somebody could work out one that is. "
    "Nothing here leads to a person, and nothing more detailed is kept for a report."
)


def count_words(report: Report) -> str:
    """Since when these numbers stand, until when, and what hiding small ones does not prevent."""
    edition = report.edition
    counted, again = (f"{one.astimezone(LONDON):%-d %B %Y}" for one in (edition.counted, edition.again))
    words = [] if edition.name.closed else [UNFINISHED_WORDS]
    if edition.revision > 1:
        words.append(f"Revision {edition.revision}: counted again, in place of what was given before.")
    words.append(f"Counted on {counted} and given unchanged until {again}, so that asking again tells of no case.")
    return " ".join((*words, COMPARED_WORDS))


UNFINISHED_WORDS = (
    "Unfinished: these quarters are not over, or have been for less than four weeks. They are counted once a week and "
    "compare with no closed quarter."
)
COMPARED_WORDS = (
    "Hiding holds within one count: whoever keeps two, and knows who was referred, may see in the difference what "
    "became of a few."
)
NOT_RELEASED = "The agreement does not release it to the evaluation."
_NOBODY = "–"  # noqa: RUF001 - the dash that stands for a share of nobody


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table in words: an id for its file, a title, what it says, columns, rows; the first cell names its row.

    `chart` is the id of the picture that shows the same. `long` is the same for a program, where a cell here holds more
    than one number: columns, and a row for each place.
    """

    id: str
    title: str
    words: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    chart: str | None = None
    long: tuple[tuple[str, ...], tuple[tuple[str, ...], ...]] | None = None


def sheets(report: Report) -> tuple[Sheet, ...]:
    """The tables of a report, in the order they are read."""
    return tuple(_sheets(report))


def _sheets(report: Report) -> Iterator[Sheet]:
    tables = report.tables
    yield _summary(report)
    yield _beside_published(report)
    if REFERRED.id not in report.not_released:
        yield _numbers(tables, "referred", REFERRED.title, REFERRED.above, tables.referred, "referred")
    for one in report.rates:
        yield _rate(tables, one)
    if LATENCY not in report.not_released:
        yield _latency(tables)
    if CHILDREN not in report.not_released:
        yield _numbers(tables, "children", "Children", CHILDREN_WORDS, tables.children, None)
    yield _refused(report)
    yield _definitions(report)


def _summary(report: Report) -> Sheet:
    rows = [] if REFERRED.id in report.not_released else [_row(REFERRED.title, _text(_whole(report.tables.referred)))]
    for one in report.tables.rates:
        title = one.definition.title
        if one.definition.id in report.not_released:
            rows.append(_row(title, NOT_RELEASED))
            continue
        cells = (_whole(one.above), _whole(one.below), None, one.unstated, one.withheld)
        above, below, _, unstated, withheld = map(_text, cells)
        rows.append(
            (title, above, below, _share(one.share(-1, -1), one.above[-1][-1], one.below[-1][-1]), unstated, withheld)
        )
    if CHILDREN not in report.not_released:
        rows.append(_row("Children", _text(_whole(report.tables.children))))
    if LATENCY not in report.not_released:
        rows.append(
            _row(
                "From report to adviser",
                _spread(report.tables.spreads[-1][-1], _whole(report.tables.rate("timed").above)),
            )
        )
    return Sheet(
        "summary",
        "Summary",
        f"All areas, {report.period}. {HIDDEN_WORDS}",
        ("Figure", "Number", "Of", "Share", "Not recorded", "Not released"),
        tuple(rows),
        "summary",
    )


def _beside_published(report: Report) -> Sheet:
    """Before and after: what was published, or counted of an earlier period, beside this one."""
    now = {one.definition.id: _percent(one) for one in report.rates}
    titles = {one.id: one.title for one in RATES} | {LATENCY: "From report to adviser (median)"}
    if LATENCY not in report.not_released:
        now[LATENCY] = duration(report.tables.spreads[-1][-1].median)
    rows = [
        (titles[one.figure], one.words, one.value, now.get(one.figure, NOT_RELEASED), one.source)
        for one in report.published
    ]
    if report.before is not None:
        for counted in report.before.rates:
            id_ = counted.definition.id
            if id_ not in report.not_released:
                period = f"The same figure, {report.before_period}"
                rows.append((titles[id_], period, _percent(counted), now[id_], "This gateway's own data"))
    return Sheet(
        "before-and-after",
        "Before and after",
        "Figures of others as they were published, and of an earlier period where one was asked for, beside this "
        "period's. They were counted elsewhere by other hands: a difference may lie in the counting.",
        ("Figure", "Then", "Was", "Is now", "Source"),
        tuple(rows),
    )


def _numbers(tables: Tables, id_: str, title: str, words: str, shown: Shown, chart: str | None) -> Sheet:
    axes = tables.axes
    rows = tuple((area, *map(_text, line)) for area, line in zip(axes.areas, shown, strict=True))
    return Sheet(id_, title, words, ("Area", *axes.quarters), rows, chart)


def _rate(tables: Tables, one: Counted) -> Sheet:
    axes = tables.axes
    rows = tuple(
        (area, *(_of(one, row, column) for column in range(len(axes.quarters)))) for row, area in enumerate(axes.areas)
    )
    found = one.definition
    words = f"{found.above} Of: {_lower(found.below)} Not recorded: {_text(one.unstated)}. {found.unstated}"
    places = [(row, column) for row in range(len(axes.areas)) for column in range(len(axes.quarters))]
    long = tuple((*_place(axes, at), *_numbers_of(one, *at)) for at in places)
    named = ("Area", "Quarter", "Number", "Of", "Per cent")
    return Sheet(found.id, found.title, words, ("Area", *axes.quarters), rows, found.id, (named, long))


def _place(axes: Axes, at: tuple[int, int]) -> tuple[str, str]:
    return axes.areas[at[0]], axes.quarters[at[1]]


def _numbers_of(one: Counted, row: int, column: int) -> tuple[str, str, str]:
    share = one.share(row, column)
    per_cent = "" if share is None else f"{share * 100:.1f}"
    return _text(one.above[row][column]), _text(one.below[row][column]), per_cent


def _latency(tables: Tables) -> Sheet:
    axes = tables.axes
    timed = tables.rate("timed").above
    rows = tuple(
        (area, *map(_spread, line, counted))
        for area, line, counted in zip(axes.areas, tables.spreads, timed, strict=True)
    )
    places = [(row, column) for row in range(len(axes.areas)) for column in range(len(axes.quarters))]
    long = tuple(
        (*_place(axes, at), _text(timed[at[0]][at[1]]), *_minutes(tables.spreads[at[0]][at[1]])) for at in places
    )
    named = ("Area", "Quarter", "Counted", "Median minutes", "95 % within minutes")
    columns = ("Area", *axes.quarters)
    return Sheet("latency", "From report to adviser", LATENCY_WORDS, columns, rows, "latency", (named, long))


def _minutes(spread: Spread) -> tuple[str, ...]:
    return tuple("" if one is None else f"{one.total_seconds() / 60:.1f}" for one in (spread.median, spread.slow))


def _refused(report: Report) -> Sheet:
    period = report.edition.name.period
    rows = tuple((REASONS.get(reason, reason), _text(number)) for reason, number in report.refused)
    return Sheet(
        "not-counted",
        "Not counted",
        f"Referrals from {period.starts} up to {period.until} of which the agreement lets nothing be counted, and why.",
        ("Why", "Referrals"),
        rows or (("None", "0"),),
    )


REASONS: Mapping[str, str] = {
    "no-clause": "No clause applies: older than it allows, or she withdrew her consent",
    "no-agreement": "No agreement is in force",
    "no-flow": "The agreement has no flow for evaluation from this force",
    "nothing-released": "The clauses that apply release nothing that is counted",
    "not-released": "The time of the incident is not known, or not released",
    "hold": "The agreement leaves it to a human",
    "marking": "It is marked so that a human decides",
}


def _definitions(report: Report) -> Sheet:
    rows = [(one.title, one.above, one.below, one.unstated) for one in (REFERRED, *RATES)]
    rows += [("From report to adviser", LATENCY_WORDS, "", ""), ("Children", CHILDREN_WORDS, "", "")]
    rows += [("Small numbers", HIDDEN_WORDS, "", ""), ("This count", count_words(report), "", "")]
    return Sheet(
        "definitions",
        "Definitions",
        f"What each figure counts. Made for the recipient {report.recipient} of the agreement {report.agreement}, "
        f"version {report.version}, SHA-256 {report.hash}. A victim is counted once, in the area and the quarter of "
        f"her first referral in the quarters counted, {report.edition.name.period}. It holds counts alone: no "
        "confidential patient information, to which the national data opt-out would apply, leaves with it.",
        ("Figure", "Counts", "Of", "Not recorded"),
        tuple(rows),
    )


def duration(took: timedelta | None) -> str:
    """How long, in words: minutes to the hour, hours and minutes to two days, then days and hours."""
    if took is None:
        return HIDDEN
    minutes = round(took.total_seconds() / 60)
    if minutes < _HOUR:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, _HOUR)
    if hours < _TWO_DAYS:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} d {hours % 24} h"


_HOUR = 60
_TWO_DAYS = 48


def _spread(spread: Spread, timed: int | None) -> str:
    if spread.median is None:
        return _NOBODY if timed == 0 else HIDDEN
    slow = f"; 95 % within {duration(spread.slow)}" if spread.slow is not None else ""
    return f"{duration(spread.median)}{slow}"


def _of(one: Counted, row: int, column: int) -> str:
    above, below = one.above[row][column], one.below[row][column]
    if above is None or below is None:
        return HIDDEN
    if not below:
        return _NOBODY
    return f"{above} of {below} ({_share(one.share(row, column), above, below)})"


def _percent(one: Counted) -> str:
    return _share(one.share(-1, -1), one.above[-1][-1], one.below[-1][-1])


def _share(share: float | None, above: int | None, below: int | None) -> str:
    if above is None or below is None:
        return HIDDEN
    return f"{share * 100:.1f} %" if share is not None else _NOBODY


def _whole(shown: Shown) -> int | None:
    return shown[-1][-1]


def _text(number: int | None) -> str:
    return HIDDEN if number is None else str(number)


def _row(title: str, text: str) -> tuple[str, ...]:
    return (title, text, "", "", "", "")


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
