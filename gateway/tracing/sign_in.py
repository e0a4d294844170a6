"""Signing in to the NHS API platform: a signed statement for a token (application-restricted, signed JWT).

The key is the gateway's own for this purpose, read from the file the settings name; its public half stands in the
gateway's JWKS under the same `kid`. Nothing is sent here.

Source: RFC 7523 section 3; domain.md section 2.7 (RS512, `kid`, the exact `aud`, at most five minutes, `jti`).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path

from authlib.oauth2.rfc7523.assertion import private_key_jwt_sign
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from gateway.settings import Settings

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 240  # the platform takes 300 at most, by its own clock
ALGORITHM = "RS512"
EARLY_SECONDS = 30.0  # a token is not used in its last seconds: the question would be on its way when it ends
LEAST_BITS = 2048


class KeyUnusable(Exception):
    """The key file is not there, or holds no private RSA key of 2048 bits or more. Never names the key."""


def load_key(path: Path, kid: str | None = None) -> RSAKey:
    """The signing key of a PEM file; its `kid` is the thumbprint of RFC 7638 unless one was agreed.

    Raises KeyUnusable.
    """
    try:
        key = RSAKey.import_key(path.read_bytes())
    except (OSError, ValueError, JoseError):
        raise KeyUnusable(f"{path}: not a file with an RSA key in PEM") from None
    if not key.is_private or key.raw_value.key_size < LEAST_BITS:
        raise KeyUnusable(f"{path}: not a private RSA key of {LEAST_BITS} bits or more")
    return RSAKey.import_key(key.as_pem(private=True), {"kid": kid or key.thumbprint(), "use": "sig", "alg": ALGORITHM})


def published(settings: Settings) -> tuple[RSAKey, ...]:
    """The key, where the settings name one: its public half goes into the JWKS. Raises KeyUnusable."""
    return (load_key(settings.pds_key_file, settings.pds_key_id),) if settings.pds_key_file else ()


def statement(key: RSAKey, api_key: str, token_url: str) -> dict[str, str]:
    """The form of a token request, good once."""
    signed: str = private_key_jwt_sign(  # type: ignore[no-untyped-call]  # Authlib has no types
        key,
        api_key,
        token_url,
        alg=ALGORITHM,
        claims={"jti": str(uuid.uuid4())},
        header={"kid": key.kid, "typ": "JWT"},
        expires_in=ASSERTION_SECONDS,
    )
    return {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": signed,
    }


@dataclass(frozen=True, slots=True)
class Token:
    """An access token, and until when it is used, by a monotonic clock in seconds."""

    value: str
    until: float

    @classmethod
    def of(cls, answer: object, now: float) -> Token | None:
        """The token of a token endpoint's answer (RFC 6749 section 5.1); None where it is none."""
        if not isinstance(answer, dict):
            return None
        value, lifetime = answer.get("access_token"), answer.get("expires_in")
        if isinstance(lifetime, str) and lifetime.isascii() and lifetime.isdigit():
            lifetime = int(lifetime[:9])  # the platform writes it as a text
        if not isinstance(value, str) or not value.isascii() or not value.isprintable() or " " in value:
            return None
        seconds = lifetime if type(lifetime) is int else 0
        return cls(value, now + max(0.0, seconds - EARLY_SECONDS))
