"""Proofs and roots of a log, from the nodes that are stored."""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, bindparam, select

from audit import proof
from audit.errors import IndexUnknown, StorageFault
from audit.receipt import Receipt
from audit.sql.entries import entry
from audit.sql.head import read_head
from audit.sql.tables import log_entry, log_node, node_number
from audit.tree import NodeId, perfect_subtrees, root


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


class SqlNodes:
    """Reads one log's nodes: a `NodeReader`. At most two queries, one for leaves and one for inner nodes."""

    def __init__(self, conn: Connection, log_id: str) -> None:
        self._conn = conn
        self._log_id = log_id

    def nodes(self, ids: Sequence[NodeId]) -> Mapping[NodeId, bytes]:
        """Return the hashes stored for these nodes."""
        bottom = {node.idx: node for node in ids if node.level == 0}
        inner = {node_number(*node): node for node in ids if node.level > 0}
        found: dict[NodeId, bytes] = {}
        for wanted, statement in ((bottom, _LEAF_HASHES), (inner, _INNER_HASHES)):
            if wanted:
                rows = self._conn.execute(statement, {"log": self._log_id, "ids": list(wanted)})
                found.update((wanted[number], top) for number, top in rows)
        return found


_LEAF_HASHES: Final = select(log_entry.c.idx, log_entry.c.leaf_hash).where(
    log_entry.c.log_id == bindparam("log"), log_entry.c.idx.in_(bindparam("ids", expanding=True))
)
_INNER_HASHES: Final = select(log_node.c.node, log_node.c.hash).where(
    log_node.c.log_id == bindparam("log"), log_node.c.node.in_(bindparam("ids", expanding=True))
)
