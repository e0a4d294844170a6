"""What a force sends as a whole: batches row by row, and the shape of its documents as it was seen.

Codes, numbers and names of the format; nothing of what a document says.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text

from gateway.store.tables.declared import metadata

batch = Table(
    "batch",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("log_id", String(64), nullable=False),
    Column("organisation", String(32), nullable=False),
    Column("client", String(64), nullable=False),
    Column("media_type", String(128), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(64)),
    Column("began_at", String(24), nullable=False),
    Column("ended_at", String(24)),
    Index("batch_feed", "log_id", "organisation", "began_at", "id"),
    Index("batch_open", "log_id", "state", "began_at"),
)

batch_row = Table(
    "batch_row",
    metadata,
    Column("batch_id", String(36), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("line", Integer),
    Column("state", String(16), nullable=False),
    Column("incident", String(36)),
    Column("hold", String(36)),
    Column("problems", Text, nullable=False),
    Column("at", String(24), nullable=False),
)

mapping_shape = Table(
    "mapping_shape",
    metadata,
    Column("client", String(64), primary_key=True),
    Column("profile", String(64), primary_key=True),
    Column("shape", Text, nullable=False),
    Column("changed_at", String(24), nullable=False),
)

mapping_drift = Table(
    "mapping_drift",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("client", String(64), nullable=False),
    Column("profile", String(64), nullable=False),
    Column("kind", String(24), nullable=False),
    Column("path", String(200), nullable=False),
    Column("code", String(32), nullable=False),
    Column("seen_at", String(24), nullable=False),
    Index("mapping_drift_seen", "seen_at"),
    Index("mapping_drift_of", "client", "profile", "seen_at"),
)
