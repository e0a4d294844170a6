"""A team's system that referrals are delivered to over MLLP, and the account of them: there once, or with a human.

The system hangs, breaks the line, refuses, answers late, for another message, twice or nonsense. It knows a message by
its control id alone, as the standard tells it to. What arrived is held against what was sealed after each fault: no
message may have come whose entry is not committed. In the end the system behaves, time passes, and every referral that
was accepted must be there, under one id, or be given up before the eyes of its team.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import orjson
from sqlalchemy import Connection, func, select

from audit import sql as log_sql
from gateway.demo.run import LOG
from gateway.evidence import Event
from gateway.mllp.channel import control_id
from gateway.notices import Kind
from gateway.settings import Settings
from gateway.store import tables
from gateway.store.database import Database
from gateway.store.waiting_deliveries import OPEN
from tests.faults.account import Account
from tests.faults.server import command
from tests.gateway.delivery_engine import serving
from tests.support.linking import UNLINKED

DOES = ("AA",) * 16 + ("twice", "AE", "AR", "hang", "reset", "late", "other", "nonsense", "half")
"""What the system does with a message: it mostly works, so that its circuit is closed more often than not."""
ARRIVALS = 12  # at most, before a kill
HELD = 0.5  # how often the kill falls between the last byte of a message and its answer
IDLE_SECONDS = 1.0  # without an arrival: it hangs, is left alone, or has everything
QUIET_SECONDS = 0.5  # the same, when it behaves and nobody asks the gateways anything
LEASE_AND_MORE, HOUR = 130, 3700  # seconds: so that what was leased, or waits for another try, is free
HOURS = 40  # of a gateway's clock, in which everything must be settled: six tries take two
PATIENCE_SECONDS = 240.0  # of a busy machine, until those hours have done what they bring about


class Team:
    """The system, from `start` to `stop`."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._stack = ExitStack()
        self._engine = self._stack.enter_context(serving(random.Random(chance.random()), does=DOES))
        self._sealed = Counter[str]()
        self._read = 0

    async def start(self, settings: Settings, *, forked: bool) -> None:
        """Have the endpoint registered, as an operator would."""
        await command(
            settings,
            *("endpoint", "add", "demo-hospital", "--channel", "mllp", "--address", self._engine.address),
            *("--agreement", LOG, "--person", "idva-0042", "--hides-from-online-access"),
            forked=forked,
        )

    async def stop(self) -> None:
        """Answer nothing more."""
        await asyncio.to_thread(self._stack.close)

    async def moment(self) -> None:
        """Return while a delivery is under way: some have just arrived, or one has and gets no answer until `go_on`."""
        for _ in range(self._chance.randrange(ARRIVALS)):
            if not await self._arrival():
                return
        if self._chance.random() < HELD:
            self._engine.always = "hang"
        await self._arrival()

    def go_on(self) -> None:
        """Let the system answer again, as it likes."""
        self._engine.always = None

    def look(self, database: Database) -> list[str]:
        """What had arrived before this moment and is not sealed at this moment."""
        arrived = Counter(control for control, _ in list(self._engine.sent))
        with database.reading() as connection:
            size = log_sql.read_head(connection, LOG).size
            for one in log_sql.leaves(connection, LOG, self._read, size):
                said = orjson.loads(one.body)
                if said["event"] in _GOING:
                    self._sealed[control_id(said["detail"]["delivery"])] += 1
            self._read = size
        return [f"message {one} arrived unsealed" for one in arrived if arrived[one] > self._sealed[one]]

    async def drain(self, settings: Settings, turn: Callable[[int], None]) -> None:
        """Let the system work, and time pass, until nothing waits, nor anybody to be linked, who would be news to it.

        Nobody asks the gateways anything meanwhile.
        """
        self._engine.always = "AA"
        database = Database(settings.database, readers=1)
        hours, until = HOURS, time.monotonic() + PATIENCE_SECONDS
        try:
            while time.monotonic() < until:
                while await self._arrival(QUIET_SECONDS):
                    pass
                if not await asyncio.to_thread(_waiting, database):
                    return
                if hours:
                    turn(HOUR)
                    hours -= 1
        finally:
            database.close()

    def settle(self, settings: Settings, account: Account) -> None:
        """Count where everything ended."""
        database = Database(settings.database, readers=1)
        try:
            account.misses += self.look(database)
            with database.reading() as connection:
                self._count(connection, account)
        finally:
            database.close()
        arrived = Counter(control for control, _ in self._engine.sent)
        account.receipts += arrived.total()
        account.entries_found += (arrived & self._sealed).total()

    def _count(self, connection: Connection, account: Account) -> None:
        """Where each referral of the team ended, and what its system was told."""
        first = {referral: controls for referral, controls in self._told().items() if controls}
        rows = connection.execute(_OF_TEAM).all()
        human = set(connection.execute(_WITH_HUMAN).scalars())
        for row in rows:
            there = row.id in first
            account.accepted += 1
            account.found_once += there or row.id in human
            account.with_human += not there and row.id in human
            account.duplicates += max(0, len(first.get(row.id, ())) - 1)
        taken = set(self._engine.taken)
        for delivery in connection.execute(_ACKNOWLEDGED).scalars():
            if control_id(delivery) not in taken:
                account.misses.append(f"delivery {delivery} is acknowledged, and was not taken")
        if waiting := connection.execute(_WAITING).scalar_one():
            account.misses.append(f"{waiting} deliveries never settle")
        bodies = {(control, body) for control, body in self._engine.sent}
        if len(bodies) != len({control for control, _ in bodies}):
            account.misses.append("two messages went under one control id")
        if not first or not rows:
            account.misses.append("nothing was delivered")

    def _told(self) -> dict[str, set[str]]:
        """The control ids of the new referrals that the system took, by referral."""
        found: dict[str, set[str]] = {}
        for control, body in self._engine.sent:
            said = dict(_segments(body))
            if said["MSH"][8].startswith(b"REF^I12") and self._engine.taken[control]:
                found.setdefault(said["RF1"][6].split(b"^")[0].decode(), set()).add(control)
        return found

    async def _arrival(self, seconds: float = IDLE_SECONDS) -> bool:
        """Wait for a message; False where none comes for a while."""
        return await asyncio.to_thread(self._engine.arrived.acquire, timeout=seconds)


def _segments(body: bytes) -> Iterator[tuple[str, list[bytes]]]:
    for line in body.split(b"\r"):
        fields = line.split(b"|")
        yield fields[0].decode(), fields


def _waiting(database: Database) -> bool:
    with database.reading() as connection:
        return any(connection.execute(one).scalar_one() for one in (UNLINKED, _WAITING))


_GOING = frozenset({Event.REFERRAL_DELIVERED, Event.REFERRAL_RECALLED})
_d, _e, _n, _r = tables.delivery, tables.endpoint, tables.notice, tables.referral
_WAITING: Any = select(func.count()).select_from(_d).where(OPEN)
_ACKNOWLEDGED = select(_d.c.id).where(_d.c.acknowledged_at.is_not(None))
_OF_TEAM = select(_r.c.id).join(_e, (_e.c.organisation == _r.c.organisation) & (_e.c.team == _r.c.team))
_WITH_HUMAN = (
    select(_d.c.referral_id)
    .join(_n, _n.c.referral_id == _d.c.referral_id)
    .where(_d.c.given_up_at.is_not(None), _n.c.kind == Kind.UNDELIVERED.value, _n.c.acknowledged_at.is_(None))
)
