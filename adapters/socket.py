"""What an adapter is, and how it is found: outside bytes in, one whole `Reading` out, or `Unreadable`.

An adapter is a module `adapters/<side>/<format>.py` with a `READER`; its name is `<side>.<format>`. It is pure: no
I/O, no clock, nothing of agreements or storage. The seam here owns the errors: whatever an adapter raises comes out
as `Unreadable`, and what it returns is whole (style.md habit 5).
"""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Protocol

from mappings.profile import Profile
from mappings.reading import Fault, Loss, Problem, Reading, Unreadable

__all__ = [
    "Fault",
    "Limits",
    "Loss",
    "Problem",
    "Reader",
    "Reading",
    "UnknownReader",
    "Unreadable",
    "reader",
    "readers",
]

_SIDES = ("police", "nhs")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a document is read before it is refused. Sizes in bytes or characters as named."""

    max_bytes: int = 1024 * 1024  # a long incident is 50 KB; this leaves room and keeps the worst case under 50 ms
    max_depth: int = 20  # JSON:API needs six
    max_elements: int = 20_000  # every member of an object or a list counts
    max_text: int = 64 * 1024  # characters of one text
    max_archive: int = 64 * 1024 * 1024  # bytes of a batch's zip, packed and unpacked; a force's month is 20 MB


class Reader(Protocol):
    """What an adapter is. `name` is `police.json` and the like; `media_types` are those it reads."""

    @property
    def name(self) -> str:
        """The adapter's name: `<side>.<format>`."""
        ...

    @property
    def media_types(self) -> tuple[str, ...]:
        """The media types of the documents it reads, without parameters."""
        ...

    def read(self, body: bytes, profile: Profile, limits: Limits) -> Reading:
        """Read one document by a profile. Raises `Unreadable`."""
        ...


class UnknownReader(LookupError):
    """No adapter has this name."""


@cache
def reader(name: str) -> Reader:
    """The adapter of a name, behind the seam. Raises `UnknownReader`."""
    if name not in readers():
        raise UnknownReader(f"no adapter is called {name!r}; there are {', '.join(readers())}")
    found: Reader = import_module(f"adapters.{name}").READER
    return Seam(found)


@cache
def readers() -> tuple[str, ...]:
    """The names of all adapters that read records, sorted."""
    names = []
    for side in _SIDES:
        for module in pkgutil.iter_modules(import_module(f"adapters.{side}").__path__):
            name = f"{side}.{module.name}"
            if hasattr(import_module(f"adapters.{name}"), "READER"):
                names.append(name)
    return tuple(sorted(names))


@dataclass(frozen=True, slots=True)
class Seam:
    """An adapter whose promises are kept for it: the size limit, the error type, the whole value."""

    inner: Reader

    @property
    def name(self) -> str:
        """The adapter's name."""
        return self.inner.name

    @property
    def media_types(self) -> tuple[str, ...]:
        """The adapter's media types."""
        return self.inner.media_types

    def read(self, body: bytes, profile: Profile, limits: Limits) -> Reading:
        """Read one document. Raises `Unreadable` and nothing else that is an `Exception`."""
        if len(body) > limits.max_bytes:
            raise Unreadable(Problem("", Fault.TOO_LARGE))
        if profile.adapter != self.inner.name:
            raise Unreadable(Problem("", Fault.WRONG_PROFILE))
        try:
            reading = self.inner.read(body, profile, limits)
        except Unreadable:
            raise
        except Exception as exc:
            raise Unreadable(Problem("", Fault.READER_FAILED)) from exc
        if not isinstance(reading, Reading):
            raise Unreadable(Problem("", Fault.READER_FAILED))
        return reading
