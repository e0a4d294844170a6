"""P2: accepted is kept, once. A repeat makes no second case, and the same name with another content never overwrites.

Repeats come from retries, from two machines at once, after a restart, and with the document written differently.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from gateway.agreement import State
from gateway.demo.incidents import incident
from gateway.demo.run import LOG, OFFICER
from gateway.evidence import OPERATOR_LOG, Event
from gateway.reading_log import Look
from gateway.services import open_services
from tests.journeys.support import JSON_API, add_client, like, sealed, serial, set_state, size
from tests.support.evidence import verify_log
from tests.support.world import World, open_world


def rows(world: World, *names: str) -> dict[str, int]:
    with world.services.database.reading() as connection:
        return {name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in names}  # noqa: S608 - our own


def turned_round(value: Any) -> Any:
    """The same JSON with the members of every object in the opposite order; lists keep theirs."""
    if isinstance(value, dict):
        return {name: turned_round(one) for name, one in reversed(value.items())}
    return [turned_round(one) for one in value] if isinstance(value, list) else value


KEPT = ("record", "referral", "outbox", "data_key", "blind_index", "quarantine")


def test_the_same_body_again_is_known(world: World) -> None:
    """With a key and without; the answer names the same referral, and nothing is kept again."""
    document = incident(serial())
    first = world.push(document)
    kept = rows(world, *KEPT)
    again = world.push(document)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["state"] == "known"
    assert again.json()["referrals"] == first.json()["referrals"]
    assert again.headers["Location"] == first.headers["Location"]
    assert rows(world, *KEPT) == kept
    assert sealed(world)[-1].event == Event.INCIDENT_REPEATED


def test_layout_makes_no_other_record(world: World) -> None:
    """White space and the order of members say nothing, at any depth."""
    document = incident(serial())
    first = world.push(document)
    turned = turned_round(document)
    written = orjson.dumps(turned, option=orjson.OPT_INDENT_2)
    again = world.police.post("/police/v1/incidents", content=written, headers={"Content-Type": JSON_API})
    assert (first.status_code, again.status_code, again.json()["state"]) == (201, 200, "known")


def test_twenty_at_once_make_one_case(world: World) -> None:
    """Twenty times the same, each a request of its own: one is new, nineteen are known."""
    document = incident(serial())
    kept = rows(world, *KEPT)
    answers = _at_once(world, [document] * 20, [None] * 20)
    assert Counter(one.status_code for one in answers) == {201: 1, 200: 19}
    assert len({one.json()["referrals"][0]["reference"] for one in answers}) == 1
    assert rows(world, "record", "referral") == {"record": kept["record"] + 1, "referral": kept["referral"] + 1}


def test_twenty_at_once_under_one_key_make_one_case(world: World) -> None:
    """The same key with two bodies at once: one body wins, the other is refused, every time it is sent."""
    one, other = incident(serial()), incident(serial())
    answers = _at_once(world, [one, other] * 10, ["key-of-two"] * 20)
    found = Counter(answer.status_code for answer in answers)
    assert found == {201: 1, 200: 9, 422: 10}


def test_a_key_stands_for_one_body(world: World) -> None:
    key = f"key-{serial()}"
    first = world.push(incident(serial()), key)
    before = rows(world, *KEPT)
    other = world.push(incident(serial()), key)
    assert (first.status_code, other.status_code) == (201, 422)
    assert other.json()["type"] == "urn:provide-gateway:problem:idempotency-conflict"
    assert rows(world, *KEPT) == before
    assert (sealed(world)[-1].event, sealed(world)[-1].reason) == (Event.INCIDENT_CONFLICT, "another-body")


def test_a_key_first_seen_with_a_repeat_stands_for_that_body(world: World) -> None:
    """What a key was answered for is what it stands for, also where the answer was that the record is known."""
    document, key = incident(serial()), f"key-{serial()}"
    assert world.push(document).status_code == 201
    assert world.push(document, key).status_code == 200
    assert world.push(incident(serial()), key).status_code == 422


def test_a_record_under_another_key_is_still_the_same_record(world: World) -> None:
    document = incident(serial())
    assert [world.push(document, f"a-{serial()}").status_code for _ in range(3)] == [201, 200, 200]


def test_the_same_version_with_another_content_is_refused(world: World) -> None:
    number = serial()
    first = world.push(incident(number))
    before = rows(world, *KEPT)
    other = world.push(incident(number, grade="STANDARD"))
    assert (first.status_code, other.status_code) == (201, 422)
    assert rows(world, *KEPT) == before


def test_versions_move_on_and_never_back(world: World) -> None:
    """A higher version updates, the same is known, a lower one that was never sent is told that it is stale."""
    number = serial()
    first = world.push(incident(number, version=2))
    update = world.push(incident(number, version=4))
    assert (first.status_code, update.status_code) == (201, 200)
    assert (update.json()["state"], update.json()["incident"]) == ("updated", first.json()["incident"])
    assert update.json()["referrals"][0]["reference"] == first.json()["referrals"][0]["reference"]
    before = rows(world, *KEPT)
    assert world.push(incident(number, version=3)).status_code == 409
    assert world.push(incident(number, version=2)).json()["state"] == "known"
    assert world.push(incident(number, version=4)).json()["state"] == "known"
    assert rows(world, *KEPT) == before


def test_another_organisation_or_system_is_another_name(world: World) -> None:
    """The same key from another client, the same occurrence from another system or force: no collision."""
    document, key = incident(serial()), f"shared-{serial()}"
    headers = {"Content-Type": JSON_API, "Idempotency-Key": key}
    first = world.push(document, key)
    second = add_client(world, "second-rms", OFFICER, **like("demo-rms"))
    same = second.post("/police/v1/incidents", json=document, headers=headers)
    assert (first.status_code, same.status_code) == (201, 200)  # another machine of the same record system
    other = second.post("/police/v1/incidents", json=incident(serial()), headers={"Content-Type": JSON_API})
    assert other.status_code == 201
    for one in document["included"]:
        if one["type"] == "submission":
            one["attributes"]["recordSystem"] = "another-system"
    apart = world.push(document)
    assert apart.status_code == 201
    assert apart.json()["incident"] != first.json()["incident"]
    foreign = add_client(world, "foreign-rms", OFFICER, **like("demo-rms", organisation="05"))
    held = foreign.post("/police/v1/incidents", json=document, headers=headers)
    assert (held.status_code, held.json()["state"], held.json()["incident"]) == (202, "held", None)


def test_two_clients_may_use_the_same_key(world: World) -> None:
    key = f"common-{serial()}"
    second = add_client(world, "second-rms", OFFICER, **like("demo-rms"))
    headers = {"Content-Type": JSON_API, "Idempotency-Key": key}
    assert world.push(incident(serial()), key).status_code == 201
    assert second.post("/police/v1/incidents", json=incident(serial()), headers=headers).status_code == 201


def test_a_held_record_is_kept_once_and_goes_on_when_it_may(world: World) -> None:
    """Suspended: held, and its repeat is held under the same reference. In force again: the repeat is taken in."""
    document = incident(serial())
    set_state(world, State.SUSPENDED)
    try:
        held = [world.push(document, key="held-key") for _ in range(3)]
        kept = rows(world, "quarantine")
    finally:
        set_state(world, State.IN_FORCE)
    assert {one.status_code for one in held} == {202}
    assert len({one.json()["held"]["reference"] for one in held}) == 1
    assert [world.push(document, key="held-key").status_code for _ in range(3)] == [201, 200, 200]
    assert rows(world, "quarantine") == kept


def test_unreadable_bytes_are_kept_once(world: World) -> None:
    before = rows(world, "quarantine")["quarantine"]
    headers = {"Content-Type": JSON_API}
    body = b'{"data": %d' % serial()
    answers = [world.police.post("/police/v1/incidents", content=body, headers=headers) for _ in range(3)]
    assert len({one.json()["quarantine"] for one in answers}) == 1
    assert rows(world, "quarantine")["quarantine"] == before + 1
    assert [one.event for one in sealed(world)[-3:]] == [Event.INPUT_UNREADABLE] * 3


def test_a_restart_forgets_nothing(demo: World) -> None:
    """Services closed and opened again over the same database: the same answers."""
    document, other = incident(serial()), incident(serial())
    first = demo.push(document, "before")
    held = demo.push(incident(7, handling="C"))
    demo.services.close()
    again = open_world(demo.services.settings)
    try:
        assert again.push(document, "before").json()["referrals"] == first.json()["referrals"]
        assert again.push(other, "before").status_code == 422
        assert again.push(incident(7, handling="C")).json()["held"] == held.json()["held"]
        task = first.json()["referrals"][0]["reference"]
        assert again.hospital.get(f"/fhir/R4/Task/{task}").status_code == 200
        for log_id in (LOG, OPERATOR_LOG):
            assert verify_log(again.services.database, log_id, again.services.signer(log_id).verifier).verified
    finally:
        again.close()


def test_a_log_keeps_its_origin_when_the_address_changes(demo: World) -> None:
    """A log is known by the origin it was made with; what was sealed before and after both verify under one key."""
    assert demo.push(incident(serial())).status_code == 201
    origin = demo.services.signer(LOG).name
    demo.services.close()
    moved = demo.services.settings.model_copy(update={"public_url": "http://127.0.0.1:9"})
    again = open_services(moved)
    try:
        again.journals.of(LOG).submit_and_wait(Look(None, {"what": "pack"}))
        assert again.signer(LOG).name == origin
        assert verify_log(again.database, LOG, again.signer(LOG).verifier).verified
    finally:
        again.close()


@pytest.mark.parametrize("world", ["sqlite"], indirect=True)
@given(steps=st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["HIGH", "STANDARD"])), min_size=2, max_size=6))
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_of_versions_keeps_each_content_once(world: World, steps: list[tuple[int, str]]) -> None:
    """Against a model: the first content of a version counts, and only a version above all before it is new."""
    number, known, highest = serial(), dict[int, str](), 0
    for version, grade in steps:
        if version in known:
            expected = 200 if known[version] == grade else 422
        elif version > highest:
            expected = 200 if known else 201
        else:
            expected = 409
        answer = world.push(incident(number, version=version, grade=grade))
        assert answer.status_code == expected, (steps, version, grade)
        if expected in {200, 201}:
            known.setdefault(version, grade)
            highest = max(highest, version)


def _at_once(world: World, documents: list[dict[str, Any]], keys: list[str | None]) -> list[httpx.Response]:
    """Push each document in a task of its own, all before any is answered."""
    authorization = world.police.http.headers["Authorization"]

    async def all_of_them() -> list[httpx.Response]:
        transport = httpx.ASGITransport(world.app)
        async with httpx.AsyncClient(transport=transport, base_url="https://gateway.test") as client:
            calls = [
                client.post(
                    "/police/v1/incidents",
                    content=orjson.dumps(document),
                    headers={
                        "Authorization": authorization,
                        "Content-Type": JSON_API,
                        **({"Idempotency-Key": key} if key else {}),
                    },
                )
                for document, key in zip(documents, keys, strict=True)
            ]
            return list(await asyncio.gather(*calls))

    before = size(world)
    answers: list[httpx.Response] = world.run(all_of_them())
    assert size(world) >= before + len(documents)
    return answers


def test_a_later_version_that_may_not_go_on_stops_what_was_sent_before(world: World) -> None:
    """Consent withdrawn at high risk: a human decides, and until then nothing more of the referral is disclosed."""
    number = serial()
    reference = world.push(incident(number)).json()["referrals"][0]["reference"]
    asked = f"/fhir/R4/ServiceRequest/{reference}"
    assert world.hospital.get(asked).is_success
    held = world.push(incident(number, version=2, consent="WITHDRAWN"))
    assert (held.status_code, held.json()["state"]) == (202, "held")
    assert held.json()["held"]["owner"]
    assert world.hospital.get(asked).status_code == httpx.codes.NOT_FOUND
    assert world.hospital.get("/fhir/R4/Task", params={"_id": reference}).json().get("entry", []) == []
    assert [one.event for one in sealed(world) if one.case == reference][-2:] == [
        Event.INCIDENT_HELD,
        Event.NOTICE_SENT,
    ]
    again = world.push(incident(number, version=3))
    assert (again.status_code, again.json()["state"]) == (200, "updated")
    assert again.json()["referrals"][0]["reference"] == reference
    assert world.hospital.get(asked).is_success
