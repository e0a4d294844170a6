"""The demonstration's stage: a data directory with keys, clients and the signed agreement, and a server on loopback.

The server is a process of its own, `gateway serve`, stopped by the handle it was started with.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import httpx

from gateway.agreement import State, shipped, sign
from gateway.channels import finder
from gateway.delivery.endpoints import AddEndpoint
from gateway.evidence import OPERATOR_LOG
from gateway.initialise import new_client_key, party_key
from gateway.services import Services, open_services
from gateway.settings import Settings
from gateway.terms import ChangeState, DraftAgreement, RegisterKey, SignAgreement
from gateway.tokens.clients import AddClient

READY_SECONDS = 30
STOP_SECONDS = 20

CLIENTS: Mapping[str, Mapping[str, Any]] = {
    "demo-rms": {
        "name": "Police record system",
        "organisation": "04",
        "scopes": [
            "police:incident.write",
            "police:feedback.read",
            "police:notice.read",
            "police:information.request",
        ],
        "agreements": ["operation-provide"],
    },
    "demo-hospital": {
        "name": "Hospital safeguarding system",
        "organisation": "RXL",
        "recipient": "idva-team",
        "scopes": [
            "health:referral.read",
            "health:referral.write",
            "health:notice.write",
            "health:information.answer",
        ],
        "agreements": ["operation-provide"],
    },
    "demo-guardian": {
        "name": "Caldicott Guardian",
        "organisation": "RXL",
        "scopes": ["governance:review", "agreement:read", "agreement:manage"],
        "agreements": ["operation-provide"],
    },
    "demo-auditor": {
        "name": "Auditor",
        "organisation": "RXL",
        "scopes": ["audit:log.read", "audit:pack.export"],
        "agreements": ["operation-provide", OPERATOR_LOG],
    },
}
"""Who takes part, and what each is bound to."""


class NotReady(Exception):
    """The server did not come up."""


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def settings_of(directory: Path, port: int, **more: Any) -> Settings:  # noqa: ANN401 - any setting
    """The settings of a demonstration server."""
    return Settings(data_dir=directory, public_url=f"http://127.0.0.1:{port}", **more)


def prepare(services: Services, keys_dir: Path) -> None:
    """Bring the shipped agreement into force, signed by every party, and register the clients."""
    agreement = shipped()
    services.open_log(agreement.id)
    journal = services.journals.of(agreement.id)
    journal.submit_and_wait(DraftAgreement(agreement))
    for party in agreement.content.parties:
        signature = sign(agreement.hash, party_key(keys_dir / f"party-{party.id}.pem"), party.id)
        journal.submit_and_wait(RegisterKey(agreement, party.id, signature.public_key))
        journal.submit_and_wait(SignAgreement(agreement, signature))
    journal.submit_and_wait(ChangeState(agreement, State.IN_FORCE))
    for client_id, about in CLIENTS.items():
        public = new_client_key(keys_dir / f"{client_id}.pem")
        services.journals.of(OPERATOR_LOG).submit_and_wait(AddClient(client_id, jwks=public, **about))


def prepared(settings: Settings, keys_dir: Path, engine: str | None = None) -> None:
    """The same from settings alone; `engine` is the address of a team's engine that referrals are delivered to."""
    services = open_services(settings)
    try:
        prepare(services, keys_dir)
        if engine is not None:
            register_engine(services, engine)
    finally:
        services.close()


def register_engine(services: Services, address: str) -> None:
    """Have the advisers' referrals delivered over MLLP to an engine that hides them from online access."""
    log_id = shipped().id
    unit = AddEndpoint(
        client="demo-hospital",
        channel="mllp",
        address=address,
        options={"application": "ENGINE"},
        user="idva-0042",
        role="idva",
        hides_from_online_access=True,
        standing=services.standing(log_id),
        find=finder(services),
        production=False,
    )
    services.journals.of(log_id).submit_and_wait(unit)


def environment(settings: Settings) -> dict[str, str]:
    """The environment that makes another process run with these settings."""
    given = settings.model_dump(mode="json", exclude_unset=True)
    return os.environ | {f"GATEWAY_{name.upper()}": str(value) for name, value in given.items() if value is not None}


@contextmanager
def serving(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """A gateway in a process of its own, ready when this yields and stopped when it ends. Raises NotReady."""
    port = settings.public_url.rpartition(":")[2]
    command = [sys.executable, "-m", "gateway", "serve", "--port", port]
    said = settings.data_dir / "server.log"
    with said.open("ab") as log:
        process = subprocess.Popen(command, env=environment(settings), stderr=log)  # noqa: S603 - ourselves
    try:
        wait_ready(settings.public_url, process, said)
        yield process
    finally:
        process.terminate()
        process.wait(timeout=STOP_SECONDS)


class Process(Protocol):
    """A process that may end by itself."""

    @property
    def returncode(self) -> int | None:
        """What it ended with, as far as is known."""

    def poll(self) -> int | None:
        """What it ended with; None where it runs."""


def wait_ready(url: str, process: Process, said: Path) -> None:
    """Return once the gateway answers. Raises NotReady where the process ends, or does not answer in time."""
    until = time.monotonic() + READY_SECONDS
    with httpx.Client(base_url=url, timeout=2) as client:  # made once: a client reads every root certificate
        while time.monotonic() < until:
            if process.poll() is not None:
                last = said.read_text(errors="replace")[-2000:]
                raise NotReady(f"the gateway ended with {process.returncode}: {last}")
            try:
                if client.get("/health/ready").status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                time.sleep(0.02)  # the port is not open yet; asking faster does not open it sooner
    raise NotReady("the gateway did not answer in time")
