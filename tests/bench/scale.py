"""How much is measured: the full run, and a quick one whose figures are rougher."""

from __future__ import annotations

from dataclasses import dataclass

CONNECTIONS = 32
"""Clients at once, as the issue of the benchmark has it."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Sizes of a run. A round of one contestant lasts about `round_seconds`; rounds of all contestants alternate."""

    rounds: int
    round_seconds: float
    warm_up: int
    log_sizes: tuple[int, ...]
    sealed: int
    cold_starts: int
    people: int
    cases: int


FULL = Scale(
    rounds=5,
    round_seconds=2.0,
    warm_up=256,
    log_sizes=(10**3, 10**5, 10**6),
    sealed=20_000,
    cold_starts=3,
    people=100_000,
    cases=10_000,
)
QUICK = Scale(
    rounds=3,
    round_seconds=0.7,
    warm_up=128,
    log_sizes=(10**3, 10**5),
    sealed=5_000,
    cold_starts=3,
    people=10_000,
    cases=10_000,
)
