"""Over a real socket: a head without end, a client that falls silent half-way, a WebSocket where none is spoken."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from gateway.web import wire

GET = b"GET / HTTP/1.1\r\nHost: x\r\n"


async def counting(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the length of the body; at `/late` it begins to read when a silent client would be gone."""
    if scope["path"] == "/late":
        await asyncio.sleep(3 * wire.SILENT_SECONDS)
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wire, "SILENT_SECONDS", 0.15)
        listening = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(counting, log_config=None, lifespan="off", timeout_keep_alive=20, **wire.SERVED)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join()
        listening.close()


def spoken(port: int, *pieces: bytes) -> bytes:
    """What is answered until the line is closed from the other side."""
    said = b""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
            while got := connection.recv(65_536):
                said += got
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has answered, and closed
    return said


def test_a_header_without_end_is_read_no_further_than_the_bound(port: int) -> None:
    said = spoken(port, GET + b"X: ", *[b"a" * 65_536] * 64)
    assert not said or said.startswith(b"HTTP/1.1 431 ")


def test_headers_without_end_are_read_no_further(port: int) -> None:
    said = spoken(port, GET, *[b"".join(b"X-%d: y\r\n" % i for i in range(5_000))] * 64)
    assert not said or said.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    "begun",
    [b"", b"GE", GET, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc"],
    ids=["nothing", "a word", "half a head", "half a body"],
)
def test_a_client_that_falls_silent_is_let_go(port: int, begun: bytes) -> None:
    assert b" 200 " not in spoken(port, begun)


def test_a_client_between_two_requests_is_waited_for(port: int) -> None:
    """Longer than in the middle of one: that is what keep-alive is for."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        for _ in range(2):
            connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nab")
            connection.sendall(b"c")
            assert connection.recv(65_536).endswith(b"\r\n\r\n3")
            connection.settimeout(0.4)
            with pytest.raises(TimeoutError):
                connection.recv(1)
            connection.settimeout(20)


def test_a_client_whom_nobody_listens_to_just_now_is_not_silent(port: int) -> None:
    """More than the server holds of a body unread: it stops reading until it is asked for more."""
    said = spoken(
        port,
        b"POST /late HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4000000\r\n\r\n",
        b"a" * 4_000_000,
    )
    assert said.endswith(b"4000000")


def test_no_websocket_is_opened(port: int) -> None:
    asked = GET + b"Upgrade: websocket\r\nConnection: Upgrade, close\r\nSec-WebSocket-Version: 13\r\n"
    said = spoken(port, asked + b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 200 ")
