"""N4 and N5 over generated records: whatever a hospital's record holds, and wherever, police are given none of it.

A record that holds everything loses parts by chance, and every place that takes a code of an open list is planted with
one that is in no list. What is decided and minimised for police, under her consent or an override, is searched whole.
"""

from __future__ import annotations

import random
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.hospital.coded import CATEGORY, coded
from gateway.hospital.standing import State, judged, state_of
from gateway.minimise import minimise
from mappings.codemap import CODES, load_codemap
from mappings.concerns import concern_of, concerns
from mappings.items import leaves
from mappings.record import (
    Assessment,
    Classification,
    Consent,
    ConsentState,
    Grade,
    Marking,
    Person,
    Record,
    RecordKind,
    Role,
    Source,
)
from tests.support.agreements import provide
from tests.support.everything import everything
from tests.support.records import NOW

MARK = "Zqmark"
WHOLE = everything()
AREAS = provide().agreement.content.areas
NEVER = (
    "nhs_number",
    "general_practice",
    "clinical",
    "needs",
    "contact",
    "safe_contact",
    "home_address",
    "safe_address",
    "work_address",
    "other_address",
)
"""Of whoever it may be."""
NEVER_AT_ALL = frozenset(
    {
        "risk.answers",
        "risk.answers.victim_health",
        "risk.answers.suspect_background",
        "adviser.case_notes",
        "adviser.safety_plan",
        "marac.minutes",
        "statement.summary",
        "statement.third_party",
        "consent.reason",
        "event.references",
        "event.location",
    }
)


def planted(seed: int, consent: ConsentState, source: str) -> Record:
    """A record of a hospital, with parts gone and codes planted by chance."""
    chance = random.Random(seed)
    codes = iter(f"{MARK}-{n}" for n in range(1000))

    def kept(parts: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(one for one in parts if chance.random() < 0.8)

    def person(one: Person) -> Person:
        names = tuple(name.model_copy(update={"use": next(codes)}) for name in one.names)
        birth = one.birth and one.birth.model_copy(update={"age_band": next(codes)})
        clinical = (f"{MARK} fracture", *one.clinical)
        return one.model_copy(update={"names": names, "birth": birth, "sex": next(codes), "clinical": clinical})

    def assessment(one: Assessment) -> Assessment:
        odd = {name: next(codes) for name in ("assessor_role", "basis", "instrument_version")}
        return one.model_copy(update={**odd, "history": ()})

    victims = [one for one in WHOLE.people if one.role is Role.VICTIM][:1]
    others = kept(tuple(one for one in WHOLE.people if one.role is not Role.VICTIM))
    return WHOLE.model_copy(
        update={
            "kind": RecordKind.NOTICE,
            "source": Source(organisation=source, system="trust-system"),
            "marking": None,
            "flags": tuple(chance.sample([*sorted(concerns()), *(next(codes) for _ in range(4))], 5)),
            **{name: next(codes) for name in ("area", "category", "section", "offence", "outcome")},
            "people": tuple(person(one) for one in (*victims, *others)),
            "relationships": tuple(
                one.model_copy(update={"type": next(codes), "evidence": (next(codes),)}) for one in WHOLE.relationships
            ),
            "assessments": tuple(assessment(one) for one in kept(WHOLE.assessments)),
            "consents": (
                Consent(ref="consent-1", state=consent, scope=(next(codes),), asked_by=next(codes), reason=MARK),
            ),
            **{
                name: kept(getattr(WHOLE, name)) for name in ("statements", "orders", "custody", "criteria", "feedback")
            },
        }
    )


@given(
    seed=st.integers(0, 2**32),
    consent=st.sampled_from(sorted(ConsentState)),
    override=st.booleans(),
    source=st.sampled_from(["RXL", "RTX"]),
)
@settings(deadline=None, max_examples=150)
def test_nothing_clinical_and_nobodys_health_is_given_to_police(
    seed: int, consent: ConsentState, source: str, *, override: bool
) -> None:
    record = coded(planted(seed, consent, source), AREAS)
    hidden = {
        str(value)
        for path, item, value in leaves(record)
        if (item in NEVER_AT_ALL or item.rpartition(".")[2] in NEVER) and isinstance(value, str) and path
    }
    stated = ConsentState.OVERRIDDEN.value if override else None
    for one in judged(record, stated, provide(), NOW):
        assert one.recipient == "police-officer"
        if not one.goes:
            continue
        given_ = minimise(record, one.decision)
        text = orjson.dumps(given_.model_dump(mode="json", exclude_defaults=True)).decode()
        assert MARK not in text
        said = {str(value) for _, _, value in leaves(given_) if isinstance(value, str)}
        assert hidden.isdisjoint(said), sorted(hidden & said)
        left = {item for _, item, _ in leaves(given_)}
        assert not {one for one in left if one.endswith((".clinical", ".nhs_number")) or one.startswith("engagement.")}


@given(
    consent=st.sampled_from([None, *sorted(ConsentState)]),
    grade=st.sampled_from([None, *Grade]),
    children=st.booleans(),
)
@settings(deadline=None, max_examples=80)
def test_only_consent_or_a_persons_override_opens_a_notice(
    consent: ConsentState | None, grade: Grade | None, *, children: bool
) -> None:
    people = [Person(ref="victim-1", role=Role.VICTIM)] + [Person(ref="child-1", role=Role.CHILD)] * children
    record = coded(
        Record(
            kind=RecordKind.NOTICE,
            source=Source(organisation="RXL"),
            people=tuple(people),
            consents=(Consent(ref="consent-1", state=consent),) if consent else (),
            assessments=(Assessment(ref="assessment-1", grade=grade),) if grade else (),
        ),
        AREAS,
    )
    made = judged(record, None, provide(), NOW)
    against = consent in {ConsentState.REFUSED, ConsentState.WITHDRAWN}
    expected = State.OPEN if consent is ConsentState.GIVEN else State.HELD
    if against and grade in {Grade.STANDARD, Grade.MEDIUM} and not children:
        expected = State.STOPPED
    assert state_of(record, made) is expected


def test_consent_that_the_suspect_could_hear_is_no_consent() -> None:
    consent = Consent(ref="consent-1", state=ConsentState.GIVEN, suspect_present=True)
    people = (Person(ref="victim-1", role=Role.VICTIM),)
    source = Source(organisation="RXL")
    record = coded(Record(kind=RecordKind.NOTICE, source=source, people=people, consents=(consent,)), AREAS)
    assert state_of(record, judged(record, None, provide(), NOW)) is State.HELD


@pytest.mark.parametrize("victims", [0, 2])
def test_a_notice_is_about_one_victim(victims: int) -> None:
    people = tuple(Person(ref=f"victim-{n}", role=Role.VICTIM) for n in range(victims))
    consent = Consent(ref="consent-1", state=ConsentState.GIVEN)
    source = Source(organisation="RXL")
    record = coded(Record(kind=RecordKind.NOTICE, source=source, people=people, consents=(consent,)), AREAS)
    assert state_of(record, judged(record, None, provide(), NOW)) is State.HELD


def test_what_is_not_in_a_list_is_remarked_on_and_an_override_is_not_taken_from_a_document() -> None:
    consent = Consent(ref="consent-1", state=ConsentState.OVERRIDDEN)
    record = coded(Record(kind=RecordKind.NOTICE, flags=("financial-abuse", "fracture"), consents=(consent,)), AREAS)
    assert (record.flags, record.category) == (("financial-abuse",), CATEGORY)
    assert record.consents[0].state is ConsentState.NOT_ASKED
    assert {one.code for one in record.quality} == {"no-safeguarding-concern", "override-needs-a-person"}


def test_a_police_force_and_a_stranger_have_no_way_for_a_notice() -> None:
    people = (Person(ref="victim-1", role=Role.VICTIM),)
    consents = (Consent(ref="consent-1", state=ConsentState.GIVEN),)
    for source in ("04", "RW5"):
        record = Record(kind=RecordKind.NOTICE, source=Source(organisation=source), people=people, consents=consents)
        made = judged(record, None, provide(), NOW)
        assert [(one.recipient, one.goes) for one in made] == [("", False)]


def test_what_is_secret_is_refused(seed: int) -> None:
    marking = Marking(classification=Classification.SECRET)
    record = planted(seed, ConsentState.GIVEN, "RXL").model_copy(update={"marking": marking})
    (one,) = judged(record, None, provide(), NOW)
    assert not one.goes
    assert one.decision.reason == "marking-too-high"


def test_every_code_of_the_list_has_a_right_check_digit() -> None:
    """SNOMED CT identifiers end in a Verhoeff digit (domain.md section 2.10)."""
    assert concern_of("707087005") == "at-risk-of-domestic-violence"
    assert concern_of("125605004") is None
    for code in load_codemap(CODES / "safeguarding-concern.json").codes:
        assert _verhoeff(code), code


def _verhoeff(number: str) -> bool:
    """The dihedral group of order ten, written out as composition of rotations and reflections."""
    permute = [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]]
    while len(permute) < 8:
        permute.append([permute[-1][permute[1][digit]] for digit in range(10)])
    check = 0
    for place, digit in enumerate(reversed(number)):
        check = _composed(check, permute[place % 8][int(digit)])
    return check == 0


def _composed(a: int, b: int) -> int:
    if a < 5:
        return (a + b) % 5 if b < 5 else 5 + (a + b - 5) % 5
    return 5 + (a - 5 - b) % 5 if b < 5 else (a - b) % 5
