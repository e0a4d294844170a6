"""Breaking the glass: a person overrides a denial because a life is at risk, and answers for it afterwards.

It opens one case to one person for a few hours, for one of a closed set of grounds, with the reason in their own words
(kept encrypted, never in the log). What is then released is what the agreement's emergency clauses name, and nothing
else. Every party is told at once; somebody else reviews it within one working day; and until then the same person
cannot break the glass again.

Source: design.md section 6; domain.md sections 3.3 (emergency override with review), 4.5 (N15), 4.6 (grounds).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import bindparam, func, select

from audit.entry import Operation, Outcome, timestamp
from gateway.chance import fresh_id
from gateway.clock import clock
from gateway.decide import Outcome as Ruled
from gateway.disclosure import judged_of
from gateway.evidence import Caller, Event, act
from gateway.nothing_given import nothing_found
from gateway.notices import Kind, Matter, due_for_review, organisations, tell
from gateway.reviews import Review, write_review
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.store.envelope import Envelope, Sealed
from gateway.store.records import subject_of
from gateway.terms import Standing
from gateway.ties import ties_of


class Ground(StrEnum):
    """Why the glass may be broken: life, limb, or a child (domain.md section 4.6)."""

    LIFE_OR_LIMB = "life-or-limb"
    SERIOUS_CRIME = "serious-crime"
    CHILD_AT_RISK = "child-at-risk"
    OTHERS_AT_RISK = "others-at-risk"


OPEN_FOR = clock("PT4H")
"""How long the case stays open: the length of a crisis, not of a case."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A case that is open to a person in an emergency, until when, and by when it will be reviewed."""

    id: str
    until: str
    review_due: str


@dataclass(frozen=True, slots=True)
class Emergency:
    """What a person says when they break the glass: the ground, and their reason, already encrypted."""

    id: str
    referral_id: str
    ground: Ground
    reason: Sealed

    @classmethod
    def of(cls, envelope: Envelope, referral_id: str, ground: Ground, reason: str) -> Emergency:
        """Encrypt the reason under a key of its own."""
        id_ = fresh_id()
        return cls(id_, referral_id, ground, envelope.seal(reason.encode(), f"break_glass.content|{id_}"))


@dataclass(frozen=True, slots=True)
class OpenBreakGlass(Unit[Opened | str | None]):
    """Open a case in an emergency. Returns the code of a refusal, or None where the caller's team has no such case.

    Either way it is sealed: a refusal is raised by the caller of the unit, after the commit.
    """

    emergency: Emergency
    caller: Caller
    standing: Standing

    def apply(self, batch: Batch) -> Opened | str | None:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        asked = {"log": batch.log_id, "id": self.emergency.referral_id}
        team = {"team": self.caller.recipient, "organisation": self.caller.organisation}
        row = next(iter(batch.read(_REFERRAL, asked | team)), None)
        person = {"log": batch.log_id, "organisation": self.caller.organisation, "user": self.caller.user}
        unreviewed = batch.read(_UNREVIEWED, person)
        if row is None:
            batch.seal(nothing_found(batch, self.caller, self.standing, "Task"))
            return None
        for one in unreviewed:
            if one.referral_id == row.id and one.expires_at > batch.clock:
                self._seal(batch, row, Event.BREAK_GLASS_OPENED, one.id, repeated=True)
                return Opened(one.id, one.expires_at, one.review_due)
        if unreviewed:
            return self._refuse(batch, row, "review-outstanding")
        ties = ties_of(batch.read, self.caller, batch.log_id, [row])
        emergency = replace(ties, emergencies={row.id: (self.emergency.ground.value, _ALWAYS)})
        facts, decision = judged_of(row, self.standing, emergency, batch.now)
        if decision.outcome is not Ruled.PERMITTED:
            return self._refuse(batch, row, "no-emergency-clause")
        return self._open(batch, row) if facts.break_glass else self._refuse(batch, row, "not-needed")

    def _open(self, batch: Batch, row: Any) -> Opened:  # noqa: ANN401 - a row
        until = timestamp(OPEN_FOR.from_(batch.now))
        due = due_for_review(self.standing.terms, batch.now)
        one = self.emergency
        batch.insert(tables.data_key, {"id": one.id, "content_key": one.reason.key, "vault_key": None})
        batch.insert(
            tables.break_glass,
            {
                "id": one.id,
                "log_id": batch.log_id,
                "referral_id": row.id,
                "user_id": self.caller.user,
                "role": self.caller.role,
                "organisation": self.caller.organisation,
                "recipient": self.caller.recipient,
                "ground": one.ground.value,
                "content": one.reason.content,
                "opened_at": batch.at,
                "expires_at": until,
                "review_due": timestamp(due),
            },
        )
        self._seal(batch, row, Event.BREAK_GLASS_OPENED, one.id, repeated=False)
        terms = self.standing.terms
        if terms is not None:
            matter = Matter(Kind.BREAK_GLASS, row.event_id, row.id, row.record_id, one.ground.value)
            parties = organisations(terms.agreement.content)
            tell(batch, matter, parties, due=due, caller=self.caller, agreement=terms.agreement if terms else None)
        return Opened(one.id, until, timestamp(due))

    def _refuse(self, batch: Batch, row: Any, reason: str) -> str:  # noqa: ANN401 - a row
        batch.seal(
            act(
                Event.BREAK_GLASS_REFUSED,
                Operation.CONSULTATION,
                at=batch.at,
                caller=self.caller,
                outcome=Outcome.DENIED,
                record=row.record_id,
                case=row.id,
                subjects=(subject_of(row.record_id, row.victim),),
                reason=reason,
            )
        )
        return reason

    def _seal(self, batch: Batch, row: Any, event: Event, id_: str, *, repeated: bool) -> None:  # noqa: ANN401 - a row
        batch.seal(
            act(
                event,
                Operation.CONSULTATION,
                at=batch.at,
                caller=self.caller,
                record=row.record_id,
                case=row.id,
                subjects=(subject_of(row.record_id, row.victim),),
                reason=self.emergency.ground.value,
                detail={"break-glass": id_, "repeated": repeated},
            )
        )


@dataclass(frozen=True, slots=True)
class ReviewBreakGlass(Unit[bool]):
    """Say whether an emergency was one. False where there is none; raises where it was reviewed, or is one's own.

    An emergency that was none is over at once.
    """

    id: str
    outcome: Review
    caller: Caller

    def apply(self, batch: Batch) -> bool:  # noqa: D102 - said by Unit.apply
        row = next(iter(batch.read(_ONE, {"log": batch.log_id, "id": self.id})), None)
        if row is None:
            return False
        write_review(batch, _t, row, row.user_id, self.outcome, self.caller)
        if self.outcome is Review.NOT_JUSTIFIED:
            batch.change_terms()  # what was decided on it and is not sealed yet is decided again
        batch.seal(
            act(
                Event.BREAK_GLASS_REVIEWED,
                Operation.ADMINISTRATION,
                at=batch.at,
                caller=self.caller,
                case=row.referral_id,
                reason=self.outcome.value,
                detail={"break-glass": row.id, "user": row.user_id, "late": batch.clock > row.review_due},
            )
        )
        return True


_ALWAYS = "9999-12-31T00:00:00.000Z"
_t = tables.break_glass
_REFERRAL = select(tables.referral).where(
    tables.referral.c.log_id == bindparam("log"),
    tables.referral.c.id == bindparam("id"),
    tables.referral.c.team == bindparam("team"),
    tables.referral.c.organisation == bindparam("organisation"),
    tables.referral.c.erased_at.is_(None),
)
_UNREVIEWED = select(_t.c.id, _t.c.referral_id, _t.c.expires_at, _t.c.review_due).where(
    _t.c.log_id == bindparam("log"),
    _t.c.organisation == bindparam("organisation"),
    func.lower(_t.c.user_id) == func.lower(bindparam("user")),
    _t.c.reviewed_at.is_(None),
)
_ONE = select(_t).where(_t.c.log_id == bindparam("log"), _t.c.id == bindparam("id"))
