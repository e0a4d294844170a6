"""A request to the token server as Authlib wants it, with what is found out about its sender on the way."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import NamedTuple

from gateway.evidence import Caller
from gateway.tokens.assertion import Assertion
from gateway.tokens.authlib_names import ClientMixin, OAuth2Payload, OAuth2Request
from gateway.tokens.clients import Client
from gateway.tokens.metadata import AUTHENTICATION, GRANT, Endpoint
from gateway.tokens.refusal import Reason, Refused
from gateway.tokens.scopes import joined


class CallIds(NamedTuple):
    """The ids of one call, as the web layer has them: codes."""

    request: str | None = None
    correlation: str | None = None


class Authenticated(ClientMixin):  # type: ignore[misc]  # Authlib has no types
    """A client that has proved who it is for one request, and the id of the token it will be given."""

    def __init__(self, client: Client, assertion: Assertion) -> None:
        self.client = client
        self.assertion = assertion
        self.token_id = str(uuid.uuid4())

    def get_client_id(self) -> str:
        """The client's id."""
        return self.client.id

    def get_allowed_scope(self, scope: str | None) -> str:
        """What is asked for; where nothing is, all the client has. Raises Refused, where Authlib would give less."""
        asked = self.client.scopes if scope is None else frozenset(scope.split(" "))
        if not asked <= self.client.scopes:
            raise Refused(Reason.SCOPE_REFUSED, "A scope asked for is not one of this client's")
        return joined(asked)

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        """There is one way to authenticate."""
        return method == AUTHENTICATION

    def check_grant_type(self, grant_type: str) -> bool:
        """There is one grant."""
        return grant_type == GRANT


class TokenRequest(OAuth2Request):  # type: ignore[misc]  # Authlib has no types
    """One request. `claimed` is the registered client it says it is from, `client` that client once it proved it."""

    claimed: str | None
    client: Authenticated | None

    def __init__(self, endpoint: Endpoint, uri: str, ids: CallIds) -> None:
        super().__init__("POST", uri)
        self.endpoint = endpoint
        self.ids = ids
        self.claimed = None
        self._form: Mapping[str, str] = {}

    def fill(self, form: Mapping[str, str]) -> None:
        """Give it its parameters."""
        self._form = form
        self.payload = OAuth2Payload(form)

    @property
    def form(self) -> Mapping[str, str]:
        """The parameters, each once."""
        return self._form

    @property
    def authenticated(self) -> Authenticated:
        """The client, in a place that only an authenticated request reaches."""
        if self.client is None:
            raise TypeError("the request is not authenticated")
        return self.client

    @property
    def caller(self) -> Caller:
        """The sender as an entry names it. Of one that has proved nothing, nothing it chose is sealed."""
        if self.client is None:
            return _NOBODY
        client, assertion = self.client.client, self.client.assertion
        return Caller(
            client=client.id,
            organisation=client.organisation,
            recipient=client.recipient,
            scopes=client.scopes,
            agreements=client.agreements,
            user=assertion.user,
            role=assertion.role,
            request=self.ids.request,
            correlation=self.ids.correlation,
        )


_NOBODY = Caller("unauthenticated", "unauthenticated", None, frozenset(), frozenset())
