"""Deliveries that wait in the outbox: stopped with the agreement they wait under, and let go again with it.

A delivery is stopped in the same transaction in which the agreement is suspended, ended or found expired, so that none
slips out between. It goes on only where it is still the newest word of its referral and its content is still held.
What waits for the systems of teams (`gateway.delivery`) needs no stopping: each try is decided under the agreement.

Source: design.md section 6 (life of an agreement), section 8 (the outbox is part of the journal).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, exists, func, select, update

from gateway.store import tables
from gateway.store.batch import Batch

_OUTBOX, _REFERRAL, _RECORD = tables.outbox.c, tables.referral.c, tables.record.c


def count_waiting(batch: Batch) -> int:
    """How many deliveries of the batch's log wait. A unit asks before it writes."""
    return _count(batch, _WAITING)


def count_stopped(batch: Batch) -> int:
    """How many deliveries of the batch's log are stopped and may go on. A unit asks before it writes."""
    return _count(batch, _MAY_GO_ON)


def stop(batch: Batch) -> None:
    """Stop every delivery that waits."""
    batch.update(_STOP, {"of_log": batch.log_id, "at": batch.at})


def resume(batch: Batch) -> None:
    """Let the stopped deliveries go on that are still current."""
    batch.update(_RESUME, {"of_log": batch.log_id})


def _count(batch: Batch, condition: Any) -> int:  # noqa: ANN401 - a condition of SQLAlchemy
    found = batch.read(select(func.count()).select_from(tables.outbox).where(condition), {"of_log": batch.log_id})
    return int(found[0][0])


_OF_LOG = (_OUTBOX.log_id == bindparam("of_log")) & _OUTBOX.acknowledged_at.is_(None) & _OUTBOX.given_up_at.is_(None)
_WAITING = _OF_LOG & _OUTBOX.stopped_at.is_(None)
_MAY_GO_ON = (
    _OF_LOG
    & _OUTBOX.stopped_at.is_not(None)
    & (
        _OUTBOX.endpoint_id.is_not(None)  # a word to police is its own record, and stays true
        | exists().where(_REFERRAL.id == _OUTBOX.referral_id, _REFERRAL.record_id == _OUTBOX.record_id)
    )
    & exists().where(_RECORD.id == _OUTBOX.record_id, _RECORD.erased_at.is_(None))
)
_STOP = update(tables.outbox).where(_WAITING).values(stopped_at=bindparam("at"))
_RESUME = update(tables.outbox).where(_MAY_GO_ON).values(stopped_at=None)
