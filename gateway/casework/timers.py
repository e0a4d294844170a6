"""The clocks of a case: which change starts and stops which, when each runs out, and what it does before.

Pure. How long is for the agreement to say (`clocks`); its working days count for it. Three quarters of the way, and a
day before at the latest, the team is reminded; where a clock would run out while nobody is there, whoever is on call is
told as soon as the last shift ends; at the end it has lapsed, and that is said.

    acknowledge          from the offer until somebody has taken it          the agreement's, by grade
    first-contact        from the offer until she was first tried            the agreement's, by grade
    next-attempt         from an attempt that did not reach her              the agreement's `review`, by grade
    review               from the day she could not, or not safely, be tried the agreement's `review`, by grade
    safety-plan-review   from the plan, on the day it says
    marac-feedback       from the conference, two working days               domain.md section 1.8
    flag-review          from the end of the case, twelve months             domain.md section 4.1, step 14

Corrections that nobody has taken have the clock of their notice (`notices`).

Source: domain.md sections 1.8, 1.9, 4.1 (steps 6 to 9, 13, 14).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from gateway.agreement.content import Clocks
from gateway.agreement.words import UNKNOWN
from gateway.casework.codes import Result
from gateway.casework.effects import Happened
from gateway.casework.states import NEXT_STATUS
from gateway.clock import clock
from gateway.london import LONDON, day_of
from gateway.shifts import Shifts
from mappings.referral import ReferralState as State
from mappings.referral import ReferralStatus as Status


class Kind(StrEnum):
    """Every clock of a case."""

    ACKNOWLEDGE = "acknowledge"
    FIRST_CONTACT = "first-contact"
    NEXT_ATTEMPT = "next-attempt"
    REVIEW = "review"
    SAFETY_PLAN_REVIEW = "safety-plan-review"
    MARAC_FEEDBACK = "marac-feedback"
    FLAG_REVIEW = "flag-review"


class Stage(StrEnum):
    """What a clock does: it reminds, it calls whoever is on call, it lapses."""

    REMIND = "remind"
    ESCALATE = "escalate"
    LAPSE = "lapse"


ESCALATING = frozenset({Kind.ACKNOWLEDGE, Kind.FIRST_CONTACT, Kind.NEXT_ATTEMPT})
"""The clocks that do not wait for the morning: while they run, nobody has reached her."""

DAY_ENDS = time(17, 0)
"""When a day is over on which something is to be done, in London: while there is still somebody to do it."""

FEEDBACK_CLOCK = clock("2 working days")  # domain.md section 1.8: she hears what came of the conference
WINDOW = timedelta(days=365)  # domain.md section 4.1, step 14: the flag, and what counts as a repeat


@dataclass(frozen=True, slots=True)
class Start:
    """A clock that starts: which, and when it runs out (aware)."""

    kind: Kind
    due: datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """What a change does to the clocks of a case: those of a kind that run are stopped before new ones start."""

    stop: frozenset[Kind] = frozenset()
    start: tuple[Start, ...] = ()


Stands = tuple[Status, State]
"""Where a referral stands: as a task, and as work."""

EVERY = frozenset(Kind)
UNANSWERED = frozenset({Status.REQUESTED, Status.RECEIVED})
"""While nobody has taken a referral."""
_TRYING = frozenset({State.OFFERED, State.ACKNOWLEDGED, State.CONTACTING})
_OUT_OF_REACH = frozenset({State.UNABLE_TO_CONTACT, State.UNSAFE_TO_CONTACT})
_REACHING = frozenset({Kind.FIRST_CONTACT, Kind.NEXT_ATTEMPT, Kind.REVIEW})


def offered(clocks: Clocks | None, grade: str | None, respond_by: datetime | None, now: datetime) -> tuple[Start, ...]:
    """The clocks of a referral that is offered now, or of one whose grade has changed since."""
    starts = [Start(Kind.ACKNOWLEDGE, respond_by)] if respond_by else []
    return (*starts, *_by_grade(Kind.FIRST_CONTACT, clocks, grade, now))


def changed(
    before: Stands, after: Stands, done: Sequence[Happened], clocks: Clocks | None, grade: str | None, now: datetime
) -> Plan:
    """What a change does to the clocks, whichever way it was said: it depends on nothing but what was done."""
    (was, was_state), (status, state) = before, after
    if not NEXT_STATUS[status]:
        return _over(was, status, now)
    attempts = [one for one in done if one.kind == "contact-attempt"]
    moved = state is not was_state
    settled = moved and state not in _TRYING
    stop = {Kind.ACKNOWLEDGE} if was in UNANSWERED and status not in UNANSWERED else set[Kind]()
    again = moved and was_state in _OUT_OF_REACH
    stop |= _REACHING if attempts or settled or again else set()
    start: list[Start] = []
    if (attempts or again) and state in _TRYING:
        reached = bool(attempts) and attempts[-1].codes.get("result") == Result.REACHED
        start += _by_grade(Kind.REVIEW if reached else Kind.NEXT_ATTEMPT, clocks, grade, now)
    elif settled and state in _OUT_OF_REACH:
        start += _by_grade(Kind.REVIEW, clocks, grade, now)
    for one in done:
        if one.kind in _ENDS:
            stop.add(_ENDS[one.kind])
            start = [other for other in start if other.kind is not _ENDS[one.kind]]
        start += _dated(one, clocks)
    return Plan(frozenset(stop), tuple(start))


def stages(
    kind: Kind, started: datetime, due: datetime, shifts: Shifts, closed: AbstractSet[date]
) -> dict[Stage, datetime]:
    """When a clock does what before it lapses, in UTC."""
    found = {Stage.REMIND: max(started + (due - started) * _REMINDED_AFTER, due - _REMINDED_AT_LEAST)}
    alone = shifts.alone_from(started, due, closed) if kind in ESCALATING else None
    return found if alone is None else {**found, Stage.ESCALATE: alone}


def day_end(day: date) -> datetime:
    """The instant by which something of a day is to be done, in UTC."""
    return datetime.combine(day, DAY_ENDS, LONDON).astimezone(UTC)


_REMINDED_AFTER = 0.75
_REMINDED_AT_LEAST = timedelta(days=1)

_ENDS: Mapping[str, Kind] = {
    "safety-plan": Kind.SAFETY_PLAN_REVIEW,
    "marac-heard": Kind.MARAC_FEEDBACK,
    "marac-feedback": Kind.MARAC_FEEDBACK,
}
"""The clocks of a day that an act names, and that ends by the same act or by its answer."""


def _over(was: Status, status: Status, now: datetime) -> Plan:
    """A case that is over has one clock, which began when it ended."""
    if was is status:
        return Plan()
    flag = (Start(Kind.FLAG_REVIEW, day_end(day_of(now + WINDOW))),) if status is Status.COMPLETED else ()
    return Plan(EVERY, flag)


def _by_grade(kind: Kind, clocks: Clocks | None, grade: str | None, now: datetime) -> list[Start]:
    if clocks is None:
        return []
    stated = clocks.first_contact if kind is Kind.FIRST_CONTACT else clocks.review
    text = stated.get(grade or UNKNOWN)  # type: ignore[call-overload]  # a grade is its own word
    return [Start(kind, clock(text).from_(now, frozenset(clocks.closed)))] if text else []


def _dated(one: Happened, clocks: Clocks | None) -> list[Start]:
    """The clock of a day that an act names."""
    if one.kind == "safety-plan" and "review_on" in one.codes:
        return [Start(Kind.SAFETY_PLAN_REVIEW, day_end(date.fromisoformat(one.codes["review_on"])))]
    if one.kind == "marac-heard":
        heard = day_end(date.fromisoformat(one.codes["on"]))
        return [Start(Kind.MARAC_FEEDBACK, FEEDBACK_CLOCK.from_(heard, frozenset(clocks.closed if clocks else ())))]
    return []
