"""Police pull what may go to them: who asks, find and decide again, seal, answer; and they acknowledge what they took.

The steps are the same for hospitals' notices (`gateway.hospital.pulling`) and for what became of requests
(`gateway.informing.reading`). What lies in the feed, what of it may go, and what must not have changed until it is
sealed is each one's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import Connection, Row

from audit.entry import Operation, Recipient
from audit.receipt import Receipt
from gateway.agreement import Terms
from gateway.callers import check_person
from gateway.decide import Decision, Facts
from gateway.evidence import Caller, Event, act
from gateway.feeds import Page
from gateway.sealing import decided_again
from gateway.services import Services
from gateway.store.batch import Batch, Unit
from gateway.store.journal import Committed
from gateway.store.records import Records, subject_of
from gateway.terms import Standing
from gateway.under_agreement import decided, log_of, standing_of
from mappings.record import Record


class Judged(Protocol):
    """One thing of a feed: decided and minimised; `record` None says that it is gone, or was never there to give."""

    @property
    def row(self) -> Row[Any]:
        """As it lies in the feed; it names its `seq`, its `record_id` and its `victim`."""

    @property
    def facts(self) -> Facts:
        """What was decided on."""

    @property
    def decision(self) -> Decision:
        """What was decided."""

    @property
    def record(self) -> Record | None:
        """What may go of its content."""


T = TypeVar("T", bound=Judged)
RecipientOf = Callable[[Terms | None, str], str | None]
"""Which recipient of an agreement an organisation asks as; None where there is none."""


@dataclass(frozen=True, slots=True)
class Asking:
    """One reading: who asks, under what, where."""

    connection: Connection
    records: Records
    caller: Caller
    standing: Standing
    log_id: str
    recipient: str


@dataclass(frozen=True, slots=True)
class Pulled(Generic[T]):
    """What a reading answers: the page, the receipts, and the log they are of."""

    page: Page[T]
    receipts: tuple[Receipt, ...]
    log_id: str


async def pull(
    services: Services,
    caller: Caller,
    recipient_of: RecipientOf,
    find: Callable[[Asking], Page[T]],
    sealing: Callable[[Page[T], Standing], Unit[None]],
) -> Pulled[T]:
    """A page for a force. Raises NotPermitted, Busy, NotSealed."""
    log_id = await log_of(services, caller)

    async def attempt() -> Pulled[T]:
        # 1. Who asks: a police recipient of the agreement, with the person it wants named.
        standing = await standing_of(services, log_id)
        recipient = recipient_of(standing.terms, caller.organisation)
        check_person(standing, recipient, caller)

        # 2. Find what is the force's, decide each again for this person, minimise.
        def found(connection: Connection) -> Page[T]:
            return find(Asking(connection, services.records, caller, standing, log_id, recipient or ""))

        page = await services.database.read(found)

        # 3. Seal each disclosure, or that there was nothing; then answer.
        committed = await services.journals.of(log_id).submit(sealing(page, standing))
        return Pulled(page, committed.receipts, log_id)

    return await decided(services, caller, log_id, attempt)


async def acknowledge(
    services: Services,
    caller: Caller,
    recipient_of: RecipientOf,
    noting: Callable[[str, Standing], Unit[int]],
) -> tuple[int, Receipt]:
    """Note what a force has taken; returns how many that were. Raises NotPermitted, Busy, NotSealed."""
    log_id = await log_of(services, caller)

    async def attempt() -> Committed[int]:
        standing = await standing_of(services, log_id)
        recipient = recipient_of(standing.terms, caller.organisation)
        check_person(standing, recipient, caller)
        return await services.journals.of(log_id).submit(noting(recipient or "", standing))

    committed = await decided(services, caller, log_id, attempt)
    return committed.value, committed.receipt


@dataclass(frozen=True, slots=True)
class Leaving:
    """How the leaving of one thing is sealed: beside the decision, what it is and where it belongs."""

    event: Event
    record: str | None
    case: str
    reason: str | None
    detail: Mapping[str, str | int]
    mapping: str | None = None


def seal(batch: Batch, caller: Caller, standing: Standing, one: Judged, how: Leaving) -> None:
    """Decide once more at the instant of sealing, and seal that it leaves. Raises DecideAgain."""
    decision = decided_again(one.facts, one.decision, standing.terms, batch.now)
    given = one.record is not None
    entry = act(
        how.event,
        Operation.DISCLOSURE,
        at=batch.at,
        caller=caller,
        decision=decision if given else None,
        facts=one.facts,
        agreement=standing.agreement_ref,
        subjects=(subject_of(one.row.record_id, one.row.victim),),
        record=how.record,
        case=how.case,
        reason=how.reason,
        mapping=how.mapping,
        detail=how.detail,
    )
    to = (Recipient(decision.organisation or "", decision.recipient),)
    batch.seal(entry if given else entry._replace(recipients=to))
