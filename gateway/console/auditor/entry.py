"""One entry: what it says in words, its canonical bytes, and the proof that it is in the log, to be checked elsewhere.

    /auditor/entries/{index}               the page; a script of ours checks the proof in the auditor's own browser
    /auditor/entries/{index}/entry.json    the canonical bytes, the leaf of the tree
    /auditor/entries/{index}/proof         the proof (C2SP tlog-proof), for `python -m audit receipt`
    /auditor/consistency                   that the log at one size is a prefix of it at another

The page shows the bytes that are checked and not a copy of them. What the server says of the proof stands beside what
the browser finds. The last two hold hashes alone and are not sealed, as over `/audit/v1`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from audit import sql as log_sql
from audit.checkpoint import Checkpoint
from audit.encoding import to_base64
from audit.errors import AuditError
from audit.note import Verifier
from audit.receipt import Receipt
from audit.tree import leaf_hash
from gateway.console.auditor.desk import HOME, Desk, as_file, size_of
from gateway.console.auditor.rows import said_of
from gateway.console.console import Console
from gateway.console.desk import Route
from gateway.console.page import HEADERS
from gateway.errors import NotFound
from gateway.web.http import json_response
from gateway.web.query import number


def pages(console: Console) -> tuple[Route, ...]:
    """The routes."""
    entry = _Entry(console)
    one = f"{HOME}/entries/{{index:number}}"
    return (
        (one, entry.page, "GET"),
        (f"{one}/entry.json", entry.body, "GET"),
        (f"{one}/proof", entry.proof, "GET"),
        (f"{HOME}/consistency", entry.consistency, "GET"),
    )


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry: what it says, its bytes as text, its receipt under the last checkpoint, and the server's word on it.

    `size` is that of the checkpoint.
    """

    said: Mapping[str, Any]
    text: str
    proof: Receipt
    size: int
    refuted: str | None

    @property
    def title(self) -> str:
        """The event."""
        return str(self.said.get("event", "an entry that cannot be read"))

    @property
    def at(self) -> datetime | None:
        """When it was sealed."""
        return datetime.fromisoformat(self.said["time"]) if "time" in self.said else None


class _Entry:
    def __init__(self, console: Console) -> None:
        self._desk = Desk(console)

    async def page(self, request: Request, index: int) -> Response:
        """One entry, beside its proof."""
        sight = await self._desk.look(request, {"what": "entry", "index": index})
        verifier = self._desk.services.signer(sight.log_id).verifier
        shown = await self._desk.read(partial(_read, log_id=sight.log_id, index=index, verifier=verifier))
        view: dict[str, Any] = {"shown": shown, "index": index, "last": shown.size - 1}
        return self._desk.page(request, "auditor_entry.html.jinja", sight, **view)

    async def body(self, request: Request, index: int) -> Response:
        """Its canonical bytes."""
        sight = await self._desk.look(request, {"what": "entry", "index": index})
        stored = await self._desk.read(lambda connection: log_sql.entry(connection, sight.log_id, index))
        return as_file(stored.body, f"{sight.log_id}-{index}.json", "application/json", sight)

    async def proof(self, request: Request, index: int) -> Response:
        """Its proof."""
        _, log_id = await self._desk.visit(request)
        proof = await self._desk.read(lambda connection: log_sql.receipt(connection, log_id, index))
        return as_file(proof.to_text().encode(), f"{log_id}-{index}.tlog-proof", "text/plain; charset=utf-8")

    async def consistency(self, request: Request) -> Response:
        """What a browser asks that saw the log before: is it the same, and more? Raises NotFound, BadParameter."""
        _, log_id = await self._desk.visit(request)
        first, second = number(request, "first"), number(request, "second")

        def read(connection: Connection) -> list[bytes]:
            if not 0 < first <= second <= size_of(connection, log_id):
                raise NotFound("the log has no such size")
            return log_sql.consistency(connection, log_id, first, second)

        hashes = [to_base64(one) for one in await self._desk.read(read)]
        return json_response({"first": first, "second": second, "hashes": hashes}, headers=HEADERS)


def _read(connection: Connection, *, log_id: str, index: int, verifier: Verifier) -> Shown:
    stored = log_sql.entry(connection, log_id, index)
    proof = log_sql.receipt(connection, log_id, index)
    try:
        proof.verify(verifier)
        refuted = None if leaf_hash(stored.body) == proof.leaf else "the entry is not the one the proof is of"
    except AuditError as fault:
        refuted = str(fault)
    size = Checkpoint.unverified(proof.checkpoint_text).size
    return Shown(said_of(stored.body), stored.body.decode(errors="replace"), proof, size, refuted)
