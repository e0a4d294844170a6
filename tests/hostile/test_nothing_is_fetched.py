"""No document makes the gateway open a file or call an address: a server that listens is never spoken to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.hostile.formats import INCIDENTS, XML
from tests.hostile.xml_inputs import outside
from tests.journeys.support import add_client, like, sealed, size, world_on
from tests.support.world import World

CONTENT = "zqx-what-the-file-holds"


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_on("sqlite", request, tmp_path_factory.mktemp("fetched") / "world") as opened:
        yield opened


class Listener(BaseHTTPRequestHandler):
    """Notes that it was asked, and gives an entity."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f'<!ENTITY e "{CONTENT}">'.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def listener() -> Iterator[tuple[str, list[str]]]:
    """An address on this machine, and what it was asked for."""
    asked: list[str] = []
    server = HTTPServer(("127.0.0.1", 0), type("Noting", (Listener,), {"asked": asked}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/entity", asked
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("attack", outside(""))
def test_nobody_is_asked_and_no_file_is_read(
    world: World, listener: tuple[str, list[str]], tmp_path: Path, attack: str
) -> None:
    address, asked = listener
    secret = tmp_path / "secret"
    secret.write_text(f'<!ENTITY e "{CONTENT}">')
    client = add_client(world, "rms-niche", **like("demo-rms", profiles=("niche",)))
    for place in (address, secret.as_uri(), str(secret)):
        start = size(world)
        answer = client.post(INCIDENTS, content=outside(place)[attack], headers={"Content-Type": XML})
        assert 400 <= answer.status_code < 500
        assert CONTENT not in answer.text + repr(sealed(world, start=start))
    assert asked == []
