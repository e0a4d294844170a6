"""What is sealed of a sign-in that came to nothing: why, by a code, and who it was where that is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from audit.entry import Actor, Outcome
from gateway.evidence import Event, administration
from gateway.signin.claims import CLIENT
from gateway.store.batch import Batch, Unit

NOBODY = Actor("unknown", CLIENT)


@dataclass(frozen=True, slots=True)
class RefuseSignIn(Unit[None]):
    """Seals a refusal (operator's log). Nothing that was typed goes in: what is in `detail` is known here."""

    reason: str
    request: str | None
    correlation: str | None
    detail: Mapping[str, str | int] | None = None

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        entry = administration(
            Event.SIGN_IN_REFUSED,
            at=batch.at,
            actor=NOBODY,
            outcome=Outcome.DENIED,
            reason=self.reason,
            detail=self.detail,
        )
        batch.seal(entry._replace(request=self.request, correlation=self.correlation))
