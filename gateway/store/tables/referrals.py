"""A referral and what is said about it: the worklist, words to police, what waits to be delivered, notices.

Nothing here is of a victim, a suspect or a child but grades and clocks: routing, states and the gateway's references.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text

from gateway.store.tables.declared import metadata

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
    Column("label", String(1)),  # R or V: a restricted patient, as PDS says; no address of hers is filed anywhere
    Column("reported_at", String(24)),  # when police were told; evaluation counts from here after the record is erased
    Column("children", Integer),  # how many are in the record, for the same
    Index("referral_orders", "log_id", "orders_end"),
    Index("referral_worklist", "log_id", "team", "erased_at", "created_at", "id"),
    Index("referral_changed", "log_id", "organisation", "team", "updated_at"),
    Index("referral_team", "log_id", "organisation", "team", "closed_at"),
    Index("referral_force", "log_id", "force", "created_at"),
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
    Column("in_error_at", String(24)),  # since when it is known to have been said by mistake, and told no more
    Column("code", String(32)),  # the word; empty of words from before it was kept, which are opened to be known
    Column("word_facts", Text),  # what a decision on it reads: JSON
    Column("expires_at", String(24)),
    Index("feedback_referral", "referral_id"),
    Index("feedback_code", "log_id", "force", "code", "created_at"),
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

notice = Table(
    "notice",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("log_id", String(64), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("organisation", String(32), nullable=False),
    Column("recipient", String(64), nullable=False),
    Column("person", String(128)),  # whom of the team it is for; empty for all of it
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
    Index("notice_referral", "referral_id", "acknowledged_at"),
)
