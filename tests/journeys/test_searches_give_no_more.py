"""P1 and P3 of every way to ask over FHIR: what an answer holds is of items that its sealed entries name, no other.

Any combination of parameters is asked for, of planted referrals. What of a record is in the answer must be of an item
that an entry of that very call released, and every resource must be of a referral that an entry names.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.nhs.fhir import EVERYTHING, INCLUDES, REVINCLUDES, SEARCH, SORT, TYPES, split_id
from gateway.demo.run import LOG
from tests.journeys.planted import planted
from tests.journeys.support import change, sealed, serial, size, status, world_on
from tests.journeys.test_only_what_a_clause_names import kept, values_by_item
from tests.support.searches import NONE, fitting, has
from tests.support.world import World

BASE = "/fhir/R4"
Planted = tuple[tuple[str, ...], dict[str, set[str]], dict[str, list[tuple[str, str]]]]


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One engine is enough: what may leave is decided above it."""
    with world_on("sqlite", request, tmp_path_factory.mktemp("more") / "world") as opened:
        yield opened


@pytest.fixture(scope="module")
def there(world: World) -> Planted:
    """Two referrals, the telling values of their records by item, and how each type can be asked for."""
    tasks: list[str] = []
    values: dict[str, set[str]] = {}
    for consent in ("GIVEN", "NOT ASKED"):
        answer = world.push(planted(serial(), consent=consent))
        tasks.append(answer.json()["referrals"][0]["reference"])
        assert change(world, tasks[-1], 1, status("accepted")).status_code == 200
        for item, found in values_by_item(kept(world, tasks[-1])).items():
            values.setdefault(item, set()).update(found)
    ways: dict[str, list[tuple[str, str]]] = {}
    for type_ in TYPES:
        (entry, *_) = world.hospital.get(f"{BASE}/{type_}").json()["entry"]
        resource = entry["resource"]
        ways[type_] = [
            w for name in SEARCH[type_] if has(resource, type_, name) for w in fitting(resource, type_, name)
        ]
        ways[type_] += [(name, NONE[SEARCH[type_][name].kind]) for name in SEARCH[type_]]
    return tuple(tasks), values, ways


@st.composite
def searches(draw: st.DrawFn, ways: dict[str, list[tuple[str, str]]]) -> tuple[str, list[tuple[str, str]]]:
    """Any type, with any parameters that are declared for it."""
    type_ = draw(st.sampled_from(TYPES))
    pairs = draw(st.lists(st.sampled_from(ways[type_]), max_size=2))
    for name, served in (("_include", INCLUDES), ("_revinclude", REVINCLUDES)):
        if served[type_]:
            pairs += [(name, value) for value in draw(st.lists(st.sampled_from(served[type_]), max_size=2))]
    shape = draw(st.sampled_from(["_summary", "_elements", "", ""]))
    if shape == "_summary":
        pairs.append((shape, draw(st.sampled_from(["true", "data", "false", "count", "text"]))))
    if shape == "_elements":
        pairs.append((shape, draw(st.sampled_from(["status", "subject", "text,meta", "extension"]))))
    if draw(st.booleans()):
        pairs.append(("_sort", draw(st.sampled_from(["", "-"])) + draw(st.sampled_from(SORT[type_]))))
    pairs.append(("_count", str(draw(st.integers(1, 3)))))
    return type_, pairs


def asked(world: World, data: st.DataObject, ways: dict[str, list[tuple[str, str]]], task: str) -> httpx.Response:
    """One call of any kind, and its next page where there is one and the draw says so."""
    kind = data.draw(st.sampled_from(["form", "batch", "everything"]))
    if kind == "everything":
        types = data.draw(st.sets(st.sampled_from(EVERYTHING), min_size=1))
        params = {"_type": ",".join(sorted(types)), "_count": str(data.draw(st.integers(1, 9)))}
        return world.hospital.get(f"{BASE}/ServiceRequest/{task}/$everything", params=params)
    type_, pairs = data.draw(searches(ways))
    if kind == "form":
        body: dict[str, list[str]] = {}
        for name, value in pairs:
            body.setdefault(name, []).append(value)
        return world.hospital.post(f"{BASE}/{type_}/_search", data=body)
    query = urlencode(pairs)
    entries = [{"request": {"method": "GET", "url": url}} for url in (f"{type_}?{query}", f"Task/{task}")]
    batch = {"resourceType": "Bundle", "type": "batch", "entry": entries}
    return world.hospital.post(BASE, json=batch, headers={"Content-Type": "application/fhir+json"})


@given(data=st.data())
@settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_an_answer_holds_is_of_items_its_entries_name(world: World, there: Planted, data: st.DataObject) -> None:
    tasks, values, ways = there
    before = size(world)
    answer = asked(world, data, ways, data.draw(st.sampled_from(tasks)))
    entries = sealed(world, LOG, before)
    if answer.status_code == 400:
        assert not entries
        return
    assert answer.status_code == 200, answer.text
    named = {item for entry in entries for item in (*entry.items.released, *entry.items.generalised)}
    held = answer.text
    for text in sorted({text for item in named for text in values.get(item, ())}, key=len, reverse=True):
        held = held.replace(text, "")  # a summary that is given may name who else is in it
    for item, found in values.items():
        assert item in named or not [value for value in found if value in held], f"{item} has left unsealed"
    cases = {entry.case for entry in entries if entry.outcome == "permitted"}
    for resource in resources(answer.json()):
        parts = split_id(resource["id"])
        assert parts is not None
        assert parts[0] in cases, "a resource of a referral that no entry names"


def resources(node: Any) -> Iterator[dict[str, Any]]:
    """Every resource of a referral in an answer."""
    for entry in node.get("entry", []):
        resource = entry.get("resource", {})
        if resource.get("resourceType") == "Bundle":
            yield from resources(resource)
        elif resource.get("resourceType") in TYPES:
            yield resource


def test_the_property_sees_what_leaves(world: World, there: Planted) -> None:
    """The victim's name is in an answer with the patient, and named by its entry: else the property says nothing."""
    tasks, values, _ = there
    before = size(world)
    answer = world.hospital.get(f"{BASE}/Task", params={"_id": tasks[0], "_include": "Task:patient"})
    (entry,) = sealed(world, LOG, before)
    assert "victim.name" in entry.items.released
    assert any(value.encode() in answer.content for value in values["victim.name"])
