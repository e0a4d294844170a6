"""Traces that nobody decided in time: sealed once for each, and listed with what else waits.

Source: domain.md section 4.5 (N11).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from gateway.evidence import Event
from gateway.overdue import Late, seal_late
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.store.outstanding import Outstanding


@dataclass(frozen=True, slots=True)
class NoteTracesOverdue(Unit[int]):
    """Seal, once for each, that a trace waited for a person for too long; returns how many."""

    most: int = 100

    def apply(self, batch: Batch) -> int:  # noqa: D102 - said by Unit.apply
        return seal_late(batch, _TRACES, self.most, self._late)

    @staticmethod
    def _late(row: Row[Any]) -> Late:
        return Late(
            Event.TRACE_OVERDUE,
            {"trace": row.id, "due": row.due_at},
            reason="not-decided",
            record=row.record_id,
            case=row.referral_id,
        )


def open_traces(connection: Connection, log_id: str, limit: int = 500) -> Sequence[Row[Any]]:
    """The traces that wait for a person, the one due first at the top."""
    return [row for row in _TRACES.find(connection, log_id, limit) if row.due_at is not None]


_TRACES = Outstanding(tables.trace, until="decided_at")
