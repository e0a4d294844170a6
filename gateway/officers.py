"""What an officer sees of the cases they sent: whose they are in the force, and the coded words they may be told.

The force's own record is read back under the flow that lets it (`own-record`): its references and the officer in the
case, nothing else of it. The words are those that `/police/v1/feedback` tells, decided in the same way, and everything
here is concluded from them alone: whether anybody reached her, whether somebody should have answered by now, when she
asked to be rung. What the team did and may not say leaves no trace here (P8). Each case on a page is a consultation and
each word on it a disclosure, sealed before they are shown.

Source: domain.md sections 4.1 (steps 6 to 9), 4.3, 5.1 (7), 5.2 (10).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, select

from audit.entry import Operation
from audit.receipt import Receipt
from gateway.agreement import Terms
from gateway.callers import check_named, check_recipient
from gateway.decide import Decision, Facts, Outcome, decide_on, facts_of
from gateway.errors import NotPermitted
from gateway.evidence import Caller, Event, act
from gateway.feedback import Tell, Telling, Tellings, feedback_recipient, find_words
from gateway.minimise import minimise
from gateway.nothing_given import nothing_found
from gateway.officer_lists import asked_to_ring, unanswered
from gateway.route import OWN_RECORD
from gateway.sealing import decided_again
from gateway.services import Services
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.store.records import OFFICER, Records, subject_of
from gateway.terms import Standing
from gateway.under_agreement import decided, log_of, standing_of
from mappings.record import FeedbackCode, Record
from mappings.referral import ReferralStatus

ROWS = 20
CALL_SHOWN_FOR = timedelta(days=3)
"""How long after its window a call that she asked for is still listed: nobody here knows whether it was made."""

_WORDS_MAX = 64 * ROWS  # of a page: a case has some ten


class Whose(StrEnum):
    """Which cases: those in which the asker is the officer in the case, or all of the force's."""

    MINE = "mine"
    FORCE = "force"


class Only(StrEnum):
    """Which of them."""

    ALL = "all"
    OVERDUE = "overdue"
    CALLS = "calls"


class Reach(StrEnum):
    """Whether anybody reached her, as far as police may be told."""

    REACHED = "reached"
    SUPPORTED = "supported"  # by a service that has her already
    UNSAFE = "unsafe"
    UNABLE = "unable"
    TRYING = "trying"
    NOT_YET = "not-yet"  # the team has it
    UNANSWERED = "unanswered"  # nobody has said that they have it


@dataclass(frozen=True, slots=True)
class Asked:
    """What an officer asks for. `incident` is the gateway's reference, `occurrence` a reference of the force's own."""

    whose: Whose = Whose.MINE
    only: Only = Only.ALL
    page: int = 1
    incident: str | None = None
    occurrence: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A case as an officer may see it. `words` are all that may be told of it, the first said first.

    `record` is the force's own record as far as the agreement lets it be read back. `shown` are the words that a list
    shows; a page of the one case shows all.
    """

    row: Row[Any]
    facts: Facts
    decision: Decision
    record: Record
    words: tuple[Telling, ...]

    @property
    def reach(self) -> Reach:
        """Whether anybody reached her."""
        reached = self._reached
        if reached is not None:
            return _REACH[reached.feedback.code]
        answered = any(one.feedback.code not in _NO_ANSWER for one in self.words)
        return Reach.NOT_YET if answered else Reach.UNANSWERED

    @property
    def _reached(self) -> Telling | None:
        """The word that says whether she was reached: that she was, or else the last that says why not."""
        told = [one for one in self.words if one.feedback.code in _REACH]
        sure = [one for one in told if _REACH[one.feedback.code] is Reach.REACHED]
        return next(reversed(sure or told), None)

    @property
    def call(self) -> Telling | None:
        """The last word that she asks to be rung."""
        calls = [one for one in self.words if one.feedback.code is FeedbackCode.VICTIM_REQUESTS_CALL]
        return calls[-1] if calls else None

    @property
    def shown(self) -> tuple[Telling, ...]:
        """The last word, the one that says whether she was reached, and her wish to be rung."""
        chosen = {one.row.seq: one for one in (self._reached, self.call, *self.words[-1:]) if one is not None}
        return tuple(chosen[seq] for seq in sorted(chosen))

    @property
    def due(self) -> datetime | None:
        """When somebody had to answer by; None where somebody did, or the force itself took the case back."""
        if self.reach is not Reach.UNANSWERED or self.row.status == ReferralStatus.ENTERED_IN_ERROR.value:
            return None
        return datetime.fromisoformat(self.row.respond_by) if self.row.respond_by else None


@dataclass(frozen=True, slots=True)
class Cases:
    """A page of cases, and where it is sealed."""

    cases: tuple[Case, ...]
    more: bool
    receipts: tuple[Receipt, ...]
    log_id: str


async def read_cases(services: Services, caller: Caller, asked: Asked) -> Cases:
    """An officer's cases, the newest first. Raises NotPermitted (sealed), Busy, NotSealed."""
    log_id = await log_of(services, caller)

    async def attempt() -> Cases:
        # 1. Who asks: the recipient of their force's feedback, by name.
        standing = await standing_of(services, log_id)
        recipient = check_officer(standing, caller)

        # 2. Find the force's own cases; decide what may be read back, and which words may be told.
        looking = _Looking(services.records, caller, standing, log_id, recipient)
        found, more = await services.database.read(lambda c: looking.find(c, asked, datetime.now(UTC)))

        # 3. Seal each case and each word that is shown, or that there was nothing; then answer.
        unit = ReadCases(found, caller, standing, whole=asked.incident is not None)
        committed = await services.journals.of(log_id).submit(unit)
        return Cases(found, more, committed.receipts, log_id)

    return await decided(services, caller, log_id, attempt)


async def admit_officer(services: Services, caller: Caller) -> str:
    """The log of somebody who may ask as an officer. Raises NotPermitted, sealed."""
    log_id = await log_of(services, caller)

    async def attempt() -> None:
        check_officer(await standing_of(services, log_id), caller)

    await decided(services, caller, log_id, attempt)
    return log_id


def check_officer(standing: Standing, caller: Caller) -> str:
    """The recipient that a named person of it is: the one their force's feedback goes to. Raises NotPermitted."""
    check_recipient(standing, caller)
    check_named(caller)
    terms: Terms | None = standing.terms
    recipient = feedback_recipient(terms, caller.organisation)
    if recipient is None or recipient != caller.recipient:
        raise NotPermitted("no feedback goes to this team under the agreement", reason="not-a-recipient")
    return recipient


def collars(staff_id: str) -> tuple[str, ...]:
    """The collar numbers that a staff id stands for: the id itself, and what follows its last hyphen."""
    return tuple(dict.fromkeys((staff_id.casefold(), staff_id.rpartition("-")[2].casefold())))


def window_of(word: Telling) -> tuple[datetime, datetime] | None:
    """When it is safe to ring her, as the word says it; None where it says it in a code of the parties' own."""
    found = _WINDOW.fullmatch(word.feedback.value or "")
    if found is None:
        return None
    try:
        start, end = (datetime.strptime(one.upper(), "%Y%m%dT%H%M%z") for one in found.groups())
    except ValueError:  # figures that are no time: a code of somebody's own
        return None
    return start, end


@dataclass(frozen=True, slots=True)
class _Looking:
    """One reading: who asks, under what, where."""

    records: Records
    caller: Caller
    standing: Standing
    log_id: str
    recipient: str

    def find(self, connection: Connection, asked: Asked, now: datetime) -> tuple[tuple[Case, ...], bool]:
        """The cases that are asked for, and whether there may be more.

        A page begins at its place among those that columns find, and is read on until it is full.
        """
        query = self._query(connection, asked, now).order_by(_r.c.created_at.desc(), _r.c.id).limit(ROWS + 1)
        found: list[Case] = []
        place = (asked.page - 1) * ROWS
        while True:
            rows = connection.execute(query.offset(place)).all()
            found += [one for one in self._cases(connection, rows[:ROWS], now) if _wanted(one, asked.only, now)]
            place += ROWS
            if asked.only is Only.ALL or len(rows) <= ROWS or len(found) >= ROWS:
                return tuple(found[:ROWS]), len(rows) > ROWS or len(found) > ROWS

    def _query(self, connection: Connection, asked: Asked, now: datetime) -> Any:  # noqa: ANN401 - a select
        force = self.caller.organisation
        query = select(_r).where(_r.c.log_id == self.log_id, _r.c.force == force, _r.c.erased_at.is_(None))
        if asked.only is Only.OVERDUE:
            query = query.where(unanswered(connection, self.standing, self.log_id, force, self.recipient, now))
        if asked.only is Only.CALLS:
            query = query.where(asked_to_ring(self.log_id, force, now))
        if asked.incident is not None:
            return query.where(_r.c.event_id == asked.incident)
        if asked.occurrence is not None:
            names = [(kind, asked.occurrence.strip().casefold()) for kind in _REFERENCES]
            events = select(_m.c.event_id).where(
                _m.c.organisation == self.caller.organisation, _m.c.id.in_(self._named(names))
            )
            return query.where(_r.c.event_id.in_(events))
        if asked.whose is Whose.MINE:
            return query.where(
                _r.c.record_id.in_(self._named([(OFFICER, one) for one in collars(self.caller.user or "")]))
            )
        return query

    def _named(self, names: Sequence[tuple[str, str]]) -> Any:  # noqa: ANN401 - a select
        """The records with one of these blind names."""
        digests = [self.records.blind(kind, value) for kind, value in names]
        return select(_b.c.record_id).where(_b.c.log_id == self.log_id, _b.c.digest.in_(digests))

    def _cases(self, connection: Connection, rows: Sequence[Row[Any]], now: datetime) -> list[Case]:
        loaded = self.records.load(connection, [row.record_id for row in rows])
        words = self._words(connection, [row.id for row in rows], now)
        found: list[Case] = []
        for row in rows:
            record = loaded.get(row.record_id)
            if record is None:
                continue
            own = record.for_victim(row.victim)
            facts = facts_of(own, now)
            decision = decide_on(facts, self.recipient, OWN_RECORD, self.standing.terms, now)
            if decision.outcome is Outcome.PERMITTED:
                found.append(Case(row, facts, decision, minimise(own, decision), words.get(row.id, ())))
        return found

    def _words(
        self, connection: Connection, referrals: Sequence[str], now: datetime
    ) -> Mapping[str, tuple[Telling, ...]]:
        told = find_words(
            connection,
            self.records,
            self.caller,
            self.standing,
            self.log_id,
            now,
            recipient=self.recipient,
            limit=_WORDS_MAX,
            referrals=referrals,
        ).told
        by_case: dict[str, tuple[Telling, ...]] = {}
        for one in told:
            by_case[one.row.referral_id] = (*by_case.get(one.row.referral_id, ()), one)
        return by_case


@dataclass(frozen=True, slots=True)
class ReadCases(Unit[None]):
    """Seal that an officer looks at cases and is told words of them; with `whole`, all the words that there are."""

    cases: tuple[Case, ...]
    caller: Caller
    standing: Standing
    whole: bool

    @property
    def referrals(self) -> Sequence[str]:
        """The cases that must not have changed."""
        return [one.row.id for one in self.cases]

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        if not self.cases:
            batch.seal(nothing_found(batch, self.caller, self.standing, "own-cases"))
        for case in self.cases:
            self._seal(batch, case)
        told = tuple(one for case in self.cases for one in (case.words if self.whole else case.shown))
        if told:
            tellings = Tellings(told, told[-1].row.seq, more=False)
            Tell(tellings, self.caller, self.standing, Event.INCIDENT_STATUS_READ).apply(batch)

    def _seal(self, batch: Batch, case: Case) -> None:
        batch.same_referral(case.row.id, case.row.version)
        decision = decided_again(case.facts, case.decision, self.standing.terms, batch.now)
        batch.seal(
            act(
                Event.OWN_RECORD_READ,
                Operation.CONSULTATION,
                at=batch.at,
                caller=self.caller,
                decision=decision,
                facts=case.facts,
                subjects=(subject_of(case.row.record_id, case.row.victim),),
                record=case.row.record_id,
                case=case.row.id,
                mapping=case.row.mapping,
            )
        )


def _wanted(case: Case, only: Only, now: datetime) -> bool:
    if only is Only.ALL:
        return True
    if only is Only.OVERDUE:
        return case.due is not None and case.due <= now
    window = window_of(case.call) if case.call is not None else None
    return case.call is not None and (window is None or now <= window[1] + CALL_SHOWN_FOR)


_NO_ANSWER = frozenset({FeedbackCode.RECEIVED, FeedbackCode.ENTERED_IN_ERROR})
"""The words that do not say that somebody has the case: that it arrived, and that another word was a mistake."""

_REACH: Mapping[FeedbackCode, Reach] = {
    FeedbackCode.ENGAGED: Reach.REACHED,
    FeedbackCode.ENGAGED_LIMITED: Reach.REACHED,
    FeedbackCode.DECLINED_SUPPORT: Reach.REACHED,
    FeedbackCode.VICTIM_REQUESTS_CALL: Reach.REACHED,
    FeedbackCode.ALREADY_SUPPORTED: Reach.SUPPORTED,
    FeedbackCode.UNSAFE_TO_CONTACT: Reach.UNSAFE,
    FeedbackCode.UNABLE_TO_CONTACT: Reach.UNABLE,
    FeedbackCode.CONTACT_ATTEMPTED: Reach.TRYING,
}
"""What a word says of whether she was reached; the others say nothing of it."""

_REFERENCES = ("occurrence", "crime", "log")
"""The references of its own that a force looks a case up by."""

_WINDOW = re.compile(r"(\d{8}t\d{4}z)-(\d{8}t\d{4}z)")
_r, _m, _b = tables.referral, tables.record, tables.blind_index
