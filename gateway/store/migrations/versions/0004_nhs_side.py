"""The NHS side in full: systems of teams that are delivered to, and what waits for them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables."""
    _deliveries()
    _hospitals()
    _traces()
    _messages()


def downgrade() -> None:
    """Go back to the schema before."""
    for name in ("demographic_change", "hl7_message", "client_certificate"):
        op.drop_table(name)
    for name in _HOSPITALS:
        op.drop_table(name)
    op.drop_column("referral", "label")
    op.drop_table("trace")
    op.drop_table("delivery")
    op.drop_table("endpoint")


def _deliveries() -> None:
    op.create_table(
        "endpoint",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("log_id", sa.String(length=64), nullable=False),
        sa.Column("organisation", sa.String(length=32), nullable=False),
        sa.Column("team", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("address", sa.String(length=512), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("hides_from_online_access", sa.Boolean(), nullable=False),
        sa.Column("client", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=128), nullable=False),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("open_until", sa.String(length=24)),
        sa.Column("added_at", sa.String(length=24), nullable=False),
        sa.Column("removed_at", sa.String(length=24)),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("endpoint_team", "endpoint", ["log_id", "removed_at", "organisation", "team"])
    op.create_table(
        "delivery",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("log_id", sa.String(length=64), nullable=False),
        sa.Column("endpoint_id", sa.String(length=36), nullable=False),
        sa.Column("referral_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.String(length=24)),
        sa.Column("leased_until", sa.String(length=24)),
        sa.Column("reason", sa.String(length=16)),
        sa.Column("supersedes", sa.String(length=36)),
        sa.Column("record_id", sa.String(length=36)),
        sa.Column("version", sa.Integer()),
        sa.Column("digest", sa.LargeBinary()),
        sa.Column("content", sa.LargeBinary()),
        sa.Column("content_key", sa.LargeBinary()),
        sa.Column("reference", sa.String(length=200)),
        sa.Column("acknowledged_at", sa.String(length=24)),
        sa.Column("stopped_at", sa.String(length=24)),
        sa.Column("given_up_at", sa.String(length=24)),
        sa.Column("told_at", sa.String(length=24)),
        sa.Column("failure", sa.String(length=64)),
        sa.Column("doubts", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    closed = ["acknowledged_at", "stopped_at", "given_up_at"]
    op.create_index("delivery_endpoint", "delivery", ["endpoint_id", *closed, "created_at"])
    op.create_index("delivery_referral", "delivery", ["referral_id", "endpoint_id", "number"], unique=True)
    op.create_index("delivery_log", "delivery", ["log_id", "created_at"])


_HOSPITALS = ("information_item", "information_request", "hospital_feed", "hospital_document", "hospital_notice")


def _hospitals() -> None:
    op.create_table(
        "hospital_notice",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("log_id", sa.String(length=64), nullable=False),
        sa.Column("organisation", sa.String(length=32), nullable=False),
        sa.Column("client", sa.String(length=64), nullable=False),
        sa.Column("record_id", sa.String(length=36), nullable=False),
        sa.Column("victim", sa.String(length=36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("area", sa.String(length=64)),
        sa.Column("grade", sa.String(length=16)),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=64)),
        sa.Column("owner", sa.String(length=200)),
        sa.Column("consent", sa.String(length=24)),
        sa.Column("override_id", sa.String(length=36)),
        sa.Column("mapping", sa.String(length=64)),
        sa.Column("sent_at", sa.String(length=24)),
        sa.Column("received_at", sa.String(length=24), nullable=False),
        sa.Column("updated_at", sa.String(length=24), nullable=False),
        sa.Column("due_at", sa.String(length=24), nullable=False),
        sa.Column("overdue_at", sa.String(length=24)),
        sa.Column("decided_at", sa.String(length=24)),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("hospital_notice_due", "hospital_notice", ["log_id", "decided_at", "due_at"])
    op.create_table(
        "hospital_document",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("log_id", sa.String(length=64), nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("record_id", sa.String(length=36), nullable=False),
        sa.Column("media_type", sa.String(length=128), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("hospital_document_event", "hospital_document", ["event_id"])
    op.create_table(
        "hospital_feed",
        sa.Column("log_id", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("force", sa.String(length=32), nullable=False),
        sa.Column("recipient", sa.String(length=64), nullable=False),
        sa.Column("notice_id", sa.String(length=36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("acknowledged_at", sa.String(length=24)),
        sa.Column("acknowledged_by", sa.String(length=128)),
        sa.PrimaryKeyConstraint("log_id", "seq"),
    )
    op.create_index("hospital_feed_force", "hospital_feed", ["log_id", "force", "seq"])
    op.create_index("hospital_feed_notice", "hospital_feed", ["notice_id"])
    op.create_table(
        "information_request",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("log_id", sa.String(length=64), nullable=False),
        sa.Column("force", sa.String(length=32), nullable=False),
        sa.Column("client", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=128), nullable=False),
        sa.Column("role", sa.String(length=64)),
        sa.Column("organisation", sa.String(length=32), nullable=False),
        sa.Column("team", sa.String(length=64), nullable=False),
        sa.Column("referral_id", sa.String(length=36), nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("due_at", sa.String(length=24), nullable=False),
        sa.Column("overdue_at", sa.String(length=24)),
        sa.Column("answered_at", sa.String(length=24)),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("information_request_due", "information_request", ["log_id", "answered_at", "due_at"])
    op.create_index("information_request_event", "information_request", ["event_id"])
    op.create_table(
        "information_item",
        sa.Column("request_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("log_id", sa.String(length=64), nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32)),
        sa.Column("view", sa.String(length=24)),
        sa.Column("record_id", sa.String(length=36)),
        sa.Column("seq", sa.BigInteger()),
        sa.Column("expires_at", sa.String(length=24)),
        sa.Column("answered_by", sa.String(length=128)),
        sa.Column("answered_at", sa.String(length=24)),
        sa.Column("acknowledged_at", sa.String(length=24)),
        sa.PrimaryKeyConstraint("request_id", "number"),
    )
    op.create_index("information_item_feed", "information_item", ["log_id", "seq"])


def _traces() -> None:
    op.add_column("referral", sa.Column("label", sa.String(length=1)))
    op.create_table(
        "trace",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("log_id", sa.String(length=64), nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("victim", sa.String(length=36), nullable=False),
        sa.Column("referral_id", sa.String(length=36), nullable=False),
        sa.Column("organisation", sa.String(length=32), nullable=False),
        sa.Column("record_id", sa.String(length=36), nullable=False),
        sa.Column("record_at", sa.String(length=24), nullable=False),
        sa.Column("asked", sa.LargeBinary()),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=2), nullable=False),
        sa.Column("label", sa.String(length=1)),
        sa.Column("epoch", sa.BigInteger()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.String(length=24)),
        sa.Column("leased_until", sa.String(length=24)),
        sa.Column("reason", sa.String(length=64)),
        sa.Column("content", sa.LargeBinary()),
        sa.Column("content_key", sa.LargeBinary()),
        sa.Column("opened_at", sa.String(length=24), nullable=False),
        sa.Column("due_at", sa.String(length=24)),
        sa.Column("overdue_at", sa.String(length=24)),
        sa.Column("decided_at", sa.String(length=24)),
        sa.Column("decided_by", sa.String(length=128)),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("trace_event", "trace", ["log_id", "event_id", "victim"], unique=True)
    op.create_index("trace_record", "trace", ["record_id"])
    op.create_index("trace_due", "trace", ["log_id", "state", "next_at"])
    op.create_index("trace_open", "trace", ["log_id", "decided_at", "due_at"])


def _messages() -> None:
    op.create_table(
        "client_certificate",
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("client", sa.String(length=64), nullable=False),
        sa.Column("added_at", sa.String(length=24), nullable=False),
        sa.Column("removed_at", sa.String(length=24)),
        sa.PrimaryKeyConstraint("fingerprint"),
    )
    op.create_index("client_certificate_client", "client_certificate", ["client", "removed_at"])
    op.create_table(
        "hl7_message",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("log_id", sa.String(length=64), nullable=False),
        sa.Column("client", sa.String(length=64), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary()),
        sa.Column("content_key", sa.LargeBinary()),
        sa.Column("ack", sa.String(length=2), nullable=False),
        sa.Column("became", sa.String(length=32), nullable=False),
        sa.Column("about", sa.String(length=36)),
        sa.Column("received_at", sa.String(length=24), nullable=False),
        sa.Column("erased_at", sa.String(length=24)),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("hl7_message_kept", "hl7_message", ["log_id", "erased_at", "became", "received_at"])
    op.create_table(
        "demographic_change",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("log_id", sa.String(length=64), nullable=False),
        sa.Column("referral_id", sa.String(length=36), nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("organisation", sa.String(length=32), nullable=False),
        sa.Column("team", sa.String(length=64), nullable=False),
        sa.Column("message_id", sa.String(length=36), nullable=False),
        sa.Column("fields", sa.String(length=200), nullable=False),
        sa.Column("suppressed", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("opened_at", sa.String(length=24), nullable=False),
        sa.Column("decided_at", sa.String(length=24)),
        sa.Column("decided_by", sa.String(length=128)),
        sa.Column("decision", sa.String(length=16)),
        sa.Column("erased_at", sa.String(length=24)),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("demographic_change_referral", "demographic_change", ["referral_id", "opened_at"])
    op.create_index("demographic_change_event", "demographic_change", ["event_id"])
