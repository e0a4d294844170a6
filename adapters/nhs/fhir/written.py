"""What a writer returns: one resource as bytes, with what a server needs to know of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Written:
    """One resource as it leaves. `body` is its JSON, `url` its absolute address.

    `version` counts the changes of the referral it is of. `tag` is its versionId, where it has one: the version, and
    after a hyphen what tells this showing of it from any other (`write.py`).
    """

    type: str
    id: str
    version: int
    last_updated: datetime
    body: bytes
    url: str
    tag: str | None = None
