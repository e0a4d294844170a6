"""The log without storage: a head, the entries it grows by, and the sealed batch that is to be stored.

Pure: no clock, no I/O. A batch is taken in order, may be cut back (a unit that failed), and is then
sealed: hashed into the tree and signed once. Whoever stores it must do so before anybody sees it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from audit.checkpoint import Checkpoint
from audit.errors import IndexUnknown
from audit.note import Signer
from audit.proof import batch_inclusions
from audit.receipt import Receipt
from audit.tree import append, leaf_hash, root


@dataclass(frozen=True, slots=True)
class Head:
    """Where a log stands. `range` is the compact range of the tree; `checkpoint` the last signed note.

    `terms_epoch` is the caller's counter, opaque here: it is read together with the head it guards. `updated_at` is
    when the stored head was written, None where it has not been.
    """

    origin: str
    size: int
    range: tuple[bytes, ...]
    checkpoint: str
    terms_epoch: int = 0
    updated_at: datetime | None = field(default=None, compare=False)


def empty_head(origin: str, signer: Signer) -> Head:
    """Return the head of a log that has no entry; its origin is its key's name."""
    return Head(origin, 0, (), Checkpoint(origin, 0, root(())).sign(signer))


class Growth:
    """A batch in the making on top of a head. Not shared between threads."""

    def __init__(self, head: Head) -> None:
        self._head = head
        self._entries: list[bytes] = []

    def __len__(self) -> int:
        """Return the number of entries so far; also the mark to `truncate` to."""
        return len(self._entries)

    @property
    def entries(self) -> Sequence[bytes]:
        """The entries so far, in order."""
        return self._entries

    def append(self, entry: bytes) -> int:
        """Take the bytes of an entry (`Entry.to_bytes`) and return the index it will have in the log."""
        self._entries.append(entry)
        return self._head.size + len(self._entries) - 1

    def truncate(self, mark: int) -> None:
        """Forget every entry after the first `mark`, as if it had never been appended."""
        del self._entries[mark:]

    def seal(self, signer: Signer) -> "Sealed":
        """Hash the batch into the tree and sign the checkpoint. About 2 us an entry, and one signature."""
        head = self._head
        compact = list(head.range)
        leaves = []
        nodes = []
        index = head.size
        for entry in self._entries:
            leaf = leaf_hash(entry)
            leaves.append((index, entry, leaf))
            nodes += append(compact, index, leaf)
            index += 1
        checkpoint = Checkpoint(head.origin, index, root(compact)).sign(signer)
        grown = Head(head.origin, index, tuple(compact), checkpoint, head.terms_epoch)
        return Sealed(head, grown, tuple(leaves), tuple(nodes))


@dataclass(frozen=True, slots=True)
class Sealed:
    """A batch that is hashed and signed, and not yet stored.

    `base` is the head it grew from and `head` the one it makes. `leaves` are (index, entry, leaf hash).
    `nodes` are the newly complete inner nodes, (level, index, hash) with level >= 1: level 0 is the leaf
    hashes, which are stored with their entries.
    """

    base: Head
    head: Head
    leaves: tuple[tuple[int, bytes, bytes], ...]
    nodes: tuple[tuple[int, int, bytes], ...]

    @property
    def checkpoint(self) -> str:
        """The signed checkpoint of the new head."""
        return self.head.checkpoint

    def receipts(self) -> list[Receipt]:
        """Return the receipt of every entry of the batch, in order, without reading any storage."""
        origin, checkpoint = self.head.origin, self.head.checkpoint
        paths = batch_inclusions(self.base.size, self.base.range, [leaf for _, _, leaf in self.leaves])
        return [
            Receipt(origin, index, leaf, path, checkpoint)
            for (index, _, leaf), path in zip(self.leaves, paths, strict=True)
        ]

    def receipt(self, index: int) -> Receipt:
        """Return the receipt of one entry of the batch; raise `IndexUnknown` for any other.

        It costs as much as `receipts`, which serves a whole batch.
        """
        if not self.base.size <= index < self.head.size:
            raise IndexUnknown("the entry is not of this batch")
        return self.receipts()[index - self.base.size]
