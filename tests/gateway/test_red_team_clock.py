"""A machine's clock that ran ahead and was set right: the log's time stays ahead, and nobody waits for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import orjson
import pytest
from sqlalchemy import Row, select

from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from gateway.duties import keep_clocks
from gateway.store import tables
from tests.journeys.support import sealed, serial
from tests.support.world import World

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)

HOUR = timedelta(hours=1)


class Skew:
    """The clock of the agreement's journal, off by as much as is said."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.off = timedelta()
        monkeypatch.setattr(world.services.journals.of(LOG), "_clock", lambda: datetime.now(UTC) + self.off)


@pytest.fixture
def skew(demo: World, monkeypatch: pytest.MonkeyPatch) -> Skew:
    return Skew(demo, monkeypatch)


def push(world: World) -> dict[str, object]:
    """The first referral that comes of a high-risk incident."""
    body = orjson.dumps(incident(serial()))
    answer = world.police.post(
        "/police/v1/incidents", content=body, headers={"Content-Type": "application/vnd.api+json"}
    )
    assert answer.status_code == 201, answer.text
    (first, *_) = answer.json()["referrals"]
    return dict(first)


def clocks(world: World, referral: object) -> list[Row[tuple[str, ...]]]:
    timer = tables.case_timer.c
    with world.services.database.reading() as connection:
        return list(connection.execute(select(tables.case_timer).where(timer.referral_id == referral)))


def test_nobody_has_more_time_because_a_clock_once_ran_ahead(demo: World, skew: Skew) -> None:
    """An hour to take up a high-risk referral is an hour, not six."""
    skew.off = 5 * HOUR
    push(demo)
    skew.off = timedelta()
    referral = push(demo)
    soon = datetime.now(UTC) + HOUR
    assert abs(datetime.fromisoformat(str(referral["respond_by"])) - soon) < timedelta(minutes=5)
    (first,) = (one for one in clocks(demo, referral["reference"]) if one.kind == "acknowledge")
    assert abs(datetime.fromisoformat(first.due_at) - soon) < timedelta(minutes=5)
    keep_clocks(demo.services)
    (now,) = (one for one in clocks(demo, referral["reference"]) if one.kind == "acknowledge")
    assert now.fired_at is None  # nor has it run out by the log's time
    skew.off = HOUR + timedelta(minutes=1)
    keep_clocks(demo.services)
    (then,) = (one for one in clocks(demo, referral["reference"]) if one.kind == "acknowledge")
    assert then.fired_at is not None


def test_an_agreement_in_force_decides_though_the_log_has_been_past_its_end(demo: World, skew: Skew) -> None:
    skew.off = timedelta(days=20 * 365)
    demo.police.post("/police/v1/incidents", content=b"{}", headers={"Content-Type": "application/vnd.api+json"})
    skew.off = timedelta()
    assert push(demo)["respond_by"]
    assert demo.hospital.get("/fhir/R4/Task").json()["total"] > 0
    times = [one.time for one in sealed(demo)]
    assert all(one <= other for one, other in pairwise(times))
    assert times[-1] > "2040"
