"""A small world to test in: the shipped agreement in force, three clients, the application without a socket.

The world is prepared once, on SQLite, with keys that take long to make; each test works on a copy of its files, and on
PostgreSQL on a copy of its rows. Clients are the demonstration's own: they sign in at the real token endpoint.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Coroutine
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from fastapi import FastAPI
from joserfc.jwk import RSAKey
from sqlalchemy import Engine, MetaData, insert, select
from starlette.types import Message

from audit import sql as log_sql
from gateway import initialise
from gateway.app import create_app
from gateway.demo.client import Client
from gateway.demo.run import ADVISER, AUDITOR, GUARDIAN, LOG, OFFICER
from gateway.demo.setting import prepared
from gateway.services import Services, open_services
from gateway.settings import Settings
from gateway.store import tables
from gateway.store.database import Database

URL = "https://gateway.test"
T = TypeVar("T")

USERS = {"demo-rms": OFFICER, "demo-hospital": ADVISER, "demo-guardian": GUARDIAN, "demo-auditor": AUDITOR}
JSON_API = {"Content-Type": "application/vnd.api+json"}


def settings_for(data_dir: Path, database_url: str | None = None, **more: Any) -> Settings:
    """Development settings over a directory and a database."""
    return Settings(data_dir=data_dir, database_url=database_url, public_url=URL, **more)


def prepare_template(data_dir: Path) -> None:
    """Make the world that tests copy: keys, database, agreement, clients with keys in `data_dir/clients`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(initialise, "RSA_BITS", 2048)  # the least that is taken; larger ones take a second to make
        prepared(settings_for(data_dir), data_dir / "clients")


def copy_template(template: Path, data_dir: Path, *, with_database: bool) -> None:
    """Copy the world's files; without the database where its rows are elsewhere."""
    ignored = None if with_database else shutil.ignore_patterns("*.sqlite3*")
    shutil.copytree(template, data_dir, ignore=ignored)


def copy_rows(template: Path, url: str) -> None:
    """Copy every row of the world into a migrated database without any."""
    source, target = Database(settings_for(template).database), Database(url)
    try:
        for metadata in (tables.metadata, log_sql.metadata):
            _copy_all(metadata, source.reader, target.writer)
    finally:
        source.close()
        target.close()


def _copy_all(metadata: MetaData, source: Engine, target: Engine) -> None:
    with source.connect() as reading, target.begin() as writing:
        for table in metadata.sorted_tables:
            rows = [dict(row._mapping) for row in reading.execute(select(table))]
            if rows:
                writing.execute(insert(table), rows)


@dataclass
class World:
    """Open services, the application over them, and clients to call it. Close it when done."""

    services: Services
    keys_dir: Path
    _runner: asyncio.Runner = field(init=False, default_factory=asyncio.Runner)
    _clients: dict[str, Client] = field(init=False, default_factory=dict)

    @cached_property
    def app(self) -> FastAPI:
        """The application; made when it is first called, for some tests never do."""
        return create_app(self.services)

    @property
    def police(self) -> Client:
        """The record system, on behalf of the officer in the case."""
        return self.client("demo-rms")

    @property
    def hospital(self) -> Client:
        """The hospital's system, on behalf of an adviser."""
        return self.client("demo-hospital")

    @property
    def guardian(self) -> Client:
        """The Caldicott Guardian's system."""
        return self.client("demo-guardian")

    @property
    def auditor(self) -> Client:
        """The auditor's system."""
        return self.client("demo-auditor")

    def client(self, client_id: str, user: dict[str, str] | None = None, key: RSAKey | None = None) -> Client:
        """A signed-in client; the same one again unless it acts for another person."""
        name = f"{client_id} for {user or USERS.get(client_id)}"
        if name not in self._clients:
            made = Client(
                URL,
                client_id,
                key or client_key(self.keys_dir / f"{client_id}.pem"),
                user or USERS.get(client_id),
                Bridge(self.app, self._runner),
            )
            made.sign_in()
            self._clients[name] = made
        return self._clients[name]

    def push(self, document: dict[str, Any], key: str | None = None) -> httpx.Response:
        """Push an incident, under an idempotency key where one is given."""
        headers = {**JSON_API, **({"Idempotency-Key": key} if key else {})}
        return self.police.post("/police/v1/incidents", json=document, headers=headers)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop the application runs on."""
        return self._runner.run(work)

    def entries(self, log_id: str = LOG) -> list[log_sql.Stored]:
        """Everything sealed in a log."""
        with self.services.database.reading() as connection:
            size = log_sql.read_head(connection, log_id).size
            return list(log_sql.leaves(connection, log_id, 0, size))

    def close(self) -> None:
        """Stop the clients, the journals and the loop."""
        for client in self._clients.values():
            client.http.close()
        self.services.close()
        self._runner.close()


class Bridge(httpx.BaseTransport):
    """Lets a synchronous client call an ASGI application on a given loop.

    It says what httpx's own `ASGITransport` says, which spends as long on each call as the application does. What
    comes compressed is expanded.
    """

    def __init__(self, app: FastAPI, runner: asyncio.Runner) -> None:
        self._app = app
        self._runner = runner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Make one call and read the whole answer."""
        call = _Call(request)
        self._runner.run(call.made(self._app))
        answer = httpx.Response(call.status, headers=call.headers, content=b"".join(call.parts))
        if "content-encoding" not in answer.headers:
            return answer
        headers = [pair for pair in answer.headers.multi_items() if pair[0] != "content-encoding"]
        return httpx.Response(call.status, headers=headers, content=answer.content)


class _Call:
    """One call of an ASGI application: what it is given, and what it has answered."""

    def __init__(self, request: httpx.Request) -> None:
        self._request = request
        self._body: bytes | None = request.read()
        self._answered = asyncio.Event()
        self.status = 500  # of an application that fails before it has said anything
        self.headers: list[tuple[bytes, bytes]] = []
        self.parts: list[bytes] = []

    async def made(self, app: FastAPI) -> None:
        """Call the application; what it raises is its own affair, as it is a server's."""
        url = self._request.url
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": self._request.method,
            "headers": [(name.lower(), value) for name, value in self._request.headers.raw],
            "scheme": url.scheme,
            "path": url.path,
            "raw_path": url.raw_path.partition(b"?")[0],
            "query_string": url.query,
            "server": (url.host, url.port),
            "client": ("127.0.0.1", 123),
            "root_path": "",
        }
        with contextlib.suppress(Exception):
            await app(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        if self._body is None:
            await self._answered.wait()
            return {"type": "http.disconnect"}
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            if self._request.method != "HEAD":
                self.parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                self._answered.set()


def client_key(path: Path) -> RSAKey:
    """A client's key, checked once for all worlds: they are copies of one."""
    return _imported(path.read_bytes())


@cache
def _imported(pem: bytes) -> RSAKey:
    return RSAKey.import_key(pem)


def open_world(settings: Settings) -> World:
    """Open the world that lies prepared at these settings."""
    return World(open_services(settings), settings.data_dir / "clients")
