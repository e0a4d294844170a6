"""The console at an external provider: every way an answer can be false, forged by a provider of the test's."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from gateway.signin import relying as module
from gateway.signin.fetching import Fetching, ProviderFailed, SignInFailed
from gateway.signin.relying import Registration, Relying
from gateway.signin.secrets import Tickets

ISSUER = "https://login.example/realm"
CLIENT = "provide-console"
NOW = 1_790_000_000
SECRET = "s3cret/with:signs"


def _key(kind: type[ECKey | RSAKey], at: str | int) -> Any:
    made = kind.generate_key(at)  # type: ignore[arg-type]  # a curve, or a number of bits
    return kind.import_key(made.as_pem(private=True), {"kid": made.thumbprint(), "use": "sig"})


EC, OTHER_EC, RSA = _key(ECKey, "P-256"), _key(ECKey, "P-256"), _key(RSAKey, 2048)


@dataclass
class Forger:
    """A provider whose every word can be made false."""

    metadata: dict[str, Any] = field(default_factory=dict)
    keys: list[Any] = field(default_factory=lambda: [EC])
    signing: Any = field(default_factory=lambda: EC)
    algorithm: str = "ES256"
    header: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    token: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    nonce: str = ""
    asked: list[httpx.Request] = field(default_factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        path = request.url.path.removeprefix("/realm")
        answers: Mapping[str, Callable[[], httpx.Response]] = {
            "/.well-known/openid-configuration": lambda: httpx.Response(200, json=self.described()),
            "/keys": lambda: httpx.Response(200, json=KeySet(self.keys).as_dict(private=False)),
            "/token": lambda: httpx.Response(self.status, json=self.issued()),
            "/me": lambda: httpx.Response(200, json=self.userinfo),
        }
        return answers[path]() if path in answers else httpx.Response(404)

    def described(self) -> dict[str, Any]:
        return {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/keys",
            "userinfo_endpoint": f"{ISSUER}/me",
            "end_session_endpoint": f"{ISSUER}/logout",
            **self.metadata,
        }

    def issued(self) -> dict[str, Any]:
        access = "access-token"
        bits = int(self.algorithm[-3:])
        half = hashlib.new(f"sha{bits}", access.encode()).digest()[: bits // 16]
        claims = {
            "iss": ISSUER,
            "sub": "someone",
            "aud": CLIENT,
            "iat": NOW,
            "exp": NOW + 300,
            "auth_time": NOW,
            "nonce": self.nonce,
            "at_hash": base64.urlsafe_b64encode(half).decode().rstrip("="),
            "acr": "AAL2_OR_AAL3_ANY",
        } | self.claims
        claims = {name: value for name, value in claims.items() if name not in self.without}
        header = {"alg": self.algorithm, "kid": self.signing.kid} | self.header
        header = {name: value for name, value in header.items() if value is not None}
        text = jwt.encode(header, claims, self.signing, algorithms=[self.algorithm])
        return {"access_token": access, "token_type": "Bearer", "id_token": text} | self.token


@pytest.fixture
def forger() -> Forger:
    return Forger()


def at(forger: Forger, **about: Any) -> Relying:
    registration = Registration(
        issuer=ISSUER,
        client_id=CLIENT,
        redirect_uri="https://gateway.test/console/signed-in",
        signed_out_uri="https://gateway.test/console/signed-out",
        **{"secret": SECRET, "max_age": 900, **about},
    )
    fetching = Fetching(transport=httpx.MockTransport(forger.answer))
    return Relying(registration, Tickets(bytes(32), "asked"), fetching, lambda: NOW)


def signed_in(forger: Forger, relying: Relying, **answer: str) -> Mapping[str, Any]:
    """The whole course; returns the claims."""

    async def course() -> Mapping[str, Any]:
        asked = await relying.ask("/console/worklist")
        query = {name: values[0] for name, values in parse_qs(urlsplit(asked.url).query).items()}
        forger.nonce = query["nonce"]
        back = {"code": "a-code", "state": query["state"], **answer}
        found = await relying.answered(asked.ticket, {name: value for name, value in back.items() if value})
        assert found.to == "/console/worklist"
        return found.claims

    return asyncio.run(course())


def refused(forger: Forger, relying: Relying | None = None, **answer: str) -> str:
    with pytest.raises(SignInFailed) as found:
        signed_in(forger, relying or at(forger), **answer)
    return found.value.reason


def test_a_true_answer_signs_somebody_in(forger: Forger) -> None:
    assert signed_in(forger, at(forger))["sub"] == "someone"
    asked = dict(parse_qsl(forger.asked[-2].content.decode()))
    assert forger.asked[-2].url.path == "/realm/token"
    assert asked.keys() == {"grant_type", "code", "redirect_uri", "code_verifier"}
    basic = base64.b64decode(forger.asked[-2].headers["authorization"].removeprefix("Basic ")).decode()
    assert basic == f"{CLIENT}:s3cret%2Fwith%3Asigns"  # RFC 6749 section 2.3.1: encoded as in a form


@pytest.mark.parametrize("algorithm", ["RS256", "RS512", "PS256", "PS384"])
def test_a_provider_may_sign_with_rsa(forger: Forger, algorithm: str) -> None:
    forger.keys, forger.signing, forger.algorithm = [EC, RSA], RSA, algorithm
    assert signed_in(forger, at(forger))["sub"] == "someone"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"nonce": "another"}, "id-token-nonce"),
        ({"iss": "https://login.example/other"}, "id-token-iss"),
        ({"aud": "another-client"}, "id-token-aud"),
        ({"aud": [CLIENT, "another-client"]}, "id-token-azp"),
        ({"aud": [CLIENT, "another-client"], "azp": "another-client"}, "id-token-azp"),
        ({"azp": "another-client"}, "id-token-azp"),
        ({"aud": []}, "id-token-aud"),
        ({"exp": NOW - 31}, "id-token-exp"),
        ({"exp": "soon"}, "id-token-exp"),
        ({"iat": NOW + 31}, "id-token-iat"),
        ({"nbf": NOW + 31}, "id-token-nbf"),
        ({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, "id-token-at-hash"),
        ({"auth_time": NOW - 931}, "id-token-auth-time"),
        ({"auth_time": "now"}, "id-token-auth-time"),
        ({"sub": 7}, "id-token-sub"),
        ({"acr": "AAL1_USERPASS"}, "id-token-acr"),
        ({"acr": ["AAL2_OR_AAL3_ANY"]}, "id-token-acr"),
    ],
)
def test_a_claim_that_is_not_as_it_must_be_is_named(forger: Forger, change: dict[str, Any], reason: str) -> None:
    forger.claims = change
    assert refused(forger, at(forger, acr=frozenset({"AAL2_OR_AAL3_ANY"}))) == reason


@pytest.mark.parametrize("name", ["iss", "sub", "aud", "exp", "iat", "nonce", "auth_time"])
def test_a_claim_that_is_missing_is_named(forger: Forger, name: str) -> None:
    forger.without = (name,)
    assert refused(forger) == f"id-token-{name.replace('_', '-')}"


def test_several_audiences_are_taken_where_the_token_was_made_for_the_console(forger: Forger) -> None:
    forger.claims = {"aud": [CLIENT, "another-client"], "azp": CLIENT}
    assert signed_in(forger, at(forger))["azp"] == CLIENT


def test_the_age_of_a_sign_in_is_asked_about_only_where_the_setting_says(forger: Forger) -> None:
    forger.without = ("auth_time",)
    assert signed_in(forger, at(forger, max_age=0))["sub"] == "someone"


def test_another_key_under_the_known_name_is_refused(forger: Forger) -> None:
    forger.signing, forger.header = OTHER_EC, {"kid": EC.kid}
    assert refused(forger) == "id-token-signature"


def test_an_unknown_key_is_refused_and_keys_are_not_fetched_without_end(forger: Forger) -> None:
    forger.signing = OTHER_EC
    relying = at(forger)
    assert refused(forger, relying) == "id-token-key"
    assert refused(forger, relying) == "id-token-key"
    assert sum(one.url.path.endswith("/keys") for one in forger.asked) == 1


def test_a_provider_may_change_its_keys(forger: Forger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGAIN_SECONDS", -1)
    relying = at(forger)
    assert signed_in(forger, relying)
    forger.keys, forger.signing = [OTHER_EC], OTHER_EC
    assert signed_in(forger, relying)
    forger.signing = EC  # the old one is no longer good
    assert refused(forger, relying) == "id-token-key"


def test_a_token_that_names_no_key_is_taken_where_there_is_one_that_fits(forger: Forger) -> None:
    forger.header = {"kid": None}
    assert signed_in(forger, at(forger))
    forger.keys = [EC, OTHER_EC]
    assert refused(forger, at(forger)) == "id-token-key"


def test_a_public_key_is_no_shared_secret(forger: Forger) -> None:
    """The old trick: HS256, with what everybody may know as the key."""
    parts = _unsigned({"alg": "HS256", "kid": EC.kid}, forger.issued()).rpartition(".")[0]
    mac = hmac.digest(EC.as_pem(private=False), parts.encode(), "sha256")
    forger.token = {"id_token": f"{parts}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"}
    assert refused(forger) == "id-token-algorithm"


def _unsigned(header: dict[str, Any], claims: dict[str, Any], signature: str = "") -> str:
    parts = [base64.urlsafe_b64encode(orjson.dumps(one)).decode().rstrip("=") for one in (header, claims)]
    return ".".join([*parts, signature])


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (_unsigned({"alg": "none"}, {"sub": "x"}), "id-token-algorithm"),
        (_unsigned({"alg": "None"}, {"sub": "x"}), "id-token-algorithm"),
        (_unsigned({"alg": "ES256"}, {"sub": "x"}, "AAAA"), "id-token-signature"),
        (_unsigned({"alg": "ES256", "crit": ["x"]}, {"sub": "x"}, "AAAA"), "id-token-algorithm"),
        (_unsigned({"alg": "EdDSA"}, {"sub": "x"}, "AAAA"), "id-token-algorithm"),
        (_unsigned({"alg": ["ES256"]}, {"sub": "x"}, "AAAA"), "id-token-algorithm"),
        (_unsigned({"alg": "ES256", "kid": {}}, {"sub": "x"}, "AAAA"), "id-token-key"),
        ("not.a.token", "id-token-malformed"),
        ("onlyone", "id-token-malformed"),
        ("ä.b.c", "id-token-malformed"),
        ("W10.W10.AAAA", "id-token-malformed"),
        ("a" * 20_000, "id-token-malformed"),
        (7, "provider-answer"),
        (None, "provider-answer"),
    ],
)
def test_what_is_no_token_of_the_provider_s_is_refused(forger: Forger, token: Any, reason: str) -> None:
    forger.token = {"id_token": token}
    assert refused(forger) == reason


def test_a_key_for_encryption_or_a_weak_one_signs_nothing(forger: Forger) -> None:
    encrypting = ECKey.import_key(EC.as_pem(private=True), {"kid": EC.kid, "use": "enc"})
    forger.keys = [encrypting]
    assert refused(forger) == "id-token-key"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"state": "another"}, "state-mismatch"),
        ({"state": ""}, "state-mismatch"),
        ({"code": ""}, "provider-refused"),
        ({"error": "access_denied"}, "provider-refused"),
        ({"iss": "https://login.example/other"}, "issuer-mismatch"),
    ],
)
def test_a_redirection_that_was_altered_is_refused(forger: Forger, answer: dict[str, str], reason: str) -> None:
    assert refused(forger, None, **answer) == reason


def test_a_provider_that_says_who_it_is_must_say_it_each_time(forger: Forger) -> None:
    """RFC 9207, against answers of another provider (mix-up)."""
    forger.metadata = {"authorization_response_iss_parameter_supported": True}
    assert refused(forger) == "issuer-mismatch"
    assert signed_in(forger, at(forger), iss=ISSUER)


def test_an_answer_needs_the_ticket_of_its_own_browser_in_time(forger: Forger) -> None:
    relying = at(forger)
    asked = asyncio.run(relying.ask(None))
    state = parse_qs(urlsplit(asked.url).query)["state"][0]

    def reason(ticket: str | None, now: int = NOW) -> str:
        relying.clock = lambda: now
        with pytest.raises(SignInFailed) as found:
            asyncio.run(relying.answered(ticket, {"state": state, "code": ""}))
        return found.value.reason

    assert reason(asked.ticket) == "provider-refused"  # the ticket is good, the answer is not
    assert reason(asked.ticket, NOW + 600) == "sign-in-not-begun"
    assert reason(None) == reason("") == reason("AAAA") == reason("ä") == "sign-in-not-begun"
    altered = asked.ticket[:-2] + ("AA" if asked.ticket[-2:] != "AA" else "BB")
    assert reason(altered) == "sign-in-not-begun"
    foreign = Tickets(bytes(32), "enrolling").seal({"state": state}, NOW + 600)
    assert reason(foreign) == "sign-in-not-begun"


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({"issuer": "https://login.example/other"}, "provider-issuer"),
        ({"authorization_endpoint": None}, "provider-metadata"),
        ({"authorization_endpoint": "http://login.example/realm/authorize"}, "provider-metadata"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "provider-metadata"),
        ({"token_endpoint": "http://login.example/realm/token"}, "provider-metadata"),
        ({"jwks_uri": "file:///etc/passwd"}, "provider-metadata"),
    ],
)
def test_a_provider_s_description_is_believed_within_limits(
    forger: Forger, metadata: dict[str, Any], reason: str
) -> None:
    forger.metadata = metadata
    assert refused(forger) == reason


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (httpx.Response(400, json={"error": "invalid_grant"}), "provider-refused"),
        (httpx.Response(401), "provider-refused"),
        (httpx.Response(302, headers={"Location": "https://evil.example"}), "provider-answer"),
        (httpx.Response(500), "provider-answer"),
        (httpx.Response(200, content=b"<html>"), "provider-answer"),
        (httpx.Response(200, content=b"[]"), "provider-answer"),
        (httpx.Response(200, content=b" " * 300_000), "provider-answer"),
        (httpx.ConnectError("no"), "provider-unreachable"),
        (httpx.ReadTimeout("no"), "provider-unreachable"),
    ],
)
def test_what_the_token_endpoint_may_say_instead(forger: Forger, answer: Any, reason: str) -> None:
    whole = forger.answer

    def instead(request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith("/token"):
            return whole(request)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    relying = at(forger)
    relying.fetching = Fetching(transport=httpx.MockTransport(instead))
    assert refused(forger, relying) == reason


def test_a_provider_that_does_not_answer_is_asked_again_the_next_time(forger: Forger) -> None:
    relying = at(forger)
    forger.metadata = {"issuer": "https://login.example/other"}
    with pytest.raises(ProviderFailed):
        asyncio.run(relying.ask(None))
    forger.metadata = {}
    assert asyncio.run(relying.ask(None)).url.startswith(f"{ISSUER}/authorize?")


@pytest.mark.parametrize("key", [RSA, EC], ids=["RSA", "EC"])
def test_the_console_can_prove_itself_with_a_key(forger: Forger, key: Any) -> None:
    """private_key_jwt (RFC 7523): no secret leaves."""
    forger.metadata = {"token_endpoint_auth_signing_alg_values_supported": ["RS256", "PS256", "ES256"]}
    assert signed_in(forger, at(forger, secret=None, key=key))
    form = dict(parse_qsl(forger.asked[-2].content.decode()))
    assert "authorization" not in forger.asked[-2].headers
    proved = jwt.decode(form["client_assertion"], key, algorithms=["ES256", "PS256"])
    assert proved.header["kid"] == key.kid
    assert proved.claims["iss"] == proved.claims["sub"] == CLIENT
    assert proved.claims["aud"] == f"{ISSUER}/token"
    assert proved.claims["exp"] - proved.claims["iat"] == 60


def test_a_secret_goes_into_the_form_where_the_provider_takes_it_nowhere_else(forger: Forger) -> None:
    forger.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert signed_in(forger, at(forger))
    form = dict(parse_qsl(forger.asked[-2].content.decode()))
    assert (form["client_id"], form["client_secret"]) == (CLIENT, SECRET)


def test_claims_of_the_userinfo_endpoint_are_of_the_same_person(forger: Forger) -> None:
    forger.userinfo = {"sub": "someone", "staff_id": "idva-0042", "iss": "overwritten"}
    claims = signed_in(forger, at(forger, userinfo=True))
    assert (claims["staff_id"], claims["iss"]) == ("idva-0042", ISSUER)
    forger.userinfo = {"sub": "another", "staff_id": "idva-0001"}
    assert refused(forger, at(forger, userinfo=True)) == "userinfo-subject"


def test_signing_out_goes_on_at_the_provider(forger: Forger) -> None:
    address = asyncio.run(at(forger).goodbye("the-token"))
    assert address is not None
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert asked == {
        "client_id": CLIENT,
        "post_logout_redirect_uri": "https://gateway.test/console/signed-out",
        "id_token_hint": "the-token",
    }
    forger.metadata = {"end_session_endpoint": None}
    assert asyncio.run(at(forger).goodbye("the-token")) is None
    forger.metadata = {"end_session_endpoint": "javascript:alert(1)"}
    assert asyncio.run(at(forger).goodbye("the-token")) is None


def test_levels_and_age_are_asked_for(forger: Forger) -> None:
    asked = asyncio.run(at(forger, acr=frozenset({"AAL3_ANY", "AAL2_OR_AAL3_ANY"})).ask(None))
    query = {name: values[0] for name, values in parse_qs(urlsplit(asked.url).query).items()}
    assert (query["acr_values"], query["max_age"]) == ("AAL2_OR_AAL3_ANY AAL3_ANY", "900")
