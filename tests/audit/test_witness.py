"""A witness's judgement (C2SP tlog-witness): what it cosigns, and each reason for which it does not."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.checkpoint import Checkpoint
from audit.encoding import to_base64
from audit.errors import (
    Inconsistent,
    LogKeyMissing,
    NotCosigned,
    NoteMalformed,
    OriginUnknown,
    SizeMoved,
    SubmissionMalformed,
)
from audit.note import Signer, split
from audit.witness import MOST_PROOF_LINES, Cosigned, Submission, consider, log_keys
from tests.audit.witnessed import AT, LOG, WITNESS, checkpoint, forked, numbered, proof, submission
from tests.support.shared import shared_data

LOGS = log_keys([LOG.verifier])


def judged(given: Submission, seen: str | None = None) -> Cosigned:
    return consider(given, LOGS, Checkpoint.unverified(seen) if seen else None, WITNESS, AT)


def test_the_first_checkpoint_is_cosigned_without_proof() -> None:
    granted = judged(submission(0, numbered(5)))
    text, (of_log, of_witness) = split(granted.note)
    assert of_log.name == LOG.name
    assert of_witness.line == granted.line
    assert WITNESS.verifier.verify(text, of_witness.raw) == AT
    assert (granted.checkpoint.size, granted.checkpoint.text) == (5, text)


@given(st.integers(0, 40), st.integers(0, 40))
@settings(deadline=None, max_examples=60)
def test_every_continuation_is_cosigned(one: int, other: int) -> None:
    """From any size to any later one, the empty log and the same size among them."""
    old, new = sorted((one, other))
    granted = judged(submission(old, numbered(new)), checkpoint(numbered(old)))
    assert granted.checkpoint.size == new


@given(st.integers(1, 40), st.integers(1, 40), st.data())
@settings(deadline=None, max_examples=60)
def test_no_other_history_is_cosigned(one: int, other: int, data: st.DataObject) -> None:
    """Whichever entry was changed behind the witness's back, even where the log proves its own tree honestly."""
    old, new = sorted((one, other))
    changed = forked(new, data.draw(st.integers(0, old - 1)))
    with pytest.raises(Inconsistent):
        judged(submission(old, changed), checkpoint(numbered(old)))


def test_a_log_that_was_never_empty_has_no_empty_tree() -> None:
    with pytest.raises(Inconsistent):
        judged(Submission(0, (), Checkpoint(LOG.name, 0, bytes(32)).sign(LOG)))


def test_nothing_needs_no_proof() -> None:
    with pytest.raises(Inconsistent):
        judged(Submission(0, (bytes(32),), checkpoint(numbered(3))))


def test_an_old_size_other_than_the_last_one_is_told_the_last_one() -> None:
    for old in (0, 2, 4):
        with pytest.raises(SizeMoved) as moved:
            judged(submission(old, numbered(5)), checkpoint(numbered(3)))
        assert moved.value.size == 3


def test_a_smaller_checkpoint_is_never_cosigned() -> None:
    """By whatever old size it is handed in: the log has shrunk."""
    for old, refusal in ((0, SizeMoved), (3, SizeMoved), (5, SubmissionMalformed)):
        with pytest.raises(refusal):
            judged(submission(old, numbered(3)), checkpoint(numbered(5)))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path[:-1],
        lambda path: (*path, bytes(32)),
        lambda path: path[::-1],
        lambda path: (bytes(32), *path[1:]),
        lambda _: (),
    ],
)
def test_a_proof_that_does_not_lead_there_is_refused(
    spoil: Callable[[tuple[bytes, ...]], tuple[bytes, ...]],
) -> None:
    good = submission(3, numbered(7))
    with pytest.raises(Inconsistent):
        judged(Submission(3, spoil(good.proof), good.note), checkpoint(numbered(3)))


def test_another_log_and_another_key_are_told_apart() -> None:
    stranger, namesake = Signer.from_seed("log.example/other", bytes(32)), Signer.from_seed(LOG.name, bytes(32))
    with pytest.raises(OriginUnknown):
        judged(submission(0, numbered(2), stranger))
    with pytest.raises(LogKeyMissing):
        judged(submission(0, numbered(2), namesake))
    note = checkpoint(numbered(2))
    with pytest.raises(LogKeyMissing):
        judged(Submission(0, (), note.replace("\n2\n", "\n3\n")))
    both = note + namesake.signature_line(Checkpoint.unverified(note).text)
    assert judged(Submission(0, (), both)).checkpoint.size == 2, "an unknown key's signature is passed over"


def test_two_keys_for_one_log_are_refused() -> None:
    with pytest.raises(NoteMalformed):
        log_keys([LOG.verifier, Signer.from_seed(LOG.name, bytes(32)).verifier])


def test_the_specification_s_own_request_is_read() -> None:
    page = shared_data("crypto", "c2sp_specs", "tlog-witness.md").read_text(encoding="utf-8")
    block = re.search(r"^Example request body:\n\n((?: {4}.*\n|\n)+)", page, re.MULTILINE)
    assert block is not None
    body = re.sub(r"^ {4}", "", block[1], flags=re.MULTILINE).strip("\n") + "\n"
    given = Submission.from_bytes(body.encode())
    assert (given.old_size, len(given.proof)) == (20852014, 4)
    assert Checkpoint.unverified(given.note).size == 20852163
    assert given.to_bytes() == body.encode()


@given(st.integers(0, 10**17), st.lists(st.binary(min_size=32, max_size=32), max_size=63), st.integers(0, 9))
@settings(deadline=None, max_examples=40)
def test_a_submission_reads_back_to_itself(old: int, path: list[bytes], size: int) -> None:
    given = Submission(old, tuple(path), checkpoint(numbered(size)))
    assert Submission.from_bytes(given.to_bytes()) == given


HASH = to_base64(bytes(32))
NOTE = checkpoint(numbered(3)).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n",
        b"old 0\n",
        b"old 0\n" + NOTE,
        b"old 00\n\n" + NOTE,
        b"old 01\n\n" + NOTE,
        b"old +1\n\n" + NOTE,
        b"old -1\n\n" + NOTE,
        b"old \n\n" + NOTE,
        b"old  0\n\n" + NOTE,
        b"old 0 \n\n" + NOTE,
        b"Old 0\n\n" + NOTE,
        b"old " + b"9" * 4000 + b"\n\n" + NOTE,
        "old \u0661\n\n".encode() + NOTE,
        b"old 0\r\n\r\n" + NOTE.replace(b"\n", b"\r\n"),
        b"old 0\r\n\n" + NOTE,
        b"old 1\n" + HASH.encode() + b"\r\n\n" + NOTE,
        b"old 1\n" + HASH.encode()[:-1] + b"\n\n" + NOTE,
        b"old 1\nAAAA\n\n" + NOTE,
        b"old 1\n" + (HASH.encode() + b"\n") * (MOST_PROOF_LINES + 1) + b"\n" + NOTE,
        b"\xff\xfe" + NOTE,
        b"old 0\n\n" + NOTE.replace(b"log", b"l\xffg"),
        b"old 0\n\n\n" + NOTE,
        b"old 0\n\n" + NOTE[:-1],
        b"old 0\n\n" + NOTE.replace(b"\n3\n", b"\n03\n"),
        b"old 0\n\n" + NOTE.replace(b"\n3\n", b"\n" + b"9" * 30 + b"\n"),
        b"old 0\n\n" + NOTE.replace(b"\n", b"\r\n"),
        b"old 4\n\n" + NOTE,
        b"old 0\n\n" + NOTE + b"\xe2\x80\x94 w AAAAAAAA\n" * 100,
    ],
)
def test_what_is_no_submission_is_malformed(body: bytes) -> None:
    with pytest.raises(SubmissionMalformed):
        judged(Submission.from_bytes(body))


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@settings(deadline=None, max_examples=100)
def test_anything_else_is_refused_and_nothing_breaks(body: bytes) -> None:
    for tried in (body, b"old 0\n\n" + body, b"old 3\n" + body + b"\n\n" + NOTE):
        with pytest.raises(NotCosigned):
            judged(Submission.from_bytes(tried), checkpoint(numbered(2)))


def test_the_longest_proof_is_read() -> None:
    path = tuple(bytes([number]) * 32 for number in range(MOST_PROOF_LINES))
    assert Submission.from_bytes(Submission(1, path, NOTE.decode()).to_bytes()).proof == path
    assert proof(0, numbered(3)) == ()
