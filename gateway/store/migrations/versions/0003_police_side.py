"""The police side in full: batches, profiles of clients, drift, matching, webhooks, co-response."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and tables."""
    op.add_column("client", sa.Column("profiles", sa.Text(), nullable=False, server_default="[]"))
    op.add_column("quarantine", sa.Column("overdue_at", sa.String(length=24)))
    op.add_column("record", sa.Column("occurrence", sa.LargeBinary()))
    if op.get_bind().dialect.name == "postgresql":  # SQLite's integers are as long already
        op.alter_column("record", "version", type_=sa.BigInteger(), existing_nullable=False)
    for column in _REFERRAL:
        op.add_column("referral", sa.Column(column.name, column.type))
    op.create_index("referral_orders", "referral", ["log_id", "orders_end"])
    _webhooks()
    _co_responses()
    _drift()
    op.create_table(
        "batch",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("log_id", sa.String(length=64), nullable=False),
        sa.Column("organisation", sa.String(length=32), nullable=False),
        sa.Column("client", sa.String(length=64), nullable=False),
        sa.Column("media_type", sa.String(length=128), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=64)),
        sa.Column("began_at", sa.String(length=24), nullable=False),
        sa.Column("ended_at", sa.String(length=24)),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("batch_feed", "batch", ["log_id", "organisation", "began_at", "id"])
    op.create_index("batch_open", "batch", ["log_id", "state", "began_at"])
    op.create_table(
        "batch_row",
        sa.Column("batch_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("line", sa.Integer()),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("incident", sa.String(length=36)),
        sa.Column("hold", sa.String(length=36)),
        sa.Column("problems", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("batch_id", "number"),
    )
    _matching()


def downgrade() -> None:
    """Go back to the schema before."""
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("record", "version", type_=sa.Integer(), existing_nullable=False)
    for name in ("match_review", "person_link", "match_key", "match_event"):
        op.drop_table(name)
    op.drop_table("mapping_drift")
    op.drop_table("mapping_shape")
    op.drop_table("co_response")
    op.drop_table("webhook_endpoint")
    op.drop_index("outbox_endpoint", table_name="outbox")
    for name, _ in _OUTBOX:
        op.drop_column("outbox", name)
    op.drop_table("batch_row")
    op.drop_table("batch")
    op.drop_column("quarantine", "overdue_at")
    op.drop_index("referral_orders", table_name="referral")
    for column in _REFERRAL:
        op.drop_column("referral", column.name)
    op.drop_column("record", "occurrence")
    op.drop_column("client", "profiles")


_REFERRAL = (
    sa.Column("grades", sa.Text()),
    sa.Column("linked", sa.Text()),
    sa.Column("orders_end", sa.Text()),
    sa.Column("released_at", sa.String(length=24)),
)
_OUTBOX = (
    ("endpoint_id", sa.String(length=36)),
    ("event_id", sa.String(length=36)),
    ("seq", sa.BigInteger()),
    ("attempts", sa.Integer()),
    ("next_at", sa.String(length=24)),
    ("leased_until", sa.String(length=24)),
    ("given_up_at", sa.String(length=24)),
    ("failure", sa.String(length=32)),
)


def _webhooks() -> None:
    """The endpoints that words are pushed to, and how far each push has come."""
    for name, type_ in _OUTBOX:
        op.add_column("outbox", sa.Column(name, type_))
    op.create_index("outbox_endpoint", "outbox", ["endpoint_id", "acknowledged_at", "seq"])
    op.create_table(
        "webhook_endpoint",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("client", sa.String(length=64), nullable=False),
        sa.Column("log_id", sa.String(length=64), nullable=False),
        sa.Column("url", sa.String(length=512), nullable=False),
        sa.Column("content", sa.String(length=16), nullable=False),
        sa.Column("ca", sa.Text()),
        sa.Column("user_id", sa.String(length=128), nullable=False),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.Column("planned_seq", sa.BigInteger(), nullable=False),
        sa.Column("added_at", sa.String(length=24), nullable=False),
        sa.Column("removed_at", sa.String(length=24)),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("webhook_endpoint_client", "webhook_endpoint", ["client", "removed_at"])


def _drift() -> None:
    """What each client's documents have looked like, and how that changed."""
    op.create_table(
        "mapping_shape",
        sa.Column("client", sa.String(length=64), nullable=False),
        sa.Column("profile", sa.String(length=64), nullable=False),
        sa.Column("shape", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("client", "profile"),
    )
    op.create_table(
        "mapping_drift",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("client", sa.String(length=64), nullable=False),
        sa.Column("profile", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("seen_at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("mapping_drift_seen", "mapping_drift", ["seen_at"])
    op.create_index("mapping_drift_of", "mapping_drift", ["client", "profile", "seen_at"])


def _co_responses() -> None:
    """Contacts at the scene, which a police record joins."""
    op.create_table(
        "co_response",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("log_id", sa.String(length=64), nullable=False),
        sa.Column("organisation", sa.String(length=32), nullable=False),
        sa.Column("team", sa.String(length=64), nullable=False),
        sa.Column("client", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=128), nullable=False),
        sa.Column("force", sa.String(length=32), nullable=False),
        sa.Column("area", sa.String(length=64)),
        sa.Column("contact", sa.String(length=16), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("recorded_at", sa.String(length=24), nullable=False),
        sa.Column("detailed_at", sa.String(length=24)),
        sa.Column("due_at", sa.String(length=24), nullable=False),
        sa.Column("overdue_at", sa.String(length=24)),
        sa.Column("event_id", sa.String(length=36)),
        sa.Column("referral_id", sa.String(length=36)),
        sa.Column("closed_at", sa.String(length=24)),
        sa.Column("closed_by", sa.String(length=128)),
        sa.Column("erased_at", sa.String(length=24)),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("co_response_due", "co_response", ["log_id", "closed_at", "due_at"])
    op.create_index("co_response_event", "co_response", ["event_id"])


def _matching() -> None:
    """What people are matched by, who is linked with whom, and what a person must decide."""
    op.create_table(
        "match_event",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("log_id", sa.String(length=64), nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("record_id", sa.String(length=36), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("matched_at", sa.String(length=24)),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("match_event_of", "match_event", ["event_id"])
    op.create_index("match_event_waiting", "match_event", ["log_id", "matched_at"])
    op.create_table(
        "match_key",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("match_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("digest", "match_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("match_key_of", "match_key", ["match_id"])
    op.create_table(
        "person_link",
        sa.Column("log_id", sa.String(length=64), nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("person", sa.String(length=36), nullable=False),
        sa.Column("other_event_id", sa.String(length=36), nullable=False),
        sa.Column("other_person", sa.String(length=36), nullable=False),
        sa.Column("basis", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "event_id", "person", "other_event_id", "other_person"),
    )
    op.create_table(
        "match_review",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("log_id", sa.String(length=64), nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("person", sa.String(length=36), nullable=False),
        sa.Column("other_event_id", sa.String(length=36), nullable=False),
        sa.Column("other_person", sa.String(length=36), nullable=False),
        sa.Column("levels", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.String(length=24), nullable=False),
        sa.Column("due_at", sa.String(length=24)),
        sa.Column("overdue_at", sa.String(length=24)),
        sa.Column("decided_at", sa.String(length=24)),
        sa.Column("decided_by", sa.String(length=128)),
        sa.Column("outcome", sa.String(length=16)),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("match_review_open", "match_review", ["log_id", "decided_at", "due_at"])
    op.create_index("match_review_of", "match_review", ["event_id"])
    op.create_index("match_review_of_other", "match_review", ["other_event_id"])
