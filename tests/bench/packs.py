"""A pack of a log as large as asked, written to disk and verified from there: rates, and the memory it took.

The rate of writing leaves out what making the entries took, which storage would do.
No database takes part: the entries are made while they are written, so that only the pack's own cost is measured.
They differ in who acts and in what they are about. The verifier runs as an auditor runs it, in a process of its own.
"""

from __future__ import annotations

import hashlib
import json
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import pack
from audit.checkpoint import Checkpoint
from audit.entry import timestamp
from audit.note import Signer
from audit.tree import append, leaf_hash, root
from tests.bench.evidence import AGREEMENT_TEXT, disclosure
from tests.bench.figures import MIB, PER_SECOND, Row
from tests.bench.process import resident_mib

JOBS = 2
ORIGIN = "bench.test/logs/national-year"
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
_STAFF = 500
_LOOK_SECONDS = 0.1
_FACTS = 64  # hours since the event, which vary most among what a decision reads


class Leaf(NamedTuple):
    """An entry as a pack takes it."""

    body: bytes
    leaf_hash: bytes


def measure(directory: Path, size: int) -> list[Row]:
    """Write a pack of `size` entries into a directory, verify it, and remove it."""
    signer = Signer.of(ORIGIN, Ed25519PrivateKey.generate())
    compact: list[bytes] = []
    began = time.perf_counter()
    for number, leaf in enumerate(leaves(size)):
        append(compact, number, leaf.leaf_hash)
    making = time.perf_counter() - began
    checkpoint = Checkpoint(ORIGIN, size, root(compact)).sign(signer)

    file = directory / "large.pack"
    try:
        before = _peak()
        writing = max(_write(file, signer, checkpoint, size) - making, 1e-9)
        grown = max(0.1, _peak() - before)
        written = file.stat().st_size / 2**20
        began = time.perf_counter()
        resident = _verify(file, signer, size)
        verifying = time.perf_counter() - began
    finally:
        file.unlink(missing_ok=True)
    return [
        Row(f"pack_size_{size}", "none", written, MIB),
        Row(f"pack_write_{size}", "none", size / writing, PER_SECOND),
        Row(f"pack_write_memory_{size}", "none", grown, MIB),
        Row(f"pack_verify_{size}", "none", size / verifying, PER_SECOND),
        Row(f"pack_verify_memory_{size}", "none", resident, MIB),
    ]


def leaves(size: int) -> Iterator[Leaf]:
    """The same entries each time: a disclosure every few seconds, by one of some hundred members of staff."""
    entry = disclosure(timestamp(_BEGAN))
    body = entry._replace(facts={**(entry.facts or {}), "hours": "HOURS"}).to_bytes()
    parts = re.split(_VARIES, body)
    made = [_making(part.decode(), parts.index(part)) for part in parts[1::2]]
    for number in range(size):
        parts[1::2] = [one(number) for one in made]
        one = b"".join(parts)
        yield Leaf(one, leaf_hash(one))


_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_TIME = r"[0-9-]{10}T[0-9:]{8}[.][0-9]{3}Z"
_VARIES = re.compile(f'({_UUID}|idva-0042|"HOURS"|{_TIME})'.encode())


def _making(text: str, which: int) -> Callable[[int], bytes]:
    """What makes a part of an entry that varies; `text` is as it stands in the first, where it is the part `which`."""
    if text == "idva-0042":
        return lambda number: b"idva-%04d" % (number * 7919 % _STAFF)
    if text == '"HOURS"':
        return lambda number: b"%d" % (number * 104_729 % _FACTS)
    if text.endswith("Z"):
        return lambda number: timestamp(_BEGAN + timedelta(seconds=3 * number)).encode()
    return lambda number: b"%08x-0000-4000-8000-%012x" % (which, number)


def _write(file: Path, signer: Signer, checkpoint: str, size: int) -> float:
    """The seconds that making the entries again and writing them took."""
    texts = {hashlib.sha256(AGREEMENT_TEXT).hexdigest(): AGREEMENT_TEXT}
    began = time.perf_counter()
    with file.open("wb") as out:
        pack.write(out, signer.verifier, [checkpoint], leaves(size), texts.get)
    return time.perf_counter() - began


def _verify(file: Path, signer: Signer, size: int) -> float:
    """Verify as an auditor does; the most MiB that its processes had at a time, shared pages counted for each."""
    command = [sys.executable, "-m", "audit", "verify", str(file), "--key", signer.verifier.text]
    most = 0.0
    with subprocess.Popen([*command, "--jobs", str(JOBS), "--json"], stdout=subprocess.PIPE) as program:
        while program.poll() is None:
            most = max(most, _resident(program.pid))
            with suppress(subprocess.TimeoutExpired):
                program.wait(_LOOK_SECONDS)
        said = program.communicate()[0]
    report = json.loads(said)
    if not report["verified"] or report["size"] != size:
        raise ValueError("the pack that was measured does not verify")
    return most


def _resident(pid: int) -> float:
    """MiB of a process and those it started, as far as they are still there."""
    total = 0.0
    with suppress(OSError, ValueError):
        total += resident_mib(pid)
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        total += sum(_resident(int(child)) for child in children)
    return total


def _peak() -> float:
    """The largest resident size of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
