"""What shapes the result of a FHIR search and selects nothing: pages, order, parts, and what comes along.

Source: FHIR R4 search, section 3.1.1.5 (`_sort`, `_count`, `_include`, `_summary`, `_elements`, `_total`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from adapters.nhs import fhir
from gateway.errors import BadParameter
from gateway.narrowing import time_column
from gateway.settings import Settings

SORT_MAX = 3
"""Keys of one sort: each is another comparison for every referral."""
_REPEATED = frozenset({"_include", "_revinclude"})
SHAPING = frozenset(fhir.SHAPING) | _REPEATED
"""The names of the parameters that shape a result."""


class Shape:
    """What shapes the result and selects nothing. Raises BadParameter for what is not declared."""

    def __init__(self, type_: str, given: dict[str, list[str]]) -> None:
        self._given = given
        for name, values in given.items():
            if len(values) > 1 and name not in _REPEATED:
                raise BadParameter(f"{name} is given once")
        summary = self._one("_summary", "false")
        if summary not in fhir.SUMMARIES:
            raise BadParameter(f"_summary is one of {', '.join(fhir.SUMMARIES)}")
        none = _size(self._given["_count"]) == 0 if "_count" in given else False
        self.counted = summary == "count" or none  # R4: a page of none is a count
        self.subset = fhir.Subset(summary, self._elements(type_, summary))
        wanted = self._one("_total", "estimate")
        if wanted not in {"none", "estimate", "accurate"}:
            raise BadParameter("_total is none, estimate or accurate")
        self.total = wanted != "none"
        self.sort = self._sort(type_)
        self.links = self._links(type_)
        self.included = tuple(_brought(type_, link) for link in self.links)
        if self.links and (self.counted or summary == "text"):
            raise BadParameter("nothing is included in a count or with _summary=text")

    def count(self, settings: Settings) -> int:
        """How many referrals a page holds."""
        return page_size(self._given.get("_count"), settings)

    def note(self, conditions: Sequence[fhir.Condition]) -> tuple[tuple[str, str], ...]:
        """What of the question is sealed with its answer: names that are declared, and no value."""
        names = sorted({one.name if one.through is None else f"{one.name}.identifier" for one in conditions})
        said = {"asked": ",".join(names), "elements": ",".join(self.subset.elements)}
        if self.counted or self.subset.summary != "false":
            said["summary"] = "count" if self.counted else self.subset.summary
        return tuple((name, text) for name, text in said.items() if text)

    def _one(self, name: str, otherwise: str) -> str:
        return self._given[name][0] if name in self._given else otherwise

    def _elements(self, type_: str, summary: str) -> tuple[str, ...]:
        if "_elements" not in self._given:
            return ()
        names = tuple(dict.fromkeys(one.removeprefix(f"{type_}.") for one in self._given["_elements"][0].split(",")))
        if summary != "false" or not all(fhir.is_element(type_, one) for one in names):
            raise BadParameter("_elements names elements of the type searched, and goes with no _summary")
        return names

    def _sort(self, type_: str) -> tuple[tuple[str, bool], ...]:
        if "_sort" not in self._given:
            return ()
        names = self._given["_sort"][0].split(",")
        if len(names) > SORT_MAX or any(one.removeprefix("-") not in fhir.SORT[type_] for one in names):
            raise BadParameter("a _sort that this server does not declare: see metadata")
        keys = {time_column(type_, one.removeprefix("-")) or "priority": one.startswith("-") for one in reversed(names)}
        return tuple(reversed(keys.items()))

    def _links(self, type_: str) -> tuple[str, ...]:
        found: list[str] = []
        for name, served in (("_include", fhir.INCLUDES), ("_revinclude", fhir.REVINCLUDES)):
            for value in self._given.get(name, ()):
                link = ":".join(value.split(":")[:2])
                if link not in served[type_] or value not in {link, f"{link}:{_target(link)}"}:
                    raise BadParameter(f"an {name} that this server does not declare: see metadata")
                found.append(link)
        return tuple(dict.fromkeys(found))


def _target(link: str) -> str:
    source, _, name = link.partition(":")
    return fhir.SEARCH[source][name].targets[0]


def _brought(type_: str, link: str) -> str:
    source = link.partition(":")[0]
    return _target(link) if source == type_ else source


def page_size(values: Sequence[str] | None, settings: Settings) -> int:
    """How many matches a page holds (`_count`), at most what the settings allow. Raises BadParameter."""
    if not values:
        return settings.fhir_page_default
    size = _size(values)
    if size == 0:
        raise BadParameter("_count is above zero here: there is nothing to count")
    return min(size, settings.fhir_page_max)


def _size(values: Sequence[str]) -> int:
    if len(values) > 1:
        raise BadParameter("_count is given once")
    if not re.fullmatch(r"\d{1,9}", values[0], re.ASCII):
        raise BadParameter("_count is a whole number, without a sign and of at most nine figures")
    return int(values[0])
