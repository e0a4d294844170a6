"""Worlds for the journeys: one for each module and engine, because preparing one costs more than most tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.journeys.support import world_on
from tests.support.world import World


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The agreement in force and three clients, on both engines, shared by a module."""
    with world_on(request.param, request, tmp_path_factory.mktemp("journey") / "world") as opened:
        yield opened
