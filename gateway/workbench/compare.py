"""Two profiles over the same samples: which leaves of the records change, by item, counted, with examples by path.

A protected item that is lost is what must never happen unseen: who the victim is, how to reach her safely, what she
consented to, the risk grade, and the marking (P5, P10, N7).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from gateway.workbench.samples import sampled
from mappings.items import leaves
from mappings.profile import Profile
from mappings.record import Record

EXAMPLES_MAX = 5
"""Places named beside a change, the first of the samples."""

_PROTECTED = frozenset({"risk.grade", "consent.state", "police.marking"})
_UNREADABLE = "the whole document"


class Way(StrEnum):
    """What became of a leaf."""

    LOST = "lost"
    NEW = "new"
    CHANGED = "changed"


@dataclass(slots=True)
class Count:
    """How often, and the first places: the file, the number of the document, and the path in the record."""

    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, example: str) -> None:
        """Count one."""
        self.count += 1
        if len(self.examples) < EXAMPLES_MAX:
            self.examples.append(example)


@dataclass(frozen=True, slots=True)
class Compared:
    """What changes: per way and item. `documents` were read by either; `same` counts the leaves that did not change."""

    documents: int
    same: int
    changes: Mapping[tuple[Way, str], Count]

    @property
    def harm(self) -> tuple[str, ...]:
        """The protected items that are lost or changed for some document, sorted; empty where none is."""
        return tuple(sorted({item for way, item in self.changes if way is not Way.NEW and is_protected(way, item)}))

    def to_json(self) -> dict[str, Any]:
        """The same as plain JSON values."""
        return {
            "documents": self.documents,
            "same": self.same,
            "changes": [
                {"way": way.value, "item": item, "count": one.count, "examples": one.examples}
                for (way, item), one in sorted(self.changes.items())
            ],
            "harm": list(self.harm),
        }

    def in_words(self) -> Iterator[str]:
        """The same as lines a person reads."""
        yield f"{self.documents} documents, {self.same} leaves the same"
        for (way, item), one in sorted(self.changes.items()):
            yield f"{way.value:8}{item}: {one.count}"
            yield from (f"          {example}" for example in one.examples)
        if self.harm:
            yield f"an adviser or the agreement depends on: {', '.join(self.harm)}"


def is_protected(way: Way, item: str) -> bool:
    """Whether a change of an item in this way harms: a victim's own item lost, or what decides lost or changed."""
    if item == _UNREADABLE:
        return way is Way.LOST
    if item in _PROTECTED or item == "victim.safe_contact":
        return way is not Way.NEW
    return way is Way.LOST and item.startswith("victim.")


def compare(old: Profile, new: Profile, files: Iterable[Path]) -> Compared:
    """Compare two profiles over sample files. Raises OSError."""
    documents = same = 0
    changes: dict[tuple[Way, str], Count] = {}
    for file in files:
        before = {one.number: one for one in sampled(file, old)}
        after = {one.number: one for one in sampled(file, new)}
        for number in sorted(before.keys() | after.keys()):
            documents += 1
            one, other = _of(before, number), _of(after, number)
            for way, item, path in _differences(one, other):
                changes.setdefault((way, item), Count()).add(f"{file.name} {number}: {path}".rstrip(": "))
            same += sum(path in other and other[path] == leaf for path, leaf in one.items())
    return Compared(documents, same, changes)


Leaf = tuple[str, object]


def _of(read: Mapping[int, Any], number: int) -> dict[str, Leaf]:
    """The leaves of one document by path; that it could be read at all is the first of them."""
    found = read.get(number)
    if found is None or found.reading is None:
        return {}
    return {"": (_UNREADABLE, True), **_leaves(found.reading.record)}


def _leaves(record: Record) -> dict[str, Leaf]:
    """What a record says, but how it was read and the remarks on it."""
    bare = record.model_copy(update={"quality": (), "source": _unsigned(record)})
    return {path: (item, value) for path, item, value in leaves(bare)}


def _unsigned(record: Record) -> Any:  # noqa: ANN401 - a part or None
    nothing = {"adapter": None, "profile": None, "profile_hash": None}
    return record.source and record.source.model_copy(update=nothing)


def _differences(one: Mapping[str, Leaf], other: Mapping[str, Leaf]) -> Iterator[tuple[Way, str, str]]:
    for path, (item, value) in one.items():
        if path not in other:
            yield Way.LOST, item, path
        elif other[path] != (item, value):
            if other[path][0] != item:
                yield Way.LOST, item, path
                yield Way.NEW, other[path][0], path
            else:
                yield Way.CHANGED, item, path
    for path, (item, _) in other.items():
        if path not in one:
            yield Way.NEW, item, path
