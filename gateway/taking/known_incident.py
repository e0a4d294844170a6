"""Taking in a record of an incident that is known under another name: joined, linked, or shown beside what is there.

Which of them it is, `same_incident` says; this page reads who is who by blind names, writes and seals.

Source: domain.md sections 4.1 (step 12), 4.5 (N9), 4.7 (c and d).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row, bindparam, select

from audit.entry import Operation, Recipient, timestamp
from audit.entry import Outcome as EntryOutcome
from gateway.casework.keeping import shorten
from gateway.decide import decide_on
from gateway.evidence import Event
from gateway.facts import Facts
from gateway.intake import SAFEGUARDING, Offer
from gateway.notices import Kind, Matter, past_recipients
from gateway.order_ends import ends_of
from gateway.same_incident import (
    MOST_LINKS,
    RELIED_ON,
    SUPPLEMENTS,
    Member,
    concerns,
    late_crime,
    link,
    members,
    same_victims,
    with_link,
)
from gateway.store import tables
from gateway.store.batch import Batch, ReferralHead
from gateway.store.records import subject_of
from gateway.taking.answer import Answer, Taken
from gateway.taking.offering import Offering
from gateway.taking.referring import shown
from mappings.items import present
from mappings.record import RecordKind
from mappings.referral import Priority


@dataclass(frozen=True, slots=True)
class Joined(Offering):
    """What becomes of a record that shares a name with others."""

    def _join(self, batch: Batch, made: Sequence[Offer]) -> Answer | None:
        """The crime that an earlier log became: a version of the same case; None where it is a case of its own."""
        near = [one for one, _ in self._near(batch)]
        log = late_crime(self.prepared.record, near)
        if log is None:
            return None
        rows = batch.read(OF_EVENT, {"event": log.event})
        same = same_victims(self._alike(batch, {row.record_id for row in rows}), {o.victim for o in made})
        if same is None or not rows:
            return None
        told = past_recipients(batch, [row.id for row in rows])
        batch.claim(self.prepared.occurrence, log.event.encode())
        self.records.write(batch, self.prepared.stored, log.event, self.prepared.occurrence)
        batch.seal(self._entry(batch, Event.INCIDENT_JOINED, operation=Operation.COMBINATION, reason="late-crime"))
        referrals = self._follow(batch, made, log.event, rows, same, told)
        self._share(batch, log.event)
        return self._with_hold(batch, made, Answer(Taken.UPDATED, log.event, tuple(referrals)))

    def _follow(
        self,
        batch: Batch,
        made: Sequence[Offer],
        event_id: str,
        rows: Sequence[Row[Any]],
        same: Mapping[str, str],
        told: Mapping[str, Sequence[Recipient]],
    ) -> list[Mapping[str, Any]]:
        """Move each referral on to a record of another name that says no less of it; else keep it, with a link."""
        known = {(row.victim, row.team): row for row in rows}
        referrals: list[Mapping[str, Any]] = []
        for offer in made:
            row = known.get((same[offer.victim], offer.recipient))
            if row is None:
                if offer.makes_referral:
                    referrals.append(self._offer(batch, offer, event_id))
                continue
            before = Facts.from_json(orjson.loads(row.facts))
            if offer.makes_referral and not (RELIED_ON & set(before.items)) - set(offer.facts.items):
                kept = with_link(row.linked, [link("same-log", row.record_id)])
                referrals.append(self._move_on(batch, offer, row, linked=kept))
                self._tell_of(batch, offer, row, told[row.id])
            else:
                referrals.append(self._attach(batch, row, "same-log"))
                matter = Matter(Kind.CORRECTED, row.event_id, row.id, row.record_id, "crime-recorded")
                self._tell(batch, matter, told[row.id], None, grade=row.grade)
        return referrals

    def _attach(self, batch: Batch, row: Row[Any], kind: str) -> Mapping[str, Any]:
        """Link this record to a referral that stays on its own."""
        head = ReferralHead(row.version + 1, row.status, row.state, row.record_id)
        linked = with_link(row.linked, [link(kind, self.prepared.record_id)])
        batch.change_referral(row.id, head, {"linked": linked})
        entry = self._entry(batch, Event.INCIDENT_LINKED, case=row.id, operation=Operation.COMBINATION, reason=kind)
        batch.seal(entry._replace(record=row.record_id, subjects=(subject_of(row.record_id, row.victim),)))
        due = datetime.fromisoformat(row.respond_by) if row.respond_by else None
        return shown(row.id, row.team, Priority(row.priority), due, (kind,))

    def _link(self, batch: Batch, rows: Sequence[Row[Any]], kind: str, *, apart: bool) -> None:
        """Link this record to those near it; where a victim here is suspect there, seal that they are kept apart."""
        if apart:
            entry = self._entry(batch, Event.INCIDENT_LINKED, outcome=EntryOutcome.DENIED, reason="counter-allegation")
            batch.seal(entry)
            return
        for row in rows:
            self._attach(batch, row, kind)

    def _near(self, batch: Batch) -> list[tuple[Member, str]]:
        """The records that are known under a name this one shares, and what makes each a relation, once each."""
        found: dict[str, tuple[Member, str]] = {}
        for name, key in self.prepared.shared:
            for one in members(batch.owner(key)):
                section = name == "incident" or one.section or self.prepared.record.section
                found.setdefault(one.record, (one, "section" if section else "same-log"))
        return list(found.values())

    def _rows_of(self, batch: Batch, near: Sequence[tuple[Member, str]]) -> list[Row[Any]]:
        """The referrals of the events near this one that are still to be read."""
        events = sorted({one.event for one, _ in near})
        return [row for event in events for row in batch.read(OF_EVENT, {"event": event}) if row.erased_at is None]

    def _alike(self, batch: Batch, record_ids: Iterable[str]) -> list[tuple[str, str]]:
        """Who of this record is who of others, as pairs of references: victims and suspects, by blind names."""
        names: dict[bytes, set[str]] = {}
        for ref, digest in self.prepared.people:
            names.setdefault(digest, set()).add(ref)
        if not names:
            return []
        asked = {"log": batch.log_id, "names": list(names), "records": sorted(set(record_ids))}
        found = [(row.digest, row.subject.rpartition(".")[2]) for row in batch.read(_ALIKE, asked)]
        return [
            (here, there)
            for digest, there in found
            if there.partition("-")[0] in {"victim", "suspect"}
            for here in names[bytes(digest)]
        ]

    def _share(self, batch: Batch, event_id: str) -> None:
        """Note this record under the names it shares, so that others of its incident find it."""
        p = self.prepared
        own = Member(event_id, p.record_id, p.record.section, p.record.reference("crime") is not None)
        for _, key in p.shared:
            known = batch.owner(key)
            value = orjson.dumps([*(one.to_json() for one in members(known)), own.to_json()][-MOST_LINKS:])
            if known is None:
                batch.claim(key, value)
            else:
                batch.reclaim(key, value)

    def _update_of_joined(
        self,
        batch: Batch,
        made: Sequence[Offer],
        event_id: str,
        rows: Sequence[Row[Any]],
        told: Mapping[str, Sequence[Recipient]],
    ) -> Answer:
        """A later version of a record, where referrals stand on one of another name; nothing is withdrawn by it."""
        same = same_victims(self._alike(batch, {row.record_id for row in rows}), {o.victim for o in made})
        self.records.write(batch, self.prepared.stored, event_id, self.prepared.occurrence)
        if same is not None and self.prepared.record.kind is not RecordKind.RETRACTION:
            referrals = self._follow(batch, made, event_id, rows, same, told)
        else:
            reason = "entered-in-error" if self.prepared.record.kind is RecordKind.RETRACTION else "same-log"
            referrals = [self._attach(batch, row, "same-log") for row in rows]
            for row in rows:  # the referral stands on another record of the case, and whoever has it is told (N14)
                matter = Matter(Kind.CORRECTED, row.event_id, row.id, row.record_id, reason)
                self._tell(batch, matter, told[row.id], None, grade=row.grade)
        return self._with_hold(batch, made, Answer(Taken.UPDATED, event_id, tuple(referrals)))

    def _supplement(
        self, batch: Batch, event_id: str, rows: Sequence[Row[Any]], told: Mapping[str, Sequence[Recipient]]
    ) -> Answer:
        """A word about the suspect: it stands beside the record it is about, which stays as it is.

        It goes to each referral whose suspect it means; where it means nobody's, a human looks at it.
        """
        p = self.prepared
        loaded = batch.ask(lambda c: self.records.load(c, sorted({row.record_id for row in rows})))
        meant = [r for r in rows if r.record_id in loaded and concerns(p.record, loaded[r.record_id], r.victim)]
        if not meant:
            return self._with_hold(batch, (), Answer(Taken.HELD, event_id))
        self.records.write(batch, p.stored, event_id, p.occurrence)
        items = SUPPLEMENTS & present(p.record)
        referrals: list[Mapping[str, Any]] = []
        for row in meant:
            before = Facts.from_json(orjson.loads(row.facts))
            facts = replace(before, items=tuple(sorted({*before.items, *items})))
            decision = decide_on(facts, row.team, SAFEGUARDING, self.standing.terms, batch.now)
            offer = Offer(row.victim, row.team, SAFEGUARDING, facts, decision)
            released = self._released(batch, offer, row)
            linked = with_link(row.linked, [link("notice", p.record_id, items)])
            ends = ends_of(p.record, batch.now) if "orders" in decision.released else None
            merged = ",".join(sorted({*(row.orders_end or "").split(","), *(ends or "").split(",")} - {""})) or None
            due = self._due(batch, row, None, released)
            priority = Priority.ASAP if released else Priority(row.priority)
            head = ReferralHead(row.version + 1, row.status, row.state, row.record_id)
            values = {
                "facts": orjson.dumps(facts.to_json()).decode(),
                "linked": linked,
                "orders_end": merged,
                "priority": priority.value,
                "respond_by": timestamp(due) if due else None,
                "released_at": timestamp(released) if released else row.released_at,
            }
            batch.change_referral(row.id, head, values)
            shorten(batch, self._clocks(batch, offer, due), row.id)
            self._announce(batch, row.id, offer, "suspect-released" if released else "referral-updated")
            entry = self._entry(batch, Event.INCIDENT_UPDATED, offer=offer, case=row.id, operation=Operation.ALTERATION)
            batch.seal(entry)
            self._seal_release(batch, offer, row.id, released)
            matter = Matter(Kind.CORRECTED, row.event_id, row.id, row.record_id, "notice")
            self._tell(batch, matter, told[row.id], offer, released=released)
            changes = ("suspect-released",) if released else ("notice",)
            referrals.append(shown(row.id, row.team, priority, due, changes))
        return Answer(Taken.UPDATED, event_id, tuple(referrals))


OF_EVENT = select(tables.referral).where(tables.referral.c.event_id == bindparam("event"))
_ALIKE = select(tables.blind_index.c.digest, tables.blind_index.c.subject).where(
    tables.blind_index.c.log_id == bindparam("log"),
    tables.blind_index.c.digest.in_(bindparam("names", expanding=True)),
    tables.blind_index.c.record_id.in_(bindparam("records", expanding=True)),
)
