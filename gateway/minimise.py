"""Taking from a record what a decision does not let go: an allow-list walk.

A part whose gate item may not leave goes whole; a leaf that may not leave goes back to its default; what is
generalised passes through its method (`generalise.py`). A part that cannot stand without what it lost, or has nothing
left, goes too. What no clause names does not survive, whatever it is (P3). One thing stays in any case: the kind of
the record, without which there is no record; a writer writes it only where it carries `event.kind`.

This page asks no agreement and no clock. Parts are frozen, so what is kept whole is the same object, not a copy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from operator import is_not
from typing import Any

from gateway.decision import Decision, Ruling
from gateway.generalise import TALLIED, Leaf, Method, leaf
from mappings.items import Field, Words, plan
from mappings.record import Part, Record, Tally


def minimise(record: Record, decision: Decision) -> Record:
    """The record less everything the decision withholds. What is generalised keeps only what its method leaves."""
    times = record.times
    event = times and (times.occurred_from or times.reported or times.recorded)
    return _walk_of(decision.ruling).record(record, event.date() if event else None)


@dataclass(frozen=True, slots=True)
class _Inside:
    """A field that holds a part or parts, and what is to be done with each by the word it fills in."""

    name: str
    many: bool
    cls: type[Part]
    by_word: dict[str, _Step | Method | None]


@dataclass(frozen=True, slots=True)
class _Step:
    """What to do with one class of parts at one place: leaves that go, leaves that change, parts inside.

    `whole` says that nothing is to be done. `vanishes` has every default where a part left with nothing else goes.
    """

    words: Words
    drops: tuple[tuple[str, object], ...]
    changes: tuple[tuple[str, Leaf], ...]
    inside: tuple[_Inside, ...]
    whole: bool
    vanishes: tuple[tuple[str, object], ...] | None


class _Walk:
    """The steps for one ruling, each worked out when it is first met."""

    def __init__(self, methods: Mapping[str, Method | None]) -> None:
        self._methods = methods
        self._root = self._step(Record, ())

    def record(self, record: Record, event: date | None) -> Record:
        tallies: dict[str, int] = {}
        lost = self._lost(self._root, record, event, tallies)
        if tallies:
            kept: tuple[Tally, ...] = lost.get("tallies", record.tallies)
            lost["tallies"] = (*kept, *(Tally(of=item, count=tallies[item]) for item in sorted(tallies)))
        return record.model_copy(update=lost) if lost else record

    def _lost(self, step: _Step, part: Part, event: date | None, tallies: dict[str, int]) -> dict[str, Any]:
        """What of a part is different afterwards."""
        values = part.__dict__
        lost = {name: default for name, default in step.drops if values[name] is not default}
        for name, change in step.changes:
            lost[name] = change(part, event)
        for field in step.inside:
            value = values[field.name]
            if not value:
                continue
            if field.many:
                kept = [self._one(field, step, one, event, tallies) for one in value]
                if any(map(is_not, kept, value)):
                    lost[field.name] = tuple([one for one in kept if one is not None])
            elif (out := self._one(field, step, value, event, tallies)) is not value:
                lost[field.name] = out
        return lost

    def _one(self, field: _Inside, step: _Step, part: Part, event: date | None, tallies: dict[str, int]) -> Part | None:
        """What becomes of a part: itself, a smaller one, or None; where parts are counted, the tallies grow."""
        if type(part) is Tally:
            return self._tally(part, tallies)
        word = part.word() if part.fills else ""
        try:
            course = field.by_word[word]
        except KeyError:
            course = field.by_word[word] = self._course(field.cls, step.words, word)
        if type(course) is _Step:
            if course.whole:
                return part
            lost = self._lost(course, part, event, tallies)
            if not lost:
                return part
            if course.vanishes is not None and _empty(part, lost, course.vanishes):
                return None
            return part.model_copy(update=lost)
        if course is not None:
            gate = plan(field.cls, (*step.words, (part.fills, word)) if part.fills else step.words).gate
            _count(tallies, str(gate), 1, course)  # type: ignore[arg-type]  # what is neither step nor None is a method
        return None

    def _tally(self, part: Tally, tallies: dict[str, int]) -> Tally | None:
        """A tally that came with the record belongs to what it counts; it is never more exact than the parts."""
        method = self._methods.get(part.of)
        if method in TALLIED:
            _count(tallies, part.of, part.count, method)
            return None
        return part if part.of in self._methods else None

    def _course(self, cls: type[Part], outer: Words, word: str) -> _Step | Method | None:
        """The step for a part; the method that counts it; or None, where it goes."""
        words = (*outer, (cls.fills, word)) if cls.fills else outer
        gate = plan(cls, words).gate
        if gate is not None:
            if gate not in self._methods:
                return None
            method = self._methods[gate]
            if method in TALLIED:
                return method
        required = [field for field in plan(cls, words).fields if cls.model_fields[field.name].is_required()]
        return self._step(cls, words) if all(self._fate(cls, field) is True for field in required) else None

    def _step(self, cls: type[Part], words: Words) -> _Step:
        drops: list[tuple[str, object]] = []
        changes: list[tuple[str, Leaf]] = []
        inside: list[_Inside] = []
        fields = plan(cls, words).fields
        required = {field.name for field in fields if cls.model_fields[field.name].is_required()}
        for field in fields:
            if field.part is not None:
                inside.append(_Inside(field.name, field.many, field.part, {}))
                continue
            fate = self._fate(cls, field)
            if callable(fate):
                changes.append((field.name, fate))
            elif not fate and field.name not in required:
                drops.append((field.name, field.default))
        whole = not (drops or changes or inside)
        vanishes = None if required else tuple((field.name, field.default) for field in fields)
        return _Step(words, tuple(drops), tuple(changes), tuple(inside), whole, vanishes)

    def _fate(self, cls: type[Part], field: Field) -> Leaf | bool:
        if field.item not in self._methods:
            return False
        method = self._methods[field.item]
        return True if method is None else leaf(method, cls, field.name)


def _count(tallies: dict[str, int], item: str, count: int, method: Method) -> None:
    tallies[item] = 1 if method is Method.EXISTENCE else tallies.get(item, 0) + count


def _empty(part: Part, lost: Mapping[str, object], defaults: tuple[tuple[str, object], ...]) -> bool:
    values = part.__dict__
    return all(lost.get(name, values[name]) == default for name, default in defaults)


@lru_cache(maxsize=1024)
def _walk_of(ruling: Ruling) -> _Walk:
    return _Walk(ruling.methods)
