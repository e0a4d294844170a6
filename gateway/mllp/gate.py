"""The way in: connections accepted, counted from their first moment, and proven by TLS before anybody serves them.

There are never more than the number that is set, whether they have shown a certificate or not. Where all places are
taken, whoever has been longest at the handshake without ending it makes room for the next; whoever is being served
does not. So sockets that are opened and then say nothing keep no sender out, and cost no more than that number.

Who a certificate speaks for, and what is said, is the listener's business.

Source: domain.md section 2.9; RFC 8446.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from gateway.logs import Line, say

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""What becomes of a connection; it closes it."""

READ_BYTES: Final = 65_536


class Gate:
    """Accepts connections until it is closed. Open and close it on one event loop.

    `most` is how many there may be at once; `handshake_seconds` how long one may take to prove itself where `tls` asks
    for that.
    """

    def __init__(self, serve: Serve, most: int, tls: ssl.SSLContext | None, handshake_seconds: float) -> None:
        self._serve = serve
        self._most = most
        self._tls = tls
        self._handshake_seconds = handshake_seconds
        self._sockets: list[socket.socket] = []
        self._accepting: list[asyncio.Task[None]] = []
        self._unproven: dict[asyncio.Task[None], None] = {}  # oldest first
        self._served: dict[asyncio.Task[None], None] = {}

    async def open(self, host: str, port: int) -> int:
        """Listen at every address of the host; returns the port, a free one where 0 was asked for. Raises OSError."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        try:
            for family, address in dict.fromkeys((one[0], one[4][:2]) for one in found):
                made = socket.create_server((str(address[0]), int(address[1])), family=family, backlog=self._most)
                made.setblocking(False)  # noqa: FBT003 - the standard library's own signature
                self._sockets.append(made)
        except OSError:
            self._stop_listening()
            raise
        self._accepting = [loop.create_task(self._accept(one)) for one in self._sockets]
        taken: int = self._sockets[0].getsockname()[1]
        return taken

    async def close(self) -> None:
        """Accept nothing more, and hang up on whoever has not proven itself."""
        tasks = [*self._accepting, *self._unproven]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._stop_listening()

    def _stop_listening(self) -> None:
        for one in self._sockets:
            one.close()

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                line, _ = await loop.sock_accept(listening)
            except OSError:  # it went before it was taken, or there are no descriptors left
                await asyncio.sleep(_ACCEPT_AGAIN_SECONDS)
                continue
            if not self._has_room():
                say(Line.MLLP_REFUSED, client="unknown", why="connections")
                line.close()
                continue
            task = loop.create_task(self._proven(line))
            (self._unproven if self._tls else self._served)[task] = None
            task.add_done_callback(partial(self._ended, line))

    def _has_room(self) -> bool:
        """Whether one more may come; whoever has been at the handshake longest goes for it."""
        if len(self._unproven) + len(self._served) < self._most:
            return True
        oldest = next(iter(self._unproven), None)
        if oldest is None:
            return False
        del self._unproven[oldest]
        oldest.cancel()
        return True

    async def _proven(self, line: socket.socket) -> None:
        """Have a connection served once it has proven itself; one that does not has no name to be told by."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(READ_BYTES, loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        timing = {"ssl_handshake_timeout": self._handshake_seconds, "ssl_shutdown_timeout": _SHUTDOWN_SECONDS}
        try:
            transport, _ = await loop.connect_accepted_socket(
                lambda: protocol, line, ssl=self._tls, **(timing if self._tls else {})
            )
        except (OSError, asyncio.CancelledError):
            say(Line.MLLP_REFUSED, client="unknown", why="handshake")
            return
        task = asyncio.current_task()
        if task is not None:
            self._unproven.pop(task, None)
            self._served[task] = None
        await self._serve(reader, asyncio.StreamWriter(transport, protocol, reader, loop))

    def _ended(self, line: socket.socket, task: asyncio.Task[None]) -> None:
        self._unproven.pop(task, None)
        self._served.pop(task, None)
        if task.cancelled():  # before it began: no transport ever had the socket
            line.close()


_ACCEPT_AGAIN_SECONDS: Final = 0.1  # as long as nothing can be accepted, so that it is not asked all the time
_SHUTDOWN_SECONDS: Final = 1.0
