"""The rules that never bend (domain.md section 4.5), and what an allow-list must always do, for any agreement.

Properties over any record, any agreement and anybody who asks. What a rule says of one channel is tried there too:
N2 in `journeys/test_no_oracle`, N13 in `journeys/test_no_personal_data`, N14 in `journeys/test_corrections_travel`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import orjson
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from adapters.nhs import fhir
from gateway.agreement.content import Clause, Content
from gateway.decide import Decision, Facts, Outcome, Reason, decide_on, facts_of
from gateway.decision import DEFAULT, Effect
from gateway.generalise import Method
from gateway.intake import offers, worst_hold
from gateway.minimise import minimise
from gateway.route import OWN_RECORD
from mappings.items import leaves
from mappings.record import GRADE_ORDER, Contact, Grade, Record, Role
from mappings.referral import Priority, Referral, ReferralState, ReferralStatus
from tests.support.any_agreement import (
    ANY_CONDITIONS,
    ROADS,
    SHIPPED,
    WHOLE,
    contents,
    facts,
    records,
    releasing_clauses,
    terms,
)
from tests.support.records import NOW

ORGANISATIONS = {party.organisation: party.is_police for party in SHIPPED.content.parties}
POLICE = next(organisation for organisation, police in ORGANISATIONS.items() if police)
CASES = settings(max_examples=60, phases=(Phase.explicit, Phase.generate))
"""A failing agreement is large, and making it small takes minutes; what is printed can be tried again as it is."""
pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")  # an agreement is large


def each(content: Content, asked: Facts) -> Iterator[tuple[tuple[str, str], Decision]]:
    """The decision for every recipient and purpose there is."""
    agreed = terms(content)
    for road in ROADS:
        yield road, decide_on(asked, *road, agreed, NOW)


def clauses_for(content: Content, road: tuple[str, str], *, emergency: bool) -> list[Clause]:
    recipient, purpose = road
    flows = {flow.id for flow in content.flows if flow.purpose == purpose and recipient in flow.to}
    return [
        one
        for one in content.clauses
        if one.flow in flows and recipient in one.recipients and one.emergency is emergency
    ]


def prohibited_for(content: Content, road: tuple[str, str]) -> set[str]:
    return {item for one in content.prohibitions if road[0] in one.recipients for item in one.each()}


def items_in(record: Record) -> set[str]:
    return {item for path, item, _ in leaves(record) if path not in {"kind", "version"}}


# What an allow-list must do ------------------------------------------------------------------------------------------


@given(contents(), records())
@CASES
def test_nothing_leaves_that_no_clause_names(content: Content, record: Record) -> None:
    for road, decision in each(content, facts_of(record, NOW)):
        left = minimise(record, decision)
        named = {
            item for one in clauses_for(content, road, emergency=False) for item in (*one.release, *one.generalise)
        }
        assert set(decision.ruling.methods) <= named
        assert items_in(left) - {"tallies"} <= named
        assert {one.of for one in left.tallies} <= named
        if decision.outcome is not Outcome.PERMITTED:
            assert items_in(left) == set()


@given(contents(), facts())
@CASES
def test_a_prohibition_wins_over_every_clause(content: Content, asked: Facts) -> None:
    for road, decision in each(content, asked):
        assert not prohibited_for(content, road) & set(decision.ruling.methods)


@given(contents(), releasing_clauses("added"), facts())
@CASES
def test_adding_a_releasing_clause_never_releases_what_it_does_not_name_and_removing_it_no_more(
    content: Content, added: Clause, asked: Facts
) -> None:
    """Read forwards, the clause is added; read backwards, it is removed."""
    more = content.model_copy(update={"clauses": (added, *content.clauses)})
    for (_, without), (_, along) in zip(each(content, asked), each(more, asked), strict=True):
        before, after = without.ruling.methods, along.ruling.methods
        assert set(before) <= set(after) <= set(before) | set(added.release)
        assert all(after[item] == before[item] for item in before), "what was less exact stays as it was"


@given(contents(), facts())
@CASES
def test_what_a_clause_that_applies_makes_less_exact_or_keeps_back_never_goes_whole(
    content: Content, asked: Facts
) -> None:
    for road, decision in each(content, asked):
        for one in clauses_for(content, road, emergency=asked.break_glass is not None):
            if one.when != ANY_CONDITIONS or one.flow != decision.flow:
                continue
            for item, method in one.generalise.items():
                assert decision.ruling.methods.get(item, method) is method
            assert not {item for kept in one.withhold for item in kept.each()} & set(decision.ruling.methods)


@given(contents(), facts())
@CASES
def test_the_order_of_clauses_decides_nothing(content: Content, asked: Facts) -> None:
    shuffled = list(content.clauses)
    random.Random(len(shuffled)).shuffle(shuffled)
    other = content.model_copy(update={"clauses": tuple(shuffled)})
    for (_, one), (_, two) in zip(each(content, asked), each(other, asked), strict=True):
        assert one.ruling.methods == two.ruling.methods
        assert one.outcome is two.outcome


@given(contents(), facts())
@CASES
def test_every_item_has_a_verdict_with_words(content: Content, asked: Facts) -> None:
    for _, decision in each(content, asked):
        assert {verdict.item for verdict in decision.verdicts} == set(asked.items)
        assert (decision.outcome is Outcome.PERMITTED) is bool(decision.ruling.methods)
        for verdict in decision.verdicts:
            assert verdict.words
            assert verdict.effect is Effect.WITHHELD or verdict.by != DEFAULT


# The rules, by their names -------------------------------------------------------------------------------------------


@given(contents(), records(), st.sampled_from(["declared", "same-name", "same-address"]))
@CASES
def test_n1_n15_whoever_is_connected_with_a_party_sees_nothing_without_breaking_the_glass(
    content: Content, record: Record, tie: str
) -> None:
    for _, decision in each(content, facts_of(record, NOW).asked_by(tie, None, 1)):
        assert decision.outcome is not Outcome.PERMITTED
        assert not decision.ruling.methods


@given(contents(), facts())
@CASES
def test_n3_n4_n5_n7_what_no_agreement_can_release_and_no_broken_glass_either(content: Content, asked: Facts) -> None:
    for (_, purpose), decision in each(content, asked):
        methods = decision.ruling.methods
        police = ORGANISATIONS[decision.organisation or ""]
        own = decision.organisation == asked.source and purpose == OWN_RECORD
        third = {item for item in methods if item.startswith("third_party.") or item == "statement.third_party"}
        health = {item for item in methods if item.endswith((".nhs_number", ".general_practice", ".clinical"))}
        assert police or not third, "N3"
        assert not police or not health, "N5, and N4 for the suspect's"
        if not police and not own:
            past = methods.get("risk.answers.suspect_background", Method.YES_NO)
            assert past in {Method.YES_NO, Method.COUNT, Method.EXISTENCE}, "N4"
        if police and not own:
            assert not {"risk.answers.suspect_background", "risk.answers.victim_health"} & set(methods), "N4"
        assert own or "police.covert" not in methods, "N7"
        if asked.classification in {"secret", "top-secret"}:
            assert not methods, "N7"
            assert decision.reason is Reason.TOO_SECRET
        if not own and (asked.handling == "C" or asked.information_grade == "E"):
            assert not methods, "N7"


@given(
    st.lists(
        st.builds(
            Contact,
            system=st.just("phone"),
            value=st.from_regex(r"\A07700 900[0-9]{3}\Z"),
            safe=st.none() | st.booleans(),
            voicemail=st.none() | st.booleans(),
            shared_with_suspect=st.none() | st.booleans(),
        ),
        max_size=4,
        unique_by=lambda one: one.value,
    )
)
@CASES
def test_n8_only_what_was_stated_safe_and_is_not_shared_is_offered_to_be_rung(contacts: list[Contact]) -> None:
    victim = next(person for person in WHOLE.people if person.role is Role.VICTIM)
    record = WHOLE.model_copy(update={"people": (victim.model_copy(update={"contacts": tuple(contacts)}),)})
    (written,) = fhir.write("Patient", record, REFERRAL, "https://gateway.test/fhir/R4")
    offered = {one["value"]: one for one in orjson.loads(written.body).get("telecom", [])}
    for one in contacts:
        safe = one.safe is True and one.shared_with_suspect is not True
        assert (one.value in offered) is safe
        if safe and one.voicemail is not True:
            assert '"voicemail","valueBoolean":true' not in orjson.dumps(offered[one.value or ""]).decode()


REFERRAL = Referral(
    id="4a4f2a54-0000-4000-8000-000000000001",
    version=1,
    status=ReferralStatus.REQUESTED,
    state=ReferralState.OFFERED,
    priority=Priority.ASAP,
    team="idva-team",
    organisation="RXL",
    force="04",
    area="blackpool",
    grade=Grade.HIGH,
    assessed_at=NOW,
    created_at=NOW,
    updated_at=NOW,
    respond_by=NOW,
)


@given(st.integers(2, 4), st.data())
@CASES
def test_n9_victims_are_never_merged_and_each_referral_is_about_one(count: int, data: st.DataObject) -> None:
    victim = next(person for person in WHOLE.people if person.role is Role.VICTIM)
    several = tuple(victim.model_copy(update={"ref": f"victim-{number}"}) for number in range(1, count + 1))
    others = tuple(person for person in WHOLE.people if person.role is not Role.VICTIM)
    record = WHOLE.model_copy(update={"people": (*several, *others)})
    chosen = data.draw(st.sampled_from(several)).ref
    own = record.for_victim(chosen)
    assert [person.ref for person in own.of_role(Role.VICTIM)] == [chosen]
    assert {offer.victim for offer in offers(record, terms(SHIPPED.content), NOW)} == {one.ref for one in several}


@given(contents(), records())
@CASES
def test_n10_a_grade_is_the_highest_current_one_and_never_shown_without_its_age(
    content: Content, record: Record
) -> None:
    grades = [a.grade.value for a in record.assessments if a.grade]
    asked = facts_of(record, NOW)
    assert asked.grade == max(grades, key=GRADE_ORDER.__getitem__, default=None)
    whole = {one.ref: one for one in record.assessments}
    for _, decision in each(content, asked):
        for one in minimise(record, decision).assessments:
            before = whole[one.ref]
            assert one.grade in {None, before.grade}
            assert (one.instrument, one.at, one.assessor_role) == (before.instrument, before.at, before.assessor_role)


@given(contents(), records())
@CASES
def test_n11_whoever_is_not_referred_ends_in_front_of_a_human(content: Content, record: Record) -> None:
    made = offers(record, terms(content), NOW)
    refused = any(one.decision.reason is Reason.TOO_SECRET for one in made)
    for victim in record.of_role(Role.VICTIM):
        own = [one for one in made if one.victim == victim.ref and one.is_referral]
        assert own, "every victim is judged for a referral"
        if not refused and not any(one.makes_referral for one in own):
            worst = worst_hold(made)
            assert worst is not None
            assert worst.decision.words


@given(st.sampled_from(fhir.TYPES))
def test_n12_everything_written_is_marked_against_portals_and_proxies(type_: str) -> None:
    for written in fhir.write(type_, WHOLE.for_victim("victim-1"), REFERRAL, "https://gateway.test/fhir/R4"):
        labels = {one["code"] for one in orjson.loads(written.body)["meta"]["security"]}
        assert {"R", "SDV"} <= labels or {"V", "SDV"} <= labels


@given(contents(), facts())
@CASES
def test_n6_nothing_is_ever_for_anybody_but_a_recipient_of_a_party(content: Content, asked: Facts) -> None:
    agreed = terms(content)
    for (_, purpose), decision in each(content, asked):
        assert decision.organisation in ORGANISATIONS
        for name in ("suspect", "suspect-1", "", "portal"):
            outside = decide_on(asked, name, purpose, agreed, NOW)
            assert outside.outcome in {Outcome.DENIED, Outcome.REFUSED}
            assert not outside.ruling.methods


@given(contents(), facts())
@CASES
def test_breaking_the_glass_releases_what_emergency_clauses_name_and_nothing_else(
    content: Content, asked: Facts
) -> None:
    for road, decision in each(content, replace(asked, break_glass="life-or-limb")):
        named = {item for one in clauses_for(content, road, emergency=True) for item in (*one.release, *one.generalise)}
        assert set(decision.ruling.methods) <= named - prohibited_for(content, road)
