from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, event

from audit import sql
from audit.note import Signer
from tests.audit.worked import ORIGIN


@pytest.fixture
def signer() -> Signer:
    return Signer.from_seed(ORIGIN, bytes(range(32)))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A database with the log's tables. PostgreSQL joins through tests/support."""
    made = create_engine(f"sqlite:///{tmp_path / 'log.db'}")
    # The driver's own BEGIN would come too late to hold the head: see `audit.sql.lock_head`.
    event.listen(made, "connect", lambda driver, _: setattr(driver, "isolation_level", None))
    event.listen(made, "begin", lambda conn: conn.exec_driver_sql("BEGIN IMMEDIATE"))
    sql.metadata.create_all(made)
    yield made
    made.dispose()
