"""Which referrals a caller asks for: the search, its query, and the cursor between pages.

Every query names the log, the team and the organisation of the caller first, so that another team's referral and one
that does not exist run the same statement to the same end (P8). Statements are built once for each shape of question.
Pages run by creation, which never changes, so that a change in between neither hides nor repeats a referral.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Connection, Row, Select, bindparam, or_, select, tuple_

from adapters.nhs import fhir
from audit.entry import timestamp
from gateway.errors import BadParameter
from gateway.evidence import Caller, Event
from gateway.store.tables import referral


@dataclass(frozen=True, slots=True)
class Search:
    """What a caller asks for. Every condition given must hold; None is no condition.

    `types` are the resource types to write, the one searched first. `ids` are whole resource ids of the first type.
    `updated` are (prefix, first instant, first instant after it) of `_lastUpdated`: a date is the whole of its day.
    `count` is how many referrals a page may hold.
    """

    types: tuple[str, ...]
    ids: tuple[str, ...] | None = None
    patients: tuple[str, ...] | None = None
    statuses: tuple[str, ...] | None = None
    states: tuple[str, ...] | None = None
    priorities: tuple[str, ...] | None = None
    updated: tuple[tuple[str, datetime, datetime], ...] = ()
    count: int = 20
    cursor: str | None = None
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


def find_rows(connection: Connection, search: Search, log_id: str, caller: Caller) -> Sequence[Row[Any]]:
    """The referrals of a page, and one more where there is a next page. Raises BadParameter for a bad cursor."""
    shape, values = _asked(search, log_id, caller)
    if search.cursor is not None:
        created_at, id_ = read_cursor(search.cursor)
        shape, values = (*shape, "after"), values | {"after_at": created_at, "after_id": id_}
    return connection.execute(_page(shape), values | {"most": search.count + 1}).all()


def find_all(connection: Connection, search: Search, log_id: str, caller: Caller, most: int) -> Sequence[Row[Any]]:
    """The referrals of the whole search, whatever the page; one more than `most` where there are more."""
    shape, values = _asked(search, log_id, caller)
    return connection.execute(_page(shape), values | {"most": most + 1}).all()


def write_cursor(row: Row[Any]) -> str:
    """The place after a referral in the order of pages: opaque, and of nothing but the gateway's own references."""
    return base64.urlsafe_b64encode(f"{row.created_at} {row.id}".encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[str, str]:
    """The place a cursor stands for. Raises BadParameter."""
    try:
        plain = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        plain = ""
    found = _PLACE.fullmatch(plain)
    if found is None:
        raise BadParameter("the cursor is not one of this server's links")
    return found[1], found[2]


_PLACE = re.compile(r"([!-~]+) ([!-~]+)")


def _asked(search: Search, log_id: str, caller: Caller) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The shape of a question, and its values."""
    shape: list[str] = []
    values: dict[str, Any] = {"log": log_id, "team": caller.recipient, "organisation": caller.organisation}
    if search.ids is not None:
        named = [split[0] for one in search.ids if (split := fhir.split_id(one)) is not None]
        one_only = len(named) == 1
        shape.append("id" if one_only else "ids")
        values |= {"id": named[0]} if one_only else {"ids": named}
    if search.patients is not None:
        shape.append("patients")
        values["patients"] = [
            split for one in search.patients if (split := fhir.split_id(one)) is not None and split[1]
        ]
    for name, wanted in (("status", search.statuses), ("state", search.states), ("priority", search.priorities)):
        if wanted is not None:
            shape.append(name)
            values[name] = wanted
    for number, (prefix, start, end) in enumerate(search.updated):
        shape.append(f"updated {prefix} {number}")
        values |= {f"start{number}": timestamp(start), f"end{number}": timestamp(end)}
    return tuple(shape), values


@cache
def _page(shape: tuple[str, ...]) -> Select[Any]:
    query = _selection(shape).order_by(referral.c.created_at, referral.c.id)
    return query.limit(bindparam("most"))


def _selection(shape: tuple[str, ...]) -> Select[Any]:
    table = referral
    query = select(table).where(
        table.c.log_id == bindparam("log"),
        table.c.team == bindparam("team"),
        table.c.organisation == bindparam("organisation"),
        table.c.erased_at.is_(None),  # nothing is left to read: as good as none
    )
    for asked in shape:
        query = query.where(_condition(asked))
    return query


def _condition(asked: str) -> ColumnElement[bool]:
    table = referral
    conditions: Mapping[str, ColumnElement[bool]] = {
        "id": table.c.id == bindparam("id"),
        "ids": table.c.id.in_(bindparam("ids", expanding=True)),
        "patients": tuple_(table.c.id, table.c.victim).in_(bindparam("patients", expanding=True)),
        "status": table.c.status.in_(bindparam("status", expanding=True)),
        "state": table.c.state.in_(bindparam("state", expanding=True)),
        "priority": table.c.priority.in_(bindparam("priority", expanding=True)),
        "after": or_(
            table.c.created_at > bindparam("after_at"),
            (table.c.created_at == bindparam("after_at")) & (table.c.id > bindparam("after_id")),
        ),
    }
    if asked in conditions:
        return conditions[asked]
    _, prefix, number = asked.split(" ")
    column = table.c.updated_at
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
