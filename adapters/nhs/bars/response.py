"""What a servicerequest-response makes of the referral it answers, as the change a team would make to its Task.

The status of the ServiceRequest in focus says it (`mappings/nhs/bars/words.toml`); a reason code goes with a rejection,
free text with nothing. Whether the change may follow is for the referral's state machine.

Source: domain.md sections 2.5, 4.2.
"""

from __future__ import annotations

from typing import Final

from adapters.nhs.bars.errors import BarsRefused
from adapters.nhs.bars.message import Message
from adapters.nhs.bars.words import Fault, words
from adapters.nhs.fhir import FhirRefused, TaskChange
from adapters.nhs.fhir.reading import coded


def response_change(message: Message) -> TaskChange:
    """The change that a response asks for. Raises BarsRefused."""
    if message.code != "ok":
        raise BarsRefused(
            Fault.WORKFLOW_UNKNOWN, "only an ok is a response to a referral", "MessageHeader.response.code"
        )
    status = words().response.get(str(message.request.get("status")))
    if status is None:
        raise BarsRefused(Fault.VALUE_WRONG, "a status that answers no referral", "ServiceRequest.status")
    return TaskChange(status=status, state=None, feedback=(), reason=_reason(message))


def _reason(message: Message) -> str | None:
    found = message.request.get("extension", ())
    reasons = [one["valueCodeableConcept"] for one in found if one.get("url") == STATUS_REASON and _VALUE in one]
    if not reasons:
        return None
    try:
        return coded(reasons[0], "ServiceRequest.extension.valueCodeableConcept")
    except FhirRefused as refused:
        raise BarsRefused(Fault.VALUE_WRONG, refused.diagnostics, refused.expression) from None


STATUS_REASON: Final = "http://hl7.org/fhir/StructureDefinition/request-statusReason"
"""The standard extension for why a request has its status (FHIR R4)."""
_VALUE: Final = "valueCodeableConcept"
