"""The machine a run was measured on: without it a figure says nothing."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
import time
from pathlib import Path

from tests.bench.figures import middle
from tests.support.postgres import binaries

SYNCS = 100
PAGE = b"\0" * 4096


def facts(directory: Path) -> list[str]:
    """One line each: cores and load, versions, and what making a page durable costs in `directory`."""
    programs = binaries()
    server = "none installed"
    if programs is not None:
        said = subprocess.run([programs / "postgres", "--version"], capture_output=True, check=True)
        server = said.stdout.decode().strip()
    return [
        f"cores       {os.cpu_count()}, load average {os.getloadavg()[0]:.1f} before the run",
        f"python      {platform.python_version()}; a million additions take {_additions():.0f} ms",
        f"sqlite      {sqlite3.sqlite_version}",
        f"postgresql  {server}",
        f"fdatasync   {_sync_cost(directory):.0f} us for a page of 4 KiB",
    ]


def _additions() -> float:
    """Milliseconds of plain Python: shows a slow or a busy machine at once."""
    began = time.perf_counter()
    number = 0
    for one in range(1_000_000):
        number += one
    return (time.perf_counter() - began) * 1000


def _sync_cost(directory: Path) -> float:
    taken: list[float] = []
    with (directory / "sync").open("wb", buffering=0) as file:
        for _ in range(SYNCS):
            began = time.perf_counter()
            file.write(PAGE)
            os.fdatasync(file.fileno())
            taken.append((time.perf_counter() - began) * 1e6)
    return middle(taken)
