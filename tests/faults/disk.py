"""A disk that fails on request, and remembers what it may be trusted to hold.

A write is sure once a sync after it has succeeded. When a sync fails, the system forgets what was to be written and
calls it clean: what was pending is then lost for good, whatever a later sync answers ("fsyncgate",
https://wiki.postgresql.org/wiki/Fsync_Errors). Three images of the files follow from that:

    process   the gateway dies: everything written is there
    power     the power fails: only what is sure is there
    torn      the power fails: of what is not sure, any sectors are there, as chance has it

The shared memory file is in none: whoever opens a database alone makes it anew.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from pathlib import Path

from tests.faults.vfs import Code, Op

SECTOR_BYTES = 512  # the least a disk writes whole

Images = dict[str, dict[str, bytes]]
"""For each kind of image the bytes of each file, by name."""


class Way(StrEnum):
    """How a call fails. A sync fails in one way only; a power cut fails nothing: the images are taken there."""

    EIO = "EIO"
    ENOSPC = "ENOSPC"
    SHORT = "short write"
    POWER_CUT = "power cut"


class _State(Enum):
    PENDING = 0
    SURE = 1
    LOST = 2


@dataclass
class _Change:
    """Bytes written at an offset, or where `data` is None the file cut to `offset`."""

    offset: int
    data: bytes | None
    state: _State = _State.PENDING


@dataclass
class _File:
    base: bytes
    changes: list[_Change] = field(default_factory=list)

    def image(self, chance: random.Random | None = None) -> bytes:
        """The file with all that is sure and, by chance, some sectors of what is not; without chance none of it."""
        content = bytearray(self.base)
        for change in self.changes:
            if change.state is _State.SURE:
                _apply(content, change.offset, change.data)
            elif chance is not None:
                _apply_some(content, change, chance)
        return bytes(content)

    def fold(self) -> None:
        """Forget how the file came to be; what was lost is lost."""
        self.base = self.image()
        self.changes = [change for change in self.changes if change.state is _State.PENDING]


def _apply(content: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        del content[offset:]
        return
    content.extend(bytes(max(0, offset - len(content))))  # a hole reads as zeros
    content[offset : offset + len(data)] = data


def _apply_some(content: bytearray, change: _Change, chance: random.Random) -> None:
    if change.data is None:
        if chance.random() < 0.5:
            _apply(content, change.offset, None)
        return
    for start in range(0, len(change.data), SECTOR_BYTES):
        if chance.random() < 0.5:
            _apply(content, change.offset + start, change.data[start : start + SECTOR_BYTES])


_ANSWERS = {
    Op.OPEN: Code.CANTOPEN,
    Op.WRITE: Code.IOERR_WRITE,
    Op.TRUNCATE: Code.IOERR_TRUNCATE,
    Op.SYNC: Code.IOERR_FSYNC,
    Op.DELETE: Code.IOERR_DELETE,
    Op.SHARED_MEMORY: Code.IOERR_SHMMAP,
}


class Disk:
    """The disk under one directory: a `vfs.Watcher`. `arm` says which call fails next, and how."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls: list[str] = []
        self.fired = 0
        self.cut: Images | None = None
        self._files: dict[str, _File] = {}
        self._turn = threading.Lock()
        self._plan: tuple[int, Way, bool, random.Random] | None = None

    def arm(self, at: int, way: Way, chance: random.Random, *, persistent: bool) -> None:
        """Have the call after so many others fail, and those that follow it as well where it is persistent."""
        with self._turn:
            for file in self._files.values():
                file.fold()
            self.calls, self.fired, self.cut = [], 0, None
            self._plan = (at, way, persistent, chance)

    def disarm(self) -> int:
        """Let every call succeed again; returns how many failed."""
        with self._turn:
            self._plan = None
            return self.fired

    def images(self, chance: random.Random) -> Images:
        """The files as each kind of crash would leave them now."""
        with self._turn:
            return self._images(chance)

    @property
    def kinds(self) -> Counter[str]:
        """How many calls of each kind were made since it was armed."""
        return Counter(self.calls)

    # The watcher: called by SQLite, in whichever thread it runs.

    def before(self, op: Op, path: str, size: int) -> tuple[Code, int]:
        """Fail the call if it is its turn."""
        with self._turn:
            number = len(self.calls)
            self.calls.append(f"{op} {path[-4:]}")
            if self._plan is None:
                return Code.OK, 0
            at, way, persistent, chance = self._plan
            if number != at and not (persistent and number > at):
                return Code.OK, 0
            self.fired += 1
            if way is Way.POWER_CUT:
                self.cut = self.cut or self._images(chance)
                return Code.OK, 0
            return _answer(op, way, size)

    def opened(self, path: str) -> None:
        """What a file holds when it is first opened is taken to be sure."""
        with self._turn:
            if path not in self._files:
                there = Path(path)
                self._files[path] = _File(there.read_bytes() if there.exists() else b"")

    def written(self, path: str, offset: int, data: bytes) -> None:
        """Not sure yet."""
        with self._turn:
            self._files[path].changes.append(_Change(offset, data))

    def truncated(self, path: str, size: int) -> None:
        """Not sure yet."""
        with self._turn:
            self._files[path].changes.append(_Change(size, None))

    def synced(self, path: str, *, done: bool) -> None:
        """What was pending is sure, or lost."""
        with self._turn:
            for change in self._files[path].changes:
                if change.state is _State.PENDING:
                    change.state = _State.SURE if done else _State.LOST

    def deleted(self, path: str) -> None:
        """Gone."""
        with self._turn:
            self._files.pop(path, None)

    def _images(self, chance: random.Random) -> Images:
        found: Images = {"process": {}, "power": {}, "torn": {}}
        for path, file in self._files.items():
            name = Path(path).name
            found["process"][name] = Path(path).read_bytes()
            found["power"][name] = file.image()
            found["torn"][name] = file.image(chance)
        return found


def _answer(op: Op, way: Way, size: int) -> tuple[Code, int]:
    """What a failing call answers, and how many bytes are written all the same."""
    if op is not Op.WRITE or way is Way.EIO:
        return _ANSWERS[op], 0
    return Code.FULL, size // 2 if way is Way.SHORT else 0
