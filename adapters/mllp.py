"""MLLP framing: a stream of bytes into messages, and a message into a frame. No I/O, no clock, no meaning.

A frame is 0x0B, the message, 0x1C 0x0D. However the stream is cut into pieces, the same comes out. What is no frame is
said, by its size alone: what stands between frames (line ends there are passed over), what began and never ended, and
what is longer than is accepted, once, whereupon the reader looks for the next place where something begins or ends.
No more than `max_bytes` and the piece just fed are ever held.

A message ends at 0x1C 0x0D; 0x1C directly before a new 0x0B ends it too, since some senders leave the 0x0D out. Within
a message 0x0B begins anew only before a header (`MSH`, `FHS`, `BHS`): word processors put it into texts.

Source: HL7 v2.4 Implementation Guide, appendix C (Minimal Lower Layer Protocol); domain.md section 2.9.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_START: Final = b"\x0b"
_END: Final = b"\x1c\r"
_MARK: Final = re.compile(rb"\x1c(?=[\r\x0b])|\x0b(?=MSH|FHS|BHS)")
_LOOK = 3  # bytes: a mark is known by at most three bytes behind its first


class Stray(StrEnum):
    """What bytes that are no message were."""

    BETWEEN = "between-frames"
    UNFINISHED = "unfinished-frame"


@dataclass(frozen=True, slots=True)
class Garbage:
    """Bytes that are no message: what they were, and how many. Line ends between frames are not counted."""

    kind: Stray
    size: int


@dataclass(frozen=True, slots=True)
class TooLong:
    """More than `max_bytes` bytes without an end, or without a beginning: said once for each such stretch."""

    max_bytes: int


Found = bytes | Garbage | TooLong
"""What a stream holds, in its order: a message without its frame, or why there is none."""


def framed(message: bytes) -> bytes:
    """A message in its frame. Raises `ValueError` where it holds a byte of the frame, which would cut it in two."""
    if _START in message or _END[:1] in message:
        raise ValueError("the message holds a byte that MLLP frames are made of")
    return _START + message + _END


class _At(StrEnum):
    """Where in the stream the reader is."""

    BETWEEN = "between"
    INSIDE = "inside"
    LOST_BETWEEN = "lost-between"
    LOST_INSIDE = "lost-inside"


class Framer:
    """One connection's reader. Not safe to share."""

    __slots__ = ("_at", "_buffer", "_max", "_noise", "_seen")

    def __init__(self, max_bytes: int) -> None:
        """`max_bytes`: the longest message that is accepted, in bytes without its frame; at least 1."""
        if max_bytes < 1:
            raise ValueError("max_bytes is at least 1")
        self._max = max_bytes
        self._buffer = bytearray()
        self._at = _At.BETWEEN
        self._seen = 0  # bytes of the buffer in which no mark begins
        self._noise = 0  # bytes between frames, without line ends: some senders keep a line open with those

    def feed(self, data: bytes) -> list[Found]:
        """What is complete with these bytes, in the order of the stream; what is not complete is kept."""
        self._buffer += data
        found: list[Found] = []
        while self._inside(found) if self._at in (_At.INSIDE, _At.LOST_INSIDE) else self._between(found):
            pass
        return found

    def close(self) -> list[Garbage]:
        """What was left when the stream ended. The reader begins anew."""
        left: list[Found] = []
        if self._at is _At.INSIDE:
            left.append(Garbage(Stray.UNFINISHED, len(self._buffer)))
        elif self._at is _At.BETWEEN:
            self._quiet(left)
        self._begin(len(self._buffer))
        self._at = _At.BETWEEN
        return [one for one in left if isinstance(one, Garbage)]

    def _between(self, found: list[Found]) -> bool:
        """Look for a beginning; whether there is one. Whatever stands before it is counted and dropped."""
        start = self._buffer.find(_START)
        passed = self._buffer if start < 0 else self._buffer[:start]
        if self._at is _At.BETWEEN:
            self._noise += len(passed) - passed.count(b"\r") - passed.count(b"\n")
            if self._noise > self._max:
                found.append(TooLong(self._max))
                self._at = _At.LOST_BETWEEN
        if start < 0:
            self._buffer.clear()
            return False
        if self._at is _At.BETWEEN:
            self._quiet(found)
        self._begin(start + 1)
        return True

    def _inside(self, found: list[Found]) -> bool:
        """Look for the end of a message, or for another beginning; whether there is either."""
        lost = self._at is _At.LOST_INSIDE
        limit = self._max + 1 + _LOOK
        mark = _MARK.search(self._buffer, self._seen) if lost else _MARK.search(self._buffer, self._seen, limit)
        if mark is None:
            if not lost and len(self._buffer) >= limit:
                found.append(TooLong(self._max))
                self._at = _At.LOST_INSIDE
                self._seen = 0
                del self._buffer[: self._max + 1]
                return True
            self._seen = max(0, len(self._buffer) - _LOOK)
            if lost:
                del self._buffer[: self._seen]
                self._seen = 0
            return False
        ends = mark[0] != _START
        if not lost:
            content = bytes(self._buffer[: mark.start()])
            if len(content) > self._max:
                found.append(TooLong(self._max))
            else:
                found.append(content if ends else Garbage(Stray.UNFINISHED, len(content)))
        self._begin(mark.end())
        if ends:
            self._at = _At.BETWEEN
        return True

    def _begin(self, behind: int) -> None:
        del self._buffer[:behind]
        self._at = _At.INSIDE
        self._seen = self._noise = 0

    def _quiet(self, found: list[Found]) -> None:
        if self._noise:
            found.append(Garbage(Stray.BETWEEN, self._noise))
