"""The road, both ways: how a police record becomes a sealed referral, is read by a team, and is answered.

    take_in       police → NHS   read, judge, encrypt, keep and seal, answer
    hand_out      NHS pulls      find, decide again, minimise and write, seal, answer
    report_back   NHS → police   read the change, follow the state machine, keep and seal, answer
    tell_police   police pull    find, decide again, minimise, seal, answer

Each is one numbered function. What is sealed is sealed before the function returns, so that nothing leaves whose entry
is not committed (P1); where the agreement or the referral changes in between, the function decides again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

import orjson
from sqlalchemy import Connection, select

from adapters.nhs import fhir
from adapters.socket import Reading, Unreadable, reader
from audit.errors import LogUnknown
from audit.receipt import Receipt
from gateway import casework
from gateway.callers import agreement_of, check_person, check_recipient
from gateway.disclosure import Deny, Disclose, Found, Reader
from gateway.errors import (
    BadMediaType,
    Detail,
    IdempotencyConflict,
    MarkingRefused,
    NotFound,
    NotPermitted,
    NotSealed,
    StaleVersion,
    UnreadableInput,
    VersionConflict,
)
from gateway.evidence import OPERATOR_LOG, Caller, Event
from gateway.feedback import Acknowledge, ChangeReferral, Tell, Tellings, feedback_recipient, find_words
from gateway.intake import Offer, Submission, offers
from gateway.profiles import day_of
from gateway.quarantine import KeepUnreadable, Quarantine, owner_named
from gateway.searching import Search
from gateway.services import Services
from gateway.store import tables
from gateway.store.batch import DecideAgain, Unit
from gateway.store.journal import Committed
from gateway.taking import Answer, TakeIn, Taken
from gateway.telling import words
from gateway.terms import Standing
from mappings.profile import Profile
from mappings.record import Record, Source


class Beside(Protocol):
    """What is written in one transaction with what becomes of a document, such as the row of a batch it came in."""

    def taken(self, unit: Unit[Answer]) -> Unit[Answer]:
        """The unit that takes a record in, and what belongs to it."""
        ...

    def set_aside(self, unit: Unit[str | None], details: Sequence[Detail]) -> Unit[str | None]:
        """The unit that keeps unreadable bytes, and what belongs to it; `details` say what is wrong where."""
        ...


ATTEMPTS = 5
"""How often a decision is made again because what it was made on changed; beyond, the caller is told 503."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Intake:
    """What take_in answers: what became of the record, the judgement for each recipient, the losses, the receipt."""

    answer: Answer
    reading: Reading
    offers: tuple[Offer, ...]
    receipt: Receipt
    log_id: str


async def take_in(
    services: Services,
    caller: Caller,
    body: bytes,
    media_type: str,
    idempotency_key: str | None,
    beside: Beside | None = None,
) -> Intake:
    """Police → NHS. Raises UnreadableInput, MarkingRefused, IdempotencyConflict, StaleVersion, Busy, NotSealed.

    `beside`, where there is one, writes what else belongs into the same transaction.
    """
    # 1. Which log: the caller's agreement, or the operator's where none was ever drafted.
    log_id = await log_of(services, caller)
    submission = Submission(caller, body, media_type, idempotency_key, log_id)

    # 2. Read: bytes become a record, or are kept for a human (the adapter and the client's profile know the format).
    try:
        profile = services.profiles.choose(caller.profiles, media_type, day_of(datetime.now(UTC)))
        reading = reader(profile.adapter).read(body, profile, services.limits)
    except Unreadable as unreadable:
        raise await set_aside(services, submission, *_told(unreadable), beside) from unreadable
    except BadMediaType as bad:
        details = (Detail("", "media-type", bad.words),)
        raise await set_aside(services, submission, "media-type", bad.words, details, beside) from bad
    services.drift.saw(caller.client, profile, reading)  # its shape alone, so that the operator sees it change
    record = stamped(reading.record, caller, profile)

    async def attempt() -> tuple[Answer, tuple[Offer, ...], Receipt]:
        # 3. Judge: every victim for every recipient, under the agreement in force now.
        standing = await standing_of(services, log_id)
        made = offers(record, standing.terms, datetime.now(UTC))

        # 4. Encrypt, and name the record so that a repeat is recognised.
        content = standing.terms.agreement.content if standing.terms else None
        prepared = services.preparer.prepare(submission, record, made, content)

        # 5. Keep and seal in one transaction; the unit decides again at that instant.
        unit = TakeIn(prepared, standing, services.records)
        committed = await services.journals.of(log_id).submit(beside.taken(unit) if beside else unit)
        return committed.value, made, committed.receipt

    answer, made, receipt = await decided(services, caller, log_id, attempt)

    # 6. Answer: what was accepted, what was withheld from whom and why, what was not read, and the receipt.
    if answer.taken is Taken.CONFLICT:
        raise IdempotencyConflict("this key, or this version of the record, was sent before with another content")
    if answer.taken is Taken.STALE:
        raise StaleVersion("a newer version of this record is held; send a higher version")
    if answer.taken is Taken.REFUSED:
        raise MarkingRefused(answer.words or "refused")
    return Intake(answer, reading, made, receipt, log_id)


@dataclass(frozen=True, slots=True)
class Page:
    """What hand_out answers: what was found, and the receipt of each referral in it, or of the empty answer."""

    found: Found
    receipts: tuple[Receipt, ...]
    log_id: str


async def hand_out(services: Services, library: Reader, caller: Caller, search: Search, reason: str | None) -> Page:
    """NHS pulls. Raises NotPermitted, BadParameter, Busy, NotSealed; nothing found is an answer, not an error."""
    log_id = await log_of(services, caller)

    async def attempt() -> Page:
        # 1. Who asks: a recipient of the agreement, with the person it wants named.
        standing = await standing_of(services, log_id)
        check_recipient(standing, caller)

        # 2. Find the team's referrals; decide each again on its facts; minimise and write what may leave.
        def find(connection: Connection) -> Found:
            return library.find(connection, caller, search, standing, log_id, datetime.now(UTC))

        found = await services.database.read(find)

        # 3. Seal each disclosure, or that there was nothing, and only then let it leave.
        unit = Disclose(found, search, caller, standing, reason)
        committed = await services.journals.of(log_id).submit(unit)

        # 4. Answer with the receipts.
        return Page(found, committed.receipts, log_id)

    return await decided(services, caller, log_id, attempt)


async def report_back(
    services: Services,
    library: Reader,
    caller: Caller,
    task_id: str,
    body: bytes,
    media_type: str,
    if_match: Callable[[int], bool],
) -> Page:
    """NHS → police. `if_match` says whether a version is the one the caller read.

    Raises NotFound, VersionConflict, FhirRefused, TransitionRefused, NotPermitted, Busy, NotSealed.
    """
    log_id = await log_of(services, caller)
    search = Search(types=("Task",), ids=(task_id,), event=Event.REFERRAL_CHANGED)

    async def attempt() -> Page:
        # 1. The task as the caller may see it; one of another team is as good as none.
        standing = await standing_of(services, log_id)
        check_recipient(standing, caller)

        def find(connection: Connection) -> Found:
            return library.find(connection, caller, search, standing, log_id, datetime.now(UTC))

        found = await services.database.read(find)
        if not found.opened:
            await services.journals.of(log_id).submit(Disclose(found, search, caller, standing))
            raise NotFound("there is no such task")
        opened = found.opened[0]
        if not if_match(opened.row.version):
            raise VersionConflict("the task has changed since it was read: read it again")

        # 2. Read the change (the adapter knows FHIR) and follow the state machine.
        current: dict[str, Any] = orjson.loads(opened.matches[0].body)
        change = fhir.task_change(current, body, media_type)
        status, state = library.standing_of(opened)
        step = casework.step(status, state, change, caller.role, datetime.now(UTC))

        # 3. Keep the change and the words to police; seal; only then answer.
        kept = words(
            step,
            organisation=caller.organisation,
            system=caller.client,
            log_id=log_id,
            area=opened.row.area,
            records=services.records,
        )
        unit = ChangeReferral(opened.row, step, kept, opened.decision, opened.facts, caller, standing, services.records)
        committed = await services.journals.of(log_id).submit(unit)

        # 4. The task as it is now, under the receipt of the change; where it has moved on since, this is sealed too.
        changed = await services.database.read(find)
        receipts = committed.receipts
        if not changed.opened or changed.opened[0].row.version != committed.value:
            receipts = (await services.journals.of(log_id).submit(Disclose(changed, search, caller, standing))).receipts
        return Page(changed, receipts, log_id)

    return await decided(services, caller, log_id, attempt)


@dataclass(frozen=True, slots=True)
class Told:
    """What tell_police answers: the words that may go, and the receipts."""

    tellings: Tellings
    receipts: tuple[Receipt, ...]
    log_id: str


async def tell_police(
    services: Services,
    caller: Caller,
    *,
    after: int = -1,
    limit: int = 100,
    event_id: str | None = None,
    event: Event = Event.FEEDBACK_READ,
) -> Told:
    """Police pull. Raises NotPermitted, Busy, NotSealed."""
    log_id = await log_of(services, caller)

    async def attempt() -> Told:
        # 1. Who asks: the recipient of that force's feedback.
        standing = await standing_of(services, log_id)
        recipient = feedback_recipient(standing.terms, caller.organisation)
        check_person(standing, recipient, caller)

        # 2. Find the force's words, decide each again, minimise.
        def find(connection: Connection) -> Tellings:
            return find_words(
                connection,
                services.records,
                caller,
                standing,
                log_id,
                datetime.now(UTC),
                recipient=recipient or "",
                after=after,
                limit=limit,
                event_id=event_id,
            )

        tellings = await services.database.read(find)

        # 3. Seal, then answer.
        committed = await services.journals.of(log_id).submit(Tell(tellings, caller, standing, event))
        return Told(tellings, committed.receipts, log_id)

    return await decided(services, caller, log_id, attempt)


async def acknowledge(services: Services, caller: Caller, through: int) -> Committed[None]:
    """Note that a force has taken the words up to a cursor. Raises NotPermitted, Busy, NotSealed."""
    log_id = await log_of(services, caller)

    async def attempt() -> Committed[None]:
        standing = await standing_of(services, log_id)
        check_person(standing, feedback_recipient(standing.terms, caller.organisation), caller)
        return await services.journals.of(log_id).submit(Acknowledge(through, caller, standing))

    return await decided(services, caller, log_id, attempt)


async def knows_incident(services: Services, caller: Caller, incident: str) -> bool:
    """Whether an incident of this reference came from the caller's own force under the caller's agreement.

    One whose content has been erased is as good as none.
    """
    log_id = await log_of(services, caller)

    def find(connection: Connection) -> bool:
        table = tables.record
        own = (table.c.log_id == log_id) & (table.c.organisation == caller.organisation)
        query = select(table.c.id).where(table.c.event_id == incident, own, table.c.erased_at.is_(None)).limit(1)
        return connection.execute(query).one_or_none() is not None

    return await services.database.read(find)


# Helpers of the steps above, in order of use.


async def log_of(services: Services, caller: Caller) -> str:
    """The log a caller's acts belong to: its agreement's, or the operator's where none of that id was drafted here."""
    agreement = agreement_of(caller)
    if agreement is None or services.terms.peek(agreement) is not None:
        return agreement or OPERATOR_LOG
    try:
        await standing_of(services, agreement)
    except LogUnknown:
        return OPERATOR_LOG
    return agreement


def stamped(record: Record, caller: Caller, profile: Profile) -> Record:
    """The record under the name of who sent it: the token says the organisation, not the document."""
    source = Source(
        organisation=caller.organisation,
        system=record.source.system if record.source else None,
        adapter=profile.adapter,
        profile=profile.name,
        profile_hash=profile.hash,
    )
    return record.model_copy(update={"source": source})


async def standing_of(services: Services, log_id: str) -> Standing:
    """The standing of a log's agreement; from memory where it was read before."""
    known = services.terms.peek(log_id)
    return known if known is not None else await services.database.read(lambda c: services.terms.read(c, log_id))


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
    content = standing.terms.agreement.content if standing.terms else None
    kept = Quarantine(services.keyring.content_key).keep(
        submission.body,
        log_id=submission.log_id,
        caller=submission.caller,
        reason=fault,
        media_type=submission.media_type,
        grade=None,
        owner=owner_named(content, None, services.settings.duty_contact),
    )
    same = f"{submission.caller.client}|{services.keyring.payload_hash(submission.body)}"
    claim = services.keyring.blind("unreadable", same)
    unit = KeepUnreadable(kept if submission.body else None, claim, fault, submission.caller)
    kept_beside = beside.set_aside(unit, details) if beside else unit
    committed = await services.journals.of(submission.log_id).submit(kept_beside)
    return UnreadableInput(words, fault=fault, details=details, quarantine=committed.value)


def _told(unreadable: Unreadable) -> tuple[str, str, list[Detail]]:
    details = [Detail(p.path, p.fault.value, p.words) for p in unreadable.problems]
    return unreadable.fault.value, str(unreadable), details


async def decided(services: Services, caller: Caller, log_id: str, attempt: Callable[[], Awaitable[T]]) -> T:
    """Run an attempt until what it decided on still holds when it is sealed; a denial is sealed as well."""
    for _ in range(ATTEMPTS):
        try:
            return await attempt()
        except DecideAgain:
            services.terms.forget(log_id)
        except NotPermitted as denied:
            await services.journals.of(log_id).submit(Deny(caller, denied.reason))
            raise
    raise NotSealed("the record or the agreement keeps changing; nothing is released", headers={"Retry-After": "1"})
