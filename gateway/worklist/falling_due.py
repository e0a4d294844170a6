"""Which shift a case falls to: by when its first clock runs out, seen from whose turn it is now.

    any         whenever it runs out, or no clock runs
    overdue     it has run out
    this-shift  it runs out before somebody else takes over, or has: what must be done before one goes
    next-shift  it runs out in the turn after that: what is handed over
    later       it runs out after that, or no clock runs

Pure. A team without shifts (`always`) has no turns, and everything is `any`.

Source: domain.md section 4.1 (working hours matter).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.shifts import Turns


class Falls(StrEnum):
    """To which shift a case falls."""

    ANY = "any"
    OVERDUE = "overdue"
    THIS = "this-shift"
    NEXT = "next-shift"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Window:
    """When the first clock of a case runs out: from one instant up to, but not including, another; None is no bound.

    A window without an end holds the cases in which no clock runs, too.
    """

    after: datetime | None = None
    before: datetime | None = None


def window(falls: Falls, turns: Turns | None, now: datetime) -> Window:
    """The window of a shift at an instant."""
    if turns is None:
        return Window()
    return {
        Falls.ANY: Window(),
        Falls.OVERDUE: Window(before=now),
        Falls.THIS: Window(before=turns.over),
        Falls.NEXT: Window(turns.over, turns.next_over),
        Falls.LATER: Window(turns.next_over),
    }[falls]
