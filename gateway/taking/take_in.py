"""Taking a prepared record in: the unit that makes it true, whatever it turns out to be.

Known, conflicting, refused, held, out of date, a later version, or new: decided one after another under the log's head,
so that a repeat makes no second case and the same name with another content never overwrites (P2). The decision is made
again at the instant it is sealed. A record under a new name may be of an incident that is known under another: then it
joins that case or is linked to it (`same_incident`), and is never merged.

Source: domain.md sections 4.1 (step 12: a release), 4.2 (states), 4.7 (keys).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Row, bindparam, select, update

from audit.entry import Operation, Recipient
from audit.entry import Outcome as EntryOutcome
from gateway.coresponse.contact import Attended, keep, waiting
from gateway.coresponse.meeting import Candidate, join, match, newly_offered
from gateway.evidence import Event
from gateway.facts import event_time
from gateway.intake import Offer
from gateway.notices import Kind, Matter, past_recipients
from gateway.same_incident import (
    is_supplement,
    link,
    swapped,
)
from gateway.store import tables
from gateway.store.batch import Batch, DecideAgain, ReferralHead
from gateway.taking.answer import Answer, Taken
from gateway.taking.known_incident import OF_EVENT, Joined
from mappings.record import RecordKind
from mappings.referral import ReferralStatus


@dataclass(frozen=True, slots=True)
class TakeIn(Joined):
    """Make a prepared record true: known, conflicting, stale, refused, held, updated or accepted."""

    @property
    def claims(self) -> Sequence[bytes]:  # type: ignore[override]  # a value computed from the fields
        """The names under which a repeat is recognised, and those it shares with other records of its incident."""
        p = self.prepared
        own = (p.natural, p.occurrence) if p.idempotency is None else (p.natural, p.occurrence, p.idempotency)
        return (*own, *(key for _, key in p.shared), *p.scenes)

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
            same = known["body" if key == p.idempotency else "fingerprint"] == content
            if not same and known["body"] != p.body:  # the same bytes read by another profile are no conflict
                return self._conflict(batch)
            if self.released is None and (known["state"] != Taken.HELD or p.hold is not None):
                return self._repeat(batch, known)
            held = self.released or known["held"]["reference"]
        made = [o.decided_at(self.standing.terms, batch.now) for o in p.offers if o.is_referral]
        occurrence = batch.owner(p.occurrence)
        if occurrence is not None:
            answer = self._update(batch, made, occurrence.decode())
        elif any(o.makes_referral for o in made):
            answer = self._join(batch, made) or self._accept(batch, made)
        else:
            answer = self._with_hold(batch, made, Answer(Taken.HELD))
        self._meet(batch, answer)
        if answer.taken is not Taken.STALE:
            self._remember(batch, answer, replaces=held is not None)
        if held is not None:  # what kept it from going on is gone: the human's task is done
            batch.update(_CLOSE_HOLD, {"of": held, "at": batch.at})
        return answer

    def _meet(self, batch: Batch, answer: Answer) -> None:
        """Join the contacts at the scene that wait for this record, each where it is plain which referral is meant."""
        for key in self.prepared.scenes:
            contacts = waiting(batch.owner(key)) if answer.referrals else []
            left = [one for one in contacts if not self._meets(batch, answer, one)]
            if len(left) < len(contacts):
                keep(batch, key, left)

    def _meets(self, batch: Batch, answer: Answer, contact: Attended) -> bool:
        p = self.prepared
        times = p.record.times
        victims = {o.recipient: o.victim for o in p.offers if o.makes_referral}
        found = [
            Candidate(
                one["reference"],
                answer.incident or p.record_id,
                p.record_id,
                victims.get(contact.team, "victim-1"),
                p.submission.caller.organisation,
                p.record.area,
                (times.reported if times else None) or event_time(p.record),
                batch.referral(one["reference"]) or newly_offered(p.record_id),
            )
            for one in answer.referrals
            if one["recipient"] == contact.team
        ]
        to = match(contact, found)
        if to is None or to.head.record_id != p.record_id:
            return False
        join(batch, contact, to, self.records, caller=None, reason="same-reference")
        return True

    def _accept(self, batch: Batch, made: Sequence[Offer]) -> Answer:
        event_id = self.prepared.record_id
        near = self._near(batch)
        rows = self._rows_of(batch, near)
        apart = swapped(self._alike(batch, [one.record for one, _ in near])) if near else False
        batch.claim(self.prepared.occurrence, event_id.encode())
        self.records.write(batch, self.prepared.stored, event_id, self.prepared.occurrence)
        links = [] if apart else [link(kind, one.record) for one, kind in near]
        referrals = [self._offer(batch, offer, event_id, links) for offer in made if offer.makes_referral]
        if near:
            self._link(batch, rows, near[0][1], apart=apart)
        self._share(batch, event_id)
        return self._with_hold(batch, made, Answer(Taken.ACCEPTED, event_id, tuple(referrals)))

    def _update(self, batch: Batch, made: Sequence[Offer], event_id: str) -> Answer:
        """A later version of an event that is known: its referrals move on to the new record, or stop with it."""
        version = self.prepared.record.version
        versions = batch.read(_VERSIONS, {"event": event_id})
        kept = {row.version: row.id for row in versions if row.occurrence in {None, self.prepared.occurrence}}
        if self.released is not None and version in kept:
            if kept[version] != self.prepared.record_id:
                raise DecideAgain("the version was kept in between")
            return self._let_go(batch, made, event_id)
        if kept and version <= max(kept):
            batch.seal(self._entry(batch, Event.INCIDENT_CONFLICT, outcome=EntryOutcome.DENIED, reason="stale-version"))
            return Answer(Taken.STALE, event_id)
        known = {(row.victim, row.team): row for row in batch.read(OF_EVENT, {"event": event_id})}
        told = past_recipients(batch, [row.id for row in known.values()])
        if is_supplement(self.prepared.record):
            return self._supplement(batch, event_id, list(known.values()), told)
        foreign = [row for row in known.values() if row.record_id not in kept.values()]
        if foreign:
            return self._update_of_joined(batch, made, event_id, foreign, told)
        return self._supersede(batch, made, event_id, known, told)

    def _supersede(
        self,
        batch: Batch,
        made: Sequence[Offer],
        event_id: str,
        known: dict[tuple[str, str], Row[Any]],
        told: Mapping[str, Sequence[Recipient]],
    ) -> Answer:
        """Take the place of the version before: each referral moves on, stops, or is withdrawn."""
        goes_on = any(offer.makes_referral for offer in made)
        if goes_on:
            self.records.write(batch, self.prepared.stored, event_id, self.prepared.occurrence)
        referrals: list[Mapping[str, Any]] = []
        for offer in made:
            row = known.pop((offer.victim, offer.recipient), None)
            if offer.makes_referral:
                moved = self._offer(batch, offer, event_id) if row is None else self._move_on(batch, offer, row)
                referrals.append(moved)
            elif row is not None:
                self._stop(batch, offer, row)
            if row is not None:
                self._tell_of(batch, offer, row, told[row.id])
        for row in known.values():
            self._withdraw(batch, row, told[row.id])
        answer = Answer(Taken.UPDATED if goes_on else Taken.HELD, event_id, tuple(referrals))
        return self._with_hold(batch, made, answer)

    def _let_go(self, batch: Batch, made: Sequence[Offer], event_id: str) -> Answer:
        """What a human let go on of a version that is kept: the referrals that were held back, and no others.

        The prepared record has the id of the one that is kept.
        """
        known = {(row.victim, row.team): row for row in batch.read(OF_EVENT, {"event": event_id})}
        told = past_recipients(batch, [row.id for row in known.values()])
        referrals: list[Mapping[str, Any]] = []
        for offer in made:
            row = known.get((offer.victim, offer.recipient))
            if offer.makes_referral and row is None:
                referrals.append(self._offer(batch, offer, event_id))
            elif offer.makes_referral and row is not None and row.record_id != self.prepared.record_id:
                referrals.append(self._move_on(batch, offer, row))
                self._tell_of(batch, offer, row, told[row.id])
        return self._with_hold(batch, made, Answer(Taken.UPDATED, event_id, tuple(referrals)))

    def _withdraw(self, batch: Batch, row: Row[Any], recipients: Sequence[Recipient]) -> None:
        """A victim, or a team, that the later version no longer has: the referral was made in error (N14)."""
        head = ReferralHead(row.version + 1, ReferralStatus.ENTERED_IN_ERROR.value, row.state, row.record_id)
        batch.change_referral(row.id, head, {"closed_at": row.closed_at or batch.at})
        matter = Matter(Kind.RETRACTED, row.event_id, row.id, row.record_id, "no-longer-named")
        entry = self._entry(batch, Event.INCIDENT_UPDATED, case=row.id, operation=Operation.ALTERATION)
        batch.seal(entry._replace(record=row.record_id, reason=matter.reason, subjects=()))
        self._tell(batch, matter, recipients, None)

    def _stop(self, batch: Batch, offer: Offer, row: Row[Any]) -> None:
        """Decide the referral on what is known now, which does not let it go on: nothing more of it is disclosed.

        Consent withdrawn, or a marking: what was sent before stays as it was, and no longer leaves (domain.md 4.6).
        """
        head = ReferralHead(row.version + 1, row.status, row.state, row.record_id)
        batch.change_referral(row.id, head, {"facts": orjson.dumps(offer.facts.to_json()).decode()})
        entry = self._entry(batch, Event.INCIDENT_HELD, offer=offer, case=row.id, operation=Operation.ALTERATION)
        batch.seal(entry._replace(outcome=EntryOutcome.DENIED))

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


_CLOSE_HOLD = (
    update(tables.quarantine)
    .where(tables.quarantine.c.id == bindparam("of"), tables.quarantine.c.closed_at.is_(None))
    .values(closed_at=bindparam("at"))
)
_VERSIONS = select(tables.record.c.version, tables.record.c.id, tables.record.c.occurrence).where(
    tables.record.c.event_id == bindparam("event"), tables.record.c.kind != RecordKind.STATUS.value
)
