"""Reading the log is an act of its own: sealed in the log that is read, before anything of it is shown.

The functions here run in a thread and read what is committed; `Look` is the unit that seals who looked, at what, and
why. A pack is written up to the checkpoint that covers its own export.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO

from sqlalchemy import Connection

from audit import pack
from audit import sql as log_sql
from audit.entry import Operation
from gateway.evidence import Caller, Event, act
from gateway.services import Services
from gateway.store.batch import Batch, Unit
from gateway.terms import texts


@dataclass(frozen=True, slots=True)
class Look(Unit[None]):
    """Seal that somebody looked into the log. `what` names the question, by codes alone."""

    caller: Caller | None
    what: Mapping[str, str | int]
    event: Event = Event.LOG_READ
    reason: str | None = None

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        operation = Operation.CONSULTATION if self.event is Event.LOG_READ else Operation.DISCLOSURE
        batch.seal(act(self.event, operation, at=batch.at, caller=self.caller, reason=self.reason, detail=self.what))


def write_pack(services: Services, connection: Connection, log_id: str, out: IO[bytes]) -> int:
    """Write the pack of a whole log as it stands; returns the number of entries. Reads only; seal the export before."""
    head = log_sql.read_head(connection, log_id)
    known = {hash_: text for _, hash_, text in texts(connection, log_id)}
    known[services.profile.hash] = services.profile.listing
    leaves = log_sql.leaves(connection, log_id, 0, head.size)
    pack.write(out, services.signer(log_id).verifier, [head.checkpoint], leaves, known.get)
    return head.size


def logs(connection: Connection, wanted: frozenset[str]) -> list[str]:
    """The ids of the logs that are there, of those wanted."""
    rows = connection.execute(log_sql.log_head.select().with_only_columns(log_sql.log_head.c.log_id))
    return sorted(row.log_id for row in rows if row.log_id in wanted)
