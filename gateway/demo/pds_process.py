"""The simulator of PDS in a process of its own, as the demonstration starts and stops it."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from gateway.demo.pds import API_KEY, BASE


@dataclass(frozen=True)
class PdsProcess:
    """Where it is, and what it says of each question it answered."""

    address: str
    said: queue.Queue[dict[str, Any]]

    def settings(self, key_file: Path) -> dict[str, Any]:
        """The settings of a gateway that asks it."""
        return {
            "pds_url": f"{self.address}{BASE}",
            "pds_token_url": f"{self.address}/oauth2/token",
            "pds_api_key": API_KEY,
            "pds_key_file": key_file,
        }


@contextmanager
def pds_running(keys: Path, *shown: str) -> Iterator[PdsProcess]:
    """PDS, letting in who signs by one of these keys (JWKS), and showing these faults first; stopped when this ends."""
    command = [sys.executable, "-m", "gateway.demo.pds_server", str(keys), *shown]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ourselves
        said: queue.Queue[dict[str, Any]] = queue.Queue()
        out, into = process.stdout, process.stdin
        if out is None or into is None:  # never: both were asked for
            raise OSError("the simulator of PDS has no pipes")
        address = out.readline().strip()
        reader = threading.Thread(target=_hear, args=(out, said), name="pds", daemon=True)
        reader.start()
        try:
            yield PdsProcess(address, said)
        finally:
            into.close()
            reader.join()


def _hear(lines: IO[str], said: queue.Queue[dict[str, Any]]) -> None:
    for line in lines:
        said.put(json.loads(line))
