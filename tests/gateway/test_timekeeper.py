"""The timekeeper: jobs at their turn, by the clock it is given; one that fails stops no other."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import OperationalError

from gateway.duties import jobs
from gateway.services import Services
from gateway.timekeeper import IDLE, Job, Timekeeper

NOON = datetime(2026, 4, 12, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ONE_ENGINE = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


def job(name: str, minutes: int, ran: list[tuple[str, datetime]]) -> Job:
    return Job(name, minutes * MINUTE, lambda now: ran.append((name, now)))


def test_a_job_runs_at_once_and_then_at_its_interval() -> None:
    ran: list[tuple[str, datetime]] = []
    keeper = Timekeeper([job("often", 5, ran), job("seldom", 60, ran)])
    assert keeper.tick(NOON) == 5 * MINUTE
    assert ran == [("often", NOON), ("seldom", NOON)]
    assert keeper.tick(NOON + 4 * MINUTE) == MINUTE
    assert len(ran) == 2
    keeper.tick(NOON + 5 * MINUTE)
    assert ran[2:] == [("often", NOON + 5 * MINUTE)]


def test_a_job_that_was_late_does_not_run_twice_for_it() -> None:
    ran: list[tuple[str, datetime]] = []
    keeper = Timekeeper([job("often", 5, ran)])
    for minutes in (0, 60, 61):
        keeper.tick(NOON + minutes * MINUTE)
    assert [at for _, at in ran] == [NOON, NOON + 60 * MINUTE]


def test_a_clock_set_back_does_not_keep_a_job_waiting() -> None:
    ran: list[tuple[str, datetime]] = []
    keeper = Timekeeper([job("often", 5, ran)])
    keeper.tick(NOON)
    keeper.tick(NOON - timedelta(days=365))
    assert len(ran) == 2


def test_a_job_that_fails_is_said_and_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    """By the name of the error alone: its message may hold anything."""
    ran: list[tuple[str, datetime]] = []

    def fails(_: datetime) -> None:
        raise OperationalError("SELECT Ashdown", None, Exception("Ashdown"))

    keeper = Timekeeper([Job("fails", MINUTE, fails), job("other", 1, ran)])
    with caplog.at_level(logging.ERROR, logger="gateway"):
        keeper.tick(NOON)
        keeper.tick(NOON + MINUTE)
    assert len(ran) == 2
    said = [record.__dict__["fields"] for record in caplog.records]
    assert said == 2 * [{"job": "fails", "error": "OperationalError"}]


def test_a_job_of_much_work_goes_on_at_once_behind_the_others() -> None:
    ran: list[str] = []

    def much(_: datetime) -> bool:
        ran.append("much")
        return len(ran) < 4

    keeper = Timekeeper([Job("much", MINUTE, much), Job("other", MINUTE, lambda _: ran.append("other"))])
    assert keeper.tick(NOON) == timedelta()
    assert keeper.tick(NOON) == timedelta()
    assert keeper.tick(NOON) == MINUTE
    assert ran == ["much", "other", "much", "much"]


def test_it_does_not_begin_another_job_when_it_is_being_closed() -> None:
    ran: list[tuple[str, datetime]] = []
    keeper = Timekeeper([])
    keeper.jobs = [Job("ends", MINUTE, lambda _: keeper.close()), job("other", 1, ran)]
    keeper.tick(NOON)
    assert ran == []


def test_without_jobs_it_waits() -> None:
    assert Timekeeper([]).tick(NOON) == IDLE


def test_it_keeps_time_in_a_thread_until_it_is_closed() -> None:
    ran = threading.Event()
    keeper = Timekeeper([Job("once", timedelta(hours=1), lambda _: ran.set())])
    keeper.start()
    assert ran.wait(10)
    keeper.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "timekeeper"]


@ONE_ENGINE
def test_every_duty_of_a_gateway_runs_where_there_is_nothing_to_do(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    keeper = Timekeeper(jobs(services))
    with caplog.at_level(logging.WARNING, logger="gateway"):
        keeper.tick(datetime.now(UTC))
    assert caplog.records == []
    assert len({job.name for job in keeper.jobs}) == len(keeper.jobs)
