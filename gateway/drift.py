"""Drift alarms: what a client sends has another shape than before, and the operator sees it the same day.

Intake only notes shapes in memory (`shapes.py`). Once a minute what was noted is compared with what is known of the
client, under the operator's log: each change is sealed as `mapping-drift` and said on the process log, once a day and
thing, whichever process saw it. Each process judges by the documents it read itself. What is kept in between is the
shape: names, counts and digests, never a value.

A profile that changes reads other codes: shapes are kept by the name of the profile, for its documents stay the same.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, func, select, update

from audit.entry import timestamp
from gateway.chance import fresh_id
from gateway.evidence import OPERATOR_LOG, Event, administration
from gateway.keys import Keyring
from gateway.logs import Line, say
from gateway.shapes import Change, Kind, Shape
from gateway.store import tables
from gateway.store.batch import Batch, Unit
from gateway.store.journal import Journals
from mappings.profile import Profile
from mappings.reading import Reading

DIGEST_CHARACTERS = 16
"""Of a code's keyed digest: enough to tell a force's codes apart, and no way back to the text."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Sighting:
    """One change that was told: whose documents, read by which profile, what changed, and when it was seen."""

    client: str
    profile: str
    change: Change
    seen_at: str


class Drift:
    """Watches the shapes of what comes in. `saw` is called by every intake; `flush` by the clock."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._shapes: dict[tuple[str, str], Shape] = {}
        self._lock = threading.Lock()

    def saw(self, client: str, profile: Profile, reading: Reading) -> None:
        """Note one document that was read."""

        def digest(text: str) -> str:
            return self._keyring.blind("code", f"{client}|{text}").hex()[:DIGEST_CHARACTERS]

        with self._lock:
            shape = self._shapes.get((client, profile.name))
            if shape is None:
                shape = self._shapes[client, profile.name] = Shape()
            shape.saw(reading, digest)

    def flush(self, journals: Journals) -> list[Sighting]:
        """Compare what was noted since the last time with what is known; seal and say what has changed.

        Raises NotSealed or Busy; what was noted is then compared the next time.
        """
        told: list[Sighting] = []
        with self._lock:
            waiting = list(self._shapes.items())
            self._shapes = {}
        while waiting:
            (client, profile), shape = waiting.pop()
            try:
                unit = Compare(client, profile, shape.to_json())
                told += journals.of(OPERATOR_LOG).submit_and_wait(unit).value
            except BaseException:
                self._put_back([((client, profile), shape), *waiting])
                raise
        for one in told:
            say(
                Line.MAPPING_DRIFT,
                client=one.client,
                profile=one.profile,
                kind=one.change.kind.value,
                path=one.change.path,
            )
        return told

    def _put_back(self, shapes: list[tuple[tuple[str, str], Shape]]) -> None:
        """Go on from what could not be compared; what was noted meanwhile came after it."""
        with self._lock:
            for key, shape in shapes:
                if key in self._shapes:
                    self._shapes[key].joined(shape)
                else:
                    self._shapes[key] = shape


@dataclass(frozen=True, slots=True)
class Compare(Unit[list[Sighting]]):
    """Joins what was noted to what is known of a client's documents, and seals what has changed (operator's log)."""

    client: str
    profile: str
    noted: Mapping[str, Any]

    def apply(self, batch: Batch) -> list[Sighting]:
        """Keep the joined shape and seal `mapping-drift` for each change that was not told today."""
        of = {"client": self.client, "profile": self.profile}
        rows = batch.read(_SHAPE, of)
        told = {tuple(row) for row in batch.read(_TOLD, {**of, "since": timestamp(batch.now - _DAY)})}
        shape = Shape.from_json(self.noted)
        known = Shape.from_json(orjson.loads(rows[0].shape)) if rows else Shape()
        before = Shape.from_json(orjson.loads(rows[0].shape)) if rows else Shape()
        shape.joined(known)
        found = [one for one in shape.changes(before) if (one.kind.value, one.path[:_PATH_MAX], one.code) not in told]
        row = {**of, "shape": orjson.dumps(shape.to_json()).decode(), "changed_at": batch.at}
        if rows:
            batch.update(_KEEP, {"of_client": self.client, "of_profile": self.profile, **_kept(row)})
        else:
            batch.insert(tables.mapping_shape, row)
        return [self._told(batch, one) for one in found]

    def _told(self, batch: Batch, change: Change) -> Sighting:
        path = change.path[:_PATH_MAX]
        batch.insert(
            tables.mapping_drift,
            {
                "id": fresh_id(),
                "client": self.client,
                "profile": self.profile,
                "kind": change.kind.value,
                "path": path,
                "code": change.code,
                "seen_at": batch.at,
            },
        )
        detail = {"client": self.client, "profile": self.profile, "path": path}
        if change.code:
            detail["code"] = change.code
        batch.seal(administration(Event.MAPPING_DRIFT, at=batch.at, reason=change.kind.value, detail=detail))
        return Sighting(self.client, self.profile, Change(change.kind, path, change.code), batch.at)


def sightings(connection: Connection, since: datetime) -> Sequence[Sighting]:
    """Every change told since a time, the newest first."""
    table = tables.mapping_drift
    query = select(table).where(table.c.seen_at >= timestamp(since))
    rows = connection.execute(query.order_by(table.c.seen_at.desc(), table.c.client, table.c.path)).all()
    return [Sighting(row.client, row.profile, Change(Kind(row.kind), row.path, row.code), row.seen_at) for row in rows]


def counts(connection: Connection, now: datetime) -> Mapping[Kind, int]:
    """How many changes were told in the last day, by kind."""
    table = tables.mapping_drift
    query = select(table.c.kind, func.count()).where(table.c.seen_at >= timestamp(now - _DAY)).group_by(table.c.kind)
    found = Counter({Kind(kind): count for kind, count in connection.execute(query)})
    return {kind: found[kind] for kind in Kind}


_PATH_MAX = 200

_SHAPE = select(tables.mapping_shape.c.shape).where(
    tables.mapping_shape.c.client == bindparam("client"), tables.mapping_shape.c.profile == bindparam("profile")
)
_TOLD = select(tables.mapping_drift.c.kind, tables.mapping_drift.c.path, tables.mapping_drift.c.code).where(
    tables.mapping_drift.c.client == bindparam("client"),
    tables.mapping_drift.c.profile == bindparam("profile"),
    tables.mapping_drift.c.seen_at >= bindparam("since"),
)
_KEEP = (
    update(tables.mapping_shape)
    .where(
        tables.mapping_shape.c.client == bindparam("of_client"),
        tables.mapping_shape.c.profile == bindparam("of_profile"),
    )
    .values(shape=bindparam("to_shape"), changed_at=bindparam("to_changed_at"))
)


def _kept(row: Mapping[str, str]) -> dict[str, str]:
    return {"to_shape": row["shape"], "to_changed_at": row["changed_at"]}
