"""What a hospital sends police, and what police ask of a hospital: notices with their feed, requests with their items.

Words lie encrypted: the record of a notice in `record`, the document it came in beside it, a request in `content`.
Codes, clocks and who decided lie open.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table

from gateway.store.tables.declared import metadata

hospital_notice = Table(
    "hospital_notice",
    metadata,
    Column("id", String(36), primary_key=True),  # the event of its records
    Column("log_id", String(64), nullable=False),
    Column("organisation", String(32), nullable=False),
    Column("client", String(64), nullable=False),
    Column("record_id", String(36), nullable=False),
    Column("victim", String(36), nullable=False),
    Column("version", Integer, nullable=False),
    Column("area", String(64)),
    Column("grade", String(16)),
    Column("state", String(16), nullable=False),
    Column("reason", String(64)),
    Column("owner", String(200)),
    Column("consent", String(24)),
    Column("override_id", String(36)),
    Column("mapping", String(64)),
    Column("sent_at", String(24)),
    Column("received_at", String(24), nullable=False),
    Column("updated_at", String(24), nullable=False),
    Column("due_at", String(24), nullable=False),
    Column("overdue_at", String(24)),
    Column("decided_at", String(24)),
    Index("hospital_notice_due", "log_id", "decided_at", "due_at"),
)

hospital_document = Table(
    "hospital_document",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("log_id", String(64), nullable=False),
    Column("event_id", String(36), nullable=False),
    Column("record_id", String(36), nullable=False),
    Column("media_type", String(128), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("received_at", String(24), nullable=False),
    Index("hospital_document_event", "event_id"),
)

hospital_feed = Table(
    "hospital_feed",
    metadata,
    Column("log_id", String(64), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("force", String(32), nullable=False),
    Column("recipient", String(64), nullable=False),
    Column("notice_id", String(36), nullable=False),
    Column("version", Integer, nullable=False),
    Column("withdrawn", Boolean, nullable=False),  # what was read of it may not be read any more
    Column("created_at", String(24), nullable=False),
    Column("acknowledged_at", String(24)),
    Column("acknowledged_by", String(128)),
    Index("hospital_feed_force", "log_id", "force", "seq"),
    Index("hospital_feed_notice", "notice_id"),
)

information_request = Table(
    "information_request",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("log_id", String(64), nullable=False),
    Column("force", String(32), nullable=False),
    Column("client", String(64), nullable=False),
    Column("user_id", String(128), nullable=False),
    Column("role", String(64)),
    Column("organisation", String(32), nullable=False),
    Column("team", String(64), nullable=False),
    Column("referral_id", String(36), nullable=False),
    Column("event_id", String(36), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("owner", String(200), nullable=False),
    Column("created_at", String(24), nullable=False),
    Column("due_at", String(24), nullable=False),
    Column("overdue_at", String(24)),
    Column("answered_at", String(24)),
    Index("information_request_due", "log_id", "answered_at", "due_at"),
    Index("information_request_event", "event_id"),
)

information_item = Table(
    "information_item",
    metadata,
    Column("request_id", String(36), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("log_id", String(64), nullable=False),
    Column("item", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(32)),
    Column("view", String(24)),
    Column("record_id", String(36)),
    Column("seq", BigInteger),
    Column("expires_at", String(24)),
    Column("answered_by", String(128)),
    Column("answered_at", String(24)),
    Column("acknowledged_at", String(24)),
    Index("information_item_feed", "log_id", "seq"),
)
