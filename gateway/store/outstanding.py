"""What waits for somebody, with a clock: found in the order it is due, and said once to be late.

A table of such things has a column that is empty while one waits, a column of when it is due, and `overdue_at`.

Source: domain.md section 4.5 (N11: nothing ends in silence).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Table, bindparam, select, update

from gateway.store.batch import Batch


class Outstanding:
    """The rows of a table that wait: `until` names the column that is empty while they do, `due` their clock."""

    def __init__(self, table: Table, until: str, due: str = "due_at") -> None:
        c = table.c
        self._open = (
            select(*(column for column in c if column.name != "content"))  # words, encrypted, which no list shows
            .where(c.log_id == bindparam("log"), c[until].is_(None))
            .order_by(c[due], c.id)
            .limit(bindparam("most"))
        )
        self._late = self._open.where(c[due] < bindparam("now"), c.overdue_at.is_(None))
        self._mark = update(table).where(c.id == bindparam("of")).values(overdue_at=bindparam("now"))

    def find(self, connection: Connection, log_id: str, most: int = 500) -> Sequence[Row[Any]]:
        """What waits, the one due first at the top."""
        return connection.execute(self._open, {"log": log_id, "most": most}).all()

    def become_late(self, batch: Batch, most: int) -> Sequence[Row[Any]]:
        """What is late and has not been said to be, as it was; from now on it has. The unit seals each."""
        rows = batch.read(self._late, {"log": batch.log_id, "now": batch.clock, "most": most})
        for row in rows:
            batch.update(self._mark, {"of": row.id, "now": batch.at})
        return rows
