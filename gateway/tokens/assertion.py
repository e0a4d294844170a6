"""The client assertion: a JWT a client signs to prove who it is (RFC 7523 section 3, the NHS signed-JWT profile).

Pure: text, the client's keys and the time in, an `Assertion` or a refusal out. That it is used only once is not judged
here: only the log's writer can know (`acts.Spend`).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from joserfc.errors import InvalidKeyIdError
from joserfc.jwk import Key
from joserfc.util import urlsafe_b64decode

from gateway.tokens.clients import Client
from gateway.tokens.jwks import ALGORITHMS, algorithms_of, signed_by
from gateway.tokens.refusal import Reason, Refused

ASSERTION_MAX_CHARACTERS = 8192  # an NHS assertion signed with RSA 4096 is about 1,200
JTI_MAX_CHARACTERS = 128
_SEGMENTS = 3
_TYPES = frozenset({"JWT", "CLIENT-AUTHENTICATION+JWT"})  # RFC 7519 section 5.1: compared without case
_CODE = re.compile(r"[!#-\[\]-~]{1,64}")  # the alphabet of an audit entry


@dataclass(frozen=True, slots=True)
class Unverified:
    """What an assertion says before anything of it is believed. `text` is the compact JWT."""

    text: str
    header: Mapping[str, Any]
    claims: Mapping[str, Any]

    @property
    def client_id(self) -> str:
        """Who it says it is from. Raises Refused unless `iss` and `sub` are the same text."""
        issuer, subject = self.claims.get("iss"), self.claims.get("sub")
        if not isinstance(issuer, str) or issuer != subject:
            raise Refused(Reason.ISSUER_WRONG, "Missing or non-matching 'iss'/'sub' claims in client_assertion JWT")
        return issuer


@dataclass(frozen=True, slots=True)
class Assertion:
    """A verified assertion: its id, the second since 1970 from which it is worth nothing, and the person behind it."""

    jti: str
    until: int
    user: str | None
    role: str | None


def read(text: str) -> Unverified:
    """Take an assertion apart; nothing is verified but its form and its algorithm. Raises Refused."""
    segments = text.split(".")
    if len(text) > ASSERTION_MAX_CHARACTERS or len(segments) != _SEGMENTS:
        raise _MALFORMED()
    header, claims = _json_object(segments[0]), _json_object(segments[1])
    if not all(isinstance(value, str) for value in header.values()):
        raise _MALFORMED()  # `crit`, `jwk` and `b64` are not texts: none is understood here
    if header.get("typ", "JWT").upper() not in _TYPES:
        raise Refused(Reason.ASSERTION_MALFORMED, "Invalid 'typ' header in client_assertion JWT - must be 'JWT'")
    if header.get("alg") not in ALGORITHMS:
        raise Refused(
            Reason.ALGORITHM_REFUSED,
            f"Missing or invalid 'alg' header in client_assertion JWT - must be one of {', '.join(ALGORITHMS)}",
        )
    return Unverified(text, header, claims)


def verify(
    given: Unverified,
    client: Client,
    *,
    audiences: Collection[str],
    now: float,
    lifetime_max_seconds: int,
    skew_seconds: int,
) -> Assertion:
    """Verify what an assertion says to be from this client, for one of these audiences, now. Raises Refused."""
    if not signed_by(given.text, _key(given, client)):
        raise Refused(Reason.SIGNATURE_INVALID, "Invalid signature on client_assertion JWT")
    if client.revoked_at is not None:  # judged after the signature, so that only the client itself learns of it
        raise Refused(Reason.CLIENT_REVOKED, "This client has been revoked")
    claims = given.claims
    audience = claims.get("aud")
    if isinstance(audience, list) and len(audience) == 1:
        audience = audience[0]
    if not isinstance(audience, str) or audience not in audiences:
        raise Refused(Reason.AUDIENCE_WRONG, "Missing or invalid 'aud' claim in client_assertion JWT")
    expires = _expires(claims, now, lifetime_max_seconds, skew_seconds)
    for name in ("nbf", "iat"):
        if name in claims and not _seconds(claims[name]) <= now + skew_seconds:
            raise Refused(Reason.ASSERTION_EARLY, f"Invalid '{name}' claim in client_assertion JWT - is in the future")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 1 <= len(jti) <= JTI_MAX_CHARACTERS:
        raise Refused(Reason.JTI_MISSING, "Missing or invalid 'jti' claim in client_assertion JWT")
    user, role = _end_user(claims)
    return Assertion(jti, math.ceil(expires) + skew_seconds, user, role)


def _MALFORMED() -> Refused:  # noqa: N802 - a constant that has to be made anew each time it is raised
    return Refused(Reason.ASSERTION_MALFORMED, "Malformed JWT in client_assertion")


def _json_object(segment: str) -> dict[str, Any]:
    try:
        raw = urlsafe_b64decode(segment.encode("ascii"))
        value = orjson.loads(raw)
        json.loads(raw, object_pairs_hook=_each_once)
    except (ValueError, RecursionError):
        raise _MALFORMED() from None
    if not isinstance(value, dict):
        raise _MALFORMED()
    return value


def _each_once(pairs: list[tuple[str, Any]]) -> None:
    """Raise ValueError for a name given twice: of two readers, each may take another (RFC 7515 section 4)."""
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a name is given twice")


def _key(given: Unverified, client: Client) -> Key:
    """The client's key the header names; where it names none, the client's only one."""
    try:
        key = client.keys.get_by_kid(given.header.get("kid"))
    except InvalidKeyIdError:
        raise Refused(
            Reason.KEY_UNKNOWN, "Missing or invalid 'kid' header in client_assertion JWT - no matching public key"
        ) from None
    if given.header["alg"] not in algorithms_of(key):
        raise Refused(
            Reason.ALGORITHM_REFUSED, "Invalid 'alg' header in client_assertion JWT - not an algorithm of this key"
        )
    return key


def _expires(claims: Mapping[str, Any], now: float, lifetime_max_seconds: int, skew_seconds: int) -> float:
    expires = _seconds(claims.get("exp"))
    if not expires > now - skew_seconds:  # also where it is no number
        raise Refused(
            Reason.ASSERTION_EXPIRED, "Missing or invalid 'exp' claim in client_assertion JWT - JWT has expired"
        )
    if expires > now + lifetime_max_seconds + skew_seconds:
        raise Refused(
            Reason.ASSERTION_LIFETIME,
            f"Invalid 'exp' claim in client_assertion JWT - more than {lifetime_max_seconds} seconds in the future",
        )
    return expires


def _seconds(value: Any) -> float:  # noqa: ANN401 - foreign JSON
    """A NumericDate (RFC 7519 section 2); not a number where it is none, which no comparison accepts."""
    return float(value) if type(value) in (int, float) else math.nan


def _end_user(claims: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The person on whose behalf the token will act: `{"id": …, "role": …}`, both codes."""
    if "end_user" not in claims:
        return None, None
    person = claims["end_user"]
    if (
        not isinstance(person, dict)
        or person.keys() != {"id", "role"}
        or not all(isinstance(value, str) and _CODE.fullmatch(value) for value in person.values())
    ):
        raise Refused(
            Reason.END_USER_MALFORMED,
            "Invalid 'end_user' claim in client_assertion JWT - must have 'id' and 'role', codes of at most 64",
        )
    return person["id"], person["role"]
