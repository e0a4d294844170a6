"""Which resources of one referral an answer holds: those that fit, and those that come along by a reference.

Pure, and asked of what was written alone: what a decision withheld is not there to fit anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import orjson

from adapters.nhs import fhir
from adapters.nhs.fhir import Written
from gateway.searching import Search

Of = Mapping[str, Sequence[Written]]


def selected(written: Of, search: Search) -> tuple[tuple[Written, ...], tuple[Written, ...]]:
    """The matches, and what is included with them, of the resources of a referral by type."""
    if search.whole:
        return tuple(one for type_ in fhir.EVERYTHING for one in written.get(type_, ())), ()
    first = written[search.types[0]]
    matches = tuple(one for one in first if search.ids is None or one.id in search.ids)
    if not matches or not (search.conditions or search.links):
        return matches, ()
    contents = _Contents(written)
    matches = tuple(
        one for one in matches if all(asked.holds(contents.of(one), contents.related) for asked in search.conditions)
    )
    included: dict[tuple[str, str], Written] = {}
    for link in search.links if matches else ():
        included |= {(one.type, one.id): one for one in _linked(contents, matches, search.types[0], link)}
    for one in matches:
        included.pop((one.type, one.id), None)
    return matches, tuple(included.values())


class _Contents:
    """The JSON of resources, each read once."""

    def __init__(self, written: Of) -> None:
        self.written = written
        self._read: dict[tuple[str, str], dict[str, object]] = {}

    def of(self, one: Written) -> dict[str, object]:
        key = (one.type, one.id)
        if key not in self._read:
            self._read[key] = orjson.loads(one.body)
        return self._read[key]

    def related(self, type_: str) -> list[dict[str, object]]:
        return [self.of(one) for one in self.written.get(type_, ())]


def _linked(contents: _Contents, matches: Sequence[Written], searched: str, link: str) -> Iterator[Written]:
    """What a link brings: from a match to what it refers to, or back from what refers to a match."""
    source, _, name = link.partition(":")
    parameter = fhir.SEARCH[source][name]
    if source == searched:
        wanted = {ids for one in matches for ids in _references(contents, one, parameter)}
        for target in parameter.targets:
            yield from (one for one in contents.written.get(target, ()) if (one.type, one.id) in wanted)
        return
    known = {(one.type, one.id) for one in matches}
    for one in contents.written.get(source, ()):
        if not known.isdisjoint(_references(contents, one, parameter)):
            yield one


def _references(contents: _Contents, one: Written, parameter: fhir.Parameter) -> Iterator[tuple[str, str]]:
    for path in parameter.paths:
        for element in fhir.elements(contents.of(one), path):
            found = fhir.reference_of(element)
            if found is not None and found.type is not None:
                yield found.type, found.id
