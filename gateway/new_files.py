"""A file that is made once: there whole or not at all, on the disk before anybody relies on it, its owner's alone.

For keys and for what nobody else may read. Killed, cut from power or out of space half-way, it leaves no file of that
name, so that the same can be done again; of several processes one makes it. Nothing is ever overwritten.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def make(path: Path, body: bytes) -> None:
    """Write a new file of mode 600, durably. Raises FileExistsError where there is one, or another OSError."""
    descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        os.link(beside, path)  # unlike a rename, it never takes the place of another
    finally:
        Path(beside).unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
