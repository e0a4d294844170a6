"""A team's change to a referral: kept with its words to police, and sealed.

Which changes there may be is for `casework`; what police are told of the words, and when, for `feedback`.

Source: domain.md sections 4.2 (states), 4.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Row

from audit.entry import Operation
from gateway.casework import ACCEPTING, ACKNOWLEDGING, NEXT_STATUS, Step
from gateway.decide import Decision, Facts
from gateway.evidence import Caller, Event, act
from gateway.store.batch import Batch, ReferralHead, Unit
from gateway.store.records import Records, subject_of
from gateway.telling import ACKNOWLEDGE_OFFER, Listener, Word, write_words
from gateway.terms import Standing


@dataclass(frozen=True, slots=True)
class ChangeReferral(Unit[int]):
    """Move a referral on, keep the words to police, seal the act; returns the new version."""

    row: Row[Any]
    step: Step
    words: Sequence[Word]
    decision: Decision
    facts: Facts
    caller: Caller
    standing: Standing
    records: Records

    @property
    def referrals(self) -> Sequence[str]:  # type: ignore[override]  # a value computed from the fields
        """The referral that must not have changed."""
        return (self.row.id,)

    def apply(self, batch: Batch) -> int:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        head = batch.same_referral(self.row.id, self.row.version)
        version = head.version + 1
        told = [*orjson.loads(self.row.feedback), *(t.feedback.model_dump(mode="json") for t in self.step.told)]
        changed: dict[str, Any] = {"feedback": orjson.dumps(told).decode()}
        if self.step.status in ACCEPTING and self.caller.user is not None:
            changed["assigned_to"] = self.caller.user
        if not NEXT_STATUS[self.step.status] and self.row.closed_at is None:
            changed["closed_at"] = batch.at  # retention counts from here
        batch.change_referral(
            self.row.id,
            ReferralHead(version, self.step.status.value, self.step.state.value, head.record_id),
            changed,
        )
        if self.step.status in ACKNOWLEDGING:
            batch.update(ACKNOWLEDGE_OFFER, {"of": self.row.id, "at": batch.at})
        entry = act(
            Event.REFERRAL_CHANGED,
            Operation.ALTERATION,
            at=batch.at,
            caller=self.caller,
            decision=self.decision,
            facts=self.facts,
            subjects=(subject_of(self.row.record_id, self.row.victim),),
            record=self.row.record_id,
            case=self.row.id,
            detail={
                "types": "Task",
                "status": self.step.status.value,
                "state": self.step.state.value,
                "version": version,
                "words": len(self.step.told),
            },
        )
        seq = batch.seal(entry)
        told_to = Listener(self.row.force, self.row.id, self.row.event_id)
        write_words(batch, seq, self.words, told_to, self.records)
        return version
