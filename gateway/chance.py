"""Fresh ids and random bytes, drawn from the operating system many at a time.

Asking the system releases the interpreter lock, and on a busy server each release costs far more than the question:
one draw in blocks serves hundreds of ids. The bytes are used once and in order; nothing here is ever seeded.
"""

from __future__ import annotations

import os
import threading
import uuid
from random import SystemRandom

_BLOCK_BYTES = 16_384


class _Pool(threading.local):
    """Random bytes of one thread: no lock, and no two threads share a byte."""

    def __init__(self) -> None:
        self.block = b""
        self.at = 0


_pool = _Pool()
_random = SystemRandom()


def random_bytes(count: int) -> bytes:
    """Bytes from the system's generator; `count` is at most a block of 16 KiB."""
    at = _pool.at
    if at + count > len(_pool.block):
        _pool.block, at = os.urandom(_BLOCK_BYTES), 0
    _pool.at = at + count
    return _pool.block[at : at + count]


def scattered(count: int, places: int) -> list[int]:
    """`count` different places out of `places`, by chance, in rising order."""
    return sorted(_random.sample(range(places), count))


def fresh_id() -> str:
    """A random UUID (RFC 9562 version 4) as text."""
    return str(uuid.UUID(bytes=random_bytes(16), version=4))
