"""`gateway serve` traces by itself, publishes its key, and a person decides by the command line."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
import typer.testing

from gateway.cli.program import app
from gateway.demo.client import Client, key_of
from gateway.demo.incidents import incident
from gateway.demo.pds import API_KEY, Patient, number
from gateway.demo.pds_server import simulator
from gateway.demo.run import ADVISER, OFFICER
from gateway.demo.setting import free_port, settings_of
from tests.journeys.support import serial
from tests.support.forked import serving
from tests.support.tracing import public_keys, signing_key
from tests.support.world import copy_template

JSON_API = {"Content-Type": "application/vnd.api+json"}
MOST_LOOKS = 2_000  # each is an exchange with the server, which is what takes the time


def _cli(*words: str) -> str:
    done = typer.testing.CliRunner().invoke(app, ["trace", *words])
    assert done.exit_code == 0, done.output
    return done.output


def test_a_served_gateway_traces_and_a_person_says_that_it_is_she(prepared_world: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    copy_template(prepared_world, data, with_database=True)
    key_file = tmp_path / "pds.pem"
    key_file.write_bytes(signing_key().as_pem(private=True))
    moved = Patient(number(1), (("Ashdown", "Marianne"),), "1991-02-03", postcode="ZZ11 1AA", line="9 Elsewhere")
    with simulator(public_keys(), moved) as pds:
        settings = settings_of(
            data,
            free_port(),
            pds_url=pds.url,
            pds_token_url=pds.token_url,
            pds_api_key=API_KEY,
            pds_key_file=key_file,
            pds_key_id="test-key",
        )
        url, keys = settings.public_url, data / "clients"
        with (
            serving(settings),
            Client(url, "demo-rms", key_of(keys / "demo-rms.pem"), OFFICER) as police,
            Client(url, "demo-hospital", key_of(keys / "demo-hospital.pem"), ADVISER) as team,
        ):
            published = httpx.get(f"{url}/.well-known/jwks.json").json()["keys"]
            assert "test-key" in [key["kid"] for key in published]
            police.sign_in()
            team.sign_in()
            pushed = police.post("/police/v1/incidents", json=incident(serial()), headers=JSON_API)
            referral = pushed.json()["referrals"][0]["reference"]
            assert pds.arrived.wait(30)
            looks = (team.get("/team/v1/traces").json()["traces"] for _ in range(MOST_LOOKS))
            trace = next(found for found in looks if found)[0]["trace"]
            who = ("--url", url, "--client", "demo-hospital", "--key", str(keys / "demo-hospital.pem"))
            person = ("--person", ADVISER["id"], "--role", ADVISER["role"])
            shown = _cli("show", trace, *who, *person)
            assert "12 Example Row" in shown
            assert "9 Elsewhere" in shown
            assert "may be: different, same" in shown
            assert "is verified" in _cli("decide", trace, "same", *who, *person)
            patient = team.get(f"/fhir/R4/Patient/{referral}.victim-1").json()
            assert patient["identifier"][0]["value"] == number(1)
            again = typer.testing.CliRunner().invoke(app, ["trace", "decide", trace, "same", *who, *person])
            assert again.exit_code == 1


@pytest.mark.parametrize("missing", ["pds_token_url", "pds_api_key", "pds_key_file"])
def test_a_gateway_that_cannot_ask_does_not_start(
    prepared_world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    """Settings that name PDS and not what is needed to ask it: code 3, and the setting by its name."""
    key_file = tmp_path / "pds.pem"
    key_file.write_bytes(signing_key().as_pem(private=True))
    copy_template(prepared_world, tmp_path / "data", with_database=True)
    whole = {
        "data_dir": str(tmp_path / "data"),
        "pds_url": "https://pds.example",
        "pds_token_url": "https://pds.example/token",
        "pds_api_key": "k",
        "pds_key_file": str(key_file),
    }
    for name, value in whole.items():
        if name != missing:
            monkeypatch.setenv(f"GATEWAY_{name.upper()}", value)
    done = typer.testing.CliRunner().invoke(app, ["serve"])
    assert done.exit_code == 3
    assert f"GATEWAY_{missing.upper()}" in done.output
