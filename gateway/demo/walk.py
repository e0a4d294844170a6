"""What the steps of the walk share: who takes part, what is said and found, and what must come out of each answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx

from gateway.demo.client import Client
from gateway.demo.engine import Engine
from gateway.demo.pds_process import PdsProcess

T = TypeVar("T")

LOG = "operation-provide"
JSON_API = "application/vnd.api+json"
ADVISER = {"id": "idva-0042", "role": "idva"}
OFFICER = {"id": "collar-1234", "role": "officer-in-case"}
GUARDIAN = {"id": "caldicott-1", "role": "caldicott-guardian"}
AUDITOR = {"id": "auditor-7", "role": "auditor"}
WAIT_SECONDS = 30.0  # for what the gateway does by its own clock, in seconds at most


class DemoFailed(Exception):
    """A step did not come out as it must."""


@dataclass
class Walk:
    """One walk: what it says, and what it found. `measured` is the referral that was timed."""

    quiet: bool
    work: Path
    found: dict[str, Any] = field(default_factory=dict)
    measured: str = ""
    step: int = 0

    def say(self, title: str, *lines: str) -> None:
        """Tell the visitor of a step."""
        self.step += 1
        if not self.quiet:
            print(f"\n{self.step:>2}. {title}")  # noqa: T201 - the demonstration speaks
            for line in lines:
                print(f"    {line}")  # noqa: T201 - as above


@dataclass
class Cast:
    """Who takes part. `heard` holds every body that police were answered with."""

    police: Client
    hospital: Client
    guardian: Client
    auditor: Client
    engine: Engine
    pds: PdsProcess
    mllp_port: int
    heard: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Listen to what police are answered, and sign everybody in."""

        def hear(answer: httpx.Response) -> None:
            answer.read()
            self.heard.append(answer.text)

        self.police.http.event_hooks = {"response": [hear]}
        for one in (self.police, self.hospital, self.guardian, self.auditor):
            one.sign_in()


def expect(answer: httpx.Response, status: int, what: str) -> None:
    """Raise DemoFailed unless an answer has this status."""
    if answer.status_code != status:
        raise DemoFailed(f"{what}: {answer.status_code} instead of {status}: {answer.text[:500]}")


def until(look: Callable[[], T | None], what: str) -> T:
    """What `look` comes to, once it comes to something. Raises DemoFailed where it does not in time."""
    ends = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < ends:
        found = look()
        if found is not None:
            return found
        time.sleep(0.1)  # each look is sealed: more of them would tell no more
    raise DemoFailed(f"{what}: it did not come in {WAIT_SECONDS:.0f} s")
