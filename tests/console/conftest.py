"""A world for each module of the console's tests: pages are the same on both engines; what is SQL asks for both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.demo.incidents import incident
from tests.journeys.support import world_on
from tests.support.browser import Chromium, Live, chromium_or_skip, live_over
from tests.support.world import World


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The agreement in force, its clients and its pages, shared by a module."""
    with world_on("sqlite", request, tmp_path_factory.mktemp("console") / "world") as opened:
        yield opened


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """One headless browser for the session."""
    browser = chromium_or_skip()
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def live(prepared_world: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The application on a port of loopback, with two referrals, shared by a module."""
    with live_over(prepared_world, tmp_path_factory.mktemp("live") / "world") as served:
        served.push(incident(1))
        served.push(incident(2, grade="STANDARD", town="Fleetwood", child=False))
        yield served
