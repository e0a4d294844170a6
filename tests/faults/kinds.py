"""What a trial breaks, how often, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tests.faults.account import Account

ANSWERS_BETWEEN_FAULTS = 60  # at most; at least one


class Fault(StrEnum):
    """What is broken."""

    KILL = "gateway killed"
    BATCH = "gateway killed in a batch"
    DELIVERING = "gateway killed while delivering"
    MLLP = "gateway killed over MLLP in"
    DISK = "disk full"
    SERVER = "database server killed"
    CUT = "database connection cut"
    BACKEND = "database backend killed"
    CLOCK = "clock set back and forward"
    SUSPEND = "agreement suspended"


@dataclass(frozen=True)
class Plan:
    """One trial: which faults, how often; how many gateway processes share the database.

    `between` is how many answers, at most, lie between two faults, and how many come after the last. `forked` gateways
    are not started from the command line: seconds less each, which the short form has not.
    """

    engine: str
    faults: tuple[tuple[Fault, int], ...]
    seed: int
    gateways: int = 1
    between: int = ANSWERS_BETWEEN_FAULTS
    forked: bool = False

    @property
    def count(self) -> int:
        """How many faults in all."""
        return sum(count for _, count in self.faults)


@dataclass(frozen=True)
class Result:
    """What came of a trial. `done` counts the faults that were brought about."""

    plan: Plan
    account: Account
    done: int
    refused: int
    cut_off: int

    @property
    def passed(self) -> bool:
        """Whether every promise held."""
        return self.account.clean and self.done == self.plan.count
