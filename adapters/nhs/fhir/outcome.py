"""OperationOutcome: what a client is told when something is refused. It holds codes and paths, never a value (P7)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import orjson

from adapters.nhs.fhir.errors import FhirRefused
from adapters.nhs.fhir.models import Json, check


@dataclass(frozen=True, slots=True)
class Issue:
    """One issue: R4 IssueSeverity, R4 IssueType, words for a person, the FHIRPath of the element if any."""

    severity: Literal["fatal", "error", "warning", "information"]
    code: str
    diagnostics: str
    expression: str | None = None

    @classmethod
    def of(cls, refused: FhirRefused) -> Issue:
        """The issue that a refusal is."""
        return cls("error", refused.issue_code, refused.diagnostics, refused.expression)


def operation_outcome(issues: Iterable[Issue]) -> bytes:
    """An OperationOutcome of at least one issue; raises `FhirUnwritable` for none."""
    outcome: Json = {"resourceType": "OperationOutcome", "issue": [_issue(issue) for issue in issues]}
    check(outcome)
    return orjson.dumps(outcome)


def _issue(issue: Issue) -> Json:
    found: Json = {"severity": issue.severity, "code": issue.code, "diagnostics": issue.diagnostics}
    if issue.expression is not None:
        found["expression"] = [issue.expression]
    return found
