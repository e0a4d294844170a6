"""What an attacker hands an auditor: keys that anybody can sign for, and one key that passes for two witnesses."""

import io
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.ed25519 import usable_key
from audit.encoding import to_base64
from audit.errors import NoteMalformed
from audit.note import Cosigner, CosignerVerifier, Signer, Verifier
from audit.report import Thing
from audit.verify import verify
from tests.audit.worked import ORIGIN, cosigned, packed, small_log

PRIME = 2**255 - 19
ORDER_8 = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
WEAK = [(y).to_bytes(32, "little") for y in (0, 1, PRIME - 1, PRIME, PRIME + 18, 1 | 1 << 255)] + [ORDER_8]
ANYBODY = (1).to_bytes(32, "little")


def key_text(name: str, kind: bytes, public: bytes) -> str:
    """A verifier key as C2SP has it, of any 32 bytes."""
    key_id = sha256(name.encode() + b"\n" + kind + public).digest()[:4]
    return f"{name}+{key_id.hex()}+{to_base64(kind + public)}"


def test_a_signature_of_nobody_fits_every_text_under_such_a_key() -> None:
    """That is what is refused below: the neutral point, and a signature without a secret."""
    for text in (b"one history", b"another"):
        Ed25519PublicKey.from_public_bytes(ANYBODY).verify(ANYBODY + bytes(32), text)


@pytest.mark.parametrize("public", WEAK, ids=bytes.hex)
def test_a_key_that_anybody_can_sign_for_verifies_no_log_and_no_witness(public: bytes) -> None:
    for one in (Verifier, CosignerVerifier):
        with pytest.raises(NoteMalformed, match="anybody can sign"):
            one.from_text(key_text(ORIGIN, one.kind, public))
    with pytest.raises(ValueError, match="held to"):
        usable_key(public)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_what_has_not_32_bytes_is_no_key(length: int) -> None:
    with pytest.raises(ValueError, match="held to"):
        usable_key(bytes([9]) * length)


def test_an_honest_key_is_usable() -> None:
    for number in range(64):
        raw = Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32).public_key().public_bytes_raw()
        assert usable_key(raw).public_bytes_raw() == raw


def test_one_key_under_two_names_is_not_two_witnesses(signer: Signer) -> None:
    one, same = (Cosigner.from_seed(f"witness.example/{name}", bytes([7]) * 32) for name in ("one", "two"))
    leaves, checkpoints = small_log(5, signer)
    both = (one.verifier, same.verifier)
    raw = packed(leaves, [cosigned(checkpoints[-1], one, same)], signer, both)
    report = verify(io.BytesIO(raw), witnesses=[key.text for key in both])
    assert [finding.thing for finding in report.findings] == [Thing.WITNESS]
    assert "the two are one" in str(report.findings[0])
