"""Who may be one person: encrypted traits, the blind names they are found by, links, and what a human must decide."""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, String, Table, Text

from gateway.store.tables.declared import metadata

match_event = Table(
    "match_event",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("log_id", String(64), nullable=False),
    Column("event_id", String(36), nullable=False),
    Column("record_id", String(36), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("matched_at", String(24)),
    Index("match_event_of", "event_id"),
    Index("match_event_waiting", "log_id", "matched_at"),
)

match_key = Table(
    "match_key",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("match_id", String(36), primary_key=True),
    Index("match_key_of", "match_id"),
    sqlite_with_rowid=False,  # the key is the row: half the size, one look instead of two
)

person_link = Table(
    "person_link",
    metadata,
    Column("log_id", String(64), primary_key=True),
    Column("event_id", String(36), primary_key=True),
    Column("person", String(36), primary_key=True),
    Column("other_event_id", String(36), primary_key=True),
    Column("other_person", String(36), primary_key=True),
    Column("basis", String(16), nullable=False),
    Column("created_at", String(24), nullable=False),
)

match_review = Table(
    "match_review",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("log_id", String(64), nullable=False),
    Column("event_id", String(36), nullable=False),
    Column("person", String(36), nullable=False),
    Column("other_event_id", String(36), nullable=False),
    Column("other_person", String(36), nullable=False),
    Column("levels", Text, nullable=False),
    Column("opened_at", String(24), nullable=False),
    Column("due_at", String(24)),  # none where it was plain, and nobody is asked
    Column("overdue_at", String(24)),
    Column("decided_at", String(24)),
    Column("decided_by", String(128)),
    Column("outcome", String(16)),
    Index("match_review_open", "log_id", "decided_at", "due_at"),
    Index("match_review_of", "event_id"),
    Index("match_review_of_other", "other_event_id"),
)
