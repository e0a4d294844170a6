"""Where the entries come from: a log in the database, or an auditor's pack in a file. Both give the same.

A source reads in order and a piece at a time, so that memory does not grow with the log. It checks nothing: that a pack
is whole and unaltered is for `python -m audit verify` to say, and whoever reads a pack here has it verified first.

Source: design.md section 7 (entries, pack); `audit.pack` (the form of the file).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Protocol

import orjson
from sqlalchemy import Connection

from audit import search as log_search
from audit import sql as log_sql
from audit.checkpoint import Checkpoint
from audit.entry import timestamp
from audit.errors import NoteMalformed, SignatureInvalid
from audit.note import CosignerVerifier, split
from audit.pack import HEADER
from audit.search import Query
from gateway.terms import texts

DOCUMENT_MAX_BYTES = 16 * 1024 * 1024
"""The longest text a pack is read with; an agreement is some 60 KB."""


class SourceUnreadable(Exception):
    """The file is no pack that can be read; the words say where."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """An entry as it was sealed: its index in the log, and its JSON object."""

    index: int
    said: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The entry's id."""
        found: str = self.said["id"]
        return found

    @property
    def at(self) -> datetime:
        """When the act was sealed."""
        return datetime.fromisoformat(self.said["time"])


@dataclass(frozen=True, slots=True)
class Seen:
    """That a witness has cosigned the log at a size, and when it says it did; the cosignature has been checked."""

    witness: str
    size: int
    at: datetime


class Source(Protocol):
    """The entries of one log, the texts they name, and who has seen it."""

    @property
    def size(self) -> int:
        """How many entries there are."""
        ...

    @property
    def texts(self) -> Mapping[str, bytes]:
        """The agreement texts by their SHA-256 in hex; a pack's mapping listings are among them."""
        ...

    @property
    def seen(self) -> tuple[Seen, ...]:
        """What witnesses have cosigned, by rising size: it is not in the entries, but beside them."""
        ...

    def entries(self, start: datetime | None = None, stop: datetime | None = None) -> Iterator[Sealed]:
        """The entries sealed from `start` on and before `stop`, by index. None is no bound."""
        ...

    def earlier(self, events: AbstractSet[str], start: datetime | None) -> Iterator[Sealed]:
        """The entries of these events sealed before `start`, by index; none where there is no start."""
        ...


class LogSource:
    """A log in the database, as far as it was committed when this was made. Use it with its connection open."""

    def __init__(self, connection: Connection, log_id: str) -> None:
        """Raise LogUnknown where there is no such log."""
        self._connection = connection
        self._log_id = log_id
        self.size = log_sql.read_head(connection, log_id).size
        self.texts = {digest: text for _, digest, text in texts(connection, log_id)}
        self.seen = tuple(
            Seen(one.key.partition("+")[0], one.size, datetime.fromtimestamp(one.time, UTC))
            for one in log_sql.cosignatures(connection, log_id)
        )

    def bounds(self, start: datetime | None = None, stop: datetime | None = None) -> tuple[int, int]:
        """The indexes [first, end) of the entries sealed in a range."""
        first = self._first(timestamp(start)) if start else 0
        return first, max(first, self._first(timestamp(stop)) if stop else self.size)

    def entries(self, start: datetime | None = None, stop: datetime | None = None) -> Iterator[Sealed]:
        """See `Source.entries`."""
        for stored in log_sql.leaves(self._connection, self._log_id, *self.bounds(start, stop)):
            yield Sealed(stored.idx, orjson.loads(stored.body))

    def earlier(self, events: AbstractSet[str], start: datetime | None) -> Iterator[Sealed]:
        """See `Source.earlier`."""
        if start is None:
            return
        query = Query(any_of=(tuple(("event", one) for one in sorted(events)),))
        stop, _ = self.bounds(start)
        for stored in log_search.matching(self._connection, self._log_id, query, stop=stop):
            yield Sealed(stored.idx, orjson.loads(stored.body))

    def _first(self, time: str) -> int:
        """The first index sealed at a time or later: a log's times never run backwards, so halving finds it."""
        low, high = 0, self.size
        while low < high:
            middle = (low + high) // 2
            body = log_sql.entry(self._connection, self._log_id, middle).body
            low, high = (middle + 1, high) if _time(body) < time.encode() else (low, middle)
        return low


class PackSource:
    """An auditor's pack in a file. It is read through once for its texts, and again for each question."""

    def __init__(self, path: Path) -> None:
        """Raise SourceUnreadable where the file is no pack."""
        self._path = path
        self.size = 0
        self.texts: dict[str, bytes] = {}
        self._witnesses: list[CosignerVerifier] = []
        notes: list[str] = []
        try:
            with path.open("rb") as file:
                self._survey(file, notes)
            self.seen = tuple(one for note in notes for one in _seen(note, self._witnesses))
        except OSError:
            raise SourceUnreadable(f"{path}: there is no such file") from None
        except (NoteMalformed, SignatureInvalid, UnicodeDecodeError):
            raise SourceUnreadable(f"{path}: a checkpoint is not in form; verify the pack first") from None

    def entries(self, start: datetime | None = None, stop: datetime | None = None) -> Iterator[Sealed]:
        """See `Source.entries`."""
        first = timestamp(start).encode() if start else b""
        end = timestamp(stop).encode() if stop else _NEVER
        for index, body in self._bodies():
            if first <= _time(body) < end:
                yield Sealed(index, self._said(index, body))

    def earlier(self, events: AbstractSet[str], start: datetime | None) -> Iterator[Sealed]:
        """See `Source.earlier`."""
        if start is None:
            return
        before = timestamp(start).encode()
        perhaps = re.compile(b'"event":"(?:%s)"' % b"|".join(re.escape(one.encode()) for one in sorted(events))).search
        for index, body in self._bodies():
            if _time(body) >= before:
                return
            if perhaps(body):
                said = self._said(index, body)
                if said["event"] in events:
                    yield Sealed(index, said)

    def _survey(self, file: IO[bytes], notes: list[str]) -> None:
        """Count the entries, and keep witnesses, checkpoints and texts."""
        if file.readline(len(HEADER) + 1) != HEADER:
            raise SourceUnreadable(f"{self._path}: not a pack of this version")
        note: list[bytes] | None = None
        for line in iter(file.readline, b""):
            tag = line.partition(b" ")[0]
            if line == _CHECKPOINT or tag in _TAGS:
                if note:
                    notes.append(b"".join(note).decode())
                note = [] if line == _CHECKPOINT else None
            if tag == b"entry":
                self.size += 1
            elif tag == b"witness" and note is None:
                self._witnesses.append(CosignerVerifier.from_text(line[len(b"witness ") : -1].decode()))
            elif tag == b"document":
                self._keep_text(file, line)
            elif note is not None and line != _CHECKPOINT:
                note.append(line)
            if tag == b"end":
                return self._check_ended(file)
        raise SourceUnreadable(f"{self._path}: the pack is cut short")

    def _check_ended(self, file: IO[bytes]) -> None:
        if file.read(1):
            raise SourceUnreadable(f"{self._path}: the pack goes on after its end")

    def _keep_text(self, file: IO[bytes], line: bytes) -> None:
        fields = line.split()
        text = b""
        with suppress(ValueError, IndexError):
            if 0 <= (length := int(fields[2])) <= DOCUMENT_MAX_BYTES:
                text = file.read(length + 1)[:-1]
        if len(fields) != _DOCUMENT_FIELDS or hashlib.sha256(text).hexdigest().encode() != fields[1]:
            raise SourceUnreadable(f"{self._path}: a text of the pack does not have its hash")
        self.texts[fields[1].decode()] = text

    def _bodies(self) -> Iterator[tuple[int, bytes]]:
        with self._path.open("rb") as file:
            for line in iter(file.readline, b""):
                if line.startswith(b"entry "):
                    _, index, _, body = line.split(b" ", 3)
                    yield int(index), body[:-1]
                elif line.startswith(b"document "):
                    return

    def _said(self, index: int, body: bytes) -> Mapping[str, Any]:
        try:
            said: Mapping[str, Any] = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise SourceUnreadable(f"{self._path}: entry {index} cannot be read; verify the pack first") from None
        return said


_NEVER = b"~"  # after every time, as text
_CHECKPOINT = b"checkpoint\n"
_TAGS = frozenset({b"entry", b"node", b"document", b"end"})
_DOCUMENT_FIELDS = 3


def _seen(note: str, witnesses: list[CosignerVerifier]) -> Iterator[Seen]:
    """The cosignatures of a checkpoint. Raises NoteMalformed or SignatureInvalid."""
    text, signatures = split(note)
    known = {(one.name, one.key_id): one for one in witnesses}
    for signature in signatures:
        witness = known.get((signature.name, signature.key_id))
        if witness is not None:
            at = datetime.fromtimestamp(witness.verify(text, signature.raw), UTC)
            yield Seen(witness.name, Checkpoint.from_text(text).size, at)


def _time(body: bytes) -> bytes:
    """The time of an entry, from the fixed end of its canonical form: `"time":"…24 characters…","v":1}`."""
    return body[-32:-8]
