"""The journal: one logical writer per log, and the only way anything changes or leaves.

Callers build units of work and wait. The writer thread takes what is waiting, opens one transaction, locks the log's
head, applies each unit in turn, writes their rows and entries in bulk, updates the tree, signs the checkpoint, commits
once, and only then answers (design.md section 8). So a record and its evidence are there together or not at all (P1),
conflicts are decided one after another (P2), and the cost of durability is shared.

A unit for whose answer nobody waits by itself, such as a row of a batch, is patient: it waits a moment for company.
A unit that fails leaves no trace (`batch`). Where the database itself refuses a batch, it is rolled back and every unit
applied again under a savepoint of its own, so that one bad unit fails alone. Once a commit was begun nothing is tried
again: the callers are told that nothing is sealed, and repeat under their idempotency key.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from audit import sql as log_sql
from audit.log import Head
from audit.note import Signer
from audit.receipt import Receipt
from gateway.errors import Busy, NotSealed
from gateway.logs import Line, say
from gateway.store.batch import Batch, Unit
from gateway.store.database import Database

T = TypeVar("T")

COMPANY = 32  # patient units that are committed at once: one flush to disk for them instead of eight
PATIENCE_SECONDS = 0.05  # of one that gets no such company: the end of a batch, or one that trickles in
STILL_SECONDS = 0.05  # without a caller who waits for an answer: while there is load, it is less between two of them


@dataclass(frozen=True, slots=True)
class Committed(Generic[T]):
    """A unit's result, and the receipts of the entries it sealed, in order."""

    value: T
    receipts: tuple[Receipt, ...]

    @property
    def receipt(self) -> Receipt:
        """The receipt of the first entry."""
        return self.receipts[0]


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

    def __init__(
        self,
        database: Database,
        log_id: str,
        signer: Signer,
        *,
        batch_max: int = 256,
        waiting_max: int = 4096,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        committed: Callable[[], None] = lambda: None,
    ) -> None:
        self.log_id = log_id
        self._database = database
        self._signer = signer
        self._batch_max = batch_max
        self._waiting_max = waiting_max
        self._clock = clock
        self._committed = committed  # called in the journal's thread after each commit; must be quick
        self._queue: deque[_Waiting[Any]] = deque()
        self._filled = threading.Condition()
        self._closing = False
        self._hurry = 0  # how many of those that wait are not patient
        self._asked_at = float("-inf")  # when somebody last came who waits for the answer
        self._thread = threading.Thread(target=self._run, name=f"journal-{log_id}", daemon=True)
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

    def give_way(self, most_seconds: float) -> None:
        """Wait while callers come who want an answer, so long at most: for a thread that works in the background."""
        until = time.monotonic() + most_seconds
        while not self._closing and (now := time.monotonic()) < min(until, self._asked_at + STILL_SECONDS):
            time.sleep(min(until, self._asked_at + STILL_SECONDS) - now)

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
            if not waiting.unit.patient:
                self._hurry += 1
                self._asked_at = time.monotonic()
            self._filled.notify()

    def _run(self) -> None:
        while True:
            with self._filled:
                while not self._queue and not self._closing:
                    self._filled.wait()
                if not self._queue:
                    return
                if not self._hurried():
                    self._filled.wait_for(self._hurried, PATIENCE_SECONDS)
                taken = [self._queue.popleft() for _ in range(min(len(self._queue), self._batch_max))]
                self._hurry -= sum(not one.unit.patient for one in taken)
            self._commit(taken)
            _settle(taken)
            self._committed()

    def _hurried(self) -> bool:
        """Whether what waits should go now: somebody waits for the answer, or it has company enough."""
        return self._closing or self._hurry > 0 or len(self._queue) >= COMPANY

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
                wall = self._wall()
                batch = Batch(connection, head, _never_back(wall, head), self.log_id, wall)
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
                batch.note_deliveries()
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

    def _wall(self) -> datetime:
        """What the clock says, in milliseconds."""
        now = self._clock()
        return now.replace(microsecond=now.microsecond // 1000 * 1000)


def _never_back(now: datetime, head: Head) -> datetime:
    """The time of a batch, which never runs backwards in a log, whichever process wrote to it last."""
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
        self._listeners: tuple[Callable[[], None], ...] = ()

    def listen(self, listener: Callable[[], None]) -> None:
        """Have something called after every commit of this process, in the journal's thread: it must be quick."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

    def _committed(self) -> None:
        for listener in self._listeners:
            listener()

    def of(self, log_id: str) -> Journal:
        """The journal of a log."""
        found = self._open.get(log_id)
        if found is not None:
            return found
        with self._lock:
            if log_id not in self._open:
                self._open[log_id] = Journal(
                    self._database, log_id, self._signer_of(log_id), committed=self._committed, **self._options
                )
            return self._open[log_id]

    @property
    def waiting(self) -> int:
        """How many units wait, over all logs."""
        return sum(journal.waiting for journal in self._open.values())

    def close(self) -> None:
        """Drain and stop all of them."""
        for journal in self._open.values():
            journal.close()
