"""A batch as it is kept: its begin and end, what became of each of its rows, and how that is found again.

A row's result is written in the transaction that makes the result true (`RowOf`), so that after a crash the rows say
what was accepted, no more and no less. A row holds codes, paths and the gateway's own references, and nobody's data.
The entries of a batch's begin and end hold its counts; those of its rows name the batch as their correlation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Generic, TypeVar

import orjson
from sqlalchemy import Connection, Row, bindparam, func, select, update

from audit.entry import Operation, Outcome, timestamp
from gateway.errors import Detail
from gateway.evidence import Caller, Event, act
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.taking.answer import REASONS, Answer, Taken

T = TypeVar("T")

BROKEN_AFTER = timedelta(minutes=10)  # a row takes milliseconds; no sender that is alive is silent for so long
PROBLEMS_MAX = 20  # of one row; the same document sent alone names them all
PATH_MAX = 200  # characters of one path; a document may name its members as it likes


class BatchState(StrEnum):
    """Where a batch stands."""

    OPEN = "open"
    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    """It broke off: what was accepted stays, and sending it again goes on without duplicates."""


UNREADABLE = "unreadable"
STATES = (*(one.value for one in Taken), UNREADABLE)
"""What can become of a row."""

BAD = (Taken.HELD.value, Taken.REFUSED.value, Taken.CONFLICT.value, Taken.STALE.value, UNREADABLE)
"""The rows a sender looks at: not taken in, or waiting for a human."""


@dataclass(frozen=True, slots=True)
class RowOf:
    """One row of a batch, to be written beside what becomes of it (`setting_aside.Beside`). `number` counts from 1."""

    batch_id: str
    number: int
    line: int | None

    def taken(self, unit: Unit[Answer]) -> Unit[Answer]:
        """The unit, and the row that says what it answered."""
        return _Rowed(unit, self._of_answer)

    def set_aside(self, unit: Unit[str | None], details: Sequence[Detail]) -> Unit[str | None]:
        """The unit, and the row that says what is wrong where."""
        problems = [(one.path[:PATH_MAX], one.code) for one in details[:PROBLEMS_MAX]]
        return _Rowed(unit, lambda reference: self._row(UNREADABLE, None, reference, problems))

    def _of_answer(self, answer: Answer) -> Mapping[str, Any]:
        hold = str(answer.held["reference"]) if answer.held else None
        code = REASONS.get(answer.taken, answer.reason)
        return self._row(answer.taken.value, answer.incident, hold, [("", code)] if code else [])

    def _row(
        self, state: str, incident: str | None, hold: str | None, problems: Sequence[tuple[str, str]]
    ) -> Mapping[str, Any]:
        return {
            "batch_id": self.batch_id,
            "number": self.number,
            "line": self.line,
            "state": state,
            "incident": incident,
            "hold": hold,
            "problems": orjson.dumps(problems).decode(),
        }


@dataclass(frozen=True, slots=True)
class _Rowed(Unit[T], Generic[T]):
    """A unit and, in the same transaction, the row that says what it answered."""

    patient = True  # nobody waits for one row of a batch

    unit: Unit[T]
    row: Callable[[T], Mapping[str, Any]]

    @property
    def claims(self) -> Sequence[bytes]:  # type: ignore[override]  # a value computed from the fields
        """The claims of the unit."""
        return self.unit.claims

    @property
    def referrals(self) -> Sequence[str]:
        """The referrals of the unit."""
        return self.unit.referrals

    def apply(self, batch: Batch) -> T:
        value = self.unit.apply(batch)
        batch.insert(tables.batch_row, {**self.row(value), "at": batch.at})
        return value


@dataclass(frozen=True, slots=True)
class BeginBatch(Unit[None]):
    """Note that a batch begins."""

    id: str
    caller: Caller
    media_type: str
    mapping: str

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        row = {
            "id": self.id,
            "log_id": batch.log_id,
            "organisation": self.caller.organisation,
            "client": self.caller.client,
            "media_type": self.media_type,
            "state": BatchState.OPEN.value,
            "began_at": batch.at,
        }
        batch.insert(tables.batch, row)
        batch.seal(
            act(
                Event.BATCH_BEGUN,
                Operation.COLLECTION,
                at=batch.at,
                caller=self.caller,
                mapping=self.mapping,
                detail={"batch": self.id},
            )
        )


@dataclass(frozen=True, slots=True)
class EndBatch(Unit[Mapping[str, int]]):
    """Note how a batch ended, with its counts, which it returns. `reason` says in a code why it is incomplete."""

    id: str
    caller: Caller
    reason: str | None = None

    def apply(self, batch: Batch) -> Mapping[str, int]:  # noqa: D102 - said by Unit.apply
        counts = batch.ask(lambda connection: counts_of(connection, self.id))
        _end(batch, self.id, counts, self.caller, self.reason)
        return counts


@dataclass(frozen=True, slots=True)
class EndBroken(Unit[int]):
    """Note as incomplete the batches whose sender, or whose process, has been silent for too long; returns how many."""

    most: int = 100

    def apply(self, batch: Batch) -> int:  # noqa: D102 - said by Unit.apply
        since = timestamp(batch.now - BROKEN_AFTER)
        asked = {"log": batch.log_id, "state": BatchState.OPEN.value, "since": since, "most": self.most}
        found: list[tuple[str, Mapping[str, int]]] = []
        for row in batch.read(_SILENT, asked):
            newest = batch.read(_NEWEST, {"batch": row.id})
            if not newest or newest[0].at < since:
                found.append((row.id, batch.ask(lambda connection, of=row.id: counts_of(connection, of))))  # type: ignore[misc]  # a default binds the id
        for id_, counts in found:
            _end(batch, id_, counts, None, "abandoned")
        return len(found)


def counts_of(connection: Connection, batch_id: str) -> Mapping[str, int]:
    """How many rows of a batch came out how; a state without any is not in it."""
    return {row.state: row.rows for row in connection.execute(_COUNTS, {"batch": batch_id})}


def find_batch(connection: Connection, log_id: str, organisation: str, batch_id: str) -> Row[Any] | None:
    """A batch of this organisation under this log; one of another is as good as none (P8)."""
    asked = {"log": log_id, "organisation": organisation, "id": batch_id}
    return connection.execute(_ONE, asked).one_or_none()


def find_batches(connection: Connection, log_id: str, organisation: str, most: int) -> Sequence[Row[Any]]:
    """The latest batches of an organisation, the newest first."""
    return connection.execute(_LATEST, {"log": log_id, "organisation": organisation, "most": most}).all()


def find_rows(
    connection: Connection, batch_id: str, after: int, most: int, states: Sequence[str] = STATES
) -> Sequence[Row[Any]]:
    """The rows of a batch that came out in one of these states, beyond a number, in their order."""
    asked = {"batch": batch_id, "after": after, "most": most, "states": list(states)}
    return connection.execute(_ROWS, asked).all()


def _end(batch: Batch, id_: str, counts: Mapping[str, int], caller: Caller | None, reason: str | None) -> None:
    state = BatchState.INCOMPLETE if reason else BatchState.COMPLETE
    batch.update(_END, {"of": id_, "to": state.value, "why": reason, "at": batch.at})
    batch.seal(
        act(
            Event.BATCH_ENDED,
            Operation.COLLECTION,
            at=batch.at,
            caller=caller,
            outcome=Outcome.FAILED if reason else Outcome.PERMITTED,
            reason=reason,
            detail={"batch": id_, **counts},
        )
    )


_b, _r = tables.batch, tables.batch_row
_END = (
    update(_b)
    .where(_b.c.id == bindparam("of"))
    .values(state=bindparam("to"), reason=bindparam("why"), ended_at=bindparam("at"))
)
_COUNTS = select(_r.c.state, func.count().label("rows")).where(_r.c.batch_id == bindparam("batch")).group_by(_r.c.state)
_NEWEST = select(_r.c.at).where(_r.c.batch_id == bindparam("batch")).order_by(_r.c.number.desc()).limit(1)
_own = (_b.c.log_id == bindparam("log")) & (_b.c.organisation == bindparam("organisation"))
_ONE = select(_b).where(_own, _b.c.id == bindparam("id"))
_LATEST = select(_b).where(_own).order_by(_b.c.began_at.desc(), _b.c.id.desc()).limit(bindparam("most"))
_ROWS = (
    select(_r)
    .where(
        _r.c.batch_id == bindparam("batch"),
        _r.c.number > bindparam("after"),
        _r.c.state.in_(bindparam("states", expanding=True)),
    )
    .order_by(_r.c.number)
    .limit(bindparam("most"))
)
_SILENT = (
    select(_b.c.id)
    .where(_b.c.log_id == bindparam("log"), _b.c.state == bindparam("state"), _b.c.began_at < bindparam("since"))
    .order_by(_b.c.began_at, _b.c.id)
    .limit(bindparam("most"))
)
