"""The clocks of a case: what starts and stops them, when they remind, and when nobody is there. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.agreement import shipped
from gateway.agreement_check import check
from gateway.casework.effects import Happened
from gateway.casework.timers import EVERY, Kind, Plan, Stage, changed, day_end, offered, stages
from gateway.shifts import Shifts, bank_holidays, shifts
from mappings.referral import ReferralState as State
from mappings.referral import ReferralStatus as Status
from tests.support.agreements import edited

LONDON = ZoneInfo("Europe/London")
NOW = datetime(2026, 4, 13, 9, 0, tzinfo=UTC)  # a Monday
CLOCKS = shipped().content.clocks
NEVER = Shifts(((),) * 7)
OFFICE = shifts("mon-fri 08:00-18:00")

REQUESTED, TAKEN, TRYING = (
    (Status.REQUESTED, State.OFFERED),
    (Status.ACCEPTED, State.ACKNOWLEDGED),
    (Status.IN_PROGRESS, State.CONTACTING),
)
ENGAGED = (Status.IN_PROGRESS, State.ENGAGED)
UNABLE = (Status.IN_PROGRESS, State.UNABLE_TO_CONTACT)
CLOSED = (Status.COMPLETED, State.CLOSED)


def did(kind: str, **codes: object) -> Happened:
    return Happened(kind, NOW, codes, {})


MISSED, REACHED = did("contact-attempt", result="no-answer"), did("contact-attempt", result="reached")


def plan(
    before: tuple[Status, State], after: tuple[Status, State], *done: Happened, grade: str | None = "high"
) -> Plan:
    return changed(before, after, done, CLOCKS, grade, NOW)


def kinds(one: Plan) -> tuple[set[Kind], set[Kind]]:
    return set(one.stop), {start.kind for start in one.start}


def test_an_offer_has_two_clocks_by_its_grade() -> None:
    respond_by = NOW + timedelta(hours=1)
    high = offered(CLOCKS, "high", respond_by, NOW)
    assert [(one.kind, one.due - NOW) for one in high] == [
        (Kind.ACKNOWLEDGE, timedelta(hours=1)),
        (Kind.FIRST_CONTACT, timedelta(hours=24)),
    ]
    assert offered(CLOCKS, None, respond_by, NOW) == high  # an unknown grade is never taken for a low one
    assert offered(CLOCKS, "medium", respond_by, NOW)[1].due == NOW + timedelta(days=2)
    assert offered(None, "high", None, NOW) == ()


REACHING = {Kind.FIRST_CONTACT, Kind.NEXT_ATTEMPT, Kind.REVIEW}


@pytest.mark.parametrize(
    ("before", "after", "done", "stopped", "started"),
    [
        (REQUESTED, (Status.RECEIVED, State.OFFERED), (), set(), set()),
        (REQUESTED, TAKEN, (), {Kind.ACKNOWLEDGE}, set()),
        (TAKEN, TRYING, (MISSED,), REACHING, {Kind.NEXT_ATTEMPT}),
        (TRYING, TRYING, (MISSED,), REACHING, {Kind.NEXT_ATTEMPT}),
        (TRYING, TRYING, (did("contact-attempt"),), REACHING, {Kind.NEXT_ATTEMPT}),  # a system that says no more
        (TRYING, TRYING, (MISSED, REACHED), REACHING, {Kind.REVIEW}),
        (TRYING, TRYING, (did("risk-change"),), set(), set()),
        (REQUESTED, ENGAGED, (REACHED,), REACHING | {Kind.ACKNOWLEDGE}, set()),
        (TRYING, UNABLE, (), REACHING, {Kind.REVIEW}),
        (UNABLE, UNABLE, (did("risk-change"),), set(), set()),
        (UNABLE, TRYING, (), REACHING, {Kind.NEXT_ATTEMPT}),
        (ENGAGED, ENGAGED, (did("safety-plan", in_place=False),), {Kind.SAFETY_PLAN_REVIEW}, set()),
        (ENGAGED, ENGAGED, (did("marac-feedback"),), {Kind.MARAC_FEEDBACK}, set()),
        (ENGAGED, CLOSED, (), set(EVERY), {Kind.FLAG_REVIEW}),
        (REQUESTED, (Status.REJECTED, State.OFFERED), (), set(EVERY), set()),
        (CLOSED, CLOSED, (did("risk-change"),), set(), set()),
    ],
)
def test_what_stops_and_starts_a_clock(
    before: tuple[Status, State],
    after: tuple[Status, State],
    done: tuple[Happened, ...],
    stopped: set[Kind],
    started: set[Kind],
) -> None:
    assert kinds(plan(before, after, *done)) == (stopped, started)


def test_nobody_who_was_not_reached_is_without_a_clock() -> None:
    """N11: while she has not been reached, something always runs."""
    for before in (TAKEN, TRYING, UNABLE):
        assert plan(before, TRYING, MISSED).start
    assert plan(TRYING, UNABLE).start
    assert plan(UNABLE, TRYING).start


def test_days_that_an_act_names() -> None:
    (review,) = plan(ENGAGED, ENGAGED, did("safety-plan", in_place=True, review_on="2026-05-01")).start
    assert review.due.astimezone(LONDON) == datetime(2026, 5, 1, 17, 0, tzinfo=LONDON)
    (feedback,) = plan(ENGAGED, ENGAGED, did("marac-heard", on="2026-04-02")).start  # the Thursday before Easter
    assert feedback.due.astimezone(LONDON) == datetime(2026, 4, 8, 17, 0, tzinfo=LONDON)
    both = plan(ENGAGED, ENGAGED, did("marac-heard", on="2026-04-10"), did("marac-feedback"))
    assert kinds(both) == ({Kind.MARAC_FEEDBACK}, set())
    (flag,) = plan(ENGAGED, CLOSED).start
    assert flag.due == day_end(date(2027, 4, 13))


# When nobody is there


@pytest.mark.parametrize(
    ("started", "due", "alone"),
    [
        ("2026-04-13T10:00", "2026-04-13T11:00", None),  # in a shift
        ("2026-04-13T22:00", "2026-04-13T23:00", "2026-04-13T22:00"),  # at night: at once
        ("2026-04-13T17:30", "2026-04-13T18:30", "2026-04-13T18:00"),  # as the shift ends
        ("2026-04-13T22:00", "2026-04-14T09:00", None),  # the morning is soon enough
        ("2026-04-17T12:00", "2026-04-18T12:00", "2026-04-17T18:00"),  # over a weekend
        ("2026-04-02T12:00", "2026-04-03T12:00", "2026-04-02T18:00"),  # Good Friday is no shift
        ("2026-04-13T17:00", "2026-04-13T18:00", "2026-04-13T18:00"),  # a shift is over when it ends
    ],
)
def test_from_when_on_nobody_is_there(started: str, due: str, alone: str | None) -> None:
    found = OFFICE.alone_from(_london(started), _london(due), frozenset())
    assert found == (_london(alone) if alone else None)


def test_a_day_the_agreement_closes_is_no_shift_either() -> None:
    started, due = _london("2026-04-13T22:00"), _london("2026-04-14T09:00")
    assert OFFICE.alone_from(started, due, {date(2026, 4, 14)}) == started


def test_a_shift_may_end_the_next_day_and_a_week_may_wrap() -> None:
    nights = shifts("fri-sun 20:00-04:00")
    assert nights.alone_from(_london("2026-04-17T22:00"), _london("2026-04-18T03:00"), frozenset()) is None
    assert shifts("sat-mon 10:00-11:00").week == shifts("mon 10:00-11:00, sat-sun 10:00-11:00").week
    assert shifts("always").alone_from(NOW, NOW + timedelta(days=9), frozenset()) is None


@pytest.mark.parametrize(
    "text", ["", "mon", "mon-fri", "mon-fri 8-18", "mom 08:00-18:00", "mon 08:00-29:00", "mon,tue"]
)
def test_what_are_no_shifts_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"shifts|hour|isoformat"):
        shifts(text)


MINUTES = st.integers(min_value=0, max_value=12 * 24 * 60 - 1)


@given(
    MINUTES,
    st.integers(min_value=1, max_value=4 * 24 * 60),
    st.sampled_from(["mon-fri 08:00-18:00", "fri 22:00-06:00"]),
)
def test_nobody_is_there_as_a_slow_count_of_minutes_says(at: int, length: int, text: str) -> None:
    """Over the change to summer time, a weekend and Easter."""
    started = datetime(2026, 3, 26, tzinfo=UTC) + timedelta(minutes=at)
    due = started + timedelta(minutes=length)
    week = shifts(text)
    assert week.alone_from(started, due, frozenset()) == _slowly(week, started, due)


def _slowly(week: Shifts, started: datetime, due: datetime) -> datetime | None:
    if _there(week, due):
        return None
    last = due
    while last > started and not _there(week, last - timedelta(minutes=1)):
        last -= timedelta(minutes=1)
    return last


def _there(week: Shifts, moment: datetime) -> bool:
    local = moment.astimezone(LONDON).replace(tzinfo=None)
    for back in (0, 1):
        day = local.date() - timedelta(days=back)
        for begins, ends in (week.week or ())[day.weekday()] if day not in bank_holidays(day.year) else ():
            end = datetime.combine(day if ends > begins else day + timedelta(days=1), ends)
            if datetime.combine(day, begins) <= local < end:
                return True
    return False


@given(st.sampled_from(Kind), st.integers(min_value=1, max_value=60 * 24 * 60))
def test_a_reminder_lies_within_the_clock_and_a_day_before_its_end_at_the_latest(kind: Kind, minutes: int) -> None:
    due = NOW + timedelta(minutes=minutes)
    found = stages(kind, NOW, due, NEVER, frozenset())
    assert NOW < found[Stage.REMIND] < due
    assert due - found[Stage.REMIND] <= timedelta(days=1)
    assert (Stage.ESCALATE in found) is (kind in {Kind.ACKNOWLEDGE, Kind.FIRST_CONTACT, Kind.NEXT_ATTEMPT})


# The working calendar of the agreement, and England's


def test_bank_holidays_have_their_substitute_days() -> None:
    assert {date(2026, 12, 28), date(2027, 12, 27), date(2027, 12, 28)} <= bank_holidays(2026) | bank_holidays(2027)


def test_where_the_agreement_and_england_differ_somebody_is_told() -> None:
    """The agreement's own days count for its clocks; a difference is a warning before it is signed."""
    assert not [one for one in check(shipped()) if "holiday" in one.code]
    forgot = edited(lambda it: it["clocks"]["closed"].remove("2026-12-28"))
    assert [(one.severity, one.code) for one in check(forgot)] == [("warning", "bank-holiday-open")]
    extra = edited(lambda it: it["clocks"]["closed"].append("2026-06-03"))
    assert [(one.severity, one.code) for one in check(extra)] == [("warning", "closed-without-holiday")]


def _london(text: str) -> datetime:
    return datetime.combine(date.fromisoformat(text[:10]), time.fromisoformat(text[11:]), LONDON).astimezone(UTC)
