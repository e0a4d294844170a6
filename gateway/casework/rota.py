"""Who is on call for a team, from when until when: set by one of the team, sealed, and asked by the clocks.

The rota holds staff identity and times, nothing of a case. Where nobody is on it, the agreement's named human is told.

Source: domain.md section 4.1 (escalate to on-call where a clock would lapse overnight).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from audit.entry import Entry, Operation, Outcome, timestamp
from gateway.evidence import Caller, Event, act
from gateway.store import tables
from gateway.store.batch import Batch, Unit


@dataclass(frozen=True, slots=True)
class Duty:
    """Somebody's time on call: an id of the rota's own, the person, and two instants (aware)."""

    id: str
    person: str
    starts: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class SetOnCall(Unit[None]):
    """Put somebody on call for the caller's own team."""

    duty: Duty
    caller: Caller

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        caller, duty = self.caller, self.duty
        batch.insert(
            tables.on_call,
            {
                "id": duty.id,
                "log_id": batch.log_id,
                "organisation": caller.organisation,
                "team": caller.recipient,
                "person": duty.person,
                "starts_at": timestamp(duty.starts),
                "ends_at": timestamp(duty.ends),
                "set_by": caller.user,
                "set_at": batch.at,
                "removed_at": None,
            },
        )
        detail = {"on_call": duty.id, "person": duty.person}
        detail |= {"starts": timestamp(duty.starts), "ends": timestamp(duty.ends)}
        batch.seal(_entry(batch, Event.ON_CALL_SET, caller, detail, Outcome.PERMITTED))


@dataclass(frozen=True, slots=True)
class RemoveOnCall(Unit[bool]):
    """Take a time off the rota of the caller's own team; False where there is none of that id."""

    duty_id: str
    caller: Caller

    def apply(self, batch: Batch) -> bool:  # noqa: D102 - said by Unit.apply
        found = batch.read(_ONE, {"log": batch.log_id, "id": self.duty_id, **_of(self.caller)})
        outcome = Outcome.PERMITTED if found else Outcome.DENIED
        if found:
            batch.update(_REMOVE, {"of": self.duty_id, "at": batch.at})
        detail = {"on_call": self.duty_id} if found else None
        batch.seal(_entry(batch, Event.ON_CALL_REMOVED, self.caller, detail, outcome))
        return bool(found)


@dataclass(frozen=True, slots=True)
class ReadRota(Unit[tuple[Row[Any], ...]]):
    """The times of the caller's own team that are not over, the first first; sealed."""

    caller: Caller

    def apply(self, batch: Batch) -> tuple[Row[Any], ...]:  # noqa: D102 - said by Unit.apply
        rows = tuple(batch.read(_TEAM, {"log": batch.log_id, "now": batch.clock, **_of(self.caller)}))
        batch.seal(_entry(batch, Event.ON_CALL_READ, self.caller, {"times": len(rows)}, Outcome.PERMITTED))
        return rows


def rota_now(batch: Batch) -> dict[tuple[str, str], str]:
    """Who is on call now, by organisation and team; of several who are, whoever began first."""
    found: dict[tuple[str, str], str] = {}
    for row in batch.read(_NOW, {"log": batch.log_id, "now": batch.clock}):
        found.setdefault((row.organisation, row.team), row.person)
    return found


def on_call_for(connection: Connection, log_id: str, organisation: str, team: str, now: datetime) -> str | None:
    """Who is on call for a team at an instant, for a page that shows it."""
    rows = connection.execute(_NOW, {"log": log_id, "now": timestamp(now)})
    return next((row.person for row in rows if (row.organisation, row.team) == (organisation, team)), None)


def _of(caller: Caller) -> dict[str, Any]:
    return {"organisation": caller.organisation, "team": caller.recipient}


def _entry(
    batch: Batch, event: Event, caller: Caller, detail: Mapping[str, str | int] | None, outcome: Outcome
) -> Entry:
    operation = Operation.CONSULTATION if event is Event.ON_CALL_READ else Operation.ADMINISTRATION
    return act(event, operation, at=batch.at, caller=caller, outcome=outcome, detail=detail)


_t = tables.on_call
_live = (_t.c.log_id == bindparam("log")) & _t.c.removed_at.is_(None)
_mine = _live & (_t.c.organisation == bindparam("organisation")) & (_t.c.team == bindparam("team"))
_ONE = select(_t.c.id).where(_mine, _t.c.id == bindparam("id"))
_TEAM = select(_t).where(_mine, _t.c.ends_at > bindparam("now")).order_by(_t.c.starts_at, _t.c.id)
_NOW = (
    select(_t.c.organisation, _t.c.team, _t.c.person)
    .where(_live, _t.c.starts_at <= bindparam("now"), _t.c.ends_at > bindparam("now"))
    .order_by(_t.c.starts_at, _t.c.id)
)
_REMOVE = update(_t).where(_t.c.id == bindparam("of")).values(removed_at=bindparam("at"))
