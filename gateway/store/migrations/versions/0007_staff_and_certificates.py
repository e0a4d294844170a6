"""A staff id is its organisation's alone; of a certificate it is kept when it runs out."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Whoever registered a mark is not known: until they say so anew, it closes cases at each organisation there is."""
    _staff_marks(
        ("log_id", "organisation", "user_id", "kind", "digest"),
        "SELECT log_id, o.organisation, lower(user_id), kind, digest, MIN(b.created_at) FROM staff_mark_before b "
        "CROSS JOIN (SELECT organisation FROM client UNION SELECT organisation FROM person "
        "UNION SELECT organisation FROM console_session) o "
        "GROUP BY log_id, o.organisation, lower(user_id), kind, digest",
    )
    op.add_column("client_certificate", sa.Column("not_after", sa.String(length=24)))


def downgrade() -> None:
    """Go back to the schema before; a mark holds again whoever has the id."""
    op.drop_column("client_certificate", "not_after")
    _staff_marks(
        ("log_id", "user_id", "kind", "digest"),
        "SELECT log_id, user_id, kind, digest, MIN(created_at) FROM staff_mark_before "
        "GROUP BY log_id, user_id, kind, digest",
    )


def _staff_marks(key: Sequence[str], rows: str) -> None:
    """The marks of staff under another key; `rows` selects them from the table as it was."""
    types = {"log_id": sa.String(64), "organisation": sa.String(32), "user_id": sa.String(128), "kind": sa.String(16)}
    op.rename_table("staff_mark", "staff_mark_before")
    op.create_table(
        "staff_mark",
        *(sa.Column(name, types.get(name, sa.LargeBinary()), nullable=False) for name in key),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint(*key),
    )
    op.execute(f"INSERT INTO staff_mark {rows}")
    op.drop_table("staff_mark_before")
