"""What the gateway does over HTTP at 32 clients, in rounds that alternate with the floors so that noise hits both.

A figure is the median of its rounds; p50 and p99 are over all requests of all rounds.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.bench.figures import MILLISECONDS, PER_SECOND, Row, middle, percentile
from tests.bench.floor import POOL_SIZES
from tests.bench.load import Run, fire, push_and_find
from tests.bench.scale import CONNECTIONS, Scale
from tests.bench.stage import Stage, request

SEED = 20260412
TRIALS = 3  # rounds of each pool size of floor (a)
REFERENCE = '"reference":"([0-9a-f-]{36})"'
ROUND_MAX = 20_000  # requests held ready for one round, about 100 MB of bodies
AGAIN = 3  # how often each referral is read in `disclose`: opened by one adviser, and by the next shift


@dataclass
class Contestant:
    """One kind of request, and what its rounds came to. `make` gives about as many requests as asked for."""

    name: str
    port: int
    status: int
    make: Callable[[int], Sequence[bytes]]
    keep: str | None = None
    kept: deque[str] = field(default_factory=deque)
    each: int = 0
    rates: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)

    def warm(self, scale: Scale) -> None:
        """Run unmeasured, and learn how many requests a round takes."""
        run = self._fire(scale.warm_up)
        wanted = int(run.per_second * scale.round_seconds)
        self.each = min(max(wanted, scale.warm_up), ROUND_MAX)

    def round(self) -> None:
        """One measured round."""
        run = self._fire(self.each)
        self.rates.append(run.per_second)
        self.latencies += run.latencies

    def rows(self, engine: str, floor: Contestant | None) -> list[Row]:
        """Rate, p50 and p99, each beside the floor's."""
        shown = [Row(self.name, engine, self.rate, PER_SECOND, floor.rate if floor else None)]
        for percent in (50, 99):
            of_floor = floor.milliseconds(percent) if floor else None
            shown.append(
                Row(f"{self.name}_p{percent}", engine, self.milliseconds(percent), MILLISECONDS, of_floor),
            )
        return shown

    @property
    def rate(self) -> float:
        """The median rate of the rounds, a second."""
        return middle(self.rates)

    def milliseconds(self, percent: int) -> float:
        """A percentile of the latencies."""
        return percentile(self.latencies, percent) * 1000

    def _fire(self, number: int) -> Run:
        run = fire(self.port, self.make(number), connections=CONNECTIONS, status=self.status, keep=self.keep)
        self.kept.extend(run.kept)
        return run


def measure(stage: Stage, engine: str, scale: Scale) -> list[Row]:
    """Every figure over HTTP."""
    order = random.Random(SEED)
    threads = best_threads(stage, scale)
    kept = Contestant("floor_a", stage.floor_port, 201, lambda n: stage.pushes(n, "/kept/incidents"))
    read = Contestant("floor_b", stage.floor_port, 201, lambda n: stage.pushes(n, "/read/incidents"))
    accept = Contestant("accept", stage.port, 201, stage.pushes, keep=REFERENCE)

    def some(number: int) -> list[str]:
        """Referrals that nobody has opened; half of what is left at most, so that the next gets some."""
        return [accept.kept.popleft() for _ in range(max(1, min(number, len(accept.kept) // 2)))]

    def opened(number: int) -> list[bytes]:
        return [stage.get(f"/fhir/R4/ServiceRequest/{one}") for one in some(number)]

    def mixed(number: int) -> list[bytes]:
        found = opened(number // AGAIN) * AGAIN
        order.shuffle(found)
        return found

    def worklist(number: int) -> list[bytes]:
        return [stage.get("/fhir/R4/Task?status=requested&_count=20")] * number

    first = Contestant("disclose_first", stage.port, 200, opened)
    disclose = Contestant("disclose", stage.port, 200, mixed)
    tokens = Contestant("token_issue", stage.port, 200, stage.token_requests)
    pages = Contestant("worklist", stage.port, 200, worklist)
    contestants = (accept, kept, disclose, first, tokens, read, pages)
    for one in contestants:
        one.warm(scale)
    for _ in range(scale.rounds):
        for one in contestants:
            one.round()
    return [
        *accept.rows(engine, kept),
        Row("accept_of_floor_b", engine, accept.rate, PER_SECOND, read.rate),
        *disclose.rows(engine, kept),
        *first.rows(engine, kept),
        Row("disclose_of_floor_b", engine, disclose.rate, PER_SECOND, read.rate),
        *tokens.rows(engine, kept),
        *pages.rows(engine, None),
        Row("floor_a_threads", engine, threads, "threads"),
        *_visible(stage, engine, scale),
    ]


def best_threads(stage: Stage, scale: Scale) -> int:
    """The pool size at which floor (a) is fastest, left set."""
    trials = {
        size: Contestant("floor_a", stage.floor_port, 201, lambda n: stage.pushes(n, "/kept/incidents"))
        for size in POOL_SIZES
    }
    for _ in range(min(TRIALS, scale.rounds)):
        for size, trial in trials.items():
            _set_threads(stage, size)
            if not trial.each:
                trial.warm(scale)
            trial.round()
    # By its best round: other work on the machine only slows, and a size judged in a slow minute makes a low floor.
    best = max(trials, key=lambda size: max(trials[size].rates))
    _set_threads(stage, best)
    return best


def _set_threads(stage: Stage, number: int) -> None:
    fire(stage.floor_port, [request("POST", f"/threads/{number}")], connections=1, status=200)


def _visible(stage: Stage, engine: str, scale: Scale) -> list[Row]:
    """From a push's first byte to the answer of the team's worklist that shows its task."""
    before, _, after = stage.get("/fhir/R4/Task?_id=*").partition(b"*")
    rows: list[Row] = []
    for name, connections in (("push_to_visible", CONNECTIONS), ("push_to_visible_alone", 1)):
        number = scale.warm_up * (2 if connections > 1 else 1)
        run = push_and_find(
            stage.port, stage.pushes(number), (before, after), connections=connections, reference=REFERENCE
        )
        for percent in (50, 99):
            value = percentile(run.latencies, percent) * 1000
            rows.append(Row(f"{name}_p{percent}", engine, value, MILLISECONDS))
    return rows
