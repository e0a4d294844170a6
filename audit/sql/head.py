"""The head of a log: made once, held by its one writer, and moved by each batch of entries.

`audit.storage` says who may write and what is atomic.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from audit.bulk import insert_rows
from audit.encoding import HASH_BYTES
from audit.errors import HeadMoved, LogExists, LogUnknown, NoteMalformed, StorageFault
from audit.facets import BLOCK, bitmaps, pack_bits
from audit.log import Head, Sealed, empty_head
from audit.note import Signer
from audit.sql.entries import SOME_ENTRIES
from audit.sql.tables import log_block, log_entry, log_head, log_node, node_number


def create_log(conn: Connection, log_id: str, origin: str, signer: Signer, now: datetime) -> Head:
    """Write the head of an empty log; its origin is the signer's name. Raises `LogExists`."""
    if origin != signer.name:
        raise NoteMalformed("a log's origin is its key's name")
    head = empty_head(origin, signer)
    row = {
        "log_id": log_id,
        "origin": origin,
        "size": 0,
        "range": b"",
        "checkpoint": head.checkpoint,
        "terms_epoch": 0,
        "updated_at": now,
    }
    try:
        conn.execute(insert(log_head), row)
    except IntegrityError:
        raise LogExists("the log, or another of its origin, has been created before") from None
    return head


def lock_head(conn: Connection, log_id: str) -> Head:
    """Return the head and hold it until the transaction ends. Raises `LogUnknown`.

    PostgreSQL locks the row. SQLite has no row locks: there the caller has begun with BEGIN IMMEDIATE.
    """
    return _head(conn.execute(_LOCK_HEAD, {"log": log_id}).one_or_none())


def read_head(conn: Connection, log_id: str) -> Head:
    """Return the last committed head without holding it. Raises `LogUnknown`."""
    return _head(conn.execute(_READ_HEAD, {"log": log_id}).one_or_none())


def bump_terms(conn: Connection, log_id: str) -> None:
    """Count the log's terms epoch one up: the standing of its agreement has changed. Raises `LogUnknown`."""
    statement = update(log_head).where(log_head.c.log_id == log_id).values(terms_epoch=log_head.c.terms_epoch + 1)
    if conn.execute(statement).rowcount != 1:
        raise LogUnknown("no log has this id")


def append(conn: Connection, log_id: str, sealed: Sealed, now: datetime) -> None:
    """Write a batch grown from the locked head: head, entries, nodes; one statement per table.

    Where it fills a block, what the block's entries are found by is written too, which takes a few milliseconds.
    Raises `HeadMoved` if the stored head is not the one the batch grew from.
    """
    moved = conn.execute(
        _MOVE_HEAD,
        {
            "log": log_id,
            "before": sealed.base.checkpoint,
            "size": sealed.head.size,
            "range": b"".join(sealed.head.range),
            "checkpoint": sealed.head.checkpoint,
            "updated_at": now,
        },
    )
    if moved.rowcount != 1:
        raise HeadMoved("the head is not the one this batch grew from")
    entries = []
    for index, body, leaf in sealed.leaves:
        said = orjson.loads(body)
        actor = said["actor"]
        record, case, user = said["record"], said["case"], actor["user"]
        entries.append(
            (
                *(log_id, index, said["id"], said["time"], said["operation"], said["outcome"]),
                *(said["event"], actor["organisation"], actor["client"], user, record, case, body, leaf),
            )
        )
    insert_rows(conn, log_entry, entries)
    insert_rows(conn, log_node, [(log_id, node_number(level, idx), top) for level, idx, top in sealed.nodes])
    for block in range(sealed.base.size // BLOCK, sealed.head.size // BLOCK):
        index_block(conn, log_id, block)


def index_block(conn: Connection, log_id: str, block: int) -> None:
    """Write the rows by which the entries of a block that is full now are found.

    An entry that is lost or spoilt does not hold up the log: it is found by nothing, and `verify` names it.
    """
    start = block * BLOCK
    stored = conn.execute(SOME_ENTRIES, {"log": log_id, "start": start, "stop": start + BLOCK})
    found = bitmaps((index - start, body) for index, body, _ in stored)
    rows = [(log_id, facet, value, block, pack_bits(found[facet, value])) for facet, value in sorted(found)]
    insert_rows(conn, log_block, rows)


_READ_HEAD: Final = select(
    log_head.c.origin,
    log_head.c.size,
    log_head.c.range,
    log_head.c.checkpoint,
    log_head.c.terms_epoch,
    log_head.c.updated_at,
).where(log_head.c.log_id == bindparam("log"))
_LOCK_HEAD: Final = _READ_HEAD.with_for_update()
_MOVE_HEAD: Final = (
    update(log_head)
    .where(
        log_head.c.log_id == bindparam("log"),
        log_head.c.checkpoint == bindparam("before"),
    )
    .values({name: bindparam(name) for name in ("size", "range", "checkpoint", "updated_at")})
)


def _head(row: Sequence[Any] | None) -> Head:
    if row is None:
        raise LogUnknown("no log has this id")
    origin, size, packed, checkpoint, terms_epoch, updated_at = row
    compact = tuple(packed[at : at + HASH_BYTES] for at in range(0, len(packed), HASH_BYTES))
    if len(packed) != HASH_BYTES * size.bit_count():
        raise StorageFault("the stored compact range does not fit the stored size")
    at = updated_at if updated_at.tzinfo else updated_at.replace(tzinfo=UTC)  # SQLite keeps no offset
    return Head(origin, size, compact, checkpoint, terms_epoch, at)
