"""Signing a push: HTTP Message Signatures with Ed25519 (RFC 9421), over a digest of the content (RFC 9530).

The receiver finds the key by its `keyid` among the gateway's published keys (`/.well-known/jwks.json`), and drops what
it has seen by the delivery's id or by the nonce. The key signs nothing else.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, HTTPSignatureKeyResolver, algorithms

from gateway.chance import random_bytes
from gateway.keys import Keyring

COVERED = ("@method", "@target-uri", "content-type", "content-digest", "idempotency-key")
LABEL = "gateway"
TAG = "provide-gateway-feedback"
"""Says what the signature is for, so that none made for something else fits."""
_NONCE_BYTES = 18


@dataclass
class Message:
    """A request as far as its signature covers it."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)


class Signer:
    """Signs with the gateway's key for messages."""

    def __init__(self, keyring: Keyring) -> None:
        self._key_id = str(keyring.message_key.kid)
        self._key = Ed25519PrivateKey.from_private_bytes(keyring.message_seed)

    def headers(
        self,
        url: str,
        body: bytes,
        delivery: str,
        at: datetime,
        *,
        content_type: str = "application/json",
        tag: str = TAG,
    ) -> Mapping[str, str]:
        """Every header of a signed POST. `at` is aware and becomes `created`; `tag` says what the signature is for."""
        message = Message("POST", url, {"Content-Type": content_type, "Idempotency-Key": delivery})
        nonce = base64.urlsafe_b64encode(random_bytes(_NONCE_BYTES)).decode()
        sign(message, self._key, self._key_id, COVERED, at, label=LABEL, more=Parameters(nonce, tag), body=body)
        return message.headers


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a signature says of itself beside its time and its key; with it, the algorithm is named as well."""

    nonce: str
    tag: str


def sign(
    message: Message,
    key: Ed25519PrivateKey,
    key_id: str,
    covered: Sequence[str],
    at: datetime,
    *,
    label: str,
    more: Parameters | None = None,
    body: bytes | None = None,
) -> None:
    """Add the signature headers to a message, and where there is a body, its digest before."""
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=_OneKey(key))
    signer.sign(
        message,
        key_id=key_id,
        created=at,
        nonce=more.nonce if more else None,
        tag=more.tag if more else None,
        include_alg=more is not None,
        label=label,
        covered_component_ids=covered,
        body=body,
    )


class _OneKey(HTTPSignatureKeyResolver):
    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    def resolve_private_key(self, key_id: str) -> Ed25519PrivateKey:  # noqa: ARG002 - the library names it
        """The one key there is."""
        return self._key
