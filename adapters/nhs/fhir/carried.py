"""Which data items each resource type can carry.

The gateway narrows a decision to these before it minimises, so that a sealed entry names exactly what can leave in
that response. A test holds each writer to its row. Feedback is no row here: it is the team's own word, kept with the
referral, and reading it back discloses nothing (design.md section 9).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_PATIENT = (
    "listed",
    "name",
    "birth",
    "sex",
    "ethnicity",
    "nhs_number",
    "general_practice",
    "contact",
    "safe_contact",
    "home_address",
    "safe_address",
    "work_address",
    "other_address",
    "needs",
    "school",
    "presence",
)
_SUSPECT = (
    "listed",
    "name",
    "birth",
    "sex",
    "description",
    "occupation",
    "home_address",
    "work_address",
    "other_address",
    "presence",
)
_ASSESSMENT = frozenset({"victim.listed", "child.listed", "risk.assessment", "risk.grade", "risk.count"})
_ANSWERS = frozenset({"risk.answers", "risk.answers.victim_health", "risk.answers.suspect_background"})

_CARRIED: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "Task": frozenset(
            {
                "event.kind",
                "event.area",
                "event.times",
                "event.source",
                "risk.grade",
                "risk.count",
                "risk.assessment",
                "police.custody",
                "victim.listed",
            }
        ),
        "ServiceRequest": frozenset(
            {
                "event.kind",
                "event.source",
                "event.references",
                "event.times",
                "event.area",
                "event.type",
                "event.location",
                "police.marking",
                "police.officer",
                "police.safety_warnings",
                "police.outcome",
                "police.custody",
                "marac.criteria",
                "history.repeats",
                "people.relationships",
                "risk.assessment",
                "consent.state",
                "orders",
                "statement.summary",
                "victim.listed",
                "child.listed",
                *(f"suspect.{item}" for item in _SUSPECT),
            }
        ),
        "Patient": frozenset(f"{role}.{item}" for role in ("victim", "child") for item in _PATIENT)
        | {"encompass.status", "people.relationships"},
        "QuestionnaireResponse": _ASSESSMENT | _ANSWERS,
        "RiskAssessment": _ASSESSMENT,
        "Consent": frozenset({"consent.state", "consent.reason", "victim.listed", "child.listed"}),
        "Flag": frozenset({"victim.listed", "event.source"}),
        "Communication": frozenset({"victim.listed"}),
        "Provenance": frozenset({"event.source", "victim.listed", "child.listed"}),
    }
)

TYPES: Final[tuple[str, ...]] = tuple(_CARRIED)
"""The resource types that a referral is written as."""


def carries(resource_type: str) -> frozenset[str]:
    """The catalogue items that a resource type can carry; empty for a type we do not write."""
    return _CARRIED.get(resource_type, frozenset())
