"""Checkpoints (C2SP tlog-checkpoint): a log's name, size and root, as a signed note.

Text and value correspond exactly: what is read is written back to the same bytes. This module does not
know whether two checkpoints agree; `audit.proof` does.
"""

from dataclasses import dataclass
from typing import Final, Self

from audit.encoding import decimal, hash_from_base64, to_base64
from audit.errors import NoteMalformed, SignatureInvalid
from audit.note import Signer, Verifier, open_note, sign, split

_FIXED_LINES: Final = 3


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head. `root` is 32 bytes; `extensions` are opaque lines, and this log writes none."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read an unsigned checkpoint text, which ends in a newline; raise `NoteMalformed`."""
        lines = text.split("\n")
        if lines.pop() or len(lines) < _FIXED_LINES or not all(lines):
            raise NoteMalformed("a checkpoint is three or more non-empty lines")
        origin, size, root, *extensions = lines
        return cls(origin, decimal(size), hash_from_base64(root), tuple(extensions))

    @classmethod
    def open(cls, note: str, verifier: Verifier) -> Self:
        """Read a signed checkpoint of the log whose key this is.

        The origin must be the key's name, so that one log's checkpoint cannot stand for another's.
        Raises `NoteMalformed` or `SignatureInvalid`.
        """
        checkpoint = cls.from_text(open_note(note, [verifier]))
        if checkpoint.origin != verifier.name:
            raise SignatureInvalid("the checkpoint is of another log than the key")
        return checkpoint

    @classmethod
    def unverified(cls, note: str) -> Self:
        """Read a signed checkpoint without checking who signed it; raise `NoteMalformed`."""
        return cls.from_text(split(note)[0])

    @property
    def text(self) -> str:
        """The checkpoint as text, ending in a newline."""
        extensions = "".join(f"{line}\n" for line in self.extensions)
        return f"{self.origin}\n{self.size}\n{to_base64(self.root)}\n{extensions}"

    def sign(self, *signers: Signer) -> str:
        """Return the signed note."""
        return sign(self.text, *signers)
