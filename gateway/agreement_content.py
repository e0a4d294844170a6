"""What an agreement says: parties, flows, clauses, holds, prohibitions and clocks, as frozen models.

The models check form and names one by one: an item is of the catalogue, a method has a meaning for its item. Whether
the parts fit each other is for `agreement_names.py` to say, and whether the agreement is wise for `agreement_check.py`.
A condition is never left out: who means anything says `any`, so that a line lost from the file opens nothing.

Source: design.md section 6; domain.md sections 3.1 (lawful basis apart from confidentiality), 3.4 (powers), 3.7.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from gateway.clock import Clock, clock
from gateway.generalise import Method, fits
from mappings.items import CATALOGUE
from mappings.record import ConsentState, Grade, RecordKind

UNKNOWN = "unknown"
"""The grade, or consent, that nobody stated, as agreements write it."""

POWERS: Mapping[str, str] = {
    "common-law-police": "common-law power of the police to prevent crime and protect life",
    "common-law-nhs": "common law: disclosure with consent, or in the overriding public interest",
    "cda-1998-s115": "Crime and Disorder Act 1998 s.115 (a power, not a duty)",
    "ca-1989-s17-s47": "Children Act 1989 ss.17 and 47",
    "ca-2004-s10-s11": "Children Act 2004 ss.10 and 11",
    "care-act-2014-s42": "Care Act 2014 s.42 (adults who need care and cannot protect themselves)",
    "care-act-2014-s45": "Care Act 2014 s.45 (a request by a Safeguarding Adults Board)",
    "pcsc-2022-s16": "Police, Crime, Sentencing and Courts Act 2022 s.16 (Serious Violence Duty)",
    "pcsc-2022-s44a": "Police, Crime, Sentencing and Courts Act 2022 s.44A (victim information request)",
    "vpa-2024-s13": "Victims and Prisoners Act 2024 s.13 (duty to collaborate)",
    "nhs-act-2006": "National Health Service Act 2006: functions of a foundation trust",
}
"""The powers an agreement can name. A closed set, so that the traps of domain.md section 3.4 are found by name."""


def _item(name: str) -> str:
    if name not in CATALOGUE:
        raise ValueError("not an item of the catalogue")
    return name


def _pattern(name: str) -> str:
    if not expand(name):
        raise ValueError("no item of the catalogue, and no pattern of one")
    return name


def _clock(text: str) -> str:
    clock(text)
    return text


Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,63}$")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
ItemName = Annotated[str, AfterValidator(_item)]
ItemPattern = Annotated[str, AfterValidator(_pattern)]
ClockText = Annotated[str, AfterValidator(_clock)]
GradeWord = Grade | Literal["unknown"]
Ids = Annotated[tuple[Id, ...], Field(min_length=1)]


def expand(pattern: str) -> frozenset[str]:
    """The items a name or pattern covers: `police.covert`, `*.nhs_number`, `third_party.*`.

    Patterns only ever withhold: what is released is named item by item, so that a new item is not (P3).
    """
    if pattern.startswith("*."):
        return frozenset(item for item in CATALOGUE if item.endswith(pattern[1:]))
    if pattern.endswith(".*"):
        return frozenset(item for item in CATALOGUE if item.startswith(pattern[:-1]))
    return frozenset({pattern} & CATALOGUE.keys())


class _Content(BaseModel):
    """A piece of an agreement: frozen, and nothing in it unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Party(_Content):
    """A signatory. Police have a force code, the NHS an ODS code: exactly one of the two."""

    id: Id
    name: Words
    force: Annotated[str | None, StringConstraints(pattern=r"^[0-9]{2}$")] = None
    ods: Annotated[str | None, StringConstraints(pattern=r"^[A-Z0-9]{3,6}$")] = None
    controller: Literal["independent", "joint", "processor"]
    data_protection_officer: Id
    caldicott_guardian: Id | None = None

    @model_validator(mode="after")
    def _one_code(self) -> Self:
        if (self.force is None) == (self.ods is None):
            raise ValueError("a party has either a force code or an ODS code")
        return self

    @property
    def organisation(self) -> str:
        """The code the outside world knows it by."""
        return self.force or self.ods or ""

    @property
    def is_police(self) -> bool:
        """Whether it is a police force; every other party is of the NHS."""
        return self.force is not None


class Contact(_Content):
    """A named human in a post."""

    id: Id
    name: Words
    post: Words
    party: Id
    email: Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")]


class Recipient(_Content):
    """Who may be given something: a team of a party, where it works, and what it reads with."""

    id: Id
    name: Words
    party: Id
    role: Id
    areas: tuple[Id, ...] | None
    end_user: Literal["required", "optional"]
    systems: Ids


class LawfulBasis(_Content):
    """Why it is lawful to process: data protection law alone. Confidentiality is another question."""

    discloser_regime: Literal["dpa-part-3", "uk-gdpr"]
    recipient_regime: Literal["dpa-part-3", "uk-gdpr"]
    article_6: Annotated[str, StringConstraints(pattern=r"^6\(1\)\(([a-f]|ea)\)$")]
    article_9: Annotated[
        tuple[Annotated[str, StringConstraints(pattern=r"^9\(2\)\([a-j]\)$")], ...], Field(min_length=1)
    ]
    article_10: Words | None = None
    schedule_1: Annotated[tuple[Annotated[int, Field(ge=1, le=37)], ...], Field(min_length=1)]
    powers: Annotated[tuple[str, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _known_powers(self) -> Self:
        if not set(self.powers) <= POWERS.keys():
            raise ValueError("a power that the gateway does not know")
        return self


class Flow(_Content):
    """One direction of sharing, for one purpose, with its two separate bases."""

    id: Id
    title: Words
    from_: Ids = Field(alias="from")
    to: Ids
    purpose: Id
    purpose_in_words: Words
    lawful_basis: LawfulBasis
    confidentiality_basis: Words


class Conditions(_Content):
    """When a clause or hold applies: all of these at once. None is `any`."""

    kinds: tuple[RecordKind, ...] | None
    areas: tuple[Id, ...] | None
    grades: tuple[GradeWord, ...] | None
    consent: tuple[ConsentState | Literal["unknown"], ...] | None
    children: bool | None
    within_days: Annotated[int | None, Field(ge=1)]


class Withheld(_Content):
    """Items kept back, and why, in words for the sender."""

    items: Annotated[tuple[ItemPattern, ...], Field(min_length=1)]
    reason: Words

    def each(self) -> Iterator[str]:
        """Every item it covers."""
        for pattern in self.items:
            yield from sorted(expand(pattern))


class Clause(_Content):
    """A permission: what goes to whom, when, how exact, and what stays."""

    id: Id
    title: Words
    flow: Id
    recipients: Ids
    when: Conditions
    release: tuple[ItemName, ...] = ()
    generalise: dict[ItemName, Method] = Field(default_factory=dict)
    withhold: tuple[Withheld, ...] = ()

    @model_validator(mode="after")
    def _methods_fit(self) -> Self:
        if not all(fits(method, item) for item, method in self.generalise.items()):
            raise ValueError("a method that has no meaning for its item")
        return self


class Hold(_Content):
    """When a human decides, and who."""

    id: Id
    title: Words
    flow: Id
    when: Conditions
    owner: Id
    reason: Words


class Prohibition(_Content):
    """Items that no clause of this agreement can release to these recipients."""

    id: Id
    items: Annotated[tuple[ItemPattern, ...], Field(min_length=1)]
    recipients: Ids
    reason: Words

    def each(self) -> Iterator[str]:
        """Every item it covers."""
        for pattern in self.items:
            yield from sorted(expand(pattern))


class Clocks(_Content):
    """How soon, by grade: to acknowledge, to try first contact, to look at the case again."""

    acknowledge: dict[GradeWord, ClockText]
    first_contact: dict[GradeWord, ClockText]
    review: dict[GradeWord, ClockText]
    closed: tuple[date, ...] = ()

    def to_acknowledge(self, grade: str | None) -> Clock | None:
        """The clock of a referral with this grade, or None where the agreement forgot it."""
        found = self.acknowledge.get(grade or UNKNOWN)  # type: ignore[call-overload]  # a grade is its own word
        return clock(found) if found else None


class Retention(_Content):
    """How long payloads and log entries are kept, and on what ground."""

    payload_days: Annotated[int, Field(ge=1)]
    log_years: Annotated[int, Field(ge=1)]
    ground: Words


class InForce(_Content):
    """From the first instant, up to but not including the second."""

    starts: AwareDatetime = Field(alias="from")
    until: AwareDatetime


class References(_Content):
    """Where else the agreement is written down."""

    dpia: Words
    information_sharing_gateway: Words


class Content(_Content):
    """The whole of an agreement."""

    id: Id
    version: Annotated[int, Field(ge=1)]
    title: Words
    purpose: Words
    in_force: InForce
    review_by: date
    references: References
    areas: dict[Id, Words]
    parties: Annotated[tuple[Party, ...], Field(min_length=2)]
    contacts: Annotated[tuple[Contact, ...], Field(min_length=1)]
    owner: Id
    recipients: Annotated[tuple[Recipient, ...], Field(min_length=1)]
    flows: Annotated[tuple[Flow, ...], Field(min_length=1)]
    clauses: Annotated[tuple[Clause, ...], Field(min_length=1)]
    holds: tuple[Hold, ...] = ()
    prohibitions: tuple[Prohibition, ...] = ()
    clocks: Clocks
    retention: Retention

    def party(self, id_: str) -> Party:
        """A party by its id; KeyError where there is none."""
        return {party.id: party for party in self.parties}[id_]

    def recipient(self, id_: str) -> Recipient | None:
        """A recipient by its id."""
        return next((r for r in self.recipients if r.id == id_), None)
