"""What concerns one victim carries nothing of another (N9), whatever the record holds."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.record import (
    Address,
    AddressUse,
    Answer,
    Assessment,
    Birth,
    Consent,
    ConsentState,
    Contact,
    Criterion,
    Custody,
    Finding,
    Identifier,
    Name,
    Order,
    Person,
    Record,
    RecordKind,
    Relationship,
    Reply,
    Role,
    Statement,
    Topic,
)
from tests.support.records import incident

MARK = "zebra"
"""In every text that only the other victim gave."""


def person(ref: str, role: Role, *, also: str | None = None, mark: str = "") -> Person:
    return Person(
        ref=ref,
        role=role,
        also=also,
        names=(Name(family=f"Family {ref if also is None else min(ref, also)}"),),
        birth=Birth(on=date(1990, 1, 1)),
        identifiers=(Identifier(system="pnc", value="90/1A"),),
        contacts=(Contact(system="phone", value=f"{mark} phone", safe=True),),
        addresses=tuple(Address(use=use, lines=(f"{mark} {use.value}",)) for use in AddressUse),
        needs=(f"{mark} needs",),
        clinical=(f"{mark} clinical",),
        nhs_number=f"{mark} number",
        general_practice=f"{mark} practice",
        occupation=f"{mark} work",
    )


def both_ways() -> Record:
    """Victim 1 is suspect 2, victim 2 is suspect 1; everything that victim 2 alone gave is marked."""
    return Record(
        kind=RecordKind.INCIDENT,
        people=(
            person("victim-1", Role.VICTIM, also="suspect-2"),
            person("victim-2", Role.VICTIM, also="suspect-1", mark=MARK),
            person("suspect-1", Role.SUSPECT, also="victim-2", mark=MARK),
            person("suspect-2", Role.SUSPECT, also="victim-1"),
            person("child-1", Role.CHILD),
        ),
        relationships=(
            Relationship(a="victim-1", b="suspect-1", type="partner"),
            Relationship(a="victim-2", b="suspect-2", type=MARK),
        ),
        assessments=(
            Assessment(ref="a-1", subject="victim-1"),
            Assessment(ref="a-2", subject="victim-2", answers=(Answer(code="INJ", reply=Reply.YES, text=MARK),)),
            Assessment(ref="a-3", answers=(Answer(code="INJ", reply=Reply.YES, text=MARK),)),
        ),
        consents=(
            Consent(ref="c-1", state=ConsentState.GIVEN, subject="victim-1"),
            Consent(ref="c-2", state=ConsentState.REFUSED, subject="victim-2", reason=MARK),
            Consent(ref="c-3", state=ConsentState.NOT_ASKED, reason=MARK),
        ),
        criteria=(
            Criterion(code="repeat", subject="victim-2", text=MARK),
            Criterion(code="repeat", text=MARK, met=True),
            Criterion(code="escalation", subject="victim-1"),
        ),
        orders=(
            Order(type="dvpn", subject="suspect-2", conditions=MARK),
            Order(type="bail", subject="suspect-1", protects="victim-2", conditions=MARK),
            Order(type="bail", subject="suspect-1", protects="victim-1", conditions="his"),
        ),
        custody=(Custody(event="arrested", subject="suspect-2"), Custody(event="released", subject="suspect-1")),
        statements=(
            Statement(topic=Topic.SUMMARY, about=("victim-2",), text=MARK),
            Statement(topic=Topic.SUMMARY, about=("victim-2", "suspect-1"), text=MARK),
            Statement(topic=Topic.SUMMARY, about=("victim-1", "suspect-1"), text="hers"),
            Statement(topic=Topic.SUMMARY, text="what officers saw"),
        ),
        quality=(Finding(path="people[1].contacts", code="no-safe-contact"), Finding(path="area", code="missing")),
    )


def test_neither_referral_of_a_counter_allegation_carries_the_others_part() -> None:
    part = both_ways().for_victim("victim-1")
    assert MARK not in part.model_dump_json()
    assert [one.ref for one in part.people] == ["victim-1", "suspect-1", "child-1"]
    assert all(one.also is None for one in part.people)
    (suspect,) = part.of_role(Role.SUSPECT)
    assert (suspect.names, suspect.birth) == ((Name(family="Family suspect-1"),), Birth(on=date(1990, 1, 1)))
    assert [one.ref for one in part.assessments] == ["a-1", "a-3"]
    assert [one.ref for one in part.consents] == ["c-1", "c-3"]
    assert [one.code for one in part.criteria] == ["repeat", "escalation"]
    assert [one.conditions for one in part.orders] == ["his"]
    assert [one.event for one in part.custody] == ["released"]
    assert [one.text for one in part.statements] == ["hers", "what officers saw"]
    assert [one.path for one in part.quality] == ["area"]


def test_the_other_referral_has_its_own_and_no_more() -> None:
    part = both_ways().for_victim("victim-2")
    assert [one.ref for one in part.people] == ["victim-2", "suspect-2", "child-1"]
    assert [one.ref for one in part.assessments] == ["a-2", "a-3"]
    assert [one.type for one in part.orders] == ["dvpn"]
    assert [one.event for one in part.custody] == ["arrested"]
    assert "hers" not in part.model_dump_json()


def test_a_record_of_one_victim_is_hers_as_it_is() -> None:
    """Nothing is copied where nothing is taken away: this is on the hot path."""
    record = incident()
    assert record.for_victim("victim-1") is record


@settings(deadline=None, max_examples=60)
@given(st.sets(st.sampled_from(range(7))), st.sampled_from(["victim-1", "victim-2"]))
def test_whatever_is_missing_nothing_is_carried_over(without: set[int], ref: str) -> None:
    """Any of the parts may be absent; what one victim gave is in no part of the other's."""
    fields = ("relationships", "assessments", "consents", "criteria", "orders", "custody", "statements")
    record = both_ways().model_copy(update={fields[at]: () for at in without})
    part = record.for_victim(ref)
    other = "victim-1" if ref == "victim-2" else "victim-2"
    assert f'"{other}"' not in part.model_dump_json()
    if ref == "victim-1":
        assert MARK not in part.model_dump_json()


@pytest.mark.parametrize(
    ("expires", "ends"),
    [
        (date(2026, 5, 10), datetime(2026, 5, 10, 23, tzinfo=UTC)),  # its last day, in London's summer
        (date(2026, 12, 10), datetime(2026, 12, 11, tzinfo=UTC)),
        (date(2026, 10, 24), datetime(2026, 10, 24, 23, tzinfo=UTC)),  # the night the clocks go back
        (datetime(2026, 5, 10, 16, tzinfo=UTC), datetime(2026, 5, 10, 16, tzinfo=UTC)),
        (datetime(2026, 5, 10, 16), datetime(2026, 5, 10, 15, tzinfo=UTC)),  # noqa: DTZ001 - a time without an offset
        (None, None),
    ],
)
def test_an_order_holds_through_its_last_day(expires: date | datetime | None, ends: datetime | None) -> None:
    order = Order(type="dvpo", expires=expires)
    assert order.ends_at == ends
