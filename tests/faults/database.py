"""A PostgreSQL server that is broken on purpose: one backend, all of them, the disk under them."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from tests.support.postgres import USER, Postgres, binaries

DATABASE = "gateway"
PATIENCE_SECONDS = 5  # a server that is recovering while clients storm it may not end when it is told to
_BUSY_FIRST = """
SELECT pid FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()
ORDER BY (state = 'active' OR state LIKE 'idle in transaction%%') DESC,
    (query ILIKE '%%log_head%%' OR query = 'COMMIT') DESC
LIMIT 4
"""


class Fragile(Postgres):
    """A server with ways to break it. Whoever breaks it starts it again where it says so."""

    @property
    def address(self) -> str:
        """The gateway's database."""
        return self.url(DATABASE)

    def end(self, by: signal.Signals) -> None:
        """End the whole server: SIGQUIT at once without a checkpoint, SIGINT cutting clients, SIGKILL with no word."""
        if self._process is None:
            return
        self._process.send_signal(by)
        try:
            self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._gone()

    def stop(self) -> None:
        """Stop at once."""
        self.end(signal.SIGINT)

    def cut_backend(self, chance: random.Random) -> bool:
        """End one backend as an administrator would (57P01); the server lives. Whether there was one."""
        with self._watching() as connection:
            pids = [row[0] for row in connection.execute(_BUSY_FIRST, (DATABASE,))]
            if pids:
                connection.execute("SELECT pg_terminate_backend(%s)", (chance.choice(pids),))
        return bool(pids)

    def kill_backend(self, chance: random.Random) -> bool:
        """SIGKILL one backend: the server ends all others, recovers and goes on. Whether there was one."""
        with self._watching() as connection:
            pids = [row[0] for row in connection.execute(_BUSY_FIRST, (DATABASE,))]
        if pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(chance.choice(pids), signal.SIGKILL)
        return bool(pids)

    def fill_disk(self) -> None:
        """Have every write of every server process fail. The log cannot be written, so the server gives up (PANIC)."""
        self._limit(1)

    def free_disk(self) -> None:
        """Let it write again; where it has given up, start it."""
        if self._process is None:
            return
        self._limit("unlimited")
        self.end(signal.SIGKILL)  # what it does by itself after a PANIC depends on when the disk is freed
        self.start()

    def _limit(self, size: int | str) -> None:
        if self._process is None:
            return
        for pid in (self._process.pid, *_children(self._process.pid)):
            # As the server's own user: root in a container may not limit another's processes. One may be gone by now.
            limit = ["prlimit", f"--pid={pid}", f"--fsize={size}:unlimited"]
            subprocess.run(limit, check=False, capture_output=True, **self._as)

    @retry(retry=retry_if_exception_type(psycopg.OperationalError), stop=stop_after_delay(60), wait=wait_fixed(0.05))
    def _watching(self) -> psycopg.Connection[tuple[int]]:
        """A connection of the breaker's own, once the server has recovered from what was done to it before."""
        return psycopg.connect(host=str(self._folder), user=USER, dbname="postgres", autocommit=True)


def _children(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


@contextmanager
def fragile() -> Iterator[Fragile]:
    """A started, durable server with the gateway's empty database, stopped and removed at the end."""
    programs = binaries()
    if programs is None:
        raise RuntimeError("no PostgreSQL server is installed")
    with tempfile.TemporaryDirectory(prefix="provide-pg-", ignore_cleanup_errors=True) as folder:
        server = Fragile(Path(folder), programs, durable=True)
        server.start()
        try:
            server.create(DATABASE)
            yield server
        finally:
            server.stop()
