"""How records of one incident find each other, and when nothing may be concluded from it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from gateway import same_incident
from gateway.grades import is_lower, noted, signed, with_history
from gateway.order_ends import ends_of, passed, shown_at
from gateway.same_incident import Member
from mappings.record import (
    Assessment,
    Custody,
    Grade,
    Instrument,
    Name,
    Order,
    Person,
    Record,
    RecordKind,
    Reference,
    Role,
    Times,
)
from tests.support.records import NOW, incident


def names(record: Record) -> dict[str, str]:
    return dict(same_incident.shared_names(record, "04"))


def with_times(**times: datetime) -> Record:
    return incident().model_copy(update={"times": Times(**times)})


def test_a_log_number_is_a_name_of_its_day_in_london() -> None:
    """Half past midnight in summer is another day than the same instant in UTC."""
    late = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)
    assert names(with_times(reported=late)) == {"log-day": "04|lc-20260412-0345|2026-07-02"}
    assert names(with_times(occurred_from=late)) == names(with_times(reported=late))
    assert names(with_times(recorded=late)) == {}, "the day it was typed in is not the day of the log"
    assert names(incident().model_copy(update={"references": ()})) == {}


def test_a_reference_of_the_incident_is_a_name_whatever_the_day() -> None:
    both = incident().model_copy(update={"references": (Reference(type="incident", value="PPN-7"),), "times": None})
    assert names(both) == {"incident": "04|ppn-7"}


LOG = Member("e-1", "r-1", None, crime=False)


@pytest.mark.parametrize(
    ("near", "found"),
    [
        ([LOG], LOG),
        ([], None),
        ([Member("e-1", "r-1", None, crime=True)], None),
        ([Member("e-1", "r-1", "child", crime=False)], None),
        ([LOG, Member("e-2", "r-2", None, crime=False)], None),
    ],
    ids=["a-log", "nothing", "a-crime-already", "a-section", "two-cases"],
)
def test_a_crime_is_that_of_the_one_log_near_it(near: list[Member], found: Member | None) -> None:
    assert same_incident.late_crime(incident(), near) == found
    section = incident().model_copy(update={"section": "adult"})
    assert same_incident.late_crime(section, near) is None
    no_crime = incident().model_copy(update={"references": ()})
    assert same_incident.late_crime(no_crime, near) is None


@pytest.mark.parametrize(
    ("found", "victims", "same"),
    [
        ([("victim-1", "victim-2")], ["victim-1"], {"victim-1": "victim-2"}),
        ([("victim-1", "victim-1"), ("victim-1", "victim-2")], ["victim-1"], None),
        ([("victim-1", "victim-1")], ["victim-1", "victim-2"], None),
        ([("victim-1", "victim-1"), ("victim-2", "victim-1")], ["victim-1", "victim-2"], None),
        ([("victim-1", "suspect-1")], ["victim-1"], None),
        ([], [], None),
    ],
    ids=["other-place", "two-there", "one-unknown", "two-here", "a-suspect", "nobody"],
)
def test_victims_are_the_same_only_one_for_one(
    found: list[tuple[str, str]], victims: list[str], same: dict[str, str] | None
) -> None:
    assert same_incident.same_victims(found, victims) == same


def test_who_is_victim_there_and_suspect_here_is_swapped() -> None:
    assert same_incident.swapped([("victim-1", "victim-1"), ("suspect-1", "victim-2")])
    assert not same_incident.swapped([("victim-1", "victim-2"), ("suspect-1", "suspect-3")])


def test_links_are_kept_once_and_not_without_end() -> None:
    kept: str | None = None
    for number in range(same_incident.MOST_LINKS + 5):
        kept = same_incident.with_link(kept, [same_incident.link("section", f"r-{number}")])
        kept = same_incident.with_link(kept, [same_incident.link("section", f"r-{number}")])
    assert len(same_incident.links_of(kept)) == same_incident.MOST_LINKS
    assert same_incident.with_link(None, []) is None


# A word about the suspect.


def suspect(ref: str, family: str | None) -> Person:
    named = (Name(family=family, given=("Piers",)),) if family else ()
    birth = {"on": "1988-11-30"} if family else None
    return Person.model_validate({"ref": ref, "role": Role.SUSPECT, "names": named, "birth": birth})


def word(family: str | None) -> Record:
    """A notice that somebody was released."""
    told = Custody(event="released-on-bail", subject="suspect-1")
    return Record(kind=RecordKind.NOTICE, people=(suspect("suspect-1", family),), custody=(told,))


def known(*suspects: Person) -> Record:
    worked = incident()
    others = tuple(one for one in worked.people if one.role is not Role.SUSPECT)
    return worked.model_copy(update={"people": (*others, *suspects)})


@pytest.mark.parametrize(
    ("told", "suspects", "subject", "meant"),
    [
        ("Quill", ["Harbottle", "Quill"], "suspect-2", True),
        (None, ["Harbottle"], "suspect-1", True),
        (None, ["Harbottle", "Quill"], None, False),
        ("Other", ["Harbottle", "Quill"], None, False),
        ("Other", ["Harbottle"], None, True),
    ],
    ids=["by-name", "the-only-one", "one-of-two", "another", "another-of-one"],
)
def test_a_word_is_about_the_suspect_it_names(
    told: str | None, suspects: list[str], subject: str | None, *, meant: bool
) -> None:
    """Where nobody can say whom it means, it is pinned to nobody; where that could be the victim, a human looks."""
    record = known(*(suspect(f"suspect-{n}", name) for n, name in enumerate(suspects, start=1)))
    notice = word(told)
    assert same_incident.concerns(notice, record, "victim-1") is meant
    row: Any = SimpleNamespace(
        record_id="r-1", linked=same_incident.with_link(None, [same_incident.link("notice", "r-2", ["police.custody"])])
    )
    shown = same_incident.with_linked(record, row, {"r-2": notice})
    assert [one.subject for one in shown.custody] == [subject]
    assert same_incident.with_linked(record, row, {}) is record, "one that was erased leaves no trace"


def test_a_word_about_the_victim_as_a_suspect_is_not_for_her_own_referral() -> None:
    """In a counter-allegation she is the suspect of the other's: her release is no news to her adviser (N9)."""
    swapped = suspect("suspect-2", "Ashdown").model_copy(update={"also": "victim-1"})
    record = known(suspect("suspect-1", "Harbottle"), swapped)
    assert not same_incident.concerns(word("Ashdown"), record, "victim-1")
    assert same_incident.concerns(word("Harbottle"), record, "victim-1")


# Grades beside a referral.


def graded(grade: Grade | None, version: int, *, by: str | None = "officer", at: datetime | None = NOW) -> Record:
    assessment = Assessment(
        ref="a-1", subject="victim-1", grade=grade, assessor_role=by, at=at, instrument=Instrument.DARA
    )
    return incident(version=version).model_copy(update={"assessments": (assessment,)})


def test_grades_are_noted_once_each_and_come_back_as_the_history() -> None:
    first, again, third = (
        graded(Grade.MEDIUM, 1),
        graded(Grade.MEDIUM, 2),
        graded(Grade.HIGH, 3, at=NOW + timedelta(days=1)),
    )
    kept = noted(first, "victim-1")
    for record in (again, third):
        kept = noted(record, "victim-1", SimpleNamespace(grades=kept))  # type: ignore[arg-type] # a row's one column
    row: Any = SimpleNamespace(grades=kept, victim="victim-1", grade="high", assessed_at=None)
    (assessment,) = with_history(third, row).assessments
    assert [(one.grade, one.version, one.by) for one in assessment.history] == [(Grade.MEDIUM, 1, "officer")]
    assert with_history(first, SimpleNamespace(grades=noted(first, "victim-1"), victim="victim-1")) is first  # type: ignore[arg-type] # as above


def test_a_referral_from_before_histories_keeps_the_grade_it_had() -> None:
    row: Any = SimpleNamespace(grades=None, grade="high", assessed_at="2026-04-12T20:00:00.000Z", victim="victim-1")
    row.grades = noted(graded(Grade.STANDARD, 2), "victim-1", row)
    (assessment,) = with_history(graded(Grade.STANDARD, 2), row).assessments
    assert [one.grade for one in assessment.history] == [Grade.HIGH]


def test_a_lower_grade_is_one_below_and_an_unknown_one_is_below_none() -> None:
    assert is_lower("standard", "high")
    assert is_lower("standard", "medium")
    assert not is_lower("high", "medium")
    assert not is_lower(None, "high")
    assert not is_lower("standard", None)
    assert signed(graded(Grade.STANDARD, 1), "victim-1")
    assert not signed(graded(Grade.STANDARD, 1, by=None), "victim-1")
    assert not signed(graded(Grade.STANDARD, 1, at=None), "victim-1")


# Ends of orders.


def test_the_ends_to_come_are_kept_and_those_that_came_are_not() -> None:
    orders = tuple(Order(type="dvpo", expires=NOW + timedelta(days=days)) for days in (9, -1, 2, 2))
    record = incident().model_copy(update={"orders": (*orders, Order(type="restraining"))})
    assert ends_of(record, NOW) == "2026-04-14T21:30:00.000Z,2026-04-21T21:30:00.000Z"
    assert ends_of(record, NOW + timedelta(days=10)) is None
    shown = shown_at(record, NOW)
    assert [one.expired for one in shown.orders] == [False, True, False, False, None]
    assert ends_of(record, NOW) is not None
    assert not passed(ends_of(record, NOW), NOW)
    assert passed(ends_of(record, NOW), NOW + timedelta(days=2))
    assert not passed(None, NOW)
