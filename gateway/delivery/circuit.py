"""When an endpoint that fails is left alone: closed, open, half-open (M. Nygard, Release It!, "Circuit Breaker").

Pure. Failures one after another open the circuit for a while, longer each time up to a cap; then one delivery tries,
and what comes of it closes the circuit or opens it again. An endpoint that names a time itself is left alone until
then. The circuit stands in the endpoint's row, so that every gateway over one database leaves it alone, and a restart
changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from audit.entry import timestamp
from gateway.delivery.policy import AFTER_MAX

OPEN_AFTER = 5  # failures one after another: one alone may be of its message, five are of the endpoint
FIRST = timedelta(seconds=30)
LONGEST = timedelta(minutes=15)  # an endpoint that is back gets what waits within a quarter of an hour


@dataclass(frozen=True, slots=True)
class Circuit:
    """How an endpoint has answered: failures one after another, and until when it is left alone (UTC text)."""

    failures: int
    open_until: str | None

    def is_open(self, now: datetime) -> bool:
        """Whether nothing is sent now. What is further ahead than any wait is of a clock that was set back."""
        until = self.open_until
        return until is not None and timestamp(now) < until <= timestamp(now + 2 * AFTER_MAX)

    @property
    def is_probing(self) -> bool:
        """Whether one delivery at a time may try, to see whether the endpoint is back."""
        return self.failures >= OPEN_AFTER

    def failed(self, now: datetime, after: timedelta | None) -> Circuit:
        """The circuit once more after a failure; `after` is what the endpoint asked for."""
        failures = self.failures + 1
        beyond = failures - OPEN_AFTER
        rest = min(FIRST * 2 ** min(beyond, _DOUBLINGS), LONGEST) if beyond >= 0 else timedelta()
        rest = max(rest, after or timedelta())
        return Circuit(failures, timestamp(now + rest) if rest else None)

    def answered(self) -> Circuit:
        """The circuit after an answer of any kind: the endpoint is there."""
        return CLOSED


CLOSED = Circuit(0, None)
_DOUBLINGS = 8  # beyond, the cap holds anyway
