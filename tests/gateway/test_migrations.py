"""The schema's history: what its steps make is what the code declares, however many processes make it at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import select, text

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


def test_marks_of_staff_from_before_close_cases_at_every_organisation_that_may_have_registered_them(
    empty_database_url: str,
) -> None:
    """Nobody's case is opened by the upgrade; going back leaves one mark for each id."""
    database = Database(empty_database_url)
    migrate(database, "0006")
    with database.writing() as connection:
        for name, organisation in (("rms", "04"), ("ehr", "RXL"), ("desk", "RXL")):
            insert = text(
                "INSERT INTO client (id, name, organisation, scopes, agreements, jwks, created_at) "
                "VALUES (:id, :id, :organisation, '[]', '[]', '{}', '2026-01-01')"
            )
            connection.execute(insert, {"id": name, "organisation": organisation})
        insert = text(
            "INSERT INTO person (id, organisation, content, content_key, version, created_at, changed_at) "
            "VALUES ('dpo', 'RTX', :sealed, :sealed, 1, '2026-01-01', '2026-01-01')"
        )
        connection.execute(insert, {"sealed": b"\1"})
        for user in ("Idva-1", "idva-1"):
            insert = text(
                "INSERT INTO staff_mark (log_id, user_id, kind, digest, created_at) "
                "VALUES ('log', :user, 'case', :digest, '2026-01-02')"
            )
            connection.execute(insert, {"user": user, "digest": b"\1"})
    upgrade(database)
    with database.reading() as connection:
        marks = connection.execute(select(tables.staff_mark).order_by(tables.staff_mark.c.organisation)).all()
    assert [(one.organisation, one.user_id, bytes(one.digest)) for one in marks] == [
        ("04", "idva-1", b"\1"),
        ("RTX", "idva-1", b"\1"),
        ("RXL", "idva-1", b"\1"),
    ]
    migrate(database, "0006", down=True)
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT user_id FROM staff_mark").scalars().all() == ["idva-1"]
    upgrade(database)
    assert _difference(database) == []
    database.close()


def migrate(database: Database, to: str, *, down: bool = False) -> None:
    """Bring a database to one step."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with database.writing() as connection:
        config.attributes["connection"] = connection
        (command.downgrade if down else command.upgrade)(config, to)


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
