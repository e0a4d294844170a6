"""What waits for an endpoint, in what order, and the deliveries of one referral to it.

One delivery of a referral to an endpoint is open at a time, so those of a case go in order. Between cases the urgent
goes first, and what was never tried before what is tried again: one that keeps failing holds up no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, case, func, select

from gateway.delivery.leases import free, times
from gateway.store import tables
from gateway.store.waiting_deliveries import OPEN
from mappings.referral import Priority


def next_due(connection: Connection, endpoint_id: str, now: datetime) -> Row[Any] | None:
    """The delivery whose turn it is: it waits, its time has come, and nobody has leased it."""
    return connection.execute(_DUE, {"endpoint": endpoint_id, **times(now)}).one_or_none()


def of_case(read: Any, endpoint_id: str, referral_id: str) -> Sequence[Row[Any]]:  # noqa: ANN401 - as in gateway.ties
    """The deliveries of a referral to an endpoint, the first first. `read` answers a query."""
    return list(read(_OF_CASE, {"endpoint": endpoint_id, "referral": referral_id}))


def is_open(row: Row[Any]) -> bool:
    """Whether a delivery waits or is on its way."""
    return row.acknowledged_at is None and row.stopped_at is None and row.given_up_at is None


def is_free(row: Row[Any], now: datetime) -> bool:
    """Whether nobody has leased a delivery, and it need not wait. Beyond any lease is of a clock that was set back."""
    at = times(now)
    leased = row.leased_until is not None and at["now"] < row.leased_until <= at["leased"]
    waits = row.next_at is not None and at["now"] < row.next_at <= at["asked"]
    return not leased and not waits


_d, _r = tables.delivery, tables.referral
_urgency = case({Priority.ASAP.value: 0, Priority.URGENT.value: 1}, value=_r.c.priority, else_=2)
_DUE: Any = (
    select(_d.c.id, _d.c.referral_id)
    .join(_r, _r.c.id == _d.c.referral_id)
    .where(_d.c.endpoint_id == bindparam("endpoint"), OPEN, free(_d.c))
    .order_by(case((_d.c.next_at.is_(None), 0), else_=1), _urgency, func.coalesce(_d.c.next_at, ""), _d.c.created_at)
    .limit(1)
)
_OF_CASE = (
    select(_d)
    .where(_d.c.referral_id == bindparam("referral"), _d.c.endpoint_id == bindparam("endpoint"))
    .order_by(_d.c.number)
)
