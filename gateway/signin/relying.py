"""The console at an OpenID provider: the authorization code flow with PKCE, as a confidential client.

Three steps: `ask` leads the browser to the provider; `answered` takes the code it comes back with, exchanges it and
checks the ID token; `goodbye` leads it there once more to sign out. `ended` is the provider's own word, by no browser,
that somebody has signed out elsewhere. Between the first two the browser carries a sealed
ticket: the state, the nonce and the verifier are bound to it, and nothing of an unfinished sign-in is kept here.

The provider's own description and keys are fetched when they are first needed, kept for an hour, and its keys fetched
again where a token names one that is not known (rotation). It decides who the person is; nothing here does.

Source: OpenID Connect Core 1.0 section 3.1, Discovery 1.0, RP-Initiated and Back-Channel Logout 1.0; RFC 7636, 9207,
9700.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from joserfc.jwk import ECKey, Key, RSAKey

from gateway.signin import idtoken, logouttoken
from gateway.signin.authlib_names import create_s256_code_challenge, private_key_jwt_sign
from gateway.signin.fetching import Fetching, ProviderFailed, SignInFailed
from gateway.signin.idtoken import ALGORITHMS, KeyUnknown, Wanted, usable
from gateway.signin.logouttoken import Ended
from gateway.signin.secrets import Tickets

T = TypeVar("T")

TICKET_SECONDS = 600  # to find one's card, and a password
KEPT_SECONDS = 3600.0
AGAIN_SECONDS = 10.0  # the least between two fetches of the keys: a forged token must not have us ask without end
ASSERTION_SECONDS = 60
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True)
class Registration:
    """What the console is at a provider. One of `secret` and `key` proves it; `acr` are the levels it takes."""

    issuer: str
    client_id: str
    redirect_uri: str
    signed_out_uri: str
    secret: str | None = None
    key: RSAKey | ECKey | None = None
    scopes: str = "openid profile"
    acr: frozenset[str] = frozenset()
    max_age: int = 0
    userinfo: bool = False
    skew: int = 30


@dataclass(frozen=True, slots=True)
class Asked:
    """Where the browser goes, and the ticket it carries."""

    url: str
    ticket: str


@dataclass(frozen=True, slots=True)
class Answered:
    """What the provider says of somebody, and the page they wanted."""

    claims: Mapping[str, Any]
    id_token: str
    to: str | None


@dataclass
class Relying:
    """One registration at one provider. Made for one event loop."""

    about: Registration
    tickets: Tickets
    fetching: Fetching
    clock: Callable[[], float] = time.time
    _metadata: tuple[float, dict[str, Any]] | None = None
    _keys: tuple[float, tuple[Key, ...]] | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def ask(self, to: str | None) -> Asked:
        """Begin: the provider's page, with what binds its answer to this browser. Raises ProviderFailed."""
        metadata = await self._described()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        about = self.about
        query = {
            "response_type": "code",
            "client_id": about.client_id,
            "redirect_uri": about.redirect_uri,
            "scope": about.scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": create_s256_code_challenge(verifier),
            "code_challenge_method": "S256",
        }
        if about.acr:
            query["acr_values"] = " ".join(sorted(about.acr))
        if about.max_age:
            query["max_age"] = str(about.max_age)
        ticket = self.tickets.seal(
            {"state": state, "nonce": nonce, "verifier": verifier, "to": to}, self.clock() + TICKET_SECONDS
        )
        return Asked(_with_query(metadata["authorization_endpoint"], query), ticket)

    async def answered(self, ticket: str | None, query: Mapping[str, str]) -> Answered:
        """Take the provider's answer: the parameters of the redirection, and the ticket the browser carried.

        Raises SignInFailed, ProviderFailed.
        """
        began = self.tickets.open(ticket, self.clock()) if ticket else None
        if began is None:
            raise SignInFailed("sign-in-not-begun")
        if not hmac.compare_digest(query.get("state", "").encode(), began["state"].encode()):
            raise SignInFailed("state-mismatch")
        metadata = await self._described()
        said = query.get("iss")
        if said != self.about.issuer and (
            said is not None or metadata.get("authorization_response_iss_parameter_supported") is True
        ):
            raise SignInFailed("issuer-mismatch")  # RFC 9207: another provider's answer
        if "error" in query or not query.get("code"):
            raise SignInFailed("provider-refused")
        token = await self._exchanged(metadata, query["code"], began["verifier"])
        id_token, access_token = token.get("id_token"), token.get("access_token")
        if not isinstance(id_token, str) or not isinstance(access_token, str):
            raise ProviderFailed("provider-answer")
        claims = await self._claims(metadata, id_token, access_token, began["nonce"])
        return Answered(claims, id_token, began["to"])

    async def goodbye(self, id_token: str | None) -> str | None:
        """Where the browser goes to sign out of the provider too; None where there is no such page.

        Raises ProviderFailed.
        """
        endpoint = (await self._described()).get("end_session_endpoint")
        if not isinstance(endpoint, str) or not self._is_provider_s(endpoint):
            return None
        query = {"client_id": self.about.client_id, "post_logout_redirect_uri": self.about.signed_out_uri}
        return _with_query(endpoint, {**query, **({"id_token_hint": id_token} if id_token else {})})

    async def ended(self, logout_token: str) -> Ended:
        """What the provider says has ended there. Raises SignInFailed, ProviderFailed."""
        about, now = self.about, int(self.clock())
        return await self._read(
            await self._described(),
            lambda keys: logouttoken.read(logout_token, keys, about.issuer, about.client_id, now, about.skew),
        )

    async def _claims(
        self, metadata: Mapping[str, Any], id_token: str, access_token: str, nonce: str
    ) -> Mapping[str, Any]:
        about = self.about
        wanted = Wanted(
            about.issuer,
            about.client_id,
            nonce,
            access_token,
            about.acr,
            about.max_age,
            int(self.clock()),
            about.skew,
        )
        claims = await self._read(metadata, lambda keys: idtoken.read(id_token, keys, wanted))
        if not about.userinfo:
            return claims
        more = await self.fetching.get(self._endpoint(metadata, "userinfo_endpoint"), access_token)
        if more.get("sub") != claims["sub"]:
            raise SignInFailed("userinfo-subject")
        return {**more, **claims}

    async def _read(self, metadata: Mapping[str, Any], look: Callable[[tuple[Key, ...]], T]) -> T:
        """What a token says by the provider's keys; by its new ones where it names another (rotation)."""
        try:
            return look(await self._signing(metadata))
        except KeyUnknown:
            return look(await self._signing(metadata, anew=True))

    async def _exchanged(self, metadata: Mapping[str, Any], code: str, verifier: str) -> dict[str, Any]:
        endpoint = self._endpoint(metadata, "token_endpoint")
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.about.redirect_uri,
            "code_verifier": verifier,
        }
        proof, headers = self._proved(metadata, endpoint)
        return await self.fetching.post(endpoint, {**form, **proof}, headers)

    def _proved(self, metadata: Mapping[str, Any], endpoint: str) -> tuple[dict[str, str], dict[str, str]]:
        """What proves the client at the token endpoint: form fields and headers (RFC 6749 section 2.3, RFC 7523)."""
        about = self.about
        if about.key is not None:
            offered = metadata.get("token_endpoint_auth_signing_alg_values_supported") or ()
            signed = private_key_jwt_sign(
                about.key,
                about.client_id,
                endpoint,
                alg=_algorithm(about.key, offered),
                header={"kid": about.key.kid, "typ": "JWT"},
                expires_in=ASSERTION_SECONDS,
            )
            return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}, {}
        secret = about.secret or ""
        ways = metadata.get("token_endpoint_auth_methods_supported") or ("client_secret_basic",)
        if "client_secret_basic" not in ways and "client_secret_post" in ways:
            return {"client_id": about.client_id, "client_secret": secret}, {}
        pair = f"{quote(about.client_id, safe='')}:{quote(secret, safe='')}"
        return {}, {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}

    async def _described(self) -> dict[str, Any]:
        """The provider's description (OpenID Connect Discovery 1.0, section 4.3)."""
        async with self._turn:
            if self._metadata is None or self._metadata[0] <= time.monotonic():
                issuer = self.about.issuer
                found = await self.fetching.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
                if found.get("issuer") != issuer:
                    raise ProviderFailed("provider-issuer")
                self._endpoint(found, "authorization_endpoint")
                self._metadata = (time.monotonic() + KEPT_SECONDS, found)
            return self._metadata[1]

    async def _signing(self, metadata: Mapping[str, Any], *, anew: bool = False) -> tuple[Key, ...]:
        """The provider's keys; anew where a token names another, but not at once again."""
        async with self._turn:
            now = time.monotonic()
            fetched = self._keys[0] if self._keys else float("-inf")
            if now - fetched > (AGAIN_SECONDS if anew else KEPT_SECONDS):
                keys = usable(await self.fetching.get(self._endpoint(metadata, "jwks_uri")))
                self._keys = (now, keys)
            return self._keys[1] if self._keys else ()

    def _endpoint(self, metadata: Mapping[str, Any], name: str) -> str:
        """An address of the provider's, as safe as its own. Raises ProviderFailed."""
        found = metadata.get(name)
        if not isinstance(found, str) or not self._is_provider_s(found):
            raise ProviderFailed("provider-metadata")
        return found

    def _is_provider_s(self, url: str) -> bool:
        parts, own = urlsplit(url), urlsplit(self.about.issuer)
        return bool(parts.netloc) and not parts.fragment and parts.scheme in {"https", own.scheme}


def _with_query(url: str, query: Mapping[str, str]) -> str:
    return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(query)}"


_RSA = ("RS512", "PS512", "PS256", "RS256")
_EC: Mapping[str, str] = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}


def _algorithm(key: RSAKey | ECKey, offered: Any) -> str:  # noqa: ANN401 - foreign JSON
    """The algorithm of a statement: of those the provider names the first that fits; without a word of it, RS256."""
    if isinstance(key, ECKey):
        return _EC[key.curve_name]
    return next((one for one in _RSA if one in offered and one in ALGORITHMS), "RS256")
