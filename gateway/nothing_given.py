"""What is sealed where nothing is given: a refusal, a question without an answer, an act on what is not there.

The entry of a question without an answer is the same whether there is none or none for this caller (P8).
"""

from __future__ import annotations

from dataclasses import dataclass

from audit.entry import Entry, Operation
from audit.entry import Outcome as EntryOutcome
from gateway.evidence import Caller, Event, act
from gateway.store.batch import Batch, Unit
from gateway.terms import Standing


@dataclass(frozen=True, slots=True)
class Deny(Unit[None]):
    """Seal that a caller was not let at anything: it is no recipient, or names nobody on whose behalf it asks."""

    caller: Caller
    reason: str

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        batch.seal(
            act(
                Event.ACCESS_REFUSED,
                Operation.CONSULTATION,
                at=batch.at,
                caller=self.caller,
                outcome=EntryOutcome.DENIED,
                reason=self.reason,
            )
        )


@dataclass(frozen=True, slots=True)
class Missed(Unit[None]):
    """Seal that somebody wanted to act on what is not there, or not theirs."""

    caller: Caller
    wanted: Event

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        entry = act(
            Event.NOTHING_FOUND,
            Operation.CONSULTATION,
            at=batch.at,
            caller=self.caller,
            outcome=EntryOutcome.DENIED,
            detail={"wanted": self.wanted.value},
        )
        batch.seal(entry)


def nothing_found(batch: Batch, caller: Caller, standing: Standing, what: str) -> Entry:
    """The entry of a question without an answer: the same whether there is none or none for this caller (P8)."""
    return act(
        Event.NOTHING_FOUND,
        Operation.CONSULTATION,
        at=batch.at,
        caller=caller,
        outcome=EntryOutcome.DENIED,
        agreement=standing.agreement_ref,
        detail={"types": what},
    )
