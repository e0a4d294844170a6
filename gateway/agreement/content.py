"""What an agreement says: parties, flows, clauses, holds, prohibitions and clocks, as frozen models.

The models check form and names one by one: an item is of the catalogue, a method has a meaning for its item. Whether
the parts fit each other is for `names.py` to say, and whether the agreement is wise for `agreement_check.py`.
A condition is never left out: who means anything says `any`, so that a line lost from the file opens nothing.

Source: design.md section 6; domain.md sections 3.1, 3.7 (what an agreement must contain), 4.4 to 4.6.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, Field, model_validator

from gateway.agreement.flows import Flow
from gateway.agreement.governance import Data, Governance, References, Retention
from gateway.agreement.parties import Contact, OtherOrganisation, Party, Recipient
from gateway.agreement.words import UNKNOWN, Id, Ids, ItemName, Patterns, Piece, Words, expand
from gateway.clock import Clock, clock
from gateway.generalise import AGE_BANDS, Method, fits
from mappings.record import Classification, ConsentState, Grade, RecordKind


def _clock(text: str) -> str:
    clock(text)
    return text


def _age(band: str) -> str:
    if band not in AGE_BANDS and band != UNKNOWN:
        raise ValueError("no band of ages")
    return band


ClockText = Annotated[str, AfterValidator(_clock)]
GradeWord = Grade | Literal["unknown"]
AgeWord = Annotated[str, AfterValidator(_age)]


class Conditions(Piece):
    """When a clause or hold applies: all of these at once. None is `any`.

    `ages` are bands of the victim's age at the event, `markings` security classifications, `relationships` what the
    person who asks is to the case; whoever is connected with a party to it is refused by a rule no agreement can lift.
    """

    kinds: tuple[RecordKind, ...] | None
    areas: tuple[Id, ...] | None
    grades: tuple[GradeWord, ...] | None
    consent: tuple[ConsentState | Literal["unknown"], ...] | None
    children: bool | None
    within_days: Annotated[int | None, Field(ge=1)]
    ages: tuple[AgeWord, ...] | None
    markings: tuple[Classification | Literal["unknown"], ...] | None
    relationships: tuple[Literal["assigned", "team", "unknown"], ...] | None


class Withheld(Piece):
    """Items kept back, and why, in words for the sender."""

    items: Patterns
    reason: Words

    def each(self) -> Iterator[str]:
        """Every item it covers."""
        for pattern in self.items:
            yield from sorted(expand(pattern))


class Clause(Piece):
    """A permission: what goes to whom, when, how exact, and what stays.

    An `emergency` clause applies where somebody broke the glass for this case, and nowhere else. Each says whether it
    is one: where a line that was lost meant that it is not, losing it would release more.
    """

    id: Id
    title: Words
    flow: Id
    recipients: Ids
    emergency: bool
    when: Conditions
    release: tuple[ItemName, ...] = ()
    generalise: dict[ItemName, Method] = Field(default_factory=dict)
    withhold: tuple[Withheld, ...] = ()

    @model_validator(mode="after")
    def _methods_fit(self) -> Self:
        if not all(fits(method, item) for item, method in self.generalise.items()):
            raise ValueError("a method that has no meaning for its item")
        return self


class Hold(Piece):
    """When a human decides, and who."""

    id: Id
    title: Words
    flow: Id
    when: Conditions
    owner: Id
    reason: Words


class Prohibition(Piece):
    """Items that no clause of this agreement can release to these recipients."""

    id: Id
    items: Patterns
    recipients: Ids
    reason: Words

    def each(self) -> Iterator[str]:
        """Every item it covers."""
        for pattern in self.items:
            yield from sorted(expand(pattern))


class Clocks(Piece):
    """How soon, by grade: to acknowledge, to try first contact, to look at the case again."""

    acknowledge: dict[GradeWord, ClockText]
    first_contact: dict[GradeWord, ClockText]
    review: dict[GradeWord, ClockText]
    closed: tuple[date, ...] = ()

    def to_acknowledge(self, grade: str | None) -> Clock | None:
        """The clock of a referral with this grade, or None where the agreement forgot it."""
        found = self.acknowledge.get(grade or UNKNOWN)  # type: ignore[call-overload]  # a grade is its own word
        return clock(found) if found else None


class InForce(Piece):
    """From the first instant, up to but not including the second."""

    starts: AwareDatetime = Field(alias="from")
    until: AwareDatetime


class Content(Piece):
    """The whole of an agreement. `format` is the form of the file: another has other keys, and is not read here."""

    format: Literal[2]
    id: Id
    version: Annotated[int, Field(ge=1, le=999_999_999)]
    title: Words
    purpose: Words
    in_force: InForce
    review_by: date
    references: References
    areas: dict[Id, Words]
    parties: Annotated[tuple[Party, ...], Field(min_length=2)]
    other_organisations: Annotated[tuple[OtherOrganisation, ...], Field(min_length=1)]
    contacts: Annotated[tuple[Contact, ...], Field(min_length=1)]
    owner: Id
    data: Data
    recipients: Annotated[tuple[Recipient, ...], Field(min_length=1)]
    flows: Annotated[tuple[Flow, ...], Field(min_length=1)]
    clauses: Annotated[tuple[Clause, ...], Field(min_length=1)]
    holds: tuple[Hold, ...] = ()
    prohibitions: tuple[Prohibition, ...] = ()
    clocks: Clocks
    retention: Retention
    governance: Governance

    def party(self, id_: str) -> Party:
        """A party by its id; KeyError where there is none."""
        return {party.id: party for party in self.parties}[id_]

    def recipient(self, id_: str) -> Recipient | None:
        """A recipient by its id."""
        return next((r for r in self.recipients if r.id == id_), None)

    def told(self, organisation: str, purpose: str) -> Recipient | None:
        """The recipient of an organisation that flows for a purpose go to; None where it has none."""
        to = {one for flow in self.flows if flow.purpose == purpose for one in flow.to}
        own = {party.id for party in self.parties if party.organisation == organisation}
        return next((one for one in self.recipients if one.id in to and one.party in own), None)

    def flow(self, id_: str) -> Flow:
        """A flow by its id; KeyError where there is none."""
        return {flow.id: flow for flow in self.flows}[id_]
