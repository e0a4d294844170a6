"""A PostgreSQL of the tests' own: made in a temporary directory, stopped by the handle it was started with.

It listens on a Unix socket only and trusts whoever can reach it. PostgreSQL refuses to run as root; then the server
alone runs as `postgres` or `nobody`, never Python. Where no server is installed, the test is skipped.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psycopg
import pytest
from psycopg import sql

READY_SECONDS = 60  # recovery after a kill reads the write-ahead log first
STOP_SECONDS = 20
USER = "gateway"
_READY = b"database system is ready to accept connections"


class PostgresFailed(Exception):
    """The server did not come up; the message is its own last words."""


def binaries() -> Path | None:
    """The directory of the newest installed server's programs, or None."""
    installed = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    if installed:
        return max(installed, key=lambda path: int(path.parent.name.partition(".")[0]))
    found = shutil.which("postgres")
    return Path(found).resolve().parent if found else None


class Postgres:
    """One server over one data directory. `durable` keeps fsync on: a commit survives the machine, as in production."""

    def __init__(self, folder: Path, programs: Path, *, durable: bool) -> None:
        self._folder = folder
        self._programs = programs
        self._options = ["listen_addresses=", "max_connections=200", "log_min_messages=log"]
        if not durable:
            self._options += ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
        self._as: dict[str, Any] = _identity(folder)
        self._process: subprocess.Popen[bytes] | None = None
        self._listener: _Listener | None = None
        self._copies: dict[str, _Copy] = {}
        self._spare: dict[str, list[_Copy]] = {}
        self._rows: dict[str, _Rows] = {}
        self._held: dict[str, psycopg.Connection] = {}
        self._run("initdb", "-D", str(self._data), "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of a database."""
        return f"postgresql+psycopg://{USER}@/{self._name(database)}?host={self._folder}"

    def start(self) -> None:
        """Start, and return once it answers. Raises PostgresFailed."""
        settings = [part for option in self._options for part in ("-c", option)]
        self._process = subprocess.Popen(
            [self._programs / "postgres", "-D", self._data, "-k", self._folder, *settings],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            **self._as,
        )
        if self._process.stderr is None:
            raise TypeError("the server's words were asked for")
        self._listener = _Listener(self._process.stderr)
        if not self._listener.ready():
            self.stop()
            raise PostgresFailed(self._listener.last_words)

    def stop(self) -> None:
        """Stop at once: connections are cut, what is committed is on the disk."""
        while self._held:
            self._held.popitem()[1].close()
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._gone()

    def kill(self) -> None:
        """Kill the server as a power cut would; returns when all of its processes are gone."""
        if self._process is not None:
            self._process.kill()
            self._gone()

    def create(self, database: str, template: str = "template0") -> str:
        """Make a database as a copy of another, file by file: cheaper than page by page; returns its URL.

        A copy that was dropped is used again where it can be made equal to its template, at a third of the cost.
        """
        template = self._name(template)
        while spare := self._spare.get(template):
            copy = spare.pop()
            if self._made_equal(copy):
                self._copies[database] = copy
                return self.url(database)
            self._drop(copy.name)
        self._copy(database, template)
        if template != "template0":
            self._copies[database] = _Copy(database, template)
        return self.url(database)

    def drop(self, database: str) -> None:
        """Give a copy back, to be used again; remove any other database, cutting whoever is still connected."""
        copy = self._copies.pop(database, None)
        if copy is None:
            self._drop(database)
        else:
            self._spare.setdefault(copy.template, []).append(copy)

    def _made_equal(self, copy: _Copy) -> bool:
        """Whether a copy has the rows of its template again: not where its tables or its users are not as they were."""
        if copy.template not in self._rows:
            with self._connected(copy.template) as connection:
                self._rows[copy.template] = _Rows(connection)
        if copy.name not in self._held:  # open to the end: what a connection learns about tables costs more than rows
            self._held[copy.name] = self._connected(copy.name)
        return self._rows[copy.template].put_back(self._held[copy.name])

    def _name(self, database: str) -> str:
        """What a database is called by the server: a copy that is used again keeps the name it was made with."""
        copy = self._copies.get(database)
        return copy.name if copy else database

    def _copy(self, database: str, template: str) -> None:
        if template in self._held:
            self._held.pop(template).close()  # nobody may be connected to what is copied
        copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(database), sql.Identifier(template))
        with self._connected() as connection:
            chosen = connection.info.server_version >= 150000  # older servers copy so without being told
            connection.execute(copy + sql.SQL(" STRATEGY FILE_COPY") if chosen else copy)

    def _drop(self, database: str) -> None:
        if database in self._held:
            self._held.pop(database).close()
        with self._connected() as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))

    def _connected(self, database: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(host=str(self._folder), user=USER, dbname=database, autocommit=True)

    def _gone(self) -> None:
        if self._process is None or self._listener is None:
            return
        self._process.wait(STOP_SECONDS)
        self._listener.closed(STOP_SECONDS)  # its children hold the pipe: it ends when the last of them does
        self._process = None

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run([self._programs / program, *arguments], capture_output=True, check=False, **self._as)
        if done.returncode:
            raise PostgresFailed(done.stderr.decode(errors="replace"))


@dataclass(frozen=True)
class _Copy:
    """A database by its own name, and the one it was copied from."""

    name: str
    template: str


class _Rows:
    """What a template holds, to be put back into a copy of it."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._shape = self._shape_of(connection)
        names = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        self._tables = [sql.Identifier(name) for (name,) in names]
        self._rows = [(table, rows) for table in self._tables if (rows := self._read(connection, table))]
        self._empty = sql.SQL("; ").join(sql.SQL("DELETE FROM {}").format(table) for table in self._tables).as_bytes()

    def put_back(self, connection: psycopg.Connection) -> bool:
        """Whether it could be."""
        if self._shape_of(connection) != self._shape:
            return False
        with connection.transaction():
            connection.execute("SET LOCAL session_replication_role = replica")  # the order of tables does not matter
            connection.execute(self._empty)
            for table, rows in self._rows:
                with connection.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(table)) as copying:
                    copying.write(rows)
        return True

    @staticmethod
    def _read(connection: psycopg.Connection, table: sql.Identifier) -> bytes:
        with connection.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(table)) as copying:
            return b"".join(copying)

    @staticmethod
    def _shape_of(connection: psycopg.Connection) -> object:
        """Its tables, columns, keys, rules and sequences; that nobody else is connected, and that it is not large."""
        return connection.execute(_SHAPE).fetchone()


_SHAPE = """
SELECT md5(string_agg(format('%s %s %s %s', relname, relkind, relnatts, relchecks), ',' ORDER BY relname)),
  (SELECT count(*) FROM pg_constraint), (SELECT count(*) FROM pg_trigger), (SELECT count(*) FROM pg_proc),
  (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()),
  (SELECT count(*) FROM pg_sequences), pg_database_size(current_database()) < 64000000
FROM pg_class WHERE relnamespace = 'public'::regnamespace
"""


class _Listener:
    """Reads what a server says, to its last word, and knows when it has said that it is ready."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._said: list[bytes] = []
        self._turn = threading.Event()
        self._is_ready = False
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @property
    def last_words(self) -> str:
        return b"".join(self._said[-20:]).decode(errors="replace")

    def ready(self) -> bool:
        """Whether it became ready, once that is known."""
        return self._turn.wait(READY_SECONDS) and self._is_ready

    def closed(self, timeout: float) -> None:
        """Return when the last process that could speak has ended."""
        self._thread.join(timeout)

    def _listen(self) -> None:
        with self._stream:
            for line in self._stream:
                self._said.append(line)
                if _READY in line:
                    self._is_ready = True
                    self._turn.set()
        self._turn.set()


def _identity(folder: Path) -> dict[str, Any]:
    """Who the server runs as: ourselves, unless we are root; then the folder becomes that user's."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        os.chown(folder, user.pw_uid, user.pw_gid)
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise PostgresFailed("we are root, and there is neither `postgres` nor `nobody` to run the server as")


@contextmanager
def running(*, durable: bool) -> Iterator[Postgres]:
    """A started server, stopped and removed at the end. Skips the test where none is installed."""
    programs = binaries()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed")
    folder = Path(tempfile.mkdtemp(prefix="provide-pg-"))  # a short path of its own: sockets' names are bounded
    try:
        server = Postgres(folder, programs, durable=durable)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
