"""A referral as REF^I12 to I14: the least that it can say, valid by hl7apy, and read back by our own reader."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.mllp import Framer, framed
from adapters.nhs.hl7v2 import ITEMS, CannotSay, Message, judge, notice, oracle, read, rules, write_referral, writing
from mappings.items import CATALOGUE, leaves
from mappings.record import (
    Address,
    Answer,
    Assessment,
    Birth,
    Contact,
    Grade,
    Instrument,
    Name,
    Person,
    Record,
    RecordKind,
    Role,
    Statement,
    Topic,
)
from mappings.referral import Priority, Referral, ReferralState, ReferralStatus
from tests.adapters.hl7v2_support import NUMBER

AT = datetime(2026, 5, 1, 9, 30, tzinfo=UTC)
CASE = "6f1f2c1e-8f0a-4a53-9c5e-3f5d2b1a7c90"
Reason = Literal["new", "update", "cancel"]


def referral(priority: Priority = Priority.ASAP) -> Referral:
    return Referral(
        id=CASE,
        version=1,
        status=ReferralStatus.REQUESTED,
        state=ReferralState.OFFERED,
        priority=priority,
        team="idva-team",
        organisation="rxl",
        force="04",
        area="blackpool",
        grade=Grade.HIGH,
        assessed_at=AT,
        created_at=AT,
        updated_at=AT,
        respond_by=None,
    )


VICTIM = Person(
    ref="victim-1",
    role=Role.VICTIM,
    names=(Name(family="Fennimore", given=("Odile", "Rose"), prefix="Ms"),),
    birth=Birth(on=date(1980, 1, 2)),
    sex="female",
    nhs_number=NUMBER,
)
ASSESSED = Assessment(
    ref="assessment-1",
    subject="victim-1",
    instrument=Instrument.DASH_POLICE_27,
    assessor_role="officer",
    at=AT,
    grade=Grade.HIGH,
    yes=14,
    items=27,
)
RECORD = Record(kind=RecordKind.INCIDENT, people=(VICTIM,), assessments=(ASSESSED,))


def sent(record: Record = RECORD, reason: Reason = "new", to: Referral | None = None) -> bytes:
    return write_referral(
        record,
        to or referral(),
        reason,
        control_id="CTRL-1",
        sender=("PROVIDE-GATEWAY", "PROVIDE"),
        receiver=("TIE", "RXL"),
        at=AT,
    )


def told(record: Record = RECORD, reason: Reason = "new") -> Message:
    return read(sent(record, reason))


def test_a_referral_says_who_how_soon_from_whom_and_the_grade_with_what_belongs_to_it() -> None:
    found = told()
    assert (found.type, found.text("MSH", 9, 3), found.version) == ("REF^I12", "REF_I12", "2.4")
    assert (found.control_id, found.sender, found.receiver) == (
        "CTRL-1",
        ("PROVIDE-GATEWAY", "PROVIDE"),
        ("TIE", "RXL"),
    )
    assert (found.text("RF1", 1), found.text("RF1", 2), found.text("RF1", 6)) == ("P", "A", CASE)
    assert [(one.text(1), one.text(7)) for one in found.all("PRD")] == [("RP", "04"), ("RT", "RXL")]
    pid = found.first("PID")
    assert pid is not None
    assert [pid.text(3, n, repetition=1) for n in (1, 4, 5)] == [CASE, "PROVIDE", "U"]
    assert [pid.text(3, n, repetition=2) for n in (1, 4, 5)] == [NUMBER, "NHS", "NH"]
    assert [pid.text(5, n) for n in (1, 2, 3, 5)] == ["Fennimore", "Odile", "Rose", "Ms"]
    assert (pid.text(7), pid.text(8), pid.text(32)) == ("19800102", "F", "02")
    said = {one.text(3): (one.text(5), one.text(14)) for one in found.all("OBX")}
    assert said == {
        "HIDE": ("Y", ""),
        "CONFIDENTIALITY": ("R", ""),
        "RISK-GRADE": ("high", "20260501093000+0000"),
        "RISK-YES": ("14", "20260501093000+0000"),
        "RISK-ITEMS": ("27", "20260501093000+0000"),
        "RISK-INSTRUMENT": ("dash-2009-police-27", "20260501093000+0000"),
        "RISK-ASSESSOR": ("officer", "20260501093000+0000"),
    }
    assert not judge(found, rules())


@pytest.mark.parametrize(("reason", "event"), [("new", "I12"), ("update", "I13"), ("cancel", "I14")])
def test_new_changed_and_cancelled_are_the_three_events_of_a_referral(reason: Reason, event: str) -> None:
    found = told(RECORD, reason)
    assert found.type == f"REF^{event}"
    assert found.text("RF1", 6) == CASE
    assert "HIDE" in {one.text(3) for one in found.all("OBX")}


def test_a_cancel_names_the_case_and_nothing_else() -> None:
    found = sent(RECORD, "cancel")
    assert found == sent(Record(kind=RecordKind.RETRACTION), "cancel")
    for secret in (b"Fennimore", NUMBER.encode(), b"1980", b"RISK"):
        assert secret not in found
    assert read(found).text("RF1", 1) == "E"


def test_the_same_arguments_give_the_same_bytes() -> None:
    assert sent() == sent()


def test_a_number_that_was_traced_says_so() -> None:
    traced = RECORD.model_copy(update={"people": (VICTIM.model_copy(update={"nhs_number_status": "01"}),)})
    assert told(traced).text("PID", 32) == "01"


def test_what_is_not_released_is_not_there() -> None:
    bare = Record(kind=RecordKind.INCIDENT, people=(Person(ref="victim-1", role=Role.VICTIM),))
    found = told(bare)
    pid = found.first("PID")
    assert pid is not None
    assert (pid.repetitions(3), pid.text(5), pid.text(5, 7), pid.text(7), pid.text(32)) == (1, "", "U", "", "")
    assert {one.text(3) for one in found.all("OBX")} == {"HIDE", "CONFIDENTIALITY"}


def test_every_assessment_is_told_and_none_is_chosen() -> None:
    """Of two grades neither is left out, whatever their order (P10)."""
    older = ASSESSED.model_copy(update={"ref": "assessment-2", "grade": Grade.STANDARD, "at": None, "yes": None})
    found = told(RECORD.model_copy(update={"assessments": (older, ASSESSED)}))
    assert [one.text(5) for one in found.all("OBX") if one.text(3) == "RISK-GRADE"] == ["standard", "high"]
    assert [one.text(4) for one in found.all("OBR")] == ["REFERRAL", "RISK", "RISK"]


def test_an_assessment_of_somebody_else_is_not_told() -> None:
    other = ASSESSED.model_copy(update={"subject": "child-1"})
    assert [one.text(4) for one in told(RECORD.model_copy(update={"assessments": (other,)})).all("OBR")] == ["REFERRAL"]


def test_no_narrative_address_telephone_suspect_or_answer_is_in_a_message() -> None:
    """Segments are passed on to systems that print and dial them: what is not in `ITEMS` is in no message."""
    secret = "PLANTED"
    more = VICTIM.model_copy(
        update={
            "addresses": (Address(use="home", lines=(secret,)), Address(use="safe", lines=(secret,))),
            "contacts": (Contact(system="phone", value=secret, safe=True, code_word=secret),),
            "clinical": (secret,),
            "needs": (secret,),
            "school": secret,
        }
    )
    suspect = Person(ref="suspect-1", role=Role.SUSPECT, names=(Name(family=secret),), description=secret)
    child = Person(ref="child-1", role=Role.CHILD, names=(Name(family=secret),))
    record = Record(
        kind=RecordKind.INCIDENT,
        people=(suspect, more, child),
        assessments=(ASSESSED.model_copy(update={"answers": (Answer(code="DEP", text=secret),), "basis": secret}),),
        statements=(Statement(topic=Topic.SUMMARY, text=secret),),
        location=secret,
    )
    assert secret.encode() not in sent(record)
    assert sent(record) == sent()
    told_of = {item for _, item, _ in leaves(RECORD)}
    assert told_of == ITEMS
    assert set(CATALOGUE) >= ITEMS


@pytest.mark.parametrize(("priority", "code"), [(Priority.ROUTINE, "R"), (Priority.URGENT, "A"), (Priority.ASAP, "A")])
def test_a_priority_is_never_said_lower_than_it_is(priority: Priority, code: str) -> None:
    assert read(sent(to=referral(priority))).text("RF1", 2) == code


def test_a_record_without_a_victim_is_for_a_person() -> None:
    with pytest.raises(CannotSay, match="people"):
        sent(Record(kind=RecordKind.INCIDENT))


@pytest.mark.parametrize("control_id", ["", "x" * 21, "é"])
def test_a_control_id_that_no_engine_takes_is_refused(control_id: str) -> None:
    with pytest.raises(ValueError, match="control id"):
        write_referral(RECORD, referral(), "new", control_id=control_id, sender=("A", "B"), receiver=("C", "D"), at=AT)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
NAMES = st.builds(Name, family=TEXT | st.none(), given=st.lists(TEXT, max_size=3).map(tuple), prefix=TEXT | st.none())
PEOPLE = st.builds(
    Person,
    ref=st.just("victim-1"),
    role=st.just(Role.VICTIM),
    names=st.lists(NAMES, max_size=2).map(tuple),
    birth=st.none() | st.builds(Birth, on=st.dates(date(1900, 1, 1), date(2026, 1, 1)) | st.none()),
    sex=st.sampled_from(["female", "male", "other", None]),
    nhs_number=st.sampled_from([NUMBER, None]),
)
ASSESSMENTS = st.builds(
    Assessment,
    ref=st.just("assessment-1"),
    subject=st.sampled_from(["victim-1", None]),
    instrument=st.sampled_from(Instrument),
    grade=st.none() | st.sampled_from(Grade),
    yes=st.none() | st.integers(0, 27),
    items=st.none() | st.integers(0, 27),
    at=st.none() | st.datetimes(datetime(2020, 1, 1), datetime(2026, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds the zone
)


@given(person=PEOPLE, assessed=st.lists(ASSESSMENTS, max_size=2).map(tuple), reason=st.sampled_from(["new", "update"]))
@settings(max_examples=40, deadline=None)
def test_whatever_is_written_is_valid_and_reads_back(
    person: Person, assessed: tuple[Assessment, ...], reason: Reason
) -> None:
    raw = sent(Record(kind=RecordKind.INCIDENT, people=(person,), assessments=assessed), reason)
    oracle.validated(raw.decode())
    assert Framer(len(raw)).feed(framed(raw)) == [raw]
    found = read(raw)
    assert len(found.segments) == raw.count(b"\r")
    assert [one.text(5) for one in found.all("OBX") if one.text(3) == "RISK-GRADE"] == [
        one.grade.value for one in assessed if one.grade is not None
    ]
    if person.names and (family := person.names[0].family) and family.isalnum():
        assert found.text("PID", 5) == family


def test_a_hospital_that_writes_as_we_do_is_read_as_we_wrote() -> None:
    raw = sent().replace(b"RF1|P^Pending^HL70283|", b"DG1|1||707087005^^SCT\rRF1|P^Pending^HL70283|")
    made = notice(read(raw))
    (person,), (graded,) = made.people, made.assessments
    assert (person.names, person.birth, person.sex) == (VICTIM.names, VICTIM.birth, VICTIM.sex)
    assert graded.model_copy(update={"ref": "assessment-1"}) == ASSESSED


# --- the second opinion ---


@pytest.mark.parametrize(
    ("was", "is_", "place"),
    [
        ("\rPID|", "\rZID|", "structure"),
        ("|RISK-GRADE^Risk grade^L|", "||", "structure"),
        ("\rPRD|", "\rPRX|", "structure"),
        ("\rPID|", "\rZZZ|1\rPID|", "segments"),
    ],
)
def test_a_message_that_is_none_or_loses_a_segment_is_found_out(was: str, is_: str, place: str) -> None:
    text = sent().decode()
    assert was in text
    with pytest.raises(CannotSay, match=place):
        oracle.validated(text.replace(was, is_))


def test_a_message_that_our_own_reader_reads_otherwise_does_not_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "read", lambda raw: read(raw.replace(b"\rOBR|2|", b"\rZBR|2|")))
    with pytest.raises(CannotSay, match="segments"):
        sent()
    monkeypatch.setattr(writing, "read", lambda _: read(b"PID|1"))
    with pytest.raises(CannotSay, match="MSH"):
        sent()


def test_only_the_first_message_of_a_shape_is_validated(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    monkeypatch.setattr(oracle, "validated", looked.append)
    shape = (("MSH", (9,)), ("ZNEW", (1, 2)))
    oracle.checked("one", shape)
    oracle.checked("two", shape)
    oracle.checked("three", (*shape, ("ZNEW", (1,))))
    assert looked == ["one", "three"]


def test_a_shape_that_was_refused_is_looked_at_again() -> None:
    for _ in range(2):
        with pytest.raises(CannotSay):
            oracle.checked("MSH|^~\\&|", (("MSH", (77,)),))
