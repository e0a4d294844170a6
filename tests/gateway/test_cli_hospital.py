"""The command line's group `hospital`: what it lists and writes out, and what it refuses; each look is sealed."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.chance import fresh_id
from gateway.cli import app
from gateway.demo.run import LOG
from gateway.evidence import Event
from tests.journeys.hospital_channels import asked, send
from tests.journeys.support import pushed
from tests.support.world import URL, World, copy_template, open_world, settings_for


@pytest.fixture
def folder(prepared_world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A gateway's data, as a command finds it."""
    found = tmp_path / "data"
    copy_template(prepared_world, found, with_database=True)
    monkeypatch.setenv("GATEWAY_DATA_DIR", str(found))
    monkeypatch.setenv("GATEWAY_PUBLIC_URL", URL)
    return found


def world(folder: Path) -> World:
    return open_world(settings_for(folder))


def run(*words: str, ends: int = 0) -> Result:
    result = CliRunner().invoke(app, ["hospital", *words])
    assert result.exit_code == ends, result.output + result.stderr
    return result


def events(folder: Path) -> list[str]:
    opened = world(folder)
    found = [one.entry().event for one in opened.entries()]
    opened.close()
    return found


def test_what_waits_is_listed_without_anybodys_name_and_sealed(folder: Path) -> None:
    assert run("notices", LOG).stdout == "nothing waits\n"
    opened = world(folder)
    notice = send(opened, consent="refused").json()["identifier"]["value"]
    _, referral = pushed(opened)
    request = opened.police.post("/police/v1/information-requests", json=asked(referral)).json()["request"]
    opened.close()
    (line,) = run("notices", LOG).stdout.splitlines()
    assert line.split("\t")[0:2] == [notice, "open"]
    assert "Ashdown" not in line
    (line,) = run("requests", LOG).stdout.splitlines()
    assert line.split("\t")[0:2] == [request, "open"]
    assert events(folder).count(Event.HOSPITAL_NOTICE_SEEN.value) == 2
    assert Event.INFORMATION_REQUEST_READ.value in events(folder)


def test_what_police_ask_is_written_out_for_a_reason_to_a_file_of_ones_own(folder: Path, tmp_path: Path) -> None:
    opened = world(folder)
    _, referral = pushed(opened)
    request = opened.police.post("/police/v1/information-requests", json=asked(referral)).json()["request"]
    opened.close()
    out = tmp_path / "request.json"
    run("request", LOG, request, "--content", str(out), "--reason", "handed-to-the-guardian")
    assert b"nobody else was there" in out.read_bytes()
    assert out.stat().st_mode & 0o077 == 0
    opened = world(folder)
    (entry,) = [e for e in (o.entry() for o in opened.entries()) if e.reason == "handed-to-the-guardian"]
    opened.close()
    assert entry.event == Event.INFORMATION_REQUEST_READ.value
    run("request", LOG, request, "--content", str(out), "--reason", "again", ends=1)
    run("request", LOG, fresh_id(), "--content", str(tmp_path / "none"), "--reason", "again", ends=1)
    run("request", LOG, request, "--content", str(tmp_path / "none"), "--reason", "Not a code", ends=2)
