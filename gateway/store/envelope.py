"""Encryption at rest: a data key per record, wrapped by a key-encryption key (AES-256-GCM throughout).

Deleting the wrapped key erases the content. Every ciphertext is bound to the row and column it belongs to (`context`),
so that rows cannot be swapped. Layout: wrapped key = key id (1 byte) + nonce (12) + ciphertext; content = nonce (12) +
ciphertext. Nonces are random; a data key encrypts once.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.chance import random_bytes

KEY_BYTES = 32
NONCE_BYTES = 12


class ContentUnreadable(Exception):
    """The ciphertext, its key or its place is not what was written."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """An encrypted content and its wrapped data key."""

    content: bytes
    key: bytes


class Envelope:
    """Seals and opens contents under one key-encryption key."""

    def __init__(self, key: bytes, key_id: int = 1) -> None:
        self._wrap = AESGCM(key)
        self._prefix = bytes([key_id])

    def seal(self, plain: bytes, context: str) -> Sealed:
        """Encrypt `plain` for the place `context` names (`record.content|<id>`)."""
        bound = context.encode()
        random = random_bytes(KEY_BYTES + 2 * NONCE_BYTES)
        data_key, nonce, wrap_nonce = random[:KEY_BYTES], random[KEY_BYTES:-NONCE_BYTES], random[-NONCE_BYTES:]
        content = nonce + AESGCM(data_key).encrypt(nonce, plain, bound)
        return Sealed(content, self._prefix + wrap_nonce + self._wrap.encrypt(wrap_nonce, data_key, bound))

    def open(self, content: bytes, key: bytes, context: str) -> bytes:
        """Decrypt; raises ContentUnreadable, which names the place and nothing else."""
        bound = context.encode()
        try:
            if key[:1] != self._prefix:
                raise ContentUnreadable(f"{context}: wrapped by another key")
            data_key = self._wrap.decrypt(key[1 : 1 + NONCE_BYTES], key[1 + NONCE_BYTES :], bound)
            return AESGCM(data_key).decrypt(content[:NONCE_BYTES], content[NONCE_BYTES:], bound)
        except (InvalidTag, ValueError) as error:
            raise ContentUnreadable(f"{context}: does not open") from error
