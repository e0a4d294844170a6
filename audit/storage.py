"""What the log asks of its storage, cut by what the algorithm needs. `audit.sql` is the real one.

Who may write: one writer per log. The caller owns the transaction and takes the head with `lock_head`,
which holds until commit or rollback; other logs are not held up. Atomicity: everything between
`lock_head` and the caller's commit is visible together or not at all, so a reader never sees a head
whose entries or nodes are missing. Nodes and entries are never changed once written, so a reader needs
no lock: what a committed head of size n covers is the same for ever.
"""

from datetime import datetime
from typing import Protocol, TypeVar

from audit.log import Head, Sealed
from audit.note import Signer

Connection = TypeVar("Connection", contravariant=True)  # noqa: PLC0105 - reads better in the signatures


class LogStorage(Protocol[Connection]):
    """The three verbs of a log's one writer, within a transaction of the caller's."""

    def create_log(self, conn: Connection, log_id: str, origin: str, signer: Signer, now: datetime) -> Head:
        """Write the head of an empty log. Raises `LogExists`."""
        ...

    def lock_head(self, conn: Connection, log_id: str) -> Head:
        """Return the head and hold it until the transaction ends. Raises `LogUnknown`."""
        ...

    def append(self, conn: Connection, log_id: str, sealed: Sealed, now: datetime) -> None:
        """Write a batch grown from the locked head. Raises `HeadMoved` if the head is another by now."""
        ...
