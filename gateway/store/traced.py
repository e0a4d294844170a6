"""What was traced, as it stands beside records: encrypted content, and the NHS number a record is read with.

The record itself stays as police sent it. A number is read with it where PDS says that it is verified and the trace is
of that very version. Nothing else PDS said goes in, and so no address ever does. That she, or a child of hers, is
restricted stands on the referral; then nothing PDS said of where either lives is read.

Source: domain.md sections 2.1 (only status 01 files itself), 2.6 (restricted patients).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson
from sqlalchemy import Connection, Row, bindparam, select, update

from gateway.keys import Keyring
from gateway.store import tables
from gateway.store.batch import Batch
from gateway.store.envelope import Envelope, Sealed
from mappings.record import Person, Record, Role


@dataclass(frozen=True, slots=True)
class Sought:
    """Whom a trace looks for: the victim of a referral or a child of hers; `ref` is the reference in the record."""

    ref: str
    role: Role

    @classmethod
    def of(cls, row: Row[Any]) -> Sought:
        """Whom the row of a trace is about."""
        return cls(row.child, Role.CHILD) if row.child else cls(row.victim, Role.VICTIM)

    def within(self, record: Record | None) -> Person | None:
        """The person in a record, whole or minimised; None where nobody of that reference is in it in this role."""
        people = record.people if record is not None else ()
        return next((one for one in people if one.ref == self.ref and one.role is self.role), None)

    @property
    def number(self) -> str:
        """The item a trace adds to what a referral holds."""
        return NUMBER[self.role]


NUMBER: Mapping[Role, str] = {role: f"{role.item_word}.nhs_number" for role in (Role.VICTIM, Role.CHILD)}
"""The item of the number of whoever is traced."""

ASKED: Mapping[Role, frozenset[str]] = {
    role: frozenset(f"{role.item_word}.{item}" for item in ("listed", "name", "birth", "home_address"))
    for role in NUMBER
}
"""What a question to PDS can carry: the decision is narrowed to it."""

SHOWN: Mapping[Role, frozenset[str]] = {
    role: items | {NUMBER[role], f"{role.item_word}.sex"} for role, items in ASKED.items()
}
"""What a reviewer sees of either side, as far as the agreement releases it."""

PDS_QUESTION: Mapping[Role, str] = {Role.VICTIM: "PdsQuestion", Role.CHILD: "PdsChildQuestion"}
PATIENT_MATCH: Mapping[Role, str] = {Role.VICTIM: "PatientMatch", Role.CHILD: "ChildMatch"}
"""What an entry names as its type where PDS was asked, and where two people were shown next to each other."""


class State(StrEnum):
    """Where a trace stands."""

    WAITING = "waiting"  # to be asked, or to be asked again
    REFUSED = "refused"  # the agreement lets nobody ask; looked at again when its standing changes
    VERIFIED = "verified"  # the number stands: by itself, or because a person said so
    REVIEW = "review"  # somebody was found, and a person says whether it is she
    CONFIRMED = "confirmed"  # a person said that it is she, and PDS that the number is not verified
    DIFFERENT = "different"  # a person said that it is somebody else
    UNMATCHED = "unmatched"  # nobody, or several
    FAILED = "failed"  # PDS did not answer, or not with anything that can be used
    ERASED = "erased"  # with the record it was of
    UNASKABLE = "unaskable"  # too little is known, or may leave, to ask
    GONE = "gone"  # a child who is in no later version of the record


@dataclass(frozen=True, slots=True)
class Candidate:
    """Who was found: the patient, how far she agrees with who was meant, field by field, and PDS's own score."""

    person: Person
    levels: Mapping[str, str]
    score: float | None
    label: str | None

    def unplaced(self) -> Candidate:
        """The same without where they live, and how far that agrees: for a household of which one is restricted."""
        levels = {field: level for field, level in self.levels.items() if field not in _PLACES}
        return Candidate(self.person.model_copy(update={"addresses": ()}), levels, self.score, self.label)

    def number_alone(self) -> Candidate:
        """What is kept once it is settled who she is: nothing else that PDS said of her is."""
        one = self.person
        number, status = one.nhs_number, one.nhs_number_status
        return Candidate(
            Person(ref=one.ref, role=one.role, nhs_number=number, nhs_number_status=status), {}, None, self.label
        )


class Traced:
    """Makes and reads the content of traces."""

    def __init__(self, keyring: Keyring) -> None:
        self._envelope = Envelope(keyring.vault_key)

    def seal(self, trace_id: str, candidate: Candidate) -> Sealed:
        """Encrypt who was found."""
        person = candidate.person.model_dump(mode="json", exclude_defaults=True)
        plain = {
            "person": person,
            "levels": dict(candidate.levels),
            "score": candidate.score,
            "label": candidate.label,
        }
        return self._envelope.seal(orjson.dumps(plain), f"trace.content|{trace_id}")

    def open(self, row: Row[Any]) -> Candidate | None:
        """Who was found; None where nobody was, or it was erased."""
        if row.content is None or row.content_key is None:
            return None
        plain = orjson.loads(self._envelope.open(row.content, row.content_key, f"trace.content|{row.id}"))
        person = Person.model_validate_json(orjson.dumps(plain["person"]))
        return Candidate(person, plain["levels"], plain["score"], plain["label"])

    def read_with(self, connection: Connection, records: dict[str, Record], of: Sequence[str]) -> dict[str, Record]:
        """Records by their ids, those of `of` with what was traced of their people (`IS_TRACED`)."""
        rows = connection.execute(_OF_RECORDS, {"ids": list(of)}).all() if of else ()
        for row in rows:
            found = self.open(row)
            if found is not None:
                records[row.record_id] = _with(records[row.record_id], Sought.of(row).ref, found.person)
        return records


def leave(batch: Batch, trace_id: str) -> None:
    """Empty what was traced of a child whom the record no longer names."""
    batch.update(_LEAVE, {"of": trace_id, "at": batch.at})


def forget(batch: Batch, event_ids: Sequence[str]) -> None:
    """Empty what was traced of these events, the key first to go; what became of each stays."""
    batch.update(_FORGET, {"events": list(event_ids), "at": batch.at})


_PLACES = frozenset({"place", "town", "postcode"})
"""What is compared of where two people live (`gateway.matching.comparisons`)."""


def _with(record: Record, ref: str, found: Person) -> Record:
    known = {"nhs_number": found.nhs_number, "nhs_number_status": found.nhs_number_status}
    people = tuple(one.model_copy(update=known) if one.ref == ref else one for one in record.people)
    return record.model_copy(update={"people": people})


_t = tables.trace
IS_TRACED: Any = (
    select(_t.c.id).where(_t.c.record_id == tables.record.c.id, _t.c.state == State.VERIFIED.value).exists()
)
"""Whether a number is read with a record: asked along with it, for most are never traced."""
_OF_RECORDS: Any = select(_t.c.id, _t.c.record_id, _t.c.victim, _t.c.child, _t.c.content, _t.c.content_key).where(
    _t.c.record_id.in_(bindparam("ids", expanding=True)), _t.c.state == State.VERIFIED.value
)
_EMPTY: Mapping[str, Any] = {
    **dict.fromkeys(("content", "content_key", "asked", "label", "next_at", "leased_until")),
    "decided_at": bindparam("at"),
}
_FORGET = (
    update(_t)
    .where(_t.c.event_id.in_(bindparam("events", expanding=True)))
    .values({**_EMPTY, "state": State.ERASED.value})
)
_LEAVE = update(_t).where(_t.c.id == bindparam("of")).values({**_EMPTY, "state": State.GONE.value})
