"""The small pieces that every resource is built of: codings, references, extensions, labels, times.

Each returns plain JSON values. An element without a value is left out: FHIR has no null (R4 JSON, 2.6.2).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from adapters.nhs.fhir.canonical import (
    ACT_CODE,
    CONFIDENTIALITY,
    DATA_ABSENT,
    ODS,
    UK_CORE,
    code_system,
    extension_url,
    police_id,
)
from adapters.nhs.fhir.ids import resource_id
from adapters.nhs.fhir.models import Json
from mappings.record import Record, Role
from mappings.referral import Referral

SECURITY: Final[list[Json]] = [
    {"system": CONFIDENTIALITY, "code": "R", "display": "restricted"},
    {
        "system": ACT_CODE,
        "code": "SDV",
        "display": "sexual assault, abuse, or domestic violence information sensitivity",
    },
    {
        "system": ACT_CODE,
        "code": "NOPAT",
        "display": "no disclosure to patient, family or caregivers without attending provider's authorization",
    },
]
"""The labels of everything we emit (domain.md section 2.11)."""

VERY_RESTRICTED: Final[list[Json]] = [
    {"system": CONFIDENTIALITY, "code": "V", "display": "very restricted"},
    *SECURITY[1:],
]
"""The same for a victim whom the national demographics service calls so: everything of her bears the highest label."""

HIDE: Final[Json] = {"url": extension_url("hide-from-online-access"), "valueBoolean": True}
"""Said outright as well, because NOPAT has been read in two ways (domain.md section 2.11)."""

MASKED: Final[Json] = {"extension": [{"url": DATA_ABSENT, "valueCode": "masked"}]}
"""In place of a mandatory element that the decision withheld."""


def meta(profile: str | None, referral: Referral) -> Json:
    """The meta of one resource of a referral: profile (a UK Core type name), version, time, labels."""
    found: Json = {
        "extension": [HIDE],
        "versionId": str(referral.version),
        "lastUpdated": instant(referral.updated_at),
        "security": VERY_RESTRICTED if referral.label == "V" else SECURITY,
    }
    if profile is not None:
        found["profile"] = [f"{UK_CORE}UKCore-{profile}"]
    return found


def start(resource_type: str, part: str | None, referral: Referral, *, profiled: bool = True) -> Json:
    """The head of a resource: type, id, meta."""
    return {
        "resourceType": resource_type,
        "id": resource_id(referral.id, part),
        "meta": meta(resource_type if profiled else None, referral),
    }


def instant(when: datetime) -> str:
    """A time as FHIR `instant` in UTC, to the second, or to the microsecond where it has one."""
    return when.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def text(value: str | None) -> str | None:
    """A text that says something, or None: FHIR strings are never blank."""
    return value if value and value.strip() else None


def concept(system: str, code: str, display: str | None = None) -> Json:
    """A CodeableConcept of one coding."""
    coding = {"system": system, "code": code}
    if display is not None:
        coding["display"] = display
    return {"coding": [coding]}


def own(list_: str, code: str) -> Json:
    """A CodeableConcept from a code list of our own."""
    return concept(code_system(list_), code)


def extension(name: str, **value: object) -> Json:
    """An extension of our own with one value: `extension("kind", valueCode="fact")`."""
    return {"url": extension_url(name), **value}


def nested(name: str, parts: list[Json]) -> list[Json]:
    """A complex extension of our own as a list of none or one: it is left out where it has no parts."""
    return [{"url": extension_url(name), "extension": parts}] if parts else []


def part(name: str, kind: str, value: object) -> list[Json]:
    """A part of a complex extension as a list of none or one: `part("yes", "valueInteger", 5)`."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return []
    return [{"url": name, kind: value}]


def when(name: str, value: datetime | None) -> list[Json]:
    """A time as a part of a complex extension, as a list of none or one."""
    return [] if value is None else [{"url": name, "valueDateTime": instant(value)}]


def reference(resource_type: str, referral: Referral, part_: str | None = None) -> Json:
    """A relative reference to a resource of the same referral."""
    return {"reference": f"{resource_type}/{resource_id(referral.id, part_)}"}


def subject(record: Record, referral: Referral, ref: str | None = None) -> Json:
    """A reference to the person a part is about, by default the victim; masked where that person is withheld.

    A victim and a child are Patients; nobody else ever is.
    """
    for person in record.people:
        if person.role in _PATIENTS and (person.ref == ref if ref is not None else person.role is Role.VICTIM):
            return reference("Patient", referral, person.ref)
    return MASKED


def sender(record: Record) -> Json | None:
    """A reference to the force that sent the record, where the record says which."""
    number = text(record.source.organisation) if record.source is not None else None
    return None if number is None else force(number)


def force(number: str) -> Json:
    """A reference to a police force by its number."""
    return {"type": "Organization", "identifier": {"system": police_id("force"), "value": number}}


def trust(referral: Referral) -> Json:
    """A reference to the team's organisation by its ODS code; the team by its name in the agreement."""
    return {
        "type": "Organization",
        "identifier": {"system": ODS, "value": referral.organisation},
        "display": referral.team,
    }


_PATIENTS = frozenset({Role.VICTIM, Role.CHILD})
