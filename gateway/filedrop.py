"""The channel `file`: the twin of another channel, which writes the same bytes into a folder of a developer's machine.

What the real one would send is put there whole or not at all (written beside, then renamed), readable by nobody else,
under the delivery's id, so that the same delivery is one file however often it is tried. Nobody acknowledges a file, so
it counts as having arrived. Refused in production: when it is registered, when it is sent, and when the gateway starts.

Source: style.md (each outside service has a console twin).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from gateway.delivery.channel import Channel, Endpoint, Parcel, Refused, Reply, TryAgain
from gateway.delivery.endpoints import endpoints
from gateway.services import Services
from gateway.settings import Environment

AS = "as"
"""The option that names the channel whose bytes are written; the others are that channel's own."""
NAME: Final = "file"
_PARCEL: Final = re.compile(r"[0-9a-f-]{36}")
TWINS: Final = {
    "bars": ("json", "http://localhost"),
    "mllp": ("hl7", "mllp://localhost:2575"),
    "subscription": ("json", "http://localhost"),
}
"""The channels that have a twin: the ending of its files, and an address that lets it look at its options."""


class FilesRefused(Exception):
    """Files are delivered to where none may be."""


class FileDrop:
    """Writes what another channel would send."""

    name = NAME

    def __init__(self, real: Channel, *, production: bool) -> None:
        self._real = real
        self._production = production

    @property
    def items(self) -> frozenset[str]:
        """Those of the channel it is the twin of."""
        return self._real.items

    def check(self, address: str, options: Mapping[str, str], *, production: bool) -> None:
        """Refuse production, a folder that is not there, and what the real channel cannot write. Raises ValueError."""
        if production:
            raise ValueError("files are for development: production delivers to a system")
        rest = {name: value for name, value in options.items() if name != AS}
        self._real.check(TWINS[self._real.name][1], rest, production=False)
        folder = Path(address)
        if not folder.is_absolute() or not folder.is_dir():
            raise ValueError("the address is not the absolute path of a folder")

    def write(self, parcel: Parcel, endpoint: Endpoint) -> bytes:
        """What the real channel writes. Raises CannotWrite."""
        return self._real.write(parcel, endpoint)

    def send(self, endpoint: Endpoint, parcel_id: str, body: bytes, deadline: float) -> Reply:  # noqa: ARG002 - a disk needs none
        """Put it into the folder. Raises TryAgain, Refused."""
        if self._production or not _PARCEL.fullmatch(parcel_id):
            raise Refused("file-in-production" if self._production else "parcel")
        name = f"{parcel_id}.{TWINS[self._real.name][0]}"
        try:
            _put(Path(endpoint.address), name, body)
        except OSError:
            raise TryAgain("folder") from None
        return Reply(name)


def check_none(services: Services) -> None:
    """Refuse to start in production over a database where a team's referrals go to files. Raises FilesRefused."""
    if services.settings.environment is not Environment.PRODUCTION:
        return
    with services.database.reading() as connection:
        found = [one.id for one in endpoints(connection) if one.endpoint.channel == NAME]
    if found:
        raise FilesRefused(f"referrals go to files, which is for development: remove endpoint {', '.join(found)}")


def _put(folder: Path, name: str, body: bytes) -> None:
    """Write a file so that whoever reads it finds all of it, also after a crash."""
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
