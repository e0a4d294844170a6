"""What a witness may ask of the gateway over HTTP, what it may not, and what the auditor sees of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from audit.checkpoint import Checkpoint
from audit.encoding import hash_from_base64
from audit.note import CosignerVerifier, split
from audit.proof import verify_consistency
from gateway.demo.client import Client
from gateway.demo.run import LOG
from gateway.evidence import OPERATOR_LOG, Event
from tests.gateway.witness_support import FORCE, TRUST, cosigned, head, register, signed, told
from tests.journeys.support import add_client, last, like, pushed, size, world_on
from tests.support.world import World

AT = f"/audit/v1/logs/{LOG}"
NOTE = {"Content-Type": "text/plain; charset=utf-8"}


@pytest.fixture
def world(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with world_on(engine_name, request, tmp_path / "world") as opened:
        yield opened


@pytest.fixture
def client(world: World) -> Client:
    return add_client(world, "trust-witness", **like("demo-auditor", scopes=["audit:log.witness"]))


def hand_in(client: Client, note: str) -> httpx.Response:
    return client.post(f"{AT}/cosignatures", content=note.encode(), headers=NOTE)


def test_a_witness_fetches_checks_and_hands_in_and_the_log_does_not_grow_by_it(world: World, client: Client) -> None:
    register(world, "trust", TRUST)
    first = client.get(f"{AT}/witness/checkpoint").text
    pushed(world)
    before = size(world), size(world, OPERATOR_LOG)
    second = client.get(f"{AT}/witness/checkpoint").text
    old, new = Checkpoint.unverified(first), Checkpoint.open(second, world.services.signer(LOG).verifier)
    proof = client.get(f"{AT}/witness/consistency?first={old.size}&second={new.size}").json()
    path = [hash_from_base64(one) for one in proof["hashes"]]
    verify_consistency(old.size, new.size, old.root, new.root, path)
    answer = hand_in(client, cosigned(second, TRUST))
    assert (answer.status_code, answer.json()) == (200, {"kept": ["trust"]})
    assert (size(world), size(world, OPERATOR_LOG)) == before
    third = client.get(f"{AT}/witness/checkpoint").text
    assert third.startswith(second), "the cosignature is shown with its checkpoint"
    text, (_, line) = split(third)
    assert CosignerVerifier.from_text(TRUST.verifier.text).verify(text, line.raw) > 0


def test_the_auditor_sees_who_has_seen_what_and_asking_is_sealed(world: World) -> None:
    register(world, "trust", TRUST)
    register(world, "force", FORCE)
    at = head(world)
    client = add_client(world, "trust-witness", **like("demo-auditor", scopes=["audit:log.witness"]))
    assert hand_in(client, cosigned(at.checkpoint, TRUST)).status_code == 200
    answer = world.auditor.get(f"{AT}/witnesses")
    reading = last(world)
    assert reading.event == Event.LOG_READ
    assert reading.detail is not None
    assert reading.detail["what"] == "witnesses"
    force, trust = answer.json()["witnesses"]
    assert (force["name"], force["state"], force["size"], force["checkpoint"]) == ("force", "never", None, None)
    assert (trust["name"], trust["state"], trust["size"]) == ("trust", "ok", at.size)
    assert trust["lag_entries"] == 1, "the reading itself"
    assert (trust["key"], trust["checkpoint"].startswith(at.checkpoint)) == (TRUST.verifier.text, True)


def test_each_route_needs_its_scope_and_its_own_log(world: World, client: Client) -> None:
    paths = [f"{AT}/witness/checkpoint", f"{AT}/witness/consistency?first=1&second=2"]
    for path in paths:
        assert world.auditor.get(path).status_code == 403
        assert last(world, OPERATOR_LOG).event == Event.ACCESS_REFUSED
    assert hand_in(world.auditor, "x").status_code == 403
    assert client.get(f"{AT}/witnesses").status_code == 403
    assert client.get(f"{AT}/entries").status_code == 403
    stranger = add_client(
        world, "stranger", **like("demo-auditor", scopes=["audit:log.witness", "audit:log.read"], agreements=["other"])
    )
    for path in (*paths, f"{AT}/witnesses"):
        assert stranger.get(path).status_code == 404
    assert hand_in(stranger, "x").status_code == 404
    nowhere = add_client(world, "nowhere", **like("demo-auditor", scopes=["audit:log.witness"], agreements=["none"]))
    ids = {"X-Request-Id": "r"}
    one = stranger.http.get(f"{AT}/witness/checkpoint", headers=ids)
    other = nowhere.http.get("/audit/v1/logs/none/witness/checkpoint", headers=ids)
    assert (one.status_code, one.content) == (other.status_code, other.content), "no oracle"


def test_a_note_is_read_strictly_and_another_history_is_a_conflict(world: World, client: Client) -> None:
    register(world, "trust", TRUST)
    at = head(world)
    for body, media, expected in (
        (b"\xff", NOTE, 422),
        (b"", NOTE, 422),
        (at.checkpoint.encode(), NOTE, 422),
        (cosigned(at.checkpoint, FORCE).encode(), NOTE, 422),
        (b"x" * 70_000, NOTE, 413),
        (cosigned(at.checkpoint, TRUST).encode(), {"Content-Type": "application/json"}, 415),
    ):
        answer = client.post(f"{AT}/cosignatures", content=body, headers=media)
        assert answer.status_code == expected, (body[:40], answer.text)
    assert told(world) == []
    answer = hand_in(client, cosigned(signed(world, at.size + 1, bytes(32)), TRUST))
    assert answer.status_code == 409
    assert answer.json()["type"].endswith(":witness-disagrees")
    assert told(world) == [("trust", "disagrees", "begins")]
    metrics = world.run(_metrics(world))
    assert 'gateway_witness_alarms{condition="disagrees"} 1.0' in metrics


async def _metrics(world: World) -> str:
    transport = httpx.ASGITransport(world.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client:
        return (await client.get("/metrics")).text


@pytest.mark.parametrize("query", ["", "first=1", "first=-1&second=2", "first=1&second=x", "first=1&second=1e3"])
@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_sizes_are_whole_numbers(client: Client, query: str) -> None:
    assert client.get(f"{AT}/witness/consistency?{query}").status_code == 400


@pytest.mark.parametrize("query", ["first=0&second=2", "first=3&second=2", "first=1&second=99999"])
@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_sizes_that_the_log_has_not_reached_are_not_there(client: Client, query: str) -> None:
    assert client.get(f"{AT}/witness/consistency?{query}").status_code == 404
