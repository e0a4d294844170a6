"""Whatever is sent, no cell of a table that the gateway writes begins as a formula does."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest

from gateway.demo.run import LOG
from tests.hostile.formats import BATCHES, INCIDENTS, NDJSON
from tests.journeys.support import add_client, like, world_on
from tests.support.world import World

FORMULAS = ("=cmd|'/c calc'!A0", "+1+1", "-2+3", "@SUM(1,1)", "\t=1", "\r=1", "\n=1", '=HYPERLINK("http://192.0.2.1")')
BEGIN = ("=", "+", "-", "@", "\t", "\r", "\n")


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_on("sqlite", request, tmp_path_factory.mktemp("exports") / "world") as opened:
        yield opened


def cells(text: str) -> Iterator[str]:
    for row in csv.reader(io.StringIO(text, newline=""), strict=True):
        yield from row


def formulas(text: str) -> list[str]:
    """The cells that a spreadsheet would reckon with; a number is a number."""
    return [cell for cell in cells(text) if cell.startswith(BEGIN) and not cell.lstrip("-").isdecimal()]


@pytest.mark.parametrize("formula", FORMULAS)
def test_the_rows_of_a_batch(world: World, formula: str) -> None:
    """A name of a document stands in a path, which stands in the table."""
    client = add_client(world, "rms-athena", **like("demo-rms", profiles=("athena",)))
    name = formula.replace('"', '\\"').replace("\t", "\\t").replace("\r", "\\r").replace("\n", "\\n")
    body = f'{{"{name}": 1, "{name}": 2}}\n{{"{name}": NaN}}\n'
    answer = client.post(BATCHES, content=body.encode(), headers={"Content-Type": NDJSON})
    text = client.get(f"{answer.headers['Location']}/rows", headers={"Accept": "text/csv"}).text
    assert "duplicate-key" in text
    assert formulas(text) == []


@pytest.mark.parametrize("formula", FORMULAS[:4])
def test_the_log_for_an_inspector(world: World, formula: str) -> None:
    """What a caller says of itself and of its request is a code, or is not there."""
    headers = {"X-Request-Id": formula, "X-Correlation-Id": formula, "Content-Type": formula, "User-Agent": formula}
    assert world.police.post(INCIDENTS, content=formula.encode(), headers=headers).status_code == 415
    text = world.auditor.get(f"/audit/v1/logs/{LOG}/export?format=csv").text
    assert formulas(text) == []
    assert formula not in text
