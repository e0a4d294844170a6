"""What a worklist says of shifts: whose turn it is, how many cases fall to each, and what is to be handed over.

A number is of cases that the asker may see, each decided, as far as `COUNTED_MAX`: it tells nothing of a case that the
list would not show (P8). Whoever shows it seals how many were counted.

Source: domain.md section 4.1 (working hours matter: six IDVAs cannot cover 24x7).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from gateway.casework.rota import on_call_for
from gateway.decide import Decision, Outcome
from gateway.disclosure import Opened, judged_of
from gateway.evidence import Caller
from gateway.settings import Settings
from gateway.shifts import Turns, shifts
from gateway.shown import ROW_ITEMS
from gateway.terms import Standing
from gateway.ties import Ties, ties_of
from gateway.worklist.falling_due import Falls, Window, window
from gateway.worklist.order import Asked, Whose, ordered_rows

COUNTED_MAX = 50
"""Cases that are decided to say how many fall to a shift, some 40 us each; beyond, it is that many or more."""


@dataclass(frozen=True, slots=True)
class Number:
    """How many; with `more`, at least so many."""

    of: int
    more: bool

    def __add__(self, other: Number) -> Number:
        return Number(self.of + other.of, self.more or other.more)


@dataclass(frozen=True, slots=True)
class OnShift:
    """The shifts as a worklist shows them at an instant.

    `falls` are the numbers of the part of the list that was asked for; `own_next` is how many of the asker's own cases
    fall to the next shift. `on_call` is looked up while nobody is there. `moves_at` is when any of it is otherwise by
    the clock alone.
    """

    turns: Turns
    falls: Mapping[Falls, Number]
    own_next: Number
    on_call: str | None
    moves_at: datetime

    @property
    def counted(self) -> int:
        """How many cases were counted."""
        return self.falls[Falls.THIS].of + self.falls[Falls.NEXT].of


def turns_of(settings: Settings, standing: Standing, now: datetime) -> Turns | None:
    """Whose turn it is under an agreement; None for a team that is always there."""
    content = standing.content
    return shifts(settings.shifts).turns(now, frozenset(content.clocks.closed if content else ()))


def on_shift(
    connection: Connection, caller: Caller, asked: Asked, standing: Standing, log_id: str, turns: Turns, now: datetime
) -> OnShift:
    """The shifts for a part of a caller's list, which is not that of closed cases."""

    def number(due: Window, whose: Whose = asked.whose) -> tuple[Number, datetime | None]:
        """How many of a window the caller may see, and when the first of them runs out."""
        part = replace(asked, whose=whose, page=1)
        waiting, more = ordered_rows(connection, caller, part, log_id, due, COUNTED_MAX)
        ties = ties_of(connection.execute, caller, log_id, [one.row for one in waiting])
        seen = [one.due for one in waiting if _shows(judged_of(one.row, standing, ties, now)[1])]
        return Number(len(seen), more), seen[0] if seen else None

    overdue, _ = number(window(Falls.OVERDUE, turns, now))
    in_time, first = number(Window(now, turns.over))
    next_, _ = number(window(Falls.NEXT, turns, now))
    mine = next_ if asked.whose is Whose.MINE else number(window(Falls.NEXT, turns, now), Whose.MINE)[0]
    away = turns.ends is None
    return OnShift(
        turns=turns,
        falls={Falls.OVERDUE: overdue, Falls.THIS: overdue + in_time, Falls.NEXT: next_},
        own_next=mine,
        on_call=on_call_for(connection, log_id, caller.organisation, caller.recipient or "", now) if away else None,
        moves_at=min(filter(None, (first, turns.ends, turns.over))),
    )


def opened_row(row: Row[Any], standing: Standing, ties: Ties, now: datetime) -> Opened | None:
    """A row of the worklist as far as the caller may see it; None where they may not see it at all."""
    facts, decision = judged_of(row, standing, ties, now)
    if not _shows(decision):
        return None
    return Opened(row, facts, decision.narrow(ROW_ITEMS), withheld=False, matches=(), included=())


def _shows(decision: Decision) -> bool:
    return decision.outcome is Outcome.PERMITTED and not ROW_ITEMS.isdisjoint(decision.ruling.methods)
