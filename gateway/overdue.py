"""That nobody did something in time is sealed, once for each: nothing that waits for somebody ends in silence (N11).

Source: domain.md sections 4.1 (clocks), 4.5 (N11).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from audit.entry import Operation, Outcome, Recipient
from gateway.evidence import Event, act
from gateway.store.batch import Batch
from gateway.store.outstanding import Outstanding


@dataclass(frozen=True, slots=True)
class Late:
    """What the entry says of one thing that is late. `to` is whose it was to do, where the row says whose."""

    event: Event
    detail: Mapping[str, str | int]
    reason: str | None = None
    record: str | None = None
    case: str | None = None
    to: Recipient | None = None


def seal_late(batch: Batch, waiting: Outstanding, most: int, said: Callable[[Row[Any]], Late]) -> int:
    """Seal what has become late and was not said to be, `most` at once; returns how many."""
    rows = waiting.become_late(batch, most)
    for row in rows:
        late = said(row)
        entry = act(
            late.event,
            Operation.ADMINISTRATION,
            at=batch.at,
            caller=None,
            outcome=Outcome.FAILED,
            record=late.record,
            case=late.case,
            reason=late.reason,
            detail=late.detail,
        )
        batch.seal(entry._replace(recipients=(late.to,)) if late.to else entry)
    return len(rows)
