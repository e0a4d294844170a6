"""One trial: a gateway under load on one engine, killed at random moments and started again, then held to account.

The moments are numbers of answers, drawn from the seed; what the server is doing then is up to the machine.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from gateway.demo.client import Client, key_of
from gateway.demo.run import ADVISER, AUDITOR, LOG, OFFICER
from gateway.demo.setting import free_port, prepared, settings_of
from gateway.settings import Settings
from tests.faults.account import Account, settle
from tests.faults.ledger import Ledger
from tests.faults.load import Load
from tests.faults.server import Server
from tests.support.postgres import Postgres, running

ANSWERS_BETWEEN_FAULTS = 60  # at most; at least one
TURNS = 40  # of the event loop, at most, between the answer and the kill: so that kills do not all follow a commit
REFUSALS = 5  # 503s to be seen before a lost database or disk comes back


@dataclass(frozen=True)
class Plan:
    """How often what is broken: the gateway killed, its database server killed, its disk full."""

    engine: str
    kills: int
    seed: int
    database_kills: int = 0
    full_disks: int = 0


@dataclass(frozen=True)
class Result:
    """What came of a trial."""

    plan: Plan
    account: Account
    restarts: int
    refused: int
    cut_off: int

    @property
    def passed(self) -> bool:
        """Whether every promise held."""
        return self.account.clean and self.restarts == self.plan.kills


def run(plan: Plan) -> Result:
    """Run a trial. Skips where the engine is not installed."""
    with tempfile.TemporaryDirectory(prefix="provide-faults-") as folder, _database(plan.engine) as (postgres, url):
        more = {"database_url": url} if url else {}
        # One token lasts the trial: signing in again is not what is tried here.
        settings = settings_of(Path(folder) / "data", free_port(), token_lifetime_seconds=3600, **more)
        return asyncio.run(_Trial(plan, settings, postgres).run())


@contextmanager
def _database(engine: str) -> Iterator[tuple[Postgres | None, str | None]]:
    if engine == "sqlite":
        yield None, None
        return
    with running(durable=True) as server:
        yield server, server.create("gateway")


class _Trial:
    def __init__(self, plan: Plan, settings: Settings, postgres: Postgres | None) -> None:
        self._plan = plan
        self._settings = settings
        self._postgres = postgres
        self._chance = random.Random(plan.seed)
        self._keys = settings.data_dir / "clients"
        self._ledger = Ledger()
        self._server = Server(settings)

    async def run(self) -> Result:
        """1. Set up. 2. Break things under load. 3. Hold the gateway to account, over HTTP and in its database."""
        await asyncio.to_thread(prepared, self._settings, self._keys)
        await self._server.start()
        try:
            async with self._client("demo-rms", OFFICER) as police, self._client("demo-hospital", ADVISER) as hospital:
                load = Load(police, hospital, self._ledger, self._chance)
                load.up.set()
                load.start()
                await self._break(load)
                await load.stop()
                async with self._client("demo-auditor", AUDITOR) as auditor:
                    pinned, pack = await self._evidence(auditor)
                    account = await settle(self._settings, self._ledger, load, pinned, pack)
        finally:
            await self._server.stop()
        refused = self._ledger.statuses[httpx.codes.SERVICE_UNAVAILABLE]
        return Result(self._plan, account, self._server.starts - 1, refused, self._ledger.cut_off)

    async def _break(self, load: Load) -> None:
        plan = self._plan
        faults = [*[self._kill] * plan.kills, *[self._lose_database] * plan.database_kills]
        faults += [self._lose_disk] * plan.full_disks
        self._chance.shuffle(faults)
        for fault in faults:
            await self._ledger.more(self._chance.randrange(1, ANSWERS_BETWEEN_FAULTS))
            for _ in range(self._chance.randrange(TURNS)):
                await asyncio.sleep(0)
            await fault(load)
        await self._ledger.more(ANSWERS_BETWEEN_FAULTS)

    async def _kill(self, load: Load) -> None:
        load.up.clear()
        await self._server.kill()
        await self._server.start()
        load.up.set()

    async def _lose_database(self, _: Load) -> None:
        if self._postgres is not None:
            await asyncio.to_thread(self._postgres.kill)
            await self._refusals()
            await asyncio.to_thread(self._postgres.start)

    async def _lose_disk(self, _: Load) -> None:
        self._server.fill_disk()
        await self._refusals()
        self._server.free_disk()

    async def _refusals(self) -> None:
        """Return when clients have been refused for want of somewhere to seal."""
        wanted = self._ledger.statuses[httpx.codes.SERVICE_UNAVAILABLE] + REFUSALS
        while self._ledger.statuses[httpx.codes.SERVICE_UNAVAILABLE] < wanted:
            await self._ledger.more(1)

    async def _evidence(self, auditor: httpx.AsyncClient) -> tuple[str, bytes]:
        """The log's key and its pack, as the auditor gets them; what is no pack will not verify."""
        logs = (await auditor.get("/audit/v1/logs")).raise_for_status().json()["logs"]
        pack = (await auditor.get(f"/audit/v1/logs/{LOG}/pack")).content
        return next(one["key"] for one in logs if one["id"] == LOG), pack

    def _client(self, client_id: str, user: dict[str, str]) -> httpx.AsyncClient:
        """A signed-in client with connections of its own."""
        with Client(self._settings.public_url, client_id, key_of(self._keys / f"{client_id}.pem"), user) as client:
            client.sign_in()
            token = client.http.headers["Authorization"]
        return httpx.AsyncClient(base_url=self._settings.public_url, headers={"Authorization": token}, timeout=60)
