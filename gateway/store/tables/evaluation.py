"""What was counted for the evaluation: each edition as it is given, small numbers hidden, so that it stays so."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table, Text, UniqueConstraint

from gateway.store.tables.declared import metadata

evaluation_edition = Table(
    "evaluation_edition",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("log_id", String(64), nullable=False),
    Column("edition", String(32), nullable=False),
    Column("agreement_hash", String(64), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("counted_at", String(24), nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("log_id", "edition", "agreement_hash", "revision", name="evaluation_edition_revision"),
)
