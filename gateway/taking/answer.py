"""What became of a record that was taken in, as its sender is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Taken(StrEnum):
    """What became of a record."""

    ACCEPTED = "accepted"
    UPDATED = "updated"
    KNOWN = "known"
    HELD = "held"
    REFUSED = "refused"
    CONFLICT = "conflict"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the sender is told. `incident` is the gateway's reference for the event."""

    taken: Taken
    incident: str | None = None
    referrals: tuple[Mapping[str, Any], ...] = ()
    held: Mapping[str, Any] | None = None
    reason: str | None = None
    words: str | None = None


REASONS: Mapping[Taken, str] = {Taken.CONFLICT: "idempotency-conflict", Taken.STALE: "stale-version"}
"""Why a document was not taken in, in a code, where the answer itself gives none."""
