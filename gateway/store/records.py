"""Records at rest: a record becomes rows, and rows become the record again.

Content is the record as JSON under its own data key; what would lead somebody to a person's door lies apart, in the
vault, under another (`mappings.items.VAULTED`). The database sees neither names nor addresses: it searches by keyed
blind indexes, and by what identifies nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Row, bindparam, select

from audit.entry import timestamp
from gateway.keys import Keyring
from gateway.store import tables
from gateway.store.batch import Batch
from gateway.store.envelope import Envelope
from gateway.store.features import Features, StoredFeatures
from gateway.store.traced import IS_TRACED, Traced
from mappings.items import VAULTED, plan
from mappings.record import Address, Contact, Feedback, Grade, Person, Record, Role
from mappings.referral import Priority, Referral, ReferralState, ReferralStatus


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record as it is about to be written: the rows, made before the journal is asked.

    `record["payload"]` is the keyed hash of the whole record: the same record has the same, and nobody can guess it.
    """

    record: Mapping[str, Any]
    data_key: Mapping[str, Any]
    blind_indexes: tuple[Mapping[str, Any], ...]
    features: StoredFeatures | None = None


class Records:
    """Makes and reads the rows of records."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._content = Envelope(keyring.content_key)
        self._vault = Envelope(keyring.vault_key)
        self.features = Features(keyring)
        self.traced = Traced(keyring)

    def seal(self, record: Record, *, record_id: str, log_id: str) -> StoredRecord:
        """The rows of a record; the event it belongs to and the time are added when the batch knows them."""
        open_part, vaulted = split(record)
        content = open_part.__pydantic_serializer__.to_json(open_part, exclude_defaults=True)
        sealed = self._content.seal(content, f"record.content|{record_id}")
        hidden = orjson.dumps(vaulted)
        vault = self._vault.seal(hidden, f"record.vault|{record_id}") if vaulted else None
        organisation = record.source.organisation if record.source else ""
        return StoredRecord(
            record={
                "id": record_id,
                "log_id": log_id,
                "organisation": organisation,
                "version": record.version,
                "kind": record.kind.value,
                "content": sealed.content,
                "vault": vault.content if vault else None,
                "payload": self._keyring.payload_hash(content + b"\0" + hidden),
                "mapping": record.source.profile_hash if record.source else None,
            },
            data_key={"id": record_id, "content_key": sealed.key, "vault_key": vault.key if vault else None},
            blind_indexes=tuple(
                {
                    "log_id": log_id,
                    "digest": self._keyring.blind(kind, value),
                    "record_id": record_id,
                    "subject": subject,
                }
                for kind, value, subject in dict.fromkeys(identifiers(record, record_id))
            ),
            features=self.features.seal(record, record_id=record_id, log_id=log_id),
        )

    def write(self, batch: Batch, stored: StoredRecord, event_id: str, occurrence: bytes | None = None) -> None:
        """Hand the rows to the batch; `occurrence` is the blind name that this record's versions share."""
        beside = {"event_id": event_id, "received_at": batch.at, "occurrence": occurrence}
        batch.insert(tables.record, {**stored.record, **beside})
        batch.insert(tables.data_key, stored.data_key)
        for row in stored.blind_indexes:
            batch.insert(tables.blind_index, row)
        if stored.features is not None:
            self.features.write(batch, stored.features, event_id)

    def load(self, connection: Connection, record_ids: Sequence[str]) -> dict[str, Record]:
        """The records of these ids, vault included, with what was traced; one that was erased is not among them."""
        rows = connection.execute(_LOAD, {"ids": list(record_ids)}).all() if record_ids else ()
        records = {row.id: self._open(row) for row in rows}
        return self.traced.read_with(connection, records, [row.id for row in rows if row.traced])

    @staticmethod
    def payloads(connection: Connection, record_ids: Sequence[str]) -> dict[str, str]:
        """The keyed hashes of these records, as the log names them."""
        rows = connection.execute(_PAYLOADS, {"ids": list(record_ids)}) if record_ids else ()
        return {row.id: row.payload for row in rows}

    def _open(self, row: Any) -> Record:  # noqa: ANN401 - a row of those columns
        content = self._content.open(row.content, row.content_key, f"record.content|{row.id}")
        record = Record.model_validate_json(content)
        if row.vault is None:
            return record
        return join(record, orjson.loads(self._vault.open(row.vault, row.vault_key, f"record.vault|{row.id}")))

    def blind(self, kind: str, value: str) -> bytes:
        """The blind index of an identifier in its normal form."""
        return self._keyring.blind(kind, value)

    def find_subjects(self, connection: Connection, log_id: str, kind: str, value: str) -> tuple[str, ...]:
        """The subject references of everybody this identifier was given for."""
        digest = self._keyring.blind(kind, value)
        table = tables.blind_index
        query = select(table.c.subject).where(table.c.log_id == log_id, table.c.digest == digest).distinct()
        return tuple(sorted(row.subject for row in connection.execute(query)))


_PAYLOADS = select(tables.record.c.id, tables.record.c.payload).where(
    tables.record.c.id.in_(bindparam("ids", expanding=True))
)
_LOAD = (
    select(
        tables.record.c.id,
        tables.record.c.content,
        tables.record.c.vault,
        tables.data_key.c.content_key,
        tables.data_key.c.vault_key,
        IS_TRACED.label("traced"),
    )
    .join(tables.data_key, tables.data_key.c.id == tables.record.c.id)
    .where(tables.record.c.id.in_(bindparam("ids", expanding=True)))
)


def subject_of(record_id: str, ref: str) -> str:
    """How the log names a person: opaque, and the same nowhere else."""
    return f"{record_id}.{ref}"


def name_key(family: str, given: Sequence[str], born: str) -> str:
    """The normal form of the name and date of birth that the blind index holds."""
    return "|".join([" ".join(family.split()).casefold(), " ".join(given).casefold(), born])


FAMILY = "family"
ADDRESS = "address"
"""What may connect a member of staff with a party (N15): a family name, an address."""


def family_key(family: str) -> str:
    """The normal form of a family name that the blind index holds."""
    return " ".join(family.split()).casefold()


def address_key(lines: Sequence[str], postcode: str | None) -> str | None:
    """The normal form of an address: its first line and its postcode; None where either is unknown."""
    line = " ".join("".join(c if c.isalnum() else " " for c in " ".join(lines)).split()).casefold()
    code = "".join((postcode or "").split()).casefold()
    return f"{line}|{code}" if line and code else None


def identifiers(record: Record, record_id: str) -> Iterator[tuple[str, str, str]]:
    """What a record can be found by, as (kind, normal form, subject)."""
    people = [(p, subject_of(record_id, p.ref)) for p in record.people]
    victims = [subject for person, subject in people if person.role is Role.VICTIM]
    for reference in record.references:
        for subject in victims:
            yield reference.type, reference.value.casefold(), subject
    if record.officer is not None and record.officer.collar is not None:
        for subject in victims:
            yield OFFICER, record.officer.collar.casefold(), subject
    for person, subject in people:
        for kind, key in _of_person(person):
            yield kind, key, subject


OFFICER = "officer"
"""The kind of name by which an officer's own cases are found: the collar number."""


def numbered(person: Person) -> Iterator[tuple[str, str]]:
    """What shows by itself who a person is, as (kind, normal form): a number, or a name with a date of birth."""
    if person.nhs_number:
        yield "nhs-number", person.nhs_number
    for name in person.names:
        if person.birth and person.birth.on:
            yield "person", name_key(name.family or "", name.given[:1], person.birth.on.isoformat())


def _of_person(person: Person) -> Iterator[tuple[str, str]]:
    yield from numbered(person)
    for name in person.names:
        if name.family:
            yield FAMILY, family_key(name.family)
    for address in person.addresses:
        if key := address_key(address.lines[:1], address.postcode):
            yield ADDRESS, key


def split(record: Record) -> tuple[Record, dict[str, Any]]:
    """The record without its vaulted parts, and those parts, each with its place."""
    people: list[Person] = []
    vaulted: dict[str, Any] = {}
    for person in record.people:
        hidden = _vaulted_parts(person)
        if not hidden:
            people.append(person)
            continue
        vaulted[person.ref] = {
            name: [[at, part.model_dump(mode="json", exclude_defaults=True)] for at, part in found]
            for name, found in hidden.items()
        }
        kept = {
            name: tuple(part for at, part in enumerate(getattr(person, name)) if at not in {n for n, _ in found})
            for name, found in hidden.items()
        }
        people.append(person.model_copy(update=kept))
    return (record.model_copy(update={"people": tuple(people)}), vaulted) if vaulted else (record, {})


def join(record: Record, vaulted: Mapping[str, Any]) -> Record:
    """Put vaulted parts back in their places."""
    people: list[Person] = []
    for person in record.people:
        hidden = vaulted.get(person.ref)
        if hidden is None:
            people.append(person)
            continue
        update: dict[str, Any] = {}
        for name, found in hidden.items():
            parts: list[Any] = list(getattr(person, name))
            for at, document in found:
                parts.insert(at, _VAULTED_PARTS[name].model_validate_json(orjson.dumps(document)))
            update[name] = tuple(parts)
        people.append(person.model_copy(update=update))
    return record.model_copy(update={"people": tuple(people)})


_VAULTED_PARTS: Mapping[str, type[Contact | Address]] = {"contacts": Contact, "addresses": Address}
"""The parts of a person that can be vaulted: those whose gate can be a vaulted item (a test compares)."""


def _vaulted_parts(person: Person) -> dict[str, list[tuple[int, Contact | Address]]]:
    found: dict[str, list[tuple[int, Contact | Address]]] = {}
    words = (("role", person.word()),)
    for at, contact in enumerate(person.contacts):
        if plan(Contact, words).gate in VAULTED:
            found.setdefault("contacts", []).append((at, contact))
    for at, address in enumerate(person.addresses):
        if plan(Address, (*words, ("use", address.word()))).gate in VAULTED:
            found.setdefault("addresses", []).append((at, address))
    return found


def referral_row(
    referral: Referral,
    *,
    record_id: str,
    event_id: str,
    log_id: str,
    victim: str,
    mapping: str | None,
    facts: bytes,
    event_at: datetime | None,
) -> dict[str, Any]:
    """The row of a new referral."""
    return {
        "id": referral.id,
        "log_id": log_id,
        "record_id": record_id,
        "event_id": event_id,
        "victim": victim,
        "force": referral.force,
        "organisation": referral.organisation,
        "team": referral.team,
        "area": referral.area,
        "grade": referral.grade,
        "priority": referral.priority.value,
        "status": referral.status.value,
        "state": referral.state.value,
        "version": referral.version,
        "assessed_at": timestamp(referral.assessed_at) if referral.assessed_at else None,
        "created_at": timestamp(referral.created_at),
        "updated_at": timestamp(referral.updated_at),
        "respond_by": timestamp(referral.respond_by) if referral.respond_by else None,
        "mapping": mapping,
        "facts": facts.decode(),
        "feedback": "[]",
        "event_at": timestamp(event_at) if event_at else None,
    }


def referral_of(row: Row[Any]) -> Referral:
    """The referral a row holds."""
    return Referral(
        id=row.id,
        version=row.version,
        status=ReferralStatus(row.status),
        state=ReferralState(row.state),
        priority=Priority(row.priority),
        team=row.team,
        organisation=row.organisation,
        force=row.force,
        area=row.area,
        grade=Grade(row.grade) if row.grade else None,
        assessed_at=_moment(row.assessed_at),
        created_at=datetime.fromisoformat(row.created_at),
        updated_at=datetime.fromisoformat(row.updated_at),
        respond_by=_moment(row.respond_by),
        feedback=tuple(Feedback.model_validate(one) for one in orjson.loads(row.feedback)),
        label=row.label,
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
