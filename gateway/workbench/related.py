"""How the files of an export belong together, seen from one sample: by columns whose values are another file's ids.

A proposal and no more: which file holds the incidents, which column names a row, which column leads to another file,
and which rows are people in roles. What it finds is written into the draft, where a person sees it.

Source: domain.md section 1.2 (CSV of several related files).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from types import MappingProxyType

from adapters.archive import opened
from adapters.delimited import decoded, rows
from adapters.socket import Limits
from gateway.workbench.naming import spoken, words_of
from gateway.workbench.vocabulary import PARTS, ROLES
from mappings.codemap import fold
from mappings.tables import File, Roles, Tables

SAMPLE_BYTES_MAX = 64 * 1024 * 1024
"""Of a sample, unpacked: it is read on the integrator's machine, whole."""


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One file of the sample: its name as a profile says it, and its cells by column."""

    name: str
    columns: Mapping[str, tuple[str, ...]]
    delimiter: str

    def ids(self, column: str) -> frozenset[str]:
        """The values of a column that names rows: one for each, no two the same; else nothing."""
        values = self.columns[column]
        found = frozenset(values) - {""}
        return found if len(found) == len(values) else frozenset()


def related(body: bytes) -> Tables | None:
    """The files of a zip as a profile says them; None where nothing shows which holds the incidents.

    Raises `Unreadable`.
    """
    sheets = [_sheet(name, content) for name, content in opened(body, SAMPLE_BYTES_MAX)]
    start = _incidents(sheets)
    if start is None:
        return None
    first, key = start
    ids: dict[str, str] = {first.name: key}
    belongs: dict[str, tuple[str, str]] = {first.name: ("", "")}
    placed, left = [first], [one for one in sheets if one is not first]
    while left:
        found = next(((one, at) for one in left if (at := _place(one, placed, ids))), None)
        if found is None:
            break  # whatever belongs to nothing is not read, and the draft says so
        sheet, at = found
        belongs[sheet.name] = at
        left.remove(sheet)
        placed.append(sheet)
        own = _named_elsewhere(sheet, at[1], sheets)
        if own:
            ids[sheet.name] = own
    people = _people(placed)
    files = {one.name: _file(one, belongs[one.name], ids, placed, people) for one in placed}
    return Tables(MappingProxyType(files), "cp1252", first.delimiter, quoted=True)


def unrelated(body: bytes, tables: Tables) -> Iterator[str]:
    """The names of the files in a zip that no relation was found for."""
    return (name for name, _ in opened(body, SAMPLE_BYTES_MAX) if _called(name) not in tables.files)


def _sheet(name: str, content: bytes) -> _Sheet:
    head, cells = rows(decoded(content, "cp1252", name), "", name, Limits(), quoted=True)
    padded = [[*row, *[""] * (len(head.names) - len(row))] for row in cells]
    columns = {column: tuple(row[at].strip() for row in padded) for at, column in enumerate(head.names)}
    return _Sheet(_called(name), columns, head.delimiter)


def _called(name: str) -> str:
    """A file's name without its ending and what follows the word, such as the day of the export."""
    stem = re.match(r"[a-z_]*[a-z]", PurePath(name).stem.casefold())
    return stem[0] if stem else fold(PurePath(name).stem)


def _incidents(sheets: Sequence[_Sheet]) -> tuple[_Sheet, str] | None:
    """The file, and its column, that most of the others lead to by a column of the same name.

    Of several the one that is called so: where each incident has one risk, that file's rows are as many.
    """
    best: tuple[tuple[int, bool], _Sheet, str] | None = None
    for sheet in sheets:
        for column in sheet.columns:
            known = sheet.ids(column)
            leads = sum(_leads_by(other, column, known) for other in sheets if other is not sheet) if known else 0
            rank = leads, sheet.name.rstrip("s") in _EVENTS
            if leads and (best is None or rank > best[0]):
                best = rank, sheet, column
    return best and (best[1], best[2])


_EVENTS = frozenset({"incident", "occurrence", "investigation", "crime", "case", "event", "log", "report"})


def _leads_by(sheet: _Sheet, column: str, known: frozenset[str]) -> bool:
    return column in sheet.columns and known.issuperset({one for one in sheet.columns[column] if one})


def _place(sheet: _Sheet, placed: Sequence[_Sheet], ids: Mapping[str, str]) -> tuple[str, str] | None:
    """The file that a file's rows belong to, and the column that says so. What is of a person belongs to the people."""
    for parent in reversed(placed) if _of_person(sheet.name) else placed:
        key = ids.get(parent.name)
        if key and _leads_by(sheet, key, parent.ids(key)):
            return parent.name, key
    return None


def _of_person(name: str) -> bool:
    return any(PARTS.get(way) in {"address", "phone", "email"} or "contact" in way for way, _ in spoken(name))


def _named_elsewhere(sheet: _Sheet, key: str, sheets: Sequence[_Sheet]) -> str:
    """The column by which other files name rows of this one, "" where none does."""
    others = [one for one in sheets if one is not sheet]
    for column in sheet.columns:
        known = sheet.ids(column)
        if column == key or not known or any(_defines(one, known) for one in others):
            continue
        if any(_names(one, known) for one in others):
            return column
    return ""


def _defines(sheet: _Sheet, known: frozenset[str]) -> bool:
    """Whether another file names more rows by the same ids, or is that of the people: these ids are its own."""
    people = _people([sheet]) is not None
    return any(ids > known or (people and ids == known) for ids in map(sheet.ids, sheet.columns))


def _names(sheet: _Sheet, known: frozenset[str]) -> bool:
    return any(_names_by(sheet, column, known) for column in sheet.columns)


def _names_by(sheet: _Sheet, column: str, known: frozenset[str]) -> bool:
    said = {one for one in sheet.columns[column] if one}
    return bool(said) and words_of(column).endswith(_NAMING) and known >= said


_NAMING = ("id", "ref", "reference", "number", "no", "urn")


def _people(sheets: Sequence[_Sheet]) -> tuple[str, Roles] | None:
    """The file whose rows are people, by a column whose words are roles."""
    for sheet in sheets:
        for column, values in sheet.columns.items():
            words = {one: ROLES[fold(one)] for one in values if fold(one) in ROLES}
            if words and 2 * len(words) >= len(set(values)):
                folded = MappingProxyType({fold(word): role for word, role in sorted(words.items())})
                return sheet.name, Roles(column, folded)
    return None


def _file(
    sheet: _Sheet,
    belongs: tuple[str, str],
    ids: Mapping[str, str],
    placed: Sequence[_Sheet],
    people: tuple[str, Roles] | None,
) -> File:
    of, key = belongs
    links = {
        column: other.name
        for column in sheet.columns
        for other in placed
        if other is not sheet
        and column != key
        and column != ids.get(sheet.name)
        and other.name in ids
        and other.name != placed[0].name
        and _names_by(sheet, column, other.ids(ids[other.name]))
    }
    roles = people[1] if people and people[0] == sheet.name else None
    return File(sheet.name, ids.get(sheet.name, ""), of, key, roles, MappingProxyType(links))
