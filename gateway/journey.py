"""The road, both ways: how a police record becomes a sealed referral, is read by a team, and is answered.

    take_in       police → NHS   read, judge, encrypt, keep and seal, answer
    hand_out      NHS pulls      find, decide again, minimise and write, seal, answer
    report_back   NHS → police   read the change, follow the state machine, keep and seal, answer
    tell_police   police pull    find, decide again, minimise, seal, answer

Each is one numbered function. What is sealed is sealed before the function returns, so that nothing leaves whose entry
is not committed (P1); where the agreement or the referral changes in between, the function decides again.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import orjson
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool

from adapters.nhs import fhir
from adapters.socket import Reading, Unreadable, reader
from audit.entry import Entry, Operation
from audit.entry import Outcome as EntryOutcome
from audit.receipt import Receipt
from gateway import casework
from gateway.decide import Decision
from gateway.disclosure import Disclose, Found, Reader, Search
from gateway.errors import (
    BadParameter,
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
from gateway.feedback import Acknowledge, ChangeReferral, Tell, Tellings, feedback_recipient, find_words, words
from gateway.intake import Answer, Offer, Prepared, TakeIn, Taken, offers, refused, worst_hold
from gateway.quarantine import Kept, Quarantine, owner_named
from gateway.services import Services
from gateway.store import tables
from gateway.store.journal import Batch, Committed, DecideAgain, Unit
from gateway.terms import Standing
from mappings.record import Record, Role, Source

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
    services: Services, caller: Caller, body: bytes, media_type: str, idempotency_key: str | None
) -> Intake:
    """Police → NHS. Raises UnreadableInput, MarkingRefused, IdempotencyConflict, StaleVersion, Busy, NotSealed."""
    # 1. Which log: the caller's agreement, or the operator's where none was ever drafted.
    log_id = await run_in_threadpool(intake_log, services, caller)

    # 2. Read: bytes become a record, or are kept for a human (the adapter and the profile know the format).
    try:
        reading = reader(services.profile.adapter).read(body, services.profile, services.limits)
    except Unreadable as unreadable:
        raise await set_aside(services, caller, body, media_type, unreadable, log_id) from unreadable
    record = stamped(reading.record, caller)

    async def attempt() -> tuple[Answer, tuple[Offer, ...], Receipt]:
        # 3. Judge: every victim for every recipient, under the agreement in force now.
        standing = await standing_of(services, log_id)
        made = offers(record, standing.terms, datetime.now(UTC))

        # 4. Encrypt, and name the record so that a repeat is recognised.
        prepared = prepare(services, caller, record, made, standing, body, media_type, idempotency_key, log_id)

        # 5. Keep and seal in one transaction; the unit decides again at that instant.
        unit = TakeIn(prepared, caller, standing, services.records)
        committed = await services.journals.of(log_id).submit(unit)
        return committed.value, made, committed.receipt

    answer, made, receipt = await _decided(services, log_id, attempt)

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
    log_id = agreement_log(caller)

    async def attempt() -> Page:
        # 1. Who asks: a recipient of the agreement, with the person it wants named.
        standing = await standing_of(services, log_id)
        check_recipient(standing, caller)

        # 2. Find the team's referrals; decide each again on its facts; minimise and write what may leave.
        def find() -> Found:
            with services.database.reading() as connection:
                return library.find(connection, caller, search, standing, log_id, datetime.now(UTC))

        found = await run_in_threadpool(find)

        # 3. Seal each disclosure, or that there was nothing, and only then let it leave.
        unit = Disclose(found, search, caller, standing, reason)
        committed = await services.journals.of(log_id).submit(unit)

        # 4. Answer with the receipts.
        return Page(found, committed.receipts, log_id)

    return await _decided(services, log_id, attempt)


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
    log_id = agreement_log(caller)
    search = Search(types=("Task",), ids=(task_id,), event=Event.REFERRAL_CHANGED)

    async def attempt() -> Page:
        # 1. The task as the caller may see it; one of another team is as good as none.
        standing = await standing_of(services, log_id)
        check_recipient(standing, caller)

        def find() -> Found:
            with services.database.reading() as connection:
                return library.find(connection, caller, search, standing, log_id, datetime.now(UTC))

        found = await run_in_threadpool(find)
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

        # 4. The task as it is now, under the receipt of the change.
        changed = await run_in_threadpool(find)
        return Page(changed, committed.receipts, log_id)

    return await _decided(services, log_id, attempt)


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
    log_id = agreement_log(caller)

    async def attempt() -> Told:
        # 1. Who asks: the recipient of that force's feedback.
        standing = await standing_of(services, log_id)
        recipient = feedback_recipient(standing.terms, caller.organisation)
        check_person(standing, recipient, caller)

        # 2. Find the force's words, decide each again, minimise.
        def find() -> Tellings:
            with services.database.reading() as connection:
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

        tellings = await run_in_threadpool(find)

        # 3. Seal, then answer.
        committed = await services.journals.of(log_id).submit(Tell(tellings, caller, standing, event))
        return Told(tellings, committed.receipts, log_id)

    return await _decided(services, log_id, attempt)


async def acknowledge(services: Services, caller: Caller, through: int) -> Committed[None]:
    """Note that a force has taken the words up to a cursor. Raises Busy, NotSealed."""
    log_id = agreement_log(caller)
    standing = await standing_of(services, log_id)
    return await services.journals.of(log_id).submit(Acknowledge(through, caller, standing))


async def knows_incident(services: Services, caller: Caller, incident: str) -> bool:
    """Whether an incident of this reference came from the caller's own force under the caller's agreement."""
    log_id = agreement_log(caller)

    def find() -> bool:
        table = tables.record
        query = select(table.c.id).where(
            table.c.id == incident, table.c.log_id == log_id, table.c.organisation == caller.organisation
        )
        with services.database.reading() as connection:
            return connection.execute(query).one_or_none() is not None

    return await run_in_threadpool(find)


# Helpers of the steps above, in order of use.


def intake_log(services: Services, caller: Caller) -> str:
    """The log a force's record belongs to: its agreement's, or the operator's where no such agreement was drafted."""
    log_id = agreement_log(caller, otherwise=OPERATOR_LOG)
    return log_id if services.terms.has_log(log_id) else OPERATOR_LOG


def agreement_log(caller: Caller, otherwise: str | None = None) -> str:
    """The log of the caller's one agreement. Raises NotPermitted where it has none, BadParameter where several."""
    if len(caller.agreements) == 1:
        return next(iter(caller.agreements))
    if caller.agreements:
        raise BadParameter("the client is bound to several agreements: use a client for each")
    if otherwise is None:
        raise NotPermitted("the client is bound to no agreement")
    return otherwise


def stamped(record: Record, caller: Caller) -> Record:
    """The record under the name of who sent it: the token says the organisation, not the document."""
    source = record.source or Source(organisation=caller.organisation)
    return record.model_copy(
        update={"source": source.model_copy(update={"organisation": caller.organisation, "system": caller.client})}
    )


async def standing_of(services: Services, log_id: str) -> Standing:
    """The standing of a log's agreement; from memory where it was read before."""
    known = services.terms.peek(log_id)
    return known if known is not None else await run_in_threadpool(services.terms.current, log_id)


def prepare(  # noqa: PLR0913 - everything a record is judged and kept by
    services: Services,
    caller: Caller,
    record: Record,
    made: Sequence[Offer],
    standing: Standing,
    body: bytes,
    media_type: str,
    idempotency_key: str | None,
    log_id: str,
) -> Prepared:
    """Encrypt a judged record and compute the names a repeat is recognised by."""
    record_id = str(uuid.uuid4())
    source = record.source or Source(organisation=caller.organisation)
    occurrence = record.reference("occurrence") or ""
    name = "|".join([source.organisation, source.system or "", occurrence.casefold()])
    blind = services.keyring.blind
    refusal = refused(made)
    worst = worst_hold(made)
    reason, hold_words, grade = None, None, None
    if worst is not None:
        reason, hold_words, grade = worst.decision.reason.value, worst.decision.words, worst.facts.grade
    elif not record.of_role(Role.VICTIM):
        reason, hold_words = "no-victim", "no victim is named in the record: a human must look at it"
    hold: Kept | None = None
    if reason is not None and refusal is None:
        content = standing.terms.agreement.content if standing.terms else None
        owner = owner_named(content, worst.decision.owner if worst else None, services.settings.duty_contact)
        hold = Quarantine(services.keyring.content_key).keep(
            body, log_id=log_id, caller=caller, reason=reason, media_type=media_type, grade=grade, owner=owner
        )
    stored = services.records.seal(record, record_id=record_id, log_id=log_id)
    return Prepared(
        record=record,
        record_id=record_id,
        stored=stored,
        offers=tuple(made),
        hold=hold,
        hold_reason=reason,
        hold_words=hold_words,
        refusal=refusal,
        natural=blind("record", f"{name}|{record.version}"),
        occurrence=blind("occurrence", name),
        idempotency=blind("idempotency", f"{caller.client}|{idempotency_key}") if idempotency_key else None,
        fingerprint=stored.record["payload"],
        body=services.keyring.payload_hash(body),
    )


def check_recipient(standing: Standing, caller: Caller) -> None:
    """Raise NotPermitted unless the caller is a recipient of the agreement, with the person it wants named."""
    content = standing.terms.agreement.content if standing.terms else None
    found = content.recipient(caller.recipient) if content and caller.recipient else None
    if content is None or found is None or content.party(found.party).organisation != caller.organisation:
        raise NotPermitted("the client is no recipient of an agreement in force")
    check_person(standing, found.id, caller)


def check_person(standing: Standing, recipient: str | None, caller: Caller) -> None:
    """Raise NotPermitted where the agreement wants a person named and the token names none."""
    found = standing.terms.agreement.content.recipient(recipient) if standing.terms and recipient else None
    if found is None:
        raise NotPermitted("the client is no recipient of an agreement in force")
    if found.end_user == "required" and caller.user is None:
        raise NotPermitted(
            "the agreement wants the person named on whose behalf the call is made: "
            "ask for the token with an `end_user` claim in the client assertion"
        )


async def set_aside(
    services: Services, caller: Caller, body: bytes, media_type: str, unreadable: Unreadable, log_id: str
) -> UnreadableInput:
    """Keep bytes that nobody could read, seal that, and return the error to raise. Risk unknown is treated as high."""
    fault = unreadable.fault.value
    details = [Detail(p.path, p.fault.value, p.words) for p in unreadable.problems]
    return await keep_unreadable(services, caller, body, media_type, fault, str(unreadable), details, log_id)


async def keep_unreadable(
    services: Services,
    caller: Caller,
    body: bytes,
    media_type: str,
    fault: str,
    said: str,
    details: Sequence[Detail],
    log_id: str,
) -> UnreadableInput:
    """The same for any fault; the same bytes from the same client are kept once."""
    standing = await standing_of(services, log_id)
    content = standing.terms.agreement.content if standing.terms else None
    kept = Quarantine(services.keyring.content_key).keep(
        body,
        log_id=log_id,
        caller=caller,
        reason=fault,
        media_type=media_type,
        grade=None,
        owner=owner_named(content, None, services.settings.duty_contact),
    )
    claim = services.keyring.blind("unreadable", f"{caller.client}|{services.keyring.payload_hash(body)}")
    committed = await services.journals.of(log_id).submit(KeepUnreadable(kept if body else None, claim, fault, caller))
    return UnreadableInput(said, fault=fault, details=details, quarantine=committed.value)


@dataclass(frozen=True, slots=True)
class KeepUnreadable(Unit[str | None]):
    """Keep unreadable bytes and seal it; returns the reference a human will look at, None where there were no bytes."""

    kept: Kept | None
    claim: bytes
    fault: str
    caller: Caller

    @property
    def claims(self) -> Sequence[bytes]:  # type: ignore[override]  # a value computed from the fields
        """The name under which the same bytes are recognised."""
        return (self.claim,)

    def apply(self, batch: Batch) -> str | None:  # noqa: D102 - said by Unit.apply
        known = batch.owner(self.claim)
        reference = known.decode() if known is not None else None
        if reference is None and self.kept is not None:
            self.kept.write(batch)
            batch.claim(self.claim, self.kept.id.encode())
            reference = self.kept.id
        batch.seal(
            Entry(
                id=str(uuid.uuid4()),
                time=batch.at,
                operation=Operation.COLLECTION,
                outcome=EntryOutcome.FAILED,
                event=Event.INPUT_UNREADABLE.value,
                actor=self.caller.actor,
                reason=self.fault,
                request=self.caller.request,
                correlation=self.caller.correlation,
                detail={"quarantine": reference} if reference else None,
            )
        )
        return reference


async def _decided(services: Services, log_id: str, attempt: Callable[[], Awaitable[T]]) -> T:
    """Run an attempt until what it decided on still holds when it is sealed."""
    for _ in range(ATTEMPTS):
        try:
            return await attempt()
        except DecideAgain:
            services.terms.forget(log_id)
    raise NotSealed("the record or the agreement keeps changing; nothing is released", headers={"Retry-After": "1"})


def decision_of(page: Page) -> Decision | None:
    """The decision behind the first referral of a page, to tell the recipient that something was withheld."""
    return page.found.opened[0].decision if page.found.opened else None
