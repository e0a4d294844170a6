"""The police interface at its edges: each fault of an input has its own answer, is kept for a human, and is sealed."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import func, select

from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from gateway.evidence import OPERATOR_LOG, Event
from gateway.store import tables
from tests.journeys.support import JSON_API, add_client, last, like, pushed, sealed, serial, size, world_on
from tests.support.world import World

INCIDENTS = "/police/v1/incidents"
MEDIA = {"Content-Type": JSON_API}


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_on("sqlite", request, tmp_path_factory.mktemp("police") / "world") as opened:
        yield opened


def with_attribute(text: bytes) -> bytes:
    """An incident whose description is these bytes of JSON."""
    return orjson.dumps(incident(1, description="HERE")).replace(b'"HERE"', text, 1)


NESTED = b'{"a":' * 30 + b"1" + b"}" * 30
WHOLE = orjson.dumps(incident(1))

FAULTS: dict[str, tuple[bytes, int, str, str]] = {
    "empty": (b"", 400, "truncated", ""),
    "a duplicate key": (b'{"data": {"type": "incident", "type": "incident"}}', 400, "duplicate-key", "data.type"),
    "NaN": (with_attribute(b"NaN"), 400, "not-a-number", "data.attributes.incidentDescription"),
    "Infinity": (with_attribute(b"-Infinity"), 400, "not-a-number", "data.attributes.incidentDescription"),
    "too large a number": (with_attribute(b"1e999"), 400, "not-a-number", "data.attributes.incidentDescription"),
    "a huge number": (with_attribute(b"9" * 400), 400, "number-too-large", "data.attributes.incidentDescription"),
    "a lone surrogate": (with_attribute(b'"\\ud800"'), 400, "lone-surrogate", "data.attributes.incidentDescription"),
    "a NUL": (with_attribute(b'"a\\u0000b"'), 400, "nul-character", "data.attributes.incidentDescription"),
    "UTF-16": (WHOLE.decode().encode("utf-16"), 415, "wrong-charset", ""),
    "Latin-1": (with_attribute('"caf\xe9"'.encode("latin-1")), 415, "wrong-charset", ""),
    "cut off": (WHOLE[:-20], 400, "truncated", ""),
    "garbage after it": (WHOLE + b"x", 400, "malformed", ""),
    "garbage": (b"<incident/>", 400, "malformed", ""),
    "too deep": (with_attribute(NESTED), 400, "too-deep", ""),
    "a hundred thousand arrays": (b"[" * 100_000, 400, "too-deep", ""),
    "too many elements": (with_attribute(b"[" + b"1," * 30_000 + b"1]"), 400, "too-many-elements", ""),
    "too long a text": (with_attribute(b'"' + b"a" * 70_000 + b'"'), 400, "text-too-long", ""),
    "a list": (b"[1]", 422, "wrong-type", ""),
    "no data": (b"{}", 422, "missing", "data"),
    "data that is a text": (b'{"data": "incident"}', 422, "wrong-type", "data"),
}


def post(world: World, body: Any, **headers: str) -> httpx.Response:
    return world.police.post(INCIDENTS, content=body, headers={**MEDIA, **headers})


def count(world: World, table: Any) -> int:
    with world.services.database.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_has_its_own_answer_is_kept_once_and_sealed(world: World, name: str) -> None:
    body, status, fault, path = FAULTS[name]
    before, kept, records = size(world), count(world, tables.quarantine), count(world, tables.record)
    answers = [post(world, body) for _ in range(2)]
    for answer in answers:
        problem = answer.json()
        assert (answer.status_code, problem["type"]) == (status, f"urn:provide-gateway:problem:{fault}"), problem
        assert answer.headers["content-type"] == "application/problem+json"
        assert problem["status"] == status
        assert problem["errors"][0]["path"].startswith(path)
        assert problem["errors"][0]["code"] == fault
        assert b"Ashdown" not in answer.content
    assert answers[0].json().get("quarantine") == answers[1].json().get("quarantine")
    assert count(world, tables.quarantine) == kept + (1 if body else 0)
    assert count(world, tables.record) == records
    assert [(one.event, one.outcome, one.reason) for one in sealed(world, LOG, before)] == [
        (Event.INPUT_UNREADABLE, "failed", fault)
    ] * 2


@pytest.mark.parametrize(
    ("headers", "kept_type"),
    [
        ({"Content-Type": "text/csv"}, "text/csv"),
        ({"Content-Type": "application/xml; charset=utf-8"}, "application/xml"),
        ({"Content-Type": "application/vnd.api+json; charset=utf-16"}, "application/vnd.api+json"),
        ({"Content-Type": "Text/Of-Somebody; name=x"}, "unknown"),
        ({"Content-Type": ";;;"}, "unknown"),
        ({"Content-Type": ""}, "unknown"),
        ({"Content-Encoding": "gzip"}, "application/vnd.api+json"),
    ],
    ids=str,
)
def test_another_type_is_kept_for_a_human_too(world: World, headers: dict[str, str], kept_type: str) -> None:
    body = gzip.compress(WHOLE) if "Content-Encoding" in headers else b"type,%d" % serial()
    answer = post(world, body, **headers)
    assert (answer.status_code, answer.json()["type"]) == (415, "urn:provide-gateway:problem:media-type")
    with world.services.database.reading() as connection:
        table = tables.quarantine
        found = connection.execute(select(table).where(table.c.id == answer.json()["quarantine"])).one()
    assert (found.media_type, found.reason) == (kept_type, "media-type")
    assert last(world).event == Event.INPUT_UNREADABLE


@pytest.mark.parametrize("media", ["application/vnd.api+json", "application/json", "Application/JSON;charset=UTF-8"])
def test_the_types_that_are_read(world: World, media: str) -> None:
    assert post(world, orjson.dumps(incident(serial())), **{"Content-Type": media}).status_code == 201


def test_a_byte_order_mark_is_tolerated(world: World) -> None:
    assert post(world, b"\xef\xbb\xbf" + orjson.dumps(incident(serial()))).status_code == 201


@pytest.mark.parametrize("declared", [True, False])
def test_too_large_is_refused_unread_and_sealed(world: World, *, declared: bool) -> None:
    """With its length declared, and in pieces without a length. No body is kept: nobody could have read all of it."""
    chunk = b" " * 65_536

    def pieces() -> Iterator[bytes]:
        for _ in range(17):
            yield chunk

    before = count(world, tables.quarantine)
    answer = post(world, chunk * 17 if declared else pieces())
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:provide-gateway:problem:too-large")
    assert "quarantine" not in answer.json()
    assert count(world, tables.quarantine) == before
    assert (last(world).event, last(world).reason) == (Event.INPUT_UNREADABLE, "too-large")


@pytest.mark.parametrize("key", ["", "two words", "a" * 256, "é".encode().decode("latin-1"), "a\tb"])
def test_an_idempotency_key_is_a_code(world: World, key: str) -> None:
    answer = world.police.http.post(
        INCIDENTS,
        content=orjson.dumps(incident(serial())),
        headers=[(b"Content-Type", JSON_API.encode()), (b"Idempotency-Key", key.encode("latin-1"))],
    )
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:provide-gateway:problem:bad-parameter")


def test_one_idempotency_key_is_enough(world: World) -> None:
    answer = world.police.http.post(
        INCIDENTS,
        content=orjson.dumps(incident(serial())),
        headers=[("Content-Type", JSON_API), ("Idempotency-Key", "a"), ("Idempotency-Key", "b")],
    )
    assert answer.status_code == 400


def test_an_answer_tells_what_was_lost_and_what_is_odd(world: World) -> None:
    """By paths; and what was withheld from whom, by which clause, in words."""
    body = world.push(incident(serial())).json()
    assert {"path": "data.attributes.hairColourOfDog", "reason": "no-row"} in body["losses"]["paths"]
    assert body["losses"]["count"] >= 1
    (decision,) = [one for one in body["decisions"] if one["recipient"] == "idva-team"]
    items = {one["item"]: one for one in decision["withheld"]}
    assert items["third_party.name"].keys() == {"item", "clause", "words", "title"}


def test_the_state_of_an_incident_follows_what_police_may_know(world: World) -> None:
    reference, _ = pushed(world)
    answer = world.police.get(f"{INCIDENTS}/{reference}")
    assert (answer.status_code, answer.json()["state"], answer.json()["feedback"]) == (200, "offered", [])
    assert last(world).event == Event.NOTHING_FOUND


@pytest.mark.parametrize("query", ["after=x", "after=1&after=2", "limit=1e3", "after=" + "9" * 19, "limit="])
def test_a_cursor_is_a_number(world: World, query: str) -> None:
    answer = world.police.get(f"/police/v1/feedback?{query}")
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:provide-gateway:problem:bad-parameter")


@pytest.mark.parametrize("query", ["after=-1", "limit=0", "limit=-5", "limit=9999", "after=" + "9" * 18])
def test_numbers_out_of_reach_are_brought_within(world: World, query: str) -> None:
    assert world.police.get(f"/police/v1/feedback?{query}").status_code == 200


def test_an_acknowledgement_is_kept_and_needs_its_cursor(world: World) -> None:
    assert world.police.post("/police/v1/feedback/acknowledgements").status_code == 400
    answer = world.police.post("/police/v1/feedback/acknowledgements?through=5")
    assert (answer.status_code, answer.json()["acknowledged_through"]) == (200, 5)
    assert (last(world).event, (last(world).detail or {})["through"]) == (Event.FEEDBACK_ACKNOWLEDGED, 5)


def test_a_client_of_several_agreements_is_told_so(world: World) -> None:
    client = add_client(
        world, "two-agreements", {"id": "x-1", "role": "officer"}, **like("demo-rms", agreements=[LOG, "second"])
    )
    answer = client.post(INCIDENTS, content=WHOLE, headers=MEDIA)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:provide-gateway:problem:bad-parameter")


@pytest.mark.parametrize(
    ("authorization", "status", "reason"),
    [
        (None, 401, "token-missing"),
        ("Basic YTpi", 401, "token-missing"),
        ("Bearer ", 401, "token-malformed"),
        ("Bearer a b", 401, "token-malformed"),
        ("Bearer not.a.token", 401, "token-forged"),
    ],
)
def test_without_a_good_token_nobody_is_let_in_and_it_is_sealed(
    world: World, authorization: str | None, status: int, reason: str
) -> None:
    headers = {**MEDIA, **({"Authorization": authorization} if authorization else {})}
    request = httpx.Request("POST", f"https://gateway.test{INCIDENTS}", content=WHOLE, headers=headers)
    answer = world.police.http.send(request)
    assert answer.status_code == status
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    entry = last(world, OPERATOR_LOG)
    assert (entry.event, entry.outcome, entry.reason) == (Event.ACCESS_REFUSED, "denied", reason)
    assert entry.request == answer.headers["X-Request-Id"]


def test_a_good_token_without_the_scope_is_not_enough(world: World) -> None:
    answer = world.hospital.post(INCIDENTS, content=WHOLE, headers=MEDIA)
    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]
    entry = last(world, OPERATOR_LOG)
    assert (entry.event, entry.reason, entry.actor.client) == (Event.ACCESS_REFUSED, "scope-missing", "demo-hospital")
