"""Matches that nobody decided in time: sealed once for each, and listed with what else is outstanding.

Source: domain.md sections 4.1 (step 5: a manual queue with a clock), 4.5 (N11).
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
class NoteMatchesOverdue(Unit[int]):
    """Seal, once for each, that nobody decided a match in time; returns how many."""

    most: int = 100

    def apply(self, batch: Batch) -> int:  # noqa: D102 - said by Unit.apply
        return seal_late(batch, _MATCHES, self.most, self._late)

    @staticmethod
    def _late(row: Row[Any]) -> Late:
        return Late(Event.MATCH_OVERDUE, {"match": row.id, "due": row.due_at}, reason="not-decided")


def open_matches(connection: Connection, log_id: str, limit: int = 2000) -> Sequence[Row[Any]]:
    """The matches that wait for a person, the one due first at the top; a list shows those that are its reader's."""
    return _MATCHES.find(connection, log_id, limit)


_MATCHES = Outstanding(tables.match_review, until="decided_at")
