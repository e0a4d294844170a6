"""Memory and work of the heaviest inputs are bounded by what was sent, whatever it says it is."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.hostile import bounded
from tests.hostile.bounded import HEAVY_BYTES
from tests.support.forked import Forked
from tests.support.world import copy_template

MOST_KIB = 96 * 1024  # for one document of at most a MiB; a megabyte of quotation marks is 58 MiB of a pattern's marks
CALLS_PER_BYTE = 8
CALLS_OF_A_DOCUMENT = 60_000  # what a good one of a few KiB costs, with what is loaded once


@pytest.fixture(scope="module")
def costs(prepared_world: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What each heavy input cost, in a process that can take no more than is set for it."""
    folder = tmp_path_factory.mktemp("bounded") / "world"
    copy_template(prepared_world, folder, with_database=True)
    said = folder / "said"
    ended = Forked(bounded.main, [str(folder)], os.environ, said).wait()
    assert ended == 0, said.read_text()[-2000:]
    return [json.loads(line) for line in said.read_text().splitlines() if line.startswith('{"name": ')]


def test_the_heaviest_are_there(costs: list[dict[str, Any]]) -> None:
    assert len(costs) > 30
    assert [one["name"] for one in costs if one["status"] != one["expected"]] == []
    assert max(one["bytes"] for one in costs) > HEAVY_BYTES


def test_no_input_takes_more_memory_than_a_document_may(costs: list[dict[str, Any]]) -> None:
    assert {one["name"]: one["kib"] for one in costs if one["kib"] > MOST_KIB} == {}


def test_no_input_makes_more_work_than_its_length(costs: list[dict[str, Any]]) -> None:
    most = {one["name"]: one["calls"] / (CALLS_OF_A_DOCUMENT + CALLS_PER_BYTE * one["bytes"]) for one in costs}
    assert {name: share for name, share in most.items() if share > 1} == {}
