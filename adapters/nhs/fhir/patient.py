"""Patient: the victim, and each child as a patient of her or his own; nobody else is ever written here.

A way of contact stated safe is a telecom that says what is allowed; any other is named in an extension that no
telephone list reads, so that it can be known as unsafe and not be used by accident (P5, N8). A suspect is neither
patient nor contact (domain.md section 2.3). UK Core Patient.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from adapters.nhs.fhir.canonical import (
    ETHNIC_CATEGORIES,
    ETHNIC_CATEGORY,
    INTERPRETER,
    LANGUAGE,
    NHS_NUMBER,
    ODS,
    VERIFICATION,
    VERIFICATION_ENGLAND,
)
from adapters.nhs.fhir.elements import concept, extension, nested, part, start, text, when
from adapters.nhs.fhir.household import ties
from adapters.nhs.fhir.models import Json
from adapters.nhs.fhir.person import SEX, address, birth_elements, human_name
from adapters.nhs.fhir.ukcore import ETHNIC_CODES, VERIFICATION_STATUS
from mappings.record import Contact, Encompass, Person, Record, Role
from mappings.referral import Referral

_SYSTEMS: Final = {"mobile": "phone"} | {s: s for s in ("phone", "fax", "email", "pager", "url", "sms")}
_ODS: Final = re.compile(r"[A-Z0-9]{3,10}")  # domain.md section 2.2
_TAG: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")  # the form of a BCP 47 tag


def write_patients(record: Record, referral: Referral) -> Iterator[Json]:
    """A Patient for the victim, then one for each child, in the sender's order."""
    for person in (*record.of_role(Role.VICTIM), *record.of_role(Role.CHILD)):
        yield _patient(person, record, referral)


def _patient(person: Person, record: Record, referral: Referral) -> Json:
    found: Json = {
        **ties(person, record, referral),
        "extension": [*_extensions(person), *(_not_filed(person) if referral.label is not None else ())],
        "identifier": [_nhs_number(number, person.nhs_number_status)] if (number := text(person.nhs_number)) else [],
        "name": [one for name in person.names for one in human_name(name)],
        "telecom": [_telecom(c) for c in person.contacts if c.is_safe and text(c.value)],
        "gender": SEX.get(person.sex.lower()) if person.sex is not None else None,
        **birth_elements(person.birth),
        "deceasedBoolean": person.deceased,
        "address": [one for place in person.addresses for one in address(place)] if referral.label is None else [],
        "communication": _communication(person),
        "generalPractitioner": _practice(person),
    }
    return start("Patient", person.ref, referral) | {k: v for k, v in found.items() if v is not None and v != []}


def _extensions(person: Person) -> list[Json]:
    found: list[Json] = []
    if person.ethnicity is not None:
        found.append({"url": ETHNIC_CATEGORY, "valueCodeableConcept": _ethnicity(person.ethnicity)})
    if person.interpreter is not None:
        found.append({"url": INTERPRETER, "valueBoolean": person.interpreter})
    for contact in person.contacts:
        if not contact.is_safe and text(contact.value):
            found += nested("unsafe-contact", _unsafe(contact))
    found += [extension("need", valueString=need) for need in person.needs if text(need)]
    if school := text(person.school):
        found.append(extension("school", valueString=school))
    if person.encompass is not None:
        found += nested("encompass", _encompass(person.encompass))
    return found + nested(
        "presence",
        [
            *part("present", "valueBoolean", person.present),
            *part("witnessed", "valueBoolean", person.witnessed),
            *part("injured", "valueBoolean", person.injured),
        ],
    )


def _encompass(one: Encompass) -> list[Json]:
    """Whether the school knows already, so that nobody tells it twice (Operation Encompass)."""
    return [
        *part("notified", "valueBoolean", one.notified),
        *when("at", one.at),
        *part("reference", "valueString", one.reference),
        *part("reason", "valueCode", one.reason),
    ]


def _not_filed(person: Person) -> Iterator[Json]:
    """The addresses of a restricted patient: to be known, and in no list that a system files or writes back."""
    yield extension("restricted", valueBoolean=True)
    for place in person.addresses:
        for one in address(place):
            yield from nested(
                "address-not-to-be-filed",
                [
                    *part("warning", "valueString", "Restricted: write it to no system"),
                    *part("address", "valueAddress", one),
                ],
            )


def _nhs_number(number: str, traced: str | None) -> Json:
    code = (
        traced if traced is not None and traced in VERIFICATION_STATUS else "02"
    )  # what nobody traced files itself nowhere
    status = concept(VERIFICATION_ENGLAND, code, VERIFICATION_STATUS[code])
    return {
        "extension": [{"url": VERIFICATION, "valueCodeableConcept": status}],
        "system": NHS_NUMBER,
        "value": number,
    }


def _ethnicity(code: str) -> Json:
    if code in ETHNIC_CODES:
        return concept(ETHNIC_CATEGORIES, code)
    return {"text": code}  # a code of another list, which UK Core's extensible binding lets through as text


def _telecom(contact: Contact) -> Json:
    found: Json = {
        "extension": nested(
            "safe-contact",
            [
                *part("safe", "valueBoolean", value=True),
                *part("voicemail", "valueBoolean", contact.may_leave_voicemail),
                *part("text", "valueBoolean", contact.text is True),
                *part("times", "valueString", contact.times),
                *part("codeWord", "valueString", contact.code_word),
                *part("verifiedBy", "valueCode", contact.verified_by),
                *when("verifiedAt", contact.verified_at),
            ],
        ),
        "system": _SYSTEMS.get(contact.system, "other"),
        "value": contact.value,
    }
    if contact.system == "mobile":
        found["use"] = "mobile"
    return found


def _unsafe(contact: Contact) -> list[Json]:
    return [
        *part("warning", "valueString", "Unsafe: do not use"),
        *part("system", "valueCode", contact.system),
        *part("value", "valueString", contact.value),
        *part("statedSafe", "valueBoolean", contact.safe),
        *part("sharedWithSuspect", "valueBoolean", contact.shared_with_suspect),
    ]


def _communication(person: Person) -> list[Json]:
    if person.language is None:
        return []
    known = _TAG.fullmatch(person.language) is not None
    return [{"language": concept(LANGUAGE, person.language) if known else {"text": person.language}}]


def _practice(person: Person) -> list[Json]:
    practice = text(person.general_practice)
    if practice is None:
        return []
    if _ODS.fullmatch(practice):
        return [{"type": "Organization", "identifier": {"system": ODS, "value": practice}}]
    return [{"type": "Organization", "display": practice}]
