"""Delivery to a team's system: decided and sealed before the first byte, once, corrected, recalled, stopped."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import wait
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from audit.entry import Entry
from gateway.agreement import State
from gateway.delivery import courier as courier_module
from gateway.delivery.begin import Begin
from gateway.delivery.channel import CannotWrite, Channel, Endpoint, Parcel, Reply
from gateway.delivery.circuit import CLOSED, OPEN_AFTER
from gateway.delivery.courier import Courier
from gateway.delivery.endpoints import DeclareEndpoint, EndpointRefused, RemoveEndpoint
from gateway.delivery.handing import NoteLate
from gateway.delivery.leases import LEASE
from gateway.delivery.policy import TRIES
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from gateway.evidence import OPERATOR_LOG, Event
from gateway.oversight.entries import LogSource
from gateway.oversight.replay import rederive
from gateway.retention.sweep import sweep
from gateway.store import tables
from gateway.tokens.clients import RevokeClient
from tests.gateway.delivery_support import (
    ACK,
    BUSY,
    CUT,
    HANG,
    KILLED,
    LATE,
    LOST,
    NACK,
    OTHER,
    RESET,
    TWICE,
    InProcess,
    Post,
    System,
    close_post,
    endpoint_unit,
    open_post,
)
from tests.journeys.support import add_client, change, like, pushed, sealed, serial, set_state, size, status, world_on
from tests.support.world import World

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The agreement in force and its clients, shared by the module."""
    with world_on(request.param, request, tmp_path_factory.mktemp("delivery") / "world") as opened:
        yield opened


@pytest.fixture
def post(world: World) -> Iterator[Post]:
    """An endpoint of the team, whose system does what it is told."""
    opened = open_post(world)
    yield opened
    close_post(opened)


def again(world: World, number: int, version: int, **changes: Any) -> None:
    """Push a later version of an incident."""
    assert world.push(incident(number, version=version, **changes)).status_code == 200


def retract(world: World, number: int, version: int) -> None:
    document = incident(number, version=version)
    document["data"]["attributes"]["recordKind"] = "retraction"
    assert world.push(document).status_code == 200


def offered(world: World, number: int, **changes: Any) -> str:
    reference: str = world.push(incident(number, **changes)).json()["referrals"][0]["reference"]
    return reference


def events(world: World, start: int) -> list[Entry]:
    kinds = {
        Event.REFERRAL_DELIVERED,
        Event.REFERRAL_RECALLED,
        Event.DELIVERY_ACKNOWLEDGED,
        Event.DELIVERY_FAILED,
        Event.NOTICE_SENT,
    }
    return [one for one in sealed(world, start=start) if one.event in kinds]


def outstanding(world: World, task: str) -> list[dict[str, Any]]:
    found = world.guardian.get("/governance/v1/outstanding").json()["notices"]
    return [one for one in found if one["case"] == task and one["kind"] == "undelivered"]


# What goes, and what is sealed first


def test_a_referral_is_delivered_once_and_its_bytes_are_gone_when_it_is_acknowledged(post: Post) -> None:
    start = size(post.world)
    _, task = pushed(post.world)
    ((id_, body, _),) = post.round()
    said = orjson.loads(body)
    assert (said["reason"], said["referral"], said["to"], said["supersedes"]) == ("new", task, "idva-team", None)
    delivered, acknowledged = events(post.world, start)
    assert (delivered.event, delivered.operation, delivered.case) == (Event.REFERRAL_DELIVERED, "disclosure", task)
    assert (delivered.actor.client, delivered.actor.user, delivered.actor.role) == (
        "demo-hospital",
        "idva-0042",
        "idva",
    )
    assert [one.recipient for one in delivered.recipients] == ["idva-team"]
    assert delivered.detail is not None
    assert (delivered.detail["delivery"], delivered.detail["try"]) == (id_, 1)
    assert acknowledged.event == Event.DELIVERY_ACKNOWLEDGED
    (row,) = post.rows(task)
    assert row.id == id_
    assert row.acknowledged_at is not None
    assert (row.content, row.content_key) == (None, None)
    assert row.reference == f"ref-{id_[:8]}"
    assert post.round(HOUR) == []


def test_nothing_is_sent_that_the_decision_does_not_release(post: Post) -> None:
    _, task = pushed(post.world)
    ((_, body, _),) = post.round()
    (entry,) = [one for one in sealed(post.world) if one.event == Event.REFERRAL_DELIVERED and one.case == task]
    assert "police.custody" not in entry.items.withheld
    assert "Nextdoor" not in body.decode()
    assert b"brown" not in body
    assert entry.items.released


def test_a_channel_that_carries_little_is_given_little(world: World) -> None:
    """The decision is narrowed to what the message can carry, and so is what the entry says was released."""
    post = open_post(world)
    post.channel.items = frozenset({"event.kind", "victim.name", "risk.grade"})
    try:
        _, task = pushed(world)
        ((_, body, _),) = post.round()
        record = orjson.loads(body)["record"]
        assert set(record) <= {"kind", "people", "assessments", "version"}
        (entry,) = [one for one in sealed(world) if one.event == Event.REFERRAL_DELIVERED and one.case == task]
        assert set(entry.items.released) <= post.channel.items
        assert entry.facts is not None
        assert set(entry.facts["items"]) <= post.channel.items
    finally:
        close_post(post)


def test_the_intention_is_committed_when_the_first_byte_goes(post: Post) -> None:
    """P1: the entry that says it leaves is there before the system sees anything."""
    seen: list[int] = []
    start = size(post.world)

    def look(id_: str, _: bytes) -> None:
        found = [one for one in sealed(post.world, start=start) if (one.detail or {}).get("delivery") == id_]
        seen.append(len(found))

    post.channel.before_send = look
    pushed(post.world)
    post.round()
    assert seen == [1]


def test_what_cannot_be_sealed_is_not_sent(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    pushed(post.world)

    def unsealed(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(Begin, "_entry", unsealed)
        assert post.round() == []
    assert len(post.round()) == 1


def test_bytes_lie_encrypted_until_they_are_acknowledged(post: Post) -> None:
    post.system.script.append(LOST)
    _, task = pushed(post.world)
    ((_, body, _),) = post.round()
    (row,) = post.rows(task)
    assert b"Ashdown" in body
    assert b"Ashdown" not in bytes(row.content)


# Tries


@pytest.mark.parametrize("does", [LOST, CUT, HANG, RESET, LATE, OTHER])
def test_every_try_sends_the_same_bytes_under_the_same_id_and_the_system_has_it_once(post: Post, does: str) -> None:
    post.system.script.extend([does, does, ACK])
    _, task = pushed(post.world)
    sent = [*post.round(), *post.round(HOUR), *post.round(HOUR)]
    assert len({(id_, body) for id_, body, _ in sent}) == 1
    assert len(sent) == 3
    assert post.said(task) == ["new"]
    (row,) = post.rows(task)
    assert (row.attempts, row.acknowledged_at is not None) == (3, True)


def test_a_second_answer_counts_for_no_other_message(post: Post) -> None:
    post.system.script.extend([TWICE, HANG])
    _, first = pushed(post.world)
    _, second = pushed(post.world)
    post.round()
    states = {one.referral_id: one.acknowledged_at is not None for one in post.rows()}
    assert states[first] != states[second]


def test_what_six_tries_cannot_bring_lies_with_a_human_of_the_team(post: Post) -> None:
    post.system.always = lambda: LOST
    start = size(post.world)
    _, task = pushed(post.world)
    sent = [one for _ in range(20) for one in post.round(7 * HOUR)]
    assert len(sent) == TRIES
    (notice,) = outstanding(post.world, task)
    assert notice["to"] == {"organisation": "RXL", "recipient": "idva-team"}
    failed = [one for one in events(post.world, start) if one.event == Event.DELIVERY_FAILED]
    assert len(failed) == TRIES
    assert (failed[-1].detail or {})["given_up"] == 1
    (row,) = post.rows(task)
    assert row.content is not None  # a human may have it sent again, the same under the same id


def test_what_is_refused_is_not_tried_again(post: Post) -> None:
    post.system.script.append(NACK)
    _, task = pushed(post.world)
    assert len(post.round()) == 1
    assert post.round(7 * HOUR) == []
    assert len(outstanding(post.world, task)) == 1


def test_a_system_that_asks_for_time_is_given_it(post: Post) -> None:
    post.system.script.append(BUSY)
    pushed(post.world)
    assert len(post.round()) == 1
    assert post.round(2 * MINUTE) == []
    assert len(post.round(2 * MINUTE)) == 1


def test_what_cannot_be_written_lies_with_a_human_and_holds_up_nothing(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, task = pushed(post.world)

    def cannot(*_: object) -> bytes:
        raise CannotWrite("record.people[0]")

    with monkeypatch.context() as patch:
        patch.setattr(type(post.channel), "write", cannot)
        assert post.round() == []
    assert len(outstanding(post.world, task)) == 1
    _, other = pushed(post.world)
    assert len(post.round()) == 1
    assert post.said(other) == ["new"]


def test_a_gateway_that_stopped_in_between_is_followed_by_another_with_the_same_bytes(post: Post) -> None:
    post.system.script.append(KILLED)
    _, task = pushed(post.world)
    ((id_, body, _),) = post.round()
    second = post.another()
    second.round(post.now)
    second.wait()
    assert len(post.system.sent) == 1  # leased still
    post.now += LEASE
    second.round(post.now)
    second.wait()
    assert [one[:2] for one in post.system.sent] == [(id_, body)] * 2
    assert post.said(task) == ["new"]


def test_two_gateways_send_nothing_twice(post: Post) -> None:
    """They look at the same moment; the lease decides."""
    other = post.another()
    tasks = [pushed(post.world)[1] for _ in range(6)]
    for courier in (post.couriers[0], other):
        courier.round(post.now)
    for courier in (post.couriers[0], other):
        courier.wait()
    post.round()
    assert sorted(orjson.loads(body)["referral"] for _, body, _ in post.system.sent) == sorted(tasks)


def test_what_another_gateway_leased_since_the_look_is_left_alone(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose turn it was is asked first, and the lease of another may come before the rest is read."""
    post.system.script.append(KILLED)
    pushed(post.world)
    (row,) = post.rows()
    post.round()
    monkeypatch.setattr(courier_module, "next_due", lambda *_: row)
    second = post.another()
    second.round(post.now)
    second.wait()
    assert len(post.system.sent) == 1


# Corrections and recalls


def test_a_correction_becomes_one_message_with_what_waits(post: Post) -> None:
    number = serial()
    task = offered(post.world, number, grade="MEDIUM")
    again(post.world, number, 2, grade="HIGH")
    ((_, body, _),) = post.round()
    assert (orjson.loads(body)["reason"], orjson.loads(body)["grade"]) == ("new", "high")
    assert post.said(task) == ["new"]


def test_a_retraction_of_what_never_left_leaves_nothing(post: Post) -> None:
    number = serial()
    task = offered(post.world, number)
    retract(post.world, number, 2)
    assert post.round() == []
    assert post.said(task) == []


def test_a_correction_of_what_was_delivered_is_an_update_that_names_it(post: Post) -> None:
    number = serial()
    task = offered(post.world, number, grade="MEDIUM")
    ((first, _, _),) = post.round()
    again(post.world, number, 2, grade="HIGH")
    ((_, body, _),) = post.round()
    assert (orjson.loads(body)["reason"], orjson.loads(body)["supersedes"]) == ("update", first)
    assert post.said(task) == ["new", "update"]


def test_a_retraction_recalls_what_was_delivered_and_says_nothing_of_anybody(post: Post) -> None:
    number = serial()
    task = offered(post.world, number)
    ((first, _, _),) = post.round()
    start = size(post.world)
    retract(post.world, number, 2)
    ((_, body, _),) = post.round()
    said = orjson.loads(body)
    assert (said["reason"], said["supersedes"], said["record"], said["grade"]) == (
        "cancel",
        first,
        {"kind": "retraction"},
        None,
    )
    assert post.system.holds(task) is None
    (recalled, _) = [one for one in events(post.world, start) if one.event != Event.NOTICE_SENT]
    assert (recalled.event, recalled.operation, recalled.items.released) == (Event.REFERRAL_RECALLED, "alteration", ())


def test_a_withdrawn_consent_recalls_what_was_delivered(post: Post) -> None:
    _, task = pushed(post.world)
    post.round()
    assert post.world.hospital.post(f"/team/v1/referrals/{task}/consent", json={"state": "withdrawn"}).is_success
    post.round()
    assert post.said(task) == ["new", "cancel"]


def test_a_change_of_the_teams_own_is_no_news_to_it(post: Post) -> None:
    _, task = pushed(post.world)
    post.round()
    assert change(post.world, task, 1, status("accepted")).is_success
    assert post.round() == []
    assert len(post.rows(task)) == 1


def test_a_correction_overtakes_what_may_have_arrived(post: Post) -> None:
    """Nobody knows whether the first try arrived: an update goes, and the old bytes never again."""
    number = serial()
    post.system.script.append(HANG)
    task = offered(post.world, number, grade="MEDIUM")
    ((first, _, _),) = post.round()
    again(post.world, number, 2, grade="HIGH")
    ((second, body, _),) = post.round(HOUR)
    assert (orjson.loads(body)["reason"], orjson.loads(body)["supersedes"]) == ("update", first)
    assert second != first
    assert post.said(task) == ["new", "update"]


@pytest.mark.parametrize(("does", "then"), [(LOST, ["new"]), (CUT, ["update", "new"])])
def test_a_correction_of_what_never_arrived_goes_as_new(post: Post, does: str, then: list[str]) -> None:
    """Where it is certain, at once; where nobody can tell, once the system has said that it knows nothing of it."""
    number = serial()
    post.system.script.append(does)
    task = offered(post.world, number, grade="MEDIUM")
    post.round()
    again(post.world, number, 2, grade="HIGH")
    post.settle()
    assert post.said(task) == ["new"]
    assert [orjson.loads(body)["reason"] for _, body, _ in post.system.sent] == ["new", *then]
    assert (post.system.holds(task) or {})["grade"] == "high"
    assert outstanding(post.world, task) == []


def test_a_refused_update_of_what_may_have_arrived_lies_with_a_human(post: Post) -> None:
    """The system may have it, and did not say that it knows nothing: sent as new, it might be there twice."""
    number = serial()
    post.system.script.extend([HANG, NACK])
    task = offered(post.world, number, grade="MEDIUM")
    post.round()
    again(post.world, number, 2, grade="HIGH")
    post.round(HOUR)
    assert len(outstanding(post.world, task)) == 1
    assert post.round(HOUR) == []


def test_a_recall_of_what_never_arrived_is_settled_by_saying_so(post: Post) -> None:
    number = serial()
    post.system.script.append(CUT)
    task = offered(post.world, number)
    post.round()
    retract(post.world, number, 2)
    post.settle()
    assert post.said(task) == []
    assert outstanding(post.world, task) == []


def test_a_change_while_a_message_is_on_its_way_is_looked_at_when_it_is_settled(post: Post) -> None:
    number = serial()
    task = offered(post.world, number, grade="MEDIUM")

    def correct(_id: str, _body: bytes) -> None:
        post.channel.before_send = lambda _id, _body: None
        again(post.world, number, 2, grade="HIGH")

    post.channel.before_send = correct
    post.round()
    post.round()
    assert post.said(task) == ["new", "update"]


def test_what_was_refused_and_then_corrected_is_no_humans_task_any_more(post: Post) -> None:
    number = serial()
    post.system.script.append(NACK)
    task = offered(post.world, number, grade="MEDIUM")
    post.round()
    assert len(outstanding(post.world, task)) == 1
    again(post.world, number, 2, grade="HIGH")
    post.round()
    assert post.said(task) == ["new"]
    assert outstanding(post.world, task) == []
    page = post.world.guardian.get("/governance/v1/deliveries").json()["deliveries"]
    assert task not in {one["case"] for one in page}


def test_what_was_refused_and_then_retracted_is_no_humans_task_any_more(post: Post) -> None:
    number = serial()
    post.system.script.append(NACK)
    task = offered(post.world, number)
    post.round()
    retract(post.world, number, 2)
    assert post.round() == []
    assert outstanding(post.world, task) == []


def test_a_system_that_has_it_does_not_speak_for_one_that_lacks_it(post: Post) -> None:
    other = open_post(post.world, address="test://other")
    number = serial()
    other.system.script.append(NACK)
    task = offered(post.world, number)
    ways: Channel = Either({post.endpoint_id: post.channel, other.endpoint_id: other.channel})
    both = Courier(post.world.services, lambda _, __: ways, clock=lambda: post.now)
    try:
        both.round(post.now)
        both.wait()
        again(post.world, number, 2, grade="MEDIUM")
        other.system.script.append(NACK)
        both.round(post.now)
        both.wait()
        assert post.said(task) == ["new", "update"]
        assert other.said(task) == []
        assert outstanding(post.world, task) != []
    finally:
        both.close()
        close_post(other)


# Stop really stops


def test_nothing_goes_under_a_suspended_agreement_and_it_goes_on_with_it(post: Post) -> None:
    _, task = pushed(post.world)
    set_state(post.world, State.SUSPENDED)
    try:
        assert post.round() == []
    finally:
        set_state(post.world, State.IN_FORCE)
    assert len(post.round()) == 1
    assert post.said(task) == ["new"]


def _suspend(world: World, _: str, __: int) -> None:
    set_state(world, State.SUSPENDED)


def _retract(world: World, _: str, number: int) -> None:
    retract(world, number, 2)


def _withdraw(world: World, task: str, _: int) -> None:
    assert world.hospital.post(f"/team/v1/referrals/{task}/consent", json={"state": "withdrawn"}).is_success


@pytest.mark.parametrize("stop", [_suspend, _retract, _withdraw])
def test_what_is_stopped_between_the_look_and_the_lease_does_not_go(
    post: Post, monkeypatch: pytest.MonkeyPatch, stop: Any
) -> None:
    number = serial()
    task = offered(post.world, number)
    ready = Courier._ready

    def then_stopped(self: Courier, *about: Any) -> Any:
        found = ready(self, *about)
        monkeypatch.setattr(Courier, "_ready", ready)
        stop(post.world, task, number)
        return found

    monkeypatch.setattr(Courier, "_ready", then_stopped)
    try:
        assert post.round() == []
    finally:
        if stop is _suspend:
            set_state(post.world, State.IN_FORCE)


def test_a_removed_endpoint_is_given_nothing_and_what_waited_lies_with_a_human(world: World) -> None:
    post = open_post(world)
    _, task = pushed(world)
    unit = RemoveEndpoint(post.endpoint_id, world.services.standing(LOG))
    assert world.services.journals.of(LOG).submit_and_wait(unit).value == 1
    assert post.round() == []
    assert len(outstanding(world, task)) == 1
    close_post(post)


def test_a_removed_endpoint_stops_what_was_judged_already(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    post = open_post(world)
    pushed(world)
    ready = Courier._ready

    def then_removed(self: Courier, *about: Any) -> Any:
        found = ready(self, *about)
        unit = RemoveEndpoint(post.endpoint_id, world.services.standing(LOG))
        world.services.journals.of(LOG).submit_and_wait(unit)
        return found

    monkeypatch.setattr(Courier, "_ready", then_removed)
    assert post.round() == []
    close_post(post)


def test_a_revoked_client_is_given_nothing(world: World) -> None:
    client = f"trust-{serial()}"
    add_client(world, client, {"id": "idva-0042", "role": "idva"}, **like("demo-hospital", name=client))
    post = open_post(world, client=client)
    pushed(world)
    world.services.journals.of(OPERATOR_LOG).submit_and_wait(RevokeClient(client))
    assert post.round() == []
    close_post(post)


def test_a_client_revoked_between_the_look_and_the_lease_is_given_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = f"trust-{serial()}"
    add_client(world, client, {"id": "idva-0042", "role": "idva"}, **like("demo-hospital", name=client))
    post = open_post(world, client=client)
    pushed(world)
    ready = Courier._ready

    def then_revoked(self: Courier, *about: Any) -> Any:
        found = ready(self, *about)
        monkeypatch.setattr(Courier, "_ready", ready)
        world.services.journals.of(OPERATOR_LOG).submit_and_wait(RevokeClient(client))
        return found

    monkeypatch.setattr(Courier, "_ready", then_revoked)
    assert post.round() == []
    close_post(post)


# What the system declares


def test_a_system_that_shows_it_online_is_given_nothing_and_a_human_is_told(world: World) -> None:
    post = open_post(world, hides_from_online_access=False)
    _, task = pushed(world)
    assert post.round() == []
    assert len(outstanding(world, task)) == 1
    (row,) = post.rows(task)
    assert row.failure == "online-access"
    close_post(post)


def test_a_system_that_no_longer_hides_it_is_recalled_from_but_given_nothing(post: Post) -> None:
    number = serial()
    task = offered(post.world, number, grade="MEDIUM")
    post.round()
    unit = DeclareEndpoint(post.endpoint_id, False, post.world.services.standing(LOG))  # noqa: FBT003 - the declaration
    post.world.services.journals.of(LOG).submit_and_wait(unit)
    again(post.world, number, 2, grade="HIGH")
    assert post.round() == []
    retract(post.world, number, 3)
    post.round()
    assert post.said(task) == ["new", "cancel"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"client": "nobody"}, "no such client"),
        ({"client": "demo-rms"}, "may not read referrals"),
        ({"channel": "pigeon"}, "no such channel"),
        ({"user": "a person"}, "codes"),
        ({"address": "x" * 600}, "address"),
    ],
)
def test_an_endpoint_that_cannot_be_is_refused(world: World, changes: dict[str, Any], why: str) -> None:
    unit = replace(endpoint_unit(world, InProcess(System())), **changes)
    with pytest.raises(EndpointRefused, match=why):
        world.services.journals.of(LOG).submit_and_wait(unit)


def test_a_system_is_registered_once_for_a_team(post: Post) -> None:
    with pytest.raises(EndpointRefused, match="twice"):
        post.world.services.journals.of(LOG).submit_and_wait(endpoint_unit(post.world, post.channel))


# One endpoint and another


def test_an_endpoint_that_fails_is_left_alone_and_then_tried_by_one(post: Post) -> None:
    post.system.always = lambda: HANG
    for _ in range(8):
        pushed(post.world)
    assert len(post.round()) == OPEN_AFTER
    assert post.round() == []
    assert len(post.round(MINUTE)) == 1
    post.system.always = lambda: ACK
    post.settle()
    assert all(one.acknowledged_at is not None for one in post.rows())
    assert post.registered.circuit == CLOSED


def test_while_one_gateway_probes_no_other_sends(post: Post) -> None:
    post.system.always = lambda: HANG
    for _ in range(OPEN_AFTER + 3):
        pushed(post.world)
    post.round()
    second = post.another()

    def meanwhile(_id: str, _body: bytes) -> None:
        post.channel.before_send = lambda _id, _body: None
        second.round(post.now)
        second.wait()

    post.channel.before_send = meanwhile
    assert len(post.round(MINUTE)) == 1


@dataclass
class Either:
    """The channel of whichever system an endpoint is."""

    ways: Mapping[str, InProcess]
    name: str = "test"

    @property
    def items(self) -> frozenset[str]:
        return next(iter(self.ways.values())).items

    def check(self, address: str, options: Mapping[str, str], *, production: bool) -> None:
        """Take any address."""

    def write(self, parcel: Parcel, endpoint: Endpoint) -> bytes:
        return self.ways[endpoint.id].write(parcel, endpoint)

    def send(self, endpoint: Endpoint, parcel_id: str, body: bytes, deadline: float) -> Reply:
        return self.ways[endpoint.id].send(endpoint, parcel_id, body, deadline)


def test_an_endpoint_that_hangs_keeps_no_other_waiting(world: World) -> None:
    """One courier, two systems: the first is in the middle of a try while the second is given everything."""
    slow = open_post(world, address="test://slow")
    quick = open_post(world, address="test://quick")
    entered, let_go = threading.Event(), threading.Event()

    def hang(_id: str, _body: bytes) -> None:
        entered.set()
        assert let_go.wait(30)

    slow.channel.before_send = hang
    ways: Channel = Either({slow.endpoint_id: slow.channel, quick.endpoint_id: quick.channel})
    both = Courier(world.services, lambda _, __: ways, clock=lambda: quick.now)
    try:
        tasks = {pushed(world)[1] for _ in range(3)}
        both.round(quick.now)
        assert entered.wait(30)
        while len(quick.system.taken) < len(tasks):
            both.round(quick.now)
            wait([one for id_, one in both._rounds._serving.items() if id_ == quick.endpoint_id])
        assert slow.system.taken == {}
    finally:
        let_go.set()
        both.close()
        close_post(slow)
        close_post(quick)


def test_a_team_is_told_of_what_waits_longer_than_its_clock_and_no_more_once_it_arrives(post: Post) -> None:
    services = post.world.services
    journal = services.journals.of(LOG)
    post.system.script.append(LOST)
    _, task = pushed(post.world)
    post.round()
    assert journal.submit_and_wait(NoteLate(services.standing(LOG))).value == 0
    early = tables.delivery.update().where(tables.delivery.c.referral_id == task)
    with services.database.writing() as connection:
        connection.execute(early.values(created_at="2026-01-01T00:00:00.000Z"))
        late = tables.referral.update().where(tables.referral.c.id == task)
        connection.execute(late.values(respond_by="2026-01-01T01:00:00.000Z"))
    assert journal.submit_and_wait(NoteLate(services.standing(LOG))).value == 1
    assert journal.submit_and_wait(NoteLate(services.standing(LOG))).value == 0
    assert len(outstanding(post.world, task)) == 1
    post.round(HOUR)
    assert post.said(task) == ["new"]
    assert outstanding(post.world, task) == []


# What the operator sees, and does


def test_what_lies_with_a_human_is_listed_and_sent_again_as_it_was(post: Post) -> None:
    post.system.always = lambda: HANG
    _, task = pushed(post.world)
    for _ in range(20):
        post.round(7 * HOUR)
    page = post.world.guardian.get("/governance/v1/deliveries").json()
    (one,) = [row for row in page["deliveries"] if row["case"] == task]
    assert (one["state"], one["failure"], one["tries"]) == ("with-human", "timeout", TRIES)
    (where,) = [row for row in page["endpoints"] if row["endpoint"] == post.endpoint_id]
    assert (where["with_human"], where["hides_from_online_access"]) == (1, True)
    post.system.always = lambda: ACK
    answer = post.world.guardian.post(f"/governance/v1/deliveries/{one['delivery']}/renewal")
    assert answer.status_code == 200, answer.text
    post.round(HOUR)
    assert post.said(task) == ["new"]
    assert {id_ for id_, _, _ in post.system.sent} == {one["delivery"]}
    assert outstanding(post.world, task) == []


def test_what_was_refused_goes_again_as_a_message_of_its_own(post: Post) -> None:
    post.system.script.append(NACK)
    _, task = pushed(post.world)
    ((refused, _, _),) = post.round()
    assert post.world.guardian.post(f"/governance/v1/deliveries/{refused}/renewal").status_code == 200
    ((id_, body, _),) = post.round()
    assert id_ != refused
    assert orjson.loads(body)["reason"] == "new"
    assert post.said(task) == ["new"]


def test_there_is_nothing_to_renew_but_what_lies_with_a_human(post: Post) -> None:
    _, task = pushed(post.world)
    post.round()
    (row,) = post.rows(task)
    assert post.world.guardian.post(f"/governance/v1/deliveries/{row.id}/renewal").status_code == 404
    assert post.world.guardian.post("/governance/v1/deliveries/nothing/renewal").status_code == 404
    assert post.world.guardian.get("/governance/v1/deliveries?state=lost").status_code == 400
    assert post.world.hospital.get("/governance/v1/deliveries").status_code == 403


# What is over


def test_an_erased_referral_is_not_delivered_and_its_bytes_go_with_it(post: Post) -> None:
    post.system.script.append(LOST)
    _, task = pushed(post.world)
    assert len(post.round()) == 1
    services = post.world.services
    over = datetime.now(UTC) + timedelta(days=3000)
    assert sweep(services.database, services.journals, services.records, over)
    (row,) = post.rows(task)
    assert (row.stopped_at is not None, row.content, row.content_key) == (True, None, None)
    assert post.round(HOUR) == []


def test_every_delivery_is_decided_again_from_its_entry(post: Post) -> None:
    """P4: what was sealed comes out again, byte for byte, narrowed as the channel narrowed it."""
    post.channel.items = frozenset({"event.kind", "victim.name", "victim.birth_date", "risk.grade"})
    start = size(post.world)
    _, task = pushed(post.world)
    post.round()
    services = post.world.services
    with services.database.reading() as connection:
        found = rederive(LogSource(connection, LOG))
    assert found.different == 0
    assert [one for one in events(post.world, start) if one.event == Event.REFERRAL_DELIVERED and one.case == task]
