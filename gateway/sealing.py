"""Deciding once more at the instant of sealing: what leaves is what the agreement lets go then, not a moment before.

Every unit that releases something asks this first, under the log's head. What came out otherwise is begun again by the
journey (`under_agreement.decided`).
"""

from __future__ import annotations

from datetime import datetime

from gateway.agreement import Terms
from gateway.decide import Decision, Facts, decide_on
from gateway.store.batch import DecideAgain


def decided_again(
    facts: Facts, made: Decision, terms: Terms | None, now: datetime, items: frozenset[str] | None = None
) -> Decision:
    """The decision that was `made` on these facts, at this instant; `items` are those it was narrowed to.

    Raises DecideAgain where it comes out otherwise.
    """
    decision = decide_on(facts, made.recipient, made.purpose, terms, now)
    if items is not None:
        decision = decision.narrow(items)
    if (decision.outcome, decision.ruling) != (made.outcome, made.ruling):
        raise DecideAgain("the decision came out otherwise at the instant of sealing")
    return decision
