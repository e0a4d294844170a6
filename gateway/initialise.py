"""What setting a gateway up needs: notes in the operator's log, key pairs of clients and parties, signature files.

Private keys made here belong to whoever runs the command; the gateway keeps the public halves alone.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import RSAKey

from gateway import new_files
from gateway.agreement import Signature
from gateway.errors import Unprocessable
from gateway.evidence import Event, administration
from gateway.profiles import Profiles
from gateway.settings import Settings
from gateway.store.batch import Batch, Unit
from gateway.tokens.clients import Client
from mappings.profile import ProfileInvalid

RSA_BITS = 3072  # NIST SP 800-57: good beyond 2030; NHS England asks for RS512 with at least 4096 of its own clients


@dataclass(frozen=True, slots=True)
class Note(Unit[None]):
    """Seal an act of the gateway itself in the operator's log."""

    event: Event
    detail: Mapping[str, str | int] | None = None

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        batch.seal(administration(self.event, at=batch.at, detail=self.detail))


def started(settings: Settings, profiles: Profiles) -> Note:
    """The note of a start: the hash of the settings, and that of every mapping profile by its name and version."""
    return Note(Event.GATEWAY_STARTED, {"configuration": configuration_hash(settings), **profiles.hashes})


def check_clients(profiles: Profiles, clients: Iterable[Client]) -> None:
    """Raises `ProfileInvalid` where two profiles of a client in use could not be told apart by what it sends."""
    for client in clients:
        if client.revoked_at is None:
            try:
                profiles.check(client.profiles)
            except ProfileInvalid as invalid:
                raise ProfileInvalid(f"client {client.id}: {invalid}") from None


def configuration_hash(settings: Settings) -> str:
    """The SHA-256 of the settings in force, so that the log shows when they changed; a password is in none of it."""
    plain = settings.model_dump(mode="json", exclude={"database_url"})
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def new_client_key(path: Path) -> dict[str, Any]:
    """Make a client's key pair: the private half goes into a new file (PEM, mode 600), the public JWKS is returned."""
    key = RSAKey.generate_key(RSA_BITS)
    _write_private(path, key.as_pem(private=True))
    public = {**key.as_dict(private=False), "kid": key.thumbprint(), "use": "sig", "alg": "RS512"}
    return {"keys": [public]}


def party_key(path: Path) -> Ed25519PrivateKey:
    """A party's signing key from a PEM file; made, in a new file with mode 600, where there is none.

    Raises Unprocessable where the file holds no such key.
    """
    if not path.exists():
        made = Ed25519PrivateKey.generate()
        encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        _write_private(path, made.private_bytes(encoding, form, serialization.NoEncryption()))
        return made
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm):  # TypeError: it is encrypted
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise Unprocessable(f"{path}: not an Ed25519 private key without a password")
    return key


def write_signature(path: Path, signature: Signature) -> None:
    """Write a signature to be handed in: JSON with the party, its public key and the signature in Base 64."""
    document = {
        "party": signature.party,
        "public_key": base64.b64encode(signature.public_key).decode(),
        "signature": base64.b64encode(signature.signature).decode(),
    }
    path.write_text(json.dumps(document, indent=1))


def read_signature(path: Path) -> Signature:
    """Read a signature that was made elsewhere. Raises Unprocessable."""
    try:
        document = json.loads(path.read_text())
        public_key = base64.b64decode(document["public_key"], validate=True)
        return Signature(str(document["party"]), public_key, base64.b64decode(document["signature"], validate=True))
    except (OSError, ValueError, KeyError, TypeError):
        raise Unprocessable(f"{path}: not a signature file") from None


def _write_private(path: Path, pem: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    new_files.make(path, pem)
