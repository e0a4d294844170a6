"""Police ask: a request is kept and put before the hospital's people, or refused at the door; sealed either way.

Source: domain.md section 3.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row, bindparam, select

from audit.entry import Operation, Outcome, Recipient, timestamp
from audit.receipt import Receipt
from gateway.agreement import Status
from gateway.agreement.flows import Flow
from gateway.callers import check_named
from gateway.chance import fresh_id
from gateway.clock import clock
from gateway.decision import Reason
from gateway.errors import Detail, IdempotencyConflict, NotPermitted, Unprocessable
from gateway.evidence import Caller, Event, act
from gateway.informing import VICTIM_INFORMATION
from gateway.informing.request import Ask, askable_items, asking_recipient
from gateway.notices import Kind, Matter, tell
from gateway.quarantine import owner_named
from gateway.services import Services
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.store.envelope import Envelope, Sealed
from gateway.store.journal import Committed
from gateway.store.records import subject_of
from gateway.terms import Standing
from gateway.under_agreement import decided, log_of, missed, standing_of

ANSWER_WITHIN = clock("10 working days")  # no period is in force (domain.md 3.6); a fortnight lets a person ask her


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was kept: its id, who answers it, and until when."""

    id: str
    owner: str
    due_at: str
    known: bool = False


async def ask(services: Services, caller: Caller, wanted: Ask, idempotency_key: str | None) -> tuple[Asked, Receipt]:
    """Keep a request and put it before the hospital's people.

    Raises NotPermitted, NotFound, Unprocessable (with every place at fault), IdempotencyConflict, Busy, NotSealed; each
    refusal is sealed.
    """
    log_id = await log_of(services, caller)
    id_ = fresh_id()
    content = wanted.content()
    sealed = Envelope(services.keyring.content_key).seal(content, request_name(id_))
    blind = services.keyring.blind
    claim = blind("information-request", f"{caller.client}|{idempotency_key}") if idempotency_key else None
    body = services.keyring.payload_hash(content)

    async def attempt() -> Committed[Asked | Refused | None]:
        standing = await standing_of(services, log_id)
        check_named(caller)
        if asking_recipient(standing.terms, caller.organisation) is None:
            raise NotPermitted("the agreement has no victim information requests for this force", reason="no-flow")
        duty = services.settings.duty_contact
        unit = KeepRequest(id_, wanted, sealed, claim, body, duty, caller, standing)
        return await services.journals.of(log_id).submit(unit)

    committed = await decided(services, caller, log_id, attempt)
    found = committed.value
    if found is None:
        raise await missed(services, caller, log_id, Event.INFORMATION_REQUESTED, "there is no such referral")
    if isinstance(found, Refused):
        if not found.details:
            raise IdempotencyConflict("this key was used for another request")
        raise Unprocessable("the request is refused: see the places named", details=found.details)
    return found, committed.receipt


def request_name(id_: str) -> str:
    """What a request is sealed for, so that it opens nowhere else."""
    return f"information-request.content|{id_}"


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that was refused and sealed as such; without details, its key was used for another one."""

    details: tuple[Detail, ...] = ()


@dataclass(frozen=True, slots=True)
class KeepRequest(Unit[Asked | Refused | None]):
    """Keep a request, or refuse it, sealed; None where there is no such referral of this force."""

    id: str
    wanted: Ask
    content: Sealed
    key: bytes | None
    body: str
    duty: str
    caller: Caller
    standing: Standing

    @property
    def claims(self) -> Sequence[bytes]:  # type: ignore[override]  # a value computed from the fields
        """The name of the request."""
        return (self.key,) if self.key is not None else ()

    def apply(self, batch: Batch) -> Asked | Refused | None:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        asked = {"log": batch.log_id, "id": self.wanted.referral, "own": self.caller.organisation}
        row = next(iter(batch.read(_REFERRAL, asked)), None)
        if row is None or self.standing.terms is None:
            return None
        before = batch.owner(self.key) if self.key is not None else None
        if before is not None:
            return self._again(batch, row, orjson.loads(before))
        terms = self.standing.terms
        recipient = asking_recipient(terms, self.caller.organisation) or ""
        flow, items = askable_items(terms, recipient, row.organisation)
        faults = [Detail("referral", "no-flow", "its hospital answers no such requests here")]
        if flow is not None:
            faults = list(self.wanted.faults(flow, items))
        if terms.standing(batch.now).status is not Status.IN_FORCE:
            faults = [Detail("", Reason.NO_AGREEMENT.value, "no agreement is in force")]
        if faults or flow is None:
            self._seal(batch, row, Event.INFORMATION_REQUEST_REFUSED, faults[0].code)
            return Refused(tuple(faults))
        return self._keep(batch, row, flow)

    def _again(self, batch: Batch, row: Row[Any], known: dict[str, str]) -> Asked | Refused:
        same = known["body"] == self.body
        event = Event.INFORMATION_REQUESTED if same else Event.INFORMATION_REQUEST_REFUSED
        self._seal(batch, row, event, "repeated" if same else "another-body")
        return Asked(known["id"], known["owner"], known["due_at"], known=True) if same else Refused()

    def _keep(self, batch: Batch, row: Row[Any], flow: Flow) -> Asked:
        content = self.standing.content
        closed = frozenset(content.clocks.closed) if content else frozenset()
        due = ANSWER_WITHIN.from_(batch.now, closed)
        owner = owner_named(content, flow.register_.owner, self.duty)
        found = Asked(self.id, owner, timestamp(due))
        if self.key is not None:
            known = {"id": self.id, "owner": owner, "due_at": found.due_at, "body": self.body}
            batch.claim(self.key, orjson.dumps(known))
        self._write(batch, row, found)
        self._seal(batch, row, Event.INFORMATION_REQUESTED, None)
        self._tell(batch, row, due)
        return found

    def _write(self, batch: Batch, row: Row[Any], found: Asked) -> None:
        batch.insert(tables.data_key, {"id": self.id, "content_key": self.content.key, "vault_key": None})
        batch.insert(
            tables.information_request,
            {
                "id": self.id,
                "log_id": batch.log_id,
                "force": self.caller.organisation,
                "client": self.caller.client,
                "user_id": self.caller.who,
                "role": self.caller.role,
                "organisation": row.organisation,
                "team": row.team,
                "referral_id": row.id,
                "event_id": row.event_id,
                "content": self.content.content,
                "owner": found.owner,
                "created_at": batch.at,
                "due_at": found.due_at,
            },
        )
        for number, one in enumerate(self.wanted.items, 1):
            item = {"request_id": self.id, "number": number, "log_id": batch.log_id, "item": one.item, "state": "open"}
            batch.insert(tables.information_item, item)

    def _tell(self, batch: Batch, row: Row[Any], due: datetime) -> None:
        matter = Matter(Kind.INFORMATION_REQUESTED, row.event_id, row.id, None, VICTIM_INFORMATION)
        to = (Recipient(row.organisation, row.team),)
        tell(batch, matter, to, due=due, caller=self.caller, agreement=self.standing.agreement)

    def _seal(self, batch: Batch, row: Row[Any], event: Event, reason: str | None) -> None:
        refused = event is Event.INFORMATION_REQUEST_REFUSED
        entry = act(
            event,
            Operation.COLLECTION,
            at=batch.at,
            caller=self.caller,
            outcome=Outcome.DENIED if refused else Outcome.PERMITTED,
            agreement=self.standing.agreement_ref,
            subjects=(subject_of(row.record_id, row.victim),),
            record=row.record_id,
            case=row.id,
            reason=reason,
            payload=None if refused else self.body,
            detail={"request": self.id, "items": len(self.wanted.items)},
        )
        batch.seal(entry)


_r = tables.referral
_REFERRAL = select(_r).where(
    _r.c.log_id == bindparam("log"),
    _r.c.id == bindparam("id"),
    _r.c.force == bindparam("own"),
    _r.c.erased_at.is_(None),
)
