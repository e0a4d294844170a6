"""Inclusion and consistency proofs (RFC 6962 2.1.1-2.1.2; RFC 9162 2.1.3-2.1.4).

Building asks a `NodeReader` once, for all the nodes a proof needs. Checking needs no storage. A path is a
list of SHA-256 hashes, lowest first, as in RFC 6962. This module knows nothing of where nodes are kept.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from audit.encoding import HASH_BYTES
from audit.errors import IndexUnknown, NodesMissing, ProofInvalid
from audit.tree import EMPTY_ROOT, NodeId, node_hash, perfect_subtrees


class NodeReader(Protocol):
    """Reads the hashes of perfect subtrees. Only complete subtrees are ever stored."""

    def nodes(self, ids: Sequence[NodeId]) -> Mapping[NodeId, bytes]:
        """Return the hashes stored for these nodes, in one batch; absent ones are left out."""
        ...


def inclusion(index: int, size: int, reader: NodeReader) -> list[bytes]:
    """Return the inclusion path of leaf `index` in the tree of the first `size` leaves.

    Raises `IndexUnknown` unless 0 <= index < size, `NodesMissing` where the reader lacks a node.
    """
    if not 0 <= index < size:
        raise IndexUnknown("the tree of this size has no such leaf")
    return _fold(_siblings(NodeId(0, index), size), reader)


def batch_inclusions(base: int, compact: Sequence[bytes], leaves: Sequence[bytes]) -> list[tuple[bytes, ...]]:
    """Return the inclusion paths of new leaves in the tree they make, without any reader.

    `compact` is the compact range of the `base` leaves before them. It suffices: a left sibling of a new
    leaf is either itself new or a perfect subtree that the old compact range names.
    """
    size = base + len(leaves)
    old = {node.level: top for node, top in zip(perfect_subtrees(0, base), compact, strict=True)}
    rows = []  # per level: index of its first hash, and the hashes from there to the right edge
    first, row = base, list(leaves)
    for level in range((size - 1).bit_length() if size else 0):
        if first & 1:
            first -= 1
            row.insert(0, old[level])
        rows.append((first, row))
        above = [node_hash(row[at], row[at + 1]) for at in range(0, len(row) - 1, 2)]
        if len(row) & 1:
            above.append(row[-1])  # the right edge has no sibling here, so it stands one level higher
        first, row = first >> 1, above
    return [_path(index, rows) for index in range(base, size)]


def consistency(first: int, second: int, reader: NodeReader) -> list[bytes]:
    """Return the proof that the tree of `first` leaves is a prefix of the tree of `second` leaves.

    It is empty where `first` is 0 or equals `second`. Raises `IndexUnknown` unless 0 <= first <= second,
    `NodesMissing` where the reader lacks a node.
    """
    if not 0 <= first <= second:
        raise IndexUnknown("the first tree is larger than the second")
    if first in (0, second):
        return []
    level = (first & -first).bit_length() - 1
    edge = NodeId(level, (first - 1) >> level)  # the last perfect subtree of the first tree
    parts = _siblings(edge, second)
    if first & (first - 1):
        parts.insert(0, [edge])  # where `first` is a power of two this is the root the verifier holds
    return _fold(parts, reader)


def verify_inclusion(index: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes) -> None:
    """Check that a leaf hash is at `index` in the tree with this size and root (RFC 9162 2.1.3.2).

    Raises `ProofInvalid`.
    """
    if not 0 <= index < size:
        raise ProofInvalid("the leaf's index is outside the tree")
    _check_lengths([leaf, root, *path])
    _, top = _climb(index, size - 1, [leaf, *path])
    if top != root:
        raise ProofInvalid("the path does not lead to the root")


def verify_consistency(first: int, second: int, first_root: bytes, second_root: bytes, path: Sequence[bytes]) -> None:
    """Check that the first tree is a prefix of the second (RFC 9162 2.1.4.2). Raises `ProofInvalid`.

    Of an empty first tree nothing is to be proved but that it is empty.
    """
    if not 0 <= first <= second:
        raise ProofInvalid("the first tree is larger than the second")
    _check_lengths([first_root, second_root, *path])
    if first in (0, second):
        if first_root != (second_root if first else EMPTY_ROOT):
            raise ProofInvalid("two trees of one size have different roots")
        if path:
            raise ProofInvalid("the path is too long")
        return
    steps = list(path)
    if first & (first - 1) == 0:
        steps.insert(0, first_root)
    if not steps:
        raise ProofInvalid("the path is too short")
    level = (first & -first).bit_length() - 1
    old, new = _climb((first - 1) >> level, (second - 1) >> level, steps)
    if old != first_root:
        raise ProofInvalid("the path does not lead to the first root")
    if new != second_root:
        raise ProofInvalid("the path does not lead to the second root")


def _climb(node: int, last: int, steps: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Climb from a node to the root; return the roots of the tree that ends at the node, and of the whole.

    `last` is the last node of the same level; the first step is the node's own hash.
    """
    old = new = steps[0]
    for sibling in steps[1:]:
        if last == 0:
            raise ProofInvalid("the path is too long")
        if node & 1 or node == last:
            old = node_hash(sibling, old)
            new = node_hash(sibling, new)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            new = node_hash(new, sibling)
        node >>= 1
        last >>= 1
    if last:
        raise ProofInvalid("the path is too short")
    return old, new


def _path(index: int, rows: list[tuple[int, list[bytes]]]) -> tuple[bytes, ...]:
    path = []
    for first, row in rows:
        at = (index ^ 1) - first
        if at < len(row):
            path.append(row[at])
        index >>= 1
    return tuple(path)


def _siblings(node: NodeId, size: int) -> list[list[NodeId]]:
    """Name the siblings from a node up to the root; one at the tree's right edge may be several nodes."""
    level, index = node
    last = (size - 1) >> level
    parts = []
    while last:
        if index & 1:
            parts.append([NodeId(level, index - 1)])
        elif index < last:
            start = (index + 1) << level
            parts.append(perfect_subtrees(start, min(start + (1 << level), size)))
        level += 1
        index >>= 1
        last >>= 1
    return parts


def _fold(parts: list[list[NodeId]], reader: NodeReader) -> list[bytes]:
    """Read all nodes at once and reduce each part to one hash, right to left as RFC 6962 2.1 nests them."""
    ids = [node for part in parts for node in part]
    if not ids:
        return []
    found = reader.nodes(ids)
    path = []
    try:
        for part in parts:
            top = found[part[-1]]
            for node in part[-2::-1]:
                top = node_hash(found[node], top)
            path.append(top)
    except KeyError as missing:
        raise NodesMissing(f"the log does not hold node {missing}") from None
    return path


def _check_lengths(hashes: list[bytes]) -> None:
    if any(len(one) != HASH_BYTES for one in hashes):
        raise ProofInvalid("a hash is not 32 bytes")
