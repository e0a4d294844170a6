"""A process that is stopped says so to proxies before it goes."""

from __future__ import annotations

import signal
import time

import httpx
import uvicorn
from fastapi import FastAPI

from gateway.web.leaving import Server, is_leaving
from tests.support.world import World

SHORT = 0.05
DEADLINE_SECONDS = 10


def test_it_goes_on_for_a_while_after_the_first_signal_and_then_ends() -> None:
    app = FastAPI()
    server = Server(app, uvicorn.Config(app), SHORT)
    server.handle_exit(signal.SIGTERM, None)
    assert is_leaving(app)
    assert not server.should_exit
    until = time.monotonic() + DEADLINE_SECONDS
    while not server.should_exit:
        assert time.monotonic() < until
        time.sleep(SHORT)


def test_a_second_signal_ends_it_at_once() -> None:
    app = FastAPI()
    server = Server(app, uvicorn.Config(app), DEADLINE_SECONDS)
    for _ in range(2):
        server.handle_exit(signal.SIGTERM, None)
    assert server.should_exit


def test_an_interrupt_ends_it_at_once_and_so_does_a_signal_where_nobody_is_to_be_waited_for() -> None:
    for number, seconds in ((signal.SIGINT, DEADLINE_SECONDS), (signal.SIGTERM, 0)):
        app = FastAPI()
        server = Server(app, uvicorn.Config(app), seconds)
        server.handle_exit(number, None)
        assert server.should_exit
        assert not is_leaving(app)


def test_whoever_asks_is_told_that_it_is_not_ready_and_is_answered_all_the_same(demo: World) -> None:
    demo.app.state.leaving = True
    try:
        told = demo.police.http.get("/health/ready")
        assert (told.status_code, told.json()["check"]) == (httpx.codes.SERVICE_UNAVAILABLE, "leaving")
        assert demo.police.http.get("/health/live").is_success
        assert demo.police.get("/police/v1/feedback").is_success
    finally:
        del demo.app.state.leaving
