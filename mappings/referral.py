"""The referral as both sides speak of it: where it stands, and the codes for that.

A `Referral` is the offer of one victim's record to one service team. It carries no identity: routing, grade, clocks
and state only, so that a worklist can be shown before anybody opens a record. Which change may follow which is the
gateway's business (`gateway/casework`).

Source: domain.md sections 4.1 (clocks), 4.2 (states), 4.3 (feedback).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mappings.record import Feedback, Grade


class ReferralStatus(StrEnum):
    """Where the referral stands as a task: the FHIR R4 TaskStatus codes in use (domain.md section 4.2)."""

    REQUESTED = "requested"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    FAILED = "failed"
    ENTERED_IN_ERROR = "entered-in-error"


class ReferralState(StrEnum):
    """Where the work with the victim stands (domain.md section 4.2)."""

    OFFERED = "offered"
    ACKNOWLEDGED = "acknowledged"
    CONTACTING = "contacting"
    ENGAGED = "engaged"
    DECLINED = "declined"
    UNABLE_TO_CONTACT = "unable-to-contact"
    UNSAFE_TO_CONTACT = "unsafe-to-contact"
    ALREADY_KNOWN = "already-known"
    OUT_OF_AREA = "out-of-area"
    CLOSED = "closed"


class Priority(StrEnum):
    """How soon: FHIR R4 RequestPriority."""

    ROUTINE = "routine"
    URGENT = "urgent"
    ASAP = "asap"


@dataclass(frozen=True, slots=True)
class Referral:
    """One offer to one team. `id` is a UUID; `version` counts changes from 1; times are aware.

    `team` is the recipient in the agreement (`idva-team`), `organisation` its ODS code, `force` the sender's
    two-digit code. `respond_by` is when the agreement's clock runs out.
    `label` is R or V where the national demographics service calls the victim restricted: no address of hers, or of a
    child with her, is written where another system files it.
    `payload` is the keyed hash of the record it offers, as the log names it; None where nobody looked it up.
    """

    id: str
    version: int
    status: ReferralStatus
    state: ReferralState
    priority: Priority
    team: str
    organisation: str
    force: str
    area: str | None
    grade: Grade | None
    assessed_at: datetime | None
    created_at: datetime
    updated_at: datetime
    respond_by: datetime | None
    feedback: tuple[Feedback, ...] = ()
    label: str | None = None
    payload: str | None = None
