"""Logs that were kept before blocks were: after the upgrade their entries are found as any others are."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, inspect

from audit import search
from audit import sql as log_sql
from audit.bulk import insert_rows
from audit.facets import BLOCK
from audit.log import Growth, empty_head
from audit.note import Signer
from audit.search import Query
from gateway.store import migrations
from gateway.store.database import Database
from gateway.store.migrations import upgrade
from tests.audit.worked import ORIGIN, entry

SIZE = 2 * BLOCK + 10


def test_a_log_of_the_first_version_is_searched_after_the_upgrade(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    with database.writing() as connection:
        config = Config()
        config.set_main_option("script_location", str(Path(migrations.__file__).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        kept_by_the_first_version(connection)
    upgrade(database)
    with database.reading() as connection:
        assert not inspect(connection).has_table("log_facet")
        case = f"case-{(BLOCK + 5) // 3}"
        expected = [index for index in range(SIZE) if index // 3 == (BLOCK + 5) // 3]
        assert [one.idx for one in search.entries(connection, "a", Query(case=case))] == expected
        assert search.count(connection, "a", Query(user="staff.0001")) == SIZE
    database.close()


def kept_by_the_first_version(connection: Connection) -> None:
    """A log as version 0001 kept it, without what its entries are found by: that is made anew."""
    growth = Growth(empty_head(ORIGIN, signer := Signer.from_seed(ORIGIN, bytes(32))))
    for number in range(SIZE):
        growth.append(entry(number).to_bytes())
    sealed = growth.seal(signer)
    said = [(index, entry(index), body, leaf) for index, body, leaf in sealed.leaves]
    rows = [
        (
            *("a", index, one.id, one.time, one.operation.value, one.outcome.value, one.event),
            *(one.actor.organisation, one.actor.client, one.actor.user, one.record, one.case, body, leaf),
        )
        for index, one, body, leaf in said
    ]
    insert_rows(connection, log_sql.log_entry, rows)
    head = sealed.head
    connection.execute(
        log_sql.log_head.insert().values(
            log_id="a",
            origin=head.origin,
            size=head.size,
            range=b"".join(head.range),
            checkpoint=head.checkpoint,
            updated_at=datetime(2026, 3, 1, tzinfo=UTC),
        )
    )
