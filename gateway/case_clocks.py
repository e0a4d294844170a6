"""The clocks of cases, kept: each reminds, calls whoever is on call, and lapses, once, whichever replica looks first.

What has come is asked and marked under the log's head, in the transaction that writes its notice and its entry: a clock
that was looked at by a process that died has not been looked at, and one that two look at is found marked by the
second. A clock that was stopped says nothing any more (`casework.keeping`).

A notice goes to the team, and says whom of it it is for: who has the case, or who is on call. Where a clock runs out
while nobody is there and nobody is on call, it goes to the organisation of the named human who answers for the flow.

Source: domain.md sections 4.1 (clocks, escalation), 4.5 (N11).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, select, update

from audit.entry import Operation, Outcome, Recipient, timestamp
from gateway.agreement.content import Content
from gateway.agreement.parties import Contact
from gateway.casework.rota import rota_now
from gateway.casework.timers import Kind as Clock
from gateway.casework.timers import Stage, stages
from gateway.evidence import Event, act
from gateway.notices import EVERYBODY, Kind, Matter, due_by_grade, tell
from gateway.shifts import Shifts
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.store.records import subject_of
from gateway.terms import Standing, agreement_ref


@dataclass(frozen=True, slots=True)
class KeepClocks(Unit[int]):
    """Do what the clocks of a log ask for by now, each thing once; returns how many clocks were looked at."""

    standing: Standing
    shifts: Shifts
    most: int = 100

    def apply(self, batch: Batch) -> int:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        rows = batch.read(_COME, {"log": batch.log_id, "now": batch.clock, "most": self.most})
        on_call = rota_now(batch) if rows else {}
        for row in rows:
            self._keep(batch, row, on_call)
        return len(rows)

    def _keep(self, batch: Batch, row: Row[Any], on_call: Mapping[tuple[str, str], str]) -> None:
        times = self._times(row)
        come = [stage for stage in times if timestamp(times[stage]) <= batch.clock]
        left = [at for stage, at in times.items() if stage not in come]
        marks = {name: batch.at if stage in come else None for stage, name in _MARKS.items()}
        batch.update(
            _MARK,
            {
                "of": row.id,
                "remind": timestamp(times[Stage.REMIND]) if Stage.REMIND in times else row.remind_at,
                "escalate": timestamp(times[Stage.ESCALATE]) if Stage.ESCALATE in times else row.escalate_at,
                "next": timestamp(min(left)) if left else None,
                **{name: getattr(row, name) or at for name, at in marks.items()},
            },
        )
        if come:
            self._say(batch, row, max(come, key=_GRAVER.index), on_call)  # of what came at once, the gravest

    def _times(self, row: Row[Any]) -> dict[Stage, datetime]:
        """What a clock has still to do, and when."""
        started, due = datetime.fromisoformat(row.started_at), datetime.fromisoformat(row.due_at)
        content = self.standing.content
        closed = frozenset(content.clocks.closed if content else ())
        times = stages(Clock(row.kind), started, due, self.shifts, closed) | {Stage.LAPSE: due}
        return {stage: at for stage, at in times.items() if getattr(row, _MARKS[stage]) is None}

    def _say(self, batch: Batch, row: Row[Any], stage: Stage, on_call: Mapping[tuple[str, str], str]) -> None:
        """Tell whoever must act, and seal it."""
        terms = self.standing.terms
        to, person, detail = Recipient(row.organisation, row.team), row.assigned_to, {}
        if stage is Stage.ESCALATE:
            person = on_call.get((row.organisation, row.team))
            if person is None and terms is not None:
                owner = _owner(terms.agreement.content, row.team)
                to = Recipient(terms.agreement.content.party(owner.party).organisation, EVERYBODY)
                detail = {"owner": owner.id}
        event, kind = _SAID[stage]
        entry = act(
            event,
            Operation.ADMINISTRATION,
            at=batch.at,
            caller=None,
            outcome=Outcome.FAILED if stage is Stage.LAPSE else Outcome.PERMITTED,
            agreement=agreement_ref(terms.agreement) if terms else None,
            subjects=(subject_of(row.record_id, row.victim),),
            record=row.record_id,
            case=row.referral_id,
            reason=row.kind,
            detail={"clock": row.id, "due": row.due_at, **({"person": person} if person else {}), **detail},
        )
        batch.seal(entry._replace(recipients=(Recipient(to.organisation, to.recipient or "all"),)))
        tell(
            batch,
            Matter(kind, row.event_id, row.referral_id, row.record_id, row.kind),
            (to,),
            due=due_by_grade(terms, row.grade, batch.now),
            caller=None,
            agreement=terms.agreement if terms else None,
            person=person,
        )


def _owner(content: Content, team: str) -> Contact:
    """The named human of the flow by which a team has its cases; of the agreement, where no flow leads there."""
    named = next((flow.register_.owner for flow in content.flows if team in flow.to), content.owner)
    return next(one for one in content.contacts if one.id == named)


_MARKS: Mapping[Stage, str] = {
    Stage.REMIND: "reminded_at",
    Stage.ESCALATE: "escalated_at",
    Stage.LAPSE: "fired_at",
}
"""Where a clock is marked to have done something."""

_GRAVER = (Stage.REMIND, Stage.ESCALATE, Stage.LAPSE)
_SAID: Mapping[Stage, tuple[Event, Kind]] = {
    Stage.REMIND: (Event.CASE_REMINDED, Kind.CLOCK_REMINDER),
    Stage.ESCALATE: (Event.CASE_ESCALATED, Kind.CLOCK_ESCALATED),
    Stage.LAPSE: (Event.CASE_LAPSED, Kind.CLOCK_LAPSED),
}

_t, _r = tables.case_timer, tables.referral
_COME = (
    select(_t, _r.c.assigned_to, _r.c.event_id, _r.c.record_id, _r.c.victim, _r.c.grade)
    .join(_r, _r.c.id == _t.c.referral_id)
    .where(_t.c.log_id == bindparam("log"), _t.c.next_at <= bindparam("now"))
    .order_by(_t.c.next_at, _t.c.due_at, _t.c.id)
    .limit(bindparam("most"))
)
_MARK = (
    update(_t)
    .where(_t.c.id == bindparam("of"))
    .values(
        remind_at=bindparam("remind"),
        escalate_at=bindparam("escalate"),
        next_at=bindparam("next"),
        **{name: bindparam(name) for name in _MARKS.values()},
    )
)
