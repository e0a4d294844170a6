"""A referral opened by a person: the whole record as far as their team may see it, sealed before it is shown.

What the FHIR interface gives in resources, a page shows at once: the same rows, the same decision and the same
minimising, of every item together. The entry is the same as of any reading, with the coded reason of the person who
opened it. A referral of another team, one that the agreement withholds, one that is erased and none at all look the
same (P8). How it is shown is the page's business.

Source: design.md sections 3 and 6; domain.md section 4.4.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row

from audit.entry import Operation
from audit.receipt import Receipt
from gateway.callers import check_named, check_recipient
from gateway.decide import Decision, Facts, Outcome, Reason
from gateway.disclosure import Disclose, Found, Reader, Refused, judged_of, whole_of
from gateway.errors import BadParameter, NotFound
from gateway.evidence import Caller, Event, act
from gateway.minimise import minimise
from gateway.repeats import earlier_incidents
from gateway.same_incident import links_of
from gateway.sealing import decided_again
from gateway.searching import Search, find_rows
from gateway.services import Services
from gateway.shown import PARTS
from gateway.store.batch import Batch, Unit
from gateway.store.records import referral_of, subject_of
from gateway.terms import Standing
from gateway.ties import ties_of
from gateway.under_agreement import decided, log_of, standing_of
from mappings.record import Record, Role
from mappings.referral import Referral


class Opening(StrEnum):
    """Why a person opens a case: what a page offers as one click each. Other codes may be given by other callers."""

    NEW_REFERRAL = "new-referral"
    FOLLOW_UP = "follow-up"
    HANDOVER = "handover"
    CALL_FROM_VICTIM = "call-from-victim"
    CALL_FROM_PARTNER = "call-from-partner"  # an agency, not the victim's partner
    CASE_REVIEW = "case-review"
    URGENT_RISK = "urgent-risk"


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A referral as one person may see it: the row and what it says, the decision, and the minimised record.

    `decision` is that on the whole case, where a part was opened too: it says what else there is to open.

    `withheld` says whether anything is kept from this team: that, never what. `receipt` names where the reading is
    sealed in the log `log_id`. `row` is for what the gateway does next with the case; a page shows `referral` and
    `record`.
    """

    row: Row[Any]
    referral: Referral
    record: Record
    decision: Decision
    withheld: bool
    receipt: Receipt
    log_id: str


async def open_case(
    services: Services, library: Reader, caller: Caller, referral_id: str, reason: str, part: str | None = None
) -> CaseFile:
    """Open a case for a named person, with a coded reason; all of it, or a part of it (`shown.PARTS`).

    Raises NotFound (sealed: of another team, withheld, erased or unknown), NotPermitted, BadParameter, Busy, NotSealed.
    """
    if not _REASON.fullmatch(reason):
        raise BadParameter("the reason for opening a case is a code of at most 64 characters")
    log_id = await log_of(services, caller)
    search = Search(types=("Task",), ids=(referral_id,), count=1)

    async def attempt() -> CaseFile:
        standing = await standing_of(services, log_id)
        check_recipient(standing, caller)
        check_named(caller)

        def look(connection: Connection) -> _Seen | Refused | None:
            return _look(connection, library, caller, search, standing, log_id, part)

        seen = await services.database.read(look)
        journal = services.journals.of(log_id)
        if not isinstance(seen, _Seen):
            nothing = Found((), None, None, () if seen is None else (seen,))
            await journal.submit(Disclose(nothing, search, caller, standing, reason))
            raise NotFound("there is no such referral")
        committed = await journal.submit(
            OpenCase(seen.row, seen.record, seen.facts, seen.decision, caller, standing, reason, part)
        )
        withheld = bool(seen.decision.for_recipient()["withheld"])
        referral = referral_of(seen.row)
        return CaseFile(seen.row, referral, seen.record, seen.decision, withheld, committed.receipt, log_id)

    return await decided(services, caller, log_id, attempt)


_REASON = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


@dataclass(frozen=True, slots=True)
class _Seen:
    row: Row[Any]
    facts: Facts
    decision: Decision
    record: Record


def _look(
    connection: Connection,
    library: Reader,
    caller: Caller,
    search: Search,
    standing: Standing,
    log_id: str,
    part: str | None,
) -> _Seen | Refused | None:
    """The referral as it stands for this caller; Refused where they are connected with a party (N15)."""
    now = datetime.now(UTC)
    rows = find_rows(connection, search, log_id, caller, None, 1)
    ties = ties_of(connection.execute, caller, log_id, rows)
    if not rows:
        return None
    (row,) = rows
    facts, decision = judged_of(row, standing, ties, now)
    if decision.outcome is not Outcome.PERMITTED:
        return Refused(row, facts, decision) if decision.reason is Reason.CONNECTED else None
    loaded = library.records.load(connection, [row.record_id, *(link["record"] for link in links_of(row.linked))])
    if row.record_id not in loaded:  # erased since the row was read
        return None
    again = [row] if "history.repeats" in facts.items else []
    history = earlier_incidents(connection.execute, again)
    whole = whole_of(row, loaded, history.get(row.id, ()), now)
    return _Seen(row, facts, decision, minimise(whole, _of_part(decision, part)))


def _of_part(decision: Decision, part: str | None) -> Decision:
    """The decision about what a part can carry."""
    return decision if part is None else decision.narrow(PARTS[part])


@dataclass(frozen=True, slots=True)
class OpenCase(Unit[None]):
    """Seal that a case is shown to a person, whole as it was decided; like every reading, it decides again."""

    row: Row[Any]
    record: Record
    facts: Facts
    decision: Decision
    caller: Caller
    standing: Standing
    reason: str
    part: str | None = None

    @property
    def referrals(self) -> Sequence[str]:
        """The referral that must not have changed."""
        return [self.row.id]

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        batch.same_referral(self.row.id, self.row.version)
        decided_again(self.facts, self.decision, self.standing.terms, batch.now)
        batch.seal(
            act(
                Event.REFERRAL_READ,
                Operation.DISCLOSURE,
                at=batch.at,
                caller=self.caller,
                decision=_of_part(self.decision, self.part),
                facts=self.facts,
                subjects=_subjects(self.row, self.record),
                record=self.row.record_id,
                case=self.row.id,
                reason=self.reason,
                mapping=self.row.mapping,
                # Where no part is named it carries every item there is.
                detail={"version": self.row.version} | ({"types": self.part} if self.part else {}),
            )
        )


def _subjects(row: Row[Any], record: Record) -> tuple[str, ...]:
    """Whom the page is about: the victim always, and every child who is shown."""
    parts = {row.victim, *(person.ref for person in record.of_role(Role.CHILD))}
    return tuple(sorted(subject_of(row.record_id, part) for part in parts))
