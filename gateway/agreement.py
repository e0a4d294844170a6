"""Agreements: read from the file a lawyer writes, signed by every party, and in force or not at an instant.

`parse` reads the text strictly. The hash of an agreement is SHA-256 over its content as RFC 8785 JSON: comments and
layout do not change it, meaning does, and it is what the parties sign (Ed25519, RFC 8032). `Terms` is an agreement
with its signatures; only terms that every party signed, inside their dates, decide anything. Party keys live beside
the file, not in it. This module keeps no clock and does not judge: deciding is `decide.py`.

Source: design.md section 6; RFC 8785; RFC 8032.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from pathlib import Path as FilePath
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import ValidationError

from audit.canonical import canonical
from gateway.agreement_content import Content
from gateway.agreement_names import faults
from gateway.agreement_text import AgreementUnreadable, Document, Path, load

__all__ = [
    "Agreement",
    "AgreementUnreadable",
    "Signature",
    "Standing",
    "State",
    "Status",
    "Terms",
    "parse",
    "shipped",
    "sign",
    "signs",
]

WARNING_DAYS = (7, 30, 60)  # design.md section 6: ahead of expiry

_DOMAIN = b"provide-gateway agreement v1\n"


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """An agreement as read: its content, its text, and the canonical bytes whose SHA-256 (hex) is its hash.

    `lines` says on which line of the text, from 1, each part of the content stands.
    """

    content: Content
    text: bytes
    canonical: bytes
    hash: str
    lines: Mapping[Path, int]

    @property
    def id(self) -> str:
        """Its name, the same for all versions."""
        return self.content.id

    @property
    def version(self) -> int:
        """Its version, from 1."""
        return self.content.version


def parse(text: bytes) -> Agreement:
    """Read an agreement. Raises AgreementUnreadable naming line, path and reason."""
    document = load(text)
    plain = canonical(document.content)
    try:
        content = Content.model_validate_json(canonical(_open(document.content)))
    except ValidationError as fault:
        raise _unreadable(document, fault) from None
    for path, reason in faults(content):
        raise document.unreadable(path, reason)
    return Agreement(content, text, plain, hashlib.sha256(plain).hexdigest(), document.lines)


def shipped(name: str = "operation-provide") -> Agreement:
    """An agreement that comes with the gateway, unsigned."""
    return parse((FilePath(__file__).parent / "agreements" / f"{name}.yaml").read_bytes())


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
        Ed25519PublicKey.from_public_bytes(signature.public_key).verify(signature.signature, message)
    except (InvalidSignature, ValueError):  # ValueError: a key that is no key
        return False
    return True


_OPEN = frozenset(
    {"kinds", "areas", "grades", "consent", "children", "within_days", "ages", "markings", "relationships"}
)


def _open(value: Any) -> Any:  # noqa: ANN401 - plain JSON of any shape
    """The content with None where a condition says `any`: a text cannot hold None, so nothing else reads so."""
    if isinstance(value, dict):
        return {k: None if v == "any" and k in _OPEN else _open(v) for k, v in value.items()}
    return [_open(one) for one in value] if isinstance(value, list) else value


def _unreadable(document: Document, fault: ValidationError) -> AgreementUnreadable:
    """The first thing the models refused, at its line. A key misspelt is unknown before its own is missing."""
    refused = fault.errors(include_input=False, include_url=False)
    first = next((one for one in refused if one["type"] == "extra_forbidden"), refused[0])
    path: Path = ()
    for step in first["loc"]:  # a step that is not in the text names an alternative of the schema
        if (*path, step) in document.lines:
            path = (*path, step)
    if first["type"] == "missing":
        return document.unreadable((*path, first["loc"][-1]), "missing")
    reason = "an unknown key" if first["type"] == "extra_forbidden" else first["msg"].removeprefix("Value error, ")
    return document.unreadable(path, reason)
