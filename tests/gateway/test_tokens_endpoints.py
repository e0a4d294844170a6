"""Introspection, revocation, and what the server says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from joserfc import jwt
from joserfc.jwk import KeySet

from audit.entry import Outcome
from gateway.tokens.refusal import Reason
from tests.gateway.tokens_support import AUDITOR, HOSPITAL, ISSUER, POLICE, TOKEN_URL, World, world


@pytest.fixture
def tokens(tmp_path: Path) -> Iterator[World]:
    yield from world(tmp_path)


INTROSPECT, REVOKE = "/oauth2/introspect", "/oauth2/revoke"


def ask(tokens: World, path: str, client_id: str, token: str | None, **changes: Any) -> httpx.Response:
    audience = changes.pop("aud", TOKEN_URL)
    form = tokens.form(tokens.assertion(client_id, aud=audience), grant_type=None, token=token, **changes)
    return tokens.post(path, **form)


def test_a_client_is_told_of_its_own_token(tokens: World) -> None:
    token = tokens.token(HOSPITAL, end_user={"id": "555042635001", "role": "R8000"})
    answer = ask(tokens, INTROSPECT, HOSPITAL, token)
    claims = jwt.decode(token, tokens.keyring.token_key, ["ES256"]).claims
    assert answer.json() == {"active": True, "token_type": "Bearer", **claims}
    assert answer.headers["cache-control"] == "no-store"


def test_an_introspection_is_sealed_before_it_is_answered(tokens: World) -> None:
    token = tokens.token()
    ask(tokens, INTROSPECT, POLICE, token)
    entry = tokens.entries()[-1]
    claims = jwt.decode(token, tokens.keyring.token_key, ["ES256"]).claims
    assert (entry.event, entry.outcome, entry.reason) == ("token-introspected", Outcome.PERMITTED, None)
    assert (entry.actor.client, entry.detail) == (POLICE, {"token": claims["jti"]})


def test_of_anothers_token_and_of_none_the_answer_is_the_same(tokens: World) -> None:
    others = ask(tokens, INTROSPECT, HOSPITAL, tokens.token(POLICE))
    none = ask(tokens, INTROSPECT, HOSPITAL, "no.such.token")
    assert others.json() == none.json() == {"active": False}
    assert (others.status_code, others.headers["content-length"]) == (none.status_code, none.headers["content-length"])
    assert [(entry.outcome, entry.reason) for entry in tokens.entries()[-2:]] == [
        (Outcome.DENIED, "token-not-own"),
        (Outcome.PERMITTED, "token-not-live"),
    ]


def test_who_may_read_the_log_is_told_of_any_token(tokens: World) -> None:
    assert ask(tokens, INTROSPECT, AUDITOR, tokens.token(POLICE)).json()["client_id"] == POLICE


def test_a_revoked_token_is_not_active(tokens: World) -> None:
    token = tokens.token()
    assert ask(tokens, REVOKE, POLICE, token).status_code == 200
    assert ask(tokens, INTROSPECT, POLICE, token).json() == {"active": False}


def test_a_revoked_token_is_refused_at_once_in_the_same_process(tokens: World) -> None:
    token = tokens.token()
    tokens.check.caller(f"Bearer {token}")
    ask(tokens, REVOKE, POLICE, token)
    with pytest.raises(Exception, match="revoked"):
        tokens.check.caller(f"Bearer {token}")
    entry = tokens.entries()[-1]
    assert (entry.event, entry.outcome, entry.actor.client) == ("token-revoked", Outcome.PERMITTED, POLICE)


def test_another_clients_token_is_not_revoked_and_the_answer_does_not_tell(tokens: World) -> None:
    token = tokens.token(POLICE)
    answers = [ask(tokens, REVOKE, HOSPITAL, one) for one in (token, "no.such.token")]
    assert [(answer.status_code, answer.json()) for answer in answers] == [(200, {})] * 2
    assert tokens.check.caller(f"Bearer {token}").client == POLICE
    assert [(entry.outcome, entry.reason) for entry in tokens.entries()[-2:]] == [
        (Outcome.DENIED, "token-not-own"),
        (Outcome.FAILED, "token-not-live"),
    ]


def test_a_token_may_be_revoked_again(tokens: World) -> None:
    token = tokens.token()
    assert [ask(tokens, REVOKE, POLICE, token).status_code for _ in range(2)] == [200, 200]


@pytest.mark.parametrize("path", [INTROSPECT, REVOKE])
def test_the_audience_may_be_the_endpoint_itself_and_no_other(tokens: World, path: str) -> None:
    other = {INTROSPECT: REVOKE, REVOKE: INTROSPECT}[path]
    assert ask(tokens, path, POLICE, "x", aud=ISSUER + path).status_code == 200
    answer = ask(tokens, path, POLICE, "x", aud=ISSUER + other)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert tokens.entries()[-1].reason == Reason.AUDIENCE_WRONG


@pytest.mark.parametrize("path", [INTROSPECT, REVOKE])
def test_an_assertion_buys_one_act_whatever_the_endpoint(tokens: World, path: str) -> None:
    form = tokens.form(token="x")
    assert tokens.post("/oauth2/token", **form).status_code == 200
    answer = tokens.post(path, **form)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert tokens.entries()[-1].reason == Reason.ASSERTION_REPLAYED


@pytest.mark.parametrize("path", [INTROSPECT, REVOKE])
def test_who_is_nobody_is_told_nothing(tokens: World, path: str) -> None:
    answer = tokens.post(path, token=tokens.token())
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    entry = tokens.entries()[-1]
    assert (entry.event, entry.reason) == ("token-refused", Reason.ASSERTION_MISSING)
    assert entry.detail == {"endpoint": {INTROSPECT: "introspection", REVOKE: "revocation"}[path]}


@pytest.mark.parametrize("path", [INTROSPECT, REVOKE])
def test_a_request_without_token_is_refused(tokens: World, path: str) -> None:
    answer = ask(tokens, path, POLICE, None)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("path", [INTROSPECT, REVOKE])
def test_a_hint_that_is_wrong_or_unheard_of_is_ignored(tokens: World, path: str) -> None:
    assert ask(tokens, path, POLICE, tokens.token(), token_type_hint="refresh_token").status_code == 200
    assert ask(tokens, path, POLICE, tokens.token(), token_type_hint="unheard_of").status_code == 200


def test_the_metadata_is_valid_and_every_address_in_it_answers(tokens: World) -> None:
    answer = tokens.call("GET", "/.well-known/oauth-authorization-server")
    told = answer.json()
    judge: Any = AuthorizationServerMetadata({**told, "response_types_supported": ["none"]})  # Authlib wants one
    judge.validate()
    assert told["response_types_supported"] == []
    assert told["issuer"] == ISSUER
    for name, address in told.items():
        if name.endswith("_endpoint"):
            path = address.removeprefix(ISSUER)
            assert tokens.post(path, x="y").status_code in {400, 401}
    for name in ("token", "introspection", "revocation"):
        assert told[f"{name}_endpoint_auth_methods_supported"] == ["private_key_jwt"]
        algorithms = told[f"{name}_endpoint_auth_signing_alg_values_supported"]
        assert {"RS512", "ES256", "PS256", "EdDSA"} <= set(algorithms)
        assert not [alg for alg in algorithms if alg == "none" or alg.startswith("HS")]


def test_the_published_key_verifies_a_token_and_is_public(tokens: World) -> None:
    answer = tokens.call("GET", "/.well-known/jwks.json")
    assert answer.headers["content-type"] == "application/jwk-set+json"
    keys = answer.json()["keys"]
    common = {"kty", "crv", "x", "kid", "use", "alg"}
    assert [set(key) for key in keys] == [common | {"y"}, common]  # tokens, and what is pushed to webhooks
    assert jwt.decode(tokens.token(), KeySet.import_key_set(answer.json()), ["ES256"]).claims["iss"] == ISSUER
