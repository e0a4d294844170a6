"""Delivery end to end: `gateway serve` as a process that is killed while it delivers, and a team's integration engine.

The engine answers nothing at first, so that the kill falls between the last byte and the acknowledgement; then the kill
falls wherever the gateway happens to be, between a seal and a send as well. Every referral is there in the end, under
one id and with the same bytes, taken once.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gateway.demo.client import Client, key_of
from gateway.demo.incidents import incident
from gateway.demo.run import GUARDIAN, LOG, OFFICER
from gateway.demo.setting import free_port, settings_of
from tests.faults.test_webhook import HOUR, LEASE_AND_MORE, PATIENCE_SECONDS, Gateway
from tests.gateway.delivery_engine import Engine, serving
from tests.support.world import copy_template

AT_ONCE = 6  # referrals that wait when the gateway is killed
KILLS = 3


@dataclass
class Case:
    """A gateway that serves, who speaks to it, and the engine its team's referrals go to."""

    gateway: Gateway
    engine: Engine
    police: Client
    guardian: Client
    serial: int = 910_000
    tasks: list[str] = field(default_factory=list)

    def push(self, count: int) -> None:
        """Have police push incidents."""
        for _ in range(count):
            self.serial += 1
            media = {"Content-Type": "application/vnd.api+json"}
            answer = self.police.post("/police/v1/incidents", json=incident(self.serial), headers=media)
            self.tasks.append(answer.raise_for_status().json()["referrals"][0]["reference"])

    def arrivals(self, count: int) -> None:
        """Wait until so many more messages have arrived."""
        for _ in range(count):
            assert self.engine.arrived.acquire(timeout=PATIENCE_SECONDS)

    def restart(self) -> None:
        """Kill it, whatever it is at, and start it again beyond its leases."""
        self.gateway.kill()
        self.gateway.start()
        self.gateway.turn(LEASE_AND_MORE)

    def deliveries(self, state: str) -> list[dict[str, Any]]:
        """The deliveries in a state."""
        page = self.guardian.get(f"/governance/v1/deliveries?state={state}").raise_for_status().json()
        found: list[dict[str, Any]] = page["deliveries"]
        return found


@pytest.fixture
def case(prepared_world: Path, tmp_path: Path, seed: int) -> Iterator[Case]:
    """A gateway as a process, with the endpoint of `demo-hospital` registered by the command line."""
    settings = settings_of(tmp_path / "data", free_port(), token_lifetime_seconds=HOUR)
    copy_template(prepared_world, settings.data_dir, with_database=True)
    gateway = Gateway(settings)
    with ExitStack() as stack:
        engine = stack.enter_context(serving(random.Random(seed), always="hang"))
        gateway.command(
            *("endpoint", "add", "demo-hospital", "--channel", "mllp", "--address", engine.address),
            *("--agreement", LOG, "--person", "idva-0042", "--hides-from-online-access"),
        )
        stack.callback(gateway.kill)
        gateway.start()
        signed_in = []
        for name, user in (("demo-rms", OFFICER), ("demo-guardian", GUARDIAN)):
            key = key_of(settings.data_dir / "clients" / f"{name}.pem")
            signed_in.append(stack.enter_context(Client(settings.public_url, name, key, user)))
            signed_in[-1].sign_in()
        police, guardian = signed_in
        yield Case(gateway, engine, police, guardian)


def test_a_gateway_killed_while_it_delivers_loses_nothing_and_sends_nothing_twice(case: Case, seed: int) -> None:
    print(f"seed {seed}")
    rng, engine = random.Random(seed), case.engine

    # 1. Killed between the last byte and the acknowledgement: the same bytes come again, and are settled.
    case.push(1)
    case.arrivals(1)
    case.gateway.kill()
    engine.always = "AA"
    case.gateway.start()
    case.gateway.turn(LEASE_AND_MORE)
    case.arrivals(1)
    assert len(engine.sent) == 2
    assert engine.sent[0] == engine.sent[1]
    assert set(engine.taken.values()) == {1}

    # 2. Killed wherever it is while more go out.
    for _ in range(KILLS):
        case.gateway.turn(0)
        case.push(AT_ONCE)
        case.arrivals(rng.randint(1, AT_ONCE - 1))
        case.restart()

    # 3. In the end everything is there, once, and the gateway knows it.
    while len(engine.taken) < len(case.tasks) or case.deliveries("waiting"):
        case.gateway.turn(LEASE_AND_MORE)
        if len(engine.taken) < len(case.tasks):
            case.arrivals(1)
    assert {one["case"] for one in case.deliveries("acknowledged")} == set(case.tasks)
    assert case.deliveries("with-human") == []
    assert set(engine.taken.values()) == {1}
    assert len(engine.taken) == len(case.tasks)
    assert len(set(engine.sent)) == len(engine.taken)  # one id, one message
