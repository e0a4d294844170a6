"""Evidence and agreements in full: notices, overrides, break-glass, legal holds, erasure, witnesses."""

import sqlalchemy as sa
from alembic import op

from audit import sql as log_sql
from audit.facets import BLOCK

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and tables."""
    op.add_column("agreement", sa.Column("changed_by", sa.String(length=64)))
    op.add_column("record", sa.Column("erased_at", sa.String(length=24)))
    op.add_column("referral", sa.Column("event_at", sa.String(length=24)))
    op.add_column("referral", sa.Column("assigned_to", sa.String(length=128)))
    op.add_column("referral", sa.Column("closed_at", sa.String(length=24)))
    op.add_column("referral", sa.Column("erased_at", sa.String(length=24)))
    op.drop_index("referral_worklist", "referral")
    op.create_index("referral_worklist", "referral", ["log_id", "team", "erased_at", "created_at", "id"])
    op.add_column("outbox", sa.Column("stopped_at", sa.String(length=24)))
    op.add_column("quarantine", sa.Column("erased_at", sa.String(length=24)))
    op.create_index("referral_kept", "referral", ["log_id", "erased_at", "closed_at"])
    op.create_index("record_kept", "record", ["log_id", "erased_at", "received_at"])
    op.create_index("quarantine_kept", "quarantine", ["log_id", "erased_at", "opened_at"])
    op.create_table(
        "notice",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("log_id", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("organisation", sa.String(length=32), nullable=False),
        sa.Column("recipient", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=64)),
        sa.Column("event_id", sa.String(length=36)),
        sa.Column("referral_id", sa.String(length=36)),
        sa.Column("record_id", sa.String(length=36)),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("due_at", sa.String(length=24), nullable=False),
        sa.Column("overdue_at", sa.String(length=24)),
        sa.Column("acknowledged_at", sa.String(length=24)),
        sa.Column("acknowledged_by", sa.String(length=128)),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("notice_feed", "notice", ["log_id", "organisation", "recipient", "seq"])
    op.create_index("notice_due", "notice", ["log_id", "acknowledged_at", "due_at"])
    op.create_table(
        "consent_override",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("log_id", sa.String(length=64), nullable=False),
        sa.Column("quarantine_id", sa.String(length=36)),
        sa.Column("event_id", sa.String(length=36)),
        sa.Column("referral_id", sa.String(length=36)),
        sa.Column("ground", sa.String(length=32), nullable=False),
        sa.Column("decided_by", sa.String(length=128), nullable=False),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.Column("organisation", sa.String(length=32), nullable=False),
        sa.Column("told", sa.String(length=16), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("expires_at", sa.String(length=24), nullable=False),
        sa.Column("ended_at", sa.String(length=24)),
        sa.Column("review_due", sa.String(length=24), nullable=False),
        sa.Column("overdue_at", sa.String(length=24)),
        sa.Column("reviewed_at", sa.String(length=24)),
        sa.Column("reviewed_by", sa.String(length=128)),
        sa.Column("review", sa.String(length=32)),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("consent_override_end", "consent_override", ["log_id", "ended_at", "expires_at"])
    op.create_index("consent_override_review", "consent_override", ["log_id", "reviewed_at", "review_due"])
    op.create_table(
        "break_glass",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("log_id", sa.String(length=64), nullable=False),
        sa.Column("referral_id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=128), nullable=False),
        sa.Column("role", sa.String(length=64)),
        sa.Column("organisation", sa.String(length=32), nullable=False),
        sa.Column("recipient", sa.String(length=64), nullable=False),
        sa.Column("ground", sa.String(length=32), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("opened_at", sa.String(length=24), nullable=False),
        sa.Column("expires_at", sa.String(length=24), nullable=False),
        sa.Column("review_due", sa.String(length=24), nullable=False),
        sa.Column("overdue_at", sa.String(length=24)),
        sa.Column("reviewed_at", sa.String(length=24)),
        sa.Column("reviewed_by", sa.String(length=128)),
        sa.Column("review", sa.String(length=32)),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("break_glass_user", "break_glass", ["log_id", "user_id", "referral_id"])
    op.create_index("break_glass_review", "break_glass", ["log_id", "reviewed_at", "review_due"])
    op.create_table(
        "staff_mark",
        sa.Column("log_id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "user_id", "kind", "digest"),
    )
    op.create_table(
        "legal_hold",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("log_id", sa.String(length=64), nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("ground", sa.String(length=32), nullable=False),
        sa.Column("authority", sa.String(length=64), nullable=False),
        sa.Column("placed_by", sa.String(length=128), nullable=False),
        sa.Column("placed_at", sa.String(length=24), nullable=False),
        sa.Column("lifted_at", sa.String(length=24)),
        sa.Column("lifted_by", sa.String(length=128)),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("legal_hold_event", "legal_hold", ["log_id", "event_id"])
    op.create_table(
        "witness",
        sa.Column("log_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("key", sa.String(length=256), nullable=False),
        sa.Column("url", sa.String(length=256)),
        sa.Column("added_at", sa.String(length=24), nullable=False),
        sa.Column("removed_at", sa.String(length=24)),
        sa.PrimaryKeyConstraint("log_id", "name"),
    )
    op.create_table(
        "log_block",
        sa.Column("log_id", sa.String(), nullable=False),
        sa.Column("facet", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("members", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "facet", "value", "block"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "log_cosignature",
        sa.Column("log_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "key", "size"),
    )
    _index_logs(op.get_bind())
    op.drop_table("log_facet")
    op.drop_index("log_entry_time", table_name="log_entry")


def _index_logs(connection: sa.Connection) -> None:
    """Write what the entries of every full block are found by, as `audit.sql` has done since for new ones."""
    for log_id, size in connection.execute(sa.text("SELECT log_id, size FROM log_head")).all():
        for block in range(size // BLOCK):
            log_sql.index_block(connection, log_id, block)
