"""What was entered by mistake is put right: it is marked as entered in error, and what it did is undone.

Nothing is deleted. Another row says what it was and why, and is sealed as an entry of its own; the case goes back to
what stands without it (`mistakes`): its state, whose it is, its clocks, the consent it is decided on. A word that
police had not been given yet is told no more, and one that they had is taken back by a word under the agreement.
Whoever was told that she refuses is told that it was a mistake; who was told nothing aloud after all is corrected no
more; a contact at the scene that was another victim's waits again for the case that it belongs to.

Where consent that was refused by mistake keeps the case from whoever entered it, they take it back all the same, and
see nothing of the case by that.

Source: UK GDPR articles 5(1)(d), 16; DPA 2018 ss.38, 46, 62; FHIR R4 `entered-in-error`; domain.md sections 4.2 to 4.6.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, Row, bindparam, select, update

from audit import search as log_search
from audit.entry import Operation, Outcome, timestamp
from audit.receipt import Receipt
from audit.search import Query
from gateway import in_case
from gateway.casework.acts import IN_ERROR, EnteredInError
from gateway.casework.codes import WhyInError
from gateway.casework.effects import UNANSWERED, Happened
from gateway.casework.keeping import Kept, Owner, by_of, follow, prepare, write_events
from gateway.casework.reading import Done, history
from gateway.casework.rules import refused
from gateway.casework.states import NEXT_STATUS
from gateway.consent import retold, take_back_refusal, tell_of_refusal
from gateway.coresponse.meeting import part
from gateway.decide import Decision, Facts, decide_on
from gateway.decide import Outcome as Ruled
from gateway.disclosure import Opened, Reader, judged_on
from gateway.errors import TransitionRefused
from gateway.evidence import Caller, Event, act
from gateway.in_case import Asked, Here
from gateway.intake import SAFEGUARDING
from gateway.mistakes import Past, Undone, past_of
from gateway.notices import past_recipients
from gateway.searching import Search, find_rows
from gateway.services import Services
from gateway.store import tables
from gateway.store.batch import Batch, ReferralHead, Unit
from gateway.store.records import Records, subject_of
from gateway.telling import WORDS_PER_CHANGE, Listener, Word, restore_offer, write_words
from gateway.terms import Standing
from gateway.ties import ties_of
from mappings.record import Feedback, FeedbackCode, Record
from mappings.referral import ReferralStatus


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What take_back answers: the case's version, the receipt, and the words that are no longer said."""

    version: int
    receipt: Receipt
    words: tuple[Feedback, ...]
    log_id: str
    known: bool = False


async def take_back(
    services: Services,
    library: Reader,
    caller: Caller,
    referral_id: str,
    event: str | None,
    said: EnteredInError,
    if_match: Callable[[int], bool] = lambda _: True,
    key: str | None = None,
) -> TakenBack:
    """Say that an act of a case, named by its id, was entered in error. `key` and `if_match` are as for `act_on`.

    None is the last that this person entered of what the victim says of sharing. Whoever entered it may, and whoever
    has the role that the agreement gives the team. Raises NotFound, VersionConflict, TransitionRefused,
    IdempotencyConflict, NotPermitted, Busy, NotSealed.
    """

    def look(connection: Connection, opened: Opened, at: Standing) -> _Looked:
        done = history(connection, services.keyring, [opened.row.id])
        past = past_of(connection, opened.row, done, at.content)
        named = past.last_said_by(caller) if event is None else event
        return _Looked(past, named, tuple(_told(connection, services, opened.row, done, named)))

    def judge(here: Here[_Looked]) -> tuple[EnterInError, tuple[Feedback, ...]]:
        change = _change(services, here, said, caller)
        return change, tuple(one.said for one in change.words)

    def kept(connection: Connection, search: Search, at: Standing, log_id: str) -> Opened | None:
        return _kept_from(connection, services, caller, search, at, log_id, event)

    body = orjson.dumps([event, said.model_dump(mode="json")])
    asked = Asked(body, look, judge, Event.CASE_CORRECTED, kept)
    done = await in_case.do(services, library, caller, referral_id, asked, if_match, key)
    return TakenBack(done.version, done.receipts[0], done.judged or (), done.log_id, known=done.judged is None)


@dataclass(frozen=True, slots=True)
class Wrong:
    """A word that was said by mistake: its place, its record, what it is, and the word that takes it back."""

    seq: int
    record_id: str
    said: Feedback
    instead: Word


@dataclass(frozen=True, slots=True)
class EnterInError(Unit[int]):
    """Mark an act as entered in error, and undo what it did; returns the case's new version.

    `waits` is how long a contact at the scene that was another victim's has to find its case.
    """

    here: Here[_Looked]
    undone: Undone
    kept: Kept
    words: Sequence[Wrong]
    reason: WhyInError
    waits: timedelta
    caller: Caller
    records: Records

    @property
    def referrals(self) -> Sequence[str]:
        """The referral that must not have changed."""
        return (self.here.opened.row.id,)

    def apply(self, batch: Batch) -> int:  # noqa: D102 - said by Unit.apply
        row, one, at = self.here.opened.row, self.undone.one, self.here.standing
        at.check(batch)
        head = batch.same_referral(row.id, row.version)
        given = _given(batch, [one.record_id for one in self.words])
        heard = self.undone.consent is not None
        before = retold(batch, row, timestamp(one.recorded_at)) if heard else None
        knowing = past_recipients(batch, (row.id,))[row.id] if heard else ()
        facts, decision = self._decided(batch)
        version = head.version + 1
        status, state = self.undone.case.stands
        batch.change_referral(
            row.id, ReferralHead(version, status.value, state.value, head.record_id), self._changed(row)
        )
        if status in UNANSWERED and ReferralStatus(row.status) not in UNANSWERED:
            restore_offer(batch, row.id, head.record_id)
        for word in self.words:
            batch.update(_IN_ERROR, {"log": batch.log_id, "place": word.seq, "now": batch.at})
        instead = [word.instead for word in self.words if word.record_id in given]
        seq = batch.seal(
            act(
                Event.CASE_CORRECTED,
                Operation.ALTERATION,
                at=batch.at,
                caller=self.caller,
                decision=decision,
                facts=facts,
                subjects=(subject_of(row.record_id, row.victim),),
                record=row.record_id,
                case=row.id,
                payload=self.kept.payload,
                detail={
                    "types": "Task",
                    "act": one.kind,
                    "mistake": self.reason.value,
                    "entry": one.index,
                    "status": status.value,
                    "state": state.value,
                    "version": version,
                    "words": len(instead),
                },
            )
        )
        write_events(batch, seq, row.id, (self.kept,), *by_of(self.caller))
        write_words(batch, seq, instead, Listener(row.force, row.id, row.event_id), self.records)
        follow(batch, self.undone.case.plan, Owner(row.id, row.organisation, row.team))
        if before is not None:
            take_back_refusal(batch, row, self.caller, at, facts, before)
            tell_of_refusal(batch, row, self.caller, at, decision, facts, knowing)
        if (contact := self.here.looked.past.scenes.get(one.id)) is not None:
            part(batch, contact, batch.now + self.waits if self.reason is WhyInError.WRONG_CASE else None)
        return version

    def _decided(self, batch: Batch) -> tuple[Facts, Decision]:
        """The facts that the case is decided on without the act, and the decision on them."""
        opened = self.here.opened
        if self.undone.consent is None:
            return opened.facts, opened.decision
        facts = replace(opened.facts, consent=self.undone.decided_on)
        return facts, decide_on(facts, opened.row.team, SAFEGUARDING, self.here.standing.terms, batch.now)

    def _changed(self, row: Row[Any]) -> dict[str, Any]:
        """The columns of the referral beside its head. The Task says every word that is taken back."""
        told = [_taking_back(one.said, self.caller.role).model_dump(mode="json") for one in self.words]
        ended = not NEXT_STATUS[self.undone.case.stands[0]]
        changed = {
            "feedback": orjson.dumps([*orjson.loads(row.feedback), *told]).decode(),
            "assigned_to": self.undone.case.holder,
            "closed_at": row.closed_at if ended else None,
        }
        if self.undone.consent is not None:
            stored = replace(Facts.from_json(orjson.loads(row.facts)), consent=self.undone.decided_on)
            changed["facts"] = orjson.dumps(stored.to_json()).decode()
        return changed


@dataclass(frozen=True, slots=True)
class _Looked:
    """What an act is taken back on: the past of the case, which act is meant, and the words that it told police.

    `told` are the places and records of its words, those that are erased left out.
    """

    past: Past
    event: str | None
    told: tuple[tuple[int, str, Record], ...]


def _kept_from(
    connection: Connection,
    services: Services,
    caller: Caller,
    search: Search,
    at: Standing,
    log_id: str,
    event: str | None,
) -> Opened | None:
    """A case that only what this person entered of her consent keeps from them; nothing of it is shown."""
    now = datetime.now(UTC)
    rows = find_rows(connection, search, log_id, caller, None, 1)
    if not rows:
        return None
    (row,) = rows
    past = past_of(connection, row, history(connection, services.keyring, [row.id]), at.content)
    own = past.last_said_by(caller)
    if own is None or event not in {None, own}:
        return None
    try:
        undone = past.judge(own, caller)
    except TransitionRefused:
        return None
    if undone.consent is None:
        return None
    stored = replace(Facts.from_json(orjson.loads(row.facts)), consent=undone.decided_on)
    facts, decision = judged_on(stored, row, at, ties_of(connection.execute, caller, log_id, rows), now)
    return Opened(row, facts, decision, True, (), ()) if decision.outcome is Ruled.PERMITTED else None  # noqa: FBT003 - withheld


def _told(
    connection: Connection, services: Services, row: Row[Any], done: Sequence[Done], event: str | None
) -> list[tuple[int, str, Record]]:
    """The words that an act told. A change of a Task is kept as an act for each of its words, in their order."""
    together = [other for one in done if one.id == event for other in done if other.index == one.index]
    if not together:
        return []
    first = together[0].index * WORDS_PER_CHANGE
    places = {"log": row.log_id, "of": row.id, "first": first, "next": first + WORDS_PER_CHANGE}
    rows = connection.execute(_WORDS, places).all()
    if len(together) > 1:
        rows = [word for one, word in zip(together, rows, strict=False) if one.id == event]
    records = services.records.load(connection, [one.record_id for one in rows])
    return [(one.seq, one.record_id, records[one.record_id]) for one in rows if one.record_id in records]


def _change(services: Services, here: Here[_Looked], said: EnteredInError, caller: Caller) -> EnterInError:
    """The unit that takes an act back. Raises TransitionRefused, NotPermitted."""
    event = here.looked.event
    if event is None:
        raise refused("event", "you have entered nothing of what the victim says of sharing that stands")
    undone = here.looked.past.judge(event, caller)
    codes = {"event": event, "reason": said.reason.value}
    words = {"note": said.note} if said.note else {}
    return EnterInError(
        here,
        undone,
        prepare(Happened(IN_ERROR, datetime.now(UTC), codes, words), services.keyring),
        tuple(_wrong_words(services, here, undone, caller)),
        said.reason,
        timedelta(hours=services.settings.co_response_hours),
        caller,
        services.records,
    )


def _wrong_words(services: Services, here: Here[_Looked], undone: Undone, caller: Caller) -> list[Wrong]:
    """The words that are no longer true. That somebody has taken the referral stays true while others act in it."""
    found: list[Wrong] = []
    for seq, record_id, record in here.looked.told:
        word = record.feedback[0]
        if word.code is FeedbackCode.ACKNOWLEDGED and undone.case.stands[0] not in UNANSWERED:
            continue
        instead = record.model_copy(update={"feedback": (_taking_back(word, caller.role),)})
        found.append(Wrong(seq, record_id, word, Word.of(instead, here.log_id, services.records)))
    return found


def _taking_back(word: Feedback, role: str | None) -> Feedback:
    """The word that takes another back: under the same consent, and no longer told than it."""
    return Feedback(
        code=FeedbackCode.ENTERED_IN_ERROR,
        at=word.at,
        value=word.code.value,
        count=word.count,
        author_role=role,
        consent_ref=word.consent_ref,
        expiry=word.expiry,
    )


def _given(batch: Batch, words: Sequence[str]) -> Collection[str]:
    """Those of some words that police were given, as the log says, this batch included. Before the unit writes."""
    if not words:
        return ()
    of = (tuple(("record", one) for one in words),)
    query = Query(any_of=of, operation=Operation.DISCLOSURE, outcome=Outcome.PERMITTED)
    bodies = [one.body for one in batch.ask(lambda c: list(log_search.matching(c, batch.log_id, query)))]
    marks = [one.encode() for one in words]
    bodies += [body for body in batch.pending if any(mark in body for mark in marks)]
    said = map(orjson.loads, bodies)
    return {one["record"] for one in said if one["operation"] == Operation.DISCLOSURE} & set(words)


_f = tables.feedback
_WORDS = (
    select(_f.c.seq, _f.c.record_id)
    .where(
        _f.c.log_id == bindparam("log"),
        _f.c.referral_id == bindparam("of"),
        _f.c.seq >= bindparam("first"),
        _f.c.seq < bindparam("next"),
    )
    .order_by(_f.c.seq)
)
_IN_ERROR = (
    update(_f)
    .where(_f.c.log_id == bindparam("log"), _f.c.seq == bindparam("place"))
    .values(in_error_at=bindparam("now"))
)
