"""The record as a whole, and the record as it concerns one victim of several.

Source: domain.md sections 4.5 (N9) and 5.3.
"""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import Field

from mappings.record.consent import Consent
from mappings.record.event import Attachment, Link, Marking, Officer, Reference, Statement, Times
from mappings.record.feedback import Feedback
from mappings.record.measures import Custody, Order
from mappings.record.part import Code, Item, Part
from mappings.record.person import Person, Relationship
from mappings.record.provenance import Finding, Source, Tally
from mappings.record.risk import Assessment, Criterion, Earlier
from mappings.record.vocabulary import RecordKind, Role


class Record(Part):
    """One event, whole. Shapes in the part classes; times are aware; references are the sender's, opaque."""

    kind: Annotated[RecordKind, Item("event.kind")]
    source: Source | None = None
    references: tuple[Reference, ...] = ()
    version: Annotated[int, Field(ge=1), Item("event.kind")] = 1
    times: Times | None = None
    marking: Marking | None = None
    area: Annotated[Code | None, Item("event.area")] = None
    category: Annotated[Code | None, Item("event.type")] = None
    section: Annotated[Code | None, Item("event.type")] = None
    offence: Annotated[Code | None, Item("event.type")] = None
    flags: Annotated[tuple[Code, ...], Item("event.type")] = ()
    location: Annotated[str | None, Item("event.location")] = None
    people: tuple[Person, ...] = ()
    relationships: tuple[Relationship, ...] = ()
    assessments: tuple[Assessment, ...] = ()
    consents: tuple[Consent, ...] = ()
    criteria: tuple[Criterion, ...] = ()
    earlier: tuple[Earlier, ...] = ()
    orders: tuple[Order, ...] = ()
    custody: tuple[Custody, ...] = ()
    statements: tuple[Statement, ...] = ()
    officer: Officer | None = None
    safety_warnings: Annotated[tuple[Code, ...], Item("police.safety_warnings")] = ()
    outcome: Annotated[Code | None, Item("police.outcome")] = None
    attachments: tuple[Attachment, ...] = ()
    linked: tuple[Link, ...] = ()
    feedback: tuple[Feedback, ...] = ()
    tallies: tuple[Tally, ...] = ()
    quality: tuple[Finding, ...] = ()

    def reference(self, type_: str) -> str | None:
        """The first reference of a type (`occurrence`, `log`, `crime`), or None."""
        return next((r.value for r in self.references if r.type == type_), None)

    def of_role(self, role: Role) -> tuple[Person, ...]:
        """The people in one role, in the sender's order."""
        return tuple(p for p in self.people if p.role is role)

    def for_victim(self, ref: str) -> Record:
        """The record as it concerns one victim: other victims, and what is said of them, are left out.

        Each victim has a referral of her own. In a counter-allegation she is not the suspect of her own referral, and
        of a suspect who is a victim too only the identity is left: where the other lives, how the other is reached and
        what the other needs was told as a victim (N9). What names no victim stays for each, less its free text.
        """
        others = {p.ref for p in self.people if p.role is Role.VICTIM and p.ref != ref}
        gone = others | {p.ref for p in self.people if p.also == ref}
        if not gone and all(p.also is None for p in self.people):
            return self
        return self.model_copy(
            update={
                "people": tuple(_apart(p) for p in self.people if p.ref not in gone),
                "relationships": tuple(r for r in self.relationships if r.a not in gone and r.b not in gone),
                "assessments": tuple(_unnamed(a, others) for a in self.assessments if a.subject not in gone),
                "consents": tuple(_unnamed(c, others) for c in self.consents if c.subject not in gone),
                "criteria": tuple(_unnamed(c, others) for c in self.criteria if c.subject not in gone),
                "orders": tuple(o for o in self.orders if o.subject not in gone and o.protects not in gone),
                "custody": tuple(c for c in self.custody if c.subject not in gone),
                "statements": tuple(_less(s, gone) for s in self.statements if _concerns(s, ref, gone)),
                # A place in a list of the sender's record is another place, or nobody's, in this one.
                "quality": tuple(f for f in self.quality if "[" not in f.path),
            }
        )


def _apart(person: Person) -> Person:
    """A person without the other role: of a suspect who is a victim too, who it is and no more."""
    if person.also is None:
        return person
    if person.role is Role.VICTIM:
        return person.model_copy(update={"also": None})
    return Person(
        ref=person.ref,
        role=person.role,
        names=person.names,
        birth=person.birth,
        sex=person.sex,
        identifiers=person.identifiers,
        description=person.description,
        present=person.present,
        warnings=person.warnings,
    )


S = TypeVar("S", Assessment, Consent, Criterion)


def _unnamed(part: S, others: set[str]) -> S:
    """A part that names nobody, where there are several victims: it counts for each, and its words go to none."""
    if part.subject is not None or not others:
        return part
    if isinstance(part, Assessment):
        return part.model_copy(update={"answers": ()})
    return part.model_copy(update={"reason" if isinstance(part, Consent) else "text": None})


def _concerns(statement: Statement, ref: str, gone: set[str]) -> bool:
    return not statement.about or ref in statement.about or gone.isdisjoint(statement.about)


def _less(statement: Statement, gone: set[str]) -> Statement:
    if gone.isdisjoint(statement.about):
        return statement
    return statement.model_copy(update={"about": tuple(one for one in statement.about if one not in gone)})
