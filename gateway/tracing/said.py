"""What a case says of its children's NHS numbers: where each one's trace stands, to a team that may have the number.

To any other team there is nothing, as to one whose record names no child. Codes alone; a number stands in the record.

Source: domain.md sections 2.3, 4.4 (children; NHS number).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from gateway.store import tables
from gateway.terms import Standing
from gateway.tracing.children import may_know


def children_traced(
    connection: Connection, referral: Row[Any], standing: Standing, now: datetime
) -> Mapping[str, Row[Any]]:
    """The traces of a referral's children in the version it stands at, by the child's reference in the record."""
    if not may_know(referral, standing, now):
        return {}
    asked = {
        "log": referral.log_id,
        "event": referral.event_id,
        "victim": referral.victim,
        "record": referral.record_id,
    }
    return {row.child: row for row in connection.execute(_OF_CHILDREN, asked)}


_t = tables.trace
_OF_CHILDREN: Any = select(_t.c.id, _t.c.child, _t.c.state, _t.c.due_at, _t.c.decided_at).where(
    _t.c.log_id == bindparam("log"),
    _t.c.event_id == bindparam("event"),
    _t.c.victim == bindparam("victim"),
    _t.c.record_id == bindparam("record"),
    _t.c.child != "",
)
