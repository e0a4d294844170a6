"""The gateway's programs in processes of their own, without what each start of Python takes: three seconds of imports.

One process imports everything, once, and does nothing else; each program is forked from it. It has its own id, its own
environment and its own end, by a signal or by itself, and shares nothing with another that it could write to. That
programs start from the command line is shown by the tests whose subject it is: tests/gateway/test_serving_ends.py.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from gateway.cli import main
from gateway.demo.setting import STOP_SECONDS, environment, wait_ready
from gateway.settings import Settings

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["pytest", "tests.support.imported"])  # pytest: what a child may have for its __main__


@contextmanager
def serving(settings: Settings) -> Iterator[Forked]:
    """`gateway serve` with these settings, ready when this yields and stopped when it ends. Raises NotReady."""
    said = settings.data_dir / "server.log"
    words = ["serve", "--port", settings.public_url.rpartition(":")[2]]
    process = Forked(main, words, environment(settings), said)
    try:
        wait_ready(settings.public_url, process, said)
        yield process
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


class Forked:
    """A running program, with those methods of `subprocess.Popen` that are needed."""

    def __init__(
        self,
        command_line: Callable[[], None],
        arguments: Sequence[str],
        variables: Mapping[str, str],
        said: Path | Connection,
    ) -> None:
        """Run a command line with these environment variables; what it says goes to `said`."""
        self.args = [command_line.__module__, *arguments]
        self._process = _CONTEXT.Process(target=_run, args=(command_line, self.args, dict(variables), said))
        self._process.start()

    @property
    def pid(self) -> int:
        """The id of its process."""
        return self._process.pid or 0

    @property
    def returncode(self) -> int | None:
        """What it ended with; less than 0 is the signal that ended it, and None is that it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """The same."""
        return self.returncode

    def terminate(self) -> None:
        """SIGTERM, where it runs."""
        self._process.terminate()

    def kill(self) -> None:
        """SIGKILL, where it runs."""
        self._process.kill()

    def wait(self, timeout: float | None = None) -> int:
        """What it ended with, when it has. Raises TimeoutExpired."""
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return self.returncode


def _run(
    command_line: Callable[[], None], words: list[str], variables: dict[str, str], said: Path | Connection
) -> None:
    target = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND) if isinstance(said, Path) else said.fileno()
    for stream in (sys.stdout, sys.stderr):
        os.dup2(target, stream.fileno())
    os.environ.clear()
    os.environ.update(variables)
    sys.argv = words
    command_line()
