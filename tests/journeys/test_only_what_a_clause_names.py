"""P3: data items leave by allow-list. Every value of a withheld item is searched for in every byte that left.

The document is planted with a value of its own in every leaf; which of them may leave, and of which item they are, is
read from the kept record and the sealed decision. So the test knows nothing of the agreement it holds the gateway to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from adapters.nhs.fhir import INCLUDES, TYPES, carries
from gateway.agreement import State
from gateway.demo.incidents import incident
from gateway.demo.run import ADVISER
from gateway.store import tables
from mappings.items import leaves
from mappings.record import Record
from tests.journeys.planted import MARK, planted
from tests.journeys.support import (
    add_client,
    bring_into_force,
    change,
    in_its_time,
    like,
    output,
    pushed,
    sealed,
    serial,
    set_state,
    status,
    world_on,
)
from tests.support.world import World


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One engine is enough: what may leave is decided above it."""
    with world_on("sqlite", request, tmp_path_factory.mktemp("items") / "world") as opened:
        yield opened


def kept(world: World, task: str) -> Record:
    """The whole record behind a referral, as it came in."""
    with world.services.database.reading() as connection:
        found = connection.execute(select(tables.referral.c.record_id).where(tables.referral.c.id == task)).scalar_one()
        return world.services.records.load(connection, [found])[found]


def texts(value: object) -> Iterator[str]:
    """A leaf as the texts it could be written as."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, date | datetime):
        yield value.isoformat()
    elif isinstance(value, tuple):
        for one in value:
            yield from texts(one)


def values_by_item(record: Record) -> dict[str, set[str]]:
    """The telling values of a record: those planted, and numbers and dates nobody else has."""
    found: dict[str, set[str]] = {}
    for _, item, value in leaves(record):
        for text in texts(value):
            if MARK.lower() in text.lower() or re.fullmatch(r"[\d-]{9,}", text):  # a telephone number, a date of birth
                found.setdefault(item, set()).add(text)
    return found


def everything_read(world: World, task: str) -> bytes:
    """All that the hospital's client can read of one referral, by every type, read, search and include."""
    hospital, found = world.hospital, b""
    for type_ in TYPES:
        params: dict[str, Any] = {"patient": f"{task}.victim-1", "_include": list(INCLUDES[type_])}
        if type_ == "Patient":
            params = {"_id": f"{task}.victim-1,{task}.child-1"}
        answer = hospital.get(f"/fhir/R4/{type_}", params=params)
        assert answer.status_code == 200, answer.text
        assert "entry" in answer.json(), type_
        found += answer.content
        for one in answer.json()["entry"]:
            resource = one["resource"]
            read = hospital.get(f"/fhir/R4/{resource['resourceType']}/{resource['id']}")
            assert read.status_code == 200
            found += read.content
    return found


@pytest.mark.parametrize("consent", ["GIVEN", "NOT ASKED"])
def test_no_value_of_a_withheld_item_is_in_any_byte(world: World, consent: str) -> None:
    number = serial()
    answer = world.push(planted(number, consent=consent))
    assert answer.status_code == 201, answer.text
    task = answer.json()["referrals"][0]["reference"]
    assert change(world, task, 1, status("accepted")).status_code == 200
    read = everything_read(world, task)
    record = kept(world, task)
    values = values_by_item(record)
    towns = {value for path, _, value in leaves(record) if path.endswith(".town")}
    decided = next(one for one in sealed(world) if one.case == task and one.event == "incident-accepted").items
    withheld = {item for item in values if item not in {*decided.released, *decided.generalised}}
    assert {"third_party.name", "police.intelligence", "police.covert", "suspect.police_identifiers"} <= withheld
    free = set().union(*(found for item, found in values.items() if item in decided.released))
    for item in withheld | set(decided.generalised):
        for value in values[item] - free if item in values else ():
            if item in decided.generalised and value in towns:
                continue  # an address made less exact is its locality
            assert value.encode() not in read, f"{item} has left"
    shown = {item for type_ in TYPES for item in carries(type_)} & set(decided.released) & values.keys()
    missing = {i for i in shown if not any(v.encode() in read for v in values[i])} - {"event.times", "event.source"}
    assert not missing, "the test must see what is released, or it sees nothing"


def test_a_push_echoes_nothing_and_a_word_to_police_holds_codes_alone(world: World) -> None:
    answer = world.push(planted(serial()))
    task = answer.json()["referrals"][0]["reference"]
    reported = change(
        world, task, 1, status("accepted"), {"op": "add", "path": "/output", "value": [output("engaged")]}
    )
    assert reported.status_code == 200
    state_ = world.police.get(answer.headers["Location"])
    feedback = world.police.get("/police/v1/feedback")
    for one in (answer, state_, feedback):
        allowed = one.content.replace(f"{MARK}UnknownName".encode(), b"").replace(f"{MARK}Deeper".encode(), b"")
        assert MARK.encode() not in allowed  # the names of members nobody read are told as paths
        assert b"07700" not in one.content


def test_an_item_that_no_clause_names_any_more_stays(world: World) -> None:
    """Removed from the agreement: gone from every answer of the referrals that are there already."""
    _, task = pushed(world)
    before = world.hospital.get(f"/fhir/R4/Patient/{task}.victim-1")
    assert "Ashdown" in before.text

    def remove(content: dict[str, Any]) -> None:
        for clause in content["clauses"]:
            if clause["id"].startswith("F1"):
                clause["release"] = [item for item in clause["release"] if item != "victim.name"]

    bring_into_force(world, remove)
    after = world.hospital.get(f"/fhir/R4/Patient/{task}.victim-1")
    assert after.status_code == 200
    assert "Ashdown" not in after.text
    assert "victim.name" in sealed(world)[-1].items.withheld

    def give_back(content: dict[str, Any]) -> None:
        for clause in content["clauses"]:
            if clause["id"].startswith("F1"):
                clause["release"] = ["victim.name", *clause["release"]]

    bring_into_force(world, give_back)
    assert "Ashdown" in world.hospital.get(f"/fhir/R4/Patient/{task}.victim-1").text


def test_without_its_clauses_nothing_of_a_flow_leaves(world: World) -> None:
    _, task = pushed(world)
    saved: list[Any] = []

    def remove(content: dict[str, Any]) -> None:
        saved.extend(content["clauses"])
        content["clauses"] = [clause for clause in content["clauses"] if not clause["id"].startswith("F1")]

    def give_back(content: dict[str, Any]) -> None:
        content["clauses"] = saved

    bring_into_force(world, remove)
    try:
        _nothing_leaves(world, task)
        held = world.push(incident(serial()))
        assert (held.status_code, held.json()["state"]) == (202, "held")
    finally:
        bring_into_force(world, give_back)


@pytest.mark.parametrize("wanted", [State.SUSPENDED], ids=lambda one: one.value)
def test_an_agreement_that_is_not_in_force_releases_nothing(world: World, wanted: State) -> None:
    reference, task = pushed(world)
    assert change(world, task, 1, status("accepted")).status_code == 200
    set_state(world, wanted)
    try:
        _nothing_leaves(world, task)
        told = world.police.get("/police/v1/feedback", params={"after": -1})
        assert told.json()["feedback"] == []
        assert world.police.get(f"/police/v1/incidents/{reference}").json()["feedback"] == []
        assert change(world, task, 2, status("in-progress")).status_code == 404
        held = world.push(incident(serial()))
        assert (held.status_code, held.json()["reason"]) == (202, "no-agreement")
    finally:
        set_state(world, State.IN_FORCE)
    assert world.hospital.get(f"/fhir/R4/Task/{task}").status_code == 200


def test_an_agreement_out_of_its_dates_releases_nothing(world: World) -> None:
    """Expired: the same as suspended, without anybody having to do a thing."""
    _, task = pushed(world)
    saved: dict[str, Any] = {}

    def expire(content: dict[str, Any]) -> None:
        saved.update(content["in_force"], review_by=content["review_by"])
        content["in_force"] = {"from": "2024-01-01T00:00:00+00:00", "until": "2025-01-01T00:00:00+00:00"}
        content["review_by"] = "2024-12-31"

    def renew(content: dict[str, Any]) -> None:
        content["in_force"] = {name: saved[name] for name in ("from", "until")}
        content["review_by"] = saved["review_by"]

    with in_its_time():
        bring_into_force(world, expire)
    try:
        _nothing_leaves(world, task)
        assert world.push(incident(serial())).json()["reason"] == "no-agreement"
    finally:
        bring_into_force(world, renew)


def test_a_signature_that_is_gone_stops_everything(world: World) -> None:
    """The database lost a signature, or somebody took it out: the text alone decides nothing."""
    _, task = pushed(world)
    table = tables.agreement_signature
    with world.services.database.writing() as connection:
        row = connection.execute(select(table)).mappings().all()[-1]
        chosen = (table.c.agreement_id == row["agreement_id"]) & (table.c.version == row["version"])
        connection.execute(table.delete().where(chosen, table.c.party == row["party"]))
    world.services.terms.forget("operation-provide")
    try:
        _nothing_leaves(world, task)
    finally:
        with world.services.database.writing() as connection:
            connection.execute(table.insert(), [dict(row)])
        world.services.terms.forget("operation-provide")
    assert world.hospital.get(f"/fhir/R4/Task/{task}").status_code == 200


def test_wishes_are_told_with_consent_alone_and_leave_no_trace_without(world: World) -> None:
    """What the victim wishes stays unless she agreed; police cannot see that there was a word (domain.md 4.3)."""
    reference, task = pushed(world)
    assert change(world, task, 1, status("accepted")).status_code == 200
    last = world.police.get("/police/v1/feedback", params={"limit": 500}).json()["next"]
    before = [
        world.police.get("/police/v1/feedback", params={"after": last}).json(),
        world.police.get(f"/police/v1/incidents/{reference}").json(),
    ]
    wish = output("supports-prosecution", value="no")
    assert change(world, task, 2, {"op": "add", "path": "/output", "value": [wish]}).status_code != 200
    read = world.hospital.get(f"/fhir/R4/Task/{task}").json()["output"]
    refused = change(world, task, 2, {"op": "add", "path": "/output", "value": [*read, wish]})
    assert refused.status_code == 422  # she who wrote it is told that it cannot go
    stayed = output("supports-prosecution", value="no", consent="overridden")  # which no clause here lets go
    assert change(world, task, 2, {"op": "add", "path": "/output", "value": [*read, stayed]}).status_code == 200
    after = [
        world.police.get("/police/v1/feedback", params={"after": last}).json(),
        world.police.get(f"/police/v1/incidents/{reference}").json(),
    ]
    for one in (*before, *after):
        one.pop("receipt", None)
        one.pop("receipts", None)
    assert after == before
    read = world.hospital.get(f"/fhir/R4/Task/{task}").json()["output"]
    agreed = output("supports-prosecution", value="yes", consent="given")
    assert change(world, task, 3, {"op": "add", "path": "/output", "value": [*read, agreed]}).status_code == 200
    told = world.police.get("/police/v1/feedback", params={"after": last}).json()["feedback"]
    assert [(one["code"], one["value"]) for one in told] == [("supports-prosecution", "yes")]


def test_words_that_stay_hide_no_word_that_may_go(world: World) -> None:
    """More withheld words in a row than a page holds: the next word is still told."""
    _, task = pushed(world)
    assert change(world, task, 1, status("accepted")).status_code == 200
    last = world.police.get("/police/v1/feedback", params={"limit": 500}).json()["next"]
    version = 2
    wish = output("supports-prosecution", value="no", consent="overridden")
    for word in [wish] * 3 + [output("engaged")]:
        read = world.hospital.get(f"/fhir/R4/Task/{task}").json()["output"]
        answer = change(world, task, version, {"op": "add", "path": "/output", "value": [*read, word]})
        assert answer.status_code == 200
        version += 1
    told: list[str] = []
    for _ in range(4):
        page = world.police.get("/police/v1/feedback", params={"after": last, "limit": 1}).json()
        told += [one["code"] for one in page["feedback"]]
        last = page["next"]
        if not page["more"]:
            break
    assert told == ["engaged"]


def test_a_client_without_the_scope_or_the_person_gets_nothing(world: World) -> None:
    _, task = pushed(world)
    nobody = add_client(world, "no-person", **like("demo-hospital"))
    evaluator = add_client(world, "evaluator", ADVISER, **like("demo-hospital", recipient="evaluation"))
    stranger = add_client(world, "stranger", ADVISER, **like("demo-hospital", organisation="RXR"))
    for client, expected in ((nobody, 403), (stranger, 403), (world.police, 403), (evaluator, 404)):
        answer = client.get(f"/fhir/R4/Task/{task}")
        assert answer.status_code == expected
        assert task not in answer.text


def test_a_withheld_relative_leaves_no_reference(world: World) -> None:
    """No reference leads to somebody who is not in what leaves."""
    answer = world.push(planted(serial()))
    task = answer.json()["referrals"][0]["reference"]
    request = world.hospital.get(f"/fhir/R4/ServiceRequest/{task}").text
    for word in ("reporter-1", "witness-1", "other-1", "caller"):
        assert word not in request


def _nothing_leaves(world: World, task: str) -> None:
    for type_ in TYPES:
        id_ = task if type_ in {"Task", "ServiceRequest"} else f"{task}.victim-1"
        assert world.hospital.get(f"/fhir/R4/{type_}/{id_}").status_code == 404
        found = world.hospital.get(f"/fhir/R4/{type_}")
        assert "entry" not in found.json()
        assert task.encode() not in orjson.dumps(found.json())
