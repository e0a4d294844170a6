"""Taking away what a decision withholds: nothing survives that it does not name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.decide import Decision, Effect, Outcome, Reason, Verdict, decide
from gateway.decision import ruling
from gateway.generalise import TALLIED, Method, fits
from gateway.minimise import minimise
from mappings.items import CATALOGUE, leaves, possible_items, present
from mappings.record import (
    Address,
    AddressUse,
    Birth,
    Name,
    Part,
    Person,
    Record,
    RecordKind,
    Role,
    Statement,
    Tally,
    Topic,
)
from tests.support.agreements import provide
from tests.support.everything import everything
from tests.support.records import NOW, incident

WHOLE = everything()


def allowing(released: set[str], generalised: Mapping[str, Method] | None = None) -> Decision:
    coarse = generalised or {}
    verdicts = tuple(
        Verdict(item, Effect.GENERALISED if item in coarse else Effect.RELEASED, coarse.get(item), "c", "words")
        for item in sorted(released | coarse.keys())
    )
    return Decision(
        Outcome.PERMITTED, Reason.CLAUSE, "words", "r", "o", "p", "F", None, ("c",), ruling(verdicts), None, None
    )


def only(item: str, method: Method, *, record: Record = WHOLE) -> Record:
    """The record with everything released but one item, which is generalised."""
    return minimise(record, allowing(set(CATALOGUE) - {item}, {item: method}))


def fitting(item: str) -> st.SearchStrategy[Method]:
    methods = [method for method in Method if fits(method, item)]
    return st.sampled_from(methods) if methods else st.nothing()


@st.composite
def decisions(draw: st.DrawFn) -> Decision:
    """Any allow-list, with any methods that fit; the catalogue's shape is respected as little as chance will."""
    released = draw(st.sets(st.sampled_from(sorted(CATALOGUE))) | st.just(set(CATALOGUE)))
    dropped = draw(st.sets(st.sampled_from(sorted(CATALOGUE)), max_size=8))
    able = sorted(item for item in CATALOGUE if any(fits(method, item) for method in Method))
    coarse = draw(st.sets(st.sampled_from(able), max_size=12))
    methods = {item: draw(fitting(item)) for item in sorted(coarse - dropped)}
    return allowing(released - dropped - methods.keys(), methods)


def frame(path: str) -> bool:
    """The kind of a record is there in any case, and its version is a number, if only the default one."""
    return path in {"kind", "version"}


def test_the_record_with_everything_has_everything() -> None:
    """What the properties below try is the whole schema."""
    assert present(WHOLE) == possible_items()


@given(decisions())
@settings(max_examples=120, deadline=None)
def test_nothing_survives_that_the_decision_does_not_name(decision: Decision) -> None:
    named = {*decision.released, *decision.generalised}
    less = minimise(WHOLE, decision)
    assert {item for path, item, _ in leaves(less) if not frame(path)} <= named


@given(decisions())
@settings(max_examples=120, deadline=None)
def test_every_leaf_is_as_it_was_or_made_by_a_method(decision: Decision) -> None:
    """Released items keep their values exactly; nothing is invented but what a method makes."""
    before = {(item, repr(value)) for _, item, value in leaves(WHOLE)}
    less = minimise(WHOLE, decision)
    for path, item, value in leaves(less):
        if item in decision.released and not path.startswith("tallies") and not frame(path):
            assert (item, repr(value)) in before


@given(decisions())
@settings(max_examples=60, deadline=None)
def test_what_is_left_is_a_valid_record_and_minimising_again_changes_nothing(decision: Decision) -> None:
    less = minimise(WHOLE, decision)
    assert Record.model_validate(less.model_dump()) == less
    assert Record.model_validate_json(less.model_dump_json()) == less
    assert minimise(less, decision) == less
    assert everything() == WHOLE


@given(decisions(), st.sets(st.sampled_from(sorted(CATALOGUE))))
@settings(max_examples=60, deadline=None)
def test_a_narrower_decision_leaves_less(decision: Decision, items: set[str]) -> None:
    def shown(by: Decision) -> set[tuple[str, str]]:
        less = minimise(WHOLE, by)
        return {(item, repr(value)) for path, item, value in leaves(less) if not frame(path) and "tallies" not in path}

    assert shown(decision.narrow(frozenset(items))) <= shown(decision)


@pytest.mark.parametrize("item", sorted(possible_items()))
def test_withholding_one_item_takes_it_all_away(item: str) -> None:
    less = minimise(WHOLE, allowing(set(CATALOGUE) - {item}))
    assert item not in {found for path, found, _ in leaves(less) if not frame(path)}
    assert less.version == (1 if item == "event.kind" else WHOLE.version)


@pytest.mark.parametrize("item", sorted(possible_items()))
def test_releasing_one_item_alone_shows_no_other(item: str) -> None:
    less = minimise(WHOLE, allowing({item}))
    assert {found for path, found, _ in leaves(less) if not frame(path)} <= {item}


def test_releasing_everything_gives_the_same_record() -> None:
    assert minimise(WHOLE, allowing(set(CATALOGUE))) is WHOLE


def test_releasing_nothing_leaves_the_frame_alone() -> None:
    assert minimise(WHOLE, allowing(set())) == Record(kind=RecordKind.INCIDENT)


def test_a_part_goes_with_its_gate() -> None:
    less = minimise(WHOLE, allowing(set(CATALOGUE) - {"suspect.listed", "risk.assessment"}))
    assert less.of_role(Role.SUSPECT) == ()
    assert less.assessments == ()
    assert len(less.people) == len(WHOLE.people) - 1


def test_a_statement_goes_by_its_own_topic() -> None:
    less = minimise(WHOLE, allowing({"statement.summary", "adviser.case_notes"}))
    assert {statement.topic for statement in less.statements} == {Topic.SUMMARY, Topic.CASE_NOTE}


def test_safety_flags_and_numbers_are_withheld_apart() -> None:
    victim = minimise(WHOLE, allowing(set(CATALOGUE) - {"victim.safe_contact"})).of_role(Role.VICTIM)[0]
    assert victim.contacts[0].value
    assert not victim.contacts[0].is_safe  # what is not known to be safe is not (P5)
    assert minimise(WHOLE, allowing(set(CATALOGUE) - {"victim.contact"})).of_role(Role.VICTIM)[0].contacts == ()


# --- methods ----------------------------------------------------------------------------------------------------------


def born(birth: Birth, method: Method) -> Birth | None:
    record = incident()
    changed = record.people[0].model_copy(update={"birth": birth})
    record = record.model_copy(update={"people": (changed,)})
    return only("victim.birth", method, record=record).people[0].birth


@pytest.mark.parametrize(
    ("birth", "less"),
    [
        (Birth(on=date(1991, 2, 3)), Birth(year=1991)),
        (Birth(year=1991, age=35), Birth(year=1991)),
        (Birth(age=35, age_from=30), None),
    ],
)
def test_year_leaves_the_year_alone(birth: Birth, less: Birth | None) -> None:
    assert born(birth, Method.YEAR) == less


@pytest.mark.parametrize(
    ("birth", "band"),
    [
        (Birth(on=date(2010, 4, 13)), "under-16"),  # the event is on 12 April 2026: sixteen on the day after
        (Birth(on=date(2010, 4, 12)), "16-17"),
        (Birth(age=24), "18-24"),
        (Birth(age=25), "25-34"),
        (Birth(age=130), "65-or-over"),
        (Birth(age_band="45-54", age=50), "45-54"),
    ],
)
def test_age_band_is_the_band_at_the_time_of_the_event(birth: Birth, band: str) -> None:
    assert born(birth, Method.AGE_BAND) == Birth(age_band=band)


def test_an_age_band_needs_an_age_and_an_event_and_is_never_a_guess() -> None:
    assert born(Birth(year=1990), Method.AGE_BAND) == Birth(age_band="35-44")  # 35 or 36 on the day: one band
    assert born(Birth(year=1991), Method.AGE_BAND) is None  # 34 or 35: two
    assert born(Birth(on=date(2027, 1, 1)), Method.AGE_BAND) is None
    record = incident().model_copy(update={"times": None})
    assert only("victim.birth", Method.AGE_BAND, record=record).people[0].birth is None


@pytest.mark.parametrize(
    ("postcode", "district"),
    [("ZZ99 3CZ", "ZZ99"), ("ZZ993CZ", None), (None, None), ("12 Example Row", "12 Example"), ("", None)],
)
def test_locality_is_town_and_postcode_district(postcode: str | None, district: str | None) -> None:
    address = Address(use=AddressUse.HOME, lines=("1 Example Row",), town="Blackpool", postcode=postcode, uprn="1")
    person = Person(ref="suspect-1", role=Role.SUSPECT, addresses=(address,))
    record = Record(kind=RecordKind.INCIDENT, people=(person,))
    less = only("suspect.home_address", Method.LOCALITY, record=record).people[0].addresses
    assert less == (Address(use=AddressUse.HOME, town="Blackpool", district=district),)


def test_lsoa_is_the_area_alone() -> None:
    victim = only("victim.home_address", Method.LSOA).of_role(Role.VICTIM)[0]
    home = next(address for address in victim.addresses if address.use is AddressUse.HOME)
    assert home == Address(use=AddressUse.HOME, lsoa="E01999999")


def test_yes_no_is_the_reply_alone() -> None:
    answers = only("risk.answers.suspect_background", Method.YES_NO).assessments[0].answers
    shown = {answer.code: (answer.reply, answer.text, answer.source) for answer in answers}
    assert shown["SUB"] == ("yes", None, None)
    assert shown["INJ"] == ("yes", "text of INJ", "child")


def test_count_puts_a_number_in_place_of_the_parts() -> None:
    less = only("risk.answers", Method.COUNT)
    assert {answer.code for answer in less.assessments[0].answers} == {"DEP", "PREG", "SUB", "SUI", "CRIM"}
    assert less.tallies == (Tally(of="risk.answers", count=1),)
    assert only("third_party.listed", Method.COUNT).tallies == (Tally(of="third_party.listed", count=3),)


def test_counts_add_up_with_those_a_record_brings_and_say_nothing_where_there_are_none() -> None:
    record = WHOLE.model_copy(update={"tallies": (Tally(of="child.listed", count=2), Tally(of="orders", count=9))})
    less = only("child.listed", Method.COUNT, record=record)
    assert less.tallies == (Tally(of="orders", count=9), Tally(of="child.listed", count=3))
    assert minimise(record, allowing(set())).tallies == ()
    assert only("orders", Method.COUNT, record=Record(kind=RecordKind.STATUS)).tallies == ()


def test_a_part_inside_one_that_stays_is_not_counted() -> None:
    less = minimise(WHOLE, allowing(set(), {"risk.answers": Method.COUNT}))
    assert less.tallies == ()


def test_existence_says_only_that_there_is_one() -> None:
    plans = tuple(Statement(topic=Topic.SAFETY_PLAN, text="plan") for _ in range(3))
    record = WHOLE.model_copy(update={"statements": plans})
    less = only("adviser.safety_plan", Method.EXISTENCE, record=record)
    assert less.statements == ()
    assert less.tallies == (Tally(of="adviser.safety_plan", count=1),)


def test_coded_drops_free_text_and_keeps_codes_and_times() -> None:
    summary = next(s for s in only("statement.summary", Method.CODED).statements if s.topic is Topic.SUMMARY)
    assert summary == Statement(topic=Topic.SUMMARY, about=("victim-1",))
    assert only("event.times", Method.CODED) == WHOLE
    assert only("orders", Method.CODED).orders[0].conditions is None
    answers = only("risk.answers", Method.CODED).assessments[0].answers
    assert (answers[0].code, answers[0].source, answers[0].text) == ("INJ", "child", None)


@pytest.mark.parametrize("method", sorted(set(Method) - TALLIED))
def test_a_method_fits_what_it_has_a_meaning_for_and_nothing_else(method: Method) -> None:
    """Where a method fits, something of the item is left and something is gone, or it is all codes already."""
    for item in (i for i in sorted(possible_items()) if fits(method, i)):
        assert item in present(only(item, method)), item
    assert not fits(method, "victim.name")
    assert not fits(method, "event.location")


# --- with the shipped agreement ---------------------------------------------------------------------------------------


def texts(part: Part) -> set[str]:
    found = set[str]()
    for _, _, value in leaves(part):
        found |= (
            {value}
            if isinstance(value, str)
            else {v for v in value if isinstance(v, str)}
            if isinstance(value, tuple)
            else set()
        )
    return found


def test_what_reaches_the_advisers_holds_nothing_of_third_parties_or_intelligence() -> None:
    less = minimise(WHOLE, decide(WHOLE, "idva-team", "safeguarding", provide(), NOW))
    shown = texts(less)
    for person in WHOLE.people:
        if person.word() == "third_party":
            assert not {text for text in texts(person) if text.endswith(f" {person.role.value}")} & shown
    assert not {"text on third-party", "text on intelligence", "text on covert", "pnc suspect"} & shown
    assert {"text on summary", "Family victim", "Family suspect", "1 safe victim"} <= shown


def test_what_reaches_evaluation_says_nobody_is() -> None:
    less = minimise(WHOLE, decide(WHOLE, "evaluation", "evaluation", provide(), NOW))
    assert [person.role for person in less.people] == [Role.VICTIM]
    victim = less.people[0]
    assert victim == Person(
        ref="victim-1", role=Role.VICTIM, addresses=(Address(use=AddressUse.HOME, lsoa="E01999999"),)
    )
    assert victim.names == tuple[Name]()
    assert {t.of: t.count for t in less.tallies} == {"child.listed": 1, "risk.answers": 1}
