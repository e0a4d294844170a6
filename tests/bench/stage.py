"""The stage of the benchmarks over HTTP: a gateway and the floors, each a process of its own, and requests for them.

Requests are whole bytes, made before the clock runs. Every push is an incident of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from urllib.parse import urlencode

import orjson

from gateway.demo.client import ASSERTION_TYPE, Client, key_of
from gateway.demo.run import ADVISER, JSON_API, OFFICER
from gateway.demo.setting import STOP_SECONDS, free_port, prepared, serving, settings_of, wait_ready
from gateway.settings import Settings
from tests.bench.households import household_incident
from tests.bench.load import HOST

TOKEN_SECONDS = 3600  # the longest that is taken: a token must outlive a run


@dataclass(frozen=True, slots=True)
class Engine:
    """A database engine: where the gateway keeps its data, and where the floor does."""

    name: str
    gateway_url: str | None
    floor_url: str


@dataclass
class Stage:
    """A running gateway and running floors, with the tokens to use the gateway."""

    settings: Settings
    keys_dir: Path
    process: subprocess.Popen[bytes]
    floor_port: int
    _serials: Iterator[int] = field(default_factory=lambda: count(1))
    _tokens: dict[str, str] = field(default_factory=dict)

    @property
    def port(self) -> int:
        """The gateway's port."""
        return port_of(self.settings)

    def client(self, name: str) -> Client:
        """A client of the demonstration, not signed in."""
        user = OFFICER if name == "demo-rms" else ADVISER
        return Client(self.settings.public_url, name, key_of(self.keys_dir / f"{name}.pem"), user)

    def token(self, name: str) -> str:
        """An access token of a client, asked for once."""
        if name not in self._tokens:
            with self.client(name) as client:
                self._tokens[name] = client.sign_in()["access_token"]
        return self._tokens[name]

    def pushes(self, number: int, path: str = "/police/v1/incidents") -> list[bytes]:
        """As many distinct incidents as asked for, none of them sent before."""
        token = self.token("demo-rms")
        bodies = (orjson.dumps(household_incident(next(self._serials))) for _ in range(number))
        return [request("POST", path, token=token, body=body, media=JSON_API) for body in bodies]

    def get(self, path: str) -> bytes:
        """A request of the hospital's."""
        return request("GET", path, token=self.token("demo-hospital"))

    def token_requests(self, number: int) -> list[bytes]:
        """Requests for a token, each with an assertion of its own."""
        with self.client("demo-rms") as client:
            forms = [
                urlencode(
                    {
                        "grant_type": "client_credentials",
                        "client_assertion_type": ASSERTION_TYPE,
                        "client_assertion": client.assertion(),
                    }
                )
                for _ in range(number)
            ]
        media = "application/x-www-form-urlencoded"
        return [request("POST", "/oauth2/token", body=form.encode(), media=media) for form in forms]


def request(method: str, path: str, *, token: str | None = None, body: bytes = b"", media: str | None = None) -> bytes:
    """A whole HTTP/1.1 request."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}", f"Content-Length: {len(body)}"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    lines += [f"Content-Type: {media}"] if media else []
    return "\r\n".join([*lines, "", ""]).encode() + body


def port_of(settings: Settings) -> int:
    """The port that settings name."""
    return int(settings.public_url.rpartition(":")[2])


def prepared_settings(directory: Path, engine: Engine) -> Settings:
    """Settings over an engine, with keys, clients and the agreement in force."""
    settings = settings_of(
        directory / "data", free_port(), database_url=engine.gateway_url, token_lifetime_seconds=TOKEN_SECONDS
    )
    prepared(settings, directory / "clients")
    return settings


@contextmanager
def staged(directory: Path, settings: Settings, engine: Engine) -> Iterator[Stage]:
    """A gateway and the floors, ready when this yields and stopped when it ends."""
    with ExitStack() as stack:
        process = stack.enter_context(serving(settings))
        floor_port = stack.enter_context(_floors(directory, engine.floor_url))
        yield Stage(settings, directory / "clients", process, floor_port)


@contextmanager
def _floors(directory: Path, url: str) -> Iterator[int]:
    port = free_port()
    said = directory / "floor.log"
    command = [sys.executable, "-m", "tests.bench.floor", str(port), url]
    root = str(Path(__file__).parents[2])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    with said.open("ab") as log:
        process = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)}, stderr=log)
    try:
        wait_ready(f"http://{HOST}:{port}", process, said)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=STOP_SECONDS)
