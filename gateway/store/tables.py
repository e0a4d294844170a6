"""The tables beside the log's own (`audit.sql`): what the gateway keeps, and for how long it must be able to find it.

Content lies encrypted under a data key of its own in `data_key`; deleting that row erases the content while the log
still verifies. What must be searched is either not personal (area, grade, state) or a keyed blind index.
Times are UTC text (RFC 3339, milliseconds), the same on both engines, so that they sort and compare as written.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

metadata = MetaData()

record = Table(
    "record",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("log_id", String(64), nullable=False),
    Column("event_id", String(36), nullable=False),
    Column("organisation", String(32), nullable=False),
    Column("version", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("vault", LargeBinary),
    Column("payload", String(64), nullable=False),
    Column("mapping", String(64)),
    Column("received_at", String(24), nullable=False),
    Column("erased_at", String(24)),
    Index("record_event", "event_id", "version"),
    Index("record_kept", "log_id", "erased_at", "received_at"),
)

data_key = Table(
    "data_key",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("content_key", LargeBinary, nullable=False),
    Column("vault_key", LargeBinary),
)

blind_index = Table(
    "blind_index",
    metadata,
    Column("log_id", String(64), primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    Column("record_id", String(36), primary_key=True),
    Column("subject", String(64), primary_key=True),
)

referral = Table(
    "referral",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("log_id", String(64), nullable=False),
    Column("record_id", String(36), nullable=False),
    Column("event_id", String(36), nullable=False),
    Column("victim", String(36), nullable=False),
    Column("force", String(32), nullable=False),
    Column("organisation", String(32), nullable=False),
    Column("team", String(64), nullable=False),
    Column("area", String(64)),
    Column("grade", String(16)),
    Column("priority", String(16), nullable=False),
    Column("status", String(24), nullable=False),
    Column("state", String(32), nullable=False),
    Column("version", Integer, nullable=False),
    Column("assessed_at", String(24)),
    Column("created_at", String(24), nullable=False),
    Column("updated_at", String(24), nullable=False),
    Column("respond_by", String(24)),
    Column("mapping", String(64)),
    Column("facts", Text, nullable=False),
    Column("feedback", Text, nullable=False),
    Column("event_at", String(24)),
    Column("assigned_to", String(128)),
    Column("closed_at", String(24)),
    Column("erased_at", String(24)),
    Index("referral_worklist", "log_id", "team", "erased_at", "created_at", "id"),
    Index("referral_event", "event_id"),
    Index("referral_kept", "log_id", "erased_at", "closed_at"),
)

feedback = Table(
    "feedback",
    metadata,
    Column("log_id", String(64), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("force", String(32), nullable=False),
    Column("referral_id", String(36), nullable=False),
    Column("record_id", String(36), nullable=False),
    Column("created_at", String(24), nullable=False),
    Column("acknowledged_at", String(24)),
    Index("feedback_referral", "referral_id"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("log_id", String(64), nullable=False),
    Column("referral_id", String(36), nullable=False),
    Column("record_id", String(36), nullable=False),
    Column("recipient", String(64), nullable=False),
    Column("event", String(32), nullable=False),
    Column("created_at", String(24), nullable=False),
    Column("acknowledged_at", String(24)),
    Column("stopped_at", String(24)),
    Index("outbox_referral", "referral_id"),
)

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
    Column("closed_at", String(24)),
    Column("erased_at", String(24)),
    Index("quarantine_due", "closed_at", "due_at"),
    Index("quarantine_kept", "log_id", "erased_at", "opened_at"),
)

claim = Table(
    "claim",
    metadata,
    Column("log_id", String(64), primary_key=True),
    Column("key", LargeBinary, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    Column("expires_at", String(24)),
    Index("claim_expiry", "expires_at"),
)

client = Table(
    "client",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("organisation", String(32), nullable=False),
    Column("recipient", String(64)),
    Column("scopes", Text, nullable=False),
    Column("agreements", Text, nullable=False),
    Column("profiles", Text, nullable=False, server_default="[]"),
    Column("jwks", Text, nullable=False),
    Column("created_at", String(24), nullable=False),
    Column("revoked_at", String(24)),
)

revocation = Table(
    "revocation",
    metadata,
    Column("jti", String(64), primary_key=True),
    Column("expires_at", String(24), nullable=False),
)

agreement = Table(
    "agreement",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("hash", String(64), nullable=False),
    Column("text", LargeBinary, nullable=False),
    Column("state", String(16), nullable=False),
    Column("current", Boolean, nullable=False),
    Column("created_at", String(24), nullable=False),
    Column("changed_at", String(24), nullable=False),
    Column("changed_by", String(64)),  # an organisation; none is the operator
)

agreement_signature = Table(
    "agreement_signature",
    metadata,
    Column("agreement_id", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("party", String(64), primary_key=True),
    Column("signature", LargeBinary, nullable=False),
    Column("signed_at", String(24), nullable=False),
)

party_key = Table(
    "party_key",
    metadata,
    Column("agreement_id", String(64), primary_key=True),
    Column("party", String(64), primary_key=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("registered_at", String(24), nullable=False),
)

notice = Table(
    "notice",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("log_id", String(64), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("organisation", String(32), nullable=False),
    Column("recipient", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("reason", String(64)),
    Column("event_id", String(36)),
    Column("referral_id", String(36)),
    Column("record_id", String(36)),
    Column("created_at", String(24), nullable=False),
    Column("due_at", String(24), nullable=False),
    Column("overdue_at", String(24)),
    Column("acknowledged_at", String(24)),
    Column("acknowledged_by", String(128)),
    Index("notice_feed", "log_id", "organisation", "recipient", "seq"),
    Index("notice_due", "log_id", "acknowledged_at", "due_at"),
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

staff_mark = Table(
    "staff_mark",
    metadata,
    Column("log_id", String(64), primary_key=True),
    Column("user_id", String(128), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    Column("created_at", String(24), nullable=False),
)

legal_hold = Table(
    "legal_hold",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("log_id", String(64), nullable=False),
    Column("event_id", String(36), nullable=False),
    Column("ground", String(32), nullable=False),
    Column("authority", String(64), nullable=False),
    Column("placed_by", String(128), nullable=False),
    Column("placed_at", String(24), nullable=False),
    Column("lifted_at", String(24)),
    Column("lifted_by", String(128)),
    Index("legal_hold_event", "log_id", "event_id"),
)

witness = Table(
    "witness",
    metadata,
    Column("log_id", String(64), primary_key=True),
    Column("name", String(128), primary_key=True),
    Column("key", String(256), nullable=False),
    Column("url", String(256)),
    Column("added_at", String(24), nullable=False),
    Column("removed_at", String(24)),
)
