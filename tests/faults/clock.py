"""A clock that jumps, by an hour or a day, back or forward, and returns: what must hold all the while.

The log's time never runs backwards, a token that has expired buys nothing, an assertion buys one token only whatever
the clock says, and when the clock is right again the load goes on under the tokens it had.
"""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import httpx

from gateway.demo.client import ASSERTION_TYPE, Client, key_of
from gateway.demo.run import OFFICER
from gateway.settings import Settings
from tests.faults.load import Load
from tests.faults.server import Server

HOUR, DAY = 3600, 86_400
JUMPS = (-HOUR, -DAY, HOUR, DAY)
ANSWERS = 12  # to be seen while the clock is off


class Clockwork:
    """Turns the clock of one gateway, and asks for tokens meanwhile."""

    def __init__(self, settings: Settings, keys: Path, server: Server, chance: random.Random) -> None:
        self._server = server
        self._client = Client(settings.public_url, "demo-rms", key_of(keys / "demo-rms.pem"), OFFICER)
        self._chance = chance

    async def turn(self, load: Load) -> list[str]:
        """Turn it, once, and back; returns what was not as it must be."""
        misses: list[str] = []
        by = self._chance.choice(JUMPS)
        used = self._client.assertion()
        first = await self._token(used)
        fresh = self._client.assertion()
        self._server.turn_clock(by)
        await load.ledger.more(ANSWERS)
        if self._chance.random() < 0.5:  # started anew, it knows the time only from its clock and its log
            load.doors[0].up.clear()
            await self._server.kill()
            with load.resting():
                await self._server.start(skewed_clock=True)
            load.doors[0].up.set()
        if (await self._token(fresh)).is_success:
            misses.append(f"an assertion of another time was taken, the clock off by {by} s")
        if by > 0 and first.is_success and (await self._asked(first.json()["access_token"])) != 401:
            misses.append(f"a token that has expired was taken, the clock off by {by} s")
        self._server.turn_clock(0)
        if (await self._token(used)).is_success:
            misses.append(f"an assertion bought a second token after the clock was off by {by} s")
        await load.ledger.more(ANSWERS)
        return misses

    async def _token(self, assertion: str) -> httpx.Response:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
        }
        return await asyncio.to_thread(httpx.post, f"{self._server.url}/oauth2/token", data=form)

    async def _asked(self, token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        answer = await asyncio.to_thread(httpx.get, f"{self._server.url}/police/v1/feedback", headers=headers)
        return answer.status_code
