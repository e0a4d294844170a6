"""The gateway under test: `gateway serve` in a process of its own, killed and started again the same way."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

from gateway.demo.setting import STOP_SECONDS, NotReady, environment, wait_ready
from gateway.settings import Settings
from tests.faults import skewed

PATIENCE = 6  # times what a demonstration waits: with hundreds of people to link, on a busy machine, all takes longer
DISK_FULL = 1  # bytes a file may have: every write to the database fails


class Server:
    """One gateway process at a time. Several over one database are replicas; each listens on a port of its own."""

    def __init__(self, settings: Settings, port: int) -> None:
        self._settings = settings
        self._port = port
        self._said = settings.data_dir / f"server-{port}.log"
        self._clock = settings.data_dir / "clock"
        self._clock.write_text("0")
        self._process: subprocess.Popen[bytes] | None = None
        self.starts = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}"

    async def start(self, *, skewed_clock: bool = False) -> None:
        """Start, and return when it is ready. Raises NotReady."""
        module = skewed.__name__ if skewed_clock else "gateway"
        command = [sys.executable, "-m", module, "serve", "--port", str(self._port)]
        variables = environment(self._settings) | {skewed.VARIABLE: str(self._clock)}
        with self._said.open("ab") as log:
            self._process = subprocess.Popen(command, env=variables, stderr=log)  # noqa: ASYNC220 - starting does not wait
        await asyncio.to_thread(self._wait_ready, self._process)
        self.starts += 1

    def _wait_ready(self, process: subprocess.Popen[bytes]) -> None:
        """Where the machine has much else to do, a start takes longer than a demonstration waits."""
        for left in reversed(range(PATIENCE)):
            try:
                wait_ready(self.url, process, self._said)
            except NotReady:
                if process.poll() is not None or not left:
                    raise
            else:
                return

    async def kill(self) -> None:
        """SIGKILL: no handler runs, nothing is flushed."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """Stop as an operator would."""
        await self._end(signal.SIGTERM)

    def turn_clock(self, seconds: int) -> None:
        """Have its clock be off from now on."""
        fresh = self._clock.with_suffix(".next")
        fresh.write_text(str(seconds))
        fresh.replace(self._clock)

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
            try:
                await asyncio.to_thread(self._process.wait, PATIENCE * STOP_SECONDS)
            finally:
                self._process.kill()  # nothing, where it has ended
                self._process = None

    @property
    def last_words(self) -> str:
        """The end of what it said."""
        return Path(self._said).read_text(errors="replace")[-2000:]


async def command(settings: Settings, *arguments: str) -> None:
    """Run `gateway` with these arguments, as an operator would. Raises RuntimeError where it refuses."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway",
        *arguments,
        env=environment(settings) | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    _, said = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"gateway {' '.join(arguments)}: {said.decode(errors='replace')[-500:]}")
