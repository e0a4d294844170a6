"""What waits for a human, or was decided by one: quarantine, overrides, emergencies, contacts at the scene.

Words of a ground or a reason lie encrypted in `content`; codes, clocks and who decided lie open.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table

from gateway.store.tables.declared import metadata

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("log_id", String(64), nullable=False),
    Column("organisation", String(32), nullable=False),
    Column("client", String(64), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("media_type", String(128), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("risk", String(16), nullable=False),
    Column("owner", String(200), nullable=False),
    Column("opened_at", String(24), nullable=False),
    Column("due_at", String(24), nullable=False),
    Column("overdue_at", String(24)),
    Column("closed_at", String(24)),
    Column("erased_at", String(24)),
    Index("quarantine_due", "closed_at", "due_at"),
    Index("quarantine_kept", "log_id", "erased_at", "opened_at"),
)

consent_override = Table(
    "consent_override",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("log_id", String(64), nullable=False),
    Column("quarantine_id", String(36)),
    Column("event_id", String(36)),
    Column("referral_id", String(36)),
    Column("ground", String(32), nullable=False),
    Column("decided_by", String(128), nullable=False),
    Column("role", String(64), nullable=False),
    Column("organisation", String(32), nullable=False),
    Column("told", String(16), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("created_at", String(24), nullable=False),
    Column("expires_at", String(24), nullable=False),
    Column("ended_at", String(24)),
    Column("review_due", String(24), nullable=False),
    Column("overdue_at", String(24)),
    Column("reviewed_at", String(24)),
    Column("reviewed_by", String(128)),
    Column("review", String(32)),
    Index("consent_override_end", "log_id", "ended_at", "expires_at"),
    Index("consent_override_review", "log_id", "reviewed_at", "review_due"),
)

break_glass = Table(
    "break_glass",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("log_id", String(64), nullable=False),
    Column("referral_id", String(36), nullable=False),
    Column("user_id", String(128), nullable=False),
    Column("role", String(64)),
    Column("organisation", String(32), nullable=False),
    Column("recipient", String(64), nullable=False),
    Column("ground", String(32), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("opened_at", String(24), nullable=False),
    Column("expires_at", String(24), nullable=False),
    Column("review_due", String(24), nullable=False),
    Column("overdue_at", String(24)),
    Column("reviewed_at", String(24)),
    Column("reviewed_by", String(128)),
    Column("review", String(32)),
    Index("break_glass_user", "log_id", "user_id", "referral_id"),
    Index("break_glass_review", "log_id", "reviewed_at", "review_due"),
)

co_response = Table(
    "co_response",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("log_id", String(64), nullable=False),
    Column("organisation", String(32), nullable=False),
    Column("team", String(64), nullable=False),
    Column("client", String(64), nullable=False),
    Column("user_id", String(128), nullable=False),
    Column("force", String(32), nullable=False),
    Column("area", String(64)),
    Column("contact", String(16), nullable=False),
    Column("at", String(24), nullable=False),
    Column("version", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("owner", String(200), nullable=False),
    Column("recorded_at", String(24), nullable=False),
    Column("detailed_at", String(24)),
    Column("due_at", String(24), nullable=False),
    Column("overdue_at", String(24)),
    Column("event_id", String(36)),
    Column("referral_id", String(36)),
    Column("closed_at", String(24)),
    Column("closed_by", String(128)),
    Column("erased_at", String(24)),
    Index("co_response_due", "log_id", "closed_at", "due_at"),
    Index("co_response_event", "event_id"),
)
