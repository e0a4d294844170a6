"""Whose NHS number is looked for at the national demographics service, and what became of it.

What PDS said lies encrypted in `content` under a key of its own beside it; erasing empties both. Everything else is
references, codes and clocks. One row for each victim of an event, whoever she was referred to, and beside it
one for each of her children.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, text

from gateway.store.tables.declared import metadata

trace = Table(
    "trace",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("log_id", String(64), nullable=False),
    Column("event_id", String(36), nullable=False),
    Column("victim", String(36), nullable=False),
    Column("child", String(36), nullable=False, server_default=text("''")),  # empty where she is looked for
    Column("referral_id", String(36), nullable=False),  # the one it is asked for: the oldest to an NHS team
    Column("organisation", String(32), nullable=False),
    Column("record_id", String(36), nullable=False),
    Column("record_at", String(24), nullable=False),  # when that version came in
    Column("asked", LargeBinary),  # keyed, of what would be asked: an update that changes none of it asks nothing
    Column("state", String(16), nullable=False),
    Column("status", String(2), nullable=False),  # of the NHS number: England's verification status
    Column("label", String(1)),  # R or V: a restricted patient
    Column("epoch", BigInteger),  # of the agreement that refused it
    Column("attempts", Integer, nullable=False),
    Column("next_at", String(24)),
    Column("leased_until", String(24)),
    Column("reason", String(64)),
    Column("content", LargeBinary),
    Column("content_key", LargeBinary),
    Column("opened_at", String(24), nullable=False),
    Column("due_at", String(24)),
    Column("overdue_at", String(24)),
    Column("decided_at", String(24)),
    Column("decided_by", String(128)),
    Index("trace_event", "log_id", "event_id", "victim", "child", unique=True),
    Index("trace_record", "record_id"),
    Index("trace_due", "log_id", "state", "next_at"),
    Index("trace_open", "log_id", "decided_at", "due_at"),
)
