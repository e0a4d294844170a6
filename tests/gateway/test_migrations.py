"""The schema's history: what its steps make is what the code declares, however many processes make it at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from audit import sql as log_sql
from gateway.store import migrations, tables
from gateway.store.database import Database
from gateway.store.migrations import HEAD, current, upgrade

PROCESSES = 3


def _difference(database: Database) -> list[object]:
    """What would have to be changed in a database for it to be as declared."""
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        declared = [tables.metadata, log_sql.metadata]
        return list(compare_metadata(context, declared))  # type: ignore[arg-type]  # Alembic takes several, its types one


def test_the_steps_make_what_the_tables_declare(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    assert current(database) is None
    upgrade(database)
    assert current(database) == HEAD
    assert _difference(database) == []
    database.close()


def test_the_comparison_would_notice_a_missing_table_and_a_missing_index(database: Database) -> None:
    with database.writing() as connection:
        connection.exec_driver_sql("DROP INDEX outbox_referral")
        connection.exec_driver_sql("DROP TABLE revocation")
    assert len(_difference(database)) == 2


def test_the_newest_step_is_the_one_the_code_asks_for() -> None:
    folder = Path(migrations.__file__).parent
    config = Config()
    config.set_main_option("script_location", str(folder))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]
    newest = max(path.name for path in (folder / "versions").glob("[0-9]*.py"))
    assert newest.partition("_")[0] == HEAD


def test_a_database_that_is_there_already_is_left_alone(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        pytest.fail("the database was written to")

    monkeypatch.setattr(database, "writing", never)
    upgrade(database)


_UPGRADE = """
import sys
from gateway.store.database import Database
from gateway.store.migrations import upgrade
database = Database(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
upgrade(database)
database.close()
"""


def test_processes_that_upgrade_at_once_make_one_schema(empty_database_url: str) -> None:
    """Replicas that are started together, each of which finds the database empty."""
    command = [sys.executable, "-W", "error", "-c", _UPGRADE, empty_database_url]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    processes = [subprocess.Popen(command, **pipes, text=True) for _ in range(PROCESSES)]  # type: ignore[call-overload]
    for one in processes:
        assert one.stdout.readline() == "ready\n"
    for one in processes:
        one.stdin.write("go\n")
        one.stdin.flush()
    said = [one.communicate(timeout=60) for one in processes]
    assert [one.returncode for one in processes] == [0] * PROCESSES, said
    database = Database(empty_database_url)
    assert current(database) == HEAD
    assert _difference(database) == []
    database.close()
