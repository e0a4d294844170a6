"""The application as a whole: ids, headers, faces of what is not served, and of what nobody foresaw."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.evidence import OPERATOR_LOG, Event
from gateway.tokens.clients import RevokeClient
from tests.journeys.channels import AUDIT
from tests.journeys.support import add_client, last, like, world_on
from tests.support.world import World

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_on("sqlite", request, tmp_path_factory.mktemp("app") / "world") as opened:
        yield opened


PATHS = ["/police/v1/feedback", "/fhir/R4/Task", f"{AUDIT}/entries", "/health/live", "/nowhere", "/oauth2/token"]


@pytest.mark.parametrize("path", PATHS)
def test_ids_are_mirrored_and_nothing_is_cached(world: World, path: str) -> None:
    answer = world.police.get(path, headers={"X-Request-Id": "req-1.a:b_c", "X-Correlation-Id": "corr-9"})
    assert (answer.headers["X-Request-Id"], answer.headers["X-Correlation-Id"]) == ("req-1.a:b_c", "corr-9")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("hostile", ["", "a b", "a" * 65, "-a", "<script>", "é", "a\tb", "a;b", "a,b"])
def test_hostile_ids_are_replaced(world: World, hostile: str) -> None:
    encoded = hostile.encode("latin-1", "replace")
    answer = world.police.http.get("/health/live", headers=[(b"X-Request-Id", encoded), (b"X-Correlation-Id", encoded)])
    assert UUID.fullmatch(answer.headers["X-Request-Id"])
    assert "X-Correlation-Id" not in answer.headers


def test_ids_are_sealed_with_the_act(world: World) -> None:
    world.police.get("/police/v1/feedback", headers={"X-Request-Id": "req-77", "X-Correlation-Id": "corr-77"})
    assert (last(world).request, last(world).correlation) == ("req-77", "corr-77")


@pytest.mark.parametrize("path", ["/", "/police", "/police/v2/incidents", "/audit/v1", "/audit/v1/logs/x/nothing"])
def test_what_is_not_served_is_a_problem(world: World, path: str) -> None:
    answer = world.police.get(path)
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:provide-gateway:problem:not-found")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
@pytest.mark.parametrize("client", ["demo-hospital", "demo-guardian", "demo-auditor", "demo-rms"])
def test_a_zero_character_is_refused_before_any_database_is_asked(demo: World, client: str) -> None:
    """PostgreSQL does not take one as text, and an error of its own would make a whole batch be tried again."""
    for path in (
        *("/fhir/R4/Task/%00", "/fhir/R4/Task?_id=%00", "/fhir/R4/Task?_cursor=AAAgAA"),
        *("/governance/v1/holds/%00", "/agreements/v1/%00/versions/1", "/police/v1/incidents/a%00b"),
        *(f"{AUDIT}/subjects/%00/disclosures", "/fhir/R4/AuditEvent?patient=%00", "/audit/v1/logs/%00/witnesses"),
    ):
        answer = demo.client(client).get(path)
        assert answer.status_code in {400, 403}, path
    for path in ("/team/v1/referrals/%00/connection", "/notices/v1/%00/acknowledgement"):
        assert demo.client(client).post(path).status_code == 400


@pytest.mark.parametrize(
    ("path", "figures"),
    [
        (path, figures)
        for path in ("/agreements/v1/operation-provide/versions/", f"{AUDIT}/entries/")
        for figures in (16, 5_000)
    ]
    + [("/agreements/v1/operation-provide/versions/", 10)],
)
def test_a_number_too_long_to_hold_names_nothing(world: World, path: str, figures: int) -> None:
    for ending in ("", "/document.pdf", "/proof"):
        assert world.guardian.get(f"{path}{'9' * figures}{ending}").status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/police/v1/incidents"),
        ("PUT", "/police/v1/feedback"),
        ("POST", "/health/live"),
        ("GET", "/oauth2/token"),
    ],
)
def test_a_method_that_is_not_served_is_a_problem(world: World, method: str, path: str) -> None:
    answer = world.police.http.request(method, path)
    assert (answer.status_code, answer.json()["status"]) == (405, 405)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["Allow"]


@pytest.mark.parametrize("path", ["/police/v1/feedback", "/fhir/R4/Task", f"{AUDIT}/entries"])
def test_what_nobody_foresaw_tells_nothing(world: World, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its ids come back all the same, so that an operator can find its line."""

    def fail(*_: Any) -> None:
        raise RuntimeError("Ashdown, 12 Example Row")

    monkeypatch.setattr(type(world.services.tokens), "require", fail)
    client = {"police": world.police, "fhir": world.hospital, "audit": world.auditor}[path.split("/")[1]]
    answer = client.get(path, headers={"X-Request-Id": "req-500"})
    assert answer.status_code == 500
    assert "Ashdown" not in answer.text
    assert "RuntimeError" not in answer.text
    assert answer.headers["X-Request-Id"] == "req-500"
    assert answer.headers["Cache-Control"] == "no-store"
    monkeypatch.undo()
    assert f'gateway_requests_total{{room="{path.split("/")[1]}",status="5xx"}}' in world.police.get("/metrics").text


def test_metrics_count_by_room_and_status_class(world: World) -> None:
    world.police.get("/police/v1/feedback")
    text = world.police.get("/metrics").text
    assert 'gateway_requests_total{room="police",status="2xx"}' in text
    assert 'gateway_request_seconds_count{room="fhir"}' in text
    assert "gateway_journal_waiting 0.0" in text
    assert "operation-provide" not in text


def test_health_needs_no_token(world: World) -> None:
    assert world.police.http.get("/health/live").json() == {"status": "live"}
    assert world.police.http.get("/health/ready").json() == {"status": "ready"}


def test_the_interface_is_described(world: World) -> None:
    paths = world.police.http.get("/openapi.json").json()["paths"]
    assert {"/police/v1/incidents", "/oauth2/token"} <= paths.keys()


def test_a_token_is_good_until_its_client_is_revoked(world: World) -> None:
    client = add_client(world, "short-lived", {"id": "collar-9", "role": "officer-in-case"}, **like("demo-rms"))
    assert client.get("/police/v1/feedback").status_code == 200
    world.services.journals.of(OPERATOR_LOG).submit_and_wait(RevokeClient("short-lived"))
    answer = client.get("/police/v1/feedback")
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:provide-gateway:problem:not-authenticated")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert last(world, OPERATOR_LOG).event == Event.ACCESS_REFUSED


def test_an_assertion_is_good_once(world: World) -> None:
    """Replayed, it is refused with the standard error, and the refusal is sealed."""
    client = world.client("demo-rms", {"id": "collar-8", "role": "officer-in-case"})
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": client.assertion(),
    }
    del client.http.headers["Authorization"]
    first, second = (client.post("/oauth2/token", data=form) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 401)
    assert second.json()["error"] == "invalid_client"
    assert (last(world, OPERATOR_LOG).event, last(world, OPERATOR_LOG).outcome) == (Event.TOKEN_REFUSED, "denied")
    client.sign_in()
