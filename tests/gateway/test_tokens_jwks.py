"""The keys a client may register: public, strong, distinct; each fault is named by its path."""

from __future__ import annotations

from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from joserfc.util import int_to_base64

from gateway.tokens.jwks import KeysInvalid, algorithms_of, public_keys

RSA = RSAKey.generate_key(2048)
EC = ECKey.generate_key("P-256")
ED = OKPKey.generate_key("Ed25519")


def public(key: Any, **changes: Any) -> dict[str, Any]:
    return {**key.as_dict(private=False), **changes}


def path_of(*keys: Any) -> str:
    with pytest.raises(KeysInvalid) as invalid:
        public_keys({"keys": list(keys)})
    return invalid.value.path


def test_good_keys_of_every_kind_are_kept() -> None:
    keys = [public(key, kid=f"key-{at}") for at, key in enumerate((RSA, EC, ED, ECKey.generate_key("P-521")))]
    kept = public_keys({"keys": keys})
    assert [key.kid for key in kept] == ["key-0", "key-1", "key-2", "key-3"]
    assert not any(key.is_private for key in kept)


def test_a_key_without_kid_is_known_by_its_thumbprint() -> None:
    jwk = {name: value for name, value in public(EC).items() if name != "kid"}
    assert [key.kid for key in public_keys({"keys": [jwk]})] == [EC.thumbprint()]


@pytest.mark.parametrize("key", [RSA, EC, ED])
def test_a_private_key_is_refused(key: Any) -> None:
    with pytest.raises(KeysInvalid, match=r"^keys\[0\]: holds a private key"):
        public_keys({"keys": [key.as_dict(private=True)]})


def test_each_private_member_alone_is_refused() -> None:
    for name in ("d", "p", "q", "dp", "dq", "qi", "oth", "k"):
        with pytest.raises(KeysInvalid, match="holds a private key"):
            public_keys({"keys": [public(RSA, **{name: "AQAB"})]})


def test_a_secret_is_not_a_key_here() -> None:
    assert path_of(OctKey.generate_key(256).as_dict(private=True)) == "keys[0].kty"


@pytest.mark.parametrize(
    ("key", "path"),
    [
        (ECKey.generate_key("secp256k1"), "keys[0].crv"),
        (OKPKey.generate_key("X25519"), "keys[0].crv"),
        (OKPKey.generate_key("Ed448"), "keys[0].crv"),
    ],
)
def test_a_key_on_another_curve_is_refused(key: Any, path: str) -> None:
    assert path_of(public(key)) == path


@pytest.mark.parametrize("bits", [1024, 2047, 4097, 16_384])
def test_an_rsa_key_too_weak_or_too_long_is_refused(bits: int) -> None:
    assert path_of(public(RSA, n=int_to_base64((1 << bits - 1) + 1))) == "keys[0].n"


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"e": "AQ"}, "keys[0].e"),
        ({"e": "Aw"}, "keys[0].e"),
        ({"e": None}, "keys[0].e"),
        ({"n": "AQAB"}, "keys[0].n"),
        ({"n": "=="}, "keys[0].n"),
        ({"n": 5}, "keys[0].n"),
        ({"kty": "EC"}, "keys[0]"),
        ({"kty": ["RSA"]}, "keys[0].kty"),
        ({"use": "enc"}, "keys[0].use"),
        ({"key_ops": ["sign"]}, "keys[0].key_ops"),
        ({"alg": "HS256"}, "keys[0].alg"),
        ({"alg": "ES256"}, "keys[0].alg"),
        ({"alg": "none"}, "keys[0].alg"),
        ({"alg": None}, "keys[0]"),
        ({"kid": ""}, "keys[0].kid"),
        ({"kid": "a key"}, "keys[0].kid"),
        ({"kid": "x" * 129}, "keys[0].kid"),
        ({"kid": 1}, "keys[0].kid"),
        ({"x5u": "https://attacker.example"}, "keys[0]"),
    ],
)
def test_a_member_that_is_wrong_is_named(changes: dict[str, Any], path: str) -> None:
    assert path_of(public(RSA, **changes)) == path


def test_a_key_says_which_algorithm_it_signs_with() -> None:
    named = public_keys({"keys": [public(RSA, alg="PS256")]}).keys[0]
    assert algorithms_of(named) == ("PS256",)


@pytest.mark.parametrize("alg", ["EdDSA", "Ed25519"])
def test_an_ed25519_key_may_be_named_either_way(alg: str) -> None:
    assert "EdDSA" in algorithms_of(public_keys({"keys": [public(ED, alg=alg)]}).keys[0])


def test_the_same_kid_or_the_same_key_twice_is_refused() -> None:
    assert path_of(public(RSA, kid="one"), public(EC, kid="one")) == "keys"
    assert path_of(public(EC, kid="one"), public(EC, kid="two")) == "keys"


@pytest.mark.parametrize("document", [{}, {"keys": []}, {"keys": {}}, {"keys": [1]}, [], {"keys": [], "more": 1}, None])
def test_what_is_no_key_set_is_refused(document: Any) -> None:
    with pytest.raises(KeysInvalid):
        public_keys(document)


def test_more_than_ten_keys_are_refused() -> None:
    assert path_of(*(public(ECKey.generate_key("P-256")) for _ in range(11))) == "keys"
