"""Sample files on the integrator's machine, read by a profile: one document, or a batch cut into its documents.

What the gateway would keep in quarantine is an outcome here like any other: a sample is tried to see what becomes of
it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from adapters.batch import Broken, Part, splitter
from adapters.socket import Limits, Problem, Reading, Unreadable, reader
from mappings.profile import Profile, ProfileInvalid, load, profile, profiles

_BATCHES = {
    ".ndjson": "application/x-ndjson",
    ".jsonl": "application/x-ndjson",
    ".csv": "text/csv",
    ".txt": "text/csv",
    ".zip": "application/zip",
}


@dataclass(frozen=True, slots=True)
class Sampled:
    """One document of a sample. `number` counts from 1; `reading` is None where it is unreadable for `problems`."""

    file: Path
    number: int
    reading: Reading | None
    problems: tuple[Problem, ...] = ()


def profile_named(given: str) -> Profile:
    """A profile by the path of its file, or one that ships by its name. Raises `ProfileInvalid`, OSError."""
    if given in profiles():
        return profile(given)
    path = Path(given)
    if path.suffix != ".toml" and not path.exists():
        raise ProfileInvalid(f"{given}: neither a file nor a profile that ships: {', '.join(profiles())}")
    return load(path)


def sampled(file: Path, by: Profile) -> Iterator[Sampled]:
    """Every document of a sample file, read. Raises OSError."""
    body, adapter = file.read_bytes(), reader(by.adapter)
    for part in _parts(file, body, by):
        if isinstance(part, Broken):
            yield Sampled(file, part.number, None, (part.problem,))
            continue
        try:
            yield Sampled(file, part.number, adapter.read(part.body, by, Limits()))
        except Unreadable as unreadable:
            yield Sampled(file, part.number, None, unreadable.problems)


def _parts(file: Path, body: bytes, by: Profile) -> Iterator[Part | Broken]:
    """The documents of a file: those of a batch where its ending says so and the profile reads such a batch."""
    media = _BATCHES.get(file.suffix.lower(), "")
    try:
        cutter = splitter(media, by, Limits())
    except LookupError:
        yield Part(1, None, body)
        return
    yield from cutter.feed(body)
    yield from cutter.close()
