"""The two engines behind one name: SQLite embedded, PostgreSQL in production.

A `Database` has a writer, whose transactions hold their log from the first statement, and readers. It knows dialects;
everything above it speaks SQLAlchemy Core.

SQLite: WAL, synchronous=FULL (a commit is on the disk before anybody is told), writers `BEGIN IMMEDIATE`. Only one
write transaction can be open in a file, so the writers of one process queue on `turn` and never spin on the file lock.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from tenacity import retry, retry_if_exception, stop_after_delay, wait_random

from gateway.errors import Unreachable

T = TypeVar("T")

CACHE_KIB = 65_536  # a log of 10^5 entries no longer fits the default of 2 MiB, and appending doubles in cost
BUSY_TIMEOUT_MS = 10_000  # a migration or another process's batch may hold the file; none holds it for long


class Database:
    """Engines for one database URL. Close it when done."""

    def __init__(self, url: str, *, readers: int = 8) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="reader")
        self._turn = threading.Lock() if self.is_sqlite else nullcontext()
        if self.is_sqlite:
            Path(str(self.url.database)).parent.mkdir(parents=True, exist_ok=True)
            self.writer = _sqlite(url, "BEGIN IMMEDIATE", pool_size=4)
            self.reader = _sqlite(url, None, pool_size=readers)
        else:
            self.writer = create_engine(url, pool_size=4, max_overflow=4, pool_pre_ping=True)
            self.reader = create_engine(
                url, pool_size=readers, max_overflow=readers, pool_reset_on_return=None, isolation_level="AUTOCOMMIT"
            )

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One write transaction: committed at the end, rolled back on any error."""
        with self._turn, self.writer.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for reading; each statement sees what is committed when it runs. Raises Unreachable."""
        try:
            with self.reader.connect() as connection:
                yield connection
        except (OperationalError, InterfaceError, PoolTimeout) as error:
            raise Unreachable("the database does not answer", headers={"Retry-After": "1"}) from error

    async def read(self, question: Callable[[Connection], T]) -> T:
        """Ask a question of the database in a reader thread.

        The threads are few on purpose: they share one interpreter with the event loop, and more of them only take
        turns from it.
        """
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._ask, question)

    def _ask(self, question: Callable[[Connection], T]) -> T:
        with self.reading() as connection:
            return question(connection)

    def purge(self) -> None:
        """Have what was deleted leave the files as well, as far as the engine can; where a reader holds it, next time.

        SQLite overwrites it in the file itself and keeps older pages in the write-ahead log until that is emptied.
        PostgreSQL keeps dead rows until they are vacuumed, and more in its own log and backups (DECISIONS.md).
        """
        if self.is_sqlite:
            with self._turn, self.reader.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Give back every connection."""
        self._readers.shutdown()
        self.writer.dispose()
        self.reader.dispose()


def _sqlite(url: str, begin: str | None, *, pool_size: int) -> Engine:
    """An engine whose transactions begin with a statement; without one, it only reads and has none."""
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_reset_on_return="rollback" if begin else None,
        isolation_level=None if begin else "AUTOCOMMIT",
        connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own connection
        connection.isolation_level = None  # the driver would otherwise begin, deferred, by itself
        _to_wal(connection)
        for pragma in (
            f"cache_size=-{CACHE_KIB}",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",  # a deleted key is overwritten with zeros; FAST leaves it in free pages
            f"busy_timeout={BUSY_TIMEOUT_MS}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    if begin is None:
        return engine

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


@retry(
    retry=retry_if_exception(lambda error: getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY),
    stop=stop_after_delay(BUSY_TIMEOUT_MS / 1000),
    wait=wait_random(max=0.02),
    reraise=True,
)
def _to_wal(connection: sqlite3.Connection) -> None:
    """Have the file in WAL. A new file must be ours alone to become so, and SQLite does not wait for that by itself."""
    connection.execute("PRAGMA journal_mode=WAL")
