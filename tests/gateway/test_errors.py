"""The outside faces of errors: one table for police and FHIR, and nothing of what nobody foresaw.

That every leaf of the tree has a face is a rule of the house (test_house.py).
"""

from __future__ import annotations

import orjson
import pytest

from gateway.errors import FACES, Detail, GatewayError, UnreadableInput, face
from gateway.web.fhir import outcome_of
from gateway.web.http import problem_of

PLAIN = [one for one in FACES if one is not UnreadableInput]


@pytest.mark.parametrize("kind", PLAIN, ids=lambda one: one.__name__)
def test_a_failure_shows_the_same_status_to_everybody(kind: type[GatewayError]) -> None:
    error = kind("said so", headers={"Retry-After": "1"})
    problem, outcome = problem_of(error), outcome_of(error)
    shown = FACES[kind]
    assert problem.status_code == outcome.status_code == shown.status
    assert problem.headers["Retry-After"] == outcome.headers["Retry-After"] == "1"
    body = orjson.loads(problem.body)
    assert body == {
        "type": f"urn:provide-gateway:problem:{shown.type}",
        "title": shown.title,
        "status": shown.status,
        "detail": "said so",
    }
    assert orjson.loads(outcome.body)["issue"] == [{"severity": "error", "code": shown.issue, "diagnostics": "said so"}]


def test_details_are_paths_in_both() -> None:
    error = next(one for one in PLAIN if FACES[one].status == 422)("no", details=[Detail("Task.status", "x", "why")])
    assert orjson.loads(problem_of(error).body)["errors"] == [{"path": "Task.status", "code": "x", "detail": "why"}]
    (issue,) = orjson.loads(outcome_of(error).body)["issue"]
    assert (issue["expression"], issue["diagnostics"]) == (["Task.status"], "why")


def test_an_unreadable_input_has_the_type_of_its_fault() -> None:
    error = UnreadableInput("no", fault="too-deep", details=[Detail("data", "too-deep", "why")], quarantine="q-1")
    body = orjson.loads(problem_of(error).body)
    assert (body["type"], body["status"], body["quarantine"]) == ("urn:provide-gateway:problem:too-deep", 400, "q-1")


@pytest.mark.parametrize("error", [ValueError("Ashdown"), KeyError("Ashdown"), RuntimeError(), MemoryError("Ashdown")])
def test_what_nobody_foresaw_tells_nothing(error: Exception) -> None:
    assert face(error).status == 500
    for answer in (problem_of(error), outcome_of(error)):
        assert answer.status_code == 500
        assert b"Ashdown" not in bytes(answer.body)
        assert type(error).__name__.encode() not in bytes(answer.body)
