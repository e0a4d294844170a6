"""Every format against every hostile input: a clear answer that names the path, and nothing lost.

The test's id is the cell of the table: format, what is done to it, and the answer. For each, whatever the answer:
no value comes back, in the answer, in a log line or in an entry; what is refused is kept for a human with a clock, byte
for byte, or said not to be; and it is sealed under the code that the sender is told.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import func, select

from gateway.demo.client import Client
from gateway.evidence import Event
from gateway.quarantine import Quarantine
from gateway.store import tables
from tests.hostile import archives, inputs, json_inputs, table_inputs, xml_inputs
from tests.hostile.formats import BATCHES, COMMA, EXPORT, INCIDENTS, JSON_API, MARK
from tests.hostile.inputs import READ, Input
from tests.hostile.rows import among_good
from tests.journeys.support import add_client, like, sealed, serial, size, world_on
from tests.support.world import World

TABLE = [
    *inputs.fields(),
    *json_inputs.json(),
    *xml_inputs.xml(),
    *table_inputs.tables(),
    *inputs.everywhere(),
    *archives.archives(),
]
ROWS = [one for one in TABLE if one.format in {JSON_API, COMMA, EXPORT} and among_good(one) is not None]
NAMES_IN_PATHS = ("an object for a text", "NUL in a name", "half a pair in a name")
"""Where the hostile word is a name of the document: the sender, and nobody else, is told its own path."""


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_on("sqlite", request, tmp_path_factory.mktemp("hostile") / "world") as opened:
        yield opened


@pytest.fixture(scope="module")
def clients(world: World) -> dict[str, Client]:
    """A record system for each profile."""
    names = {one.format.profile for one in TABLE}
    return {name: add_client(world, f"rms-{name}", **like("demo-rms", profiles=(name,))) for name in sorted(names)}


def counted(world: World, table: Any) -> int:
    with world.services.database.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def kept(world: World, reference: str) -> tuple[Any, bytes]:
    """What waits for a human under a reference, and its bytes."""
    with world.services.database.reading() as connection:
        row = connection.execute(select(tables.quarantine).where(tables.quarantine.c.id == reference)).one()
        key = connection.execute(select(tables.data_key.c.content_key).where(tables.data_key.c.id == row.id))
        return row, Quarantine(world.services.keyring.content_key).open(row, key.scalar_one())


@contextmanager
def listening() -> Iterator[io.StringIO]:
    """All that any logger says, at every level."""
    said = io.StringIO()
    handler, root = logging.StreamHandler(said), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield said
    finally:
        root.setLevel(before)
        root.removeHandler(handler)


@pytest.mark.parametrize("one", TABLE, ids=[one.name for one in TABLE])
def test_it_is_answered_by_path_and_nothing_is_lost(world: World, clients: dict[str, Client], one: Input) -> None:
    body = one.body(serial())
    start, records, held = size(world), counted(world, tables.record), counted(world, tables.quarantine)
    with listening() as log:
        answer = clients[one.format.profile].post(
            INCIDENTS, content=body, headers={"Content-Type": one.format.media, **one.headers}
        )
    told = answer.json()
    assert answer.status_code == one.status, told
    assert MARK.decode() not in log.getvalue()
    without_receipt = repr({name: value for name, value in told.items() if name != "receipt"})  # random base64
    assert MARK.decode() not in without_receipt or one.attack in NAMES_IN_PATHS
    entries = sealed(world, start=start)
    assert MARK.decode() not in repr(entries)
    if one.code == READ:
        assert told["state"] == "accepted"
        assert counted(world, tables.record) == records + 1
        return
    problem = told["errors"][0]
    assert (told["type"].rpartition(":")[2], problem["code"]) == (one.code, one.code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["path"] == one.path if one.path is not None else problem["path"]
    assert [(e.event, e.outcome.value, e.reason) for e in entries] == [(Event.INPUT_UNREADABLE, "failed", one.code)]
    assert counted(world, tables.record) == records
    is_kept = bool(body) and len(body) <= world.services.settings.body_max_bytes
    assert ("quarantine" in told) is is_kept
    assert counted(world, tables.quarantine) == held + is_kept
    if is_kept:
        row, content = kept(world, told["quarantine"])
        assert content == body
        assert (row.reason, row.risk, row.closed_at) == (one.code, "unknown", None)
        assert row.owner
        assert row.due_at > row.opened_at


@pytest.mark.parametrize("one", ROWS, ids=[f"{one.format.name} batch, {one.attack} -> {one.code}" for one in ROWS])
def test_among_good_rows_it_alone_is_set_aside(world: World, clients: dict[str, Client], one: Input) -> None:
    """In NDJSON, CSV and a zip, with a good row before and behind it."""
    made = among_good(one)
    assert made is not None
    serials = serial(), serial(), serial()
    body = made.body(*serials)
    start, records = size(world), counted(world, tables.record)
    client = clients[one.format.profile]
    with listening() as log:
        answer = client.post(BATCHES, content=body, headers={"Content-Type": made.media})
        rows = client.get(f"{answer.headers['Location']}/rows").json()["rows"]
    assert answer.status_code == 200, answer.text
    assert MARK.decode() not in log.getvalue() + repr(sealed(world, start=start))
    accepted = [row for row in rows if row["state"] == "accepted"]
    bad = [row for row in rows if row["state"] != "accepted"]
    assert counted(world, tables.record) == records + len(accepted)
    if one.code == READ:
        assert (len(accepted), bad) == (3, [])
        return
    assert (len(accepted), len(bad)) == (made.accepted, made.refused), rows
    assert bad[0]["problems"][0]["code"] == one.code
    waiting = b"\n".join(kept(world, row["quarantine"])[1] for row in bad)
    assert one.value is not None
    assert all(line[:1000] in waiting for line in one.value.splitlines())
