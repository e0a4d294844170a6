"""Feedback pushed to a force: signed, sealed before the first byte, at least once, in order, never lost.

The receiver is a real HTTPS server in threads, under an authority made for the test. Time is moved by the test: waits
that take hours pass at once.
"""

from __future__ import annotations

import base64
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import HTTPMessageVerifier, HTTPSignatureKeyResolver, algorithms
from joserfc.jwk import OKPKey
from sqlalchemy import select

from audit.entry import Entry, Outcome, timestamp
from audit.errors import LogUnknown
from gateway.agreement import State
from gateway.delivery.fault import NotDelivered
from gateway.delivery.leases import LEASE
from gateway.delivery.policy import TRIES
from gateway.demo.client import Client
from gateway.demo.run import LOG
from gateway.duties import webhook_rounds
from gateway.evidence import OPERATOR_LOG, Event
from gateway.feedback import find_word
from gateway.services import open_services
from gateway.store import tables
from gateway.timekeeper import Timekeeper
from gateway.tokens.clients import RevokeClient
from gateway.webhook import courier as courier_module
from gateway.webhook.courier import Courier
from gateway.webhook.deliveries import Begin, Finish
from gateway.webhook.endpoints import AddEndpoint, Endpoint, Pushed, RemoveEndpoint, endpoints, waiting
from gateway.webhook.signing import COVERED, TAG
from tests.journeys.support import (
    add_client,
    bring_into_force,
    change,
    like,
    output,
    pushed,
    sealed,
    serial,
    set_state,
    size,
    state,
    status,
)
from tests.support.forked import Forked
from tests.support.receiver import HANG, RESET, SLOW, Got, Receiver, receiver
from tests.support.world import World, settings_for


@dataclass
class Hook:
    """A force's client with an endpoint, and a courier whose clock the test holds."""

    world: World
    client: str
    police: Client
    receiver: Receiver
    couriers: list[Courier] = field(default_factory=list)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def courier(self) -> Courier:
        return self.couriers[0]

    @property
    def endpoint(self) -> Endpoint:
        with self.world.services.database.reading() as connection:
            return next(one for one in endpoints(connection) if one.client == self.client)

    def another(self, **options: Any) -> Courier:
        """A courier like that of another gateway, over the same database."""
        self.couriers.append(Courier(self.world.services, clock=lambda: self.now, resolve=_loopback, **options))
        return self.couriers[-1]

    def round(self, after: timedelta = timedelta()) -> list[Got]:
        """Let time pass, make a round, and return what came of it."""
        self.now += after
        before = len(self.receiver.got)
        self.courier.round(self.now)
        self.courier.wait()
        return self.receiver.got[before:]

    def rows(self) -> list[Any]:
        query = select(tables.outbox).where(tables.outbox.c.endpoint_id == self.endpoint.id)
        with self.world.services.database.reading() as connection:
            return list(connection.execute(query.order_by(tables.outbox.c.seq)))


def _loopback(_host: str, _port: int) -> Sequence[str]:
    return ["127.0.0.1"]


@pytest.fixture
def hook(world: World, tmp_path: Path) -> Iterator[Hook]:
    """A new client of the force with an endpoint that takes whole words."""
    yield from hook_of(world, tmp_path, Pushed.WORDS)


@pytest.fixture
def reference_hook(world: World, tmp_path: Path) -> Iterator[Hook]:
    """The same, told only that there are words."""
    yield from hook_of(world, tmp_path, Pushed.REFERENCE)


def hook_of(world: World, folder: Path, content: Pushed) -> Iterator[Hook]:
    client = f"rms-{serial()}"
    police = add_client(world, client, {"id": "dc-4411", "role": "officer-in-case"}, **like("demo-rms", name=client))
    with receiver(folder) as made:
        unit = AddEndpoint(client, LOG, made.url, content, "dc-4411", "officer-in-case", made.ca, production=False)
        world.services.journals.of(OPERATOR_LOG).submit_and_wait(unit)
        hook = Hook(world, client, police, made)
        hook.another(deadline_seconds=5.0)
        yield hook
        made.let_go.set()
        for one in hook.couriers:
            one.close()
        world.services.journals.of(OPERATOR_LOG).submit_and_wait(RemoveEndpoint(client))


def said(world: World, *patch: Any) -> tuple[str, str]:
    """Push an incident and have the team accept it; returns the references of incident and referral."""
    incident, task = pushed(world)
    assert change(world, task, 1, status("accepted"), *patch).is_success
    return incident, task


def events(world: World, start: int) -> list[Entry]:
    kinds = {Event.FEEDBACK_PUSHED, Event.PUSH_DELIVERED, Event.PUSH_FAILED, Event.NOTICE_SENT}
    return [one for one in sealed(world, start=start) if one.event in kinds]


def outstanding(world: World, task: str) -> list[dict[str, Any]]:
    found = world.guardian.get("/governance/v1/outstanding").json()["notices"]
    return [one for one in found if one["case"] == task and one["kind"] == "undelivered"]


# What goes, and what is sealed first


def test_a_word_is_pushed_as_it_would_be_pulled_and_is_acknowledged(hook: Hook) -> None:
    incident, task = said(hook.world)
    start = size(hook.world)
    (got,) = hook.round()
    page = hook.police.get("/police/v1/feedback", params={"limit": 500}).json()["feedback"]
    pulled = next(one for one in page if one["referral"] == task)
    body = got.json
    assert {k: body[k] for k in pulled if k != "receipt"} == {k: v for k, v in pulled.items() if k != "receipt"}
    assert (body["incident"], body["code"], body["delivery"]) == (incident, "acknowledged", hook.rows()[0].id)
    pushed_entry, delivered = events(hook.world, start)
    assert (pushed_entry.event, pushed_entry.operation) == (Event.FEEDBACK_PUSHED, "disclosure")
    assert (pushed_entry.actor.client, pushed_entry.actor.user) == (hook.client, "dc-4411")
    assert [one.recipient for one in pushed_entry.recipients] == ["police-officer"]
    assert delivered.event == Event.PUSH_DELIVERED
    with hook.world.services.database.reading() as connection:
        query = select(tables.feedback.c.acknowledged_at).where(tables.feedback.c.seq == body["cursor"])
        assert connection.execute(query).scalar() is not None
    assert hook.round(timedelta(hours=1)) == []


def test_the_timekeeper_of_a_gateway_makes_the_rounds(hook: Hook) -> None:
    said(hook.world)
    Timekeeper(webhook_rounds(hook.courier)).tick(hook.now)
    hook.courier.wait()
    assert len(hook.receiver.got) == 1


def test_the_disclosure_is_committed_when_the_first_byte_arrives(hook: Hook) -> None:
    """P1: at the receiver, the entry is there already; the receipt in the body names it."""
    said(hook.world)
    start = size(hook.world)
    hook.receiver.script.append(HANG)
    hook.courier.round(hook.now)
    assert hook.receiver.arrived.wait(10)
    (entry,) = events(hook.world, start)
    assert (entry.event, hook.receiver.got[0].json["receipt"]["index"]) == (Event.FEEDBACK_PUSHED, start)
    hook.receiver.let_go.set()
    hook.courier.wait()


def test_what_cannot_be_sealed_is_not_pushed(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    said(hook.world)

    def unsealed(*_: object) -> None:
        raise LogUnknown("the log is gone")

    with monkeypatch.context() as patch:
        patch.setattr(Begin, "_seal", unsealed)
        assert hook.round() == []
    assert len(hook.round()) == 1


def test_the_signature_is_the_gateways_over_everything_that_matters(hook: Hook) -> None:
    """Checked with the published key alone, by the library and by hand from RFC 9421 section 2.5."""
    said(hook.world)
    (got,) = hook.round()
    keys = hook.world.police.get("/.well-known/jwks.json").json()["keys"]
    public = {one["kid"]: OKPKey.import_key(one) for one in keys if one["kty"] == "OKP"}

    class Keys(HTTPSignatureKeyResolver):
        def resolve_public_key(self, key_id: str) -> Any:
            return public[key_id].public_key

    class Message:
        method, url, headers = "POST", hook.receiver.url, dict(got.headers)

    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=Keys())
    (result,) = verifier.verify(Message(), expect_tag=TAG, require_components=COVERED, body=got.body)
    assert (result.body, len(result.nonce or "")) == (got.body, 24)
    parameters = got.headers["signature-input"].removeprefix("gateway=")
    values = {"@method": "POST", "@target-uri": hook.receiver.url}
    base = [f'"{name}": {values.get(name) or got.headers[name]}' for name in COVERED]
    base.append(f'"@signature-params": {parameters}')
    signature = base64.b64decode(got.headers["signature"].removeprefix("gateway=:").removesuffix(":"))
    (key,) = public.values()
    raw = key.public_key
    assert isinstance(raw, Ed25519PublicKey)
    raw.verify(signature, "\n".join(base).encode())


def test_a_push_by_reference_says_only_that_there_is_something(reference_hook: Hook) -> None:
    incident, task = said(reference_hook.world)
    start = size(reference_hook.world)
    (got,) = reference_hook.round()
    assert got.json.keys() == {"delivery", "incident", "cursor", "receipt"}
    assert got.json["incident"] == incident
    entry = events(reference_hook.world, start)[0]
    assert (entry.items.released, entry.detail and entry.detail["content"]) == ((), "reference")
    client = reference_hook.police
    page = client.get("/police/v1/feedback", params={"after": got.json["cursor"] - 1, "limit": 1}).json()
    assert page["feedback"][0]["referral"] == task


def test_what_needs_consent_is_neither_pushed_nor_hinted_at(hook: Hook) -> None:
    """A wish without consent to tell it leaves no push, and the words after it go all the same."""
    incident, task = said(hook.world)
    hook.round()
    assert change(hook.world, task, 2, state("declined")).is_success
    assert change(hook.world, task, 3, {"op": "add", "path": "/output/-", "value": output("marac-referred")}).is_success
    got = hook.round()
    assert [one.json["code"] for one in got] == ["marac-referred"]
    assert [row.stopped_at is not None for row in hook.rows()] == [False, True, False]
    page = hook.police.get(f"/police/v1/incidents/{incident}").json()["feedback"]
    assert "declined-support" not in {one["code"] for one in page}


def test_her_wish_is_pushed_with_her_consent(hook: Hook) -> None:
    _, task = said(hook.world)
    word = {"op": "add", "path": "/output/-", "value": output("declined-support", consent="given")}
    assert change(hook.world, task, 2, word).is_success
    assert [one.json["code"] for one in hook.round()] == ["acknowledged", "declined-support"]


def test_what_was_fetched_already_is_not_pushed(hook: Hook) -> None:
    said(hook.world)
    client = hook.police
    through = client.get("/police/v1/feedback", params={"limit": 500}).json()["next"]
    assert client.post(f"/police/v1/feedback/acknowledgements?through={through}").is_success
    assert hook.round() == []


def test_words_of_one_incident_go_in_their_order(hook: Hook) -> None:
    """The second waits while the first is tried again; another incident's does not."""
    _, task = said(hook.world)
    assert change(hook.world, task, 2, {"op": "add", "path": "/output/-", "value": output("marac-referred")}).is_success
    _, other = said(hook.world)
    hook.receiver.script.append(500)
    hook.round()
    told = [one.json for one in hook.round(timedelta(minutes=2))]
    assert {one["referral"] for one in told} == {task, other}
    assert [one["code"] for one in told if one["referral"] == task] == ["acknowledged", "marac-referred"]
    assert told[0]["referral"] == other  # what was never tried goes before what is tried again


# What goes wrong


@pytest.mark.parametrize("what", [HANG, RESET, 500, 503, 429, 408], ids=str)
def test_it_is_tried_again_under_the_same_delivery(hook: Hook, what: Any) -> None:
    said(hook.world)
    hook.couriers[0].close()
    hook.couriers[:] = []
    hook.another(deadline_seconds=0.3)
    hook.receiver.script.append(what)
    start = size(hook.world)
    assert len(hook.round()) == 1
    assert hook.round(timedelta(seconds=1)) == []  # not at once
    assert len(hook.round(timedelta(minutes=2))) == 1
    first, second = hook.receiver.deliveries()
    assert first == second
    found = [one.event for one in events(hook.world, start)]
    assert found == [Event.FEEDBACK_PUSHED, Event.PUSH_FAILED, Event.FEEDBACK_PUSHED, Event.PUSH_DELIVERED]


def test_retry_after_is_honoured(hook: Hook) -> None:
    said(hook.world)
    hook.receiver.script.append((429, {"Retry-After": "7200"}))
    hook.round()
    assert hook.round(timedelta(minutes=119)) == []
    assert len(hook.round(timedelta(minutes=2))) == 1


def test_a_clock_that_was_set_back_keeps_no_word_waiting(hook: Hook) -> None:
    """What was leased, put off or left alone by a clock that ran ahead is of no time at all."""
    said(hook.world)
    hook.receiver.script.append(503)
    hook.round(timedelta(days=2))
    assert hook.round(timedelta(seconds=1)) == []
    assert len(hook.round(timedelta(days=-2))) == 1
    said(hook.world)
    ahead = {"leased_until": timestamp(hook.now + timedelta(days=2)), "attempts": 1}
    hook.courier._plan(hook.courier._desk(hook.endpoint))  # type: ignore[arg-type]  # whoever is told is there
    with hook.world.services.database.writing() as connection:
        connection.execute(tables.outbox.update().where(tables.outbox.c.acknowledged_at.is_(None)).values(ahead))
    assert len(hook.round()) == 1


def test_a_body_that_never_ends_holds_nobody_up(hook: Hook) -> None:
    """Only the status of an answer is read."""
    said(hook.world)
    hook.receiver.script.append(SLOW)
    assert len(hook.round()) == 1
    assert hook.rows()[0].acknowledged_at is not None


@pytest.mark.parametrize("what", [(301, {"Location": "https://elsewhere.example/"}), 400, 404, 410], ids=str)
def test_what_would_be_refused_again_goes_to_a_human_at_once(hook: Hook, what: Any) -> None:
    _, task = said(hook.world)
    hook.receiver.script.append(what)
    assert len(hook.round()) == 1
    assert hook.round(timedelta(days=1)) == []
    (notice,) = outstanding(hook.world, task)
    assert notice["to"] == {"organisation": "RXL", "recipient": "idva-team"}
    assert hook.rows()[0].failure == f"status-{what if isinstance(what, int) else what[0]}"


def test_after_six_tries_it_lies_with_a_human_under_a_clock_and_stays_to_be_pulled(hook: Hook) -> None:
    incident, task = said(hook.world)
    hook.receiver.script.extend([503] * TRIES)
    start = size(hook.world)
    for _ in range(TRIES + 2):
        hook.round(timedelta(hours=2))
    assert len(hook.receiver.got) == TRIES
    failed = [one for one in events(hook.world, start) if one.event == Event.PUSH_FAILED]
    assert (len(failed), failed[-1].detail and failed[-1].detail["given_up"]) == (TRIES, 1)
    assert all(one.outcome is Outcome.FAILED for one in failed)
    (notice,) = outstanding(hook.world, task)
    due = datetime.fromisoformat(notice["due_at"]) - datetime.fromisoformat(notice["created_at"])
    assert due == timedelta(hours=1)  # the agreement's clock for a high risk
    client = hook.police
    page = client.get(f"/police/v1/incidents/{incident}").json()["feedback"]
    assert [one["code"] for one in page] == ["acknowledged"]
    assert client.post(f"/police/v1/feedback/acknowledgements?through={page[0]['cursor']}").is_success
    assert outstanding(hook.world, task) == []


def test_a_certificate_of_nobody_we_trust_gets_nothing(hook: Hook, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    said(hook.world)
    with receiver(tmp_path / "other") as other:
        with hook.world.services.database.writing() as connection:
            table = tables.webhook_endpoint
            connection.execute(table.update().where(table.c.id == hook.endpoint.id).values(url=other.url))
        hook.round()
        assert (other.got, hook.rows()[0].failure) == ([], "tls")


def test_a_certificate_of_another_name_gets_nothing(hook: Hook, tmp_path: Path) -> None:
    """Of an authority that is trusted, and with the very address that is called: the name is what counts."""
    (tmp_path / "other").mkdir()
    said(hook.world)
    with receiver(tmp_path / "other", "elsewhere.example") as other:
        table = tables.webhook_endpoint
        with hook.world.services.database.writing() as connection:
            url = other.url.replace("elsewhere.example", "localhost")
            of = table.update().where(table.c.id == hook.endpoint.id)
            connection.execute(of.values(url=url, ca=other.ca))
        hook.round()
        assert (other.got, hook.rows()[0].failure) == ([], "tls")


def test_a_name_that_resolves_to_a_private_network_is_refused_in_production(hook: Hook) -> None:
    said(hook.world)
    hook.courier._production = True
    assert hook.round() == []
    assert hook.rows()[0].failure == "private-address"


# Several gateways, and gateways that stop


def test_two_gateways_never_send_one_at_once(hook: Hook) -> None:
    said(hook.world)
    hook.receiver.script.append(HANG)
    other = hook.another()
    hook.courier.round(hook.now)
    assert hook.receiver.arrived.wait(10)
    other.round(hook.now)
    other.wait()
    assert len(hook.receiver.got) == 1
    hook.receiver.let_go.set()
    hook.courier.wait()


def test_many_gateways_send_many_words_once_each(hook: Hook) -> None:
    couriers = [hook.courier, *(hook.another() for _ in range(2))]
    for _ in range(4):
        said(hook.world)
    threads = [threading.Thread(target=one.round, args=(hook.now,)) for one in couriers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in couriers:
        one.wait()
    hook.round()
    assert sorted(hook.receiver.deliveries()) == sorted(row.id for row in hook.rows())
    assert len(hook.rows()) == 4


@pytest.mark.parametrize("stopped", ["before-the-post", "after-the-post"])
def test_a_gateway_that_stops_in_between_loses_nothing(
    hook: Hook, stopped: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was sealed and not reported goes again when its lease has run out, under the same delivery."""
    said(hook.world)

    def killed(*_: object, **__: object) -> Any:
        raise RuntimeError("killed")  # nothing after this line of the courier runs

    with monkeypatch.context() as patch:
        if stopped == "before-the-post":
            patch.setattr(courier_module, "post", killed)
        else:
            patch.setattr(Finish, "apply", killed)
        hook.round()
    assert hook.round(LEASE - timedelta(seconds=1)) == []
    assert len(hook.round(timedelta(seconds=2))) == 1
    assert set(hook.receiver.deliveries()) == {hook.rows()[0].id}
    assert hook.rows()[0].acknowledged_at is not None


def _another_gateway() -> None:
    """A round of deliveries, in a process of its own."""
    services = open_services(settings_for(Path(sys.argv[1]), sys.argv[2] or None))
    courier = Courier(services, resolve=lambda *_: ["127.0.0.1"])
    courier.round(datetime.now(UTC))
    courier.wait()


def test_a_gateway_killed_while_a_word_is_on_its_way_loses_nothing(hook: Hook, tmp_path: Path) -> None:
    """SIGKILL of another process, which has sealed and sent and never learns what became of it."""
    said(hook.world)
    hook.receiver.script.append(HANG)
    chosen = hook.world.services.settings
    where = [str(chosen.data_dir), chosen.database_url or ""]
    other = Forked(_another_gateway, where, os.environ, tmp_path / "said")
    arrived = hook.receiver.arrived.wait(60)
    other.kill()
    other.wait()
    assert arrived, (tmp_path / "said").read_text()
    hook.receiver.let_go.set()
    hook.now = datetime.now(UTC)
    assert hook.round() == []  # the lease of the one that is gone still stands
    assert len(hook.round(LEASE + timedelta(seconds=5))) == 1
    assert len(set(hook.receiver.deliveries())) == 1
    row = hook.rows()[0]
    assert (row.attempts, row.acknowledged_at is not None) == (2, True)


def test_a_word_whose_last_try_never_reported_is_given_to_a_human(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    _, task = said(hook.world)
    hook.receiver.script.extend([503] * (TRIES - 1))
    for _ in range(TRIES - 1):
        hook.round(timedelta(hours=2))

    def killed(*_: object, **__: object) -> Any:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(courier_module, "post", killed)
        hook.round(timedelta(hours=2))
    assert hook.round(timedelta(hours=1)) == []
    assert len(outstanding(hook.world, task)) == 1


def test_one_endpoint_that_hangs_starves_no_other(hook: Hook, tmp_path: Path) -> None:
    (tmp_path / "second").mkdir()
    for number, second in enumerate(hook_of(hook.world, tmp_path / "second", Pushed.WORDS)):
        assert number == 0
        hook.receiver.script.append(HANG)
        said(hook.world)
        hook.courier.round(hook.now)
        assert hook.receiver.arrived.wait(10)
        assert second.receiver.arrived.wait(10)
        hook.courier._rounds._serving[second.endpoint.id].result(10)
        assert [row.acknowledged_at is not None for row in second.rows()] == [True]
        assert hook.rows()[0].acknowledged_at is None
        said(hook.world)
        second.receiver.arrived.clear()
        hook.courier.round(hook.now)
        assert second.receiver.arrived.wait(10)
        hook.receiver.let_go.set()
        hook.courier.wait()


# Who may be told at all


def test_a_suspended_agreement_stops_it_and_a_resumed_one_lets_it_go_on(hook: Hook) -> None:
    said(hook.world)
    with hook.world.services.database.reading() as connection:
        hook.courier._plan(hook.courier._desk(hook.endpoint))  # type: ignore[arg-type]  # there is a desk
        assert waiting(connection, hook.endpoint) == (1, 0)
    set_state(hook.world, State.SUSPENDED)
    try:
        assert hook.round() == []
        assert hook.rows()[0].stopped_at is not None
    finally:
        set_state(hook.world, State.IN_FORCE)
    assert len(hook.round()) == 1


def test_an_agreement_suspended_at_the_last_instant_stops_it(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the decision and the seal: the unit sees it."""
    said(hook.world)
    once: list[Callable[[], None]] = [lambda: set_state(hook.world, State.SUSPENDED)]
    found = find_word

    def then_suspended(*args: Any, **named: Any) -> Any:
        answer = found(*args, **named)
        while once:
            once.pop()()
        return answer

    monkeypatch.setattr(courier_module, "find_word", then_suspended)
    try:
        assert hook.round() == []
    finally:
        set_state(hook.world, State.IN_FORCE)


def test_an_agreement_amended_at_the_last_instant_decides_anew(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sealed names the version in force when it is sealed, not the one it was first decided under."""
    said(hook.world)
    amended: list[str] = []

    def then_amended(*args: Any, **named: Any) -> Any:
        answer = find_word(*args, **named)
        if not amended:
            amended.append(bring_into_force(hook.world, lambda content: content.update(title="Amended")).hash)
        return answer

    monkeypatch.setattr(courier_module, "find_word", then_amended)
    start = size(hook.world)
    assert len(hook.round()) == 1
    (entry,) = [one for one in events(hook.world, start) if one.event == Event.FEEDBACK_PUSHED]
    assert entry.agreement is not None
    assert entry.agreement.hash == amended[0]


def test_a_revoked_client_is_told_nothing(hook: Hook) -> None:
    said(hook.world)
    hook.world.services.journals.of(OPERATOR_LOG).submit_and_wait(RevokeClient(hook.client))
    assert hook.round() == []


def test_a_failed_push_leaves_no_personal_data_in_what_is_kept_of_it(hook: Hook) -> None:
    said(hook.world)
    hook.receiver.script.append(500)
    hook.round()
    row = hook.rows()[0]
    assert row.failure == NotDelivered("status-500").code
    assert "Ashdown" not in str(row)
