"""The keys of signing in, each for one thing, derived from the gateway's own, and what is sealed with them for a while.

Derived (HKDF, RFC 5869) from the key of the blind indexes, as the key of the links between pages is: every replica has
the same, and none is kept anywhere.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from functools import cached_property
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc.jwk import ECKey

from gateway.chance import random_bytes
from gateway.keys import KEY_BYTES, Keyring
from gateway.store.envelope import Envelope

_NONCE_BYTES = 12  # NIST SP 800-38D: 96 bits
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # SEC 2, section 2.4.2
_WIDE_BYTES = 48  # FIPS 186-5 A.2.1: 64 bits more than the order, so that the remainder has no bias


class Tickets:
    """Seals small things that a browser carries for a while and can neither read nor change (AES-256-GCM)."""

    def __init__(self, key: bytes, kind: str) -> None:
        self._cipher = AESGCM(key)
        self._kind = kind.encode()

    def seal(self, content: dict[str, Any], until: float) -> str:
        """A ticket that is good until then, in seconds since 1970."""
        nonce = random_bytes(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, orjson.dumps([until, content]), self._kind)
        return base64.urlsafe_b64encode(nonce + sealed).decode().rstrip("=")

    def open(self, text: str, now: float) -> dict[str, Any] | None:
        """What was sealed; None of a ticket that is not one of these, was altered, or has run out."""
        try:
            sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            until, content = orjson.loads(
                self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], self._kind)
            )
        except (InvalidTag, binascii.Error, ValueError):
            return None
        found: dict[str, Any] = content
        return found if now < until else None


class SignInKeys:
    """The keys, by what each is for."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    @cached_property
    def sessions(self) -> Envelope:
        """Wraps the data key of each session's content."""
        return Envelope(self._derived("session"))

    @cached_property
    def people(self) -> Envelope:
        """Wraps the data keys of the embedded provider's accounts."""
        return Envelope(self._derived("person"))

    @cached_property
    def asked(self) -> Tickets:
        """What the console remembers in the browser between asking a provider and its answer."""
        return Tickets(self._derived("asked"), "asked")

    @cached_property
    def enrolling(self) -> Tickets:
        """A second factor that is being set up at the embedded provider."""
        return Tickets(self._derived("enrolling"), "enrolling")

    def csrf(self, session: str) -> str:
        """The token that a session's forms carry."""
        return self._mac("csrf", session)

    def at_provider(self, name: str | None) -> str | None:
        """What a subject, or a session, of a provider's is kept as: a digest, and never its name there."""
        return self._mac("at-provider", name) if name is not None else None

    def account(self, name: str) -> bytes:
        """What failures to sign in are counted under: a digest of what was typed, and never that itself."""
        return hmac.new(self._derived("account"), name.encode(), hashlib.sha256).digest()

    @cached_property
    def client_secret(self) -> str:
        """What the console proves itself with to the embedded provider."""
        return self._mac("client", "console")

    @cached_property
    def id_token_key(self) -> ECKey:
        """The P-256 key that the embedded provider signs with (ES256), its `kid` the RFC 7638 thumbprint."""
        wide = HKDF(hashes.SHA256(), _WIDE_BYTES, None, b"provide-gateway sign-in id-token").derive(
            self._keyring.index_key
        )
        secret = ec.derive_private_key(int.from_bytes(wide) % (_P256_ORDER - 1) + 1, ec.SECP256R1())
        pem = secret.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        key = ECKey.import_key(pem)
        return ECKey.import_key(pem, {"kid": key.thumbprint(), "use": "sig", "alg": "ES256"})

    def _derived(self, purpose: str) -> bytes:
        info = f"provide-gateway sign-in {purpose}".encode()
        return HKDF(hashes.SHA256(), KEY_BYTES, None, info).derive(self._keyring.index_key)

    def _mac(self, purpose: str, value: str) -> str:
        mac = hmac.new(self._derived(purpose), value.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(mac).decode().rstrip("=")
