"""Over a real socket: a length that lies, a body without end, a request that cannot be one. Nobody sees a 5xx."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest
import uvicorn

from gateway.app import create_app
from gateway.evidence import Event
from tests.hostile.formats import JSON_API, NDJSON
from tests.journeys.support import sealed, serial, size, world_on
from tests.support.world import World

MOST_SENT = 64 * 1024 * 1024  # bytes; a gateway that reads on would read them all


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_on("sqlite", request, tmp_path_factory.mktemp("transport") / "world") as opened:
        yield opened


@pytest.fixture(scope="module")
def port(world: World) -> Iterator[int]:
    """The gateway on a port of this machine."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(world.services), log_config=None, ws="none", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join()
    listening.close()


def head(world: World, *lines: str, path: str = "/police/v1/incidents", media: str = JSON_API.media) -> bytes:
    """The head of a request, with a good token."""
    token = world.police.http.headers["Authorization"]
    said = (f"POST {path} HTTP/1.1", "Host: gateway.test", f"Authorization: {token}", f"Content-Type: {media}", *lines)
    return "\r\n".join(said).encode() + b"\r\n\r\n"


def spoken(port: int, pieces: Iterator[bytes], *, end: bool = True) -> bytes:
    """What the gateway says to these bytes until it closes; sending stops where it will hear no more."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
            if end:
                connection.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has answered, and closed
        said = b""
        try:
            while piece := connection.recv(65_536):
                said += piece
        except ConnectionResetError:
            pass
        return said


def status(said: bytes) -> int:
    return int(said.split(b" ", 2)[1]) if said else 0


Made = Callable[[World], Iterator[bytes]]


def _shorter(world: World) -> Iterator[bytes]:
    body = JSON_API.good(serial())
    yield head(world, f"Content-Length: {len(body) + 100}", "Connection: close") + body


def _longer(world: World) -> Iterator[bytes]:
    body = JSON_API.good(serial())
    yield head(world, f"Content-Length: {len(body) - 100}", "Connection: close") + body


def _not_a_length(length: str) -> Made:
    return lambda world: iter([head(world, f"Content-Length: {length}", "Connection: close") + b"{}"])


def _both(world: World) -> Iterator[bytes]:
    yield head(world, "Content-Length: 5", "Transfer-Encoding: chunked", "Connection: close") + b"0\r\n\r\n"


def _two_lengths(world: World) -> Iterator[bytes]:
    yield head(world, "Content-Length: 2", "Content-Length: 3", "Connection: close") + b"{} "


def _chunk_that_lies(world: World) -> Iterator[bytes]:
    yield head(world, "Transfer-Encoding: chunked", "Connection: close") + b"FFFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n"


def _two_types(world: World) -> Iterator[bytes]:
    body = JSON_API.good(serial())
    yield head(world, "Content-Type: text/html", f"Content-Length: {len(body)}", "Connection: close") + body


def _two_encodings(world: World) -> Iterator[bytes]:
    body = JSON_API.good(serial())
    lines = (
        "Content-Encoding: identity",
        "Content-Encoding: gzip",
        f"Content-Length: {len(body)}",
        "Connection: close",
    )
    yield head(world, *lines) + body


def _long_header(world: World) -> Iterator[bytes]:
    yield head(world, f"Idempotency-Key: {'z' * 100_000}", "Content-Length: 2", "Connection: close") + b"{}"


REQUESTS: dict[str, tuple[Made, set[int]]] = {
    "a body shorter than its length": (_shorter, {0}),  # it has gone: nothing is accepted, and nobody hears
    "a body longer than its length": (_longer, {400}),
    "a length below nought": (_not_a_length("-1"), {400}),
    "a length of 30 figures": (_not_a_length("9" * 30), {400, 413}),
    "a length of 6,000 figures": (_not_a_length("9" * 6_000), {400, 413}),
    "a length that is none": (_not_a_length("zqx"), {400}),
    "a length and chunks": (_both, {400}),
    "two lengths": (_two_lengths, {400}),
    "a chunk of 2^72 bytes": (_chunk_that_lies, {400}),
    "two types": (_two_types, {415}),
    "two encodings": (_two_encodings, {415}),
    "a header of 100,000": (_long_header, {400, 431}),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_that_lies_is_no_incident(world: World, port: int, name: str) -> None:
    make, statuses = REQUESTS[name]
    start = size(world)
    said = spoken(port, make(world), end=statuses == {0})
    assert status(said) in statuses, said[:300]
    assert all(one.event == Event.INPUT_UNREADABLE for one in sealed(world, start=start))
    assert 'status="5xx"' not in world.police.get("/metrics").text + metrics(port)


def metrics(port: int) -> str:
    """What the served application counts."""
    return spoken(
        port, iter([b"GET /metrics HTTP/1.1\r\nHost: gateway.test\r\nConnection: close\r\n\r\n"]), end=False
    ).decode()


@pytest.mark.parametrize(
    ("path", "media"),
    [
        ("/police/v1/incidents", JSON_API.media),
        ("/oauth2/token", "application/x-www-form-urlencoded"),
        ("/team/v1/co-responses", "application/json"),
    ],
)
def test_a_body_without_end_is_read_no_further_than_the_limit(world: World, port: int, path: str, media: str) -> None:
    """In chunks, without a length: the answer comes while the sender still sends."""
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        yield head(world, "Transfer-Encoding: chunked", "Connection: close", path=path, media=media)
        while sent < MOST_SENT:
            yield b"10000\r\n" + b" " * 65_536 + b"\r\n"
            sent += 65_536

    said = spoken(port, endless())
    assert status(said) in {0, 400, 403, 413}, said[:300]
    assert sent < MOST_SENT


def test_a_row_without_end_is_cut_off_and_the_batch_goes_on(world: World, port: int) -> None:
    """One line of three limits, and a good one behind it."""
    good = JSON_API.good(serial())
    line = b"z" * (3 * world.services.settings.body_max_bytes)

    def pieces() -> Iterator[bytes]:
        yield head(world, "Transfer-Encoding: chunked", "Connection: close", path="/police/v1/batches", media=NDJSON)
        for piece in (line, b"\n" + good):
            yield b"%x\r\n" % len(piece) + piece + b"\r\n"
        yield b"0\r\n\r\n"

    said = spoken(port, pieces(), end=False)
    assert status(said) == 200
    assert b'"accepted":1' in said
    assert b'"unreadable":1' in said
