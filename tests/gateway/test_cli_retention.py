"""The command line's group `retention`: what it shows, does and refuses, over a gateway that has served before."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from typer.testing import CliRunner, Result

from audit.entry import timestamp
from gateway.cli import app
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from gateway.evidence import Event
from gateway.retention.sweep import sweep
from gateway.store import tables
from gateway.web.leaving import Server
from tests.journeys.support import serial
from tests.support.world import URL, World, copy_template, open_world, settings_for

DONE, REFUSED, MISUSED = 0, 1, 2


class Shell:
    """An operator beside a gateway's data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *words: str, ends: int = DONE) -> Result:
        result = CliRunner().invoke(app, ["retention", *words])
        assert result.exit_code == ends, result.output + result.stderr + repr(result.exception)
        return result

    def world(self) -> World:
        return open_world(settings_for(self.folder))

    def pushed(self) -> tuple[str, str]:
        """An incident that was closed and received long ago; returns its reference and its referral's."""
        world = self.world()
        body = world.push(incident(serial())).json()
        long_ago = timestamp(datetime.now(UTC) - timedelta(days=100))
        with world.services.database.writing() as connection:
            connection.execute(update(tables.referral).values(closed_at=long_ago))
            connection.execute(update(tables.record).values(received_at=long_ago))
        world.close()
        return body["incident"], body["referrals"][0]["reference"]

    def events(self) -> list[str]:
        world = self.world()
        found = [one.entry().event for one in world.entries()]
        world.close()
        return found

    def erased(self, reference: str) -> bool:
        world = self.world()
        with world.services.database.reading() as connection:
            query = select(tables.record.c.erased_at).where(tables.record.c.id == reference)
            found = connection.execute(query).scalar_one()
        world.close()
        return found is not None


@pytest.fixture
def shell(prepared_world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    folder = tmp_path / "data"
    copy_template(prepared_world, folder, with_database=True)
    monkeypatch.setenv("GATEWAY_DATA_DIR", str(folder))
    monkeypatch.setenv("GATEWAY_PUBLIC_URL", URL)
    return Shell(folder)


def test_due_counts_by_agreement_and_class(shell: Shell) -> None:
    shell.pushed()
    lines = [line.split("\t") for line in shell("due").output.splitlines()]
    assert [LOG, "record", "1 due", "0 on hold"] in lines
    assert {line[1] for line in lines} == {"record", "feedback", "quarantine"}


def test_a_dry_run_erases_nothing_and_a_sweep_does(shell: Shell) -> None:
    reference, _ = shell.pushed()
    assert f"{LOG}\trecord\t1 due" in shell("sweep", "--dry-run").output
    assert not shell.erased(reference)
    assert f"{LOG}\trecord\t1 erased" in shell("sweep").output
    assert shell.erased(reference)
    assert Event.RECORD_ERASED in shell.events()
    assert shell("sweep").output == "nothing was due\n"


def test_a_gateway_that_serves_sweeps_by_itself(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    reference, _ = shell.pushed()
    swept = threading.Event()

    def sweeping(*arguments: Any) -> Any:
        done = sweep(*arguments)
        swept.set()
        return done

    def serving(server: Server) -> None:
        server.started = swept.wait(30)

    monkeypatch.setattr("gateway.duties.sweep", sweeping)
    monkeypatch.setattr("gateway.logs.configure", lambda: None)  # the log of this process is not the test's to set up
    monkeypatch.setattr("gateway.web.leaving.Server.run", serving)
    result = CliRunner().invoke(app, ["serve"])
    assert result.exit_code == DONE, repr(result.exception)
    assert swept.is_set()
    assert shell.erased(reference)


def test_a_hold_is_placed_on_a_case_shown_and_lifted(shell: Shell) -> None:
    reference, case = shell.pushed()
    placed = shell("hold", case, "--ground", "dardr", "--authority", "csp-2026/7", "--by", "op-1").output
    hold_id = placed.split()[-1]
    assert placed == f"held {reference} as {hold_id}\n"
    shell("sweep")
    assert not shell.erased(reference)
    assert f"{LOG}\trecord\t0 due\t1 on hold" in shell("due").output
    row = shell("list").output.strip().split("\t")
    assert row[:6] == [hold_id, LOG, reference, "dardr", "csp-2026/7", "op-1"]
    assert Event.LOG_READ in shell.events()
    shell("lift", hold_id, "--by", "op-1")
    assert shell("list").output == ""
    shell("sweep")
    assert shell.erased(reference)


def test_what_cannot_be_held_or_lifted_is_refused_with_the_reason(shell: Shell) -> None:
    reference, _ = shell.pushed()
    order = ("--ground", "court", "--authority", "x")
    assert "no such incident" in shell("hold", "nothing", *order, ends=REFUSED).stderr
    assert "no such hold" in shell("lift", "nothing", ends=REFUSED).stderr
    shell("sweep")
    assert "erased" in shell("hold", reference, *order, ends=REFUSED).stderr


@pytest.mark.parametrize(
    "words",
    [
        ("hold", "x", "--ground", "curiosity", "--authority", "x"),
        ("hold", "x", "--ground", "court", "--authority", "HM Coroner, by telephone"),
        ("hold", "x", "--ground", "court", "--authority", "x", "--by", "Jo Bloggs"),
        ("lift", "x", "--by", "Jo Bloggs"),
    ],
)
def test_words_where_a_code_belongs_are_a_wrong_use(shell: Shell, words: tuple[str, ...]) -> None:
    """Grounds, authorities and staff ids stand in the log, where free text has no place."""
    shell(*words, ends=MISUSED)
