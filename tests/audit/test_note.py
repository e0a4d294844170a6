"""Signed notes, checkpoints and receipts: published vectors, round trips, and what strict reading refuses."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.checkpoint import Checkpoint
from audit.errors import AuditError, NoteMalformed, ProofInvalid, SignatureInvalid
from audit.log import empty_head
from audit.note import Signer, Verifier, keep, open_note, sign, split
from audit.receipt import Receipt
from tests.audit.worked import ORIGIN, entry, grown
from tests.audit.worked import small_log as _small_log
from tests.support.shared import shared_data

OTHER = Signer.from_seed("witness.example/w1", bytes(32))
LINES = st.text(st.characters(exclude_categories=["Cs"], min_codepoint=32), min_size=1).filter(
    lambda line: line.strip("\n") == line
)
NAMES = st.from_regex(r"[a-z0-9./-]{1,30}", fullmatch=True)


def test_the_specification_s_own_note_verifies() -> None:
    text = shared_data("crypto", "c2sp_specs", "signed-note.md").read_text(encoding="utf-8")
    vkey = re.search(r"^ {4}(example\.com/foo\+\S+)$", text, re.MULTILINE)
    note = re.search(r"^```\n(This is an example message\.\n\n.*?\n)```", text, re.MULTILINE | re.DOTALL)
    assert vkey is not None
    assert note is not None
    assert open_note(note[1], [Verifier.from_text(vkey[1])]) == "This is an example message.\n"


@given(NAMES, st.binary(min_size=32, max_size=32), st.lists(LINES, min_size=1, max_size=4))
@settings(deadline=None, max_examples=60)
def test_a_note_opens_to_its_text_and_its_key_reads_back(name: str, seed: bytes, lines: list[str]) -> None:
    signer = Signer.from_seed(name, seed)
    text = "".join(f"{line}\n" for line in lines)
    note = sign(text, OTHER, signer)
    assert open_note(note, [Verifier.from_text(signer.verifier.text)]) == text
    assert keep(note, signer.verifier) == sign(text, signer)


def test_a_text_with_empty_lines_is_split_at_its_last_one(signer: Signer) -> None:
    note = sign("a\n\nb\n", signer)
    assert split(note)[0] == "a\n\nb\n"
    assert open_note(note, [signer.verifier]) == "a\n\nb\n"


def test_unknown_signatures_are_passed_over_and_a_known_one_must_be_there(signer: Signer) -> None:
    both = sign("text\n", signer, OTHER)
    assert open_note(both, [signer.verifier]) == "text\n"
    with pytest.raises(SignatureInvalid):
        open_note(sign("text\n", OTHER), [signer.verifier])
    with pytest.raises(SignatureInvalid):
        keep(sign("text\n", OTHER), signer.verifier)
    with pytest.raises(SignatureInvalid):
        open_note(both, [])


def test_a_wrong_signature_of_a_known_key_spoils_the_note(signer: Signer) -> None:
    """Even where another known key's signature is right."""
    lines = sign("other\n", OTHER).split("\n\n")[1]
    note = sign("text\n", signer) + lines
    with pytest.raises(SignatureInvalid):
        open_note(note, [signer.verifier, OTHER.verifier])


def test_a_key_of_the_same_name_and_another_id_is_unknown(signer: Signer) -> None:
    namesake = Signer.from_seed(ORIGIN, bytes(32))
    with pytest.raises(SignatureInvalid, match="no known key"):
        open_note(sign("text\n", namesake), [signer.verifier])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda note: note.rstrip("\n"),
        lambda note: note + "\n",
        lambda note: note.replace("\n\n", "\n"),
        lambda note: note.replace("\u2014 ", "- "),
        lambda note: note.replace("\u2014 ", "\u2014"),
        lambda note: note.replace("=\n", "\n"),
        lambda note: note.replace("=\n", "= \n"),
        lambda note: note.replace("text\n", "te\txt\n"),
        lambda note: note.replace("text\n", "te\ud800xt\n"),
        lambda note: note.replace(ORIGIN, ORIGIN + "+"),
        lambda note: note.replace(ORIGIN, ORIGIN + "\u00a0"),
        lambda note: note + "\u2014 short AAAA\n",
        lambda note: note + "\u2014 a AAAAAAAA\n" * 100,
        lambda _: "",
    ],
)
def test_a_note_is_read_strictly(spoil: Callable[[str], str], signer: Signer) -> None:
    with pytest.raises(NoteMalformed):
        open_note(spoil(sign("text\n", signer)), [signer.verifier])


def test_sixteen_signatures_are_accepted(signer: Signer) -> None:
    witnesses = [Signer.from_seed(f"w{number}", bytes(32)) for number in range(15)]
    assert open_note(sign("text\n", *witnesses, signer), [signer.verifier]) == "text\n"


@pytest.mark.parametrize("text", ["", "no newline", "tab\t\n", "\ud800\n"])
def test_what_cannot_be_a_note_is_not_signed(text: str, signer: Signer) -> None:
    with pytest.raises(NoteMalformed):
        sign(text, signer)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u2003b", "a\nb"])
def test_a_key_name_that_a_note_cannot_carry_is_refused(name: str) -> None:
    with pytest.raises(NoteMalformed):
        Signer.from_seed(name, bytes(32))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda vkey: vkey[:-1],
        lambda vkey: vkey + "=",
        lambda vkey: vkey.replace("+", "-"),
        lambda vkey: "x" + vkey,
        lambda vkey: vkey.upper(),
        lambda vkey: vkey.replace("+A", "+B"),
    ],
)
def test_a_verifier_key_is_read_strictly(spoil: Callable[[str], str], signer: Signer) -> None:
    with pytest.raises(NoteMalformed):
        Verifier.from_text(spoil(signer.verifier.text))


@given(
    LINES,
    st.integers(0, 2**59),
    st.binary(min_size=32, max_size=32),
    st.lists(LINES, max_size=3).map(tuple),
)
@settings(deadline=None, max_examples=60)
def test_a_checkpoint_reads_back_to_itself(origin: str, size: int, root: bytes, extensions: tuple[str, ...]) -> None:
    checkpoint = Checkpoint(origin, size, root, extensions)
    assert Checkpoint.from_text(checkpoint.text) == checkpoint
    assert Checkpoint.unverified(checkpoint.sign(OTHER)) == checkpoint


@pytest.mark.parametrize(
    "text",
    [
        "log\n1\n",
        "log\n01\n" + "A" * 43 + "=\n",
        "log\n-1\n" + "A" * 43 + "=\n",
        "log\n\u0661\n" + "A" * 43 + "=\n",
        "log\n1\n" + "A" * 42 + "B=\n",
        "log\n1\nAAAA\n",
        "\n1\n" + "A" * 43 + "=\n",
        "log\n1\n" + "A" * 43 + "=",
        "log\n1\n" + "A" * 43 + "=\n\nx\n",
    ],
)
def test_a_checkpoint_is_read_strictly(text: str) -> None:
    with pytest.raises(NoteMalformed):
        Checkpoint.from_text(text)


def test_a_checkpoint_of_another_log_is_not_opened_by_this_key(signer: Signer) -> None:
    note = Checkpoint("log.example/other", 0, bytes(32)).sign(signer)
    with pytest.raises(SignatureInvalid):
        Checkpoint.open(note, signer.verifier)


def test_a_receipt_is_a_tlog_proof_and_reads_back(signer: Signer) -> None:
    sealed = grown(empty_head(ORIGIN, signer), [entry(number).to_bytes() for number in range(5)], signer)
    for receipt in sealed.receipts():
        text = receipt.to_text()
        assert text.startswith("c2sp.org/tlog-proof@v1\nextra ")
        assert text.endswith(f"\n\n{sealed.checkpoint}")
        assert Receipt.from_text(text) == receipt
        assert receipt.verify(signer.verifier).size == 5
        assert receipt.to_json()["log"] == ORIGIN
        assert receipt.to_json()["hashes"] == text.split("\n\n")[0].split("\n")[3:]


def test_every_byte_of_a_receipt_counts(signer: Signer) -> None:
    sealed = grown(empty_head(ORIGIN, signer), [entry(number).to_bytes() for number in range(3)], signer)
    raw = sealed.receipt(1).to_text().encode()
    for at in range(len(raw)):
        changed = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        with pytest.raises((AuditError, UnicodeDecodeError)):
            Receipt.from_text(changed.decode()).verify(signer.verifier)


def test_a_receipt_for_another_entry_is_refused(signer: Signer) -> None:
    sealed = grown(empty_head(ORIGIN, signer), [entry(number).to_bytes() for number in range(4)], signer)
    one, two = sealed.receipt(1), sealed.receipt(2)
    with pytest.raises(ProofInvalid):
        Receipt(ORIGIN, 1, two.leaf, one.path, one.checkpoint_text).verify(signer.verifier)


@pytest.mark.parametrize("text", ["", "c2sp.org/tlog-proof@v1\nindex 1\n\nx", "c2sp.org/tlog-proof@v2\n\n"])
def test_a_receipt_is_read_strictly(text: str) -> None:
    with pytest.raises(NoteMalformed):
        Receipt.from_text(text)


def test_the_worked_log_has_two_checkpoints(signer: Signer) -> None:
    _, checkpoints = _small_log(7, signer)
    assert [Checkpoint.open(note, signer.verifier).size for note in checkpoints] == [3, 7]
