"""The command line's group `on-call`: who is on call for a team, by the team's own rules, and sealed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.casework.rota import on_call_for
from gateway.cli import app
from gateway.demo.run import LOG
from gateway.evidence import Event
from gateway.london import LONDON
from tests.journeys.support import sealed
from tests.support.world import World, copy_template, open_world, settings_for

REFUSED, WRONG = 1, 2
SOON = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
TIMES = ("--from", SOON.isoformat(), "--until", (SOON + timedelta(hours=14)).isoformat())
BY = ("--by", "idva-0042")


@pytest.fixture
def folder(prepared_world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data of a gateway, and nobody serving."""
    copy_template(prepared_world, tmp_path / "data", with_database=True)
    monkeypatch.setenv("GATEWAY_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("GATEWAY_PUBLIC_URL", "https://gateway.test")
    return tmp_path / "data"


def run(*words: str) -> Result:
    """A command of the group, for the advisers' team unless it names its own."""
    return CliRunner().invoke(app, ["on-call", *words])


def opened(folder: Path) -> World:
    return open_world(settings_for(folder))


def test_somebody_is_put_on_call_shown_and_taken_off(folder: Path) -> None:
    added = run("add", LOG, "idva-team", "idva-0043", *TIMES, *BY)
    assert added.exit_code == 0, added.output
    duty = added.output.strip()
    listed = run("list", LOG, "idva-team", *BY)
    id_, starts, ends, person = listed.output.strip().split("\t")
    assert (id_, person) == (duty, "idva-0043")
    assert datetime.fromisoformat(starts) == SOON
    assert datetime.fromisoformat(ends) == SOON + timedelta(hours=14)
    world = opened(folder)
    with world.services.database.reading() as connection:
        at = SOON + timedelta(hours=1)
        assert on_call_for(connection, LOG, "RXL", "idva-team", at) == "idva-0043"
    world.close()
    assert run("remove", LOG, "idva-team", duty, *BY).output.strip() == f"removed {duty}"
    assert run("list", LOG, "idva-team", *BY).output.strip() == "nobody is on call"
    world = opened(folder)
    entries = sealed(world)[-4:]
    assert [one.event for one in entries] == [
        Event.ON_CALL_SET,
        Event.ON_CALL_READ,
        Event.ON_CALL_REMOVED,
        Event.ON_CALL_READ,
    ]
    assert {(one.actor.client, one.actor.organisation, one.actor.user) for one in entries} == {
        ("gateway", "RXL", "idva-0042")
    }
    world.close()


def test_a_time_without_an_offset_is_the_time_in_london(folder: Path) -> None:
    assert folder.exists()
    evening = SOON.astimezone(LONDON).replace(hour=18, minute=0, second=0, tzinfo=None)
    until = (evening + timedelta(hours=3)).isoformat()
    assert (
        run("add", LOG, "idva-team", "idva-0043", "--from", evening.isoformat(), "--until", until, *BY).exit_code == 0
    )
    starts = run("list", LOG, "idva-team", *BY).output.split("\t")[1]
    assert datetime.fromisoformat(starts).astimezone(LONDON).replace(tzinfo=None) == evening


def test_the_rota_of_one_team_is_none_of_anothers(folder: Path) -> None:
    assert folder.exists()
    duty = run("add", LOG, "idva-team", "idva-0043", *TIMES, *BY).output.strip()
    assert run("list", LOG, "uhmb-safeguarding", *BY).output.strip() == "nobody is on call"
    assert run("remove", LOG, "uhmb-safeguarding", duty, *BY).exit_code == REFUSED
    assert duty in run("list", LOG, "idva-team", *BY).output


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("list", "no-such-agreement", "idva-team", *BY), REFUSED),
        (("list", LOG, "no-such-team", *BY), REFUSED),
        (("remove", LOG, "idva-team", "no-such-time", *BY), REFUSED),
        (("add", LOG, "idva-team", "idva-0043", *TIMES[2:], "--from", TIMES[3], *BY), REFUSED),
        (("add", LOG, "idva-team", "idva-0043", "--from", "tonight", *TIMES[2:], *BY), WRONG),
        (("add", LOG, "idva-team", "two words", *TIMES, *BY), WRONG),
        (("add", LOG, "idva-team", "idva-0043", *TIMES, "--by", "two words"), WRONG),
        (("add", LOG, "idva-team", "idva-0043", *TIMES), WRONG),
    ],
)
def test_what_cannot_be_is_refused_in_words(folder: Path, words: tuple[str, ...], code: int) -> None:
    assert folder.exists()
    result = run(*words)
    assert result.exit_code == code
    assert result.output.strip()
    assert run("list", LOG, "idva-team", *BY).output.strip() == "nobody is on call"
