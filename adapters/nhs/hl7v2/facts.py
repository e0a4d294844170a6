"""The files of `mappings/nhs/hl7v2/`, loaded strictly: an unknown key or an empty list is refused, naming its place.

What they say is data; what is done with it stands elsewhere. `digest` is the SHA-256 of the lines that `sha256sum`
prints for them; it goes into every record that they helped to read (P4).
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import mappings

_FOLDER: Final = Path(mappings.__file__).parent / "nhs" / "hl7v2"


class FactsInvalid(Exception):
    """A file of field rules, character sets or codes that does not load; the text names the file and the key."""


def facts(name: str, keys: set[str]) -> Mapping[str, Any]:
    """The top of a file, which must have exactly these keys and its date. Raises `FactsInvalid`."""
    found = tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    only(f"{name}.toml", found, keys | {"date"}, keys | {"date"})
    return found


def only(where: str, found: object, known: set[str], wanted: set[str]) -> None:
    """Refuse a table that has a key that is not known, or lacks one that is wanted. Raises `FactsInvalid`."""
    if not isinstance(found, dict):
        raise FactsInvalid(f"{where}: a table is wanted")
    for key in sorted(set(found) - known):
        raise FactsInvalid(f"{where}: there is no key {key!r}")
    for key in sorted(wanted - set(found)):
        raise FactsInvalid(f"{where}: the key {key!r} is missing")


def texts(where: str, found: object) -> tuple[str, ...]:
    """A list of texts with at least one. Raises `FactsInvalid`."""
    if not isinstance(found, list) or not found or not all(isinstance(one, str) and one for one in found):
        raise FactsInvalid(f"{where}: a list of one text or more is wanted")
    return tuple(found)


@cache
def listing() -> bytes:
    """A line for each file, as `sha256sum` prints it, in the order of their names."""
    files = sorted(_FOLDER.glob("*.toml"))
    return "".join(f"{hashlib.sha256(one.read_bytes()).hexdigest()}  {one.name}\n" for one in files).encode()


@cache
def digest() -> str:
    """The hex SHA-256 of `listing`."""
    return hashlib.sha256(listing()).hexdigest()
