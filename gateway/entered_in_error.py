"""What was entered by mistake is put right: an act is marked as entered in error, and what it did is undone.

Nothing is deleted. Another row says which act it was and why, and is sealed as an entry of its own; the case goes back
to what the acts that stand give (`casework.replay`): its state, whose it is, its clocks. A word that police had not
been given yet is told no more, and one that they had is taken back by a word under the agreement. Refused where a later
act relies on it, where it is no adviser's act, or where it is erased or was taken back before.

Source: UK GDPR articles 5(1)(d), 16; DPA 2018 ss.38, 46, 62; FHIR R4 `entered-in-error`; domain.md sections 4.2, 4.3.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Row, bindparam, select, update

from audit import search as log_search
from audit.entry import Operation, Outcome
from audit.receipt import Receipt
from audit.search import Query
from gateway import in_case
from gateway.agreement.content import Content
from gateway.casework.acts import IN_ERROR, KINDS, EnteredInError
from gateway.casework.codes import Channel
from gateway.casework.effects import UNANSWERED, Happened
from gateway.casework.keeping import Kept, Owner, by_of, follow, prepare, write_events
from gateway.casework.reading import Done, history
from gateway.casework.replay import Offer, Without, standing, without
from gateway.casework.rules import refused
from gateway.casework.states import NEXT_STATUS
from gateway.casework.timers import Kind, Stands
from gateway.disclosure import Opened, Reader
from gateway.errors import NotPermitted
from gateway.evidence import Caller, Event, act
from gateway.in_case import Asked, Here
from gateway.services import Services
from gateway.store import tables
from gateway.store.batch import Batch, ReferralHead, Unit
from gateway.store.records import Records, subject_of
from gateway.telling import WORDS_PER_CHANGE, Listener, Word, restore_offer, write_words
from gateway.terms import Standing
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
    event: str,
    said: EnteredInError,
    if_match: Callable[[int], bool] = lambda _: True,
    key: str | None = None,
) -> TakenBack:
    """Say that an act of a case, named by its id, was entered in error. `key` and `if_match` are as for `act_on`.

    Whoever entered it may, and whoever has the role that the agreement gives the team. Raises NotFound,
    VersionConflict, TransitionRefused, IdempotencyConflict, NotPermitted, Busy, NotSealed.
    """

    def look(connection: Connection, opened: Opened, at: Standing) -> _Looked:
        return _looked(connection, services, library, opened, at, event)

    def judge(here: Here[_Looked]) -> tuple[EnterInError, tuple[Feedback, ...]]:
        change = _change(services, here, event, said, caller)
        return change, tuple(one.said for one in change.words)

    body = orjson.dumps([event, said.model_dump(mode="json")])
    asked = Asked(body, look, judge, Event.CASE_CORRECTED)
    done = await in_case.do(services, library, caller, referral_id, asked, if_match, key)
    return TakenBack(done.version, done.receipts[0], done.judged or (), done.log_id, known=done.judged is None)


def can_be(one: Done, referral_id: str) -> bool:
    """Whether something that was done in a case is an act that stands, as far as its row says."""
    return one.referral_id == referral_id and one.stands and one.kind in KINDS and one.words is not None


@dataclass(frozen=True, slots=True)
class Wrong:
    """A word that was said by mistake: its place, its record, what it is, and the word that takes it back."""

    seq: int
    record_id: str
    said: Feedback
    instead: Word


@dataclass(frozen=True, slots=True)
class EnterInError(Unit[int]):
    """Mark an act as entered in error, and undo what it did; returns the case's new version."""

    here: Here[_Looked]
    one: Done
    after: Without
    kept: Kept
    words: Sequence[Wrong]
    reason: str
    caller: Caller
    records: Records

    @property
    def referrals(self) -> Sequence[str]:  # type: ignore[override]  # a value computed from the fields
        """The referral that must not have changed."""
        return (self.here.opened.row.id,)

    def apply(self, batch: Batch) -> int:  # noqa: D102 - said by Unit.apply
        row = self.here.opened.row
        self.here.standing.check(batch)
        head = batch.same_referral(row.id, row.version)
        given = _given(batch, [one.record_id for one in self.words])
        version = head.version + 1
        status, state = self.after.stands
        batch.change_referral(
            row.id, ReferralHead(version, status.value, state.value, head.record_id), self._changed(row)
        )
        if status in UNANSWERED and ReferralStatus(row.status) not in UNANSWERED:
            restore_offer(batch, row.id, head.record_id)
        for one in self.words:
            batch.update(_IN_ERROR, {"log": batch.log_id, "place": one.seq, "now": batch.at})
        instead = [one.instead for one in self.words if one.record_id in given]
        seq = batch.seal(
            act(
                Event.CASE_CORRECTED,
                Operation.ALTERATION,
                at=batch.at,
                caller=self.caller,
                decision=self.here.opened.decision,
                facts=self.here.opened.facts,
                subjects=(subject_of(row.record_id, row.victim),),
                record=row.record_id,
                case=row.id,
                payload=self.kept.payload,
                detail={
                    "types": "Task",
                    "act": self.one.kind,
                    "mistake": self.reason,
                    "entry": self.one.index,
                    "status": status.value,
                    "state": state.value,
                    "version": version,
                    "words": len(instead),
                },
            )
        )
        write_events(batch, seq, row.id, (self.kept,), *by_of(self.caller))
        write_words(batch, seq, instead, Listener(row.force, row.id, row.event_id), self.records)
        follow(batch, self.after.plan, Owner(row.id, row.organisation, row.team))
        return version

    def _changed(self, row: Row[Any]) -> dict[str, Any]:
        """The columns of the referral beside its head. The Task says every word that is taken back."""
        told = [_taking_back(one.said, self.caller.role).model_dump(mode="json") for one in self.words]
        ended = not NEXT_STATUS[self.after.stands[0]]
        return {
            "feedback": orjson.dumps([*orjson.loads(row.feedback), *told]).decode(),
            "assigned_to": self.after.holder,
            "closed_at": row.closed_at if ended else None,
        }


@dataclass(frozen=True, slots=True)
class _Looked:
    """What an act is taken back on: everything that was done in the case, and what the act told police.

    `told` are the places and records of its words, those that are erased left out; `goes_on` says whether a later case
    goes on with this one.
    """

    stands: Stands
    done: tuple[Done, ...]
    offer: Offer
    told: tuple[tuple[int, str, Record], ...]
    goes_on: bool


def _looked(
    connection: Connection, services: Services, library: Reader, opened: Opened, at: Standing, event: str
) -> _Looked:
    row = opened.row
    done = history(connection, services.keyring, [row.id])
    due = {Kind(one.kind): datetime.fromisoformat(one.due_at) for one in connection.execute(_OFFER, {"of": row.id})}
    clocks = at.terms.agreement.content.clocks if at.terms else None
    scenes = _scenes(connection, row, done)
    told = tuple(_told(connection, services, row, done, event))
    after = {"log": row.log_id, "codes": orjson.dumps({"earlier": row.id}).decode()}
    goes_on = connection.execute(_REOPENED, after).first() is not None
    return _Looked(library.standing_of(opened), done, Offer(due, clocks, row.grade, scenes), told, goes_on)


def _scenes(connection: Connection, row: Row[Any], done: Sequence[Done]) -> frozenset[str]:
    """What was done that came of a contact at the scene: the log says which joined the case."""
    there = [one for one in done if one.codes.get("channel") == Channel.AT_THE_SCENE]
    if not there:
        return frozenset()
    joined = log_search.matching(connection, row.log_id, Query(case=row.id, event=Event.CO_RESPONSE_JOINED.value))
    indexes = {stored.idx for stored in joined}
    return frozenset(one.id for one in there if one.index in indexes)


def _told(
    connection: Connection, services: Services, row: Row[Any], done: Sequence[Done], event: str
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


def _change(services: Services, here: Here[_Looked], event: str, said: EnteredInError, caller: Caller) -> EnterInError:
    """The unit that takes an act back. Raises TransitionRefused, NotPermitted."""
    looked, row = here.looked, here.opened.row
    one = next((one for one in looked.done if one.id == event), None)
    if one is None:
        raise refused("event", "names nothing that was done in this case")
    if (wrong := _wrong(one, looked)) is not None:
        raise refused("event", wrong)
    content = here.standing.terms.agreement.content if here.standing.terms else None
    if not _may(one, caller, content, row.team):
        raise NotPermitted("whoever entered it takes it back, or somebody in the team's own role", reason="not-in-role")
    after = without(standing(looked.done), event, looked.offer, looked.stands, row.assigned_to)
    codes = {"event": event, "reason": said.reason.value}
    words = {"note": said.note} if said.note else {}
    return EnterInError(
        here,
        one,
        after,
        prepare(Happened(IN_ERROR, datetime.now(UTC), codes, words), services.keyring),
        tuple(_wrong_words(services, here, after, caller)),
        said.reason.value,
        caller,
        services.records,
    )


def _wrong(one: Done, looked: _Looked) -> str | None:
    """Why something that was done cannot be taken back, as far as it says itself."""
    reasons = (
        (one.in_error is not None, "it has been taken back already"),
        (one.kind not in KINDS, "it is no act of an adviser's; what was taken back by mistake is entered again"),
        (one.id in looked.offer.scenes, "it came of a contact at the scene: put that right where it was recorded"),
        (one.words is None, "it has been erased"),
        (looked.stands[0] is ReferralStatus.ENTERED_IN_ERROR, "police have taken the whole referral back"),
        (one.kind == "close" and looked.goes_on, "another case goes on with this one since it was closed"),
    )
    return next((words for is_so, words in reasons if is_so), None)


def _may(one: Done, caller: Caller, content: Content | None, team: str) -> bool:
    """Whether a person may take it back: who entered it, or who has the role that the agreement gives the team."""
    recipient = content.recipient(team) if content else None
    return one.by == caller.user or (recipient is not None and caller.role == recipient.role)


def _wrong_words(services: Services, here: Here[_Looked], after: Without, caller: Caller) -> list[Wrong]:
    """The words that are no longer true. That somebody has taken the referral stays true while others act in it."""
    found: list[Wrong] = []
    for seq, record_id, record in here.looked.told:
        word = record.feedback[0]
        if word.code is FeedbackCode.ACKNOWLEDGED and after.stands[0] not in UNANSWERED:
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


_f, _t, _e = tables.feedback, tables.case_timer, tables.case_event
_OFFER = (
    select(_t.c.kind, _t.c.due_at)
    .where(_t.c.referral_id == bindparam("of"), _t.c.kind.in_((Kind.ACKNOWLEDGE.value, Kind.FIRST_CONTACT.value)))
    .order_by(_t.c.started_at)
)
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
_REOPENED = select(_e.c.id).where(
    _e.c.log_id == bindparam("log"), _e.c.kind == "reopened", _e.c.codes == bindparam("codes")
)
_IN_ERROR = (
    update(_f)
    .where(_f.c.log_id == bindparam("log"), _f.c.seq == bindparam("place"))
    .values(in_error_at=bindparam("now"))
)
