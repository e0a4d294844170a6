"""Who asks, and when: connected staff (N15), broken glass, and the conditions of age, marking and relationship."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from gateway.agreement import State, Terms, shipped
from gateway.decide import Decision, Facts, Outcome, Reason, decide_on, facts_of
from gateway.facts import event_time, hours_since
from gateway.generalise import AGE_BANDS, age_band
from gateway.rules import CONNECTIONS
from gateway.ties import CONNECTED as TIES
from mappings.items import CATALOGUE
from mappings.record import Birth
from tests.support.agreements import clause, edited, provide, signed
from tests.support.records import NOW, incident, victim

AFTER = datetime(2029, 1, 1, tzinfo=UTC)  # the first instant at which the shipped agreement has expired
KNOWN = replace(facts_of(incident(), NOW), items=tuple(sorted(CATALOGUE)))
CONNECTED = tuple(sorted(CONNECTIONS))
OPENED = replace(KNOWN, break_glass="life-at-risk")


def test_n15_what_marks_find_is_what_the_rule_refuses() -> None:
    assert {tie.value for tie in TIES.values()} == CONNECTIONS


def asked(known: Facts, terms: Terms | None = None, at: datetime = NOW) -> Decision:
    return decide_on(known, "idva-team", "safeguarding", terms or provide(), at)


def nothing_goes(decision: Decision) -> bool:
    return not decision.released and not decision.generalised


# --- N15 --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("relationship", CONNECTED)
@pytest.mark.parametrize(
    ("recipient", "purpose", "source"),
    [("idva-team", "safeguarding", "04"), ("idva-team", "own-record", "RXL"), ("police-officer", "own-record", "04")],
)
def test_n15_staff_connected_with_a_party_are_refused(
    relationship: str, recipient: str, purpose: str, source: str
) -> None:
    """Whatever the flow, and even what their own side recorded."""
    known = replace(KNOWN, relationship=relationship, source=source)
    decision = decide_on(known, recipient, purpose, provide(), NOW)
    assert (decision.outcome, decision.reason) == (Outcome.REFUSED, Reason.CONNECTED)
    assert nothing_goes(decision)
    assert decision.owner == "provide-lead"
    assert {verdict.by for verdict in decision.verdicts} == {"N15"}


@pytest.mark.parametrize("relationship", CONNECTED)
def test_n15_is_opened_by_breaking_the_glass(relationship: str) -> None:
    decision = asked(replace(OPENED, relationship=relationship))
    assert decision.outcome is Outcome.PERMITTED
    assert decision.clauses == ("F1-emergency",)


@pytest.mark.parametrize("relationship", [None, "assigned", "team"])
def test_whoever_works_on_the_case_is_not_connected_with_it(relationship: str | None) -> None:
    assert asked(replace(KNOWN, relationship=relationship)).clauses == ("F1-referral",)


# --- broken glass -----------------------------------------------------------------------------------------------------


def test_emergency_clauses_apply_where_the_glass_is_broken_and_no_others() -> None:
    assert asked(KNOWN).clauses == ("F1-referral",)
    opened = asked(OPENED)
    assert opened.clauses == ("F1-emergency",)
    assert set(opened.released) < set(asked(KNOWN).released)


def test_an_agreement_without_emergency_clauses_opens_nothing() -> None:
    terms = signed(edited(lambda c: c["clauses"].remove(clause(c, "F1-emergency"))))
    decision = asked(OPENED, terms)
    assert (decision.outcome, decision.reason) == (Outcome.REFUSED, Reason.NO_CLAUSE)


@pytest.mark.parametrize(
    "denied", [{"consent": "refused"}, {"consent": "withdrawn"}, {"area": "preston"}, {"area": None}]
)
def test_it_opens_what_a_hold_or_the_area_denied(denied: dict[str, Any]) -> None:
    """The human that a hold waits for has decided; the emergency clause names its own areas."""
    assert nothing_goes(asked(replace(KNOWN, **denied)))
    assert asked(replace(OPENED, **denied)).clauses == ("F1-emergency",)


def test_an_emergency_clause_is_bound_by_its_own_conditions() -> None:
    terms = signed(edited(lambda c: clause(c, "F1-emergency")["when"].update(areas=["fylde"], grades=["high"])))
    assert asked(replace(OPENED, area="fylde"), terms).outcome is Outcome.PERMITTED
    assert asked(replace(OPENED, area="wyre"), terms).reason is Reason.NO_CLAUSE
    assert asked(replace(OPENED, area="fylde", grade="medium"), terms).reason is Reason.NO_CLAUSE


def test_it_works_under_an_agreement_that_has_expired() -> None:
    tick = timedelta(microseconds=1)
    for at in (AFTER - tick, AFTER, AFTER + timedelta(days=400)):
        assert asked(OPENED, at=at).outcome is Outcome.PERMITTED
    assert asked(KNOWN, at=AFTER).reason is Reason.NO_AGREEMENT


@pytest.mark.parametrize(
    ("terms", "at"),
    [
        (signed(shipped(), State.DRAFT), NOW),
        (signed(shipped(), State.SUSPENDED), NOW),
        (signed(shipped(), State.SUSPENDED), AFTER),
        (signed(shipped(), State.ENDED), AFTER),
        (signed(shipped(), without="lancashire-county-council"), NOW),
        (signed(shipped(), without="lancashire-county-council"), AFTER),
        (provide(), datetime(2025, 12, 31, tzinfo=UTC)),
    ],
)
def test_it_opens_nothing_under_an_agreement_that_was_never_or_is_no_longer_agreed(terms: Terms, at: datetime) -> None:
    decision = asked(OPENED, terms, at)
    assert decision.reason is Reason.NO_AGREEMENT
    assert nothing_goes(decision)


def test_it_opens_nothing_without_an_agreement() -> None:
    assert nothing_goes(decide_on(OPENED, "idva-team", "safeguarding", None, NOW))


@pytest.mark.parametrize(
    "marked",
    [{"classification": "secret"}, {"classification": "top-secret"}, {"handling": "C"}, {"information_grade": "E"}],
)
def test_no_glass_opens_a_marking(marked: dict[str, Any]) -> None:
    assert nothing_goes(asked(replace(OPENED, **marked)))


def test_what_no_agreement_can_lift_and_what_this_one_prohibits_stands() -> None:
    def change(content: dict[str, Any]) -> None:
        emergency = clause(content, "F1-emergency")
        emergency["release"] = sorted(CATALOGUE)
        del emergency["withhold"]
        content["prohibitions"].append(
            {"id": "PX", "items": ["child.school"], "recipients": ["idva-team"], "reason": "not even then"}
        )

    went = {*asked(OPENED, signed(edited(change))).released}
    assert "victim.name" in went
    barred = {"police.covert", "police.intelligence", "statement.third_party", "risk.answers.suspect_background"}
    assert not went & {*barred, "child.school"}
    assert not [item for item in went if item.startswith("third_party.")]


def test_nobody_outside_the_agreement_opens_anything() -> None:
    for recipient, purpose in (("press", "safeguarding"), ("idva-team", "curiosity"), ("uhmb-safeguarding", "marac")):
        assert decide_on(OPENED, recipient, purpose, provide(), NOW).outcome is Outcome.DENIED


# --- conditions -------------------------------------------------------------------------------------------------------


def where(**when: Any) -> Terms:
    return signed(edited(lambda content: clause(content, "F1-referral")["when"].update(when)))


@pytest.mark.parametrize(
    ("terms", "fact", "meets", "fails"),
    [
        (where(ages=["18-24", "25-34"]), "age_band", ["18-24", "25-34"], ["35-44", "under-16", None]),
        (where(ages=["unknown"]), "age_band", [None], ["18-24"]),
        (where(markings=["official"]), "classification", ["official"], ["official-sensitive", None]),
        (where(markings=["official", "unknown"]), "classification", ["official", None], ["official-sensitive"]),
        (where(relationships=["assigned"]), "relationship", ["assigned"], ["team", None]),
        (where(relationships=["team", "unknown"]), "relationship", ["team", None], ["assigned"]),
    ],
)
def test_a_clause_applies_where_its_condition_is_met(
    terms: Terms, fact: str, meets: list[str | None], fails: list[str | None]
) -> None:
    for value in meets:
        known = Facts.from_json(KNOWN.to_json() | {fact: value})
        assert asked(known, terms).outcome is Outcome.PERMITTED
    for value in fails:
        known = Facts.from_json(KNOWN.to_json() | {fact: value})
        assert asked(known, terms).reason is Reason.NO_CLAUSE


# --- the facts --------------------------------------------------------------------------------------------------------


def test_the_facts_at_the_moment_of_asking() -> None:
    """Everything else is as it was taken in; the age of the event is refreshed."""
    later = NOW + timedelta(days=3, minutes=30)
    hours = hours_since(event_time(incident()), later)
    found = KNOWN.asked_by("team", "life-at-risk", hours)
    assert (found.relationship, found.break_glass, found.hours_since_event) == ("team", "life-at-risk", 75)
    assert replace(found, relationship=None, break_glass=None, hours_since_event=2) == KNOWN
    assert KNOWN.asked_by(None, None, 2) is KNOWN
    assert Facts.from_json(found.to_json()) == found


def test_facts_sealed_before_they_were_known_are_read_without_them() -> None:
    known = KNOWN.to_json()
    old = {name: value for name, value in known.items() if name not in {"age_band", "relationship", "break_glass"}}
    found = Facts.from_json(old)
    assert (found.age_band, found.relationship, found.break_glass) == (None, None, None)
    assert replace(found, age_band=KNOWN.age_band) == KNOWN
    for name in ("age_band", "relationship", "break_glass"):
        with pytest.raises(ValueError, match=name):
            Facts.from_json(known | {name: 7})


EVENT = date(2026, 4, 12)


@pytest.mark.parametrize(
    ("birth", "band"),
    [
        (Birth(on=date(2010, 4, 13)), "under-16"),
        (Birth(on=date(2010, 4, 12)), "16-17"),  # sixteen on the day
        (Birth(on=date(1961, 4, 12)), "65-or-over"),
        (Birth(on=date(2026, 4, 13)), None),  # born after it: a mistake, and no age
        (Birth(age=34), "25-34"),
        (Birth(year=1995), "25-34"),
        (Birth(year=2001), None),  # 24 or 25
        (Birth(age_from=26, age_to=30), "25-34"),
        (Birth(age_from=20, age_to=30), None),
        (Birth(age_from=20), None),
        (Birth(age_band="45-54"), "45-54"),
        (Birth(age_band="in-her-forties"), None),  # a word of the sender's is no band of ours
        (Birth(), None),
    ],
)
def test_the_age_band_is_known_or_it_is_none(birth: Birth, band: str | None) -> None:
    assert age_band(birth, EVENT) == band
    people = (victim().model_copy(update={"birth": birth}), *incident().people[1:])
    assert facts_of(incident().model_copy(update={"people": people}), NOW).age_band == band
    assert band is None or band in AGE_BANDS


def test_victims_of_different_ages_have_no_band_in_common() -> None:
    other = victim("victim-2").model_copy(update={"birth": Birth(age=70)})
    both = incident().model_copy(update={"people": (*incident().people, other)})
    assert facts_of(both, NOW).age_band is None
    assert facts_of(both.for_victim("victim-2"), NOW).age_band == "65-or-over"
