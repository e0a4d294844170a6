"""FHIR R4 (4.0.1, UK Core) as the NHS side reads it, and the changes to a Task that it sends back.

Pure: a minimised `Record` and its `Referral` in, bytes out; bytes in, a checked value out. It decides nothing, stores
nothing, opens no connection and knows no agreement. Profiles: UK Core R4 (domain.md section 2.3); base R4 where UK
Core has none. The FHIR models are loaded when first needed; `warm()` loads them at start-up.
"""

from adapters.nhs.fhir.batch import READS_MAX, Batch, Request, batch_of
from adapters.nhs.fhir.bundle import Answered, Receipt, batch_response, bundle
from adapters.nhs.fhir.canonical import CANONICAL, FHIR_VERSION, JSON_TYPE, XML_TYPE
from adapters.nhs.fhir.capability import capability_statement
from adapters.nhs.fhir.carried import TYPES, carries
from adapters.nhs.fhir.change import TaskChange, task_change
from adapters.nhs.fhir.condition import Condition, Link, Token, elements, identifier_kind, read_condition, reference_of
from adapters.nhs.fhir.dates import interval
from adapters.nhs.fhir.errors import FhirError, FhirRefused, FhirUnwritable
from adapters.nhs.fhir.feedback import VALUES, FeedbackIn
from adapters.nhs.fhir.ids import FLAG, feedback_part, resource_id, resource_ids, split_id
from adapters.nhs.fhir.instruments import (
    QUESTIONNAIRE_SEARCH,
    QUESTIONNAIRES,
    QUESTIONNAIRES_CHANGED,
    questionnaire,
)
from adapters.nhs.fhir.notice import NOTICE_TYPES, READER
from adapters.nhs.fhir.noticed import NOTICE_ID, as_sent, notice_answer
from adapters.nhs.fhir.outcome import Issue, operation_outcome
from adapters.nhs.fhir.parse import Parsed, parse, validated
from adapters.nhs.fhir.request import request_status
from adapters.nhs.fhir.search import (
    AUDIT_EVENT,
    EVERYTHING,
    INCLUDES,
    INTERACTIONS,
    OPERATIONS,
    PREFIXES,
    RESULT,
    REVINCLUDES,
    SEARCH,
    SHAPING,
    SORT,
    Parameter,
    chains,
)
from adapters.nhs.fhir.strict import LIMITS, Limits
from adapters.nhs.fhir.subset import SUMMARIES, Subset, is_element
from adapters.nhs.fhir.task import TASK_CODE
from adapters.nhs.fhir.ukcore import NhsNumber, ethnic_category_of, nhs_number_of, ods_code_of, remarks
from adapters.nhs.fhir.warm import warm
from adapters.nhs.fhir.write import write
from adapters.nhs.fhir.written import Written
from adapters.nhs.fhir.xml import to_xml

__all__ = [
    "AUDIT_EVENT",
    "CANONICAL",
    "EVERYTHING",
    "FHIR_VERSION",
    "FLAG",
    "INCLUDES",
    "INTERACTIONS",
    "JSON_TYPE",
    "LIMITS",
    "NOTICE_ID",
    "NOTICE_TYPES",
    "OPERATIONS",
    "PREFIXES",
    "QUESTIONNAIRES",
    "QUESTIONNAIRES_CHANGED",
    "QUESTIONNAIRE_SEARCH",
    "READER",
    "READS_MAX",
    "RESULT",
    "REVINCLUDES",
    "SEARCH",
    "SHAPING",
    "SORT",
    "SUMMARIES",
    "TASK_CODE",
    "TYPES",
    "VALUES",
    "XML_TYPE",
    "Answered",
    "Batch",
    "Condition",
    "FeedbackIn",
    "FhirError",
    "FhirRefused",
    "FhirUnwritable",
    "Issue",
    "Limits",
    "Link",
    "NhsNumber",
    "Parameter",
    "Parsed",
    "Receipt",
    "Request",
    "Subset",
    "TaskChange",
    "Token",
    "Written",
    "as_sent",
    "batch_of",
    "batch_response",
    "bundle",
    "capability_statement",
    "carries",
    "chains",
    "elements",
    "ethnic_category_of",
    "feedback_part",
    "identifier_kind",
    "interval",
    "is_element",
    "nhs_number_of",
    "notice_answer",
    "ods_code_of",
    "operation_outcome",
    "parse",
    "questionnaire",
    "read_condition",
    "reference_of",
    "remarks",
    "request_status",
    "resource_id",
    "resource_ids",
    "split_id",
    "task_change",
    "to_xml",
    "validated",
    "warm",
    "write",
]
