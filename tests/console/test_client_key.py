"""The key that the console proves itself with at its provider: RSA or EC, and anything else is named at the start."""

from __future__ import annotations

from pathlib import Path

import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey

from gateway.settings import Settings
from gateway.signin.registered import SignInUnusable, client_key
from gateway.tracing.sign_in import KeyUnusable, load_key


def settings(path: Path) -> Settings:
    return Settings(oidc_issuer="https://login.example", oidc_client_key_file=path)


@pytest.mark.parametrize("made", [RSAKey.generate_key(2048), ECKey.generate_key("P-256")], ids=["RSA", "EC"])
def test_a_key_of_either_kind_is_taken(made: RSAKey | ECKey, tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(made.as_pem(private=True))
    key = client_key(settings(path))
    assert key is not None
    assert (key.key_type, key.kid) == (made.key_type, made.thumbprint())


@pytest.mark.parametrize("text", [OKPKey.generate_key("Ed25519").as_pem(private=True), b"no key"], ids=["OKP", "text"])
def test_any_other_is_refused_by_the_name_of_its_file(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(text)
    with pytest.raises(SignInUnusable, match=r"key\.pem"):
        client_key(settings(path))


def test_a_key_for_tracing_of_another_kind_is_refused_by_the_name_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "pds.pem"
    path.write_bytes(ECKey.generate_key("P-256").as_pem(private=True))
    with pytest.raises(KeyUnusable, match=r"pds\.pem"):
        load_key(path, None)
