"""The two engines behind one name: SQLite embedded, PostgreSQL in production.

A `Database` has a writer, whose transactions hold their log from the first statement, and readers. It knows dialects;
everything above it speaks SQLAlchemy Core.

SQLite: WAL, synchronous=FULL (a commit is on the disk before anybody is told), writers `BEGIN IMMEDIATE`. Only one
write transaction can be open in a file, so the writers of one process queue on `turn` and never spin on the file lock.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url

BUSY_TIMEOUT_MS = 10_000  # a migration or another process's batch may hold the file; none holds it for long


class Database:
    """Engines for one database URL. Close it when done."""

    def __init__(self, url: str, *, readers: int = 8) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._turn = threading.Lock() if self.is_sqlite else nullcontext()
        if self.is_sqlite:
            Path(str(self.url.database)).parent.mkdir(parents=True, exist_ok=True)
            self.writer = _sqlite(url, "BEGIN IMMEDIATE", pool_size=4)
            self.reader = _sqlite(url, "BEGIN", pool_size=readers)
        else:
            self.writer = create_engine(url, pool_size=4, max_overflow=4, pool_pre_ping=True)
            self.reader = create_engine(
                url, pool_size=readers, max_overflow=0, pool_pre_ping=False, isolation_level="AUTOCOMMIT"
            )

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One write transaction: committed at the end, rolled back on any error."""
        with self._turn, self.writer.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for reading; it sees what is committed."""
        with self.reader.connect() as connection:
            yield connection

    def close(self) -> None:
        """Give back every connection."""
        self.writer.dispose()
        self.reader.dispose()


def _sqlite(url: str, begin: str, *, pool_size: int) -> Engine:
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own connection
        connection.isolation_level = None  # the driver would otherwise begin, deferred, by itself
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_TIMEOUT_MS}"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
