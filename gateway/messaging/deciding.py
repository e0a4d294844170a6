"""A team reads what a hospital proposes for its case, and decides: a person uses it, or does not.

What is shown is what the agreement releases of it to the team, sealed first. The gateway changes no record by it: what
is used the team enters in its own system, and the log says who decided. A case of another team is as good as none (P8).

Source: domain.md sections 2.9, 3.9 (a conduit, not a record).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import Connection, Row, bindparam, select, update

from audit.entry import Entry, Operation, Outcome
from audit.receipt import Receipt
from gateway.callers import check_named, check_recipient
from gateway.decide import Outcome as Permitted
from gateway.decide import decide_on
from gateway.disclosure import Disclose, Found, Opened, Reader
from gateway.errors import NotFound
from gateway.evidence import Caller, Event, act
from gateway.intake import SAFEGUARDING
from gateway.messages.change import proposal_name
from gateway.searching import Search
from gateway.services import Services
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.store.envelope import Envelope
from gateway.store.journal import Committed
from gateway.store.records import subject_of
from gateway.terms import Standing, agreement_ref
from gateway.under_agreement import decided, log_of, standing_of


class Decision(StrEnum):
    """What a person decides of a proposal."""

    USED = "used"
    NOT_USED = "not-used"


@dataclass(frozen=True, slots=True)
class Shown:
    """A proposal as a person sees it. `says` has names, birth, addresses, contacts, deceased, as far as they differ.

    `suppressed`: an address or a contact was left out, for she is restricted. No contact in it is said to be safe.
    """

    id: str
    opened_at: str
    suppressed: bool
    says: dict[str, Any]


async def read_proposals(
    services: Services, library: Reader, caller: Caller, referral_id: str
) -> tuple[Sequence[Shown], Receipt]:
    """The proposals that wait for a decision on a case. Raises NotFound, NotPermitted, Busy, NotSealed."""
    log_id = await log_of(services, caller)

    async def attempt() -> Committed[tuple[Shown, ...]]:
        standing, opened = await _own_case(services, library, caller, log_id, referral_id)
        unit = _ReadProposals(opened, caller, standing, Envelope(services.keyring.vault_key))
        return await services.journals.of(log_id).submit(unit)

    committed = await decided(services, caller, log_id, attempt)
    return committed.value, committed.receipt


async def decide_proposal(
    services: Services, library: Reader, caller: Caller, referral_id: str, proposal_id: str, decision: Decision
) -> Receipt:
    """Note what a person decides. Raises NotFound where none of that id waits, NotPermitted, Busy, NotSealed."""
    log_id = await log_of(services, caller)

    async def attempt() -> Committed[bool]:
        standing, opened = await _own_case(services, library, caller, log_id, referral_id)
        return await services.journals.of(log_id).submit(_Decide(opened, proposal_id, decision, caller, standing))

    committed = await decided(services, caller, log_id, attempt)
    if not committed.value:
        raise NotFound("there is no such proposal that waits")
    return committed.receipt


async def _own_case(
    services: Services, library: Reader, caller: Caller, log_id: str, referral_id: str
) -> tuple[Standing, Opened]:
    standing = await standing_of(services, log_id)
    check_named(caller)
    check_recipient(standing, caller)
    search = Search(types=("Task",), ids=(referral_id,), event=Event.REFERRAL_READ)

    def find(connection: Connection) -> Found:
        return library.find(connection, caller, search, standing, log_id, datetime.now(UTC))

    found = await services.database.read(find)
    if not found.opened:
        await services.journals.of(log_id).submit(Disclose(found, search, caller, standing))
        raise NotFound("there is no such referral")
    return standing, found.opened[0]


@dataclass(frozen=True, slots=True)
class _ReadProposals(Unit[tuple[Shown, ...]]):
    """Show what waits, sealed as a disclosure to the team."""

    opened: Opened
    caller: Caller
    standing: Standing
    envelope: Envelope

    @property
    def referrals(self) -> Sequence[str]:
        """The case."""
        return (self.opened.row.id,)

    def apply(self, batch: Batch) -> tuple[Shown, ...]:
        self.standing.check(batch)
        batch.same_referral(self.opened.row.id, self.opened.row.version)
        row = self.opened.row
        rows = batch.read(_WAITING, {"log": batch.log_id, "referral": row.id})
        facts = replace(self.opened.facts, items=tuple(sorted(_ITEMS.values())))
        ruled = decide_on(facts, row.team, SAFEGUARDING, self.standing.terms, batch.now)
        permitted = ruled.outcome is Permitted.PERMITTED
        entry = act(
            Event.DEMOGRAPHICS_READ,
            Operation.DISCLOSURE,
            at=batch.at,
            caller=self.caller,
            outcome=Outcome.PERMITTED if permitted else Outcome.DENIED,
            decision=ruled,
            facts=facts,
            subjects=(subject_of(row.record_id, row.victim),),
            record=row.record_id,
            case=row.id,
            detail={"proposals": len(rows)},
        )
        batch.seal(entry)
        released = frozenset(ruled.released) if permitted else frozenset()
        return tuple(self._shown(one, released) for one in rows) if permitted else ()

    def _shown(self, row: Row[Any], released: frozenset[str]) -> Shown:
        plain = orjson.loads(self.envelope.open(row.content, row.content_key, proposal_name(row.id)))
        says = {name: value for name, value in plain.items() if _ITEMS[name] in released}
        return Shown(row.id, row.opened_at, bool(row.suppressed), says)


@dataclass(frozen=True, slots=True)
class _Decide(Unit[bool]):
    """Note a decision; False where there is no such proposal that waits."""

    opened: Opened
    proposal_id: str
    decision: Decision
    caller: Caller
    standing: Standing

    def apply(self, batch: Batch) -> bool:
        rows = batch.read(_WAITING, {"log": batch.log_id, "referral": self.opened.row.id})
        if self.proposal_id not in {row.id for row in rows}:
            batch.seal(self._entry(batch, outcome=Outcome.FAILED, reason="not-found"))
            return False
        decided_by = {"by": self.caller.user, "decision": self.decision.value}
        batch.update(_DECIDE, {"of": self.proposal_id, "at": batch.at, **decided_by})
        batch.seal(self._entry(batch, outcome=Outcome.PERMITTED, reason=self.decision.value))
        return True

    def _entry(self, batch: Batch, *, outcome: Outcome, reason: str) -> Entry:
        row, terms = self.opened.row, self.standing.terms
        return act(
            Event.DEMOGRAPHICS_DECIDED,
            Operation.ALTERATION,
            at=batch.at,
            caller=self.caller,
            outcome=outcome,
            agreement=agreement_ref(terms.agreement) if terms else None,
            subjects=(subject_of(row.record_id, row.victim),),
            record=row.record_id,
            case=row.id,
            reason=reason,
            detail={"proposal": self.proposal_id} if outcome is Outcome.PERMITTED else None,
        )


_ITEMS: Mapping[str, str] = {
    "names": "victim.name",
    "birth": "victim.birth",
    "addresses": "victim.home_address",
    "contacts": "victim.contact",
    "deceased": "victim.presence",
}
"""The data item each field of a proposal is: the agreement releases it to the team, or it is not shown."""

_t, _k = tables.demographic_change, tables.data_key
_WAITING = (
    select(_t.c.id, _t.c.opened_at, _t.c.suppressed, _t.c.content, _k.c.content_key)
    .join(_k, _k.c.id == _t.c.id)
    .where(
        _t.c.log_id == bindparam("log"),
        _t.c.referral_id == bindparam("referral"),
        _t.c.decided_at.is_(None),
        _t.c.erased_at.is_(None),
    )
    .order_by(_t.c.opened_at, _t.c.id)
)
_DECIDE = (
    update(_t)
    .where(_t.c.id == bindparam("of"))
    .values(decided_at=bindparam("at"), decided_by=bindparam("by"), decision=bindparam("decision"))
)
