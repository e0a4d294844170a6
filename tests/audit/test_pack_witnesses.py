"""A pack with cosignatures: whoever saw the log is named, and no line of theirs can be altered."""

import io
from collections.abc import Callable, Sequence

import pytest

from audit.checkpoint import Checkpoint
from audit.errors import NoteMalformed, SignatureInvalid
from audit.log import empty_head
from audit.note import Cosigner, Signer, split
from audit.report import Cosigned, Report, Thing
from audit.verify import verify
from tests.audit.worked import ORIGIN, SEEN, Leaf, cosigned, entry, grown, packed, small_log

SIZE = 7
FORCE = Cosigner.from_seed("witness.example/force", bytes([1]) * 32)
TRUST = Cosigner.from_seed("witness.example/trust", bytes([2]) * 32)
BOTH = (FORCE.verifier, TRUST.verifier)


@pytest.fixture
def whole(signer: Signer) -> bytes:
    """The force saw both checkpoints, the trust the last."""
    leaves, (first, last) = small_log(SIZE, signer)
    return packed(leaves, [cosigned(first, FORCE), cosigned(last, TRUST, FORCE, at=SEEN + 60)], signer, BOTH)


def _verify(raw: bytes, *witnesses: Cosigner, key: str | None = None, earlier: str | None = None) -> Report:
    return verify(io.BytesIO(raw), pinned_key=key, earlier=earlier, witnesses=[one.verifier.text for one in witnesses])


def _things(report: Report) -> list[Thing]:
    return [one.thing for one in report.findings]


def _said(report: Report) -> str:
    return "\n".join(map(str, report.findings))


def test_the_report_says_who_cosigned_what_size_and_when(whole: bytes) -> None:
    report = _verify(whole, TRUST)
    assert report.verified, _said(report)
    assert set(report.cosigned) == {
        Cosigned(FORCE.name, FORCE.verifier.text, pinned=False, size=3, seconds=SEEN),
        Cosigned(FORCE.name, FORCE.verifier.text, pinned=False, size=SIZE, seconds=SEEN + 60),
        Cosigned(TRUST.name, TRUST.verifier.text, pinned=True, size=SIZE, seconds=SEEN + 60),
    }


def test_a_pinned_witness_that_cosigned_nothing_refutes_the_pack(whole: bytes) -> None:
    other = Cosigner.from_seed(TRUST.name, bytes([3]) * 32)
    report = _verify(whole, FORCE, other)
    assert _things(report) == [Thing.WITNESS]
    assert f"{TRUST.name}, which is pinned, has cosigned no checkpoint" in _said(report)
    with pytest.raises(NoteMalformed):
        verify(io.BytesIO(whole), witnesses=["not a key"])


def test_a_log_key_is_no_witness_s_key(whole: bytes, signer: Signer) -> None:
    with pytest.raises(NoteMalformed):
        verify(io.BytesIO(whole), witnesses=[signer.verifier.text])


def test_every_bit_before_the_entries_counts(whole: bytes) -> None:
    head = whole.index(b"entry 0 ")
    for at in range(head):
        for bit in (1, 1 << (at % 8)):
            altered = whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :]
            assert not _verify(altered).verified, (at, bit)


@pytest.mark.parametrize("line", range(19))
def test_a_line_before_the_entries_that_is_taken_out_or_repeated_is_found(whole: bytes, line: int) -> None:
    lines = whole.splitlines(keepends=True)
    assert lines[19].startswith(b"entry ")
    assert not _verify(b"".join(lines[: line + 1] + lines[line:])).verified
    without = _verify(b"".join(lines[:line] + lines[line + 1 :]), FORCE, TRUST)
    # One of two cosignatures of the same witness may be left out: it still cosigned.
    another = lines[line].startswith("\u2014 ".encode() + FORCE.name.encode())
    assert without.verified == another, (lines[line], _said(without))


def _swapped(one: bytes, two: bytes) -> Callable[[bytes], bytes]:
    return lambda raw: raw.replace(one, b"\x00").replace(two, one).replace(b"\x00", two)


def _witness(cosigner: Cosigner) -> bytes:
    return f"witness {cosigner.verifier.text}\n".encode()


def _line(cosigner: Cosigner, signer: Signer, size: int, at: int) -> bytes:
    text = split(small_log(SIZE, signer)[1][0 if size == 3 else 1])[0]
    return cosigner.cosign(text, at).encode()


def test_lines_of_witnesses_have_one_order(whole: bytes, signer: Signer) -> None:
    keys = _verify(_swapped(_witness(FORCE), _witness(TRUST))(whole))
    assert _things(keys) == [Thing.WITNESS]
    lines = [_line(one, signer, SIZE, SEEN + 60) for one in (FORCE, TRUST)]
    assert _things(_verify(_swapped(*lines)(whole))) == [Thing.COSIGNATURE]


def test_a_cosignature_moved_to_another_checkpoint_is_found(whole: bytes, signer: Signer) -> None:
    first, last = _line(FORCE, signer, 3, SEEN), _line(FORCE, signer, SIZE, SEEN + 60)
    report = _verify(_swapped(first, last)(whole))
    assert _things(report) == [Thing.COSIGNATURE, Thing.COSIGNATURE, Thing.WITNESS]


def test_a_witness_without_a_cosignature_and_a_cosignature_without_its_witness_are_found(
    whole: bytes, signer: Signer
) -> None:
    line = _line(TRUST, signer, SIZE, SEEN + 60)
    assert _things(_verify(whole.replace(line, b""))) == [Thing.WITNESS]
    assert _things(_verify(whole.replace(_witness(TRUST), b""))) == [Thing.COSIGNATURE]
    assert _verify(whole.replace(line, b"").replace(_witness(TRUST), b"")).verified


def test_a_pack_of_many_cosignatures_is_read_no_further_than_a_note_goes(signer: Signer) -> None:
    leaves, checkpoints = small_log(SIZE, signer)
    many = [Cosigner.from_seed(f"witness.example/{n:02}", bytes([n]) * 32) for n in range(63)]
    raw = packed(leaves, [cosigned(checkpoints[-1], *many)], signer, [one.verifier for one in many])
    assert len(_verify(raw).cosigned) == 63
    more = Cosigner.from_seed("witness.example/x", bytes([99]) * 32)
    line = more.cosign(split(checkpoints[-1])[0], SEEN).encode()
    assert not _verify(raw.replace(b"entry 0 ", line + b"entry 0 ", 1)).verified


def test_only_cosignatures_of_the_witnesses_given_are_written(signer: Signer) -> None:
    leaves, checkpoints = small_log(SIZE, signer)
    both = [cosigned(one, FORCE, TRUST) for one in checkpoints]
    assert packed(leaves, both, signer) == packed(leaves, checkpoints, signer)
    raw = packed(leaves, both, signer, [TRUST.verifier])
    assert {one.witness for one in _verify(raw).cosigned} == {TRUST.name}


def test_a_wrong_cosignature_is_not_written(signer: Signer) -> None:
    leaves, checkpoints = small_log(SIZE, signer)
    forged = checkpoints[-1] + FORCE.cosign(split(checkpoints[0])[0], SEEN)
    with pytest.raises(SignatureInvalid):
        packed(leaves, [forged], signer, BOTH)


def _fork(signer: Signer, numbers: Sequence[int]) -> tuple[list[Leaf], str]:
    sealed = grown(empty_head(ORIGIN, signer), [entry(number).to_bytes() for number in numbers], signer)
    return [Leaf(body, leaf) for _, body, leaf in sealed.leaves], sealed.checkpoint


@pytest.mark.parametrize("shown", [[0, 1, 2, 3, 9], [0, 1, 9], [9], [0, 1, 2, 3, 4, 5, 9], [0, 1, 2, 3, 4, 5, 6, 7]])
def test_the_pack_of_one_history_is_refused_by_a_checkpoint_of_another(shown: list[int], signer: Signer) -> None:
    """The log's key signed both, and a witness cosigned the other: two histories were shown."""
    leaves, checkpoint = _fork(signer, range(SIZE))
    raw = packed(leaves, [cosigned(checkpoint, FORCE)], signer, BOTH)
    _, other = _fork(signer, shown)
    for kept in (other, cosigned(other, TRUST)):
        report = _verify(raw, FORCE, key=signer.verifier.text, earlier=kept)
        assert _things(report) == [Thing.EARLIER]


def test_a_checkpoint_of_another_history_in_the_pack_itself_is_found(signer: Signer) -> None:
    leaves, checkpoint = _fork(signer, range(SIZE))
    _, other = _fork(signer, [0, 1, 9])
    raw = packed(leaves, [cosigned(other, FORCE), checkpoint], signer, BOTH)
    assert "of size 3 has another root" in _said(_verify(raw))


def test_a_pack_of_the_version_before_is_refused(whole: bytes) -> None:
    report = _verify(whole.replace(b"pack@v2", b"pack@v1"))
    assert [(one.thing, one.line) for one in report.findings] == [(Thing.HEADER, 1)]


def test_every_checkpoint_is_held_to_the_entries(signer: Signer) -> None:
    """One after each entry of a log that ends in a stretch and a half: each root is found where it lies."""
    bodies = [entry(number).to_bytes() for number in range(1500)]
    head, checkpoints, leaves = empty_head(ORIGIN, signer), [], []
    for start in range(0, len(bodies), 100):
        sealed = grown(head, bodies[start : start + 100], signer)
        head = sealed.head
        checkpoints.append(cosigned(head.checkpoint, FORCE))
        leaves += [Leaf(body, leaf) for _, body, leaf in sealed.leaves]
    raw = packed(leaves, checkpoints, signer, BOTH)
    assert _verify(raw, FORCE).verified
    wrong = Checkpoint(ORIGIN, 650, bytes(32)).sign(signer)
    more = sorted([*checkpoints, wrong], key=lambda note: Checkpoint.unverified(note).size)
    assert "of size 650 has another root" in _said(_verify(packed(leaves, more, signer, BOTH)))
