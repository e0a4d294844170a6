"""AuditEvents over HTTP: what can be asked, that pages hold still, whose logs are read, and that looking is sealed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import orjson
import pytest
from fhir.resources.R4B.bundle import Bundle

from audit.encoding import from_base64, to_base64
from audit.tree import leaf_hash
from gateway.demo.run import LOG
from gateway.evidence import OPERATOR_LOG, Event
from gateway.web.auditevent import _name
from tests.journeys.channels import CALLS, case
from tests.journeys.support import add_client, like, sealed, size, world_on
from tests.support.world import World

AT = "/fhir/R4/AuditEvent"


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_on("sqlite", request, tmp_path_factory.mktemp("auditevent") / "world") as opened:
        own = case(opened)
        for _, _, call in CALLS:
            assert call(opened, own).status_code < 500
        yield opened


def search(world: World, **params: Any) -> dict[str, Any]:
    answer = world.auditor.get(AT, params=params or None)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/fhir+json"
    body: dict[str, Any] = answer.json()
    return body


def resources(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [one["resource"] for one in body.get("entry", ())]


def following(body: dict[str, Any]) -> dict[str, str] | None:
    url = next((one["url"] for one in body["link"] if one["relation"] == "next"), None)
    return dict(parse_qsl(urlsplit(url).query)) if url else None


def whole(world: World, **params: Any) -> list[dict[str, Any]]:
    """Every match, page by page."""
    found: list[dict[str, Any]] = []
    asked: dict[str, Any] | None = {"_count": 100, **params}
    while asked is not None:
        body = search(world, **asked)
        found += resources(body)
        asked = following(body)
    return found


def sealed_as(resource: dict[str, Any], name: str) -> Any:
    (one,) = [part for part in resource["extension"][0]["extension"] if part["url"] == name]
    return next(value for key, value in one.items() if key.startswith("value"))


def test_a_page_is_a_bundle_of_the_newest_and_every_entry_can_be_proved(world: World) -> None:
    body = search(world, _count=5)
    Bundle.model_validate(body)
    found = resources(body)
    assert len(found) == 5
    stored = {one.idx: one for one in world.entries(LOG)}
    for one in found:
        index = sealed_as(one, "index")
        assert one["id"] == f"{LOG}.{index}"
        assert sealed_as(one, "leafHash") == to_base64(leaf_hash(stored[index].body))
        assert world.auditor.get(urlsplit(sealed_as(one, "proof")).path).status_code == 200
        assert len(from_base64(sealed_as(one, "leafHash"))) == 32
    assert [sealed_as(one, "index") for one in found] == sorted(
        (sealed_as(one, "index") for one in found), reverse=True
    )


def test_pages_hold_every_entry_of_every_log_once_although_looking_adds_more(world: World) -> None:
    sizes = {log: size(world, log) for log in (LOG, OPERATOR_LOG)}
    found = whole(world, _count=13)
    ids = [one["id"] for one in found]
    assert len(ids) == len(set(ids))
    assert set(ids) >= {f"{log}.{index}" for log, upto in sizes.items() for index in range(upto)}


def test_a_page_that_ends_where_a_log_ends_goes_on_in_the_next(world: World) -> None:
    upto = size(world, LOG)
    body = search(world, _count=100, date="lt2020")
    assert resources(body) == []
    assert following(body) is None
    ids = ",".join([f"{LOG}.0", f"{LOG}.1", f"{OPERATOR_LOG}.0"])
    body = search(world, _id=ids, _count=2, _total="accurate")
    assert [one["id"] for one in resources(body)] == [f"{LOG}.1", f"{LOG}.0"]
    assert body["total"] == 3
    after = following(body)
    assert after is not None
    assert [one["id"] for one in resources(search(world, **after))] == [f"{OPERATOR_LOG}.0"]
    assert size(world, LOG) > upto


CODES: dict[str, Any] = {
    "action": lambda one: {one["action"]},
    "outcome": lambda one: {one["outcome"]},
    "type": lambda one: {one["type"]["code"], f"{one['type']['system']}|{one['type']['code']}"},
    "subtype": lambda one: {code["code"] for code in one["subtype"]},
    "policy": lambda one: {policy for agent in one["agent"] for policy in agent.get("policy", ()) if "urn" in policy},
    "patient": lambda one: {
        entity["what"]["reference"]
        for entity in one["entity"]
        if entity.get("what", {}).get("reference", "").startswith("Patient/")
    },
    "entity": lambda one: {
        entity["what"]["reference"] for entity in one["entity"] if "reference" in entity.get("what", {})
    },
    "agent:identifier": lambda one: {
        agent["who"]["identifier"]["value"]
        for agent in one["agent"]
        if agent["who"]["identifier"]["system"].endswith(("/client", "gateway.test"))
    },
}


@pytest.mark.parametrize("name", CODES)
def test_a_parameter_finds_exactly_what_shows_its_value(world: World, name: str) -> None:
    """Against a walk over every AuditEvent, as the resources show themselves."""
    of = CODES[name]
    every = whole(world)
    upto = {log: size(world, log) for log in (LOG, OPERATOR_LOG)}
    values = sorted({value for one in every for value in of(one)})
    assert values
    for value in values[:6]:
        expected = {one["id"] for one in every if value in of(one)}
        found = {one["id"] for one in whole(world, **{name: value})}
        later = {one for one in found if int(one.rpartition(".")[2]) >= upto[one.rpartition(".")[0]] - 30}
        assert found - later <= expected <= found, f"{name}={value}"
        total = search(world, _total="accurate", _count=1, **{name: value})["total"]
        assert total >= len(expected)


def test_agents_are_found_by_type_and_id(world: World) -> None:
    for reference, events in (
        ("Device/demo-rms", {"incident-accepted", "token-issued"}),
        ("Practitioner/idva-0042", set()),
        ("Organization/04", {"incident-accepted"}),
        ("demo-rms", {"incident-accepted"}),
    ):
        found = {sealed_as(one, "event") for one in whole(world, agent=reference)}
        assert found >= events, reference
    assert whole(world, agent="Group/demo-rms") == []


def test_dates_bound_and_combine(world: World) -> None:
    every = whole(world, date="ge2020-01-01")
    assert every
    middle = every[len(every) // 2]["recorded"]
    before, after = whole(world, date=f"lt{middle}"), whole(world, date=f"ge{middle}")
    assert all(one["recorded"] < middle for one in before)
    assert all(one["recorded"] >= middle for one in after)
    assert {one["id"] for one in every} <= {one["id"] for one in [*before, *after]}
    day = middle[:10]
    assert search(world, date=day, _total="accurate")["total"] > 0
    params = [("date", f"ge{day}"), ("date", f"lt{day}")]
    assert "entry" not in world.auditor.get(AT, params=params).json()


def test_a_form_asks_the_same(world: World) -> None:
    form = {"action": "C", "_count": "3"}
    by_form = world.auditor.post(f"{AT}/_search", data=form)
    assert by_form.status_code == 200, by_form.text
    assert [one["id"] for one in resources(by_form.json())] == [one["id"] for one in resources(search(world, **form))]
    wrong = world.auditor.post(f"{AT}/_search", json=form)
    assert wrong.status_code == 415


@pytest.mark.parametrize(
    "query",
    [
        "nonsense=1",
        "action=C&action=R",
        "_count=0",
        "_total=perhaps",
        "date=soon",
        "date=ne2026",
        "date=",
        "patient=%00",
        "agent=" + "," * 5_000,
        "_cursor=abc",
        "_cursor=OS5ub3doZXJl",
        "patient:missing=true",
    ],
)
def test_what_is_not_declared_is_refused_with_an_outcome(world: World, query: str) -> None:
    answer = world.auditor.get(f"{AT}?{query}")
    assert answer.status_code == 400, query
    assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("query", ["outcome=99", "type=zzz", "policy=https://example.org", "entity=Basic/1", "_id=x"])
def test_a_value_that_nothing_has_finds_nothing(world: World, query: str) -> None:
    answer = world.auditor.get(f"{AT}?{query}&_total=accurate")
    assert (answer.status_code, answer.json()["total"]) == (200, 0)


def test_one_is_read_by_its_id(world: World) -> None:
    (listed,) = resources(search(world, _id=f"{LOG}.2"))
    answer = world.auditor.get(f"{AT}/{LOG}.2")
    assert (answer.status_code, answer.json()) == (200, listed)


def outcome(answer: httpx.Response) -> tuple[int, bytes]:
    return answer.status_code, orjson.dumps({**answer.json(), "id": None})


def test_a_log_of_others_looks_as_if_there_is_none(world: World) -> None:
    about = like("demo-auditor", scopes=["audit:log.read"], agreements=["another-agreement"])
    other = add_client(world, "other-auditor", None, **about)
    assert resources(other.get(AT).json()) == []
    there, nowhere = other.get(f"{AT}/{LOG}.2"), other.get(f"{AT}/no-such-log.2")
    assert outcome(there) == outcome(nowhere)
    assert there.status_code == 404
    assert sealed(world, OPERATOR_LOG, size(world, OPERATOR_LOG) - 1)[0].reason == "log-not-found"


def test_only_the_audit_scope_opens_it(world: World) -> None:
    assert world.hospital.get(AT).status_code == 403
    assert world.police.get(f"{AT}/{LOG}.2").status_code == 403
    assert world.auditor.get(AT, headers={"Authorization": ""}).status_code == 401


def test_looking_is_sealed_in_every_log_that_is_looked_into_and_not_shown_to_itself(world: World) -> None:
    before = {log: size(world, log) for log in (LOG, OPERATOR_LOG)}
    body = search(world, _count=100, outcome="8", action="C")
    for log, start in before.items():
        (look,) = sealed(world, log, start)
        assert (look.event, look.operation) == (Event.LOG_READ, "consultation")
        assert {**(look.detail or {}), "token": ""} == {
            "what": "audit-events",
            "filters": "_count,action,outcome",
            "token": "",
        }
        assert f"{log}.{start}" not in {one["id"] for one in resources(body)}


def test_a_long_name_of_a_log_is_shortened_into_an_id() -> None:
    assert _name("a" * 48) == "a" * 48
    assert len(_name("a" * 49)) == 48
    assert _name("a" * 49) != _name("a" * 50)


def test_the_export_holds_every_entry_up_to_its_own(world: World) -> None:
    before = size(world, LOG)
    answer = world.auditor.get(f"/audit/v1/logs/{LOG}/export?format=csv")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"] == f'attachment; filename="{LOG}.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [int(row["index"]) for row in rows] == list(range(before + 1))
    assert (rows[-1]["event"], rows[-1]["operation"]) == (Event.LOG_EXPORTED, "disclosure")
    lines = world.auditor.get(f"/audit/v1/logs/{LOG}/export?format=ndjson&event=incident-accepted").text.splitlines()
    assert lines
    assert {orjson.loads(line)["entry"]["event"] for line in lines} == {"incident-accepted"}


@pytest.mark.parametrize("query", ["", "format=xlsx", "format=csv&limit=3", "format=csv&nonsense=1"])
def test_an_export_that_nobody_knows_is_refused_and_not_sealed(world: World, query: str) -> None:
    before = size(world, LOG)
    assert world.auditor.get(f"/audit/v1/logs/{LOG}/export?{query}").status_code == 400
    assert size(world, LOG) == before


def test_an_export_needs_a_scope_of_its_own(world: World) -> None:
    reader = add_client(world, "only-looks", None, **like("demo-auditor", scopes=["audit:log.read"]))
    assert reader.get(AT).status_code == 200
    assert reader.get(f"/audit/v1/logs/{LOG}/export?format=csv").status_code == 403
