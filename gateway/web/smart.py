"""What a SMART client finds at `/fhir/R4/.well-known/smart-configuration`: what is served, and nothing that is not.

Systems sign in with a key of their own (SMART Backend Services: client credentials with `private_key_jwt`), and name in
the assertion on whose behalf they ask. There is no authorization endpoint, no launch and no PKCE here: people sign in
to their own system. Scopes are the gateway's; what leaves through one is for the agreement to say.

Source: SMART App Launch 2.2, section 8 (conformance) and section 5 (backend services).
"""

from __future__ import annotations

from typing import Any

from gateway.tokens.metadata import metadata
from gateway.tokens.scopes import Scope

SMART_PATH = "/.well-known/smart-configuration"
"""Where it is, below the FHIR base."""

_OF_TOKENS = (
    "issuer",
    "jwks_uri",
    "token_endpoint",
    "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported",
    "grant_types_supported",
    "introspection_endpoint",
    "revocation_endpoint",
)
_SCOPES = (Scope.REFERRAL_READ, Scope.REFERRAL_WRITE, Scope.LOG_READ)
"""What opens anything under the FHIR base."""


def smart_configuration(issuer: str) -> dict[str, Any]:
    """The configuration, of the same facts as the token server's own metadata."""
    known = metadata(issuer)
    return {
        **{name: known[name] for name in _OF_TOKENS},
        "scopes_supported": [one.value for one in _SCOPES],
        "code_challenge_methods_supported": [],  # the standard wants the list, and there is nothing to authorize
        "capabilities": ["client-confidential-asymmetric"],
    }
