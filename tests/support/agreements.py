"""The shipped agreement, signed by parties made for the test, and edited for those that try what is wrong with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.agreement import Agreement, State, Terms, parse, shipped, sign


def key_of(party: str) -> Ed25519PrivateKey:
    """A party's key, the same in every run."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(party.encode()).digest())


def signed(agreement: Agreement, state: State = State.IN_FORCE, *, without: str = "") -> Terms:
    """Terms that every party but `without` has signed."""
    parties = [party.id for party in agreement.content.parties]
    keys = {party: key_of(party).public_key().public_bytes_raw() for party in parties}
    return Terms(agreement, tuple(sign(agreement.hash, key_of(p), p) for p in parties if p != without), keys, state)


@cache
def provide() -> Terms:
    """The shipped agreement, signed and in force."""
    return signed(shipped())


def plain() -> dict[str, Any]:
    """The content of the shipped agreement as plain JSON, to be changed at will."""
    content: dict[str, Any] = json.loads(shipped().canonical)
    return content


def edited(change: Callable[[dict[str, Any]], object]) -> Agreement:
    """The shipped agreement after a change of its plain content."""
    content = plain()
    change(content)
    return parse(json.dumps(content).encode())


def clause(content: dict[str, Any], id_: str) -> dict[str, Any]:
    """A clause of plain content by its id."""
    found: dict[str, Any] = next(one for one in content["clauses"] if one["id"] == id_)
    return found
