"""The demonstration, as a visitor runs it: from an empty directory, over real HTTP, in processes of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gateway.demo.client import Client, key_of
from gateway.demo.incidents import incident
from gateway.demo.run import OFFICER
from gateway.demo.setting import free_port, serving, settings_of

PERSONAL = (
    b"Ashdown",
    b"Marianne",
    b"Harbottle",
    b"Example Row",
    b"07700 900",
    b"07700900",
    b"01632 960",
    b"bluebell",
    b"1991-02-03",
    b"9990000018",
    b"Thornbury",
    b"Isolde",
    b"fractured ulna",
    b"Hidden Lane",
    b"pushed her against",
)


def demo(folder: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    given = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
    command = [sys.executable, "-m", "gateway", "demo", *words]
    return subprocess.run(command, cwd=folder, env=given, capture_output=True, check=False, timeout=120)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """One walk whose data is kept, and what it found."""
    folder = tmp_path_factory.mktemp("empty")
    done = demo(folder, "--json", "--keep", "left")
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, Any] = json.loads(done.stdout)
    return folder / "left", found


def test_it_shows_what_it_promises(kept: tuple[Path, dict[str, Any]]) -> None:
    _, found = kept
    assert found["receipt_verified"] is True
    assert found["pack_verified"] is True
    assert found["tamper_detected"] is True
    assert (found["incidents"], len(found["referrals"])) == (6, 2)
    assert 0 < found["push_to_visible_ms"] < 5_000
    assert {"third_party.name", "statement.third_party"} <= set(found["withheld"])
    assert [one["code"] for one in found["feedback"]] == ["acknowledged", "contact-attempted", "engaged"]
    assert found["log"]["size"] > 20
    assert found["corrected"] is True
    assert found["break_glass_reviewed"] is True
    assert found["rederived"]["different"] == 0
    assert found["rederived"]["same"] > 10
    assert {"log", "decisions"} <= found.keys()


def test_the_victims_number_is_found_and_stays_with_the_nhs(kept: tuple[Path, dict[str, Any]]) -> None:
    """PDS fails once and is asked again under the same id; she is restricted, and found without her postcode.

    Her child is asked for alone.
    """
    _, found = kept
    assert found["traced"] == {
        "questions": 3,
        "sent_again": 1,
        "with_postcode": [True, True, False],
        "address_written": False,
    }
    assert found["nhs_numbers"] == ["9990000018", "9990000026"]
    assert found["police_given_nhs_number"] is False


def test_an_engine_takes_each_referral_once_and_answers(kept: tuple[Path, dict[str, Any]]) -> None:
    """One was refused, and went again; whatever it was sent was sealed before."""
    _, found = kept
    assert found["delivered"] == {"referrals": 3, "refused": 1, "taken_once": True}
    assert found["sealed_before_sent"] is True
    assert found["reply"] == {"answered": "AA", "status": "accepted"}


def test_the_hospital_tells_police_what_a_clause_names_and_nothing_clinical(
    kept: tuple[Path, dict[str, Any]],
) -> None:
    _, found = kept
    notice = found["notice"]
    assert (notice["state"], notice["clinical_given"]) == ("current", False)
    assert {"victim.listed", "victim.name"} <= set(notice["released"])
    assert {"victim.clinical", "victim.nhs_number", "victim.general_practice"} <= set(notice["withheld"])
    assert found["information"] == ["released", "refused"]


def test_what_it_leaves_holds_nobody(kept: tuple[Path, dict[str, Any]]) -> None:
    """Neither the server's own log nor any byte of the database names a person of the walk."""
    directory, _ = kept
    files = [directory / "server.log", *directory.glob("*.sqlite3*")]
    assert len(files) >= 2
    for file in files:
        content = file.read_bytes()
        for word in PERSONAL:
            assert word not in content, f"{file.name} holds {word!r}"
    lines = (directory / "server.log").read_text().splitlines()
    said = [json.loads(line)["line"] for line in lines if "line" in json.loads(line)]
    assert said[0] == "STARTED"
    assert {"STOPPED", "MLLP_STOPPED"} <= {*said}
    assert sorted(said) == sorted(
        ["STARTED", "MLLP_STARTED", "DELIVERY_FAILED", "DELIVERY_FOR_HUMAN", "STOPPED", "MLLP_STOPPED"]
    )


def test_what_it_leaves_can_be_served_again(kept: tuple[Path, dict[str, Any]]) -> None:
    """From the data directory alone: a client signs in, and what was taken in before is known."""
    directory, found = kept
    settings = settings_of(directory, free_port())
    with serving(settings):
        key = key_of(directory / "demo-clients" / "demo-rms.pem")
        with Client(settings.public_url, "demo-rms", key, OFFICER) as police:
            police.sign_in()
            answer = police.post(
                "/police/v1/incidents",
                json=incident(1, grade="HIGH"),
                headers={"Content-Type": "application/vnd.api+json"},
            )
    assert (answer.status_code, answer.json()["state"]) == (200, "known")
    assert answer.json()["referrals"][0]["reference"] in found["referrals"]


def test_it_does_not_write_into_a_directory_that_is_in_use(tmp_path: Path) -> None:
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").touch()
    done = demo(tmp_path, "--keep", "used")
    assert done.returncode == 1
    assert b"not empty" in done.stderr
