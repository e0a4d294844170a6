"""A batch as large as asked, sent by the command line to a gateway of its own: rows a second, and the memory of both.

The file is NDJSON of distinct incidents, each 5 KB of an ordinary one and 250 KB of white space, so that a gibibyte has
four thousand rows; it is written first and removed at the end.
Memory is the resident peak of each process, looked at ten times a second: the client's whole, the gateway's as it grew
beyond what it held when idle.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextlib import suppress
from itertools import count
from pathlib import Path

import orjson

from gateway.demo.incidents import incident
from gateway.demo.setting import serving
from tests.bench.figures import MIB, PER_SECOND, Row
from tests.bench.process import resident_mib
from tests.bench.stage import Engine, prepared_settings

_LOOK_SECONDS = 0.1
_PADDING = b" " * 250_000  # white space of JSON: as much to carry as any document, and as quick to read as most


def measure(directory: Path, mib: int) -> list[Row]:
    """Send a batch of `mib` MiB in a directory of scratch. Raises RuntimeError where a row is not accepted."""
    settings = prepared_settings(directory, Engine("sqlite", None, ""))
    file = directory / "export.ndjson"
    rows = _write(file, mib * 2**20)
    key = directory / "clients" / "demo-rms.pem"
    command = [sys.executable, "-m", "gateway", "police", "send", str(file), "--url", settings.public_url]
    with serving(settings) as server:
        idle = resident_mib(server.pid)
        began = time.perf_counter()
        with subprocess.Popen(
            [*command, "--client", "demo-rms", "--key", str(key)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as client:
            peaks = {server.pid: idle, client.pid: 0.0}
            watch = threading.Thread(target=_watch, args=(client, peaks))
            watch.start()
            said, why = client.communicate()
        took = time.perf_counter() - began
        watch.join()
    file.unlink()
    if client.returncode or said.decode().strip() != f"{rows} accepted":
        raise RuntimeError(f"the batch was not taken in: {said.decode()[-500:]}{why.decode()[-500:]}")
    return [
        Row(f"batch_rows_{mib}", "sqlite", rows / took, PER_SECOND),
        Row(f"batch_server_memory_{mib}", "sqlite", max(0.1, peaks[server.pid] - idle), MIB),
        Row(f"batch_client_memory_{mib}", "sqlite", max(0.1, peaks[client.pid]), MIB),
    ]


def _write(file: Path, size: int) -> int:
    """Write distinct incidents up to a size; returns how many."""
    with file.open("wb") as out:
        for serial in count(1):
            if out.tell() >= size:
                return serial - 1
            out.write(_apart(serial))
    return 0


def _apart(serial: int) -> bytes:
    """An incident whose people are nobody of another: thousands of records of one person are no export."""
    document = orjson.dumps(incident(serial))[:-1] + _PADDING + b"}\n"
    letters = "".join(chr(ord("a") + int(figure)) for figure in str(serial)).encode()
    for name in (b"Ashdown", b"Harbottle", b"Nextdoor"):
        document = document.replace(name, name + letters)
    for line in (b"12 Example Row", b"4 Sample Close"):
        document = document.replace(line, str(serial).encode() + line)
    phones = ((b"07700 900123", b"07700 900"), (b"01632 960124", b"01632 960"))
    for phone, exchange in phones:  # of those kept free for such use there are a thousand
        document = document.replace(phone, exchange + f"{serial % 1000:03}".encode())
    return document


def _watch(client: subprocess.Popen[bytes], peaks: dict[int, float]) -> None:
    """Note the peaks until the client has ended."""
    while client.poll() is None:
        for pid, peak in list(peaks.items()):
            with suppress(OSError, ValueError):  # it has ended meanwhile
                peaks[pid] = max(peak, resident_mib(pid))
        time.sleep(_LOOK_SECONDS)
