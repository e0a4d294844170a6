from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, event

from audit import sql
from audit.note import Signer
from tests.audit.worked import ORIGIN
from tests.support.postgres import Postgres


@pytest.fixture
def signer() -> Signer:
    return Signer.from_seed(ORIGIN, bytes(range(32)))


@pytest.fixture(scope="session")
def postgres_log(postgres: Postgres) -> str:
    """A database with the log's tables, emptied by every test that used it."""
    made = create_engine(postgres.create("log"))
    sql.metadata.create_all(made)
    made.dispose()
    return postgres.url("log")


@pytest.fixture
def engine(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A database with the log's tables and nothing of the gateway's."""
    if engine_name == "postgresql":
        made = create_engine(request.getfixturevalue("postgres_log"))
        yield made
        with made.begin() as conn:
            for table in sql.metadata.sorted_tables:
                conn.execute(table.delete())
    else:
        made = create_engine(f"sqlite:///{tmp_path / 'log.db'}")
        # The driver's own BEGIN would come too late to hold the head: see `audit.sql.lock_head`.
        event.listen(made, "connect", lambda driver, _: setattr(driver, "isolation_level", None))
        event.listen(made, "begin", lambda conn: conn.exec_driver_sql("BEGIN IMMEDIATE"))
        sql.metadata.create_all(made)
        yield made
    made.dispose()
