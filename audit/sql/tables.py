"""The tables of a log: its head, its entries with their leaf hashes, its inner nodes, its blocks, its cosignatures."""

from typing import Final

from sqlalchemy import BigInteger, Column, DateTime, Integer, LargeBinary, MetaData, String, Table

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
    Column("node", BigInteger, primary_key=True, autoincrement=False),  # `node_number`
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


def node_number(level: int, idx: int) -> int:
    """Number the nodes of a tree from left to right, as RFC 9420 appendix C does.

    One integer makes a proof's nodes one IN list that both engines answer from the key.
    """
    return (idx << (level + 1)) + (1 << level) - 1
