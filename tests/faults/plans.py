"""What `python -m tests.faults` runs: how often each fault is brought about, and one of them run in a process."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path

from tests.faults import calls, trial
from tests.faults.calls import Act, Calls, Stage
from tests.faults.disk import Way
from tests.faults.kinds import Fault, Plan
from tests.faults.table import Row, row_of

KILLS_EACH = 25  # of one trial: its log stays short enough to be looked at after each
DELIVERING_EACH = 20  # with each the clock goes on by minutes, and one token lasts the trial
WAYS = (
    (Way.EIO, False),
    (Way.EIO, True),
    (Way.ENOSPC, False),
    (Way.ENOSPC, True),
    (Way.SHORT, False),
    (Way.POWER_CUT, False),
)


def trials(engines: list[str], kills: int, seed: int, *, quick: bool) -> Iterator[Plan]:
    """The gateway in processes of its own, under load. The longest first: they end about together."""
    few = 1 if quick else 10
    for at, engine in enumerate(engines):
        left = kills // len(engines) + (kills % len(engines) if at == 0 else 0)
        for number, first in enumerate(range(0, left, KILLS_EACH)):
            yield Plan(engine, ((Fault.KILL, min(KILLS_EACH, left - first)),), seed + number)
    for engine in engines:
        left, gateways = (10 * few, 1) if engine == "sqlite" else (3 * few, 2)
        for number, first in enumerate(range(0, left, DELIVERING_EACH)):
            of = min(DELIVERING_EACH, left - first)
            yield Plan(engine, ((Fault.DELIVERING, of),), seed + number, gateways if number else 1)
    for engine in engines:
        yield Plan(engine, ((Fault.MLLP, 3 * few),), seed)
        yield Plan(engine, ((Fault.BATCH, 2 * few),), seed)
        yield Plan(engine, ((Fault.DISK, few),), seed)
        yield Plan(engine, ((Fault.CLOCK, few),), seed)
    if "postgresql" in engines:
        for fault, count in ((Fault.SERVER, few), (Fault.BACKEND, few), (Fault.CUT, 5 * few)):
            yield Plan("postgresql", ((fault, count),), seed)
        yield Plan("postgresql", ((Fault.KILL, 2 * few), (Fault.SUSPEND, few)), seed, gateways=2)


def series(seed: int, *, step: int) -> Iterator[Calls]:
    """SQLite's calls, one after another."""
    for way, persistent in WAYS:
        for stage in Stage:
            for act in Act:
                yield Calls(act, stage, way, persistent, seed, step)


def work(plan: Plan | Calls, template: Path) -> Row:
    """Run one, in a process of the pool."""
    logging.disable()  # what the gateway says of each refusal is expected here
    began = time.monotonic()
    result = trial.run(plan, template) if isinstance(plan, Plan) else calls.run(plan, template)
    return row_of(result, time.monotonic() - began)
