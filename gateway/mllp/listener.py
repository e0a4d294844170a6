"""The listener: connections in, bounded in bytes and time (in number: `gate`), every message answered in its order.

One message is in flight on a connection: while it is judged and kept nothing more is read from it, and the sender's own
window fills. A message that was begun must end in time, however slowly its bytes drip; answers must be taken in time;
a line that is silent for long is closed. So a client holds no more than its connections times one message.

`stop` lets what is being kept be answered, and closes the rest: a sender that got no answer sends again.

What a message means, and that it is kept before its answer leaves, is the `Handle`'s business.

Source: HL7 v2.4 Implementation Guide, appendix C; domain.md section 2.9.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from adapters.mllp import Framer, Garbage, TooLong, framed
from gateway.errors import GatewayError
from gateway.evidence import Caller
from gateway.logs import Line, say
from gateway.mllp.door import Door
from gateway.mllp.gate import READ_BYTES, Gate
from gateway.mllp.tls import fingerprint

Handle = Callable[[Caller, bytes | TooLong], Awaitable[Sequence[bytes]]]
"""What becomes of a message, or of one that was too long to be held: its answers, unframed. It answers what fails, too;
what it raises closes the connection, and the sender sends again."""

_LINE_ENDS: Final = b"\r\n"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a connection may take: bytes of one message, seconds, and how many there may be, in all and of a client.

    `look_again_seconds` is how soon a certificate that is removed no longer speaks on a connection that is open.
    """

    message_bytes: int
    message_seconds: float
    idle_seconds: float
    connections: int
    connections_per_client: int
    look_again_seconds: float = 60.0


class Listener:
    """Accepts connections until it is stopped. Open and stop it on one event loop."""

    def __init__(self, door: Door, handle: Handle, bounds: Bounds, tls: ssl.SSLContext | None) -> None:
        self._door = door
        self._handle = handle
        self._bounds = bounds
        proven_within = min(_HANDSHAKE_SECONDS, bounds.message_seconds)
        self._gate = Gate(self._connected, bounds.connections, tls, proven_within)
        self._stopping = False
        self._clients: Counter[str] = Counter()
        self._open: dict[asyncio.Task[None], _Line] = {}

    async def open(self, host: str, port: int) -> int:
        """Listen; returns the port, which is a free one where 0 was asked for. Raises OSError."""
        return await self._gate.open(host, port)

    async def stop(self, grace_seconds: float = 10.0) -> None:
        """Accept nothing more, answer what is being kept, close everything."""
        self._stopping = True
        await self._gate.close()
        for line in self._open.values():
            if not line.busy:
                line.writer.close()
        if self._open:
            await asyncio.wait(self._open, timeout=grace_seconds)
        for line in self._open.values():
            line.writer.transport.abort()

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._open)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or self._stopping:
            writer.transport.abort()
            return
        line = self._open[task] = _Line(reader, writer)
        try:
            client = await self._admitted(line)
            if client is not None:
                try:
                    await self._serve(line, client)
                finally:
                    self._clients[client] -= 1
        except (OSError, TimeoutError, ssl.SSLError):
            pass  # the line broke, or was too slow: whoever got no answer sends again
        except Exception as error:  # noqa: BLE001 - one connection's trouble must not end the listener
            say(Line.MLLP_BROKEN, error=type(error).__name__)
        finally:
            del self._open[task]
            await line.close()

    async def _admitted(self, line: _Line) -> str | None:
        """The client a connection speaks for, counted; None where it is not let in."""
        shown = line.writer.get_extra_info("ssl_object")
        der = shown.getpeercert(binary_form=True) if shown is not None else None
        line.shown = fingerprint(der) if der else None
        try:
            client = await self._door.client(line.shown)
        except GatewayError as error:
            say(Line.MLLP_REFUSED, client="unknown", why=type(error).__name__)
            return None
        if client is None:
            say(Line.MLLP_REFUSED, client="unknown", why="certificate")
            return None
        if self._clients[client] >= self._bounds.connections_per_client:
            say(Line.MLLP_REFUSED, client=client, why="connections")
            return None
        self._clients[client] += 1
        line.looked_at = asyncio.get_running_loop().time()
        return client

    async def _serve(self, line: _Line, client: str) -> None:
        """Read and answer until the sender, the clock or `stop` ends it."""
        framer = Framer(self._bounds.message_bytes)
        loop = asyncio.get_running_loop()
        begun: float | None = None  # when the message being read began, by the loop's clock
        while not self._stopping:
            allowed = self._bounds.idle_seconds if begun is None else self._bounds.message_seconds
            async with asyncio.timeout_at((loop.time() if begun is None else begun) + allowed):
                data = await line.reader.read(READ_BYTES)
            if not data:
                break
            line.busy = True
            found = framer.feed(data)
            for one in found:
                if isinstance(one, Garbage):
                    say(Line.MLLP_GARBAGE, client=client, kind=one.kind.value, bytes=one.size)
                elif not await self._answered(line, client, one):
                    return
            line.busy = False
            if found or begun is None:
                begun = loop.time() if _unfinished(data) else None
        for left in framer.close():
            say(Line.MLLP_GARBAGE, client=client, kind=left.kind.value, bytes=left.size)

    async def _answered(self, line: _Line, client: str, one: bytes | TooLong) -> bool:
        """Have a message kept, and answer it; False where the client may not speak any more."""
        caller = await self._door.caller(client)
        now = asyncio.get_running_loop().time()
        if caller is not None and now - line.looked_at >= self._bounds.look_again_seconds:
            line.looked_at = now
            caller = caller if await self._door.client(line.shown) == client else None
        if caller is None:
            say(Line.MLLP_REFUSED, client=client, why="revoked")
            return False
        answers = await self._handle(caller, one)
        line.writer.write(b"".join(map(framed, answers)))
        async with asyncio.timeout(self._bounds.message_seconds):
            await line.writer.drain()
        return True


class _Line:
    """One connection; `busy` while a message of it is being kept or answered.

    `shown` is the fingerprint of its certificate, `looked_at` when that was last looked up, by the loop's clock.
    """

    __slots__ = ("busy", "looked_at", "reader", "shown", "writer")

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.busy = False
        self.shown: str | None = None
        self.looked_at = 0.0

    async def close(self) -> None:
        """Send what is written and hang up; one that does not take it is cut off."""
        self.writer.close()
        with suppress(OSError, TimeoutError, ssl.SSLError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self.writer.wait_closed()
                return
        self.writer.transport.abort()


_CLOSE_SECONDS: Final = 5.0
_HANDSHAKE_SECONDS: Final = 10.0  # whoever has not shown a certificate by then holds nothing here any longer


def _unfinished(data: bytes) -> bool:
    """Whether bytes end within a message: after the last end there is more than line ends, which are nothing."""
    return bool(data[data.rfind(b"\x1c") + 1 :].strip(_LINE_ENDS))
