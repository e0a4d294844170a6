"""Why a push did not arrive, and whether to try again: said by the type, at the edge that knows.

NotDelivered
├── TryAgain   the receiver was not there, was busy, or failed: connection, time, 408, 429, 5xx
└── Refused    it would be refused again: any other answer, or an address nothing may be pushed to
"""

from __future__ import annotations

from datetime import timedelta


class NotDelivered(Exception):
    """A push did not arrive, as far as anybody can tell. `code` is one of few words; `after` is what was asked for."""

    def __init__(self, code: str, after: timedelta | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.after = after


class TryAgain(NotDelivered):
    """It may arrive later."""


class Refused(NotDelivered):
    """It would not arrive later either."""
