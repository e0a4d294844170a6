"""The ID token: whether it is the provider's, for this console, of this sign-in, and still good.

Pure: token, key, and what was asked in; its claims out. joserfc verifies the signature, under a closed list of
algorithms that fit the key; Authlib knows the claims of OpenID Connect. What they leave open is closed here: the level
and the age of the authentication.

Source: OpenID Connect Core 1.0 sections 3.1.3.7 and 3.1.3.8.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from joserfc.errors import JoseError
from joserfc.jwk import Key
from joserfc.util import urlsafe_b64decode

from gateway.signin.authlib_names import CodeIDToken
from gateway.signin.fetching import SignInFailed
from gateway.tokens.jwks import KeysInvalid, algorithms_of, public_keys, signed_by

MOST_CHARACTERS = 16_384
ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"})
"""Neither `none` nor any HMAC; EdDSA is left out, as no hash of the access token is agreed for it."""

_KEY_MEMBERS = frozenset({"kty", "kid", "use", "alg", "n", "e", "crv", "x", "y"})


class KeyUnknown(SignInFailed):
    """The token names a key that the provider did not publish when it was last asked."""

    def __init__(self) -> None:
        super().__init__("id-token-key")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an ID token must be: of whom, for whom, of which question; seconds are since 1970.

    `acr` are the levels that are taken, any where empty; `max_age` how many seconds ago the person may have proved who
    they are, 0 for any number.
    """

    issuer: str
    client_id: str
    nonce: str
    access_token: str
    acr: frozenset[str]
    max_age: int
    now: int
    skew: int


def usable(jwks: Mapping[str, Any]) -> tuple[Key, ...]:
    """The keys of a provider's document that may sign here; what is for another use, weak or unknown is passed over."""
    found: list[Key] = []
    given = jwks.get("keys")
    for one in given if isinstance(given, list) else ():
        if isinstance(one, dict) and one.get("use", "sig") == "sig":
            plain = {name: value for name, value in one.items() if name in _KEY_MEMBERS}
            try:
                found += public_keys({"keys": [plain]}).keys
            except KeysInvalid:
                continue
    return tuple(found)


def read(text: str, keys: Sequence[Key], wanted: Wanted) -> dict[str, Any]:
    """The claims of an ID token. Raises SignInFailed; KeyUnknown where other keys may help."""
    header, claims = verified(text, keys)
    _check(header, claims, wanted)
    return claims


def verified(text: str, keys: Sequence[Key]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The header and the claims of a token that a provider signed with one of these keys; the claims are not checked.

    Raises SignInFailed; KeyUnknown where other keys may help.
    """
    header, claims = _parts(text)
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS or "crit" in header:
        raise SignInFailed("id-token-algorithm")
    key = _chosen(header.get("kid"), algorithm, keys)
    if not signed_by(text, key):
        raise SignInFailed("id-token-signature")
    return header, claims


def _parts(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    if len(text) > MOST_CHARACTERS or text.count(".") != _DOTS:
        raise SignInFailed("id-token-malformed")
    try:
        header, claims = (orjson.loads(urlsafe_b64decode(part.encode("ascii"))) for part in text.split(".")[:_DOTS])
    except ValueError:
        raise SignInFailed("id-token-malformed") from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise SignInFailed("id-token-malformed")
    return header, claims


_DOTS = 2  # of a JWS in its compact form (RFC 7515 section 3.1)


def _chosen(kid: object, algorithm: str, keys: Sequence[Key]) -> Key:
    """The key that the token names; where it names none, the only one there is (OpenID Connect Core, 10.1)."""
    fitting = [
        key for key in keys if algorithm in algorithms_of(key) and kid in (None, key.kid)
    ]  # no set: foreign JSON may have no hash
    if len(fitting) != 1:
        raise KeyUnknown
    return fitting[0]


def _check(header: Mapping[str, Any], claims: Mapping[str, Any], wanted: Wanted) -> None:
    options = {
        "iss": {"essential": True, "value": wanted.issuer},
        "aud": {"essential": True, "value": wanted.client_id},
        "exp": {"essential": True},
        "iat": {"essential": True},
        "sub": {"essential": True},
    }
    params = {"client_id": wanted.client_id, "nonce": wanted.nonce, "access_token": wanted.access_token}
    try:
        CodeIDToken(claims, header, options, {**params, "max_age": wanted.max_age}).validate(wanted.now, wanted.skew)
    except (JoseError, ValueError, TypeError, AttributeError) as invalid:
        raise SignInFailed(_reason(invalid)) from None
    acr = claims.get("acr")
    if wanted.acr and not (isinstance(acr, str) and acr in wanted.acr):
        raise SignInFailed("id-token-acr")
    if wanted.max_age and claims["auth_time"] < wanted.now - wanted.max_age - wanted.skew:
        raise SignInFailed("id-token-auth-time")


_CLAIMS = ("iss", "aud", "exp", "iat", "nbf", "sub", "nonce", "azp", "at_hash", "auth_time", "amr")


def _reason(invalid: Exception) -> str:
    """The code of a claim that is not as it must be: of its name, never its value."""
    if type(invalid).__name__ == "ExpiredTokenError":
        return "id-token-exp"
    named = getattr(invalid, "claim", None) or str(getattr(invalid, "description", ""))
    return next(
        (f"id-token-{one.replace('_', '-')}" for one in _CLAIMS if f"'{one}'" in f"'{named}'"), "id-token-claims"
    )
