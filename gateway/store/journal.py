"""The journal: one logical writer per log, and the only way anything changes or leaves.

Callers build units of work and wait. The writer thread takes what is waiting, opens one transaction, locks the log's
head, applies each unit in turn, writes their rows and entries in bulk, updates the tree, signs the checkpoint, commits
once, and only then answers (design.md section 8). So a record and its evidence are there together or not at all (P1),
conflicts are decided one after another (P2), and the cost of durability is shared.

A unit's rows are buffered, so taking it back is cutting the buffers: its savepoint costs nothing. Where the database
itself refuses a batch, the batch is rolled back and every unit applied again under a savepoint of its own, so that one
bad unit fails alone. A unit must therefore be able to run twice. Once a commit was begun nothing is tried again: the
callers are told that nothing is sealed, and repeat under their idempotency key.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from itertools import groupby
from typing import Any, ClassVar, Generic, TypeVar

from sqlalchemy import Connection, Table, bindparam, select, update
from sqlalchemy.exc import SQLAlchemyError

from audit import sql as log_sql
from audit.bulk import insert_rows
from audit.entry import Entry, timestamp
from audit.log import Growth, Head
from audit.note import Signer
from audit.receipt import Receipt
from gateway.errors import Busy, NotSealed
from gateway.logs import Line, say
from gateway.store import tables
from gateway.store.database import Database

T = TypeVar("T")


class DecideAgain(Exception):
    """What a decision was made on changed before it was sealed: the journey decides again. Nobody outside sees it."""


class Unit(Generic[T]):
    """One piece of work that happens whole or not at all, with its entries.

    `claims` are keys whose owners it must know before it writes, `referrals` those it relies on: both are read for the
    whole batch at once. `apply` writes through the batch; what it raises is the caller's answer, and nothing stays.
    """

    claims: Sequence[bytes] = ()
    referrals: Sequence[str] = ()

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


@dataclass(frozen=True, slots=True)
class Committed(Generic[T]):
    """A unit's result, and the receipts of the entries it sealed, in order."""

    value: T
    receipts: tuple[Receipt, ...]

    @property
    def receipt(self) -> Receipt:
        """The receipt of the first entry."""
        return self.receipts[0]


class Batch:
    """What units see while they are applied: the time, the claims, and buffers to write to."""

    def __init__(self, connection: Connection, head: Head, now: datetime, log_id: str) -> None:
        self._connection = connection
        self.log_id = log_id
        self.now = now
        self.at = timestamp(now)
        self.terms_epoch = head.terms_epoch
        self._growth = Growth(head)
        self._rows: list[tuple[Table, Mapping[str, Any]]] = []
        self._updates: list[tuple[Any, Mapping[str, Any]]] = []
        self._claims: dict[bytes, bytes] = {}
        self._referrals: dict[str, ReferralHead] = {}
        self._undo: list[Callable[[], object]] = []
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

    def change_referral(self, referral_id: str, head: ReferralHead, values: Mapping[str, Any]) -> None:
        """Write the next version of a referral: `values` are the columns beside those of `head`."""
        before = self._referrals.get(referral_id)  # None where no unit of the batch named it in `referrals`
        restore, forget = self._referrals.__setitem__, self._referrals.pop
        self._undo.append(partial(forget, referral_id) if before is None else partial(restore, referral_id, before))
        self._referrals[referral_id] = head
        row = {
            "version": head.version,
            "status": head.status,
            "state": head.state,
            "record_id": head.record_id,
            "updated_at": self.at,
            **values,
        }
        self.update(
            update(tables.referral).where(tables.referral.c.id == bindparam("of")).values(row), {"of": referral_id}
        )

    def insert(self, table: Table, row: Mapping[str, Any]) -> None:
        """Buffer a new row; every row of one table has the same columns."""
        self._rows.append((table, row))

    def read(self, statement: Any, parameters: Mapping[str, Any]) -> Sequence[Any]:  # noqa: ANN401 - any Core query
        """Read rows as they stand after the units before this one. Raises TypeError once the unit has written."""
        if (len(self._rows), len(self._updates)) != self._kept:
            raise TypeError("a unit reads before it writes: what it flushed could not be taken back")
        self.flush()
        return self._connection.execute(statement, parameters).all()

    def update(self, statement: Any, parameters: Mapping[str, Any]) -> None:  # noqa: ANN401 - any Core statement
        """Buffer a change; changes run after all insertions, in order."""
        self._updates.append((statement, parameters))

    def change_terms(self) -> None:
        """Count a change of the agreement's standing, so that decisions made before it are made again."""
        self.terms_epoch += 1

    def seal(self, entry: Entry) -> int:
        """Append an entry to the log; its index is final once the batch commits."""
        return self._growth.append(entry.to_bytes())

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
        entries, epoch = len(self._growth), self.terms_epoch
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

    def seal_growth(self, signer: Signer) -> list[Receipt]:
        """Write the entries, the tree and the signed checkpoint."""
        if not len(self._growth):
            return []
        sealed = self._growth.seal(signer)
        log_sql.append(self._connection, self.log_id, sealed, self.now)
        return sealed.receipts()


@cache
def _columns(table: Table) -> tuple[str, ...]:
    """The columns of a table; one that a row does not name is NULL, for these tables have no defaults."""
    return tuple(column.name for column in table.columns)


def _table_of(row: tuple[Table, Mapping[str, Any]]) -> Table:
    return row[0]


_ORDER: Mapping[str, int] = {table.name: number for number, table in enumerate(tables.metadata.sorted_tables)}


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
).where(tables.referral.c.log_id == bindparam("log"), tables.referral.c.id.in_(bindparam("ids", expanding=True)))


class _Waiting(Generic[T]):
    """A unit, and how to tell its caller."""

    __slots__ = ("answer", "error", "loop", "promise", "unit")

    def __init__(self, unit: Unit[T], promise: Any, loop: asyncio.AbstractEventLoop | None) -> None:  # noqa: ANN401 - asyncio's future or a thread's
        self.unit = unit
        self.promise = promise
        self.loop = loop
        self.answer: Committed[T] | None = None
        self.error: BaseException | None = None

    def settle(self) -> None:
        """Tell the caller, unless it has gone: its unit stands all the same."""
        if self.promise.done():
            return
        if self.error is not None:
            self.promise.set_exception(self.error)
        else:
            self.promise.set_result(self.answer)


class Journal:
    """The writer of one log. `close` drains what is waiting."""

    _names: ClassVar[str] = "journal"

    def __init__(
        self,
        database: Database,
        log_id: str,
        signer: Signer,
        *,
        batch_max: int = 256,
        waiting_max: int = 4096,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.log_id = log_id
        self._database = database
        self._signer = signer
        self._batch_max = batch_max
        self._waiting_max = waiting_max
        self._clock = clock
        self._queue: deque[_Waiting[Any]] = deque()
        self._filled = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"{self._names}-{log_id}", daemon=True)
        self._thread.start()

    async def submit(self, unit: Unit[T]) -> Committed[T]:
        """Wait until the unit is committed. Raises what the unit raises, Busy, or NotSealed."""
        loop = asyncio.get_running_loop()
        promise: asyncio.Future[Committed[T]] = loop.create_future()
        self._put(_Waiting(unit, promise, loop))
        return await promise

    def submit_and_wait(self, unit: Unit[T]) -> Committed[T]:
        """The same from a thread that is no event loop's."""
        promise: Future[Committed[T]] = Future()
        self._put(_Waiting(unit, promise, None))
        return promise.result()

    def close(self) -> None:
        """Commit what is waiting and stop."""
        with self._filled:
            self._closing = True
            self._filled.notify()
        self._thread.join()

    @property
    def waiting(self) -> int:
        """How many units wait for a commit."""
        return len(self._queue)

    def _put(self, waiting: _Waiting[Any]) -> None:
        with self._filled:
            if self._closing:
                raise NotSealed("the gateway is stopping")
            if len(self._queue) >= self._waiting_max:
                raise Busy("too many units wait for a commit", headers={"Retry-After": "1"})
            self._queue.append(waiting)
            self._filled.notify()

    def _run(self) -> None:
        while True:
            with self._filled:
                while not self._queue and not self._closing:
                    self._filled.wait()
                if not self._queue:
                    return
                taken = [self._queue.popleft() for _ in range(min(len(self._queue), self._batch_max))]
            self._commit(taken)
            _settle(taken)

    def _commit(self, waiting: list[_Waiting[Any]]) -> None:
        try:
            if not self._transact(waiting, apart=False):
                self._transact(waiting, apart=True)
        except Exception as error:  # noqa: BLE001 - whatever went wrong, nothing of this batch may be released
            say(Line.BATCH_LOST, log=self.log_id, units=len(waiting), error=type(error).__name__)
            for one in waiting:
                one.answer = None
                one.error = _not_sealed(error)

    def _transact(self, waiting: list[_Waiting[Any]], *, apart: bool) -> bool:
        """One transaction over the units; False where the database refused them before the commit began."""
        committing = False
        try:
            with self._database.writing() as connection:
                head = log_sql.lock_head(connection, self.log_id)
                batch = Batch(connection, head, self._now(head), self.log_id)
                batch.read_ahead([one.unit for one in waiting])
                epoch = batch.terms_epoch
                done: list[tuple[_Waiting[Any], Any, range]] = []
                for one in waiting:
                    one.answer = one.error = None
                    try:
                        value, entries = batch.attempt(one.unit, apart=apart)
                    except SQLAlchemyError as error:
                        if not apart:
                            raise
                        one.error = _not_sealed(error)
                    except Exception as error:  # noqa: BLE001 - a unit's failure is its caller's answer
                        one.error = error
                    else:
                        done.append((one, value, entries))
                batch.flush()
                receipts = batch.seal_growth(self._signer)
                for _ in range(batch.terms_epoch - epoch):
                    log_sql.bump_terms(connection, self.log_id)
                committing = True
        except SQLAlchemyError as error:
            if committing or apart:
                raise
            say(Line.BATCH_REFUSED, log=self.log_id, units=len(waiting), error=type(error).__name__)
            return False
        for one, value, entries in done:
            one.answer = Committed(value, tuple(receipts[entries.start : entries.stop]))
        return True

    def _now(self, head: Head) -> datetime:
        """The time, which never runs backwards in a log, whichever process wrote to it last."""
        now = self._clock()
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)
        return max(now, head.updated_at) if head.updated_at else now


def _not_sealed(error: BaseException) -> NotSealed:
    failure = NotSealed("the evidence could not be sealed; nothing is released", headers={"Retry-After": "1"})
    failure.__cause__ = error
    return failure


def _settle(waiting: list[_Waiting[Any]]) -> None:
    """Tell every caller, waking each event loop once."""
    by_loop: dict[asyncio.AbstractEventLoop | None, list[_Waiting[Any]]] = {}
    for one in waiting:
        by_loop.setdefault(one.loop, []).append(one)
    for loop, group in by_loop.items():
        if loop is None:
            _settle_all(group)
            continue
        try:
            loop.call_soon_threadsafe(_settle_all, group)
        except RuntimeError:  # the loop has closed: its callers are gone, their units stand
            continue


def _settle_all(group: list[_Waiting[Any]]) -> None:
    for one in group:
        one.settle()


class Journals:
    """The journals of one process, each opened when its log is first written."""

    def __init__(self, database: Database, signer_of: Callable[[str], Signer], **options: Any) -> None:  # noqa: ANN401 - passed to Journal
        self._database = database
        self._signer_of = signer_of
        self._options = options
        self._open: dict[str, Journal] = {}
        self._lock = threading.Lock()

    def of(self, log_id: str) -> Journal:
        """The journal of a log."""
        found = self._open.get(log_id)
        if found is not None:
            return found
        with self._lock:
            if log_id not in self._open:
                self._open[log_id] = Journal(self._database, log_id, self._signer_of(log_id), **self._options)
            return self._open[log_id]

    @property
    def waiting(self) -> int:
        """How many units wait, over all logs."""
        return sum(journal.waiting for journal in self._open.values())

    def close(self) -> None:
        """Drain and stop all of them."""
        for journal in self._open.values():
            journal.close()
