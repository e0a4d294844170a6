"""The clients of a trial: record systems that push, a hospital that reads and answers, all at once, all stubborn.

A client that gets no whole answer, or 503, sends the same request again, as its standards tell it to: the push under
the same idempotency key. What it saw goes into the ledger.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from tests.bench.households import household_incident
from tests.faults.ledger import Ledger

JSON_API = "application/vnd.api+json"
JSON_PATCH = "application/json-patch+json"
BACK_OFF_SECONDS = 0.05  # far less than Retry-After says: stubborn, but the server gets a word in
RESTING_SECONDS = 1.0  # of each client between two requests, for as long as a process takes to start
PUSHERS, READERS, CHANGERS = 6, 3, 2


@dataclass
class Door:
    """One gateway process as the clients reach it. `up` is cleared while there is nobody to talk to."""

    police: httpx.AsyncClient
    hospital: httpx.AsyncClient
    up: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Load:
    """The clients at work between `start` and `stop`.

    `in_force` is cleared while the agreement is suspended: what is held then is sent again when it is set. Where the
    gateway's clock is off, or the agreement may be suspended, clients take it that a token or a task is refused.
    """

    doors: list[Door]
    ledger: Ledger
    chance: random.Random
    refusals_are_right: frozenset[int] = frozenset()
    in_force: asyncio.Event = field(default_factory=asyncio.Event)
    _serial: int = 0
    _resting: bool = False
    _stopping: bool = False
    _at_work: list[asyncio.Task[None]] = field(default_factory=list)

    def start(self) -> None:
        """Set every client to work."""
        for number, act in enumerate((*[self._push] * PUSHERS, *[self._read] * READERS, *[self._change] * CHANGERS)):
            chance = random.Random(f"{self.chance.random()} {number}")
            self._at_work.append(asyncio.create_task(self._repeat(act, chance)))

    async def stop(self) -> None:
        """Let every client finish what it is at."""
        self._stopping = True
        await asyncio.gather(*self._at_work)

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Ask less for a while: all that is sent while nothing happens is sent again when accounts are settled."""
        self._resting = True
        try:
            yield
        finally:
            self._resting = False

    async def push(self, serial: int) -> httpx.Response:
        """Push an incident until it is answered."""
        key = f"push-{serial}"
        headers = {"Content-Type": JSON_API, "Idempotency-Key": key}
        while True:
            document = household_incident(serial)  # one pair's hundreds of incidents would be linked, and little else
            answer = await self._ask("police", "POST", "/police/v1/incidents", json=document, headers=headers)
            if answer.status_code != httpx.codes.ACCEPTED:  # held, while the agreement is suspended
                break
            await self.in_force.wait()
        if answer.is_success:
            self.ledger.push(serial, key, answer)
        else:
            self._surprise(answer)
        return answer

    async def read(self, door: Door, referral: str) -> httpx.Response:
        """Ask one gateway for a referral, once."""
        answer = await door.hospital.get(_REFERRAL, params=_asked(referral))
        self.ledger.whole(answer)
        return answer

    async def _repeat(self, act: Callable[[random.Random], Awaitable[None]], chance: random.Random) -> None:
        while not self._stopping:
            await act(chance)
            if self._resting:
                await asyncio.sleep(RESTING_SECONDS)

    async def _push(self, _: random.Random) -> None:
        self._serial += 1
        await self.push(self._serial)

    async def _read(self, chance: random.Random) -> None:
        known = self._known(chance)
        if known is None or chance.random() < 0.5:
            answer = await self._ask("hospital", "GET", "/fhir/R4/Task?_count=20")
        else:
            answer = await self._ask("hospital", "GET", _REFERRAL, params=_asked(known))
        if not answer.is_success:
            self._surprise(answer)

    async def _change(self, chance: random.Random) -> None:
        """Accept a referral, or start work on it, at the version just read."""
        known = self._known(chance)
        if known is None:
            await self._read(chance)
            return
        read = await self._ask("hospital", "GET", f"/fhir/R4/Task/{known}")
        if not read.is_success:
            self._surprise(read)
            return
        task = read.json()
        status = {"requested": "accepted", "accepted": "in-progress"}.get(task["status"])
        if status is None:
            return
        answer = await self._ask(
            "hospital",
            "PATCH",
            f"/fhir/R4/Task/{known}",
            content=json.dumps([{"op": "replace", "path": "/status", "value": status}]),
            headers={"If-Match": f'W/"{task["meta"]["versionId"]}"', "Content-Type": JSON_PATCH},
        )
        if answer.is_success:
            version = int(task["meta"]["versionId"].partition("-")[0]) + 1
            self.ledger.changed[known] = max(version, self.ledger.changed.get(known, 0))
        elif answer.status_code != httpx.codes.PRECONDITION_FAILED:  # changed already: by another, or by us, unheard
            self._surprise(answer)

    def _known(self, chance: random.Random) -> str | None:
        """A referral that somebody was told of."""
        pushed = self.ledger.pushed
        return pushed[chance.choice(list(pushed))].referrals[0] if pushed else None

    async def _ask(self, who: str, method: str, path: str, **options: object) -> httpx.Response:
        """Send a request until it is answered: by any gateway that is up, as a balancer in front would."""
        while True:
            door = self.chance.choice([door for door in self.doors if door.up.is_set()] or self.doors)
            await door.up.wait()
            client: httpx.AsyncClient = getattr(door, who)
            try:
                answer = await client.request(method, path, **options)  # type: ignore[arg-type]  # httpx's own options
            except httpx.TransportError:
                self.ledger.cut_off += 1
                continue
            self.ledger.whole(answer)
            again = {httpx.codes.SERVICE_UNAVAILABLE, *(self.refusals_are_right & {httpx.codes.UNAUTHORIZED})}
            if answer.status_code not in again:
                return answer
            await asyncio.sleep(BACK_OFF_SECONDS)

    def _surprise(self, answer: httpx.Response) -> None:
        if answer.status_code in self.refusals_are_right:
            return
        request = answer.request
        self.ledger.surprises.append(f"{request.method} {request.url.path} was answered {answer.status_code}")


_REFERRAL = "/fhir/R4/ServiceRequest"


def _asked(referral: str) -> dict[str, str]:
    return {"_id": referral, "_include": "ServiceRequest:subject"}
