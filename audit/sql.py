"""The log in a relational database, by SQLAlchemy Core, on SQLite and PostgreSQL alike.

Every function works in the caller's transaction and commits nothing; `audit.storage` says who may write
and what is atomic. Nothing is cached, so a reader sees what any process has committed. Searching is in
`audit.search`. Leaf hashes stand with their entries; `log_node` holds the inner nodes only.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from audit import proof
from audit.bulk import insert_rows
from audit.encoding import HASH_BYTES
from audit.entry import Entry
from audit.errors import HeadMoved, IndexUnknown, LogExists, LogUnknown, NoteMalformed, StorageFault
from audit.facets import BLOCK, bitmaps, pack_bits
from audit.log import Head, Sealed, empty_head
from audit.note import Signer
from audit.receipt import Receipt
from audit.tree import NodeId, perfect_subtrees, root

metadata: Final = MetaData()

log_head: Final = Table(
    "log_head",
    metadata,
    Column("log_id", String, primary_key=True),
    Column("origin", String, nullable=False, unique=True),
    Column("size", BigInteger, nullable=False),
    Column("range", LargeBinary, nullable=False),
    Column("checkpoint", String, nullable=False),
    Column("terms_epoch", Integer, nullable=False, default=0, server_default="0"),
    Column("updated_at", DateTime(timezone=True), nullable=False),
)

log_entry: Final = Table(
    "log_entry",
    metadata,
    Column("log_id", String, primary_key=True),
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("id", String, nullable=False),
    Column("time", String, nullable=False),  # RFC 3339 of one width sorts as text
    Column("operation", String, nullable=False),
    Column("outcome", String, nullable=False),
    Column("event", String, nullable=False),
    Column("organisation", String, nullable=False),
    Column("client", String, nullable=False),
    Column("user_id", String),
    Column("record", String),
    Column("case_ref", String),
    Column("body", LargeBinary, nullable=False),
    Column("leaf_hash", LargeBinary, nullable=False),
)

log_node: Final = Table(
    "log_node",
    metadata,
    Column("log_id", String, primary_key=True),
    Column("node", BigInteger, primary_key=True, autoincrement=False),  # `_number`
    Column("hash", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

log_block: Final = Table(
    "log_block",
    metadata,
    Column("log_id", String, primary_key=True),
    Column("facet", String, primary_key=True),
    Column("value", String, primary_key=True),
    Column("block", BigInteger, primary_key=True, autoincrement=False),
    Column("members", LargeBinary, nullable=False),  # `facets.pack_bits`
    sqlite_with_rowid=False,
)

log_cosignature: Final = Table(
    "log_cosignature",
    metadata,
    Column("log_id", String, primary_key=True),
    Column("key", String, primary_key=True),  # the witness's verifier key
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("time", BigInteger, nullable=False),  # seconds since 1970, as the witness says
    Column("note", String, nullable=False),  # the checkpoint with the log's signature alone
    Column("line", String, nullable=False),
)

_DAY_SECONDS: Final = 86_400
_PAGE: Final = 512  # entries held in memory while streaming, about half a megabyte


class Stored(NamedTuple):
    """An entry as it is stored: its index, its canonical bytes, and its leaf hash."""

    idx: int
    body: bytes
    leaf_hash: bytes

    def entry(self) -> Entry:
        """Return the entry itself."""
        return Entry.parse(self.body)


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
    insert_rows(conn, log_node, [(log_id, _number(level, idx), top) for level, idx, top in sealed.nodes])
    for block in range(sealed.base.size // BLOCK, sealed.head.size // BLOCK):
        index_block(conn, log_id, block)


def index_block(conn: Connection, log_id: str, block: int) -> None:
    """Write the rows by which the entries of a block that is full now are found.

    An entry that is lost or spoilt does not hold up the log: it is found by nothing, and `verify` names it.
    """
    start = block * BLOCK
    stored = conn.execute(_SOME_ENTRIES, {"log": log_id, "start": start, "stop": start + BLOCK})
    found = bitmaps((index - start, body) for index, body, _ in stored)
    rows = [(log_id, facet, value, block, pack_bits(found[facet, value])) for facet, value in sorted(found)]
    insert_rows(conn, log_block, rows)


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
        rows = conn.execute(_SOME_ENTRIES, {"log": log_id, "start": start, "stop": upto}).all()
        if len(rows) != upto - start:
            raise StorageFault("the log lacks an entry that its head covers")
        for row in rows:
            yield Stored._make(row)
        start = upto


def receipt(conn: Connection, log_id: str, index: int) -> Receipt:
    """Return the receipt of an entry under the log's last checkpoint.

    Three queries: head, entry, nodes (two where a sibling is a leaf). Raises `LogUnknown`, `IndexUnknown`.
    """
    head = read_head(conn, log_id)
    stored = entry(conn, log_id, index)
    path = inclusion(conn, log_id, index, head.size)
    return Receipt(head.origin, index, stored.leaf_hash, tuple(path), head.checkpoint)


def inclusion(conn: Connection, log_id: str, index: int, size: int) -> list[bytes]:
    """Return the inclusion path of an entry in the tree of the first `size` entries. Raises `IndexUnknown`."""
    return proof.inclusion(index, size, SqlNodes(conn, log_id))


def consistency(conn: Connection, log_id: str, first: int, second: int) -> list[bytes]:
    """Return the proof that the log at size `first` is a prefix of it at `second`. Raises `IndexUnknown`."""
    return proof.consistency(first, second, SqlNodes(conn, log_id))


def root_at(conn: Connection, log_id: str, size: int) -> bytes:
    """Return the root of the tree of the first `size` entries. Raises `IndexUnknown` where there are fewer."""
    if not 0 <= size <= read_head(conn, log_id).size:
        raise IndexUnknown("the log has not reached this size")
    ids = perfect_subtrees(0, size)
    found = SqlNodes(conn, log_id).nodes(ids)
    if len(found) != len(ids):
        raise StorageFault("the log lacks a node that its head covers")
    return root([found[one] for one in ids])


class Cosignature(NamedTuple):
    """A witness's signature on a checkpoint: its verifier key, the tree's size, and when (seconds since 1970).

    `note` is the checkpoint with the log's signature alone, `line` the witness's signature line.
    """

    key: str
    size: int
    time: int
    note: str
    line: str


def keep_cosignature(conn: Connection, log_id: str, given: Cosignature) -> bool:
    """Keep a verified cosignature; False where a later size of the same witness is kept already.

    Kept are the last one of each witness, and the last one of each day (UTC) before: one a day binds the log's past,
    and one a minute would grow for ever. Holds the log's head, so that two processes do not meet.
    """
    lock_head(conn, log_id)
    own = (log_cosignature.c.log_id == log_id) & (log_cosignature.c.key == given.key)
    if conn.execute(select(log_cosignature.c.size).where(own, log_cosignature.c.size > given.size).limit(1)).first():
        return False
    day = given.time - given.time % _DAY_SECONDS
    same_day = (log_cosignature.c.time >= day) & (log_cosignature.c.time < day + _DAY_SECONDS)
    conn.execute(delete(log_cosignature).where(own, same_day | (log_cosignature.c.size == given.size)))
    conn.execute(insert(log_cosignature), {"log_id": log_id, **given._asdict()})
    return True


def cosignatures(conn: Connection, log_id: str) -> list[Cosignature]:
    """Return every cosignature kept, by rising size and then by key."""
    return [Cosignature._make(row) for row in conn.execute(_COSIGNATURES, {"log": log_id})]


def latest_cosignatures(conn: Connection, log_id: str) -> dict[str, Cosignature]:
    """Return the last cosignature of each witness, by its verifier key."""
    return {row.key: Cosignature._make(row) for row in conn.execute(_LATEST_COSIGNATURES, {"log": log_id})}


def cosigned(conn: Connection, log_id: str) -> list[str]:
    """Return every cosigned checkpoint kept, as one note with the log's and all witnesses' lines, by rising size."""
    notes: dict[int, str] = {}
    for one in cosignatures(conn, log_id):
        notes[one.size] = notes.get(one.size, one.note) + one.line
    return list(notes.values())


class SqlNodes:
    """Reads one log's nodes: a `NodeReader`. At most two queries, one for leaves and one for inner nodes."""

    def __init__(self, conn: Connection, log_id: str) -> None:
        self._conn = conn
        self._log_id = log_id

    def nodes(self, ids: Sequence[NodeId]) -> Mapping[NodeId, bytes]:
        """Return the hashes stored for these nodes."""
        bottom = {node.idx: node for node in ids if node.level == 0}
        inner = {_number(*node): node for node in ids if node.level > 0}
        found: dict[NodeId, bytes] = {}
        for wanted, statement in ((bottom, _LEAF_HASHES), (inner, _INNER_HASHES)):
            if wanted:
                rows = self._conn.execute(statement, {"log": self._log_id, "ids": list(wanted)})
                found.update((wanted[number], top) for number, top in rows)
        return found


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
_ENTRY_COLUMNS: Final = (log_entry.c.idx, log_entry.c.body, log_entry.c.leaf_hash)
_ONE_ENTRY: Final = select(*_ENTRY_COLUMNS).where(
    log_entry.c.log_id == bindparam("log"), log_entry.c.idx == bindparam("idx")
)
_SOME_ENTRIES: Final = (
    select(*_ENTRY_COLUMNS)
    .where(
        log_entry.c.log_id == bindparam("log"),
        log_entry.c.idx >= bindparam("start"),
        log_entry.c.idx < bindparam("stop"),
    )
    .order_by(log_entry.c.idx)
)
_LEAF_HASHES: Final = select(log_entry.c.idx, log_entry.c.leaf_hash).where(
    log_entry.c.log_id == bindparam("log"), log_entry.c.idx.in_(bindparam("ids", expanding=True))
)
_COSIGNATURES: Final = (
    select(*(log_cosignature.c[name] for name in Cosignature._fields))
    .where(log_cosignature.c.log_id == bindparam("log"))
    .order_by(log_cosignature.c.size, log_cosignature.c.key)
)
_LAST: Final = (
    select(log_cosignature.c.key, func.max(log_cosignature.c.size).label("size"))
    .where(log_cosignature.c.log_id == bindparam("log"))
    .group_by(log_cosignature.c.key)
    .subquery()
)
_LATEST_COSIGNATURES: Final = _COSIGNATURES.join(
    _LAST, (log_cosignature.c.key == _LAST.c.key) & (log_cosignature.c.size == _LAST.c.size)
)
_INNER_HASHES: Final = select(log_node.c.node, log_node.c.hash).where(
    log_node.c.log_id == bindparam("log"), log_node.c.node.in_(bindparam("ids", expanding=True))
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


def _number(level: int, idx: int) -> int:
    """Number the nodes of a tree from left to right, as RFC 9420 appendix C does.

    One integer makes a proof's nodes one IN list that both engines answer from the key.
    """
    return (idx << (level + 1)) + (1 << level) - 1
