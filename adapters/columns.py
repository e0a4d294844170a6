"""Which of several profiles a table was written for: by the columns it has and those that each profile speaks for.

A profile speaks for a column where a row, a section or an ignore row of it names it. Of a document only the header of
the incidents is looked at. Nothing is read here; a header that fits none is for the reader of the first to refuse.

Source: domain.md section 1.2 (a force sends several exports).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from adapters.archive import is_archive, opened
from adapters.cutting import Cutter
from adapters.delimited import MAX_HEADER, UTF8_MARK, WIDE_MARKS, decoded, header
from adapters.export import by_file
from adapters.socket import Limits, Unreadable
from mappings.claims import Claims
from mappings.profile import Profile
from mappings.shape import Shape
from mappings.tables import DELIMITERS, File, Tables

Column = tuple[str, ...]
"""A column as the tree has it: by its name, or by its group and the rest of its name."""


@dataclass(frozen=True, slots=True)
class Rival:
    """A profile with tables, and the columns of the incidents that it speaks for."""

    profile: Profile
    tables: Tables
    columns: frozenset[Column]


def rival(profile: Profile) -> Rival | None:
    """What tells a profile from others by a header; None for one that reads no table."""
    if profile.tables is None:
        return None
    first = profile.tables.incident.name
    places = frozenset(path[1:] for path in _places(profile.shape, ()) if path[0] == first and len(path) > 1)
    return Rival(profile, profile.tables, places)


def best(rivals: Sequence[Rival], body: bytes, limits: Limits) -> Rival:
    """Who speaks for most of the columns; of equals, who misses fewest, then the first.

    `body` is a document, or enough of its beginning to hold the header; a zip is whole.
    """
    return max(rivals, key=lambda one: _fit(one, body, limits))


def alike(one: Rival, other: Rival) -> bool:
    """Whether no header could tell two apart: the same columns, under a delimiter that both may have."""
    delimiters = {one.tables.delimiter, other.tables.delimiter} - {""}
    return len(delimiters) <= 1 and one.columns == other.columns


def _fit(one: Rival, body: bytes, limits: Limits) -> tuple[int, int]:
    there = _there(one.tables, body, limits)
    return len(one.columns & there), -len(one.columns - there)


def _there(tables: Tables, body: bytes, limits: Limits) -> frozenset[Column]:
    """The columns of the incidents in a document; none where its header cannot be read."""
    file = tables.incident
    try:
        if is_archive(body):
            given, _ = by_file(opened(body, limits.max_archive), tables)
            body = given[file.name][1] if file.name in given else b""
        return frozenset(_column(name, file) for name in _names(body, tables))
    except Unreadable:
        return frozenset()


def _names(body: bytes, tables: Tables) -> tuple[str, ...]:
    """The names of the first row. Raises `Unreadable`."""
    body = body[: 4 * MAX_HEADER]
    if body.startswith(WIDE_MARKS):
        body = UTF8_MARK + body.decode("utf-16", "ignore").encode()
    mark = UTF8_MARK if body.startswith(UTF8_MARK) else b""
    cutter = Cutter(tables.delimiter or "".join(DELIMITERS.values()), MAX_HEADER, quoted=tables.quoted)
    first = cutter.first(body.removeprefix(mark), last=True)
    if first is None or first.fault is not None:
        return ()
    text = decoded(mark + first.raw, tables.charset, tables.incident.name)
    return header(text, tables.delimiter, tables.incident.name, tables.quoted).names


def _column(name: str, file: File) -> Column:
    for beginning, group in file.groups:
        rest = name.removeprefix(beginning).lstrip("_-")
        if rest and name.startswith(beginning):
            return group, rest
    return (name,)


def _places(shape: Shape, at: Column) -> Iterator[Column]:
    """Every place that a shape and those inside it speak for."""
    yield from _claimed(shape.claims, at)
    for _, section in shape.sections:
        for place in section.places:
            within = (*at, place.first, *place.rest) if place.first else at
            if place.key:
                yield (*within, *place.key)
            yield from _places(section.shape, within)


def _claimed(claims: Claims, at: Column) -> Iterator[Column]:
    for key, what in claims.items():
        if key is not None:
            here = (*at, key)
            yield from _claimed(what, here) if isinstance(what, Claims) else (here,)
