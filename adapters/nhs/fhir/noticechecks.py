"""What of each type a notice reads, and what keeps it from being read: a person reads it then.

What says that it means something else (`modifierExtension`, `implicitRules`, `doNotPerform`) counts wherever in what is
read it stands; on what is only counted, or stays with the hospital, it changes nothing.

Source: FHIR R4 extensibility, section 2.4.1.1; MessageHeader.response.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from adapters.nhs.fhir.models import Json
from adapters.nhs.fhir.modifiers import modified
from adapters.nhs.fhir.noticeparts import concepts, is_suspect, snomed_codes
from adapters.socket import Fault, Problem, Unreadable
from mappings.concerns import concern_of

ENVELOPE: Final = frozenset({"resourceType", "id", "meta", "implicitRules", "language", "text"})
READ: Final[Mapping[str, frozenset[str]]] = {
    "Patient": frozenset(
        {"identifier", "name", "birthDate", "gender", "deceasedBoolean", "deceasedDateTime", "telecom", "address"}
        | {"communication", "generalPractitioner", "active"}
    ),
    "RelatedPerson": frozenset(
        {"identifier", "name", "birthDate", "gender", "telecom", "address", "communication", "active"}
    ),
    "ServiceRequest": frozenset(
        {"identifier", "status", "intent", "contained", "subject", "authoredOn", "occurrenceDateTime", "note"}
        | {"occurrencePeriod", "locationCode", "reasonCode", "code", "supportingInfo"}
    ),
    "Flag": frozenset({"identifier", "status", "contained", "subject", "period", "code"}),
    "Condition": frozenset({"subject", "code", "note"}),
    "Observation": frozenset(
        {"status", "subject", "code", "valueCodeableConcept", "valueQuantity", "valueString", "note"}
    ),
    "Consent": frozenset(
        {"extension", "status", "scope", "category", "policyRule", "patient", "dateTime", "provision"}
    ),
    "RiskAssessment": frozenset({"status", "subject", "method", "prediction", "occurrenceDateTime"}),
}
"""The elements of each type that are read, or that say only what kind of thing it is."""


def check_header(resource: Json) -> None:
    """Raise `Unreadable` where a message does not begin with its header, or answers another: that is no notice."""
    if resource["resourceType"] != "MessageHeader":
        raise Unreadable(Problem("Bundle.entry[0].resource", Fault.WRONG_TYPE))
    if "response" in resource:
        raise Unreadable(Problem("Bundle.entry[0].resource.response", Fault.NOT_READABLE))


def check_plain(path: str, resource: Json) -> None:
    """Raise `Unreadable` where a resource, or what of it is read, may mean something else than it says."""
    for place in modified(resource, path, READ.get(resource.get("resourceType", ""))):
        raise Unreadable(Problem(place, Fault.NOT_READABLE))
    if resource.get("doNotPerform") is True:
        raise Unreadable(Problem(f"{path}.doNotPerform", Fault.NOT_READABLE))


def says_concern(resource: Json) -> bool:
    """Whether a resource says a concern of the list."""
    return any(concern_of(code) is not None for one in concepts(resource) for code in snomed_codes(one))


def says_what(resource: Json) -> bool:
    """Whether a resource says that there is a notice, about whom, of what, or with what leave.

    The other clinical facts go nowhere, whatever they mean.
    """
    return resource["resourceType"] in _SAY or is_suspect(resource) or says_concern(resource)


_SAY: Final = frozenset(
    {"MessageHeader", "ServiceRequest", "Flag", "Patient", "RelatedPerson", "Consent", "RiskAssessment"}
)
"""What says that there is a notice, about whom, and with what leave: clinical facts go nowhere, whatever they mean."""
