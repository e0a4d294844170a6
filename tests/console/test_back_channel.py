"""A provider's word that somebody has signed out there: what is such a word, and what is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from gateway.signin.fetching import SignInFailed
from gateway.signin.logouttoken import EVENT, AtProvider, Ended, read

ISSUER, CLIENT, NOW = "https://login.example/realm", "provide-console", 1_790_000_000


def _key() -> ECKey:
    made = ECKey.generate_key("P-256")
    return ECKey.import_key(made.as_pem(private=True), {"kid": made.thumbprint(), "use": "sig"})


KEY, OTHER = _key(), _key()
CLAIMS: Mapping[str, Any] = {
    "iss": ISSUER,
    "aud": CLIENT,
    "iat": NOW - 1,
    "exp": NOW + 120,
    "jti": "one",
    "sub": "someone",
    "sid": "08a5019c",
    "events": {EVENT: {}},
}


def token(claims: Mapping[str, Any], key: ECKey = KEY, **header: Any) -> str:
    said = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
    return jwt.encode({"alg": "ES256", "kid": KEY.kid, "typ": "logout+jwt", **header}, said, key, algorithms=["ES256"])


def told(text: str) -> Ended:
    return read(text, (KEY,), ISSUER, CLIENT, NOW, 30)


@pytest.mark.parametrize(
    ("claims", "who"),
    [
        ({}, AtProvider("someone", "08a5019c")),
        ({"sid": None}, AtProvider("someone", None)),
        ({"sub": None}, AtProvider(None, "08a5019c")),
        ({"aud": [CLIENT, "another"]}, AtProvider("someone", "08a5019c")),
        ({"events": {EVENT: {}, "https://example.test/else": 1}}, AtProvider("someone", "08a5019c")),
    ],
)
def test_it_names_a_subject_or_a_session_or_both(claims: dict[str, Any], who: AtProvider) -> None:
    assert told(token(claims)) == Ended(who, NOW - 1)


@pytest.mark.parametrize("kind", ["LOGOUT+JWT", "JWT", "application/logout+jwt"])
def test_it_may_be_called_by_any_of_its_names(kind: str) -> None:
    assert told(token({}, typ=kind)).at == NOW - 1


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"nonce": "n"}, "kind"),
        ({"iss": "https://login.example/other"}, "claims"),
        ({"aud": "another"}, "claims"),
        ({"aud": None}, "claims"),
        ({"iat": NOW + 31}, "claims"),
        ({"iat": None}, "claims"),
        ({"iat": "now"}, "claims"),
        ({"exp": NOW - 31}, "claims"),
        ({"exp": None}, "claims"),
        ({"jti": None}, "claims"),
        ({"sub": 7}, "claims"),
        ({"events": None}, "event"),
        ({"events": [EVENT]}, "event"),
        ({"events": {EVENT: None}}, "event"),
        ({"events": {"http://schemas.openid.net/event/else": {}}}, "event"),
        ({"sub": None, "sid": None}, "of-nobody"),
        ({"sub": None, "sid": ""}, "of-nobody"),
        ({"sub": None, "sid": ["08a5019c"]}, "of-nobody"),
    ],
)
def test_what_is_no_such_word_is_refused(claims: dict[str, Any], reason: str) -> None:
    with pytest.raises(SignInFailed) as found:
        told(token(claims))
    assert found.value.reason == f"logout-token-{reason}"


def test_an_id_token_of_the_same_provider_is_no_such_word() -> None:
    with pytest.raises(SignInFailed) as found:
        told(token({"nonce": "n", "events": None}, typ="JWT"))
    assert found.value.reason == "logout-token-kind"
    with pytest.raises(SignInFailed):
        told(token({}, typ="at+jwt"))


def test_it_is_signed_by_the_provider() -> None:
    with pytest.raises(SignInFailed) as found:
        told(token({}, OTHER))
    assert found.value.reason == "id-token-signature"


@pytest.mark.parametrize("at", [-(10**300), -1, 0])
def test_a_word_of_long_ago_ends_nothing(at: int) -> None:
    assert told(token({"iat": at})).at == 0
