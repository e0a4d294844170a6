"""What is done in a case, by when something must be done, and who is on call.

`case_event` only ever grows: one row for each act, its codes open and without personal data, its words encrypted under
a key of its own (`data_key`), which goes when the record goes. `case_timer` holds the clocks: `next_at` is when one has
something to do next, and is empty once it has nothing more.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

from gateway.store.tables.declared import metadata

case_event = Table(
    "case_event",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("log_id", String(64), nullable=False),
    Column("referral_id", String(36), nullable=False),
    Column("seq", BigInteger, nullable=False),  # the index of the entry that seals it
    Column("number", Integer, nullable=False),  # its place among those of the same entry, from 0
    Column("kind", String(32), nullable=False),
    Column("happened_at", String(24), nullable=False),
    Column("recorded_at", String(24), nullable=False),
    Column("by", String(128), nullable=False),
    Column("role", String(64)),
    Column("codes", Text, nullable=False),
    Column("content", LargeBinary),
    Index("case_event_referral", "referral_id", "seq", "number"),
    Index("case_event_kind", "log_id", "kind", "happened_at"),
)

case_timer = Table(
    "case_timer",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("log_id", String(64), nullable=False),
    Column("referral_id", String(36), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("organisation", String(32), nullable=False),
    Column("team", String(64), nullable=False),
    Column("started_at", String(24), nullable=False),
    Column("remind_at", String(24)),
    Column("escalate_at", String(24)),
    Column("due_at", String(24), nullable=False),
    Column("next_at", String(24)),
    Column("reminded_at", String(24)),
    Column("escalated_at", String(24)),
    Column("fired_at", String(24)),
    Column("stopped_at", String(24)),
    Index("case_timer_next", "log_id", "next_at"),
    Index("case_timer_team", "log_id", "organisation", "team", "stopped_at", "due_at"),
    Index("case_timer_referral", "referral_id", "stopped_at", "due_at"),
)

on_call = Table(
    "on_call",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("log_id", String(64), nullable=False),
    Column("organisation", String(32), nullable=False),
    Column("team", String(64), nullable=False),
    Column("person", String(128), nullable=False),
    Column("starts_at", String(24), nullable=False),
    Column("ends_at", String(24), nullable=False),
    Column("set_by", String(128), nullable=False),
    Column("set_at", String(24), nullable=False),
    Column("removed_at", String(24)),
    Index("on_call_team", "log_id", "organisation", "team", "ends_at"),
)
