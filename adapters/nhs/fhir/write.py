"""Write a record as FHIR R4 resources: one function, a table of writers.

The record is already narrowed to one victim and minimised by the decision. What is there is written, nothing is
invented, and what is missing is absent. No agreement, storage or HTTP is known here (design.md sections 3 and 4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b
from types import MappingProxyType
from typing import Final

import orjson

from adapters.nhs.fhir.consent import write_consents, write_flag
from adapters.nhs.fhir.errors import FhirUnwritable
from adapters.nhs.fhir.models import Json, check
from adapters.nhs.fhir.patient import write_patients
from adapters.nhs.fhir.provenance import write_provenance
from adapters.nhs.fhir.request import write_request
from adapters.nhs.fhir.risk import write_answers, write_risks
from adapters.nhs.fhir.task import write_feedback, write_task
from adapters.nhs.fhir.written import Written
from mappings.record import Record
from mappings.referral import Referral

_WRITERS: Final[Mapping[str, Callable[[Record, Referral], Iterator[Json]]]] = MappingProxyType(
    {
        "Task": write_task,
        "ServiceRequest": write_request,
        "Patient": write_patients,
        "QuestionnaireResponse": write_answers,
        "RiskAssessment": write_risks,
        "Consent": write_consents,
        "Flag": write_flag,
        "Communication": write_feedback,
        "Provenance": write_provenance,
    }
)


def write(resource_type: str, record: Record, referral: Referral, base_url: str) -> tuple[Written, ...]:
    """The resources of one type that a minimised record and its referral become, in a stable order.

    `base_url` is the FHIR base (`https://host/fhir/R4`, no slash at the end). A type that a referral is not written as
    gives none. Raises `FhirUnwritable` where a resource would not be valid FHIR.
    """
    writer = _WRITERS.get(resource_type)
    return () if writer is None else tuple(_written(one, referral, base_url) for one in writer(record, referral))


def _written(resource: Json, referral: Referral, base_url: str) -> Written:
    check(resource)
    type_, id_ = resource["resourceType"], resource["id"]
    try:
        # What is shown at one version differs from recipient to recipient, and with the agreement in force; a reader
        # that asks whether its copy still is what it would be given needs a version of what it was shown.
        shown = blake2b(orjson.dumps(resource), digest_size=4).hexdigest()
        tag = resource["meta"]["versionId"] = f"{referral.version}-{shown}"
        body = orjson.dumps(resource)
    except orjson.JSONEncodeError:
        raise FhirUnwritable(type_, "(resource)", "text that is not Unicode") from None
    return Written(type_, id_, referral.version, referral.updated_at, body, f"{base_url}/{type_}/{id_}", tag)
