"""Worked entries and a small log, used across the room's tests. All names are made up."""

import io
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from audit import pack
from audit.entry import Actor, AgreementRef, Entry, Items, Operation, Outcome, Recipient
from audit.log import Growth, Head, Sealed, empty_head
from audit.note import Cosigner, CosignerVerifier, Signer, split

ORIGIN = "log.example/northshire"
SEEN = 1_772_360_000  # when a witness cosigned, in seconds since 1970
AGREEMENT = b"agreement: northshire-provide\nversion: 3\n"
AGREEMENT_HASH = sha256(AGREEMENT).hexdigest()
MAPPING = b"profile: example-rms\n\nrows: 2\n"
MAPPING_HASH = sha256(MAPPING).hexdigest()
TEXTS = {AGREEMENT_HASH: AGREEMENT, MAPPING_HASH: MAPPING}


class Leaf(NamedTuple):
    body: bytes
    leaf_hash: bytes


def entry(number: int) -> Entry:
    """One disclosure; the number shows in its id, time, record, case and first subject."""
    return Entry(
        id=f"0b8f1c9e-6c1e-4f39-9d5e-{number:012x}",
        time=f"2026-03-01T10:{number // 60 % 60:02}:{number % 60:02}.345Z",
        operation=Operation.DISCLOSURE,
        outcome=Outcome.PERMITTED,
        event="incident-disclosed",
        actor=Actor("RZZ", "trust-safeguarding", "staff.0001", "idva"),
        recipients=(Recipient("RZZ", "safeguarding"),),
        subjects=(f"s-{number}", "s-everybody"),
        record=f"rec-{number}",
        case=f"case-{number // 3}",
        agreement=AgreementRef("northshire-provide", "3", AGREEMENT_HASH),
        clauses=("c1", "c2.3"),
        items=Items(("victim.name", "risk.grade"), ("victim.address",), ("suspect.name",)),
        purpose="safeguarding",
        reason="worklist",
        facts={"kind": "incident", "grade": "high", "marking": "OFFICIAL-SENSITIVE", "items": ["a", "b"]},
        mapping=MAPPING_HASH,
        payload="ef" * 32,
        request="req-1",
        correlation="cor-1",
        detail={"attempt": 1, "replay": False, "channel": "fhir"},
    )


def grown(head: Head, bodies: Sequence[bytes], signer: Signer) -> Sealed:
    growth = Growth(head)
    for body in bodies:
        growth.append(body)
    return growth.seal(signer)


def small_log(size: int, signer: Signer, first_batch: int = 3) -> tuple[list[Leaf], list[str]]:
    """A log of this size, sealed in two batches: its leaves, and the checkpoint after each batch."""
    bodies = [entry(number).to_bytes() for number in range(size)]
    first = grown(empty_head(ORIGIN, signer), bodies[:first_batch], signer)
    second = grown(first.head, bodies[first_batch:], signer)
    leaves = [Leaf(body, leaf) for sealed in (first, second) for _, body, leaf in sealed.leaves]
    return leaves, [first.checkpoint, second.checkpoint]


def packed(
    leaves: Sequence[Leaf], checkpoints: Sequence[str], signer: Signer, witnesses: Sequence[CosignerVerifier] = ()
) -> bytes:
    out = io.BytesIO()
    pack.write(out, signer.verifier, checkpoints, leaves, TEXTS.get, witnesses)
    return out.getvalue()


def cosigned(checkpoint: str, *cosigners: Cosigner, at: int = SEEN) -> str:
    """The checkpoint with the lines of these witnesses after the log's own."""
    return checkpoint + "".join(one.cosign(split(checkpoint)[0], at) for one in cosigners)
