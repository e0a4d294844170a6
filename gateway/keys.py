"""The gateway's own keys: made once, kept in one file that only its owner can read, loaded at start.

What each is for is said beside it; none is used for two things. The file names the environment it was made for, so
that keys made on a developer's machine never guard real records. Keys of parties and clients are not here: the
gateway holds only their public halves, in the database.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

from audit.checkpoint import Checkpoint
from audit.errors import NoteMalformed, SignatureInvalid
from audit.note import Signer
from gateway import new_files

FILE_NAME = "keyring.json"
KEY_BYTES = 32


class KeyringInvalid(Exception):
    """The key file is missing, readable by others, of another environment, or not a key file."""


@dataclass(frozen=True, repr=False)
class Keyring:
    """Every key the gateway holds. Bytes are raw 32-byte keys; none is ever shown."""

    environment: str
    log_seed: bytes
    """Ed25519 seed that signs checkpoints (RFC 8032)."""
    token_pem: bytes
    """P-256 private key that signs access tokens (ES256)."""
    content_key: bytes
    """Wraps the data key of each record's content (AES-256-GCM)."""
    vault_key: bytes
    """Wraps the data key of each record's safe-contact vault."""
    index_key: bytes
    """Blind indexes: without it, a search value cannot be turned into its digest."""
    payload_key: bytes
    """Keyed hashes of payloads in log entries, so that a guess at the content cannot be confirmed."""

    @cached_property
    def token_key(self) -> ECKey:
        """The token key as a JWK, its `kid` the RFC 7638 thumbprint."""
        key = ECKey.import_key(self.token_pem)
        return ECKey.import_key(self.token_pem, {"kid": key.thumbprint(), "use": "sig", "alg": "ES256"})

    @cached_property
    def message_seed(self) -> bytes:
        """Ed25519 seed that signs what is pushed to webhooks (RFC 9421), derived from the log's (HKDF, RFC 5869)."""
        return HKDF(hashes.SHA256(), KEY_BYTES, None, b"provide-gateway webhook ed25519").derive(self.log_seed)

    @cached_property
    def message_key(self) -> OKPKey:
        """The public half of that key as a JWK, its `kid` the RFC 7638 thumbprint."""
        public = Ed25519PrivateKey.from_private_bytes(self.message_seed).public_key()
        pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        kid = OKPKey.import_key(pem).thumbprint()
        return OKPKey.import_key(pem, {"kid": kid, "use": "sig", "alg": "Ed25519"})

    @cached_property
    def cursor_key(self) -> bytes:
        """Seals the links between pages (AES-256-GCM), derived from the key of the blind indexes (HKDF, RFC 5869)."""
        return HKDF(hashes.SHA256(), KEY_BYTES, None, b"provide-gateway cursor aes-256-gcm").derive(self.index_key)

    def signer(self, origin: str) -> Signer:
        """The checkpoint signer of the log of that origin."""
        return Signer.from_seed(origin, self.log_seed)

    def blind(self, kind: str, value: str) -> bytes:
        """The blind index of a normalised value of some kind (HMAC-SHA-256)."""
        return hmac.new(self.index_key, f"{kind}\0{value}".encode(), hashlib.sha256).digest()

    def payload_hash(self, payload: bytes) -> str:
        """The keyed hash of a payload, 64 hex digits (HMAC-SHA-256)."""
        return hmac.new(self.payload_key, payload, hashlib.sha256).hexdigest()


_RAW = ("log_seed", "content_key", "vault_key", "index_key", "payload_key")


def create(directory: Path, environment: str) -> Keyring:
    """Make a keyring and its file; raises FileExistsError where there is one: keys are never overwritten."""
    token = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    keys = {name: secrets.token_bytes(KEY_BYTES) for name in _RAW}
    document = {
        "environment": environment,
        "token_pem": token.decode(),
        **{name: base64.b64encode(key).decode() for name, key in keys.items()},
    }
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    new_files.make(directory / FILE_NAME, json.dumps(document, indent=1).encode())
    return Keyring(environment=environment, token_pem=token, **keys)


def load(directory: Path, environment: str) -> Keyring:
    """Read the keyring; raises KeyringInvalid, never naming a key."""
    path = directory / FILE_NAME
    try:
        if path.stat().st_mode & 0o077:
            raise KeyringInvalid(f"{path}: others can read the keys; give it mode 600")
        document: dict[str, Any] = json.loads(path.read_text())
        keys = {name: base64.b64decode(document[name], validate=True) for name in _RAW}
        made_for = str(document["environment"])
        token_pem = document["token_pem"].encode()
        ECKey.import_key(token_pem)
    except FileNotFoundError:
        raise KeyringInvalid(f"{path}: no key file; `gateway init` makes one") from None
    except (JoseError, ValueError, KeyError, TypeError, AttributeError):
        raise KeyringInvalid(f"{path}: not a key file") from None
    if any(len(key) != KEY_BYTES for key in keys.values()):
        raise KeyringInvalid(f"{path}: a key has the wrong length")
    if environment == "production" and made_for != "production":
        raise KeyringInvalid(f"{path}: made for {made_for}; production needs keys of its own")
    return Keyring(environment=made_for, token_pem=token_pem, **keys)


def load_or_create(directory: Path, environment: str) -> Keyring:
    """Read the keyring, or make one; production never makes keys by itself."""
    if environment != "production" and not (directory / FILE_NAME).exists():
        with suppress(FileExistsError):  # another process made them meanwhile
            return create(directory, environment)
    return load(directory, environment)


def check_signed(keyring: Keyring, origin: str, checkpoint: str) -> None:
    """Raise KeyringInvalid unless a log's last checkpoint is signed by this keyring.

    With other keys its past could not be gone on from, nor what is kept be read, searched or recognised.
    """
    try:
        Checkpoint.open(checkpoint, keyring.signer(origin).verifier)
    except (NoteMalformed, SignatureInvalid):
        raise KeyringInvalid(
            f"{FILE_NAME}: not the keys that the log in this database is signed with; put back those it was set up with"
        ) from None
