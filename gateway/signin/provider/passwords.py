"""Passwords: hashed with argon2id, made here by chance, and never seen again.

Source: RFC 9106; OWASP's least for argon2id (19 MiB, two passes, one lane).
"""

from __future__ import annotations

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MOST_CHARACTERS = 256
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # none that looks like another
_GROUPS, _GROUP = 5, 5  # 31 ** 25: 123 bits
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def made() -> str:
    """A new password, in groups that can be read over a telephone."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))


def hashed(password: str) -> str:
    """The password as it is kept."""
    return _HASHER.hash(password)


def right(kept: str | None, password: str) -> bool:
    """Whether it is the password; where none is kept the same work is done, for nothing."""
    try:
        _HASHER.verify(kept or _nobody_s(), password)
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


@cache
def _nobody_s() -> str:
    return hashed(secrets.token_urlsafe(32))
