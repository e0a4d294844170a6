"""What is sealed where nothing is sent again: a caller is told that its copy still is what it would be given.

A conditional read, or a HEAD, discloses no item: the caller has the resource already, or asks for no content. That
somebody asked, and was told that it is there and unchanged, is a consultation, and is sealed before the answer goes
(P1). What is compared, and how, is the interface's business (`gateway.web.fhir`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audit.entry import Operation
from gateway.disclosure import Found, subjects_in
from gateway.evidence import Caller, Event, act
from gateway.searching import Search
from gateway.store.batch import Batch, Unit
from gateway.terms import Standing


@dataclass(frozen=True, slots=True)
class Unchanged(Unit[None]):
    """Seal that the one resource found was confirmed and not sent; like `Disclose`, it decides again when sealing."""

    found: Found
    search: Search
    caller: Caller
    standing: Standing
    reason: str | None = None

    @property
    def referrals(self) -> Sequence[str]:
        """The referrals that must not have changed."""
        return [one.row.id for one in self.found.opened]

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        (one,) = self.found.opened
        one.check(batch, self.search, self.standing)
        batch.seal(
            act(
                Event.REFERRAL_CONFIRMED,
                Operation.CONSULTATION,
                at=batch.at,
                caller=self.caller,
                decision=one.decision.narrow(frozenset()),  # nothing is released
                subjects=subjects_in(one),
                record=one.row.record_id,
                case=one.row.id,
                reason=self.reason,
                mapping=one.row.mapping,
                detail={"types": ",".join(self.search.types), "version": one.row.version},
            )
        )
