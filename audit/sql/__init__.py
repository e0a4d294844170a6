"""The log in a relational database, by SQLAlchemy Core, on SQLite and PostgreSQL alike.

    tables      what is stored
    head        the head is made, held and moved; a batch is written
    entries     entries are read
    proofs      proofs are built from the stored nodes
    witnessed   cosignatures are kept

Every function works in the caller's transaction and commits nothing; `audit.storage` says who may write
and what is atomic. Nothing is cached, so a reader sees what any process has committed. Searching is in
`audit.search`. Leaf hashes stand with their entries; `log_node` holds the inner nodes only.
"""

from audit.sql.entries import Stored, entry, leaves
from audit.sql.head import append, bump_terms, create_log, index_block, lock_head, read_head
from audit.sql.proofs import SqlNodes, consistency, inclusion, receipt, root_at
from audit.sql.tables import log_block, log_cosignature, log_entry, log_head, log_node, metadata
from audit.sql.witnessed import (
    Cosignature,
    cosignatures,
    cosigned,
    keep_cosignature,
    latest_cosignatures,
)

__all__ = [
    "Cosignature",
    "SqlNodes",
    "Stored",
    "append",
    "bump_terms",
    "consistency",
    "cosignatures",
    "cosigned",
    "create_log",
    "entry",
    "inclusion",
    "index_block",
    "keep_cosignature",
    "latest_cosignatures",
    "leaves",
    "lock_head",
    "log_block",
    "log_cosignature",
    "log_entry",
    "log_head",
    "log_node",
    "metadata",
    "read_head",
    "receipt",
    "root_at",
]
