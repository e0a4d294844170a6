"""The names of Authlib that signing in builds on, untyped: Authlib has no types, and guesses would be worse."""

from __future__ import annotations

from typing import Any

from authlib.oauth2 import rfc6749, rfc7636
from authlib.oauth2.rfc6749 import errors, grants, requests
from authlib.oauth2.rfc7523 import assertion
from authlib.oidc import core

AuthorizationCodeGrant: Any = grants.AuthorizationCodeGrant
AuthorizationCodeMixin: Any = core.AuthorizationCodeMixin
AuthorizationServer: Any = rfc6749.AuthorizationServer
ClientMixin: Any = rfc6749.ClientMixin
CodeChallenge: Any = rfc7636.CodeChallenge
CodeIDToken: Any = core.CodeIDToken
InvalidGrantError: Any = errors.InvalidGrantError
InvalidRequestError: Any = errors.InvalidRequestError
OAuth2Error: Any = rfc6749.OAuth2Error
OAuth2Payload: Any = requests.BasicOAuth2Payload
OAuth2Request: Any = rfc6749.OAuth2Request
OpenIDCode: Any = core.OpenIDCode
create_s256_code_challenge: Any = rfc7636.create_s256_code_challenge
private_key_jwt_sign: Any = assertion.private_key_jwt_sign
