"""What is taken, what is refused, and how each is answered: rules are data, answers name places and never values."""

from __future__ import annotations

import copy
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest

import mappings
from adapters.nhs.hl7v2 import (
    FactsInvalid,
    Finding,
    Level,
    Message,
    Purpose,
    Said,
    Unreadable,
    ack,
    answer,
    answers,
    digest,
    judge,
    listing,
    read,
    rules,
)
from adapters.nhs.hl7v2 import finding as finding_page
from adapters.nhs.hl7v2.rules import compiled
from adapters.nhs.hl7v2.words import compiled as compiled_words
from adapters.socket import Fault, Problem
from mappings.reading import WORDS
from tests.adapters.hl7v2_support import NUMBER, OTHER_NUMBER, adt, header, joined, pid, ref

AT = datetime(2026, 5, 1, 9, 30, 15, tzinfo=UTC)
FOLDER = Path(mappings.__file__).parent / "nhs" / "hl7v2"


def judged(message: Message) -> set[tuple[str, Said]]:
    return {(one.path, one.code) for one in judge(message, rules())}


def file(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


# --- judging ---


def test_a_plain_message_is_taken_without_a_remark() -> None:
    assert judged(adt()) == set()
    assert answer(judge(adt(), rules())) == "AA"


def test_a_type_that_is_never_taken_is_refused_and_nothing_else_is_said() -> None:
    found = judge(read(joined(header("ORU^R01"), pid("1^^^NHS"))), rules())
    assert found == (Finding("MSH-9", Said.TYPE, Level.REJECT),)
    assert answer(found) == "AR"
    assert judged(adt(type_="ADT^A99")) == {("MSH-9.2", Said.EVENT)}
    assert judged(read(joined(header("")))) == {("MSH-9", Said.MISSING)}


def test_another_version_or_processing_id_is_refused() -> None:
    assert judged(read(joined(header(version="2.8"), pid()))) == {("MSH-12", Said.VERSION)}
    assert {one.code for one in judge(adt(), rules(), processing="T")} == {Said.PROCESSING}
    assert {one.level for one in judge(adt(), rules(), processing="T")} == {Level.REJECT}


@pytest.mark.parametrize("version", ["2.3", "2.3.1", "2.4", "2.5", "2.5.1"])
def test_the_versions_of_uk_systems_are_taken(version: str) -> None:
    assert answer(judge(read(joined(header(version=version), pid())), rules())) == "AA"


@pytest.mark.parametrize("event", ["A02", "A03", "A11"])
def test_a_movement_on_a_ward_is_taken_and_changes_nothing(event: str) -> None:
    message = read(joined(header(f"ADT^{event}"), "EVN|", "PV1|1"))
    assert rules().types[message.type] is Purpose.NOTHING
    assert answer(judge(message, rules())) == "AA"


def test_what_must_be_there_is_asked_for() -> None:
    assert judged(read(joined(header(control_id=""), pid()))) == {("MSH-10", Said.MISSING)}
    assert judged(read(joined(header(), "EVN|"))) == {("PID", Said.SEGMENT_MISSING)}
    assert ("PID-3.1", Said.MISSING) in judged(adt(person=pid("")))
    assert ("PID-3.1", Said.MISSING) in judged(adt(person=pid('""')))
    assert judged(adt(type_="ADT^A40^ADT_A39")) == {("MRG", Said.SEGMENT_MISSING)}
    assert answer(judge(adt(type_="ADT^A40^ADT_A39"), rules())) == "AE"
    assert judged(read(joined(header("RRI^I12"), "MSA|XX|"))) == {("MSA-1", Said.NOT_IN_TABLE), ("MSA-2", Said.MISSING)}


def test_a_notice_is_not_refused_for_its_form() -> None:
    """Safeguarding is never blocked by form: a patient may come without a name, a number or a provider (P6)."""
    found = judge(read(joined(header("REF^I12"), "PID|1", "DG1|1||707087005^^SCT")), rules())
    assert {one.path for one in found} == {"PID-3.1", "PID-5.1", "PRD"}
    assert answer(found) == "AA"


def test_a_wrong_date_is_kept_as_a_finding() -> None:
    found = judge(adt(person=pid(born="196513121515")), rules())
    assert found == (Finding("PID-7", Said.NOT_A_DATE),)
    assert answer(found) == "AA"


@pytest.mark.parametrize("sex", ["1", "2", "0", "9", "F", "m", "U", ""])
def test_sex_is_a_digit_or_a_letter(sex: str) -> None:
    assert judged(adt(person=pid(sex=sex))) == set()
    assert judged(adt(person=pid(sex="7"))) == {("PID-8", Said.NOT_IN_TABLE)}


@pytest.mark.parametrize(
    "form", ["{}^^^NHS", "{}^^^NHS^NH", "{}^^^NHSNBR^NHSNMBR", "{}^^^^NH", "123^^^RXL^PI~{}^^^NHS^NH"]
)
def test_the_nhs_number_is_checked_in_every_form(form: str) -> None:
    assert judged(adt(person=pid(form.format(NUMBER)))) == set()
    place = "PID-3[2].1" if "~" in form else "PID-3.1"
    assert judged(adt(person=pid(form.format("9990000019")))) == {(place, Said.NHS_CHECK_DIGIT)}
    assert judged(adt(person=pid(form.format("3333333333")))) == {(place, Said.NHS_PLACEHOLDER)}
    assert judged(adt(person=pid(form.format("12345")))) == {(place, Said.NHS_UNREADABLE)}


def test_a_local_number_is_no_nhs_number_and_two_of_those_are_none() -> None:
    assert judged(adt(person=pid("9990000019^^^RXL^MRN"))) == set()
    both = pid(f"{NUMBER}^^^NHS^NH~{OTHER_NUMBER}^^^NHS^NH")
    assert judged(adt(person=both)) == {("PID-3", Said.NHS_SEVERAL)}


def test_local_segments_and_the_reading_are_remarked_on() -> None:
    message = read(joined(header(), pid(), "ZU1|x", "NTE|1||a", "b", end="\n"))
    assert judged(message) == {("ZU1", Said.Z_SEGMENT), ("NTE", Said.LINE_BREAK)}


# --- the rules are data ---


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"for": ["ADT^A77"]}, "no type"),
        ({"for": []}, "list of one text"),
        ({"at": "PID 7"}, "no place"),
        ({"check": "guess"}, "no 'guess'"),
        ({"check": "segment"}, "of a segment"),
        ({"level": "fatal"}, "no 'fatal'"),
        ({"check": "table"}, "names one"),
        ({"table": "sex"}, "names one"),
        ({"check": "table", "table": "colours"}, "names one"),
        ({"then": "x"}, "no key 'then'"),
    ],
)
def test_a_rule_that_says_something_unknown_does_not_load(change: dict[str, Any], words: str) -> None:
    found = file("rules")
    found["rules"][0].update(change)
    with pytest.raises(FactsInvalid, match=words):
        compiled(found)


def test_a_table_that_no_rule_uses_and_a_purpose_that_is_none_do_not_load() -> None:
    found = file("rules")
    found["tables"]["idle"] = ["X"]
    with pytest.raises(FactsInvalid, match="no rule uses it"):
        compiled(found)
    found = file("rules")
    found["types"]["ADT^A77"] = "fun"
    with pytest.raises(FactsInvalid, match="no purpose"):
        compiled(found)
    found = file("rules")
    del found["rules"][0]["level"]
    with pytest.raises(FactsInvalid, match="is missing"):
        compiled(found)


@pytest.mark.parametrize(
    ("where", "key", "value", "words"),
    [
        ("person", "sex", {"F": "lady"}, "none of"),
        ("person", "numbers", {"types": ["NH"]}, "missing"),
        ("notice", "coded", ["DG1"], "no field"),
        ("notice", "roles", {"child-safeguarding-concern": "boss"}, "no role"),
        ("notice", "roles", {"hypertension": "child"}, "no key"),
        ("notice", "yes", [], "list of one text"),
    ],
)
def test_words_that_say_something_unknown_do_not_load(where: str, key: str, value: object, words: str) -> None:
    found = {"person": file("person"), "notice": file("notice")}
    found[where] = copy.deepcopy(found[where]) | {key: value}
    with pytest.raises(FactsInvalid, match=words):
        compiled_words(found["person"], found["notice"])


def test_a_table_that_is_none_does_not_load() -> None:
    found = file("person")
    found["numbers"] = "NH"
    with pytest.raises(FactsInvalid, match="table is wanted"):
        compiled_words(found, file("notice"))


def test_the_hash_is_of_the_lines_that_sha256sum_prints() -> None:
    assert len(digest()) == 64
    assert [line.split("  ")[1] for line in listing().decode().splitlines()] == [
        "charsets.toml",
        "notice.toml",
        "person.toml",
        "rules.toml",
    ]


def test_every_finding_and_every_fault_has_words_and_a_number() -> None:
    for said in Said:
        assert Finding("", said).words
        assert finding_page.number(said) in finding_page.NUMBERED
    for fault in WORDS:
        assert finding_page.number(fault) in finding_page.NUMBERED


# --- answers ---


def acknowledged(message: Message | None, raw: bytes, code: Any, *problems: Finding | Problem) -> Message:
    return read(ack(message, raw, code, problems, "A-1", AT))


def test_an_answer_goes_back_to_the_sender_and_repeats_the_control_id() -> None:
    raw = joined(header(control_id="C|9".replace("|", r"\F\ ")), pid())
    found = acknowledged(read(raw), raw, "AA")
    assert (found.sender, found.receiver) == (("GATE", "PROVIDE"), ("PAS", "RXL"))
    assert (found.type, found.version, found.processing, found.control_id) == ("ACK^A28", "2.4", "P", "A-1")
    assert (found.text("MSA", 1), found.text("MSA", 2), found.text("MSA", 3)) == ("AA", "C| 9", "")
    assert found.text("MSH", 7) == "20260501093015+0000"
    assert [one.name for one in found.segments] == ["MSH", "MSA"]


def test_an_error_is_said_by_place_and_fixed_words_as_the_version_has_it() -> None:
    wrong = (Finding("PID-3[2].1", Said.NHS_CHECK_DIGIT, Level.ERROR), Finding("PID[2]", Said.SEGMENT_MISSING))
    raw = joined(header(), pid())
    found = acknowledged(read(raw), raw, "AE", *wrong)
    assert found.text("MSA", 3) == "PID-3[2].1: the NHS number's check digit is wrong"
    error = found.first("ERR")
    assert error is not None
    assert error.repetitions(1) == 2
    assert [error.text(1, n) for n in (1, 2, 3)] == ["PID", "1", "3"]
    assert [error.text(1, 4, subcomponent=n) for n in (1, 2, 3)] == ["102", "Data type error", "HL70357"]
    assert [error.text(1, n, repetition=2) for n in (1, 2, 3, 4)] == ["PID", "2", "", "100"]
    raw = joined(header(version="2.5.1"), pid())
    found = acknowledged(read(raw), raw, "AE", *wrong)
    first, second = found.all("ERR")
    assert [first.text(2, n) for n in (1, 2, 3, 4, 5)] == ["PID", "1", "3", "2", "1"]
    assert (first.text(3), first.text(4), first.text(1)) == ("102", "E", "")
    assert (second.text(2, 2), second.text(3)) == ("2", "100")


def test_a_fault_of_the_whole_has_words_and_no_place() -> None:
    raw = joined(header(version="2.5"), pid())
    found = acknowledged(read(raw), raw, "AE", Problem("", Fault.TOO_LARGE))
    assert found.text("MSA", 3) == WORDS[Fault.TOO_LARGE][:80]
    assert (found.text("ERR", 2), found.text("ERR", 3)) == ("", "102")


def test_an_answer_never_repeats_a_value() -> None:
    """Names, numbers and dates of a person are in no answer, whatever was wrong with them (P7)."""
    person = pid("9990000019^^^NHS^NH~MRNSECRET^^^RXL^PI", born="196513121515")
    raw = joined(header(), person.replace("|2|", "|7|"))
    for version in ("2.3", "2.4", "2.5"):
        message = read(raw.replace(b"|2.4|", f"|{version}|".encode()))
        said = ack(message, raw, "AE", judge(message, rules()), "A-1", AT)
        for secret in (b"9990000019", b"MRNSECRET", b"Fennimore", b"1965"):
            assert secret not in said


@pytest.mark.parametrize(
    ("raw", "control_id", "sender"),
    [
        (b"MSH|^~\\&|PAS|RXL|||2026||ADT^A28|C-1|P|2.4|||||GBR|KLINGON\rPID|\xff", "C-1", ("PAS", "RXL")),
        (b"MSH|^~\\&|PAS|RXL|||2026||ADT^A28|C-1", "C-1", ("PAS", "RXL")),
        (b"MSH|^^^^|PAS|RXL|||2026||ADT^A28|C-1", "C-1", ("PAS", "RXL")),
        (b"MSH|^~\\&|PAS", "", ("PAS", "")),
        (b"junk\r\nMSH#^~\\&#PAS#RXL######C-1", "C-1", ("PAS", "RXL")),
        (b"MSH|", "", ("", "")),
        (b"MSH", "", ("", "")),
        (b"\x00\xfe\xff\xff", "", ("", "")),
        (b"\xff\xfe\x00", "", ("", "")),
        (b"", "", ("", "")),
    ],
)
def test_what_cannot_be_read_is_answered_too(raw: bytes, control_id: str, sender: tuple[str, str]) -> None:
    try:
        read(raw)
    except Unreadable as refused:
        problems = refused.problems
    else:
        problems = (Problem("MSH-9", Fault.MISSING),)
    found = acknowledged(None, raw, "AR", *problems)
    assert (found.text("MSA", 1), found.text("MSA", 2)) == ("AR", control_id)
    assert found.receiver == sender
    assert found.version == "2.4"
    assert found.first("ERR") is not None


def test_an_answer_to_an_application_with_an_accent_says_its_character_set() -> None:
    raw = joined(header().replace("PAS", "Zoë"), pid())
    found = acknowledged(read(raw), raw, "AA")
    assert found.receiver == ("Zoë", "RXL")
    assert found.text("MSH", 18) == "UNICODE UTF-8"


@pytest.mark.parametrize(
    ("accept", "application", "good", "bad", "never"),
    [
        ("", "", ("AA",), ("AE",), ("AR",)),
        ("AL", "AL", ("CA", "AA"), ("CE",), ("CR",)),
        ("AL", "NE", ("CA",), ("CE",), ("CR",)),
        ("AL", "", ("CA",), ("CE",), ("CR",)),
        ("ER", "AL", ("AA",), ("CE",), ("CR",)),
        ("SU", "ER", ("CA",), ("AE",), ("AR",)),
        ("NE", "AL", ("AA",), ("AE",), ("AR",)),
        ("NE", "NE", ("AA",), ("AE",), ("AR",)),
        ("xx", "", ("CA",), ("CE",), ("CR",)),
    ],
)
def test_the_header_says_which_answers_it_wants(
    accept: str, application: str, good: tuple[str, ...], bad: tuple[str, ...], never: tuple[str, ...]
) -> None:
    message = read(joined(header(rest=f"||{accept}|{application}"), pid()))
    codes: tuple[Literal["AA", "AE", "AR"], ...] = ("AA", "AE", "AR")
    assert tuple(answers(message, code) for code in codes) == (good, bad, never)


def test_what_could_not_be_read_is_answered_in_original_mode() -> None:
    assert answers(None, "AR") == ("AR",)


def test_a_referral_is_answered_as_a_referral_event() -> None:
    message = ref()
    assert acknowledged(message, b"", "CA").type == "ACK^I12"
