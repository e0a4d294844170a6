"""Referrals on their way to a system that misbehaves at random: each there once, or in front of a human.

Every run is the life of one referral: made, corrected, retracted, withdrawn, while its system hangs, resets, refuses,
answers late, twice or for another message, and the gateway is killed between seal, send and acknowledgement. The clock
is the test's and the channel in the process, so that a run takes some ten milliseconds. The seed is `TEST_SEED`'s and
the batch's number; `DELIVERY_BATCHES=20` runs a thousand.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from gateway.demo.incidents import incident
from gateway.evidence import Event
from gateway.notices import Kind
from gateway.store import tables
from tests.gateway.delivery_support import ACK, MISBEHAVIOUR, NACK, Post, close_post, open_post
from tests.journeys.support import sealed, serial, world_on
from tests.support.world import World

RUNS = 50
BATCHES = int(os.environ.get("DELIVERY_BATCHES", "2"))  # 20 are the thousand; each takes some four seconds
STEPS, ROUNDS = 4, 12
CHANGED = RUNS // 4  # referrals that something happens to at each step
MISBEHAVES, REFUSES = 0.45, 0.03
WAITS = (timedelta(seconds=1), timedelta(minutes=3), timedelta(minutes=20), timedelta(hours=2))


@dataclass
class Life:
    """One referral, and what a system that has all of it would know."""

    number: int
    task: str
    version: int = 1
    grade: str = "HIGH"
    over: bool = False

    def correct(self, world: World, rng: random.Random) -> None:
        self.version += 1
        self.grade = rng.choice(["STANDARD", "MEDIUM", "HIGH"])
        assert world.push(self.document()).status_code == 200

    def retract(self, world: World) -> None:
        self.version, self.over = self.version + 1, True
        document = self.document()
        document["data"]["attributes"]["recordKind"] = "retraction"
        assert world.push(document).status_code == 200

    def withdraw(self, world: World) -> None:
        self.over = True
        assert world.hospital.post(f"/team/v1/referrals/{self.task}/consent", json={"state": "withdrawn"}).is_success

    @property
    def street(self) -> str:
        """Where she lives, which tells the versions apart."""
        return f"{self.version} Example Row"

    def document(self) -> dict[str, Any]:
        found = incident(self.number, version=self.version, grade=self.grade)
        for one in found["included"]:
            if one["attributes"].get("addressLine1") == "12 Example Row":
                one["attributes"]["addressLine1"] = self.street
        return found


@pytest.fixture(params=["sqlite"] * BATCHES + ["postgresql"], ids=[*map(str, range(BATCHES)), "postgresql"])
def post(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Post]:
    """A team's system, over a world of its own."""
    with world_on(request.param, request, tmp_path / "world") as world:
        opened = open_post(world)
        yield opened
        close_post(opened)


def test_each_referral_is_there_once_or_in_front_of_a_human(
    post: Post, seed: int, request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.id
    rng = random.Random(f"{seed}/{name}")
    print(f"seed {seed}, batch {name}")
    world, system = post.world, post.system
    unsealed: list[str] = []

    def is_sealed(id_: str, _: bytes) -> None:
        """The lease and the entry are of one transaction: where one is committed, so is the other."""
        of = tables.delivery
        with world.services.database.reading() as connection:
            row = connection.execute(select(of.c.leased_until).where(of.c.id == id_)).one_or_none()
        if row is None or row.leased_until is None:
            unsealed.append(id_)

    post.channel.before_send = is_sealed

    def misbehave() -> str:
        drawn = rng.random()
        if drawn < REFUSES:
            return NACK
        return rng.choice(MISBEHAVIOUR) if drawn < REFUSES + MISBEHAVES else ACK

    system.always = misbehave
    lives = [_born(world) for _ in range(RUNS)]
    for _ in range(STEPS):
        for life in rng.sample(lives, CHANGED):
            _happens(life, world, rng)
        for _ in range(ROUNDS):
            post.round(rng.choice(WAITS))
    system.always = lambda: ACK
    post.settle()

    assert unsealed == []
    assert system.doubled == []
    _each_was_sealed(post)
    ends = Counter(_end(post, life) for life in lives)
    print(dict(ends), len(system.sent), "sent")
    assert ends["lost"] == 0, next(life for life in lives if _end(post, life) == "lost")
    assert ends["there"] > RUNS // 2


def _born(world: World) -> Life:
    life = Life(serial(), "")
    life.task = world.push(life.document()).json()["referrals"][0]["reference"]
    return life


def _happens(life: Life, world: World, rng: random.Random) -> None:
    if life.over:
        return
    drawn = rng.random()
    if drawn < 0.7:
        life.correct(world, rng)
    elif drawn < 0.85:
        life.retract(world)
    else:
        life.withdraw(world)


def _each_was_sealed(post: Post) -> None:
    """Every byte that left has an entry: as many tries of each delivery as were sent, or more where one was killed."""
    kinds = {Event.REFERRAL_DELIVERED, Event.REFERRAL_RECALLED}
    tries = Counter((one.detail or {})["delivery"] for one in sealed(post.world) if one.event in kinds)
    sent = Counter(id_ for id_, _, _ in post.system.sent)
    assert sent <= tries
    assert len({(id_, body) for id_, body, _ in post.system.sent}) == len(sent)  # one id, one message


def _end(post: Post, life: Life) -> str:
    """Where a referral ended: there as it should be, in front of a human, or lost."""
    held = post.system.holds(life.task)
    if _right(held, life):
        return "there" if held is not None else "gone"
    of = tables.notice
    query = select(of.c.id).where(
        of.c.referral_id == life.task, of.c.kind == Kind.UNDELIVERED.value, of.c.acknowledged_at.is_(None)
    )
    with post.world.services.database.reading() as connection:
        told = connection.execute(query).all()
    newest = post.rows(life.task)[-1]
    return "human" if told and newest.given_up_at is not None else "lost"


def _right(held: Any, life: Life) -> bool:
    if life.over:
        return held is None
    return (
        held is not None and held["grade"] == life.grade.lower() and f'"{life.street}"' in orjson.dumps(held).decode()
    )
