"""The gateway under test: `gateway serve` in a process of its own, killed and started again the same way."""

from __future__ import annotations

import asyncio
import resource
import signal
import subprocess
import sys
from pathlib import Path

from gateway.demo.setting import STOP_SECONDS, environment, wait_ready
from gateway.settings import Settings

DISK_FULL = 1  # bytes a file may have: every write to the database fails


class Server:
    """One gateway process at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._said = settings.data_dir / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.starts = 0

    async def start(self) -> None:
        """Start, and return when it is ready. Raises NotReady."""
        port = self._settings.public_url.rpartition(":")[2]
        command = [sys.executable, "-m", "gateway", "serve", "--port", port]
        with self._said.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220 - starting does not wait
                command, env=environment(self._settings), stderr=log
            )
        await asyncio.to_thread(wait_ready, self._settings.public_url, self._process, self._said)
        self.starts += 1

    async def kill(self) -> None:
        """SIGKILL: no handler runs, nothing is flushed."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """Stop as an operator would."""
        await self._end(signal.SIGTERM)

    def fill_disk(self) -> None:
        """Have every write of the process fail, as on a full disk."""
        self._limit(DISK_FULL)

    def free_disk(self) -> None:
        """Let it write again."""
        self._limit(resource.RLIM_INFINITY)

    def _limit(self, size: int) -> None:
        if self._process is not None:
            resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    async def _end(self, by: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(by)
            await asyncio.to_thread(self._process.wait, STOP_SECONDS)
            self._process = None

    @property
    def last_words(self) -> str:
        """The end of what it said."""
        return Path(self._said).read_text(errors="replace")[-2000:]
