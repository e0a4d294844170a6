"""Bytes that hold one message or many: cut into messages, and the counts of the trailers compared.

A batch is FHS, BHS, messages, BTS, FTS, each but the messages optional; messages that merely follow one another are
one as well. Nothing inside a message is read. Acknowledging each is the caller's business.

Source: HL7 v2.4 section 2.14.3 (batch protocol), 2.16.2 (BTS) and 2.16.6 (FTS).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from adapters.nhs.hl7v2.finding import Finding, Level, Said
from adapters.socket import Fault, Problem, Unreadable

_LINE: Final = re.compile(rb"[^\r\n]+[\r\n]*")
_MARK: Final = rb"(?:\xef\xbb\xbf)?[ \t]*"  # of files that were put one behind the other, each has its own
_FRAME: Final = (b"FHS", b"BHS", b"BTS", b"FTS")
MAX_MESSAGES: Final = 10_000  # a trust's night of admissions is a tenth of this


@dataclass(frozen=True, slots=True)
class Batch:
    """The messages as they were sent, and what is wrong with the frame around them (level `error`: none is whole)."""

    messages: tuple[bytes, ...]
    findings: tuple[Finding, ...] = ()


def messages(raw: bytes) -> Batch:
    """Cut bytes into messages; what begins with none is one message, which reading will refuse.

    Raises `Unreadable` where there are more than `MAX_MESSAGES`.
    """
    head = raw.lstrip(b" \t\r\n\xef\xbb\xbf")
    if head[:3] not in (b"FHS", b"BHS") and (head[:3] != b"MSH" or not _AGAIN.search(head)):
        return Batch((raw,))
    cut = _Cut()
    for line in _LINE.finditer(head):
        cut.line(line[0])
        if len(cut.found) > MAX_MESSAGES:
            raise Unreadable(Problem("", Fault.TOO_MANY_ELEMENTS))
    return cut.whole() if cut.found else Batch((raw,), cut.whole().findings)


_AGAIN: Final = re.compile(rb"[\r\n]" + _MARK + rb"(?:MSH|BTS|FTS)(?![A-Za-z0-9])")
_FRAMED: Final = re.compile(_MARK + rb"(?=(?:MSH|FHS|BHS|BTS|FTS)(?![A-Za-z0-9]))")


@dataclass(slots=True)
class _Cut:
    """The cutting of one file: messages so far, and how many there were where each frame began."""

    found: list[list[bytes]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    open: list[tuple[bytes, int]] = field(default_factory=list)  # FHS and BHS without their trailer yet
    batches: int = 0
    inside: bool = False  # whether a line belongs to a message

    def line(self, line: bytes) -> None:
        if marked := _FRAMED.match(line):
            line = line[marked.end() :]
        name = line[:3]
        if name == b"MSH" and not line[3:4].isalnum():
            self.found.append([line])
            self.inside = True
        elif name in _FRAME and not line[3:4].isalnum():
            self.inside = False
            self._frame(name, line)
        elif self.inside:
            self.found[-1].append(line)
        elif line.strip():
            self.findings.append(Finding("", Said.OUTSIDE, Level.ERROR))

    def whole(self) -> Batch:
        for name, _ in self.open:
            self.findings.append(Finding(name.decode(), Said.BATCH_CUT, Level.ERROR))
        return Batch(tuple(b"".join(one) for one in self.found), tuple(dict.fromkeys(self.findings)))

    def _frame(self, name: bytes, line: bytes) -> None:
        if name in (b"FHS", b"BHS"):
            self.batches += name == b"BHS"
            self.open.append((name, len(self.found) if name == b"BHS" else self.batches))
            return
        header = name[:1] + b"HS"
        if not self.open or self.open[-1][0] != header:
            self.findings.append(Finding(name.decode(), Said.BATCH_CUT, Level.ERROR))
            return
        _, before = self.open.pop()
        there = (len(self.found) if name == b"BTS" else self.batches) - before
        stated = re.match(rb"\d+", line[4:].strip())
        if stated is not None and int(stated[0][:9]) != there:
            self.findings.append(Finding(f"{name.decode()}-1", Said.BATCH_COUNT, Level.ERROR))
