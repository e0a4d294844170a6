"""The people of an event, each in one role, and how they are connected.

Nobody is merged here, and nothing is decided: whether a contact may be used is what was stated (P5).

Source: domain.md sections 1.3, 1.5, 4.4 and 4.5.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar

from pydantic import AwareDatetime, Field

from mappings.record.part import Code, Item, Part, Ref
from mappings.record.vocabulary import AddressUse, Role


class Name(Part):
    """A person's name in one of its forms."""

    gate: ClassVar[str | None] = "{role}.name"
    family: Annotated[str | None, Item("{role}.name")] = None
    given: Annotated[tuple[str, ...], Item("{role}.name")] = ()
    prefix: Annotated[str | None, Item("{role}.name")] = None
    use: Annotated[Code, Item("{role}.name")] = "usual"


class Birth(Part):
    """Date of birth, or what is known of it: an age, an age range, a year alone."""

    gate: ClassVar[str | None] = "{role}.birth"
    on: Annotated[date | None, Item("{role}.birth")] = None
    year: Annotated[int | None, Field(ge=1880, le=2200), Item("{role}.birth")] = None
    age: Annotated[int | None, Field(ge=0, le=130), Item("{role}.birth")] = None
    age_from: Annotated[int | None, Field(ge=0, le=130), Item("{role}.birth")] = None
    age_to: Annotated[int | None, Field(ge=0, le=130), Item("{role}.birth")] = None
    age_band: Annotated[Code | None, Item("{role}.birth")] = None


class Contact(Part):
    """A way to reach a person and whether it is safe. Unknown means unsafe (P5): only `True` is a permission."""

    gate: ClassVar[str | None] = "{role}.contact"
    system: Annotated[Code, Item("{role}.contact")]
    value: Annotated[str | None, Item("{role}.contact")] = None
    safe: Annotated[bool | None, Item("{role}.safe_contact")] = None
    voicemail: Annotated[bool | None, Item("{role}.safe_contact")] = None
    text: Annotated[bool | None, Item("{role}.safe_contact")] = None
    times: Annotated[str | None, Item("{role}.safe_contact")] = None
    code_word: Annotated[str | None, Item("{role}.safe_contact")] = None
    shared_with_suspect: Annotated[bool | None, Item("{role}.safe_contact")] = None
    verified_by: Annotated[Code | None, Item("{role}.safe_contact")] = None
    verified_at: Annotated[AwareDatetime | None, Item("{role}.safe_contact")] = None

    @property
    def is_safe(self) -> bool:
        """Whether the channel may be used at all (P5, N8): stated safe, and not shared with the suspect."""
        return self.safe is True and self.shared_with_suspect is not True

    @property
    def may_leave_voicemail(self) -> bool:
        """Whether a message may be left: only where the channel is safe and the victim said so."""
        return self.is_safe and self.voicemail is True


class Address(Part):
    """A place a person lives, works or is kept safe. `use` decides the item, so a safe address is never a home."""

    gate: ClassVar[str | None] = "{role}.{use}_address"
    fills: ClassVar[str | None] = "use"
    choices: ClassVar[tuple[str, ...]] = tuple(u.value for u in AddressUse)
    use: Annotated[AddressUse, Item("{role}.{use}_address")]
    lines: Annotated[tuple[str, ...], Item("{role}.{use}_address")] = ()
    town: Annotated[str | None, Item("{role}.{use}_address")] = None
    postcode: Annotated[str | None, Item("{role}.{use}_address")] = None
    district: Annotated[str | None, Item("{role}.{use}_address")] = None
    lsoa: Annotated[str | None, Item("{role}.{use}_address")] = None
    uprn: Annotated[str | None, Item("{role}.{use}_address")] = None

    def word(self) -> str:  # noqa: D102 - said by Part.word
        return self.use.value


class Identifier(Part):
    """A number another system knows a person by. `system` is a code such as `pnc`, `cro`, `nominal`."""

    gate: ClassVar[str | None] = "{role}.police_identifiers"
    system: Annotated[Code, Item("{role}.police_identifiers")]
    value: Annotated[str | None, Item("{role}.police_identifiers")] = None


class Encompass(Part):
    """Whether a child's school was told before the next school day (Operation Encompass, domain.md section 1.5)."""

    gate: ClassVar[str | None] = "encompass.status"
    notified: Annotated[bool | None, Item("encompass.status")] = None
    at: Annotated[AwareDatetime | None, Item("encompass.status")] = None
    reference: Annotated[str | None, Field(max_length=100), Item("encompass.status")] = None
    reason: Annotated[Code | None, Item("encompass.status")] = None


class Person(Part):
    """Somebody in the event, in one role. `ref` is opaque, random, and the subject reference of the audit log.

    `also` is the reference under which the same person is the other of victim and suspect (counter-allegation).
    `warnings` are officer-safety codes on this person; those of a record as a whole name nobody. `nhs_number_status`
    is England's verification status, None where nobody traced it.
    """

    gate: ClassVar[str | None] = "{role}.listed"
    fills: ClassVar[str | None] = "role"
    choices: ClassVar[tuple[str, ...]] = tuple(dict.fromkeys(r.item_word for r in Role))
    ref: Annotated[Ref, Item("{role}.listed")]
    role: Annotated[Role, Item("{role}.listed")]
    also: Annotated[Ref | None, Item("people.counter_allegation")] = None
    names: tuple[Name, ...] = ()
    birth: Birth | None = None
    sex: Annotated[Code | None, Item("{role}.sex")] = None
    ethnicity: Annotated[Code | None, Item("{role}.ethnicity")] = None
    ethnicity_observed: Annotated[Code | None, Item("{role}.ethnicity_observed")] = None
    identifiers: tuple[Identifier, ...] = ()
    nhs_number: Annotated[str | None, Item("{role}.nhs_number")] = None
    nhs_number_status: Annotated[Code | None, Item("{role}.nhs_number")] = None
    general_practice: Annotated[str | None, Item("{role}.general_practice")] = None
    clinical: Annotated[tuple[str, ...], Item("{role}.clinical")] = ()
    contacts: tuple[Contact, ...] = ()
    addresses: tuple[Address, ...] = ()
    language: Annotated[Code | None, Item("{role}.needs")] = None
    interpreter: Annotated[bool | None, Item("{role}.needs")] = None
    needs: Annotated[tuple[str, ...], Item("{role}.needs")] = ()
    description: Annotated[str | None, Item("{role}.description")] = None
    occupation: Annotated[str | None, Item("{role}.occupation")] = None
    school: Annotated[str | None, Item("{role}.school")] = None
    present: Annotated[bool | None, Item("{role}.presence")] = None
    witnessed: Annotated[bool | None, Item("{role}.presence")] = None
    injured: Annotated[bool | None, Item("{role}.presence")] = None
    deceased: Annotated[bool | None, Item("{role}.presence")] = None
    warnings: Annotated[tuple[Code, ...], Item("police.safety_warnings")] = ()
    encompass: Encompass | None = None

    def word(self) -> str:  # noqa: D102 - said by Part.word
        return self.role.item_word


class Relationship(Part):
    """How two people of the event are connected.

    `personally_connected` is what the sender states (Domestic Abuse Act 2021 s.2); `evidence` are the facts of the
    record that bear on it (`quality.py`), and never a verdict.
    """

    gate: ClassVar[str | None] = "people.relationships"
    a: Annotated[Ref, Item("people.relationships")]
    b: Annotated[Ref, Item("people.relationships")]
    type: Annotated[Code | None, Item("people.relationships")] = None
    personally_connected: Annotated[bool | None, Item("people.relationships")] = None
    evidence: Annotated[tuple[Code, ...], Item("people.relationships")] = ()
