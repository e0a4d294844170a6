"""What an agreement says beside its clauses: the data, its handling, people's rights, breach, retention, and the end.

Nothing here decides a release; retention is enforced by the gateway, and every word is part of what the parties sign.
These are the headings that the ICO's data sharing code and the NHS universal template ask for.

Source: domain.md sections 3.7 (contents), 3.8 (rights, breach), 3.9 (retention), 3.5 (national data opt-out).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from gateway.agreement.words import Id, Ids, Patterns, Piece, Words, expand

KEPT = ("record", "feedback", "quarantine", "log")
"""The classes of what the gateway keeps; every agreement says how long for each of them."""


class Subject(Piece):
    """A type of person that data are about."""

    id: Id
    title: Words


class Category(Piece):
    """A category of data: the items in it, and which part of the law looks after it."""

    id: Id
    title: Words
    kind: Literal["ordinary", "special-category", "criminal-offence"]
    items: Patterns

    def each(self) -> Iterator[str]:
        """Every item of it."""
        for pattern in self.items:
            yield from sorted(expand(pattern))


class Data(Piece):
    """Whose data and which, and how special-category and criminal-offence data are handled."""

    subjects: Annotated[tuple[Subject, ...], Field(min_length=1)]
    categories: Annotated[tuple[Category, ...], Field(min_length=1)]
    special_category: Words
    criminal_offence: Words


class Rights(Piece):
    """What people can ask for, and who answers. `perpetrator` is the duty to neither confirm nor deny."""

    subject_access: Words
    perpetrator: Words
    objection: Words
    rectification: Words
    erasure: Words
    contact: Id


class Breach(Piece):
    """What happens when something goes wrong. The Commissioner is told within 72 hours at most (UK GDPR Article 33)."""

    tell_parties_within_hours: Annotated[int, Field(ge=1, le=72)]
    tell_commissioner_within_hours: Annotated[int, Field(ge=1, le=72)]
    procedure: Words
    contacts: Ids


class Governance(Piece):
    """How the parties look after what is shared."""

    quality: Words
    access: Words
    security: Words
    individual_rights: Rights
    breach: Breach
    complaints: Words
    training: Words
    review: Words
    national_data_opt_out: Words
    publication: Words
    termination: Words


class RetentionClass(Piece):
    """How long one class of what the gateway keeps is kept, counted from when, how it goes, and on what ground.

    `from_` is when a case was closed, when a thing was received, or when it was created.
    """

    data: Literal["record", "feedback", "quarantine", "log"]
    days: Annotated[int, Field(ge=1, le=36525)]  # a century: longer is a mistake of the keyboard
    from_: Literal["closed", "received", "created"] = Field(alias="from")
    disposal: Words
    ground: Words


class Retention(Piece):
    """How long each class is kept, and when a record goes that nobody ever closed: days after it was received."""

    classes: Annotated[tuple[RetentionClass, ...], Field(min_length=1)]
    backstop_days: Annotated[int, Field(ge=1, le=36525)]
    legal_hold: Words

    def of(self, data: str) -> RetentionClass:
        """What is said of a class; KeyError where the agreement says nothing, which is refused when it is read."""
        return {str(one.data): one for one in self.classes}[data]


class References(Piece):
    """Where else the agreement is written down."""

    dpia: Words
    information_sharing_gateway: Words
    appropriate_policy: Words
