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
    Column("grades", Text),  # every grade given so far, with the version that said it: JSON
    Column("linked", Text),  # other records of the same incident: JSON
    Column("orders_end", Text),  # when orders that are in force end: instants with commas between, the first first
    Column("released_at", String(24)),
    Index("referral_orders", "log_id", "orders_end"),
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
    Column("endpoint_id", String(36)),  # what follows is of words pushed to a force's webhook alone
    Column("event_id", String(36)),
    Column("seq", BigInteger),
    Column("attempts", Integer),
    Column("next_at", String(24)),
    Column("leased_until", String(24)),
    Column("given_up_at", String(24)),
    Column("failure", String(32)),
    Index("outbox_referral", "referral_id"),
    Index("outbox_endpoint", "endpoint_id", "acknowledged_at", "seq"),
)

webhook_endpoint = Table(
    "webhook_endpoint",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("client", String(64), nullable=False),
    Column("log_id", String(64), nullable=False),
    Column("url", String(512), nullable=False),
    Column("content", String(16), nullable=False),
    Column("ca", Text),
    Column("user_id", String(128), nullable=False),
    Column("role", String(64), nullable=False),
    Column("planned_seq", BigInteger, nullable=False),
    Column("added_at", String(24), nullable=False),
    Column("removed_at", String(24)),
    Index("webhook_endpoint_client", "client", "removed_at"),
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
    Column("overdue_at", String(24)),
    Column("closed_at", String(24)),
    Column("erased_at", String(24)),
    Index("quarantine_due", "closed_at", "due_at"),
    Index("quarantine_kept", "log_id", "erased_at", "opened_at"),
)

batch = Table(
    "batch",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("log_id", String(64), nullable=False),
    Column("organisation", String(32), nullable=False),
    Column("client", String(64), nullable=False),
    Column("media_type", String(128), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(64)),
    Column("began_at", String(24), nullable=False),
    Column("ended_at", String(24)),
    Index("batch_feed", "log_id", "organisation", "began_at", "id"),
    Index("batch_open", "log_id", "state", "began_at"),
)

batch_row = Table(
    "batch_row",
    metadata,
    Column("batch_id", String(36), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("line", Integer),
    Column("state", String(16), nullable=False),
    Column("incident", String(36)),
    Column("hold", String(36)),
    Column("problems", Text, nullable=False),
    Column("at", String(24), nullable=False),
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

mapping_shape = Table(
    "mapping_shape",
    metadata,
    Column("client", String(64), primary_key=True),
    Column("profile", String(64), primary_key=True),
    Column("shape", Text, nullable=False),
    Column("changed_at", String(24), nullable=False),
)

mapping_drift = Table(
    "mapping_drift",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("client", String(64), nullable=False),
    Column("profile", String(64), nullable=False),
    Column("kind", String(24), nullable=False),
    Column("path", String(200), nullable=False),
    Column("code", String(32), nullable=False),
    Column("seen_at", String(24), nullable=False),
    Index("mapping_drift_seen", "seen_at"),
    Index("mapping_drift_of", "client", "profile", "seen_at"),
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

match_event = Table(
    "match_event",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("log_id", String(64), nullable=False),
    Column("event_id", String(36), nullable=False),
    Column("record_id", String(36), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("matched_at", String(24)),
    Index("match_event_of", "event_id"),
    Index("match_event_waiting", "log_id", "matched_at"),
)

match_key = Table(
    "match_key",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("match_id", String(36), primary_key=True),
    Index("match_key_of", "match_id"),
    sqlite_with_rowid=False,  # the key is the row: half the size, one look instead of two
)

person_link = Table(
    "person_link",
    metadata,
    Column("log_id", String(64), primary_key=True),
    Column("event_id", String(36), primary_key=True),
    Column("person", String(36), primary_key=True),
    Column("other_event_id", String(36), primary_key=True),
    Column("other_person", String(36), primary_key=True),
    Column("basis", String(16), nullable=False),
    Column("created_at", String(24), nullable=False),
)

match_review = Table(
    "match_review",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("log_id", String(64), nullable=False),
    Column("event_id", String(36), nullable=False),
    Column("person", String(36), nullable=False),
    Column("other_event_id", String(36), nullable=False),
    Column("other_person", String(36), nullable=False),
    Column("levels", Text, nullable=False),
    Column("opened_at", String(24), nullable=False),
    Column("due_at", String(24), nullable=False),
    Column("decided_at", String(24)),
    Column("decided_by", String(128)),
    Column("outcome", String(16)),
    Index("match_review_open", "log_id", "decided_at", "due_at"),
    Index("match_review_of", "event_id"),
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
