"""Setting aside: bytes that nobody could read are kept for a named human, sealed, and the sender is told what is wrong.

What waits is described in `quarantine`; what reads it again later, in `replaying`.

Source: domain.md section 4.1 (step 6).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from adapters.socket import Unreadable
from gateway.errors import Detail, UnreadableInput
from gateway.intake import Submission
from gateway.quarantine import KeepUnreadable, Quarantine, owner_named
from gateway.services import Services
from gateway.sides import owner_of
from gateway.store.batch import Unit
from gateway.taking import Answer
from gateway.under_agreement import standing_of


class Beside(Protocol):
    """What is written in one transaction with what becomes of a document, such as the row of a batch it came in."""

    def taken(self, unit: Unit[Answer]) -> Unit[Answer]:
        """The unit that takes a record in, and what belongs to it."""
        ...

    def set_aside(self, unit: Unit[str | None], details: Sequence[Detail]) -> Unit[str | None]:
        """The unit that keeps unreadable bytes, and what belongs to it; `details` say what is wrong where."""
        ...


async def set_aside(
    services: Services,
    submission: Submission,
    fault: str,
    words: str,
    details: Sequence[Detail],
    beside: Beside | None = None,
) -> UnreadableInput:
    """Keep bytes that nobody could read, seal that, and return the error to raise; the same bytes are kept once."""
    standing = await standing_of(services, submission.log_id)
    content = standing.content
    kept = Quarantine(services.keyring.content_key).keep(
        submission.body,
        log_id=submission.log_id,
        caller=submission.caller,
        reason=fault,
        media_type=submission.media_type,
        grade=None,
        owner=owner_named(content, owner_of(content, submission.caller.organisation), services.settings.duty_contact),
    )
    same = f"{submission.caller.client}|{services.keyring.payload_hash(submission.body)}"
    claim = services.keyring.blind("unreadable", same)
    unit = KeepUnreadable(kept if submission.body else None, claim, fault, submission.caller)
    kept_beside = beside.set_aside(unit, details) if beside else unit
    committed = await services.journals.of(submission.log_id).submit(kept_beside)
    return UnreadableInput(words, fault=fault, details=details, quarantine=committed.value)


def told_of(unreadable: Unreadable) -> tuple[str, str, list[Detail]]:
    """What a sender is told of bytes that an adapter could not read: the fault, in words, and where."""
    details = [Detail(p.path, p.fault.value, p.words) for p in unreadable.problems]
    return unreadable.fault.value, str(unreadable), details
