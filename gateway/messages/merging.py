"""Numbers that a hospital says are one person's: what an open case is found by, from then on under both.

Only the index grows: no record is changed, no person is made out of two, nothing is deleted. Whoever asks by either
number finds the case, and the log says since when and on whose word.

Source: DPA 2018 s.62(1)(e) (combination); HL7 v2.4 section 3.3.40 (A40); domain.md sections 2.9, 4.5 (N9).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select

from audit.entry import Operation, Recipient
from gateway.evidence import Caller, Event, act
from gateway.messages.keeping import Became
from gateway.messages.known import Case
from gateway.notices import Kind, Matter, due_by_grade, tell
from gateway.store import tables
from gateway.store.batch import Batch
from gateway.terms import Standing

MERGED = "numbers-merged"
"""Why a team is told of a merge."""


@dataclass(frozen=True, slots=True)
class Learned:
    """A case, and the blind numbers its victim is known by as well."""

    case: Case
    digests: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class MergeNumbers:
    """Have open cases found by the number that is kept, too."""

    learned: tuple[Learned, ...]
    caller: Caller
    standing: Standing

    @property
    def referrals(self) -> Sequence[str]:
        """The cases."""
        return sorted({one.case.row.id for one in self.learned})

    def apply(self, batch: Batch, message_id: str) -> Became:
        """Write what is new of it, seal, and tell the teams."""
        self.standing.check(batch)
        done = learn(batch, self.learned, self.caller, self.standing, "merge", message_id)
        terms = self.standing.terms
        for case in done:
            row = case.row
            tell(
                batch,
                Matter(Kind.DEMOGRAPHICS_CHANGED, row.event_id, row.id, row.record_id, MERGED),
                [Recipient(row.organisation, row.team)],
                due=due_by_grade(terms, row.grade, batch.now),
                caller=self.caller,
                agreement=terms.agreement if terms else None,
            )
        return Became.MERGED if done else Became.NOTHING_NEW


def learn(
    batch: Batch, learned: Sequence[Learned], caller: Caller, standing: Standing, reason: str, message_id: str
) -> list[Case]:
    """Index the numbers that are not yet there, and seal each combination; returns the cases of them.

    Reads before it writes.
    """
    wanted = sorted({digest for one in learned for digest in one.digests})
    rows = batch.read(_THERE, {"log": batch.log_id, "digests": wanted}) if wanted else ()
    there = {(bytes(row.digest), row.subject) for row in rows}
    done: list[Case] = []
    for one in learned:
        row, subject = one.case.row, one.case.subject
        new = [digest for digest in one.digests if (digest, subject) not in there]
        if not new:
            continue
        batch.same_referral(row.id, row.version)
        for digest in new:
            index = {"log_id": batch.log_id, "digest": digest, "record_id": row.record_id, "subject": subject}
            batch.insert(tables.blind_index, index)
        batch.seal(
            act(
                Event.NUMBERS_MERGED,
                Operation.COMBINATION,
                at=batch.at,
                caller=caller,
                agreement=standing.agreement_ref,
                subjects=(subject,),
                record=row.record_id,
                case=row.id,
                reason=reason,
                detail={"message": message_id, "numbers": len(new)},
            )
        )
        done.append(one.case)
    return done


_b = tables.blind_index
_THERE = select(_b.c.digest, _b.c.subject).where(
    _b.c.log_id == bindparam("log"), _b.c.digest.in_(bindparam("digests", expanding=True))
)
