"""Legal holds: content that somebody must be able to answer from stays, whatever the agreement says of its days.

A hold names an incident, or an input in quarantine, with a ground and the reference of whoever ordered it. It stays
until it is lifted. Placing and lifting are sealed in the log of the content.

Source: domain.md section 3.9 (legal hold for a related-death review, IOPC or an inquest).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, union_all, update

from audit.entry import Actor
from gateway.chance import fresh_id
from gateway.errors import Unprocessable
from gateway.evidence import GATEWAY, Event, administration
from gateway.store.batch import Batch, Unit
from gateway.store.tables import legal_hold, quarantine, record, referral


class Ground(StrEnum):
    """Why content is held."""

    DARDR = "dardr"
    """A domestic abuse related death review."""
    IOPC = "iopc"
    """An investigation by the Independent Office for Police Conduct."""
    INQUEST = "inquest"
    COURT = "court"
    COMPLAINT = "complaint"


def place_of(connection: Connection, reference: str) -> tuple[str, str] | None:
    """The log and the incident, or input, that a reference leads to; a referral leads to its incident."""
    row = connection.execute(_PLACE, {"reference": reference}).first()
    return (row.log_id, row.of) if row else None


def open_holds(connection: Connection, log_id: str) -> Sequence[Row[Any]]:
    """The holds of a log that were not lifted, oldest first."""
    query = select(legal_hold).where(legal_hold.c.log_id == log_id, legal_hold.c.lifted_at.is_(None))
    return connection.execute(query.order_by(legal_hold.c.placed_at, legal_hold.c.id)).all()


def hold_of(connection: Connection, hold_id: str) -> Row[Any] | None:
    """A hold by its id."""
    return connection.execute(select(legal_hold).where(legal_hold.c.id == hold_id)).one_or_none()


@dataclass(frozen=True, slots=True)
class PlaceHold(Unit[str]):
    """Hold an incident or an input; returns the hold's id. Raises Unprocessable where nothing is left to hold."""

    reference: str
    ground: Ground
    authority: str
    actor: Actor = GATEWAY

    def apply(self, batch: Batch) -> str:  # noqa: D102 - said by Unit.apply
        if not batch.read(_KEPT, {"log": batch.log_id, "reference": self.reference}):
            raise Unprocessable("there is no such content, or it has been erased: nothing is left to hold")
        hold_id = fresh_id()
        batch.insert(
            legal_hold,
            {
                "id": hold_id,
                "log_id": batch.log_id,
                "event_id": self.reference,
                "ground": self.ground.value,
                "authority": self.authority,
                "placed_by": self.actor.user or self.actor.client,
                "placed_at": batch.at,
                "lifted_at": None,
                "lifted_by": None,
            },
        )
        detail = {"hold": hold_id, "authority": self.authority}
        entry = administration(
            Event.LEGAL_HOLD_PLACED, at=batch.at, actor=self.actor, reason=self.ground.value, detail=detail
        )
        batch.seal(entry._replace(record=self.reference))
        return hold_id


@dataclass(frozen=True, slots=True)
class LiftHold(Unit[None]):
    """Lift a hold. Raises Unprocessable where there is none of that id, or it was lifted before."""

    hold_id: str
    actor: Actor = GATEWAY

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        held = next(iter(batch.read(_OPEN_HOLD, {"log": batch.log_id, "id": self.hold_id})), None)
        if held is None:
            raise Unprocessable("there is no such hold, or it was lifted before")
        who = self.actor.user or self.actor.client
        batch.update(_LIFT, {"of": self.hold_id, "at": batch.at, "who": who})
        entry = administration(
            Event.LEGAL_HOLD_LIFTED, at=batch.at, actor=self.actor, reason=held.ground, detail={"hold": self.hold_id}
        )
        batch.seal(entry._replace(record=held.event_id))


_PLACE = union_all(
    select(record.c.log_id, record.c.event_id.label("of")).where(record.c.event_id == bindparam("reference")),
    select(referral.c.log_id, referral.c.event_id.label("of")).where(referral.c.id == bindparam("reference")),
    select(quarantine.c.log_id, quarantine.c.id.label("of")).where(quarantine.c.id == bindparam("reference")),
)
_KEPT = union_all(
    select(record.c.id).where(
        record.c.log_id == bindparam("log"),
        record.c.event_id == bindparam("reference"),
        record.c.erased_at.is_(None),
    ),
    select(quarantine.c.id).where(
        quarantine.c.log_id == bindparam("log"),
        quarantine.c.id == bindparam("reference"),
        quarantine.c.erased_at.is_(None),
    ),
)
_OPEN_HOLD = select(legal_hold.c.ground, legal_hold.c.event_id).where(
    legal_hold.c.log_id == bindparam("log"), legal_hold.c.id == bindparam("id"), legal_hold.c.lifted_at.is_(None)
)
_LIFT = (
    update(legal_hold)
    .where(legal_hold.c.id == bindparam("of"))
    .values(lifted_at=bindparam("at"), lifted_by=bindparam("who"))
)
