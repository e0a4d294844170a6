"""The channel `file`: the twin of another channel, which writes the same bytes into a folder of a developer's machine.

What the real one would send is put there whole or not at all (written beside, then renamed), readable by nobody else,
under the delivery's id, so that the same delivery is one file however often it is tried. Nobody acknowledges a file, so
it counts as having arrived. Refused in production: when it is registered, when it is sent, and when the gateway starts.

Source: style.md (each outside service has a console twin).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from gateway.delivery.channel import Channel, Endpoint, Parcel, Refused, Reply, TryAgain
from gateway.delivery.endpoints import endpoints
from gateway.delivery.files import put
from gateway.services import Services
from gateway.settings import Environment
from gateway.webhook.endpoints import endpoints as webhooks
from gateway.webhook.folder import is_folder

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
            put(Path(endpoint.address), name, body)
        except OSError:
            raise TryAgain("folder") from None
        return Reply(name)


def check_none(services: Services) -> None:
    """Refuse to start in production over a database where what leaves goes to files. Raises FilesRefused."""
    if services.settings.environment is not Environment.PRODUCTION:
        return
    with services.database.reading() as connection:
        found = [one.id for one in endpoints(connection) if one.endpoint.channel == NAME]
        pushed = [one.client for one in webhooks(connection) if is_folder(one.url)]
    if found:
        raise FilesRefused(f"referrals go to files, which is for development: remove endpoint {', '.join(found)}")
    if pushed:
        raise FilesRefused(f"words go to files, which is for development: remove the webhook of {', '.join(pushed)}")
