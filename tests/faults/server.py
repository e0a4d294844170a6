"""The gateway under test: `gateway serve` in a process of its own, killed and started again the same way."""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from gateway.cli import main as gateway_main
from gateway.demo.setting import STOP_SECONDS, NotReady, environment, wait_ready
from gateway.settings import Settings
from tests.faults import skewed
from tests.support.forked import Forked

PATIENCE = 6  # times what a demonstration waits: with hundreds of people to link, on a busy machine, all takes longer
DISK_FULL = 1  # bytes a file may have: every write to the database fails


class Server:
    """One gateway process at a time. Several over one database are replicas; each listens on a port of its own."""

    def __init__(self, settings: Settings, port: int, *, forked: bool = False) -> None:
        self._settings = settings
        self._forked = forked
        self._port = port
        self._said = settings.data_dir / f"server-{port}.log"
        self._clock = settings.data_dir / "clock"
        self._clock.write_text("0")
        self._process: subprocess.Popen[bytes] | Forked | None = None
        self.starts = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}"

    async def start(self, *, skewed_clock: bool = False) -> None:
        """Start, and return when it is ready. Raises NotReady."""
        words = ["serve", "--port", str(self._port)]
        variables = environment(self._settings) | {skewed.VARIABLE: str(self._clock)}
        if self._forked:
            main = skewed.main if skewed_clock else gateway_main
            self._process = await asyncio.to_thread(Forked, main, words, variables, self._said)
        else:
            command = [sys.executable, "-m", skewed.__name__ if skewed_clock else "gateway", *words]
            with self._said.open("ab") as log:
                self._process = subprocess.Popen(command, env=variables, stderr=log)  # noqa: ASYNC220 - does not wait
        await asyncio.to_thread(self._wait_ready, self._process)
        self.starts += 1

    def _wait_ready(self, process: subprocess.Popen[bytes] | Forked) -> None:
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
        await self._end(lambda process: process.kill())

    async def stop(self) -> None:
        """Stop as an operator would."""
        await self._end(lambda process: process.terminate())

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

    async def _end(self, by: Callable[[subprocess.Popen[bytes] | Forked], None]) -> None:
        if self._process is not None:
            by(self._process)
            try:
                await asyncio.to_thread(self._process.wait, PATIENCE * STOP_SECONDS)
            finally:
                self._process.kill()  # nothing, where it has ended
                self._process = None

    @property
    def last_words(self) -> str:
        """The end of what it said."""
        return Path(self._said).read_text(errors="replace")[-2000:]


async def command(settings: Settings, *arguments: str, forked: bool = False) -> None:
    """Run `gateway` with these arguments, as an operator would. Raises RuntimeError where it refuses."""
    await asyncio.to_thread(_command, settings, arguments, forked=forked)


def _command(settings: Settings, arguments: Sequence[str], *, forked: bool) -> None:
    variables = environment(settings) | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with tempfile.NamedTemporaryFile(dir=settings.data_dir) as said:
        if forked:
            ended = Forked(gateway_main, arguments, variables, Path(said.name)).wait()
        else:
            command = [sys.executable, "-m", "gateway", *arguments]
            ended = subprocess.run(
                command, env=variables, stdout=subprocess.DEVNULL, stderr=said, check=False
            ).returncode
        if ended:
            words = Path(said.name).read_text(errors="replace")[-500:]
            raise RuntimeError(f"gateway {' '.join(arguments)}: {words}")
