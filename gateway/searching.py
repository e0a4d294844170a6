"""Which referrals a caller asks for: the search, its query, and where a page begins.

Every query names the log, the team and the organisation of the caller first, so that another team's referral and one
that does not exist run the same statement to the same end (P8). Statements are built once for each shape of question.
What the columns cannot tell, a condition on what was written does (`disclosure.py`); a blind index only makes it
quicker. Pages run by creation, which never changes, so that a change in between neither hides nor repeats a referral;
or by what the caller sorts by, and then by creation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    case,
    false,
    func,
    literal,
    or_,
    select,
)

from adapters.nhs import fhir
from audit.entry import timestamp
from gateway.errors import BadParameter
from gateway.evidence import Caller, Event
from gateway.store.tables import blind_index, referral
from mappings.referral import Priority

PRIORITIES: tuple[str, ...] = (Priority.ROUTINE.value, Priority.URGENT.value, Priority.ASAP.value)
"""What a sort by priority goes by: R4's own order, the least first."""


@dataclass(frozen=True, slots=True)
class Search:
    """What a caller asks for. Every condition given must hold; None is no condition.

    `types` are the resource types that are written, the one searched first; the others are brought along by `links`, or
    are what a chained condition looks at. `ids` are whole resource ids of the first type. Each of `named` holds the
    referrals that a reference leads to, and each of `indexed` the blind digests of which one must be known. `times` are
    (column, prefix, first instant, first instant after it). `conditions` are tested on what was written. `after` is the
    place a page begins behind, `count` how many referrals it may hold. `whole` says that every resource of a referral
    is wanted, `counted` that the number alone is, `total` that it may be told. `note` is what of the question is sealed
    with the answer: names, and never a value.
    """

    types: tuple[str, ...]
    ids: tuple[str, ...] | None = None
    named: tuple[frozenset[str], ...] = ()
    statuses: tuple[str, ...] | None = None
    states: tuple[str, ...] | None = None
    priorities: tuple[str, ...] | None = None
    times: tuple[tuple[str, str, datetime, datetime], ...] = ()
    indexed: tuple[tuple[bytes, ...], ...] = ()
    conditions: tuple[fhir.Condition, ...] = ()
    links: tuple[str, ...] = ()
    sort: tuple[tuple[str, bool], ...] = ()
    after: tuple[str, ...] | None = None
    count: int = 20
    total: bool = True
    whole: bool = False
    counted: bool = False
    note: tuple[tuple[str, str], ...] = ()
    event: Event = Event.REFERRAL_READ

    @property
    def carried(self) -> tuple[tuple[str, frozenset[str]], ...]:
        """Each type with the items it brings: what is included beside the type searched is about the victim alone."""
        return _carried(self.types)

    @property
    def items(self) -> frozenset[str]:
        """Every item the answer can carry."""
        return _items(self.types)


@cache
def _carried(types: tuple[str, ...]) -> tuple[tuple[str, frozenset[str]], ...]:
    first, *others = types
    return ((first, fhir.carries(first)), *((one, _of_victim(one)) for one in others))


@cache
def _items(types: tuple[str, ...]) -> frozenset[str]:
    return frozenset().union(*(items for _, items in _carried(types)))


def _of_victim(type_: str) -> frozenset[str]:
    others = ("child.",) if type_ == "Patient" else ()
    return frozenset(item for item in fhir.carries(type_) if not item.startswith(others))


def find_rows(
    connection: Connection, search: Search, log_id: str, caller: Caller, after: tuple[str, ...] | None, most: int
) -> Sequence[Row[Any]]:
    """At most so many referrals behind a place, and one more where there are more.

    Raises BadParameter for a place that is none.
    """
    shape, values = _asked(search, log_id, caller)
    if after is not None:
        shape = (*shape, "after")
        values |= _values_of(search, after)
    return connection.execute(_page(shape, search.sort), values | {"most": most + 1}).all()


def rows_to_count(
    connection: Connection, search: Search, log_id: str, caller: Caller, most: int
) -> Sequence[Row[Any]] | None:
    """All referrals asked for, with what deciding on one takes and no more; None where there are more than `most`."""
    shape, values = _asked(search, log_id, caller)
    number, rows = _to_count(shape)
    if connection.execute(number, values | {"most": most + 1}).scalar_one() > most:
        return None  # a long worklist's every page would otherwise load them all to say nothing
    return connection.execute(rows, values).all()


def place_of(row: Row[Any], search: Search) -> tuple[str, ...]:
    """The place after a referral in the order of pages."""
    columns = (getattr(row, name) for name, _ in search.sort)
    sorted_by = (str(PRIORITIES.index(one)) if one in PRIORITIES else str(one) for one in columns)
    return (*sorted_by, row.created_at, row.id)


def _values_of(search: Search, place: tuple[str, ...]) -> dict[str, Any]:
    names = [*(name for name, _ in search.sort), "created_at", "id"]
    if len(place) != len(names):
        raise BadParameter("the cursor is not one of this server's links")
    return {
        f"after{at}": int(value) if name == "priority" else value
        for at, (name, value) in enumerate(zip(names, place, strict=True))
    }


def _asked(search: Search, log_id: str, caller: Caller) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The shape of a question, and its values."""
    shape: list[str] = []
    values: dict[str, Any] = {"log": log_id, "team": caller.recipient, "organisation": caller.organisation}
    named = [*search.named]
    if search.ids is not None:
        named.append(frozenset(split[0] for one in search.ids if (split := fhir.split_id(one)) is not None))
    if named:
        found = sorted(frozenset.intersection(*named))
        one_only = len(found) == 1
        shape.append("id" if one_only else "ids")
        values |= {"id": found[0]} if one_only else {"ids": found}
    for name, wanted in (("status", search.statuses), ("state", search.states), ("priority", search.priorities)):
        if wanted is not None:
            shape.append(name)
            values[name] = wanted
    for number, (column, prefix, start, end) in enumerate(search.times):
        shape.append(f"time {column} {prefix} {number}")
        values |= {f"start{number}": timestamp(start), f"end{number}": timestamp(end)}
    for number, digests in enumerate(search.indexed):
        shape.append(f"index {number}")
        values[f"digests{number}"] = digests
    return tuple(shape), values


@cache
def _to_count(shape: tuple[str, ...]) -> tuple[Select[Any], Select[Any]]:
    """How many there are, counted as far as a bound; and what deciding on them takes."""
    chosen = _selection(shape, ())
    bounded = chosen.with_only_columns(literal(1)).limit(bindparam("most")).subquery()
    names = ("id", "record_id", "event_id", "team", "assigned_to", "event_at", "facts")
    return select(func.count()).select_from(bounded), chosen.with_only_columns(*(referral.c[name] for name in names))


@cache
def _page(shape: tuple[str, ...], sort: tuple[tuple[str, bool], ...]) -> Select[Any]:
    query = _selection(shape, sort)
    ordered = [key.desc() if descending else key for key, descending in _keys(sort)]
    return query.order_by(*ordered).limit(bindparam("most"))


def _selection(shape: tuple[str, ...], sort: tuple[tuple[str, bool], ...]) -> Select[Any]:
    table = referral
    query = select(table).where(
        table.c.log_id == bindparam("log"),
        table.c.team == bindparam("team"),
        table.c.organisation == bindparam("organisation"),
        table.c.erased_at.is_(None),  # nothing is left to read: as good as none
    )
    for asked in shape:
        query = query.where(_after(sort) if asked == "after" else _condition(asked))
    return query


def _keys(sort: tuple[tuple[str, bool], ...]) -> list[tuple[ColumnElement[Any], bool]]:
    """What a page is ordered by, and whether downwards; the last two tell any two referrals apart."""
    table = referral
    rank = case({value: at for at, value in enumerate(PRIORITIES)}, value=table.c.priority, else_=-1)
    keys = [(rank if name == "priority" else table.c[name], down) for name, down in sort]
    return [*keys, (table.c.created_at, False), (table.c.id, False)]


def _after(sort: tuple[tuple[str, bool], ...]) -> ColumnElement[bool]:
    """Behind a place: behind it in the first key that differs."""
    found: ColumnElement[bool] = false()
    same: list[ColumnElement[bool]] = []
    for at, (key, down) in enumerate(_keys(sort)):
        value: BindParameter[Any] = bindparam(f"after{at}")
        found = or_(found, and_(*same, key < value if down else key > value))
        same.append(key == value)
    return found


def _condition(asked: str) -> ColumnElement[bool]:
    table = referral
    conditions: Mapping[str, ColumnElement[bool]] = {
        "id": table.c.id == bindparam("id"),
        "ids": table.c.id.in_(bindparam("ids", expanding=True)),
        "status": table.c.status.in_(bindparam("status", expanding=True)),
        "state": table.c.state.in_(bindparam("state", expanding=True)),
        "priority": table.c.priority.in_(bindparam("priority", expanding=True)),
    }
    if asked in conditions:
        return conditions[asked]
    kind, _, rest = asked.partition(" ")
    return _known(rest) if kind == "index" else _timed(*rest.split(" "))


def _known(number: str) -> ColumnElement[bool]:
    """The record has an identifier of one of these digests."""
    index = blind_index
    records = select(index.c.record_id).where(
        index.c.log_id == bindparam("log"), index.c.digest.in_(bindparam(f"digests{number}", expanding=True))
    )
    return referral.c.record_id.in_(records)


def _timed(name: str, prefix: str, number: str) -> ColumnElement[bool]:
    column = referral.c[name]
    start: BindParameter[str] = bindparam(f"start{number}")
    end: BindParameter[str] = bindparam(f"end{number}")
    compared: Mapping[str, ColumnElement[bool]] = {
        "eq": (column >= start) & (column < end),
        "ne": (column < start) | (column >= end),
        "gt": column >= end,
        "sa": column >= end,
        "lt": column < start,
        "eb": column < start,
        "ge": column >= start,
        "le": column < end,
    }
    return compared[prefix]
