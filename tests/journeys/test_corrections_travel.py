"""P9: a re-grade, a wrong victim, a retraction reaches every past recipient, and who has acknowledged it is known.

Past recipients are computed from the log: whoever read, whoever was told aloud, in whatever process.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest

from audit.entry import Operation, Outcome
from gateway import journey
from gateway.demo.client import Client
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from gateway.disclosure import Reader
from gateway.evidence import Event
from gateway.notices import NoteOverdue, count_outstanding
from gateway.searching import Search
from gateway.store import tables
from gateway.store.journal import Journal
from tests.journeys.support import change, output, pushed, sealed, serial, status
from tests.support.world import World


def notices(client: Client, referral: str, **params: str) -> list[dict[str, Any]]:
    """What a client is told of one referral."""
    answer = client.get("/notices/v1", params={"limit": 500, **params})
    assert answer.status_code == 200, answer.text
    return [one for one in answer.json()["notices"] if one["referral"] == referral]


def acknowledge(client: Client, notice: str) -> httpx.Response:
    return client.post(f"/notices/v1/{notice}/acknowledgement")


def read_by_team(world: World, task: str) -> None:
    assert world.hospital.get(f"/fhir/R4/ServiceRequest/{task}").status_code == 200


def told(world: World, task: str) -> None:
    """Let police read a word about the case."""
    word = {"op": "add", "path": "/output", "value": [output("contact-attempted")]}
    assert change(world, task, 1, status("accepted"), word).is_success
    page = world.police.get("/police/v1/feedback", params={"limit": 500}).json()
    assert task in {one["referral"] for one in page["feedback"]}


def test_a_regrade_reaches_whoever_read_it(world: World) -> None:
    number = serial()
    task = world.push(incident(number, grade="MEDIUM")).json()["referrals"][0]["reference"]
    read_by_team(world, task)
    assert notices(world.hospital, task) == []
    assert world.push(incident(number, grade="HIGH", version=2)).status_code == 200
    (notice,) = notices(world.hospital, task)
    assert (notice["kind"], notice["reason"]) == ("corrected", "grade")
    assert datetime.fromisoformat(notice["due_at"]) - datetime.fromisoformat(notice["created_at"]) == timedelta(hours=1)
    assert notices(world.police, task) == []  # the force knows: it sent the change


def test_nobody_is_told_who_was_given_nothing(world: World) -> None:
    number = serial()
    task = world.push(incident(number, grade="MEDIUM")).json()["referrals"][0]["reference"]
    assert world.push(incident(number, grade="HIGH", version=2)).status_code == 200
    assert notices(world.hospital, task) == []


def test_a_disclosure_of_the_same_commit_counts_as_past(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are sealed in one batch, the disclosure first: no query finds its entry, and its recipient is told."""
    number = serial()
    task = world.push(incident(number, grade="MEDIUM")).json()["referrals"][0]["reference"]
    journal, services = world.services.journals.of(LOG), world.services
    hospital = services.tokens.caller(world.hospital.http.headers["Authorization"])
    police = services.tokens.caller(world.police.http.headers["Authorization"])
    waiting: asyncio.Queue[Any] = asyncio.Queue()
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "_put", lambda _, unit: waiting.put_nowait(unit))

        async def both() -> None:
            search = Search(types=("ServiceRequest",), ids=(task,))
            reading = asyncio.create_task(
                journey.hand_out(services, Reader(services.records, "x"), hospital, search, None)
            )
            first = await waiting.get()
            body = orjson.dumps(incident(number, grade="HIGH", version=2))
            pushing = asyncio.create_task(journey.take_in(services, police, body, "application/vnd.api+json", None))
            batch = [first, await waiting.get()]
            await asyncio.to_thread(journal._commit, batch)
            for one in batch:
                one.settle()
            await asyncio.gather(reading, pushing)

        world.run(both())
    assert [one["kind"] for one in notices(world.hospital, task)] == ["corrected"]


def test_a_retraction_closes_the_referral_and_is_told(world: World) -> None:
    number = serial()
    task = world.push(incident(number)).json()["referrals"][0]["reference"]
    read_by_team(world, task)
    document = incident(number, version=2)
    document["data"]["attributes"]["recordKind"] = "retraction"
    answer = world.push(document)
    assert answer.status_code == 200, answer.text
    (notice,) = notices(world.hospital, task)
    assert (notice["kind"], notice["reason"]) == ("retracted", "entered-in-error")
    assert world.hospital.get(f"/fhir/R4/Task/{task}").json()["status"] == "entered-in-error"


def test_a_victim_who_is_no_longer_named_is_retracted(world: World) -> None:
    number = serial()
    two = incident(number)
    _second_victim(two)
    references = {one["reference"] for one in world.push(two).json()["referrals"]}
    for task in references:
        read_by_team(world, task)
    assert world.push(incident(number, version=2)).status_code == 200
    kinds = {task: notices(world.hospital, task)[0]["kind"] for task in references}
    assert sorted(kinds.values()) == ["corrected", "retracted"]
    gone = next(task for task, kind in kinds.items() if kind == "retracted")
    assert world.hospital.get(f"/fhir/R4/Task/{gone}").json()["status"] == "entered-in-error"


def test_consent_withdrawn_stops_the_future_and_tells(world: World) -> None:
    number = serial()
    task = world.push(incident(number, grade="STANDARD", child=False)).json()["referrals"][0]["reference"]
    read_by_team(world, task)
    assert world.push(incident(number, grade="STANDARD", child=False, consent="WITHDRAWN", version=2)).is_success
    assert world.hospital.get(f"/fhir/R4/ServiceRequest/{task}").status_code == 404
    (notice,) = notices(world.hospital, task)
    assert notice["kind"] == "consent-withdrawn"


def test_the_team_records_that_she_withdrew_and_police_are_told(world: World) -> None:
    _, task = pushed(world)
    told(world, task)
    answer = world.hospital.post(f"/team/v1/referrals/{task}/consent", json={"state": "withdrawn"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["told"] == 1
    kinds = [one["kind"] for one in notices(world.police, task)]
    assert kinds == ["consent-withdrawn"]
    assert world.hospital.get(f"/fhir/R4/ServiceRequest/{task}").status_code == 404
    # High risk and children: the agreement leaves it to the Guardian, who is asked.
    needed = next(one for one in notices(world.guardian, task) if one["kind"] == "decision-needed")
    assert acknowledge(world.hospital, needed["notice"]).status_code == 404, "it is for those who decide"
    assert acknowledge(world.guardian, needed["notice"]).status_code == 200


def test_what_was_only_spoken_counts(world: World) -> None:
    reference, task = pushed(world)
    said = {
        "to": "police-officer",
        "items": ["engagement.status"],
        "said_at": "2026-04-13T09:00:00+01:00",
        "channel": "by-phone",
    }
    answer = world.hospital.post(f"/team/v1/referrals/{task}/oral-disclosures", json=said)
    assert answer.status_code == 201, answer.text
    assert world.hospital.post(f"/team/v1/referrals/{task}/consent", json={"state": "refused"}).json()["told"] == 1
    assert [one["kind"] for one in notices(world.police, task)] == ["consent-refused"]
    assert reference


def test_it_is_outstanding_until_acknowledged_and_the_log_says_by_whom(world: World) -> None:
    number = serial()
    task = world.push(incident(number, grade="MEDIUM")).json()["referrals"][0]["reference"]
    read_by_team(world, task)
    world.push(incident(number, grade="HIGH", version=2))
    (notice,) = notices(world.hospital, task)
    listed = world.guardian.get("/governance/v1/outstanding").json()["notices"]
    assert notice["notice"] in {one["notice"] for one in listed}
    assert acknowledge(world.hospital, notice["notice"]).status_code == 200
    assert acknowledge(world.hospital, notice["notice"]).status_code == 200  # twice is once
    assert notices(world.hospital, task) == []
    assert notices(world.hospital, task, state="all")[0]["acknowledged_at"] is not None
    listed = world.guardian.get("/governance/v1/outstanding").json()["notices"]
    assert notice["notice"] not in {one["notice"] for one in listed}
    entry = next(
        one
        for one in sealed(world)
        if one.event == Event.NOTICE_ACKNOWLEDGED and (one.detail or {}).get("notice") == notice["notice"]
    )
    assert entry.actor.user == "idva-0042"


def test_a_notice_of_somebody_else_is_as_good_as_none(world: World) -> None:
    number = serial()
    task = world.push(incident(number, grade="MEDIUM")).json()["referrals"][0]["reference"]
    read_by_team(world, task)
    world.push(incident(number, grade="HIGH", version=2))
    (notice,) = notices(world.hospital, task)
    other, none = acknowledge(world.police, notice["notice"]), acknowledge(world.police, "none")
    assert (
        (other.status_code, other.json()["title"]) == (none.status_code, none.json()["title"]) == (404, "There is none")
    )
    assert notices(world.hospital, task) != []


def test_overdue_ones_are_sealed_once_and_shown(world: World) -> None:
    number = serial()
    task = world.push(incident(number, grade="MEDIUM")).json()["referrals"][0]["reference"]
    read_by_team(world, task)
    world.push(incident(number, grade="HIGH", version=2))
    (notice,) = notices(world.hospital, task)
    long_ago = "2026-01-01T00:00:00.000Z"
    with world.services.database.writing() as connection:
        table = tables.notice
        connection.execute(table.update().where(table.c.id == notice["notice"]).values(due_at=long_ago))
        assert count_outstanding(connection, datetime.now(UTC))[1] >= 1
    journal = world.services.journals.of(LOG)
    journal.submit_and_wait(NoteOverdue())
    journal.submit_and_wait(NoteOverdue())
    late = [
        one
        for one in sealed(world)
        if one.event == Event.NOTICE_OVERDUE and (one.detail or {}).get("notice") == notice["notice"]
    ]
    assert len(late) == 1
    assert late[0].outcome is Outcome.FAILED
    listed = {one["notice"]: one for one in world.guardian.get("/governance/v1/outstanding").json()["notices"]}
    assert listed[notice["notice"]]["overdue"] is True


def test_every_notice_has_its_entry(world: World) -> None:
    with world.services.database.reading() as connection:
        written = {row.id for row in connection.execute(tables.notice.select())}
    said = {(one.detail or {}).get("notice") for one in sealed(world) if one.event == Event.NOTICE_SENT}
    assert written == said
    assert all(one.operation is Operation.ALTERATION for one in sealed(world) if one.event == Event.NOTICE_SENT)


def _second_victim(document: dict[str, Any]) -> None:
    """Put another victim beside the first."""
    first = next(
        one for one in document["included"] if one["type"] == "person" and one["attributes"]["surname"] == "Ashdown"
    )
    attributes = {**first["attributes"], "givenName": ["Wilhelmina"], "dateOfBirth": "1975-05-05"}
    other = {**first, "id": "7d0c4d0e-2f3b-4c55-8a5e-000000000002", "attributes": attributes}
    document["included"].append(other)
    links = document["data"]["relationships"]["victim"]["data"]
    document["data"]["relationships"]["victim"]["data"] = [
        *(links if isinstance(links, list) else [links]),
        {"id": other["id"], "type": "person"},
    ]
