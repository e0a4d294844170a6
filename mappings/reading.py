"""What comes of reading a document: a whole `Reading`, or an `Unreadable` that says where and why.

Both name paths of the document and never a value (P7). This page is vocabulary: it reads nothing itself.

    Unreadable              the document as a whole cannot become a record
      Problem(path, fault)  one place and one way of being unreadable; `Fault` is the closed list

Source: domain.md section 5.2, point 3 (what is not read is counted), style.md habits 5 and 6.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from mappings.record import Finding, Record
from mappings.tree import Value


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
    RAGGED_ROW = "ragged-row"
    NO_HEADER = "no-header"
    SEVERAL_INCIDENTS = "several-incidents"
    ROW_WITHOUT_INCIDENT = "row-without-incident"
    UNKNOWN_FILE = "unknown-file"
    ARCHIVE_ENCRYPTED = "archive-encrypted"
    ARCHIVE_UNSAFE_NAME = "archive-unsafe-name"
    ARCHIVE_NOT_A_FILE = "archive-not-a-file"
    ARCHIVE_NOT_CSV = "archive-not-csv"
    ARCHIVE_TOO_PACKED = "archive-too-packed"
    DOCTYPE = "doctype"
    PART_ELSEWHERE = "part-elsewhere"
    AMBIGUOUS_LINK = "ambiguous-link"
    WRONG_PROFILE = "wrong-profile"
    READER_FAILED = "reader-failed"


WORDS: dict[Fault, str] = {
    Fault.TOO_LARGE: "the document is larger than is accepted",
    Fault.WRONG_CHARSET: "the document is not in the character set it says, or in none that is accepted",
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
    Fault.RAGGED_ROW: "the row has more or fewer cells than the header has names",
    Fault.NO_HEADER: "the first line is no header: a column has no name, or what separates columns is not plain",
    Fault.SEVERAL_INCIDENTS: "the document holds several incidents; send one, or send a batch",
    Fault.ROW_WITHOUT_INCIDENT: "the row belongs to no incident of this export",
    Fault.UNKNOWN_FILE: "the mapping profile knows no file of this name",
    Fault.ARCHIVE_ENCRYPTED: "the file in the archive is encrypted",
    Fault.ARCHIVE_UNSAFE_NAME: "the file in the archive has a name that leads elsewhere",
    Fault.ARCHIVE_NOT_A_FILE: "the archive holds something that is not a plain file",
    Fault.ARCHIVE_NOT_CSV: "the archive holds a file that is not delimited text",
    Fault.ARCHIVE_TOO_PACKED: "the file in the archive unpacks to far more than it holds",
    Fault.DOCTYPE: "the document has a document type declaration, which is not accepted",
    Fault.PART_ELSEWHERE: "the document includes a part that lies elsewhere",
    Fault.AMBIGUOUS_LINK: "a reference leads to more than one part",
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

    `reason` is `no-row`, or `wrong-shape` where a row reads this place but not a value of this shape, or `attachment`
    for a whole photograph, recording or document, which is never passed on.
    """

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A record, and what did not get into it.

    `losses` names the first hundred lost leaves, `loss_count` counts them all. `leaf_count` counts the leaves of the
    document (scalars but null and blank text), `ignored_count` those that the profile leaves out for a stated
    reason. A value that a row reads and cannot use is no loss: it is one of the `findings` (`record.quality`).
    `tree` is the document as the profile saw it: its values go nowhere, its names show when a sender's shape changes.
    """

    record: Record
    losses: tuple[Loss, ...]
    loss_count: int
    ignored_count: int
    leaf_count: int
    tree: dict[str, Value] = field(default_factory=dict, repr=False, compare=False)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Remarks on the quality of the input, as they stand in the record."""
        return self.record.quality
