"""Base 64 (RFC 4648 section 4) with one spelling per value, and fixed-width hashes.

A decoder that forgives stray bits would let a byte of evidence change unnoticed.
"""

import binascii
from typing import Final

from audit.errors import NoteMalformed

HASH_BYTES: Final = 32
_MOST_DIGITS: Final = 18  # stays below 2^63, the largest count that storage can hold


def to_base64(raw: bytes) -> str:
    """Return the Base 64 text of some bytes, padded, on one line."""
    return binascii.b2a_base64(raw, newline=False).decode("ascii")


def from_base64(text: str) -> bytes:
    """Return the bytes; raise `NoteMalformed` for any spelling but the one `to_base64` gives."""
    try:
        raw = binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError):
        raise NoteMalformed("the Base 64 is malformed") from None
    if to_base64(raw) != text:
        raise NoteMalformed("the Base 64 has stray bits at its end")
    return raw


def hash_from_base64(text: str) -> bytes:
    """Return a SHA-256 hash; raise `NoteMalformed` unless it is 32 bytes."""
    raw = from_base64(text)
    if len(raw) != HASH_BYTES:
        raise NoteMalformed("a hash is not 32 bytes")
    return raw


def decimal(text: str) -> int:
    """Return a non-negative ASCII decimal without leading zeros; raise `NoteMalformed` otherwise."""
    if not (text.isascii() and text.isdigit()) or len(text) > _MOST_DIGITS or (text[0] == "0" and text != "0"):
        raise NoteMalformed("a number is not a plain decimal")
    return int(text)
