"""How each resource type can be searched: one table, served by the gateway and declared by the CapabilityStatement.

Kinds are FHIR R4 SearchParamType codes. The names are R4 search parameters of the type, and mean what R4 says.
`_count` (`RESULT`) and `_include` (`INCLUDES`) shape a result and select nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_COMMON: Final = {"_id": "token", "_lastUpdated": "date"}

SEARCH: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "Task": MappingProxyType(
            _COMMON
            | {
                "status": "token",
                "business-status": "token",
                "priority": "token",
                "code": "token",
                "patient": "reference",
            }
        ),
        "ServiceRequest": MappingProxyType(
            _COMMON | {"status": "token", "priority": "token", "subject": "reference", "patient": "reference"}
        ),
        "Patient": MappingProxyType(_COMMON),
        "QuestionnaireResponse": MappingProxyType(_COMMON | {"subject": "reference", "patient": "reference"}),
        "RiskAssessment": MappingProxyType(_COMMON | {"subject": "reference", "patient": "reference"}),
        "Consent": MappingProxyType(_COMMON | {"patient": "reference"}),
        "Flag": MappingProxyType(_COMMON | {"subject": "reference", "patient": "reference"}),
        "Communication": MappingProxyType(_COMMON | {"subject": "reference", "patient": "reference"}),
    }
)
"""Search parameters by resource type, with their kind."""

AUDIT_EVENT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "_id": "token",
        "date": "date",
        "agent": "reference",
        "patient": "reference",
        "entity": "reference",
        "action": "token",
        "outcome": "token",
        "policy": "uri",
        "type": "token",
        "subtype": "token",
        "_total": "special",
    }
)
"""Search parameters of AuditEvent, which is read from the log by auditors and not from a record by a team."""

RESULT: Final[Mapping[str, str]] = MappingProxyType({"_count": "number"})
"""What shapes a result of any type without selecting: the size of a page."""

INCLUDES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "Task": ("Task:focus", "Task:patient"),
        "ServiceRequest": ("ServiceRequest:subject", "ServiceRequest:patient"),
        "Patient": (),
        "QuestionnaireResponse": ("QuestionnaireResponse:subject",),
        "RiskAssessment": ("RiskAssessment:subject",),
        "Consent": ("Consent:patient",),
        "Flag": ("Flag:subject",),
        "Communication": ("Communication:subject",),
    }
)
"""The `_include` values served, by the type searched."""

INTERACTIONS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {type_: ("read", "search-type", *(("update", "patch") if type_ == "Task" else ())) for type_ in SEARCH}
)
"""The REST interactions served, by resource type: only a Task can be changed."""
