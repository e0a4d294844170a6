"""The command line's group `witness`: what it registers, shows and removes, and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway import initialise
from gateway.cli import app
from tests.gateway.witness_support import FORCE, TRUST
from tests.support.world import URL

DONE, REFUSED = 0, 1


@pytest.fixture(autouse=True)
def _operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("GATEWAY_PUBLIC_URL", URL)
    monkeypatch.setattr(initialise, "RSA_BITS", 2048)  # the least that is taken; larger ones take a second to make
    run("init")


def run(*words: str, ends: int = DONE) -> Result:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == ends, result.output + result.stderr + repr(result.exception)
    return result


def test_a_witness_is_added_listed_and_removed() -> None:
    added = run("witness", "add", "trust", "--log", "operator", "--key", TRUST.verifier.text)
    assert "gateway.test/logs/operator+" in added.output, "the witness is told the log's key"
    run("witness", "add", "force", "--log", "operator", "--key", FORCE.verifier.text, "--url", "https://w.example")
    force, trust = run("witness", "list").output.splitlines()
    assert force.split("\t")[:4] == ["operator", "force", "never", "seen nothing"]
    assert force.endswith("https://w.example")
    assert trust.split("\t")[:3] == ["operator", "trust", "never"]
    assert trust.endswith("asks by itself")
    run("witness", "remove", "force", "--log", "operator")
    assert run("witness", "list", "--log", "operator").output.splitlines()[0].split("\t")[1] == "trust"
    assert run("witness", "list", "--log", "other").output == ""


@pytest.mark.parametrize(
    "words",
    [
        ("add", "trust", "--log", "nowhere", "--key", TRUST.verifier.text),
        ("add", "trust", "--log", "operator", "--key", "no key"),
        ("add", "a b", "--log", "operator", "--key", TRUST.verifier.text),
        ("add", "trust", "--log", "operator", "--key", TRUST.verifier.text, "--url", "w.example"),
        ("remove", "trust", "--log", "operator"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_reason(words: tuple[str, ...]) -> None:
    assert run("witness", *words, ends=REFUSED).stderr.startswith("gateway: ")
