"""Subscriptions: a team's system is told that a referral has come or changed, signed, and nothing of anybody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from http_message_signatures import HTTPMessageVerifier, HTTPSignatureKeyResolver, algorithms

from gateway.agreement import State
from gateway.channels import finder
from gateway.delivery.channel import Refused
from gateway.delivery.courier import Courier
from gateway.demo.client import Client
from gateway.demo.incidents import incident
from gateway.evidence import Event
from gateway.subscriptions.channel import NAME, TAG, SubscriptionChannel
from gateway.subscriptions.registering import MOST
from gateway.webhook.signing import Signer
from tests.journeys.support import (
    add_client,
    change,
    like,
    pushed,
    sealed,
    serial,
    set_state,
    size,
    status,
    world_on,
)
from tests.support.receiver import Got, Receiver, receiver
from tests.support.world import World

PATH = "/fhir/R4/Subscription"
FHIR = {"Content-Type": "application/fhir+json"}
CONTENT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-payload-content"
ID_ONLY = {"payload": "application/fhir+json", "_payload": {"extension": [{"url": CONTENT, "valueCode": "id-only"}]}}
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The agreement in force and its clients, shared by the module."""
    with world_on(request.param, request, tmp_path_factory.mktemp("subscriptions") / "world") as opened:
        yield opened


@dataclass
class Team:
    """A client of the team with a system that listens, and a courier whose clock the test holds."""

    world: World
    client: Client
    name: str
    system: Receiver
    courier: Courier
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def ask(self, criteria: str = "Task", channel: dict[str, Any] | None = None, **changed: Any) -> httpx.Response:
        body = {
            "resourceType": "Subscription",
            "status": "requested",
            "reason": "work",
            "criteria": criteria,
            "channel": {"type": "rest-hook", "endpoint": self.system.url, **(channel or {})},
            **changed,
        }
        return self.client.http.post(PATH, content=orjson.dumps(body), headers=FHIR)

    def subscribed(self, criteria: str = "Task", channel: dict[str, Any] | None = None) -> str:
        made = self.ask(criteria, channel)
        assert made.status_code == 201, made.text
        self.system.got.clear()  # the handshake
        id_: str = made.json()["id"]
        return id_

    def round(self, after: timedelta = timedelta()) -> list[Got]:
        """Let time pass, make a round, and return what was sent in it."""
        self.now += after
        before = len(self.system.got)
        self.courier.round(self.now)
        self.courier.wait()
        return self.system.got[before:]


@pytest.fixture
def team(world: World, tmp_path: Path) -> Iterator[Team]:
    """A new client of the demonstration's team."""
    name = f"trust-{serial()}"
    client = add_client(world, name, {"id": "idva-0042", "role": "idva"}, **like("demo-hospital", name=name))
    with receiver(tmp_path, secure=False) as system:
        made = Team(world, client, name, system, None)  # type: ignore[arg-type]  # the courier reads the team's clock
        made.courier = Courier(world.services, finder(world.services), clock=lambda: made.now, deadline_seconds=2.0)
        yield made
        system.let_go.set()
        made.courier.close()
        for one in client.get(PATH).json().get("entry", ()):
            assert client.http.delete(f"{PATH}/{one['resource']['id']}").status_code == 204


def test_a_subscription_is_made_after_a_handshake_read_and_ended(team: Team) -> None:
    start = size(team.world)
    made = team.ask("Task?status=requested", ID_ONLY)
    assert made.status_code == 201
    (handshake,) = team.system.got
    assert handshake.body == b""
    assert made.json()["status"] == "active"
    id_ = made.json()["id"]
    assert made.headers["location"].endswith(f"{PATH}/{id_}")
    assert team.client.get(f"{PATH}/{id_}").json()["criteria"] == "Task?status=requested"
    assert team.client.get(PATH).json()["total"] == 1
    assert team.client.http.delete(f"{PATH}/{id_}").status_code == 204
    assert team.client.get(f"{PATH}/{id_}").status_code == 404
    events = [(one.event, one.actor.client) for one in sealed(team.world, start=start)]
    assert (Event.SUBSCRIPTION_CREATED, team.name) in events
    assert (Event.SUBSCRIPTION_ENDED, team.name) in events
    pushed(team.world)
    assert team.round(HOUR) == []


def test_a_referral_is_told_of_when_it_comes_and_when_it_changes_and_nothing_of_it_is(team: Team) -> None:
    start = size(team.world)
    id_ = team.subscribed("Task", ID_ONLY)
    number = serial()
    task = team.world.push(incident(number)).json()["referrals"][0]["reference"]
    (first,) = team.round()
    named = {one["name"]: one for one in first.json["parameter"]}
    assert named["subscription"]["valueReference"] == {"reference": f"Subscription/{id_}"}
    assert named["focus"]["valueReference"] == {"reference": f"Task/{task}"}
    assert set(named) == {"subscription", "type", "timestamp", "focus"}
    (entry,) = [one for one in sealed(team.world, start=start) if one.event == Event.REFERRAL_DELIVERED]
    assert (*entry.items.released, *entry.items.generalised) == ("event.kind",)
    assert team.world.push(incident(number, version=2)).status_code == 200
    (second,) = team.round(HOUR)
    assert second.headers["idempotency-key"] != first.headers["idempotency-key"]
    assert team.round(HOUR) == []


def test_what_the_team_did_itself_is_told_too_though_no_item_changed(team: Team) -> None:
    """Its systems are several: what one of them did to a Task, the others hear of."""
    team.subscribed("Task", ID_ONLY)
    _, task = pushed(team.world)
    assert len(team.round()) == 1
    assert change(team.world, task, 1, status("accepted")).is_success
    (got,) = team.round(HOUR)
    assert task.encode() in got.body


def test_an_empty_notification_is_empty_and_signed(team: Team) -> None:
    team.subscribed()
    pushed(team.world)
    (got,) = team.round()
    assert got.body == b""
    public = Ed25519PrivateKey.from_private_bytes(team.world.services.keyring.message_seed).public_key()

    class Resolver(HTTPSignatureKeyResolver):
        def resolve_public_key(self, key_id: str) -> Ed25519PublicKey:  # noqa: ARG002 - the library names it
            return public

    signed = httpx.Request("POST", team.system.url, headers=dict(got.headers), content=got.body)
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=Resolver())
    assert verifier.verify(signed, expect_tag=TAG)
    assert "idempotency-key" in got.headers


def test_only_what_the_criteria_ask_for_is_told(team: Team) -> None:
    team.subscribed("Task?status=accepted", ID_ONLY)
    _, task = pushed(team.world)
    assert team.round() == []
    assert change(team.world, task, 1, status("accepted")).is_success
    (got,) = team.round(HOUR)
    assert task.encode() in got.body
    found = team.world.guardian.get("/governance/v1/outstanding").json()["notices"]
    assert [one for one in found if one["case"] == task and one["kind"] == "undelivered"] == []


def test_a_system_that_does_not_answer_shows_as_an_error_and_is_tried_again(team: Team) -> None:
    id_ = team.subscribed("Task", ID_ONLY)
    team.system.script.extend([503] * 5)
    pushed(team.world)
    for _ in range(5):
        team.round(2 * HOUR)
    assert team.client.get(f"{PATH}/{id_}").json()["status"] == "error"
    assert len(team.round(12 * HOUR)) == 1
    assert team.client.get(f"{PATH}/{id_}").json()["status"] == "active"


def test_under_a_suspended_agreement_a_subscription_is_off_and_nothing_is_told(team: Team) -> None:
    id_ = team.subscribed()
    pushed(team.world)
    set_state(team.world, State.SUSPENDED)
    try:
        assert team.round() == []
        assert team.client.get(f"{PATH}/{id_}").json()["status"] == "off"
    finally:
        set_state(team.world, State.IN_FORCE)
    assert len(team.round(HOUR)) == 1


def test_another_clients_subscription_is_as_good_as_none(team: Team) -> None:
    id_ = team.subscribed()
    others, none = team.world.hospital.get(f"{PATH}/{id_}"), team.world.hospital.get(f"{PATH}/{id_[:-4]}0000")
    assert others.status_code == none.status_code == 404
    assert others.content == none.content
    assert team.world.hospital.http.delete(f"{PATH}/{id_}").status_code == 404
    assert team.client.get(f"{PATH}/{id_}").status_code == 200


@pytest.mark.parametrize("answer", [404, 500, 302])
def test_an_endpoint_that_refuses_the_handshake_is_not_kept(team: Team, answer: int) -> None:
    start = size(team.world)
    team.system.script.append(answer)
    found = team.ask()
    assert found.status_code == 422
    assert found.json()["issue"][0]["expression"] == ["Subscription.channel.endpoint"]
    assert team.system.url not in found.text
    assert Event.SUBSCRIPTION_CREATED not in [one.event for one in sealed(team.world, start=start)]


@pytest.mark.parametrize(
    ("criteria", "channel"),
    [
        ("Patient", {}),
        ("Task?owner=x", {}),
        ("Task", {"payload": "application/fhir+json"}),
        ("Task", {"type": "email"}),
    ],
)
def test_what_is_not_served_is_refused(team: Team, criteria: str, channel: dict[str, Any]) -> None:
    assert team.ask(criteria, channel).status_code == 422
    assert team.system.got == []


def test_a_client_has_a_bounded_number_of_subscriptions(team: Team) -> None:
    for number in range(MOST):
        assert team.ask("Task", {"endpoint": f"{team.system.url}/{number}"}).status_code == 201
    assert team.ask("Task", {"endpoint": f"{team.system.url}/more"}).status_code == 422


def test_in_production_nothing_is_pushed_behind_our_own_walls(world: World) -> None:
    def private(_host: str, _port: int) -> Sequence[str]:
        return ["10.0.0.8"]

    channel = SubscriptionChannel(Signer(world.services.keyring), production=True, resolve=private)
    for address in (
        "http://trust.example/hook",
        "https://127.0.0.1/hook",
        "https://[::1]/hook",
        "https://169.254.169.254/",
    ):
        with pytest.raises(ValueError, match="address"):
            channel.check(address, {"criteria": "Task", "payload": "empty"}, production=True)
    with pytest.raises(Refused, match="private-address"):
        channel.handshake("https://trust.example/hook")


def test_who_may_not_read_referrals_may_not_subscribe(world: World) -> None:
    assert world.police.http.post(PATH, content=b"{}", headers=FHIR).status_code == 403
    assert world.police.get(PATH).status_code == 403
    assert NAME == "subscription"
