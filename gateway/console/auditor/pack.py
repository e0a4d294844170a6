"""The auditor's pack: one file that shows everything, and is checked without this gateway.

    /auditor/pack                  what is in it, how large it is, and how it is checked
    /auditor/pack/file             the file, streamed; its length is said before, so that a browser shows how far it is

The page's own size is of the log as the page found it; the file covers its own export as well.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from gateway.console.auditor.desk import HOME, Desk
from gateway.console.console import Console
from gateway.console.desk import Route
from gateway.console.page import HEADERS
from gateway.evidence import Event
from gateway.reading_log import Export
from gateway.web.http import receipt_header

MEASURED = 200_000
"""Entries up to which a pack is measured before it is sent: it is written once for nobody, beside the event loop."""


def pages(console: Console) -> tuple[Route, ...]:
    """The routes."""
    pack = _Pack(console)
    return ((f"{HOME}/pack", pack.page, "GET"), (f"{HOME}/pack/file", pack.file, "GET"))


class _Pack:
    def __init__(self, console: Console) -> None:
        self._desk = Desk(console)

    async def page(self, request: Request) -> Response:
        """What the pack holds."""
        sight = await self._desk.look(request, {"what": "pack-size"})

        def read(connection: Connection) -> tuple[int, int | None]:
            export = Export(self._desk.services, connection, sight.log_id)
            return export.size, export.length(connection) if export.size <= MEASURED else None

        size, length = await self._desk.read(read)
        return self._desk.page(request, "auditor_pack.html.jinja", sight, size=size, length=length)

    async def file(self, request: Request) -> Response:
        """The pack, which covers its own export."""
        sight = await self._desk.look(request, {"what": "pack"}, event=Event.LOG_EXPORTED)
        log_id = sight.log_id

        def begin(connection: Connection) -> tuple[Export, int | None]:
            export = Export(self._desk.services, connection, log_id)
            return export, export.length(connection) if export.size <= MEASURED else None

        export, length = await self._desk.read(begin)
        first = await self._desk.read(export.piece)  # what cannot be read at all still has an answer of its own

        async def pieces() -> AsyncIterator[bytes]:
            piece = first
            while piece:
                yield piece
                piece = await self._desk.services.database.read(export.piece)

        name = f'attachment; filename="{log_id}.pack"'
        headers = {**HEADERS, **receipt_header(sight.receipt, log_id), "Content-Disposition": name}
        if length is not None:
            headers["Content-Length"] = str(length)
        return StreamingResponse(pieces(), headers=headers, media_type="application/octet-stream")
