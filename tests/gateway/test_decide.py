"""The judgement: deny by default, the rules above every agreement, and the same decision again from sealed facts."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from audit.canonical import canonical
from gateway.agreement import AgreementUnreadable, State, Terms, parse, reading, shipped
from gateway.agreement.content import Content
from gateway.decide import Decision, Facts, Outcome, Reason, decide, decide_on, facts_of
from mappings.items import CATALOGUE, leaves, present
from mappings.record import Assessment, Classification, Consent, ConsentState, Grade, Instrument, Marking
from tests.support.agreements import edited, plain, provide, signed
from tests.support.everything import everything
from tests.support.records import NOW, incident

END = datetime(2029, 1, 1, tzinfo=UTC)
ROUTES = [
    ("idva-team", "safeguarding"),
    ("idva-team", "own-record"),
    ("police-officer", "feedback"),
    ("police-officer", "own-record"),
    ("evaluation", "evaluation"),
]


def facts(**changes: Any) -> Facts:
    known = facts_of(incident(), NOW).to_json()
    return Facts.from_json(known | {"items": sorted(CATALOGUE)} | changes)


def to_idva(known: Facts, terms: Terms | None = None) -> Decision:
    return decide_on(known, "idva-team", "safeguarding", terms or provide(), NOW)


def nothing_goes(decision: Decision) -> bool:
    return not decision.released and not decision.generalised


# --- deny by default --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recipient", "purpose", "reason"),
    [
        ("press", "safeguarding", Reason.RECIPIENT_UNKNOWN),
        ("idva-team", "curiosity", Reason.PURPOSE_UNKNOWN),
        ("police-officer", "safeguarding", Reason.PURPOSE_UNKNOWN),
        ("police-officer", "feedback", Reason.NO_FLOW),
    ],
)
def test_whoever_has_no_part_in_the_agreement_is_denied(recipient: str, purpose: str, reason: Reason) -> None:
    decision = decide(incident(), recipient, purpose, provide(), NOW)
    assert (decision.outcome, decision.reason) == (Outcome.DENIED, reason)
    assert nothing_goes(decision)
    assert decision.respond_by is None
    assert decision.owner is None


@pytest.mark.parametrize("source", ["05", "RXL", None])
def test_a_sender_without_a_flow_is_denied(source: str | None) -> None:
    assert to_idva(facts(source=source)).reason is Reason.NO_FLOW


@pytest.mark.parametrize(
    "terms",
    [
        None,
        signed(shipped(), State.DRAFT),
        signed(shipped(), State.SUSPENDED),
        signed(shipped(), State.ENDED),
        signed(shipped(), without="blackpool-teaching-hospitals"),
    ],
)
@pytest.mark.parametrize(("kind", "outcome"), [("incident", Outcome.HELD), ("status", Outcome.DENIED)])
def test_without_terms_in_force_nothing_goes(terms: Terms | None, kind: str, outcome: Outcome) -> None:
    """What police sent is kept for a human with a clock (P6); feedback stays where it is."""
    decision = decide_on(facts(kind=kind), "idva-team", "safeguarding", terms, NOW)
    assert (decision.outcome, decision.reason) == (outcome, Reason.NO_AGREEMENT)
    assert nothing_goes(decision)
    assert (decision.respond_by == NOW + timedelta(hours=1)) is (outcome is Outcome.HELD)


def test_an_altered_agreement_gives_nothing_until_it_is_signed_again() -> None:
    altered = edited(lambda content: content["clauses"][0]["release"].append("suspect.contact"))
    moved = Terms(altered, provide().signatures, provide().party_keys, State.IN_FORCE)
    known = facts(kind="status", source="RXL")
    assert decide_on(known, "police-officer", "feedback", provide(), NOW).outcome is Outcome.PERMITTED
    assert decide_on(known, "police-officer", "feedback", moved, NOW).outcome is Outcome.DENIED
    assert nothing_goes(to_idva(facts(), moved))


def test_an_agreement_decides_up_to_its_last_instant_and_not_at_it() -> None:
    tick = timedelta(microseconds=1)
    seen = [decide_on(facts(), "idva-team", "safeguarding", provide(), at).outcome for at in (END - tick, END)]
    assert seen == [Outcome.PERMITTED, Outcome.HELD]


def test_an_item_no_clause_names_is_withheld() -> None:
    decision = to_idva(facts(items=["event.kind", "suspect.occupation", "victim.shoe_size"]))
    assert decision.released == ("event.kind",)
    assert decision.withheld == ("suspect.occupation", "victim.shoe_size")
    assert {v.by for v in decision.verdicts if v.item in decision.withheld} == {"default"}


def test_clauses_that_release_nothing_of_a_record_refuse_it() -> None:
    decision = to_idva(facts(items=["suspect.occupation"]))
    assert (decision.outcome, decision.reason) == (Outcome.REFUSED, Reason.NOTHING_RELEASED)


@pytest.mark.parametrize(
    ("area", "outcome", "reason"),
    [
        ("fylde", Outcome.PERMITTED, Reason.CLAUSE),
        ("preston", Outcome.REFUSED, Reason.OUTSIDE_AREA),
        (None, Outcome.HELD, Reason.AREA_UNKNOWN),
    ],
)
def test_a_team_works_in_its_areas_and_an_unknown_area_goes_to_a_person(
    area: str | None, outcome: Outcome, reason: Reason
) -> None:
    decision = to_idva(facts(area=area))
    assert (decision.outcome, decision.reason) == (outcome, reason)
    assert decision.respond_by


def test_an_event_too_old_or_undated_is_not_within_a_limit() -> None:
    for hours, outcome in ((0, Outcome.PERMITTED), (852 * 24 - 1, Outcome.PERMITTED), (852 * 24, Outcome.REFUSED)):
        decision = decide_on(facts(hours_since_event=hours), "evaluation", "evaluation", provide(), NOW)
        assert decision.outcome is outcome
    assert (
        decide_on(facts(hours_since_event=None), "evaluation", "evaluation", provide(), NOW).reason is Reason.NO_CLAUSE
    )


# --- what no agreement can lift ---------------------------------------------------------------------------------------


def permissive() -> Terms:
    """An agreement whose clauses release every item there is, under every condition, and hold or prohibit nothing."""

    def change(content: dict[str, Any]) -> None:
        del content["prohibitions"]
        del content["holds"]
        when = dict.fromkeys(content["clauses"][0]["when"], "any")
        content["clauses"] = [
            {
                "id": f"all-{flow['id']}",
                "title": "everything",
                "flow": flow["id"],
                "recipients": flow["to"],
                "emergency": False,
                "when": when,
                "release": sorted(CATALOGUE),
            }
            for flow in content["flows"]
        ]

    return signed(edited(change))


PERMISSIVE = permissive()


@pytest.mark.parametrize("terms", [None, provide(), PERMISSIVE])
@pytest.mark.parametrize(("recipient", "purpose"), ROUTES)
@pytest.mark.parametrize("marking", ["secret", "top-secret"])
def test_secret_is_refused_whatever_the_agreement(
    terms: Terms | None, recipient: str, purpose: str, marking: str
) -> None:
    decision = decide_on(facts(classification=marking), recipient, purpose, terms, NOW)
    assert (decision.outcome, decision.reason) == (Outcome.REFUSED, Reason.TOO_SECRET)
    assert nothing_goes(decision)


@pytest.mark.parametrize("terms", [provide(), PERMISSIVE])
@pytest.mark.parametrize("marking", [{"handling": "C"}, {"information_grade": "E"}])
def test_conditional_handling_and_suspected_falsehood_go_to_a_person(terms: Terms, marking: dict[str, str]) -> None:
    """N7: never forwarded automatically; the force itself may read back what it sent."""
    decision = to_idva(facts(**marking), terms)
    assert (decision.outcome, decision.reason) == (Outcome.HELD, Reason.MARKING)
    assert nothing_goes(decision)
    assert decide_on(facts(**marking), "police-officer", "own-record", terms, NOW).outcome is Outcome.PERMITTED


def leaving(known: Facts, recipient: str, purpose: str) -> set[str]:
    decision = decide_on(known, recipient, purpose, PERMISSIVE, NOW)
    assert decision.outcome is Outcome.PERMITTED
    return {*decision.released, *decision.generalised}


def test_n3_third_parties_never_reach_the_nhs() -> None:
    for recipient, purpose, source in (
        ("idva-team", "safeguarding", "04"),
        ("idva-team", "own-record", "RXL"),
        ("evaluation", "evaluation", "04"),
    ):
        went = leaving(facts(source=source), recipient, purpose)
        assert not {i for i in went if i.startswith("third_party.") or i == "statement.third_party"}


def test_n4_answers_on_health_reach_police_only_where_police_asked_and_the_nhs_never_whole() -> None:
    health = {"risk.answers.suspect_background", "risk.answers.victim_health"}
    assert not health & leaving(facts(kind="status", source="RXL"), "police-officer", "feedback")
    assert health <= leaving(facts(), "police-officer", "own-record")
    assert "risk.answers.suspect_background" not in leaving(facts(), "idva-team", "safeguarding")
    assert "risk.answers.suspect_background" in to_idva(facts()).generalised


@pytest.mark.parametrize(("purpose", "source"), [("feedback", "RXL"), ("own-record", "04")])
def test_n5_nhs_numbers_and_clinical_facts_never_reach_police(purpose: str, source: str) -> None:
    went = leaving(facts(source=source), "police-officer", purpose)
    assert not {i for i in went if i.endswith((".nhs_number", ".general_practice", ".clinical"))}


def test_n7_covert_activity_stays_with_the_force_that_holds_it() -> None:
    assert "police.covert" not in leaving(facts(), "idva-team", "safeguarding")
    assert "police.covert" not in leaving(facts(source="RXL"), "police-officer", "feedback")
    assert "police.covert" in leaving(facts(), "police-officer", "own-record")


# --- the stricter wins; less agreement never gives more ---------------------------------------------------------------


def another_clause(**says: Any) -> Terms:
    def change(content: dict[str, Any]) -> None:
        first = content["clauses"][0]
        same = {key: first[key] for key in ("flow", "recipients", "emergency", "when")}
        content["clauses"].append(same | {"id": "more", "title": "another clause"} | says)

    return signed(edited(change))


def test_where_clauses_disagree_the_stricter_wins() -> None:
    kept = {"items": ["victim.name"], "reason": "kept by another clause"}
    assert "victim.name" in to_idva(facts(), another_clause(withhold=[kept])).withheld
    assert "victim.birth" in to_idva(facts(), another_clause(generalise={"victim.birth": "year"})).generalised
    assert "victim.birth" in to_idva(facts(), another_clause(release=["victim.birth"])).released
    two = another_clause(generalise={"suspect.home_address": "lsoa"})
    assert "suspect.home_address" in to_idva(facts(), two).withheld


def test_a_prohibition_stands_above_every_clause() -> None:
    def change(content: dict[str, Any]) -> None:
        prohibition = {"id": "PX", "items": ["victim.*"], "recipients": ["idva-team"], "reason": "none of it"}
        content["prohibitions"].append(prohibition)

    decision = to_idva(facts(), signed(edited(change)))
    assert not [item for item in decision.released if item.startswith("victim.")]
    assert next(v for v in decision.verdicts if v.item == "victim.name").by == "PX"


WORLD = [
    facts(kind=kind, source=source, grade=grade, consent=consent, children=children)
    for (kind, source), grade, consent, children in product(
        [("incident", "04"), ("status", "RXL")],
        ["medium", "high", None],
        ["given", "refused", "withdrawn", None],
        [False, True],
    )
]


def releases(terms: Terms) -> list[tuple[set[str], dict[str, Any]]]:
    seen = [decide_on(known, *route, terms, NOW) for known in WORLD for route in ROUTES]
    return [(set(d.released), {v.item: v.method for v in d.verdicts if v.method}) for d in seen]


BEFORE = releases(provide())


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every key and every element of a document that could be struck out."""
    steps: list[Any] = (
        list(value) if isinstance(value, dict) else list(range(len(value) if isinstance(value, list) else 0))
    )
    return [place for step in steps for place in ((*path, step), *places(value[step], (*path, step)))]


def kinds_of_places() -> list[tuple[Any, ...]]:
    """One place of each kind: which clause it stands in makes no kind."""
    kinds = {tuple("*" if isinstance(step, int) else step for step in place): place for place in places(plain())}
    return list(kinds.values())


@given(st.sampled_from(places(plain())))
@settings(max_examples=30, deadline=None)
def test_striking_anything_out_of_the_agreement_never_releases_more(place: tuple[Any, ...]) -> None:
    """A clause, a condition, a date, a hold, a prohibition, a word: the rest is unreadable, or gives no more (P3)."""
    _struck(place)


def test_striking_out_one_of_each_kind_never_releases_more() -> None:
    """What the models themselves refuse is not written out as a text, to be read for a second and refused by them."""
    read = 0
    for place in kinds_of_places():
        if _fits_the_models(_without(place)):
            _struck(place)
            read += 1
    assert read > 40, "most of what can be struck out is needed, the rest is not"


def _fits_the_models(content: dict[str, Any]) -> bool:
    try:
        Content.model_validate_json(canonical(reading._open(content)))
    except ValidationError:
        return False
    return True


def _struck(place: tuple[Any, ...]) -> None:
    try:
        terms = signed(parse(json.dumps(_without(place)).encode()))
    except AgreementUnreadable:
        return
    for (whole, coarse), (was_whole, was_coarse) in zip(releases(terms), BEFORE, strict=True):
        assert whole <= was_whole
        assert coarse.items() <= was_coarse.items()


def _without(place: tuple[Any, ...]) -> dict[str, Any]:
    content = plain()
    inner: Any = content
    for step in place[:-1]:
        inner = inner[step]
    del inner[place[-1]]
    return content


# --- made again from sealed facts (P4) --------------------------------------------------------------------------------


@pytest.mark.parametrize(("recipient", "purpose"), [*ROUTES, ("press", "safeguarding")])
@pytest.mark.parametrize("terms", [None, provide()])
def test_a_decision_is_made_again_from_sealed_facts_byte_for_byte(
    recipient: str, purpose: str, terms: Terms | None
) -> None:
    for record in (incident(), everything(), incident(grade=None, area=None, consent=ConsentState.REFUSED)):
        first = canonical(decide(record, recipient, purpose, terms, NOW).to_json())
        sealed = canonical(facts_of(record, NOW).to_json())
        again = signed(parse(terms.agreement.text)) if terms else None
        assert (
            canonical(decide_on(Facts.from_json(json.loads(sealed)), recipient, purpose, again, NOW).to_json()) == first
        )


def test_facts_tell_nothing_of_whom_they_are_about() -> None:
    record = everything()
    sealed = json.dumps(facts_of(record, NOW).to_json())
    for path, _, value in leaves(record):
        if path.startswith(("people", "statements", "orders", "location")) and isinstance(value, str) and " " in value:
            assert value not in sealed


@pytest.mark.parametrize(
    "change",
    [
        {"more": 1},
        {"kind": 3},
        {"children": 1},
        {"children": None},
        {"items": "x"},
        {"items": [1]},
        {"hours_since_event": True},
    ],
)
def test_sealed_facts_of_another_shape_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="facts"):
        Facts.from_json(facts().to_json() | change)
    with pytest.raises(ValueError, match="facts"):
        Facts.from_json({key: value for key, value in facts().to_json().items() if key != "grade"})


# --- facts ------------------------------------------------------------------------------------------------------------


def test_the_facts_of_the_worked_record() -> None:
    assert facts_of(incident(), NOW) == Facts(
        kind="incident",
        source="04",
        area="blackpool",
        grade="high",
        consent="given",
        classification="official-sensitive",
        handling=None,
        information_grade=None,
        children=True,
        hours_since_event=2,
        items=tuple(sorted(present(incident()))),
        age_band="35-44",
    )


def test_marking_and_age_are_facts() -> None:
    marking = Marking(classification=Classification.SECRET, handling="C", information_grade="E")
    known = facts_of(incident(marking=marking), NOW - timedelta(days=1))
    assert (known.classification, known.handling, known.information_grade) == ("secret", "C", "E")
    assert known.hours_since_event == 0  # an event of tomorrow is not of negative age


def graded(*grades: tuple[str, Grade | None, str | None]) -> str | None:
    found = tuple(Assessment(ref=r, instrument=Instrument.DARA, grade=g, supersedes=s) for r, g, s in grades)
    return facts_of(incident().model_copy(update={"assessments": found}), NOW).grade


def test_the_grade_is_the_highest_current_one_and_never_invented() -> None:
    assert graded() is None
    assert graded(("a", None, None)) is None
    assert graded(("a", Grade.HIGH, None), ("b", Grade.STANDARD, None)) == "high"
    assert graded(("a", Grade.HIGH, None), ("b", Grade.MEDIUM, "a")) == "medium"
    assert graded(("a", Grade.HIGH, "b"), ("b", Grade.MEDIUM, "a")) == "high"
    assert graded(("a", Grade.HIGH, "a")) == "high"
    assert graded(("a", Grade.HIGH, "a"), ("b", Grade.STANDARD, None)) == "high"


def consenting(*states: tuple[ConsentState, str | None, bool]) -> str | None:
    found = tuple(
        Consent(ref=f"c-{at}", state=state, subject=who, suspect_present=seen)
        for at, (state, who, seen) in enumerate(states)
    )
    return facts_of(incident().model_copy(update={"consents": found}), NOW).consent


def test_the_most_restrictive_consent_of_the_victim_counts() -> None:
    given_, refused = ConsentState.GIVEN, ConsentState.REFUSED
    assert consenting() is None
    assert consenting((given_, "victim-1", False), (refused, "victim-1", False)) == "refused"
    assert consenting((given_, "victim-1", False), (refused, "suspect-1", False)) == "given"
    assert consenting((given_, "victim-1", False), (refused, None, False)) == "refused"
    assert consenting((given_, "victim-1", True)) == "not-asked"  # consent beside the suspect is none


# --- clocks -----------------------------------------------------------------------------------------------------------

MONDAY, FRIDAY, MAUNDY_THURSDAY = (
    datetime(2026, 4, 13, 10, tzinfo=UTC),
    datetime(2026, 4, 17, 17, tzinfo=UTC),
    datetime(2026, 4, 2, 9, tzinfo=UTC),
)


@pytest.mark.parametrize(
    ("grade", "now", "due"),
    [
        ("high", FRIDAY, FRIDAY + timedelta(hours=1)),
        (None, FRIDAY, FRIDAY + timedelta(hours=1)),
        ("medium", MONDAY, MONDAY + timedelta(days=1)),
        ("standard", FRIDAY, FRIDAY + timedelta(days=3)),
        ("standard", MAUNDY_THURSDAY, MAUNDY_THURSDAY + timedelta(days=5)),  # Good Friday, weekend, Easter Monday
    ],
)
def test_the_clock_runs_by_grade_in_working_days(grade: str | None, now: datetime, due: datetime) -> None:
    assert decide_on(facts(grade=grade), "idva-team", "safeguarding", provide(), now).respond_by == due


def test_a_working_day_across_the_change_of_clocks_ends_at_the_same_hour_in_england() -> None:
    friday = datetime(2026, 3, 27, 16, tzinfo=UTC)  # British Summer Time begins on the Sunday
    due = decide_on(facts(grade="medium"), "idva-team", "safeguarding", provide(), friday).respond_by
    assert due == datetime(2026, 3, 30, 15, tzinfo=UTC)


# --- explained --------------------------------------------------------------------------------------------------------


def test_narrowing_keeps_only_these_items_and_the_clauses_behind_them() -> None:
    decision = to_idva(facts())
    narrow = decision.narrow(frozenset({"victim.name", "risk.answers.suspect_background", "police.covert"}))
    assert narrow.released == ("victim.name",)
    assert narrow.generalised == ("risk.answers.suspect_background",)
    assert narrow.withheld == ("police.covert",)
    assert narrow.clauses == decision.clauses
    assert decision.narrow(frozenset({"nobody.knows"})).clauses == ()
    assert set(decision.narrow(frozenset(CATALOGUE)).released) == set(decision.released)


def test_the_sender_learns_what_and_why_and_the_recipient_only_that() -> None:
    decision = decide(incident(), "idva-team", "safeguarding", provide(), NOW)
    told = decision.for_sender()
    assert {one["item"] for one in told["withheld"]} == set(decision.withheld)
    assert all(one["clause"] and one["words"] for one in told["withheld"])
    assert {one["item"] for one in told["generalised"]} == set(decision.generalised)
    heard = json.dumps(decision.for_recipient())
    assert decision.for_recipient()["withheld"] is True
    assert not any(item in heard for item in CATALOGUE)
    assert to_idva(facts(items=["event.kind"])).for_recipient()["withheld"] is False


@pytest.mark.parametrize(("recipient", "purpose"), [*ROUTES, ("press", "safeguarding")])
def test_no_words_of_a_decision_hold_a_value_of_the_record(recipient: str, purpose: str) -> None:
    record = everything()
    decision = decide(record, recipient, purpose, provide(), NOW)
    said = json.dumps([decision.to_json(), decision.for_sender(), decision.for_recipient()])
    values = {v for p, _, v in leaves(record) if p.startswith(("people", "statements")) and isinstance(v, str)}
    values |= {one for p, _, v in leaves(record) if p.startswith("people") and isinstance(v, tuple) for one in v}
    assert [v for v in values if " " in v and v in said] == []


def test_every_withheld_item_has_words() -> None:
    for known, route in product(WORLD, ROUTES):
        decision = decide_on(known, *route, provide(), NOW)
        assert decision.words
        assert all(verdict.by and verdict.words for verdict in decision.verdicts)
        assert [v.item for v in decision.verdicts] == list(known.items)
