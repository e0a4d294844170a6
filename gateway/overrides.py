"""What a person decides where the agreement leaves it to one: to let go on, or to keep back, and on what ground.

A record that was held (consent refused at high risk, children, handling code C, grade E, no area) waits with a named
human and a clock. That human releases it with a ground, the evidence, why it is proportionate, the least that will do,
and whether the victim was told; the words are kept encrypted, the codes are sealed. The facts then say `overridden`,
so that the decision can be made again as it was. An override ends on its day (`consent.py`), and somebody else reviews
it (`reviews.py`).

Source: domain.md section 4.6.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

import orjson
from sqlalchemy import bindparam, or_, select, update

from audit.entry import Entry, Operation, timestamp
from gateway.agreement import Terms
from gateway.chance import fresh_id
from gateway.consent import CONDITIONS_SETTLED, SUSPICION_SETTLED, change_facts, end_override, overridden_by
from gateway.decide import Facts, decide_on
from gateway.errors import Unprocessable
from gateway.evidence import Caller, Event, act
from gateway.intake import Offer
from gateway.notices import due_for_review
from gateway.reviews import Review, write_review
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.store.envelope import Envelope, Sealed
from gateway.taking import Answer, TakeIn, Taken
from gateway.terms import Standing, agreement_ref
from mappings.record import ConsentState


class Ground(StrEnum):
    """Why something is shared without consent, or against a hold."""

    LIFE_OR_LIMB = "life-or-limb"
    SERIOUS_CRIME = "serious-crime"
    CHILD_AT_RISK = "child-at-risk"
    OTHERS_AT_RISK = "others-at-risk"
    LEGAL_DUTY = "legal-duty"
    COERCION_SUSPECTED = "coercion-suspected"
    LACKS_CAPACITY = "lacks-capacity"
    CONDITIONS_AGREED = "conditions-agreed"  # of a marking: whoever marked it has said how it may be used


class VictimTold(StrEnum):
    """Whether she knows that it is shared without her consent."""

    YES = "yes"
    NOT_YET = "not-yet"
    UNSAFE = "unsafe"  # telling her would put her at risk


MOST_DAYS = 90
"""An override is for a time; beyond this somebody decides again."""


@dataclass(frozen=True, slots=True)
class Override:
    """An override as its author states it: codes for the log, and the words encrypted."""

    id: str
    ground: Ground
    told: VictimTold
    days: int
    words: Sealed

    @classmethod
    def of(cls, envelope: Envelope, ground: Ground, told: VictimTold, days: int, words: Mapping[str, str]) -> Override:
        """Encrypt evidence, proportionality, the minimum set and why she was not told. Raises Unprocessable."""
        if not 1 <= days <= MOST_DAYS:
            raise Unprocessable(f"an override is for 1 to {MOST_DAYS} days")
        id_ = fresh_id()
        return cls(id_, ground, told, days, envelope.seal(orjson.dumps(words), f"consent_override.content|{id_}"))

    def write(self, batch: Batch, caller: Caller, terms: Terms | None, **of: str | None) -> str:
        """Hand the rows to the batch; returns when the review is due."""
        due = timestamp(due_for_review(terms, batch.now))
        batch.insert(tables.data_key, {"id": self.id, "content_key": self.words.key, "vault_key": None})
        batch.insert(
            tables.consent_override,
            {
                "id": self.id,
                "log_id": batch.log_id,
                "ground": self.ground.value,
                "decided_by": caller.user,
                "role": caller.role or "unstated",
                "organisation": caller.organisation,
                "told": self.told.value,
                "content": self.words.content,
                "created_at": batch.at,
                "expires_at": timestamp(batch.now + timedelta(days=self.days)),
                "review_due": due,
                **of,
            },
        )
        return due


def decided_by_human(facts: Facts, area: str | None = None) -> Facts:
    """The facts once a human has decided: consent overridden, marking conditions met, an area stated.

    The marks stay readable, and the end of the override takes them back (`consent.py`).
    """
    consent = ConsentState.OVERRIDDEN.value if facts.consent in _AGAINST else facts.consent
    handling = CONDITIONS_SETTLED if facts.handling == "C" else facts.handling
    grade = SUSPICION_SETTLED if facts.information_grade == "E" else facts.information_grade
    return replace(facts, consent=consent, handling=handling, information_grade=grade, area=facts.area or area)


_AGAINST = frozenset({ConsentState.REFUSED.value, ConsentState.WITHDRAWN.value})


def released_offers(made: Sequence[Offer], terms: Terms | None, now: datetime, area: str | None) -> tuple[Offer, ...]:
    """The offers as they are once a human has decided."""
    found: list[Offer] = []
    for offer in made:
        facts = decided_by_human(offer.facts, area)
        found.append(replace(offer, facts=facts, decision=decide_on(facts, offer.recipient, offer.purpose, terms, now)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Release(Unit[Answer]):
    """Let a held record go on: the override and what it makes true, in one transaction."""

    override: Override
    quarantine_id: str
    taking: TakeIn
    caller: Caller

    @property
    def claims(self) -> Sequence[bytes]:  # type: ignore[override]  # a value computed from the fields
        """The names of the record."""
        return self.taking.claims

    def apply(self, batch: Batch) -> Answer:  # noqa: D102 - said by Unit.apply
        row = next(iter(batch.read(_HELD, {"log": batch.log_id, "id": self.quarantine_id})), None)
        if row is None or row.closed_at is not None:
            raise Unprocessable("somebody has decided it")
        answer = self.taking.apply(batch)
        if answer.taken not in _WENT_ON:
            raise Unprocessable("it no longer goes on: a newer version, or the same one, was taken in meanwhile")
        terms = self.taking.standing.terms
        of = {"quarantine_id": self.quarantine_id, "event_id": answer.incident}
        due = self.override.write(batch, self.caller, terms, **of)
        record = self.taking.prepared.record_id
        batch.seal(_override_entry(batch, self.override, self.caller, terms, due, record=record, of=self.quarantine_id))
        return answer


@dataclass(frozen=True, slots=True)
class Uphold(Unit[bool]):
    """Keep a held record back for good: the human's task is done. False where there is none, or it was decided."""

    quarantine_id: str
    reason: str
    caller: Caller

    def apply(self, batch: Batch) -> bool:  # noqa: D102 - said by Unit.apply
        row = next(iter(batch.read(_HELD, {"log": batch.log_id, "id": self.quarantine_id})), None)
        if row is None or row.closed_at is not None:
            return False
        batch.update(_CLOSE, {"of": self.quarantine_id, "at": batch.at})
        batch.seal(
            act(
                Event.HOLD_UPHELD,
                Operation.ADMINISTRATION,
                at=batch.at,
                caller=self.caller,
                reason=self.reason,
                detail={"quarantine": self.quarantine_id, "why": row.reason},
            )
        )
        return True


@dataclass(frozen=True, slots=True)
class OverrideReferral(Unit[bool]):
    """Let a referral that was stopped, or what may be told of it, go on; False where there is none.

    It is for whoever has the case, and for the force that sent it; to another party there is none.
    """

    override: Override
    referral_id: str
    caller: Caller
    standing: Standing

    @property
    def referrals(self) -> Sequence[str]:
        """The referral."""
        return (self.referral_id,)

    def apply(self, batch: Batch) -> bool:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        asked = {"log": batch.log_id, "id": self.referral_id, "own": self.caller.organisation}
        row = next(iter(batch.read(_REFERRAL, asked)), None)
        head = batch.referral(self.referral_id)
        if row is None or head is None:
            return False
        facts = decided_by_human(Facts.from_json(orjson.loads(row.facts)))
        change_facts(batch, row, head, facts)
        due = self.override.write(batch, self.caller, self.standing.terms, referral_id=self.referral_id)
        terms = self.standing.terms
        entry = _override_entry(batch, self.override, self.caller, terms, due, record=row.record_id, of=row.id)
        batch.seal(entry._replace(case=row.id))
        return True


@dataclass(frozen=True, slots=True)
class ReviewOverride(Unit[bool]):
    """Say whether an override was right. False where there is none. One that was not ends at once."""

    id: str
    outcome: Review
    caller: Caller

    def apply(self, batch: Batch) -> bool:  # noqa: D102 - said by Unit.apply
        row = next(iter(batch.read(_ONE, {"log": batch.log_id, "id": self.id})), None)
        if row is None:
            return False
        over = self.outcome is Review.NOT_JUSTIFIED and row.ended_at is None
        standing_on_it = overridden_by(batch, row) if over else []
        write_review(batch, _t, row, row.decided_by, self.outcome, self.caller)
        if over:
            end_override(batch, row.id, standing_on_it)
        batch.seal(
            act(
                Event.OVERRIDE_REVIEWED,
                Operation.ADMINISTRATION,
                at=batch.at,
                caller=self.caller,
                case=row.referral_id,
                reason=self.outcome.value,
                detail={"override": row.id, "user": row.decided_by, "late": batch.clock > row.review_due},
            )
        )
        return True


def _override_entry(
    batch: Batch, override: Override, caller: Caller, terms: Terms | None, due: str, *, record: str, of: str
) -> Entry:
    return act(
        Event.OVERRIDE_RECORDED,
        Operation.ALTERATION,
        at=batch.at,
        caller=caller,
        agreement=agreement_ref(terms.agreement) if terms else None,
        record=record,
        reason=override.ground.value,
        detail={
            "override": override.id,
            "of": of,
            "victim-told": override.told.value,
            "days": override.days,
            "review-due": due,
        },
    )


_WENT_ON = frozenset({Taken.ACCEPTED, Taken.UPDATED})
_t, _q, _r = tables.consent_override, tables.quarantine, tables.referral


_HELD = select(_q.c.id, _q.c.reason, _q.c.closed_at).where(_q.c.log_id == bindparam("log"), _q.c.id == bindparam("id"))
_CLOSE = update(_q).where(_q.c.id == bindparam("of")).values(closed_at=bindparam("at"))
_REFERRAL = select(_r).where(
    _r.c.log_id == bindparam("log"),
    _r.c.id == bindparam("id"),
    or_(_r.c.organisation == bindparam("own"), _r.c.force == bindparam("own")),
    _r.c.erased_at.is_(None),
)
_ONE = select(_t).where(_t.c.log_id == bindparam("log"), _t.c.id == bindparam("id"))
