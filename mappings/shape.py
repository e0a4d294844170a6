"""A shape at work: the rows of a profile, compiled once, that read one part of a document into one part of a record.

A shape goes over what is there rather than over what could be, so that a document costs what it holds. It follows no
link but those its sections name, and no shape contains itself: reading always ends. What it cannot read it leaves out
with a finding (`rows`); what is required and missing it collects as problems, all of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from mappings.claims import Claims
from mappings.codemap import fold
from mappings.reading import Fault, Problem
from mappings.record import Attachment, Part, Person
from mappings.rows import Built, Keyed, ReadAll, ReadOne, Run
from mappings.tree import TEXT, Linked, Trail, Value, rendered
from mappings.values import several

MAX_READS = 50
"""How often one part of a document is read, by as many links to it: a home may be that of a large family.

Without it, a document of many links to one long part would make a record of many times its own size.
"""

Found = tuple[Trail, dict[str, Value]]
"""A part of a document, with its path."""

Table = dict[str, tuple[tuple[ReadOne, ...], "Table | None"]]
"""The plain rows of a shape by the key they read, and the tables of what lies inside that key."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a section looks: the first step, those after it, and all as text. A list on the way is gone through.

    An empty first step is the part itself: some systems put a person's details beside those of the incident.
    `word`, where it is not empty, is what the leaf at `key` inside a part must say, without regard to case: of the
    parts there, only those are read. `claims` are the claims on that leaf, which has then been read.
    """

    first: str
    rest: tuple[str, ...]
    text: str
    key: tuple[str, ...] = ()
    word: str = ""
    claims: Claims | None = None

    def said(self, part: dict[str, Value]) -> str:
        """What a part says where the place looks for its word, as words are compared; "" where it says nothing."""
        value: Value = part
        for step in self.key:
            value = value.get(step) if type(value) is dict else None
        if type(value) is dict:
            value = value.get(TEXT)
        return fold(value) if type(value) is str else ""


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
            if place.first and place.first not in node:
                continue  # most places are not there
            for at, found in _parts(place, node, path, run):
                self._one(found, at, run, out, keyed, done)
                if place.claims is not None and id(found) in run.visited:
                    run.visited[id(found)] = run.visited[id(found)].union(place.claims)
        if self.required and not done:
            run.problems.append(Problem(rendered((path, self.places[0].text)), Fault.MISSING))

    def _one(self, found: dict[str, Value], path: Trail, run: Run, out: Built, keyed: Keyed, done: set[int]) -> None:
        identity = id(found)
        if identity in done or (self.unreached and identity in run.visited):
            return
        times = run.reads[identity] = run.reads.get(identity, 0) + 1
        if times > MAX_READS:
            run.findings.append((path, "linked-too-often"))
            return
        if done and not self.many:
            self._one_too_many(path, run)
            return
        done.add(identity)
        if self.to:
            self._part(found, path, run, out)
            return
        if self.shape.part is Person and "ref" in out:  # who is found here is the person around it
            roles = run.refs.setdefault(identity, {})
            if out["role"] in roles:
                run.again.add(out["ref"])
                return
            roles[out["role"]] = out["ref"]
        self.shape.read(found, path, run, out, keyed)

    def _one_too_many(self, path: Trail, run: Run) -> None:
        if self.required:
            run.problems.append(Problem(rendered(path), Fault.SEVERAL_INCIDENTS))
        else:
            run.findings.append((path, "more-than-one"))

    def _part(self, found: dict[str, Value], path: Trail, run: Run, out: Built) -> None:
        """Read a part of its own, and put it where it goes."""
        if self.shape.part is Attachment:
            run.attachments.append(path)
        part = self.constants.copy()
        if self.ref:
            number = run.counts[self.ref] = run.counts.get(self.ref, 0) + 1
            part["ref"] = f"{self.ref}-{number}"
            if self.shape.part is Person:
                run.refs.setdefault(id(found), {})[part["role"]] = part["ref"]
        said = len(run.findings)
        self.shape.read(found, path, run, part, {})
        if part.get("ref") in run.again:
            run.findings.append((path, "same-person-again"))
        elif not self.needs <= part.keys():
            # Of what is not there at all there is nothing to miss; what nobody could read has its own finding too.
            if part.keys() - self.constants.keys() - {"ref"} or len(run.findings) > said:
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
    constants: Built = field(default_factory=dict)  # what the shape says of every part it reads

    def read(self, node: dict[str, Value], path: Trail, run: Run, out: Built, keyed: Keyed) -> None:
        """Read one part of the document, at `path`, into `out`."""
        identity = id(node)
        seen = run.visited.get(identity)
        run.visited[identity] = self.claims if seen is None else seen.union(self.claims)
        if self.constants:
            out.update(self.constants)
        _scan(self.table, node, path, run, out, keyed)
        for read in self.late:
            read(node, path, run, out, keyed)
        for probe, section in self.sections:
            if probe is not None:
                inner = node.get(probe[0])
                if type(inner) is not list and (type(inner) is not dict or probe[1].isdisjoint(inner)):
                    continue
            section.read(node, path, run, out, keyed)


def _scan(table: Table, node: dict[str, Value], path: Trail, run: Run, out: Built, keyed: Keyed) -> None:
    for key, value in node.items():
        entry = table.get(key)
        if entry is not None:
            rows, below = entry
            if below is not None:
                if type(value) is dict:
                    _scan(below, value, path, run, out, keyed)
                    if TEXT not in value:
                        continue
                elif type(value) is list:
                    _scan_several(below, value, path, run, out, keyed)
            for read in rows:
                read(value, path, run, out, keyed)


def _scan_several(table: Table, values: list[Value], path: Trail, run: Run, out: Built, keyed: Keyed) -> None:
    """Rows for what lies inside one part, where there are several: those for lists get all of it, others refuse."""
    for key, (rows, below) in table.items():
        found = several(value.get(key) for value in values if type(value) is dict)
        if found:
            if below is not None:
                _scan_several(below, found, path, run, out, keyed)
            for read in rows:
                read(found, path, run, out, keyed)


def _parts(place: Place, node: dict[str, Value], path: Trail, run: Run) -> Iterable[Found]:
    if not place.first:
        return ((path, node),)
    value = node.get(place.first)
    for index, step in enumerate(place.rest):
        if type(value) is list:
            return _through(place, value, index, path, run)
        value = value.get(step) if type(value) is dict else None
    parts: Iterable[Found]
    here = (path, place.text)
    if type(value) is list:
        if place.word:
            return _saying(place, value, here, run)
        return [((here, i), v) for i, v in enumerate(value) if type(v) is dict]
    if type(value) is Linked:
        parts = value.targets
    elif type(value) is dict:
        parts = ((here, value),)
    else:
        return ()
    return [part for part in parts if place.said(part[1]) == place.word] if place.word else parts


def _saying(place: Place, values: list[Value], here: Trail, run: Run) -> Iterable[Found]:
    """Those of a list that say the word; a list is gone through once for all the words that places look for."""
    found = run.said.get((id(values), place.key))
    if found is None:
        found = run.said[id(values), place.key] = {}
        for i, one in enumerate(values):
            if type(one) is dict:
                found.setdefault(place.said(one), []).append(((here, i), one))
    return found.get(place.word, ())


def _through(place: Place, values: list[Value], index: int, path: Trail, run: Run) -> Iterable[Found]:
    """What each part of a list that lies on the way leads to; `index` is the step behind the list."""
    here = (path, ".".join((place.first, *place.rest[:index])))
    first, *rest = place.rest[index:]
    inner = replace(place, first=first, rest=tuple(rest), text=".".join((first, *rest)))
    return [found for i, one in enumerate(values) if type(one) is dict for found in _parts(inner, one, (here, i), run)]
