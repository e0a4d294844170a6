"""Beside the road: what people do about a case that no machine may decide for them.

    break_glass         a denial is overridden because a life is at risk
    change_consent      the victim says something else of sharing
    record_oral         what was said at the scene or by phone, recorded afterwards
    declare_connection  whoever knows a party no longer sees the case
    read_notices        what a recipient is told, and that it has taken it

Each is sealed before it answers, like every step of the road (`journey.py`).

Source: domain.md sections 4.1 (step 2), 4.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Row, select

from audit.receipt import Receipt
from gateway.break_glass import Emergency, OpenBreakGlass
from gateway.break_glass import Opened as OpenedGlass
from gateway.callers import check_named, check_recipient
from gateway.casework.acts import CONSENT
from gateway.casework.effects import Happened
from gateway.casework.keeping import prepare
from gateway.consent import ChangeConsent
from gateway.decide import Facts
from gateway.disclosure import Disclose, Opened, Reader
from gateway.errors import NotFound, NotPermitted, Unprocessable
from gateway.evidence import Caller, Event
from gateway.feedback import FEEDBACK, told_facts
from gateway.nothing_given import Missed
from gateway.notices import AcknowledgeNotice, ReadNotices
from gateway.once import Once
from gateway.oral import RecordOral, Said, purpose_to
from gateway.searching import Search
from gateway.services import Services
from gateway.store import tables
from gateway.store.journal import Committed
from gateway.ties import MarkStaff, marks_of
from gateway.under_agreement import decided, log_of, standing_of
from mappings.record import ConsentState, RecordKind

REFUSED = {
    "review-outstanding": "an earlier emergency of yours has not been reviewed; until then you cannot open another",
    "no-emergency-clause": "no emergency clause of the agreement covers this",
    "not-needed": "the agreement lets you see this case; there is nothing to override",
}
"""Why breaking the glass is refused, in words."""


async def break_glass(services: Services, caller: Caller, emergency: Emergency) -> tuple[OpenedGlass, Receipt]:
    """Open a case in an emergency. Raises NotFound, NotPermitted, Busy, NotSealed; each is sealed."""
    log_id = await log_of(services, caller)

    async def attempt() -> Committed[OpenedGlass | str | None]:
        standing = await standing_of(services, log_id)
        check_recipient(standing, caller)
        check_named(caller)
        return await services.journals.of(log_id).submit(OpenBreakGlass(emergency, caller, standing))

    committed = await decided(services, caller, log_id, attempt)
    if committed.value is None:
        raise NotFound("there is no such referral")
    if isinstance(committed.value, str):
        raise NotPermitted(REFUSED[committed.value], reason=committed.value)
    return committed.value, committed.receipt


@dataclass(frozen=True, slots=True)
class Heard:
    """What change_consent answers: the act that the history calls it by, how many recipients are told, the receipt."""

    act: str
    told: int
    receipt: Receipt


async def change_consent(
    services: Services,
    library: Reader,
    caller: Caller,
    task_id: str,
    state: ConsentState,
    reason: str | None,
    once: bytes | None = None,
) -> Heard:
    """Record what the victim says now. Raises NotFound, Busy, NotSealed.

    `once` names the request, so that its repeat does nothing: AlreadyAnswered.
    """
    log_id = await log_of(services, caller)
    search = Search(types=("Task",), ids=(task_id,), event=Event.REFERRAL_READ)

    async def attempt() -> Heard:
        opened = await _open_case(services, library, caller, log_id, search)
        standing = await standing_of(services, log_id)
        said = prepare(Happened(CONSENT, datetime.now(UTC), {"state": state.value}, {}), services.keyring)
        unit = ChangeConsent(opened.row, opened.facts, state, reason, caller, standing, said)
        committed = await services.journals.of(log_id).submit(Once(unit, once) if once else unit)
        return Heard(said.id, committed.value, committed.receipt)

    return await decided(services, caller, log_id, attempt)


async def declare_connection(services: Services, library: Reader, caller: Caller, task_id: str) -> Receipt:
    """Declare that one knows a party of a case: it is closed to this person from here on. Raises NotFound."""
    log_id = await log_of(services, caller)
    search = Search(types=("Task",), ids=(task_id,), event=Event.REFERRAL_READ)

    async def attempt() -> Committed[int]:
        check_named(caller)
        opened = await _open_case(services, library, caller, log_id, search)
        marks = marks_of(services.keyring, case=opened.row.event_id)
        unit = MarkStaff(caller.user or "", marks, caller, Event.CONNECTION_DECLARED, opened.row.id)
        return await services.journals.of(log_id).submit(unit)

    return (await decided(services, caller, log_id, attempt)).receipt


async def record_oral(
    services: Services, caller: Caller, reference: str, subject: str | None, said: Said, once: bytes | None = None
) -> tuple[int, Receipt]:
    """Record a spoken disclosure of a team's own referral, or of a force's own incident.

    Returns how many of the items no clause would have released. `once` names the request, so that its repeat does
    nothing: AlreadyAnswered. Raises NotFound, Unprocessable, Busy, NotSealed.
    """
    log_id = await log_of(services, caller)

    async def attempt() -> Committed[int]:
        check_named(caller)
        standing = await standing_of(services, log_id)
        row = await services.database.read(lambda c: _own_case(c, log_id, caller, reference, subject))
        if row is None:
            await services.journals.of(log_id).submit(Missed(caller, Event.ORAL_DISCLOSURE))
            raise NotFound("there is no such referral or incident")
        purpose = said.purpose or purpose_to(standing, caller.organisation, said.recipient)
        known = standing.terms.agreement.content.recipient(said.recipient) if standing.terms else None
        if purpose is None or known is None:
            raise Unprocessable("the agreement has no flow from this organisation to that recipient")
        facts = _said_facts(Facts.from_json(orjson.loads(row.facts)), caller, said, purpose)
        own = (row.organisation, row.team) == (caller.organisation, caller.recipient)
        kept = prepare(said.happened, services.keyring) if own else None
        unit = RecordOral(replace(said, purpose=purpose), row, facts, caller, standing, kept)
        return await services.journals.of(log_id).submit(Once(unit, once) if once else unit)

    committed = await decided(services, caller, log_id, attempt)
    return committed.value, committed.receipt


async def read_notices(
    services: Services, caller: Caller, after: int, limit: int, *, open_only: bool
) -> tuple[Sequence[Row[Any]], Sequence[Receipt]]:
    """What a caller is told. Raises Busy, NotSealed."""
    log_id = await log_of(services, caller)
    standing = await standing_of(services, log_id)
    unit = ReadNotices(caller, standing, after, limit, open_only)
    committed = await services.journals.of(log_id).submit(unit)
    return committed.value, committed.receipts


async def acknowledge_notice(services: Services, caller: Caller, notice_id: str) -> Receipt:
    """Take a notice. Raises NotFound (sealed), Busy, NotSealed."""
    log_id = await log_of(services, caller)
    committed = await services.journals.of(log_id).submit(AcknowledgeNotice(notice_id, caller))
    if not committed.value:
        raise NotFound("there is no such notice")
    return committed.receipt


async def _open_case(services: Services, library: Reader, caller: Caller, log_id: str, search: Search) -> Opened:
    """The one referral a search names, as far as the caller may see it. Raises NotFound, sealed."""
    standing = await standing_of(services, log_id)
    check_recipient(standing, caller)
    found = await services.database.read(lambda c: library.find(c, caller, search, standing, log_id, datetime.now(UTC)))
    if not found.opened:
        await services.journals.of(log_id).submit(Disclose(found, search, caller, standing))
        raise NotFound("there is no such referral")
    return found.opened[0]


def _own_case(
    connection: Connection, log_id: str, caller: Caller, reference: str, subject: str | None
) -> Row[Any] | None:
    """The referral a caller speaks of: its team's own, or, for a force, one of its own incident."""
    table = tables.referral
    query = select(table).where(table.c.log_id == log_id)
    if caller.recipient is not None and caller.organisation != _force_of(connection, log_id, reference):
        query = query.where(
            table.c.id == reference, table.c.team == caller.recipient, table.c.organisation == caller.organisation
        )
    else:
        query = query.where(table.c.event_id == reference, table.c.force == caller.organisation)
    if subject is not None:
        query = query.where(table.c.victim == subject)
    return connection.execute(query.order_by(table.c.victim, table.c.team).limit(1)).one_or_none()


def _force_of(connection: Connection, log_id: str, reference: str) -> str | None:
    table = tables.referral
    query = select(table.c.force).where(table.c.log_id == log_id, table.c.event_id == reference).limit(1)
    return connection.execute(query).scalar()


def _said_facts(facts: Facts, caller: Caller, said: Said, purpose: str) -> Facts:
    """The facts a spoken disclosure is compared with the agreement on: of the items that were said."""
    items = tuple(sorted(said.items))
    if purpose == FEEDBACK:
        word = replace(facts, kind=RecordKind.STATUS.value, source=caller.organisation, consent=None, items=items)
        return told_facts(word, facts)
    return replace(facts, source=caller.organisation, items=items)
