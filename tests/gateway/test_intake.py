"""Offers: every victim is judged for every recipient, and where nobody acts on a record, a human sees it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.agreement import State, shipped
from gateway.decide import Outcome, Reason
from gateway.intake import SAFEGUARDING, offers, worst_hold
from gateway.store.batch import DecideAgain
from gateway.taking.referring import priority_of
from mappings.record import ConsentState, Grade, Role
from mappings.referral import Priority
from tests.support.agreements import edited, provide, signed
from tests.support.records import NOW, incident, victim


def test_a_record_is_judged_for_every_recipient_of_its_senders_flows() -> None:
    found = offers(incident(), provide(), NOW)
    assert {(one.recipient, one.purpose) for one in found} >= {("idva-team", SAFEGUARDING)}
    assert [one.recipient for one in found if one.makes_referral] == ["idva-team"]
    assert {one.victim for one in found} == {"victim-1"}


def test_each_victim_is_judged_on_her_own() -> None:
    record = incident()
    two = record.model_copy(update={"people": (*record.people, victim("victim-2"))})
    found = offers(two, provide(), NOW)
    assert {one.victim for one in found if one.makes_referral} == {"victim-1", "victim-2"}


def test_without_terms_there_is_one_offer_that_is_held() -> None:
    (one,) = offers(incident(), None, NOW)
    assert (one.recipient, one.decision.outcome, one.decision.reason) == ("", Outcome.HELD, Reason.NO_AGREEMENT)
    assert worst_hold([one]) is one


@pytest.mark.parametrize("organisation", ["05", "RXL", None])
def test_a_sender_without_a_flow_that_refers_is_put_before_a_human(organisation: str | None) -> None:
    """No party, a party with other flows, nobody named: never nothing at all."""
    record = incident()
    assert record.source is not None
    source = record.source.model_copy(update={"organisation": organisation}) if organisation else None
    found = offers(record.model_copy(update={"source": source}), provide(), NOW)
    assert not any(one.makes_referral for one in found)
    assert worst_hold(found) is not None


def test_the_worst_of_several_is_the_one_a_human_is_told_of() -> None:
    record = incident(consent=ConsentState.REFUSED, grade=Grade.HIGH)
    found = offers(record, provide(), NOW)
    worst = worst_hold(found)
    assert worst is not None
    assert (worst.decision.outcome, worst.facts.grade) == (Outcome.HELD, "high")
    ungraded = worst_hold(offers(incident(grade=None, area=None), provide(), NOW))
    assert ungraded is not None
    assert ungraded.decision.reason is Reason.AREA_UNKNOWN


@pytest.mark.parametrize(
    ("area", "teams"),
    [
        ("blackpool", ["idva-team"]),
        ("lancaster", ["idva-team", "uhmb-safeguarding"]),
        ("morecambe", ["idva-team", "uhmb-safeguarding"]),
    ],
)
def test_a_team_outside_the_area_holds_nothing_up_where_another_takes_it(area: str, teams: list[str]) -> None:
    """Lancaster and Morecambe make a second referral, to the trust whose patients they are."""
    found = offers(incident(area=area), provide(), NOW)
    assert [one.recipient for one in found if one.makes_referral] == teams
    assert worst_hold(found) is None


def test_a_record_that_no_team_takes_is_put_before_a_human() -> None:
    outside = worst_hold(offers(incident(area="preston"), provide(), NOW))
    assert outside is not None
    assert outside.decision.reason is Reason.OUTSIDE_AREA


def test_a_hold_is_told_before_a_team_that_works_elsewhere() -> None:
    """In Blackpool the second trust is outside its area, and what a human is told of is the hold."""
    held = worst_hold(offers(incident(consent=ConsentState.REFUSED, grade=Grade.HIGH), provide(), NOW))
    assert held is not None
    assert (held.recipient, held.decision.reason) == ("idva-team", Reason.HOLD)


def test_each_victim_is_served_on_her_own() -> None:
    """That somebody takes one victim's record is nothing to another's that nobody takes."""
    record = incident(area="blackpool")
    two = record.model_copy(update={"people": (*record.people, victim("victim-2"))})
    first, second = (
        [replace(one, victim=who) for one in offers(incident(area=area), provide(), NOW)]
        for who, area in (("victim-1", "blackpool"), ("victim-2", "preston"))
    )
    assert worst_hold(offers(two, provide(), NOW)) is None
    worst = worst_hold([*first, *second])
    assert worst is not None
    assert worst.victim == "victim-2"


def test_nobody_without_a_victim() -> None:
    record = incident()
    people = tuple(one for one in record.people if one.role is not Role.VICTIM)
    assert offers(record.model_copy(update={"people": people}), provide(), NOW) == ()


def test_an_offer_that_comes_out_otherwise_is_decided_again() -> None:
    """At the instant of sealing the agreement has changed: what was judged before does not hold."""
    made = next(one for one in offers(incident(), provide(), NOW) if one.makes_referral)
    assert made.decided_at(provide(), NOW).decision.ruling == made.decision.ruling

    def less(content: dict[str, Any]) -> None:
        for clause in content["clauses"]:
            if "victim.name" in clause.get("release", []):
                clause["release"].remove("victim.name")

    for terms in (signed(edited(less)), signed(shipped(), State.SUSPENDED), None):
        with pytest.raises(DecideAgain):
            made.decided_at(terms, NOW)


@pytest.mark.parametrize(
    ("grade", "priority"),
    [("standard", Priority.ROUTINE), ("medium", Priority.URGENT), ("high", Priority.ASAP), (None, Priority.ASAP)],
)
def test_an_unknown_grade_is_as_urgent_as_a_high_one(grade: str | None, priority: Priority) -> None:
    assert priority_of(grade) is priority
