"""What two readers of one line could take for two things: hosts, codings, and headers that come after the body."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from gateway.web import wire

CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"


async def telling(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the body and with the names of the headers, once it has all of the request."""
    body = await Request(scope, receive).body()
    names = sorted({name.decode() for name, _ in scope["headers"]})
    await JSONResponse({"body": body.decode(), "headers": names})(scope, receive, send)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(telling, log_config=None, lifespan="off", **wire.SERVED))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join()
    listening.close()


def spoken(port: int, sent: bytes) -> bytes:
    """What is answered until the line is closed from the other side."""
    said = b""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(sent)
        while got := connection.recv(65_536):
            said += got
    return said


@pytest.mark.parametrize("trailer", [b"Authorization: Bearer x", b"Cookie: a=b", b"Content-Type: text/csv", b"Host: y"])
def test_a_trailer_is_no_header(port: int, trailer: bytes) -> None:
    """A proxy in front has judged the head; it has not seen this as part of it (RFC 9110 section 6.5.1)."""
    said = spoken(port, CHUNKED + b"\r\n2\r\n{}\r\n0\r\n" + trailer + b"\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 200 ")
    told = json.loads(said.partition(b"\r\n\r\n")[2])
    assert told == {"body": "{}", "headers": ["connection", "host", "transfer-encoding"]}


def test_trailers_without_end_are_not_kept(port: int) -> None:
    trailers = b"".join(b"X-%d: y\r\n" % number for number in range(20_000))
    said = spoken(port, CHUNKED + b"\r\n2\r\n{}\r\n0\r\n" + trailers + b"\r\n")
    assert json.loads(said.partition(b"\r\n\r\n")[2])["headers"] == ["connection", "host", "transfer-encoding"]


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        CHUNKED.replace(b"chunked", b"gzip, chunked") + b"\r\n0\r\n\r\n",
        CHUNKED + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ids=["no host", "the host twice", "two hosts", "a coding not known", "chunked twice"],
)
def test_a_head_that_may_mean_two_things_is_no_request(port: int, sent: bytes) -> None:
    said = spoken(port, sent)
    assert said.startswith(b"HTTP/1.1 400 ")
    assert said.count(b"HTTP/1.1") == 1


def test_an_old_client_needs_no_host(port: int) -> None:
    assert b" 200 " in spoken(port, b"GET / HTTP/1.0\r\n\r\n")


def test_nothing_that_follows_a_refused_head_is_read(port: int) -> None:
    said = spoken(port, b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 400 ")
    assert said.count(b"HTTP/1.1") == 1
