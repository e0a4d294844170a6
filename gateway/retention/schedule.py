"""How long each class of content is kept, as the agreement that governs a log says it.

The version that came into force last governs, also after it was suspended, has ended or has run out: an agreement that
no longer permits sharing still says when what was shared must go. Where it cannot be read, the version before it
governs; where no version ever came into force, nothing is erased, because nobody has said when.

Source: domain.md sections 3.7 (retention), 3.9 (the gateway is a conduit, not a record).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, select

from audit.entry import AgreementRef
from gateway.agreement import AgreementUnreadable, State
from gateway.agreement.content import Content
from gateway.store import tables
from gateway.terms import agreement_ref, terms_of


class Kept(StrEnum):
    """The classes of content that are erased on schedule."""

    RECORD = "record"
    FEEDBACK = "feedback"
    QUARANTINE = "quarantine"


@dataclass(frozen=True, slots=True)
class Rule:
    """How many days one class is kept, and from when: the word of the agreement, `closed`, `received` or `created`.

    What the gateway holds is created by its receipt. What is never closed goes `backstop_days` after that.
    """

    days: int
    starts: str
    backstop_days: int

    @property
    def from_closing(self) -> bool:
        """Whether the days run from the closing of the case."""
        return self.starts == "closed"

    def cutoffs(self, now: datetime) -> tuple[datetime, datetime]:
        """What began at or before the first is due by the rule, what was received at or before the second anyway."""
        return now - timedelta(days=self.days), now - timedelta(days=self.backstop_days)


@dataclass(frozen=True, slots=True)
class Schedule:
    """The rules of a log, and the agreement that says them."""

    rules: Mapping[Kept, Rule]
    agreement: AgreementRef


def schedule_of(connection: Connection, log_id: str) -> Schedule | None:
    """The schedule that governs a log; None where no agreement says anything, and nothing is erased."""
    table = tables.agreement
    came_into_force = table.c.current | (table.c.state != State.DRAFT.value)
    query = select(table.c.version).where(table.c.id == log_id, came_into_force)
    for version in connection.execute(query.order_by(table.c.current.desc(), table.c.version.desc())).scalars():
        try:
            terms = terms_of(connection, log_id, version)
        except AgreementUnreadable:
            continue
        if terms is not None:
            return Schedule(rules_of(terms.agreement.content), agreement_ref(terms.agreement))
    return None


def rules_of(content: Content) -> Mapping[Kept, Rule]:
    """The rules of an agreement by class; a class it does not name is kept."""
    retention = content.retention
    return {
        Kept(one.data): Rule(one.days, one.from_, retention.backstop_days)
        for one in retention.classes
        if one.data in _CLASSES
    }


_CLASSES = frozenset(one.value for one in Kept)
