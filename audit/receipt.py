"""A receipt: the proof that an entry is in a log, as text (C2SP tlog-proof v1) or in an API reply.

The leaf hash travels in the `extra` line. The specification leaves that line to the application and
does not authenticate it; here the inclusion path does, so a receipt can be checked by itself. What the
entry says is not in it: whoever holds the entry compares `leaf_hash(entry)` with `leaf`.
"""

from dataclasses import dataclass
from typing import Final, Self, TypedDict

from audit.checkpoint import Checkpoint
from audit.encoding import decimal, hash_from_base64, to_base64
from audit.errors import NoteMalformed
from audit.note import Verifier
from audit.proof import verify_inclusion

_HEADER: Final = "c2sp.org/tlog-proof@v1"


class ReceiptJson(TypedDict):
    """A receipt in an API reply; hashes in Base 64, the checkpoint verbatim."""

    log: str
    index: int
    leaf_hash: str
    hashes: list[str]
    checkpoint: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """The place of one entry in a log: its index, leaf hash, inclusion path (lowest first), checkpoint."""

    origin: str
    index: int
    leaf: bytes
    path: tuple[bytes, ...]
    checkpoint_text: str

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read a tlog-proof whose extra line is a leaf hash; raise `NoteMalformed`."""
        head, blank, note = text.partition("\n\n")
        lines = head.split("\n")
        if not blank or len(lines) < 3 or lines[0] != _HEADER:  # noqa: PLR2004 - header, extra, index
            raise NoteMalformed("the text is not a tlog-proof")
        leaf = hash_from_base64(_field(lines[1], "extra "))
        index = decimal(_field(lines[2], "index "))
        path = tuple(hash_from_base64(line) for line in lines[3:])
        return cls(Checkpoint.unverified(note).origin, index, leaf, path, note)

    def to_text(self) -> str:
        """Return the receipt as a tlog-proof."""
        hashes = "".join(f"{to_base64(one)}\n" for one in self.path)
        return f"{_HEADER}\nextra {to_base64(self.leaf)}\nindex {self.index}\n{hashes}\n{self.checkpoint_text}"

    def to_json(self) -> ReceiptJson:
        """Return the receipt as an API reply carries it."""
        return {
            "log": self.origin,
            "index": self.index,
            "leaf_hash": to_base64(self.leaf),
            "hashes": [to_base64(one) for one in self.path],
            "checkpoint": self.checkpoint_text,
        }

    def verify(self, verifier: Verifier) -> Checkpoint:
        """Check the receipt against the log's key and return the checkpoint it leads to.

        Raises `SignatureInvalid`, `ProofInvalid` or `NoteMalformed`. It does not know witnesses.
        """
        checkpoint = Checkpoint.open(self.checkpoint_text, verifier)
        verify_inclusion(self.index, checkpoint.size, self.leaf, self.path, checkpoint.root)
        return checkpoint


def _field(line: str, name: str) -> str:
    if not line.startswith(name):
        raise NoteMalformed(f"the line {name.strip()} is missing")
    return line.removeprefix(name)
