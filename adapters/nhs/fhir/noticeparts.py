"""The pieces of a notice's Bundle in plain names: coded words, people, addresses, consent, risk.

Each takes what was sent, structurally valid R4, and gives what a profile reads; what is not there is left out. System
addresses are compared without regard to case (domain.md section 2.2). Which resource is which is for `notice.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

from adapters.nhs.fhir.canonical import CONFIDENTIALITY, SNOMED, code_system, extension_url
from adapters.nhs.fhir.models import Json
from adapters.nhs.fhir.standing import current, denies, limited, over
from mappings.tree import Value

_ADULT_YEARS: Final = 18
_RESTRICTED: Final = frozenset({"r", "v"})  # v3-Confidentiality: restricted, very restricted


def concepts(resource: Json) -> Iterator[Json]:
    """The coded words by which a resource says what is the matter."""
    if resource["resourceType"] not in _SAYS:
        return
    for name in ("code", "valueCodeableConcept"):
        if isinstance(resource.get(name), dict):
            yield resource[name]
    yield from resource.get("reasonCode", ())


_SAYS: Final = frozenset({"ServiceRequest", "Flag", "Condition", "Observation"})


def snomed_codes(concept: Json) -> Iterator[str]:
    """The SNOMED CT codes of a coded word."""
    for coding in concept.get("coding", ()):
        if is_system(coding.get("system"), SNOMED) and isinstance(coding.get("code"), str):
            yield coding["code"]


def words(concept: Json) -> list[str]:
    """What a CodeableConcept says, in words where it has any: its codings, else its text."""
    found = [one.get("display") or one.get("code") for one in concept.get("coding", ())]
    said = [one for one in found if isinstance(one, str) and one.strip()]
    text = concept.get("text")
    return said or ([text] if isinstance(text, str) and text.strip() else [])


def person_name(names: Any) -> dict[str, Value]:  # noqa: ANN401 - what was sent
    """The usual name, the official one, or the first; an old one only where there is no other."""
    order = {"usual": 0, "official": 1, "old": 3}
    for one in sorted(names, key=lambda name: order.get(name.get("use", ""), 2)):
        return {
            "family": one.get("family"),
            "given": list(one.get("given", ())),
            "prefix": first(*one.get("prefix", ())),
        }
    return {}


CHANNELS: Final[Mapping[str, str]] = {"phone": "phone", "sms": "phone", "email": "email"}
"""The systems of a ContactPoint that somebody is reached by, as a profile calls them."""


def places(resource: Json, on: date | None) -> dict[str, Value]:
    """Addresses and telecoms in use on a day, by what they are. A restricted patient's are safe: nobody is told."""
    hidden = any(_restricts(one) for one in resource.get("meta", {}).get("security", ()))
    found: dict[str, list[Value]] = {}
    for one in current(resource.get("address", ()), on):
        use = "safe" if hidden else {"home": "home", "work": "work", "": "home"}.get(one.get("use", ""), "other")
        lines: list[Value] = list(one.get("line", ()))
        found.setdefault(use, []).append({"line": lines, "city": one.get("city"), "postcode": one.get("postalCode")})
    for one in current(resource.get("telecom", ()), on):
        if system := CHANNELS.get(one.get("system", "")):
            found.setdefault(system, []).append({"value": one.get("value")})
    return dict(found)


def _restricts(label: Json) -> bool:
    """Whether a security label hides where somebody is; one that names no system is taken at its word."""
    system, code = label.get("system"), label.get("code")
    return (system is None or is_system(system, CONFIDENTIALITY)) and str(code).casefold() in _RESTRICTED


def suspect(basic: Json) -> dict[str, Value]:
    """The suspect that a contained Basic of ours describes."""
    said = {one.get("url"): one for one in basic.get("extension", ())}
    name = said.get(extension_url("person-name"), {}).get("valueHumanName")
    return {
        **person_name([name] if isinstance(name, dict) else ()),
        "birth": said.get(extension_url("person-birth-date"), {}).get("valueDate"),
        "gender": said.get(extension_url("person-sex"), {}).get("valueCode"),
    }


def is_suspect(resource: Json) -> bool:
    """Whether a contained resource describes the suspect."""
    codings = resource.get("code", {}).get("coding", ()) if resource["resourceType"] == "Basic" else ()
    return any(is_system(one.get("system"), code_system("person")) and one.get("code") == "suspect" for one in codings)


def consent(resource: Json, on: date | None) -> dict[str, Value]:
    """What a Consent says on a day: its exact state where it is one of ours, else FHIR's coarser one.

    Where the two disagree, consent is not given: not by a Consent that is inactive, rejected or a draft, that forbids
    anything, or that holds for another time, or for somebody or something that nobody here reads.
    """
    status, provision = resource.get("status"), resource.get("provision")
    coarse = _STATES.get(str(status), _NOBODYS)
    if coarse == _GIVEN:
        narrow = over(provision, on) or limited(provision)
        coarse = "refused" if denies(provision) else _NOBODYS if narrow else coarse
    exact = _extensions(resource, "consent-state", "valueCode")
    cautious = next((one for one in exact if str(one).casefold() != _GIVEN), None)
    suspect_present = _extensions(resource, "consent-suspect-present", "valueBoolean")
    return {
        "state": cautious or coarse,
        "at": resource.get("dateTime"),
        "suspect_present": any(suspect_present) if suspect_present else None,
    }


def _extensions(resource: Json, name: str, value: str) -> list[Any]:
    """The values of an extension, which may be there twice although it may not."""
    url = extension_url(name)
    return [one[value] for one in resource.get("extension", ()) if one.get("url") == url and value in one]


_GIVEN: Final = "given"
_NOBODYS: Final = "not-asked"
_STATES: Final[Mapping[str, str]] = {"active": _GIVEN, "rejected": "refused", "inactive": "withdrawn"}
"""R4 Consent.status in our words; anything else is consent that nobody has yet."""


def risk(resource: Json) -> dict[str, Value]:
    """The grade of a RiskAssessment, by which instrument, when."""
    predictions = resource.get("prediction", ())
    grades = [text for one in predictions for text in codes(one.get("qualitativeRisk", {}))]
    return {
        "grade": first(*grades),
        "instrument": first(*codes(resource.get("method", {}))),
        "at": resource.get("occurrenceDateTime"),
    }


def codes(concept: Json) -> list[str]:
    """The codes of a coded word, of whatever system."""
    return [one["code"] for one in concept.get("coding", ()) if isinstance(one.get("code"), str)]


def is_child(person: Json, on: date | None) -> bool:
    """Whether a Patient was under 18 on a day; not where nobody says."""
    born = day_of(person.get("birthDate"))
    if born is None or on is None:
        return False
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day)) < _ADULT_YEARS


def day_of(value: Any) -> date | None:  # noqa: ANN401 - what was sent
    """The day of a FHIR date or instant; None where it is no whole day."""
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


def is_system(system: Any, known: str) -> bool:  # noqa: ANN401 - what was sent
    """Whether a system is a known one; addresses are compared without regard to case (domain.md section 2.2)."""
    return isinstance(system, str) and system.casefold() == known.casefold()


def first(*values: Any) -> str | None:  # noqa: ANN401 - what was sent
    """The first text that says something."""
    return next((value for value in values if isinstance(value, str) and value.strip()), None)
