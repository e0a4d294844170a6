"""A batch cut into documents of its own format, each of which the profile's reader reads alone.

NDJSON gives each line; CSV gives the header and one row; a zip of related CSV files gives, for each incident, a small
zip of the header and its rows under the same names. What cannot be cut off cleanly is a `Broken` and the batch goes on
behind it. Nothing is read here beyond what cutting needs: a row with a cell too many is a whole document, and its
reader says what is wrong with it.

NDJSON and CSV are cut as they arrive, in memory for one record and what was fed last; a zip is held whole, up to
`Limits.max_archive`. The same bytes give the same documents, however they are fed, so that a batch sent again repeats
nothing. A stream in UTF-16 comes out in UTF-8.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from adapters.cutting import Cut, Cutter, says_nothing
from adapters.delimited import MAX_HEADER, UTF8_MARK, WIDE_MARKS, decoded, header
from adapters.export import split
from adapters.socket import Fault, Limits, Problem, Unreadable, reader
from mappings.profile import Profile
from mappings.tables import DELIMITERS, Tables

__all__ = ["MEDIA_TYPES", "Broken", "Part", "Splitter", "splitter"]


@dataclass(frozen=True, slots=True)
class Part:
    """One document of a batch. `number` counts from 1, `line` is where it begins; None in a zip."""

    number: int
    line: int | None
    body: bytes


@dataclass(frozen=True, slots=True)
class Broken:
    """A piece of a batch that is no document: kept as it is, of one longer than is read only the first bytes."""

    number: int
    line: int | None
    body: bytes
    problem: Problem


class Splitter(Protocol):
    """Cuts one batch. Feed it in order, take what each call gives before the next, and close it at the end."""

    def feed(self, chunk: bytes) -> Iterator[Part | Broken]:
        """The documents that end in this chunk."""
        ...

    def close(self) -> Iterator[Part | Broken]:
        """The documents that the end of the batch ends."""
        ...


def splitter(media_type: str, profile: Profile, limits: Limits) -> Splitter:
    """The splitter of a batch. Raises LookupError: not a batch's media type, or not one that the profile reads."""
    if media_type == NDJSON and any(one.endswith("json") for one in reader(profile.adapter).media_types):
        return _Lines(limits)
    if media_type in _OF_TABLES and profile.tables is not None:
        return _OF_TABLES[media_type](profile.tables, limits)
    raise LookupError(f"the profile {profile.name} reads no batch of this media type")


class _Lines:
    """NDJSON: each line that is not blank."""

    def __init__(self, limits: Limits) -> None:
        self._cutter = Cutter("", limits.max_bytes, quoted=False, ends="\n")
        self._count = 0

    def feed(self, chunk: bytes) -> Iterator[Part | Broken]:
        yield from self._parts(self._cutter.feed(chunk))

    def close(self) -> Iterator[Part | Broken]:
        yield from self._parts(self._cutter.close())

    def _parts(self, cuts: list[Cut]) -> Iterator[Part | Broken]:
        for cut in cuts:
            body = cut.raw.removeprefix(UTF8_MARK) if cut.line == 1 else cut.raw
            if cut.fault is None and not body.strip():
                continue
            self._count += 1
            if cut.fault is None:
                yield Part(self._count, cut.line, body)
            else:
                yield Broken(self._count, cut.line, body, Problem("", cut.fault))


class _Rows:
    """CSV: the header, and each row that says something."""

    def __init__(self, tables: Tables, limits: Limits) -> None:
        self._tables, self._limits = tables, limits
        self._text = _Wide()
        self._cutter = Cutter(tables.delimiter or "".join(DELIMITERS.values()), MAX_HEADER, quoted=tables.quoted)
        self._top = b""
        self._delimiter = ""
        self._count = 0
        self._over = False

    def feed(self, chunk: bytes) -> Iterator[Part | Broken]:
        yield from self._parts(self._text.feed(chunk), last=False)

    def close(self) -> Iterator[Part | Broken]:
        yield from self._parts(self._text.close(), last=True)

    def _parts(self, chunk: bytes, *, last: bool) -> Iterator[Part | Broken]:
        if not self._top and not self._over:
            first = self._cutter.first(chunk, last=last)
            if first is None and not last:
                return
            problem = self._headed(first)
            if problem is not None:
                self._over = True
                yield Broken(1, 1, first.raw if first else b"", problem)
            chunk = b""
        if self._over:
            return
        for cut in (*self._cutter.feed(chunk), *(self._cutter.close() if last else ())):
            if cut.fault is None and says_nothing(cut.raw, self._delimiter):
                continue
            self._count += 1
            if cut.fault is None:
                yield Part(self._count, cut.line, self._top + cut.raw + b"\n")
            else:
                problem = Problem(self._tables.incident.name, cut.fault)
                yield Broken(self._count, cut.line, self._top + cut.raw, problem)

    def _headed(self, first: Cut | None) -> Problem | None:
        """Take the header; or what is wrong with it, which ends the batch."""
        tables, name = self._tables, self._tables.incident.name
        if first is None or first.fault is not None:
            return Problem(name, (first and first.fault) or Fault.NO_HEADER)
        top = self._text.mark + first.raw
        try:
            self._delimiter = header(
                decoded(top, tables.charset, name), tables.delimiter, name, tables.quoted
            ).delimiter
        except Unreadable as exc:
            return exc.problems[0]
        self._top = top + b"\n"
        self._cutter.separated_by(self._delimiter, self._limits.max_bytes)
        return None


class _Archive:
    """A zip of related files: held whole, then an archive for each incident."""

    def __init__(self, tables: Tables, limits: Limits) -> None:
        self._tables, self._limits = tables, limits
        self._body = bytearray()

    def feed(self, chunk: bytes) -> Iterator[Part | Broken]:
        room = self._limits.max_archive + 1 - len(self._body)  # one more than is accepted shows that it is too large
        self._body += chunk[:room]
        return iter(())

    def close(self) -> Iterator[Part | Broken]:
        body = bytes(self._body)
        self._body.clear()
        try:
            pieces = split(body, self._tables, self._limits)
        except Unreadable as exc:
            yield Broken(1, None, body[: self._limits.max_bytes], exc.problems[0])
            return
        for number, (piece, problem) in enumerate(pieces, start=1):
            yield Part(number, None, piece) if problem is None else Broken(number, None, piece, problem)


class _Wide:
    """A stream without its byte-order mark, in UTF-8 where it was in UTF-16; `mark` says that it is UTF-8.

    Half of a surrogate pair goes on as it is: the reader refuses its row, and the rows around it are read.
    """

    def __init__(self) -> None:
        self.mark = b""
        self._begin: bytes | None = b""
        self._decoder: codecs.IncrementalDecoder | None = None

    def feed(self, chunk: bytes) -> bytes:
        return self._through(chunk, last=False)

    def close(self) -> bytes:
        return self._through(b"", last=True)

    def _through(self, chunk: bytes, *, last: bool) -> bytes:
        if self._begin is not None:
            self._begin += chunk
            if len(self._begin) < len(UTF8_MARK) and not last:
                return b""
            chunk, self._begin = self._begin, None
            if chunk.startswith(WIDE_MARKS):
                self.mark = UTF8_MARK
                self._decoder = codecs.getincrementaldecoder("utf-16")("surrogatepass")
            elif chunk.startswith(UTF8_MARK):
                self.mark, chunk = UTF8_MARK, chunk.removeprefix(UTF8_MARK)
        if self._decoder is None:
            return chunk
        torn = self._decoder.getstate()[0] if last else b""
        # No text in UTF-8 holds this byte: the reader refuses the row that the stream broke off in.
        return self._decoder.decode(chunk).encode("utf-8", "surrogatepass") + (b"\xff" if torn else b"")


NDJSON = "application/x-ndjson"
_OF_TABLES: dict[str, Callable[[Tables, Limits], Splitter]] = {"text/csv": _Rows, "application/zip": _Archive}
MEDIA_TYPES = (NDJSON, *_OF_TABLES)
"""The media types of batches, without parameters."""
