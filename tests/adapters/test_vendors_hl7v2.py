"""Habits of integration engines that other vendors sell, in messages written here about nobody.

What each says of a patient is understood, or is left out and named by its place; nothing of somebody else is taken for
hers, and no message is swallowed by the one before it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from adapters.nhs.hl7v2 import (
    Level,
    LocalNumber,
    Patient,
    Said,
    ack,
    judge,
    messages,
    notice,
    patient_change,
    read,
    rules,
)
from adapters.nhs.hl7v2.delimiters import STANDARD, unescaped
from adapters.socket import Fault, Unreadable
from mappings.record import AddressUse, ConsentState
from tests.adapters.hl7v2_support import NUMBER, OTHER_NUMBER, adt, header, joined, ref

BOM = b"\xef\xbb\xbf"
CONCERN = "DG1|1||707087005^At risk^SCT"


def said(
    numbers: str = f"{NUMBER}^^^NHS^NH", name: str = "Fennimore^Odile", born: str = "19800102", rest: str = ""
) -> str:
    """A PID; `rest` is PID-9 and on."""
    return f"PID|1||{numbers}||{name}||{born}|F|{rest}"


def she(**changed: str) -> Patient:
    """The patient of a message."""
    return patient_change(adt(person=said(**changed))).patient


def found(patient: Patient) -> list[str]:
    """The places of what was remarked."""
    return [one.path for one in patient.findings]


# --- PID-3 ---


@pytest.mark.parametrize(
    "form",
    [
        "&2.16.840.1.113883.2.1.4.1&ISO",  # an authority without a name, as Rhapsody and InterSystems write it
        "2.16.840.1.113883.2.1.4.1",
        "NHS&2.16.840.1.113883.2.1.4.1&ISO^NI",
        "PAS&2.16.840.1.113883.2.1.4.1&ISO",
        "NHS^NI",
        "https://fhir.nhs.uk/Id/nhs-number",
        "NHSNO^NHSNO",
        "^NHS NUMBER",
    ],
)
def test_an_nhs_number_is_known_by_its_oid_and_by_every_name_it_goes_by(form: str) -> None:
    assert she(numbers=f"7700^^^RXL^MR~{NUMBER}^^^{form}").identity.nhs_number == NUMBER


@pytest.mark.parametrize("form", ["RXL^NI", "NHS^MR", "RXL&2.16.840.1.113883.2.1.4.1.9&ISO", "^"])
def test_ten_digits_of_another_index_are_no_nhs_number(form: str) -> None:
    assert she(numbers=f"{NUMBER}^^^{form}").identity.nhs_number is None


def test_numbers_of_two_indexes_that_have_only_an_oid_are_two_numbers() -> None:
    local = she(numbers="77^^^&1.2.3&ISO^MR~77^^^&1.2.4&ISO^MR").identity.local
    assert local == (LocalNumber("77", "1.2.3", "MR"), LocalNumber("77", "1.2.4", "MR"))


# --- PID-5, PID-7, PID-11, PID-13, PID-29 ---


def test_a_partners_name_and_one_that_is_wrong_are_no_names_of_hers() -> None:
    """Table 0200 has the partner's name in PID-5: it may be the suspect's."""
    patient = she(name="Harrow^Pete^^^^^P~Fenimor^Odile^^^^^BAD~Fennimore^Odile^^^^^L~Old^Odile^^^^^NOUSE")
    assert [(one.family, one.use) for one in patient.person.names] == [("Fennimore", "official")]
    assert found(patient) == ["PID-5", "PID-5[2]", "PID-5[4]"]


def test_a_name_at_birth_is_her_maiden_name_and_a_pseudonym_an_alias() -> None:
    patient = she(name="Fennimore^Odile~Birch^Odile^^^^^B~Nobody^A^^^^^S")
    assert [one.use for one in patient.person.names] == ["usual", "maiden", "alias"]


@pytest.mark.parametrize(
    ("born", "year", "remarked"),
    [("198001", 1980, False), ("1980", 1980, False), ("198013", None, True), ("1980-01-02", None, True)],
)
def test_a_month_of_birth_gives_the_year(born: str, year: int | None, *, remarked: bool) -> None:
    patient = she(born=born)
    assert (patient.person.birth.year if patient.person.birth else None) == year
    assert ("PID-7" in found(patient)) is remarked


@pytest.mark.parametrize("born", ["19800102^D", "19800102000000.0000+0000", "19800102120000+0100"])
def test_a_day_of_birth_is_the_day_that_is_written_whatever_the_clock_says(born: str) -> None:
    birth = she(born=born).person.birth
    assert birth is not None
    assert birth.on == date(1980, 1, 2)


def test_an_address_of_birth_in_the_code_of_a_later_version_is_not_hers_now() -> None:
    patient = she(rest="||1 Mew^^Town^^ZZ99 9ZZ^^BR~2 Mew^^Town^^ZZ99 8ZZ^^H")
    assert [one.postcode for one in patient.person.addresses] == ["ZZ99 8ZZ"]
    assert found(patient) == ["PID-11"]


@pytest.mark.parametrize("contact", ["o@x.example^NET^Internet", "^NET^Internet^o@x.example", "^PRN^PH^o@x.example"])
def test_mail_is_read_wherever_it_stands(contact: str) -> None:
    patient = she(rest=f"||||{contact}")
    assert [(one.system, one.value) for one in patient.person.contacts] == [("email", "o@x.example")]


def test_a_number_without_its_extension_would_reach_somebody_else() -> None:
    patient = she(rest="||||(01632)960123X55^WPN^PH")
    assert patient.person.contacts == ()
    assert found(patient) == ["PID-13.1"]


@pytest.mark.parametrize(
    ("tail", "dead"), [("20260101|", True), ("20260101|Y", True), ("20260101|N", False), ('""|', None), ("|", None)]
)
def test_whoever_has_a_date_of_death_is_dead_unless_she_is_not(tail: str, *, dead: bool | None) -> None:
    assert she(rest="|" * 20 + tail).person.deceased is dead


# --- whose message it is ---


@pytest.mark.parametrize("type_", ["ADT^A31", "REF^I12"])
def test_a_message_of_two_patients_is_of_neither(type_: str) -> None:
    """Where MSH was lost between two messages, the codes of the second would be said of the first."""
    text = joined(header(type_), "EVN||20260501092900", said(), "PV1|1|I", said(f"{OTHER_NUMBER}^^^NHS^NH"), CONCERN)
    with pytest.raises(Unreadable) as refused:
        (patient_change if type_ == "ADT^A31" else notice)(read(text))
    assert [(one.path, one.fault) for one in refused.value.problems] == [("PID[2]", Fault.SEVERAL_INCIDENTS)]


def test_each_pair_of_a_merge_has_its_own_person() -> None:
    change = patient_change(
        adt("MRG|1^^^RXL^MR", said(OTHER_NUMBER, "Other^Ann", "19700101"), "MRG|2^^^RXL^MR", type_="ADT^A40")
    )
    births = [one.person.birth.on for one in change.merges if one.person.birth]
    assert births == [date(1980, 1, 2), date(1970, 1, 1)]


def test_a_message_was_recorded_when_evn_says_however_late_it_is_sent() -> None:
    assert patient_change(adt()).recorded == datetime(2026, 5, 1, 8, 29, tzinfo=UTC)


@pytest.mark.parametrize("between", [BOM, b"  ", b"\t", BOM + b" "])
def test_files_that_were_put_one_behind_the_other_are_two_messages(between: bytes) -> None:
    first, second = joined(header(control_id="A"), said()), joined(header(control_id="B"), said(OTHER_NUMBER))
    cut = messages(BOM + first + between + second)
    assert [read(one).control_id for one in cut.messages] == ["A", "B"]
    with pytest.raises(Unreadable):
        read(first + between + second)


# --- a notice ---


@pytest.mark.parametrize("segment", ["PD1||||||||||||Y", "PV2||||||||||||||||||||||Y"])
def test_whoever_is_restricted_has_no_address_but_a_safe_one(segment: str) -> None:
    record = notice(ref(segment, CONCERN, person=said(rest="||1 Mew^^Town^^ZZ99 9ZZ^^H")))
    assert [one.use for one in record.people[0].addresses] == [AddressUse.SAFE]


@pytest.mark.parametrize("status", ["R", "X", "P", "L", "B"])
def test_leave_that_a_consent_segment_contradicts_is_not_given(status: str) -> None:
    con = f"CON|1|IS^Sharing|||||||||{status}"
    record = notice(ref("OBX|1|CE|CONSENT^^L||given", con, CONCERN))
    assert record.consents == ()
    assert ("CON-11", "unknown-code") in [(one.path, one.code) for one in record.quality]


@pytest.mark.parametrize(
    ("con", "given"), [("CON|1|IS|||||||||A", "given"), ("CON|1|IS", "given"), ("CON|1", "refused")]
)
def test_a_consent_segment_gives_no_leave_and_takes_no_refusal_back(con: str, given: str) -> None:
    record = notice(ref(f"OBX|1|CE|CONSENT^^L||{given}", con, CONCERN))
    assert [one.state for one in record.consents] == [ConsentState(given)]
    assert notice(ref("CON|1|IS|||||||||A", CONCERN)).consents == ()


# --- character sets and escapes ---


@pytest.mark.parametrize(
    ("charset", "raw", "name"),
    [
        ("8859/1", BOM + "RENÉE".encode(), "RENÉE"),
        ("8859/1", "O\u2019BRIEN".encode("cp1252"), "O\u2019BRIEN"),
        ("8859/2", "ŁĄ".encode("iso8859-2"), "ŁĄ"),
        ("ISO-8859-1", "RENÉE".encode("latin-1"), "RENÉE"),
        ("windows-1252~8859/2", "RENÉE".encode("cp1252"), "RENÉE"),
    ],
)
def test_a_name_is_read_as_it_was_written(charset: str, raw: bytes, name: str) -> None:
    marked = raw.startswith(BOM)
    start = header("ADT^A31", rest="|||||" + charset).encode()
    message = read((BOM if marked else b"") + start + b"\rPID|1||1^^^R^MR||" + raw.removeprefix(BOM) + b"\r")
    assert message.text("PID", 5) == name
    assert message.noted == ()


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Ren\\XC3\\\\XA9\\e", "Renée"),
        ("\\E\\X26\\\\X27\\", "\\X26\\'"),
        ("a\\X26\\\\XEB\\b", "a&ëb"),
        ("a\\X00\\\\X00\\b", "a  b"),
        ("\\.in+4\\a\\.ti-2\\b\\.sk3\\c\\.zz\\", "ab c\\.zz\\"),
    ],
)
def test_a_character_may_be_written_byte_by_byte_and_a_layout_is_no_text(text: str, plain: str) -> None:
    assert unescaped(text, STANDARD, "utf-8") == plain


def test_a_referral_whose_name_was_deleted_is_not_the_one_of_everybody_else() -> None:
    """RF1-6 `""` is no reference: with it the next patient's notice would be this one's next version."""
    for name in ('""', "", "^RXL"):
        text = joined(header("REF^I12"), f"RF1|P|R|SG|||{name}", said(), CONCERN)
        assert notice(read(text)).references == ()


@pytest.mark.parametrize(
    ("segment", "flagged"),
    [
        ("OBX|1|CWE|707087005^At risk^SCT||373066001^Yes^SCT", True),
        ("OBX|1|CWE|707087005^At risk^SCT||373067005^No^SCT", False),
        ("DG1|1||707087005^At risk^SNOMED CT (UK)", True),
        ("DG1|1||Z63.0^Problem^I10^707087005^At risk^SNOMEDCT", True),
    ],
)
def test_a_concern_is_known_by_every_name_of_snomed_and_a_yes_in_it(segment: str, *, flagged: bool) -> None:
    text = read(joined(header("REF^I12"), "RF1|P|R|SG|||C-1", said(), segment))
    if flagged:
        assert notice(text).flags == ("at-risk-of-domestic-violence",)
        return
    with pytest.raises(Unreadable):
        notice(text)


@pytest.mark.parametrize(
    "observation", ["CONSENT^^L||given~refused", "RISK-GRADE^^L||high~standard", "RISK-YES^^L||14~9"]
)
def test_what_one_observation_says_twice_and_differently_it_does_not_say(observation: str) -> None:
    record = notice(ref(f"OBX|1|CE|{observation}", CONCERN))
    assert (record.assessments, record.consents) == ((), ())
    assert ("OBX-5", "unknown-code") in [(one.path, one.code) for one in record.quality]
    assert notice(ref("OBX|1|CE|CONSENT^^L||given~GIVEN", CONCERN)).consents


@pytest.mark.parametrize(
    ("sent", "name", "repeated"),
    [
        ("20260301&17", "20260301&17", b"20260301\\T\\17"),
        ("BATCH^17", "BATCH^17", b"BATCH\\S\\17"),
        ("M17^^", "M17", b"M17"),
        ("A\\T\\B", "A&B", b"A\\T\\B"),
    ],
)
def test_a_control_id_is_whole_whatever_its_sender_numbers_with(sent: str, name: str, repeated: bytes) -> None:
    """Cut at a sign, every message of a day would have one name, and the second would be refused for it."""
    raw = joined(header(control_id=sent), said())
    message = read(raw)
    assert message.control_id == name
    answered = ack(message, raw, "AA", (), "C1", datetime(2026, 5, 1, tzinfo=UTC))
    assert answered.split(b"\rMSA|AA|")[1] == repeated + b"\r"


def test_half_a_message_is_not_taken_for_a_whole_one() -> None:
    """MSH-14 says nothing of it: ITK systems write a time there."""
    first = read(joined(header("ADT^A31", rest="0|20260501093000"), said(), "DSC|next"))
    wrong = [one for one in judge(first, rules()) if one.level is Level.ERROR]
    assert [(one.path, one.code) for one in wrong] == [("DSC-1", Said.IN_PARTS)]
    assert not judge(read(joined(header("ADT^A31", rest="0|20260501093000"), said())), rules())
