"""Holds the gateway to account after a trial: what the clients saw against what it keeps, says and has sealed."""

from __future__ import annotations

import asyncio
import io
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from audit import sql as log_sql
from audit.checkpoint import Checkpoint
from audit.encoding import hash_from_base64
from audit.note import Verifier
from audit.tree import append, root
from audit.verify import verify
from gateway import keys
from gateway.demo.run import LOG
from gateway.settings import Settings
from gateway.store import tables
from gateway.store.database import Database
from gateway.store.records import Records
from tests.faults.ledger import Ledger, Pushed
from tests.faults.load import Load


@dataclass
class Account:
    """What was found. `misses` are promises that did not hold, in words."""

    accepted: int = 0
    found_once: int = 0
    duplicates: int = 0
    receipts: int = 0
    entries_found: int = 0
    pack_verified: bool = False
    misses: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether every promise held."""
        counts = self.found_once == self.accepted and not self.duplicates and self.entries_found == self.receipts
        return counts and self.pack_verified and not self.misses


async def settle(settings: Settings, ledger: Ledger, load: Load, pinned: str, pack: bytes) -> Account:
    """Check everything; the gateway is running and nobody else asks it anything."""
    receipts = list(ledger.answered)
    account = Account(accepted=len(ledger.pushed), receipts=len(receipts), misses=list(ledger.surprises))
    first = next(iter(ledger.pushed.values()))
    report = verify(io.BytesIO(pack), pinned_key=pinned, earlier=first.receipt["checkpoint"])
    account.pack_verified = report.verified
    database = Database(settings.database)
    try:
        stored = _log(database, account)
        _check_receipts(stored, ledger, Verifier.from_text(pinned), account)
        _check_once(settings, database, ledger, account)
        _check_changes(database, ledger, account)
    finally:
        database.close()
    await _push_again(load, ledger, account)
    return account


def _log(database: Database, account: Account) -> list[log_sql.Stored]:
    """The log's entries; the head must count them, no more and no less."""
    with database.reading() as connection:
        head = log_sql.read_head(connection, LOG)
        table = log_sql.log_entry
        count = connection.execute(select(func.count()).where(table.c.log_id == LOG)).scalar_one()
        if count != head.size:
            account.misses.append(f"the head says {head.size} entries, and there are {count}")
        return list(log_sql.leaves(connection, LOG, 0, head.size))


def _check_receipts(stored: list[log_sql.Stored], ledger: Ledger, verifier: Verifier, account: Account) -> None:
    """Every answer that came in has its entry, which names that very request and every referral it showed."""
    by_request: dict[str | None, list[tuple[int, Any]]] = {}
    for one in stored:
        entry = one.entry()
        by_request.setdefault(entry.request, []).append((one.idx, entry))
    for answer in ledger.answered:
        sealed = by_request.get(answer.request, [])
        cases = {entry.case for _, entry in sealed}
        account.entries_found += answer.index in {index for index, _ in sealed} and cases >= set(answer.referrals)
    roots = _roots(stored)
    for push in ledger.pushed.values():
        given = push.receipt
        checkpoint = Checkpoint.open(given["checkpoint"], verifier)
        if checkpoint.size > len(stored):
            account.misses.append(f"the log was receipted at size {checkpoint.size} and has {len(stored)} entries")
            continue
        if stored[given["index"]].leaf_hash != hash_from_base64(given["leaf_hash"]):
            account.misses.append(f"entry {given['index']} is not the one that was receipted")
        if roots[checkpoint.size] != checkpoint.root:
            account.misses.append(f"the checkpoint of size {checkpoint.size} is of another history")


def _roots(stored: list[log_sql.Stored]) -> list[bytes]:
    """The root of the tree at every size."""
    compact: list[bytes] = []
    found = [root(compact)]
    for one in stored:
        append(compact, one.idx, one.leaf_hash)
        found.append(root(compact))
    return found


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


def _check_changes(database: Database, ledger: Ledger, account: Account) -> None:
    """Every change of a referral that was confirmed is still there."""
    with database.reading() as connection:
        query = select(tables.referral.c.id, tables.referral.c.version)
        versions = {row.id: row.version for row in connection.execute(query)}
    lost = [id_ for id_, version in ledger.changed.items() if versions.get(id_, 0) < version]
    account.misses += [f"a confirmed change of referral {id_} is lost" for id_ in lost]


async def _push_again(load: Load, ledger: Ledger, account: Account) -> None:
    """The same push under the same key is known, and is answered with the same references."""

    async def again(push: Pushed) -> None:
        answer = await load.push(push.serial)
        if answer.status_code != 200 or answer.json()["state"] != "known":
            account.misses.append(f"push {push.serial} again was answered {answer.status_code}")

    before = len(ledger.surprises)
    await asyncio.gather(*(again(push) for push in list(ledger.pushed.values())))
    account.misses += ledger.surprises[before:]
