"""The command line's group `governance`: what waits, the one due first at the top, and looking is sealed."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import update
from typer.testing import CliRunner

from gateway.cli import app
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from gateway.evidence import Event
from gateway.store import tables
from tests.journeys.support import pushed, sealed, serial
from tests.journeys.test_repeats import doubtful
from tests.support.world import World, copy_template, open_world, settings_for

REFUSED = 1


@pytest.fixture
def folder(prepared_world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data of a gateway with one hold, one emergency and its notices, and nobody serving."""
    copy_template(prepared_world, tmp_path / "data", with_database=True)
    world = _open(tmp_path / "data")
    world.push(incident(serial(), consent="REFUSED"))
    _, task = pushed(world)
    world.hospital.post(f"/team/v1/referrals/{task}/consent", json={"state": "withdrawn"})
    world.hospital.post(f"/team/v1/referrals/{task}/break-glass", json={"ground": "life-or-limb", "reason": "words"})
    doubtful(world, "Marlowe", "1962-02-12")
    with world.services.database.writing() as connection:
        connection.execute(update(tables.break_glass).values(review_due="2026-01-01T00:00:00.000Z"))
    world.close()
    monkeypatch.setenv("GATEWAY_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("GATEWAY_PUBLIC_URL", "https://gateway.test")
    return tmp_path / "data"


def _open(folder: Path) -> World:
    return open_world(settings_for(folder))


def test_everything_that_waits_is_listed_the_late_first_and_looking_is_sealed(folder: Path) -> None:
    result = CliRunner().invoke(app, ["governance", "waiting", LOG])
    assert result.exit_code == 0, result.output
    rows = [line.split("\t") for line in result.output.splitlines()]
    assert {row[2] for row in rows} == {"hold", "break-glass", "match", "notice"}
    assert (rows[0][1], rows[0][2]) == ("LATE", "break-glass")
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    assert "Ashdown" not in result.output
    late = CliRunner().invoke(app, ["governance", "waiting", LOG, "--overdue"])
    assert [line.split("\t")[2] for line in late.output.splitlines()] == ["break-glass"]
    world = _open(folder)
    assert [one.event for one in sealed(world)][-2:] == [Event.REVIEWS_READ] * 2
    world.close()


def test_an_agreement_nobody_drafted_has_nothing(folder: Path) -> None:
    assert folder.exists()
    assert CliRunner().invoke(app, ["governance", "waiting", "no-such-agreement"]).exit_code == REFUSED
