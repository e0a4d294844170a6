"""The token endpoint: what it issues, what it refuses, and what of both is sealed before the answer."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from sqlalchemy import func, select

from audit.entry import Outcome, timestamp
from gateway.errors import NotSealed
from gateway.evidence import OPERATOR_LOG, Caller, Event
from gateway.settings import Settings
from gateway.store import tables
from gateway.store.journal import Journal
from gateway.tokens import acts
from gateway.tokens.acts import Note, Spend
from gateway.tokens.clients import RevokeClient
from gateway.tokens.refusal import Reason
from gateway.tokens.routes import FORM
from gateway.tokens.server import TokenServer
from tests.gateway.tokens_support import (
    AUDITOR,
    HOSPITAL,
    ISSUER,
    POLICE,
    SCOPES,
    TOKEN_URL,
    World,
    claims_for,
    signed,
    world,
)


@pytest.fixture
def tokens(tmp_path: Path) -> Iterator[World]:
    yield from world(tmp_path)


PERSON = {"id": "555042635001", "role": "R8000"}


def refused(tokens: World, answer: httpx.Response, reason: Reason, error: str) -> None:
    """The answer is this error, in the form of RFC 6749 section 5.2, and its reason is sealed last."""
    assert answer.json()["error"] == error
    assert answer.status_code == (401 if error == "invalid_client" else 400)
    assert set(answer.json()) == {"error", "error_description"}
    assert answer.headers["cache-control"] == "no-store"
    entry = tokens.entries()[-1]
    assert (entry.event, entry.outcome, entry.reason) == ("token-refused", Outcome.DENIED, reason.value)


def test_a_token_says_who_may_do_what_for_whom(tokens: World) -> None:
    answer = tokens.post(**tokens.form(tokens.assertion(HOSPITAL, end_user=PERSON)))
    body = answer.json()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 300)
    assert body["scope"] == "health:referral.read health:referral.write"
    assert set(body) == {"access_token", "token_type", "expires_in", "scope"}
    assert answer.headers["cache-control"] == "no-store"
    read = jwt.decode(body["access_token"], tokens.keyring.token_key, ["ES256"])
    assert read.header == {"alg": "ES256", "typ": "at+jwt", "kid": tokens.keyring.token_key.kid}
    issued = read.claims["iat"]
    assert abs(issued - time.time()) < 60
    assert {name: value for name, value in read.claims.items() if name != "jti"} == {
        "iss": ISSUER,
        "aud": ISSUER,
        "sub": HOSPITAL,
        "client_id": HOSPITAL,
        "scope": "health:referral.read health:referral.write",
        "iat": issued,
        "exp": issued + 300,
        "organisation": f"ORG-{HOSPITAL}",
        "recipient": "idva-north",
        "agreements": ["provide-north"],
        "end_user": PERSON,
    }


def test_the_issue_is_sealed_with_the_person_and_the_call(tokens: World) -> None:
    answer = tokens.call(
        "POST",
        "/oauth2/token",
        data=tokens.form(tokens.assertion(HOSPITAL, end_user=PERSON)),
        headers={"X-Request-Id": "req-1", "X-Correlation-Id": "cor-1"},
    )
    claims = jwt.decode(answer.json()["access_token"], tokens.keyring.token_key, ["ES256"]).claims
    entry = tokens.entries()[-1]
    assert (entry.event, entry.outcome) == ("token-issued", Outcome.PERMITTED)
    assert entry.actor == (f"ORG-{HOSPITAL}", HOSPITAL, PERSON["id"], PERSON["role"])
    assert (entry.request, entry.correlation) == ("req-1", "cor-1")
    assert entry.detail == {
        "token": claims["jti"],
        "scope": "health:referral.read,health:referral.write",
        "lifetime": 300,
    }


@pytest.mark.parametrize("client_id", [POLICE, HOSPITAL, AUDITOR])
def test_clients_with_rsa_ec_and_ed25519_keys_get_tokens(tokens: World, client_id: str) -> None:
    assert tokens.check.caller("Bearer " + tokens.token(client_id)).client == client_id


def test_a_part_of_the_clients_scopes_may_be_asked_for(tokens: World) -> None:
    answer = tokens.post(**tokens.form(scope="police:feedback.read"))
    assert answer.json()["scope"] == "police:feedback.read"
    assert tokens.check.caller("Bearer " + answer.json()["access_token"]).scopes == {"police:feedback.read"}


def test_an_empty_scope_is_as_good_as_none(tokens: World) -> None:
    assert tokens.post(**tokens.form(scope="")).json()["scope"] == " ".join(sorted(SCOPES[POLICE]))


@pytest.mark.parametrize(
    "scope",
    [
        "health:referral.read",
        "police:incident.write health:referral.read",
        "police:incident.write  police:feedback.read",
        " police:incident.write",
        " ",
        "POLICE:INCIDENT.WRITE",
        "p\u043elice:incident.write",
        "police:*",
        "police:incident.write,police:feedback.read",
        "openid",
    ],
)
def test_a_scope_that_is_not_the_clients_is_refused_whole(tokens: World, scope: str) -> None:
    answer = tokens.post(**tokens.form(tokens.assertion(end_user=PERSON), scope=scope))
    refused(tokens, answer, Reason.SCOPE_REFUSED, "invalid_scope")
    assert tokens.entries()[-1].actor == (f"ORG-{POLICE}", POLICE, PERSON["id"], PERSON["role"])


def test_a_replayed_assertion_is_refused_and_its_client_named(tokens: World) -> None:
    form = tokens.form()
    assert tokens.post(**form).status_code == 200
    refused(tokens, tokens.post(**form), Reason.ASSERTION_REPLAYED, "invalid_client")
    assert tokens.entries()[-1].actor.client == POLICE


def test_of_twenty_uses_of_one_assertion_at_once_one_succeeds(tokens: World) -> None:
    form = tokens.form()
    answers = tokens.calls([("POST", "/oauth2/token", {"data": form})] * 20)
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 19
    events = [entry.event for entry in tokens.entries()]
    assert (events.count("token-issued"), events.count("token-refused")) == (1, 19)


def test_twenty_assertions_at_once_all_succeed(tokens: World) -> None:
    answers = tokens.calls([("POST", "/oauth2/token", {"data": tokens.form()}) for _ in range(20)])
    assert [answer.status_code for answer in answers] == [200] * 20
    assert len({answer.json()["access_token"] for answer in answers}) == 20


def test_of_several_processes_one_lets_an_assertion_through(tokens: World) -> None:
    """Two journals over one database are two processes as far as the log knows."""
    origin = f"{tokens.settings.log_origin_prefix}/{OPERATOR_LOG}"
    several = [Journal(tokens.database, OPERATOR_LOG, tokens.keyring.signer(origin)) for _ in range(4)]
    caller = Caller(POLICE, "ORG", None, frozenset(), frozenset())

    def spend(journal: Journal) -> Reason | None:
        act = Note(Event.TOKEN_ISSUED, caller)
        spending = Spend(act, caller=caller, endpoint="token", jti="same", until="2999-01-01T00:00:00.000Z")
        return journal.submit_and_wait(spending).value

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(spend, several))
    for journal in several:
        journal.close()
    assert found.count(None) == 1
    assert found.count(Reason.ASSERTION_REPLAYED) == 3


def test_two_clients_may_use_the_same_jti(tokens: World) -> None:
    for client_id in (POLICE, HOSPITAL):
        assert tokens.post(**tokens.form(tokens.assertion(client_id, jti="same"))).status_code == 200


def test_an_assertion_that_expired_while_it_waited_buys_nothing(tokens: World) -> None:
    caller = Caller(POLICE, "ORG", None, frozenset(), frozenset())
    until = timestamp(datetime.now(UTC) - timedelta(seconds=1))
    spending = Spend(Note(Event.TOKEN_ISSUED, caller), caller=caller, endpoint="token", jti="late", until=until)
    assert tokens.submit(spending) is Reason.ASSERTION_EXPIRED
    assert tokens.entries()[-1].event == "token-refused"


def test_claims_of_assertions_long_expired_are_pruned_on_the_way_and_others_are_kept(
    tokens: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens.token()
    kept = _claims(tokens)
    monkeypatch.setattr(acts, "PRUNE_MARGIN", timedelta(days=-1))  # to the next request, it is tomorrow
    caller = Caller(POLICE, "ORG", None, frozenset(), frozenset())
    until = timestamp(datetime.now(UTC) + timedelta(days=2))
    tokens.submit(
        Spend(Note(Event.TOKEN_ISSUED, caller), caller=caller, endpoint="token", jti="j", until=until, prune=True)
    )
    assert kept == 4  # three clients, and the assertion that is gone now
    assert _claims(tokens) == 5  # the new one, and up to when the others were forgotten


def test_a_clock_that_ran_ahead_and_was_set_back_locks_nobody_out_and_lets_nothing_be_used_twice(
    tokens: World,
) -> None:
    """For a day ahead the log's time stands still until true time has caught up; sign-ins go by the clock."""
    journal = tokens.journals.of(OPERATOR_LOG)
    caller = Caller(POLICE, "ORG", None, frozenset(), frozenset())
    now = datetime.now(UTC)

    def spend(jti: str, until: datetime, *, prune: bool = False) -> Reason | None:
        note = Note(Event.TOKEN_ISSUED, caller)
        spending = Spend(note, caller=caller, endpoint="token", jti=jti, until=timestamp(until), prune=prune)
        return cast("Reason | None", tokens.submit(spending))

    assert spend("before", now + timedelta(minutes=5)) is None
    journal._clock = lambda: now + timedelta(days=1)  # the jump
    assert spend("ahead", now + timedelta(days=1, minutes=5), prune=True) is None
    journal._clock = lambda: now + timedelta(seconds=1)  # and back
    assert spend("before", now + timedelta(minutes=5)) is Reason.ASSERTION_EXPIRED  # its claim was pruned
    assert spend("after", now + timedelta(minutes=5, seconds=1)) is None
    assert spend("after", now + timedelta(minutes=5, seconds=1)) is Reason.ASSERTION_REPLAYED
    times = [entry.time for entry in tokens.entries()]
    assert times == sorted(times)


def _claims(tokens: World) -> int:
    with tokens.database.reading() as connection:
        return connection.execute(select(func.count()).select_from(tables.claim)).scalar_one()


def test_an_unknown_client_is_refused_and_what_it_calls_itself_is_not_sealed(tokens: World) -> None:
    assertion = signed(claims_for("attacker-chosen"), tokens.keys[POLICE])
    answer = tokens.call(
        "POST", "/oauth2/token", data=tokens.form(assertion), headers={"X-Request-Id": "attacker-chosen"}
    )
    refused(tokens, answer, Reason.UNKNOWN_CLIENT, "invalid_client")
    assert b"attacker-chosen" not in tokens.entries()[-1].to_bytes()
    assert tokens.entries()[-1].actor == ("unauthenticated", "unauthenticated", None, None)


def test_a_client_that_is_only_claimed_is_not_sealed_as_the_actor(tokens: World) -> None:
    """An assertion for the hospital signed by the police's key."""
    assertion = signed(claims_for(HOSPITAL), tokens.keys[POLICE], kid="ec-1")
    answer = tokens.post(**tokens.form(assertion))
    refused(tokens, answer, Reason.ALGORITHM_REFUSED, "invalid_client")
    entry = tokens.entries()[-1]
    assert entry.actor.client == "unauthenticated"
    assert entry.detail == {"endpoint": "token", "claimed": HOSPITAL}


def test_another_clients_key_is_refused(tokens: World) -> None:
    other = RSAKey.generate_key(2048, {"kid": "rsa-1"})
    refused(
        tokens,
        tokens.post(**tokens.form(signed(claims_for(POLICE), other))),
        Reason.SIGNATURE_INVALID,
        "invalid_client",
    )


@pytest.mark.parametrize(
    ("changes", "reason", "words"),
    [
        ({"aud": ISSUER}, Reason.AUDIENCE_WRONG, "Missing or invalid 'aud' claim in client_assertion JWT"),
        (
            {"exp": 1},
            Reason.ASSERTION_EXPIRED,
            "Missing or invalid 'exp' claim in client_assertion JWT - JWT has expired",
        ),
        (
            {"exp": 10**12},
            Reason.ASSERTION_LIFETIME,
            "Invalid 'exp' claim in client_assertion JWT - more than 300 seconds in the future",
        ),
        ({"nbf": 10**12}, Reason.ASSERTION_EARLY, "Invalid 'nbf' claim in client_assertion JWT - is in the future"),
        ({"jti": None}, Reason.JTI_MISSING, "Missing or invalid 'jti' claim in client_assertion JWT"),
        ({"sub": None}, Reason.ISSUER_WRONG, "Missing or non-matching 'iss'/'sub' claims in client_assertion JWT"),
    ],
)
def test_a_claim_that_is_wrong_is_named_in_the_nhss_words(
    tokens: World, changes: dict[str, Any], reason: Reason, words: str
) -> None:
    answer = tokens.post(**tokens.form(tokens.assertion(**changes)))
    refused(tokens, answer, reason, "invalid_client")
    assert answer.json()["error_description"] == words


def test_an_end_user_out_of_form_is_an_invalid_request(tokens: World) -> None:
    answer = tokens.post(**tokens.form(tokens.assertion(end_user={"id": "A person"})))
    refused(tokens, answer, Reason.END_USER_MALFORMED, "invalid_request")


@pytest.mark.parametrize(
    ("changes", "reason", "error"),
    [
        ({"grant_type": None}, Reason.REQUEST_MALFORMED, "invalid_request"),
        ({"grant_type": "password"}, Reason.GRANT_UNSUPPORTED, "unsupported_grant_type"),
        ({"grant_type": "Client_Credentials"}, Reason.GRANT_UNSUPPORTED, "unsupported_grant_type"),
        ({"grant_type": 'x"\\\n\u0430'}, Reason.GRANT_UNSUPPORTED, "unsupported_grant_type"),
        ({"client_assertion": None}, Reason.ASSERTION_MISSING, "invalid_client"),
        ({"client_assertion": ""}, Reason.ASSERTION_MISSING, "invalid_client"),
        ({"client_assertion": "a.b.c"}, Reason.ASSERTION_MALFORMED, "invalid_client"),
        ({"client_assertion_type": None}, Reason.ASSERTION_MISSING, "invalid_client"),
        ({"client_assertion_type": "jwt-bearer"}, Reason.ASSERTION_MISSING, "invalid_client"),
        ({"client_id": HOSPITAL}, Reason.CLIENT_MISMATCH, "invalid_client"),
        ({"client_secret": "secret"}, Reason.REQUEST_MALFORMED, "invalid_request"),
    ],
)
def test_a_parameter_that_is_wrong_is_refused(
    tokens: World, changes: dict[str, str | None], reason: Reason, error: str
) -> None:
    refused(tokens, tokens.post(**tokens.form(**changes)), reason, error)


def test_the_clients_own_id_may_be_sent_as_well(tokens: World) -> None:
    assert tokens.post(**tokens.form(client_id=POLICE)).status_code == 200


@pytest.mark.parametrize("name", ["grant_type", "client_assertion", "client_assertion_type", "scope", "unheard_of"])
def test_a_repeated_parameter_is_refused(tokens: World, name: str) -> None:
    form = tokens.form(scope="police:incident.write", unheard_of="x")
    body = urlencode([*form.items(), (name, form[name])])
    answer = tokens.call("POST", "/oauth2/token", content=body, headers={"Content-Type": FORM})
    refused(tokens, answer, Reason.REQUEST_MALFORMED, "invalid_request")


def test_a_repeat_hidden_by_encoding_or_an_empty_value_is_refused(tokens: World) -> None:
    body = urlencode(tokens.form())
    for extra in ("&%67rant_type=password", "&scope=&scope=police:incident.write"):
        answer = tokens.call("POST", "/oauth2/token", content=body + extra, headers={"Content-Type": FORM})
        refused(tokens, answer, Reason.REQUEST_MALFORMED, "invalid_request")


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"{}", "application/json"),
        (b"", FORM),
        (b"grant_type", FORM),
        (b"grant_type=%FF", FORM),
        ("grant_type=\u0430".encode(), FORM),
        (b"&".join(b"a%d=1" % at for at in range(21)), FORM),
        (b"grant_type=client_credentials", "text/plain"),
        (b"grant_type=client_credentials", "multipart/form-data; boundary=x"),
        (b"grant_type=client_credentials", FORM + "; charset=utf-16"),
        (b"grant_type=client_credentials", ""),
    ],
)
def test_a_body_that_is_no_form_is_refused(tokens: World, content: bytes, content_type: str) -> None:
    answer = tokens.call("POST", "/oauth2/token", content=content, headers={"Content-Type": content_type})
    refused(tokens, answer, Reason.REQUEST_MALFORMED, "invalid_request")


def test_parameters_in_the_address_are_not_read(tokens: World) -> None:
    answer = tokens.call("POST", "/oauth2/token", params=tokens.form(), data={"x": "y"})
    refused(tokens, answer, Reason.REQUEST_MALFORMED, "invalid_request")


def test_an_assertion_of_100_kilobytes_is_refused(tokens: World) -> None:
    assertion = tokens.assertion(padding="x" * 100_000)
    refused(tokens, tokens.post(**tokens.form(assertion)), Reason.REQUEST_MALFORMED, "invalid_request")


def test_an_assertion_beside_an_authorization_header_is_refused(tokens: World) -> None:
    answer = tokens.call(
        "POST", "/oauth2/token", data=tokens.form(), headers={"Authorization": "Basic cG9saWNlOnNlY3JldA=="}
    )
    refused(tokens, answer, Reason.REQUEST_MALFORMED, "invalid_request")


def test_an_access_token_is_no_assertion(tokens: World) -> None:
    answer = tokens.post(**tokens.form(tokens.token()))
    refused(tokens, answer, Reason.ASSERTION_MALFORMED, "invalid_client")


def test_an_assertion_is_no_access_token(tokens: World) -> None:
    forged = signed(claims_for(POLICE, aud=ISSUER), tokens.keys[POLICE], typ="at+jwt")
    with pytest.raises(Exception, match="not issued here"):
        tokens.check.caller(f"Bearer {forged}")


def test_a_revoked_client_is_refused_and_sealed_as_claimed(tokens: World) -> None:
    tokens.submit(RevokeClient(POLICE))
    refused(tokens, tokens.post(**tokens.form()), Reason.CLIENT_REVOKED, "invalid_client")
    assert tokens.entries()[-1].detail == {"endpoint": "token", "claimed": POLICE}


def test_no_token_leaves_where_its_issue_cannot_be_sealed(tokens: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """P1: the journal fails at the last moment."""
    before = len(tokens.entries())

    def fail(*_: object) -> None:
        raise NotSealed("the evidence could not be sealed; nothing is released", headers={"Retry-After": "1"})

    monkeypatch.setattr(Journal, "submit_and_wait", fail)
    answer = tokens.post(**tokens.form())
    assert answer.status_code == 503
    assert answer.json()["error"] == "temporarily_unavailable"
    assert (answer.headers["retry-after"], answer.headers["cache-control"]) == ("1", "no-store")
    assert "access_token" not in answer.text
    monkeypatch.undo()
    assert len(tokens.entries()) == before


def test_no_refusal_is_said_where_it_cannot_be_sealed(tokens: World) -> None:
    tokens.journals.close()
    assert tokens.post(grant_type="password").status_code == 503


def test_nothing_of_a_token_or_an_assertion_is_logged(tokens: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    form = tokens.form()
    token = tokens.post(**form).json()["access_token"]
    tokens.post(**form)
    assert token not in caplog.text
    assert form["client_assertion"] not in caplog.text
    assert token.rsplit(".", 1)[1] not in caplog.text


@pytest.mark.parametrize("address", ["http://gateway.example", "http://10.0.0.1:8080", "ftp://gateway.example"])
def test_an_address_without_tls_beyond_this_machine_is_refused_at_start(tokens: World, address: str) -> None:
    unsafe = Settings(public_url=address, data_dir=tokens.settings.data_dir)
    with pytest.raises(ValueError, match="GATEWAY_PUBLIC_URL"):
        TokenServer(unsafe, tokens.keyring, tokens.clients, tokens.journals, tokens.check)


def test_the_lifetimes_are_the_operators(tmp_path: Path) -> None:
    short = World(tmp_path, token_lifetime_seconds=60, assertion_lifetime_max_seconds=30, clock_skew_seconds=0)
    now = int(time.time())
    assert short.post(**short.form(short.assertion(exp=now + 25))).json()["expires_in"] == 60
    answer = short.post(**short.form(short.assertion(exp=now + 90)))
    refused(short, answer, Reason.ASSERTION_LIFETIME, "invalid_client")
    assert "more than 30 seconds" in answer.json()["error_description"]
    short.close()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
def test_other_methods_are_not_answered(tokens: World, method: str) -> None:
    assert tokens.call(method, "/oauth2/token", params={"grant_type": "client_credentials"}).status_code == 405


def test_an_assertion_for_the_introspection_endpoint_buys_no_token(tokens: World) -> None:
    assertion = tokens.assertion(aud=ISSUER + "/oauth2/introspect", jti=str(uuid.uuid4()))
    refused(tokens, tokens.post(**tokens.form(assertion)), Reason.AUDIENCE_WRONG, "invalid_client")
    assert tokens.post(**tokens.form(tokens.assertion(aud=[TOKEN_URL]))).status_code == 200


def test_a_key_of_another_client_does_not_help_though_its_kid_is_named(tokens: World) -> None:
    assertion = signed(claims_for(POLICE), ECKey.generate_key("P-256"), "ES256", kid="ec-1")
    refused(tokens, tokens.post(**tokens.form(assertion)), Reason.KEY_UNKNOWN, "invalid_client")
