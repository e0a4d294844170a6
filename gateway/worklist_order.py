"""The order of a team's referrals: along the clocks that run in them, and of one instant the higher risk first.

A page is read along the index of the clocks, as far as it needs; cases in which no clock runs follow, by risk. Nothing
is decided here, and nothing may leave before it is.

Source: domain.md sections 4.1 (clocks), 4.2 (states).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, case, not_, or_, select

from gateway.evidence import Caller
from gateway.store.tables import case_timer, referral
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
    """Which rows: whose, of which areas (None is all), and which page from 1.

    `known` are the rows the reader holds, by id, with their versions: they are not given again.
    """

    whose: Whose = Whose.ALL
    areas: tuple[str, ...] | None = None
    page: int = 1
    known: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A referral in its place: the row, when its first clock runs out, and which that is."""

    row: Row[Any]
    due: datetime | None
    clock: str | None


def ordered_rows(
    connection: Connection, caller: Caller, asked: Asked, log_id: str, most: int = PAGE_ROWS
) -> tuple[list[Waiting], bool]:
    """The rows of a page of so many, in their order; and whether there are more behind it."""
    of: dict[str, Any] = {
        "log": log_id,
        "team": caller.recipient,
        "organisation": caller.organisation,
        "user": caller.user,
        "areas": asked.areas or (),
    }
    before = (asked.page - 1) * most
    by_area = asked.areas is not None
    places: list[_Place]
    if asked.whose is Whose.CLOSED:
        values = {**of, "most": most + 1, "before": before}
        places = [(row.id, None, None) for row in connection.execute(_closed(by_area=by_area), values)]
    else:
        places = _open(connection, of, asked.whose, by_area=by_area, need=before + most + 1)[before:]
    wanted = {id_: (due, kind) for id_, due, kind in places[:most]}
    found = {row.id: row for row in connection.execute(_ROWS, {"ids": list(wanted)})} if wanted else {}
    rows = [
        Waiting(found[id_], datetime.fromisoformat(due) if due else None, kind)
        for id_, (due, kind) in wanted.items()
        if id_ in found
    ]
    return rows, len(places) > most


_Place = tuple[str, str | None, str | None]


def _open(connection: Connection, of: Mapping[str, Any], whose: Whose, *, by_area: bool, need: int) -> list[_Place]:
    """The first so many open referrals: those with a clock, by when it runs out, then those without."""
    places, complete = _clocked(connection, of, whose, by_area=by_area, need=need)
    if len(places) < need and complete:
        query = _unclocked(whose, by_area=by_area)
        rest = connection.execute(query, {**of, "most": need - len(places)})
        places += [(row.id, None, None) for row in rest]
    return places[:need]


def _clocked(
    connection: Connection, of: Mapping[str, Any], whose: Whose, *, by_area: bool, need: int
) -> tuple[list[_Place], bool]:
    """Each referral at its first clock; and whether these are all.

    Clocks are read in their order, as many as a page needs: a case may have several, so some more are, and more again
    where that was too few. Of clocks that run out in the same instant, the higher risk comes first.
    """
    most = need + PAGE_ROWS
    while True:
        rows = connection.execute(_by_clock(whose, by_area=by_area), {**of, "most": most}).all()
        first: dict[str, Row[Any]] = {}
        for row in rows:
            first.setdefault(row.referral_id, row)
        complete = len(rows) < most
        ordered = list(first.values())
        if complete or (len(ordered) > need and ordered[need].due_at != rows[-1].due_at):
            ordered.sort(key=lambda row: (row.due_at, _RISK.get(row.grade, _UNGRADED), row.created_at, row.referral_id))
            return [(row.referral_id, row.due_at, row.kind) for row in ordered], complete
        most *= 2


_r, _t = referral.c, case_timer.c
_ids: Any = bindparam("ids", expanding=True)
_ROWS = select(referral).where(_r.id.in_(_ids))
_RISK: Mapping[str, int] = {Grade.HIGH.value: 0, Grade.MEDIUM.value: 2, Grade.STANDARD.value: 3}
_UNGRADED = 1
"""High first; what nobody graded is as urgent as high (P5), and stands next to it."""


@cache
def _by_clock(whose: Whose, *, by_area: bool) -> Select[Any]:
    """The clocks that run in open cases, the first to run out first."""
    query = (
        select(_t.referral_id, _t.due_at, _t.kind, _r.grade, _r.created_at)
        .select_from(case_timer.join(referral, _r.id == _t.referral_id))
        .where(
            _t.log_id == bindparam("log"),
            _t.organisation == bindparam("organisation"),
            _t.team == bindparam("team"),
            _t.stopped_at.is_(None),
            _r.erased_at.is_(None),
            _r.closed_at.is_(None),
        )
    )
    return _narrowed(query, whose, by_area=by_area).order_by(_t.due_at, _t.referral_id).limit(bindparam("most"))


@cache
def _unclocked(whose: Whose, *, by_area: bool) -> Select[Any]:
    """Open referrals in which no clock runs, by risk."""
    runs = select(_t.id).where(_t.referral_id == _r.id, _t.stopped_at.is_(None)).exists()
    query = _of_team().where(_r.closed_at.is_(None), not_(runs))
    risk = case(_RISK, value=_r.grade, else_=_UNGRADED)
    return _narrowed(query, whose, by_area=by_area).order_by(risk, _r.created_at, _r.id).limit(bindparam("most"))


@cache
def _closed(*, by_area: bool) -> Select[Any]:
    """Closed referrals, the last closed first."""
    query = _narrowed(_of_team().where(_r.closed_at.is_not(None)), Whose.CLOSED, by_area=by_area)
    return query.order_by(_r.closed_at.desc(), _r.id).limit(bindparam("most")).offset(bindparam("before"))


def _of_team() -> Select[Any]:
    return select(_r.id).where(
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
