"""A Bundle of reads: each entry its own status and its own seal; a transaction as a whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from adapters.nhs.fhir import READS_MAX, parse
from gateway.chance import fresh_id
from gateway.demo.run import LOG
from tests.journeys.channels import Case, case
from tests.journeys.support import sealed, size, world_on
from tests.support.world import World

BASE = "/fhir/R4"
FHIR = {"Content-Type": "application/fhir+json"}


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_on("sqlite", request, tmp_path_factory.mktemp("batch") / "world") as opened:
        yield opened


@pytest.fixture(scope="module")
def one(world: World) -> Case:
    return case(world)


def send(world: World, body: Any, **headers: str) -> httpx.Response:
    return world.hospital.post(BASE, json=body, headers=FHIR | headers)


def bundle(*asked: str | tuple[str, str], kind: str = "batch") -> dict[str, Any]:
    entries = [("GET", one) if isinstance(one, str) else one for one in asked]
    return {
        "resourceType": "Bundle",
        "type": kind,
        "entry": [{"request": {"method": method, "url": url}} for method, url in entries],
    }


def refused(answer: httpx.Response, status_code: int) -> None:
    assert (answer.status_code, answer.json()["resourceType"]) == (status_code, "OperationOutcome"), answer.text


def test_each_entry_has_its_own_answer_in_its_place_and_its_own_seal(world: World, one: Case) -> None:
    before = size(world)
    asked = bundle(
        f"Task/{one.task}",
        f"Patient?_id={one.ids['Patient']}",
        f"Task/{fresh_id()}",
        "Task?colour=red",
        f"ServiceRequest/{one.task}/$everything?_type=Flag",
        ("DELETE", f"Task/{one.task}"),
        "Practitioner",
        f"https://gateway.test{BASE}/Flag/{one.task}.flag?_elements=period",
    )
    answer = send(world, asked)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    parse(answer.content)
    assert body["type"] == "batch-response"
    codes = [entry["response"]["status"][:3] for entry in body["entry"]]
    assert codes == ["200", "200", "404", "400", "200", "400", "404", "200"]
    found = [entry.get("resource", entry["response"].get("outcome")) for entry in body["entry"]]
    kinds = [resource["resourceType"] for resource in found]
    outcome = "OperationOutcome"
    assert kinds == ["Task", "Bundle", outcome, outcome, "Bundle", outcome, outcome, "Flag"]
    assert body["entry"][0]["response"]["etag"].startswith('W/"')
    assert [r["resource"]["id"] for r in found[1]["entry"]] == [one.ids["Patient"]]
    assert found[7]["meta"]["tag"][0]["code"] == "SUBSETTED"
    entries = sealed(world, LOG, before)
    events = sorted(entry.event for entry in entries)
    assert events == ["nothing-found", *["referral-read"] * 4]
    assert {entry.request for entry in entries} == {answer.headers["X-Request-Id"]}
    assert "Gateway-Receipt" in answer.headers


def test_what_identifies_somebody_may_stand_in_a_batch(world: World, one: Case) -> None:
    """It stands in the body, and in no address."""
    answer = send(world, bundle("Patient?family=Ashdown&given=Marianne&_count=1"))
    (entry,) = answer.json()["entry"]
    assert entry["response"]["status"] == "200 OK"
    assert one
    assert "Ashdown" not in "".join(link["url"] for link in entry["resource"]["link"])


def test_a_transaction_is_given_as_a_whole(world: World, one: Case) -> None:
    answer = send(world, bundle(f"Task/{one.task}", f"ServiceRequest/{one.task}", kind="transaction"))
    assert (answer.status_code, answer.json()["type"]) == (200, "transaction-response")
    assert [e["resource"]["resourceType"] for e in answer.json()["entry"]] == ["Task", "ServiceRequest"]


@pytest.mark.parametrize(
    ("other", "status_code"),
    [(f"Task/{'0' * 8}", 404), ("Task?colour=red", 400), (("PUT", "Task/x"), 400), ("Practitioner/1", 404)],
)
def test_a_transaction_that_fails_in_one_entry_gives_nothing(
    world: World, one: Case, other: str | tuple[str, str], status_code: int
) -> None:
    refused(send(world, bundle(f"Task/{one.task}", other, kind="transaction")), status_code)


@pytest.mark.parametrize(
    ("body", "status_code"),
    [
        ({"resourceType": "Bundle", "type": "searchset"}, 400),
        ({"resourceType": "Bundle", "type": "message"}, 400),
        ({"resourceType": "Bundle", "type": "batch"}, 400),
        ({"resourceType": "Bundle", "type": "batch", "entry": [{"fullUrl": "urn:x"}]}, 400),
        ({"resourceType": "Bundle", "type": "batch", "entry": [{"request": {"method": "GET"}}]}, 422),
        ({"resourceType": "Patient"}, 400),
        ({"resourceType": "Bundle", "type": "batch", "entry": "x"}, 422),
        ([], 400),
    ],
)
def test_what_is_no_batch_is_refused(world: World, body: Any, status_code: int) -> None:
    refused(send(world, body), status_code)


@pytest.mark.parametrize("url", ["https://elsewhere.test/fhir/R4/Task/1", "Task/%00", "Task#x"])
def test_an_address_outside_this_base_is_refused(world: World, url: str) -> None:
    refused(send(world, bundle(url)), 400)


@pytest.mark.parametrize(
    "url", ["", "/", "Task/1/2/3/4", "Task//1", "metadata", "AuditEvent", "$everything", "../x", "//elsewhere/Task"]
)
def test_an_address_of_nothing_is_answered_in_its_place(world: World, url: str) -> None:
    answer = send(world, bundle(url or " "))
    assert answer.status_code in {200, 400, 422}
    if answer.status_code == 200:
        assert answer.json()["entry"][0]["response"]["status"][:3] in {"400", "404"}


def test_the_number_of_entries_is_bounded(world: World, one: Case) -> None:
    assert send(world, bundle(*[f"Flag/{one.task}.flag"] * READS_MAX)).status_code == 200
    refused(send(world, bundle(*[f"Flag/{one.task}.flag"] * (READS_MAX + 1))), 413)


def test_without_the_scope_no_entry_is_looked_at(world: World, one: Case) -> None:
    answer = world.police.post(BASE, json=bundle(f"Task/{one.task}"), headers=FHIR)
    refused(answer, 403)
    nobody = FHIR | {"Authorization": "Bearer none"}
    refused(world.hospital.http.post(BASE, json=bundle(f"Task/{one.task}"), headers=nobody), 401)


def test_an_unknown_parameter_is_passed_over_in_every_entry_where_the_caller_wishes_so(world: World, one: Case) -> None:
    answer = send(world, bundle(f"Task?_id={one.task}&colour=red"), Prefer="handling=lenient")
    (entry,) = answer.json()["entry"]
    assert [e["search"]["mode"] for e in entry["resource"]["entry"]] == ["match", "outcome"]
