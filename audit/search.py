"""Searching a log (auditors, accounting of disclosures), over the tables of `audit.sql`.

Pages run forward by index, which is the order of sealing: the newest entry is last, and a page's last
index is the cursor of the next. Nothing is cached; reading the log is itself an act that the caller seals.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Select, select

from audit.entry import Operation, Outcome
from audit.sql import Stored, log_entry, log_facet

_PAGE: Final = 512  # entries held in memory while streaming


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for; every field given must hold. Times are `timestamp` texts: from, and before `time_to`."""

    time_from: str | None = None
    time_to: str | None = None
    organisation: str | None = None
    client: str | None = None
    user: str | None = None
    subject: str | None = None
    record: str | None = None
    case: str | None = None
    clause: str | None = None
    operation: Operation | None = None
    outcome: Outcome | None = None
    event: str | None = None


def entries(conn: Connection, log_id: str, query: Query, after: int = -1, limit: int = 100) -> list[Stored]:
    """Return up to `limit` matching entries whose index is above `after`, by index."""
    statement = _matching(log_id, query).where(log_entry.c.idx > after).limit(limit)
    return [Stored._make(row) for row in conn.execute(statement)]


def disclosures_about(conn: Connection, log_id: str, subject: str) -> Iterator[Stored]:
    """Yield every disclosure about a subject that was permitted, by index: the accounting of disclosures."""
    query = Query(subject=subject, operation=Operation.DISCLOSURE, outcome=Outcome.PERMITTED)
    after = -1
    while page := entries(conn, log_id, query, after, _PAGE):
        yield from page
        after = page[-1].idx


def _matching(log_id: str, query: Query) -> Select[int, bytes, bytes]:
    statement = (
        select(log_entry.c.idx, log_entry.c.body, log_entry.c.leaf_hash)
        .where(log_entry.c.log_id == log_id)
        .order_by(log_entry.c.idx)
    )
    if query.time_from is not None:
        statement = statement.where(log_entry.c.time >= query.time_from)
    if query.time_to is not None:
        statement = statement.where(log_entry.c.time < query.time_to)
    for column, wanted in (
        (log_entry.c.organisation, query.organisation),
        (log_entry.c.client, query.client),
        (log_entry.c.operation, query.operation),
        (log_entry.c.outcome, query.outcome),
        (log_entry.c.event, query.event),
    ):
        if wanted is not None:
            statement = statement.where(column == str(wanted))
    for facet, wanted in (
        ("subject", query.subject),
        ("record", query.record),
        ("case", query.case),
        ("user", query.user),
        ("clause", query.clause),
    ):
        if wanted is not None:
            hits = select(log_facet.c.idx).where(
                log_facet.c.log_id == log_id, log_facet.c.facet == facet, log_facet.c.value == wanted
            )
            statement = statement.where(log_entry.c.idx.in_(hits))
    return statement
