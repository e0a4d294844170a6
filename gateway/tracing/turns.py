"""Whose turn it is: the traces that wait, victims before children, and those whose refusal may come out otherwise.

What lies further ahead than any lease or wait reaches is of a clock that was set back, and is not waited for.
Nothing is changed here.

Source: design.md section 8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, or_, select

from audit.entry import timestamp
from gateway.delivery.policy import AFTER_MAX
from gateway.store import tables
from gateway.store.traced import State

LEASE = timedelta(minutes=5)  # two passes of three tries, each signing in and hanging, end within four

Ask = Callable[[Any, dict[str, Any]], Iterable[Row[Any]]]
"""How a question is asked: of a connection (`execute`), or of a batch (`read`)."""


def due(connection: Connection, log_id: str, epoch: int, now: datetime, most: int) -> Sequence[Row[Any]]:
    """The traces whose turn it is: victims, then children, the one opened first at the top."""
    return connection.execute(_DUE, {"log": log_id, "epoch": epoch, "most": most, **_times(now)}).all()


def still_due(ask: Ask, trace: Row[Any], epoch: int, now: datetime) -> Row[Any] | None:
    """A trace as it stands now; None where it is not its turn any more. What came before it may have changed it."""
    return _only(ask(_ONE_DUE, {"id": trace.id, "epoch": epoch, **_times(now)}))


def as_it_stands(ask: Ask, trace: Row[Any]) -> Row[Any] | None:
    """A trace as it stands now, whoever's turn it is."""
    return _only(ask(_ONE, {"id": trace.id}))


def teams(ask: Ask, trace: Row[Any]) -> Sequence[Row[Any]]:
    """The open referrals of the victim a trace belongs to: who may work with her and her children."""
    return list(ask(_TEAMS, {"log": trace.log_id, "event": trace.event_id, "victim": trace.victim}))


def _only(rows: Iterable[Row[Any]]) -> Row[Any] | None:
    return next(iter(list(rows)), None)


def _times(now: datetime) -> dict[str, str]:
    """The time, and twice as far as a lease or a wait of now reaches."""
    return {"now": timestamp(now), "leased": timestamp(now + 2 * LEASE), "waited": timestamp(now + 2 * AFTER_MAX)}


_t, _f = tables.trace, tables.referral
_free = or_(_t.c.leased_until.is_(None), _t.c.leased_until <= bindparam("now"), _t.c.leased_until > bindparam("leased"))
_ripe = or_(_t.c.next_at.is_(None), _t.c.next_at <= bindparam("now"), _t.c.next_at > bindparam("waited"))
_turn = or_(
    and_(_t.c.state == State.WAITING.value, _free, _ripe),
    and_(
        _t.c.state == State.REFUSED.value,
        or_(_t.c.epoch != bindparam("epoch"), _f.c.updated_at > _t.c.opened_at),  # what was decided on has changed
    ),
)
_graded = select(_t, _f.c.grade, _f.c.team, _f.c.facts, _f.c.label.label("household")).join(
    _f, _f.c.id == _t.c.referral_id
)
_DUE: Any = (
    _graded.where(_t.c.log_id == bindparam("log"), _turn)
    .order_by(_t.c.child != "", _t.c.opened_at, _t.c.id)  # she first: what is known of her is read with her children
    .limit(bindparam("most"))
)
_ONE_DUE: Any = _graded.where(_t.c.id == bindparam("id"), _turn)
_ONE: Any = _graded.where(_t.c.id == bindparam("id"))
_TEAMS: Any = select(_f.c.organisation, _f.c.team, _f.c.facts, _f.c.event_at).where(
    _f.c.log_id == bindparam("log"),
    _f.c.event_id == bindparam("event"),
    _f.c.victim == bindparam("victim"),
    _f.c.erased_at.is_(None),
    _f.c.closed_at.is_(None),
)
