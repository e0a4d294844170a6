"""The mapping profiles in force: those that ship, and a deployment's own (`GATEWAY_PROFILES_DIR`).

A client reads by the profiles it is registered with, or by the deployment's own choice where it names none; of those,
the first whose adapter reads the media type and that is valid on the day of receipt. Of profiles for tables, those of
one file come first for `text/csv` and those of several for a zip; which of several is meant, the header says. Two files
of one name are versions of one profile, with days that do not overlap. Everything is loaded at start and hashed.

Which row says what is for `mappings`; how bytes are read for `adapters`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import partial
from itertools import combinations, pairwise
from pathlib import Path
from types import MappingProxyType

from adapters.columns import Rival, alike, best, rival
from adapters.socket import Limits, Reading, UnknownReader, reader
from gateway.errors import BadMediaType
from mappings.profile import Profile, ProfileInvalid, load, profile, profiles

_LIMITS = Limits()


class Profiles:
    """The profiles by name. `default` is the name a client without any reads by. Frozen; safe to share."""

    def __init__(self, known: Iterable[Profile], default: str) -> None:
        """Raises `ProfileInvalid` where two versions of a name share a day, or there is no reader or no default."""
        by_name: dict[str, list[Profile]] = {}
        for one in known:
            by_name.setdefault(one.name, []).append(one)
        self._by_name = {name: _in_order(versions) for name, versions in by_name.items()}
        self._media = {one.adapter: _media_types(one) for one in self.all}
        self._rivals: dict[str, Rival | None] = {}
        self._default = (default,)
        if default not in self._by_name:
            raise ProfileInvalid(f"no profile is called {default!r}; there are {', '.join(sorted(self._by_name))}")

    @property
    def all(self) -> tuple[Profile, ...]:
        """Every profile, by name and then by the day it begins."""
        return tuple(one for name in sorted(self._by_name) for one in self._by_name[name])

    @property
    def names(self) -> frozenset[str]:
        """The names a client can be registered with."""
        return frozenset(self._by_name)

    @property
    def listings(self) -> Mapping[str, bytes]:
        """The text behind each hash: what an auditor's pack carries beside the entries that name it (P4)."""
        return MappingProxyType({one.hash: one.listing for one in self.all})

    @property
    def hashes(self) -> Mapping[str, str]:
        """The hash of each profile by its name and version, as the entry of the configuration says them."""
        return MappingProxyType({f"profile.{_called(one)}": one.hash for one in self.all})

    def of(self, names: Sequence[str]) -> tuple[Profile, ...]:
        """The profiles of these names in their order, every version; the default's where no name is given.

        A name there is no profile of any more gives none: what it read then goes to a human like any input that
        nobody reads (P6).
        """
        return tuple(one for name in names or self._default for one in self._by_name.get(name, ()))

    def media_types(self, names: Sequence[str]) -> tuple[str, ...]:
        """The media types that the profiles of these names read between them."""
        return tuple(dict.fromkeys(media for one in self.of(names) for media in self._media[one.adapter]))

    def fitting(self, names: Sequence[str], media_type: str, at: date) -> tuple[Profile, ...]:
        """All that read a media type on a day, in their order; those made for it before those that only can.

        What is held may have come in before a client's first profile changed: whoever reads it again tries each.
        """
        found = (one for one in self.of(names) if media_type in self._media[one.adapter] and one.is_valid(at))
        return tuple(sorted(found, key=lambda one: one.tables is not None and _packing(one) != media_type))

    def choose(
        self, names: Sequence[str], media_type: str, at: date, body: bytes = b"", limits: Limits = _LIMITS
    ) -> Profile:
        """The profile that reads a media type received on a day (London). Raises `BadMediaType`.

        `body` is the document, or where `has_rivals` says so, enough of a batch to hold its header.
        """
        found = self.fitting(names, media_type, at)
        if not found:
            if media_type in self.media_types(names):
                raise BadMediaType("no profile for this media type is valid today")
            raise BadMediaType(f"send one of {', '.join(self.media_types(names))}")
        rivals = self._beside_first(found)
        return best(rivals, body, limits).profile if len(rivals) > 1 else found[0]

    def has_rivals(self, names: Sequence[str], media_type: str, at: date) -> bool:
        """Whether only its header says which profile a table is read by."""
        return len(self._beside_first(self.fitting(names, media_type, at))) > 1

    def check(self, names: Sequence[str]) -> None:
        """Raises `ProfileInvalid` where no header could tell two profiles apart that are valid on one day."""
        for one, other in combinations(self.of(names), 2):
            if one.name == other.name or _packing(one) != _packing(other) or not _share_a_day(one, other):
                continue
            rivals = self._rivals_of((one, other))
            if rivals and alike(*rivals):
                both = f"{_called(one)} and {_called(other)}"
                raise ProfileInvalid(f"{both}: both read {_packing(one)} by the same columns; keep one of them")

    def _beside_first(self, found: Sequence[Profile]) -> Sequence[Rival]:
        """The first of these, and those that read what it reads as well as it does: none where it reads no table."""
        if len(found) < 2 or found[0].tables is None:  # noqa: PLR2004 - one has no rivals
            return ()
        return self._rivals_of([one for one in found if _packing(one) == _packing(found[0])])

    def _rivals_of(self, found: Iterable[Profile]) -> tuple[Rival, ...]:
        """What tells these apart, worked out once for each and only where somebody asks: most clients have one."""
        for one in found:
            if one.hash not in self._rivals:
                self._rivals[one.hash] = rival(one)
        return tuple(known for one in found if (known := self._rivals[one.hash]) is not None)


def open_profiles(folder: Path | None, default: str) -> Profiles:
    """The profiles that ship and those of a folder. Raises `ProfileInvalid`, naming the file.

    The folder's profiles have names of their own: one that ships is never replaced in silence. Code maps lie beside
    them, and each is used by one at least.
    """
    shipped = [profile(name) for name in profiles()]
    return Profiles([*shipped, *(_own(folder, frozenset(profiles())) if folder else ())], default)


def _own(folder: Path, taken: frozenset[str]) -> list[Profile]:
    """The profiles of a folder."""
    if not folder.is_dir():
        raise ProfileInvalid("GATEWAY_PROFILES_DIR: there is no such folder")
    found = [load(path) for path in sorted(folder.glob("*.toml"))]
    for one in found:
        if one.name in taken:
            raise ProfileInvalid(f"{_called(one)}: a profile of this name ships with the gateway; give it another")
    used = {file for one in found for file in one.files}
    for path in sorted(folder.glob("*.json")):
        if path.name not in used:
            raise ProfileInvalid(f"{path.name}: no profile uses it")
    return found


def _in_order(versions: list[Profile]) -> tuple[Profile, ...]:
    """The versions of one name by the day each begins. Raises `ProfileInvalid` where two share a day."""
    ordered = sorted(versions, key=lambda one: one.valid_from or date.min)
    for before, after in pairwise(ordered):
        if (before.valid_until or date.max) >= (after.valid_from or date.min):
            raise ProfileInvalid(f"{_called(before)} and {_called(after)}: two versions are valid on one day")
    return tuple(ordered)


def _packing(one: Profile) -> str:
    """What a profile for tables is made for: a zip where its rows lie in several files."""
    return "" if one.tables is None else "application/zip" if len(one.tables.files) > 1 else "text/csv"


AT_ONCE_BYTES = 32 * 1024
"""Up to here a document is read on the event loop, in some 8 ms; beyond in a thread, so that others are answered."""


async def read_by(found: Profile, body: bytes, limits: Limits) -> Reading:
    """Read bytes by a profile's adapter. Raises Unreadable."""
    read = partial(reader(found.adapter).read, body, found, limits)
    return read() if len(body) <= AT_ONCE_BYTES else await asyncio.to_thread(read)


def _share_a_day(one: Profile, other: Profile) -> bool:
    begins = max(one.valid_from or date.min, other.valid_from or date.min)
    return begins <= min(one.valid_until or date.max, other.valid_until or date.max)


def _media_types(one: Profile) -> tuple[str, ...]:
    try:
        return reader(one.adapter).media_types
    except UnknownReader as unknown:
        raise ProfileInvalid(f"{_called(one)}: adapter: {unknown}") from None


def _called(one: Profile) -> str:
    return f"{one.name}.{one.version}" if one.version else one.name
