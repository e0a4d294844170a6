"""What the verifier says: findings, each on a thing of the pack, and the report that gathers them."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

_MOST: Final = 1000  # findings kept; a pack with more is beyond repair, and memory stays bounded


class Thing(StrEnum):
    """The parts of a pack, in their order."""

    HEADER = "header"
    KEY = "key"
    WITNESS = "witness"
    CHECKPOINT = "checkpoint"
    COSIGNATURE = "cosignature"
    EARLIER = "earlier checkpoint"
    ENTRY = "entry"
    NODE = "node"
    DOCUMENT = "document"
    END = "end"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it must be. A warning does not refute the pack.

    `index` and `id` name the entry where the thing is an entry (`id` where it can still be read). For any
    other thing `relying` is the half-open range of entries that rest on it. `line` counts from 1.
    """

    thing: Thing
    line: int
    message: str
    index: int | None = None
    id: str | None = None
    relying: tuple[int, int] | None = None
    warning: bool = False

    def __str__(self) -> str:
        """Say it in one line, in plain words."""
        name = str(self.thing) if self.index is None else f"{self.thing} {self.index}"
        known = "" if self.id is None else f" ({self.id})"
        rests = ""
        if self.relying is not None and self.relying[0] < self.relying[1]:
            rests = f"; entries {self.relying[0]} to {self.relying[1] - 1} rely on it"
        return f"line {self.line}: {name}{known} {self.message}{rests}"


@dataclass(frozen=True, slots=True)
class Cosigned:
    """That a witness saw the log at a size: `seconds` since 1970, by its own clock.

    `key` is its verifier key text, and `pinned` whether the caller gave it; if not, it came from the pack.
    """

    witness: str
    key: str
    pinned: bool
    size: int
    seconds: int


@dataclass(slots=True)
class Findings:
    """The findings as they come in; past the first thousand only their number is kept."""

    kept: list[Finding] = field(default_factory=list)
    total: int = 0
    faults: int = 0

    def add(self, finding: Finding) -> None:
        """Take a finding."""
        self.total += 1
        self.faults += not finding.warning
        if len(self.kept) < _MOST:
            self.kept.append(finding)


@dataclass(frozen=True, slots=True)
class Report:
    """The verdict. `key` is the verifier key text the signatures were checked with, None if unreadable.

    `pinned` tells whether the caller gave that key; if not, it came from the pack, and the verdict only
    says that the pack agrees with itself. `root` is that of the last checkpoint, None if unreadable.
    `cosigned` are the good cosignatures, by rising size.
    """

    key: str | None
    pinned: bool
    origin: str | None
    size: int
    root: bytes | None
    documents: int
    earlier_size: int | None
    cosigned: tuple[Cosigned, ...]
    findings: tuple[Finding, ...]
    finding_count: int
    fault_count: int

    @property
    def verified(self) -> bool:
        """Whether nothing refutes the pack."""
        return self.fault_count == 0
