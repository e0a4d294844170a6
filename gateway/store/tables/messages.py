"""What comes over MLLP: the certificates that speak for a client, each message, and what one proposes to change.

Messages and proposals lie encrypted; types, answers and clocks lie open. A message's name (its sender and control id)
is a claim.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table

from gateway.store.tables.declared import metadata

client_certificate = Table(
    "client_certificate",
    metadata,
    Column("fingerprint", String(64), primary_key=True),
    Column("client", String(64), nullable=False),
    Column("added_at", String(24), nullable=False),
    Column("removed_at", String(24)),
    Column("not_after", String(24)),
    Index("client_certificate_client", "client", "removed_at"),
)

hl7_message = Table(
    "hl7_message",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("log_id", String(64), nullable=False),
    Column("client", String(64), nullable=False),
    Column("type", String(16), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("content", LargeBinary),
    Column("content_key", LargeBinary),  # here, as one more table for each message is a tenth of its cost
    Column("ack", String(2), nullable=False),
    Column("became", String(32), nullable=False),
    Column("about", String(36)),
    Column("received_at", String(24), nullable=False),
    Column("erased_at", String(24)),
    Index("hl7_message_kept", "log_id", "erased_at", "became", "received_at"),
)

demographic_change = Table(
    "demographic_change",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("log_id", String(64), nullable=False),
    Column("referral_id", String(36), nullable=False),
    Column("event_id", String(36), nullable=False),
    Column("organisation", String(32), nullable=False),
    Column("team", String(64), nullable=False),
    Column("message_id", String(36), nullable=False),
    Column("fields", String(200), nullable=False),
    Column("suppressed", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("opened_at", String(24), nullable=False),
    Column("said_at", String(24)),
    Column("decided_at", String(24)),
    Column("decided_by", String(128)),
    Column("decision", String(16)),
    Column("erased_at", String(24)),
    Index("demographic_change_referral", "referral_id", "opened_at"),
    Index("demographic_change_event", "event_id"),
)
