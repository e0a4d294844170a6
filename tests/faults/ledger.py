"""What the clients of a trial saw with their own eyes: every answer that came in whole, and nothing else.

It is kept outside the gateway, so that what the gateway says afterwards can be held against it.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

_RECEIPT = re.compile(r'log="(?P<log>[^"]+)", index=(?P<index>\d+), proof="[^"]+"')


@dataclass(frozen=True)
class Pushed:
    """A push that was answered with 2xx. `receipt` is the whole receipt as JSON."""

    serial: int
    key: str
    incident: str
    referrals: tuple[str, ...]
    receipt: dict[str, Any]

    @property
    def occurrence(self) -> str:
        """The sender's own name of the incident."""
        return f"04-2026-{self.serial:06d}"


@dataclass(frozen=True)
class Answered:
    """An answer that carried a receipt: the request's id, the index it names, the referrals it showed."""

    request: str
    index: int
    referrals: tuple[str, ...]
    disclosed: bool


@dataclass
class Ledger:
    """Everything seen. `completed` counts whole answers of any status."""

    pushed: dict[int, Pushed] = field(default_factory=dict)
    answered: list[Answered] = field(default_factory=list)
    changed: dict[str, int] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    surprises: list[str] = field(default_factory=list)
    completed: int = 0
    cut_off: int = 0
    _awaited: list[tuple[int, asyncio.Event]] = field(default_factory=list)

    def whole(self, answer: httpx.Response) -> None:
        """Note an answer that came in whole, and its receipt where it has one."""
        self.statuses[answer.status_code] += 1
        receipt = _RECEIPT.fullmatch(answer.headers.get("Gateway-Receipt", ""))
        if receipt:
            referrals = shown(answer)
            request = answer.headers["X-Request-Id"]
            self.answered.append(Answered(request, int(receipt["index"]), referrals, answer.request.method == "GET"))
        elif answer.is_success:
            self.surprises.append(f"{answer.request.method} was answered {answer.status_code} without a receipt")
        self.completed += 1
        for at, event in self._awaited:
            if self.completed >= at:
                event.set()

    def snapshot(self) -> Ledger:
        """What has been seen up to now, to hold something against that is looked at later."""
        return Ledger(pushed=dict(self.pushed), answered=list(self.answered), changed=dict(self.changed))

    async def more(self, count: int) -> None:
        """Return when so many more answers have come in."""
        event = asyncio.Event()
        self._awaited = [(at, one) for at, one in self._awaited if not one.is_set()]
        self._awaited.append((self.completed + count, event))
        await event.wait()

    def push(self, serial: int, key: str, answer: httpx.Response) -> None:
        """Note a push that was answered with 2xx; the same push must always be answered the same."""
        body = answer.json()
        referrals = tuple(one["reference"] for one in body["referrals"])
        known = self.pushed.setdefault(serial, Pushed(serial, key, body["incident"], referrals, body["receipt"]))
        if (known.incident, known.referrals) != (body["incident"], referrals):
            self.surprises.append(f"push {serial} was answered with another reference than before")


def shown(answer: httpx.Response) -> tuple[str, ...]:
    """The referrals whose data an answer shows."""
    body = answer.json()
    kind = body.get("resourceType")
    if kind == "Bundle":
        resources = [entry["resource"] for entry in body.get("entry", ())]
        return tuple(one["id"] for one in resources if one["resourceType"] in {"Task", "ServiceRequest"})
    return (body["id"],) if kind == "Task" else ()
