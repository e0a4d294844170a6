"""What an attacker proves themselves with: names given twice, half a code, two tokens, keys anybody can sign for."""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from joserfc.jwk import Key
from starlette.requests import Request

from gateway.tokens.assertion import read
from gateway.tokens.check import TokenRefused
from gateway.tokens.jwks import KeysInvalid, public_keys, signed_by
from gateway.tokens.refusal import Reason, Refused
from gateway.web.auth import _authorization
from tests.gateway.tokens_support import AUDITOR, HOSPITAL, POLICE, TOKEN_URL, World, world

_PRIME = 2**255 - 19
_ORDER_8 = (
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
)
WEAK = [
    *((y | sign << 255).to_bytes(32, "little") for y in (0, 1, _PRIME - 1, _PRIME, _PRIME + 1) for sign in (0, 1)),
    *(bytes.fromhex(one) for one in _ORDER_8),
]
"""The points of small order in every spelling; `cryptography` takes each of them for a key."""


@pytest.fixture
def tokens(tmp_path: Path) -> Iterator[World]:
    yield from world(tmp_path)


def plain(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed_raw(header: bytes, claims: bytes, key: Ed25519PrivateKey) -> str:
    """A JWT of exactly these bytes."""
    said = f"{plain(header)}.{plain(claims)}"
    return f"{said}.{plain(key.sign(said.encode()))}"


HEADER = b'{"alg":"Ed25519","typ":"JWT","kid":"ed-1"}'


def claims(**more: object) -> bytes:
    now = int(time.time())
    named = {"iss": AUDITOR, "sub": AUDITOR, "aud": TOKEN_URL, "jti": str(uuid.uuid4()), "exp": now + 200}
    return json.dumps({**named, **more}).encode()


@pytest.mark.parametrize(
    ("header", "more"),
    [
        (HEADER[:-1] + b',"alg":"Ed25519"}', b""),
        (b'{"alg":"none",' + HEADER[1:], b""),
        (HEADER[:-1] + rb',"k\u0069d":"ed-1"}', b""),
        (HEADER, b',"exp":1'),
        (HEADER, b',"sub":"%s"' % AUDITOR.encode()),
        (HEADER, rb',"\u006ati":"another"'),
        (HEADER, b',"more":{"a":1,"a":1}'),
    ],
    ids=["alg", "alg none before", "kid, once escaped", "exp", "sub", "jti, once escaped", "far below"],
)
def test_a_name_given_twice_is_refused_in_header_and_claims(tokens: World, header: bytes, more: bytes) -> None:
    """Of two readers each may take another: a proxy that looks at tokens, say, and the gateway."""
    seed = tokens.keys[AUDITOR].as_dict(private=True)["d"]
    key = Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(f"{seed}=="))
    good = signed_raw(HEADER, claims(), key)
    assert tokens.post(**tokens.form(good)).status_code == 200  # else the next would prove nothing
    forged = signed_raw(header, claims()[:-1] + more + b"}", key)
    answer = tokens.post(**tokens.form(forged))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert tokens.entries()[-1].reason == Reason.ASSERTION_MALFORMED


def test_names_nested_without_end_are_refused() -> None:
    deep = b'{"a":' * 1_000 + b"1" + b"}" * 1_000
    with pytest.raises(Refused):
        read(f"{plain(deep)}.{plain(b'{}')}.x")


@pytest.mark.parametrize("value", ["%", "%z", "%zz", "a%2", "%u0061"])
def test_half_a_code_in_a_form_is_refused(tokens: World, value: str) -> None:
    form = "&".join(f"{name}={text}" for name, text in tokens.form(tokens.assertion(AUDITOR)).items())
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = tokens.call("POST", "/oauth2/token", content=f"{form}&x={value}", headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_of_two_tokens_in_one_request_neither_counts(tokens: World) -> None:
    """Whoever stands in front may have judged the other one."""
    good = f"Bearer {tokens.token(AUDITOR)}".encode()

    def given(*headers: bytes) -> str | None:
        return _authorization(Request({"type": "http", "headers": [(b"authorization", one) for one in headers]}))

    assert tokens.check.caller(given(good)).client == AUDITOR
    assert given() is None
    for two in ((good, b"Bearer x"), (b"Bearer x", good), (good, good), (good, b"")):
        with pytest.raises(TokenRefused) as refused:
            tokens.check.caller(given(*two))
        assert refused.value.reason == "token-malformed"


@pytest.mark.parametrize("point", WEAK, ids=bytes.hex)
def test_a_key_that_anybody_can_sign_for_is_not_registered(point: bytes) -> None:
    Ed25519PublicKey.from_public_bytes(point)  # the library has nothing against it
    with pytest.raises(KeysInvalid) as refused:
        public_keys({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": plain(point)}]})
    assert refused.value.path == "keys[0].x"


def spelt(key: Key, **changes: bytes) -> dict[str, object]:
    """The public half of a key, with other bytes in some of its numbers."""
    return {**key.as_dict(private=False), **{name: plain(raw) for name, raw in changes.items()}}


def number(key: Key, name: str) -> bytes:
    found = key.as_dict(private=False)[name]
    return base64.urlsafe_b64decode(f"{found}==")


@pytest.mark.parametrize("name", ["x", "y", "n"])
def test_a_key_has_one_spelling(tokens: World, name: str) -> None:
    """Else the same key could be registered twice, under two names."""
    key = tokens.keys[POLICE if name == "n" else HOSPITAL]
    public_keys({"keys": [spelt(key)]})
    with pytest.raises(KeysInvalid) as refused:
        public_keys({"keys": [spelt(key, **{name: b"\0" + number(key, name)})]})
    assert refused.value.path == f"keys[0].{name}"


@pytest.mark.parametrize("modulus", [2**2047 + 1, 2**2048 - 2, 3**1292, 751 * (2**2038 + 9)], ids=lambda n: str(n % 97))
def test_a_modulus_that_anybody_can_factor_is_refused(tokens: World, modulus: int) -> None:
    with pytest.raises(KeysInvalid) as refused:
        public_keys({"keys": [spelt(tokens.keys[POLICE], n=modulus.to_bytes(256, "big"))]})
    assert refused.value.path == "keys[0].n"


def test_a_signature_in_a_second_spelling_is_none(tokens: World) -> None:
    """S and S plus the order of the group are one signature to a careless reader (RFC 8032 section 5.1.7)."""
    text = tokens.assertion(AUDITOR)
    said, _, signature = text.rpartition(".")
    raw = base64.urlsafe_b64decode(f"{signature}==")
    key = public_keys({"keys": [spelt(tokens.keys[AUDITOR])]}).keys[0]
    order = 2**252 + 27742317777372353535851937790883648493
    again = (int.from_bytes(raw[32:], "little") + order).to_bytes(32, "little")
    assert signed_by(text, key)
    assert not signed_by(f"{said}.{plain(raw[:32] + again)}", key)
