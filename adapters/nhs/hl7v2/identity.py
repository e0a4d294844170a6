"""Who is meant: the NHS number and the local numbers of a list of identifiers (PID-3, MRG-1).

A repetition is an NHS number because it says so (`person.toml`: assigning authority or type, in the forms seen in UK
trusts), and its check digit agrees; never because of where it stands, and never because ten digits happen to pass. Two
that differ are none. Only a number said to be verified may file anything by itself; that is for the caller.

Source: HL7 v2.4 section 2.9.12 (CX); domain.md sections 2.1 and 2.9.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from adapters.nhs.hl7v2.finding import Finding, Level, Said
from adapters.nhs.hl7v2.message import NULL, Segment
from adapters.nhs.hl7v2.words import words
from mappings.outcome import Cannot
from mappings.transforms import nhs_number

VERIFIED: Final = "01"
"""The verification status "number present and verified" (NHS Data Dictionary)."""

_CODES: Final = {
    "nhs-number-check-digit": Said.NHS_CHECK_DIGIT,
    "nhs-number-placeholder": Said.NHS_PLACEHOLDER,
    "nhs-number-unreadable": Said.NHS_UNREADABLE,
}


@dataclass(frozen=True, slots=True)
class LocalNumber:
    """A number of a local index: what it is, whose it is (CX-4: its name, or else its OID) and of what kind (CX-5).

    "" where that is not said.
    """

    value: str
    authority: str
    type: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is meant. `nhs_number` has passed Modulus 11; `status` is its verification status where one is said."""

    nhs_number: str | None = None
    status: str | None = None
    local: tuple[LocalNumber, ...] = ()

    @property
    def verified(self) -> bool:
        """Whether the NHS number may be relied on without a person."""
        return self.nhs_number is not None and self.status == VERIFIED


def identity(segment: Segment, of: int, status: str = "", level: Level = Level.NOTED) -> tuple[Identity, list[Finding]]:
    """The identity in a field of identifiers, and what is wrong in it. `status` is what PID-32 says."""
    findings: list[Finding] = []
    numbers: list[str] = []
    local: list[LocalNumber] = []
    for repetition, components in segment.each(of):
        value, _, _, authority, type_ = (*components, "", "", "", "", "")[:5]
        if not value or value == NULL:
            continue
        oid = segment.text(of, 4, repetition=repetition, subcomponent=2)  # an authority may have no name but this
        if not says_nhs(authority, oid, type_):
            local.append(LocalNumber(value, authority or oid, type_))
            continue
        try:
            numbers.append(nhs_number(value))
        except Cannot as cannot:
            findings.append(Finding(segment.place(of, 1, repetition), _CODES[cannot.code], level))
    if len(set(numbers)) > 1:
        findings.append(Finding(segment.place(of), Said.NHS_SEVERAL, level))
        numbers = []
    number = numbers[0] if numbers else None
    said = status if number and status in words().statuses else None
    return Identity(number, said, tuple(dict.fromkeys(local))), findings


def says_nhs(authority: str, oid: str, type_: str) -> bool:
    """Whether an identifier says that it is an NHS number: by its type, or by its authority where the type leaves it.

    `oid` is the authority's universal id (HD-2). A type leaves it where there is none, or where it says "national".
    """
    known = words()
    if type_ and type_.upper() not in known.number_national:
        return type_.upper() in known.number_types
    return not known.number_authorities.isdisjoint((authority.upper(), oid.upper()))
