"""The lines of a pack, one by one, with a view ahead: where the next stretch begins, and what was found in it.

Reading is the same whether or not anybody looks ahead. `divide` cuts the pack where entries 0, 1024, 2048 … begin and
hands each piece to `Judges` before it is read; a piece that cannot be told apart is only read line by line. Memory: the
pieces under judgement, each at most `_LONGEST_PIECE` and a block.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Final, Protocol

from audit.stretch import SPAN, Stretch

LONGEST_LINE: Final = 66_000  # the longest entry, and the fields before it
_BLOCK: Final = 1 << 20
_LONGEST_PIECE: Final = 8 << 20  # six times an honest one; entries beyond that size are read line by line
_AFTER_ENTRIES: Final = (b"\ndocument ", b"\nend ")

Verdict = Callable[[], Stretch | None]


class Readable(Protocol):
    """A file open for reading bytes, or whatever reads like one."""

    def read(self, size: int, /) -> bytes:
        """Return at most `size` bytes, and none only at the end."""
        ...


class Judges(Protocol):
    """Whoever judges pieces. `ahead` is how many pieces may wait for their verdict; at least one."""

    @property
    def ahead(self) -> int:
        """The number of pieces to hand over before the first verdict is asked for."""
        ...

    def submit(self, raw: bytes, start: int, wanted: tuple[int, ...]) -> Verdict:
        """Take the arguments of `audit.stretch.judge` and return what gives its answer."""
        ...


class Lines:
    """The lines of a pack, with their number; one line can be handed back."""

    def __init__(self, pack: Readable) -> None:
        self._blocks = iter(lambda: pack.read(_BLOCK), b"")
        self._pieces: Iterator[tuple[bytes, Verdict | None]] = ((block, None) for block in self._blocks)
        self._raw = b""
        self._at = 0
        self._verdict: Verdict | None = None
        self.number = 0

    def next(self) -> bytes:
        """Return the next line with its newline, at most 66,000 bytes of it; nothing at the end."""
        self.number += 1
        self._next_piece()
        while (end := self._raw.find(b"\n", self._at, self._at + LONGEST_LINE)) < 0:
            if len(self._raw) - self._at >= LONGEST_LINE or not self._lengthen():
                end = min(len(self._raw), self._at + LONGEST_LINE) - 1
                break
        line = self._raw[self._at : end + 1]
        self._at = end + 1
        return line

    def hand_back(self, line: bytes) -> None:
        """Let `next` return the line it returned last again."""
        self.number -= 1
        self._at -= len(line)

    def hash_of(self, length: int) -> str | None:
        """Read `length` raw bytes and a newline; return the SHA-256 in hex, None if the file ends before."""
        digest = sha256()
        while length > 0:
            self._next_piece()
            part = self._raw[self._at : self._at + length]
            if not part:
                return None
            self._at += len(part)
            self.number += part.count(b"\n")
            digest.update(part)
            length -= len(part)
        self._next_piece()
        end = self._raw[self._at : self._at + 1]
        self._at += len(end)
        self.number += 1
        return digest.hexdigest() if end == b"\n" else None

    def divide(self, limit: int, wanted: tuple[int, ...], judges: Judges) -> None:
        """Look ahead from the next line on, where the first of `limit` entries is. `wanted` are rising sizes."""
        rest, self._raw, self._at = self._raw[self._at :], b"", 0
        self._pieces = _judged(_cut(rest, self._blocks, limit), wanted, judges)

    def stretch(self) -> Stretch | None:
        """Return the flawless entries that begin with the next line, where that is known."""
        self._next_piece()
        return self._verdict() if self._verdict is not None and self._at == 0 else None

    def skip(self, stretch: Stretch) -> None:
        """Pass over the entries that `stretch` returned."""
        self._at = stretch.used
        self.number += stretch.lines

    def _next_piece(self) -> None:
        """Go on to the next piece where this one has been read to its end."""
        if self._at == len(self._raw):
            self._raw, self._verdict = next(self._pieces, (b"", None))
            self._at = 0

    def _lengthen(self) -> bool:
        """Put the next piece after what is left of this one; tell whether there was any."""
        piece, _ = next(self._pieces, (b"", None))
        self._raw, self._at, self._verdict = self._raw[self._at :] + piece, 0, None
        return bool(piece)


def _cut(held: bytes, blocks: Iterator[bytes], limit: int) -> Iterator[tuple[bytes, int | None]]:
    """Yield the pack in pieces, each with the entry it begins with; None where that is not known."""
    for start in range(0, limit, SPAN):
        marks = (b"\nentry %d " % (start + SPAN),) if start + SPAN < limit else _AFTER_ENTRIES
        searched = 0
        while not (found := [at for mark in marks if (at := held.find(mark, searched)) >= 0]):
            block = next(blocks, b"") if len(held) < _LONGEST_PIECE else b""
            if not block:
                yield held, None
                yield from ((one, None) for one in blocks)
                return
            searched = max(0, len(held) - len(marks[0]))
            held += block
        cut = min(found) + 1
        yield held[:cut], start
        held = held[cut:]
    yield held, None
    yield from ((one, None) for one in blocks)


def _judged(
    pieces: Iterator[tuple[bytes, int | None]], wanted: tuple[int, ...], judges: Judges
) -> Iterator[tuple[bytes, Verdict | None]]:
    """Yield the pieces with their verdicts, always a few pieces behind those handed over."""
    waiting: deque[tuple[bytes, Verdict | None]] = deque()
    for raw, start in pieces:
        if not raw:
            continue
        verdict = None
        if start is not None:
            inside = wanted[bisect_right(wanted, start) : bisect_right(wanted, start + SPAN)]
            verdict = judges.submit(raw, start, inside)
        waiting.append((raw, verdict))
        if len(waiting) >= judges.ahead:
            yield waiting.popleft()
    yield from waiting
