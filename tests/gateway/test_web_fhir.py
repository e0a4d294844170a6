"""The FHIR interface at its edges: what is declared works, what is not is refused, pages hold still under change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import orjson
import pytest
from sqlalchemy import update

from adapters.nhs.fhir import TYPES
from gateway.demo.run import LOG
from gateway.disclosure import Reader
from gateway.evidence import Event
from gateway.store import tables
from tests.journeys.channels import Case, case
from tests.journeys.support import (
    PATCH,
    change,
    header_index,
    last,
    output,
    pushed,
    sealed,
    size,
    state,
    status,
    version_of,
    world_on,
)
from tests.support.world import World

BASE = "/fhir/R4"
TASK = {"Content-Type": "application/fhir+json"}


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_on("sqlite", request, tmp_path_factory.mktemp("fhir") / "world") as opened:
        yield opened


@pytest.fixture(scope="module")
def one(world: World) -> Case:
    return case(world)


def get(world: World, path: str, **params: Any) -> httpx.Response:
    return world.hospital.get(f"{BASE}/{path}", params=params or None)


def entries(answer: httpx.Response, mode: str = "match") -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return [e["resource"] for e in answer.json().get("entry", []) if e["search"]["mode"] == mode]


def refused(answer: httpx.Response, status_code: int, code: str) -> None:
    """An OperationOutcome with this issue, in FHIR's own media type."""
    assert (answer.status_code, answer.json()["resourceType"]) == (status_code, "OperationOutcome"), answer.text
    assert answer.json()["issue"][0]["code"] == code
    assert answer.headers["content-type"] == "application/fhir+json"


# What is declared


def capabilities(world: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.hospital.http.get(f"{BASE}/metadata").json()["rest"][0]["resource"]
    return found


def test_the_statement_declares_the_types_that_are_served(world: World) -> None:
    assert {one["type"] for one in capabilities(world)} == {*TYPES, "Questionnaire", "AuditEvent", "Subscription"}


def test_includes_are_sealed_with_what_they_bring(world: World, one: Case) -> None:
    """The entry of an answer with the patient names the victim's name; without her it does not."""
    get(world, "Task", _id=one.task)
    assert "victim.name" not in last(world).items.released
    get(world, "Task", _id=one.task, _include="Task:patient")
    assert "victim.name" in last(world).items.released
    assert (last(world).detail or {})["types"] == "Task,Patient"


def test_a_search_by_several_values_and_by_system(world: World, one: Case) -> None:
    found = entries(get(world, "Task", _id=f"{one.task},none", status="http://hl7.org/fhir/task-status|accepted"))
    assert [r["id"] for r in found] == [one.task]


@pytest.mark.parametrize(
    ("prefix", "days", "found"),
    [
        ("", 0, True),
        ("eq", 0, True),
        ("ne", 0, False),
        ("ge", 0, True),
        ("le", 0, True),
        ("gt", 0, False),
        ("lt", 0, False),
        ("gt", -1, True),
        ("lt", 1, True),
        ("eq", -1, False),
        ("sa", -1, True),
        ("sa", 0, False),
        ("eb", 1, True),
        ("eb", 0, False),
    ],
)
def test_a_date_stands_for_its_whole_day(world: World, one: Case, prefix: str, days: int, *, found: bool) -> None:
    """FHIR R4 search, section 3.1.1.4.6: a date without a time is the interval of that day."""
    updated = datetime.fromisoformat(get(world, f"Task/{one.task}").json()["meta"]["lastUpdated"])
    day = (updated.astimezone(UTC) + timedelta(days=days)).date().isoformat()
    answer = get(world, "Task", _id=one.task, _lastUpdated=f"{prefix}{day}")
    assert bool(entries(answer)) is found


# What is not


@pytest.mark.parametrize(
    "path",
    [
        "Task?_id:exact=x",
        "Task?_sort=status",
        "Task?_include=Task:owner",
        "Task?_include=Patient:link",
        "Task?_count=-1",
        "Task?_count=x",
        "Task?_count=1&_count=2",
        "Task?_lastUpdated=yesterday",
        "Task?_lastUpdated=2026-13-01",
        "Task?_lastUpdated=xx2026-01-01",
        "Task?_lastUpdated=gt0001-01-01T00:00:00%2B14:00",
        "Task?_lastUpdated=lt9999-12-31T23:59:59-14:00",
        "Task?_cursor=x",
        "Task?_cursor=%F0%9F%92%A5",
        "Task?_cursor=" + "A" * 5000,
        "Task?_cursor=bm9uZQ",
    ],
)
def test_what_is_not_declared_is_refused_and_never_passed_over(world: World, path: str) -> None:
    refused(get(world, path), 400, "invalid")


@pytest.mark.parametrize("path", ["Practitioner", "Practitioner/1", "task", "Task/x/y/z"])
def test_what_is_not_served_is_not_found(world: World, path: str) -> None:
    refused(get(world, path), 404, "not-found")


@pytest.mark.parametrize("id_", ["x", "a" * 100, "..%2f..", "é", "' OR 1=1"])
def test_an_id_that_is_none_of_ours_is_nobodys(world: World, id_: str) -> None:
    assert get(world, f"Task/{id_}").status_code == 404


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "PATCH"])
def test_a_method_that_is_not_served_has_a_face(world: World, one: Case, method: str) -> None:
    answer = world.hospital.http.request(method, f"{BASE}/Patient/{one.ids['Patient']}", content=b"{}")
    assert answer.status_code in {404, 405}
    assert answer.json()["resourceType"] == "OperationOutcome"


# Pages


def walk(world: World, url: str, between: Any = None) -> list[str]:
    """The ids of every page, in order; `between` is called after each page."""
    found: list[str] = []
    while url:
        parts = urlsplit(url)
        answer = world.hospital.get(parts.path, params=parse_qsl(parts.query))
        found += [r["id"] for r in entries(answer)]
        url = next((link["url"] for link in answer.json()["link"] if link["relation"] == "next"), "")
        if between is not None:
            between()
    return found


def test_pages_hold_still_while_referrals_come_and_change(world: World) -> None:
    """Nothing twice, nothing missed of what was there at the start, whatever happens in between."""
    mine = [pushed(world)[1] for _ in range(7)]
    todo = iter(mine)

    def between() -> None:
        pushed(world)
        if (task := next(todo, None)) is not None:
            assert change(world, task, 1, status("accepted")).status_code == 200

    # The walk ends although each page brings a new referral: each is then on the last page once.
    seen: list[str] = []
    url, steps = f"{BASE}/Task?_count=3", 0
    while url and steps < 60:
        parts = urlsplit(url)
        answer = world.hospital.get(parts.path, params=parse_qsl(parts.query))
        seen += [r["id"] for r in entries(answer)]
        url = next((link["url"] for link in answer.json()["link"] if link["relation"] == "next"), "")
        between()
        steps += 1
    assert len(seen) == len(set(seen))
    assert set(mine) <= set(seen)


def test_totals_and_links(world: World, one: Case) -> None:
    answer = get(world, "Task", _count=1)
    body = answer.json()
    assert body["total"] == len(walk(world, f"{BASE}/Task?_count=100")) >= 1
    links = {link["relation"]: link["url"] for link in body["link"]}
    assert links["self"].startswith("https://gateway.test/fhir/R4/Task?")
    assert get(world, "Task").json()["link"][0]["url"] == "https://gateway.test/fhir/R4/Task"
    assert one.task
    assert get(world, "Task", _count=10_000).status_code == 200


def test_every_page_is_sealed_as_one_entry_a_referral(world: World) -> None:
    before = size(world)
    found = entries(get(world, "Task", _count=3))
    new = sealed(world, LOG, before)
    assert [e.case for e in new] == [r["id"] for r in found]
    assert {e.event for e in new} == {Event.WORKLIST_READ}


# Changes


def patch(world: World, task: str, body: Any, if_match: str | None, media: str = PATCH) -> httpx.Response:
    headers = {"Content-Type": media, **({"If-Match": if_match} if if_match is not None else {})}
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    return world.hospital.patch(f"{BASE}/Task/{task}", content=content, headers=headers)


def test_a_change_needs_the_version_that_was_read(world: World) -> None:
    _, task = pushed(world)
    accept = [status("accepted")]
    refused(patch(world, task, accept, None), 428, "required")
    refused(patch(world, task, accept, 'W/"2"'), 412, "conflict")
    for hostile in ("*", "1", 'W/"x"', 'W/"1", W/"2"', ""):
        refused(patch(world, task, accept, hostile), 400, "invalid")
    answer = patch(world, task, accept, 'W/"1"')
    assert (answer.status_code, version_of(answer.json())) == (200, 2)
    assert answer.headers["ETag"] == f'W/"{answer.json()["meta"]["versionId"]}"'
    refused(patch(world, task, accept, 'W/"1"'), 412, "conflict")
    assert patch(world, task, [status("in-progress")], '"2"').headers["ETag"].startswith('W/"3-')


def test_of_two_changes_at_once_one_is_told_to_read_again(world: World) -> None:
    _, task = pushed(world)
    answers = [patch(world, task, [status(to)], 'W/"1"').status_code for to in ("accepted", "rejected")]
    assert answers == [200, 412]


@pytest.mark.parametrize("to", ["completed", "failed", "in-progress", "cancelled", "entered-in-error"])
def test_a_step_that_does_not_follow_is_refused(world: World, to: str) -> None:
    _, task = pushed(world)
    answer = patch(world, task, [status(to)], 'W/"1"')
    assert answer.status_code == 422
    assert answer.json()["issue"][0]["expression"] == ["Task.status"]
    assert version_of(get(world, f"Task/{task}").json()) == 1


def test_a_whole_case_from_offer_to_close(world: World) -> None:
    reference, task = pushed(world)
    version = 1
    for step in (
        [status("received")],
        [status("accepted")],
        [status("in-progress"), state("contacting")],
        [state("engaged")],
        [status("completed"), state("closed")],
    ):
        answer = patch(world, task, step, f'W/"{version}"')
        assert answer.status_code == 200, answer.text
        version += 1
    told = world.police.get(f"/police/v1/incidents/{reference}").json()
    assert [one["code"] for one in told["feedback"]] == ["received", "acknowledged", "engaged", "closed"]
    assert told["state"] == "closed"
    assert get(world, f"ServiceRequest/{task}").json()["status"] == "completed"
    assert patch(world, task, [status("in-progress")], f'W/"{version}"').status_code == 422


@pytest.mark.parametrize(
    ("body", "media", "status_code"),
    [
        (b"", PATCH, 400),
        (b"{", PATCH, 400),
        (b"[" * 50_000, PATCH, 400),
        (b'{"a": NaN}', "application/fhir+json", 400),
        (b'{"resourceType": "Patient"}', "application/fhir+json", 400),
        (b"[]", PATCH, 400),
        (b"[]", "text/plain", 415),
        (b"[]", "application/fhir+json; charset=utf-16", 415),
        (b'[{"op": "move", "from": "/id", "path": "/x"}]', PATCH, 422),
        (b'[{"op": "replace", "path": "/priority", "value": "stat"}]', PATCH, 422),
        (b" " * 1_200_000, PATCH, 413),
    ],
)
def test_a_change_that_cannot_be_read_changes_nothing(world: World, body: bytes, media: str, status_code: int) -> None:
    _, task = pushed(world)
    answer = patch(world, task, body, 'W/"1"', media)
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert answer.status_code == status_code, answer.text
    assert version_of(get(world, f"Task/{task}").json()) == 1


def test_feedback_is_never_taken_back(world: World) -> None:
    _, task = pushed(world)
    assert patch(world, task, [status("accepted")], 'W/"1"').status_code == 200
    assert patch(world, task, [{"op": "remove", "path": "/output"}], 'W/"2"').status_code == 422
    read = get(world, f"Task/{task}").json()
    whole = {k: v for k, v in read.items() if k != "output"} | {"output": [*read["output"], output("engaged")]}
    answer = world.hospital.http.put(f"{BASE}/Task/{task}", json=whole, headers={**TASK, "If-Match": 'W/"2"'})
    assert answer.status_code == 200


def test_a_read_names_its_version_and_time(world: World, one: Case) -> None:
    answer = get(world, f"Task/{one.task}")
    assert re.fullmatch(r'W/"\d+-[0-9a-f]{8}"', answer.headers["ETag"])
    assert answer.headers["Last-Modified"].endswith(" GMT")
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_reason_is_sealed_with_the_reading(world: World, one: Case) -> None:
    answer = world.hospital.get(f"{BASE}/Patient/{one.ids['Patient']}", headers={"Gateway-Reason": "direct-care"})
    assert (answer.status_code, last(world).reason) == (200, "direct-care")
    refused(world.hospital.get(f"{BASE}/Task", headers={"Gateway-Reason": "two words"}), 400, "invalid")


def test_an_update_that_comes_between_the_change_and_the_answer_is_not_told_unsealed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the answer to a change shows is what some entry says was shown: a newer record is a reading of its own."""
    task = pushed(world)[1]
    found, calls = Reader.find, [0]

    def find(self: Reader, *args: Any, **options: Any) -> Any:
        calls[0] += 1
        if calls[0] == 2:  # the change is committed; its answer is about to be read
            with world.services.database.writing() as connection:
                row = tables.referral.c.id == task
                connection.execute(update(tables.referral).where(row).values(version=9, priority="routine"))
        return found(self, *args, **options)

    monkeypatch.setattr(Reader, "find", find)
    answer = patch(world, task, [status("accepted")], 'W/"1"')
    monkeypatch.undo()
    assert (answer.status_code, answer.json()["priority"]) == (200, "routine")
    assert (last(world).detail or {})["version"] == version_of(answer.json())
    assert header_index(answer) == size(world) - 1
