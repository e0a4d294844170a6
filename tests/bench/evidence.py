"""What sealing, appending, proving and verifying cost, without HTTP, on a database of the engine.

The entries are those of a disclosure, about 1.3 KB. A log is filled in bulk to each size; then batches of 64 are
appended as the journal appends them, each in a transaction of its own, and receipts of random entries are made.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import tempfile
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import pack
from audit import sql as log_sql
from audit.entry import Actor, AgreementRef, Entry, Items, Operation, Outcome, Recipient, timestamp
from audit.log import Growth
from audit.note import Signer
from audit.receipt import Receipt
from audit.verify import verify
from gateway.evidence import Event
from gateway.store.batch import Batch, Unit
from gateway.store.database import Database
from gateway.store.journal import Journal
from gateway.store.migrations import upgrade
from tests.bench.figures import MICROSECONDS, PER_SECOND, Row, middle
from tests.bench.scale import CONNECTIONS, Scale

SEED = 20260413
BATCH = 64
BATCHES = 40  # measured appends at each size
PROOFS = 200
FILL = 5_000  # entries of one filling transaction
AGREEMENT_TEXT = b"the text that the entries name"
_HASH = hashlib.sha256(AGREEMENT_TEXT).hexdigest()
_SEALED, _BULK = "sealed", "bulk"


def measure(url: str, engine: str, scale: Scale, *, with_verify: bool) -> list[Row]:
    """Every figure of the evidence; `with_verify` also those in which the engine has no part."""
    database = Database(url)
    try:
        upgrade(database)
        signer = _create(database, _BULK)
        rows = [
            Row("seal", engine, _seal(database, scale.sealed), PER_SECOND),
            *_grow(database, engine, signer, scale.log_sizes),
        ]
        if with_verify:
            rows += _verify(database, signer)
        return rows
    finally:
        database.close()


@dataclass(frozen=True, slots=True)
class SealOne(Unit[None]):
    """Seal one disclosure, and keep nothing."""

    def apply(self, batch: Batch) -> None:
        batch.seal(disclosure(batch.at))


def disclosure(at: str) -> Entry:
    """An entry of the size and shape of a referral's reading."""
    record, case = str(uuid.uuid4()), str(uuid.uuid4())
    return Entry(
        id=str(uuid.uuid4()),
        time=at,
        operation=Operation.DISCLOSURE,
        outcome=Outcome.PERMITTED,
        event=Event.REFERRAL_READ.value,
        actor=Actor("RXL", "demo-hospital", "idva-0042", "idva"),
        recipients=(Recipient("RXL", "idva-team"),),
        subjects=(f"{record}.victim",),
        record=record,
        case=case,
        agreement=AgreementRef("operation-provide", "1", _HASH),
        clauses=("4.1", "4.2", "6.3"),
        items=Items(
            released=("risk.grade", "risk.answers.injury", "victim.name", "victim.contact", "incident.time"),
            generalised=("incident.place",),
            withheld=("suspect.address", "police.intelligence", "statement.third_party"),
        ),
        purpose="safeguarding",
        facts={"area": "blackpool", "consent": "given", "grade": "high", "kind": "incident", "victim_age": "adult"},
        request=str(uuid.uuid4()),
        detail={"types": "ServiceRequest", "version": 1},
    )


def _seal(database: Database, number: int) -> float:
    """Entries a second through the journal, with as many waiting as there are clients."""
    journal = Journal(database, _SEALED, _create(database, _SEALED))

    async def waiter(share: int) -> None:
        for _ in range(share):
            await journal.submit(SealOne())

    async def everybody() -> float:
        await asyncio.gather(*(waiter(4) for _ in range(CONNECTIONS)))
        began = time.perf_counter()
        await asyncio.gather(*(waiter(number // CONNECTIONS) for _ in range(CONNECTIONS)))
        return number // CONNECTIONS * CONNECTIONS / (time.perf_counter() - began)

    try:
        return asyncio.run(everybody())
    finally:
        journal.close()


def _grow(database: Database, engine: str, signer: Signer, sizes: tuple[int, ...]) -> list[Row]:
    """The cost of an append, of a proof and of its check at each size, beside the cost at the smallest."""
    order = random.Random(SEED)
    found: list[tuple[str, str, list[float]]] = [
        ("append", engine, []),
        ("proof", engine, []),
        ("proof_check", engine, []),
    ]
    for size in sizes:
        _fill(database, signer, size)
        receipts, proof = _proof_cost(database, order)
        costs = (_append_cost(database, signer), proof, _check_cost(receipts, signer))
        for (_, _, all_costs), cost in zip(found, costs, strict=True):
            all_costs.append(cost)
    return [
        Row(f"{what}_1e{len(str(size)) - 1}", of, cost, MICROSECONDS, None if size == sizes[0] else costs[0])
        for what, of, costs in found
        for size, cost in zip(sizes, costs, strict=True)
    ]


def _fill(database: Database, signer: Signer, size: int) -> None:
    for at in range(_size(database), size, FILL):
        _append(database, signer, _bodies(min(FILL, size - at)))


def _append_cost(database: Database, signer: Signer) -> float:
    """Microseconds an entry: locking the head, hashing, writing, signing, committing."""
    return middle([_append(database, signer, _bodies(BATCH)) / BATCH * 1e6 for _ in range(BATCHES)])


def _append(database: Database, signer: Signer, bodies: list[bytes]) -> float:
    """Append in one transaction, as the journal does; returns the seconds it took."""
    began = time.perf_counter()
    with database.writing() as connection:
        growth = Growth(log_sql.lock_head(connection, _BULK))
        for body in bodies:
            growth.append(body)
        log_sql.append(connection, _BULK, growth.seal(signer), datetime.now(UTC))
    return time.perf_counter() - began


def _bodies(number: int) -> list[bytes]:
    """Entries that differ in what they are about; made by replacing, as a million are made."""
    entry = disclosure(timestamp(datetime.now(UTC)))
    body = entry.to_bytes()
    names = [one.encode() for one in (entry.id, entry.record or "", entry.case or "")]
    made: list[bytes] = []
    for _ in range(number):
        one = body
        for name in names:
            one = one.replace(name, str(uuid.uuid4()).encode())
        made.append(one)
    return made


def _proof_cost(database: Database, order: random.Random) -> tuple[list[Receipt], float]:
    """Receipts of random entries, and the microseconds one takes to be read."""
    size = _size(database)
    receipts: list[Receipt] = []
    taken: list[float] = []
    with database.reading() as connection:
        for _ in range(PROOFS):
            began = time.perf_counter()
            receipts.append(log_sql.receipt(connection, _BULK, order.randrange(size)))
            taken.append((time.perf_counter() - began) * 1e6)
    return receipts, middle(taken)


def _check_cost(receipts: list[Receipt], signer: Signer) -> float:
    """Microseconds to check a receipt against the log's key, signature included."""
    began = time.perf_counter()
    for receipt in receipts:
        receipt.verify(signer.verifier)
    return (time.perf_counter() - began) / len(receipts) * 1e6


def _verify(database: Database, signer: Signer) -> list[Row]:
    """Entries a second of the offline verifier, over a pack of the whole log in a file: on one core, and on two."""
    rows = []
    with tempfile.TemporaryFile() as file:
        with database.reading() as connection:
            head = log_sql.read_head(connection, _BULK)
            leaves = log_sql.leaves(connection, _BULK, 0, head.size)
            pack.write(file, signer.verifier, [head.checkpoint], leaves, {_HASH: AGREEMENT_TEXT}.get)
        for name, jobs in (("verify_one_core", 1), ("verify", 2)):
            file.seek(0)
            began = time.perf_counter()
            report = verify(file, pinned_key=signer.verifier.text, jobs=jobs)
            seconds = time.perf_counter() - began
            if not report.verified:
                raise ValueError("the pack that was measured does not verify")
            rows.append(Row(name, "none", head.size / seconds, PER_SECOND))
    return rows


def _size(database: Database) -> int:
    with database.reading() as connection:
        return log_sql.read_head(connection, _BULK).size


def _create(database: Database, log_id: str) -> Signer:
    """A new log, and the signer of its checkpoints."""
    origin = f"bench.test/logs/{log_id}"
    signer = Signer.of(origin, Ed25519PrivateKey.generate())
    with database.writing() as connection:
        log_sql.create_log(connection, log_id, origin, signer, datetime.now(UTC))
    return signer
