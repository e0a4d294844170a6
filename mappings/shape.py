"""A shape at work: the rows of a profile, compiled once, that read one part of a document into one part of a record.

A shape goes over what is there rather than over what could be, so that a document costs what it holds. It follows no
link but those its sections name, and no shape contains itself: reading always ends. What it cannot read it leaves out
with a finding (`rows`); what is required and missing it collects as problems, all of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mappings.claims import Claims
from mappings.reading import Fault, Problem
from mappings.record import Part, Person
from mappings.rows import Built, Keyed, ReadAll, ReadOne, Run
from mappings.tree import Linked, Trail, Value, rendered

Table = dict[str, tuple[tuple[ReadOne, ...], "Table | None"]]
"""The plain rows of a shape by the key they read, and the tables of what lies inside that key."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a section looks: the first step, those after it, the type that parts must have or "", and all as text."""

    first: str
    rest: tuple[str, ...]
    type: str
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """Parts inside a part: where they lie, which shape reads each, and where they go.

    `to` is empty where the part found only has more to say of the part around it. `ref` is what references of these
    parts begin with. A part without one of `needs` is left out. `unreached` reads only what no section before it has
    read.
    """

    places: tuple[Place, ...]
    shape: Shape
    to: str
    many: bool
    constants: Built
    ref: str
    needs: frozenset[str]
    unreached: bool
    required: bool

    @property
    def probe(self) -> tuple[str, frozenset[str]] | None:
        """Where a first look tells that there is nothing: a key, and keys inside it, one of which must be there."""
        firsts = {place.first for place in self.places}
        if self.required or len(firsts) > 1 or not all(place.rest for place in self.places):
            return None
        return firsts.pop(), frozenset(place.rest[0] for place in self.places)

    def read(self, node: dict[str, Value], path: Trail, run: Run, out: Built, keyed: Keyed) -> None:
        """Read every part the section finds."""
        done: set[int] = set()
        for place in self.places:
            value = node.get(place.first)
            for step in place.rest:
                value = value.get(step) if type(value) is dict else None
            if value is not None:
                for at, found in _parts(place, value, path):
                    self._one(found, at, run, out, keyed, done)
        if self.required and not done:
            run.problems.append(Problem(rendered((path, self.places[0].text)), Fault.MISSING))

    def _one(self, found: dict[str, Value], path: Trail, run: Run, out: Built, keyed: Keyed, done: set[int]) -> None:
        identity = id(found)
        if identity in done or (self.unreached and identity in run.visited):
            return
        if done and not self.many:
            run.findings.append((path, "more-than-one"))
            return
        done.add(identity)
        if not self.to:
            self.shape.read(found, path, run, out, keyed)
            return
        part = self.constants.copy()
        if self.ref:
            number = run.counts[self.ref] = run.counts.get(self.ref, 0) + 1
            part["ref"] = f"{self.ref}-{number}"
            if self.shape.part is Person:
                run.refs.setdefault(identity, {})[part["role"]] = part["ref"]
        self.shape.read(found, path, run, part, {})
        if not self.needs <= part.keys():
            run.findings.append((path, "incomplete"))
        elif not self.many:
            out[self.to] = part
        elif self.to in out:
            out[self.to].append(part)
        else:
            out[self.to] = [part]


@dataclass(frozen=True, slots=True)
class Shape:
    """How one part of a document is read into one part of a record; `claims` are the leaves it speaks for."""

    name: str
    part: type[Part]
    table: Table
    late: tuple[ReadAll, ...]
    sections: tuple[tuple[tuple[str, frozenset[str]] | None, Section], ...]  # each with its probe
    claims: Claims

    def read(self, node: dict[str, Value], path: Trail, run: Run, out: Built, keyed: Keyed) -> None:
        """Read one part of the document, at `path`, into `out`."""
        identity = id(node)
        seen = run.visited.get(identity)
        run.visited[identity] = self.claims if seen is None else seen.union(self.claims)
        _scan(self.table, node, path, run, out, keyed)
        for read in self.late:
            read(node, path, run, out, keyed)
        for probe, section in self.sections:
            if probe is not None:
                inner = node.get(probe[0])
                if type(inner) is not dict or probe[1].isdisjoint(inner):
                    continue
            section.read(node, path, run, out, keyed)


def _scan(table: Table, node: dict[str, Value], path: Trail, run: Run, out: Built, keyed: Keyed) -> None:
    for key, value in node.items():
        entry = table.get(key)
        if entry is not None:
            rows, below = entry
            if below is not None and type(value) is dict:
                _scan(below, value, path, run, out, keyed)
            else:
                for read in rows:
                    read(value, path, run, out, keyed)


def _parts(place: Place, value: Value, path: Trail) -> Iterable[tuple[Trail, dict[str, Value]]]:
    if type(value) is Linked:
        return value.targets
    here = (path, place.text)
    if type(value) is dict:
        return ((here, value),)
    if type(value) is not list:
        return ()
    type_ = place.type
    return [((here, i), v) for i, v in enumerate(value) if type(v) is dict and (not type_ or v.get("type") == type_)]
