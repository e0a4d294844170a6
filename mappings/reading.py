"""What comes of reading a document: a whole `Reading`, or an `Unreadable` that says where and why.

Both name paths of the document and never a value (P7). This page is vocabulary: it reads nothing itself.

    Unreadable              the document as a whole cannot become a record
      Problem(path, fault)  one place and one way of being unreadable; `Fault` is the closed list

Source: domain.md section 5.2, point 3 (what is not read is counted), style.md habits 5 and 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mappings.record import Finding, Record


class Fault(StrEnum):
    """One way of being unreadable. The value is the reason code that the outside sees."""

    TOO_LARGE = "too-large"
    WRONG_CHARSET = "wrong-charset"
    TRUNCATED = "truncated"
    MALFORMED = "malformed"
    DUPLICATE_KEY = "duplicate-key"
    NOT_A_NUMBER = "not-a-number"
    NUMBER_TOO_LARGE = "number-too-large"
    LONE_SURROGATE = "lone-surrogate"
    NUL_CHARACTER = "nul-character"
    TOO_DEEP = "too-deep"
    TOO_MANY_ELEMENTS = "too-many-elements"
    TEXT_TOO_LONG = "text-too-long"
    WRONG_TYPE = "wrong-type"
    MISSING = "missing"
    UNKNOWN_CODE = "unknown-code"
    NOT_READABLE = "not-readable"
    WRONG_PROFILE = "wrong-profile"
    READER_FAILED = "reader-failed"


WORDS: dict[Fault, str] = {
    Fault.TOO_LARGE: "the document is larger than is accepted",
    Fault.WRONG_CHARSET: "the document is not in UTF-8",
    Fault.TRUNCATED: "the document ends before it is complete",
    Fault.MALFORMED: "the document is not well formed",
    Fault.DUPLICATE_KEY: "the same name is given twice in one object",
    Fault.NOT_A_NUMBER: "the number is not finite",
    Fault.NUMBER_TOO_LARGE: "the number has more digits than are accepted",
    Fault.LONE_SURROGATE: "the text holds half of a surrogate pair",
    Fault.NUL_CHARACTER: "the text holds a NUL character",
    Fault.TOO_DEEP: "the document is nested deeper than is accepted",
    Fault.TOO_MANY_ELEMENTS: "the document holds more elements than are accepted",
    Fault.TEXT_TOO_LONG: "the text is longer than is accepted",
    Fault.WRONG_TYPE: "the value is of the wrong type",
    Fault.MISSING: "a value is required here and there is none",
    Fault.UNKNOWN_CODE: "a code is required here and this one is not in the list",
    Fault.NOT_READABLE: "a value is required here and this one cannot be read",
    Fault.WRONG_PROFILE: "the mapping profile is for another format",
    Fault.READER_FAILED: "the reader failed",
}
"""What each fault means, in words fixed beforehand, so that no value can slip into them."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One place of a document that makes it unreadable. `path` is empty where the whole document is meant."""

    path: str
    fault: Fault

    @property
    def words(self) -> str:
        """The fault in words a person can read."""
        return WORDS[self.fault]


class Unreadable(Exception):
    """A document that cannot become a record. It belongs in front of a person (P6), never in an endless retry.

    Its text names paths and never a value. Its `__cause__` may hold values: it is for a debugger, not for a log.
    """

    def __init__(self, *problems: Problem) -> None:
        """At least one problem."""
        super().__init__("; ".join(f"{p.path}: {p.words}" if p.path else p.words for p in problems))
        self.problems = problems

    @property
    def fault(self) -> Fault:
        """The fault of the first problem."""
        return self.problems[0].fault


@dataclass(frozen=True, slots=True)
class Loss:
    """A leaf of the document that no row of the profile reads.

    `reason` is `no-row`, or `wrong-shape` where a row reads this place but not a value of this shape.
    """

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A record, and what did not get into it.

    `losses` names the first hundred lost leaves, `loss_count` counts them all. `leaf_count` counts the leaves of the
    document (scalars but null and blank text), `ignored_count` those that the profile leaves out for a stated
    reason. A value that a row reads and cannot use is no loss: it is one of the `findings` (`record.quality`).
    """

    record: Record
    losses: tuple[Loss, ...]
    loss_count: int
    ignored_count: int
    leaf_count: int

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Remarks on the quality of the input, as they stand in the record."""
        return self.record.quality
