"""What a witness keeps: written before it is shown, whole after a crash, never taken for nothing when it is spoilt."""

import os
import subprocess
import sys
import threading
from hashlib import sha256
from pathlib import Path

import pytest

from audit.checkpoint import Checkpoint
from audit.errors import Inconsistent, NotCosigned, OriginUnknown, SizeMoved, WitnessFault
from audit.note import Cosigner, Signer
from audit.witness import log_keys
from audit.witness_state import Witness
from tests.audit.witnessed import AT, LOG, WITNESS, checkpoint, forked, numbered, submission

LOGS = log_keys([LOG.verifier])
FILE = f"{sha256(LOG.name.encode()).hexdigest()}.checkpoint"


def opened(directory: Path) -> Witness:
    return Witness(WITNESS, LOGS, directory, lambda: AT)


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    return opened(tmp_path / "state")


def test_what_was_cosigned_is_kept_and_served(witness: Witness) -> None:
    assert witness.seen(LOG.name) is None
    granted = witness.add(submission(0, numbered(3)))
    seen = witness.seen(LOG.name)
    assert seen == (granted.checkpoint, granted.note)
    assert witness.latest(sha256(LOG.name.encode()).hexdigest()) == granted.note
    assert witness.latest("0" * 64) is None


def test_it_outlives_the_process(witness: Witness) -> None:
    witness.add(submission(0, numbered(3)))
    again = opened(witness.directory)
    with pytest.raises(SizeMoved):
        again.add(submission(0, numbered(5)))
    assert again.add(submission(3, numbered(5))).checkpoint.size == 5


def test_a_log_that_is_not_known_leaves_nothing(witness: Witness) -> None:
    with pytest.raises(OriginUnknown):
        witness.add(submission(0, numbered(2), Signer.from_seed("log.example/other", bytes(32))))
    assert {path.name for path in witness.directory.iterdir()} == {"lock"}


def test_the_cosignature_is_not_shown_before_it_is_kept(witness: Witness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever step of the writing fails, the caller gets no line."""
    witness.add(submission(0, numbered(3)))

    def failing(*_: object) -> None:
        raise OSError("the disk is full")

    for name in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, failing)
            with pytest.raises(OSError, match="full"):
                witness.add(submission(3, numbered(5)))
    assert opened(witness.directory).seen(LOG.name) is not None


_CRASH = """
import os, sys
from pathlib import Path
from audit.witness_state import Witness
from audit.witness import log_keys
from tests.audit.witnessed import AT, LOG, WITNESS, numbered, submission

calls = 0
fsync = os.fsync
def fsync_and_die(handle):
    global calls
    fsync(handle)
    calls += 1
    if calls == int(sys.argv[2]):
        os._exit(9)
os.fsync = fsync_and_die
Witness(WITNESS, log_keys([LOG.verifier]), Path(sys.argv[1]), lambda: AT).add(submission(3, numbered(5)))
"""


@pytest.mark.parametrize(("at", "size"), [(1, 3), (2, 5)])
def test_a_crash_leaves_the_old_state_or_the_new_one(witness: Witness, at: int, size: int) -> None:
    """Before the rename the old one, after it the new one, although nobody was answered; either way it goes on."""
    witness.add(submission(0, numbered(3)))
    command = [sys.executable, "-c", _CRASH, str(witness.directory), str(at)]
    assert subprocess.run(command, check=False, timeout=60).returncode == 9
    again = opened(witness.directory)
    seen = again.seen(LOG.name)
    assert seen is not None
    assert seen[0].size == size
    with pytest.raises(Inconsistent):
        again.add(submission(size, forked(6, 1)))
    assert again.add(submission(size, numbered(5))).checkpoint.size == 5
    assert again.add(submission(5, numbered(6))).checkpoint.size == 6


@pytest.mark.parametrize(
    "spoilt",
    [
        b"",
        b"\xff",
        checkpoint(numbered(3)).encode(),
        (checkpoint(numbered(3)) + Cosigner.from_seed("other", bytes(32)).cosign("x\n", 1)).encode(),
    ],
)
def test_a_state_that_cannot_be_read_stops_the_witness(witness: Witness, spoilt: bytes) -> None:
    """Taken for none it would let the log begin again."""
    witness.add(submission(0, numbered(3)))
    (witness.directory / FILE).write_bytes(spoilt)
    with pytest.raises(WitnessFault):
        witness.add(submission(0, numbered(4)))
    assert (witness.directory / FILE).read_bytes() == spoilt


def test_the_evidence_of_two_histories_is_kept_once(witness: Witness) -> None:
    granted = witness.add(submission(0, numbered(5)))
    fork = submission(5, forked(5, 2))
    for _ in range(3):
        with pytest.raises(Inconsistent):
            witness.add(fork)
    (folder,) = (witness.directory / "evidence").iterdir()
    assert (folder / "seen").read_text(encoding="utf-8") == granted.note
    offered = (folder / "offered").read_text(encoding="utf-8")
    seen = Checkpoint.open((folder / "seen").read_text(encoding="utf-8"), LOG.verifier)
    other = Checkpoint.open(offered, LOG.verifier)
    assert seen.size == other.size
    assert seen.root != other.root, "the log signed two histories"


def test_threads_and_processes_never_cosign_two_histories(witness: Witness) -> None:
    """Two forks race from one size, in two witnesses over one directory: exactly one wins, and the state is its."""
    witness.add(submission(0, numbered(3)))
    histories = [numbered(9), [*numbered(3), *[b"other"] * 6]]
    won: list[bytes] = []
    start = threading.Barrier(len(histories) * 4)

    def race(history: list[bytes]) -> None:
        own = opened(witness.directory)
        start.wait()
        try:
            own.add(submission(3, history))
        except NotCosigned:
            return
        won.append(Checkpoint.unverified(checkpoint(history)).root)

    threads = [threading.Thread(target=race, args=(history,)) for history in histories for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    seen = witness.seen(LOG.name)
    assert seen is not None
    assert won == [seen[0].root]
