"""Signing in to PDS, asking it once, asking it twice, and judging what came: each by itself, over real HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import typer.testing
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import RSAKey

from adapters.nhs import pds
from adapters.nhs.pds import Answer, Found, Nobody, Question, Several
from gateway.agreement.content import Content
from gateway.cli import trace as trace_command
from gateway.cli.program import app
from gateway.decide import decide_on, facts_of
from gateway.delivery.fault import NotDelivered, Refused, TryAgain
from gateway.demo.pds import API_KEY, Asked, Fault, Patient, Simulator, bundle, number
from gateway.demo.pds_server import simulator
from gateway.keys import create
from gateway.matching.model import shipped
from gateway.minimise import minimise
from gateway.settings import Settings
from gateway.tokens.metadata import jwks
from gateway.tracing.asking import Ask, request_id, trace
from gateway.tracing.bands import Verdict, judge
from gateway.tracing.client import TRIES, Call, Pds
from gateway.tracing.sign_in import EARLY_SECONDS, LEAST_BITS, KeyUnusable, Token, load_key, published, statement
from gateway.tracing.tracer import TracingRefused, place_of
from mappings.record import Address, AddressUse, Birth, Name, Person, Record, Role
from tests.support.any_agreement import ROADS, contents, records, terms
from tests.support.records import NOW
from tests.support.tracing import client, place, public_keys, signing_key

HERS = number(1)
MARIANNE = Patient(HERS, (("Ashdown", "Marianne"),), "1991-02-03")
QUESTION = Question("Ashdown", "Marianne", date(1991, 2, 3), "ZZ")
MEANT = Person(
    ref="victim-1",
    role=Role.VICTIM,
    names=(Name(family="Ashdown", given=("Marianne",)),),
    birth=Birth(on=date(1991, 2, 3)),
    sex="female",
    addresses=(Address(use=AddressUse.HOME, lines=("12 Example Row",), postcode="ZZ99 3CZ"),),
)
TRACE = "2b0f6a53-8f0c-4a83-9f0e-0d1f0a6b7c55"
ASK = Ask(QUESTION, MEANT, None, TRACE, "2026-11-23T12:00:00.000Z", "RXL")
CALL = Call(QUESTION.within_area(), request_id(ASK, 1), TRACE, "RXL")


@pytest.fixture
def at_pds() -> Iterator[Simulator]:
    with simulator(public_keys(), MARIANNE) as made:
        yield made


# Signing in ----------------------------------------------------------------------------------------------------------


def test_the_statement_is_what_the_platform_asks_for() -> None:
    form = statement(signing_key(), API_KEY, "https://pds.example/oauth2/token")
    token = jwt.decode(form["client_assertion"], public_keys(), algorithms=["RS512"])
    assert token.header == {"alg": "RS512", "typ": "JWT", "kid": "test-key"}
    said = token.claims
    assert (said["iss"], said["sub"], said["aud"]) == (API_KEY, API_KEY, "https://pds.example/oauth2/token")
    assert 0 < said["exp"] - time.time() <= 300
    again = jwt.decode(
        statement(signing_key(), API_KEY, "https://pds.example/oauth2/token")["client_assertion"],
        public_keys(),
        algorithms=["RS512"],
    )
    assert said["jti"] != again.claims["jti"]


def test_a_token_is_used_again_until_shortly_before_it_ends(at_pds: Simulator) -> None:
    asking = client(at_pds)
    for _ in range(3):
        asking.search(CALL)
    assert at_pds.signed_in == 1
    at_pds.lifetime = int(EARLY_SECONDS) - 1
    asking._token = None
    for _ in range(2):
        asking.search(CALL)
    assert at_pds.signed_in == 3


@pytest.mark.parametrize(
    ("answer", "until"),
    [
        ({"access_token": "abc", "expires_in": 599}, 599 - EARLY_SECONDS),
        ({"access_token": "abc", "expires_in": "599"}, 599 - EARLY_SECONDS),
        ({"access_token": "abc", "expires_in": True}, 0.0),
        ({"access_token": "abc"}, 0.0),
        ({"access_token": "a\r\nHost: x", "expires_in": 599}, None),
        ({"access_token": 7, "expires_in": 599}, None),
        ([], None),
    ],
)
def test_tokens_are_read_with_care(answer: Any, until: float | None) -> None:
    found = Token.of(answer, 0.0)
    assert (found.until if found else None) == until


def test_a_key_is_made_by_command_and_published_by_its_thumbprint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert trace_command.RSA_BITS >= 4096, "what NHS England asks for"
    monkeypatch.setattr(trace_command, "RSA_BITS", LEAST_BITS)  # larger ones take a second to make, and two are made
    path = tmp_path / "pds.pem"
    done = typer.testing.CliRunner().invoke(app, ["trace", "key", str(path)])
    assert done.exit_code == 0, done.output
    assert path.stat().st_mode & 0o077 == 0
    (key,) = published(Settings(pds_key_file=path))
    assert str(key.kid) in done.output
    assert "PRIVATE" not in done.output
    assert typer.testing.CliRunner().invoke(app, ["trace", "key", str(path)]).exit_code == 1
    assert load_key(path, "agreed").kid == "agreed"


@pytest.mark.parametrize("content", [b"", b"nothing", None])
def test_what_is_no_private_key_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "key.pem"
    public: bytes = signing_key().as_pem(private=False)
    path.write_bytes(public if content is None else content)
    with pytest.raises(KeyUnusable):
        load_key(path)


def test_settings_that_name_pds_and_not_the_rest_are_refused(tmp_path: Path) -> None:
    assert place_of(Settings()) is None
    with pytest.raises(TracingRefused, match="GATEWAY_PDS_TOKEN_URL"):
        place_of(Settings(pds_url="https://pds.example"))
    whole: dict[str, Any] = {"pds_url": "https://pds.example/", "pds_token_url": "https://t", "pds_api_key": "k"}
    with pytest.raises(TracingRefused, match="GATEWAY_PDS_KEY_FILE"):
        place_of(Settings(**whole, pds_key_file=tmp_path / "none"))
    path = tmp_path / "key.pem"
    path.write_bytes(signing_key().as_pem(private=True))
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(TracingRefused, match="GATEWAY_PDS_CA_FILE"):
        place_of(Settings(**whole, pds_key_file=path, pds_ca_file=tmp_path / "ca.pem"))
    found = place_of(Settings(**whole, pds_key_file=path))
    assert found is not None
    assert found.url == "https://pds.example"


def test_the_key_stands_in_the_jwks_of_the_gateway(tmp_path: Path) -> None:
    keyring = create(tmp_path / "keys", "development")
    document = jwks(keyring, signing_key())
    assert [key["kid"] for key in document["keys"]][-1] == "test-key"
    assert not any({"d", "p", "q"} & key.keys() for key in document["keys"])


# One search ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [500, 503, 408, 425, (429, {"Retry-After": "0"}), Fault.RESET, Fault.EXPIRED])
def test_what_passes_is_asked_again_under_the_same_id(at_pds: Simulator, fault: Any) -> None:
    at_pds.script.append(fault)
    assert isinstance(client(at_pds).search(CALL), Found)
    assert [one.request for one in at_pds.asked] == [CALL.request] * 2
    assert {one.headers["x-correlation-id"] for one in at_pds.asked} == {TRACE}
    assert at_pds.signed_in == (2 if fault == Fault.EXPIRED else 1)


def test_tries_are_bounded(at_pds: Simulator) -> None:
    at_pds.script.extend([500] * 10)
    with pytest.raises(TryAgain, match="status-500"):
        client(at_pds).search(CALL)
    assert len(at_pds.asked) == TRIES


def test_a_long_retry_after_is_left_to_whoever_asked(at_pds: Simulator) -> None:
    at_pds.script.append(Fault.BUSY)
    with pytest.raises(TryAgain) as refused:
        client(at_pds).search(CALL)
    assert refused.value.after is not None
    assert refused.value.after.total_seconds() == 3600
    assert len(at_pds.asked) == 1


def test_what_hangs_is_cut_off(at_pds: Simulator) -> None:
    at_pds.script.extend([Fault.HANG] * TRIES)
    with pytest.raises(TryAgain, match="timeout"):
        client(at_pds, deadline_seconds=0.2).search(CALL)


def test_a_wait_ends_when_the_gateway_stops(at_pds: Simulator) -> None:
    """Between two tries PDS asked for seconds; closing ends them at once, and there is no further try."""
    closing = threading.Event()
    asking = Pds(place(at_pds), closing, first_wait_seconds=0.0)
    at_pds.script.extend([(503, {"Retry-After": "4"})] * TRIES)

    def close_once_asked() -> None:
        at_pds.arrived.wait()
        closing.set()

    thread = threading.Thread(target=close_once_asked)
    thread.start()
    began = time.monotonic()
    with pytest.raises(TryAgain):
        asking.search(CALL)
    thread.join()
    assert time.monotonic() - began < 4
    assert len(at_pds.asked) <= 2


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (400, "status-400"),
        (403, "status-403"),
        ((302, {"Location": "http://127.0.0.1:1/"}), "status-302"),
        (Fault.MALFORMED, "answer-unreadable"),
        (Fault.DUPLICATE, "answer-unreadable"),
        (Fault.CUT, "answer-unreadable"),
        (Fault.HUGE, "answer-too-large"),
        (Fault.PACKED, "answer-encoded"),
    ],
)
def test_what_would_be_refused_again_is_not_asked_again(at_pds: Simulator, fault: Any, code: str) -> None:
    at_pds.script.append(fault)
    with pytest.raises(Refused, match=code):
        client(at_pds).search(CALL)
    assert len(at_pds.asked) == 1


def test_an_invalidated_patient_is_nobody(at_pds: Simulator) -> None:
    at_pds.script.append(Fault.INVALIDATED)
    assert client(at_pds).search(CALL) == Nobody("invalidated")


@pytest.mark.parametrize("status", [401, 403, 500])
def test_without_a_token_nothing_is_asked(at_pds: Simulator, status: int) -> None:
    at_pds.token_script.extend([status] * TRIES)
    with pytest.raises(TryAgain):
        client(at_pds).search(CALL)
    assert at_pds.asked == []


def test_a_statement_by_another_key_is_refused(at_pds: Simulator) -> None:
    other = RSAKey.generate_key(2048, private=True)
    wrong = replace(place(at_pds), key=RSAKey.import_key(other.as_pem(private=True), {"kid": "test-key"}))
    with pytest.raises(NotDelivered, match="sign-in-refused"):
        Pds(wrong, first_wait_seconds=0.0).search(CALL)


def test_where_nobody_listens_it_is_tried_again_later() -> None:
    with simulator(public_keys()) as gone:
        asking = client(gone)
    with pytest.raises(TryAgain, match="connection"):
        asking.search(CALL)


# Two passes ----------------------------------------------------------------------------------------------------------


def _asked_of(*answers: Answer) -> tuple[list[Call], Any]:
    calls: list[Call] = []
    waiting = list(answers)

    def search(call: Call) -> Answer:
        calls.append(call)
        return waiting.pop(0)

    return calls, search


def _found(patient: Patient = MARIANNE, score: float = 0.9) -> Found:
    found = pds.read(bundle(patient, score=score))
    assert isinstance(found, Found)
    return found


def test_nobody_says_no_match_before_the_second_pass() -> None:
    calls, search = _asked_of(Nobody(), Nobody())
    outcome = trace(ASK, search, shipped())
    assert (outcome.reason, outcome.passes) == ("no-match", 2)
    assert [("address-postalcode" in dict(call.parameters)) for call in calls] == [True, False]
    assert calls[0].request != calls[1].request
    assert calls[0].correlation == calls[1].correlation


def test_a_twin_who_is_found_first_does_not_hide_a_restricted_patient() -> None:
    """The search with a postcode finds her sister alone, because she herself is restricted."""
    twin = Patient(number(2), (("Ashdown", "Maria"),), "1991-02-03")
    hers = replace(MARIANNE, label="R")
    with simulator(public_keys(), twin, hers) as at_pds:
        outcome = trace(ASK, client(at_pds).search, shipped())
    assert outcome.passes == 2
    assert outcome.judgement is None or outcome.judgement.verdict is not Verdict.SAME


def test_several_end_at_once_for_fewer_words_find_more() -> None:
    calls, search = _asked_of(Several())
    assert trace(ASK, search, shipped()).reason == "several"
    assert len(calls) == 1


def test_without_an_area_one_pass_is_all() -> None:
    calls, search = _asked_of(_found())
    outcome = trace(replace(ASK, question=replace(QUESTION, area=None)), search, shipped())
    assert (outcome.passes, len(calls)) == (1, 1)


def test_request_ids_are_of_one_trace_one_pass_and_one_opening() -> None:
    ids = {request_id(replace(ASK, opened=opened), number) for opened in ("a", "b") for number in (1, 2)}
    assert len(ids | {request_id(replace(ASK, trace="2b0f6a53-8f0c-4a83-9f0e-0d1f0a6b7c56"), 1)}) == 5
    assert request_id(ASK, 1) == request_id(replace(ASK, organisation="RTX"), 1)


# Whether it is she ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("patient", "score", "verdict"),
    [
        (MARIANNE, 1.0, Verdict.SAME),
        (MARIANNE, 0.75, Verdict.SAME),
        (MARIANNE, 0.74, Verdict.REVIEW),
        (replace(MARIANNE, status="02"), 1.0, Verdict.REVIEW),
        (replace(MARIANNE, dead=True), 1.0, Verdict.REVIEW),
        (replace(MARIANNE, gender="male"), 1.0, Verdict.REVIEW),
        (replace(MARIANNE, label="R"), 1.0, Verdict.SAME),
        (replace(MARIANNE, postcode="ZZ11 1AA", line="9 Elsewhere"), 1.0, Verdict.REVIEW),
        (replace(MARIANNE, names=(("Ashdown", "Mary"),)), 1.0, Verdict.REVIEW),
        (replace(MARIANNE, names=(("Pemberton", "Marianne"),)), 1.0, Verdict.REVIEW),
        (replace(MARIANNE, born="1991-02-04"), 1.0, Verdict.STRANGER),
        (replace(MARIANNE, names=(("Quigley", "Petronella"),)), 1.0, Verdict.STRANGER),
    ],
)
def test_only_a_plain_match_counts_without_a_person(patient: Patient, score: float, verdict: Verdict) -> None:
    assert judge(MEANT, _found(patient, score), None, shipped()).verdict is verdict


def test_a_patient_of_whom_pds_says_nothing_is_for_a_person() -> None:
    bare = Found(Person(ref="victim-1", role=Role.VICTIM, nhs_number=HERS, nhs_number_status="01"), 1.0)
    assert judge(MEANT, bare, None, shipped()).verdict is Verdict.REVIEW


def test_a_default_birthday_is_for_a_person() -> None:
    meant = MEANT.model_copy(update={"birth": Birth(on=date(1991, 1, 1))})
    found = _found(replace(MARIANNE, born="1991-01-01"))
    assert judge(meant, found, None, shipped()).verdict is Verdict.REVIEW


# N5 ------------------------------------------------------------------------------------------------------------------


@given(contents(), records(), st.sampled_from(["01", "02", None]))
@settings(max_examples=60)
@pytest.mark.filterwarnings("ignore:Generating overly large repr")  # an agreement is large
def test_a_traced_number_never_goes_to_police_whatever_is_agreed(
    content: Content, record: Record, status: str | None
) -> None:
    known = {"nhs_number": HERS, "nhs_number_status": status}
    traced = record.model_copy(update={"people": tuple(one.model_copy(update=known) for one in record.people)})
    agreed = terms(content)
    for recipient, purpose in ROADS:
        found = content.recipient(recipient)
        if found is None or not content.party(found.party).is_police:
            continue
        given_away = minimise(traced, decide_on(facts_of(traced, NOW), recipient, purpose, agreed, NOW))
        assert all(one.nhs_number is None and one.nhs_number_status is None for one in given_away.people)


# The simulator -------------------------------------------------------------------------------------------------------


def test_the_simulator_is_a_process_of_its_own(tmp_path: Path) -> None:
    """It fails as it is told, finds its restricted patient in the second pass alone, and serves until its input ends.

    What it says of each question holds nothing of anybody.
    """
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(public_keys().as_dict(private=False)))
    command = [sys.executable, "-m", "gateway.demo.pds_server", str(keys), "503"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        there = Simulator(public_keys(), process.stdout.readline().strip())
        outcome = trace(ASK, client(there).search, shipped())
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0
        said = [json.loads(line) for line in process.stdout]
    assert (outcome.passes, outcome.found and outcome.found.label) == (2, "R")
    assert [(one["status"], one["postcode"], one["found"]) for one in said] == [
        (503, True, 0),
        (200, True, 0),
        (200, False, 1),
    ]
    assert said[0]["request"] == said[1]["request"] != said[2]["request"]
    assert said[0].keys() == {"status", "request", "postcode", "found"}


def test_the_simulator_gives_a_patient_by_her_number_to_whoever_is_signed_in(at_pds: Simulator) -> None:
    at_pds.tokens.add("t")
    asked = Asked((), {"authorization": "Bearer t", "x-request-id": TRACE})
    status, body = at_pds.retrieve(asked, HERS)
    assert (status, json.loads(body)) == (200, MARIANNE.resource())
    assert at_pds.retrieve(asked, number(500))[0] == 404
    assert at_pds.retrieve(Asked((), {}), HERS)[0] == 401


def test_what_the_simulator_answers_mirrors_the_ids(at_pds: Simulator) -> None:
    asked = Asked(QUESTION.everywhere(), {"authorization": "Bearer none"})
    assert at_pds.search(asked)[0] == 401
