"""One trial: gateways under load on one engine, broken at random moments, then held to account.

The moments are numbers of answers, drawn from the seed; what the servers are doing then is up to the machine. After
each fault the log is looked at, while the load goes on.
"""

from __future__ import annotations

import asyncio
import random
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx

from audit.note import Verifier
from gateway.demo.client import Client, key_of
from gateway.demo.run import ADVISER, AUDITOR, LOG, OFFICER
from gateway.demo.setting import free_port, settings_of
from gateway.settings import Settings
from gateway.store.database import Database
from gateway.store.migrations import upgrade
from tests.faults import batches
from tests.faults.account import Account, look, settle
from tests.faults.batches import Sender
from tests.faults.clock import Clockwork
from tests.faults.database import Fragile, fragile
from tests.faults.deliveries import LEASE_AND_MORE, Team
from tests.faults.kinds import Fault, Plan, Result
from tests.faults.ledger import Ledger, shown
from tests.faults.load import Door, Load
from tests.faults.messages import Hospital
from tests.faults.server import Server, command
from tests.support.world import copy_rows, copy_template

TURNS = 40  # of the event loop, at most, between the answer and the kill: so that kills do not all follow a commit
IN_BETWEEN = 30  # answers at most, while a batch has stopped: the gateway keeps what it has of it
RECOVERED = 3  # answers, after which it is said to go on again
REFUSALS = 5  # 503s to be seen before a lost database or disk comes back


def run(plan: Plan, template: Path) -> Result:
    """Run a trial over a copy of the prepared world. The engine must be installed."""
    with tempfile.TemporaryDirectory(prefix="provide-faults-") as folder, _database(plan.engine) as postgres:
        more: dict[str, Any] = {"database_url": postgres.address} if postgres else {}
        if Fault.MLLP in dict(plan.faults):
            more |= {"mllp_port": free_port(), "mllp_plain_client": "demo-hospital"}
        # One token lasts the trial: signing in again is not what is tried here.
        settings = settings_of(Path(folder) / "data", free_port(), token_lifetime_seconds=3600, **more)
        copy_template(template, settings.data_dir, with_database=postgres is None)
        if postgres:
            database = Database(postgres.address)
            upgrade(database)
            database.close()
            copy_rows(template, postgres.address)
        return asyncio.run(_Trial(plan, settings, postgres).run())


@contextmanager
def _database(engine: str) -> Iterator[Fragile | None]:
    if engine == "sqlite":
        yield None
        return
    with fragile() as server:
        yield server


class _Trial:
    def __init__(self, plan: Plan, settings: Settings, postgres: Fragile | None) -> None:
        self._plan = plan
        self._settings = settings
        self._postgres = postgres
        self._chance = random.Random(plan.seed)
        self._keys = settings.data_dir / "clients"
        self._ledger = Ledger()
        self._servers: list[Server] = []
        self._looks = 0
        self._misses: list[str] = []
        self._done = 0
        self._verifier: Verifier | None = None
        self._sender: Sender | None = None
        self._team: Team | None = None
        self._hospital: Hospital | None = None
        self._skewed = not {Fault.CLOCK, Fault.DELIVERING}.isdisjoint(dict(plan.faults))
        self._ahead = 0

    async def run(self) -> Result:
        """1. Start. 2. Break things under load. 3. Hold the gateway to account, over HTTP and in its database."""
        first_port = int(self._settings.public_url.rpartition(":")[2])
        ports = [first_port, *(free_port() for _ in range(self._plan.gateways - 1))]
        self._servers = [Server(self._settings, port, forked=self._plan.forked) for port in ports]
        faults = [fault for fault, count in self._plan.faults for _ in range(count)]
        try:
            if Fault.DELIVERING in faults:
                self._team = Team(self._chance)
                await self._team.start(self._settings, forked=self._plan.forked)
            for server in self._servers:
                await server.start(skewed_clock=self._skewed)
            async with self._load(faults) as load, self._auditor() as auditor:
                pinned = await self._key(auditor)
                self._verifier = Verifier.from_text(pinned)
                load.start()
                self._start_senders(load, faults)
                await self._break(load, faults)
                await load.stop()
                await self._stop_senders()
                pack = (await auditor.get(f"/audit/v1/logs/{LOG}/pack")).content  # what is no pack will not verify
                account = await settle(self._settings, self._ledger, load.push, pinned, pack)
                await self._settle_beside(load, account)
        finally:
            if self._team is not None:
                await self._team.stop()
            for server in self._servers:
                await server.stop()
        account.misses += self._misses
        account.looks += self._looks
        refused = self._ledger.statuses[httpx.codes.SERVICE_UNAVAILABLE]
        return Result(self._plan, account, self._done, refused, self._ledger.cut_off)

    def _start_senders(self, load: Load, faults: list[Fault]) -> None:
        """Set those to work who send beside the load."""
        if Fault.BATCH in faults:
            self._sender = Sender(load, self._chance)
            self._sender.start()
        if Fault.MLLP in faults:
            self._hospital = Hospital(self._settings, load.doors[0].up, self._chance)
            self._hospital.start()

    async def _stop_senders(self) -> None:
        """Let them finish what they are at; then let everything be delivered that waits, and set the clock right."""
        if self._sender is not None:
            await self._sender.stop()
        if self._hospital is not None:
            await self._hospital.stop()
        if self._team is not None:
            await self._team.drain(self._settings, self._pass_time)
            self._pass_time(-self._ahead)

    async def _settle_beside(self, load: Load, account: Account) -> None:
        if self._sender is not None:
            await batches.settle(self._settings, self._sender, load.doors[0].police, account)
        if self._hospital is not None:
            await asyncio.to_thread(self._hospital.settle, self._settings, account)
        if self._team is not None:
            await self._team.drain(self._settings, self._pass_time)  # people who were linked since are news to a team
            await asyncio.to_thread(self._team.settle, self._settings, account)

    @asynccontextmanager
    async def _load(self, faults: list[Fault]) -> AsyncIterator[Load]:
        right: set[int] = {httpx.codes.UNAUTHORIZED} if Fault.CLOCK in faults else set()
        right |= {httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND} if Fault.SUSPEND in faults else set()
        async with AsyncExitStack() as stack:
            doors = []
            for server in self._servers:
                police = await stack.enter_async_context(self._client("demo-rms", OFFICER, server.url))
                hospital = await stack.enter_async_context(self._client("demo-hospital", ADVISER, server.url))
                doors.append(Door(police, hospital))
                doors[-1].up.set()
            load = Load(doors, self._ledger, self._chance, frozenset(right))
            load.in_force.set()
            yield load

    async def _break(self, load: Load, faults: list[Fault]) -> None:
        acts: dict[Fault, Callable[[Load], Awaitable[None]]] = {
            Fault.KILL: self._kill,
            Fault.BATCH: self._kill_in_batch,
            Fault.DELIVERING: self._kill_delivering,
            Fault.MLLP: self._kill_over_mllp,
            Fault.DISK: self._lose_disk,
            Fault.SERVER: self._lose_server,
            Fault.CUT: self._cut,
            Fault.BACKEND: self._kill_backend,
            Fault.CLOCK: self._turn_clock,
            Fault.SUSPEND: self._suspend,
        }
        self._chance.shuffle(faults)
        for fault in faults:
            await self._ledger.more(self._chance.randrange(1, self._plan.between))
            for _ in range(self._chance.randrange(TURNS)):
                await asyncio.sleep(0)
            before = len(self._misses)
            await acts[fault](load)
            await asyncio.to_thread(self._look)
            self._misses[before:] = [f"after {fault}, {self._done}: {miss}" for miss in self._misses[before:]]
        await self._ledger.more(self._plan.between)

    def _look(self) -> None:
        """What was answered before this moment must be there at this moment; what comes meanwhile is for the next."""
        if self._verifier is None:
            raise TypeError("the log's key was asked for at the start")
        seen = self._ledger.snapshot()
        answered = self._hospital.seen() if self._hospital else {}
        database = Database(self._settings.database, readers=1)
        try:
            found = look(database, seen, self._verifier)
            self._misses += self._hospital.look(database, answered) if self._hospital else []
            self._misses += self._team.look(database) if self._team else []
        finally:
            database.close()
        self._misses += found.misses
        self._looks += not found.misses

    async def _kill(self, load: Load, then: Callable[[], None] | None = None) -> None:
        """Kill one gateway; with several, the others go on."""
        at = self._chance.randrange(len(self._servers))
        load.doors[at].up.clear()
        await self._servers[at].kill()
        if then is not None:
            then()
        with load.resting():
            await self._servers[at].start(skewed_clock=self._skewed)
        load.doors[at].up.set()
        self._done += 1

    async def _kill_in_batch(self, load: Load) -> None:
        """Kill a gateway that has a part of a batch, after others were answered in between or not."""
        if self._sender is not None:
            await self._sender.midway()
            if meanwhile := self._chance.randrange(IN_BETWEEN):
                await self._ledger.more(meanwhile)
            await self._kill(load, then=self._sender.go_on)

    async def _kill_delivering(self, load: Load) -> None:
        """Kill a gateway that has a delivery under way, and let time pass until its lease has run out."""
        if self._team is not None:
            await self._team.moment()
            for _ in range(self._chance.randrange(TURNS)):
                await asyncio.sleep(0)
            await self._kill(load, then=lambda: self._pass_time(LEASE_AND_MORE))
            self._team.go_on()

    async def _kill_over_mllp(self, load: Load) -> None:
        """Kill the gateway when a message has reached it, or after others were answered in between."""
        if self._hospital is not None:
            await self._hospital.moment()
            for _ in range(self._chance.randrange(TURNS)):
                await asyncio.sleep(0)
            await self._kill(load)

    def _pass_time(self, seconds: int) -> None:
        self._ahead += seconds
        self._servers[0].turn_clock(self._ahead)  # of every gateway: they share the file

    async def _lose_disk(self, _: Load) -> None:
        broken = self._postgres or self._servers[0]
        broken.fill_disk()
        await self._refusals()
        await asyncio.to_thread(broken.free_disk)
        await self._answers()
        self._done += 1

    async def _lose_server(self, _: Load) -> None:
        if self._postgres is None:
            return
        by = self._chance.choice([signal.SIGKILL, signal.SIGQUIT, signal.SIGINT])
        await asyncio.to_thread(self._postgres.end, by)
        await self._refusals()
        await asyncio.to_thread(self._postgres.start)
        await self._answers()
        self._done += 1

    async def _cut(self, _: Load) -> None:
        if self._postgres is not None:
            self._done += await asyncio.to_thread(self._postgres.cut_backend, self._chance)

    async def _kill_backend(self, _: Load) -> None:
        if self._postgres is not None:
            self._done += await asyncio.to_thread(self._postgres.kill_backend, self._chance)
            await self._answers()  # it recovers by itself

    async def _turn_clock(self, load: Load) -> None:
        clockwork = Clockwork(self._settings, self._keys, self._servers[0], self._chance)
        self._misses += await clockwork.turn(load)
        self._done += 1

    async def _suspend(self, load: Load) -> None:
        """Suspend by a process of its own, and ask every gateway at once; then let it be in force again."""
        known = next(iter(self._ledger.pushed.values())).referrals[0]
        load.in_force.clear()
        with load.resting():
            await command(self._settings, "agreement", "suspend", LOG, forked=self._plan.forked)
        for door in load.doors:
            answer = await load.read(door, known)
            if answer.is_success and shown(answer):
                self._misses.append("a gateway released after the agreement was suspended")
        await self._ledger.more(self._chance.randrange(1, self._plan.between))
        with load.resting():
            await command(self._settings, "agreement", "activate", LOG, forked=self._plan.forked)
        load.in_force.set()
        self._done += 1

    async def _refusals(self) -> None:
        """Return when clients have been refused for want of somewhere to seal."""
        wanted = self._ledger.statuses[httpx.codes.SERVICE_UNAVAILABLE] + REFUSALS
        while self._ledger.statuses[httpx.codes.SERVICE_UNAVAILABLE] < wanted:
            await self._ledger.more(1)

    async def _answers(self) -> None:
        """Return when the load goes on again."""
        wanted = self._ledger.statuses[httpx.codes.OK] + RECOVERED
        while self._ledger.statuses[httpx.codes.OK] < wanted:
            await self._ledger.more(1)

    def _auditor(self) -> httpx.AsyncClient:
        return self._client("demo-auditor", AUDITOR, self._servers[0].url)

    async def _key(self, auditor: httpx.AsyncClient) -> str:
        """The log's key, pinned before anything is broken."""
        logs = (await auditor.get("/audit/v1/logs")).raise_for_status().json()["logs"]
        key: str = next(one["key"] for one in logs if one["id"] == LOG)
        return key

    def _client(self, client_id: str, user: dict[str, str], url: str) -> httpx.AsyncClient:
        """A signed-in client with connections of its own to one gateway."""
        with Client(self._settings.public_url, client_id, key_of(self._keys / f"{client_id}.pem"), user) as client:
            client.sign_in()
            token = client.http.headers["Authorization"]
        return httpx.AsyncClient(base_url=url, headers={"Authorization": token}, timeout=60)
