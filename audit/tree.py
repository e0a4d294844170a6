"""Merkle tree hashing (RFC 6962 section 2.1) and its growth by compact range.

A compact range is the roots of the perfect subtrees that make up a tree, largest first: one per set bit
of the tree's size. It is all a writer has to hold. This module knows nothing of proofs or storage.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final, NamedTuple

EMPTY_ROOT: Final = sha256(b"").digest()


class NodeId(NamedTuple):
    """A perfect subtree: the leaves from `idx << level` up to `(idx + 1) << level`."""

    level: int
    idx: int


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of a leaf: SHA-256(0x00 || entry)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node: SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def append(compact: list[bytes], size: int, leaf: bytes) -> list[tuple[int, int, bytes]]:
    """Add one leaf hash to the compact range of a tree of `size` leaves, in place.

    Returns the inner nodes that this leaf completes, lowest first, as (level, index, hash); O(log n).
    """
    completed = []
    level, index, top = 0, size, leaf
    while index & 1:
        top = sha256(b"\x01" + compact.pop() + top).digest()
        level += 1
        index >>= 1
        completed.append((level, index, top))
    compact.append(top)
    return completed


def root(compact: Sequence[bytes]) -> bytes:
    """Return the tree's root: the compact range folded from the right (RFC 6962 2.1)."""
    if not compact:
        return EMPTY_ROOT
    top = compact[-1]
    for left in reversed(compact[:-1]):
        top = node_hash(left, top)
    return top


def perfect_subtrees(start: int, stop: int) -> list[NodeId]:
    """Return the perfect subtrees that tile the leaves [start, stop), left to right.

    `start` must be a multiple of a power of two not below `stop - start`, as every right edge is.
    """
    tiles = []
    while start < stop:
        level = (stop - start).bit_length() - 1
        tiles.append(NodeId(level, start >> level))
        start += 1 << level
    return tiles
