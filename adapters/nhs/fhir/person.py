"""What is said of any person in the same way: names, sex, birth, addresses."""

from __future__ import annotations

from typing import Final

from adapters.nhs.fhir.canonical import ADDRESS_KEY, ADDRESS_KEYS, DATA_ABSENT
from adapters.nhs.fhir.elements import concept, extension, nested, part, text
from adapters.nhs.fhir.models import Json
from mappings.record import Address, AddressUse, Birth, Name

SEX: Final = {"female": "female", "f": "female", "male": "male", "m": "male", "other": "other", "unknown": "unknown"}
"""R4 AdministrativeGender for the codes of sex that say it; any other code is left out."""

_NAME_USES: Final = frozenset({"usual", "official", "temp", "nickname", "anonymous", "old", "maiden"})
_ADDRESS_USES: Final = {AddressUse.HOME: "home", AddressUse.SAFE: "temp", AddressUse.WORK: "work"}


def human_name(name: Name) -> list[Json]:
    """A HumanName as a list of none or one."""
    found: Json = {}
    if family := text(name.family):
        found["family"] = family
    if given := [one for one in name.given if text(one)]:
        found["given"] = given
    if prefix := text(name.prefix):
        found["prefix"] = [prefix]
    if found and name.use in _NAME_USES:
        found["use"] = name.use
    return [found] if found else []


def address(one: Address) -> list[Json]:
    """An Address as a list of none or one. A safe address says that it is, so that nobody takes it for a home."""
    found: Json = {}
    if lines := [line for line in one.lines if text(line)]:
        found["line"] = lines
    for name, value in (("city", one.town), ("district", one.district), ("postalCode", one.postcode)):
        if words := text(value):
            found[name] = words
    keys = [extension("lsoa", valueString=one.lsoa)] if text(one.lsoa) else []
    if text(one.uprn):
        type_ = concept(ADDRESS_KEYS, "UPRN")
        keys.append(
            {
                "url": ADDRESS_KEY,
                "extension": [
                    {"url": "type", "valueCodeableConcept": type_},
                    {"url": "value", "valueString": one.uprn},
                ],
            }
        )
    if not (found or keys):
        return []
    if one.use in _ADDRESS_USES:
        found["use"] = _ADDRESS_USES[one.use]
    if one.use is AddressUse.SAFE:
        keys.insert(0, extension("safe-address", valueBoolean=True))
    return [found | ({"extension": keys} if keys else {})]


def birth_date(birth: Birth) -> str | None:
    """The date of birth, or the year where only that is known (R4 `date`)."""
    if birth.on is not None:
        return birth.on.isoformat()
    return None if birth.year is None else f"{birth.year:04d}"


def age_details(birth: Birth) -> list[Json]:
    """The parts of the `age` extension: what is known of an age where there is no date."""
    return [
        *part("years", "valueInteger", birth.age),
        *part("from", "valueInteger", birth.age_from),
        *part("to", "valueInteger", birth.age_to),
        *part("band", "valueCode", birth.age_band),
    ]


def birth_elements(birth: Birth | None) -> Json:
    """The elements `birthDate` and `_birthDate` of a Patient: a date that is not known is said to be so."""
    if birth is None:
        return {}
    day = birth_date(birth)
    beside = nested("age", age_details(birth))
    if day is None:
        beside = [{"url": DATA_ABSENT, "valueCode": "unknown"}, *beside]
    found: Json = {} if day is None else {"birthDate": day}
    return found | ({"_birthDate": {"extension": beside}} if beside else {})
