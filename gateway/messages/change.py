"""What a hospital knows otherwise than the record, held as a proposal: a person of the team decides what is used.

Nothing of a record is ever overwritten by a message, its safe addresses and contacts least of all: what a hospital's
system calls home may be where the suspect lives. Of a restricted patient neither address nor contact is kept, whoever
said that she is restricted. A proposal takes the place of the one that waits; the team is told once. Messages overtake
one another: what was recorded before the last proposal of the case, waiting or decided, proposes nothing.

Source: domain.md sections 2.6 (restricted), 2.9 (ADT), 4.4 (contacts), 4.5 (N8).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import bindparam, select, update

from audit.entry import Operation, Recipient, timestamp
from gateway.chance import fresh_id
from gateway.evidence import Caller, Event, act
from gateway.keys import Keyring
from gateway.messages.keeping import Became
from gateway.messages.known import Case, families
from gateway.messages.merging import Learned, learn
from gateway.notices import Kind, Matter, due_by_grade, tell
from gateway.store import tables
from gateway.store.batch import Batch
from gateway.store.envelope import Envelope, Sealed
from gateway.store.records import address_key
from gateway.terms import Standing, agreement_ref
from mappings.record import Person

SUPERSEDED = "superseded"
"""The decision on a proposal that a later one took the place of."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is otherwise, for one case: the names of the fields lie open, what they say encrypted.

    `suppressed` says that an address or a contact was left out because the patient is restricted.
    """

    id: str
    case: Case
    fields: tuple[str, ...]
    suppressed: bool
    digest: str
    content: Sealed


def proposal(keyring: Keyring, case: Case, held: Person, said: Person, *, restricted: bool) -> Proposal | None:
    """What a hospital says of a victim and her record does not; None where there is nothing."""
    found = otherwise(held, said)
    suppressed = False
    if restricted or case.row.label is not None:
        suppressed = not found.keys().isdisjoint(_WHERE)
        found = {name: value for name, value in found.items() if name not in _WHERE}
    if not found and not suppressed:
        return None
    plain = orjson.dumps(found)
    id_ = fresh_id()
    sealed = Envelope(keyring.vault_key).seal(plain, proposal_name(id_))
    return Proposal(id_, case, tuple(sorted(found)), suppressed, keyring.payload_hash(plain), sealed)


def otherwise(held: Person, said: Person) -> dict[str, Any]:
    """The fields that are said and not held, each as JSON says it. What is not said is no difference."""
    found: dict[str, Any] = {}
    names = {(name, given) for name in families(held) for given in _firsts(held)}
    if said.names and names.isdisjoint((name, given) for name in families(said) for given in _firsts(said)):
        found["names"] = _json(said.names)
    born = said.birth.on if said.birth else None
    if born is not None and born != (held.birth.on if held.birth else None):
        found["birth"] = born.isoformat()
    known = {address_key(one.lines[:1], one.postcode) for one in held.addresses}
    moved = [one for one in said.addresses if address_key(one.lines[:1], one.postcode) not in known]
    if moved:
        found["addresses"] = _json(moved)
    reached = {one.value for one in held.contacts}
    ways = [one for one in said.contacts if one.value not in reached]
    if ways:
        found["contacts"] = _json(ways)
    if said.deceased and not held.deceased:
        found["deceased"] = True
    return found


def proposal_name(id_: str) -> str:
    """What a proposal is sealed for, so that it opens nowhere else."""
    return f"demographic-change.content|{id_}"


@dataclass(frozen=True, slots=True)
class Propose:
    """Hold what is otherwise for each case, and note under which numbers she is known as well.

    `said_at` is when the hospital recorded it; None where it does not say, and then it is taken for new.
    """

    proposals: tuple[Proposal, ...]
    learned: tuple[Learned, ...]
    caller: Caller
    standing: Standing
    said_at: datetime | None = None

    @property
    def referrals(self) -> Sequence[str]:
        """The cases."""
        return sorted({one.case.row.id for one in self.proposals} | {one.case.row.id for one in self.learned})

    def apply(self, batch: Batch, message_id: str) -> Became:
        """Read what waits, then write and seal."""
        self.standing.check(batch)
        ids = [one.case.row.id for one in self.proposals]
        waiting = batch.read(_WAITING, {"of": ids}) if ids else ()
        same = {(row.referral_id, row.digest) for row in waiting}
        older = self._older(batch, ids)
        mine = [one for one in self.proposals if one.case.row.id not in older]
        fresh = [one for one in mine if (one.case.row.id, one.digest) not in same]
        learn(batch, self.learned, self.caller, self.standing, "message-names-both", message_id)
        told = {row.referral_id for row in waiting}
        for one in fresh:
            batch.same_referral(one.case.row.id, one.case.row.version)
            if one.case.row.id in told:
                batch.update(_SUPERSEDE, {"of": one.case.row.id, "but": one.id, "at": batch.at})
            self._write(batch, one, message_id)
            if one.case.row.id not in told:
                self._tell(batch, one.case)
        return Became.PROPOSED if fresh else Became.OLDER if older else Became.NOTHING_NEW

    def _older(self, batch: Batch, ids: Sequence[str]) -> set[str]:
        """The cases of which something was proposed that the hospital recorded later."""
        if self.said_at is None or not ids:
            return set()
        later = batch.read(_LATER, {"of": ids, "at": timestamp(self.said_at)})
        return {row.referral_id for row in later}

    def _write(self, batch: Batch, one: Proposal, message_id: str) -> None:
        row = one.case.row
        batch.insert(tables.data_key, {"id": one.id, "content_key": one.content.key, "vault_key": None})
        batch.insert(
            tables.demographic_change,
            {
                "id": one.id,
                "log_id": batch.log_id,
                "referral_id": row.id,
                "event_id": row.event_id,
                "organisation": row.organisation,
                "team": row.team,
                "message_id": message_id,
                "fields": ",".join(one.fields),
                "suppressed": int(one.suppressed),
                "digest": one.digest,
                "content": one.content.content,
                "opened_at": batch.at,
                "said_at": timestamp(self.said_at) if self.said_at else None,
            },
        )
        detail: dict[str, str | int] = {"proposal": one.id, "message": message_id, "fields": ",".join(one.fields)}
        batch.seal(
            act(
                Event.DEMOGRAPHICS_PROPOSED,
                Operation.ALTERATION,
                at=batch.at,
                caller=self.caller,
                agreement=agreement_ref(self.standing.terms.agreement) if self.standing.terms else None,
                subjects=(one.case.subject,),
                record=row.record_id,
                case=row.id,
                payload=one.digest,
                detail={**detail, "suppressed": int(one.suppressed)},
            )
        )

    def _tell(self, batch: Batch, case: Case) -> None:
        row, terms = case.row, self.standing.terms
        tell(
            batch,
            Matter(Kind.DEMOGRAPHICS_CHANGED, row.event_id, row.id, row.record_id),
            [Recipient(row.organisation, row.team)],
            due=due_by_grade(terms, row.grade, batch.now),
            caller=self.caller,
            agreement=terms.agreement if terms else None,
        )


def _firsts(person: Person) -> set[str]:
    return {name.given[0].casefold() if name.given else "" for name in person.names}


def _json(parts: Sequence[Any]) -> list[Any]:
    return [one.model_dump(mode="json", exclude_defaults=True) for one in parts]


_WHERE = frozenset({"addresses", "contacts"})
_t = tables.demographic_change
_WAITING = select(_t.c.referral_id, _t.c.digest).where(
    _t.c.referral_id.in_(bindparam("of", expanding=True)), _t.c.decided_at.is_(None), _t.c.erased_at.is_(None)
)
_LATER = select(_t.c.referral_id).where(
    _t.c.referral_id.in_(bindparam("of", expanding=True)), _t.c.said_at > bindparam("at"), _t.c.erased_at.is_(None)
)
_SUPERSEDE = (
    update(_t)
    .where(_t.c.referral_id == bindparam("of"), _t.c.id != bindparam("but"), _t.c.decided_at.is_(None))
    .values(decided_at=bindparam("at"), decision=SUPERSEDED)
)
