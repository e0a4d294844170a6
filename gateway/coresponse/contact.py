"""A contact at the scene: what is kept of it in codes, and the names under which it waits for its police record.

An adviser in the car records the contact under the reference the officer gives: a log number with its day, or an
occurrence. The names are of one force, and those of a log number of one day, so that nothing meets another day's log.

Source: domain.md sections 0a (co-response), 1.3 (log numbers), 4.1 (step 2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

import orjson

from gateway.store.batch import Batch
from mappings.record import Record


class Contact(StrEnum):
    """What happened at the scene."""

    SPOKEN_TO = "spoken-to"
    SEEN = "seen"  # she was there, and nothing was said
    REFUSED = "refused"  # she did not want to speak then; what she wishes is hers to say later
    NOT_SEEN = "not-seen"


@dataclass(frozen=True, slots=True)
class Attended:
    """A contact that waits for its record, as a claim keeps it: codes and times, and nobody's name but staff's."""

    id: str
    organisation: str
    team: str
    client: str
    user: str
    role: str | None
    area: str | None
    contact: Contact
    at: datetime

    def to_json(self) -> dict[str, Any]:
        """The contact as plain JSON values."""
        plain = {name: getattr(self, name) for name in ("id", "organisation", "team", "client", "user", "role", "area")}
        return plain | {"contact": self.contact.value, "at": self.at.isoformat()}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Attended:
        """The contact again."""
        return cls(**{**plain, "contact": Contact(plain["contact"]), "at": datetime.fromisoformat(plain["at"])})


def log_key(force: str, log: str, day: date) -> str:
    """The name a log number has: unique in a force on a day of London, as records share it (`same_incident`)."""
    return f"{force}|{log.strip().casefold()}|{day.isoformat()}"


def occurrence_key(force: str, occurrence: str) -> str:
    """The name an occurrence has."""
    return f"{force}|{occurrence.strip().casefold()}"


Blind = Callable[[str, str], bytes]


def scene_key(blind: Blind, kind: str, key: str) -> bytes:
    """Where a contact waits for a record of this name; `kind` is `log-day` or `occurrence`."""
    return _waiting_at(blind(_KINDS[kind], key))


def scene_keys(
    record: Record, organisation: str, shared: Sequence[tuple[str, bytes]], blind: Blind
) -> tuple[bytes, ...]:
    """The names under which contacts may wait for a record; `shared` are those it shares with other records, blind."""
    keys = [_waiting_at(digest) for kind, digest in shared if kind == "log-day"]
    if occurrence := record.reference("occurrence"):
        keys.append(scene_key(blind, "occurrence", occurrence_key(organisation, occurrence)))
    return tuple(keys)


_KINDS = {"log-day": "log-day", "occurrence": "scene-occurrence"}


def _waiting_at(digest: bytes) -> bytes:
    """A place beside the one where records of this name are known."""
    return sha256(b"scene\0" + digest).digest()


def waiting(claimed: bytes | None) -> list[Attended]:
    """The contacts that a claim keeps."""
    return [Attended.from_json(one) for one in orjson.loads(claimed)] if claimed is not None else []


def keep(batch: Batch, key: bytes, contacts: Sequence[Attended]) -> None:
    """Have these contacts wait under a name, in place of those that did. The unit names the key in its claims."""
    value = orjson.dumps([one.to_json() for one in contacts])
    if batch.owner(key) is None:
        batch.claim(key, value)
    else:
        batch.reclaim(key, value)
