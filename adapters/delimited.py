"""Delimited text: bytes into rows under a header, or `Unreadable` naming where and why.

A cell is text and only text: no number, no date and no formula is seen in it, and a leading zero stays. The grammar is
RFC 4180 with what systems do to it: comma, pipe, tab or semicolon; CR, LF or both; UTF-8 with or without a byte-order
mark, UTF-16 with one, windows-1252. A quotation mark opens a cell only where the cell begins, and what follows the one
that closes it must be the next cell or the end. Python's `csv` reads the rows; a stream is cut into them by `cutting`.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from adapters.socket import Fault, Limits, Problem, Unreadable
from mappings.tables import DELIMITERS
from mappings.tree import Trail, rendered

UTF8_MARK = codecs.BOM_UTF8
"""The byte-order mark of UTF-8."""

WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""The byte-order marks of UTF-16."""

MAX_HEADER = 64 * 1024
"""Bytes of a header. It is written again before each row of a batch, so a long one would multiply its size."""

_FIRST = re.compile(r'(?:(?:(?<=[,|\t;])|\A)"(?:[^"]++|"")*+"|[^\r\n])*+')
_LINE = re.compile(r"[^\r\n]*+")
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9-]+")


@dataclass(frozen=True, slots=True, eq=False)  # one object for one line, so that a cache can go by it
class Header:
    """The first row: what separates its cells, and the name of each column as profiles write it."""

    delimiter: str
    names: tuple[str, ...]


def decoded(body: bytes, charset: str, path: Trail) -> str:
    """The text of bytes: by their mark, else UTF-8, else the charset (none where it is ""). Raises `Unreadable`.

    Text in windows-1252 that is UTF-8 as well is plain ASCII or made to be taken for UTF-8: so UTF-8 is tried first,
    also where a profile names the other, and an export whose system was changed goes on being read right.
    """
    try:
        if body.startswith(WIDE_MARKS):
            return body.decode("utf-16")
        return body.removeprefix(UTF8_MARK).decode("utf-8")
    except UnicodeDecodeError:
        if not charset or body.startswith((UTF8_MARK, *WIDE_MARKS)):
            raise Unreadable(Problem(rendered(path), Fault.WRONG_CHARSET)) from None
    try:
        return body.decode(charset)
    except UnicodeDecodeError:
        raise Unreadable(Problem(rendered(path), Fault.WRONG_CHARSET)) from None


def rows(text: str, delimiter: str, path: Trail, limits: Limits, *, quoted: bool) -> tuple[Header, list[list[str]]]:
    """The header, and every row that says something. `delimiter` is "" where the header shows it.

    Raises `Unreadable`, naming the column wherever one is meant; a row by its number among them, from 0.
    """
    text = text.lstrip("\r\n")
    first = _LINE.match(text)
    if quoted and first is not None and '"' in first[0]:  # only then may a line end lie inside a cell
        first = _FIRST.match(text)
    end = first.end() if first is not None else 0
    head = header(text[:end], delimiter, path, quoted)
    found = [row for row in _read(text[end:], head.delimiter, path, quoted) if any(map(str.strip, row))]
    width = len(head.names)
    for index, row in enumerate(found):
        if len(row) != width:
            at = ((path, index), head.names[len(row)]) if len(row) < width else (path, index)
            raise _unreadable(Fault.RAGGED_ROW, at)
    if len(found) * width > limits.max_elements:
        raise _unreadable(Fault.TOO_MANY_ELEMENTS, path)
    if "\0" in text or len(text) > limits.max_text:
        _check(head, found, path, limits)
    return head, found


def one_row(text: str, delimiter: str, *, quoted: bool) -> list[str]:
    """The cells of the first row of a text; none where it has no row. Raises `Unreadable`."""
    return next(_read(text, delimiter, "", quoted), [])


@lru_cache(maxsize=256)  # the same header stands before every row of a batch
def header(line: str, delimiter: str, path: Trail, quoted: bool) -> Header:  # noqa: FBT001 - a cache keys by position
    """Read a header. Raises `Unreadable`: no column may be without a name, and none have that of another."""
    separator = delimiter or _separator(line, path)
    first, *more = list(_read(line, separator, (path, "header"), quoted)) or [[]]
    if more:
        raise _unreadable(Fault.MALFORMED, (path, "header"))
    names = [_plain(name) for name in first]
    if "\0" in line:
        raise _unreadable(Fault.NUL_CHARACTER, (path, "header"))
    seen: set[str] = set()
    for index, name in enumerate(names):
        if not name:
            raise _unreadable(Fault.NO_HEADER, ((path, "header"), index))
        if name in seen:
            raise _unreadable(Fault.DUPLICATE_KEY, (path, name))
        seen.add(name)
    if not names:
        raise _unreadable(Fault.NO_HEADER, path)
    return Header(separator, tuple(names))


def _read(text: str, delimiter: str, path: Trail, quoted: bool) -> Iterator[list[str]]:  # noqa: FBT001 - ours alone
    """The rows of a text. Raises `Unreadable`."""
    lines = io.StringIO(text, newline="")
    try:
        if quoted:
            yield from csv.reader(lines, delimiter=delimiter, strict=True)
        else:
            yield from csv.reader(lines, delimiter=delimiter, strict=True, quoting=csv.QUOTE_NONE)
    except csv.Error as exc:
        said = str(exc)
        # The module refuses a cell beyond 131,072 characters, twice what is read by default.
        cut, long = said.startswith("unexpected end"), said.startswith("field larger")
        fault = Fault.TRUNCATED if cut else Fault.TEXT_TOO_LONG if long else Fault.MALFORMED
        raise _unreadable(fault, path) from None


def _plain(name: str) -> str:
    """A column's name as profiles write it: what is neither letter, digit nor hyphen becomes one underscore."""
    found = _NOT_A_NAME.sub("_", name).strip("_")
    return f"_{found}" if found[:1].isdigit() else found


def _separator(line: str, path: Trail) -> str:
    """What separates the names of a header: what stands in it most often, outside quotation marks."""
    bare = _QUOTED.sub("", line)
    counts = sorted(((bare.count(mark), mark) for mark in DELIMITERS.values()), reverse=True)
    (most, found), (second, _) = counts[:2]
    if most and most == second:
        raise _unreadable(Fault.NO_HEADER, path)
    return found if most else ","


def _check(head: Header, found: list[list[str]], path: Trail, limits: Limits) -> None:
    for index, row in enumerate(found):
        for name, cell in zip(head.names, row, strict=True):
            if "\0" in cell:
                raise _unreadable(Fault.NUL_CHARACTER, ((path, index), name))
            if len(cell) > limits.max_text:
                raise _unreadable(Fault.TEXT_TOO_LONG, ((path, index), name))


def _unreadable(fault: Fault, path: Trail) -> Unreadable:
    return Unreadable(Problem(rendered(path), fault))
