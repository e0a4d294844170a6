"""The words to police: each a record of its own, encrypted, with a place in the force's feed.

Made of a step of the casework before the journal is asked, and written by whichever unit takes that step. What of it
may go is decided when police are told, not here.

Source: domain.md section 4.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import bindparam, update

from audit.entry import timestamp
from gateway.casework import Step, Told
from gateway.chance import fresh_id, scattered
from gateway.facts import facts_of
from gateway.store import tables
from gateway.store.batch import Batch
from gateway.store.records import Records, StoredRecord
from mappings.record import Consent, Person, Record, RecordKind, Role, Source


@dataclass(frozen=True, slots=True)
class Word:
    """One word to police, encrypted and ready to be kept; beside it what finds it without opening it.

    `code` is the word's, `facts` what a decision on it reads, as JSON, `expires_at` when it may be told no more.
    """

    record_id: str
    stored: StoredRecord
    code: str
    facts: str
    expires_at: str | None

    @classmethod
    def of(cls, record: Record, log_id: str, records: Records) -> Word:
        """The word that a record of one holds, under an id of its own."""
        said = record.feedback[0]
        record_id = fresh_id()
        return cls(
            record_id=record_id,
            stored=records.seal(record, record_id=record_id, log_id=log_id),
            code=said.code.value,
            facts=orjson.dumps(facts_of(record, said.at).to_json()).decode(),  # nothing of it has an age
            expires_at=timestamp(said.expiry) if said.expiry else None,
        )


@dataclass(frozen=True, slots=True)
class Listener:
    """Whose feed a word goes into, and what it is about: the force, the referral and the event."""

    force: str
    referral_id: str
    event_id: str


def words(step: Step, *, organisation: str, system: str, log_id: str, area: str | None, records: Records) -> list[Word]:
    """The records of what a change tells police. The person in them is a reference and a role, nothing else."""
    kept: list[Word] = []
    for told in step.told:
        record = Record(
            kind=RecordKind.STATUS,
            source=Source(organisation=organisation, system=system),
            area=area,
            people=(Person(ref="victim-1", role=Role.VICTIM),),
            consents=_consents(told),
            feedback=(told.feedback,),
        )
        kept.append(Word.of(record, log_id, records))
    return kept


def _consents(told: Told) -> tuple[Consent, ...]:
    if told.consent is None:
        return ()
    return (Consent(ref=told.feedback.consent_ref or "consent-1", state=told.consent, subject="victim-1"),)


def write_words(batch: Batch, seq: int, kept: Sequence[Word], to: Listener, records: Records) -> None:
    """Write words and their places in the feed. `seq` is the index of the entry that says they were written."""
    for number, word in zip(scattered(len(kept), WORDS_PER_CHANGE), kept, strict=True):
        records.write(batch, word.stored, to.event_id)
        batch.insert(
            tables.feedback,
            {
                "log_id": batch.log_id,
                "seq": seq * WORDS_PER_CHANGE + number,
                "force": to.force,
                "referral_id": to.referral_id,
                "record_id": word.record_id,
                "created_at": batch.at,
                "acknowledged_at": None,
                "code": word.code,
                "word_facts": word.facts,
                "expires_at": word.expires_at,
                "in_error_at": None,
            },
        )


WORDS_PER_CHANGE = 64
"""How many places a change has for words: a word's number is its entry's index times this, plus its place.

The places are drawn by chance, in order, so that a gap in the numbers police see says nothing of a word withheld (P8).
"""

ACKNOWLEDGE_OFFER = (
    update(tables.outbox)
    .where(
        tables.outbox.c.referral_id == bindparam("of"),
        tables.outbox.c.acknowledged_at.is_(None),
        tables.outbox.c.endpoint_id.is_(None),
    )
    .values(acknowledged_at=bindparam("at"))
)
"""What offered a referral to its team is answered: somebody has taken it, or turned it down."""


def restore_offer(batch: Batch, referral_id: str, record_id: str) -> None:
    """What offered a referral as it is now waits again: that somebody had taken it was entered in error."""
    batch.update(_RESTORE_OFFER, {"of": referral_id, "record": record_id})


_RESTORE_OFFER = (
    update(tables.outbox)
    .where(
        tables.outbox.c.referral_id == bindparam("of"),
        tables.outbox.c.record_id == bindparam("record"),
        tables.outbox.c.endpoint_id.is_(None),
    )
    .values(acknowledged_at=None)
)
