"""The people who sign in: sessions of the console, and the accounts of the embedded provider.

A session's id is here as its SHA-256 alone, and the person as ciphertext; a row that is gone is a session that ended.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

from gateway.store.tables.declared import metadata

console_session = Table(
    "console_session",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("organisation", String(32), nullable=False),
    Column("person", String(64), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("content_key", LargeBinary, nullable=False),
    Column("provider_subject", String(64)),  # keyed digests of what an OpenID provider calls the person
    Column("provider_session", String(64)),  # and the session there
    Column("created_at", String(24), nullable=False),
    Column("seen_at", String(24), nullable=False),
    Column("ends_at", String(24), nullable=False),
    Index("console_session_person", "organisation", "person"),
    Index("console_session_seen", "seen_at"),
    Index("console_session_subject", "provider_subject"),
    Index("console_session_there", "provider_session"),
    Index("console_session_ends", "ends_at"),
)

person = Table(
    "person",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("organisation", String(32), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("content_key", LargeBinary, nullable=False),
    Column("password", Text),  # argon2id, in its own notation
    Column("totp", LargeBinary),
    Column("totp_key", LargeBinary),
    Column("totp_step", BigInteger),  # the last that was used: a code is good once
    Column("version", Integer, nullable=False),
    Column("created_at", String(24), nullable=False),
    Column("changed_at", String(24), nullable=False),
    Column("removed_at", String(24)),
)

sign_in_code = Table(
    "sign_in_code",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("person_id", String(64), nullable=False),
    Column("request", Text, nullable=False),
    Column("expires_at", String(24), nullable=False),
    Index("sign_in_code_person", "person_id"),
    Index("sign_in_code_expires", "expires_at"),
)

sign_in_failure = Table(
    "sign_in_failure",
    metadata,
    Column("account", LargeBinary, primary_key=True),  # a keyed digest of what was typed, whether there is such or not
    Column("failures", Integer, nullable=False),
    Column("last_at", String(24), nullable=False),
    Column("locked_until", String(24)),
    Index("sign_in_failure_last", "last_at"),
)
