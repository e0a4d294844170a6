"""A record system that sends batches, and the account of them: each row taken in once, or kept for a human once.

A batch is sent a piece at a time. Where it gets no whole answer, or 503, the same batch goes again under the same key,
as the standard tells a client to. What became of it is then asked of the gateway by the client, batch by batch, also of
those that broke off, and held against what was sent and what lies in the database.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
from sqlalchemy import Connection, select

from gateway import keys
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from gateway.settings import Settings
from gateway.store import tables
from gateway.store.database import Database
from gateway.store.records import Records
from tests.faults.account import Account
from tests.faults.load import BACK_OFF_SECONDS, Load

ROWS = 24  # of a batch: more than wait for one commit, so that a kill finds some kept and some on their way
BAD = 4  # one of so many rows is no document
FIRST = 500_000  # serials that no single push has
PIECE_BYTES = 4096


@dataclass(frozen=True)
class Sent:
    """A batch: its key, and the serial of each row's incident, None where the row is no document."""

    key: str
    serials: tuple[int | None, ...]

    @property
    def body(self) -> bytes:
        """Its rows as NDJSON."""
        return b"".join(self._rows())

    def _rows(self) -> Iterator[bytes]:
        for number, serial in enumerate(self.serials, start=1):
            if serial is None:
                yield b'{"of": "' + f"{self.key} {number}".encode() + b'"\n'
            else:
                yield orjson.dumps(incident(serial), option=orjson.OPT_APPEND_NEWLINE)


class Sender:
    """Sends one batch after the other between `start` and `stop`."""

    def __init__(self, load: Load, chance: random.Random) -> None:
        self._load = load
        self._chance = chance
        self._serial = FIRST
        self._stopping = False
        self._at_work: asyncio.Task[None] | None = None
        self._midway, self._go_on = asyncio.Event(), asyncio.Event()
        self._go_on.set()
        self.sent: list[Sent] = []
        self.answered: dict[str, Sent] = {}

    def start(self) -> None:
        """Set the client to work."""
        self._at_work = asyncio.create_task(self._repeat())

    async def stop(self) -> None:
        """Let the batch that is being sent come to its end."""
        self._stopping = True
        if self._at_work is not None:
            await self._at_work

    async def midway(self) -> None:
        """Return when a part of a batch has gone; the rest waits for `go_on`."""
        self._midway.clear()
        self._go_on.clear()
        await self._midway.wait()

    def go_on(self) -> None:
        """Let the rest of the batch go, wherever it now comes to."""
        self._go_on.set()

    async def _repeat(self) -> None:
        while not self._stopping:
            batch = self._next()
            self.sent.append(batch)
            answer = await self._send(batch)
            if answer.status_code == httpx.codes.OK:
                self.answered[answer.json()["batch"]] = batch
            else:
                self._load.ledger.surprises.append(f"a batch was answered {answer.status_code}")

    def _next(self) -> Sent:
        serials: list[int | None] = []
        for number in range(ROWS):
            self._serial += 1
            serials.append(None if number % BAD == BAD - 1 else self._serial)
        return Sent(f"batch-{len(self.sent)}", tuple(serials))

    async def _send(self, batch: Sent) -> httpx.Response:
        """Send a batch until it is answered."""
        ledger = self._load.ledger
        headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": batch.key}
        while True:
            door = self._chance.choice(self._load.doors)
            await door.up.wait()
            try:
                answer = await door.police.post("/police/v1/batches", content=self._pieces(batch), headers=headers)
            except httpx.TransportError:
                ledger.cut_off += 1
                continue
            ledger.whole(answer)
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                return answer
            await asyncio.sleep(BACK_OFF_SECONDS)

    async def _pieces(self, batch: Sent) -> AsyncIterator[bytes]:
        """The body in pieces, which stops at one of them, or before its end, where somebody waits for that."""
        body = batch.body
        starts = range(0, len(body), PIECE_BYTES)
        stop = self._chance.randrange(1, len(starts) + 1)
        for number, at in enumerate(starts, start=1):
            yield body[at : at + PIECE_BYTES]
            if number == stop:
                self._midway.set()
                await self._go_on.wait()


async def settle(settings: Settings, sender: Sender, police: httpx.AsyncClient, account: Account) -> None:
    """Hold what was sent against what the gateway says and has; nobody else asks it anything."""
    database = Database(settings.database)
    try:
        records = Records(keys.load(settings.keys, settings.environment.value))
        with database.reading() as connection:
            kept = _kept(connection, records, sender)
            held = set(connection.execute(select(tables.quarantine.c.id).where(_TORN)).scalars())
            known = list(connection.execute(select(tables.batch.c.id)).scalars())
    finally:
        database.close()
    said = {one: await _said(police, one) for one in known}
    account.misses += _of_rows(sender, kept, held, said)
    account.accepted += len(kept)
    account.found_once += sum(len(found) == 1 for found in kept.values())
    account.duplicates += sum(max(0, len(found) - 1) for found in kept.values())


_TORN = tables.quarantine.c.reason == "truncated"


def _kept(connection: Connection, records: Records, sender: Sender) -> dict[int, set[str]]:
    """The records of each serial, by the sender's own reference."""
    serials = [serial for batch in sender.sent for serial in batch.serials if serial is not None]
    found = {one: records.find_subjects(connection, LOG, "occurrence", f"04-2026-{one:06d}") for one in serials}
    return {one: {subject.partition(".")[0] for subject in subjects} for one, subjects in found.items()}


async def _said(police: httpx.AsyncClient, batch_id: str) -> dict[str, Any]:
    """A batch and its rows, as its sender is told of them."""
    batch: dict[str, Any] = (await police.get(f"/police/v1/batches/{batch_id}")).raise_for_status().json()
    rows = await police.get(f"/police/v1/batches/{batch_id}/rows", params={"limit": "1000"})
    return batch | {"each": rows.raise_for_status().json()["rows"]}


def _of_rows(sender: Sender, kept: dict[int, set[str]], held: set[str], said: dict[str, dict[str, Any]]) -> list[str]:
    """What does not hold, in words."""
    misses = [f"batch {one} was answered and is lost" for one in sender.answered.keys() - said.keys()]
    serial_of = {record: serial for serial, found in kept.items() for record in found}
    taken, aside = Counter[int](), set[str]()
    for id_, told in said.items():
        rows = told["each"]
        batch = sender.answered.get(id_) or _meant(sender, rows, serial_of)
        if told["counts"] != {state: sum(row["state"] == state for row in rows) for state in told["counts"]}:
            misses.append(f"the counts of batch {id_} are not those of its rows")
        whole = batch is not None and len(rows) == len(batch.serials)
        # One that broke off may have every row and no end: it then says that it is open, which is true as well.
        if (told["state"] == "complete" and not whole) or (id_ in sender.answered and told["state"] != "complete"):
            misses.append(f"batch {id_} is {told['state']} with {len(rows)} rows")
        for row in rows:
            if batch is None:
                misses.append(f"a row of batch {id_} is of no batch that was sent")
                continue
            serial = batch.serials[row["row"] - 1]
            if serial is None:
                aside.add(row["quarantine"])
                right = row["state"] == "unreadable" and row["quarantine"] in held
            else:
                taken[serial] += row["state"] == "accepted"
                right = row["state"] in {"accepted", "known"} and kept[serial] == {row["incident"]}
            if not right:
                misses.append(f"row {row['row']} of batch {id_} says {row['state']}, which is not so")
    misses += [f"the row of serial {one} was accepted {taken[one]} times" for one in kept if taken[one] != 1]
    bad = sum(serial is None for batch in sender.sent for serial in batch.serials)
    if not len(held) == len(aside) == bad:
        misses.append(f"{bad} rows were no documents, {len(aside)} say where they wait, and {len(held)} wait")
    return misses


def _meant(sender: Sender, rows: list[dict[str, Any]], serial_of: dict[str, int]) -> Sent | None:
    """Which batch it was that broke off, by its first row that was taken in; None where there is none."""
    first = next((serial_of[row["incident"]] for row in rows if row["incident"] in serial_of), None)
    return next((one for one in sender.sent if first in one.serials), None) if first is not None else None
