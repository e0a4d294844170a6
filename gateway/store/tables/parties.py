"""Who may ask, under what: clients, staff who may know a party, signed agreements, witnesses of a log."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Integer, LargeBinary, String, Table, Text

from gateway.store.tables.declared import metadata

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

staff_mark = Table(
    "staff_mark",
    metadata,
    Column("log_id", String(64), primary_key=True),
    Column("organisation", String(32), primary_key=True),
    Column("user_id", String(128), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    Column("created_at", String(24), nullable=False),
)
