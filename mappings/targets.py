"""Where a row may write: a target path, found in the schema when the profile loads.

A target is a leaf of the part that a shape builds (`sex`), a leaf of a part inside it (`birth.on`), a leaf of one of
several parts told apart by a word (`references[log].value`, `contacts[phone].value`), or a word that joins a list when
the source says yes (`flags[weapon]`). Nothing is read here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import AwareDatetime, TypeAdapter
from pydantic.fields import FieldInfo

from mappings import record
from mappings.record import Item, Part
from mappings.transforms import Gives

KEYED_BY = {
    record.Reference: "type",
    record.Contact: "system",
    record.Address: "use",
    record.Identifier: "system",
    record.Name: "use",
    record.Statement: "topic",
}
"""The leaf that tells parts of one list apart, where a target names one by a word."""

PARTS = {cls.__name__: cls for cls in vars(record).values() if isinstance(cls, type) and issubclass(cls, Part)}
"""The classes of parts by name."""


class TargetInvalid(Exception):
    """A target that the schema does not have."""


@dataclass(frozen=True, slots=True)
class Target:
    """A leaf to write.

    `part` is the field of the part the leaf lies in, empty where it lies in the shape's own; `word` names the part
    among several, or is the word that joins the list. `keyed_by` is the leaf that holds the word. `check` raises a
    ValueError for a value outside the leaf's bounds, and is None where the kind of value says enough.
    """

    text: str
    leaf: str
    part: str
    word: str
    keyed_by: str
    accepts: frozenset[Gives]
    check: Callable[[object], object] | None
    joins: bool


def target(cls: type[Part], text: str) -> Target:
    """Find a target in a class of parts. Raises `TargetInvalid`."""
    head, _, leaf = text.partition(".")
    name, word = _worded(head)
    info = _field(cls, name)
    inner, many = part_class(info)
    if not leaf:
        if inner is not None:
            raise TargetInvalid(f"{text!r} is a part; a row writes a leaf")
        return _leaf(info, text, name, "", word, "")
    if inner is None:
        raise TargetInvalid(f"{name!r} is a leaf and has nothing inside")
    if many != bool(word):
        raise TargetInvalid(f"{text!r}: several parts are told apart by a word in brackets, one part has none")
    keyed_by = KEYED_BY.get(inner, "") if many else ""
    if many:
        _known_word(inner, keyed_by, word, text)
    return _leaf(_field(inner, leaf), text, leaf, name, word, keyed_by)


def part_class(info: FieldInfo) -> tuple[type[Part] | None, bool]:
    """The class of parts a field holds, and whether it holds several; None for a leaf."""
    for arg in (info.annotation, *get_args(info.annotation)):
        if isinstance(arg, type) and issubclass(arg, Part):
            return arg, get_origin(info.annotation) is tuple
    return None, False


def checked(cls: type[Part], leaf: str, value: object) -> object:
    """A constant as the leaf takes it. Raises `TargetInvalid`."""
    info = _field(cls, leaf)
    try:
        return _adapter(info).validate_python(value)
    except ValueError:
        raise TargetInvalid(f"{leaf!r} cannot hold this value") from None


def needed(cls: type[Part]) -> frozenset[str]:
    """The leaves without which a part cannot be."""
    return frozenset(n for n, f in cls.model_fields.items() if f.is_required())


def _worded(head: str) -> tuple[str, str]:
    name, bracket, rest = head.partition("[")
    if not bracket:
        return name, ""
    if not rest.endswith("]") or not rest[:-1]:
        raise TargetInvalid(f"{head!r}: brackets hold one word")
    return name, rest[:-1]


def _field(cls: type[Part], name: str) -> FieldInfo:
    info = cls.model_fields.get(name)
    if info is None:
        raise TargetInvalid(f"{cls.__name__} has no {name!r}")
    return info


def _known_word(inner: type[Part], keyed_by: str, word: str, text: str) -> None:
    if not keyed_by:
        raise TargetInvalid(f"{text!r}: parts of this kind are not told apart by a word; use a section")
    checked(inner, keyed_by, word)


def _leaf(info: FieldInfo, text: str, leaf: str, part: str, word: str, keyed_by: str) -> Target:
    accepts, bounded = _accepts(info)
    joins = bool(word) and not part
    if joins and not accepts & {Gives.TEXTS, Gives.CODES}:
        raise TargetInvalid(f"{text!r}: only a list is joined by a word")
    check = _adapter(info).validate_python if bounded else None
    return Target(text, leaf, part, word, keyed_by, frozenset({Gives.FLAG}) if joins else accepts, check, joins)


def _accepts(info: FieldInfo) -> tuple[frozenset[Gives], bool]:
    """What kinds of values a leaf takes, and whether it sets bounds that a kind does not imply."""
    patterns = {getattr(m, "pattern", None) for m in info.metadata}
    kinds: set[Gives] = set()
    bounded = any(not isinstance(m, Item) for m in info.metadata)
    union = get_origin(info.annotation) in {Union, UnionType}
    for arg in get_args(info.annotation) if union else (info.annotation,):
        base = get_args(arg)[0] if get_origin(arg) is Annotated else arg
        patterns |= {getattr(m, "pattern", None) for m in getattr(arg, "__metadata__", ())}
        kinds |= _kinds(base)
        bounded |= isinstance(base, type) and issubclass(base, Enum)
    for pattern, kind in ((_REF_PATTERN, Gives.REF), (_CODE_PATTERN, Gives.CODE)):
        if pattern in patterns:
            return frozenset({kind}), False
    return frozenset(kinds), bounded


def _kinds(base: Any) -> set[Gives]:  # noqa: ANN401 - a type expression has no type
    if get_origin(base) is tuple:
        inner = get_args(base)[0]
        return {Gives.CODES} if get_origin(inner) is Annotated else {Gives.TEXTS, Gives.CODES}
    if base in _KINDS:
        return set(_KINDS[base])
    return {Gives.CODE} if isinstance(base, type) and issubclass(base, Enum) else set()


def _adapter(info: FieldInfo) -> TypeAdapter[Any]:
    marks = [m for m in info.metadata if not isinstance(m, Item)]
    annotation: Any = info.annotation
    for mark in marks:
        annotation = Annotated[annotation, mark]
    return TypeAdapter(annotation)


_CODE_PATTERN = get_args(record.Code)[1].pattern
_REF_PATTERN = get_args(record.Ref)[1].pattern
_KINDS: dict[object, frozenset[Gives]] = {
    bool: frozenset({Gives.FLAG}),
    int: frozenset({Gives.NUMBER}),
    str: frozenset({Gives.TEXT, Gives.CODE}),
    AwareDatetime: frozenset({Gives.MOMENT}),
    datetime: frozenset({Gives.MOMENT, Gives.DATE_OR_MOMENT}),
    date: frozenset({Gives.DATE, Gives.DATE_OR_MOMENT}),
}
