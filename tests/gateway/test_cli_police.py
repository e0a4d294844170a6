"""`gateway police send`: a file of any length, streamed; counts, the rows to look at, and a code a script can use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from typer.testing import CliRunner, Result

from gateway.cli import app, police
from gateway.demo.client import Client
from gateway.demo.incidents import incident
from tests.journeys.support import serial
from tests.support.world import URL, Bridge, World


@pytest.fixture
def world(demo: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world that the command's own client reaches without a socket."""

    def connect(self: Client, _transport: httpx.BaseTransport | None) -> None:
        self.http = httpx.Client(transport=Bridge(demo.app, demo._runner), base_url=self.base_url)

    assert demo.police  # signed in before clients are made otherwise
    monkeypatch.setattr(Client, "__post_init__", connect)
    return demo


def lines(path: Path, *documents: Any) -> Path:
    path.write_bytes(b"".join((d if isinstance(d, bytes) else orjson.dumps(d)) + b"\n" for d in documents))
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["police", "send", *map(str, arguments)])


def send(world: World, file: Path, *more: str) -> Result:
    key = world.keys_dir / "demo-rms.pem"
    return run(file, "--url", URL, "--client", "demo-rms", "--key", key, *more)


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_counts_and_each_row_to_look_at_are_printed_without_a_value(world: World, tmp_path: Path) -> None:
    broken = incident(serial())
    broken["data"]["attributes"]["recordVersion"] = "Marianne"
    held = incident(serial(), consent="REFUSED")
    file = lines(tmp_path / "export.ndjson", incident(serial()), broken, b"", held, incident(serial()))
    result = send(world, file)
    assert result.exit_code == 1, result.output
    *rows, counts = result.stdout.splitlines()
    assert rows[0] == "row 2, line 2\tunreadable\tdata.attributes.recordVersion: not-readable"
    assert rows[1].startswith("row 3, line 4\theld\t")
    assert counts == "2 accepted, 1 held, 1 unreadable"
    assert "Marianne" not in result.output


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_file_whose_rows_are_all_kept_ends_well_and_again_is_known(world: World, tmp_path: Path) -> None:
    file = lines(tmp_path / "export.jsonl", incident(serial()), incident(serial(), consent="REFUSED"))
    first, second = send(world, file), send(world, file, "--idempotency-key", "night-7")
    assert (first.exit_code, first.stdout.splitlines()[-1]) == (0, "1 accepted, 1 held")
    assert (second.exit_code, second.stdout.splitlines()[-1]) == (0, "1 known, 1 held")


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_what_the_gateway_refuses_is_said_with_what_came_before(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited = world.services.settings.model_copy(update={"batch_max_rows": 1})
    monkeypatch.setitem(world.services.__dict__, "settings", limited)
    result = send(world, lines(tmp_path / "export.ndjson", b"{", incident(serial())))
    assert result.exit_code == 1
    assert "row 1, line 1\tunreadable" in result.stdout
    assert "413" in result.stderr
    csv = tmp_path / "export.csv"
    csv.write_text("a,b\n1,2\n")
    assert "415" in send(world, csv).stderr


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_connection_that_breaks_says_to_send_it_again(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = Client.post

    def breaks(self: Client, path: str, **options: Any) -> httpx.Response:
        if path.endswith("batches"):
            raise httpx.WriteError("reset")
        return really(self, path, **options)

    monkeypatch.setattr(Client, "post", breaks)
    result = send(world, lines(tmp_path / "export.ndjson", incident(serial())))
    assert result.exit_code == 1
    assert "send the file again" in result.stderr


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_gateway_or_a_key_that_is_not_there_is_another_code(world: World, tmp_path: Path) -> None:
    file = lines(tmp_path / "export.ndjson", incident(serial()))
    assert run(file, "--url", URL, "--client", "demo-rms", "--key", tmp_path / "no-key.pem").exit_code == 3
    key = world.keys_dir / "demo-rms.pem"
    refused = run(file, "--url", URL, "--client", "nobody", "--key", key)
    assert (refused.exit_code, "no token" in refused.stderr) == (1, True)


def test_a_gateway_nobody_listens_for_is_not_there(prepared_world: Path, tmp_path: Path) -> None:
    file = lines(tmp_path / "export.ndjson", incident(serial()))
    key = prepared_world / "clients" / "demo-rms.pem"
    result = run(file, "--url", "http://127.0.0.1:9", "--client", "demo-rms", "--key", key)
    assert (result.exit_code, "does not answer" in result.stderr) == (3, True)


def test_a_trial_run_reads_on_this_machine_and_sends_nothing(tmp_path: Path) -> None:
    broken = incident(serial())
    broken["data"]["attributes"]["recordVersion"] = "Marianne"
    file = lines(tmp_path / "export.ndjson", incident(serial()), b"{", broken)
    result = run(file, "--dry-run", "--profile", "ihub")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "row 2, line 2\tunreadable\ttruncated",
        "row 3, line 3\tunreadable\tdata.attributes.recordVersion: not-readable",
        "1 readable, 2 unreadable",
    ]
    assert run(lines(file, incident(serial())), "--dry-run", "--profile", "ihub").exit_code == 0
    assert run(file, "--dry-run", "--profile", "no-such-profile").exit_code == 1
    assert run(file, "--dry-run", "--profile", "ihub", "--media-type", "text/csv").exit_code == 1


@pytest.mark.parametrize(
    "arguments",
    [("export.ndjson",), ("export.ndjson", "--dry-run"), ("export.txt", "--dry-run", "--profile", "ihub")],
)
def test_a_command_used_wrongly_is_a_code_of_its_own(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    name, *more = arguments
    assert run(lines(tmp_path / name, incident(serial())), *more).exit_code == 2


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert run(tmp_path / "none.ndjson", "--dry-run", "--profile", "ihub").exit_code == 1


def test_the_file_is_never_read_whole(tmp_path: Path) -> None:
    file = tmp_path / "long.ndjson"
    file.write_bytes(b" " * (3 * police.CHUNK))
    assert [len(piece) for piece in police._pieces(file)] == [police.CHUNK] * 3
