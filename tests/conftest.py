"""What the whole suite shares: both engines, services over them, and a prepared world with signed-in clients.

`engine_name` runs a test on SQLite and on PostgreSQL. A test that has nothing to do with the engine asks for one:
`@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)`.
"""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import hypothesis
import pytest

from gateway.keys import FILE_NAME
from gateway.services import Services, open_services
from gateway.store.database import Database
from gateway.store.migrations import upgrade
from tests.support.once import make_once
from tests.support.postgres import Postgres, running
from tests.support.world import World, copy_rows, copy_template, open_world, prepare_template, settings_for

MEMORY = Path("/dev/shm")  # noqa: S108 - a file system in memory, where Linux has one
ROOM_BYTES = 4 * 2**30  # a run needs about 1 GiB; a container may give 64 MiB

if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ROOM_BYTES:
    # Nothing here has to outlive the machine, and a database made for one test is mostly the making of files.
    os.environ["TMPDIR"], tempfile.tempdir = str(MEMORY), None

make_once()

hypothesis.settings.register_profile("suite", deadline=None, print_blob=True)
hypothesis.settings.load_profile("suite")


@pytest.fixture(scope="session")
def seed() -> int:
    """The seed of everything a test draws at random; said in the header, set by TEST_SEED."""
    return _SEED


_SEED = int(os.environ.get("TEST_SEED", "20260412"))


def pytest_report_header() -> str:
    return f"random seed: {_SEED} (TEST_SEED)"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported and collected stays to the end: looking it through again and again was a third of the work."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _bytecode_shared(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Where Python may keep no bytecode, the programs that tests start share what the first of them compiled."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
        os.environ["PYTHONPYCACHEPREFIX"] = str(shared / "bytecode")


@pytest.fixture(params=["sqlite", "postgresql"])
def engine_name(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A server for the whole session, which forgets what it committed if the machine stops: nothing here tests that."""
    with running(durable=False) as server:
        yield server


@pytest.fixture(scope="session")
def prepared_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of a prepared world, to be copied."""
    data_dir = tmp_path_factory.mktemp("world") / "data"
    prepare_template(data_dir)
    return data_dir


@pytest.fixture(scope="session")
def sqlite_migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the gateway's tables, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "gateway.sqlite3"
    database = Database(f"sqlite:///{path}")
    upgrade(database)
    database.close()  # its write-ahead log is then part of the file
    return path


@pytest.fixture(scope="session")
def postgres_migrated(postgres: Postgres) -> str:
    """A database with the gateway's tables, to be copied."""
    database = Database(postgres.create("migrated"))
    upgrade(database)
    database.close()
    return "migrated"


@pytest.fixture(scope="session")
def postgres_world(postgres: Postgres, postgres_migrated: str, prepared_world: Path) -> str:
    """A database with the prepared world's rows, to be copied."""
    copy_rows(prepared_world, postgres.create("world", postgres_migrated))
    return "world"


@pytest.fixture
def new_database(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Makes databases of the engine, each like a template, and removes them at the end.

    The template is "template0" (empty), or the name of a session fixture that makes one on PostgreSQL. On SQLite
    every other template has the tables alone.
    """
    if engine_name == "sqlite":

        def copied(template: str) -> str:
            path = tmp_path / f"{uuid.uuid4()}.sqlite3"
            if template != "template0":
                shutil.copyfile(request.getfixturevalue("sqlite_migrated"), path)
            return f"sqlite:///{path}"

        yield copied
        return
    server: Postgres = request.getfixturevalue("postgres")
    made: list[str] = []

    def make(template: str) -> str:
        made.append(f"t{uuid.uuid4().hex}")
        known = template if template == "template0" else request.getfixturevalue(template)
        return server.create(made[-1], known)

    yield make
    for name in made:
        server.drop(name)


@pytest.fixture
def empty_database_url(new_database: Callable[[str], str]) -> str:
    """A database without any table."""
    return new_database("template0")


@pytest.fixture
def database_url(new_database: Callable[[str], str]) -> str:
    """A database with the gateway's tables and no rows."""
    return new_database("postgres_migrated")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An open database with the gateway's tables and no rows."""
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def services(database_url: str, prepared_world: Path, tmp_path: Path) -> Iterator[Services]:
    """Services over a database with the operator's log and nothing else, under the session's keys."""
    keys = tmp_path / "services" / "keys"
    keys.mkdir(parents=True, mode=0o700)
    (keys / FILE_NAME).touch(mode=0o600)
    (keys / FILE_NAME).write_bytes((prepared_world / "keys" / FILE_NAME).read_bytes())
    opened = open_services(settings_for(tmp_path / "services", database_url))
    yield opened
    opened.close()


@pytest.fixture
def demo(engine_name: str, new_database: Callable[[str], str], prepared_world: Path, tmp_path: Path) -> Iterator[World]:
    """The prepared world: the agreement in force, `police`, `hospital` and `auditor` ready to call the application."""
    data_dir = tmp_path / "world"
    copy_template(prepared_world, data_dir, with_database=engine_name == "sqlite")
    url = None if engine_name == "sqlite" else new_database("postgres_world")
    world = open_world(settings_for(data_dir, url))
    yield world
    world.close()
