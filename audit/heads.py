"""The head of a pack: the keys it states, and the checkpoints those keys signed and cosigned.

Every line here is bound to a key that checks it. A cosignature (C2SP tlog-cosignature) that no witness line can check,
a witness line that checks no cosignature, and a second spelling of the same lines in another order are faults:
otherwise a byte could change unnoticed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from audit.checkpoint import Checkpoint
from audit.errors import NoteMalformed, SignatureInvalid
from audit.lines import Lines
from audit.note import CosignerVerifier, Verifier, split
from audit.pack import CHECKPOINT_LINES, MOST_COSIGNATURES
from audit.report import Cosigned, Finding, Findings, Thing

AFTER_HEAD: Final = (b"entry ", b"node ", b"document ", b"end ")
_SIGNATURE: Final = "\u2014 ".encode()


@dataclass(slots=True)
class Heads:
    """The checkpoints to hold the tree to, each with what it is called; and who cosigned which."""

    verifier: Verifier | None
    checkpoints: list[tuple[Thing, Checkpoint]] = field(default_factory=list)
    cosigned: list[Cosigned] = field(default_factory=list)

    @property
    def last(self) -> Checkpoint | None:
        """The last checkpoint that can be relied on."""
        return self.checkpoints[-1][1] if self.checkpoints else None


def read_key(lines: Lines, findings: Findings, pinned: str | None) -> Verifier | None:
    """Read the log's key; return the pinned one where there is one, and else the pack's.

    Raises `NoteMalformed` if the pinned key is not a key.
    """
    verifier = None if pinned is None else Verifier.from_text(pinned)
    line = lines.next()
    try:
        stated = Verifier.from_text(line_text(line, "key "))
    except NoteMalformed as fault:
        if line.startswith((b"witness ", b"checkpoint", *AFTER_HEAD)):
            lines.hand_back(line)
        findings.add(Finding(Thing.KEY, lines.number, f"cannot be read: {fault}"))
        return verifier
    if verifier is not None and stated.text != verifier.text:
        findings.add(Finding(Thing.KEY, lines.number, "is not the pinned key"))
    return verifier or stated


def read_witnesses(lines: Lines, findings: Findings, pinned: Sequence[str]) -> "Witnesses":
    """Read the keys of the witnesses. Raises `NoteMalformed` if a pinned one is not a cosigner's key."""
    witnesses = Witnesses({}, {one.text: one for one in map(CosignerVerifier.from_text, pinned)})
    before = ""
    while (line := lines.next()).startswith(b"witness "):
        try:
            stated = CosignerVerifier.from_text(line_text(line, "witness "))
        except NoteMalformed as fault:
            findings.add(Finding(Thing.WITNESS, lines.number, f"cannot be read: {fault}"))
            continue
        if stated.text <= before:
            findings.add(Finding(Thing.WITNESS, lines.number, "is out of order"))
        before = stated.text
        if any(stated.public == one.public for one in witnesses.stated.values()):
            findings.add(Finding(Thing.WITNESS, lines.number, "has the key of another: the two are one"))
        witnesses.stated[lines.number] = stated
    lines.hand_back(line)
    return witnesses


@dataclass(frozen=True, slots=True)
class Witnesses:
    """The witnesses a pack states, by line, and those that are pinned, by key text."""

    stated: dict[int, CosignerVerifier]
    pinned: dict[str, CosignerVerifier]

    def known(self) -> dict[tuple[str, bytes], CosignerVerifier]:
        """Return those the pack states, by what a signature line says."""
        return {(one.name, one.key_id): one for one in self.stated.values()}

    def check_used(self, cosigned: Sequence[Cosigned], findings: Findings, number: int) -> None:
        """Find the witnesses that cosigned nothing here."""
        used = {one.key for one in cosigned}
        for line, one in self.stated.items():
            if one.text not in used:
                findings.add(Finding(Thing.WITNESS, line, "has cosigned no checkpoint of this pack"))
        for one in self.pinned.values():
            if one.text not in used:
                message = f"{one.name}, which is pinned, has cosigned no checkpoint of this pack"
                findings.add(Finding(Thing.WITNESS, number, message))


def read_checkpoints(lines: Lines, findings: Findings, verifier: Verifier | None, witnesses: Witnesses) -> Heads:
    """Read the checkpoints, each signed by the log, larger than the one before, and cosigned by known witnesses."""
    heads = Heads(verifier)
    lost = False
    while (line := lines.next()) and not line.startswith(AFTER_HEAD):
        if line != b"checkpoint\n":
            if not lost:
                findings.add(Finding(Thing.CHECKPOINT, lines.number, "cannot be read"))
            lost = True
            continue
        lost = False
        _read_checkpoint(lines, findings, heads, witnesses)
    lines.hand_back(line)
    if not heads.checkpoints:
        findings.add(Finding(Thing.CHECKPOINT, lines.number, "that is signed and readable is missing"))
    witnesses.check_used(heads.cosigned, findings, lines.number)
    return heads


def read_earlier(earlier: str | None, findings: Findings, heads: Heads) -> Checkpoint | None:
    """Open the checkpoint that the auditor kept; None where there is none that this pack can be held to."""
    if earlier is None or heads.verifier is None:
        return None
    try:
        kept = Checkpoint.open(earlier, heads.verifier)
    except (NoteMalformed, SignatureInvalid) as fault:
        findings.add(Finding(Thing.EARLIER, 0, f"is not one of this log: {fault}"))
        return None
    if heads.last is not None and kept.size > heads.last.size:
        findings.add(Finding(Thing.EARLIER, 0, "is larger than the log in this pack: entries have gone"))
        return None
    return kept


def line_text(line: bytes, tag: str) -> str:
    """Return what follows the tag of a whole line; raise `NoteMalformed`."""
    text = _decode(line)
    if not (text.startswith(tag) and text.endswith("\n")):
        raise NoteMalformed("its line is damaged")
    return text[len(tag) : -1]


def _read_checkpoint(lines: Lines, findings: Findings, heads: Heads, witnesses: Witnesses) -> None:
    at = lines.number
    note = b"".join(lines.next() for _ in range(CHECKPOINT_LINES))
    cosignatures: list[bytes] = []
    while (line := lines.next()).startswith(_SIGNATURE) and len(cosignatures) < MOST_COSIGNATURES:
        cosignatures.append(line)
    lines.hand_back(line)
    try:
        head = _open(note, heads)
    except (NoteMalformed, SignatureInvalid) as fault:
        findings.add(Finding(Thing.CHECKPOINT, at, f"is not to be relied on: {fault}"))
        return
    heads.checkpoints.append((Thing.CHECKPOINT, head))
    known = witnesses.known()
    before = b""
    for number, one in enumerate(cosignatures, at + CHECKPOINT_LINES + 1):
        if one <= before:
            findings.add(Finding(Thing.COSIGNATURE, number, "is out of order", relying=(0, head.size)))
        before = one
        try:
            heads.cosigned.append(_cosigned(head, one, known, witnesses.pinned))
        except (NoteMalformed, SignatureInvalid) as fault:
            findings.add(Finding(Thing.COSIGNATURE, number, f"is not to be relied on: {fault}", relying=(0, head.size)))


def _open(note: bytes, heads: Heads) -> Checkpoint:
    """Open a pack's checkpoint. Its five lines leave room for three of text and one signature, and no more."""
    text = _decode(note)
    head = Checkpoint.unverified(text) if heads.verifier is None else Checkpoint.open(text, heads.verifier)
    if heads.last is not None and head.size <= heads.last.size:
        raise NoteMalformed("it is not larger than the one before it")
    return head


def _cosigned(
    head: Checkpoint,
    line: bytes,
    known: dict[tuple[str, bytes], CosignerVerifier],
    pinned: dict[str, CosignerVerifier],
) -> Cosigned:
    """Check one cosignature of a checkpoint; raise `NoteMalformed` or `SignatureInvalid`."""
    text = head.text
    _, (signature,) = split(f"{text}\n{_decode(line)}")
    witness = known.get((signature.name, signature.key_id))
    if witness is None:
        raise SignatureInvalid("it is of no witness that this pack states")
    seconds = witness.verify(text, signature.raw)
    return Cosigned(witness.name, witness.text, witness.text in pinned, head.size, seconds)


def _decode(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise NoteMalformed("it is not UTF-8") from None
