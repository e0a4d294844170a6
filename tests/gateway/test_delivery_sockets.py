"""Referrals over real sockets, to an integration engine that hangs, resets, refuses, and answers as it likes.

The channel is the one that is served (`mllp`); the waits between tries are the test's.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from gateway.delivery.courier import Courier
from gateway.delivery.endpoints import RemoveEndpoint
from gateway.demo.run import LOG
from gateway.mllp.channel import Mllp
from gateway.notices import Kind
from gateway.store import tables
from tests.gateway.delivery_engine import serving
from tests.gateway.delivery_support import endpoint_unit, finding
from tests.journeys.support import pushed, world_on
from tests.support.world import World

REFERRALS = 36
DEADLINE_SECONDS = 0.25  # of a try; what hangs costs as much
ROUNDS, CALM = 30, 4


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A world of its own."""
    with world_on("sqlite", request, tmp_path / "world") as opened:
        yield opened


def test_over_real_sockets_each_referral_is_there_once_or_in_front_of_a_human(world: World, seed: int) -> None:
    print(f"seed {seed}")
    channel, now = Mllp(None, None, "T"), datetime.now(UTC)
    journal = world.services.journals.of(LOG)
    with serving(random.Random(seed)) as engine:
        endpoint = journal.submit_and_wait(endpoint_unit(world, channel, address=engine.address)).value
        courier = Courier(world.services, finding(channel), clock=lambda: now, deadline_seconds=DEADLINE_SECONDS)
        try:
            tasks = [pushed(world)[1] for _ in range(REFERRALS)]
            for number in range(ROUNDS):
                engine.always = "AA" if number >= ROUNDS - CALM else None
                now += timedelta(minutes=25)
                courier.round(now)
                courier.wait()
        finally:
            courier.close()
        of, told_of = tables.delivery, tables.notice
        undelivered = (told_of.c.kind == Kind.UNDELIVERED.value) & told_of.c.acknowledged_at.is_(None)
        with world.services.database.reading() as connection:
            rows = list(connection.execute(select(of).where(of.c.endpoint_id == endpoint)))
            told = set(connection.execute(select(told_of.c.referral_id).where(undelivered)).scalars())
        journal.submit_and_wait(RemoveEndpoint(endpoint, world.services.standing(LOG)))
    print(dict(engine.did), len(engine.sent), "sent")
    assert sorted(one.referral_id for one in rows) == sorted(tasks)
    arrived = [one for one in rows if one.acknowledged_at is not None]
    assert all(one in arrived or (one.given_up_at and one.referral_id in told) for one in rows)
    assert len(arrived) > REFERRALS // 2
    assert set(engine.taken.values()) == {1}
    assert len(arrived) <= len(engine.taken) <= REFERRALS
    assert len({body for _, body in engine.sent}) == len({control for control, _ in engine.sent})  # one id, one message
