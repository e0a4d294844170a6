"""The ids of resources: a referral's id, and after a full stop the part of the record it is about.

Ids are opaque to clients and hold nothing but the gateway's own references, so a URL never names a person (P7).
FHIR R4 `id`: 1 to 64 of letters, digits, `-` and `.`. An id that does not parse is simply nobody's (P8).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from adapters.nhs.fhir.errors import FhirUnwritable
from mappings.record import Record, Role
from mappings.referral import Referral

FLAG: Final = "flag"
"""The part of the one Flag of a referral."""

MAPPING: Final = "mapping"
"""The part of the one Provenance of a referral."""

_MAX = 64  # FHIR R4 id
_ID = re.compile(r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?:\.([a-z0-9][a-z0-9-]*))?")


def resource_id(referral_id: str, part: str | None = None) -> str:
    """The id of a resource of a referral; raises `FhirUnwritable` where a part makes it longer than FHIR allows."""
    whole = referral_id if part is None else f"{referral_id}.{part}"
    if len(whole) > _MAX:
        raise FhirUnwritable("Resource", "id", f"longer than {_MAX} characters")
    return whole


def resource_ids(resource_type: str, record: Record, referral: Referral) -> tuple[str, ...]:
    """The ids of what `write` makes of a record for one type, in its order, without writing it."""
    parts: Iterable[str | None] = ()
    match resource_type:
        case "Task" | "ServiceRequest":
            parts = (None,)
        case "Patient":
            parts = (p.ref for p in (*record.of_role(Role.VICTIM), *record.of_role(Role.CHILD)))
        case "QuestionnaireResponse" | "RiskAssessment":
            parts = (one.ref for one in record.assessments)
        case "Consent":
            parts = (one.ref for one in record.consents)
        case "Flag":
            parts = (FLAG,)
        case "Provenance":
            parts = (MAPPING,)
        case "Communication":
            parts = (feedback_part(number) for number in range(1, len(referral.feedback) + 1))
    return tuple(resource_id(referral.id, part) for part in parts)


def feedback_part(number: int) -> str:
    """The part of the Communication that holds the n-th feedback of a referral, counted from 1."""
    return f"feedback-{number}"


def split_id(id_: str) -> tuple[str, str | None] | None:
    """The referral's id and the part of a resource id, or None where it is not one of ours."""
    match = _ID.fullmatch(id_) if len(id_) <= _MAX else None
    return (match[1], match[2]) if match else None
