"""What a writer returns: one resource as bytes, with what a server needs to know of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Written:
    """One resource as it leaves. `body` is its JSON; `version` its versionId; `url` its absolute address."""

    type: str
    id: str
    version: int
    last_updated: datetime
    body: bytes
    url: str
