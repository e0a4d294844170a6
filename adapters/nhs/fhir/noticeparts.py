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
from mappings.tree import Value

_ADULT_YEARS: Final = 18
_RESTRICTED: Final = frozenset({"R", "V"})  # v3-Confidentiality: restricted, very restricted


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
    """The usual name, the official one, or the first."""
    order = {"usual": 0, "official": 1}
    for one in sorted(names, key=lambda name: order.get(name.get("use", ""), 2)):
        return {
            "family": one.get("family"),
            "given": list(one.get("given", ())),
            "prefix": first(*one.get("prefix", ())),
        }
    return {}


def places(resource: Json) -> dict[str, Value]:
    """Addresses and telecoms by what they are. A restricted patient's are safe ones: nobody is told of them."""
    security = resource.get("meta", {}).get("security", ())
    hidden = any(is_system(one.get("system"), CONFIDENTIALITY) and one.get("code") in _RESTRICTED for one in security)
    found: dict[str, list[Value]] = {}
    for one in resource.get("address", ()):
        use = "safe" if hidden else {"home": "home", "work": "work", None: "home"}.get(one.get("use"), "other")
        lines: list[Value] = list(one.get("line", ()))
        found.setdefault(use, []).append({"line": lines, "city": one.get("city"), "postcode": one.get("postalCode")})
    for one in resource.get("telecom", ()):
        system = {"phone": "phone", "sms": "phone", "email": "email"}.get(one.get("system"))
        if system:
            found.setdefault(system, []).append({"value": one.get("value")})
    return dict(found)


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


def consent(resource: Json) -> dict[str, Value]:
    """What a Consent says: its exact state where it is one of ours, else FHIR's coarser one."""
    said = {one.get("url"): one for one in resource.get("extension", ())}
    exact = said.get(extension_url("consent-state"), {}).get("valueCode")
    permits = resource.get("provision", {}).get("type", "permit") == "permit"
    status = resource.get("status")
    coarse = _STATES.get(status if isinstance(status, str) else "", "not-asked")
    return {
        "state": exact or ("refused" if coarse == "given" and not permits else coarse),
        "at": resource.get("dateTime"),
        "suspect_present": said.get(extension_url("consent-suspect-present"), {}).get("valueBoolean"),
    }


_STATES: Final[Mapping[str, str]] = {"active": "given", "rejected": "refused", "inactive": "withdrawn"}
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
