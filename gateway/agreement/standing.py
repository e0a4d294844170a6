"""Where an agreement stands: who has signed it, and whether it is in force at an instant.

Parties sign the agreement's hash (Ed25519, RFC 8032), each with a key of its own that lives beside the file, not in it.
Only terms that every party signed, inside their dates, decide anything. The instant is an argument.

Source: design.md section 6; RFC 8032.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.ed25519 import usable_key
from gateway.agreement.reading import Agreement

WARNING_DAYS = (7, 30, 60)  # design.md section 6: ahead of expiry

_DOMAIN = b"provide-gateway agreement v1\n"


@dataclass(frozen=True, slots=True)
class Signature:
    """One party's signature over an agreement's hash: raw Ed25519 key (32 bytes) and signature (64 bytes)."""

    party: str
    public_key: bytes
    signature: bytes


def sign(agreement_hash: str, private_key: Ed25519PrivateKey, party: str) -> Signature:
    """Sign an agreement for a party."""
    return Signature(party, private_key.public_key().public_bytes_raw(), private_key.sign(_message(agreement_hash)))


def signs(signature: Signature, agreement_hash: str) -> bool:
    """Whether a signature is good over this hash; whose key it is by is another question."""
    return _good(signature, _message(agreement_hash))


class State(StrEnum):
    """What the parties have said of the agreement. Draft until it is brought into force."""

    DRAFT = "draft"
    IN_FORCE = "in-force"
    SUSPENDED = "suspended"
    SUPERSEDED = "superseded"  # a later version has taken its place
    ENDED = "ended"


class Status(StrEnum):
    """Where an agreement stands at an instant."""

    DRAFT = "draft"
    UNSIGNED = "unsigned"
    NOT_YET = "not-yet"
    IN_FORCE = "in-force"
    SUSPENDED = "suspended"
    SUPERSEDED = "superseded"
    ENDED = "ended"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an agreement stands, and which parties have not validly signed it."""

    status: Status
    missing: tuple[str, ...] = ()

    @property
    def in_force(self) -> bool:
        """Whether the agreement decides anything."""
        return self.status is Status.IN_FORCE


@dataclass(frozen=True, eq=False)
class Terms:
    """An agreement with its signatures, the registered key of each party (raw Ed25519, 32 bytes), and its state.

    Compared by identity: decisions are remembered per instance. Signatures are verified once per instance.
    """

    agreement: Agreement
    signatures: tuple[Signature, ...]
    party_keys: Mapping[str, bytes]
    state: State

    def standing(self, now: datetime) -> Standing:
        """Where the agreement stands at an instant. It is in force from its first instant, not at its last."""
        if self.state is not State.IN_FORCE:
            return Standing(Status(self.state.value), self.missing)
        if self.missing:
            return Standing(Status.UNSIGNED, self.missing)
        dates = self.agreement.content.in_force
        if now < dates.starts:
            return _NOT_YET
        return _IN_FORCE if now < dates.until else _EXPIRED

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """The parties without a valid signature under their registered key."""
        message = _message(self.agreement.hash)
        signed = {
            s.party for s in self.signatures if self.party_keys.get(s.party) == s.public_key and _good(s, message)
        }
        return tuple(p.id for p in self.agreement.content.parties if p.id not in signed)

    def expiry_warning(self, now: datetime) -> int | None:
        """The tightest of 7, 30 and 60 days within which the agreement expires; None when it is none of them."""
        left = self.agreement.content.in_force.until - now
        return next((days for days in WARNING_DAYS if timedelta() < left <= timedelta(days=days)), None)


_NOT_YET = Standing(Status.NOT_YET)
_IN_FORCE = Standing(Status.IN_FORCE)
_EXPIRED = Standing(Status.EXPIRED)


def _message(agreement_hash: str) -> bytes:
    """What is signed: a domain of its own, so that no signature made for something else fits."""
    return _DOMAIN + agreement_hash.encode("ascii")


def _good(signature: Signature, message: bytes) -> bool:
    try:
        usable_key(signature.public_key).verify(signature.signature, message)
    except (InvalidSignature, ValueError):  # ValueError: a key that is no key, or one that anybody can sign for
        return False
    return True
