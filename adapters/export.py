"""One export of related files: which of its files is which, and what of it belongs to each incident.

A file of the archive is the one whose name in the profile its own begins with (`persons_20260412.csv` is `persons`).
A row belongs to an incident through the columns that the profile names, and goes into that incident's part as its
bytes are. A row that cannot be read goes to every incident whose key stands in it: the incident is then refused as a
whole, and does not go on without somebody. What belongs to nothing is given out on its own; nothing is left behind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from adapters.archive import opened, packed
from adapters.cutting import Cut, Cutter, says_nothing
from adapters.delimited import MAX_HEADER, UTF8_MARK, WIDE_MARKS, Header, decoded, header, one_row
from adapters.socket import Fault, Limits, Problem, Unreadable
from mappings.tables import DELIMITERS, File, Tables
from mappings.tree import rendered

Given = dict[str, tuple[str, bytes]]
"""The files of an export by their name in the profile, each with its name in the archive and its bytes."""


def by_file(entries: Sequence[tuple[str, bytes]], tables: Tables) -> tuple[Given, list[int]]:
    """Which entry is which file, and the numbers of those that are none. Raises `Unreadable` where two are one."""
    given: Given = {}
    unknown: list[int] = []
    for index, (name, content) in enumerate(entries):
        file = _file_called(name, tables)
        if file is None:
            unknown.append(index)
        elif file in given:
            raise Unreadable(Problem(rendered(("entries", index)), Fault.DUPLICATE_KEY))
        else:
            given[file] = (name, content)
    return given, unknown


def split(body: bytes, tables: Tables, limits: Limits) -> Iterator[tuple[bytes, Problem | None]]:
    """The incidents of an export, each as an archive of its own, and with a problem what is none.

    Raises `Unreadable` before it gives anything out, where the export as a whole cannot be read.
    """
    entries = opened(body, limits.max_archive)
    given, unknown = by_file(entries, tables)
    if tables.incident.name not in given:
        raise Unreadable(Problem(tables.incident.name, Fault.MISSING))
    files = [file for file in tables.files.values() if file.name in given]
    sheets = {file.name: _Sheet.of(file, given[file.name], tables, limits) for file in files}
    return _Split(sheets).given_out([entries[i] for i in unknown], unknown)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One file opened: its header as bytes and as names, and all that follows."""

    file: File
    called: str
    top: bytes
    head: Header
    tables: Tables
    cutter: Cutter

    @classmethod
    def of(cls, file: File, given: tuple[str, bytes], tables: Tables, limits: Limits) -> _Sheet:
        """Read the header. Raises `Unreadable`."""
        called, content = given
        if content.startswith(WIDE_MARKS):
            content = UTF8_MARK + decoded(content, "", file.name).encode()
        mark = UTF8_MARK if content.startswith(UTF8_MARK) else b""
        content = content.removeprefix(mark)
        cutter = Cutter(tables.delimiter or "".join(DELIMITERS.values()), MAX_HEADER, quoted=tables.quoted)
        first = cutter.first(content, last=True)
        if first is None or first.fault is not None:
            raise Unreadable(Problem(file.name, Fault.NO_HEADER if first is None else first.fault or Fault.NO_HEADER))
        head = header(decoded(mark + first.raw, tables.charset, file.name), tables.delimiter, file.name, tables.quoted)
        cutter.separated_by(head.delimiter, limits.max_bytes)
        return cls(file, called, mark + first.raw + b"\n", head, tables, cutter)

    def cuts(self) -> list[Cut]:
        """Its rows, as bytes: those that say something, or cannot be read."""
        found = self.cutter.close()
        return [cut for cut in found if cut.fault is not None or not says_nothing(cut.raw, self.head.delimiter)]

    def cells(self, cut: Cut) -> dict[str, str] | None:
        """A row by column; None where it cannot be read."""
        if cut.fault is not None:
            return None
        try:
            row = one_row(decoded(cut.raw, self.tables.charset, ""), self.head.delimiter, quoted=self.tables.quoted)
        except Unreadable:
            return None
        return dict(zip(self.head.names, row, strict=True)) if len(row) == len(self.head.names) else None

    def words(self, cut: Cut) -> set[str]:
        """What stands between delimiters, quotation marks and line ends in a row that cannot be read."""
        text = cut.raw.decode("utf-8", "replace")
        return {word.strip() for word in re.split(f'["\r\n{re.escape(self.head.delimiter)}]', text)}


@dataclass(slots=True)
class _Bundle:
    """The rows of one incident by file, or of something that is none, and then why."""

    rows: dict[str, list[bytes]] = field(default_factory=dict)
    problem: Problem | None = None


class _Split:
    """One export at work: each row finds its bundle through the ids of the file that it belongs to."""

    def __init__(self, sheets: dict[str, _Sheet]) -> None:
        self.sheets = sheets
        self.bundles: list[_Bundle] = []
        self.ids: dict[str, dict[str, list[_Bundle]]] = {}
        self.strays: dict[tuple[str, str], _Bundle] = {}

    def given_out(self, unknown: list[tuple[str, bytes]], numbers: list[int]) -> Iterator[tuple[bytes, Problem | None]]:
        for sheet in self.sheets.values():
            ids = self.ids.setdefault(sheet.file.name, {})
            for index, cut in enumerate(sheet.cuts()):
                self._place(sheet, index, cut, ids)
        for bundle in (*self.bundles, *self.strays.values()):
            yield self._packed(bundle), bundle.problem
        for number, entry in zip(numbers, unknown, strict=True):
            yield packed([entry]), Problem(rendered(("entries", number)), Fault.UNKNOWN_FILE)

    def _place(self, sheet: _Sheet, index: int, cut: Cut, ids: dict[str, list[_Bundle]]) -> None:
        file, cells = sheet.file, sheet.cells(cut)
        if not file.of:
            owners = [self._incident(sheet, index, cut, cells, ids)]
        else:
            found = self.ids.get(file.of, {})
            keys = sheet.words(cut) if cells is None else {cells.get(file.key, "").strip()}
            owners = _unlike([bundle for key in sorted(keys) for bundle in found.get(key, ())])
            if not owners:
                owners = [self._stray(file, index, min(keys, default="") if cells is not None else "")]
        for bundle in owners:
            bundle.rows.setdefault(file.name, []).append(cut.raw)
        if file.of and file.id and cells is not None and (own := cells.get(file.id, "").strip()):
            ids[own] = _unlike([*ids.get(own, ()), *owners])

    def _incident(
        self, sheet: _Sheet, index: int, cut: Cut, cells: dict[str, str] | None, ids: dict[str, list[_Bundle]]
    ) -> _Bundle:
        """The bundle of an incident's row; two rows of one incident share theirs, and are told as a problem."""
        key = (cells or {}).get(sheet.file.id, "").strip()
        path: tuple[str, int] = (sheet.file.name, index)
        if key and key in ids:
            (bundle,) = ids[key]
            bundle.problem = Problem(rendered((path, sheet.file.id)), Fault.DUPLICATE_KEY)
            return bundle
        bundle = _Bundle()
        if cut.fault is not None:
            bundle.problem = Problem(rendered(path), cut.fault)
        self.bundles.append(bundle)
        if key:
            ids[key] = [bundle]
        return bundle

    def _stray(self, file: File, index: int, key: str) -> _Bundle:
        """The bundle of rows that name an incident, or a person, that is not in the export."""
        bundle = self.strays.get((file.name, key))
        if bundle is None:
            problem = Problem(rendered(((file.name, index), file.key)), Fault.ROW_WITHOUT_INCIDENT)
            bundle = self.strays[file.name, key] = _Bundle(problem=problem)
        return bundle

    def _packed(self, bundle: _Bundle) -> bytes:
        sheets = [(self.sheets[name], rows) for name, rows in bundle.rows.items()]
        return packed((sheet.called, sheet.top + b"\n".join(rows) + b"\n") for sheet, rows in sheets)


def _file_called(name: str, tables: Tables) -> str | None:
    """The file that an entry is: the longest name that its own begins with, at the end of a word."""
    own = name.rpartition("/")[2].casefold()
    fits = [file for file in tables.files if own.startswith(file) and not own[len(file) :][:1].isalpha()]
    return max(fits, key=len, default=None)


def _unlike(bundles: list[_Bundle]) -> list[_Bundle]:
    return list({id(bundle): bundle for bundle in bundles}.values())
