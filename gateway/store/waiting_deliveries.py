"""What waits to be delivered: noted in the transaction that makes or changes a referral, whoever makes or changes it.

A note says no more than *look at this referral for that endpoint*: what is to be said, and whether anything, is decided
when its turn comes. So one note is enough, however often a referral changes while it waits, and what is newer takes the
place of what is older. A delivery that is on its way when the referral changes is looked at again when it is settled.

Source: design.md section 8 (the outbox is part of the journal).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, select

from audit.bulk import insert_rows
from gateway.chance import fresh_id
from gateway.store import tables

_e, _d, _r = tables.endpoint, tables.delivery, tables.referral
OPEN = and_(_d.c.acknowledged_at.is_(None), _d.c.stopped_at.is_(None), _d.c.given_up_at.is_(None))
"""A delivery that waits or is on its way."""


def note(connection: Connection, log_id: str, referrals: Sequence[str], at: str) -> int:
    """Note these referrals for every endpoint of their teams; returns how many notes are new.

    Where no team of the log has an endpoint, it costs one query of an index.
    """
    if connection.execute(_ANY, {"log": log_id}).first() is None:
        return 0
    asked = {"log": log_id, "ids": sorted(set(referrals))}
    rows = [
        new_row(row.endpoint_id, row.referral_id, log_id, row.number + 1, at)
        for row in connection.execute(_WANTED, asked)
        if not row.open
    ]
    if rows:
        insert_rows(connection, _d, [tuple(map(row.get, _COLUMNS)) for row in rows])
    return len(rows)


def new_row(endpoint_id: str, referral_id: str, log_id: str, number: int, at: str) -> dict[str, Any]:
    """The row of a delivery of which nothing is written yet."""
    return {
        "id": fresh_id(),
        "log_id": log_id,
        "endpoint_id": endpoint_id,
        "referral_id": referral_id,
        "number": number,
        "created_at": at,
        "attempts": 0,
        "doubts": 0,
        "unknown": False,
    }


_COLUMNS = tuple(column.name for column in _d.columns)
_ANY = select(_e.c.id).where(_e.c.log_id == bindparam("log"), _e.c.removed_at.is_(None)).limit(1)
_WANTED = (
    select(
        _e.c.id.label("endpoint_id"),
        _r.c.id.label("referral_id"),
        func.coalesce(func.max(_d.c.number), 0).label("number"),
        func.count(_d.c.id).filter(OPEN).label("open"),
    )
    .select_from(
        _r.join(
            _e,
            and_(
                _e.c.log_id == _r.c.log_id,
                _e.c.organisation == _r.c.organisation,
                _e.c.team == _r.c.team,
                _e.c.removed_at.is_(None),
            ),
        ).outerjoin(_d, and_(_d.c.referral_id == _r.c.id, _d.c.endpoint_id == _e.c.id))
    )
    .where(
        _r.c.log_id == bindparam("log"),
        _r.c.id.in_(bindparam("ids", expanding=True)),
        _r.c.erased_at.is_(None),
    )
    .group_by(_e.c.id, _r.c.id)
    .order_by(_e.c.id, _r.c.id)
)
