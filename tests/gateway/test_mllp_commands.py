"""`gateway mllp` and the certificates of clients: a real process, TLS on both sides, stopped by a signal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.program import app
from gateway.demo.run import LOG
from gateway.demo.setting import free_port
from gateway.evidence import OPERATOR_LOG
from gateway.settings import Settings
from gateway.store import tables
from gateway.tokens.certificates import Certificate
from tests.gateway.test_mllp_messages import rows, sealed
from tests.support.mllp import HOST, Pair, adt, authority, header
from tests.support.world import URL, copy_template, open_world, settings_for

REFUSED = 1


class Place:
    """A prepared gateway in a directory, and commands run there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.engine = authority().issue("engine")
        self.shown, self.key = self.engine.write(folder, "engine")
        self.certificate, self.own_key = authority().issue("gateway").write(folder, "gateway")
        self.ca = folder / "ca.pem"
        self.ca.write_bytes(authority().pem)

    def __call__(self, *words: str, ends: int = 0) -> str:
        result = CliRunner().invoke(app, list(words))
        assert result.exit_code == ends, result.output + result.stderr + repr(result.exception)
        return result.output + result.stderr

    def add(self, name: str, certificate: Path, ends: int = 0) -> str:
        """Register a client that speaks over MLLP alone."""
        words = ("--organisation", "RXL", "--agreement", LOG, "--scope", "health:referral.write")
        return self("client", "add", name, *words, "--certificate", str(certificate), ends=ends)

    def send(self, file: Path, port: int, pair: Pair | None = None, ends: int = 0) -> str:
        """Send a file as the engine, or as whoever shows another certificate."""
        shown, key = pair.write(self.folder, "other") if pair else (self.shown, self.key)
        words = ("--ca", str(self.ca), "--certificate", str(shown), "--key", str(key), "--seconds", "20")
        return self("mllp", "send", str(file), "--to", f"mllps://{HOST}:{port}", *words, ends=ends)


@pytest.fixture
def place(prepared_world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A prepared gateway whose settings are in the environment."""
    copy_template(prepared_world, tmp_path / "data", with_database=True)
    made = Place(tmp_path)
    for name, value in {
        "DATA_DIR": tmp_path / "data",
        "PUBLIC_URL": URL,
        "MLLP_CERTIFICATE": made.certificate,
        "MLLP_KEY": made.own_key,
        "MLLP_CLIENT_CA": made.ca,
    }.items():
        monkeypatch.setenv(f"GATEWAY_{name}", str(value))
    return made


@contextmanager
def serving(*, beside_the_web: bool = False) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """The listener in a process of its own, or in that of the web, on a free port."""
    port = free_port()
    own = ["mllp", "serve", "--port", str(port)]
    command = [sys.executable, "-m", "gateway", *(["serve", "--port", str(free_port())] if beside_the_web else own)]
    named = {"GATEWAY_MLLP_PORT": str(port)} if beside_the_web else {}
    process = subprocess.Popen(command, env=os.environ | named, stderr=subprocess.PIPE)
    assert process.stderr is not None
    try:
        said = process.stderr.readline()
        while said and b"listening for HL7 v2" not in said:
            said = process.stderr.readline()
        assert said, "it ended before it listened"
        yield port, process
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_a_registered_engine_is_heard_by_its_certificate_until_it_is_removed(place: Place) -> None:
    assert Certificate.of(place.engine.certificate.decode()).fingerprint in place.add("engine", place.shown)
    file = place.folder / "feed.hl7"
    file.write_bytes(adt() + adt("A40", more=["MRG|7700009^^^RXL^MR"]) + header("MDM^T02").encode() + b"\r")
    with serving() as (port, process):
        assert place.send(file, port, ends=REFUSED).splitlines()[:3] == ["1\tAA", "2\tAA", "3\tnack-ar"]
        assert "1 of 3" in place.send(file, port, ends=REFUSED)
        stranger = place.send(file, port, authority().issue("stranger"), ends=REFUSED)
        assert "AA" not in stranger
        named = Certificate.of(place.engine.certificate.decode()).fingerprint
        place("client", "certificate", "engine", "--remove", named)
        assert "AA" not in place.send(file, port, ends=REFUSED)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    world = open_world(settings_for(place.folder / "data"))
    try:
        assert [one.client for one in rows(world, tables.hl7_message)] == ["engine", "engine"]
        for event in ("certificate-added", "certificate-removed"):
            [entry] = sealed(world, event, OPERATOR_LOG)
            assert entry["detail"]["certificate"] == named
        assert world.services.clients.get("engine") is not None
    finally:
        world.close()


def test_it_is_heard_beside_the_web_where_a_port_is_set(place: Place) -> None:
    place.add("engine", place.shown)
    file = place.folder / "feed.hl7"
    file.write_bytes(adt())
    with serving(beside_the_web=True) as (port, process):
        assert place.send(file, port).split() == ["1", "AA"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
        assert process.stderr is not None
        assert b"listening for HL7 v2 no more" in process.stderr.read()


def test_a_certificate_speaks_for_one_client_once(place: Place) -> None:
    place.add("engine", place.shown)
    assert "is, or was, registered" in place.add("second", place.shown, ends=REFUSED)
    next_one = authority().issue("next").write(place.folder, "next")[0]
    listed = place("client", "certificate", "engine", "--add", str(next_one)).split()
    assert len(listed) == 4  # each with its end
    assert min(listed[1::2]) in place("client", "list")
    assert "has none" in place("client", "certificate", "second", "--remove", listed[0], ends=REFUSED)
    assert "PEM" in place("client", "certificate", "engine", "--add", str(place.key), ends=REFUSED)
    place("client", "revoke", "engine")
    assert "revoked" in place("client", "certificate", "engine", "--add", str(place.ca), ends=REFUSED)


def test_the_listener_says_what_it_lacks(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_MLLP_KEY", str(place.key))
    assert "belong together" in place("mllp", "serve", ends=3)
    monkeypatch.delenv("GATEWAY_MLLP_KEY")
    assert "GATEWAY_MLLP_PLAIN_CLIENT" in place("mllp", "serve", ends=3)
    assert "no such file" in place("mllp", "send", "none.hl7", "--to", "mllp://127.0.0.1", ends=REFUSED)
    assert "mllp://" in place("mllp", "send", str(place.ca), "--to", "http://127.0.0.1", ends=REFUSED)


def test_production_refuses_to_listen_without_certificates() -> None:
    production = {"environment": "production", "public_url": "https://g.example", "tls_in_front": True}
    found = Settings(**production, mllp_port=2575, mllp_plain_client="x").refusals()  # type: ignore[arg-type]  # as read from the environment
    assert any("GATEWAY_MLLP_PLAIN_CLIENT" in one for one in found)
    assert any("GATEWAY_MLLP_PORT" in one for one in found)
