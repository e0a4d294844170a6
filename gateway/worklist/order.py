"""The order of a team's referrals: along the clocks that run in them, and of one instant the higher risk first.

A page is read along the index of the clocks, as far as it needs, each case at the first of its own; cases in which no
clock runs follow, by risk. Nothing is decided here, and nothing may leave before it is.

Source: domain.md sections 4.1 (clocks), 4.2 (states).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, case, not_, null, or_, select, tuple_

from audit.entry import timestamp
from gateway.evidence import Caller
from gateway.store.tables import case_timer, referral
from gateway.worklist.falling_due import Falls, Window
from mappings.record import Grade

PAGE_ROWS = 50
"""Rows of a page: two screens of a desk, and an entry each."""


class Whose(StrEnum):
    """Which part of the list."""

    ALL = "all"
    MINE = "mine"
    UNASSIGNED = "unassigned"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rows: whose, of which areas (None is all), falling to which shift, and which page from 1.

    `known` are the rows the reader holds, by id, with their versions: they are not given again.
    """

    whose: Whose = Whose.ALL
    areas: tuple[str, ...] | None = None
    falls: Falls = Falls.ANY
    page: int = 1
    known: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A referral in its place: the row, when its first clock runs out, and which that is."""

    row: Row[Any]
    due: datetime | None
    clock: str | None


def ordered_rows(
    connection: Connection, caller: Caller, asked: Asked, log_id: str, due: Window, most: int = PAGE_ROWS
) -> tuple[list[Waiting], bool]:
    """The rows of a page of so many, in their order; and whether there are more behind it.

    A closed case falls to no shift: of those the window says nothing.
    """
    of: dict[str, Any] = {
        "log": log_id,
        "team": caller.recipient,
        "organisation": caller.organisation,
        "user": caller.user,
        "areas": asked.areas or (),
        "after": timestamp(due.after) if due.after else _FIRST,
        "before": timestamp(due.before) if due.before else _LAST,
    }
    passed = (asked.page - 1) * most
    places = _places(connection, of, asked, due, passed + most + 1)[passed:]
    shown = places[:most]
    found = {row.id: row for row in connection.execute(_ROWS, {"ids": [one.id for one in shown]})} if shown else {}
    rows = [
        Waiting(found[one.id], datetime.fromisoformat(one.due_at) if one.due_at else None, one.kind)
        for one in shown
        if one.id in found
    ]
    return rows, len(places) > most


def _places(connection: Connection, of: Mapping[str, Any], asked: Asked, due: Window, need: int) -> Sequence[Row[Any]]:
    """The first so many: the ids in their order, each with the clock that it stands at."""
    by_area = asked.areas is not None
    if asked.whose is Whose.CLOSED:
        return connection.execute(_closed(by_area=by_area), {**of, "most": need}).all()
    places = connection.execute(_by_clock(asked.whose, by_area=by_area), {**of, "most": need}).all()
    if len(places) == need or due.before is not None:
        return places
    rest = connection.execute(_unclocked(asked.whose, by_area=by_area), {**of, "most": need - len(places)}).all()
    return [*places, *rest]


_FIRST, _LAST = "0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"  # before and after every clock

_r, _t, _earlier = referral.c, case_timer.c, case_timer.alias("earlier")
_ids: Any = bindparam("ids", expanding=True)
_ROWS = select(referral).where(_r.id.in_(_ids))
_UNGRADED = 1
"""High first; what nobody graded is as urgent as high (P5), and stands next to it."""
_RISK = case({Grade.HIGH.value: 0, Grade.MEDIUM.value: 2, Grade.STANDARD.value: 3}, value=_r.grade, else_=_UNGRADED)


@cache
def _by_clock(whose: Whose, *, by_area: bool) -> Select[Any]:
    """Open cases at the first clock that runs in each, the first to run out first; of one instant the higher risk."""
    runs_before = (
        select(_earlier.c.id)
        .where(
            _earlier.c.referral_id == _t.referral_id,
            _earlier.c.stopped_at.is_(None),
            tuple_(_earlier.c.due_at, _earlier.c.id) < tuple_(_t.due_at, _t.id),
        )
        .exists()
    )
    query = (
        select(_r.id, _t.due_at, _t.kind)
        .select_from(case_timer.join(referral, _r.id == _t.referral_id))
        .where(
            _t.log_id == bindparam("log"),
            _t.organisation == bindparam("organisation"),
            _t.team == bindparam("team"),
            _t.stopped_at.is_(None),
            _t.due_at >= bindparam("after"),
            _t.due_at < bindparam("before"),
            _r.erased_at.is_(None),
            _r.closed_at.is_(None),
            not_(runs_before),
        )
    )
    # PostgreSQL reads the index in its order only where that order is asked for whole, the empty column too.
    order = (_t.stopped_at, _t.due_at, _RISK, _r.created_at, _t.referral_id)
    return _narrowed(query, whose, by_area=by_area).order_by(*order).limit(bindparam("most"))


@cache
def _unclocked(whose: Whose, *, by_area: bool) -> Select[Any]:
    """Open referrals in which no clock runs, by risk."""
    runs = select(_t.id).where(_t.referral_id == _r.id, _t.stopped_at.is_(None)).exists()
    query = _of_team().where(_r.closed_at.is_(None), not_(runs))
    return _narrowed(query, whose, by_area=by_area).order_by(_RISK, _r.created_at, _r.id).limit(bindparam("most"))


@cache
def _closed(*, by_area: bool) -> Select[Any]:
    """Closed referrals, the last closed first."""
    query = _narrowed(_of_team().where(_r.closed_at.is_not(None)), Whose.CLOSED, by_area=by_area)
    return query.order_by(_r.closed_at.desc(), _r.id).limit(bindparam("most"))


def _of_team() -> Select[Any]:
    return select(_r.id, null().label("due_at"), null().label("kind")).where(
        _r.log_id == bindparam("log"),
        _r.organisation == bindparam("organisation"),
        _r.team == bindparam("team"),
        _r.erased_at.is_(None),
    )


def _narrowed(query: Select[Any], whose: Whose, *, by_area: bool) -> Select[Any]:
    if whose is Whose.MINE:
        query = query.where(_r.assigned_to == bindparam("user"))
    if whose is Whose.UNASSIGNED:
        query = query.where(_r.assigned_to.is_(None))
    if by_area:
        # Where nobody knows the area, it may be any: it stands in every list.
        query = query.where(or_(_r.area.in_(bindparam("areas", expanding=True)), _r.area.is_(None)))
    return query
