"""One answer to one item: what a person says, the record it makes, and the unit that keeps it and seals it.

Source: domain.md sections 3.6, 4.5 (N5).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, bindparam, select, update

from audit.entry import Operation, Recipient, timestamp
from gateway.chance import fresh_id
from gateway.decide import Decision, Facts
from gateway.errors import Detail, Unprocessable
from gateway.evidence import Caller, Event, act
from gateway.informing import VICTIM_INFORMATION
from gateway.notices import Kind, Matter, acknowledging, due_by_grade, past_recipients, tell
from gateway.overdue import Late, seal_late
from gateway.sealing import decided_again
from gateway.store import tables
from gateway.store.batch import Batch, DecideAgain, Unit
from gateway.store.outstanding import Outstanding
from gateway.store.records import Records, StoredRecord, subject_of
from gateway.terms import Standing
from mappings.record import Consent, ConsentState, Person, Record, RecordKind, Role, Source, Statement, Times, Topic


class How(StrEnum):
    """How one item is answered."""

    OPEN = "open"  # nobody has answered it
    RELEASED = "released"
    REFUSED = "refused"
    NOT_HELD = "not-held"


class Why(StrEnum):
    """Why an item is refused, as police are told. None of these says what she wishes."""

    NOT_NECESSARY = "not-necessary"
    TOO_BROAD = "too-broad"
    AVAILABLE_ELSEWHERE = "available-elsewhere"
    IN_WRITING = "in-writing"  # the hospital answers it outside the gateway
    NOT_GIVEN = "not-given"


class View(StrEnum):
    """What the victim says of giving it, as whoever answers has learnt it; sealed, and told to nobody else."""

    AGREES = "agrees"
    OBJECTS = "objects"
    NOT_ASKED = "not-asked"
    UNSAFE_TO_ASK = "unsafe-to-ask"
    NOT_REACHED = "not-reached"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person says to one item. `agreed_at` and `consent_ref` are of her consent to this disclosure.

    `expiry` is when that consent ends, where it does. Times are aware.
    """

    how: How
    view: View
    why: Why | None = None
    words: str | None = None
    agreed_at: datetime | None = None
    consent_ref: str | None = None
    expiry: datetime | None = None
    no_clinical_facts: bool = False

    @property
    def releases(self) -> bool:
        """Whether something is released."""
        return self.how is How.RELEASED

    def check(self, now: datetime) -> None:
        """Raise Unprocessable with every place at fault; no words of the answer are repeated (P7)."""
        faults = [Detail(*one) for one in self._faults(now)]
        if faults:
            raise Unprocessable("the answer cannot be taken: see the places named", details=faults)

    def _faults(self, now: datetime) -> list[tuple[str, str, str]]:
        if not self.releases:
            found = [("reason", "missing", "is missing")] if (self.why is None) is (self.how is How.REFUSED) else []
            if self.words is not None:
                found.append(("words", "not-released", "nothing is told where nothing is released"))
            return found
        found = []
        if self.view is not View.AGREES or self.agreed_at is None:
            found.append(("view", "no-consent", "only what she agrees to give is released: say when she agreed"))
        if self.agreed_at is not None and self.agreed_at > now:
            found.append(("agreed_at", "to-come", "it is still to come"))
        if self.expiry is not None and self.expiry <= now:
            found.append(("expiry", "over", "what lets it be told has expired"))
        if not self.words:
            found.append(("words", "missing", "is missing"))
        if self.words and has_nhs_number(self.words):
            found.append(("words", "nhs-number", "an NHS number is in it, and none goes to police (N5)"))
        if not self.no_clinical_facts:
            found.append(("no_clinical_facts", "missing", "say that no clinical fact is in the words"))
        return found

    def record(self, item: str, *, organisation: str, area: str | None, now: datetime) -> Record:
        """What is released, as a record of its own; the person in it is a reference and a role."""
        if item != "statement.summary":
            raise Unprocessable("answer: this item cannot be carried")
        consent = Consent(
            ref=self.consent_ref or "consent-1", state=ConsentState.GIVEN, subject="victim-1", at=self.agreed_at
        )
        return Record(
            kind=RecordKind.STATUS,
            source=Source(organisation=organisation),
            times=Times(recorded=now),
            area=area,
            people=(Person(ref="victim-1", role=Role.VICTIM),),
            consents=(consent,),
            statements=(Statement(topic=Topic.SUMMARY, kind="allegation", about=("victim-1",), text=self.words),),
        )


def has_nhs_number(text: str) -> bool:
    """Whether ten digits with a right check digit stand in a text, however they are grouped (domain.md section 2.1)."""
    return any(_checks("".join(filter(str.isdigit, found))) for found in _TEN.findall(text))


_TEN = re.compile(r"(?<!\d)\d(?:[ \-.]?\d){9}(?!\d)", re.ASCII)


def _checks(digits: str) -> bool:
    check = -sum(int(d) * w for d, w in zip(digits, range(10, 1, -1), strict=False)) % 11
    return check == int(digits[9]) and len(set(digits)) > 1


@dataclass(frozen=True, slots=True)
class Made:
    """What is released, encrypted, with the facts and the decision it stands on."""

    record_id: str
    stored: StoredRecord
    facts: Facts
    decision: Decision

    @classmethod
    def of(cls, records: Records, record: Record, facts: Facts, decision: Decision, log_id: str) -> Made:
        """Encrypt a record that was decided."""
        id_ = fresh_id()
        stored = records.seal(record, record_id=id_, log_id=log_id)
        return cls(id_, StoredRecord(stored.record, stored.data_key, stored.blind_indexes), facts, decision)


@dataclass(frozen=True, slots=True)
class AnswerItem(Unit[bool]):
    """Keep one answer and seal it; returns whether the request is answered as a whole.

    An item is answered once; what was released may be taken back, and whoever read it is told.
    """

    row: Row[Any]
    item: Row[Any]
    answer: Answer
    made: Made | None
    caller: Caller
    standing: Standing

    def apply(self, batch: Batch) -> bool:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        items = {one.number: one for one in batch.read(_ITEMS, {"of": self.row.id})}
        item = items.get(self.item.number)
        if item is None or item.seq != self.item.seq:
            raise DecideAgain("the item changed")
        taken_back = item.state == How.RELEASED and self.answer.how is How.REFUSED
        if item.state != How.OPEN and not taken_back:
            raise Unprocessable("the item is answered")
        given = past_recipients(batch, (self.row.referral_id,))[self.row.referral_id] if taken_back else ()
        decision = self._decided(batch)
        seq = self._seal(batch, decision)
        if self.made is not None:
            self._write(batch, self.made)
        batch.update(_ANSWER, self._values(batch, seq))
        done = all(one.state != How.OPEN for number, one in items.items() if number != self.item.number)
        if done and self.row.answered_at is None:
            batch.update(_DONE, {"of": self.row.id, "at": batch.at})
            of = {"log": batch.log_id, "case": self.row.referral_id}
            batch.update(_CLOSE_ASKED, {**of, "at": batch.at, "by": self.caller.who})
        if taken_back:
            self._tell(batch, given)
        return done

    def _decided(self, batch: Batch) -> Decision | None:
        made = self.made
        return None if made is None else decided_again(made.facts, made.decision, self.standing.terms, batch.now)

    def _write(self, batch: Batch, made: Made) -> None:
        beside = {"event_id": self.row.event_id, "received_at": batch.at}
        batch.insert(tables.record, {**made.stored.record, **beside})
        batch.insert(tables.data_key, made.stored.data_key)

    def _values(self, batch: Batch, seq: int) -> Mapping[str, Any]:
        answer = self.answer
        return {
            "of": self.row.id,
            "n": self.item.number,
            "to_state": answer.how.value,
            "why": answer.why.value if answer.why else None,
            "said": answer.view.value,
            "kept": self.made.record_id if self.made else None,
            "place": seq,
            "ends": timestamp(answer.expiry) if answer.expiry else None,
            "by": self.caller.who,
            "at": batch.at,
        }

    def _seal(self, batch: Batch, decision: Decision | None) -> int:
        made = self.made
        detail: dict[str, str | int] = {
            "request": self.row.id,
            "item": self.item.number,
            "answer": self.answer.how.value,
            "view": self.answer.view.value,
        }
        return batch.seal(
            act(
                Event.INFORMATION_ITEM_ANSWERED,
                Operation.ALTERATION,
                at=batch.at,
                caller=self.caller,
                decision=decision,
                facts=made.facts if made else None,
                agreement=self.standing.agreement_ref,
                subjects=(subject_of(self.row.record_id, self.row.victim),),
                record=made.record_id if made else None,
                case=self.row.referral_id,
                reason=self.answer.why.value if self.answer.why else None,
                payload=made.stored.record["payload"] if made else None,
                detail=detail,
            )
        )

    def _tell(self, batch: Batch, given: tuple[Recipient, ...]) -> None:
        matter = Matter(
            Kind.CONSENT_WITHDRAWN, self.row.event_id, self.row.referral_id, self.item.record_id, VICTIM_INFORMATION
        )
        to = [one for one in given if one.organisation == self.row.force]
        due = due_by_grade(self.standing.terms, None, batch.now)
        tell(batch, matter, to, due=due, caller=self.caller, agreement=self.standing.agreement)


REQUESTS = Outstanding(tables.information_request, until="answered_at")


@dataclass(frozen=True, slots=True)
class NoteRequestsOverdue(Unit[int]):
    """Seal, once for each, that a request was not answered in time; returns how many."""

    most: int = 100

    def apply(self, batch: Batch) -> int:  # noqa: D102 - said by Unit.apply
        return seal_late(batch, REQUESTS, self.most, self._late)

    @staticmethod
    def _late(row: Row[Any]) -> Late:
        return Late(
            Event.INFORMATION_OVERDUE,
            {"request": row.id, "due": row.due_at},
            case=row.referral_id,
            to=Recipient(row.organisation, row.team),
        )


_q, _i, _t = tables.information_request, tables.information_item, tables.notice
_ITEMS = select(_i).where(_i.c.request_id == bindparam("of"))
_ANSWER = (
    update(_i)
    .where(_i.c.request_id == bindparam("of"), _i.c.number == bindparam("n"))
    .values(
        state=bindparam("to_state"),
        reason=bindparam("why"),
        view=bindparam("said"),
        record_id=bindparam("kept"),
        seq=bindparam("place"),
        expires_at=bindparam("ends"),
        answered_by=bindparam("by"),
        answered_at=bindparam("at"),
        acknowledged_at=None,
    )
)
_DONE = update(_q).where(_q.c.id == bindparam("of")).values(answered_at=bindparam("at"))
_CLOSE_ASKED = acknowledging(
    _t.c.referral_id == bindparam("case"),
    _t.c.kind == Kind.INFORMATION_REQUESTED.value,
    ~select(_q.c.id).where(_q.c.referral_id == bindparam("case"), _q.c.answered_at.is_(None)).exists(),
)
