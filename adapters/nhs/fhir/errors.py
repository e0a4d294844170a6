"""What can go wrong at the FHIR edge.

    FhirError
    ├── FhirRefused      what was sent cannot be taken: a status, an issue code, where, and why
    └── FhirUnwritable   what was to be sent is not valid FHIR: nothing is emitted

Neither carries a value of what was read or written, only element paths (P7). Issue codes: R4 `IssueType`.
"""

from __future__ import annotations


class FhirError(Exception):
    """Anything this room raises."""


class FhirRefused(FhirError):
    """Input that is not taken. `status` is the HTTP status to answer, `expression` the FHIRPath of the element."""

    def __init__(self, status: int, issue_code: str, expression: str | None, diagnostics: str) -> None:
        where = f"{expression}: " if expression else ""
        super().__init__(f"{where}{diagnostics} ({issue_code})")
        self.status = status
        self.issue_code = issue_code
        self.expression = expression
        self.diagnostics = diagnostics


class FhirUnwritable(FhirError):
    """A resource of ours that is not valid FHIR. `path` is the element, never its content."""

    def __init__(self, resource_type: str, path: str, reason: str) -> None:
        super().__init__(f"{resource_type}: {path}: {reason}")
        self.resource_type = resource_type
        self.path = path
        self.reason = reason
