"""What waits for a database or for long reading does not hold up the event loop: everybody else is answered."""

from __future__ import annotations

import ast
import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import gateway
from adapters.socket import Limits
from gateway import profiles
from gateway.profiles import AT_ONCE_BYTES, read_by
from mappings.profile import profile
from tests.journeys.support import world_on
from tests.support.world import URL, World

PATIENCE_SECONDS = 10


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with world_on("sqlite", request, tmp_path / "world") as opened:
        yield opened


def test_a_register_of_clients_that_cannot_be_read_for_a_while_keeps_nobody_else_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one call waits for the database, a call that needs none is answered by the same process."""
    asked, goes_on = threading.Event(), threading.Event()
    clients = world.services.clients
    read, token = clients._read, world.police.sign_in()["access_token"]

    def slow() -> object:
        asked.set()
        assert goes_on.wait(PATIENCE_SECONDS)
        return read()

    async def both() -> tuple[int, int]:
        transport = httpx.ASGITransport(world.app)
        async with httpx.AsyncClient(base_url=URL, transport=transport) as client:
            path, by = "/police/v1/feedback", {"Authorization": f"Bearer {token}"}
            waiting = asyncio.create_task(client.get(path, headers=by))
            await asyncio.to_thread(asked.wait, PATIENCE_SECONDS)
            live = await client.get("/health/live")
            assert not waiting.done()
            goes_on.set()
            return live.status_code, (await waiting).status_code

    with monkeypatch.context() as patch:
        patch.setattr(clients, "_read", slow)
        patch.setattr(clients, "_held", None)
        assert world.run(both()) == (200, 200)


@pytest.mark.parametrize(("size", "elsewhere"), [(0, False), (AT_ONCE_BYTES, False), (AT_ONCE_BYTES + 1, True)])
def test_a_long_document_is_read_in_a_thread_and_a_short_one_at_once(
    size: int, *, elsewhere: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []

    class Reads:
        @staticmethod
        def read(*_: object) -> None:
            threads.append(threading.get_ident())

    monkeypatch.setattr(profiles, "reader", lambda _: Reads)
    asyncio.run(read_by(profile("ihub"), b"x" * size, Limits()))
    assert (threads != [threading.get_ident()]) is elsewhere


BLOCKING = {"reading", "writing", "submit_and_wait", "read_text", "read_bytes", "write_bytes", "write_text", "sleep"}
"""Methods that wait for the database, for a journal or for a disk."""


def test_nothing_that_runs_on_the_event_loop_calls_what_waits() -> None:
    """`asyncio.sleep` and what is awaited apart, no coroutine of the gateway opens the database or a file by itself."""
    folder = Path(gateway.__file__).parent
    found = [
        f"{path.relative_to(folder)}:{call.lineno} {ast.unparse(call.func)}"
        for path in sorted(folder.rglob("*.py"))
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.AsyncFunctionDef)
        for call in calls(function)
        if isinstance(call.func, ast.Attribute) and call.func.attr in BLOCKING
    ]
    assert found == []


def calls(node: ast.AST) -> Iterator[ast.Call]:
    """The calls that a coroutine makes itself and does not await."""
    for one in ast.iter_child_nodes(node):
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(one, ast.Call):
            yield one
        yield from calls(one.value if isinstance(one, ast.Await) else one)  # of what is awaited, its arguments
