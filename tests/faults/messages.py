"""Hospital systems that send HL7 v2 over MLLP, and the account of them: what was answered AA is kept, once.

Each system has a connection of its own and one message in flight. Where it gets no answer, or AR because the gateway
cannot keep it now, the same bytes go again, on a new connection where the old one broke, as an engine does. Half of the
messages are movements of patients that nobody here knows, half are safeguarding notices.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import orjson
from sqlalchemy import select

from audit import sql as log_sql
from gateway import keys
from gateway.demo.run import LOG
from gateway.evidence import Event
from gateway.settings import Settings
from gateway.store import tables
from gateway.store.database import Database
from tests.faults.account import Account
from tests.faults.load import BACK_OFF_SECONDS
from tests.support.mllp import Sender, adt, header, told

SYSTEMS = 4
ANSWERS = 8  # at most, before a kill
CONCERN = "707087005"


class Hospital:
    """The systems, from `start` to `stop`. `up` is cleared while there is nobody to talk to."""

    def __init__(self, settings: Settings, up: asyncio.Event, chance: random.Random) -> None:
        self._port = settings.mllp_port or 0
        self._payload_hash: Callable[[bytes], str] = keys.load(settings.keys, settings.environment.value).payload_hash
        self._up = up
        self._chance = chance
        self._number = 0
        self._stopping = False
        self._at_work: list[asyncio.Task[None]] = []
        self._in_flight = asyncio.Semaphore(0)
        self.accepted: dict[str, bytes] = {}
        self.sent: dict[str, bytes] = {}
        self.tries = 0
        self.surprises: list[str] = []

    def start(self) -> None:
        """Set every system to work."""
        self._at_work = [asyncio.create_task(self._repeat()) for _ in range(SYSTEMS)]

    async def stop(self) -> None:
        """Let every message that is in flight be answered."""
        self._stopping = True
        await asyncio.gather(*self._at_work)

    async def moment(self) -> None:
        """Return when a message has just left, and its answer has not come."""
        self._in_flight = asyncio.Semaphore(0)
        for _ in range(self._chance.randrange(1, ANSWERS)):
            await self._in_flight.acquire()

    def seen(self) -> dict[str, bytes]:
        """What has been answered AA up to now."""
        return dict(self.accepted)

    def look(self, database: Database, seen: dict[str, bytes]) -> list[str]:
        """What of this is not kept at this moment."""
        with database.reading() as connection:
            kept = set(connection.execute(select(_m.c.digest).where(_m.c.ack == "AA")).scalars())
        return [
            f"message {one} was answered AA and is lost" for one in seen if self._payload_hash(seen[one]) not in kept
        ]

    def settle(self, settings: Settings, account: Account) -> None:
        """Hold what was sent against what is kept, sealed and made of it; nobody else asks the gateway anything."""
        database = Database(settings.database, readers=1)
        try:
            with database.reading() as connection:
                rows = connection.execute(select(_m.c.digest, _m.c.ack, _m.c.became, _m.c.about)).all()
                notices = set(connection.execute(select(tables.hospital_notice.c.id)).scalars())
                size = log_sql.read_head(connection, LOG).size
                said = [orjson.loads(one.body) for one in log_sql.leaves(connection, LOG, 0, size)]
        finally:
            database.close()
        kept = Counter(row.digest for row in rows if row.ack == "AA")
        sealed = Counter(one["payload"] for one in said if one["event"] == Event.MESSAGE_RECEIVED)
        digests = {one: self._payload_hash(body) for one, body in self.sent.items()}
        account.misses += self.surprises
        account.accepted += len(self.accepted)
        account.found_once += sum(kept[digests[one]] == 1 for one in self.accepted)
        account.duplicates += sum(max(0, count - 1) for count in kept.values())
        account.receipts += len(self.accepted)
        account.entries_found += sum(sealed[digests[one]] == 1 for one in self.accepted)
        about = [row.about for row in rows if row.became == "notice"]
        if not len(about) == len(set(about)) == len(notices) or set(about) != notices:
            account.misses.append(f"{len(about)} messages are notices, and there are {len(notices)}")
        if not kept.keys() <= set(digests.values()):
            account.misses.append("a message is kept that nobody sent")

    async def _repeat(self) -> None:
        line: Sender | None = None
        while not self._stopping:
            control, message = self._next()
            self.sent[control] = message
            while control not in self.accepted:
                line = line or await self._connected()
                answer = await self._asked(line, message)
                if answer is None:
                    await line.close()
                    line = None
                elif told(answer) == ("AA", control):
                    self.accepted[control] = message
                elif told(answer) == ("AR", control):
                    await asyncio.sleep(BACK_OFF_SECONDS)
                else:
                    self.surprises.append(f"message {control} was answered {' '.join(told(answer))}")
                    break
        if line is not None:
            await line.close()

    async def _connected(self) -> Sender:
        while True:
            await self._up.wait()
            with suppress(OSError):
                return await Sender.connect(self._port)
            await asyncio.sleep(BACK_OFF_SECONDS)

    async def _asked(self, line: Sender, message: bytes) -> bytes | None:
        """Send and wait; None where the line broke before the answer."""
        self.tries += 1
        try:
            asked = asyncio.ensure_future(line.ask(message))
            await asyncio.sleep(0)  # it is written by then
            self._in_flight.release()
            return await asked
        except (OSError, EOFError):
            return None

    def _next(self) -> tuple[str, bytes]:
        self._number += 1
        control = f"F{self._number:09d}"
        return control, adt(identifier=control) if self._chance.random() < 0.5 else _notice(control)


def _notice(control: str) -> bytes:
    """A hospital's notice about an invented patient, each of its own."""
    lines = [
        header("REF^I12", control),
        f"RF1|A|A|SG||E|{control}^RXL",
        "PRD|RP^Referring^HL70286|WARD^SEVEN",
        f"PID|1||{control}^^^RXL^MR||ARDEN^ZELDA||19880214|F",
        f"DG1|1||{CONCERN}^^SCT",
    ]
    return "\r".join([*lines, ""]).encode()


_m = tables.hl7_message
