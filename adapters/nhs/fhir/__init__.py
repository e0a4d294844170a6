"""FHIR R4 (4.0.1, UK Core) as the NHS side reads it, and the changes to a Task that it sends back.

Pure: a minimised `Record` and its `Referral` in, bytes out; bytes in, a checked value out. It decides nothing, stores
nothing, opens no connection and knows no agreement. Profiles: UK Core R4 (domain.md section 2.3); base R4 where UK
Core has none. The FHIR models are loaded when first needed; `warm()` loads them at start-up.
"""

from adapters.nhs.fhir.bundle import Receipt, bundle
from adapters.nhs.fhir.canonical import CANONICAL, FHIR_VERSION, JSON_TYPE
from adapters.nhs.fhir.capability import capability_statement
from adapters.nhs.fhir.carried import TYPES, carries
from adapters.nhs.fhir.change import TaskChange, task_change
from adapters.nhs.fhir.errors import FhirError, FhirRefused, FhirUnwritable
from adapters.nhs.fhir.feedback import VALUES, FeedbackIn
from adapters.nhs.fhir.ids import FLAG, feedback_part, resource_id, resource_ids, split_id
from adapters.nhs.fhir.outcome import Issue, operation_outcome
from adapters.nhs.fhir.parse import Parsed, parse, validated
from adapters.nhs.fhir.request import request_status
from adapters.nhs.fhir.search import AUDIT_EVENT, INCLUDES, INTERACTIONS, RESULT, SEARCH
from adapters.nhs.fhir.strict import LIMITS, Limits
from adapters.nhs.fhir.task import TASK_CODE
from adapters.nhs.fhir.warm import warm
from adapters.nhs.fhir.write import write
from adapters.nhs.fhir.written import Written

__all__ = [
    "AUDIT_EVENT",
    "CANONICAL",
    "FHIR_VERSION",
    "FLAG",
    "INCLUDES",
    "INTERACTIONS",
    "JSON_TYPE",
    "LIMITS",
    "RESULT",
    "SEARCH",
    "TASK_CODE",
    "TYPES",
    "VALUES",
    "FeedbackIn",
    "FhirError",
    "FhirRefused",
    "FhirUnwritable",
    "Issue",
    "Limits",
    "Parsed",
    "Receipt",
    "TaskChange",
    "Written",
    "bundle",
    "capability_statement",
    "carries",
    "feedback_part",
    "operation_outcome",
    "parse",
    "request_status",
    "resource_id",
    "resource_ids",
    "split_id",
    "task_change",
    "validated",
    "warm",
    "write",
]
