"""The line of one HTTP client: the head of a request is bounded, and one that was begun does not wait for ever.

uvicorn bounds neither. Without this, one client that nobody knows could fill the memory with a header, or hold
connections with requests it never ends. A body is bounded by who reads it (`bodies.py`), a slow answer by nobody: the
line of a live page stays open. A proxy in front may be stricter.

What may mean two things to two readers of the line is no request: no host or several, and a coding of the body that is
not known here. What comes behind the body as a trailer is no header: whoever stands in front has not seen it as one.

Source: RFC 6585 section 5 (431); RFC 9110 section 6.5.1 (trailers); RFC 9112 sections 2.1, 3.2 (400), 6.1 and 9.5.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 65_536  # of a request line and its headers: what one read of the socket brings may be a little more
SILENT_SECONDS = 30.0  # of a client in the middle of a request, or before its first

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Wire(HttpToolsProtocol):
    """uvicorn's protocol with both bounds."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._head, self._in_head, self._begun = 0, True, True
        self._heard = self.loop.time()
        self._watch: asyncio.TimerHandle | None = self.loop.call_later(SILENT_SECONDS, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; a head that goes on too long ends the connection."""
        super().data_received(data)
        if not self._begun or self.transport.is_closing():
            return
        self._heard = self.loop.time()
        if self._watch is None:
            self._watch = self.loop.call_later(SILENT_SECONDS, self._look)
        if self._in_head:
            self._head += len(data)
            if self._head > HEAD_BYTES:
                self.transport.write(_TOO_LARGE)
                self.transport.close()

    def on_message_begin(self) -> None:
        """A request begins."""
        self._head, self._in_head, self._begun = 0, True, True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; a trailer is let go, as it is read no more."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Its head has ended. What is raised here is answered 400, and the line closed."""
        self._in_head = False
        _check(self.headers, self.parser.get_http_version())
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """It is there whole."""
        self._begun = False
        super().on_message_complete()

    def _look(self) -> None:
        """Close the line where its client has been silent for too long; not where nobody listens to it just now."""
        self._watch = None
        if not self._begun or self.transport.is_closing():
            return
        now = self.loop.time()
        if self.flow.read_paused:
            self._heard = now + SILENT_SECONDS  # when it is heard again, it has its whole time from then on
        left = self._heard + SILENT_SECONDS - now
        if left <= 0:
            self.transport.close()
        else:
            self._watch = self.loop.call_later(left, self._look)


def _check(headers: list[tuple[bytes, bytes]], version: str) -> None:
    """Raise ValueError for a head that another reader may take for something else."""
    hosts = sum(name == b"host" for name, _ in headers)
    codings = [value.strip().lower() for name, value in headers if name == b"transfer-encoding"]
    if hosts > 1 or (not hosts and version == "1.1") or codings not in ([], [b"chunked"]):
        raise ValueError("the head has not one host, or a coding that is not known")


SERVED: dict[str, Any] = {"http": Wire, "ws": "none"}
"""What uvicorn is told of the line: no WebSocket is spoken here."""
