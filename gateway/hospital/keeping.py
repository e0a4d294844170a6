"""A notice as it is kept: the unit that makes it true, whatever it turns out to be, and its place in a police feed.

Known, conflicting, out of date, refused, the next version, or new: decided one after another under the log's head. The
decision is made again at the instant it is sealed. What a notice says, and how it is judged, is for others.

Source: domain.md sections 4.1, 4.6, 4.7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import bindparam, update

from audit.entry import Entry, Operation, Recipient, timestamp
from audit.entry import Outcome as EntryOutcome
from gateway.chance import fresh_id
from gateway.decision import Reason
from gateway.evidence import Caller, Event, act
from gateway.hospital.standing import ONE, Judged, State, state_of
from gateway.notices import EVERYBODY, Kind, Matter, due_by_grade, past_recipients, tell
from gateway.quarantine import owner_named
from gateway.services import Services
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.store.envelope import Envelope, Sealed
from gateway.store.records import Records, StoredRecord, subject_of
from gateway.terms import Standing
from mappings.record import Record, RecordKind, Role


class How(StrEnum):
    """What became of a notice; the last three are refused, and nothing of them is kept."""

    ACCEPTED = "accepted"
    UPDATED = "updated"
    KNOWN = "known"
    CONFLICT = "conflict"
    STALE = "stale"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a notice, before its receipt is known."""

    how: How
    notice: str = ""
    version: int = 0
    state: State = State.HELD
    reason: str | None = None
    words: str | None = None
    owner: str | None = None
    due_at: str | None = None


@dataclass(frozen=True, slots=True)
class Keeping:
    """A notice ready for the journal: encrypted, with the names it is recognised by."""

    record: Record
    record_id: str
    stored: StoredRecord
    raw: Sealed
    raw_id: str
    media_type: str
    body: str  # the keyed hash of the bytes
    document: bytes
    natural: bytes | None
    sent_at: str | None

    @classmethod
    def of(
        cls,
        services: Services,
        caller: Caller,
        record: Record,
        raw: bytes,
        media_type: str,
        document: str | None,
        log_id: str,
    ) -> Keeping:
        """Encrypt a notice and its bytes, and compute the names a repeat is recognised by."""
        record_id, raw_id = fresh_id(), fresh_id()
        stored = services.records.seal(record, record_id=record_id, log_id=log_id)
        # A patient is not compared with the people of police records by itself (N9): no features are kept.
        stored = StoredRecord(stored.record, stored.data_key, stored.blind_indexes)
        keyring, occurrence = services.keyring, record.reference("occurrence")
        body = keyring.payload_hash(raw)
        sent = record.times.recorded if record.times else None
        return cls(
            record=record,
            record_id=record_id,
            stored=stored,
            raw=Envelope(keyring.content_key).seal(raw, document_name(raw_id)),
            raw_id=raw_id,
            media_type=media_type,
            body=body,
            document=keyring.blind("hospital-document", f"{caller.organisation}|{caller.client}|{document or body}"),
            natural=keyring.blind("hospital-notice", f"{caller.organisation}|{occurrence.casefold()}")
            if occurrence
            else None,
            sent_at=timestamp(sent) if sent else None,
        )


@dataclass(frozen=True, slots=True)
class TakeNotice(Unit[Answer]):
    """Make a notice true: known, conflicting, stale, refused, the next version, or new."""

    keeping: Keeping
    made: tuple[Judged, ...]
    caller: Caller
    standing: Standing
    records: Records
    duty: str

    @property
    def claims(self) -> Sequence[bytes]:  # type: ignore[override]  # a value computed from the fields
        """The names under which a repeat, or another version, is recognised."""
        k = self.keeping
        return (k.document,) if k.natural is None else (k.document, k.natural)

    def apply(self, batch: Batch) -> Answer:  # noqa: D102 - said by Unit.apply
        self.standing.check(batch)
        k = self.keeping
        made = tuple(one.decided_at(self.standing.terms, batch.now) for one in self.made)
        if made[0].decision.reason is Reason.TOO_SECRET:
            entry = self._entry(batch, Event.HOSPITAL_NOTICE_CONFLICT, made[0], reason=Reason.TOO_SECRET.value)
            batch.seal(entry._replace(record=None, payload=None, subjects=(), outcome=EntryOutcome.DENIED))
            return Answer(How.REFUSED, words=made[0].decision.words)
        before = batch.owner(k.document)
        if before is not None:
            return self._again(batch, before.decode())
        owner = batch.owner(k.natural) if k.natural is not None else None
        known = self._row(batch, owner.decode()) if owner is not None else None
        if known is not None and k.sent_at is not None and known.sent_at is not None and k.sent_at < known.sent_at:
            entry = self._entry(batch, Event.HOSPITAL_NOTICE_CONFLICT, made[0], case=known.id, reason="stale-version")
            batch.seal(entry._replace(outcome=EntryOutcome.DENIED))
            return Answer(How.STALE)
        return self._keep(batch, made, known)

    def _again(self, batch: Batch, before: str) -> Answer:
        """A repeat gets the answer as it is by now; the same id with other bytes gets none."""
        body, _, notice = before.partition("|")
        same = body == self.keeping.body
        row = self._row(batch, notice) if same else None
        event = Event.HOSPITAL_NOTICE_REPEATED if row is not None else Event.HOSPITAL_NOTICE_CONFLICT
        entry = act(
            event,
            Operation.COLLECTION,
            at=batch.at,
            caller=self.caller,
            outcome=EntryOutcome.PERMITTED if row is not None else EntryOutcome.DENIED,
            case=notice if row is not None else None,
            reason="repeated" if row is not None else "another-body",
        )
        batch.seal(entry)
        if row is None:
            return Answer(How.CONFLICT)
        held = State(row.state) is State.HELD
        owner, due = (row.owner, row.due_at) if held else (None, None)
        return Answer(How.KNOWN, row.id, row.version, State(row.state), row.reason, None, owner, due)

    def _keep(self, batch: Batch, made: tuple[Judged, ...], known: Any) -> Answer:  # noqa: ANN401 - a row or none
        k, terms = self.keeping, self.standing.terms
        notice = known.id if known is not None else k.record_id
        told = past_recipients(batch, (notice,))[notice] if known is not None else ()
        version = known.version + 1 if known is not None else 1
        state = State.RETRACTED if k.record.kind is RecordKind.RETRACTION else state_of(k.record, made)
        first = next((one for one in made if one.goes), made[0])
        due = due_by_grade(terms, first.facts.grade, batch.now)
        content = terms.agreement.content if terms else None
        held = state is State.HELD
        owner = owner_named(content, first.decision.owner, self.duty) if held else None
        row = {
            "log_id": batch.log_id,
            "organisation": self.caller.organisation,
            "client": self.caller.client,
            "record_id": k.record_id,
            "victim": next((one.ref for one in k.record.of_role(Role.VICTIM)), "victim-1"),
            "version": version,
            "area": k.record.area,
            "grade": first.facts.grade,
            "state": state.value,
            "reason": None if state is State.OPEN else first.decision.reason.value,
            "owner": owner,
            "consent": first.facts.consent,
            "override_id": None,
            "mapping": k.stored.record["mapping"],
            "sent_at": k.sent_at,
            "updated_at": batch.at,
            "due_at": timestamp(due),
            "overdue_at": None,
            "decided_at": None if held else batch.at,
        }
        self._write(batch, notice, row, known)
        before = {one.recipient for one in told}
        for one in made:
            seq = batch.seal(self._entry(batch, Event.HOSPITAL_NOTICE_TAKEN, one, case=notice, state=state))
            if state is State.OPEN and one.goes:
                write_feed(batch, seq, notice, version, one)
            elif one.recipient in before:
                write_feed(batch, seq, notice, version, one, withdrawn=state is not State.RETRACTED)
        self._tell(batch, notice, state, made, told, due)
        how = How.ACCEPTED if known is None else How.UPDATED
        words = first.decision.words if state in {State.HELD, State.STOPPED} else None
        return Answer(how, notice, version, state, row["reason"], words, owner, row["due_at"] if held else None)

    def _write(self, batch: Batch, notice: str, row: Mapping[str, Any], known: Any) -> None:  # noqa: ANN401 - a row
        k = self.keeping
        batch.claim(k.document, f"{k.body}|{notice}".encode())
        if known is None and k.natural is not None:
            batch.claim(k.natural, notice.encode())
        self.records.write(batch, k.stored, notice)
        batch.insert(tables.data_key, {"id": k.raw_id, "content_key": k.raw.key, "vault_key": None})
        document = {
            "id": k.raw_id,
            "log_id": batch.log_id,
            "event_id": notice,
            "record_id": k.record_id,
            "media_type": k.media_type,
            "content": k.raw.content,
            "received_at": batch.at,
        }
        batch.insert(tables.hospital_document, document)
        if known is None:
            batch.insert(tables.hospital_notice, {"id": notice, "received_at": batch.at, **row})
        else:
            batch.update(update(_n).where(_n.c.id == bindparam("of")).values(row), {"of": notice})

    def _tell(
        self,
        batch: Batch,
        notice: str,
        state: State,
        made: tuple[Judged, ...],
        told: Sequence[Recipient],
        due: datetime,
    ) -> None:
        """Tell who reads it that it is there, whoever read it what has changed, and who decides that they must."""
        matter = Matter(Kind.HOSPITAL_NOTICE, notice, None, self.keeping.record_id)
        goes = [Recipient(one.decision.organisation or "", one.recipient) for one in made if one.goes]
        kinds = {State.OPEN: Kind.CORRECTED, State.RETRACTED: Kind.RETRACTED}
        ways: list[tuple[Kind, Sequence[Recipient]]] = [(kinds.get(state, Kind.STOPPED), told)]
        if state is State.OPEN:
            ways.append((Kind.HOSPITAL_NOTICE, [one for one in goes if one not in told]))
        if state is State.HELD:
            ways.append((Kind.DECISION_NEEDED, [Recipient(self.caller.organisation, EVERYBODY)]))
        for kind, recipients in ways:
            said = Matter(kind, matter.event_id, None, matter.record_id, self._why(kind, made))
            tell(batch, said, recipients, due=due, caller=self.caller, agreement=self.standing.agreement)

    @staticmethod
    def _why(kind: Kind, made: tuple[Judged, ...]) -> str | None:
        return made[0].decision.reason.value if kind is Kind.DECISION_NEEDED else "hospital-notice"

    def _row(self, batch: Batch, notice: str) -> Any:  # noqa: ANN401 - a row or none
        return next(iter(batch.read(ONE, {"log": batch.log_id, "id": notice})), None)

    def _entry(
        self,
        batch: Batch,
        event: Event,
        one: Judged,
        *,
        case: str | None = None,
        reason: str | None = None,
        state: State | None = None,
    ) -> Entry:
        k = self.keeping
        permitted = state in {State.OPEN, State.RETRACTED} or state is None
        return act(
            event,
            Operation.COLLECTION,
            at=batch.at,
            caller=self.caller,
            outcome=EntryOutcome.PERMITTED if permitted else EntryOutcome.DENIED,
            decision=one.decision,
            facts=one.facts,
            subjects=tuple(subject_of(k.record_id, person.ref) for person in k.record.people),
            record=k.record_id,
            case=case,
            reason=reason,
            mapping=k.stored.record["mapping"],
            payload=k.body,
            detail={"state": state.value} if state else None,
        )


def document_name(id_: str) -> str:
    """What the bytes of a document are sealed for, so that they open nowhere else."""
    return f"hospital-document.content|{id_}"


def write_feed(batch: Batch, seq: int, notice: str, version: int, one: Judged, *, withdrawn: bool = False) -> None:
    """Give a notice its place in a recipient's feed. `seq` is the index of the entry that says so.

    `withdrawn` is the line that says that what was read of it may not be read any more: only for who was given it.
    """
    batch.insert(
        tables.hospital_feed,
        {
            "log_id": batch.log_id,
            "seq": seq,
            "force": one.decision.organisation or "",
            "recipient": one.recipient,
            "notice_id": notice,
            "version": version,
            "withdrawn": withdrawn,
            "created_at": batch.at,
        },
    )


_n = tables.hospital_notice
