"""Alembic's entry: runs the steps on the connection that `upgrade` hands over, in its transaction."""

from alembic import context

from audit import sql as log_sql
from gateway.store import tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=[tables.metadata, log_sql.metadata],
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
