"""Reading the log is an act of its own: sealed in the log that is read, before anything of it is shown.

The functions here run in a thread and read what is committed; `Look` is the unit that seals who looked, at what, and
why. A pack is written up to the checkpoint that covers its own export.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import IO

from sqlalchemy import Connection

from audit import pack
from audit import search as log_search
from audit import sql as log_sql
from audit.checkpoint import Checkpoint
from audit.entry import Operation
from audit.export import csv_header, csv_rows, ndjson_rows
from audit.note import CosignerVerifier
from audit.search import Query
from gateway.evidence import Caller, Event, act
from gateway.services import Services
from gateway.store.batch import Batch, Unit
from gateway.terms import Standing, texts

_PAGE = 512  # entries; half a megabyte that an export holds


_OPERATIONS: Mapping[Event, Operation] = {
    Event.LOG_EXPORTED: Operation.DISCLOSURE,
    Event.SUBJECTS_MATCHED: Operation.COMBINATION,  # one person's references, brought together
}


@dataclass(frozen=True, slots=True)
class Look(Unit[None]):
    """Seal that somebody looked into the log, or at what waits in it. `what` names the question, by codes and numbers.

    `caller` None is the operator at the gateway itself; `standing` is what the answer was decided on, where it was.
    """

    caller: Caller | None
    what: Mapping[str, str | int]
    event: Event = Event.LOG_READ
    reason: str | None = None
    standing: Standing | None = None

    def apply(self, batch: Batch) -> None:  # noqa: D102 - said by Unit.apply
        if self.standing is not None:
            self.standing.check(batch)
        operation = _OPERATIONS.get(self.event, Operation.CONSULTATION)
        batch.seal(act(self.event, operation, at=batch.at, caller=self.caller, reason=self.reason, detail=self.what))


class Export:
    """The pack of a log, from the checkpoint that covers its own export: seal that first.

    It is read a piece at a time and nothing is held between two pieces but a page of entries, so that whoever waits
    for a slow client keeps no connection and no thread. Pages are read apart: entries below a committed size never
    change. Every cosigned checkpoint that is kept goes with the last one. `size` is the number of entries.
    """

    def __init__(self, services: Services, connection: Connection, log_id: str) -> None:
        cosignatures = log_sql.cosignatures(connection, log_id)
        cosigned = {Checkpoint.unverified(note).size: note for note in log_sql.cosigned(connection, log_id)}
        head = log_sql.read_head(connection, log_id)  # last: nothing that was cosigned is larger
        known = {hash_: text for _, hash_, text in texts(connection, log_id)}
        known.update(services.profiles.listings)
        self.size = head.size
        self._log_id = log_id
        self._connection = connection
        notes = [note for _, note in sorted(({head.size: head.checkpoint} | cosigned).items())]
        witnesses = [CosignerVerifier.from_text(key) for key in sorted({one.key for one in cosignatures})]
        verifier = services.signer(log_id).verifier

        def written() -> Iterator[bytes]:
            return pack.pieces(verifier, notes, self._leaves(), known.get, witnesses)

        self._written = written
        self._pieces = written()

    def piece(self, connection: Connection) -> bytes:
        """The next piece, nothing at the end. A pack that ends in an exception lacks its last line, and is refuted."""
        self._connection = connection
        return next(self._pieces, b"")

    def length(self, connection: Connection) -> int:
        """The bytes of the whole pack, found by writing it once for nobody. Ask before the first piece."""
        self._connection = connection
        return sum(len(piece) for piece in self._written())

    def _leaves(self) -> Iterator[log_sql.Stored]:
        for start in range(0, self.size, _PAGE):
            yield from list(log_sql.leaves(self._connection, self._log_id, start, min(start + _PAGE, self.size)))


def write_pack(services: Services, connection: Connection, log_id: str, out: IO[bytes]) -> int:
    """Write the pack of a whole log; returns the number of entries. Reads only; seal the export before."""
    export = Export(services, connection, log_id)
    while piece := export.piece(connection):
        out.write(piece)
    return export.size


class Extract:
    """The matching entries of a log below an index, as CSV or NDJSON, a page at a time and nothing held between two."""

    def __init__(self, log_id: str, query: Query, form: Form, stop: int) -> None:
        self._log_id, self._query, self._form, self._stop = log_id, query, form, stop
        self._after = -1
        self._begun = False

    def piece(self, connection: Connection) -> bytes:
        """The next piece, nothing at the end."""
        page = log_search.entries(connection, self._log_id, self._query, self._after, _PAGE, before=self._stop)
        head = csv_header() if self._form is Form.CSV and not self._begun else b""
        self._begun = True
        self._after = page[-1].idx if page else self._after
        return head + (csv_rows(page) if self._form is Form.CSV else ndjson_rows(page))


class Form(StrEnum):
    """What an extract is written as."""

    CSV = "csv"
    NDJSON = "ndjson"


def logs(connection: Connection, wanted: frozenset[str]) -> list[str]:
    """The ids of the logs that are there, of those wanted."""
    rows = connection.execute(log_sql.log_head.select().with_only_columns(log_sql.log_head.c.log_id))
    return sorted(row.log_id for row in rows if row.log_id in wanted)
