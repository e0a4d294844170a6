"""Whatever is sent, nobody sees a 500: hostile bodies, headers, paths and queries, within what HTTP can carry."""

from __future__ import annotations

import string
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.nhs.fhir import SEARCH
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from tests.journeys.support import JSON_API, PATCH, pushed, serial, world_on
from tests.support.world import World


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_on("sqlite", request, tmp_path_factory.mktemp("fuzz") / "world") as opened:
        yield opened


few = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])

plain = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=12)
documents = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)
header_text = st.text(string.printable.replace("\r", "").replace("\n", "").replace("\x0b", "").replace("\x0c", ""))
path_text = st.text(max_size=40).map(lambda one: quote(one.encode("utf-8", "replace"), safe=""))


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in members:
        yield from places(inner, (*path, key))


PLACES = [path for path in places(incident(1)) if path]


def with_value(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    node = document
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    return document


@few
@given(path=st.sampled_from(PLACES), value=documents)
def test_any_value_anywhere_in_an_incident(world: World, path: tuple[Any, ...], value: Any) -> None:
    """Read, held or refused: and what is refused says where."""
    try:
        body = orjson.dumps(with_value(incident(serial()), path, value))
    except TypeError:  # more digits or depth than this writer writes
        return
    answer = world.police.post("/police/v1/incidents", content=body, headers={"Content-Type": JSON_API})
    assert answer.status_code in {200, 201, 202, 400, 409, 422}, answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"


@few
@given(body=st.binary(max_size=200) | documents.map(repr).map(str.encode), media=header_text, key=header_text)
def test_any_bytes_under_any_headers(world: World, body: bytes, media: str, key: str) -> None:
    headers = {"Content-Type": media, "Idempotency-Key": key, "X-Request-Id": media, "Content-Encoding": key[:8]}
    answer = world.police.post("/police/v1/incidents", content=body, headers=headers)
    assert 400 <= answer.status_code < 500, answer.text


QUERIES = sorted({*(name for declared in SEARCH.values() for name in declared), "_count", "_cursor", "_include"})


@few
@given(
    type_=st.sampled_from([*SEARCH, "Practitioner"]),
    query=st.lists(st.tuples(st.sampled_from(QUERIES) | st.text(max_size=8), st.text(max_size=20)), max_size=3),
)
def test_any_search(world: World, type_: str, query: list[tuple[str, str]]) -> None:
    safe = [
        (name.encode("utf-8", "replace").decode(), value.encode("utf-8", "replace").decode()) for name, value in query
    ]
    answer = world.hospital.get(f"/fhir/R4/{type_}", params=safe)
    assert answer.status_code in {200, 400, 404}, (safe, answer.text)


@few
@given(
    prefix=st.sampled_from(["", "eq", "ne", "gt", "lt", "sa", "ap"]),
    moment=st.datetimes(),
    zone=st.sampled_from(["", "Z", "+14:00", "-12:00", "+99:99"]),
)
def test_any_date(world: World, prefix: str, moment: Any, zone: str) -> None:
    for text in (moment.isoformat() + zone, moment.date().isoformat(), f"{moment.year:04d}"):
        answer = world.hospital.get("/fhir/R4/Task", params={"_lastUpdated": prefix + text})
        assert answer.status_code in {200, 400}, text
        audit = world.auditor.get(f"/audit/v1/logs/{LOG}/entries", params={"from": text, "limit": 1})
        assert audit.status_code in {200, 400}, text


@few
@given(first=path_text, second=path_text, room=st.sampled_from(["fhir/R4", "police/v1/incidents", "audit/v1/logs", ""]))
def test_any_path(world: World, first: str, second: str, room: str) -> None:
    for client in (world.hospital, world.police, world.auditor):
        for path in (
            f"/{room}/{first}",
            f"/{room}/{first}/{second}",
            f"/audit/v1/logs/{LOG}/subjects/{first}/disclosures",
        ):
            assert client.get(path).status_code < 500, path


@few
@given(
    body=st.binary(max_size=120) | documents.map(lambda one: repr(one).encode()),
    media=st.sampled_from([PATCH, "application/fhir+json"]),
)
def test_any_change_of_a_task(world: World, body: bytes, media: str) -> None:
    task = _task(world)
    headers = {"If-Match": 'W/"1"', "Content-Type": media}
    answer = world.hospital.patch(f"/fhir/R4/Task/{task}", content=body, headers=headers)
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"


operations = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "replace", "remove", "test", "copy", "move"])},
    optional={
        "path": st.sampled_from(
            ["/status", "/output", "/output/-", "/businessStatus/coding/0/code", "/id", "", "/x/y"]
        ),
        "value": documents,
        "from": st.sampled_from(["/status", "/id", "/output"]),
    },
)


@few
@given(patch=st.lists(operations, max_size=4))
def test_any_patch_of_a_task(world: World, patch: list[dict[str, Any]]) -> None:
    try:
        body = orjson.dumps(patch)
    except TypeError:
        return
    headers = {"If-Match": 'W/"1"', "Content-Type": PATCH}
    answer = world.hospital.patch(f"/fhir/R4/Task/{pushed(world)[1]}", content=body, headers=headers)
    assert answer.status_code in {200, 400, 409, 422}, answer.text  # 409: a test of the patch fails


def _task(world: World) -> str:
    if id(world) not in _TASKS:
        _TASKS[id(world)] = pushed(world)[1]
    return _TASKS[id(world)]


_TASKS: dict[int, str] = {}
