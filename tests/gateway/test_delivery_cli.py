"""The command line's group `endpoint`: what is registered, declared and removed, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.demo.run import LOG
from gateway.evidence import Event
from tests.journeys.support import pushed, sealed
from tests.support.world import World, copy_template, open_world, settings_for

REFUSED = 1
ADD = ("endpoint", "add", "demo-hospital", "--channel", "mllp", "--person", "idva-0042")
AT = ("--address", "mllp://127.0.0.1:2575", "--agreement", LOG)


@pytest.fixture
def folder(prepared_world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data of a gateway that nobody serves."""
    copy_template(prepared_world, tmp_path / "data", with_database=True)
    monkeypatch.setenv("GATEWAY_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("GATEWAY_PUBLIC_URL", "https://gateway.test")
    return tmp_path / "data"


def _open(folder: Path) -> World:
    return open_world(settings_for(folder))


def _run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.output


def test_a_system_is_added_listed_declared_and_removed_and_each_is_sealed(folder: Path) -> None:
    code, said = _run(*ADD, *AT, "--hides-from-online-access", "--option", "application=TIE")
    assert code == 0, said
    id_ = said.removeprefix("added ").strip()
    world = _open(folder)
    pushed(world)
    world.close()
    code, said = _run("endpoint", "list")
    assert (code, said.split("\t")[0]) == (0, id_)
    assert "1 waiting" in said
    assert "hidden from online access" in said
    assert _run("endpoint", "declare", id_, "--agreement", LOG, "--shows-in-online-access")[0] == 0
    assert "SHOWN IN ONLINE ACCESS" in _run("endpoint", "list")[1]
    assert "1 deliveries" in _run("endpoint", "remove", id_, "--agreement", LOG)[1]
    assert _run("endpoint", "list") == (0, "")
    world = _open(folder)
    events = [one.event for one in sealed(world)]
    world.close()
    assert [one for one in events if one.startswith("endpoint-")] == [
        Event.ENDPOINT_ADDED,
        Event.ENDPOINT_DECLARED,
        Event.ENDPOINT_REMOVED,
    ]


def test_a_system_that_shows_what_it_is_given_is_noted_as_such(folder: Path) -> None:
    assert folder.exists()
    code, said = _run(*ADD, *AT, "--shows-in-online-access")
    assert code == 0
    assert "nothing is delivered" in said


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((*ADD, *AT), 2),  # nobody says what it declares
        ((*ADD, *AT, "--hides-from-online-access", "--option", "ca"), REFUSED),
        ((*ADD, *AT, "--hides-from-online-access", "--option", "ca=@/nothing/there"), REFUSED),
        ((*ADD, *AT, "--hides-from-online-access", "--option", "pigeon=grey"), REFUSED),
        ((*ADD, "--address", "https://elsewhere", "--agreement", LOG, "--hides-from-online-access"), REFUSED),
        ((*ADD, "--address", "mllp://127.0.0.1", "--agreement", "none", "--hides-from-online-access"), REFUSED),
        (("endpoint", "remove", "none", "--agreement", LOG), REFUSED),
        (("endpoint", "declare", "none", "--agreement", LOG, "--hides-from-online-access"), REFUSED),
    ],
)
def test_what_cannot_be_is_refused(folder: Path, arguments: tuple[str, ...], code: int) -> None:
    assert folder.exists()
    assert _run(*arguments)[0] == code
    assert _run("endpoint", "list") == (0, "")
