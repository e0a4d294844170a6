"""The road, both ways: how a police record becomes a sealed referral, is read by a team, and is answered.

    take_in       police → NHS   read, judge, encrypt, keep and seal, answer
    hand_out      NHS pulls      find, decide again, minimise and write, seal, answer
    report_back   NHS → police   read the change, follow the state machine, keep and seal, answer
    tell_police   police pull    find, decide again, minimise, seal, answer

Each is one numbered function. What is sealed is sealed before the function returns, so that nothing leaves whose entry
is not committed (P1); where the agreement or the referral changes in between, the function decides again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, select

from adapters.nhs import fhir
from adapters.socket import Reading, Unreadable
from audit.receipt import Receipt
from gateway import casework
from gateway.callers import check_person, check_recipient
from gateway.casework.effects import happened
from gateway.casework.keeping import plain
from gateway.chance import fresh_id
from gateway.disclosure import Disclose, Found, Reader
from gateway.errors import (
    BadMediaType,
    Detail,
    IdempotencyConflict,
    MarkingRefused,
    NotFound,
    StaleVersion,
    VersionConflict,
)
from gateway.evidence import Caller, Event
from gateway.feedback import Acknowledge, Tell, Tellings, feedback_recipient, find_words
from gateway.intake import Offer, Submission, offers, stamped
from gateway.london import day_of
from gateway.profiles import read_by
from gateway.referral_change import ChangeReferral, Move
from gateway.searching import Search
from gateway.services import Services
from gateway.setting_aside import Beside, set_aside, told_of
from gateway.store import tables
from gateway.store.journal import Committed
from gateway.taking import Answer, TakeIn, Taken
from gateway.telling import words
from gateway.unchanged import Unchanged
from gateway.under_agreement import decided, log_of, standing_of


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
        today = day_of(datetime.now(UTC))
        profile = services.profiles.choose(caller.profiles, media_type, today, body, services.limits)
        reading = await read_by(profile, body, services.limits)
    except Unreadable as unreadable:
        raise await set_aside(services, submission, *told_of(unreadable), beside) from unreadable
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
        content = standing.content
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
    """What hand_out answers: what was found, and the receipt of each referral in it, or of the empty answer.

    `given` is False where it was sealed as confirmed and not as disclosed: then nothing of it may be sent.
    """

    found: Found
    receipts: tuple[Receipt, ...]
    log_id: str
    given: bool = True


async def hand_out(
    services: Services,
    library: Reader,
    caller: Caller,
    search: Search,
    reason: str | None,
    held: Callable[[fhir.Written], bool] | None = None,
) -> Page:
    """NHS pulls. Raises NotPermitted, BadParameter, Busy, NotSealed; nothing found is an answer, not an error.

    `held` says whether the caller has the one resource found already, or wants no content: it is then not given again.
    """
    log_id = await log_of(services, caller)

    async def attempt() -> Page:
        # 1. Who asks: a recipient of the agreement, with the person it wants named.
        standing = await standing_of(services, log_id)
        check_recipient(standing, caller)

        # 2. Find the team's referrals; decide each again on its facts; minimise and write what may leave.
        def find(connection: Connection) -> Found:
            return library.find(connection, caller, search, standing, log_id, datetime.now(UTC))

        found = await services.database.read(find)

        # 3. Seal each disclosure, or that there was nothing, or that nothing need be sent; only then let it leave.
        one = found.opened[0].matches[0] if found.opened else None
        given = held is None or one is None or not held(one)
        unit = (Disclose if given else Unchanged)(found, search, caller, standing, reason)
        committed = await services.journals.of(log_id).submit(unit)

        # 4. Answer with the receipts.
        return Page(found, committed.receipts, log_id, given)

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
    """NHS → police, as a Task that was changed. `if_match` says whether a version is the one the caller read.

    Raises NotFound, VersionConflict, FhirRefused, TransitionRefused, NotPermitted, Busy, NotSealed.
    """

    def asked(current: dict[str, Any]) -> fhir.TaskChange:
        return fhir.task_change(current, body, media_type)

    return await change_referral(services, library, caller, task_id, asked, if_match)


async def change_referral(
    services: Services,
    library: Reader,
    caller: Caller,
    task_id: str,
    asked: Callable[[dict[str, Any]], fhir.TaskChange],
    if_match: Callable[[int], bool] = lambda _: True,
) -> Page:
    """NHS → police, however it is said: `asked` reads from the Task as it stands what is to change. Raises the same."""
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

        # 2. Read the change (the adapter knows its format) and follow the state machine.
        change = asked(orjson.loads(opened.matches[0].body))
        status, state = library.standing_of(opened)
        step = casework.step(status, state, change, caller.role, datetime.now(UTC), fresh_id())

        # 3. Keep the change, what it was, and the words to police; seal; only then answer.
        kept = words(
            step,
            organisation=caller.organisation,
            system=caller.client,
            log_id=log_id,
            area=opened.row.area,
            records=services.records,
        )
        done = tuple(plain(one) for one in happened((status, state), step, datetime.now(UTC)))
        move = Move(Event.REFERRAL_CHANGED, step, kept, done, (("types", "Task"),))
        assigned = caller.user if step.status in casework.ACCEPTING else None
        unit = ChangeReferral(
            opened.row, (move,), assigned, opened.decision, opened.facts, caller, standing, services.records
        )
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
