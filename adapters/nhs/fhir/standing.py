"""Whether what a FHIR resource says still stands: not entered in error, not over, not about something else.

FHIR says some of this beside the words themselves, in elements that turn their meaning round (`isModifier`): a
status, a verification, a use, a scope, a period. Whoever reads the words without them takes a refuted finding for a
fact, a telephone somebody else has by now for hers, and leave that has run out for leave. What is meant is for others.

Source: FHIR R4 2.4.1.1 (modifier elements), Consent, RiskAssessment, Condition, Observation, Flag, Period.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, Final

from adapters.nhs.fhir.models import Json

_VOID: Final[Mapping[str, frozenset[str]]] = {
    "Consent": frozenset({"entered-in-error"}),
    "RiskAssessment": frozenset({"entered-in-error", "cancelled"}),
    "Observation": frozenset({"entered-in-error", "cancelled"}),
    "Flag": frozenset({"entered-in-error", "inactive"}),
    "Communication": frozenset({"entered-in-error", "not-done"}),
}
_NO: Final = frozenset(
    {"373067005", "260385009", "2667000", "410516002", "261665006", "n", "no", "unk", "asku", "neg", "not-asked"}
)
"""SNOMED CT no, negative, absent, known absent, unknown; tables 0136 and NullFlavor: what is no yes to a question."""
_NOT_SO: Final = frozenset({"refuted", "entered-in-error"})
_OTHER_SCOPES: Final = frozenset({"adr", "research", "treatment"})
"""Scopes of consent that are no leave to share, and no refusal of it."""


def stands(resource: Json) -> bool:
    """Whether a resource that comes with a notice says anything: not where it was an error, refuted, or cancelled."""
    if resource.get("status") in _VOID.get(resource["resourceType"], ()):
        return False
    if resource["resourceType"] in _PEOPLE and (resource.get("active") is False or _replaced(resource)):
        return False
    scopes = set(_codes(resource.get("scope")))
    if resource["resourceType"] == "Consent" and scopes and scopes <= _OTHER_SCOPES:
        return False
    return not _NOT_SO.intersection(_codes(resource.get("verificationStatus")))


def answers_no(resource: Json) -> bool:
    """Whether an Observation is a question that was answered with no, or not at all."""
    if resource["resourceType"] != "Observation":
        return False
    said = resource.get("valueCodeableConcept", {})
    words = {str(resource.get("valueString", "")).strip().casefold(), str(said.get("text", "")).strip().casefold()}
    unsaid = "dataAbsentReason" in resource and not any(name.startswith("value") for name in resource)
    return unsaid or resource.get("valueBoolean") is False or not _NO.isdisjoint((*_codes(said), *words))


def current(parts: Iterable[Json], on: date | None) -> list[Json]:
    """The names, addresses, telecoms or identifiers that are in use on a day: none that is old or has ended."""
    return [one for one in parts if one.get("use") != "old" and within(one.get("period"), on)]


def within(period: Any, on: date | None) -> bool:  # noqa: ANN401 - what was sent
    """Whether a day lies in a Period, its last day included; of a day nobody knows, whether the period has no end."""
    if not isinstance(period, dict):
        return True
    if on is None:
        return "end" not in period
    day = on.isoformat()
    start, end = str(period.get("start", ""))[:10], str(period.get("end", ""))[:10]
    return start[: len(day)] <= day[: len(start)] and day[: len(end)] <= end


def denies(provision: Any) -> bool:  # noqa: ANN401 - what was sent
    """Whether a Consent's provision forbids anything, at any depth: leave with exceptions nobody reads is no leave."""
    return any(one.get("type", "permit") != "permit" for one in _provisions(provision))


def limited(provision: Any) -> bool:  # noqa: ANN401 - what was sent
    """Whether a Consent's provision permits this to somebody, or for something: nobody here reads to whom or what."""
    return any(not _LIMITS.isdisjoint(one) for one in _provisions(provision))


def over(provision: Any, on: date | None) -> bool:  # noqa: ANN401 - what was sent
    """Whether a Consent's provision holds for another time than a day."""
    return any(not within(one.get("period"), on) for one in _provisions(provision))


def _provisions(provision: Any) -> Iterator[Json]:  # noqa: ANN401 - what was sent
    if isinstance(provision, dict):
        yield provision
        for one in provision.get("provision", ()):
            yield from _provisions(one)


_LIMITS: Final = frozenset({"actor", "action", "purpose", "class", "code", "data", "dataPeriod", "securityLabel"})
_PEOPLE: Final = frozenset({"Patient", "RelatedPerson"})


def _replaced(person: Json) -> bool:
    """Whether a Patient's record was merged into another one, and is not to be used."""
    links = person.get("link", ()) if person["resourceType"] == "Patient" else ()
    return any(one.get("type") == "replaced-by" for one in links)


def _codes(concept: Any) -> Iterator[str]:  # noqa: ANN401 - what was sent
    for coding in concept.get("coding", ()) if isinstance(concept, dict) else ():
        if isinstance(coding.get("code"), str):
            yield coding["code"].casefold()
