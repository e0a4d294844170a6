"""Placing a canary: marking a case that nobody has a reason to open, so that whoever does is found.

The mark is an entry and nothing else. No page of the worklist or the referral differs by it, and only a reader of the
log can know.

Source: domain.md section 5.2, point 14.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, select

from gateway.errors import Unprocessable
from gateway.evidence import Caller, Event, administration
from gateway.store import tables
from gateway.store.batch import Batch, Unit


@dataclass(frozen=True, slots=True)
class PlaceCanary(Unit[None]):
    """Mark a referral. Raises Unprocessable where the log has none of this id. `caller` None is the operator."""

    case: str
    caller: Caller | None = None

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        if not batch.read(_CASE, {"log": batch.log_id, "id": self.case}):
            raise Unprocessable("there is no such case in this log")
        entry = administration(Event.CANARY_PLACED, at=batch.at, caller=self.caller)
        batch.seal(entry._replace(case=self.case))


_CASE = select(tables.referral.c.id).where(
    tables.referral.c.log_id == bindparam("log"), tables.referral.c.id == bindparam("id")
)
