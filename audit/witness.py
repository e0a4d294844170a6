"""A witness's judgement (C2SP tlog-witness): cosign a checkpoint only where it continues what was seen before.

Pure: what was last seen, what is handed in and the time are arguments. Keeping what was seen is `audit.witness_state`,
asking and answering over HTTP are `audit.witness_server` and `audit.witness_watch`. Subtrees are not cosigned.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from audit.checkpoint import Checkpoint
from audit.encoding import decimal, hash_from_base64, to_base64
from audit.errors import (
    Inconsistent,
    LogKeyMissing,
    NoteMalformed,
    OriginUnknown,
    ProofInvalid,
    SignatureInvalid,
    SizeMoved,
    SubmissionMalformed,
)
from audit.note import Cosigner, Verifier, keep
from audit.proof import verify_consistency
from audit.tree import EMPTY_ROOT

MOST_PROOF_LINES: Final = 63  # tlog-witness "add-checkpoint"


@dataclass(frozen=True, slots=True)
class Submission:
    """What a log hands to a witness: the size it was last cosigned at, the proof from there, the signed checkpoint."""

    old_size: int
    proof: tuple[bytes, ...]
    note: str

    @classmethod
    def from_bytes(cls, body: bytes) -> Self:
        """Read the body of an `add-checkpoint`; raise `SubmissionMalformed`. The note is read when it is considered."""
        try:
            head, blank, note = body.decode().partition("\n\n")
        except UnicodeDecodeError:
            raise SubmissionMalformed("the body is not UTF-8") from None
        old, *proof = head.split("\n")
        if not blank or not old.startswith("old "):
            raise SubmissionMalformed("the body is an old size, a proof, an empty line and a checkpoint")
        if len(proof) > MOST_PROOF_LINES:
            raise SubmissionMalformed("the proof has too many lines")
        try:
            return cls(decimal(old.removeprefix("old ")), tuple(map(hash_from_base64, proof)), note)
        except NoteMalformed as fault:
            raise SubmissionMalformed(str(fault)) from None

    def to_bytes(self) -> bytes:
        """The body of an `add-checkpoint`."""
        proof = "".join(f"{to_base64(one)}\n" for one in self.proof)
        return f"old {self.old_size}\n{proof}\n{self.note}".encode()


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A checkpoint that may be cosigned: `line` is the cosignature, `note` the checkpoint with the log's and this."""

    checkpoint: Checkpoint
    note: str
    line: str


def log_keys(verifiers: Sequence[Verifier]) -> dict[str, Verifier]:
    """The logs a witness knows, by origin; raise `NoteMalformed` where two keys are of one origin."""
    logs = {one.name: one for one in verifiers}
    if len(logs) != len(verifiers):
        raise NoteMalformed("two keys are given for one log")
    return logs


def origin_of(given: Submission) -> str:
    """The origin of the checkpoint handed in, nothing verified; raise `SubmissionMalformed`."""
    try:
        return Checkpoint.unverified(given.note).origin
    except NoteMalformed as fault:
        raise SubmissionMalformed(str(fault)) from None


def consider(
    given: Submission, logs: Mapping[str, Verifier], seen: Checkpoint | None, cosigner: Cosigner, unix_time: int
) -> Cosigned:
    """Cosign a checkpoint in the steps of tlog-witness; raise a `NotCosigned` where one fails.

    `seen` is the last checkpoint cosigned of this origin, None where there is none. The caller keeps the result before
    it shows the cosignature to anybody, and lets nobody else consider the same origin meanwhile.
    """
    # 1. The checkpoint is of a log known here, and signed by that log's key.
    verifier = logs.get(origin_of(given))
    if verifier is None:
        raise OriginUnknown("the log is not witnessed here")
    try:
        offered = Checkpoint.open(given.note, verifier)
    except SignatureInvalid as fault:
        raise LogKeyMissing(str(fault)) from None

    # 2. The old size is not the larger, and is that of the last checkpoint cosigned.
    if given.old_size > offered.size:
        raise SubmissionMalformed("the old size is larger than the checkpoint's")
    before = seen or Checkpoint(offered.origin, 0, EMPTY_ROOT)
    if given.old_size != before.size:
        raise SizeMoved(before.size)

    # 3. The tree seen before is a prefix of this one; an empty tree has the root of one; nothing needs no proof.
    if offered.size == 0 and offered.root != EMPTY_ROOT:
        raise Inconsistent("a log without an entry has the root of one with entries")
    try:
        verify_consistency(before.size, offered.size, before.root, offered.root, given.proof)
    except ProofInvalid as fault:
        raise Inconsistent(f"the checkpoint does not continue the one of {before.size} entries: {fault}") from None

    line = cosigner.cosign(offered.text, unix_time)
    return Cosigned(offered, keep(given.note, verifier) + line, line)
