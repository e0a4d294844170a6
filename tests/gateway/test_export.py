"""The export of a pack: streamed, one page held, nothing kept between two pieces, and refuted if it is cut short."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import ClientDisconnect

from audit import sql as log_sql
from audit.checkpoint import Checkpoint
from audit.errors import StorageFault
from audit.log import Growth
from audit.note import Cosigner
from audit.report import Report
from audit.sql import Cosignature
from audit.verify import verify
from gateway.demo.run import LOG
from gateway.evidence import Event
from gateway.reading_log import Export, write_pack
from tests.journeys.support import world_on
from tests.support.world import World

PATH = f"/audit/v1/logs/{LOG}/pack"
WITNESS = Cosigner.from_seed("witness.example/force", bytes([1]) * 32)


@pytest.fixture
def world(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with world_on(engine_name, request, tmp_path / "world") as opened:
        yield opened


def fill(world: World, number: int) -> None:
    """Seal the last entry again, many times, without the journal."""
    signer = world.services.signer(LOG)
    body = world.entries()[-1].body
    with world.services.database.writing() as connection:
        growth = Growth(log_sql.lock_head(connection, LOG))
        for _ in range(number):
            growth.append(body)
        log_sql.append(connection, LOG, growth.seal(signer), datetime.now(UTC))


def check(world: World, raw: bytes, **more: Any) -> Report:
    return verify(io.BytesIO(raw), pinned_key=world.services.signer(LOG).verifier.text, **more)


def test_a_pack_comes_in_pieces_and_covers_its_own_export(world: World) -> None:
    fill(world, 1500)
    answer = world.auditor.get(PATH)
    assert answer.status_code == 200
    report = check(world, answer.content)
    assert report.verified, report.findings
    assert report.size == len(world.entries())
    assert world.entries()[-1].entry().event == Event.LOG_EXPORTED


def test_cosigned_checkpoints_go_into_the_pack(world: World) -> None:
    """One of an earlier size, and one of the last."""
    services = world.services
    for _ in range(2):
        with services.database.writing() as connection:
            note = log_sql.read_head(connection, LOG).checkpoint
            head = Checkpoint.unverified(note)
            seconds = 1_772_360_000 + head.size * 100_000  # another day each time: one is kept for each
            line = WITNESS.cosign(head.text, seconds)
            given = Cosignature(WITNESS.verifier.text, head.size, seconds, note, line)
            assert log_sql.keep_cosignature(connection, LOG, given)
        if head.size:
            fill(world, 3)
    out = io.BytesIO()
    with services.database.reading() as connection:
        size = write_pack(services, connection, LOG, out)
    report = check(world, out.getvalue(), witnesses=[WITNESS.verifier.text])
    assert report.verified, report.findings
    assert [one.size for one in report.cosigned] == [size - 6, size - 3]
    assert all(one.pinned for one in report.cosigned)


def test_between_two_pieces_nothing_is_held(world: World) -> None:
    """A slow client keeps neither a connection nor a thread, and what is sealed meanwhile is not in its pack."""
    fill(world, 1500)
    services = world.services
    pieces = []
    with services.database.reading() as connection:
        export = Export(services, connection, LOG)
        pieces.append(export.piece(connection))
    while pieces[-1]:
        assert services.database.reader.pool.checkedout() == 0  # type: ignore[attr-defined] # of a QueuePool
        fill(world, 1)
        with services.database.reading() as connection:
            pieces.append(export.piece(connection))
    assert len(pieces) > 5
    report = check(world, b"".join(pieces))
    assert report.verified, report.findings
    assert report.size == export.size < len(world.entries())


Message = MutableMapping[str, Any]


async def still_there() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


def call(
    world: World,
    send: Callable[[Message], Awaitable[None]],
    receive: Callable[[], Awaitable[Message]] = still_there,
    spec_version: str = "2.4",
) -> None:
    """Call the application as a server does, with the auditor's token."""
    token = world.auditor.http.headers["Authorization"]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": spec_version},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "https",
        "path": PATH,
        "raw_path": PATH.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"gateway.test"), (b"authorization", token.encode())],
        "client": ("192.0.2.1", 1),
        "server": ("gateway.test", 443),
    }
    world.run(world.app(scope, receive, send))


def test_a_client_that_goes_away_ends_the_reading(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the server raises when it sends to nobody, or says so beside the sending."""
    fill(world, 5000)
    pages = count_pages(monkeypatch)
    bodies = 0
    gone = asyncio.Event()

    async def send(message: Message) -> None:
        nonlocal bodies
        bodies += message["type"] == "http.response.body"
        if bodies == 3:
            gone.set()
            raise OSError("the connection is gone")

    with pytest.raises(ClientDisconnect):
        call(world, send)
    assert bodies == 3
    assert 0 < len(pages) < 5

    async def send_on(message: Message) -> None:
        nonlocal bodies
        bodies += message["type"] == "http.response.body"
        if bodies == 3:
            gone.set()

    async def receive() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    pages.clear()
    bodies = 0
    gone.clear()
    call(world, send_on, receive, "2.3")
    assert 0 < len(pages) < 5


def test_the_reading_waits_for_the_client(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page is read when the one before it has gone, and other work is done between."""
    fill(world, 3000)
    pages = count_pages(monkeypatch)
    ahead: list[int] = []
    received = 0

    async def send(message: Message) -> None:
        nonlocal received
        received += message.get("body", b"").count(b"\nentry ")
        ahead.append(len(pages) * 512 - received)
        await asyncio.sleep(0)

    call(world, send)
    assert len(ahead) > 5
    assert max(ahead[1:]) <= 2 * 512


def test_a_pack_cut_short_by_a_fault_is_refuted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(world, 3000)
    given = log_sql.leaves
    sent = bytearray()
    last = True

    def leaves(connection: Any, log_id: str, start: int, stop: int) -> Any:
        if start > 1024:
            raise StorageFault("the log lacks an entry that its head covers")
        return given(connection, log_id, start, stop)

    async def send(message: Message) -> None:
        nonlocal last
        sent.extend(message.get("body", b""))
        last = message.get("more_body", False)

    monkeypatch.setattr(log_sql, "leaves", leaves)
    with pytest.raises(StorageFault):
        call(world, send)
    assert last  # the server saw no end, and tells the client so
    report = check(world, bytes(sent))
    assert not report.verified
    assert report.size < 3000


def count_pages(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    pages: list[int] = []
    given = log_sql.leaves

    def leaves(connection: Any, log_id: str, start: int, stop: int) -> Any:
        pages.append(start)
        return given(connection, log_id, start, stop)

    monkeypatch.setattr(log_sql, "leaves", leaves)
    return pages
