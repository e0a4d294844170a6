"""The schema's history (Alembic): the same steps on SQLite and PostgreSQL, run at start and by `gateway init`.

`upgrade` brings a database to the newest step, one process at a time. A test compares what the steps make with what
`tables` and `audit.sql` declare.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text

from gateway.store.database import Database

HEAD = "0007"
"""The newest step; a test compares it with the versions folder."""

_LOCK = 0x50524F56  # any number of our own: PostgreSQL advisory locks are named by numbers


class SchemaUnknown(Exception):
    """The database is at a step that is not known here: a later version of the gateway has been at work in it."""


def upgrade(database: Database) -> None:
    """Bring the schema to the newest step. A database that is there already costs one query. Raises SchemaUnknown."""
    if current(database) == HEAD:
        return
    from alembic import command  # noqa: PLC0415 - 350 ms that only an upgrade needs
    from alembic.config import Config  # noqa: PLC0415 - as above
    from alembic.util import CommandError  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with database.writing() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError:
            raise SchemaUnknown("the database is of a later version of the gateway, and is left as it is") from None


def current(database: Database) -> str | None:
    """The step the database is at, or None where it is empty."""
    with database.reading() as connection:
        if not connection.dialect.has_table(connection, "alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
