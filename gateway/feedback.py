"""The way back: the coded words police are told of what became of a referral.

Each word is a record of its own (kind `status`), kept encrypted like any other and decided again whenever police ask:
what the victim wishes goes only with her consent, and a word that may not go, or has expired, leaves no trace in the
answer (domain.md section 4.3).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Row, bindparam, select, update

from audit.entry import Operation, timestamp
from gateway.agreement import Terms
from gateway.decide import Decision, Facts, Outcome, decide_on, facts_of
from gateway.evidence import Caller, Event, act
from gateway.feeds import page_of
from gateway.minimise import minimise
from gateway.nothing_given import nothing_found
from gateway.notices import Kind, acknowledging
from gateway.sealing import decided_again
from gateway.store import tables
from gateway.store.batch import Batch, DecideAgain, Unit
from gateway.store.records import Records, subject_of
from gateway.terms import Standing
from mappings.record import ConsentState, Feedback

FEEDBACK = "feedback"
"""The purpose of the flow from an adviser team to police."""


@dataclass(frozen=True, slots=True)
class Telling:
    """A word as police may have it: decided, minimised, not yet sealed."""

    row: Row[Any]
    facts: Facts
    decision: Decision
    feedback: Feedback

    def said(self) -> dict[str, Any]:
        """The word as police read it."""
        feedback = self.feedback
        return {
            "incident": self.row.event_id,
            "referral": self.row.referral_id,
            "code": feedback.code.value,
            "value": feedback.value,
            "count": feedback.count,
            "at": timestamp(feedback.at),
            "author_role": feedback.author_role,
            "consent_ref": feedback.consent_ref,
            "expiry": timestamp(feedback.expiry) if feedback.expiry else None,
            "cursor": self.row.seq,
        }


@dataclass(frozen=True, slots=True)
class Tellings:
    """A page of words; `next_cursor` is where the next begins: at the last word told, or where this page began."""

    told: tuple[Telling, ...]
    next_cursor: int
    more: bool


def find_words(  # noqa: PLR0913 - who asks what, under what, where, when
    connection: Connection,
    records: Records,
    caller: Caller,
    standing: Standing,
    log_id: str,
    now: datetime,
    *,
    recipient: str,
    after: int = -1,
    limit: int = 100,
    event_id: str | None = None,
    referrals: Sequence[str] | None = None,
) -> Tellings:
    """The words for a force after a cursor, or about one event or some referrals, each decided for its officers.

    A page ends at a word that may go, and there is a next one only where another may: what stays leaves no trace.
    """
    table = tables.feedback
    of = tables.referral.c
    query = select(table, of.event_id, of.facts, of.version.label("referral_version")).join(
        tables.referral, of.id == table.c.referral_id
    )
    # Of some referrals no column is asked for the log: SQLite would read its whole feed, and not by the referrals.
    query = query.where(
        (table.c.log_id if referrals is None else table.c.log_id.concat("")) == log_id,
        table.c.force == caller.organisation,
        table.c.seq > bindparam("after"),
        table.c.in_error_at.is_(None),
    )
    if event_id is not None:
        query = query.where(tables.referral.c.event_id == event_id)
    if referrals is not None:
        query = query.where(table.c.referral_id.in_(list(referrals)))
    query = query.order_by(table.c.seq)
    found = page_of(
        lambda place, most: connection.execute(query.limit(most), {"after": place}).all(),
        lambda rows: _tellings(connection, records, rows, standing, now, recipient),
        after=after,
        limit=limit,
    )
    return Tellings(found.shown, found.next_cursor, found.more)


def find_word(
    connection: Connection,
    records: Records,
    standing: Standing,
    log_id: str,
    now: datetime,
    *,
    seq: int,
    recipient: str,
) -> Telling | None:
    """One word, decided; None where it may not go, or is no more."""
    rows = connection.execute(_WORD, {"log": log_id, "seq": seq}).all()
    return next(_tellings(connection, records, rows, standing, now, recipient), None)


_WORD = (
    select(
        tables.feedback,
        tables.referral.c.event_id,
        tables.referral.c.facts,
        tables.referral.c.version.label("referral_version"),
    )
    .join(tables.referral, tables.referral.c.id == tables.feedback.c.referral_id)
    .where(
        tables.feedback.c.log_id == bindparam("log"),
        tables.feedback.c.seq == bindparam("seq"),
        tables.feedback.c.in_error_at.is_(None),
    )
)


def _tellings(
    connection: Connection,
    records: Records,
    rows: Sequence[Row[Any]],
    standing: Standing,
    now: datetime,
    recipient: str,
) -> Iterator[Telling]:
    """Those of some words that may go."""
    loaded = records.load(connection, [row.record_id for row in rows])
    for row in rows:
        record = loaded.get(row.record_id)
        if record is None:
            continue
        facts = told_facts(facts_of(record, now), Facts.from_json(orjson.loads(row.facts)))
        decision = decide_on(facts, recipient, FEEDBACK, standing.terms, now)
        if decision.outcome is not Outcome.PERMITTED:
            continue
        minimised = minimise(record, decision)
        if minimised.feedback and not expired(minimised.feedback[0], now):
            yield Telling(row, facts, decision, minimised.feedback[0])


def expired(word: Feedback, now: datetime) -> bool:
    """Whether the consent, or whatever else let a word be told, has come to its end."""
    return word.expiry is not None and word.expiry <= now


_NO_CONSENT = frozenset({ConsentState.REFUSED.value, ConsentState.WITHDRAWN.value})


def decided_now(batch: Batch, one: Telling, standing: Standing) -> Decision:
    """The decision on a word at the instant it is sealed. Raises DecideAgain where it is not what it was."""
    batch.same_referral(one.row.referral_id, one.row.referral_version)
    if expired(one.feedback, batch.now):
        raise DecideAgain("the word has come to its end")
    return decided_again(one.facts, one.decision, standing.terms, batch.now)


def told_facts(word: Facts, referral: Facts) -> Facts:
    """The facts a word to police is decided on: its own, and what the referral says of the risk.

    Consent to the referral is not consent to telling police: only its refusal carries over (domain.md section 4.6).
    """
    carried = referral.consent if referral.consent in _NO_CONSENT else None
    return replace(word, grade=referral.grade, children=referral.children, consent=word.consent or carried)


@dataclass(frozen=True, slots=True)
class Tell(Unit[None]):
    """Seal that words leave for police: an entry for each, or one that there was nothing."""

    tellings: Tellings
    caller: Caller
    standing: Standing
    event: Event = Event.FEEDBACK_READ

    @property
    def referrals(self) -> Sequence[str]:
        """The referrals that must not have changed, so that no word of what is erased by now is told."""
        return [one.row.referral_id for one in self.tellings.told]

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        if not self.tellings.told:
            batch.seal(nothing_found(batch, self.caller, self.standing, "feedback"))
        for one in self.tellings.told:
            decision = decided_now(batch, one, self.standing)
            entry = act(
                self.event,
                Operation.DISCLOSURE,
                at=batch.at,
                caller=self.caller,
                decision=decision,
                facts=one.facts,
                subjects=(subject_of(one.row.record_id, "victim-1"),),
                record=one.row.record_id,
                case=one.row.referral_id,
            )
            batch.seal(entry)


@dataclass(frozen=True, slots=True)
class Acknowledge(Unit[None]):
    """Note that a force has taken every word up to a cursor."""

    through: int
    caller: Caller
    standing: Standing

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        table = tables.feedback
        batch.update(
            update(table)
            .where(
                table.c.log_id == batch.log_id,
                table.c.force == bindparam("of"),
                table.c.seq <= bindparam("through"),
                table.c.acknowledged_at.is_(None),
            )
            .values(acknowledged_at=bindparam("at")),
            {"of": self.caller.organisation, "through": self.through, "at": batch.at},
        )
        took = {"log": batch.log_id, "of": self.caller.organisation, "through": self.through, "at": batch.at}
        batch.update(_CLOSE_UNDELIVERED, took | {"by": self.caller.who})
        entry = act(
            Event.FEEDBACK_ACKNOWLEDGED,
            Operation.CONSULTATION,
            at=batch.at,
            caller=self.caller,
            agreement=self.standing.agreement_ref,
            detail={"through": self.through},
        )
        batch.seal(entry)


_n, _f = tables.notice, tables.feedback
_CLOSE_UNDELIVERED = acknowledging(
    _n.c.kind == Kind.UNDELIVERED.value,
    _n.c.record_id.in_(
        select(_f.c.record_id).where(
            _f.c.log_id == bindparam("log"), _f.c.force == bindparam("of"), _f.c.seq <= bindparam("through")
        )
    ),
)
"""What could not be pushed and has been fetched is nobody's task any more."""


def feedback_recipient(terms: Terms | None, organisation: str) -> str | None:
    """The recipient of an organisation that the agreement's feedback goes to."""
    found = terms.agreement.content.told(organisation, FEEDBACK) if terms else None
    return found.id if found else None
