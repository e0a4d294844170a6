"""How a question of a whole log is named in the entry that seals it.

A candidate agreement is named by its hash in the detail: it is kept nowhere, so that the entry names no text that a
pack would have to hold.
"""

from __future__ import annotations

from datetime import datetime

from audit.entry import timestamp
from gateway.agreement import Agreement


def looked(what: str, start: datetime | None, stop: datetime | None) -> dict[str, str | int]:
    """The detail of a question about a range."""
    return {"what": what} | between(start, stop)


def tried(candidate: Agreement, start: datetime | None, stop: datetime | None) -> dict[str, str | int]:
    """The detail of a candidate tried on a range."""
    named: dict[str, str | int] = {"candidate": candidate.hash, "version": candidate.version}
    return named | between(start, stop)


def between(start: datetime | None, stop: datetime | None) -> dict[str, str | int]:
    """A range, as far as it has bounds."""
    found: dict[str, str | int] = {}
    for name, moment in (("from", start), ("to", stop)):
        if moment is not None:
            found[name] = timestamp(moment)
    return found
