"""Contacts at the scene as they are kept: recorded, joined where that is plain, told in detail later.

    RecordContact   keep a contact, encrypted; join it where the police record is here already, else have it wait
    AddDetails      what there was no time for at the scene

What no record joins is for `unjoined`. A force is told of it in coded feedback, and nothing more (domain.md section
4.3).

Source: domain.md sections 0a (co-response), 4.1 (step 2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Row, bindparam, select, update

from audit.entry import Operation, Outcome, timestamp
from gateway.coresponse.contact import Attended, Contact, keep, waiting
from gateway.coresponse.meeting import Candidate, join, match
from gateway.evidence import Caller, Event, act
from gateway.same_incident import members
from gateway.store import tables
from gateway.store.batch import Batch, DecideAgain, ReferralHead, Unit
from gateway.store.envelope import Envelope
from gateway.store.records import Records
from gateway.terms import Standing


@dataclass(frozen=True, slots=True)
class Scene:
    """What an adviser records: under which reference of the force, and in which words, where there was time for any.

    `occurrence` counts before `log`, which is of `day`, a day of London.
    """

    force: str
    log: str | None
    day: date
    occurrence: str | None
    details: str | None

    def content(self, at: datetime, user: str) -> bytes:
        """What is kept encrypted."""
        told = [{"at": timestamp(at), "by": user, "words": self.details}] if self.details else []
        return orjson.dumps(
            {"log": self.log, "day": self.day.isoformat(), "occurrence": self.occurrence, "details": told}
        )


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a contact: joined to a referral of the team, or waiting until a time."""

    id: str
    referral: str | None
    due_at: str | None
    known: bool = False


@dataclass(frozen=True, slots=True)
class Names:
    """The blind names of a contact: where it waits, where records of its incident are known, and of the request.

    `shared` is the name that records of the same log share, `occurrence` the digest of the occurrence in the index.
    """

    waits: bytes
    shared: bytes | None
    occurrence: bytes | None
    idempotency: bytes | None
    body: str


@dataclass(frozen=True, slots=True)
class RecordContact(Unit[Recorded | None]):
    """Keep a contact and join it, or have it wait; None where the key was used for another one."""

    contact: Attended
    force: str
    content: bytes
    key: bytes
    names: Names
    owner: str
    hours: int
    caller: Caller
    standing: Standing
    records: Records

    @property
    def claims(self) -> Sequence[bytes]:  # type: ignore[override]  # a value computed from the fields
        """Where it waits, where its record may be known, and the name of the request."""
        names = self.names
        return [one for one in (names.waits, names.shared, names.idempotency) if one is not None]

    def apply(self, batch: Batch) -> Recorded | None:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        names, contact = self.names, self.contact
        before = batch.owner(names.idempotency) if names.idempotency else None
        if before is not None:
            return self._again(batch, orjson.loads(before))
        found = self._candidates(batch)
        due = batch.now + timedelta(hours=self.hours)
        if names.idempotency is not None:
            batch.claim(names.idempotency, orjson.dumps({"id": contact.id, "body": names.body}))
        batch.insert(tables.data_key, {"id": contact.id, "content_key": self.key, "vault_key": None})
        batch.insert(tables.co_response, self._row(batch, due))
        batch.seal(
            act(
                Event.CO_RESPONSE_RECORDED,
                Operation.COLLECTION,
                at=batch.at,
                caller=self.caller,
                agreement=self.standing.agreement_ref,
                detail={"co_response": contact.id, "contact": contact.contact.value, "force": self.force},
            )
        )
        to = match(contact, found)
        if to is None:
            keep(batch, names.waits, [*waiting(batch.owner(names.waits)), contact])
            return Recorded(contact.id, None, timestamp(due))
        join(batch, contact, to, self.records, caller=None, reason="same-reference")
        return Recorded(contact.id, to.id, None)

    def _again(self, batch: Batch, known: dict[str, str]) -> Recorded | None:
        """A repeat gets the answer as it is by now; the same key with another content gets none."""
        row = next(iter(batch.read(_ONE, {"log": batch.log_id, "id": known["id"]})), None)
        same = row is not None and known["body"] == self.names.body
        batch.seal(
            act(
                Event.CO_RESPONSE_RECORDED,
                Operation.COLLECTION,
                at=batch.at,
                caller=self.caller,
                outcome=Outcome.PERMITTED if same else Outcome.DENIED,
                agreement=self.standing.agreement_ref,
                reason="repeated" if same else "another-body",
                detail={"co_response": known["id"]},
            )
        )
        if row is None or not same:
            return None
        return Recorded(row.id, row.referral_id, None if row.referral_id else row.due_at, known=True)

    def _candidates(self, batch: Batch) -> list[Candidate]:
        """The referrals of the team that came of records of this name, this force and, for a log, this day."""
        events = {one.event for one in members(batch.owner(self.names.shared))} if self.names.shared else set()
        if self.names.occurrence is not None:
            asked = {"log": batch.log_id, "digest": self.names.occurrence, "force": self.force}
            events = {row.event_id for row in batch.read(_EVENTS_OF, asked)}
        asked = {"log": batch.log_id, "events": sorted(events), "team": self.contact.team, "force": self.force}
        return [candidate_of(row) for row in batch.read(_OF_EVENTS, asked)] if events else []

    def _row(self, batch: Batch, due: datetime) -> dict[str, Any]:
        contact = self.contact
        return {
            "id": contact.id,
            "log_id": batch.log_id,
            "organisation": contact.organisation,
            "team": contact.team,
            "client": contact.client,
            "user_id": contact.user,
            "force": self.force,
            "area": contact.area,
            "contact": contact.contact.value,
            "at": timestamp(contact.at),
            "version": 1,
            "content": self.content,
            "owner": self.owner,
            "recorded_at": batch.at,
            "due_at": timestamp(due),
        }


@dataclass(frozen=True, slots=True)
class AddDetails(Unit[None]):
    """Replace the content of a contact by one that says more. Raises DecideAgain where it changed since it was read."""

    row: Row[Any]
    content: bytes
    key: bytes
    caller: Caller
    standing: Standing

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        row = unchanged(batch, self.row)
        changed = {"of": row.id, "sealed": self.content, "now": batch.at, "next": row.version + 1}
        batch.update(_DETAIL, changed)
        batch.update(_REKEY, {"of": row.id, "key": self.key})
        batch.seal(
            act(
                Event.CO_RESPONSE_DETAILED,
                Operation.ALTERATION,
                at=batch.at,
                caller=self.caller,
                agreement=self.standing.agreement_ref,
                case=row.referral_id,
                detail={"co_response": row.id, "version": row.version + 1},
            )
        )


def contact_of(row: Row[Any], role: str | None) -> Attended:
    """The contact a row holds."""
    at = datetime.fromisoformat(row.at)
    return Attended(
        row.id, row.organisation, row.team, row.client, row.user_id, role, row.area, Contact(row.contact), at
    )


def candidate_of(row: Row[Any]) -> Candidate:
    """A referral as a contact may be joined to it."""
    happened = datetime.fromisoformat(row.event_at) if row.event_at else None
    head = ReferralHead(row.version, row.status, row.state, row.record_id)
    return Candidate(row.id, row.event_id, row.record_id, row.victim, row.force, row.area, happened, head)


def open_content(envelope: Envelope, row: Row[Any], key: bytes) -> dict[str, Any]:
    """What an adviser recorded, in words."""
    found: dict[str, Any] = orjson.loads(envelope.open(row.content, key, content_name(row.id)))
    return found


def content_name(id_: str) -> str:
    """What the content is sealed for, so that it opens nowhere else."""
    return f"co-response.content|{id_}"


def unchanged(batch: Batch, known: Row[Any]) -> Row[Any]:
    """The contact as it stands. Raises DecideAgain where it is not as it was read."""
    row: Row[Any] | None = next(iter(batch.read(_ONE, {"log": batch.log_id, "id": known.id})), None)
    if row is None or row.version != known.version or row.erased_at is not None:
        raise DecideAgain("the contact changed")
    return row


_c, _r, _b, _rec = tables.co_response, tables.referral, tables.blind_index, tables.record
_ONE = select(_c).where(_c.c.log_id == bindparam("log"), _c.c.id == bindparam("id"))
_EVENTS_OF = (
    select(_rec.c.event_id)
    .join(_b, _b.c.record_id == _rec.c.id)
    .where(_b.c.log_id == bindparam("log"), _b.c.digest == bindparam("digest"))
    .where(_rec.c.organisation == bindparam("force"))
    .distinct()
)
MAY_JOIN = select(_r).where(
    _r.c.log_id == bindparam("log"),
    _r.c.team == bindparam("team"),
    _r.c.force == bindparam("force"),
    _r.c.erased_at.is_(None),
)
_OF_EVENTS = MAY_JOIN.where(_r.c.event_id.in_(bindparam("events", expanding=True))).order_by(_r.c.id)


def change(**values: Any) -> Any:  # noqa: ANN401 - bound values, and SQLAlchemy's statement
    """A change of the contact `of`."""
    return update(_c).where(_c.c.id == bindparam("of")).values(values)


_DETAIL = change(content=bindparam("sealed"), detailed_at=bindparam("now"), version=bindparam("next"))
_REKEY = update(tables.data_key).where(tables.data_key.c.id == bindparam("of")).values(content_key=bindparam("key"))
