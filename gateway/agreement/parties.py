"""Who takes part in an agreement: the parties that sign, other organisations, named people, and the recipients.

Source: domain.md section 3.7 (organisations, other controllers, signatories, contacts); section 0a (a recipient is a
service team in its areas, never the hospital that holds a record).
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import StringConstraints, model_validator

from gateway.agreement.words import Id, Ids, Piece, Words


class Party(Piece):
    """A signatory: a police force, an NHS organisation or a local authority, with exactly one code of its own.

    `force` is the two figures of a force, `ods` an ODS code, `local_authority` a GSS code (`E10000017`). `signatory` is
    the contact who signs for it.
    """

    id: Id
    name: Words
    force: Annotated[str | None, StringConstraints(pattern=r"^[0-9]{2}$")] = None
    ods: Annotated[str | None, StringConstraints(pattern=r"^[A-Z0-9]{3,6}$")] = None
    local_authority: Annotated[str | None, StringConstraints(pattern=r"^[EW][0-9]{8}$")] = None
    controller: Literal["independent", "joint", "processor"]
    signatory: Id
    data_protection_officer: Id
    caldicott_guardian: Id | None = None

    @model_validator(mode="after")
    def _one_code(self) -> Self:
        if len([code for code in (self.force, self.ods, self.local_authority) if code]) != 1:
            raise ValueError("a party has either a force code or an ODS code or the code of a local authority")
        return self

    @property
    def organisation(self) -> str:
        """The code the outside world knows it by."""
        return self.force or self.ods or self.local_authority or ""

    @property
    def is_police(self) -> bool:
        """Whether it is a police force: the only one that Part 3 of the DPA 2018 is open to."""
        return self.force is not None

    @property
    def is_nhs(self) -> bool:
        """Whether it is of the NHS, and so owes a duty of confidence to patients."""
        return self.ods is not None


class OtherOrganisation(Piece):
    """Somebody who processes data under the agreement without being a party: a processor, or another controller."""

    id: Id
    name: Words
    role: Literal["processor", "sub-processor", "controller", "joint-controller"]
    acts_for: Ids
    does: Words
    contract: Words


class Contact(Piece):
    """A named human in a post."""

    id: Id
    name: Words
    post: Words
    party: Id
    email: Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")]


class Recipient(Piece):
    """Who may be given something: a team of a party, where it works (None is `any`), and what it reads with."""

    id: Id
    name: Words
    party: Id
    role: Id
    areas: tuple[Id, ...] | None
    end_user: Literal["required", "optional"]
    systems: Ids
