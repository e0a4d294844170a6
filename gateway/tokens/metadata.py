"""What the token server says of itself (RFC 8414), and the keys what it signs can be verified with (RFC 7517)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from joserfc.jwk import Key, KeySet

from gateway.keys import Keyring
from gateway.tokens.jwks import ALGORITHMS
from gateway.tokens.scopes import Scope

AUTHENTICATION = "private_key_jwt"
GRANT = "client_credentials"


class Endpoint(StrEnum):
    """The endpoints that clients authenticate at, named as RFC 8414 names them."""

    TOKEN = "token"  # noqa: S105 - an endpoint
    INTROSPECTION = "introspection"
    REVOCATION = "revocation"

    @property
    def path(self) -> str:
        """Where it is."""
        return {"token": "/oauth2/token", "introspection": "/oauth2/introspect", "revocation": "/oauth2/revoke"}[self]


METADATA_PATH = "/.well-known/oauth-authorization-server"
JWKS_PATH = "/.well-known/jwks.json"


def metadata(issuer: str) -> dict[str, Any]:
    """The authorization server's metadata. There is no authorization endpoint: people sign in elsewhere."""
    found: dict[str, Any] = {
        "issuer": issuer,
        "jwks_uri": issuer + JWKS_PATH,
        "scopes_supported": [scope.value for scope in Scope],
        "response_types_supported": [],
        "grant_types_supported": [GRANT],
    }
    for endpoint in Endpoint:
        found[f"{endpoint}_endpoint"] = issuer + endpoint.path
        found[f"{endpoint}_endpoint_auth_methods_supported"] = [AUTHENTICATION]
        found[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] = list(ALGORITHMS)
    return found


def jwks(keyring: Keyring, *more: Key) -> dict[str, Any]:
    """The public halves of the keys that sign: access tokens (ES256), what is pushed to webhooks (Ed25519), and more.

    `more` are keys the gateway signs in with elsewhere, each with a `kid`.
    """
    return dict(KeySet([keyring.token_key, keyring.message_key, *more]).as_dict(private=False))
