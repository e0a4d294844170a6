"""Children are looked for at PDS beside the victim of whose referral they are."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Say whom a trace looks for; every one that is there is the victim's."""
    op.add_column("trace", sa.Column("child", sa.String(length=36), nullable=False, server_default=sa.text("''")))
    op.drop_index("trace_event", "trace")
    op.create_index("trace_event", "trace", ["log_id", "event_id", "victim", "child"], unique=True)
    op.add_column("demographic_change", sa.Column("said_at", sa.String(length=24)))  # of what came before, nobody knows


def downgrade() -> None:
    """Go back to the schema before; what was traced of children goes with it."""
    op.drop_column("demographic_change", "said_at")
    op.execute("DELETE FROM trace WHERE child <> ''")
    op.drop_index("trace_event", "trace")
    op.create_index("trace_event", "trace", ["log_id", "event_id", "victim"], unique=True)
    op.drop_column("trace", "child")
