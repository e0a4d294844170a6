"""A stream of delimited text or lines cut at the ends of its records, without reading what is in them. No I/O.

The grammar is that of `delimited`: a quotation mark opens a cell where the cell begins, and a line end inside one ends
nothing. The same bytes give the same cuts, however they arrive.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from adapters.socket import Fault

_CR, _LF, _QUOTE = b'\r\n"'


@dataclass(frozen=True, slots=True)
class Cut:
    """One record of a stream: its bytes without the line end, the line it begins on, and what is wrong with its cut.

    TOO_LARGE: only its first bytes are here. MALFORMED and TRUNCATED: it goes to the end of the line after which a
    record could begin again.
    """

    line: int
    raw: bytes
    fault: Fault | None


class Cutter:
    """Cuts a stream into records, however it arrives: the same bytes give the same cuts. Protocol without I/O.

    Holds at most one record of `limit` bytes and what was fed last. A longer one is cut off, and the stream goes on
    after the next line end: a quotation mark that is never closed must not swallow the rest of an export.
    """

    def __init__(self, delimiters: str, limit: int, *, quoted: bool = True, ends: str = "\r\n") -> None:
        """`delimiters` are all that may stand between two cells, `ends` what ends a line; both in ASCII."""
        self._quoted, self._ends = quoted, ends
        self._stop = re.compile(f"[{ends}]".encode())
        self._mark_or_stop = re.compile(f'["{ends}]'.encode()) if quoted else self._stop
        self.separated_by(delimiters, limit)
        self._buffer = bytearray()
        self._start = self._at = 0  # where the record begins, and how far it has been looked at
        self._in_quotes = self._skipping = self._after_cr = False
        self._fault: Fault | None = None
        self._line = 1

    def separated_by(self, delimiters: str, limit: int) -> None:
        """Go on from here with these delimiters and this limit, once the header has shown them."""
        self._delimiters = frozenset(delimiters.encode())
        self._after_quote = frozenset((delimiters + self._ends).encode())
        self._limit = limit

    def first(self, chunk: bytes, *, last: bool) -> Cut | None:
        """The first record, once it has ended or the stream has; what follows it waits for `feed`."""
        self._buffer += chunk
        cuts = self._cuts(last=last, most=1) or (self.close() if last else [])
        return cuts[0] if cuts else None

    def feed(self, chunk: bytes) -> list[Cut]:
        """The records that end in this chunk."""
        self._buffer += chunk
        return self._cuts(last=False)

    def close(self) -> list[Cut]:
        """The record that the stream ended in, if any, and those before it."""
        cuts = self._cuts(last=True)
        if len(self._buffer) > self._start and not self._skipping:
            if self._in_quotes and self._fault is None:
                self._fault = Fault.TRUNCATED
            cuts.append(self._cut(len(self._buffer)))
            self._buffer.clear()
            self._start = self._at = 0
        return cuts

    def _cuts(self, *, last: bool, most: int = -1) -> list[Cut]:
        found: list[Cut] = []
        while len(found) != most and (end := self._end(last=last)) is not None:
            if end - self._start > self._limit:
                self._fault, self._skipping = Fault.TOO_LARGE, True
                found.append(self._cut(self._start + self._limit))
            elif self._skipping:
                self._skipping = False
                self._line += 1
                self._start = end
                self._pass_stop(end)
            else:
                blank = end == self._start
                if not blank:
                    found.append(self._cut(end))
                self._line += not (blank and self._after_cr and self._buffer[end] == _LF)
                self._pass_stop(end)
        del self._buffer[: self._start]
        self._at -= self._start
        self._start = 0
        return found

    def _pass_stop(self, end: int) -> None:
        self._after_cr = self._buffer[end] == _CR
        self._start = self._at = end + 1

    def _cut(self, end: int) -> Cut:
        raw = bytes(self._buffer[self._start : end])
        cut = Cut(self._line, raw, self._fault)
        self._line += raw.count(b"\n") + raw.count(b"\r") - raw.count(b"\r\n")
        self._start = self._at = end
        self._in_quotes, self._after_cr, self._fault = False, False, None
        return cut

    def _end(self, *, last: bool) -> int | None:
        """Where the record ends, as far as the stream has come; any place beyond the limit will do. None: not yet."""
        buffer = self._buffer
        if self._skipping:
            match = self._stop.search(buffer, self._start)
            if match is not None:
                self._start = match.start()
                return self._start
            self._start = self._at = len(buffer)
            return None
        while self._at < len(buffer):
            if self._at - self._start > self._limit:
                return self._at
            if self._in_quotes:
                if not self._closes(last=last):
                    break
                continue
            if self._quoted and self._at == self._start and buffer[self._at] == _QUOTE:
                self._in_quotes, self._at = True, self._at + 1
                continue
            match = (self._stop if self._fault else self._mark_or_stop).search(buffer, self._at)
            if match is None:
                self._at = len(buffer)
            elif buffer[match.start()] == _QUOTE:
                self._in_quotes, self._at = buffer[match.start() - 1] in self._delimiters, match.end()
            else:
                return match.start()
        return self._at if self._at - self._start > self._limit else None

    def _closes(self, *, last: bool) -> bool:
        """Go on to behind the mark that closes a cell; whether there was anything to go on to."""
        buffer = self._buffer
        mark = buffer.find(_QUOTE, self._at)
        if mark < 0:
            self._at = len(buffer)
            return False
        if mark + 1 == len(buffer):
            self._at = mark + 1 if last else mark
            self._in_quotes = not last
            return last
        after = buffer[mark + 1]
        if after == _QUOTE:
            self._at = mark + 2
            return True
        self._in_quotes, self._at = False, mark + 1
        if after not in self._after_quote:
            self._fault = Fault.MALFORMED
        return True


def says_nothing(raw: bytes, delimiter: str) -> bool:
    """Whether a record has nothing but empty cells: spreadsheets end in such rows."""
    return not raw.strip(b'" \t' + delimiter.encode())
