"""What was taken in, as it is kept: records, what they are found by, and the keys that open them.

Content lies encrypted under a data key of its own in `data_key`; deleting that row erases the content while the log
still verifies. Also the names under which a repeat is recognised, and who may not be erased yet.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table

from gateway.store.tables.declared import metadata

record = Table(
    "record",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("log_id", String(64), nullable=False),
    Column("event_id", String(36), nullable=False),
    Column("organisation", String(32), nullable=False),
    # Senders number versions by date and time as well, and PostgreSQL's Integer ends at ten digits.
    Column("version", Integer().with_variant(BigInteger, "postgresql"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("vault", LargeBinary),
    Column("payload", String(64), nullable=False),
    Column("mapping", String(64)),
    Column("received_at", String(24), nullable=False),
    Column("erased_at", String(24)),
    Column("occurrence", LargeBinary),  # the blind name its versions share; one event may have several
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

claim = Table(
    "claim",
    metadata,
    Column("log_id", String(64), primary_key=True),
    Column("key", LargeBinary, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    Column("expires_at", String(24)),
    Index("claim_expiry", "expires_at"),
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
