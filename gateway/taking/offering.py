"""What a record does to its referrals: it makes one, moves one on, and tells who was given something before.

The pieces that every way of taking a record in is made of (`known_incident`, `take_in`): each writes through the batch
and seals what it did. A release of the suspect is news to each team once, and sets the shortest clock there is.

Source: domain.md sections 4.1 (steps 6 and 12), 4.5 (N10, N14).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row

from audit.entry import Entry, Operation, Recipient, timestamp
from audit.entry import Outcome as EntryOutcome
from gateway.casework.keeping import Owner, shorten, start, stop
from gateway.casework.timers import EVERY, Start, offered
from gateway.chance import fresh_id
from gateway.evidence import Event, act
from gateway.facts import event_time
from gateway.grades import is_lower, noted, signed
from gateway.intake import Offer, Prepared, worst_hold
from gateway.notices import Kind, Matter, due_by_grade, others, tell
from gateway.order_ends import ends_of
from gateway.same_incident import (
    links_of,
    release_of,
    with_link,
)
from gateway.store import tables
from gateway.store.batch import Batch, ReferralHead, Unit
from gateway.store.records import Records, referral_row, subject_of
from gateway.taking.answer import Answer
from gateway.taking.referring import assessed_at, matter_of, new_referral, priority_of, shown
from gateway.terms import Standing
from mappings.record import Grade, RecordKind, Role
from mappings.referral import Priority, ReferralStatus


@dataclass(frozen=True, slots=True)
class Offering(Unit[Answer]):
    """A prepared record about to become true, and what it can do to referrals."""

    prepared: Prepared
    standing: Standing
    records: Records
    released: str | None = None
    """The quarantined input that a human let go on; what kept it back no longer counts."""

    def _offer(
        self, batch: Batch, offer: Offer, event_id: str, links: Sequence[Mapping[str, Any]] = ()
    ) -> Mapping[str, Any]:
        record = self.prepared.record
        referral = new_referral(offer, record, batch.now)
        released = self._released(batch, offer, None)
        if released is not None:
            due = self._due(batch, None, referral.respond_by, released)
            referral = replace(referral, priority=Priority.ASAP, respond_by=due)
        row = (
            referral_row(
                referral,
                record_id=self.prepared.record_id,
                event_id=event_id,
                log_id=batch.log_id,
                victim=offer.victim,
                mapping=self.prepared.stored.record["mapping"],
                facts=orjson.dumps(offer.facts.to_json()),
                event_at=event_time(self.prepared.record),
            )
            | self._kept_beside(batch, offer, None)
            | {"linked": with_link(None, links), "released_at": timestamp(released) if released else None}
        )
        batch.insert(tables.referral, row)
        self._announce(batch, referral.id, offer, "referral-offered")
        start(
            batch,
            self._clocks(batch, offer, referral.respond_by),
            Owner(referral.id, referral.organisation, offer.recipient),
        )
        batch.seal(self._entry(batch, Event.INCIDENT_ACCEPTED, offer=offer, case=referral.id))
        self._seal_release(batch, offer, referral.id, released)
        changes = (*(("suspect-released",) if released else ()), *dict.fromkeys(one["kind"] for one in links))
        return shown(referral.id, offer.recipient, referral.priority, referral.respond_by, changes)

    def _move_on(self, batch: Batch, offer: Offer, row: Row[Any], linked: str | None = None) -> Mapping[str, Any]:
        assessed = assessed_at(self.prepared.record, offer.victim)
        released = self._released(batch, offer, row)
        due = self._due(batch, row, offer.decision.respond_by, released)  # a re-grade never gives time
        lowered = is_lower(offer.facts.grade, row.grade)
        priority = priority_of(offer.facts.grade)
        if released:
            priority = Priority.ASAP
        elif lowered and not signed(self.prepared.record, offer.victim):
            priority = Priority(row.priority)  # nobody says who lowered it, or when: it keeps its place
        words = {item for one in links_of(row.linked) for item in one["items"]}
        facts = replace(offer.facts, items=tuple(sorted({*offer.facts.items, *words})))
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
                "victim": offer.victim,
                "area": offer.facts.area,
                "grade": offer.facts.grade,
                "priority": priority.value,
                "assessed_at": timestamp(assessed) if assessed else None,
                "mapping": self.prepared.stored.record["mapping"],
                "respond_by": timestamp(due) if due else None,
                "facts": orjson.dumps(facts.to_json()).decode(),
                "linked": linked or row.linked,
                "released_at": timestamp(released) if released else row.released_at,
                "erased_at": None,  # what it carries now is the new version, whatever became of the old one
                "event_at": timestamp(happened) if happened else None,
            }
            | self._kept_beside(batch, offer, row)
            | ({"closed_at": row.closed_at or batch.at} if withdrawn else {}),
        )
        shorten(batch, self._clocks(batch, offer, due), row.id)
        stop(batch, EVERY if withdrawn else (), row.id)
        self._announce(batch, row.id, offer, "suspect-released" if released else "referral-updated")
        entry = self._entry(batch, Event.INCIDENT_UPDATED, offer=offer, case=row.id, operation=Operation.ALTERATION)
        regraded = offer.facts.grade != row.grade
        detail = {"grade": offer.facts.grade or "unknown", "before": row.grade or "unknown"}
        batch.seal(entry._replace(detail={**(entry.detail or {}), **detail}) if regraded else entry)
        self._seal_release(batch, offer, row.id, released)
        changes = [
            *(["suspect-released"] if released else []),
            *(["grade-lowered" if lowered else "grade-changed"] if regraded else []),
            *(["same-log"] if linked else []),
        ]
        return shown(row.id, offer.recipient, priority, due, changes)

    def _clocks(self, batch: Batch, offer: Offer, respond_by: datetime | None) -> tuple[Start, ...]:
        """The clocks of the casework: until somebody has taken the referral, until she was first tried."""
        terms = self.standing.terms
        clocks = terms.agreement.content.clocks if terms else None
        return offered(clocks, offer.facts.grade, respond_by, batch.now)

    def _kept_beside(self, batch: Batch, offer: Offer, row: Row[Any] | None) -> dict[str, Any]:
        """What stands beside a referral so that no record need be opened: grades, when orders end, what is counted."""
        record = self.prepared.record
        orders = "orders" in offer.decision.released
        return {
            "grades": noted(record, offer.victim, row),
            "orders_end": ends_of(record.for_victim(offer.victim), batch.now) if orders else None,
            "reported_at": timestamp(record.times.reported) if record.times and record.times.reported else None,
            "children": len(record.for_victim(offer.victim).of_role(Role.CHILD)),
        }

    def _released(self, batch: Batch, offer: Offer, row: Row[Any] | None) -> datetime | None:
        """When the suspect was released, where that is news to this team and the agreement lets it know."""
        if "police.custody" not in offer.decision.released:
            return None
        record = self.prepared.record
        at = release_of(record.for_victim(offer.victim) if record.of_role(Role.VICTIM) else record, batch.now)
        known = row.released_at if row is not None else None
        return at if at is not None and (known is None or timestamp(at) > known) else None

    def _due(
        self, batch: Batch, row: Row[Any] | None, stated: datetime | None, released: datetime | None
    ) -> datetime | None:
        """When somebody must answer: no later than before, and after a release within the shortest clock there is."""
        due = datetime.fromisoformat(row.respond_by) if row is not None and row.respond_by else None
        short = due_by_grade(self.standing.terms, Grade.HIGH, batch.now) if released else None
        return min((one for one in (due, stated, short) if one), default=None)

    def _seal_release(self, batch: Batch, offer: Offer, referral_id: str, released: datetime | None) -> None:
        if released is not None:
            entry = self._entry(batch, Event.SUSPECT_RELEASED, case=referral_id, operation=Operation.ALTERATION)
            batch.seal(entry._replace(reason="suspect-released", subjects=(), detail={"team": offer.recipient}))

    def _tell_of(self, batch: Batch, offer: Offer, row: Row[Any], recipients: Sequence[Recipient]) -> None:
        """Tell past recipients what this version did to a referral."""
        released = self._released(batch, offer, row)
        self._tell(batch, matter_of(offer, row, self.prepared.record), recipients, offer, released=released)

    def _tell(
        self,
        batch: Batch,
        matter: Matter,
        recipients: Sequence[Recipient],
        offer: Offer | None,
        *,
        grade: str | None = None,
        released: datetime | None = None,
    ) -> None:
        """Tell everybody who was given something of a referral, but the organisation that sends the change.

        That the suspect was released is told to the team it is offered to, by the shortest clock; whoever else was
        given something is told that it has changed, for not every clause releases what police did with him.
        """
        caller, terms = self.prepared.submission.caller, self.standing.terms
        due = due_by_grade(terms, offer.facts.grade if offer else grade, batch.now)
        agreement = terms.agreement if terms else None
        rest = others(recipients, caller)
        if released is not None and offer is not None:
            own = [one for one in rest if one.recipient == offer.recipient]
            rest = [one for one in rest if one.recipient != offer.recipient]
            at_once = due_by_grade(terms, Grade.HIGH, batch.now)
            urgent = replace(matter, kind=Kind.SUSPECT_RELEASED)
            tell(batch, urgent, own, due=at_once, caller=caller, agreement=agreement)
        tell(batch, matter, rest, due=due, caller=caller, agreement=agreement)

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
