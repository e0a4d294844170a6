"""A file that is there whole or not at all: written beside, synced, renamed; readable by nobody else.

The twins of what is delivered and pushed put theirs so (`gateway.filedrop`, `gateway.webhook.folder`). Whether a file
may be at all is theirs to say.
"""

from __future__ import annotations

import os
from pathlib import Path


def put(folder: Path, name: str, body: bytes) -> None:
    """Write a file so that whoever reads it finds all of it, also after a crash. Raises OSError."""
    beside = folder / f".{name}.part"
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:  # noqa: PTH123 - opened with its mode
        os.fchmod(file.fileno(), 0o600)
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(folder / name)
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(at)
    finally:
        os.close(at)
