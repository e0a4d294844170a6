"""What was said, at the scene or by phone, recorded afterwards: a disclosure like any other, marked as spoken.

An entry of its own says who told whom, which items, when and how; the words themselves are not kept. It happened
whether or not the agreement names it: what goes beyond what a clause would have released is sealed as just that, so
that an auditor finds it.

Source: domain.md section 4.1, step 2 (verbal: must be logged later as disclosure).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row

from audit.entry import Entry, Items, Operation, Recipient, timestamp
from gateway.casework.acts import SPOKEN
from gateway.casework.effects import Happened
from gateway.casework.keeping import Kept, by_of, write_events
from gateway.decide import Decision, Facts, decide_on
from gateway.evidence import Caller, Event, act
from gateway.route import route
from gateway.store.batch import Batch, DecideAgain, Unit
from gateway.store.records import subject_of
from gateway.terms import Standing


class Channel(StrEnum):
    """How it was said."""

    AT_THE_SCENE = "at-the-scene"
    BY_PHONE = "by-phone"
    IN_PERSON = "in-person"
    AT_A_MEETING = "at-a-meeting"


@dataclass(frozen=True, slots=True)
class Said:
    """A spoken disclosure: to which recipient of the agreement, for which purpose, which items, when and how."""

    recipient: str
    purpose: str
    items: tuple[str, ...]
    said_at: datetime
    channel: Channel
    reason: str | None = None

    @property
    def happened(self) -> Happened:
        """The same as the history of a case keeps it: to whom, how and which items; never the words."""
        codes = {"to": self.recipient, "aloud": self.channel.value, "items": list(self.items)}
        return Happened(SPOKEN, self.said_at, codes, {})


@dataclass(frozen=True, slots=True)
class RecordOral(Unit[int]):
    """Seal what was said about a referral's victim; returns how many of the items no clause would have released.

    `kept` is what the history of the case says of it, where the case's own team said it: only to that team is it shown.
    """

    said: Said
    row: Row[Any]
    facts: Facts
    caller: Caller
    standing: Standing
    kept: Kept | None

    @property
    def referrals(self) -> Sequence[str]:
        """The referral it was about."""
        return (self.row.id,)

    def apply(self, batch: Batch) -> int:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        if batch.referral(self.row.id) is None:
            raise DecideAgain("the referral has gone")
        decision = decide_on(self.facts, self.said.recipient, self.said.purpose, self.standing.terms, self.said.said_at)
        beyond = [item for item in self.said.items if item not in decision.released]
        seq = batch.seal(self._entry(batch, decision, beyond))
        if self.kept is not None:
            write_events(batch, seq, self.row.id, (self.kept,), *by_of(self.caller))
        return len(beyond)

    def _entry(self, batch: Batch, decision: Decision, beyond: Sequence[str]) -> Entry:
        """The entry holds no facts: what was said is not a decision of the gateway's, to be made again."""
        narrowed = decision.narrow(frozenset(self.said.items) - set(beyond))
        entry = act(
            Event.ORAL_DISCLOSURE,
            Operation.DISCLOSURE,
            at=batch.at,
            caller=self.caller,
            decision=decision,
            subjects=(subject_of(self.row.record_id, self.row.victim),),
            record=self.row.record_id,
            case=self.row.id,
            reason=self.said.reason or ("beyond-agreement" if beyond else decision.reason.value),
            mapping=self.row.mapping,
            payload=self.kept.payload if self.kept else None,
            detail={
                "channel": self.said.channel.value,
                "said": timestamp(self.said.said_at),
                "beyond": len(beyond),
                "oral": True,
            },
        )
        to = (Recipient(decision.organisation or "unknown", decision.recipient),)
        return entry._replace(
            items=Items(released=tuple(sorted(self.said.items))), clauses=narrowed.clauses, recipients=to
        )


def purpose_to(standing: Standing, organisation: str, recipient: str) -> str | None:
    """The purpose of the agreement's flow from an organisation to a recipient; the first one where it has several."""
    if standing.terms is None:
        return None
    agreement = standing.terms.agreement
    for flow in agreement.content.flows:
        if recipient in flow.to and route(agreement, recipient, flow.purpose, organisation).fault is None:
            return flow.purpose
    return None
