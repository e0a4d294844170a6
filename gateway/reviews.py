"""Reviews: what somebody decided in an emergency, or against a hold, is looked at by somebody else, in time.

Overrides and emergencies are both decisions of one person. A review is another person's, once, and late ones are sealed
as late.

Source: domain.md section 4.6 (retrospective review within one working day).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, Table, bindparam, update

from gateway.errors import NotPermitted, Unprocessable
from gateway.evidence import Caller, Event
from gateway.overdue import Late, seal_late
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.store.outstanding import Outstanding


class Review(StrEnum):
    """What a review found."""

    JUSTIFIED = "justified"
    NOT_JUSTIFIED = "not-justified"


def write_review(batch: Batch, table: Table, row: Row[Any], author: str, outcome: Review, caller: Caller) -> None:
    """Write what a review found of a decision; one that was not justified ends at once.

    Raises NotPermitted, Unprocessable, unless a named person other than the author reviews, and for the first time.
    """
    check_reviewer(author, caller)
    if row.reviewed_at is not None:
        raise Unprocessable("it has been reviewed")
    ends = min(batch.at, row.expires_at) if outcome is Review.NOT_JUSTIFIED else row.expires_at
    said = {"reviewed_at": batch.at, "reviewed_by": caller.user, "review": outcome.value, "expires_at": ends}
    batch.update(update(table).where(table.c.id == bindparam("of")).values(said), {"of": row.id})


def check_reviewer(author: str, caller: Caller) -> None:
    """Raise NotPermitted unless a named person other than the author reviews."""
    if caller.user is None:
        raise NotPermitted("a review is a person's: name them in the token", reason="person-not-named")
    if caller.user.casefold() == author.casefold():
        raise NotPermitted("nobody reviews what they decided themselves", reason="own-decision")


@dataclass(frozen=True, slots=True)
class NoteReviewsOverdue(Unit[int]):
    """Seal, once for each, that an override or an emergency was not reviewed in time; returns how many, of one kind."""

    most: int = 100

    def apply(self, batch: Batch) -> int:  # noqa: D102 - said by Unit.apply
        for what, of in _REVIEWED.items():
            if late := seal_late(batch, of, self.most, partial(self._late, what)):
                return late  # a unit reads before it writes: what is late of the other kind has the next turn
        return 0

    @staticmethod
    def _late(what: str, row: Row[Any]) -> Late:
        detail = {"of": row.id, "what": what, "due": row.review_due}
        return Late(Event.REVIEW_OVERDUE, detail, reason=row.ground, case=row.referral_id)


def reviews_due(connection: Connection, log_id: str, limit: int = 500) -> Sequence[tuple[str, Row[Any]]]:
    """What nobody has reviewed yet, the one due first at the top: (`break-glass` or `consent-override`, the row)."""
    found = [(what, row) for what, of in _REVIEWED.items() for row in of.find(connection, log_id, limit)]
    return sorted(found, key=lambda one: (one[1].review_due, one[1].id))


_REVIEWED = {
    "consent-override": Outstanding(tables.consent_override, until="reviewed_at", due="review_due"),
    "break-glass": Outstanding(tables.break_glass, until="reviewed_at", due="review_due"),
}
