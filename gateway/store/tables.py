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
    Index("record_event", "event_id", "version"),
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
    Index("referral_worklist", "log_id", "team", "created_at", "id"),
    Index("referral_event", "event_id"),
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
    Index("quarantine_due", "closed_at", "due_at"),
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
