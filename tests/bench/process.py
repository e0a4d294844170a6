"""The server as a process: how soon it answers, and how much memory it holds (Linux: /proc)."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_connection

from gateway.demo.setting import STOP_SECONDS, NotReady, environment
from gateway.settings import Settings
from tests.bench.figures import MIB, SECONDS, Row
from tests.bench.load import HOST
from tests.bench.scale import Scale
from tests.bench.stage import port_of, request

PATIENCE_SECONDS = 60
GRAIN_SECONDS = 0.002  # of the figure of a start
_READY = request("GET", "/health/ready")


def cold_start(settings: Settings, engine: str, scale: Scale) -> list[Row]:
    """From the start of the process to the first 200 on /health/ready, best of several; and its memory then."""
    best, fresh = float("inf"), float("inf")
    for _ in range(scale.cold_starts):
        began = time.perf_counter()
        with _server(settings) as process:
            _await_ready(process, port_of(settings))
            best = min(best, time.perf_counter() - began)
            fresh = min(fresh, resident_mib(process.pid))
    return [Row("cold_start", engine, best, SECONDS), Row("fresh_memory", engine, fresh, MIB)]


def resident_mib(pid: int) -> float:
    """The resident memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ValueError("the process holds no memory: it has ended")


@contextmanager
def _server(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "gateway", "serve", "--port", str(port_of(settings))]
    with (settings.data_dir / "server.log").open("ab") as log:
        process = subprocess.Popen(command, env=environment(settings), stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=STOP_SECONDS)


def _await_ready(process: subprocess.Popen[bytes], port: int) -> None:
    """Ask by bare sockets: a client library would take a part of what is measured."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise NotReady(f"the gateway ended with {process.returncode}")
        try:
            with create_connection((HOST, port), timeout=PATIENCE_SECONDS) as connection:
                connection.sendall(_READY)
                if connection.recv(65_536).startswith(b"HTTP/1.1 200"):
                    return
        except OSError:
            time.sleep(GRAIN_SECONDS)  # the port is not open yet
    raise NotReady("the gateway did not answer in time")
