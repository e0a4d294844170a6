"""What a message means: who is meant, what changes, what a hospital's notice says, what a receiver replies."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.nhs.hl7v2 import (
    Identity,
    LocalNumber,
    Message,
    Said,
    Unreadable,
    Verdict,
    concerns,
    digest,
    notice,
    patient_change,
    read,
    referral_reply,
)
from adapters.nhs.hl7v2.moments import day, moment, written
from adapters.socket import Fault
from mappings.record import AddressUse, ConsentState, Grade, Instrument, RecordKind, Role
from tests.adapters.hl7v2_support import NUMBER, OTHER_NUMBER, adt, header, joined, pid, ref

# --- time ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("202601020304", datetime(2026, 1, 2, 3, 4, tzinfo=UTC)),
        ("20260702030405", datetime(2026, 7, 2, 2, 4, 5, tzinfo=UTC)),
        ("20260702030405.1234+0000", datetime(2026, 7, 2, 3, 4, 5, 123400, tzinfo=UTC)),
        ("202607020304-0230", datetime(2026, 7, 2, 5, 34, tzinfo=UTC)),
        ("20261025013000", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("20260329013000", None),
        ("2026070203", None),
        ("20260702", None),
        ("202607022404", None),
        ("202607020304+9900", None),
        ("2026-07-02 03:04:05", None),
        ("196513121515", None),
        ("000101010101+1400", None),
        ("", None),
    ],
)
def test_a_moment_is_read_in_london_or_with_its_offset_and_never_guessed(text: str, expected: datetime | None) -> None:
    assert moment(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("19800102", date(1980, 1, 2)),
        ("19800102000000", date(1980, 1, 2)),
        ("1980010223", date(1980, 1, 2)),
        ("1980", None),
        ("198001", None),
        ("19801302", None),
        ("19800230", None),
        ("18000101", None),
        ("1980-01-02", None),
        ("198001022560", None),
    ],
)
def test_a_day_is_one_of_the_calendar(text: str, expected: date | None) -> None:
    assert day(text) == expected


@given(at=st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2199, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis adds the zone
@settings(max_examples=50, deadline=None)
def test_what_is_written_reads_back_to_the_second(at: datetime) -> None:
    assert moment(written(at)) == at.replace(microsecond=0)


def test_a_moment_without_a_zone_is_not_written() -> None:
    with pytest.raises(ValueError, match="zone"):
        written(datetime(2026, 1, 1))  # noqa: DTZ001 - that is the fault


# --- who ---


def test_who_is_meant_is_read_by_what_the_numbers_say() -> None:
    rest = "||12 Fell View^Flat 2^Fleetmoor^Lancs^ZZ99 9ZZ^^H||01632 960123^PRN~07700 900456^PRS^CP^o@x.example"
    person = pid(
        f"4477^^^RXL^PI~{NUMBER}^^^NHSNBR^NHSNMBR~9990000019^^^RTX^MRN", rest=rest + "|||||||||A" + "|" * 10 + "01"
    )
    found = patient_change(adt(person=person))
    who = found.patient
    assert who.identity == Identity(
        NUMBER, "01", (LocalNumber("4477", "RXL", "PI"), LocalNumber("9990000019", "RTX", "MRN"))
    )
    assert who.identity.verified
    assert (who.person.nhs_number, who.person.nhs_number_status) == (NUMBER, "01")
    (name,) = who.person.names
    assert (name.family, name.given, name.prefix, name.use) == ("Fennimore", ("Odile", "Rose"), "Ms", "usual")
    assert who.person.birth is not None
    assert who.person.birth.on == date(1980, 1, 2)
    assert (who.person.sex, who.person.ethnicity) == ("female", "A")
    (address,) = who.person.addresses
    assert (address.use, address.postcode, address.town) == (AddressUse.HOME, "ZZ99 9ZZ", "Fleetmoor")
    assert [one.value for one in who.person.contacts] == ["01632960123", "07700900456", "o@x.example"]
    assert found.at == datetime(2026, 5, 1, 8, 29, tzinfo=UTC)
    assert not found.restricted
    assert not found.merges


def test_what_a_hospital_holds_is_not_stated_safe() -> None:
    """Unknown means unsafe (P5)."""
    found = patient_change(adt(person=pid(rest="||||01632 960123")))
    (contact,) = found.patient.person.contacts
    assert contact.safe is None
    assert not contact.is_safe


def test_next_of_kin_is_never_read() -> None:
    found = patient_change(adt("NK1|1|Fennimore^Basil|SPO|||01632960999", "GT1|1||Fennimore^Basil"))
    assert "Basil" not in repr(found)


@pytest.mark.parametrize("status", ["02", "08", "", "A", '""'])
def test_a_number_that_is_not_said_to_be_verified_files_nothing(status: str) -> None:
    found = patient_change(adt(person=pid(rest="|" * 22 + status)))
    assert found.patient.identity.nhs_number == NUMBER
    assert not found.patient.identity.verified


@pytest.mark.parametrize("number", ["9990000019", "3333333333", "999", "9990000O18"])
def test_a_number_that_fails_its_check_is_left_out(number: str) -> None:
    found = patient_change(adt(person=pid(f"{number}^^^NHS^NH~4477^^^RXL^PI", rest="|" * 22 + "01")))
    assert found.patient.identity == Identity(local=(LocalNumber("4477", "RXL", "PI"),))
    assert found.findings[0].path == "PID-3.1"


def test_what_is_deleted_is_told_from_what_is_not_said() -> None:
    found = patient_change(adt(person='PID|1||4477^^^RXL^PI||""||""||||""||""'))
    assert found.patient.deleted == {"names", "birth", "addresses", "contacts"}
    assert found.patient.person.names == ()
    said_nothing = patient_change(adt(person="PID|1||4477^^^RXL^PI"))
    assert said_nothing.patient.deleted == frozenset()


def test_what_cannot_be_read_is_left_out_with_its_place() -> None:
    found = patient_change(adt(person=pid(born="196513121515", rest="||x^^^^NOPE||12~01632 960123")))
    assert {(one.path, one.code) for one in found.findings} == {
        ("PID-7", Said.NOT_A_DATE),
        ("PID-11.5", Said.NOT_A_CODE),
        ("PID-13.1", Said.NOT_A_CODE),
    }
    assert found.patient.person.birth is None
    assert found.patient.person.addresses[0].postcode is None
    assert len(found.patient.person.contacts) == 1
    year = patient_change(adt(person=pid(born="1980"))).patient.person.birth
    assert year is not None
    assert (year.on, year.year) == (None, 1980)
    assert patient_change(adt(person=pid(born="9999"))).patient.person.birth is None


def test_a_restricted_patient_is_marked() -> None:
    assert patient_change(adt("PD1||||||||||||Y")).restricted


def test_a_change_of_nobody_is_refused() -> None:
    with pytest.raises(Unreadable) as caught:
        patient_change(read(joined(header())))
    assert [(one.path, one.fault) for one in caught.value.problems] == [("PID", Fault.MISSING)]


# --- merge ---


def test_a_merge_names_both_sides() -> None:
    message = adt(
        f"MRG|8811^^^RXL^PI~{OTHER_NUMBER}^^^NHS^NH",
        pid("5^^^RXL^PI"),
        "MRG|6^^^RXL^PI",
        type_="ADT^A40^ADT_A39",
    )
    first, second = patient_change(message).merges
    assert first.kept.nhs_number == NUMBER
    assert first.gone == Identity(OTHER_NUMBER, None, (LocalNumber("8811", "RXL", "PI"),))
    assert (second.kept.local[0].value, second.gone.local[0].value) == ("5", "6")


@pytest.mark.parametrize("more", [(), ("MRG|",), ('MRG|""',), ("MRG|9990000019^^^NHS^NH",)])
def test_a_merge_without_another_side_is_refused(more: tuple[str, ...]) -> None:
    with pytest.raises(Unreadable) as caught:
        patient_change(adt(*more, type_="ADT^A40^ADT_A39"))
    assert caught.value.problems[0].path == "MRG-1"


# --- notice ---


def test_a_referral_is_a_notice_of_its_concerns() -> None:
    made = notice(
        ref(
            "DG1|1||707087005^At risk^SCT",
            "AL1|1||^^^697950003^Suspected^SNOMED",
            "OBR|1|||RISK",
            "OBX|1|CE|RISK-GRADE^^L||High||||||F|||202605010900",
            "OBX|2|NM|RISK-YES||16||||||F",
            "OBX|3|CE|RISK-INSTRUMENT^^L||dash-safelives-24||||||F",
            "OBX|4|CE|RISK-ASSESSOR^^L||Midwife||||||F",
            "OBX|5|CE|CONSENT^^L||given||||||F|||202605010905",
        )
    )
    assert made.kind is RecordKind.NOTICE
    assert made.flags == ("at-risk-of-domestic-violence", "suspected-domestic-abuse")
    assert made.reference("occurrence") == "CASE-7"
    (person,) = made.people
    assert (person.role, person.ref, person.nhs_number) == (Role.VICTIM, "victim-1", NUMBER)
    (graded,) = made.assessments
    assert (graded.grade, graded.yes, graded.instrument) == (Grade.HIGH, 16, Instrument.DASH_SAFELIVES_24)
    assert (graded.assessor_role, graded.at) == ("midwife", datetime(2026, 5, 1, 8, tzinfo=UTC))
    assert made.consents[0].state is ConsentState.GIVEN
    assert made.source is not None
    assert (made.source.organisation, made.source.system, made.source.profile_hash) == ("RXL", "PAS", digest())
    assert {(one.path, one.code) for one in made.quality} == {
        ("PRD", "segment-not-read"),
        ("PID-3", "nhs-number-not-verified"),
    }


def test_a_diagnosis_a_note_and_a_next_of_kin_stay_with_the_hospital() -> None:
    """No clinical content is in the record (N5), and each segment that was not read is named."""
    made = notice(
        ref(
            "DG1|1||707087005^At risk^SCT",
            "DG1|2||38341003^HYPERSECRET^SCT",
            "NTE|1||NOTESECRET",
            "NK1|1|KINSECRET^Basil|SPO",
            "OBX|1|TX|WOUND^Wound^L||WOUNDSECRET",
            "ZSG|LOCALSECRET",
        )
    )
    assert "SECRET" not in made.model_dump_json()
    assert "38341003" not in made.model_dump_json()
    assert {one.path for one in made.quality if one.code == "segment-not-read"} == {"PRD", "NTE", "NK1", "ZSG"}


@pytest.mark.parametrize(
    ("segment", "said"),
    [
        ("DG1|1||707087005^At risk^SCT", True),
        ("DG1|1||707087005^At risk", True),
        ("DG1|1||^^^707087005^At risk^SCT", True),
        ("DG1|1||707087005^At risk^I10", False),
        ("PV2|||707087005^At risk^SCT", True),
        ("OBX|1|CE|11323-3^General^LN||707087005^At risk^SCT||||||F", True),
        ("OBX|1|CE|11323-3^General^LN||707087005^At risk^SCT||||||W", False),
        ("OBX|1|CE|707087005^At risk^SCT||Y||||||F", True),
        ("OBX|1|CE|707087005^At risk^SCT||N||||||F", False),
        ("OBX|1|CE|707087005^At risk^SCT||||||||F", False),
        ("NTE|1||707087005", False),
        ("DG1|1||38341003^Hypertension^SCT", False),
    ],
)
def test_a_concern_is_said_by_a_code_of_the_list_and_a_no_is_no_concern(segment: str, *, said: bool) -> None:
    assert concerns(adt(segment)) == (("at-risk-of-domestic-violence",) if said else ())


def test_a_patient_who_is_the_child_of_the_concern_is_no_victim() -> None:
    (child,) = notice(ref("DG1|1||836881000000105^^SCT")).people
    assert (child.role, child.ref) == (Role.CHILD, "child-1")
    (both,) = notice(ref("DG1|1||836881000000105^^SCT", "DG1|2||707087005^^SCT")).people
    assert both.role is Role.VICTIM


def test_a_referral_without_a_concern_goes_to_a_person_and_a_cancelled_one_is_a_retraction() -> None:
    with pytest.raises(Unreadable) as caught:
        notice(ref("DG1|1||38341003^^SCT"))
    assert [(one.path, one.fault) for one in caught.value.problems] == [("RF1-10", Fault.MISSING)]
    assert notice(ref("NTE|1", type_="REF^I14^REF_I12")).kind is RecordKind.RETRACTION
    with pytest.raises(Unreadable):
        notice(ref(person="PV1|1"))


def test_a_grade_that_is_no_word_of_the_list_is_never_guessed() -> None:
    """P10: what is not read is left out, and so is what one assessment says twice and differently."""
    made = notice(
        ref(
            "DG1|1||707087005^^SCT",
            "OBR|1",
            "OBX|1|CE|RISK-GRADE||rather high",
            "OBX|2|NM|RISK-YES||99",
            "OBR|2",
            "OBX|1|CE|RISK-GRADE||medium",
            "OBX|2|CE|RISK-GRADE||high",
            "OBX|3|NM|RISK-YES||9",
        )
    )
    (only,) = made.assessments
    assert (only.grade, only.yes) == (None, 9)
    assert {one.path for one in made.quality if one.code == "unknown-code"} == {"OBX-5", "OBX[2]-5", "OBX[4]-5"}


def test_consent_said_twice_and_otherwise_is_not_said() -> None:
    made = notice(ref("DG1|1||707087005^^SCT", "OBX|1|CE|CONSENT||given", "OBX|2|CE|CONSENT||refused"))
    assert made.consents == ()


def test_a_reference_that_is_too_long_is_refused() -> None:
    with pytest.raises(Unreadable) as caught:
        notice(read(joined(header("REF^I12"), f"RF1|P|R|SG|||{'7' * 101}", pid(), "DG1|1||707087005^^SCT")))
    assert caught.value.problems[0].path == "RF1-6"


# --- reply ---


def reply(msa: str = "MSA|AA|C-77", rf1: str = "", *more: str) -> Message:
    return read(joined(header("RRI^I12^RRI_I12"), msa, *((rf1,) if rf1 else ()), *more))


@pytest.mark.parametrize(
    ("msa", "rf1", "verdict"),
    [
        ("MSA|AA|C-77", "RF1|A^Accepted|R||||case-1^PROVIDE", Verdict.ACCEPTED),
        ("MSA|CA|C-77", "RF1|P", Verdict.PENDING),
        ("MSA|AA|C-77", "RF1|R", Verdict.REJECTED),
        ("MSA|AA|C-77", "RF1|E", Verdict.EXPIRED),
        ("MSA|AA|C-77", "", Verdict.PENDING),
        ("MSA|AE|C-77", "RF1|A", Verdict.FAILED),
        ("MSA|AR|C-77", "", Verdict.FAILED),
    ],
)
def test_a_reply_is_what_msa_and_rf1_say_together(msa: str, rf1: str, verdict: Verdict) -> None:
    found = referral_reply(reply(msa, rf1))
    assert (found.verdict, found.control_id) == (verdict, "C-77")


def test_a_reply_names_the_case_the_receivers_own_and_a_coded_reason() -> None:
    found = referral_reply(
        reply("MSA|AA|C-77|free words", "RF1|R|R|SG|||case-1^PROVIDE||||NOT-KNOWN^Not known here^L|T-9")
    )
    assert (found.case, found.reference, found.reason, found.reason_system) == ("case-1", "T-9", "NOT-KNOWN", "L")
    worded = referral_reply(reply("MSA|AA|C-77", "RF1|R|R|SG|||case-1||||she did not want it"))
    assert (worded.reason, worded.reason_system) == ("", "")


def test_a_failure_says_the_code_of_its_error_in_every_version() -> None:
    old = referral_reply(reply("MSA|AE|C-77", "", "ERR|PID^1^7^102&Data type error&HL70357"))
    new = referral_reply(reply("MSA|AE|C-77", "", "ERR||PID^1^7|102^Data type error^HL70357|E"))
    assert (old.reason, old.reason_system) == (new.reason, new.reason_system) == ("102", "HL70357")


@pytest.mark.parametrize(
    ("msa", "rf1", "path"),
    [("MSA||C-77", "", "MSA-1"), ("MSA|AA|", "", "MSA-2"), ("MSA|AA|C-77", "RF1|Q", "RF1-1"), ("PV1|1", "", "MSA-1")],
)
def test_a_reply_that_answers_nothing_or_says_nothing_known_is_refused(msa: str, rf1: str, path: str) -> None:
    with pytest.raises(Unreadable) as caught:
        referral_reply(reply(msa, rf1))
    assert caught.value.problems[0].path == path
