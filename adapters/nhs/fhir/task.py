"""Task: one referral on a team's worklist, without identity; and Communication: what was told to police.

A Task routes: state, clock, grade and area. It refers to the victim by an opaque id and says nothing about her. Both
are written from the referral; what comes from the record comes minimised like everything else. Feedback is coded, and
the team's own. UK Core Task and Communication; states: domain.md sections 4.2 and 4.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from adapters.nhs.fhir.assessment import assessment_details
from adapters.nhs.fhir.elements import (
    MASKED,
    force,
    instant,
    nested,
    own,
    reference,
    sender,
    start,
    subject,
    trust,
)
from adapters.nhs.fhir.feedback import write_details, write_output
from adapters.nhs.fhir.ids import feedback_part
from adapters.nhs.fhir.models import Json
from mappings.record import Assessment, Record
from mappings.referral import Referral

TASK_CODE: Final = "domestic-abuse-referral"
"""What every Task of ours is."""


def write_task(record: Record, referral: Referral) -> Iterator[Json]:
    """The one Task of a referral."""
    task = start("Task", None, referral) | {
        "status": referral.status.value,
        "businessStatus": own("referral-state", referral.state),
        "intent": "order",
        "priority": referral.priority.value,
        "code": own("task", TASK_CODE),
        "focus": reference("ServiceRequest", referral),
        "authoredOn": instant(referral.created_at),
        "lastModified": instant(referral.updated_at),
        "owner": trust(referral),
    }
    victim = subject(record, referral)
    if victim is not MASKED:
        task["for"] = victim
    if (force_ := sender(record)) is not None:
        task["requester"] = force_
    if referral.respond_by is not None:
        task["restriction"] = {"period": {"end": instant(referral.respond_by)}}
    task["input"] = _inputs(record)
    if referral.feedback:
        task["output"] = [write_output(one) for one in referral.feedback]
    yield task


def write_feedback(record: Record, referral: Referral) -> Iterator[Json]:
    """One Communication for each feedback, oldest first."""
    for number, one in enumerate(referral.feedback, start=1):
        message = start("Communication", feedback_part(number), referral) | {
            "basedOn": [reference("ServiceRequest", referral)],
            "status": "completed",
            "category": [own("communication", "feedback-to-police")],
            "subject": subject(record, referral),
            "topic": own("feedback", one.code),
            "sent": instant(one.at),
            "recipient": [force(referral.force)],
            "sender": trust(referral),
        }
        if details := write_details(one):
            message["extension"] = details
        yield message


def _inputs(record: Record) -> list[Json]:
    found: list[Json] = [{"type": own("task-input", "event-kind"), "valueCode": record.kind.value}]
    if record.area is not None:
        found.append({"type": own("task-input", "area"), "valueCode": record.area})
    if record.times is not None and record.times.reported is not None:
        found.append({"type": own("task-input", "reported"), "valueDateTime": instant(record.times.reported)})
    # A release is time-critical: it stands on the worklist, before anybody opens the referral (domain.md 4.1, step 12).
    found += [
        {"type": own("task-input", "suspect-released"), "valueDateTime": instant(one.at)}
        if one.at is not None
        else {"type": own("task-input", "suspect-released"), "valueBoolean": True}
        for one in record.custody
        if one.is_release
    ]
    for one in record.assessments:
        found += _assessed(one)
    return found


def _assessed(one: Assessment) -> list[Json]:
    grade = [] if one.grade is None else [{"type": own("task-input", "risk-grade"), "valueCode": one.grade.value}]
    found: list[Json] = [*grade, {"type": own("task-input", "risk-instrument"), "valueCode": one.instrument.value}]
    if one.at is not None:
        found.append({"type": own("task-input", "assessed-at"), "valueDateTime": instant(one.at)})
    found[0]["extension"] = nested("assessment", assessment_details(one))  # a grade is never without its age (P10)
    return found
