"""What the victim says now of sharing, and when an override of what she said ends.

Refused and withdrawn stop the future: the facts her referral is decided on say so from the next version, everybody
else who was given something is told, and where a hold of the agreement leaves it to a person, that person is asked.
What the law requires to be kept is kept.

Source: domain.md section 4.6.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlalchemy import Row, bindparam, or_, select, update

from audit.entry import Entry, Operation, Recipient
from gateway.decide import Decision, Facts, decide_on
from gateway.decide import Outcome as Ruled
from gateway.evidence import Caller, Event, act
from gateway.intake import SAFEGUARDING
from gateway.notices import Kind, Matter, due_by_grade, others, past_recipients, tell
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

    @property
    def referrals(self) -> Sequence[str]:  # type: ignore[override]  # a value computed from the fields
        """The referral."""
        return (self.row.id,)

    def apply(self, batch: Batch) -> int:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        head = batch.same_referral(self.row.id, self.row.version)
        given = past_recipients(batch, (self.row.id,))[self.row.id]
        stored = replace(Facts.from_json(orjson.loads(self.row.facts)), consent=self.state.value)
        facts = replace(self.facts, consent=self.state.value)
        terms = self.standing.terms
        decision = decide_on(facts, self.row.team, SAFEGUARDING, terms, batch.now)
        change_facts(batch, self.row, head, stored)
        batch.seal(self._entry(batch, decision, facts))
        kind = _SAID.get(self.state)
        if kind is None:
            return 0
        due = due_by_grade(terms, facts.grade, batch.now)
        matter = Matter(kind, self.row.event_id, self.row.id, self.row.record_id, self.reason)
        agreement = terms.agreement if terms else None
        told = tell(batch, matter, others(given, self.caller), due=due, caller=self.caller, agreement=agreement)
        owner = self._owner(decision)
        if owner is not None:
            needed = replace(matter, kind=Kind.DECISION_NEEDED, reason=decision.verdicts[0].by)
            by = decision.respond_by or due
            tell(batch, needed, (owner,), due=by, caller=self.caller, agreement=agreement)
        return told

    def _owner(self, decision: Decision) -> Recipient | None:
        """The organisation whose named contact decides, where the agreement leaves it to one."""
        if decision.outcome is not Ruled.HELD or not decision.verdicts or self.standing.terms is None:
            return None
        content = self.standing.terms.agreement.content
        contact = next((one for one in content.contacts if one.id == decision.owner), None)
        return Recipient(content.party(contact.party).organisation, "") if contact else None

    def _entry(self, batch: Batch, decision: Decision, facts: Facts) -> Entry:
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
            detail={"consent": self.state.value} | ({"why": self.reason} if self.reason else {}),
        )


_SAID = {ConsentState.REFUSED: Kind.CONSENT_REFUSED, ConsentState.WITHDRAWN: Kind.CONSENT_WITHDRAWN}


def change_facts(batch: Batch, row: Row[Any], head: ReferralHead, facts: Facts) -> None:
    """Write the facts a referral is decided on from now on, as its next version."""
    moved = ReferralHead(head.version + 1, head.status, head.state, head.record_id)
    batch.change_referral(row.id, moved, {"facts": orjson.dumps(facts.to_json()).decode()})


@dataclass(frozen=True, slots=True)
class EndOverrides(Unit[int]):
    """End the overrides whose day has come: the referral's facts are again what they were. Returns how many."""

    most: int = 50

    def apply(self, batch: Batch) -> int:  # noqa: D102 - said by Unit.apply
        due = batch.read(_EXPIRED, {"log": batch.log_id, "now": batch.at, "most": self.most})
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

_t, _r = tables.consent_override, tables.referral
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
