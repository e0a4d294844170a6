"""A case that goes on: a new incident of hers within twelve months of the end of the team's work re-opens that work.

The new referral stays one of its own, with its own clocks; what was done before is read with it (`case_history`), and
that it goes on with an earlier one is kept and sealed once. That it is a repeat, or one of three in twelve months, is
stated as a fact elsewhere (`repeats`); nothing is decided of it, and no grade changes (P10).

Source: domain.md sections 1.8 (repeat, escalation), 4.1 (step 13).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Row, bindparam, select

from audit.entry import Operation
from gateway.casework.effects import Happened
from gateway.casework.keeping import plain, stop, write_events
from gateway.casework.timers import Kind
from gateway.evidence import Event, act
from gateway.repeats import closed_before
from gateway.store import tables
from gateway.store.batch import Batch
from gateway.store.records import subject_of

REOPENED = "reopened"
"""What is kept of it in the new referral; its code names the earlier one."""


def known(batch: Batch, rows: Iterable[Row[Any]]) -> frozenset[str]:
    """The referrals of which it is kept already. Must be called before the unit writes."""
    rows = list(rows)
    if not any(row.closed_at for row in rows):
        return frozenset()
    asked = {"log": batch.log_id, "of": [row.id for row in rows]}
    return frozenset(row.referral_id for row in batch.read(_REOPENED, asked))


def reopen(batch: Batch, rows: Sequence[Row[Any]], before: frozenset[str]) -> None:
    """Re-open what goes on, among referrals of one victim in the order of their incidents."""
    for at, row in enumerate(rows):
        same = (one for one in reversed(rows[:at]) if (one.team, one.organisation) == (row.team, row.organisation))
        earlier = next((one for one in same if closed_before(one, row)), None)
        if earlier is None or row.id in before:
            continue
        entry = act(
            Event.CASE_REOPENED,
            Operation.COMBINATION,
            at=batch.at,
            caller=None,
            subjects=(subject_of(row.record_id, row.victim), subject_of(earlier.record_id, earlier.victim)),
            record=row.record_id,
            case=row.id,
            reason="repeat",
            detail={"earlier": earlier.id},
        )
        done = plain(Happened(REOPENED, batch.now, {"earlier": earlier.id}, {}))
        write_events(batch, batch.seal(entry), row.id, [done], "gateway", None)
        stop(batch, (Kind.FLAG_REVIEW,), earlier.id)


_e = tables.case_event
_REOPENED = select(_e.c.referral_id).where(
    _e.c.log_id == bindparam("log"),
    _e.c.kind == REOPENED,
    _e.c.referral_id.in_(bindparam("of", expanding=True)),
)
