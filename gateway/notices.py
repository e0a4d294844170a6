"""Telling people: that something they were given has changed, or that a person must act; and who has acknowledged it.

A correction, a retraction or a withdrawn consent reaches every past recipient, computed from the log itself, whoever
was written down elsewhere (P9, N14). A notice says what kind of thing happened to which case, by the gateway's own
references; the content is read again through the recipient's own channel, under the agreement in force then. It has a
clock, and stays outstanding until somebody acknowledges it.

Source: DPA 2018 s.38(4) and domain.md sections 3.2 (tell recipients of corrections), 4.5 (N14), 4.6 (withdrawn).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import Boolean, ColumnElement, Connection, Row, Update, bindparam, func, or_, select, update

from audit import search as log_search
from audit import sql as log_sql
from audit.entry import Operation, Outcome, Recipient, timestamp
from audit.search import Query
from gateway.agreement import Agreement, Terms
from gateway.agreement.content import Content
from gateway.chance import fresh_id
from gateway.clock import clock
from gateway.evidence import Caller, Event, act
from gateway.overdue import Late, seal_late
from gateway.quarantine import due_at
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.store.outstanding import Outstanding
from gateway.terms import Standing, agreement_ref
from gateway.tokens.scopes import Scope

REVIEW_CLOCK = clock("1 working day")  # domain.md section 4.6: a review after the fact


class Kind(StrEnum):
    """What a notice says."""

    CORRECTED = "corrected"  # a later version is held; read it again
    RETRACTED = "retracted"  # it was sent in error: do not use it
    CONSENT_REFUSED = "consent-refused"
    CONSENT_WITHDRAWN = "consent-withdrawn"  # no more may be shared; what was shared is not to be used further
    CONSENT_CORRECTED = "consent-corrected"  # that it was refused or withdrawn was entered in error
    SUSPECT_RELEASED = "suspect-released"  # time-critical: read it now (domain.md section 4.1, step 12)
    ORDER_EXPIRED = "order-expired"  # what bound the suspect no longer does
    STOPPED = "stopped"  # a later version is held back; what was sent is out of date
    BREAK_GLASS = "break-glass"  # a denial was overridden; a review is due
    DECISION_NEEDED = "decision-needed"  # a person must weigh it
    UNDELIVERED = "undelivered"  # a word to police, or a referral at a system, did not arrive: ring, or see the list
    RECORD_MISSING = "record-missing"  # a contact at the scene that no police record has joined
    HOSPITAL_NOTICE = "hospital-notice"  # a hospital tells police: read it at `/police/v1/notices`
    INFORMATION_REQUESTED = "information-requested"  # police ask for a victim's information: a person answers
    DEMOGRAPHICS_CHANGED = "demographics-changed"  # the hospital knows her otherwise: a person decides what is used
    CLOCK_REMINDER = "clock-reminder"  # a clock of a case runs out soon; `reason` says which
    CLOCK_ESCALATED = "clock-escalated"  # it runs out while nobody is there: whoever is on call acts
    CLOCK_LAPSED = "clock-lapsed"  # it has run out
    AGREEMENT_ENDS = "agreement-ends"  # within 60, 30 or 7 days, or it has ended: nothing passes from then on


_FOR_REVIEWERS = frozenset({Kind.BREAK_GLASS, Kind.DECISION_NEEDED})

EVERYBODY = ""
"""The recipient of a notice to a whole organisation."""


@dataclass(frozen=True, slots=True)
class Matter:
    """What a notice is about: the gateway's own references and a coded reason."""

    kind: Kind
    event_id: str | None
    referral_id: str | None
    record_id: str | None
    reason: str | None = None


def past_recipients(
    batch: Batch, cases: Iterable[str], *, items: frozenset[str] | None = None, since: str = ""
) -> dict[str, tuple[Recipient, ...]]:
    """Everybody to whom something of each case was disclosed, spoken word included, as the log says.

    With `items`, only those who were given one of these, from the time `since` on. Reads what is committed and what
    this batch has sealed so far: a disclosure in the same breath counts, one that was entered in error does not. Must
    be called before the unit writes.
    """
    wanted = sorted(set(cases))
    entries = [
        (one.idx, orjson.loads(one.body)) for one in batch.ask(lambda c: list(_disclosed(c, batch.log_id, wanted)))
    ]
    marks = [one.encode() for one in wanted]
    entries += [(-1, orjson.loads(body)) for body in batch.pending if any(mark in body for mark in marks)]
    never = _never_said(batch, wanted, entries)
    found: dict[str, set[Recipient]] = {case: set() for case in wanted}
    for index, said in entries:
        if index in never:
            continue
        given = said["operation"] == Operation.DISCLOSURE and said["outcome"] == Outcome.PERMITTED
        given = given and said["event"] != Event.TRACE_ASKED  # PDS was asked, and keeps nothing to be put right
        if items is not None:
            given = given and said["time"] >= since and not items.isdisjoint(said["items"]["released"])
        if given and said["case"] in found:
            found[said["case"]].update(Recipient(one["organisation"], one["recipient"]) for one in said["recipients"])
    return {case: tuple(sorted(recipients)) for case, recipients in found.items()}


def _never_said(batch: Batch, cases: Sequence[str], entries: Iterable[tuple[int, Mapping[str, Any]]]) -> set[int]:
    """The entries of what was told aloud that were entered in error since: nobody was given anything by them."""
    if all(said["event"] != Event.ORAL_DISCLOSURE for _, said in entries):
        return set()
    of = (tuple(("case", one) for one in cases),)
    query = Query(any_of=of, event=Event.CASE_CORRECTED.value, operation=Operation.ALTERATION)
    stored = batch.ask(lambda c: [one.body for one in log_search.matching(c, batch.log_id, query)])
    said = [orjson.loads(body) for body in (*stored, *batch.pending)]
    corrected = (one for one in said if (one["event"], one["operation"]) == _CORRECTION)
    return {one["detail"]["entry"] for one in corrected}


_CORRECTION = (Event.CASE_CORRECTED, Operation.ALTERATION)


def tell(
    batch: Batch,
    matter: Matter,
    recipients: Iterable[Recipient],
    *,
    due: datetime,
    caller: Caller | None,
    agreement: Agreement | None,
    person: str | None = None,
) -> int:
    """Write and seal a notice to each recipient; returns how many. `person` is whom of them it is for."""
    count = 0
    for recipient in recipients:
        id_ = fresh_id()
        entry = act(
            Event.NOTICE_SENT,
            Operation.ALTERATION,
            at=batch.at,
            caller=caller,
            agreement=agreement_ref(agreement) if agreement else None,
            record=matter.record_id,
            case=matter.referral_id,
            reason=matter.kind.value,
            detail={"notice": id_, "due": timestamp(due)}
            | ({"why": matter.reason} if matter.reason else {})
            | ({"person": person} if person else {}),
        )
        seq = batch.seal(entry._replace(recipients=(Recipient(recipient.organisation, recipient.recipient or "all"),)))
        batch.insert(
            tables.notice,
            {
                "id": id_,
                "log_id": batch.log_id,
                "seq": seq,
                "organisation": recipient.organisation,
                "recipient": recipient.recipient,
                "person": person,
                "kind": matter.kind.value,
                "reason": matter.reason,
                "event_id": matter.event_id,
                "referral_id": matter.referral_id,
                "record_id": matter.record_id,
                "created_at": batch.at,
                "due_at": timestamp(due),
            },
        )
        count += 1
    return count


def others(recipients: Iterable[Recipient], caller: Caller) -> list[Recipient]:
    """Those who do not know already: everybody but the team that makes the change, or the organisation as a whole."""
    return [
        one
        for one in recipients
        if one.organisation != caller.organisation or caller.recipient not in {None, one.recipient}
    ]


def due_by_grade(terms: Terms | None, grade: str | None, now: datetime) -> datetime:
    """When somebody must have acknowledged a notice: the agreement's clock for the grade, or the gateway's own."""
    content = terms.agreement.content if terms else None
    stated = content.clocks.to_acknowledge(grade or "unknown") if content else None
    if content is None or stated is None:
        return due_at(grade or "unknown", now)
    return stated.from_(now, frozenset(content.clocks.closed))


def due_for_review(terms: Terms | None, now: datetime) -> datetime:
    """When a decision taken in an emergency must have been looked at again: one working day of the agreement."""
    closed = frozenset(terms.agreement.content.clocks.closed) if terms else frozenset()
    return REVIEW_CLOCK.from_(now, closed)


def organisations(content: Content, *, but: str | None = None) -> tuple[Recipient, ...]:
    """Every party of an agreement as a whole."""
    return tuple(Recipient(p.organisation, EVERYBODY) for p in content.parties if p.organisation != but)


@dataclass(frozen=True, slots=True)
class ReadNotices(Unit[tuple[Row[Any], ...]]):
    """Read a caller's own notices, sealed: one entry for each, or one that there are none."""

    caller: Caller
    standing: Standing
    after: int
    limit: int
    open_only: bool

    def apply(self, batch: Batch) -> tuple[Row[Any], ...]:  # noqa: D102 - said by Unit.apply
        query = _FEED_OPEN if self.open_only else _FEED
        asked = {"log": batch.log_id, "after": self.after, "most": self.limit, **_whose(self.caller)}
        rows = tuple(batch.read(query, asked))
        _seal_reading(batch, rows or (None,), self.caller, self.standing)
        return rows


@dataclass(frozen=True, slots=True)
class ReadCaseNotices(Unit[tuple[Row[Any], ...]]):
    """Read what a caller is to take note of in one case, sealed: an entry for each; where there is none, nothing."""

    caller: Caller
    standing: Standing
    referral_id: str

    def apply(self, batch: Batch) -> tuple[Row[Any], ...]:  # noqa: D102 - said by Unit.apply
        asked = {"log": batch.log_id, "referral": self.referral_id, **_whose(self.caller)}
        decides = Scope.GOVERNANCE_REVIEW in self.caller.scopes
        rows = tuple(row for row in batch.read(_OF_CASE, asked) if decides or row.kind not in _FOR_REVIEWERS)
        _seal_reading(batch, rows, self.caller, self.standing)
        return rows


def _seal_reading(batch: Batch, rows: Iterable[Row[Any] | None], caller: Caller, standing: Standing) -> None:
    """An entry for each notice that is read; None is that there are none."""
    for row in rows:
        batch.seal(
            act(
                Event.NOTICE_READ,
                Operation.CONSULTATION,
                at=batch.at,
                caller=caller,
                agreement=standing.agreement_ref,
                record=row.record_id if row else None,
                case=row.referral_id if row else None,
                reason=row.kind if row else "none",
                detail={"notice": row.id} if row else None,
            )
        )


@dataclass(frozen=True, slots=True)
class AcknowledgeNotice(Unit[bool]):
    """Note that a recipient has taken a notice; False where there is none of this caller's. Twice is once.

    What a person must decide or review is taken by those who do, not by any system of the organisation.
    """

    notice_id: str
    caller: Caller

    def apply(self, batch: Batch) -> bool:  # noqa: D102 - said by Unit.apply
        row = next(iter(batch.read(_ONE, {"log": batch.log_id, "id": self.notice_id, **_whose(self.caller)})), None)
        decides = Scope.GOVERNANCE_REVIEW in self.caller.scopes
        row = None if row is not None and row.kind in _FOR_REVIEWERS and not decides else row
        if row is not None and row.acknowledged_at is None:
            of = {"log": batch.log_id, "of": self.notice_id}
            batch.update(_ACKNOWLEDGE, {**of, "at": batch.at, "by": self.caller.who})
        batch.seal(
            act(
                Event.NOTICE_ACKNOWLEDGED,
                Operation.CONSULTATION,
                at=batch.at,
                caller=self.caller,
                outcome=Outcome.PERMITTED if row else Outcome.DENIED,
                record=row.record_id if row else None,
                case=row.referral_id if row else None,
                reason=row.kind if row else "not-found",
                detail={"notice": row.id} if row else None,
            )
        )
        return row is not None


@dataclass(frozen=True, slots=True)
class NoteOverdue(Unit[int]):
    """Seal, once for each, that a notice was not acknowledged in time; returns how many. `owner` acts on it."""

    most: int = 100

    def apply(self, batch: Batch) -> int:  # noqa: D102 - said by Unit.apply
        return seal_late(batch, _UNANSWERED, self.most, self._late)

    @staticmethod
    def _late(row: Row[Any]) -> Late:
        return Late(
            Event.NOTICE_OVERDUE,
            {"notice": row.id, "due": row.due_at},
            reason=row.kind,
            record=row.record_id,
            case=row.referral_id,
            to=Recipient(row.organisation, row.recipient or "all"),
        )


def acknowledging(*which: ColumnElement[bool]) -> Update:
    """The statement by which what somebody did stands for having acknowledged the notices `which` says.

    Of those nobody has acknowledged, in one log. Bound are `log`, `at` and `by`.
    """
    return (
        update(_t)
        .where(_t.c.log_id == bindparam("log"), _t.c.acknowledged_at.is_(None), *which)
        .values(acknowledged_at=bindparam("at"), acknowledged_by=bindparam("by"))
    )


def outstanding(connection: Connection, log_id: str, limit: int = 500) -> Sequence[Row[Any]]:
    """The notices nobody has acknowledged, the one due first at the top."""
    return _UNANSWERED.find(connection, log_id, limit)


def count_outstanding(connection: Connection, now: datetime) -> tuple[int, int]:
    """How many notices wait for an acknowledgement over all logs, and how many of them are overdue."""
    late = func.count().filter(_t.c.due_at < timestamp(now))
    waiting, overdue = connection.execute(select(func.count(), late).where(_t.c.acknowledged_at.is_(None))).one()
    return int(waiting), int(overdue)


def _disclosed(connection: Connection, log_id: str, cases: Sequence[str]) -> Iterator[log_sql.Stored]:
    """What was disclosed of these cases so far."""
    of = tuple(("case", one) for one in cases)
    query = Query(any_of=(of,), operation=Operation.DISCLOSURE, outcome=Outcome.PERMITTED)
    return log_search.matching(connection, log_id, query)


def _whose(caller: Caller) -> Mapping[str, Any]:
    """A system of a team reads what is for its team and for its organisation; another all of its organisation's."""
    return {"organisation": caller.organisation, "recipient": caller.recipient or "", "all": caller.recipient is None}


_t = tables.notice
_mine = (
    (_t.c.log_id == bindparam("log"))
    & (_t.c.organisation == bindparam("organisation"))
    & or_(bindparam("all", type_=Boolean), _t.c.recipient == EVERYBODY, _t.c.recipient == bindparam("recipient"))
)
_FEED = select(_t).where(_mine, _t.c.seq > bindparam("after")).order_by(_t.c.seq).limit(bindparam("most"))
_FEED_OPEN = _FEED.where(_t.c.acknowledged_at.is_(None))
_OF_CASE = (
    select(_t)
    .where(_mine, _t.c.referral_id == bindparam("referral"), _t.c.acknowledged_at.is_(None))
    .order_by(_t.c.seq)
)
_ONE = select(_t).where(_mine, _t.c.id == bindparam("id"))
_ACKNOWLEDGE = acknowledging(_t.c.id == bindparam("of"))
_UNANSWERED = Outstanding(_t, until="acknowledged_at")
