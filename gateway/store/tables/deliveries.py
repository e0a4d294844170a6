"""What is delivered to the systems of teams: which systems, and what waits for them or has arrived.

Addresses and options of systems are no secrets and no personal data. The bytes of a delivery lie encrypted in `content`
under a key of their own, from the first try until they are acknowledged.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, String, Table, Text

from gateway.store.tables.declared import metadata

endpoint = Table(
    "endpoint",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("log_id", String(64), nullable=False),
    Column("organisation", String(32), nullable=False),
    Column("team", String(64), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("address", String(512), nullable=False),
    Column("options", Text, nullable=False),  # JSON
    Column("hides_from_online_access", Boolean, nullable=False),
    Column("client", String(64), nullable=False),
    Column("user_id", String(128), nullable=False),
    Column("role", String(64), nullable=False),
    Column("failures", Integer, nullable=False),  # one after another, up to now
    Column("open_until", String(24)),  # how long the circuit leaves it alone
    Column("added_at", String(24), nullable=False),
    Column("removed_at", String(24)),
    Index("endpoint_team", "log_id", "removed_at", "organisation", "team"),
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("log_id", String(64), nullable=False),
    Column("endpoint_id", String(36), nullable=False),
    Column("referral_id", String(36), nullable=False),
    Column("number", Integer, nullable=False),  # of those of one referral to one endpoint, from 1
    Column("created_at", String(24), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", String(24)),
    Column("leased_until", String(24)),
    Column("reason", String(16)),  # this and what follows is known once it was written
    Column("supersedes", String(36)),
    Column("record_id", String(36)),
    Column("version", Integer),  # of the referral
    Column("digest", LargeBinary),  # keyed, of what is said: nothing is sent twice that says the same
    Column("content", LargeBinary),
    Column("content_key", LargeBinary),
    Column("reference", String(200)),
    Column("acknowledged_at", String(24)),
    Column("stopped_at", String(24)),
    Column("given_up_at", String(24)),
    Column("told_at", String(24)),
    Column("failure", String(64)),
    Column("doubts", Integer, nullable=False),  # tries of which nobody knows whether they arrived
    Column("unknown", Boolean, nullable=False),  # the receiver said that it knows nothing of the referral
    Index("delivery_endpoint", "endpoint_id", "acknowledged_at", "stopped_at", "given_up_at", "created_at"),
    Index("delivery_referral", "referral_id", "endpoint_id", "number", unique=True),
    Index("delivery_log", "log_id", "created_at"),
)
