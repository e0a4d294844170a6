"""The cosignatures of witnesses, kept beside the log they are of."""

from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from audit.sql.head import lock_head
from audit.sql.tables import log_cosignature

_DAY_SECONDS: Final = 86_400


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
