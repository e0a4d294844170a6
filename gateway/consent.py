"""What the victim says now of sharing, that it was entered in error, and when an override of what she said ends.

Refused and withdrawn stop the future: the facts her referral is decided on say so from the next version, everybody
else who was given something is told, and where a hold of the agreement leaves it to a person, that person is asked.
What the law requires to be kept is kept.

Source: domain.md section 4.6.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlalchemy import Row, bindparam, or_, select, update

from audit.entry import Entry, Operation, Recipient
from gateway.casework.keeping import Kept, by_of, write_events
from gateway.decide import Decision, Facts, decide_on
from gateway.decide import Outcome as Ruled
from gateway.evidence import Caller, Event, act
from gateway.intake import SAFEGUARDING
from gateway.notices import Kind, Matter, acknowledging, due_by_grade, others, past_recipients, tell
from gateway.store import tables
from gateway.store.batch import Batch, ReferralHead, Unit
from gateway.store.records import subject_of
from gateway.terms import Standing
from mappings.record import ConsentState


@dataclass(frozen=True, slots=True)
class ChangeConsent(Unit[int]):
    """Record what the victim says now of sharing; returns how many recipients are told.

    Refused and withdrawn stop what the agreement's clauses then no longer name, tell every other organisation that was
    given something, and, where a hold of the agreement leaves it to a person, put it in front of that person.
    """

    row: Row[Any]
    facts: Facts
    state: ConsentState
    reason: str | None
    caller: Caller
    standing: Standing
    kept: Kept

    @property
    def referrals(self) -> Sequence[str]:
        """The referral."""
        return (self.row.id,)

    def apply(self, batch: Batch) -> int:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        head = batch.same_referral(self.row.id, self.row.version)
        given = past_recipients(batch, (self.row.id,))[self.row.id]
        stored = replace(_stored(self.row), consent=self.state.value)
        facts = replace(self.facts, consent=self.state.value)
        decision = decide_on(facts, self.row.team, SAFEGUARDING, self.standing.terms, batch.now)
        change_facts(batch, self.row, head, stored)
        seq = batch.seal(self._entry(batch, decision, facts))
        write_events(batch, seq, self.row.id, (self.kept,), *by_of(self.caller))
        return tell_of_refusal(batch, self.row, self.caller, self.standing, decision, facts, given, self.reason)

    def _entry(self, batch: Batch, decision: Decision, facts: Facts) -> Entry:
        before = _stored(self.row).consent
        detail = {"consent": self.state.value} | ({"why": self.reason} if self.reason else {})
        return act(
            Event.CONSENT_CHANGED,
            Operation.ALTERATION,
            at=batch.at,
            caller=self.caller,
            decision=decision,
            facts=facts,
            subjects=(subject_of(self.row.record_id, self.row.victim),),
            record=self.row.record_id,
            case=self.row.id,
            mapping=self.row.mapping,
            payload=self.kept.payload,
            detail=detail | ({"before": before} if before is not None else {}),
        )


def tell_of_refusal(
    batch: Batch,
    row: Row[Any],
    caller: Caller,
    standing: Standing,
    decision: Decision,
    facts: Facts,
    given: Iterable[Recipient],
    reason: str | None = None,
) -> int:
    """Tell whoever was given something that she refuses, and whoever decides that they must; returns how many.

    Nobody is told of any other consent. Must be called after the entry that it follows from was sealed.
    """
    kind = _SAID.get(facts.consent or "")
    if kind is None:
        return 0
    terms = standing.terms
    due = due_by_grade(terms, facts.grade, batch.now)
    matter = Matter(kind, row.event_id, row.id, row.record_id, reason)
    agreement = standing.agreement
    told = tell(batch, matter, others(given, caller), due=due, caller=caller, agreement=agreement)
    owner = _owner(decision, standing)
    if owner is not None:
        needed = replace(matter, kind=Kind.DECISION_NEEDED, reason=decision.verdicts[0].by)
        by = decision.respond_by or due
        tell(batch, needed, (owner,), due=by, caller=caller, agreement=agreement)
    return told


def _owner(decision: Decision, standing: Standing) -> Recipient | None:
    """The organisation whose named contact decides, where the agreement leaves it to one."""
    if decision.outcome is not Ruled.HELD or not decision.verdicts or standing.content is None:
        return None
    contact = next((one for one in standing.content.contacts if one.id == decision.owner), None)
    return Recipient(standing.content.party(contact.party).organisation, "") if contact else None


@dataclass(frozen=True, slots=True)
class Retold:
    """That she refuses was entered in error: whom that was told, and what waits for a human because of it."""

    told: tuple[Recipient, ...]
    waiting: tuple[str, ...]


def retold(batch: Batch, row: Row[Any], recorded_at: str) -> Retold:
    """Whom a change of consent, recorded at an instant, was told. Must be called before the unit writes."""
    rows = batch.read(_TOLD, {"of": row.id, "at": recorded_at})
    return Retold(
        tuple(Recipient(one.organisation, one.recipient) for one in rows if one.kind in _SAID.values()),
        tuple(one.id for one in rows if one.kind == Kind.DECISION_NEEDED and one.acknowledged_at is None),
    )


def take_back_refusal(
    batch: Batch, row: Row[Any], caller: Caller, standing: Standing, facts: Facts, before: Retold
) -> int:
    """Tell whoever was told that she refuses that it was a mistake, and have nobody decide on it; returns how many.

    Must be called after the entry that it follows from was sealed.
    """
    for waiting in before.waiting:
        batch.update(_SETTLE, {"log": batch.log_id, "of": waiting, "at": batch.at, "by": by_of(caller)[0]})
    if facts.consent in _SAID:
        return 0  # they are told what she does say
    matter = Matter(Kind.CONSENT_CORRECTED, row.event_id, row.id, row.record_id)
    due = due_by_grade(standing.terms, facts.grade, batch.now)
    return tell(batch, matter, before.told, due=due, caller=caller, agreement=standing.agreement)


_SAID: Mapping[str, Kind] = {
    ConsentState.REFUSED.value: Kind.CONSENT_REFUSED,
    ConsentState.WITHDRAWN.value: Kind.CONSENT_WITHDRAWN,
}


def change_facts(batch: Batch, row: Row[Any], head: ReferralHead, facts: Facts) -> None:
    """Write the facts a referral is decided on from now on, as its next version."""
    moved = ReferralHead(head.version + 1, head.status, head.state, head.record_id)
    batch.change_referral(row.id, moved, {"facts": orjson.dumps(facts.to_json()).decode()})


@dataclass(frozen=True, slots=True)
class EndOverrides(Unit[int]):
    """End the overrides whose day has come: the referral's facts are again what they were. Returns how many."""

    most: int = 50

    def apply(self, batch: Batch) -> int:  # noqa: D102 - said by Unit.apply
        due = batch.read(_EXPIRED, {"log": batch.log_id, "now": batch.clock, "most": self.most})
        over = [(one, overridden_by(batch, one)) for one in due]
        for one, rows in over:
            end_override(batch, one.id, rows)
        return len(due)


def overridden_by(batch: Batch, override: Row[Any]) -> list[Row[Any]]:
    """The referrals that stand on an override. Must be called before the unit writes."""
    asked = {"log": batch.log_id, "referral": override.referral_id or "", "event": override.event_id or ""}
    return [row for row in batch.read(_OVERRIDDEN, asked) if _before(_stored(row)) != _stored(row)]


def end_override(batch: Batch, override_id: str, rows: Iterable[Row[Any]]) -> None:
    """End an override: what a person had decided about these referrals is undecided again."""
    batch.update(_ENDED, {"of": override_id, "at": batch.at})
    for row in rows:
        facts = _before(_stored(row))
        change_facts(batch, row, ReferralHead(row.version, row.status, row.state, row.record_id), facts)
        consent = {"consent": facts.consent} if facts.consent is not None else {}
        batch.seal(
            act(
                Event.CONSENT_CHANGED,
                Operation.ALTERATION,
                at=batch.at,
                caller=None,
                record=row.record_id,
                case=row.id,
                subjects=(subject_of(row.record_id, row.victim),),
                reason="override-ended",
                detail={"override": override_id} | consent,
            )
        )


def _stored(row: Row[Any]) -> Facts:
    return Facts.from_json(orjson.loads(row.facts))


def _before(facts: Facts) -> Facts:
    """The facts as they were before a human decided; an area that somebody stated stays stated."""
    overridden = facts.consent == ConsentState.OVERRIDDEN
    return replace(
        facts,
        consent=ConsentState.REFUSED.value if overridden else facts.consent,
        handling="C" if facts.handling == CONDITIONS_SETTLED else facts.handling,
        information_grade="E" if facts.information_grade == SUSPICION_SETTLED else facts.information_grade,
    )


CONDITIONS_SETTLED = "C-decided"
"""Handling code C whose conditions a human has settled."""
SUSPICION_SETTLED = "E-decided"
"""Information graded E that a human has let go on."""

_t, _r, _n = tables.consent_override, tables.referral, tables.notice
_TOLD = select(_n).where(_n.c.referral_id == bindparam("of"), _n.c.created_at == bindparam("at")).order_by(_n.c.seq)
_SETTLE = acknowledging(_n.c.id == bindparam("of"))
_EXPIRED = (
    select(_t.c.id, _t.c.referral_id, _t.c.event_id)
    .where(_t.c.log_id == bindparam("log"), _t.c.ended_at.is_(None), _t.c.expires_at <= bindparam("now"))
    .order_by(_t.c.expires_at, _t.c.id)
    .limit(bindparam("most"))
)
_OVERRIDDEN = select(_r).where(
    _r.c.log_id == bindparam("log"), or_(_r.c.id == bindparam("referral"), _r.c.event_id == bindparam("event"))
)
_ENDED = update(_t).where(_t.c.id == bindparam("of")).values(ended_at=bindparam("at"))
