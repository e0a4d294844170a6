"""Hashing, proofs and the compact range against the slow twin and the published vectors."""

import base64
import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import tree
from audit.checkpoint import Checkpoint
from audit.errors import IndexUnknown, NodesMissing, ProofInvalid
from audit.note import split
from audit.proof import batch_inclusions, consistency, inclusion, verify_consistency, verify_inclusion
from audit.tree import EMPTY_ROOT, NodeId, leaf_hash, perfect_subtrees
from tests.audit import slow_tree
from tests.support.shared import shared_data

MOST = 130
ENTRIES = [b"entry %d" % number for number in range(MOST)]


class Memory:
    """Nodes in a dictionary; counts how often it is asked."""

    def __init__(self) -> None:
        self.known: dict[NodeId, bytes] = {}
        self.compact: list[bytes] = []
        self.size = 0
        self.asked = 0

    def add(self, entry: bytes) -> None:
        leaf = leaf_hash(entry)
        self.known[NodeId(0, self.size)] = leaf
        for level, index, top in tree.append(self.compact, self.size, leaf):
            self.known[NodeId(level, index)] = top
        self.size += 1

    def nodes(self, ids: Sequence[NodeId]) -> Mapping[NodeId, bytes]:
        self.asked += 1
        return {one: self.known[one] for one in ids if one in self.known}


@pytest.fixture(scope="module")
def memory() -> Memory:
    made = Memory()
    for entry in ENTRIES:
        made.add(entry)
    return made


def test_roots_equal_the_slow_twin_at_every_size() -> None:
    grown = Memory()
    for size in range(MOST + 1):
        assert tree.root(grown.compact) == slow_tree.mth(ENTRIES[:size])
        assert len(grown.compact) == size.bit_count()
        if size < MOST:
            grown.add(ENTRIES[size])


def test_the_empty_root_is_the_hash_of_nothing() -> None:
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("size", [*range(1, 34), 63, 64, 65, 127, 128, 129, 130])
def test_inclusion_proofs_equal_the_slow_twin_and_verify(memory: Memory, size: int) -> None:
    root = slow_tree.mth(ENTRIES[:size])
    for index in range(size):
        path = inclusion(index, size, memory)
        assert path == slow_tree.path(index, ENTRIES[:size])
        verify_inclusion(index, size, leaf_hash(ENTRIES[index]), path, root)


def test_consistency_proofs_equal_the_slow_twin_for_all_pairs(memory: Memory) -> None:
    roots = [slow_tree.mth(ENTRIES[:size]) for size in range(MOST + 1)]
    for second in [*range(1, 40), 64, 65, 100, 128, 129, 130]:
        for first in range(second + 1):
            path = consistency(first, second, memory)
            if 0 < first < second:
                assert path == slow_tree.proof(first, ENTRIES[:second])
            verify_consistency(first, second, roots[first], roots[second], path)


@given(st.data())
@settings(deadline=None, max_examples=60)
def test_a_mutated_inclusion_proof_is_refused(memory: Memory, data: st.DataObject) -> None:
    size = data.draw(st.integers(1, MOST))
    index = data.draw(st.integers(0, size - 1))
    root = tree.root(_compact(size))
    leaf = leaf_hash(ENTRIES[index])
    path = inclusion(index, size, memory)
    other = data.draw(st.integers(0, size - 1).filter(lambda one: one != index)) if size > 1 else 1
    with pytest.raises(ProofInvalid):
        verify_inclusion(other, size, leaf, path, root)
    with pytest.raises(ProofInvalid):
        verify_inclusion(index, size, leaf_hash(b"another"), path, root)
    for wrong in _mutations(path, data):
        with pytest.raises(ProofInvalid):
            verify_inclusion(index, size, leaf, wrong, root)


@given(st.data())
@settings(deadline=None, max_examples=60)
def test_a_mutated_consistency_proof_is_refused(memory: Memory, data: st.DataObject) -> None:
    second = data.draw(st.integers(2, MOST))
    first = data.draw(st.integers(1, second - 1))
    old, new = tree.root(_compact(first)), tree.root(_compact(second))
    path = consistency(first, second, memory)
    with pytest.raises(ProofInvalid):
        verify_consistency(first, second, new, old, path)
    with pytest.raises(ProofInvalid):
        verify_consistency(first, second, leaf_hash(b"another"), new, path)
    for wrong in _mutations(path, data):
        with pytest.raises(ProofInvalid):
            verify_consistency(first, second, old, new, wrong)


@given(st.integers(0, 600), st.integers(1, 300))
@settings(deadline=None, max_examples=60)
def test_a_batch_proves_its_own_leaves_from_the_compact_range_alone(base: int, added: int) -> None:
    memory = Memory()
    for number in range(base):
        memory.add(b"%d" % number)
    compact = tuple(memory.compact)
    leaves = [leaf_hash(b"%d" % number) for number in range(base, base + added)]
    for number in range(base, base + added):
        memory.add(b"%d" % number)
    expected = [tuple(inclusion(index, base + added, memory)) for index in range(base, base + added)]
    assert batch_inclusions(base, compact, leaves) == expected


def test_a_proof_asks_its_reader_once(memory: Memory) -> None:
    before = memory.asked
    inclusion(5, 129, memory)
    consistency(77, 130, memory)
    assert memory.asked == before + 2


def test_only_what_exists_can_be_proved(memory: Memory) -> None:
    for index, size in ((-1, 3), (3, 3), (0, 0)):
        with pytest.raises(IndexUnknown):
            inclusion(index, size, memory)
    with pytest.raises(IndexUnknown):
        consistency(5, 4, memory)
    with pytest.raises(NodesMissing):
        inclusion(0, MOST + 1, memory)


def test_perfect_subtrees_tile_their_range() -> None:
    for size in range(300):
        tiles = perfect_subtrees(0, size)
        leaves = [leaf for level, idx in tiles for leaf in range(idx << level, (idx + 1) << level)]
        assert leaves == list(range(size))
        assert len(tiles) == size.bit_count()


@pytest.mark.parametrize("kind", ["inclusion", "consistency"])
def test_published_vectors(kind: str) -> None:
    """The file name is the fault; each vector says whether it must be refused."""
    files = sorted(shared_data("crypto", "rfc6962_merkle", kind).rglob("*.json"))
    assert files
    for file in files:
        vector = json.loads(file.read_text())
        assert _refused(kind, vector) == vector["wantErr"], file.name


def test_the_golden_log_of_another_implementation_has_our_roots() -> None:
    log = shared_data("crypto", "tessera_golden_log", "log")
    bundle = (log / "tile" / "entries" / "000.p" / "15").read_bytes()
    entries = []
    while bundle:
        (length,) = struct.unpack(">H", bundle[:2])
        entries.append(bundle[2 : 2 + length])
        bundle = bundle[2 + length :]
    tile = (log / "tile" / "0" / "000.p" / "15").read_bytes()
    assert b"".join(leaf_hash(entry) for entry in entries) == tile
    memory = Memory()
    for size in range(len(entries) + 1):
        note = (log / f"checkpoint.{size}").read_text()
        checkpoint = Checkpoint.unverified(note)
        assert (checkpoint.size, checkpoint.root) == (size, tree.root(memory.compact))
        assert checkpoint.text == split(note)[0]
        if size < len(entries):
            memory.add(entries[size])


def test_a_proof_of_what_cannot_be_is_refused() -> None:
    one, two = leaf_hash(b"1"), leaf_hash(b"2")
    for first, second, old, new, path in (
        (3, 2, one, two, []),  # shrunk
        (2, 2, one, two, []),  # forked
        (2, 2, one, one, [two]),  # nothing to prove
        (0, 2, one, two, []),  # an empty tree with a root of its own
        (3, 5, one, two, []),  # no path at all
    ):
        with pytest.raises(ProofInvalid):
            verify_consistency(first, second, old, new, path)
    for index in (-1, 1):
        with pytest.raises(ProofInvalid):
            verify_inclusion(index, 1, one, [], one)


def _compact(size: int) -> list[bytes]:
    memory = Memory()
    for entry in ENTRIES[:size]:
        memory.add(entry)
    return memory.compact


def _mutations(path: list[bytes], data: st.DataObject) -> list[list[bytes]]:
    wrong = [[*path, bytes(32)], [bytes(32), *path]]
    if path:
        at = data.draw(st.integers(0, len(path) - 1))
        flipped = bytearray(path[at])
        flipped[data.draw(st.integers(0, 31))] ^= 1 << data.draw(st.integers(0, 7))
        wrong.append([*path[:at], bytes(flipped), *path[at + 1 :]])
        wrong.append([*path[:at], *path[at + 1 :]])
        wrong.append([*path[:at], path[at][:-1], *path[at + 1 :]])
    return wrong


def _refused(kind: str, vector: dict[str, Any]) -> bool:
    path = [base64.b64decode(one) for one in vector["proof"] or []]
    try:
        if kind == "inclusion":
            leaf, root = (base64.b64decode(vector[key] or "") for key in ("leafHash", "root"))
            verify_inclusion(vector["leafIdx"], vector["treeSize"], leaf, path, root)
        else:
            old, new = (base64.b64decode(vector[key] or "") for key in ("root1", "root2"))
            verify_consistency(vector["size1"], vector["size2"], old, new, path)
    except ProofInvalid:
        return True
    return False
