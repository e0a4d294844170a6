"""The check of an access token on every call: who is calling, and may they (RFC 6750, RFC 9068).

A token seen before costs a hash and three look-ups: its signature is not verified twice, its expiry and its standing
and its client's are judged every time. The refusals made here are sealed by whoever asks: each carries its `reason`.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

from gateway.errors import NotAuthenticated, NotPermitted
from gateway.evidence import Caller
from gateway.keys import Keyring
from gateway.settings import Settings
from gateway.tokens.access import AccessToken, TokenFault, TokenUnusable, read
from gateway.tokens.clients import Clients

CACHE_MAX = 4096
"""Tokens whose verified content is kept, about 2 KB each; the one longest unused goes first."""

SCOPE_MISSING = "scope-missing"


class TokenRefused(NotAuthenticated):
    """No access token, or not a good one; `reason` is the code to seal."""

    def __init__(self, fault: TokenFault, realm: str) -> None:
        words = _WORDS[fault]
        challenge = f'Bearer realm="{realm}"'
        if fault is not TokenFault.MISSING:  # RFC 6750 section 3.1: who sent none is told of no error
            challenge += f', error="invalid_token", error_description="{words}"'
        super().__init__(words, headers={"WWW-Authenticate": challenge})
        self.reason = fault.value


class ScopeRefused(NotPermitted):
    """A good token without the scope; `reason` is the code to seal."""

    def __init__(self, scope: str, realm: str) -> None:
        words = "The access token does not have the scope this needs"
        challenge = f'Bearer realm="{realm}", error="insufficient_scope", error_description="{words}", scope="{scope}"'
        super().__init__(words, reason=SCOPE_MISSING, headers={"WWW-Authenticate": challenge})


class TokenCheck:
    """Verifies access tokens. Safe to share between threads."""

    def __init__(
        self, settings: Settings, keyring: Keyring, clients: Clients, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._issuer = settings.public_url.rstrip("/")
        self._key = keyring.token_key
        self._clients = clients
        self._clock = clock
        self._seen: OrderedDict[bytes, AccessToken] = OrderedDict()
        self._turn = threading.Lock()

    def caller(self, authorization: str | None) -> Caller:
        """Who sends this `Authorization` header; the request's ids are not in it.

        Raises TokenRefused, with the challenge of RFC 6750 section 3, and NotSealed where the register of clients
        cannot be read.
        """
        try:
            return self.live(_bearer(authorization)).caller
        except TokenUnusable as unusable:
            raise TokenRefused(unusable.fault, self._issuer) from None

    def require(self, caller: Caller, scope: str) -> None:
        """Let the caller pass if its token has the scope; else raise ScopeRefused."""
        if scope not in caller.scopes:
            raise ScopeRefused(scope, self._issuer)

    def live(self, text: str) -> AccessToken:
        """The access token a text is, neither expired nor revoked. Raises TokenUnusable, and NotSealed as `caller`."""
        digest = sha256(text.encode("utf-8", "surrogatepass")).digest()
        with self._turn:
            token = self._seen.get(digest)
            if token is not None:
                self._seen.move_to_end(digest)
        now = self._clock()
        if token is None:
            token = read(text, self._key, self._issuer, now)
            self._keep(digest, token)
        elif token.expires <= now:
            raise TokenUnusable(TokenFault.EXPIRED)
        register = self._clients.current()
        client = register.clients.get(token.caller.client)
        if client is None or client.revoked_at is not None:
            raise TokenUnusable(TokenFault.CLIENT_REVOKED)
        if token.id in register.revoked:
            raise TokenUnusable(TokenFault.REVOKED)
        if client.profiles:  # as the register says them now, not as they were when the token was given
            return replace(token, caller=replace(token.caller, profiles=client.profiles))
        return token

    def _keep(self, digest: bytes, token: AccessToken) -> None:
        with self._turn:
            self._seen[digest] = token
            if len(self._seen) > CACHE_MAX:
                self._seen.popitem(last=False)


_WORDS: dict[TokenFault, str] = {
    TokenFault.MISSING: "An access token is needed: send it as 'Authorization: Bearer <token>'",
    TokenFault.MALFORMED: "The Authorization header does not hold one Bearer token",
    TokenFault.FORGED: "The access token was not issued here, or has been changed",
    TokenFault.FOREIGN: "The access token is for another service",
    TokenFault.EXPIRED: "The access token has expired: ask for a new one",
    TokenFault.REVOKED: "The access token has been revoked: ask for a new one",
    TokenFault.CLIENT_REVOKED: "The client of this access token has been revoked",
}


def _bearer(authorization: str | None) -> str:
    """The token of a header in the form of RFC 6750 section 2.1; the scheme's case does not matter (RFC 9110)."""
    if authorization is None:
        raise TokenUnusable(TokenFault.MISSING)
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise TokenUnusable(TokenFault.MISSING)
    if not token or " " in token or "," in token:
        raise TokenUnusable(TokenFault.MALFORMED)
    return token
