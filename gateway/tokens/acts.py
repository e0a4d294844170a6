"""What the token server does, as units of the operator's log: an act and the assertion that paid for it, in one commit.

An assertion buys one act. Its id is claimed in the same transaction that seals the act, so that of any number of
concurrent uses, in any process, one succeeds (P1, P2).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256

from sqlalchemy import bindparam, delete, func, select

from audit.entry import Entry, Outcome, timestamp
from gateway.evidence import Caller, Event, administration
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.tokens.refusal import Reason

PRUNE_MARGIN = timedelta(seconds=300)  # another replica's clock may be behind: to it, an expired assertion is good yet
REVOKED_KEPT = timedelta(days=30)  # a clock that ran ahead and was set back must not bring a revoked token to life


class Note(Unit[None]):
    """Seals one entry of administration."""

    def __init__(
        self,
        event: Event,
        caller: Caller,
        *,
        outcome: Outcome = Outcome.PERMITTED,
        reason: str | None = None,
        detail: Mapping[str, str | int] | None = None,
    ) -> None:
        self._event, self._caller, self._outcome, self._reason, self._detail = event, caller, outcome, reason, detail

    def apply(self, batch: Batch) -> None:
        """Seal it."""
        batch.seal(self.entry(batch.at))

    def entry(self, at: str) -> Entry:
        """The entry, made at that time."""
        return administration(
            self._event, at=at, outcome=self._outcome, reason=self._reason, detail=self._detail, caller=self._caller
        )


def refusal(caller: Caller, reason: Reason, endpoint: str, claimed: str | None = None) -> Note:
    """The refusal of a request. `claimed` is the registered client it said it was from, where nothing proved it."""
    detail = {"endpoint": endpoint} if claimed is None else {"endpoint": endpoint, "claimed": claimed}
    return Note(Event.TOKEN_REFUSED, caller, outcome=Outcome.DENIED, reason=reason.value, detail=detail)


class Spend(Unit["Reason | None"]):
    """Uses an assertion up and does what it paid for; or says why it buys nothing, and seals that.

    `jti` is the assertion's id, unique for its client; `until` the time from which it is worth nothing. `prune` has
    what nobody can ask for any more deleted on the way.
    """

    def __init__(
        self, act: Unit[None], *, caller: Caller, endpoint: str, jti: str, until: str, prune: bool = False
    ) -> None:
        self._act, self._caller, self._endpoint, self._until, self._prune = act, caller, endpoint, until, prune
        self._key = sha256(f"assertion\0{caller.client}\0{jti}".encode()).digest()
        self.claims = (self._key, _PRUNED, *act.claims)

    def apply(self, batch: Batch) -> Reason | None:
        """Claim the assertion and do the act; None where it was done.

        Whether it has expired is asked of the machine's clock, not of the log's time: a clock that once ran ahead
        would keep everybody out until true time has caught up. What was pruned meanwhile is remembered instead.
        """
        if batch.owner(self._key) is not None:
            return self._refuse(batch, Reason.ASSERTION_REPLAYED)
        pruned = (batch.owner(_PRUNED) or b"").decode()
        if batch.clock >= self._until or self._until <= pruned:  # an earlier use of it may be pruned by now
            return self._refuse(batch, Reason.ASSERTION_EXPIRED)
        last = self._last_to_prune(batch) if self._prune else None
        batch.claim(self._key, b"assertion", self._until)
        self._act.apply(batch)
        if self._prune:
            before = timestamp(batch.now - PRUNE_MARGIN)
            batch.update(_PRUNE_CLAIMS, {"log": batch.log_id, "before": before})
            batch.update(_PRUNE_REVOCATIONS, {"before": timestamp(batch.now - REVOKED_KEPT)})
        if last is not None and last > pruned:
            (batch.reclaim if pruned else batch.claim)(_PRUNED, last.encode())
        return None

    @staticmethod
    def _last_to_prune(batch: Batch) -> str | None:
        """The latest expiry among the claims that are about to be pruned."""
        before = timestamp(batch.now - PRUNE_MARGIN)
        row = next(iter(batch.read(_LAST_EXPIRY, {"log": batch.log_id, "before": before})), None)
        return row.last if row is not None else None

    def _refuse(self, batch: Batch, reason: Reason) -> Reason:
        refusal(self._caller, reason, self._endpoint).apply(batch)
        return reason


_PRUNED = sha256(b"assertions pruned through").digest()
"""The claim that says up to which expiry uses of assertions have been forgotten."""

_LAST_EXPIRY = select(func.max(tables.claim.c.expires_at).label("last")).where(
    tables.claim.c.log_id == bindparam("log"), tables.claim.c.expires_at < bindparam("before")
)
_PRUNE_CLAIMS = delete(tables.claim).where(
    tables.claim.c.log_id == bindparam("log"), tables.claim.c.expires_at < bindparam("before")
)
_PRUNE_REVOCATIONS = delete(tables.revocation).where(tables.revocation.c.expires_at < bindparam("before"))
