"""The console: what is done in a case, its clocks and who is on call; the people who sign in."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables."""
    _casework()
    _people()
    _evaluation()
    _worklist()
    op.add_column("feedback", sa.Column("in_error_at", sa.String(length=24)))
    _officers()


def downgrade() -> None:
    """Go back to the schema before."""
    op.drop_table("evaluation_edition")
    for name in ("sign_in_failure", "sign_in_code", "person", "console_session", "on_call", "case_timer", "case_event"):
        op.drop_table(name)
    op.drop_column("feedback", "in_error_at")
    op.drop_index("referral_force", "referral")
    op.drop_index("feedback_code", "feedback")
    for name in ("expires_at", "word_facts", "code"):
        op.drop_column("feedback", name)
    op.drop_index("referral_team", "referral")
    op.drop_index("referral_changed", "referral")
    op.drop_index("notice_referral", "notice")
    op.drop_column("notice", "person")
    op.drop_column("referral", "children")
    op.drop_column("referral", "reported_at")


def _officers() -> None:
    op.add_column("feedback", sa.Column("code", sa.String(length=32)))
    op.add_column("feedback", sa.Column("word_facts", sa.Text()))
    op.add_column("feedback", sa.Column("expires_at", sa.String(length=24)))
    op.create_index("feedback_code", "feedback", ["log_id", "force", "code", "created_at"])
    op.create_index("referral_force", "referral", ["log_id", "force", "created_at"])


def _worklist() -> None:
    op.create_index("referral_changed", "referral", ["log_id", "organisation", "team", "updated_at"])
    op.create_index("referral_team", "referral", ["log_id", "organisation", "team", "closed_at"])
    op.create_index("case_timer_team", "case_timer", ["log_id", "organisation", "team", "stopped_at", "due_at"])


def _evaluation() -> None:
    op.add_column("referral", sa.Column("reported_at", sa.String(length=24)))
    op.add_column("referral", sa.Column("children", sa.Integer()))
    op.create_table(
        "evaluation_edition",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("log_id", sa.String(length=64), nullable=False),
        sa.Column("edition", sa.String(length=32), nullable=False),
        sa.Column("agreement_hash", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("counted_at", sa.String(length=24), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("log_id", "edition", "agreement_hash", "revision", name="evaluation_edition_revision"),
    )


def _casework() -> None:
    op.create_table(
        "case_event",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("log_id", sa.String(length=64), nullable=False),
        sa.Column("referral_id", sa.String(length=36), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("happened_at", sa.String(length=24), nullable=False),
        sa.Column("recorded_at", sa.String(length=24), nullable=False),
        sa.Column("by", sa.String(length=128), nullable=False),
        sa.Column("role", sa.String(length=64)),
        sa.Column("codes", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("case_event_referral", "case_event", ["referral_id", "seq", "number"])
    op.create_index("case_event_kind", "case_event", ["log_id", "kind", "happened_at"])
    op.create_table(
        "case_timer",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("log_id", sa.String(length=64), nullable=False),
        sa.Column("referral_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("organisation", sa.String(length=32), nullable=False),
        sa.Column("team", sa.String(length=64), nullable=False),
        sa.Column("started_at", sa.String(length=24), nullable=False),
        sa.Column("remind_at", sa.String(length=24)),
        sa.Column("escalate_at", sa.String(length=24)),
        sa.Column("due_at", sa.String(length=24), nullable=False),
        sa.Column("next_at", sa.String(length=24)),
        sa.Column("reminded_at", sa.String(length=24)),
        sa.Column("escalated_at", sa.String(length=24)),
        sa.Column("fired_at", sa.String(length=24)),
        sa.Column("stopped_at", sa.String(length=24)),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("case_timer_next", "case_timer", ["log_id", "next_at"])
    op.create_index("case_timer_referral", "case_timer", ["referral_id", "stopped_at", "due_at"])
    op.create_table(
        "on_call",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("log_id", sa.String(length=64), nullable=False),
        sa.Column("organisation", sa.String(length=32), nullable=False),
        sa.Column("team", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=128), nullable=False),
        sa.Column("starts_at", sa.String(length=24), nullable=False),
        sa.Column("ends_at", sa.String(length=24), nullable=False),
        sa.Column("set_by", sa.String(length=128), nullable=False),
        sa.Column("set_at", sa.String(length=24), nullable=False),
        sa.Column("removed_at", sa.String(length=24)),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("on_call_team", "on_call", ["log_id", "organisation", "team", "ends_at"])
    op.add_column("notice", sa.Column("person", sa.String(length=128)))
    op.create_index("notice_referral", "notice", ["referral_id", "acknowledged_at"])
    # What waits for an answer from before there were clocks has one from now on.
    op.execute(
        "INSERT INTO case_timer (id, log_id, referral_id, kind, organisation, team, started_at, due_at, next_at) "
        "SELECT id, log_id, id, 'acknowledge', organisation, team, created_at, respond_by, created_at FROM referral "
        "WHERE status IN ('requested', 'received') AND erased_at IS NULL AND respond_by IS NOT NULL"
    )


def _people() -> None:
    """The people who sign in."""
    op.create_table(
        "console_session",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("organisation", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("content_key", sa.LargeBinary(), nullable=False),
        sa.Column("provider_subject", sa.String(length=64)),
        sa.Column("provider_session", sa.String(length=64)),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("seen_at", sa.String(length=24), nullable=False),
        sa.Column("ends_at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("console_session_person", "console_session", ["organisation", "person"])
    op.create_index("console_session_seen", "console_session", ["seen_at"])
    op.create_index("console_session_subject", "console_session", ["provider_subject"])
    op.create_index("console_session_there", "console_session", ["provider_session"])
    op.create_index("console_session_ends", "console_session", ["ends_at"])
    op.create_table(
        "person",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("organisation", sa.String(length=32), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("content_key", sa.LargeBinary(), nullable=False),
        sa.Column("password", sa.Text()),
        sa.Column("totp", sa.LargeBinary()),
        sa.Column("totp_key", sa.LargeBinary()),
        sa.Column("totp_step", sa.BigInteger()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("changed_at", sa.String(length=24), nullable=False),
        sa.Column("removed_at", sa.String(length=24)),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "sign_in_code",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.String(length=64), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("sign_in_code_person", "sign_in_code", ["person_id"])
    op.create_index("sign_in_code_expires", "sign_in_code", ["expires_at"])
    op.create_table(
        "sign_in_failure",
        sa.Column("account", sa.LargeBinary(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.String(length=24), nullable=False),
        sa.Column("locked_until", sa.String(length=24)),
        sa.PrimaryKeyConstraint("account"),
    )
    op.create_index("sign_in_failure_last", "sign_in_failure", ["last_at"])
