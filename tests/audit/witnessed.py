"""Logs to witness: in memory, of plain entries, their proofs by the RFC's own words; and one that a test can fork."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from audit.checkpoint import Checkpoint
from audit.note import Cosigner, Signer
from audit.witness import Submission
from tests.audit import slow_tree
from tests.audit.worked import ORIGIN

LOG = Signer.from_seed(ORIGIN, bytes(range(32)))
WITNESS = Cosigner.from_seed("trust.example/w1", bytes(range(1, 33)))
AT = 1_790_000_000  # seconds since 1970


def numbered(size: int) -> list[bytes]:
    """Entries, each another."""
    return [b"entry %d" % number for number in range(size)]


def forked(size: int, at: int) -> list[bytes]:
    """The same entries, but for one."""
    entries = numbered(size)
    entries[at] = b"another entry"
    return entries


def checkpoint(entries: Sequence[bytes], signer: Signer = LOG) -> str:
    """The signed checkpoint of a log with these entries."""
    return Checkpoint(signer.name, len(entries), slow_tree.mth(entries)).sign(signer)


def proof(old_size: int, entries: Sequence[bytes]) -> tuple[bytes, ...]:
    """The consistency proof from an older size."""
    return tuple(slow_tree.proof(old_size, entries)) if 0 < old_size < len(entries) else ()


def submission(old_size: int, entries: Sequence[bytes], signer: Signer = LOG) -> Submission:
    """What an honest holder of these entries hands in."""
    return Submission(old_size, proof(old_size, entries), checkpoint(entries, signer))


@dataclass
class MemoryGateway:
    """The gateway as `audit.witness_watch` asks it, over a list of entries that a test may change."""

    entries: list[bytes]
    handed_in: list[str] = field(default_factory=list)
    faults: list[Exception] = field(default_factory=list)
    before: Callable[[], None] = lambda: None

    def checkpoint(self) -> str:
        """The checkpoint, or the next fault."""
        self.before()
        if self.faults:
            raise self.faults.pop(0)
        return checkpoint(self.entries)

    def consistency(self, first: int, second: int) -> tuple[bytes, ...]:
        """The proof."""
        return proof(first, self.entries[:second])

    def hand_in(self, note: str) -> None:
        """Take it."""
        self.handed_in.append(note)
