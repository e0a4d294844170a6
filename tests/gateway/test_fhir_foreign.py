"""Bundles as foreign systems send them, at `/fhir/R4`: each is taken, or refused with a place, and none is a 5xx.

What is refused of a sender of notices waits for a person (P6).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest

from tests.journeys.support import world_on
from tests.support.bundles import JSON, body, bundle, number
from tests.support.world import World

Bundle = dict[str, Any]
Habit = Callable[[Bundle], Any]


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_on("sqlite", request, tmp_path_factory.mktemp("foreign") / "world") as opened:
        yield opened


def of(document: Bundle, type_: str) -> list[dict[str, Any]]:
    """The resources of a type."""
    return [one["resource"] for one in document["entry"] if one["resource"]["resourceType"] == type_]


def request_of(document: Bundle) -> dict[str, Any]:
    """The ServiceRequest."""
    (found,) = of(document, "ServiceRequest")
    return found


def referring(reference: str, full_url: str | None) -> Habit:
    """The patient under another name, by which everything refers to it."""

    def change(document: Bundle) -> Bundle:
        for one in document["entry"]:
            if one["resource"]["resourceType"] == "Patient":
                one["resource"]["id"] = "p1"
                one.pop("fullUrl", None)
                one.update({"fullUrl": full_url} if full_url else {})
        text = re.sub(r'"reference":"urn:uuid:[^"]*"', f'"reference":"{reference}"', orjson.dumps(document).decode())
        found: Bundle = orjson.loads(text)
        return found

    return change


def contained(document: Bundle) -> None:
    """The patient inside the request."""
    (at,) = (one for one in document["entry"] if one["resource"]["resourceType"] == "Patient")
    document["entry"].remove(at)
    request_of(document).update(contained=[at["resource"] | {"id": "pat"}], subject={"reference": "#pat"})


def nested(times: int) -> dict[str, Any]:
    """An extension in an extension."""
    found: dict[str, Any] = {"url": "https://vendor.example/a", "valueString": "v"}
    for _ in range(times):
        found = {"url": "https://vendor.example/a", "extension": [found]}
    return found


def nameless(document: Bundle) -> None:
    """No identifier anywhere."""
    document.pop("identifier")
    for one in document["entry"]:
        one["resource"].pop("identifier", None)


def many(count: int) -> Habit:
    """So many more entries."""
    one = {
        "resource": {"resourceType": "Observation", "status": "final", "code": {"text": "pressure"}},
        "request": {"method": "POST", "url": "Observation"},
    }
    return lambda document: document["entry"].extend([one] * count)


def profiled(document: Bundle) -> None:
    """A vendor's profiles, versions and tags."""
    meta = {"profile": ["https://vendor.example/StructureDefinition/X"], "versionId": "7", "source": "#x"}
    for one in document["entry"]:
        one["resource"].setdefault("meta", {}).update(meta)


def asked(method: str) -> Habit:
    """Another method in each entry."""
    return lambda document: [one["request"].update(method=method, url="Patient/1") for one in document["entry"]]


TAKEN: dict[str, Habit] = {
    "urn:uuid": lambda _: None,
    "relative": referring("Patient/p1", "Patient/p1"),
    "without full URLs": referring("Patient/p1", None),
    "absolute": referring("https://trust.example/fhir/Patient/p1", "https://trust.example/fhir/Patient/p1"),
    "relative to an absolute full URL": referring("Patient/p1", "https://trust.example/fhir/Patient/p1"),
    "contained": contained,
    "no identifiers": nameless,
    "profiles nobody knows": profiled,
    "nested extensions": lambda b: request_of(b).update(extension=[nested(3)]),
    "150 entries": many(150),
    "PUT": asked("PUT"),
    "ifNoneExist": lambda b: [one["request"].update(ifNoneExist="identifier=x") for one in b["entry"]],
    "an extension of a primitive": lambda b: request_of(b).update(_authoredOn={"extension": [nested(0)]}),
    "an empty array": lambda b: request_of(b).update(note=[]),
    "a year of birth alone": lambda b: of(b, "Patient")[0].update(birthDate="1988"),
    "fractions of a second": lambda b: request_of(b).update(authoredOn="2026-11-20T10:00:00.1234567+00:00"),
    "a modifier on what is not read": lambda b: of(b, "Observation")[0].update(modifierExtension=[nested(0)]),
}
REFUSED: dict[str, tuple[Habit, str, str]] = {
    "500 entries": (many(500), "Bundle.entry", "more"),
    "extensions without end": (lambda b: request_of(b).update(extension=[nested(40)]), "", "nested"),
    "a type that is none": (lambda b: request_of(b).update(resourceType="Referral"), "resource", "type"),
    "an element that is none": (lambda b: request_of(b).update(colour="red"), "entry[1]", "type"),
    "an entry without a resource": (lambda b: b["entry"].append({"request": {}}), "entry[6]", ""),
    "no subject in the Bundle": (lambda b: request_of(b).update(subject={"reference": "Patient/x"}), "subject", ""),
    "a time without a zone": (lambda b: request_of(b).update(authoredOn="2026-11-20T10:00:00"), "authoredOn", ""),
    "a British date": (lambda b: of(b, "Patient")[0].update(birthDate="14/02/1988"), "birthDate", ""),
    "GET beside POST": (lambda b: b["entry"][0]["request"].update(method="GET"), "request.method", ""),
    "a modifier": (lambda b: request_of(b).update(modifierExtension=[nested(0)]), "modifierExtension", ""),
    "a modifier of the consent": (lambda b: of(b, "Consent")[0].update(modifierExtension=[nested(0)]), "modifierE", ""),
    "rules of its own": (lambda b: of(b, "Patient")[0].update(implicitRules="https://v.example"), "implicitRules", ""),
    "do not perform": (lambda b: request_of(b).update(doNotPerform=True), "doNotPerform", ""),
}


def changed(habit: Habit, kind: str = "transaction") -> Bundle:
    """A notice of its own with a habit."""
    document = bundle(number(), kind=kind)
    given = habit(document)
    return given if isinstance(given, dict) else document


@pytest.mark.parametrize("habit", TAKEN)
def test_a_habit_that_says_the_same_is_taken(world: World, habit: str) -> None:
    answer = world.hospital.post("/fhir/R4", content=body(changed(TAKEN[habit])), headers=JSON)
    assert answer.status_code == 200, answer.text
    said = answer.json()["entry"][0]["response"]["outcome"]["issue"][0]["diagnostics"]
    assert said.startswith("accepted")


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"\r\n  "])
def test_what_stands_before_the_document_is_passed_over(world: World, mark: bytes) -> None:
    answer = world.hospital.post("/fhir/R4", content=mark + body(bundle(number())), headers=JSON)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("habit", REFUSED)
def test_what_may_mean_something_else_is_refused_by_its_place_and_waits_for_a_person(world: World, habit: str) -> None:
    change, place, words = REFUSED[habit]
    before = len(world.guardian.get("/governance/v1/holds").json()["holds"])
    answer = world.hospital.post("/fhir/R4", content=body(changed(change)), headers=JSON)
    assert answer.status_code in {400, 422}, answer.text
    issue = answer.json()["issue"][0]
    assert place in str(issue.get("expression", "")), issue
    assert words in issue["diagnostics"], issue
    assert len(world.guardian.get("/governance/v1/holds").json()["holds"]) == before + 1


@pytest.mark.parametrize("type_", ["collection", "document", "searchset", "history", "", None, 7])
def test_another_bundle_is_refused(world: World, type_: object) -> None:
    answer = world.hospital.post("/fhir/R4", content=body(bundle(number()) | {"type": type_}), headers=JSON)
    assert answer.status_code in {400, 422}
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_a_message_is_read_as_a_transaction_is(world: World) -> None:
    for habit in (TAKEN["contained"], TAKEN["absolute"], TAKEN["profiles nobody knows"]):
        answer = world.hospital.post("/fhir/R4", content=body(changed(habit, "message")), headers=JSON)
        assert answer.json()["entry"][0]["resource"]["response"]["code"] == "ok", answer.text
