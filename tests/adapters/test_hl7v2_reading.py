"""Bytes into messages: every segment is kept, and nothing but a value or `Unreadable` comes out."""

from __future__ import annotations

import contextlib
import random
from datetime import UTC, datetime
from typing import Literal

import hl7
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.nhs.hl7v2 import (
    Finding,
    Level,
    Limits,
    Message,
    Said,
    Unreadable,
    ack,
    answer,
    answers,
    concerns,
    judge,
    messages,
    notice,
    patient_change,
    read,
    referral_reply,
    rules,
)
from adapters.nhs.hl7v2.batch import MAX_MESSAGES
from adapters.nhs.hl7v2.charset import charsets
from adapters.nhs.hl7v2.delimiters import STANDARD, Delimiters, delimiters, escaped, unescaped
from adapters.nhs.hl7v2.moments import written
from adapters.socket import Fault
from mappings.record import Record
from tests.adapters.hl7v2_support import header, joined, pid
from tests.support.shared import shared_data

Verdict = Literal["AA", "AE", "AR"]
AT = datetime(2026, 5, 1, 9, 30, tzinfo=UTC)


def fault(raw: bytes, limits: Limits | None = None) -> tuple[str, Fault]:
    """The place and the fault of what cannot be read."""
    with pytest.raises(Unreadable) as caught:
        read(raw, limits or Limits())
    (problem,) = caught.value.problems
    return problem.path, problem.fault


def in_charset(said: str, name: bytes) -> bytes:
    """A message with a name in some bytes, and MSH-18 as said."""
    return header(rest=f"||||GBR|{said}").encode() + b"\rPID|1||||" + name + b"\r"


# --- lines and segments ---


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\n\r", "\r\r\n"])
def test_any_line_end_gives_the_same_segments(end: str) -> None:
    found = read(joined(header(), "EVN|", pid(), "ZU1|local", "PV1|1", end=end))
    assert [one.name for one in found.segments] == ["MSH", "EVN", "PID", "ZU1", "PV1"]
    assert not found.noted


def test_mixed_line_ends_are_taken() -> None:
    raw = f"{header()}\r\nEVN|\n{pid()}\rZU1|x\r\n\r\n".encode()
    assert [one.name for one in read(raw).segments] == ["MSH", "EVN", "PID", "ZU1"]


def test_a_line_that_is_no_segment_continues_the_text_before_it_and_is_noted() -> None:
    found = read(joined(header(), pid(), "NTE|1||first line", "second line|with a bar", "", "NTE|2||next", end="\n"))
    assert [one.name for one in found.segments] == ["MSH", "PID", "NTE", "NTE"]
    assert found.text("NTE", 3) == "first line\nsecond line"
    assert found.noted == (Finding("NTE", Said.LINE_BREAK),)


def test_unknown_and_local_segments_are_kept_in_place_and_counted() -> None:
    found = read(joined(header(), "ZPI|1|a", pid(), "XYZ|what", "NTE|1||x", "ZPI|2|b"))
    assert [one.name for one in found.segments] == ["MSH", "ZPI", "PID", "XYZ", "NTE", "ZPI"]
    assert found.counts["ZPI"] == 2
    assert [one.text(2) for one in found.all("ZPI")] == ["a", "b"]
    assert [one.path for one in found.all("ZPI")] == ["ZPI", "ZPI[2]"]


def test_a_segment_that_was_cut_off_has_empty_fields() -> None:
    found = read(joined(header(), "PID|1||99", "PV1", "OBX"))
    assert found.text("PID", 30) == found.text("PV1", 1) == found.text("PID", 3, 9) == ""
    assert found.first("DG1") is None
    assert found.text("DG1", 3) == ""


# --- the header ---


def test_the_header_says_who_what_and_how() -> None:
    found = read(joined(header(rest="||AL|NE")))
    assert (found.type, found.control_id, found.processing, found.version) == ("ADT^A28", "C-1", "P", "2.4")
    assert (found.sender, found.receiver) == (("PAS", "RXL"), ("GATE", "PROVIDE"))
    assert (found.accept, found.application) == ("AL", "NE")
    assert (found.segments[0].text(1), found.segments[0].text(2)) == ("|", "^~\\&")


@pytest.mark.parametrize(
    ("said", "type_"),
    [("ADT^A28^ADT_A05", "ADT^A28"), ("ADT^A31", "ADT^A31"), ("ADT_A31", "ADT^A31"), ("ACK", "ACK"), ("", "")],
)
def test_the_type_is_read_in_every_form(said: str, type_: str) -> None:
    assert read(joined(header(said))).type == type_


@pytest.mark.parametrize("two", ["*!@#", "$%'/", "^~\\&#", "^", "^~", "^~\\"])
def test_odd_delimiters_are_taken_where_they_differ(two: str) -> None:
    by = delimiters(f"MSH|{two}|")
    assert by is not None
    raw = f"MSH|{two}|A{by.component}B|C\rPID|1||1{by.repetition}2{by.component}b{by.subcomponent}c"
    found = read(raw.encode())
    assert found.sender == ("A", "C")
    line = found.segments[1]
    assert line.repetitions(3) == 2
    assert line.text(3, 2, repetition=2, subcomponent=2) == "c"


def test_an_odd_field_separator_is_taken() -> None:
    found = read(b"MSH;^~\\&;PAS;RXL;;;;;ADT^A28;C-9;P;2.4\rPID;1;;77")
    assert (found.control_id, found.text("PID", 3)) == ("C-9", "77")


@pytest.mark.parametrize(
    "start", ["MSH|^&&^|", "MSH|||", "MSH|^~\\\\&|", "MSHa^~\\&a", "MSH ^~\\& ", "MSH", "MSH|^~\\&^~|"]
)
def test_delimiters_that_are_none_are_refused(start: str) -> None:
    assert fault(start.encode() + b"PAS") == ("MSH-2", Fault.MALFORMED)


def test_a_header_that_ends_in_its_delimiters_is_refused() -> None:
    assert fault(b"MSH|^~\\&") == ("MSH-2", Fault.TRUNCATED)


@pytest.mark.parametrize("raw", [b"", b"\r\n", b"PID|1", b"hello", b"ms", b"\xff", b'{"resourceType": "Patient"}'])
def test_what_is_no_message_is_refused(raw: bytes) -> None:
    assert fault(raw) in {("MSH", Fault.MISSING), ("MSH-18", Fault.WRONG_CHARSET)}


def test_several_messages_in_one_are_refused() -> None:
    assert fault(joined(header(), pid(), header())) == ("MSH", Fault.SEVERAL_INCIDENTS)


def test_more_than_is_accepted_is_refused() -> None:
    assert fault(joined(header(), "NTE|" + "x" * 200), Limits(max_bytes=200)) == ("", Fault.TOO_LARGE)
    assert fault(joined(header(), "NTE|" + "|" * 500), Limits(max_elements=500)) == ("", Fault.TOO_MANY_ELEMENTS)
    assert fault(joined(header(), *["NTE|"] * 500), Limits(max_elements=500)) == ("", Fault.TOO_MANY_ELEMENTS)
    assert fault(joined(header(), "NTE|1||a\0b")) == ("", Fault.NUL_CHARACTER)


# --- character sets and escapes ---


@pytest.mark.parametrize(
    ("said", "raw", "name", "assumed"),
    [
        ("UNICODE", "Zoë".encode(), "Zoë", False),
        ("UNICODE UTF-8", "Zoë".encode(), "Zoë", False),
        ("UNICODE", b"Zo\xeb", "Zoë", True),
        ("", "Zoë".encode(), "Zoë", True),
        ("ASCII", b"Zo\xeb \x96", "Zoë –", True),  # noqa: RUF001 - Windows' own dash
        ("8859/1", b"Zo\xeb", "Zoë", False),
        ("8859/15", b"\xa4", "€", False),
        ("8859/1~UNICODE UTF-8", b"Zo\xeb", "Zoë", False),
    ],
)
def test_the_character_set_is_that_of_the_header(said: str, raw: bytes, name: str, *, assumed: bool) -> None:
    found = read(in_charset(said, raw))
    assert found.text("PID", 5) == name
    assert found.noted == ((Finding("MSH-18", Said.CHARSET_ASSUMED),) if assumed else ())


def test_a_character_set_that_does_not_fit_or_is_unknown_is_said() -> None:
    assert fault(in_charset("UNICODE UTF-8", b"Zo\xeb")) == ("MSH-18", Fault.WRONG_CHARSET)
    assert fault(in_charset("KLINGON", b"Zo\xeb")) == ("MSH-18", Fault.UNKNOWN_CODE)
    assert read(in_charset("KLINGON", b"Zoe")).noted == (Finding("MSH-18", Said.NOT_IN_TABLE),)


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_sixteen_bits_and_byte_order_marks_are_seen_by_the_first_bytes(codec: str) -> None:
    raw = (header(rest="||||GBR|UNICODE") + "\rPID|1||||Zoë\r").encode(codec)
    assert read(raw).text("PID", 5) == "Zoë"


def test_escapes_are_read() -> None:
    text = r"a\F\b\S\c\T\d\R\e\E\f\X26\\XC3AB\\.br\g\H\h\N\ \Zq\ i\ "
    found = read(joined(header(), f"NTE|1||{text}"))
    assert found.text("NTE", 3) == "a|b^c&d~e\\f&ë\ngh \\Zq\\ i\\"


def test_an_escaped_byte_that_is_not_in_the_character_set_is_one_of_windows() -> None:
    assert read(joined(header(), r"NTE|1||Zo\XEB\ ")).text("NTE", 3) == "Zoë"


def test_an_escape_cannot_bring_in_a_nul() -> None:
    assert read(joined(header(), r"NTE|1||a\X00\b")).text("NTE", 3) == "a b"


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
@example(text="|^~\\&")
@example(text="\\F\\ \\X26\\ \\.br\\")
@settings(max_examples=200, deadline=None)
def test_what_is_escaped_is_one_value_and_reads_back(text: str) -> None:
    line = escaped(text)
    assert not set("|^~&\r\n\v\x1c") & set(line)
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    expected = "".join(one if (one >= " " and one != "\x7f") or one == "\n" else " " for one in plain)
    assert unescaped(line, STANDARD, "utf-8") == expected


def test_delimiters_default_where_the_header_leaves_them_out() -> None:
    assert delimiters("MSH|^|") == Delimiters()


def test_every_character_set_has_codecs() -> None:
    assert charsets()["UNICODE"] == ("utf-8", "cp1252")


# --- batches ---


def test_a_batch_is_cut_and_its_counts_are_compared() -> None:
    one, two = joined(header(), pid()), joined(header(control_id="C-2"), pid())
    whole = b"FHS|^~\\&|PAS\rBHS|^~\\&|PAS\r" + one + two + b"BTS|2\rFTS|1\r"
    assert messages(whole).messages == (one, two)
    assert messages(whole).findings == ()
    assert messages(whole.replace(b"BTS|2", b"BTS|3")).findings == (Finding("BTS-1", Said.BATCH_COUNT, Level.ERROR),)
    assert messages(whole.replace(b"FTS|1", b"FTS|2")).findings == (Finding("FTS-1", Said.BATCH_COUNT, Level.ERROR),)
    assert messages(whole.replace(b"BTS|2\rFTS|1\r", b"")).findings[0].code is Said.BATCH_CUT
    assert messages(whole.replace(b"BTS|2\r", b"BTS|2\rNTE|1\r")).findings == (Finding("", Said.OUTSIDE, Level.ERROR),)


def test_messages_that_follow_one_another_are_a_batch() -> None:
    raw = b"\n\n".join(joined(header(control_id=f"C-{n}"), pid(), end="\n") for n in range(3))
    assert [read(one).control_id for one in messages(raw).messages] == ["C-0", "C-1", "C-2"]


def test_one_message_is_itself_and_an_empty_batch_is_refused_by_reading() -> None:
    raw = joined(header(), pid(), "NTE|1||BTS|")
    assert messages(raw).messages == (raw,)
    (empty,) = messages(b"FHS|^~\\&\rFTS|0\r").messages
    assert fault(empty) == ("MSH", Fault.MISSING)


def test_a_batch_without_end_is_bounded() -> None:
    with pytest.raises(Unreadable):
        messages(b"MSH|^~\\&|\r" * (MAX_MESSAGES + 2))


# --- nothing else comes out ---

PIECES = st.sampled_from(
    [
        *(
            "MSH|^~\\&|",
            "PID|1||",
            "MRG|",
            "RF1|",
            "MSA|AA|",
            "OBX|1|CE|",
            "DG1|1||",
            "BHS|",
            "ZZZ|",
            "NTE",
            "|",
            "^",
            "~",
        ),
        *(
            "&",
            "\\",
            "\\X41\\",
            "\\XZZ\\",
            '""',
            "\r",
            "\n",
            "2.4",
            "P",
            "9990000018",
            "^^^NHS^NH",
            "196513121515",
            "é",
            "'",
        ),
        *(
            "ADT^A40",
            "REF^I12",
            "RRI^I12",
            "707087005^^SCT",
            "'; DROP TABLE--",
            "\u202e",
            "{{7*7}}",
            "<b>",
            "\x0b",
            "%s",
        ),
    ]
)
NOISE = st.lists(PIECES | st.text(max_size=3) | st.binary(max_size=2).map(lambda b: b.decode("latin-1")), max_size=40)


@given(parts=NOISE, type_=st.sampled_from(["ADT^A28", "ADT^A40", "REF^I12", "REF^I14", "RRI^I12", "ORU^R01", ""]))
@settings(max_examples=300, deadline=None)
def test_whatever_comes_is_read_or_refused_with_a_path_and_can_be_answered(parts: list[str], type_: str) -> None:
    for raw in (
        "".join(parts).encode(),
        joined(header(type_), "".join(parts)),
        joined(header(type_), pid("".join(parts))),
    ):
        _taken(raw)


def _taken(raw: bytes) -> Verdict:
    """All that can be done with bytes; what each answers to. Anything but `Unreadable` fails the test."""
    try:
        message = read(raw)
    except Unreadable as unreadable:
        return _refused(raw, unreadable)
    found = judge(message, rules(), processing=message.processing)
    code = answer(found)
    for one in answers(message, code):
        back = read(ack(message, raw, one, found, "A-1", AT))
        assert back.text("MSA", 2) == message.control_id.strip()[:199].strip()
        assert back.text("MSH", 7) == written(AT)
    concerns(message)
    for use in (notice, patient_change, referral_reply):
        _used(use, message)
    return code


def _refused(raw: bytes, unreadable: Unreadable) -> Verdict:
    assert unreadable.problems
    assert read(ack(None, raw, "AR", unreadable.problems, "A-1", AT)).text("MSA", 1) == "AR"
    return "AR"


def _used(use: object, message: Message) -> None:
    assert callable(use)
    made = None
    with contextlib.suppress(Unreadable):
        made = use(message)
    if isinstance(made, Record):
        assert Record.model_validate_json(made.model_dump_json()) == made


def test_a_message_of_a_megabyte_is_bounded_work() -> None:
    raw = joined(header(), pid("~".join(["1"] * 9000)), "OBX|1|ED|||" + "A" * 900_000)
    assert len(patient_change(read(raw)).patient.identity.local) == 1
    lines = read(joined(header(), pid(), "NTE|1||x", *["y"] * 30_000))
    assert len(lines.text("NTE", 3)) == 60_001
    assert fault(joined(header(), pid(), "NTE|1||x", *["y"] * 40_000)) == ("", Fault.TOO_MANY_ELEMENTS)


def test_a_message_of_many_faults_is_a_record_of_few_remarks_and_no_error_is_lost() -> None:
    many = pid("~".join(["1^^^NHS^NH"] * 3000))
    found = judge(read(joined(header("ADT^A40"), many, "MRG|")), rules())
    assert len(found) == 200
    assert answer(found) == "AE"
    assert len(notice(read(joined(header("REF^I12"), many, "DG1|1||707087005"))).quality) == 200


def test_python_hl7_reads_the_same_values() -> None:
    """python-hl7 is the oracle: the same segments in the same order, and the same value at every place."""
    seed = 20260501
    print(f"seed {seed}")
    rng = random.Random(seed)
    values = ["", "a", "b c", '""', "9990000018", "x^y", "x^y&z", "m~n", "m^1~n^2&3", "&&", "^^^NHS^NH"]
    for _ in range(60):
        lines = [
            header(),
            *("|".join([rng.choice(("PID", "ZU1", "OBX")), *rng.choices(values, k=9)]) for _ in range(6)),
        ]
        _same("\r".join(lines))


def _same(text: str) -> None:
    ours, theirs = read(text.encode()), hl7.parse(text)  # type: ignore[no-untyped-call] # python-hl7 has no types
    assert [one.name for one in ours.segments] == [str(one[0]) for one in theirs]
    for mine, other in zip(ours.segments, theirs, strict=True):
        for of in range(3 if mine.name == "MSH" else 1, len(other)):
            for repetition in range(1, mine.repetitions(of) + 1):
                for component, sub in ((1, 1), (1, 2), (2, 1), (2, 2), (4, 1)):
                    expected = _theirs(other[of], repetition, component, sub)
                    assert mine.text(of, component, repetition=repetition, subcomponent=sub) == expected


def _theirs(found: object, *places: int) -> str:
    for place in places:
        if isinstance(found, str):
            found = found if place == 1 else ""
        else:
            assert isinstance(found, list)
            found = found[place - 1] if place <= len(found) else ""
    return str(found).strip()


def test_every_public_file_is_read_or_refused_with_a_place() -> None:
    folder = shared_data("hl7v2")
    codes: list[str] = []
    for file in sorted(folder.rglob("*")):
        if file.suffix in {".hl7", ".out"}:
            codes += [_taken(one) for one in messages(file.read_bytes()).messages]
    assert len(codes) > 1000
    assert {code: codes.count(code) for code in set(codes)}.keys() == {"AA", "AE", "AR"}
