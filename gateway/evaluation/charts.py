"""The figures as pictures: SVG of bars, drawn from what a report shows and nothing else.

A picture carries no style and no script, only presentation attributes, so that it can stand in a page under a policy
that forbids both, or be an answer of its own. It has a title and a description, and its table stands beside it; a
hidden number has no bar. The same report gives the same bytes.

Source: WCAG 2.2, 1.1.1 and 1.4.11; SVG 2 (title, desc).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from lxml import etree

from gateway.evaluation.report import Report

_INK, _GUIDE, _BAR = "#212b32", "#aeb7bd", "#005eb8"
_WIDTH, _HEIGHT = 860, 340  # units of the picture; a page scales it
_FONT = "Arial, sans-serif"
_VALUE = 50  # room for the value of a bar that ends at the edge
_WHOLE = 100  # per cent


def charts(report: Report) -> Mapping[str, bytes]:
    """Every picture of a report, by the id that its table names."""
    quarters = report.tables.axes.quarters[:-1]
    drawn: dict[str, bytes] = {}
    told = [one for one in reversed(report.rates) if one.definition.id != "timed"]  # the first on top
    titles = [one.definition.title for one in told]
    shares = [_percent(one.share(-1, -1)) for one in told]
    drawn["summary"] = draw("Shares, all areas", "per cent", titles, shares, most=_WHOLE, lying=True)
    if "referred" not in report.not_released:
        drawn["referred"] = draw("Victims referred, all areas", "victims", quarters, report.tables.referred[-1][:-1])
    for one in report.rates:
        id_, values = one.definition.id, [_percent(one.share(-1, column)) for column in range(len(quarters))]
        drawn[id_] = draw(f"{one.definition.title}, all areas", "per cent", quarters, values, most=_WHOLE)
    if "latency" not in report.not_released:
        medians = [spread.median for spread in report.tables.spreads[-1][:-1]]
        minutes = [None if one is None else round(one.total_seconds() / 60) for one in medians]
        drawn["latency"] = draw("From report to adviser, median, all areas", "minutes", quarters, minutes)
    return drawn


def draw(
    title: str,
    unit: str,
    labels: Sequence[str],
    values: Sequence[float | None],
    *,
    most: float | None = None,
    lying: bool = False,
    height: int = _HEIGHT,
    margin_left: int | None = None,
) -> bytes:
    """One picture of bars, upright or `lying`; None has no bar, and the description says that it is hidden."""
    top = most or max((one for one in values if one), default=1)
    chart = _bars(lying=lying)(
        width=_WIDTH,
        height=height,
        js=[],
        no_prefix=True,
        disable_xml_declaration=True,
        show_legend=False,
        print_values=True,
        print_values_position="top",  # beside the bar, where ink stands on white
        margin_right=_VALUE,
        margin_left=margin_left,
        y_title=None if lying else unit,
        x_title=unit if lying else None,
        range=(0, top),
        value_formatter=lambda value: "" if value is None else f"{value:g}",
        truncate_label=-1,
    )
    chart.x_labels = list(labels)
    chart.add(unit, list(values))
    root = etree.fromstring(chart.render())
    _plain(root)
    told = "; ".join(
        f"{label}: {'hidden' if value is None else f'{value:g}'}" for label, value in zip(labels, values, strict=True)
    )
    _name(root, title, f"{title}, in {unit}. {told}.")
    found: bytes = etree.tostring(root, encoding="utf-8")
    return found


@cache
def _bars(*, lying: bool) -> Any:  # noqa: ANN401 - the library has no types
    """The library's chart of bars, loaded when the first is drawn.

    It leaves an importer behind that knows the protocol of Python 2 alone, for plug-ins of its own which nobody has
    here; every module that is not found later on would be warned about. It is taken away.
    """
    import pygal  # noqa: PLC0415 - 150 ms, and see above

    sys.meta_path[:] = [one for one in sys.meta_path if type(one).__module__ != pygal.__name__]
    return pygal.HorizontalBar if lying else pygal.Bar


def _percent(share: float | None) -> float | None:
    return None if share is None else round(share * _WHOLE, 1)


_SVG = "{http://www.w3.org/2000/svg}"
_DROPPED = frozenset({f"{_SVG}{name}" for name in ("style", "script", "defs", "desc", "title")})


def _plain(root: etree._Element) -> None:
    """Take styles, scripts and whatever only they need out; say with attributes what they said."""
    for element in list(root.iter(etree.Element)):
        classes = _classes(element)
        if element.tag in _DROPPED or "tooltip-overlay" in classes:
            element.getparent().remove(element)
            continue
        for name, value in _looks(str(element.tag).removeprefix(_SVG), classes, element).items():
            element.set(name, value)
    for element in root.iter(etree.Element):
        for name in ("class", "style", "id", "width", "height") if element is root else ("class", "style"):
            element.attrib.pop(name, None)
    for comment in list(root.iter(etree.Comment)):
        parent = comment.getparent()
        if parent is not None:
            parent.remove(comment)


def _looks(tag: str, classes: set[str], element: etree._Element) -> dict[str, str]:
    """What an element looks like, as presentation attributes."""
    if tag == "text":
        look = {"fill": _INK, "font-family": _FONT, "font-size": "13"}
        if "value" in classes and any("horizontal" in _classes(one) for one in element.iterancestors()):
            return look | {"text-anchor": "start", "dx": "4"}  # beside the end of a lying bar, not across it
        across = _across(element)
        return look | ({"text-anchor": across} if across else {})
    if tag == "rect":
        return {"fill": "#ffffff" if "background" in classes else _BAR}
    if tag == "path":
        return {"fill": "none", "stroke": _INK if "axis" in classes else _GUIDE, "stroke-width": "1"}
    return {}


def _across(element: etree._Element) -> str | None:
    """Where a text stands on its place: labels end at their axis, or are in the middle under it."""
    if element.get("text-anchor"):
        return None
    return "end" if any({"axis", "y"} <= _classes(one) for one in element.iterancestors()) else "middle"


def _classes(element: etree._Element) -> set[str]:
    return set((element.get("class") or "").split())


def _name(root: etree._Element, title: str, description: str) -> None:
    root.set("role", "img")
    root.set("aria-label", title)
    root.set("font-family", _FONT)
    for at, (tag, text) in enumerate((("title", title), ("desc", description))):
        element = etree.Element(f"{_SVG}{tag}")
        element.text = text
        root.insert(at, element)
