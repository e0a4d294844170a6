"""The auditor's pack: whatever is altered is found, and the finding names what it belongs to."""

import io
import random
from collections.abc import Callable
from hashlib import sha256

import pytest

from audit import pack
from audit.checkpoint import Checkpoint
from audit.encoding import to_base64
from audit.entry import Entry
from audit.errors import NoteMalformed, PackIncomplete, SignatureInvalid
from audit.log import empty_head
from audit.note import Signer, sign, split
from audit.report import Report, Thing
from audit.tree import leaf_hash
from audit.verify import verify
from tests.audit.worked import AGREEMENT, AGREEMENT_HASH, ORIGIN, TEXTS, Leaf, entry, grown, packed, small_log

SIZE = 7


@pytest.fixture
def whole(signer: Signer) -> bytes:
    return packed(*small_log(SIZE, signer), signer)


def _verify(raw: bytes, key: str | None = None, earlier: str | None = None) -> Report:
    return verify(io.BytesIO(raw), pinned_key=key, earlier=earlier)


def _said(report: Report) -> str:
    return "\n".join(str(finding) for finding in report.findings)


def _lines(raw: bytes) -> list[bytes]:
    return raw.splitlines(keepends=True)


@pytest.mark.parametrize("size", [*range(3, 18), 33])
def test_a_whole_pack_is_verified(size: int, signer: Signer) -> None:
    leaves, checkpoints = small_log(size, signer)
    report = _verify(packed(leaves, checkpoints[-1:], signer), signer.verifier.text)
    assert report.verified, _said(report)
    assert report.findings == ()
    assert (report.origin, report.size, report.documents, report.pinned) == (ORIGIN, size, 2, True)
    assert report.root == Checkpoint.unverified(checkpoints[-1]).root


def test_the_pack_of_an_empty_log_is_verified(signer: Signer) -> None:
    report = _verify(packed([], [empty_head(ORIGIN, signer).checkpoint], signer))
    assert report.verified
    assert (report.size, report.pinned, report.key) == (0, False, signer.verifier.text)


def test_every_byte_counts_and_a_changed_entry_is_named(signer: Signer) -> None:
    """Each byte of the pack is changed in turn, once, to another value drawn at random."""
    seed = 1
    whole = packed(*small_log(3, signer, first_batch=2), signer)
    print("seed", seed)
    chance = random.Random(seed)
    at = 0
    for line in _lines(whole):
        for _ in line:
            # A newline is the change that hurts the framing most; it is drawn more often than chance would.
            other = chance.choice([10, 32, whole[at] ^ (1 << chance.randrange(8)), chance.randrange(256)])
            other = other if other != whole[at] else whole[at] ^ 1
            report = _verify(whole[:at] + bytes([other]) + whole[at + 1 :])
            assert not report.verified, (at, other)
            if line.startswith(b"entry "):
                index = int(line.split()[1])
                assert any(finding.index == index for finding in report.findings), (at, other, _said(report))
            else:
                assert any(finding.index is None for finding in report.findings), (at, other, _said(report))
            at += 1


def test_a_fault_in_an_entry_s_content_names_that_entry_alone_with_its_id(whole: bytes) -> None:
    report = _verify(whole.replace(b'"rec-4"', b'"rec-5"'))
    assert [(one.thing, one.index, one.id) for one in report.findings] == [(Thing.ENTRY, 4, entry(4).id)]


@pytest.mark.parametrize("index", range(SIZE))
def test_an_entry_forged_with_its_leaf_hash_is_located_by_the_tree(index: int, signer: Signer) -> None:
    leaves, checkpoints = small_log(SIZE, signer)
    forged = entry(index)._replace(event="incident-refused").to_bytes()
    raw = packed(leaves, checkpoints, signer).replace(
        to_base64(leaves[index].leaf_hash).encode() + b" " + leaves[index].body,
        to_base64(leaf_hash(forged)).encode() + b" " + forged,
    )
    report = _verify(raw)
    assert not report.verified
    ranges = [one.relying for one in report.findings if one.relying is not None]
    smallest = min(ranges, key=lambda one: one[1] - one[0])
    assert smallest[0] <= index < smallest[1]
    # The last leaf of an odd tree has no node above it but the root itself.
    assert smallest[1] - smallest[0] == (2 if index != SIZE - 1 else SIZE)


@pytest.mark.parametrize("index", range(SIZE))
def test_a_wholly_rehashed_history_does_not_match_the_signed_root(index: int, signer: Signer) -> None:
    leaves, checkpoints = small_log(SIZE, signer)
    bodies = [leaf.body for leaf in leaves]
    bodies[index] = entry(index)._replace(event="incident-refused").to_bytes()
    mallory = Signer.from_seed(ORIGIN, bytes(32))
    forged = grown(empty_head(ORIGIN, mallory), bodies, mallory)
    raw = packed([Leaf(body, leaf) for _, body, leaf in forged.leaves], [forged.checkpoint], mallory)
    assert _verify(raw).verified  # it agrees with itself: that is why a key is pinned
    report = _verify(raw, signer.verifier.text)
    assert {one.thing for one in report.findings} >= {Thing.KEY, Thing.CHECKPOINT}
    swapped = raw.replace(forged.checkpoint.encode(), checkpoints[-1].encode())
    swapped = swapped.replace(mallory.verifier.text.encode(), signer.verifier.text.encode())
    assert "another root" in _said(_verify(swapped, signer.verifier.text))


@pytest.mark.parametrize("line", range(33))
def test_a_line_taken_out_or_repeated_is_found(whole: bytes, line: int) -> None:
    lines = _lines(whole)
    if line >= len(lines):
        pytest.skip("the pack has fewer lines")
    cut = _verify(b"".join(lines[:line] + lines[line + 1 :]))
    twice = _verify(b"".join(lines[: line + 1] + lines[line:]))
    assert not cut.verified
    assert not twice.verified
    if lines[line].startswith(b"entry "):
        index = int(lines[line].split()[1])
        assert any(one.index == index for one in cut.findings), _said(cut)


@pytest.mark.parametrize("first", range(SIZE - 1))
def test_an_entry_that_is_taken_out_is_the_only_one_named(whole: bytes, first: int) -> None:
    """Its own line only; the nodes above it restore the tree for those that follow."""
    lines = [line for line in _lines(whole) if not line.startswith(b"entry %d " % first)]
    report = _verify(b"".join(lines))
    assert {one.index for one in report.findings if one.thing is Thing.ENTRY} == {first}, _said(report)


def test_entries_taken_out_with_their_nodes_are_named_as_missing(whole: bytes) -> None:
    gone = (b"entry 2 ", b"entry 3 ", b"node 1 1 ", b"node 2 0 ")
    report = _verify(b"".join(line for line in _lines(whole) if not line.startswith(gone)))
    assert [one.index for one in report.findings if one.message == "is missing"] == [2, 3], _said(report)


def test_two_entries_that_changed_places_are_found(whole: bytes) -> None:
    lines = _lines(whole)
    one, two = (next(at for at, line in enumerate(lines) if line.startswith(b"entry %d " % n)) for n in (1, 4))
    lines[one], lines[two] = lines[two], lines[one]
    assert not _verify(b"".join(lines)).verified


@pytest.mark.parametrize("kept", range(0, 8000, 97))
def test_a_pack_cut_short_is_found(whole: bytes, kept: int) -> None:
    assert not _verify(whole[: min(kept, len(whole) - 1)]).verified


def test_something_after_the_end_is_found(whole: bytes) -> None:
    assert [one.thing for one in _verify(whole + b"\n").findings] == [Thing.END]


def test_the_last_entries_cannot_be_left_off(signer: Signer) -> None:
    leaves, checkpoints = small_log(SIZE, signer)
    short = packed(leaves[:3], checkpoints[:1], signer)
    whole = packed(leaves, checkpoints, signer)
    head = short.split(b"entry 0 ", 1)[1]
    report = _verify(whole.split(b"entry 0 ", 1)[0] + b"entry 0 " + head)
    assert "covers 7 entries, and the pack holds 3" in _said(report)


def test_entries_beyond_the_last_checkpoint_are_found(signer: Signer) -> None:
    leaves, checkpoints = small_log(SIZE, signer)
    whole = packed(leaves, checkpoints, signer)
    report = _verify(whole.replace(b"checkpoint\n" + checkpoints[1].encode(), b""))
    assert "does not cover all entries" in _said(report)


def test_an_earlier_checkpoint_of_the_same_history_is_part_of_it(signer: Signer) -> None:
    leaves, checkpoints = small_log(SIZE, signer)
    raw = packed(leaves, checkpoints[-1:], signer)
    for earlier in (empty_head(ORIGIN, signer).checkpoint, *checkpoints):
        report = _verify(raw, signer.verifier.text, earlier)
        assert report.verified, _said(report)
        assert report.earlier_size == Checkpoint.unverified(earlier).size


def test_an_earlier_checkpoint_of_another_history_refutes_the_pack(signer: Signer) -> None:
    """The log's own key signed both: two histories were shown."""
    leaves, checkpoints = small_log(SIZE, signer)
    fork = grown(empty_head(ORIGIN, signer), [entry(number).to_bytes() for number in (0, 1, 9)], signer)
    report = _verify(packed(leaves, checkpoints, signer), signer.verifier.text, fork.checkpoint)
    assert [one.thing for one in report.findings] == [Thing.EARLIER]
    assert "another root" in _said(report)


@pytest.mark.parametrize(
    "make",
    [
        lambda signer: small_log(SIZE + 1, signer)[1][-1],
        lambda _: empty_head("log.example/x", Signer.from_seed("log.example/x", bytes(32))).checkpoint,
        lambda _: empty_head(ORIGIN, Signer.from_seed(ORIGIN, bytes(32))).checkpoint,
        lambda _: "not a checkpoint",
    ],
)
def test_an_earlier_checkpoint_that_cannot_be_of_this_log_is_a_fault(
    make: Callable[[Signer], str], signer: Signer
) -> None:
    report = _verify(packed(*small_log(SIZE, signer), signer), signer.verifier.text, make(signer))
    assert [one.thing for one in report.findings] == [Thing.EARLIER]
    assert report.earlier_size is None


def test_a_pinned_key_that_is_not_the_pack_s_refutes_it(whole: bytes) -> None:
    report = _verify(whole, Signer.from_seed(ORIGIN, bytes(32)).verifier.text)
    assert report.findings[0].thing is Thing.KEY
    with pytest.raises(NoteMalformed):
        _verify(whole, "not a key")


def test_a_text_is_bound_to_the_entries_that_name_it(whole: bytes) -> None:
    report = _verify(whole.replace(b"version: 3", b"version: 4"))
    assert {(one.thing, one.relying) for one in report.findings} == {(Thing.DOCUMENT, (0, SIZE))}


def test_a_text_that_no_entry_names_has_no_place(whole: bytes) -> None:
    extra = b"x"
    digest = "f" * 64
    assert digest > max(TEXTS)
    line = b"document %s 1\n%s\nend 7 3\n" % (digest.encode(), extra)
    report = _verify(whole.replace(b"end 7 2\n", line))
    assert "is named by no entry" in _said(report)


def test_an_agreement_s_text_must_be_there_and_a_mapping_s_may(signer: Signer) -> None:
    leaves, checkpoints = small_log(SIZE, signer)
    out = io.BytesIO()
    pack.write(out, signer.verifier, checkpoints, leaves, {AGREEMENT_HASH: AGREEMENT}.get)
    assert _verify(out.getvalue()).verified
    start = b"document " + AGREEMENT_HASH.encode()
    text = start + b" %d\n%s\n" % (len(AGREEMENT), AGREEMENT)
    report = _verify(out.getvalue().replace(text, b"").replace(b"end 7 1\n", b"end 7 0\n"))
    assert [(one.thing, one.relying) for one in report.findings] == [(Thing.DOCUMENT, (0, SIZE))]


def test_a_time_that_runs_backwards_is_a_warning_and_not_a_fault(signer: Signer) -> None:
    bodies = [entry(number).to_bytes() for number in (5, 6, 2, 7)]
    sealed = grown(empty_head(ORIGIN, signer), bodies, signer)
    report = _verify(packed([Leaf(body, leaf) for _, body, leaf in sealed.leaves], [sealed.checkpoint], signer))
    assert report.verified
    assert [(one.index, one.warning) for one in report.findings] == [(2, True)]


def test_a_sealed_entry_out_of_form_is_found(signer: Signer) -> None:
    """The root is right and signed; the content is still not an entry."""
    bodies = [entry(0).to_bytes(), entry(1).to_bytes().replace(b'"v":1', b'"v":2')]
    sealed = grown(empty_head(ORIGIN, signer), bodies, signer)
    leaves = [Leaf(body, leaf) for _, body, leaf in sealed.leaves]
    raw = packed(leaves, [sealed.checkpoint], signer)
    assert [(one.index, one.message) for one in _verify(raw).findings] == [
        (1, "is not an entry: v: is not a version known here")
    ]


def test_findings_without_end_are_counted_and_not_kept(signer: Signer) -> None:
    bodies = [entry(number).to_bytes() for number in range(1200)]
    sealed = grown(empty_head(ORIGIN, signer), bodies, signer)
    raw = packed([Leaf(body, leaf) for _, body, leaf in sealed.leaves], [sealed.checkpoint], signer)
    report = _verify(raw.replace(b'"idva"', b'"sdva"'))
    assert (len(report.findings), report.finding_count, report.fault_count) == (1000, 1200, 1200)


def test_a_hostile_length_is_read_no_further_than_the_file(whole: bytes) -> None:
    raw = whole.replace(b" %d\n%s" % (len(AGREEMENT), AGREEMENT), b" 99999999999999999\n" + AGREEMENT)
    assert not _verify(raw).verified


def test_a_hostile_index_does_not_make_the_verifier_count_to_it(whole: bytes) -> None:
    assert not _verify(whole.replace(b"entry 3 ", b"entry 99999999999999999 ")).verified


@pytest.mark.parametrize("raw", [b"", b"\n", b"\x00" * 999, b"entry 0 ", b"node 1 0 x\n" * 9, b"x" * 200_000])
def test_something_else_than_a_pack_is_refuted_without_a_crash(raw: bytes) -> None:
    assert not _verify(raw).verified
    assert not _verify(b"provide.audit/pack@v2\n" + raw).verified


def test_texts_and_checkpoints_have_one_order(whole: bytes, signer: Signer) -> None:
    one, two = (b"document %s %d\n%s\n" % (d.encode(), len(t), t) for d, t in sorted(TEXTS.items()))
    assert "is out of order" in _said(_verify(whole.replace(one + two, two + one)))
    first, second = (b"checkpoint\n" + note.encode() for note in small_log(SIZE, signer)[1])
    for other in (second + first, first + second + second):
        assert "not larger than the one before" in _said(_verify(whole.replace(first + second, other)))


def test_a_pack_is_not_written_unless_whole(signer: Signer) -> None:
    leaves, checkpoints = small_log(SIZE, signer)
    with pytest.raises(PackIncomplete, match="entries"):
        packed(leaves[:-1], checkpoints, signer)
    with pytest.raises(PackIncomplete, match="checkpoint"):
        packed(leaves, [], signer)
    with pytest.raises(SignatureInvalid):
        packed(leaves, checkpoints, Signer.from_seed(ORIGIN, bytes(32)))
    for texts in ({}, {AGREEMENT_HASH: b"another text"}):
        with pytest.raises(PackIncomplete, match="text"):
            pack.write(io.BytesIO(), signer.verifier, checkpoints, leaves, texts.get)
    extended = Checkpoint(ORIGIN, 0, sha256().digest(), ("extension",)).sign(signer)
    with pytest.raises(PackIncomplete, match="lines"):
        packed([], [extended], signer)


def test_a_witness_s_signature_is_left_out_of_a_pack(signer: Signer) -> None:
    leaves, checkpoints = small_log(SIZE, signer)
    witness = Signer.from_seed("witness.example/w", bytes(32))
    both = [sign(split(note)[0], witness, signer) for note in checkpoints]
    assert packed(leaves, both, signer) == packed(leaves, checkpoints, signer)


def test_the_pack_holds_the_entries_themselves(whole: bytes) -> None:
    bodies = [line.split(b" ", 3)[3][:-1] for line in _lines(whole) if line.startswith(b"entry ")]
    assert [Entry.parse(body) for body in bodies] == [entry(number) for number in range(SIZE)]
