"""What is found in a message: a place, a code, and what it means for the answer. Never a value (P7).

`Level` is the answer that a finding asks for: none, AE (the sender corrects the data), or AR (we never take this).

Source: HL7 v2.4 section 2.13.2 (acknowledgement codes) and table 0357 (message error conditions).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal


class Level(StrEnum):
    """What a finding asks for."""

    NOTED = "noted"
    ERROR = "error"
    REJECT = "reject"


class Said(StrEnum):
    """The closed list of what can be found. The value is the code in a record's quality and in the log."""

    MISSING = "missing"
    SEGMENT_MISSING = "segment-missing"
    NOT_A_DATE = "date-unreadable"
    NOT_A_TIME = "time-unreadable"
    NOT_IN_TABLE = "unknown-code"
    NOT_A_CODE = "not-a-code"
    NHS_CHECK_DIGIT = "nhs-number-check-digit"
    NHS_PLACEHOLDER = "nhs-number-placeholder"
    NHS_UNREADABLE = "nhs-number-unreadable"
    NHS_SEVERAL = "nhs-number-given-twice"
    NHS_UNVERIFIED = "nhs-number-not-verified"
    TYPE = "message-type-not-taken"
    EVENT = "event-not-taken"
    VERSION = "version-not-taken"
    PROCESSING = "processing-id-not-taken"
    CHARSET_ASSUMED = "charset-assumed"
    LINE_BREAK = "line-break-in-text"
    Z_SEGMENT = "z-segment-kept"
    NOT_READ = "segment-not-read"
    BATCH_COUNT = "batch-count-differs"
    BATCH_CUT = "batch-without-end"
    OUTSIDE = "segment-outside-message"
    IN_PARTS = "message-in-parts"
    TOO_LONG = "message-too-long"
    ID_USED = "control-id-used-before"
    FOR_A_PERSON = "for-a-person"
    NOT_PERMITTED = "not-permitted"
    NOT_NOW = "not-now"


_WORDS: Final[dict[Said, str]] = {
    Said.MISSING: "a value is required here",
    Said.SEGMENT_MISSING: "this segment is required",
    Said.NOT_A_DATE: "not a date (YYYYMMDD)",
    Said.NOT_A_TIME: "not a time (YYYYMMDDHHMM)",
    Said.NOT_IN_TABLE: "not a code of the table",
    Said.NOT_A_CODE: "not in the form of this field",
    Said.NHS_CHECK_DIGIT: "the NHS number's check digit is wrong",
    Said.NHS_PLACEHOLDER: "ten equal digits are no NHS number",
    Said.NHS_UNREADABLE: "an NHS number has ten digits",
    Said.NHS_SEVERAL: "two NHS numbers are given",
    Said.NHS_UNVERIFIED: "the NHS number is not said to be verified",
    Said.TYPE: "this message type is not taken",
    Said.EVENT: "this event is not taken",
    Said.VERSION: "this version is not taken",
    Said.PROCESSING: "this processing id is not taken here",
    Said.CHARSET_ASSUMED: "not in the character set that is said; another was assumed",
    Said.LINE_BREAK: "a line break stands in a text",
    Said.Z_SEGMENT: "a local segment was kept and not read",
    Said.NOT_READ: "the segment was kept and not read",
    Said.BATCH_COUNT: "the batch does not hold as many as its trailer says",
    Said.BATCH_CUT: "the batch has no trailer",
    Said.OUTSIDE: "a segment stands outside any message",
    Said.IN_PARTS: "the message goes on in another one; send it whole",
    Said.TOO_LONG: "the message is longer than is accepted",
    Said.ID_USED: "this control id was used for another message",
    Said.FOR_A_PERSON: "it cannot be taken as it is; a person was told",
    Said.NOT_PERMITTED: "this sender may not send this",
    Said.NOT_NOW: "it could not be kept now; send it again",
}

_NUMBERS: Final[dict[str, int]] = {
    Said.SEGMENT_MISSING: 100,
    Said.MISSING: 101,
    Said.NOT_IN_TABLE: 103,
    Said.TYPE: 200,
    Said.EVENT: 201,
    Said.PROCESSING: 202,
    Said.VERSION: 203,
    Said.ID_USED: 205,
    Said.NOT_PERMITTED: 207,
    Said.NOT_NOW: 207,
    "missing": 101,
    "unknown-code": 103,
    "reader-failed": 207,
}
_DATA_TYPE: Final = 102
NUMBERED: Final[dict[int, str]] = {
    100: "Segment sequence error",
    101: "Required field missing",
    102: "Data type error",
    103: "Table value not found",
    200: "Unsupported message type",
    201: "Unsupported event code",
    202: "Unsupported processing id",
    203: "Unsupported version id",
    205: "Duplicate key identifier",
    207: "Application internal error",
}
"""Table 0357, as far as it is said."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark on a message: where (`PID-7`, `PID-3[2].1`; empty for the whole), what, and what it asks for."""

    path: str
    code: Said
    level: Level = Level.NOTED

    @property
    def words(self) -> str:
        """The finding in words fixed beforehand."""
        return _WORDS[self.code]


def bounded(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Each finding once, and no more than anybody reads: where there are too many, the gravest of them."""
    found = tuple(dict.fromkeys(findings))
    return found if len(found) <= _MAX else tuple(sorted(found, key=lambda one: _GRAVEST.index(one.level))[:_MAX])


_MAX: Final = 200  # a message of 20,000 parts must not become a record of 20,000 remarks
_GRAVEST: Final = (Level.REJECT, Level.ERROR, Level.NOTED)


def number(code: str) -> int:
    """The number of table 0357 for the code of a finding or of a fault; data of a wrong form where none is nearer."""
    return _NUMBERS.get(code, _DATA_TYPE)


def answer(findings: Iterable[Finding]) -> Literal["AA", "AE", "AR"]:
    """The answer that the findings ask for: `AA`, `AE` or `AR`, the gravest of them."""
    levels = {one.level for one in findings}
    return "AR" if Level.REJECT in levels else "AE" if Level.ERROR in levels else "AA"
