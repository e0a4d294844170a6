"""The names of Authlib that the token server builds on, untyped: Authlib has no types, and guesses would be worse.

What is built on them is typed where it is built.
"""

from __future__ import annotations

from typing import Any

from authlib.consts import default_json_headers
from authlib.oauth2 import rfc6749, rfc9068
from authlib.oauth2.rfc6749 import errors, grants, requests

AuthorizationServer: Any = rfc6749.AuthorizationServer
ClientCredentialsGrant: Any = grants.ClientCredentialsGrant
ClientMixin: Any = rfc6749.ClientMixin
InsecureTransportError: Any = errors.InsecureTransportError
JWTBearerTokenGenerator: Any = rfc9068.JWTBearerTokenGenerator
OAuth2Error: Any = rfc6749.OAuth2Error
OAuth2Payload: Any = requests.BasicOAuth2Payload
OAuth2Request: Any = rfc6749.OAuth2Request
TokenEndpoint: Any = rfc6749.TokenEndpoint

NO_STORE: list[tuple[str, str]] = default_json_headers
"""Authlib's headers of a JSON answer that nobody may keep."""
