"""Plain nested JSON from police systems: strict JSON, read by a profile as it is nested.

A document may nest its parts, name them by an id of its own (`personId`), or both. The profile says which values are
such ids (`links`); each becomes a `Linked` that leads to the part, so that a profile's paths go through it. Links may
go in circles; nothing here follows one. A part that two roles lead to is read twice, as two people (N9).

An id that names nothing, and an id given twice, are findings and not refusals (P6). One document is one object and one
incident: a list of documents is a batch, and is cut up before it is read. Source: RFC 8259, RFC 7493; domain.md 1.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from adapters.socket import Fault, Limits, Problem, Reading, Unreadable
from adapters.strictjson import parse
from mappings.links import Link
from mappings.profile import Profile
from mappings.tree import Linked, Trail, Value, says_something

Part = dict[str, Value]

_SEVERAL = re.compile(rb"(?:\xef\xbb\xbf)?\s*\[")


@dataclass(frozen=True, slots=True)
class PlainJson:
    """The adapter."""

    name: str = "police.plain"
    media_types: tuple[str, ...] = ("application/json",)

    def read(self, body: bytes, profile: Profile, limits: Limits) -> Reading:
        """Read one document. Raises `Unreadable`."""
        try:
            root = parse(body, limits)
        except Unreadable as unreadable:
            if unreadable.problems == (Problem("", Fault.WRONG_TYPE),) and _SEVERAL.match(body):
                raise Unreadable(Problem("", Fault.SEVERAL_INCIDENTS)) from None
            raise
        resolver = _Resolver(root)
        for link in profile.links:
            resolver.resolve(link)
        return profile.apply(root, tuple(resolver.notes))


READER = PlainJson()


@dataclass(slots=True)
class _Resolver:
    """The links of one document. `known` holds, by the path of the parts and the name of their id, the parts by id."""

    root: Part
    known: dict[tuple[tuple[str, ...], str], dict[str, tuple[Trail, Part]]] = field(default_factory=dict)
    notes: list[tuple[Trail, str]] = field(default_factory=list)

    def resolve(self, link: Link) -> None:
        """Put a `Linked` in place of every value that a rule says is an id."""
        named = self.known.get((link.target, link.key))
        if named is None:
            named = self.known[link.target, link.key] = self._named(link)
        *before, last = link.source
        for path, part in _parts(self.root, tuple(before)):
            value = part.get(last)
            if says_something(value) and not isinstance(value, Linked):
                part[last] = self._linked(value, (path, last), named)

    def _named(self, link: Link) -> dict[str, tuple[Trail, Part]]:
        """The parts that can be named, by their id."""
        found: dict[str, tuple[Trail, Part]] = {}
        for path, part in _parts(self.root, link.target):
            id_ = _id(part.get(link.key))
            if id_ is None:
                self.notes.append((path, "part-without-identity"))
            elif id_ in found:
                self.notes.append((path, "identity-given-twice"))
            else:
                found[id_] = (path, part)
        return found

    def _linked(self, value: Value, path: Trail, named: dict[str, tuple[Trail, Part]]) -> Linked:
        targets: list[tuple[Trail, Part]] = []
        rest: list[tuple[Trail, Value]] = []
        leaves = 0
        several = isinstance(value, list)
        for index, one in enumerate(value if isinstance(value, list) else [value]):
            at: Trail = (path, index) if several else path
            id_ = _id(one)
            if id_ is None:
                rest.append((at, one))
                self.notes.append((at, "not-a-link"))
                continue
            leaves += 1
            if id_ in named:
                targets.append(named[id_])
            else:
                self.notes.append((at, "link-to-nothing"))
        return Linked(tuple(targets), leaves, tuple(rest))


def _parts(root: Part, steps: tuple[str, ...]) -> Iterator[tuple[Trail, Part]]:
    """The parts at a path: each of a list, wherever one stands. A link that is resolved already is not gone through."""
    found: list[tuple[Trail, Part]] = [("", root)]
    for step in steps:
        found = [
            inner for path, part in found for inner in _members(part.get(step), (path, step) if path != "" else step)
        ]
    yield from found


def _members(value: Value, path: Trail) -> Iterator[tuple[Trail, Part]]:
    if isinstance(value, dict):
        yield path, value
    elif isinstance(value, list):
        for index, one in enumerate(value):
            if isinstance(one, dict):
                yield (path, index), one


def _id(value: Value) -> str | None:
    """An id as it is compared: text without outer space, or a whole number; 7 and "7" are one id."""
    if isinstance(value, str):
        return value.strip() or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None
