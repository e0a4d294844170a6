"""The command line's group `evaluation`: files of a report, sealed, and what is refused."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.cli import app
from gateway.demo.run import LOG
from tests.journeys.support import pushed
from tests.support.world import URL, copy_template, open_world, settings_for

DONE, REFUSED, MISUSED = 0, 1, 2


def run(*words: str, ends: int = DONE) -> Result:
    result = CliRunner().invoke(app, ["evaluation", *words])
    assert result.exit_code == ends, result.output + result.stderr + repr(result.exception)
    return result


@pytest.fixture
def folder(prepared_world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data of a gateway that six incidents of a known day were pushed to."""
    data = tmp_path / "data"
    copy_template(prepared_world, data, with_database=True)
    monkeypatch.setenv("GATEWAY_DATA_DIR", str(data))
    monkeypatch.setenv("GATEWAY_PUBLIC_URL", URL)
    world = open_world(settings_for(data))
    for _ in range(6):
        pushed(world)
    world.close()
    return data


def test_the_report_is_written_as_files_and_sealed(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    period = ("--from", "2026-04-01", "--until", "2026-07-01")
    baseline = tmp_path / "before.toml"
    baseline.write_text(
        '[[published]]\nfigure = "reached"\nwhen = "before"\nper_cent = 12.5\nwords = "In 2025"\nsource = "=Our own"\n'
    )
    said = run("report", LOG, *period, "--out", str(out), "--baseline", str(baseline)).output.splitlines()
    stem = f"{LOG}-evaluation-2026-04-01-2026-07-01"
    assert said == [str(out / Path(one).name) for one in said]
    names = {Path(one).name for one in said}
    kinds = {
        ".html",
        ".pdf",
        ".json",
        ".fhir.json",
        "-summary.csv",
        "-referred.csv",
        "-engaged.svg",
        "-definitions.csv",
    }
    assert {f"{stem}{kind}" for kind in kinds} <= names
    rows = list(csv.reader((out / f"{stem}-referred.csv").read_text().splitlines()))
    assert rows[0] == ["Area", "2026 Q2", "Total"]
    assert rows[1] == ["Blackpool", "6", "6"]
    shares = list(csv.reader((out / f"{stem}-reached.csv").read_text().splitlines()))
    assert shares[:2] == [["Area", "Quarter", "Number", "Of", "Per cent"], ["Blackpool", "2026 Q2", "0", "6", "0.0"]]
    compared = (out / f"{stem}-before-and-after.csv").read_text()
    assert "12.5 %" in compared
    assert "'=Our own" in compared, "no spreadsheet takes it for a formula"
    world = open_world(settings_for(folder))
    entry = world.entries()[-1].entry()
    world.close()
    assert (entry.event, entry.actor.client) == ("report-made", "gateway")
    what = {"what": "evaluation", "from": "2026-04-01", "until": "2026-07-01", "revision": 1}
    assert what.items() <= (entry.detail or {}).items()


@pytest.mark.parametrize(
    ("words", "ends", "says"),
    [
        (("report", "nothing-here"), REFUSED, "there is no log"),
        (("report", "operator"), REFUSED, "no agreement is in force"),
        (("report", LOG, "--from", "2026-04-02", "--until", "2026-07-01"), MISUSED, "first day of"),
        (("report", LOG, "--from", "2026-04-01"), MISUSED, "an end"),
        (("report", LOG, "--baseline", "none.toml"), REFUSED, "no such file"),
    ],
)
def test_what_is_no_report_is_refused_in_words(
    folder: Path, tmp_path: Path, words: tuple[str, ...], ends: int, says: str
) -> None:
    del folder
    result = run(*words, "--out", str(tmp_path / "out"), ends=ends)
    assert says in " ".join((result.output + result.stderr).replace("│", " ").split())


def test_loading_into_nothing_is_refused_in_words(folder: Path) -> None:
    keys = folder / "clients"
    words = ("--url", "http://127.0.0.1:1", "--police", "demo-rms", "--police-key", str(keys / "demo-rms.pem"))
    team = ("--team", "demo-hospital", "--team-key", str(keys / "demo-hospital.pem"))
    assert "gateway: " in run("load", *words, *team, "--victims", "5", ends=REFUSED).stderr
    assert run("load", *words, *team, "--victims", "5000", ends=MISUSED)
