"""Taking a prepared record in: the unit that makes it true, whatever it turns out to be.

Known, conflicting, refused, held, out of date, a later version, or new: decided one after another under the log's head,
so that a repeat makes no second case and the same name with another content never overwrites (P2). The decision is made
again at the instant it is sealed.

Source: domain.md sections 4.2 (states), 4.7 (keys).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import Row, bindparam, select, update

from audit.entry import Entry, Operation, Recipient, timestamp
from audit.entry import Outcome as EntryOutcome
from gateway.chance import fresh_id
from gateway.evidence import Event, act
from gateway.facts import event_time
from gateway.intake import Offer, Prepared, worst_hold
from gateway.notices import Kind, Matter, due_by_grade, others, past_recipients, tell
from gateway.referring import assessed_at, matter_of, new_referral, priority_of, shown
from gateway.store import tables
from gateway.store.batch import Batch, DecideAgain, ReferralHead, Unit
from gateway.store.records import Records, referral_row, subject_of
from gateway.terms import Standing
from mappings.record import RecordKind
from mappings.referral import ReferralStatus


class Taken(StrEnum):
    """What became of a record."""

    ACCEPTED = "accepted"
    UPDATED = "updated"
    KNOWN = "known"
    HELD = "held"
    REFUSED = "refused"
    CONFLICT = "conflict"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the sender is told. `incident` is the gateway's reference for the event."""

    taken: Taken
    incident: str | None = None
    referrals: tuple[Mapping[str, Any], ...] = ()
    held: Mapping[str, Any] | None = None
    reason: str | None = None
    words: str | None = None


@dataclass(frozen=True, slots=True)
class TakeIn(Unit[Answer]):
    """Make a prepared record true: known, conflicting, stale, refused, held, updated or accepted."""

    prepared: Prepared
    standing: Standing
    records: Records
    released: str | None = None
    """The quarantined input that a human let go on; what kept it back no longer counts."""

    @property
    def claims(self) -> Sequence[bytes]:  # type: ignore[override]  # a value computed from the fields
        """The names under which a repeat is recognised."""
        p = self.prepared
        return (p.natural, p.occurrence) if p.idempotency is None else (p.natural, p.occurrence, p.idempotency)

    def apply(self, batch: Batch) -> Answer:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        p = self.prepared
        if p.refusal is not None:
            return self._refuse(batch, p.refusal)
        held: str | None = None
        for key, content in ((p.idempotency, p.body), (p.natural, p.fingerprint)):
            owner = batch.owner(key) if key is not None else None
            if owner is None:
                continue
            known = orjson.loads(owner)
            if known["body" if key == p.idempotency else "fingerprint"] != content:
                return self._conflict(batch)
            if self.released is None and (known["state"] != Taken.HELD or p.hold is not None):
                return self._repeat(batch, known)
            held = self.released or known["held"]["reference"]
        made = [o.decided_at(self.standing.terms, batch.now) for o in p.offers if o.is_referral]
        occurrence = batch.owner(p.occurrence)
        if occurrence is not None:
            answer = self._update(batch, made, occurrence.decode())
        elif any(o.makes_referral for o in made):
            answer = self._accept(batch, made)
        else:
            answer = self._with_hold(batch, made, Answer(Taken.HELD))
        if answer.taken is not Taken.STALE:
            self._remember(batch, answer, replaces=held is not None)
        if held is not None:  # what kept it from going on is gone: the human's task is done
            batch.update(_CLOSE_HOLD, {"of": held, "at": batch.at})
        return answer

    def _accept(self, batch: Batch, made: Sequence[Offer]) -> Answer:
        event_id = self.prepared.record_id
        batch.claim(self.prepared.occurrence, event_id.encode())
        self.records.write(batch, self.prepared.stored, event_id)
        referrals = [self._offer(batch, offer, event_id) for offer in made if offer.makes_referral]
        return self._with_hold(batch, made, Answer(Taken.ACCEPTED, event_id, tuple(referrals)))

    def _update(self, batch: Batch, made: Sequence[Offer], event_id: str) -> Answer:
        """A later version of an event that is known: its referrals move on to the new record, or stop with it."""
        version = self.prepared.record.version
        kept = {row.version: row.id for row in batch.read(_VERSIONS, {"event": event_id})}
        if self.released is not None and version in kept:
            if kept[version] != self.prepared.record_id:
                raise DecideAgain("the version was kept in between")
            return self._let_go(batch, made, event_id)
        if version <= max(kept):
            batch.seal(self._entry(batch, Event.INCIDENT_CONFLICT, outcome=EntryOutcome.DENIED, reason="stale-version"))
            return Answer(Taken.STALE, event_id)
        known = {(row.victim, row.team): row for row in batch.read(_OF_EVENT, {"event": event_id})}
        told = past_recipients(batch, [row.id for row in known.values()])
        goes_on = any(offer.makes_referral for offer in made)
        if goes_on:
            self.records.write(batch, self.prepared.stored, event_id)
        referrals: list[Mapping[str, Any]] = []
        for offer in made:
            row = known.pop((offer.victim, offer.recipient), None)
            if offer.makes_referral:
                moved = self._offer(batch, offer, event_id) if row is None else self._move_on(batch, offer, row)
                referrals.append(moved)
            elif row is not None:
                self._stop(batch, offer, row)
            if row is not None:
                self._tell(batch, matter_of(offer, row, self.prepared.record), told[row.id], offer)
        for row in known.values():
            self._withdraw(batch, row, told[row.id])
        answer = Answer(Taken.UPDATED if goes_on else Taken.HELD, event_id, tuple(referrals))
        return self._with_hold(batch, made, answer)

    def _let_go(self, batch: Batch, made: Sequence[Offer], event_id: str) -> Answer:
        """What a human let go on of a version that is kept: the referrals that were held back, and no others.

        The prepared record has the id of the one that is kept.
        """
        known = {(row.victim, row.team): row for row in batch.read(_OF_EVENT, {"event": event_id})}
        told = past_recipients(batch, [row.id for row in known.values()])
        referrals: list[Mapping[str, Any]] = []
        for offer in made:
            row = known.get((offer.victim, offer.recipient))
            if offer.makes_referral and row is None:
                referrals.append(self._offer(batch, offer, event_id))
            elif offer.makes_referral and row is not None and row.record_id != self.prepared.record_id:
                referrals.append(self._move_on(batch, offer, row))
                self._tell(batch, matter_of(offer, row, self.prepared.record), told[row.id], offer)
        return self._with_hold(batch, made, Answer(Taken.UPDATED, event_id, tuple(referrals)))

    def _withdraw(self, batch: Batch, row: Row[Any], recipients: Sequence[Recipient]) -> None:
        """A victim, or a team, that the later version no longer has: the referral was made in error (N14)."""
        head = ReferralHead(row.version + 1, ReferralStatus.ENTERED_IN_ERROR.value, row.state, row.record_id)
        batch.change_referral(row.id, head, {"closed_at": row.closed_at or batch.at})
        matter = Matter(Kind.RETRACTED, row.event_id, row.id, row.record_id, "no-longer-named")
        entry = self._entry(batch, Event.INCIDENT_UPDATED, case=row.id, operation=Operation.ALTERATION)
        batch.seal(entry._replace(record=row.record_id, reason=matter.reason, subjects=()))
        self._tell(batch, matter, recipients, None)

    def _tell(self, batch: Batch, matter: Matter, recipients: Sequence[Recipient], offer: Offer | None) -> None:
        """Tell everybody who was given something of a referral, but the organisation that sends the change."""
        caller, terms = self.prepared.submission.caller, self.standing.terms
        due = due_by_grade(terms, offer.facts.grade if offer else None, batch.now)
        tell(
            batch,
            matter,
            others(recipients, caller),
            due=due,
            caller=caller,
            agreement=terms.agreement if terms else None,
        )

    def _stop(self, batch: Batch, offer: Offer, row: Row[Any]) -> None:
        """Decide the referral on what is known now, which does not let it go on: nothing more of it is disclosed.

        Consent withdrawn, or a marking: what was sent before stays as it was, and no longer leaves (domain.md 4.6).
        """
        head = ReferralHead(row.version + 1, row.status, row.state, row.record_id)
        batch.change_referral(row.id, head, {"facts": orjson.dumps(offer.facts.to_json()).decode()})
        entry = self._entry(batch, Event.INCIDENT_HELD, offer=offer, case=row.id, operation=Operation.ALTERATION)
        batch.seal(entry._replace(outcome=EntryOutcome.DENIED))

    def _offer(self, batch: Batch, offer: Offer, event_id: str) -> Mapping[str, Any]:
        referral = new_referral(offer, self.prepared.record, batch.now)
        batch.insert(
            tables.referral,
            referral_row(
                referral,
                record_id=self.prepared.record_id,
                event_id=event_id,
                log_id=batch.log_id,
                victim=offer.victim,
                mapping=self.prepared.stored.record["mapping"],
                facts=orjson.dumps(offer.facts.to_json()),
                event_at=event_time(self.prepared.record),
            ),
        )
        self._announce(batch, referral.id, offer, "referral-offered")
        batch.seal(self._entry(batch, Event.INCIDENT_ACCEPTED, offer=offer, case=referral.id))
        return shown(referral.id, offer.recipient, referral.priority, referral.respond_by)

    def _move_on(self, batch: Batch, offer: Offer, row: Row[Any]) -> Mapping[str, Any]:
        assessed = assessed_at(self.prepared.record, offer.victim)
        due = datetime.fromisoformat(row.respond_by) if row.respond_by else None
        due = min((one for one in (due, offer.decision.respond_by) if one), default=None)  # a re-grade never gives time
        withdrawn = self.prepared.record.kind is RecordKind.RETRACTION
        happened = event_time(self.prepared.record)
        batch.change_referral(
            row.id,
            ReferralHead(
                version=row.version + 1,
                status=ReferralStatus.ENTERED_IN_ERROR.value if withdrawn else row.status,
                state=row.state,
                record_id=self.prepared.record_id,
            ),
            {
                "area": offer.facts.area,
                "grade": offer.facts.grade,
                "priority": priority_of(offer.facts.grade).value,
                "assessed_at": timestamp(assessed) if assessed else None,
                "mapping": self.prepared.stored.record["mapping"],
                "respond_by": timestamp(due) if due else None,
                "facts": orjson.dumps(offer.facts.to_json()).decode(),
                "erased_at": None,  # what it carries now is the new version, whatever became of the old one
                "event_at": timestamp(happened) if happened else None,
            }
            | ({"closed_at": row.closed_at or batch.at} if withdrawn else {}),
        )
        self._announce(batch, row.id, offer, "referral-updated")
        batch.seal(self._entry(batch, Event.INCIDENT_UPDATED, offer=offer, case=row.id, operation=Operation.ALTERATION))
        return shown(row.id, offer.recipient, priority_of(offer.facts.grade), due)

    def _announce(self, batch: Batch, referral_id: str, offer: Offer, event: str) -> None:
        batch.insert(
            tables.outbox,
            {
                "id": fresh_id(),
                "log_id": batch.log_id,
                "referral_id": referral_id,
                "record_id": self.prepared.record_id,
                "recipient": offer.recipient,
                "event": event,
                "created_at": batch.at,
                "acknowledged_at": None,
            },
        )

    def _with_hold(self, batch: Batch, made: Sequence[Offer], answer: Answer) -> Answer:
        """Put the record in front of a human too, where any offer asks for it."""
        p = self.prepared
        if p.hold is None:
            return answer
        due = p.hold.write(batch)
        offer = worst_hold(made)
        detail = {"quarantine": p.hold.id, "risk": p.hold.risk}
        entry = self._entry(batch, Event.INCIDENT_HELD, offer=offer, outcome=EntryOutcome.DENIED, reason=p.hold.reason)
        batch.seal(entry._replace(detail=detail))
        held = {"reference": p.hold.id, "reason": p.hold.reason, "owner": p.hold.owner, "due": timestamp(due)}
        return replace(answer, held=held, reason=p.hold.reason, words=p.hold_words)

    def _refuse(self, batch: Batch, offer: Offer) -> Answer:
        """Seal that it was refused, and keep nothing: no payload hash, no subjects, no facts but the marking."""
        entry = self._entry(
            batch, Event.INCIDENT_REFUSED, outcome=EntryOutcome.DENIED, reason=offer.decision.reason.value
        )
        batch.seal(entry._replace(record=None, payload=None, subjects=()))
        return Answer(Taken.REFUSED, reason=offer.decision.reason.value, words=offer.decision.words)

    def _conflict(self, batch: Batch) -> Answer:
        batch.seal(self._entry(batch, Event.INCIDENT_CONFLICT, outcome=EntryOutcome.DENIED, reason="another-body"))
        return Answer(Taken.CONFLICT)

    def _repeat(self, batch: Batch, known: Mapping[str, Any]) -> Answer:
        key = self.prepared.idempotency
        if key is not None and batch.owner(key) is None:  # a key first seen with a repeat stands for that body too
            batch.claim(key, orjson.dumps({**known, "body": self.prepared.body}))
        entry = self._entry(batch, Event.INCIDENT_REPEATED)
        batch.seal(entry._replace(record=known["record"], subjects=()))
        return Answer(
            Taken.HELD if known["state"] == Taken.HELD else Taken.KNOWN,
            known["incident"],
            tuple(known["referrals"]),
            known["held"],
            known["reason"],
            known["words"],
        )

    def _remember(self, batch: Batch, answer: Answer, *, replaces: bool) -> None:
        """Claim the record's names for this answer, so that a repeat gets it again."""
        p = self.prepared
        value = orjson.dumps(
            {
                "body": p.body,
                "fingerprint": p.fingerprint,
                "state": answer.taken.value,
                "record": p.record_id,
                "incident": answer.incident,
                "referrals": list(answer.referrals),
                "held": answer.held,
                "reason": answer.reason,
                "words": answer.words,
            }
        )
        for key in (p.natural, p.idempotency):
            if key is None:
                continue
            if replaces and batch.owner(key) is not None:
                batch.reclaim(key, value)
            else:
                batch.claim(key, value)

    def _entry(
        self,
        batch: Batch,
        event: Event,
        *,
        offer: Offer | None = None,
        case: str | None = None,
        operation: Operation = Operation.COLLECTION,
        outcome: EntryOutcome = EntryOutcome.PERMITTED,
        reason: str | None = None,
    ) -> Entry:
        p = self.prepared
        record = p.record if offer is None else p.record.for_victim(offer.victim)
        return act(
            event,
            operation,
            at=batch.at,
            caller=p.submission.caller,
            outcome=outcome,
            decision=offer.decision if offer else None,
            facts=offer.facts if offer else None,
            subjects=tuple(subject_of(p.record_id, person.ref) for person in record.people),
            record=p.record_id,
            case=case,
            reason=reason,
            mapping=p.stored.record["mapping"],
            payload=p.fingerprint,
        )


_CLOSE_HOLD = (
    update(tables.quarantine)
    .where(tables.quarantine.c.id == bindparam("of"), tables.quarantine.c.closed_at.is_(None))
    .values(closed_at=bindparam("at"))
)
_VERSIONS = select(tables.record.c.version, tables.record.c.id).where(
    tables.record.c.event_id == bindparam("event"), tables.record.c.kind != RecordKind.STATUS.value
)
_OF_EVENT = select(tables.referral).where(tables.referral.c.event_id == bindparam("event"))
