"""Reviews: what somebody decided in an emergency, or against a hold, is looked at by somebody else, in time.

Overrides and emergencies are both decisions of one person. A review is another person's, once, and late ones are sealed
as late.

Source: domain.md section 4.6 (retrospective review within one working day).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from audit.entry import Operation, Outcome
from gateway.errors import NotPermitted, Unprocessable
from gateway.evidence import Caller, Event, act
from gateway.store import tables
from gateway.store.batch import Batch, Unit


class Review(StrEnum):
    """What a review found."""

    JUSTIFIED = "justified"
    NOT_JUSTIFIED = "not-justified"


def check_reviewer(author: str, reviewed_at: str | None, caller: Caller) -> None:
    """Raise unless a named person other than the author reviews, and for the first time."""
    if caller.user is None:
        raise NotPermitted("a review is a person's: name them in the token", reason="person-not-named")
    if caller.user.casefold() == author.casefold():
        raise NotPermitted("nobody reviews what they decided themselves", reason="own-decision")
    if reviewed_at is not None:
        raise Unprocessable("it has been reviewed")


@dataclass(frozen=True, slots=True)
class NoteReviewsOverdue(Unit[int]):
    """Seal, once for each, that an override or an emergency was not reviewed in time; returns how many."""

    most: int = 100

    def apply(self, batch: Batch) -> int:  # noqa: D102 - said by Unit.apply
        asked = {"log": batch.log_id, "now": batch.at, "most": self.most}
        late = [(table, row) for table in _REVIEWED_TABLES for row in batch.read(_late(table), asked)]
        for table, row in late:
            batch.update(
                update(table).where(table.c.id == bindparam("of")).values(overdue_at=bindparam("at")),
                {"of": row.id, "at": batch.at},
            )
            batch.seal(
                act(
                    Event.REVIEW_OVERDUE,
                    Operation.ADMINISTRATION,
                    at=batch.at,
                    caller=None,
                    outcome=Outcome.FAILED,
                    case=row.referral_id,
                    reason=row.ground,
                    detail={"of": row.id, "what": table.name.replace("_", "-"), "due": row.review_due},
                )
            )
        return len(late)


def reviews_due(connection: Connection, log_id: str, limit: int = 500) -> Sequence[tuple[str, Row[Any]]]:
    """What nobody has reviewed yet, the one due first at the top: (`break-glass` or `consent-override`, the row)."""
    found = [
        (table.name.replace("_", "-"), row)
        for table in _REVIEWED_TABLES
        for row in connection.execute(
            select(table)
            .where(table.c.log_id == log_id, table.c.reviewed_at.is_(None))
            .order_by(table.c.review_due, table.c.id)
            .limit(limit)
        )
    ]
    return sorted(found, key=lambda one: (one[1].review_due, one[1].id))


def _late(table: Any) -> Any:  # noqa: ANN401 - a table, and a query of it
    return (
        select(table)
        .where(
            table.c.log_id == bindparam("log"),
            table.c.reviewed_at.is_(None),
            table.c.review_due < bindparam("now"),
            table.c.overdue_at.is_(None),
        )
        .order_by(table.c.review_due, table.c.id)
        .limit(bindparam("most"))
    )


_REVIEWED_TABLES = (tables.consent_override, tables.break_glass)
