"""The check of an access token: who is let in, who is not, what they are told, and how soon a revocation counts."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from gateway.errors import NotSealed, face
from gateway.evidence import OPERATOR_LOG, Caller
from gateway.tokens import check as check_module
from gateway.tokens.check import ScopeRefused, TokenCheck, TokenRefused
from gateway.tokens.clients import Clients, RevokeClient, RevokeToken
from tests.gateway.tokens_support import HOSPITAL, ISSUER, POLICE, Tick, World, world


@pytest.fixture
def tokens(tmp_path: Path) -> Iterator[World]:
    yield from world(tmp_path)


def refusal(check: TokenCheck, header: str | None) -> TokenRefused:
    with pytest.raises(TokenRefused) as refused:
        check.caller(header)
    return refused.value


def forged(tokens: World, header: dict[str, Any] | None = None, key: ECKey | None = None, **claims: Any) -> str:
    """A token that is right but for the changes, signed by the gateway's own key unless another is given."""
    good = jwt.decode(tokens.token(), tokens.keyring.token_key, ["ES256"]).claims
    head = {"alg": "ES256", "typ": "at+jwt", "kid": tokens.keyring.token_key.kid, **(header or {})}
    return "Bearer " + jwt.encode(head, {**good, **claims}, key or tokens.keyring.token_key, [head["alg"]])


def test_a_good_token_tells_the_whole_caller(tokens: World) -> None:
    token = tokens.token(HOSPITAL, end_user={"id": "555042635001", "role": "R8000"})
    claims = jwt.decode(token, tokens.keyring.token_key, ["ES256"]).claims
    assert tokens.check.caller(f"Bearer {token}") == Caller(
        client=HOSPITAL,
        organisation=f"ORG-{HOSPITAL}",
        recipient="idva-north",
        scopes=frozenset({"health:referral.read", "health:referral.write"}),
        agreements=frozenset({"provide-north"}),
        user="555042635001",
        role="R8000",
        token=claims["jti"],
    )


def test_a_forged_copy_that_changes_nothing_is_good(tokens: World) -> None:
    """Else the tests below would prove nothing."""
    assert tokens.check.caller(forged(tokens)).client == POLICE


@pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
def test_the_case_of_the_scheme_does_not_matter(tokens: World, scheme: str) -> None:
    assert tokens.check.caller(f"{scheme} {tokens.token()}").client == POLICE


@pytest.mark.parametrize("header", [None, "", "Basic cG9saWNlOnNlY3JldA==", "token"])
def test_who_sends_no_token_is_asked_for_one_and_told_of_no_error(tokens: World, header: str | None) -> None:
    refused = refusal(tokens.check, header)
    assert refused.reason == "token-missing"
    assert refused.headers == {"WWW-Authenticate": f'Bearer realm="{ISSUER}"'}
    assert face(refused).status == 401


@pytest.mark.parametrize("header", ["", " ", "  x", " a b", " a,b", " " + "x" * 20_000])
def test_a_header_out_of_form_is_refused(tokens: World, header: str) -> None:
    refused = refusal(tokens.check, f"Bearer{header}")
    assert refused.reason == "token-malformed"
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]


@pytest.mark.parametrize("text", ["x", "a.b.c", "..", "\u0430.\u0430.\u0430", "\ud800", "e30.e30.e30", "x" * 16_000])
def test_a_text_that_is_no_token_is_refused(tokens: World, text: str) -> None:
    assert refusal(tokens.check, f"Bearer {text}").reason == "token-forged"


def test_a_token_changed_anywhere_is_refused(tokens: World) -> None:
    token = tokens.token()
    tokens.check.caller(f"Bearer {token}")
    for at in range(0, len(token), 7):
        if token[at] != ".":
            changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
            assert refusal(tokens.check, f"Bearer {changed}").reason == "token-forged"


@pytest.mark.parametrize("header", [{"typ": "JWT"}, {"typ": "AT+JWT"}, {"kid": "other"}, {"typ": "application/at+jwt"}])
def test_a_header_that_is_not_ours_is_refused_though_signed_by_us(tokens: World, header: dict[str, Any]) -> None:
    assert refusal(tokens.check, forged(tokens, header)).reason == "token-forged"


def test_another_issuers_key_is_refused(tokens: World) -> None:
    stranger = ECKey.generate_key("P-256", {"kid": tokens.keyring.token_key.kid or ""})
    assert refusal(tokens.check, forged(tokens, key=stranger)).reason == "token-forged"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://other.example"},
        {"iss": ISSUER + "/"},
        {"aud": "https://other.example"},
        {"aud": [ISSUER, "https://other.example"]},
        {"aud": ISSUER + ".attacker.example"},
    ],
)
def test_a_token_of_or_for_another_is_refused_though_signed_by_us(tokens: World, claims: dict[str, Any]) -> None:
    assert refusal(tokens.check, forged(tokens, **claims)).reason == "token-foreign"


@pytest.mark.parametrize(
    "claims",
    [{"exp": "soon"}, {"exp": None}, {"scope": None}, {"agreements": None}, {"end_user": "x"}],
)
def test_claims_that_are_not_ours_are_refused_though_signed_by_us(tokens: World, claims: dict[str, Any]) -> None:
    assert refusal(tokens.check, forged(tokens, **claims)).reason == "token-forged"


@pytest.mark.parametrize("alg", ["none", "HS256", "ES384", "RS256"])
def test_no_other_algorithm_is_read(tokens: World, alg: str) -> None:
    head, body, signature = tokens.token().split(".")
    header = json.loads(base64.urlsafe_b64decode(head + "=="))
    changed = base64.urlsafe_b64encode(json.dumps({**header, "alg": alg}).encode()).decode().rstrip("=")
    for end in (signature, ""):
        assert refusal(tokens.check, f"Bearer {changed}.{body}.{end}").reason == "token-forged"


def test_a_token_expires_at_its_second_seen_before_or_not(tokens: World) -> None:
    token = "Bearer " + tokens.token()
    expires = jwt.decode(token[7:], tokens.keyring.token_key, ["ES256"]).claims["exp"]
    clock = Tick(expires - 0.001)
    seen = TokenCheck(tokens.settings, tokens.keyring, tokens.clients, clock=clock)
    assert seen.caller(token).client == POLICE
    clock.now = float(expires)
    assert refusal(seen, token).reason == "token-expired"
    unseen = TokenCheck(tokens.settings, tokens.keyring, tokens.clients, clock=clock)
    refused = refusal(unseen, token)
    assert refused.reason == "token-expired"
    assert refused.headers["WWW-Authenticate"] == (
        f'Bearer realm="{ISSUER}", error="invalid_token", '
        'error_description="The access token has expired: ask for a new one"'
    )


def test_a_revocation_elsewhere_counts_here_within_the_refresh(tokens: World) -> None:
    """A token seen before, and revoked by another process, is refused once the snapshot is too old."""
    clock = Tick(0.0)
    check = TokenCheck(tokens.settings, tokens.keyring, Clients(tokens.database, 1.0, clock=clock))
    token = "Bearer " + tokens.token()
    caller = check.caller(token)
    tokens.journals.of(OPERATOR_LOG).submit_and_wait(RevokeToken(caller.token or "", int(time.time()) + 300))
    clock.now = 0.5
    assert check.caller(token) == caller
    clock.now = 1.0
    assert refusal(check, token).reason == "token-revoked"


def test_a_client_revoked_elsewhere_is_shut_out_with_every_token_within_the_refresh(tokens: World) -> None:
    clock = Tick(0.0)
    check = TokenCheck(tokens.settings, tokens.keyring, Clients(tokens.database, 1.0, clock=clock))
    several = ["Bearer " + tokens.token() for _ in range(3)]
    for token in several:
        check.caller(token)
    tokens.journals.of(OPERATOR_LOG).submit_and_wait(RevokeClient(POLICE))
    clock.now = 1.0
    for token in several:
        assert refusal(check, token).reason == "token-client-revoked"


def test_a_client_that_is_gone_is_shut_out(tokens: World) -> None:
    token = forged(tokens, client_id="nobody")
    assert refusal(tokens.check, token).reason == "token-client-revoked"


def test_where_the_register_cannot_be_read_a_good_token_does_not_help(
    tokens: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = "Bearer " + tokens.token()
    tokens.check.caller(token)

    def fail() -> None:
        raise NotSealed("the register of clients cannot be read; nothing is released")

    monkeypatch.setattr(tokens.clients, "current", fail)
    with pytest.raises(NotSealed):
        tokens.check.caller(token)


def test_a_scope_the_token_has_passes_and_another_is_named(tokens: World) -> None:
    caller = tokens.check.caller("Bearer " + tokens.token())
    tokens.check.require(caller, "police:incident.write")
    with pytest.raises(ScopeRefused) as refused:
        tokens.check.require(caller, "health:referral.read")
    assert refused.value.reason == "scope-missing"
    assert face(refused.value).status == 403
    challenge = refused.value.headers["WWW-Authenticate"]
    assert challenge.startswith(f'Bearer realm="{ISSUER}", error="insufficient_scope"')
    assert challenge.endswith('scope="health:referral.read"')


def test_the_cache_is_bounded_and_what_was_used_last_stays(tokens: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_module, "CACHE_MAX", 2)
    first, second, third = (f"Bearer {tokens.token()}" for _ in range(3))
    for token in (first, second, first, third):
        tokens.check.caller(token)
    kept = {token.caller.token for token in tokens.check._seen.values()}
    assert kept == {tokens.check.caller(one).token for one in (first, third)}


def test_a_refused_token_is_not_kept(tokens: World) -> None:
    refusal(tokens.check, forged(tokens, iss="https://other.example"))
    assert not tokens.check._seen
