"""Why something did not arrive, and whether to try again: said by the type, at the edge that knows.

NotDelivered
├── TryAgain     the receiver was not there, was busy, failed, or said nothing: nobody knows whether it has it
│   └── NotSent  nothing of it left: no connection was made, so that it surely has not
└── Refused      it would be refused again, and the receiver does not have it
    └── Unknown  it knows nothing of what was to be changed or recalled
"""

from __future__ import annotations

from datetime import timedelta


class NotDelivered(Exception):
    """It did not arrive, as far as anybody can tell. `code` is one of few words; `after` is what was asked for."""

    def __init__(self, code: str, after: timedelta | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.after = after


class TryAgain(NotDelivered):
    """It may arrive later."""


class NotSent(TryAgain):
    """It may arrive later, and has not until now: no byte of it was sent."""


class Refused(NotDelivered):
    """It would not arrive later either."""


class Unknown(Refused):
    """The receiver has no referral that this could change or recall."""
