"""The load generator: keep-alive connections over raw asyncio streams of bytes, in a process apart from what it loads.

It builds nothing while the clock runs: requests are whole before the first is sent, and of an answer it reads the
status line, the length and, where asked, one part by a pattern. It knows nothing of what it loads but HTTP/1.1.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import cast

import uvloop

HOST = "127.0.0.1"
SEARCHES_MAX = 100  # what is sealed is visible at once: the second search would already be a surprise
_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class LoadFailed(Exception):
    """An answer is not the one expected: a benchmark of refusals would be fast and worthless."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a run of requests came to: seconds from the first byte sent to the last answer, each latency, parts kept."""

    seconds: float
    latencies: tuple[float, ...]
    kept: tuple[str, ...]

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds


def fire(port: int, requests: Sequence[bytes], *, connections: int, status: int, keep: str | None = None) -> Run:
    """Send every request once over so many connections, each waiting for its answer before it sends the next.

    `keep` is a pattern whose first group is kept of each answer, in no particular order. Raises LoadFailed where a
    status is another, or the pattern is not found.
    """
    pattern = re.compile(keep.encode()) if keep else None
    waiting = iter(requests)
    kept: list[str] = []

    async def one(connection: Connection) -> float | None:
        request = next(waiting, None)
        if request is None:
            return None
        began = time.perf_counter()
        body = await connection.ask(request, status)
        took = time.perf_counter() - began
        if pattern is not None:
            kept.append(_part(pattern, body))
        return took

    return _run(port, connections, one, kept)


def push_and_find(
    port: int, pushes: Sequence[bytes], find: tuple[bytes, bytes], *, connections: int, reference: str
) -> Run:
    """Push each request, then search by the reference in its answer until the search finds one.

    `find` is what stands before and after the reference in the search's request. A latency is from the push's first
    byte to the end of the answer that shows it.
    """
    pattern = re.compile(reference.encode())
    before, after = find
    waiting = iter(pushes)

    async def one(connection: Connection) -> float | None:
        request = next(waiting, None)
        if request is None:
            return None
        began = time.perf_counter()
        found = _part(pattern, await connection.ask(request, 201)).encode()
        for _ in range(SEARCHES_MAX):
            if b'"total":1' in await connection.ask(before + found + after, 200):
                return time.perf_counter() - began
        raise LoadFailed("what was pushed is not found")

    return _run(port, connections, one, [])


class Connection(asyncio.Protocol):
    """One keep-alive connection; `ask` sends a request and waits for the whole answer."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[bytes] | None = None
        self._received = b""
        self._whole = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own, which has the methods and not the base

    def connection_lost(self, _: Exception | None) -> None:
        """Tell whoever waits."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(LoadFailed("the server closed the connection"))

    def data_received(self, data: bytes) -> None:
        """Collect until the answer is whole."""
        self._received += data
        if not self._whole:
            end = self._received.find(_HEAD_END)
            if end < 0:
                return
            length = _LENGTH.search(self._received, 0, end)
            self._whole = end + len(_HEAD_END) + (int(length[1]) if length else 0)
        if len(self._received) >= self._whole and self._answer is not None:
            self._answer.set_result(self._received)
            self._received, self._whole = b"", 0

    async def ask(self, request: bytes, status: int) -> bytes:
        """Send and wait; returns the answer, head and body. Raises LoadFailed where the status is another."""
        if self._transport is None:
            raise LoadFailed("not connected")
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        answer = await self._answer
        if int(answer[9:12]) != status:
            raise LoadFailed(f"{answer[:15]!r} instead of {status}: {answer[-300:]!r}")
        return answer


def _run(port: int, connections: int, one: Callable[[Connection], Awaitable[float | None]], kept: list[str]) -> Run:
    """Let every connection do one after another until there is nothing left."""

    async def alone(connection: Connection) -> list[float]:
        found: list[float] = []
        while (took := await one(connection)) is not None:
            found.append(took)
        return found

    async def everybody() -> Run:
        loop = asyncio.get_running_loop()
        made = [await loop.create_connection(Connection, HOST, port) for _ in range(connections)]
        try:
            began = time.perf_counter()
            found = await asyncio.gather(*(alone(connection) for _, connection in made))
            seconds = time.perf_counter() - began
        finally:
            for transport, _ in made:
                transport.abort()
            await asyncio.sleep(0)  # uvloop closes a transport in the loop's next round, and hangs on one left open
        return Run(seconds, tuple(took for ones in found for took in ones), tuple(kept))

    return uvloop.run(everybody())


def _part(pattern: re.Pattern[bytes], body: bytes) -> str:
    found = pattern.search(body)
    if found is None:
        raise LoadFailed("an answer lacks what it must hold")
    return found[1].decode()
