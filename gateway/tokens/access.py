"""The access token as it is written and read: a JWT of RFC 9068, signed ES256 by the gateway for itself.

Reading is pure: text, key, issuer and time in, the token or a fault out. It does not know what has been revoked.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from joserfc.jws import deserialize_compact

from gateway.evidence import Caller

ALGORITHM = "ES256"
TYPE = "at+jwt"
TOKEN_MAX_CHARACTERS = 16_384  # a client of 200 agreements stays far below


class TokenFault(StrEnum):
    """Why an access token is no good."""

    MISSING = "token-missing"
    MALFORMED = "token-malformed"
    FORGED = "token-forged"
    FOREIGN = "token-foreign"
    EXPIRED = "token-expired"
    REVOKED = "token-revoked"
    CLIENT_REVOKED = "token-client-revoked"


class TokenUnusable(Exception):
    """A text that is no access token of this gateway, or one that has expired."""

    def __init__(self, fault: TokenFault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token this gateway signed and whose time has not passed. `expires` is its `exp`, seconds since 1970."""

    id: str
    expires: int
    caller: Caller
    claims: dict[str, Any]


def read(text: str, key: ECKey, issuer: str, now: float) -> AccessToken:
    """Verify an access token (RFC 9068 section 4): signature, type, issuer, audience, expiry. Raises TokenUnusable.

    There is no leeway on expiry: the gateway's own clock wrote it.
    """
    if len(text) > TOKEN_MAX_CHARACTERS:
        raise TokenUnusable(TokenFault.MALFORMED)
    try:
        signed = deserialize_compact(text, key, algorithms=[ALGORITHM])
        header, claims = signed.headers(), orjson.loads(signed.payload or b"")
    except (JoseError, ValueError, RecursionError):
        raise TokenUnusable(TokenFault.FORGED) from None
    if header.get("typ") != TYPE or header.get("kid") != key.kid:
        raise TokenUnusable(TokenFault.FORGED)
    try:
        if claims["iss"] != issuer or claims["aud"] != issuer:
            raise TokenUnusable(TokenFault.FOREIGN)
        if claims["exp"] <= now:
            raise TokenUnusable(TokenFault.EXPIRED)
        return AccessToken(claims["jti"], claims["exp"], _caller(claims), claims)
    except (KeyError, TypeError, AttributeError):  # signed by us, but by a version that wrote other claims
        raise TokenUnusable(TokenFault.FORGED) from None


def _caller(claims: dict[str, Any]) -> Caller:
    person = claims.get("end_user") or {}
    return Caller(
        client=claims["client_id"],
        organisation=claims["organisation"],
        recipient=claims["recipient"],
        scopes=frozenset(claims["scope"].split()),
        agreements=frozenset(claims["agreements"]),
        user=person.get("id"),
        role=person.get("role"),
        token=claims["jti"],
    )
