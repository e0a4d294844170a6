"""The console's few files, under names that hold their hash: what a name leads to never changes, and is kept.

Read once from the package. They are the same for everybody and tell nothing of anybody; they are compressed on the way
(`gateway.web.fhirform.PublicGzip`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

PREFIX = "/console/static/"
_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file: its bytes and its media type."""

    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class StaticFiles:
    """The files by the name they are served under, and those names by the name they have in the package."""

    served: Mapping[str, StaticFile]
    names: Mapping[str, str]

    def address(self, name: str) -> str:
        """Where a file of the package is served. Raises KeyError."""
        return PREFIX + self.names[name]


@cache
def static_files() -> StaticFiles:
    """All there are."""
    served: dict[str, StaticFile] = {}
    names: dict[str, str] = {}
    for one in files("gateway.console").joinpath("static").iterdir():
        stem, _, kind = one.name.rpartition(".")
        if kind not in _TYPES:
            continue
        content = one.read_bytes()
        name = f"{stem}.{hashlib.sha256(content).hexdigest()[:16]}.{kind}"
        served[name] = StaticFile(content, _TYPES[kind])
        names[one.name] = name
    return StaticFiles(served, names)
