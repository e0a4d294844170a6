"""A hospital's notice is taken in: kept once, decided for police under the agreement, sealed. Every format calls this.

    from gateway.hospital import take_notice, unreadable_notice

    taken = await take_notice(services, caller, record, raw, media_type, document=…)
    taken.how       accepted | updated | known    what became of it; all three are good (an HL7 AA, a FHIR 200)
    taken.state     open | held | stopped | retracted
    taken.notice    the gateway's reference; taken.version counts from 1; taken.receipt proves the sealing

`record` is what the adapter read, its `kind` NOTICE, or RETRACTION for what was sent in error; its `source` says
adapter, profile and profile hash, and the caller says whose it is. `raw` are the bytes as they came, kept encrypted.
`document` is the sender's own id of this message (MSH-10, Bundle.identifier, MessageHeader id): the same one with the
same bytes is a repeat, with others it is refused. `record.reference("occurrence")` is the sender's reference of the
notice itself: the same one again is its next version, and reaches whoever read the one before. Without one, each
document is a notice of its own.

Raises IdempotencyConflict (the document's id with other bytes), StaleVersion (an older version than the one held),
MarkingRefused (SECRET and above: nothing is kept), NotPermitted (no NHS party of the agreement), Busy, NotSealed.
Bytes that no adapter could read go to `unreadable_notice`, which keeps them for a human and returns what to raise.

What the sender says in codes is closed first (`coded`): a code that is in no list never goes to police as one.

Source: domain.md sections 3.1 (F2, F3), 4.1, 4.5 (N4, N5, N11), 4.6.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from adapters.socket import Unreadable
from audit.receipt import Receipt
from gateway.errors import IdempotencyConflict, MarkingRefused, NotPermitted, StaleVersion, UnreadableInput
from gateway.evidence import Caller
from gateway.hospital.coded import coded
from gateway.hospital.keeping import Answer, How, Keeping, TakeNotice
from gateway.hospital.standing import State, judged
from gateway.intake import Submission
from gateway.services import Services
from gateway.setting_aside import set_aside, told_of
from gateway.store.journal import Committed
from gateway.terms import Standing
from gateway.under_agreement import decided, log_of, standing_of
from mappings.record import Record, Source


@dataclass(frozen=True, slots=True)
class Taken:
    """What the sender is told. `due_at`, `owner` and `words` say who decides what is held, by when, and why."""

    how: How
    notice: str
    version: int
    state: State
    reason: str | None
    words: str | None
    owner: str | None
    due_at: str | None
    receipt: Receipt
    log_id: str


async def take_notice(
    services: Services, caller: Caller, record: Record, raw: bytes, media_type: str, *, document: str | None = None
) -> Taken:
    """Keep a notice, decide it for police, seal; see the head of this page for what comes in, out, and is raised."""
    log_id = await log_of(services, caller)
    known = (await standing_of(services, log_id)).terms
    notice = coded(_stamped(record, caller), known.agreement.content.areas if known else ())
    keeping = Keeping.of(services, caller, notice, raw, media_type, document, log_id)

    async def attempt() -> Committed[Answer]:
        standing = await standing_of(services, log_id)
        _check_sender(standing, caller)
        made = judged(notice, None, standing.terms, datetime.now(UTC))
        unit = TakeNotice(keeping, made, caller, standing, services.records, services.settings.duty_contact)
        return await services.journals.of(log_id).submit(unit)

    committed = await decided(services, caller, log_id, attempt)
    answer = committed.value
    if answer.how is How.CONFLICT:
        raise IdempotencyConflict("this document's id was used for another content")
    if answer.how is How.STALE:
        raise StaleVersion("a newer version of this notice is held")
    if answer.how is How.REFUSED:
        raise MarkingRefused(answer.words or "refused")
    return Taken(
        answer.how,
        answer.notice,
        answer.version,
        answer.state,
        answer.reason,
        answer.words,
        answer.owner,
        answer.due_at,
        committed.receipt,
        log_id,
    )


async def unreadable_notice(
    services: Services, caller: Caller, raw: bytes, media_type: str, unreadable: Unreadable
) -> UnreadableInput:
    """Keep bytes that no adapter could read for a named human, seal that, and return the error to raise."""
    submission = Submission(caller, raw, media_type, None, await log_of(services, caller))
    return await set_aside(services, submission, *told_of(unreadable))


def _stamped(record: Record, caller: Caller) -> Record:
    """The record under the name of who sent it: the token says the organisation, not the document."""
    said = record.source
    source = Source(
        organisation=caller.organisation,
        system=caller.client,
        adapter=said.adapter if said else None,
        profile=said.profile if said else None,
        profile_hash=said.profile_hash if said else None,
    )
    return record.model_copy(update={"source": source})


def _check_sender(standing: Standing, caller: Caller) -> None:
    """Raise NotPermitted unless an NHS party of the agreement sends; without an agreement what comes waits."""
    if standing.terms is None:
        return
    parties = standing.terms.agreement.content.parties
    own = next((party for party in parties if party.organisation == caller.organisation), None)
    if own is None or own.is_police:
        raise NotPermitted("only an NHS party of the agreement sends notices", reason="not-an-nhs-party")
