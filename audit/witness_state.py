"""What a witness has seen, kept on its own disk: for each log the last checkpoint it cosigned, and what it refused.

One file a log, named by the SHA-256 of its origin, with the checkpoint, the log's signature and the witness's own. It
is written beside, synced, and renamed before the cosignature is shown to anybody, so that a crash at any moment leaves
the old state or the new one. A file that cannot be read stops the witness: taken for none, it would let a log begin a
second history. One process holds the directory while it considers; others wait.
"""

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

from audit.checkpoint import Checkpoint
from audit.errors import Inconsistent, NoteMalformed, SignatureInvalid, WitnessFault
from audit.note import Cosigner, Verifier, keep, split
from audit.witness import Cosigned, Submission, consider, origin_of

_PRIVATE: Final = 0o700
_EVIDENCE: Final = "evidence"


def now() -> int:
    """The time in whole seconds since 1970."""
    return int(time.time())


class Witness:
    """One witness over one directory. Safe to share between threads, and the directory between processes.

    `logs` are the keys of the logs it knows, by origin. `clock` gives seconds since 1970.
    """

    def __init__(
        self, cosigner: Cosigner, logs: Mapping[str, Verifier], directory: Path, clock: Callable[[], int] = now
    ) -> None:
        self.cosigner = cosigner
        self.logs = logs
        self.directory = directory
        self._clock = clock
        self._turn = threading.Lock()
        directory.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)

    def add(self, given: Submission) -> Cosigned:
        """Cosign a checkpoint and keep it, in this order of effect: kept first, then returned.

        Raises a `NotCosigned`, or `WitnessFault` where the state cannot be read. Where a log shows two histories, both
        checkpoints are kept as evidence.
        """
        origin = origin_of(given)
        with self._turn, self._alone():
            seen = self.seen(origin) if origin in self.logs else None
            try:
                granted = consider(given, self.logs, seen and seen[0], self.cosigner, self._clock())
            except Inconsistent:
                self.accuse(origin, given.note)
                raise
            _write(self._file(origin), granted.note)
        return granted

    def seen(self, origin: str) -> tuple[Checkpoint, str] | None:
        """The last checkpoint cosigned of a log, and its signed note; None where there is none. Raises WitnessFault."""
        try:
            note = self._file(origin).read_bytes().decode()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError):
            raise WitnessFault("the state cannot be read") from None
        return self._own(origin, note), note

    def latest(self, origin_hash: str) -> str | None:
        """The last signed note of the log whose origin has this SHA-256 (hex), for monitors."""
        for origin in self.logs:
            if sha256(origin.encode()).hexdigest() == origin_hash:
                found = self.seen(origin)
                return found[1] if found else None
        return None

    def accuse(self, origin: str, offered: str) -> Path:
        """Keep the checkpoint last cosigned and a signed one that does not go with it, once each pair; return where.

        Two of one size with different roots prove two histories by themselves. Of different sizes they show what the
        log could not join, or that whoever handed the later one in gave no good proof: ask the log itself.
        """
        seen = self.seen(origin)
        kept = keep(offered, self.logs[origin])  # what others added to it must not make it a new one
        name = sha256(f"{seen and seen[0].text}{kept}".encode()).hexdigest()[:16]
        folder = self.directory / _EVIDENCE / name
        folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        if seen is not None:
            _write(folder / "seen", seen[1])
        _write(folder / "offered", kept)
        return folder

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the directory against other processes; the lock goes with the process, however it ends."""
        handle = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _own(self, origin: str, note: str) -> Checkpoint:
        """Open what this witness itself wrote: the log's signature on it and, last, its own."""
        try:
            found = Checkpoint.open(note, self.logs[origin])
            self.cosigner.verifier.verify(found.text, split(note)[1][-1].raw)
        except (NoteMalformed, SignatureInvalid) as fault:
            raise WitnessFault(f"the state of a log is not as this witness wrote it: {fault}") from None
        return found

    def _file(self, origin: str) -> Path:
        return self.directory / f"{sha256(origin.encode()).hexdigest()}.checkpoint"


def _write(path: Path, text: str) -> None:
    """Have the file hold the text, durably, or what it held before."""
    beside = path.with_name(f"{path.name}.new")
    with beside.open("wb") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)  # the rename, not only the content
    finally:
        os.close(handle)
