"""Holds the gateway to account: what the clients saw against what it keeps, says and has sealed.

`look` is quick, and is taken after every fault, also of what a crash would have left; `settle` is the whole account at
the end of a trial.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

import httpx
import orjson
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DatabaseError, OperationalError
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from audit import sql as log_sql
from audit.checkpoint import Checkpoint
from audit.encoding import hash_from_base64
from audit.errors import AuditError
from audit.note import Verifier
from audit.tree import append, leaf_hash, root
from audit.verify import verify
from gateway import keys
from gateway.demo.run import LOG
from gateway.errors import Unreachable
from gateway.evidence import Event
from gateway.settings import Settings
from gateway.store import tables
from gateway.store.database import Database
from gateway.store.records import Records
from tests.faults.ledger import Ledger
from tests.faults.load import PUSHERS
from tests.support.postgres import READY_SECONDS


@dataclass
class Account:
    """What was found. `misses` are promises that did not hold, in words; `looks` is how often the log verified.

    Of the deliveries that were found, `with_human` were given up and lie with their team.
    """

    accepted: int = 0
    found_once: int = 0
    duplicates: int = 0
    receipts: int = 0
    entries_found: int = 0
    looks: int = 0
    with_human: int = 0
    pack_verified: bool = False
    misses: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether every promise held."""
        counts = self.found_once == self.accepted and not self.duplicates and self.entries_found == self.receipts
        return counts and self.pack_verified and not self.misses


@dataclass(frozen=True)
class Sealed:
    """What an entry says of the answer it belongs to."""

    index: int
    request: str | None
    case: str | None


@dataclass(frozen=True)
class Found:
    """What is wrong with a database, in words, and how many of the receipts given out have their entry in it."""

    misses: tuple[str, ...]
    entries_found: int


def look(database: Database, ledger: Ledger, verifier: Verifier) -> Found:
    """Whether the log verifies, and everything that was answered is in it and in the tables.

    A server that was killed, or whose backend was, reads its write-ahead log first, and is asked until it answers.
    """
    try:
        return _ANSWERS(_looked, database, ledger, verifier)
    except (Unreachable, DatabaseError, AuditError) as error:
        return Found((f"the log cannot be read: {type(error).__name__}: {error.__cause__ or error}",), 0)


def _looked(database: Database, ledger: Ledger, verifier: Verifier) -> Found:
    with database.reading() as connection:
        connection.exec_driver_sql("BEGIN" if database.is_sqlite else _SNAPSHOT)  # the load may go on meanwhile
        log = _Log(connection, verifier)
        misses = [*log.misses(), *log.misses_of(ledger), *_missing_rows(connection, ledger)]
        found = Found(tuple(misses), log.entries_found(ledger))
        connection.exec_driver_sql("COMMIT")
        return found


_ANSWERS = Retrying(
    retry=retry_if_exception_type((Unreachable, OperationalError)),
    stop=stop_after_delay(READY_SECONDS),
    wait=wait_fixed(0.1),
    reraise=True,
)
_STANDING = frozenset({Event.AGREEMENT_SUSPENDED, Event.AGREEMENT_ACTIVATED, Event.AGREEMENT_RESUMED})
_LEAVING = ("released", "generalised")
_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class _Log:
    """The log as it lies in a database."""

    def __init__(self, connection: Connection, verifier: Verifier) -> None:
        self._key = verifier.text
        self._head = log_sql.read_head(connection, LOG)
        table = log_sql.log_entry
        self._count = connection.execute(select(func.count()).where(table.c.log_id == LOG)).scalar_one()
        self._stored = list(log_sql.leaves(connection, LOG, 0, self._head.size))
        self._said = [orjson.loads(one.body) for one in self._stored]
        self._roots = list(_roots(self._stored))

    def misses(self) -> Iterator[str]:
        """What is wrong with the log itself."""
        if self._count != self._head.size:
            yield f"the head says {self._head.size} entries, and there are {self._count}"
        head = _opened(self._head.checkpoint, self._key)
        if (head.size, head.root) != (self._head.size, self._roots[-1]):
            yield "the signed head is not the head of these entries"
        yield from (
            f"entry {at} is not what its hash says"
            for at, one in enumerate(self._stored)
            if leaf_hash(one.body) != one.leaf_hash
        )
        yield from self._released_while_suspended()
        times = [said["time"] for said in self._said]
        yield from (f"time runs backwards at entry {at + 1}" for at, (a, b) in enumerate(pairwise(times)) if b < a)

    def _released_while_suspended(self) -> Iterator[str]:
        """In the order of the log, whichever process wrote it."""
        suspended = False
        for at, said in enumerate(self._said):
            if said["event"] in _STANDING:
                suspended = said["event"] == Event.AGREEMENT_SUSPENDED
            elif suspended and said["operation"] == "disclosure" and any(said["items"][one] for one in _LEAVING):
                yield f"entry {at} releases under a suspended agreement"

    def misses_of(self, ledger: Ledger) -> Iterator[str]:
        """Receipts that this log does not bear out."""
        for push in list(ledger.pushed.values()):
            given = push.receipt
            checkpoint = _opened(given["checkpoint"], self._key)
            if checkpoint.size > len(self._stored):
                yield f"the log was receipted at size {checkpoint.size} and has {len(self._stored)} entries"
                continue
            if self._stored[given["index"]].leaf_hash != hash_from_base64(given["leaf_hash"]):
                yield f"entry {given['index']} is not the one that was receipted"
            if self._roots[checkpoint.size] != checkpoint.root:
                yield f"the checkpoint of size {checkpoint.size} is of another history"
        if (without := len(ledger.answered) - self.entries_found(ledger)) > 0:
            yield f"{without} answers with a receipt have no entry"

    def entries_found(self, ledger: Ledger) -> int:
        """How many answers have their entry, which names that very request and every referral it showed."""
        by_request: dict[str | None, list[Sealed]] = {}
        for at, said in enumerate(self._said):
            by_request.setdefault(said["request"], []).append(Sealed(at, said["request"], said["case"]))
        found = 0
        for answer in list(ledger.answered):
            sealed = by_request.get(answer.request, [])
            found += answer.index in {one.index for one in sealed} and {one.case for one in sealed} >= set(
                answer.referrals
            )
        return found


@lru_cache(maxsize=4096)
def _opened(text: str, key: str) -> Checkpoint:
    """A signed checkpoint; a receipt's is looked at again after every fault."""
    return Checkpoint.open(text, Verifier.from_text(key))


def _roots(stored: list[log_sql.Stored]) -> Iterator[bytes]:
    """The root of the tree at every size."""
    compact: list[bytes] = []
    yield root(compact)
    for one in stored:
        append(compact, one.idx, one.leaf_hash)
        yield root(compact)


def _missing_rows(connection: Connection, ledger: Ledger) -> Iterator[str]:
    """What was accepted or confirmed and is not there."""
    incidents = set(connection.execute(select(tables.record.c.id)).scalars())
    versions = {
        one.id: one.version for one in connection.execute(select(tables.referral.c.id, tables.referral.c.version))
    }
    for push in list(ledger.pushed.values()):
        if push.incident not in incidents or not versions.keys() >= set(push.referrals):
            yield f"push {push.serial} was accepted and is lost"
    for id_, version in list(ledger.changed.items()):
        if versions.get(id_, 0) < version:
            yield f"a confirmed change of referral {id_} is lost"


async def settle(
    settings: Settings,
    ledger: Ledger,
    push: Callable[[int], Awaitable[httpx.Response]],
    pinned: str,
    pack: bytes,
) -> Account:
    """Check everything; the gateway is running and nobody else asks it anything."""
    account = Account(accepted=len(ledger.pushed), receipts=len(ledger.answered), misses=list(ledger.surprises))
    first = next(iter(ledger.pushed.values()))
    report = verify(io.BytesIO(pack), pinned_key=pinned, earlier=first.receipt["checkpoint"])
    account.pack_verified = report.verified
    database = Database(settings.database)
    try:
        found = look(database, ledger, Verifier.from_text(pinned))
        account.misses += found.misses
        account.entries_found = found.entries_found
        account.looks += not found.misses
        _check_once(settings, database, ledger, account)
    finally:
        database.close()
    await _push_again(push, ledger, account)
    return account


def _check_once(settings: Settings, database: Database, ledger: Ledger, account: Account) -> None:
    """Every push that was accepted is one record and one set of referrals, found by the sender's own reference."""
    records = Records(keys.load(settings.keys, settings.environment.value))
    with database.reading() as connection:
        for push in ledger.pushed.values():
            subjects = records.find_subjects(connection, LOG, "occurrence", push.occurrence)
            found = {subject.partition(".")[0] for subject in subjects}
            query = select(tables.referral.c.id).where(tables.referral.c.event_id.in_(found))
            referrals = set(connection.execute(query).scalars())
            once = found == {push.incident} and referrals == set(push.referrals)
            account.found_once += once and push.incident in records.load(connection, [push.incident])
            account.duplicates += max(0, len(found) - 1)


async def _push_again(push: Callable[[int], Awaitable[httpx.Response]], ledger: Ledger, account: Account) -> None:
    """The same push under the same key is known, and is answered with the same references."""
    left = iter(list(ledger.pushed.values()))

    async def again() -> None:
        for known in left:
            answer = await push(known.serial)
            if answer.status_code != httpx.codes.OK or answer.json()["state"] != "known":
                account.misses.append(f"push {known.serial} again was answered {answer.status_code}")

    before = len(ledger.surprises)
    await asyncio.gather(*(again() for _ in range(PUSHERS)))
    account.misses += ledger.surprises[before:]
