"""The shape of what a client sends: which elements its documents have, which codes nobody knows, and what has changed.

An element is a name inside a name; places of a list are one element. Names are noted and never values: an unknown code
is noted as the keyed digest of its text (P7), and a name that is none, such as a person's put in place of one, is `*`.

A watch costs one look-up for each member of a document and keeps no document. An element is *new* when a shape that
was known from `KNOWN_AFTER` documents has it for the first time; it has *vanished* when it was in `EXPECTED` of
`WINDOW` documents and not in the `GONE_AFTER` since, or in twice as many as it was ever missing from before: what comes
and goes with the kind of document is no alarm each day. Of a part that is new or gone with all that is in it, the part
alone is told. Where names are data, as in an object of people by their ids, none of them is told; nor is each of many
unknown codes of one element, whose text is no code.

Source: domain.md section 1.2 (no vendor publishes a schema); design.md section 2 (P7).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mappings.reading import Reading
from mappings.tree import Value

KNOWN_AFTER = 50
"""Documents after which a shape is known: what is optional turns up among the first of them."""
WINDOW = 200
GONE_AFTER = 20
EXPECTED = 0.99
ELEMENTS_MAX = 2000
"""Elements of one shape that are noted: a document can hold 20,000 names, and a client could send others every day."""
CODES_MAX = 500
CODES_EACH = 20
"""Unknown codes of one element that are told apart; one that has more is told of once more, as text that is no code."""
GAP_MAX = 200
"""Documents after which what came back once is told to have vanished again, however long it was gone."""
KEYED_FROM = 20
"""Names in one object, most of them in one document alone, from which they are taken for data and not for names."""

_MISSES_MAX = WINDOW - round(WINDOW * EXPECTED)
_NAME = re.compile(r"[@#]?[A-Za-z_][A-Za-z0-9_:.-]{0,59}", re.ASCII)
_OTHER = "*"
MANY = "many"
"""In place of the digest of a code: the element has so many that are unknown that its text is none."""
_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


class Kind(StrEnum):
    """What a change of shape can be."""

    NEW_ELEMENT = "new-element"
    VANISHED_ELEMENT = "vanished-element"
    NEW_CODE = "new-code"


@dataclass(frozen=True, slots=True)
class Change:
    """One change: the path with `[]` for every place of a list, and of a code the digest, "" where it has none."""

    kind: Kind
    path: str
    code: str = ""


class Node:
    """One element: in which documents it was first and last, the last few gaps, the longest, and what lies in it.

    `inner` are the names inside an object, `each` those inside the objects of a list.
    """

    __slots__ = ("each", "first", "gaps", "gone", "inner", "last", "longest")

    def __init__(self, first: int) -> None:
        self.first = self.last = first
        self.gaps: list[tuple[int, int]] = []
        self.gone = False
        self.longest = 0
        self.inner: dict[str, Node] = {}
        self.each: dict[str, Node] = {}

    def seen(self, number: int) -> None:
        """Note the element in a document."""
        if number - self.last > 1:
            self.gaps = [*self.gaps[-_MISSES_MAX:], (self.last + 1, number - 1)]
            self.longest = max(self.longest, number - self.last - 1)
        self.last = number
        self.gone = False

    def has_vanished(self, number: int) -> bool:
        """Whether it was expected until it was missing from the last documents; `number` is that of the newest."""
        start = self.last - WINDOW + 1
        if number - self.last < max(GONE_AFTER, min(2 * self.longest, GAP_MAX)) or self.first > start:
            return False
        missed = sum(max(0, end - max(begin, start) + 1) for begin, end in self.gaps)
        return missed <= _MISSES_MAX

    def to_json(self) -> list[Any]:
        """The node as JSON: first, last, gaps, gone, longest, inner, each."""
        inside = [{name: node.to_json() for name, node in part.items()} for part in (self.inner, self.each)]
        return [self.first, self.last, self.gaps, self.gone, self.longest, *inside]

    @classmethod
    def from_json(cls, said: list[Any]) -> Node:
        """The node of such a list."""
        node = cls(said[0])
        node.last, node.gone, node.longest = said[1], said[3], said[4]
        node.gaps = [(begin, end) for begin, end in said[2]]
        node.inner, node.each = ({name: cls.from_json(one) for name, one in part.items()} for part in said[5:7])
        return node

    def moved(self, by: int) -> None:
        """Count the documents from elsewhere."""
        self.first, self.last = self.first + by, self.last + by
        self.gaps = [(begin + by, end + by) for begin, end in self.gaps]
        for node in (*self.inner.values(), *self.each.values()):
            node.moved(by)


class Shape:
    """What is known of the documents of one client under one profile. Not for several threads at once."""

    def __init__(self) -> None:
        self.documents = 0
        self.elements = 0
        self.top: dict[str, Node] = {}
        self.codes: set[tuple[str, str]] = set()

    def saw(self, reading: Reading, digest: Callable[[str], str]) -> None:
        """Note one document. `digest` gives the keyed digest of a code's text."""
        self.documents += 1
        self._walk(self.top, reading.tree, self.documents)
        for finding in reading.findings:
            if finding.code == "unknown-code" and len(self.codes) < CODES_MAX:
                text, path = _text_at(reading.tree, finding.path), _general(finding.path)
                self._note(path, digest(text) if text else "")

    def changes(self, known: Shape) -> Iterator[Change]:
        """What is other here than in what was known before; vanished elements are marked as told."""
        if known.documents >= KNOWN_AFTER:
            for path in _new(self.top, known.top, ""):
                yield Change(Kind.NEW_ELEMENT, path)
            for path, code in sorted(self.codes - known.codes):
                yield Change(Kind.NEW_CODE, path, code)
        for path in _vanished(self.top, "", self.documents):
            yield Change(Kind.VANISHED_ELEMENT, path)

    def joined(self, known: Shape) -> None:
        """Go on from what was known before as if its documents had come first."""
        for node in self.top.values():
            node.moved(known.documents)
        self.documents += known.documents
        noted, self.codes = self.codes, set(known.codes)
        for path, code in sorted(noted, key=lambda one: (one[1] != MANY, one)):
            self._note(path, code)
        _join(self.top, known.top, known.documents)
        self.elements = _count(self.top)

    def to_json(self) -> dict[str, Any]:
        """The shape as JSON."""
        top = {name: node.to_json() for name, node in self.top.items()}
        return {"documents": self.documents, "top": top, "codes": sorted(self.codes)}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Shape:
        """The shape of such an object."""
        shape = cls()
        shape.documents = said["documents"]
        shape.top = {name: Node.from_json(one) for name, one in said["top"].items()}
        shape.codes = {(path, code) for path, code in said["codes"]}
        shape.elements = _count(shape.top)
        return shape

    def _note(self, path: str, code: str) -> None:
        """Note an unknown code; of an element that has many, that it has."""
        if (path, code) in self.codes or (path, MANY) in self.codes:
            return
        own = sum(one == path for one, _ in self.codes)
        self.codes.add((path, code if own < CODES_EACH else MANY))

    def _walk(self, nodes: dict[str, Node], value: Mapping[str, Value], number: int) -> None:
        for key, inner in value.items():
            kind = type(inner)
            if inner is None or (kind is str and (not inner or inner.isspace())):  # type: ignore[union-attr] # kind says that it is text
                continue
            node = nodes.get(key)
            if node is None:
                node = self._noted(nodes, key, number)
                if node is None:
                    continue
            if node.last != number:
                node.seen(number)
            if kind is dict:
                self._walk(node.inner, inner, number)  # type: ignore[arg-type] # kind says that it is a dict
            elif kind is list:
                for one in inner:  # type: ignore[union-attr] # kind says that it is a list
                    if type(one) is dict:
                        self._walk(node.each, one, number)

    def _noted(self, nodes: dict[str, Node], key: str, number: int) -> Node | None:
        """The node of a name that is new, or of all names that are none; None where there is no room."""
        name = key if _NAME.fullmatch(key) else _OTHER
        if name not in nodes:
            if self.elements >= ELEMENTS_MAX:
                return None
            self.elements += 1
            nodes[name] = Node(number)
        return nodes[name]


def _new(nodes: Mapping[str, Node], known: Mapping[str, Node], around: str) -> Iterator[str]:
    for name, node in nodes.items():
        before = known.get(name)
        if before is None:
            yield f"{around}{name}"
        else:
            yield from _new(node.inner, before.inner, f"{around}{name}.")
            yield from _new(node.each, before.each, f"{around}{name}[].")


def _vanished(nodes: Mapping[str, Node], around: str, number: int) -> Iterator[str]:
    for name, node in nodes.items():
        if node.has_vanished(number):
            if not node.gone:
                node.gone = True
                yield f"{around}{name}"
        else:
            yield from _vanished(node.inner, f"{around}{name}.", number)
            yield from _vanished(node.each, f"{around}{name}[].", number)


def _join(nodes: dict[str, Node], known: Mapping[str, Node], number: int) -> None:
    if _keyed(known, number):
        for name in nodes.keys() - known.keys():
            del nodes[name]
    for name, before in known.items():
        node = nodes.get(name)
        if node is None:
            nodes[name] = before
            continue
        between = node.first - before.last - 1
        if between > 0:
            node.gaps = [(before.last + 1, node.first - 1), *node.gaps]
        node.longest = max(node.longest, before.longest, between)
        node.gaps = [*before.gaps, *node.gaps][-_MISSES_MAX - 1 :]
        node.first = before.first
        _join(node.inner, before.inner, number)
        _join(node.each, before.each, number)


def _keyed(nodes: Mapping[str, Node], number: int) -> bool:
    """Whether an object's names are data: many, and three in four in one document alone, some time ago."""
    if len(nodes) < KEYED_FROM:
        return False
    once = sum(node.first == node.last <= number - KEYED_FROM for node in nodes.values())
    return 4 * once >= 3 * len(nodes)


def _count(nodes: Mapping[str, Node]) -> int:
    return sum(1 + _count(node.inner) + _count(node.each) for node in nodes.values())


def _general(path: str) -> str:
    return re.sub(r"\[\d+\]", "[]", path)


def _text_at(tree: Mapping[str, Value], path: str) -> str:
    """The scalar at a path of the document as text, those of a list sorted; "" where the path leads to none."""
    value: Any = tree
    for step in _STEP.finditer(path):
        if step[1] is not None:
            value = value[int(step[1])] if isinstance(value, list) and int(step[1]) < len(value) else None
        else:
            value = value.get(step[2]) if isinstance(value, dict) else None
    if isinstance(value, list):
        return "\n".join(sorted(str(one) for one in value if isinstance(one, str | int)))
    return str(value) if isinstance(value, str | int) else ""
