"""The report as FHIR R4: Measures that say what is counted, and MeasureReports that say how many.

    provide-shares     proportion: each figure that is a share, as a group with numerator and denominator
    provide-counts     cohort: victims referred, children
    provide-latency    continuous-variable: from report to adviser, the median, in minutes

Each group is given for all, and stratified by area and by quarter. A hidden count is absent, with the reason `masked`.
The narrative of each says what it is of, and since when its numbers stand.

Source: FHIR R4 Measure, MeasureReport (summary); data-absent-reason; R4 5.1 Expression.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from html import escape
from typing import Any

from audit.entry import timestamp
from gateway.evaluation.baseline import LATENCY
from gateway.evaluation.counting import Axes, Counted
from gateway.evaluation.definitions import CHILDREN, CHILDREN_WORDS, LATENCY_WORDS, REFERRED
from gateway.evaluation.report import Report
from gateway.evaluation.sheets import HIDDEN_WORDS, count_words
from gateway.evaluation.suppression import Shown

Json = dict[str, Any]

MEDIA_TYPE = "application/fhir+json"
_POPULATION = "http://terminology.hl7.org/CodeSystem/measure-population"
_SCORING = "http://terminology.hl7.org/CodeSystem/measure-scoring"
_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_UNITS = "http://unitsofmeasure.org"


def bundle(report: Report, namespace: str) -> Json:
    """The Measures and their MeasureReports as a collection. `namespace` is where our canonical addresses begin."""
    made = list(_made(report, namespace))
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": timestamp(report.made),
        "entry": [{"fullUrl": f"{namespace}/{one['resourceType']}/{one['id']}", "resource": one} for one in made],
    }


def _made(report: Report, namespace: str) -> Iterator[Json]:
    axes = report.tables.axes
    shares = [(_group_of_share(one), _share_counted(one, axes)) for one in report.rates]
    if shares:
        yield from _pair(report, namespace, "provide-shares", "Shares of victims referred", "proportion", shares)
    counts = []
    if REFERRED.id not in report.not_released:
        counts.append(_cohort(REFERRED.id, REFERRED.title, REFERRED.above, report.tables.referred, axes))
    if CHILDREN not in report.not_released:
        counts.append(_cohort("children", "Children", CHILDREN_WORDS, report.tables.children, axes))
    if counts:
        yield from _pair(report, namespace, "provide-counts", "Victims and children", "cohort", counts)
    if LATENCY not in report.not_released:
        latency = _latency(report, axes)
        yield from _pair(report, namespace, "provide-latency", "Time to adviser", "continuous-variable", [latency])


def _pair(
    report: Report, namespace: str, id_: str, title: str, scoring: str, groups: Sequence[tuple[Json, Json]]
) -> Iterator[Json]:
    address = f"{namespace}/Measure/{id_}"
    words = f"{title}, {report.period}. {HIDDEN_WORDS} {count_words(report)}"
    yield {
        "resourceType": "Measure",
        "id": id_,
        "url": address,
        "version": "1",
        "name": "".join(part.capitalize() for part in id_.split("-")),
        "title": title,
        "status": "active",
        "description": f"{title}, as Operation Provide was evaluated. Counts of one to four are hidden.",
        "scoring": _concept(_SCORING, scoring),
        "group": [defined for defined, _ in groups],
    }
    yield {
        "resourceType": "MeasureReport",
        "id": f"{id_}-{report.period.starts:%Y%m%d}-{report.period.until:%Y%m%d}",
        "text": {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{escape(words)}</div>'},
        "status": "complete",
        "type": "summary",
        "measure": f"{address}|1",
        "date": timestamp(report.edition.counted),
        "reporter": {"display": f"{report.title} (agreement {report.agreement}, version {report.version})"},
        "period": {
            "start": timestamp(report.period.first_instant),
            "end": timestamp(report.period.last_instant - timedelta(milliseconds=1)),
        },
        "group": [counted for _, counted in groups],
    }


def _group_of_share(one: Counted) -> Json:
    found = one.definition
    return {
        "code": {"text": found.id},
        "description": found.title,
        "population": [_defined("numerator", found.above), _defined("denominator", found.below)],
        "stratifier": _STRATIFIERS,
    }


def _share_counted(one: Counted, axes: Axes) -> Json:
    def at(row: int, column: int) -> Json:
        share = one.share(row, column)
        counts = [("numerator", one.above[row][column]), ("denominator", one.below[row][column])]
        found: Json = {"population": [_counted(code, number) for code, number in counts]}
        return found | ({"measureScore": {"value": round(share, 4)}} if share is not None else {})

    return {"code": {"text": one.definition.id}} | at(-1, -1) | _stratified(at, axes)


def _cohort(id_: str, title: str, words: str, shown: Shown, axes: Axes) -> tuple[Json, Json]:
    defined = {
        "code": {"text": id_},
        "description": title,
        "population": [_defined("initial-population", words)],
        "stratifier": _STRATIFIERS,
    }

    def at(row: int, column: int) -> Json:
        return {"population": [_counted("initial-population", shown[row][column])]}

    return defined, {"code": {"text": id_}} | at(-1, -1) | _stratified(at, axes)


def _latency(report: Report, axes: Axes) -> tuple[Json, Json]:
    timed = report.tables.rate("timed").above
    defined = {
        "code": {"text": LATENCY},
        "description": "Median minutes from report to adviser",
        "population": [_defined("measure-population", LATENCY_WORDS)],
        "stratifier": _STRATIFIERS,
    }

    def at(row: int, column: int) -> Json:
        took = report.tables.spreads[row][column].median
        found: Json = {"population": [_counted("measure-population", timed[row][column])]}
        if took is None:
            return found
        minutes = {"value": round(took.total_seconds() / 60, 1), "unit": "min", "system": _UNITS, "code": "min"}
        return found | {"measureScore": minutes}

    return defined, {"code": {"text": LATENCY}} | at(-1, -1) | _stratified(at, axes)


_STRATIFIERS = [
    {"code": {"text": name}, "description": words, "criteria": {"language": "text/plain", "expression": words}}
    for name, words in (
        ("area", "The area of the agreement, of a victim's first referral in the quarters counted"),
        ("quarter", "The calendar quarter of it, in London"),
    )
]


def _stratified(at: Any, axes: Axes) -> Json:  # noqa: ANN401 - a function of row and column, above
    areas = [{"value": {"text": name}} | at(row, -1) for row, name in enumerate(axes.areas[:-1])]
    quarters = [{"value": {"text": name}} | at(-1, column) for column, name in enumerate(axes.quarters[:-1])]
    named = (("area", areas), ("quarter", quarters))
    return {"stratifier": [{"code": [{"text": name}], "stratum": strata} for name, strata in named]}


def _defined(code: str, words: str) -> Json:
    criteria = {"language": "text/plain", "expression": words}
    return {"code": _concept(_POPULATION, code), "description": words, "criteria": criteria}


def _counted(code: str, number: int | None) -> Json:
    found: Json = {"code": _concept(_POPULATION, code)}
    if number is None:
        return found | {"_count": {"extension": [{"url": _ABSENT, "valueCode": "masked"}]}}
    return found | {"count": number}


def _concept(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}
