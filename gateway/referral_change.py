"""A team's change to a referral: kept with what was done, its clocks and its words to police, and sealed.

One unit, whichever way the change was said: as a change of a Task, or as acts of an adviser. Which changes there may be
is for `casework`; what police are told of the words, and when, for `feedback`.

Source: domain.md sections 4.1 (steps 6 to 9), 4.2 (states), 4.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Row

from audit.entry import Entry, Operation
from gateway.casework import ACKNOWLEDGING, NEXT_STATUS, Step
from gateway.casework.keeping import Kept, Owner, by_of, follow, write_events
from gateway.casework.timers import UNANSWERED, Stands, changed
from gateway.decide import Decision, Facts
from gateway.evidence import Caller, Event, act
from gateway.store.batch import Batch, ReferralHead, Unit
from gateway.store.records import Records, subject_of
from gateway.telling import ACKNOWLEDGE_OFFER, Listener, Word, write_words
from gateway.terms import Standing
from mappings.referral import ReferralState, ReferralStatus


@dataclass(frozen=True, slots=True)
class Move:
    """One entry of a change: where the referral stands then, the words to police, what was done; `detail` says what."""

    event: Event
    step: Step
    words: Sequence[Word]
    kept: Sequence[Kept]
    detail: tuple[tuple[str, str | int], ...]


@dataclass(frozen=True, slots=True)
class ChangeReferral(Unit[int]):
    """Move a referral on, keep what was done and the words to police, seal each move; returns the new version.

    `assigned` is whose case it is from now on: a person, "" for nobody, None for as it was.
    """

    row: Row[Any]
    moves: Sequence[Move]
    assigned: str | None
    decision: Decision
    facts: Facts
    caller: Caller
    standing: Standing
    records: Records

    @property
    def referrals(self) -> Sequence[str]:
        """The referral that must not have changed."""
        return (self.row.id,)

    def apply(self, batch: Batch) -> int:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        head = batch.same_referral(self.row.id, self.row.version)
        version = head.version + 1
        last = self.moves[-1].step
        batch.change_referral(
            self.row.id,
            ReferralHead(version, last.status.value, last.state.value, head.record_id),
            self._changed(batch),
        )
        was = ReferralStatus(self.row.status)
        if was in UNANSWERED or any(move.step.status in ACKNOWLEDGING for move in self.moves):
            batch.update(ACKNOWLEDGE_OFFER, {"of": self.row.id, "at": batch.at})
        told_to = Listener(self.row.force, self.row.id, self.row.event_id)
        for move in self.moves:
            seq = batch.seal(self._entry(batch, move, version))
            write_events(batch, seq, self.row.id, move.kept, *by_of(self.caller))
            write_words(batch, seq, move.words, told_to, self.records)
        before: Stands = was, ReferralState(self.row.state)
        done = [one.happened for move in self.moves for one in move.kept]
        clocks = self.standing.terms.agreement.content.clocks if self.standing.terms else None
        plan = changed(before, (last.status, last.state), done, clocks, self.row.grade, batch.now)
        follow(batch, plan, Owner(self.row.id, self.row.organisation, self.row.team))
        return version

    def _changed(self, batch: Batch) -> dict[str, Any]:
        """The columns of the referral beside its head."""
        told = [one.feedback.model_dump(mode="json") for move in self.moves for one in move.step.told]
        found: dict[str, Any] = {"feedback": orjson.dumps([*orjson.loads(self.row.feedback), *told]).decode()}
        if self.assigned is not None:
            found["assigned_to"] = self.assigned or None
        if not NEXT_STATUS[self.moves[-1].step.status] and self.row.closed_at is None:
            found["closed_at"] = batch.at  # retention counts from here
        return found

    def _entry(self, batch: Batch, move: Move, version: int) -> Entry:
        return act(
            move.event,
            Operation.ALTERATION,
            at=batch.at,
            caller=self.caller,
            decision=self.decision,
            facts=self.facts,
            subjects=(subject_of(self.row.record_id, self.row.victim),),
            record=self.row.record_id,
            case=self.row.id,
            payload=next((one.payload for one in move.kept if one.payload), None),
            detail={
                **dict(move.detail),
                "status": move.step.status.value,
                "state": move.step.state.value,
                "version": version,
                "words": len(move.step.told),
            },
        )
