"""The entries of a log as they are stored, one or in order, in bounded memory."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, select

from audit.entry import Entry
from audit.errors import IndexUnknown, StorageFault
from audit.sql.tables import log_entry

_PAGE: Final = 512  # entries held in memory while streaming, about half a megabyte


class Stored(NamedTuple):
    """An entry as it is stored: its index, its canonical bytes, and its leaf hash."""

    idx: int
    body: bytes
    leaf_hash: bytes

    def entry(self) -> Entry:
        """Return the entry itself."""
        return Entry.parse(self.body)


def entry(conn: Connection, log_id: str, index: int) -> Stored:
    """Return one entry. Raises `IndexUnknown`."""
    row = conn.execute(_ONE_ENTRY, {"log": log_id, "idx": index}).one_or_none()
    if row is None:
        raise IndexUnknown("the log has no entry at this index")
    return Stored._make(row)


def leaves(conn: Connection, log_id: str, start: int, stop: int) -> Iterator[Stored]:
    """Yield the entries [start, stop) in order, reading a page at a time: memory stays bounded.

    Raises `StorageFault` where one is missing.
    """
    while start < stop:
        upto = min(start + _PAGE, stop)
        rows = conn.execute(SOME_ENTRIES, {"log": log_id, "start": start, "stop": upto}).all()
        if len(rows) != upto - start:
            raise StorageFault("the log lacks an entry that its head covers")
        for row in rows:
            yield Stored._make(row)
        start = upto


_ENTRY_COLUMNS: Final = (log_entry.c.idx, log_entry.c.body, log_entry.c.leaf_hash)
_ONE_ENTRY: Final = select(*_ENTRY_COLUMNS).where(
    log_entry.c.log_id == bindparam("log"), log_entry.c.idx == bindparam("idx")
)
SOME_ENTRIES: Final = (
    select(*_ENTRY_COLUMNS)
    .where(
        log_entry.c.log_id == bindparam("log"),
        log_entry.c.idx >= bindparam("start"),
        log_entry.c.idx < bindparam("stop"),
    )
    .order_by(log_entry.c.idx)
)
