"""Introspection (RFC 7662) and revocation (RFC 7009) of access tokens, for clients that authenticate as for a token.

A client sees and revokes its own tokens; one that may read the audit log sees those of others. Of any other token,
known or not, the answer is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from audit.entry import Outcome
from gateway.evidence import Event
from gateway.tokens.access import AccessToken, TokenUnusable
from gateway.tokens.acts import Note
from gateway.tokens.authlib_names import NO_STORE, TokenEndpoint
from gateway.tokens.check import TokenCheck
from gateway.tokens.clients import RevokeToken
from gateway.tokens.metadata import AUTHENTICATION, Endpoint
from gateway.tokens.refusal import Reason, Refused
from gateway.tokens.request import TokenRequest
from gateway.tokens.scopes import Scope

if TYPE_CHECKING:
    from gateway.tokens.server import TokenServer

NOT_LIVE = "token-not-live"
NOT_OWN = "token-not-own"

Answer = tuple[int, Mapping[str, Any], list[tuple[str, str]]]


class _TokenEndpoint(TokenEndpoint):  # type: ignore[misc]  # Authlib has no types
    CLIENT_AUTH_METHODS = (AUTHENTICATION,)

    def __init__(self, server: TokenServer, check: TokenCheck) -> None:
        super().__init__(server)
        self._check = check

    def authenticate_token(self, request: TokenRequest, _client: object) -> AccessToken | None:
        """The live token the request names, whoever's it is. RFC 7009 section 2.1: a wrong hint is ignored."""
        if "token" not in request.form:
            raise Refused(Reason.REQUEST_MALFORMED, "Missing token")
        try:
            return self._check.live(request.form["token"])
        except TokenUnusable:
            return None


class Introspection(_TokenEndpoint):
    """Tells a client of a token of its own."""

    ENDPOINT_NAME = Endpoint.INTROSPECTION.value

    def create_endpoint_response(self, request: TokenRequest) -> Answer:
        """Authenticate, look, seal `token-introspected`, answer."""
        client = self.authenticate_endpoint_client(request).client
        token = self.authenticate_token(request, client)
        reason = None
        if token is None:
            reason = NOT_LIVE
        elif token.caller.client != client.id and Scope.LOG_READ not in client.scopes:
            reason = NOT_OWN
        outcome = Outcome.DENIED if reason == NOT_OWN else Outcome.PERMITTED
        detail = None if token is None else {"token": token.id}
        self.server.spend(
            request, Note(Event.TOKEN_INTROSPECTED, request.caller, outcome=outcome, reason=reason, detail=detail)
        )
        if token is None or reason:
            return 200, {"active": False}, NO_STORE
        return 200, {"active": True, "token_type": "Bearer", **token.claims}, NO_STORE


class Revocation(_TokenEndpoint):
    """Revokes a client's own token. The answer is 200 whatever the token was."""

    ENDPOINT_NAME = Endpoint.REVOCATION.value

    def create_endpoint_response(self, request: TokenRequest) -> Answer:
        """Authenticate, revoke and seal `token-revoked`, have this process know at once, answer."""
        client = self.authenticate_endpoint_client(request).client
        token = self.authenticate_token(request, client)
        if token is None:
            act = Note(Event.TOKEN_REVOKED, request.caller, outcome=Outcome.FAILED, reason=NOT_LIVE)
            self.server.spend(request, act)
        elif token.caller.client != client.id:
            detail = {"token": token.id}
            self.server.spend(
                request,
                Note(Event.TOKEN_REVOKED, request.caller, outcome=Outcome.DENIED, reason=NOT_OWN, detail=detail),
            )
        else:
            self.server.spend(request, RevokeToken(token.id, token.expires, caller=request.caller))
            self.server.clients.refresh()
        return 200, {}, NO_STORE
