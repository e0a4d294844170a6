"""The token server: Authlib's, made to do one thing: client credentials proved by a signed JWT.

Authlib's course of a request is kept; what it leaves open or too wide is closed here: the algorithms, the audience, the
assertion's lifetime and single use, the scope, and the token's lifetime. It is synchronous and is run in a thread. A
token leaves only after its entry and the claim of its assertion are committed together (P1).

Standards: RFC 6749 section 4.4, 7521, 7523 (authentication), 9068 (access tokens).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from joserfc.jwk import KeySet

from audit.entry import timestamp
from gateway.evidence import OPERATOR_LOG, Event
from gateway.keys import Keyring
from gateway.settings import Settings
from gateway.store.batch import Unit
from gateway.store.journal import Journals
from gateway.tokens import access, assertion
from gateway.tokens.acts import Note, Spend, refusal
from gateway.tokens.authlib_names import (
    AuthorizationServer,
    ClientCredentialsGrant,
    InsecureTransportError,
    JWTBearerTokenGenerator,
)
from gateway.tokens.check import TokenCheck
from gateway.tokens.clients import Client, Clients
from gateway.tokens.endpoints import Introspection, Revocation
from gateway.tokens.form import parse
from gateway.tokens.metadata import AUTHENTICATION, GRANT, Endpoint
from gateway.tokens.refusal import Reason, Refused
from gateway.tokens.request import Authenticated, CallIds, TokenRequest

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PRUNE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back: a status, a JSON object, headers."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str]


class TokenServer(AuthorizationServer):  # type: ignore[misc]  # Authlib has no types
    """Answers the token, introspection and revocation endpoints. Safe to share between threads.

    Raises ValueError when made with a public address that RFC 6749 section 3.2 forbids: plain HTTP beyond loopback.
    """

    def __init__(
        self,
        settings: Settings,
        keyring: Keyring,
        clients: Clients,
        journals: Journals,
        check: TokenCheck,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self.issuer = settings.public_url.rstrip("/")
        try:
            InsecureTransportError.check(self.issuer)
        except InsecureTransportError:
            raise ValueError("GATEWAY_PUBLIC_URL must be https, or http on a loopback address") from None
        self.clients = clients
        self._settings = settings
        self._journals = journals
        self._clock = clock
        self._pruned = 0.0
        self.register_client_auth_method(AUTHENTICATION, self._authenticated)
        self.register_grant(_Grant)
        self.register_token_generator("default", _Generator(self.issuer, keyring, settings.token_lifetime_seconds))
        self.register_endpoint(Introspection(self, check))
        self.register_endpoint(Revocation(self, check))

    def answer(self, endpoint: Endpoint, body: bytes, ids: CallIds, *, other_credentials: bool = False) -> Reply:
        """Answer a form sent to an endpoint. `other_credentials` says that it came with an `Authorization` header.

        Blocks until the act is committed. Raises NotSealed and Busy: nothing is released then.
        """
        request = TokenRequest(endpoint, self.issuer + endpoint.path, ids)
        try:
            request.fill(parse(body))
            _check(request, other_credentials=other_credentials)
        except Refused as refused:
            return self.refuse(request, refused)
        reply: Reply
        if endpoint is Endpoint.TOKEN:
            reply = self.create_token_response(request)
        else:
            reply = self.create_endpoint_response(endpoint.value, request)
        return reply

    def refuse(self, request: TokenRequest, refused: Refused) -> Reply:
        """Seal a refusal and say it. Raises NotSealed and Busy."""
        if not refused.sealed:
            claimed = None if request.client else request.claimed
            self._submit(refusal(request.caller, refused.reason, request.endpoint.value, claimed))
        reply: Reply = self.handle_response(*refused())
        return reply

    def spend(self, request: TokenRequest, act: Unit[None]) -> None:
        """Commit an act and the use of the request's assertion. Raises Refused, NotSealed and Busy."""
        proved = request.authenticated.assertion
        now = time.monotonic()
        prune = now - self._pruned >= PRUNE_SECONDS
        if prune:
            self._pruned = now
        until = timestamp(datetime.fromtimestamp(proved.until, UTC))
        reason = self._submit(
            Spend(
                act,
                caller=request.caller,
                endpoint=request.endpoint.value,
                jti=proved.jti,
                until=until,
                prune=prune,
            )
        )
        if reason is Reason.ASSERTION_REPLAYED:
            raise Refused(reason, "Non-unique 'jti' claim in client_assertion JWT", sealed=True)
        if reason is not None:
            raise Refused(reason, "The client_assertion JWT expired while the request waited", sealed=True)

    # What follows is what Authlib calls.

    def query_client(self, client_id: str) -> Client | None:
        """The registered client of that id."""
        return self.clients.get(client_id)

    def create_oauth2_request(self, request: TokenRequest) -> TokenRequest:
        """The request, which is Authlib's already."""
        return request

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Nobody listens: what matters is sealed."""

    def save_token(self, token: Mapping[str, Any], request: TokenRequest) -> None:
        """Seal the issue of the token before it leaves (P1)."""
        detail: dict[str, str | int] = {
            "token": request.authenticated.token_id,
            "scope": token["scope"].replace(" ", ","),
            "lifetime": token["expires_in"],
        }
        self.spend(request, Note(Event.TOKEN_ISSUED, request.caller, detail=detail))

    def handle_error_response(self, request: TokenRequest, error: Exception) -> Reply:
        """Seal and say a refusal; one of Authlib's own is a request it could not use."""
        if not isinstance(error, Refused):
            error = Refused(Reason.REQUEST_MALFORMED, "The request cannot be used at this endpoint")
        return self.refuse(request, error)

    def handle_response(self, status: int, body: Mapping[str, Any], headers: list[tuple[str, str]]) -> Reply:
        """The reply; Authlib's headers forbid caching."""
        return Reply(status, body, dict(headers))

    def _authenticated(self, query: Callable[[str], Client | None], request: TokenRequest) -> Authenticated:
        """Authenticate the client by its assertion (RFC 7523 section 3). Raises Refused."""
        text = request.form.get("client_assertion")
        if text is None:
            raise Refused(Reason.ASSERTION_MISSING, "Missing client_assertion")
        if request.form.get("client_assertion_type") != ASSERTION_TYPE:
            raise Refused(
                Reason.ASSERTION_MISSING, f"Missing or invalid client_assertion_type - must be '{ASSERTION_TYPE}'"
            )
        given = assertion.read(text)
        client = query(given.client_id)
        if client is None:
            raise Refused(Reason.UNKNOWN_CLIENT, "Invalid 'iss'/'sub' claims in client_assertion JWT")
        request.claimed = client.id
        if request.form.get("client_id", client.id) != client.id:
            raise Refused(Reason.CLIENT_MISMATCH, "The client_id is not that of the client_assertion JWT")
        proved = assertion.verify(
            given,
            client,
            audiences={self.issuer + Endpoint.TOKEN.path, request.uri},
            now=self._clock(),
            lifetime_max_seconds=self._settings.assertion_lifetime_max_seconds,
            skew_seconds=self._settings.clock_skew_seconds,
        )
        request.client = Authenticated(client, proved)
        return request.client

    def _submit(self, unit: Unit[Any]) -> Any:  # noqa: ANN401 - the unit's own result
        return self._journals.of(OPERATOR_LOG).submit_and_wait(unit).value


class _Grant(ClientCredentialsGrant):  # type: ignore[misc]  # Authlib has no types
    """Client credentials (RFC 6749 section 4.4)."""

    TOKEN_ENDPOINT_AUTH_METHODS = (AUTHENTICATION,)

    def validate_requested_scope(self) -> None:
        """Raise Refused unless every scope asked for is the client's."""
        self.request.client.get_allowed_scope(self.request.payload.scope)

    def create_token_response(self) -> tuple[int, Mapping[str, Any], list[tuple[str, str]]]:
        """Issue the token. Authlib's own writes it to the debug log."""
        token = self.generate_token(scope=self.request.payload.scope, include_refresh_token=False)
        self.save_token(token)
        return 200, token, self.TOKEN_RESPONSE_HEADER


class _Generator(JWTBearerTokenGenerator):  # type: ignore[misc]  # Authlib has no types
    """Writes access tokens (RFC 9068) for the gateway itself, with what `access.read` reads."""

    def __init__(self, issuer: str, keyring: Keyring, lifetime_seconds: int) -> None:
        super().__init__(issuer, access.ALGORITHM, expires_generator=lambda _client, _grant: lifetime_seconds)
        self._keys = KeySet([keyring.token_key])

    def get_jwks(self) -> KeySet:
        """The signing key."""
        return self._keys

    def get_audiences(self, _client: Authenticated, _user: object, _scope: str) -> str:
        """The gateway."""
        audience: str = self.issuer
        return audience

    def get_jti(self, client: Authenticated, _grant: str, _user: object, _scope: str) -> str:
        """The token's id, as it will be sealed."""
        return client.token_id

    def get_extra_claims(self, client: Authenticated, _grant: str, _user: object, _scope: str) -> dict[str, Any]:
        """Whose client it is, what it may act under, and the person it acts for."""
        registered, proved = client.client, client.assertion
        claims: dict[str, Any] = {
            "organisation": registered.organisation,
            "recipient": registered.recipient,
            "agreements": sorted(registered.agreements),
        }
        if proved.user is not None:
            claims["end_user"] = {"id": proved.user, "role": proved.role}
        return claims


def _check(request: TokenRequest, *, other_credentials: bool) -> None:
    """Raise Refused for what Authlib would overlook, or answer by repeating it."""
    if other_credentials or "client_secret" in request.form:  # RFC 6749 section 2.3: one way at a time
        raise Refused(Reason.REQUEST_MALFORMED, "More than one way of client authentication is used")
    if request.endpoint is not Endpoint.TOKEN:
        return
    if "grant_type" not in request.form:
        raise Refused(Reason.REQUEST_MALFORMED, f"Missing grant_type - must be '{GRANT}'")
    if request.form["grant_type"] != GRANT:
        raise Refused(Reason.GRANT_UNSUPPORTED, f"Invalid grant_type - must be '{GRANT}'")
