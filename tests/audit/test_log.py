import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.checkpoint import Checkpoint
from audit.errors import IndexUnknown
from audit.log import Growth, Head, empty_head
from audit.note import Signer
from audit.tree import leaf_hash
from tests.audit import slow_tree
from tests.audit.worked import ORIGIN, grown

SIGNER = Signer.from_seed(ORIGIN, bytes(range(32)))
BATCHES = st.lists(st.integers(0, 20), max_size=8)


@given(BATCHES)
@settings(deadline=None, max_examples=60)
def test_batches_make_the_tree_of_all_their_entries_and_prove_each(sizes: list[int]) -> None:
    head = empty_head(ORIGIN, SIGNER)
    entries: list[bytes] = []
    for size in sizes:
        added = [b"%d" % (len(entries) + number) for number in range(size)]
        sealed = grown(head, added, SIGNER)
        entries += added
        head = sealed.head
        checkpoint = Checkpoint.open(sealed.checkpoint, SIGNER.verifier)
        assert (checkpoint.size, checkpoint.root) == (len(entries), slow_tree.mth(entries))
        assert [index for index, _, _ in sealed.leaves] == list(range(len(entries) - size, len(entries)))
        for receipt in sealed.receipts():
            assert receipt.leaf == leaf_hash(entries[receipt.index])
            assert receipt == sealed.receipt(receipt.index)
            receipt.verify(SIGNER.verifier)


@given(st.integers(0, 40), st.lists(st.tuples(st.integers(1, 6), st.booleans()), max_size=10))
@settings(deadline=None, max_examples=80)
def test_a_truncated_batch_equals_one_never_appended(base: int, units: list[tuple[int, bool]]) -> None:
    """Units that fail leave no trace: not in the tree, the nodes, the indexes or the checkpoint."""
    head = grown(empty_head(ORIGIN, SIGNER), [b"base"] * base, SIGNER).head
    growth, clean = Growth(head), Growth(head)
    for number, (size, fails) in enumerate(units):
        mark = len(growth)
        for part in range(size):
            body = b"%d.%d" % (number, part)
            index = growth.append(body)
            if not fails:
                assert clean.append(body) == index
        if fails:
            growth.truncate(mark)
    assert len(growth) == len(clean)
    assert growth.seal(SIGNER) == clean.seal(SIGNER)


def test_an_entry_outside_the_batch_has_no_receipt_here() -> None:
    first = grown(empty_head(ORIGIN, SIGNER), [b"a", b"b"], SIGNER)
    second = grown(first.head, [b"c"], SIGNER)
    for index in (-1, 1, 3):
        with pytest.raises(IndexUnknown):
            second.receipt(index)


def test_nodes_are_the_newly_complete_inner_ones() -> None:
    first = grown(empty_head(ORIGIN, SIGNER), [b"a", b"b", b"c"], SIGNER)
    second = grown(first.head, [b"d"], SIGNER)
    assert [node[:2] for node in first.nodes] == [(1, 0)]
    assert [node[:2] for node in second.nodes] == [(1, 1), (2, 0)]


def test_the_terms_epoch_is_carried_along() -> None:
    head = empty_head(ORIGIN, SIGNER)
    bumped = Head(head.origin, head.size, head.range, head.checkpoint, 7)
    assert grown(bumped, [b"a"], SIGNER).head.terms_epoch == 7
