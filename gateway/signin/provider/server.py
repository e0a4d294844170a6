"""The embedded provider's protocol: Authlib's authorization server, made to serve one client one way.

The code flow with PKCE S256, a nonce and a secret; ID tokens signed ES256. It is synchronous and is run in a thread.
Who the person is has been proved before it is asked for a code (`sign_in`); here codes are issued and exchanged, once.

Standards: OpenID Connect Core 1.0 section 3.1; RFC 6749 section 4.1; RFC 7636.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc.jwk import Key, KeySet

from gateway.evidence import OPERATOR_LOG
from gateway.services import Services
from gateway.signin.authlib_names import (
    AuthorizationCodeGrant,
    AuthorizationCodeMixin,
    AuthorizationServer,
    ClientMixin,
    CodeChallenge,
    InvalidRequestError,
    OAuth2Error,
    OAuth2Payload,
    OAuth2Request,
    OpenIDCode,
)
from gateway.signin.provider.accounts import Account, Accounts
from gateway.signin.provider.attempts import IssueCode, TakeCode, new_code
from gateway.signin.secrets import SignInKeys
from gateway.store.batch import Unit

ALGORITHM = "ES256"
ID_TOKEN_SECONDS = 300
ONE_FACTOR, TWO_FACTORS = "AAL1", "AAL2"
"""The levels of authentication that it gives, by NIST's names (SP 800-63B)."""
METHOD = "client_secret_basic"


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back: a status, a JSON object or nothing, headers."""

    status: int
    body: Any
    headers: Mapping[str, str]


class Asked(OAuth2Request):  # type: ignore[misc]  # Authlib has no types
    """One request: its parameters, each once, are those of the query or of the form."""

    def __init__(self, method: str, uri: str, parameters: Mapping[str, str], headers: Mapping[str, str]) -> None:
        super().__init__(method, uri, headers=headers)
        self.payload = OAuth2Payload(parameters)
        self.parameters = parameters

    @property
    def form(self) -> Mapping[str, str]:
        """The parameters."""
        return self.parameters

    @property
    def args(self) -> Mapping[str, str]:
        """The same."""
        return self.parameters


class Server(AuthorizationServer):  # type: ignore[misc]  # Authlib has no types
    """Issues codes and exchanges them for ID tokens. Safe to share between threads."""

    def __init__(
        self, services: Services, issuer: str, client_id: str, redirect_uri: str, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__(scopes_supported=["openid", "profile"])
        self.issuer = issuer
        self.keys = SignInKeys(services.keyring)
        self.accounts = Accounts(self.keys)
        self.clock = clock
        self._services = services
        self._client = _Client(client_id, self.keys.client_secret, redirect_uri)
        self.register_grant(_Grant, [_Challenge(required=True), _OpenId(self)])
        self.register_token_generator("default", _token)

    def authorize(
        self, request: Asked, account: Account | None, proved: Mapping[str, Any] | None = None
    ) -> Reply | None:
        """Check what is asked; with an account that proved itself, lead the browser back with a code.

        None where all is well and nobody has proved themselves yet. `proved` is `acr`, `amr` and `auth_time`.
        """
        try:
            grant = self.get_consent_grant(request)
        except OAuth2Error as error:
            # Back to the console where the address is known to be its own, otherwise to nobody.
            return self.handle_response(*error())
        if account is None:
            return None
        request.proved = proved
        reply: Reply = self.create_authorization_response(request, grant_user=account, grant=grant)
        return reply

    def exchange(self, request: Asked) -> Reply:
        """Exchange a code (token endpoint)."""
        reply: Reply = self.create_token_response(request)
        return reply

    def submit(self, unit: Unit[Any]) -> Any:  # noqa: ANN401 - the unit's own result
        """Commit a unit of the operator's log. Raises NotSealed and Busy."""
        return self._services.journals.of(OPERATOR_LOG).submit_and_wait(unit).value

    def account(self, person_id: str) -> Account | None:
        """An account that stands."""
        with self._services.database.reading() as connection:
            found = self.accounts.get(connection, person_id)
        return found if found is not None and found.removed_at is None else None

    def metadata(self) -> dict[str, Any]:
        """What the provider says of itself (OpenID Connect Discovery 1.0, section 3)."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "token_endpoint_auth_methods_supported": [METHOD],
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": self.scopes_supported,
            "acr_values_supported": [ONE_FACTOR, TWO_FACTORS],
            "authorization_response_iss_parameter_supported": False,
        }

    def jwks(self) -> dict[str, Any]:
        """The key that ID tokens are signed with."""
        return dict(KeySet([self.keys.id_token_key]).as_dict(private=False))

    # What follows is what Authlib calls.

    def query_client(self, client_id: str) -> _Client | None:
        """The console; nobody else is registered here."""
        return self._client if client_id == self._client.id else None

    def create_oauth2_request(self, request: Asked) -> Asked:
        """The request, which is Authlib's already."""
        return request

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Nobody listens."""

    def save_token(self, token: Mapping[str, Any], request: Asked) -> None:
        """No access token is kept: there is nothing it could open."""

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Reply:  # noqa: ANN401 - Authlib's
        """The reply."""
        return Reply(status, body, dict(headers))


class _Client(ClientMixin):  # type: ignore[misc]  # Authlib has no types
    """The console."""

    def __init__(self, id_: str, secret: str, redirect_uri: str) -> None:
        self.id = id_
        self._secret = secret
        self._redirect_uri = redirect_uri

    def get_client_id(self) -> str:
        return self.id

    def get_default_redirect_uri(self) -> str:
        return self._redirect_uri

    def get_allowed_scope(self, scope: str | None) -> str | None:
        return scope if scope and "openid" in scope.split() else None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == self._redirect_uri

    def check_client_secret(self, client_secret: str) -> bool:
        return secrets.compare_digest(client_secret.encode(), self._secret.encode())

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        return method == METHOD

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass(frozen=True, slots=True)
class _Code(AuthorizationCodeMixin):  # type: ignore[misc]  # Authlib has no types
    """A code that was taken, with what was asked for it and what the person proved."""

    person_id: str
    request: Mapping[str, Any]

    @property
    def code_challenge(self) -> Any:  # noqa: ANN401 - as it was asked
        return self.request["challenge"]

    @property
    def code_challenge_method(self) -> str:
        return "S256"

    def get_redirect_uri(self) -> Any:  # noqa: ANN401 - as above
        return self.request["redirect_uri"]

    def get_scope(self) -> Any:  # noqa: ANN401 - as above
        return self.request["scope"]

    def get_nonce(self) -> Any:  # noqa: ANN401 - as above
        return self.request["nonce"]

    def get_auth_time(self) -> Any:  # noqa: ANN401 - as above
        return self.request["auth_time"]

    def get_acr(self) -> Any:  # noqa: ANN401 - as above
        return self.request["acr"]

    def get_amr(self) -> Any:  # noqa: ANN401 - as above
        return self.request["amr"]


class _Grant(AuthorizationCodeGrant):  # type: ignore[misc]  # Authlib has no types
    """The code, kept by its digest and taken once."""

    TOKEN_ENDPOINT_AUTH_METHODS = (METHOD,)

    def generate_authorization_code(self) -> str:
        return new_code()

    def save_authorization_code(self, code: str, request: Asked) -> None:
        asked = request.payload.data
        kept = {
            "redirect_uri": asked.get("redirect_uri"),
            "scope": request.scope,
            "challenge": asked["code_challenge"],
            "nonce": asked["nonce"],
            **request.proved,
        }
        self.server.submit(IssueCode(code, request.user.person.id, kept))

    def query_authorization_code(self, code: str, _client: _Client) -> _Code | None:
        taken = self.server.submit(TakeCode(code))
        return _Code(*taken) if taken is not None else None

    def delete_authorization_code(self, authorization_code: _Code) -> None:
        """It was taken as it was read."""

    def authenticate_user(self, authorization_code: _Code) -> Account | None:
        found: Account | None = self.server.account(authorization_code.person_id)
        return found


class _Challenge(CodeChallenge):  # type: ignore[misc]  # Authlib has no types
    """PKCE, always, and never in its plain form."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:  # noqa: ANN401 - Authlib's
        asked = grant.request.payload.data
        if not asked.get("code_challenge") or asked.get("code_challenge_method") != "S256":
            raise InvalidRequestError("PKCE with S256 is needed")
        super().validate_code_challenge(grant, redirect_uri)


class _OpenId(OpenIDCode):  # type: ignore[misc]  # Authlib has no types
    """The ID token."""

    def __init__(self, server: Server) -> None:
        super().__init__(require_nonce=True)
        self._server = server

    def exists_nonce(self, _nonce: str, _request: Asked) -> bool:
        """A nonce binds an answer to a browser; that a code is good once is what keeps it from being used again."""
        return False

    def resolve_client_private_key(self, _client: _Client) -> Key:
        return self._server.keys.id_token_key

    def get_client_algorithm(self, _client: _Client) -> str:
        return ALGORITHM

    def get_encode_header(self, _client: _Client) -> dict[str, Any]:
        return {"alg": ALGORITHM, "kid": self._server.keys.id_token_key.kid}

    def get_client_claims(self, client: _Client) -> dict[str, Any]:
        now = int(self._server.clock())
        return {"iss": self._server.issuer, "aud": [client.id], "iat": now, "exp": now + ID_TOKEN_SECONDS}

    def generate_user_info(self, user: Account, _scope: str) -> dict[str, Any]:
        return user.claims


def _token(**_: object) -> dict[str, Any]:
    """An access token that nothing takes: the ID token is what is wanted."""
    return {
        "token_type": "Bearer",
        "access_token": secrets.token_urlsafe(32),
        "expires_in": ID_TOKEN_SECONDS,
        "scope": "openid profile",
    }
