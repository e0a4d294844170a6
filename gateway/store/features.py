"""What people are matched by, at rest: blind keys to find candidates, and traits encrypted under a data key.

One row for each event, of the newest version of its record: a later version takes the place of the one before. The
traits lie under the vault's key-encryption key, for telephone numbers and addresses are among them, with a data key of
their own; erasing the record deletes that key, the row and the blind keys, and nothing of a person is left in them.

Source: design.md section 8 (blind indexes, erasure); domain.md section 4.7.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from typing import Any

import orjson
from sqlalchemy import (
    ARRAY,
    Connection,
    LargeBinary,
    String,
    any_,
    bindparam,
    column,
    delete,
    func,
    or_,
    select,
    true,
    update,
)

from gateway.chance import fresh_id
from gateway.keys import Keyring
from gateway.matching import blocks
from gateway.matching.traits import Traits, traits_of
from gateway.store import tables
from gateway.store.batch import Batch
from gateway.store.envelope import ContentUnreadable, Envelope
from mappings.record import Record, RecordKind, Role

MATCHED = (Role.VICTIM, Role.SUSPECT)
"""Who is matched: a victim with victims, a suspect with suspects, and never one with the other (N9)."""

MOST_CANDIDATES = 60
"""Events that are compared for one person: those that share the rarest keys."""

MOST_OF_A_KEY = 60
"""Events that are read of one key: what a crowd shares tells nobody apart, and another key is rarer."""

DIGEST_BYTES = 16  # half a SHA-256: a chance meeting of two keys costs one comparison, and there are millions of rows


@dataclass(frozen=True, slots=True)
class StoredFeatures:
    """The rows of one record, made before the journal is asked; the batch adds the event."""

    event: Mapping[str, Any]
    data_key: Mapping[str, Any]
    keys: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Featured:
    """The people of an event as they are compared, by their references within it."""

    event_id: str
    record_id: str
    people: Mapping[str, Traits]

    def of_role(self, role: str) -> Mapping[str, Traits]:
        """Those in one role."""
        return {ref: traits for ref, traits in self.people.items() if ref.partition("-")[0] == role}


class Features:
    """Makes and reads the rows."""

    def __init__(self, keyring: Keyring) -> None:
        self._envelope = Envelope(keyring.vault_key)
        self._key = keyring.blind("match-key", "")  # a key of its own: a digest here tells nothing of one elsewhere

    def seal(self, record: Record, *, record_id: str, log_id: str) -> StoredFeatures | None:
        """The rows of a record; None where it names no victim, or only refers to her as a word to police does.

        Such a word is kept under the event it is about: rows of its own would take the place of hers.
        """
        if record.kind is RecordKind.STATUS:
            return None
        people = compared(record)
        if not any(_role(ref) == Role.VICTIM.value for ref in people):
            return None
        return self.sealed(people, record_id=record_id, log_id=log_id)

    def sealed(self, people: Mapping[str, Traits], *, record_id: str, log_id: str) -> StoredFeatures:
        """The rows of people, by their references within the record."""
        id_ = fresh_id()
        plain = orjson.dumps({ref: traits.to_json() for ref, traits in people.items()})
        sealed = self._envelope.seal(plain, f"match_event.content|{id_}")
        keys = {
            key for ref, traits in people.items() for key in self.digests(log_id, _role(ref), blocks.stored(traits))
        }
        return StoredFeatures(
            event={"id": id_, "log_id": log_id, "record_id": record_id, "content": sealed.content, "matched_at": None},
            data_key={"id": id_, "content_key": sealed.key, "vault_key": None},
            keys=tuple(keys),
        )

    def write(self, batch: Batch, stored: StoredFeatures, event_id: str) -> None:
        """Hand the rows to the batch, in the place of what the event had before."""
        batch.insert(tables.match_event, {**stored.event, "event_id": event_id})
        batch.insert(tables.data_key, stored.data_key)
        for digest in stored.keys:
            batch.insert(tables.match_key, {"digest": digest, "match_id": stored.event["id"]})
        if event_id != stored.event["record_id"]:  # not the first record of its event
            forget(batch, [event_id], but=stored.event["id"])

    def digests(self, log_id: str, role: str, keys: Iterable[str]) -> list[bytes]:
        """The blind forms of keys of people in one role, in one log."""
        return [
            hashlib.blake2b(f"{log_id}\0{role}\0{key}".encode(), key=self._key, digest_size=DIGEST_BYTES).digest()
            for key in keys
        ]

    def candidates(self, connection: Connection, log_id: str, role: str, traits: Traits) -> list[Featured]:
        """The events that have somebody of a role who shares a key with a person."""
        digests = self.digests(log_id, role, blocks.asked(traits))
        shared = _sharing(connection, digests)
        crowd = Counter(digest for digest, _ in shared)
        weight: dict[str, float] = {}
        for digest, match_id in shared:
            weight[match_id] = weight.get(match_id, 0.0) + 1.0 / crowd[digest]
        ids = nlargest(MOST_CANDIDATES, weight, key=weight.__getitem__)
        found = _FOUND_OF_ARRAY if connection.dialect.name == "postgresql" else _FOUND
        return [self._open(row) for row in connection.execute(found, {"ids": ids})] if ids else []

    def of_events(self, connection: Connection, event_ids: Sequence[str]) -> dict[str, Featured]:
        """The people of these events; one that was erased is not among them."""
        found = connection.execute(_OF_EVENTS, {"events": list(event_ids)}) if event_ids else ()
        return {row.event_id: self._open(row) for row in found}

    def _open(self, row: Any) -> Featured:  # noqa: ANN401 - a row of five columns
        try:
            plain = self._envelope.open(row.content, row.content_key, f"match_event.content|{row.id}")
        except ContentUnreadable:
            return Featured(row.event_id, row.record_id, {})
        people = {ref: Traits.from_json(one) for ref, one in orjson.loads(plain).items()}
        return Featured(row.event_id, row.record_id, people)


def _sharing(connection: Connection, digests: Sequence[bytes]) -> list[tuple[bytes, str]]:
    """The keys of these that are stored and the rows that have them, of each key so many: each stops at its own most.

    Where every question is a journey to a server, it is asked once for all keys.
    """
    if connection.dialect.name == "postgresql":
        return [(row[0], row[1]) for row in connection.execute(_EACH_KEY, {"digests": digests, "most": MOST_OF_A_KEY})]
    return [
        (row[0], row[1])
        for digest in digests
        for row in connection.exec_driver_sql(_ONE_KEY, (digest, MOST_OF_A_KEY))  # asked too often to be prepared anew
    ]


def compared(record: Record) -> dict[str, Traits]:
    """Everybody of a record who is matched, as they are compared, by reference."""
    times = record.times
    event = times and (times.occurred_from or times.reported or times.recorded)
    day = event.date() if event else None
    return {person.ref: traits_of(person, day) for role in MATCHED for person in record.of_role(role)}


LAPSED = "lapsed"
"""What becomes of a review that one side of is gone: there is nothing left to compare."""


def forget(batch: Batch, event_ids: Sequence[str], but: str = "") -> None:
    """Delete what people of these events are matched by, its key first; `but` is a row that stays.

    Reviews of them that nobody has decided lapse; links stay, for they hold references alone.
    """
    for statement in (_DELETE_DATA_KEYS, _DELETE_KEYS, _DELETE_EVENTS):
        batch.update(statement, {"events": list(event_ids), "but": but})
    batch.update(_LAPSE, {"events": list(event_ids), "at": batch.at})


def _role(ref: str) -> str:
    return ref.partition("-")[0]


_e, _k, _d = tables.match_event, tables.match_key, tables.data_key
_COLUMNS = (_e.c.id, _e.c.event_id, _e.c.record_id, _e.c.content, _d.c.content_key)
_ONE_KEY = "SELECT digest, match_id FROM match_key WHERE digest = ? LIMIT ?"
_asked = (
    func.unnest(bindparam("digests", type_=ARRAY(LargeBinary)))
    .table_valued(column("digest", LargeBinary))
    .render_derived()
)
_each = (
    select(_k.c.digest, _k.c.match_id)
    .where(_k.c.digest == _asked.c.digest)
    .limit(bindparam("most"))
    .lateral("each_key")
)
_EACH_KEY = select(_each.c.digest, _each.c.match_id).select_from(_asked.join(_each, true()))
_FOUND = select(*_COLUMNS).join(_d, _d.c.id == _e.c.id).where(_e.c.id.in_(bindparam("ids", expanding=True)))
_FOUND_OF_ARRAY = (
    select(*_COLUMNS).join(_d, _d.c.id == _e.c.id).where(_e.c.id == any_(bindparam("ids", type_=ARRAY(String))))
)
_OF_EVENTS = (
    select(*_COLUMNS).join(_d, _d.c.id == _e.c.id).where(_e.c.event_id.in_(bindparam("events", expanding=True)))
)
_OLD = select(_e.c.id).where(_e.c.event_id.in_(bindparam("events", expanding=True)), _e.c.id != bindparam("but"))
_DELETE_DATA_KEYS = delete(_d).where(_d.c.id.in_(_OLD))
_DELETE_KEYS = delete(_k).where(_k.c.match_id.in_(_OLD))
_DELETE_EVENTS = delete(_e).where(_e.c.event_id.in_(bindparam("events", expanding=True)), _e.c.id != bindparam("but"))
_v = tables.match_review
_LAPSE = (
    update(_v)
    .where(
        or_(
            _v.c.event_id.in_(bindparam("events", expanding=True)),
            _v.c.other_event_id.in_(bindparam("events", expanding=True)),
        ),
        _v.c.decided_at.is_(None),
    )
    .values(decided_at=bindparam("at"), outcome=LAPSED)
)
