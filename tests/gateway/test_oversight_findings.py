"""Findings: each rule meets what it is for, lets pass what it is not for, and names the entries it rests on."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from audit.entry import Operation, Outcome
from gateway.evidence import Event
from gateway.oversight.findings import Found, find
from gateway.oversight.gathering import EVIDENCE_MAX, Finding
from gateway.oversight.thresholds import Rota, Thresholds
from tests.gateway.oversight_support import AT, Log, caller, facts_like

FEW = Thresholds(cases_an_hour=3, cases_a_day=5, action_hours=24, refusals=3, refusal_minutes=10)


def of(found: Found, rule: str) -> list[Finding]:
    assert found.counts[rule] == len([one for one in found.findings if one.rule == rule])
    return [one for one in found.findings if one.rule == rule]


def evidence(one: Finding) -> list[int]:
    return [index for index, _ in one.evidence]


@pytest.fixture
def log() -> Log:
    made = Log()
    made.step(Event.AGREEMENT_ACTIVATED)
    return made


def test_an_ordinary_day_has_no_finding(log: Log) -> None:
    for case in "abc":
        log.later(minutes=20).read(case)
        log.later(minutes=10).note(Event.REFERRAL_CHANGED, case=case)
    found = find(log, now=log.now + timedelta(days=5))
    assert found.findings == ()
    assert set(found.counts) == {
        "many-cases",
        "read-without-action",
        "out-of-hours",
        "connected",
        "canary",
        "refused-burst",
        "break-glass-unreviewed",
    }


# Many cases


def test_many_different_cases_within_an_hour_are_found_wherever_the_hour_begins(log: Log) -> None:
    log.later(minutes=45)
    indexes = [log.later(minutes=10).read(case) for case in "abcd"]
    (one,) = of(find(log, FEW), "many-cases")
    assert (one.user, one.organisation, one.case) == ("idva-0042", "RXL", None)
    assert evidence(one) == indexes
    assert one.words == "opened more than 3 cases within an hour"
    assert [id_ for _, id_ in one.evidence] == [list(log.entries())[index].id for index in indexes]


def test_as_many_as_allowed_and_the_same_case_again_are_not_many(log: Log) -> None:
    for case in "abcabcabcabc":
        log.later(minutes=1).read(case)
    log.later(minutes=61).read("d")
    assert of(find(log, FEW), "many-cases") == []


def test_another_user_s_cases_do_not_count_nor_do_worklists_nor_refusals(log: Log) -> None:
    for case in "abc":
        log.later(minutes=1).read(case)
    log.read("d", user="idva-0043")
    log.read("e", event=Event.WORKLIST_READ, types="Task")
    log.note(Event.ACCESS_REFUSED, operation=Operation.CONSULTATION, outcome=Outcome.DENIED, case="f")
    assert of(find(log, FEW), "many-cases") == []


def test_a_burst_that_goes_on_is_one_finding_and_its_evidence_is_bounded(log: Log) -> None:
    for number in range(EVIDENCE_MAX + 20):
        log.later(seconds=30).read(f"case-{number}")
    hour, _ = of(find(log, FEW), "many-cases")
    assert hour.count == EVIDENCE_MAX + 20
    assert len(hour.evidence) == EVIDENCE_MAX


def test_a_day_has_a_threshold_of_its_own(log: Log) -> None:
    for case in "abcdef":
        log.later(hours=2).read(case)
    (one,) = of(find(log, FEW), "many-cases")
    assert one.words == "opened more than 5 cases within a day"


def test_many_cases_are_those_of_a_slow_twin(log: Log, seed: int) -> None:
    """Random openings; the twin counts, at every opening, the different cases of the hour that ends there."""
    order = random.Random(seed)
    openings = []
    for _ in range(300):
        log.later(minutes=order.randrange(1, 30))
        openings.append((log.now, case := f"case-{order.randrange(6)}", log.read(case)))
    hour = timedelta(hours=1)
    beyond = {
        index
        for at, _, index in openings
        if len({case for earlier, case, _ in openings if at - hour < earlier <= at}) > FEW.cases_an_hour
    }
    named = {i for one in of(find(log, FEW), "many-cases") if "an hour" in one.words for i in evidence(one)}
    firsts = {index for one in of(find(log, FEW), "many-cases") for index in evidence(one)[: FEW.cases_an_hour]}
    assert beyond
    assert named - firsts <= beyond <= named


# Reading without acting


def test_a_referral_opened_and_left_is_found_when_the_time_has_passed(log: Log) -> None:
    first = log.later(minutes=1).read("a")
    opened_at = log.now
    again = log.later(hours=3).read("a")
    assert of(find(log, FEW, now=opened_at + timedelta(hours=23)), "read-without-action") == []
    (one,) = of(find(log, FEW, now=opened_at + timedelta(hours=24)), "read-without-action")
    assert (one.case, one.user, evidence(one)) == ("a", "idva-0042", [first, again])
    assert one.known == opened_at + timedelta(hours=24)


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("event", [Event.REFERRAL_CHANGED, Event.ORAL_DISCLOSURE])
def test_an_action_by_a_colleague_accounts_for_an_opening(log: Log, event: Event, *, before: bool) -> None:
    operation = Operation.ALTERATION if event is Event.REFERRAL_CHANGED else Operation.DISCLOSURE
    if before:
        log.note(event, user="idva-0043", case="a", operation=operation)
    log.later(hours=20).read("a")
    if not before:
        log.later(hours=20).note(event, user="idva-0043", case="a", operation=operation)
    assert of(find(log, FEW, now=log.now + timedelta(days=9)), "read-without-action") == []


@pytest.mark.parametrize(
    ("event", "who", "hours"),
    [
        (Event.REFERRAL_CHANGED, caller(organisation="RTX"), 1),  # another organisation
        (Event.NOTICE_SENT, caller(), 1),  # sent by the gateway in the user's name
        (Event.REFERRAL_CHANGED, caller(), 25),  # too late
    ],
)
def test_what_is_no_action_of_the_team_in_time_does_not(log: Log, event: Event, who: object, hours: int) -> None:
    log.read("a")
    log.later(hours=hours).note(event, case="a", who=who)  # type: ignore[arg-type]  # a caller, from the table
    assert len(of(find(log, FEW, now=log.now + timedelta(days=9)), "read-without-action")) == 1


# Out of hours


def test_openings_at_night_are_found_by_the_clock_in_london() -> None:
    """22:30 UTC in July is 23:30 in London; 21:30 UTC in January is not yet 22."""
    summer, winter = Log(at=datetime(2026, 7, 6, 21, 30, tzinfo=UTC)), Log(at=datetime(2026, 1, 5, 21, 30, tzinfo=UTC))
    for one in (summer, winter):
        one.step(Event.AGREEMENT_ACTIVATED)
        one.read("a")
    assert len(of(find(summer), "out-of-hours")) == 1
    assert of(find(winter), "out-of-hours") == []


def test_one_night_of_one_user_is_one_finding(log: Log) -> None:
    log.now = datetime(2026, 11, 2, 23, 0, tzinfo=UTC)
    indexes = [log.later(minutes=10).read(case) for case in "abc"]
    other = log.read("a", user="idva-0043")
    found = of(find(log), "out-of-hours")
    assert [evidence(one) for one in found] == [indexes, [other]]


def test_a_rota_may_leave_out_weekends_and_closed_days_and_run_past_midnight() -> None:
    week = Rota(days=frozenset(range(5)), opens=time(9), closes=time(17), holidays=False)
    closed = frozenset({date(2026, 12, 25)})
    assert week.works(datetime(2026, 11, 2, 9, 0, tzinfo=UTC), closed)
    assert not week.works(datetime(2026, 11, 2, 17, 0, tzinfo=UTC), closed)
    assert not week.works(datetime(2026, 11, 7, 12, 0, tzinfo=UTC), closed)  # a Saturday
    assert not week.works(datetime(2026, 12, 25, 12, 0, tzinfo=UTC), closed)
    night = Rota(days=frozenset({4}), opens=time(20), closes=time(4))  # Friday night
    assert night.works(datetime(2026, 11, 7, 3, 0, tzinfo=UTC), closed)
    assert not night.works(datetime(2026, 11, 6, 3, 0, tzinfo=UTC), closed)
    assert not night.works(datetime(2026, 11, 6, 12, 0, tzinfo=UTC), closed)


def test_closed_days_are_those_of_the_agreement_in_force() -> None:
    log = Log(at=datetime(2026, 12, 25, 12, 0, tzinfo=UTC))
    log.step(Event.AGREEMENT_ACTIVATED)
    log.read("a")
    assert of(find(log), "out-of-hours") == []
    assert len(of(find(log, Thresholds(rota=Rota(holidays=False))), "out-of-hours")) == 1


# Connected


@pytest.mark.parametrize("relationship", ["declared", "same-name", "same-address"])
def test_somebody_connected_is_found_refused_or_not(log: Log, relationship: str) -> None:
    facts = replace(facts_like(), relationship=relationship)
    refused = log.note(
        Event.ACCESS_REFUSED, operation=Operation.CONSULTATION, outcome=Outcome.DENIED, case="a", facts=facts
    )
    opened = log.later(minutes=5).read("a", facts=replace(facts, break_glass="life-or-limb"))
    log.read("b", facts=replace(facts, relationship="team"))
    (one,) = of(find(log), "connected")
    assert (one.case, one.user, evidence(one)) == ("a", "idva-0042", [refused, opened])


# Canaries


def test_a_canary_that_is_opened_or_asked_for_is_found(log: Log) -> None:
    before = log.read("a")
    log.note(Event.CANARY_PLACED, user=None, operation=Operation.ADMINISTRATION, case="a")
    log.read("a", event=Event.WORKLIST_READ, types="Task")
    opened = log.read("a")
    refused = log.note(Event.ACCESS_REFUSED, operation=Operation.CONSULTATION, outcome=Outcome.DENIED, case="a")
    log.read("b")
    (one,) = of(find(log), "canary")
    assert evidence(one) == [opened, refused]
    assert before not in evidence(one)


def test_a_canary_placed_long_before_the_range_still_sings(log: Log) -> None:
    log.note(Event.CANARY_PLACED, user=None, operation=Operation.ADMINISTRATION, case="a")
    start = log.later(days=90).now
    opened = log.later(hours=1).read("a")
    (one,) = of(find(log, None, start), "canary")
    assert evidence(one) == [opened]


# Refused bursts


def refuse(log: Log, event: Event = Event.ACCESS_REFUSED, types: str | None = None, user: str = "idva-0042") -> int:
    return log.note(
        event,
        user,
        operation=Operation.CONSULTATION,
        outcome=Outcome.DENIED,
        detail={"types": types} if types else None,
    )


def test_a_burst_of_refusals_is_found_and_grows(log: Log) -> None:
    indexes = [refuse(log.later(minutes=3)) for _ in range(5)]
    (one,) = of(find(log, FEW), "refused-burst")
    assert evidence(one) == indexes
    assert one.client == "trust-safeguarding"


def test_refusals_far_apart_by_different_people_or_of_another_kind_are_no_burst(log: Log) -> None:
    for _ in range(4):
        refuse(log.later(minutes=6))
    log.later(hours=1)
    for user in ("one", "two", "three"):
        refuse(log, user=user)
    for _ in range(5):
        refuse(log.later(seconds=1), Event.NOTHING_FOUND, "Task", "four")
        refuse(log.later(seconds=1), Event.INCIDENT_HELD, None, "five")
    assert of(find(log, FEW), "refused-burst") == []
    for _ in range(3):
        refuse(log.later(seconds=1), Event.NOTHING_FOUND, "Patient", "six")
    assert len(of(find(log, FEW), "refused-burst")) == 1


# Breaking the glass


def broken(log: Log, id_: str = "emergency-1", *, repeated: bool = False) -> int:
    detail: dict[str, str | int] = {"break-glass": id_, "repeated": repeated}
    return log.note(Event.BREAK_GLASS_OPENED, operation=Operation.CONSULTATION, case="a", detail=detail)


def reviewed(log: Log, id_: str = "emergency-1") -> int:
    detail = {"break-glass": id_}
    return log.note(Event.BREAK_GLASS_REVIEWED, "dpo-1", operation=Operation.ADMINISTRATION, case="a", detail=detail)


def test_an_emergency_nobody_reviews_in_a_working_day_is_found(log: Log) -> None:
    log.now = datetime(2026, 11, 6, 15, 0, tzinfo=UTC)  # a Friday: Monday at three
    index = broken(log)
    broken(log.later(hours=1), repeated=True)
    monday = datetime(2026, 11, 9, 15, 0, tzinfo=UTC)
    assert of(find(log, now=monday), "break-glass-unreviewed") == []
    (one,) = of(find(log, now=monday + timedelta(minutes=1)), "break-glass-unreviewed")
    assert (evidence(one), one.case, one.known) == ([index], "a", monday)


def test_a_review_in_time_settles_it_and_a_late_one_does_not(log: Log) -> None:
    broken(log)
    reviewed(log.later(hours=20))
    late = broken(log, "emergency-2")
    reviewed(log.later(days=3), "emergency-2")
    (one,) = of(find(log), "break-glass-unreviewed")
    assert evidence(one) == [late]


def test_it_is_found_in_the_range_in_which_it_falls_due(log: Log) -> None:
    index = broken(log)
    due = log.now + timedelta(days=1)
    log.later(days=30).read("a")
    before, after = due - timedelta(hours=1), due + timedelta(days=20)
    assert of(find(log, None, None, before), "break-glass-unreviewed") == []
    assert [evidence(o) for o in of(find(log, None, before, after), "break-glass-unreviewed")] == [[index]]
    assert of(find(log, None, after), "break-glass-unreviewed") == []


# All of them


def test_the_same_entries_give_the_same_findings_and_ranges_share_them_out(seed: int) -> None:
    """Every finding of the whole log is found in exactly one of its ranges, with the same first entry."""
    order, log = random.Random(seed), Log()
    log.step(Event.AGREEMENT_ACTIVATED)
    for _ in range(400):
        log.later(minutes=order.randrange(200))
        user, case = f"user-{order.randrange(3)}", f"case-{order.randrange(40)}"
        doing = order.randrange(10)
        if doing == 0:
            refuse(log, user=user)
        elif doing == 1:
            log.note(Event.REFERRAL_CHANGED, user, case=case)
        else:
            log.read(case, user)
    rare = Thresholds(cases_an_hour=1, cases_a_day=6, action_hours=24, refusals=2, refusal_minutes=240)
    end = log.now + timedelta(days=3)
    whole = find(log, rare, None, end)
    assert whole == find(log, rare, None, end)
    assert min(whole.counts[rule] for rule in ("many-cases", "read-without-action", "out-of-hours")) > 0
    cuts = [None, *(AT + timedelta(days=days) for days in (6, 13, 21)), end]
    parts = [one for s, e in itertools.pairwise(cuts) for one in find(log, rare, s, e).findings]
    single = {"read-without-action"}
    assert [(o.rule, o.known, o.user, o.case) for o in parts if o.rule in single] == [
        (o.rule, o.known, o.user, o.case) for o in whole.findings if o.rule in single
    ]
    assert {o.known for o in whole.findings} <= {o.known for o in parts}
