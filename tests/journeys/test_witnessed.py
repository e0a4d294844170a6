"""A log under witness, over real sockets and in processes of their own: it grows, it is put back, and it is found out.

The gateway is `gateway serve`, the witness `python -m audit witness`, as a trust would run it on its own machine.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey

from audit.checkpoint import Checkpoint
from audit.note import CosignerVerifier, Verifier, split
from audit.verify import verify
from gateway.demo.client import Client, key_of
from gateway.demo.incidents import incident
from gateway.demo.run import AUDITOR, LOG, OFFICER
from gateway.demo.setting import free_port, settings_of
from gateway.evidence import OPERATOR_LOG, Event
from gateway.services import open_services
from gateway.settings import Settings
from gateway.tokens.clients import AddClient
from gateway.witnesses import AddWitness
from tests.journeys.support import serial
from tests.support.forked import serving
from tests.support.world import JSON_API, copy_template

DONE, REFUSED, NOT_DONE = 0, 1, 2
UNTIL_SECONDS = 30
BOUND = {"name": "A trust's witness", "organisation": "RXL", "scopes": ["audit:log.witness"], "agreements": [LOG]}


class Machine:
    """A trust's machine: its witness key, its state, its client key, and what it was told of the gateway."""

    def __init__(self, folder: Path, settings: Settings, client_key: bytes) -> None:
        folder.mkdir()
        self.folder, self.settings = folder, settings
        (folder / "client.pem").write_bytes(client_key)
        made = self("keygen", "--name", f"{folder.name}.example/w1", "--out", str(folder / "key"))
        assert made.returncode == DONE, made.stdout
        self.vkey = made.stdout.strip()

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-W", "error", "-m", "audit", "witness", *words]
        return subprocess.run(
            command, check=False, timeout=120, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def watch(self, log_key: str) -> subprocess.CompletedProcess[str]:
        return self(
            *("watch", "--once", "--url", self.settings.public_url, "--log-id", LOG, "--log", log_key),
            *("--key", str(self.folder / "key"), "--state", str(self.folder / "state")),
            *("--client", "trust-witness", "--client-key", str(self.folder / "client.pem")),
        )

    @contextmanager
    def serving(self, address: str, log_key: str) -> Iterator[None]:
        command = [sys.executable, "-W", "error", "-m", "audit", "witness", "serve", "--listen", address]
        options = ["--key", str(self.folder / "key"), "--log", log_key, "--state", str(self.folder / "state")]
        with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline().strip() == self.vkey
                assert address in process.stdout.readline()
                yield
            finally:
                process.terminate()


@pytest.fixture
def settings(prepared_world: Path, tmp_path: Path) -> Settings:
    copy_template(prepared_world, tmp_path / "data", with_database=True)
    return settings_of(tmp_path / "data", free_port(), witness_interval_seconds=1)


def pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def set_up(settings: Settings, client_key: bytes | None, vkey: str, url: str | None = None) -> str:
    """Register the witness and, with a key, its client; returns the log's key."""
    services = open_services(settings)
    try:
        operator = services.journals.of(OPERATOR_LOG)
        if client_key is not None:
            public = ECKey.import_key(client_key).as_dict(private=False)
            operator.submit_and_wait(AddClient("trust-witness", jwks={"keys": [public]}, **BOUND))  # type: ignore[arg-type]  # a table of arguments
        operator.submit_and_wait(AddWitness(LOG, vkey.partition(".")[0], vkey, url))
        return services.signer(LOG).verifier.text
    finally:
        services.close()


@contextmanager
def client(settings: Settings, name: str, user: dict[str, str]) -> Iterator[Client]:
    with Client(settings.public_url, name, key_of(settings.data_dir / "clients" / f"{name}.pem"), user) as made:
        made.sign_in()
        yield made


def push(settings: Settings, times: int = 1) -> None:
    with client(settings, "demo-rms", OFFICER) as police:
        for _ in range(times):
            assert police.post("/police/v1/incidents", json=incident(serial()), headers=JSON_API).status_code == 201


def copied(settings: Settings, folder: Path) -> None:
    """Copy the database's files, as they are between two runs of the gateway."""
    folder.mkdir(exist_ok=True)
    for file in settings.data_dir.glob("*.sqlite3*"):
        shutil.copy(file, folder)


def put_back(settings: Settings, folder: Path) -> None:
    for file in settings.data_dir.glob("*.sqlite3*"):
        file.unlink()
    for file in folder.iterdir():
        shutil.copy(file, settings.data_dir)


def test_witnesses_watch_a_gateway_and_are_asked_by_it(settings: Settings, tmp_path: Path) -> None:
    """One asks by itself, the other is asked at its address; a client with another key is refused: no fork."""
    key = pem(ec.generate_private_key(ec.SECP256R1()))
    trust, force = Machine(tmp_path / "trust", settings, key), Machine(tmp_path / "force", settings, key)
    address = f"127.0.0.1:{free_port()}"
    log_key = set_up(settings, key, trust.vkey)
    set_up(settings, None, force.vkey, f"http://{address}")
    with force.serving(address, log_key), serving(settings):
        for _ in range(2):
            push(settings)
            done = trust.watch(log_key)
            assert done.returncode == DONE, done.stdout
            assert done.stdout.startswith("Cosigned: ")
        asked = _await_checkpoint(address, log_key)
        with client(settings, "demo-auditor", AUDITOR) as auditor:
            asker, watcher = auditor.get(f"/audit/v1/logs/{LOG}/witnesses").json()["witnesses"]
            pack = auditor.get(f"/audit/v1/logs/{LOG}/pack").content
        (trust.folder / "client.pem").write_bytes(pem(ec.generate_private_key(ec.SECP256R1())))
        refused = trust.watch(log_key)
        assert refused.returncode == NOT_DONE
        assert "answers 401 to the request for a token" in refused.stdout
    assert Checkpoint.open(asked, Verifier.from_text(log_key)).size > 0
    assert asker["state"] == watcher["state"] == "ok"
    report = verify(io.BytesIO(pack), pinned_key=log_key, witnesses=[trust.vkey, force.vkey])
    assert report.verified, report.findings
    text, (_, line) = split(watcher["checkpoint"])
    assert CosignerVerifier.from_text(trust.vkey).verify(text, line.raw) > 0
    assert Checkpoint.open(watcher["checkpoint"], Verifier.from_text(log_key)).size == watcher["size"]


def test_a_database_that_was_put_back_is_found_out(settings: Settings, tmp_path: Path) -> None:
    """First as a log that shrank; once it has grown again, as two histories; and the pack of it is refuted."""
    key = pem(ec.generate_private_key(ec.SECP256R1()))
    machine = Machine(tmp_path / "trust", settings, key)
    log_key = set_up(settings, key, machine.vkey)
    copied(settings, tmp_path / "copy")
    with serving(settings):
        push(settings, 3)
        assert machine.watch(log_key).returncode == DONE
    put_back(settings, tmp_path / "copy")
    with serving(settings):
        shrunk = machine.watch(log_key)
        assert shrunk.returncode == REFUSED
        assert "the log has shrunk" in shrunk.stdout
        push(settings, 8)
        forked = machine.watch(log_key)
        assert forked.returncode == REFUSED
        assert "two histories" in forked.stdout
        with client(settings, "demo-auditor", AUDITOR) as auditor:
            (found,) = auditor.get(f"/audit/v1/logs/{LOG}/witnesses").json()["witnesses"]
            assert found["state"] == "disagrees"
            told = auditor.get(f"/audit/v1/logs/{OPERATOR_LOG}/entries?event={Event.WITNESS_ALARM}").json()["entries"]
            assert [one["entry"]["reason"] for one in told] == ["disagrees"]
            pack = tmp_path / "evidence.pack"
            pack.write_bytes(auditor.get(f"/audit/v1/logs/{LOG}/pack").content)
    evidence = re.search(r"kept in (\S+)", forked.stdout)
    assert evidence is not None
    seen = (Path(evidence[1]) / "seen").read_bytes().decode()
    with pack.open("rb") as file:
        assert verify(file, pinned_key=log_key).verified, "the pack agrees with itself"
    with pack.open("rb") as file:
        report = verify(file, pinned_key=log_key, earlier=seen)
    assert not report.verified
    assert any("another root" in str(one) for one in report.findings)


def _await_checkpoint(address: str, log_key: str) -> str:
    """The last checkpoint the witness serves, once it has one."""
    origin = Verifier.from_text(log_key).name
    until = time.monotonic() + UNTIL_SECONDS
    while time.monotonic() < until:
        answer = httpx.get(f"http://{address}/{sha256(origin.encode()).hexdigest()}/checkpoint", timeout=5)
        if answer.status_code == httpx.codes.OK:
            return answer.text
        time.sleep(0.05)  # the gateway asks once a second
    raise AssertionError("the gateway never asked")
