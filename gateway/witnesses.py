"""The witnesses of the logs: who they are, how far each has seen, and the alarm where one lags or disagrees.

The operator registers a witness by its verifier key (C2SP tlog-cosignature); a name is used once. A condition that is
worth an alarm is sealed in the operator's log when it begins and when it ends, whichever process sees it. What a
witness signed is verified in `witnessing`; nothing here asks anybody.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select, update

from audit import sql as log_sql
from audit.encoding import to_base64
from audit.errors import NoteMalformed
from audit.note import CosignerVerifier
from gateway.evidence import OPERATOR_LOG, Event, administration
from gateway.store import tables
from gateway.store.batch import Batch, Unit

WITNESSES_MAX = 32
"""Witnesses of one log at a time: a signed note is read with at most 64 signatures."""


class WitnessRefused(Exception):
    """A witness that cannot be added or removed. The message names the fault, never a value."""


class Witness(NamedTuple):
    """A registered witness. `key` is its verifier key; `url` is where it is asked, None where it asks by itself."""

    log_id: str
    name: str
    key: str
    url: str | None
    added_at: str


class Condition(StrEnum):
    """What an alarm can be about."""

    LAGS = "lags"
    DISAGREES = "disagrees"


class State(StrEnum):
    """Where a witness stands."""

    OK = "ok"
    LAGGING = "lagging"
    DISAGREES = "disagrees"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a witness has seen. `last` is its last cosignature, None where it never gave one.

    `lag_entries` are those it has not seen; `lag_seconds` is how long the first of them has waited for it.
    """

    witness: Witness
    last: log_sql.Cosignature | None
    lag_entries: int
    lag_seconds: int
    state: State


def witnesses(connection: Connection, log_id: str | None = None) -> list[Witness]:
    """The registered witnesses of a log, or of all logs, by log and name."""
    statement = _REGISTERED if log_id is None else _REGISTERED.where(tables.witness.c.log_id == log_id)
    return [Witness._make(row) for row in connection.execute(statement)]


def standings(connection: Connection, log_id: str, now: datetime, lag_max_seconds: int) -> list[Standing]:
    """Where each witness of a log stands. Raises LogUnknown."""
    registered = witnesses(connection, log_id)
    size = log_sql.read_head(connection, log_id).size
    latest = log_sql.latest_cosignatures(connection, log_id)
    open_alarms = alarms(connection, registered)
    found: list[Standing] = []
    for one in registered:
        last = latest.get(one.key)
        seen = last.size if last else 0
        behind = max(0, size - seen)
        waits = 0
        if behind:
            since = max(one.added_at, log_sql.entry(connection, log_id, seen).entry().time)
            waits = max(0, int((now - datetime.fromisoformat(since)).total_seconds()))
        if (one, Condition.DISAGREES) in open_alarms:
            state = State.DISAGREES
        elif waits > lag_max_seconds:
            state = State.LAGGING
        else:
            state = State.OK if last else State.NEVER
        found.append(Standing(one, last, behind, waits, state))
    return found


def alarms(connection: Connection, of: Sequence[Witness]) -> dict[tuple[Witness, Condition], datetime]:
    """The alarms that are open for these witnesses, with the time each began."""
    asked = {_claim(one, condition): (one, condition) for one in of for condition in Condition}
    rows = connection.execute(_CLAIMS, {"log": OPERATOR_LOG, "keys": list(asked)}) if asked else ()
    return {asked[key]: datetime.fromisoformat(value.decode()) for key, value in rows if value != _ENDED}


class AddWitness(Unit[None]):
    """Registers a witness (operator's log). Raises WitnessRefused, when made and when applied."""

    def __init__(self, log_id: str, name: str, key: str, url: str | None = None) -> None:
        if not _NAME.fullmatch(name):
            raise WitnessRefused("the name is not of letters, digits and . _ : - alone, at most 64")
        if url is not None and not _URL.fullmatch(url):
            raise WitnessRefused("the address is not an http or https URL without a query, of at most 256 characters")
        try:
            self._verifier = CosignerVerifier.from_text(key)
        except NoteMalformed as fault:
            raise WitnessRefused(f"the key is not a witness's verifier key: {fault}") from None
        if len(key) > _KEY_MAX:
            raise WitnessRefused("the key's name is too long")
        self._log_id, self._name, self._url = log_id, name, url.rstrip("/") if url else None

    def apply(self, batch: Batch) -> None:
        """Insert the row and seal `witness-added`."""
        rows = batch.read(_EVERY, {"log": self._log_id})
        standing = [row for row in rows if row.removed_at is None]
        if any(row.name == self._name for row in rows):
            raise WitnessRefused("there is, or was, a witness of this name: names are never used again")
        if any(row.key == self._verifier.text for row in standing):
            raise WitnessRefused("the key is registered for this log under another name")
        if any(row.key != self._verifier.text and self._verifier.same_key(row.key) for row in rows):
            raise WitnessRefused("the key is that of another witness with another name before it: one, not two")
        if len(standing) >= WITNESSES_MAX:
            raise WitnessRefused(f"a log has at most {WITNESSES_MAX} witnesses")
        row = {
            "log_id": self._log_id,
            "name": self._name,
            "key": self._verifier.text,
            "url": self._url,
            "added_at": batch.at,
            "removed_at": None,
        }
        batch.insert(tables.witness, row)
        detail = {
            "log": self._log_id,
            "witness": self._name,
            "key": to_base64(self._verifier.public.public_bytes_raw()),
            **({"url": self._url} if self._url else {}),
        }
        batch.seal(administration(Event.WITNESS_ADDED, at=batch.at, detail=detail))


@dataclass(frozen=True, slots=True)
class RemoveWitness(Unit[None]):
    """Removes a witness (operator's log): it is asked no more. What it cosigned stays. Raises WitnessRefused."""

    log_id: str
    name: str

    def apply(self, batch: Batch) -> None:
        """Mark the row and seal `witness-removed`."""
        rows = batch.read(_EVERY, {"log": self.log_id})
        if not any(row.name == self.name and row.removed_at is None for row in rows):
            raise WitnessRefused("the log has no witness of this name")
        batch.update(_REMOVE, {"log": self.log_id, "of": self.name, "at": batch.at})
        detail = {"log": self.log_id, "witness": self.name}
        batch.seal(administration(Event.WITNESS_REMOVED, at=batch.at, detail=detail))


class Alarm(Unit[bool]):
    """Seals that a condition begins or ends (operator's log), once; the value tells whether it was news."""

    def __init__(self, witness: Witness, condition: Condition, *, begins: bool, size: int | None = None) -> None:
        self._witness, self._condition, self._begins, self._size = witness, condition, begins, size
        self.claims = (_claim(witness, condition),)

    def apply(self, batch: Batch) -> bool:
        """Move the claim and seal `witness-alarm`, unless it stands so already."""
        (key,) = self.claims
        before = batch.owner(key)
        if self._begins is (before is not None and before != _ENDED):
            return False
        if before is None:
            batch.claim(key, batch.at.encode())
        else:
            batch.reclaim(key, batch.at.encode() if self._begins else _ENDED)
        detail: dict[str, str | int] = {
            "log": self._witness.log_id,
            "witness": self._witness.name,
            "alarm": "begins" if self._begins else "ends",
        }
        if self._size is not None:
            detail["size"] = self._size
        entry = administration(Event.WITNESS_ALARM, at=batch.at, reason=self._condition.value, detail=detail)
        batch.seal(entry)
        return True


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_URL = re.compile(r"(?=.{1,256}\Z)https?://[A-Za-z0-9._~:\[\]-]+(/[A-Za-z0-9._~/-]*)?")
_KEY_MAX = 256
_ENDED = b"ended"

_REGISTERED = (
    select(*(tables.witness.c[name] for name in Witness._fields))
    .where(tables.witness.c.removed_at.is_(None))
    .order_by(tables.witness.c.log_id, tables.witness.c.name)
)
_EVERY = select(tables.witness.c.name, tables.witness.c.key, tables.witness.c.removed_at).where(
    tables.witness.c.log_id == bindparam("log")
)
_REMOVE = (
    update(tables.witness)
    .where(tables.witness.c.log_id == bindparam("log"), tables.witness.c.name == bindparam("of"))
    .values(removed_at=bindparam("at"))
)
_CLAIMS = select(tables.claim.c.key, tables.claim.c.value).where(
    tables.claim.c.log_id == bindparam("log"), tables.claim.c.key.in_(bindparam("keys", expanding=True))
)


def _claim(witness: Witness, condition: Condition) -> bytes:
    return sha256(f"witness-alarm\0{witness.log_id}\0{witness.name}\0{condition}".encode()).digest()
