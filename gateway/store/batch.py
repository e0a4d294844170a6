"""Units of work, and the batch they write through: what the journal applies in one transaction.

A unit reads what it relies on through the batch, writes rows and seals entries through it, and stays whole: its rows
are buffered, so taking it back is cutting the buffers, and its savepoint costs nothing. A unit may run twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from itertools import groupby
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Table, bindparam, select, update

from audit import sql as log_sql
from audit.bulk import insert_rows
from audit.entry import Entry, timestamp
from audit.log import Growth, Head
from audit.note import Signer
from audit.receipt import Receipt
from gateway.store import tables, waiting_deliveries

T = TypeVar("T")


class DecideAgain(Exception):
    """What a decision was made on changed before it was sealed: the journey decides again. Nobody outside sees it."""


class Unit(Generic[T]):
    """One piece of work that happens whole or not at all, with its entries.

    `claims` are keys whose owners it must know before it writes, `referrals` those it relies on: both are read for the
    whole batch at once. `patient` says that it may wait a moment to be committed with others. `apply` writes through
    the batch; what it raises is the caller's answer, and nothing stays.
    """

    claims: Sequence[bytes] = ()  # set by those who know them when they are made
    patient: bool = False

    @property
    def referrals(self) -> Sequence[str]:
        """The referrals it relies on."""
        return ()

    def apply(self, batch: Batch) -> T:
        """Do the work. May run twice, and must not touch anything but the batch."""
        raise TypeError(f"{type(self).__name__} does nothing with {batch}")


@dataclass(frozen=True, slots=True)
class ReferralHead:
    """What a unit may rely on of a referral."""

    version: int
    status: str
    state: str
    record_id: str


class Batch:
    """What units see while they are applied: the time, the claims, and buffers to write to."""

    def __init__(self, connection: Connection, head: Head, log_time: datetime, log_id: str, now: datetime) -> None:
        self._connection = connection
        self.log_id = log_id
        self.now = now
        """What this machine's clock says: decisions are made by it, and whatever runs out."""
        self.clock = timestamp(now)
        """The same as rows have it: what is due is compared with this."""
        self.at = timestamp(log_time)
        """When the log says that this happens: never before what it holds, where a clock once ran ahead of `now`."""
        self._log_time = log_time
        self.terms_epoch = head.terms_epoch
        self._growth = Growth(head)
        self._rows: list[tuple[Table, Mapping[str, Any]]] = []
        self._updates: list[tuple[Any, Mapping[str, Any]]] = []
        self._claims: dict[bytes, bytes] = {}
        self._referrals: dict[str, ReferralHead] = {}
        self._undo: list[Callable[[], object]] = []
        self._moved: list[str] = []  # referrals that were made or changed
        self._kept = (0, 0)  # how many buffered rows and updates are of the units before the one being applied

    def owner(self, key: bytes) -> bytes | None:
        """What a claimed key was claimed with; None where nobody has it."""
        return self._claims.get(key)

    def claim(self, key: bytes, value: bytes, expires_at: str | None = None) -> None:
        """Claim a key for good, or until a time."""
        if key in self._claims:
            raise ValueError("a key is claimed once")
        self._claims[key] = value
        self._undo.append(partial(self._claims.pop, key))
        self.insert(tables.claim, {"log_id": self.log_id, "key": key, "value": value, "expires_at": expires_at})

    def reclaim(self, key: bytes, value: bytes) -> None:
        """Replace what a key was claimed with."""
        self._undo.append(partial(self._claims.__setitem__, key, self._claims[key]))
        self._claims[key] = value
        of = (tables.claim.c.log_id == self.log_id) & (tables.claim.c.key == bindparam("of"))
        self.update(update(tables.claim).where(of).values(value=bindparam("to")), {"of": key, "to": value})

    def referral(self, referral_id: str) -> ReferralHead | None:
        """The referral's current head, as far as `Unit.referrals` named it."""
        return self._referrals.get(referral_id)

    def same_referral(self, referral_id: str, version: int) -> ReferralHead:
        """The referral's head, which is at this version still. Raises DecideAgain where it is not."""
        head = self._referrals.get(referral_id)
        if head is None or head.version != version:
            raise DecideAgain("the referral changed")
        return head

    def change_referral(self, referral_id: str, head: ReferralHead, values: Mapping[str, Any]) -> None:
        """Write the next version of a referral: `values` are the columns beside those of `head`."""
        before = self._referrals.get(referral_id)  # None where no unit of the batch named it in `referrals`
        restore, forget = self._referrals.__setitem__, self._referrals.pop
        self._undo.append(partial(forget, referral_id) if before is None else partial(restore, referral_id, before))
        self._referrals[referral_id] = head
        self._moved.append(referral_id)
        row = {
            "version": head.version,
            "status": head.status,
            "state": head.state,
            "record_id": head.record_id,
            "updated_at": self.at,
            **values,
        }
        self.update(_change_of(tuple(row)), {"of": referral_id, **{f"new_{name}": new for name, new in row.items()}})

    def insert(self, table: Table, row: Mapping[str, Any]) -> None:
        """Buffer a new row; every row of one table has the same columns."""
        self._rows.append((table, row))
        if table is tables.referral:
            self._moved.append(row["id"])

    def read(self, statement: Any, parameters: Mapping[str, Any]) -> Sequence[Any]:  # noqa: ANN401 - any Core query
        """Read rows as they stand after the units before this one. Raises TypeError once the unit has written."""
        return self.ask(lambda connection: connection.execute(statement, parameters).all())

    def ask(self, question: Callable[[Connection], T]) -> T:
        """Ask a question of what stands after the units before this one. Raises TypeError once the unit has written."""
        if (len(self._rows), len(self._updates)) != self._kept:
            raise TypeError("a unit reads before it writes: what it flushed could not be taken back")
        self.flush()
        return question(self._connection)

    def update(self, statement: Any, parameters: Mapping[str, Any]) -> None:  # noqa: ANN401 - any Core statement
        """Buffer a change; changes run after all insertions, in order."""
        self._updates.append((statement, parameters))

    def change_terms(self) -> None:
        """Count a change of the agreement's standing, so that decisions made before it are made again."""
        self.terms_epoch += 1

    def seal(self, entry: Entry) -> int:
        """Append an entry to the log; its index is final once the batch commits."""
        return self._growth.append(entry.to_bytes())

    @property
    def pending(self) -> Sequence[bytes]:
        """The entries of this batch so far, which no query finds yet."""
        return self._growth.entries

    # What follows is for the journal alone.

    def read_ahead(self, units: Sequence[Unit[Any]]) -> None:
        """Read what the units rely on, for all of them at once."""
        keys = list({key for unit in units for key in unit.claims})
        if keys:
            found = self._connection.execute(_CLAIMS, {"log": self.log_id, "keys": keys})
            self._claims.update((key, value) for key, value in found)
        ids = list({one for unit in units for one in unit.referrals})
        if ids:
            for row in self._connection.execute(_REFERRALS, {"log": self.log_id, "ids": ids}):
                self._referrals[row.id] = ReferralHead(row.version, row.status, row.state, row.record_id)

    def attempt(self, unit: Unit[T], *, apart: bool) -> tuple[T, range]:
        """Apply a unit, and apart write it under a savepoint; where it raises, leave no trace of it and raise."""
        self._kept = len(self._rows), len(self._updates)
        entries, epoch, moved = len(self._growth), self.terms_epoch, len(self._moved)
        self._undo.clear()
        try:
            if apart:
                with self._connection.begin_nested():
                    value = unit.apply(self)
                    self.flush()
            else:
                value = unit.apply(self)
        except BaseException:
            rows, updates = self._kept
            del self._rows[rows:], self._updates[updates:]
            self._growth.truncate(entries)
            self.terms_epoch = epoch
            del self._moved[moved:]
            for undo in reversed(self._undo):
                undo()
            raise
        return value, range(entries, len(self._growth))

    def flush(self) -> None:
        """Write the buffered rows, one statement per table, then the changes."""
        self._rows.sort(key=_table_order)
        for table, rows in groupby(self._rows, key=_table_of):
            names = _columns(table)
            insert_rows(self._connection, table, [tuple(map(row.get, names)) for _, row in rows])
        for statement, parameters in self._updates:
            self._connection.execute(statement, parameters)
        self._rows.clear()
        self._updates.clear()
        self._kept = (0, 0)

    def note_deliveries(self) -> None:
        """Have what was made or changed delivered to the systems that take their team's referrals."""
        if self._moved:
            waiting_deliveries.note(self._connection, self.log_id, self._moved, self.at)

    def seal_growth(self, signer: Signer) -> list[Receipt]:
        """Write the entries, the tree and the signed checkpoint."""
        if not len(self._growth):
            return []
        sealed = self._growth.seal(signer)
        log_sql.append(self._connection, self.log_id, sealed, self._log_time)
        return sealed.receipts()


@cache
def _columns(table: Table) -> tuple[str, ...]:
    """The columns of a table; one that a row does not name is NULL, for these tables have no defaults."""
    return tuple(column.name for column in table.columns)


def _table_of(row: tuple[Table, Mapping[str, Any]]) -> Table:
    return row[0]


_ORDER: Mapping[str, int] = {table.name: number for number, table in enumerate(tables.metadata.sorted_tables)}


@cache
def _change_of(names: tuple[str, ...]) -> Any:  # noqa: ANN401 - a Core statement
    """The change of a referral's columns, made once: making it anew costs more than running it."""
    new: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
    return update(tables.referral).where(tables.referral.c.id == bindparam("of")).values(new)


def _table_order(row: tuple[Table, Mapping[str, Any]]) -> int:
    return _ORDER[row[0].name]


_CLAIMS = select(tables.claim.c.key, tables.claim.c.value).where(
    tables.claim.c.log_id == bindparam("log"), tables.claim.c.key.in_(bindparam("keys", expanding=True))
)
_REFERRALS = select(
    tables.referral.c.id,
    tables.referral.c.version,
    tables.referral.c.status,
    tables.referral.c.state,
    tables.referral.c.record_id,
).where(
    tables.referral.c.id.in_(bindparam("ids", expanding=True)),
    tables.referral.c.log_id.concat("") == bindparam("log"),  # no column: SQLite would read a log whole, not by ids
)
