"""Cosignatures (C2SP tlog-cosignature, Ed25519): the specification's own bytes, round trips, and what is refused."""

import re
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.encoding import from_base64, to_base64
from audit.errors import NoteMalformed, SignatureInvalid
from audit.note import Cosigner, CosignerVerifier, Signer, Verifier, open_note, sign, split
from tests.support.shared import shared_data

TEXT = "log.example/northshire\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
WITNESS = Cosigner.from_seed("trust.example/w1", bytes(range(32)))


def test_the_specification_s_own_cosignature_has_its_parts_where_they_are_read() -> None:
    """The example note and the example message in the specification are of one second."""
    page = shared_data("crypto", "c2sp_specs", "tlog-cosignature.md").read_text(encoding="utf-8")
    note = re.search(r"^```\n(example\.com/.*?\n)```", page, re.MULTILINE | re.DOTALL)
    said = re.search(r"^ {4}time (\d+)$", page, re.MULTILINE)
    assert note is not None
    assert said is not None
    cosignature = split(note[1])[1][1]
    assert cosignature.name == "witness.example.com/w1"
    assert int.from_bytes(cosignature.raw[:8], "big") == int(said[1])
    assert len(cosignature.raw) == 8 + 64
    assert cosignature.line in note[1]


def test_a_cosignature_is_the_one_the_specification_describes() -> None:
    """Built again here by its words alone: the key id, the signed message, the line."""
    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    public = private.public_key().public_bytes_raw()
    key_id = sha256(b"trust.example/w1\n\x04" + public).digest()[:4]
    signed = private.sign(b"cosignature/v1\ntime 1679315147\n" + TEXT.encode())
    material = key_id + (1679315147).to_bytes(8, "big") + signed
    assert WITNESS.cosign(TEXT, 1679315147) == f"\u2014 trust.example/w1 {to_base64(material)}\n"
    assert WITNESS.verifier.text == f"trust.example/w1+{key_id.hex()}+{to_base64(bytes([4]) + public)}"


@given(st.binary(min_size=32, max_size=32), st.integers(1, 2**63 - 1))
@settings(deadline=None, max_examples=40)
def test_a_cosignature_verifies_to_its_time_and_its_key_reads_back(seed: bytes, seconds: int) -> None:
    witness = Cosigner.from_seed("w", seed)
    raw = split(f"{TEXT}\n{witness.cosign(TEXT, seconds)}")[1][0].raw
    assert CosignerVerifier.from_text(witness.verifier.text).verify(TEXT, raw) == seconds


def test_every_bit_of_a_cosignature_counts() -> None:
    raw = split(f"{TEXT}\n{WITNESS.cosign(TEXT, 1679315147)}")[1][0].raw
    for at in range(len(raw) * 8):
        changed = bytearray(raw)
        changed[at // 8] ^= 1 << at % 8
        with pytest.raises(SignatureInvalid):
            WITNESS.verifier.verify(TEXT, bytes(changed))
    for wrong in (raw[:-1], raw + b"\0", raw[8:], b"", raw[:8]):
        with pytest.raises(SignatureInvalid):
            WITNESS.verifier.verify(TEXT, wrong)
    with pytest.raises(SignatureInvalid):
        WITNESS.verifier.verify(TEXT.replace("7", "8"), raw)


@pytest.mark.parametrize("seconds", [0, 2**63])
def test_a_time_that_is_none_is_refused_although_it_is_signed(seconds: int) -> None:
    raw = split(f"{TEXT}\n{WITNESS.cosign(TEXT, seconds)}")[1][0].raw
    with pytest.raises(SignatureInvalid, match="no time"):
        WITNESS.verifier.verify(TEXT, raw)


def test_a_log_s_key_is_no_witness_s_and_a_witness_s_none_of_a_log() -> None:
    """The same key under the same name has two ids, so that neither signature can stand for the other."""
    log = Signer.from_seed("trust.example/w1", bytes(range(32)))
    assert log.verifier.key_id != WITNESS.verifier.key_id
    with pytest.raises(NoteMalformed):
        Verifier.from_text(WITNESS.verifier.text)
    with pytest.raises(NoteMalformed):
        CosignerVerifier.from_text(log.verifier.text)
    with pytest.raises(SignatureInvalid, match="no known key"):
        open_note(f"{TEXT}\n{WITNESS.cosign(TEXT, 1)}", [log.verifier])
    raw = split(sign(TEXT, log))[1][0].raw
    with pytest.raises(SignatureInvalid):
        WITNESS.verifier.verify(TEXT, bytes(7) + b"\x01" + raw)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "trust.example/w1",
        WITNESS.verifier.text + "=",
        WITNESS.verifier.text.replace("trust", "force"),
        WITNESS.verifier.text.replace("+", "+0", 1),
        "a b" + WITNESS.verifier.text[16:],
        "w+00000000+" + to_base64(b"\x04" + bytes(31)),
        "w+00000000+" + to_base64(b"\x06" + bytes(1312)),
    ],
)
def test_a_witness_s_key_is_read_strictly(text: str) -> None:
    with pytest.raises(NoteMalformed):
        CosignerVerifier.from_text(text)


def test_a_key_reads_back_as_its_bytes() -> None:
    name, key_id, material = WITNESS.verifier.text.split("+", 2)
    assert name == WITNESS.name
    assert bytes.fromhex(key_id) == WITNESS.verifier.key_id
    assert from_base64(material) == b"\x04" + WITNESS.verifier.public.public_bytes_raw()
