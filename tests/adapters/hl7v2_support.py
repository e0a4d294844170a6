"""Messages of an invented trust about invented people, for the tests of HL7 v2."""

from __future__ import annotations

from adapters.nhs.hl7v2 import Message, read

NUMBER = "9990000018"
OTHER_NUMBER = "9990000026"


def header(type_: str = "ADT^A28^ADT_A05", *, control_id: str = "C-1", version: str = "2.4", rest: str = "") -> str:
    """An MSH as ITK systems write it; `rest` is MSH-13 and on."""
    tail = rest or "||||GBR|UNICODE|EN||iTKv1.0"
    return rf"MSH|^~\&|PAS|RXL|GATE|PROVIDE|20260501093000||{type_}|{control_id}|P|{version}|{tail}"


def pid(numbers: str = f"{NUMBER}^^^NHS^NH", *, born: str = "19800102", sex: str = "2", rest: str = "") -> str:
    """A PID; `rest` is PID-9 and on."""
    return f"PID|1||{numbers}||Fennimore^Odile^Rose^^Ms||{born}|{sex}|{rest}"


def joined(*segments: str, end: str = "\r") -> bytes:
    """The bytes of a message."""
    return end.join((*segments, "")).encode()


def adt(*more: str, type_: str = "ADT^A28^ADT_A05", person: str | None = None) -> Message:
    """An ADT message, read."""
    return read(joined(header(type_), "EVN||20260501092900", pid() if person is None else person, *more))


def ref(*more: str, type_: str = "REF^I12^REF_I12", person: str | None = None) -> Message:
    """A referral with a safeguarding code, read."""
    return read(
        joined(
            header(type_),
            "RF1|P|R|SG|||CASE-7^RXL",
            "PRD|RP",
            pid() if person is None else person,
            *(more or ("DG1|1||707087005^At risk^SCT",)),
        )
    )
