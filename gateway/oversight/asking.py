"""That somebody asked a question of a whole log: sealed in that log before it is answered.

A candidate agreement is named by its hash in the detail: it is kept nowhere, so that the entry names no text that a
pack would have to hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from audit.entry import Operation, timestamp
from gateway.agreement import Agreement
from gateway.evidence import Caller, Event, act
from gateway.store.batch import Batch, Unit


@dataclass(frozen=True, slots=True)
class Ask(Unit[None]):
    """Seal a question. `caller` None is the operator at the gateway itself."""

    event: Event
    detail: Mapping[str, str | int]
    caller: Caller | None = None
    reason: str | None = None

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        batch.seal(
            act(
                self.event,
                Operation.CONSULTATION,
                at=batch.at,
                caller=self.caller,
                reason=self.reason,
                detail=self.detail,
            )
        )


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
