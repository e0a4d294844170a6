"""The interface is what it says it is: every answer has a status and a media type that its description names.

Two ways to see it: each call that the journeys know, and schemathesis, which makes requests from the description alone,
with the token of each role, within a fixed budget and from a fixed seed. Whatever is sent, nobody sees a 5xx.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gateway.demo.run import LOG
from tests.conftest import _SEED
from tests.hostile.formats import FORMATS, NDJSON, XML
from tests.journeys.channels import CALLS, CHANNELS, UNSEALED, Case, case
from tests.journeys.support import world_on
from tests.support.world import World

EXAMPLES = int(os.environ.get("HOSTILE_EXAMPLES", "3"))  # of each operation
ROLES = ("police", "hospital", "guardian", "auditor")
MEDIA = (NDJSON, XML, "text/xml", "text/csv", "application/zip", "application/fhir+json", "application/json-patch+json")
"""What another standard describes, and nothing here can be made from."""
DOCUMENTS = [one.good(7) for one in FORMATS]
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_on("sqlite", request, tmp_path_factory.mktemp("described") / "world") as opened:
        yield opened


@pytest.fixture(scope="module")
def document(world: World) -> dict[str, Any]:
    """The description as it is published."""
    found: dict[str, Any] = world.police.http.get("/openapi.json").json()
    return found


@pytest.fixture(scope="module")
def schema(document: dict[str, Any]) -> BaseSchema:
    """The description as it is published, with documents of the formats for what another standard describes."""
    for media in MEDIA:
        schemathesis.openapi.media_type(media, st.binary(max_size=40) | st.sampled_from(DOCUMENTS))
    return schemathesis.openapi.from_dict(document)


@pytest.fixture(scope="module")
def known(world: World) -> Case:
    return case(world)


PAGES = ("/console", "/provider", "/openapi.json")
"""What is for people, or for one browser on its way, and is no part of the interface."""

DESCRIBED = [(route, name, call) for route, name, call in CALLS if not route[1].startswith(PAGES)]


@pytest.mark.parametrize(("route", "name", "call"), DESCRIBED, ids=[f"{one[0][0]} {one[1]}" for one in DESCRIBED])
def test_every_known_call_is_answered_as_described(
    world: World, document: dict[str, Any], known: Case, route: tuple[str, str], name: str, call: Any
) -> None:
    method, path = route
    described = document["paths"][path][method.lower()]["responses"]
    answer = call(world, known)
    status = str(answer.status_code)
    found = described.get(status) or described.get(f"{status[0]}XX")
    assert found is not None, (name, status)
    media = answer.headers.get("content-type", "").partition(";")[0]
    assert media in found["content"] or (media, found["content"]) == ("", {}), name


def _real(known: Case, path: str) -> dict[str, Any]:
    """What the addresses name, as it is there."""
    found: dict[str, Any] = {"log_id": LOG, "agreement_id": LOG, "version": 1, "index": 3, "reference": known.incident}
    found |= {"referral_id": known.task, "hold_id": known.held, "batch_id": known.batch, "match_id": known.match}
    found |= {"type_": "Task", "id_": known.contact if "co-responses" in path else known.task, "item": 2}
    found |= {"id_": known.hospital.waiting} if "hospital-notices" in path else {}
    found |= {"id_": known.hospital.request} if "information-requests" in path else {}
    return {name: value for name, value in found.items() if f"{{{name}}}" in path}


def sent(http: httpx.Client, made: schemathesis.Case[Any]) -> httpx.Response | None:
    """The answer to a request as it was made; None where HTTP cannot carry it."""
    given = made.as_transport_kwargs(base_url="https://gateway.test")
    headers = {name: value for name, value in given["headers"].items() if name.lower() != "authorization"}
    content = given.get("data")
    if "json" in given:
        content = json.dumps(given["json"]).encode()
    try:
        answer = http.request(
            given["method"],
            given["url"],
            params=given.get("params"),
            headers={name: value.encode("latin-1") for name, value in headers.items()},
            content=urlencode(content) if isinstance(content, dict) else content,
        )
    except (UnicodeError, TypeError, httpx.InvalidURL):
        return None
    answer.elapsed = timedelta()  # the bridge to the application measures nothing, and the checks ask
    return answer


def test_every_address_of_the_description_is_served_and_every_line_of_it_is_used(document: dict[str, Any]) -> None:
    from gateway.web.described import _ANSWERS, _BODIES  # noqa: PLC0415 - the tables that must not grow stale

    paths = document["paths"]
    served = {(method, path) for path, methods in paths.items() for method in methods}
    assert set(_ANSWERS) | set(_BODIES) <= served
    assert all(
        operation["responses"].keys() & {"200", "201", "204", "405", "501"}
        for ops in paths.values()
        for operation in ops.values()
    )


ROUTES = [
    (method.lower(), path) for method, path in (*CHANNELS, *UNSEALED) if method != "HEAD" and not path.startswith(PAGES)
]


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=[f"{method} {path}" for method, path in ROUTES])
def test_what_is_made_from_the_description_is_answered_as_described(
    world: World, schema: BaseSchema, known: Case, method: str, path: str
) -> None:
    """As it asks for, and against it; where an address names something, also with what is really there."""
    operation = schema[path][method.upper()]

    @seed(_SEED)
    @settings(max_examples=EXAMPLES, phases=[Phase.generate], database=None, suppress_health_check=list(HealthCheck))
    @given(
        made=operation.as_strategy() | operation.as_strategy(GenerationMode.NEGATIVE),
        role=st.sampled_from(ROLES),
        real=st.booleans(),
    )
    def check(made: schemathesis.Case[Any], role: str, *, real: bool) -> None:
        if real:
            made.path_parameters = {**made.path_parameters, **_real(known, path)}
        answer = sent(getattr(world, role).http, made)
        if answer is not None:
            made.validate_response(answer, checks=CHECKS)

    check()
