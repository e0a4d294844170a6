"""Co-response: a contact at the scene and the police record of it meet, whichever comes first, and never by guess.

The incidents here happened an hour ago: a contact is recorded from the car, not from a diary.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import orjson
import pytest
from sqlalchemy import select

from audit.entry import Entry, Operation, Outcome
from gateway import journey, scene_contacts
from gateway.coresponse.contact import Contact
from gateway.coresponse.recording import Scene
from gateway.coresponse.unjoined import EraseContacts, NoteMissing
from gateway.demo.client import Client
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from gateway.duties import erase_contacts
from gateway.evidence import Event
from gateway.retention.sweep import sweep
from gateway.scene_contacts import Happened
from gateway.store import tables
from gateway.store.journal import Journal
from tests.journeys.support import change, sealed, serial, size, status
from tests.support.world import URL, Bridge, World, client_key

LONDON = ZoneInfo("Europe/London")
HAPPENED = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
DAY = HAPPENED.astimezone(LONDON).date()


def record(number: int, *, version: int = 1, **options: Any) -> dict[str, Any]:
    """The force's record of an incident of an hour ago."""
    document = incident(number, version=version, **options)
    attributes = document["data"]["attributes"]
    happened = HAPPENED.astimezone(LONDON)
    attributes["incidentStartDateTime"] = {"dateFrom": happened.isoformat(), "dateTo": DAY.isoformat()}
    attributes["incidentEndDateTime"] = "23:59:00"
    attributes["reportedDateTime"] = happened.isoformat()
    attributes["attendedDateTime"] = (happened + timedelta(minutes=20)).isoformat()
    return document


def contact(world: World, number: int, key: str | None = None, **changes: Any) -> httpx.Response:
    """What the adviser sends from the car, under the log number."""
    body = {
        "force": "04",
        "log": f"LC-20260412-{number:04d}",
        "day": DAY.isoformat(),
        "at": (HAPPENED + timedelta(minutes=30)).isoformat(),
        "area": "blackpool",
        "contact": "spoken-to",
    }
    headers = {"Idempotency-Key": key} if key else {}
    given = {name: value for name, value in (body | changes).items() if value is not None}
    return world.hospital.post("/team/v1/co-responses", json=given, headers=headers)


def task(world: World, referral: str) -> dict[str, Any]:
    found: dict[str, Any] = world.hospital.get(f"/fhir/R4/Task/{referral}").json()
    return found


def state(world: World, referral: str) -> tuple[str, str]:
    found = task(world, referral)
    return found["status"], found["businessStatus"]["coding"][0]["code"]


def codes(world: World, reference: str) -> list[str]:
    """What police are told of an incident."""
    return [one["code"] for one in world.police.get(f"/police/v1/incidents/{reference}").json()["feedback"]]


def joins(world: World, start: int) -> list[Entry]:
    return [one for one in sealed(world, start=start) if one.event == Event.CO_RESPONSE_JOINED]


def push(world: World, document: dict[str, Any]) -> tuple[str, str]:
    answer = world.push(document)
    assert answer.is_success, answer.text
    body = answer.json()
    return body["incident"], next(one["reference"] for one in body["referrals"] if one["recipient"] == "idva-team")


def waits(world: World, id_: str) -> bool:
    found: dict[str, Any] = world.hospital.get(f"/team/v1/co-responses/{id_}").json()
    return bool(found["state"] == "waiting")


# They meet, in either order


@pytest.mark.parametrize("named", ["log", "occurrence"])
@pytest.mark.parametrize("first", ["contact", "record"])
def test_they_meet_whichever_comes_first(world: World, first: str, named: str) -> None:
    number = serial()
    by = {"log": None, "day": None, "occurrence": f"04-2026-{number:06d}"} if named == "occurrence" else {}
    start = size(world)
    if first == "contact":
        made = contact(world, number, **by)
        assert (made.status_code, made.json()["state"]) == (201, "waiting")
        incident_, referral = push(world, record(number))
    else:
        incident_, referral = push(world, record(number))
        made = contact(world, number, **by)
        assert (made.status_code, made.json()["state"], made.json()["referral"]) == (201, "joined", referral)
    assert state(world, referral) == ("accepted", "contacting")
    (entry,) = joins(world, start)
    assert (entry.operation, entry.case, entry.reason) == (Operation.COMBINATION, referral, "same-reference")
    assert (entry.detail or {})["co_response"] == made.json()["co_response"]
    read = world.hospital.get(f"/team/v1/co-responses/{made.json()['co_response']}").json()
    assert (read["state"], read["referral"]) == ("joined", referral)
    assert sorted(codes(world, incident_)) == ["acknowledged", "contact-attempted"]


@pytest.mark.parametrize(
    ("happened", "expected"),
    [
        (Contact.SPOKEN_TO, "contacting"),
        (Contact.REFUSED, "contacting"),
        (Contact.SEEN, "acknowledged"),
        (Contact.NOT_SEEN, "acknowledged"),
    ],
)
def test_what_happened_says_where_the_work_stands_and_never_what_she_wants(
    world: World, happened: Contact, expected: str
) -> None:
    number = serial()
    contact(world, number, contact=happened.value)
    incident_, referral = push(world, record(number))
    assert state(world, referral) == ("accepted", expected)
    assert not {"declined-support", "engaged"} & set(codes(world, incident_))


def test_a_referral_the_team_has_taken_already_keeps_its_place(world: World) -> None:
    number = serial()
    incident_, referral = push(world, record(number))
    assert change(world, referral, 1, status("accepted")).is_success
    assert change(world, referral, 2, status("in-progress")).is_success
    assert contact(world, number, contact="seen").json()["state"] == "joined"
    assert state(world, referral) == ("in-progress", "contacting")
    assert codes(world, incident_).count("acknowledged") == 1


def test_a_reference_that_comes_with_a_later_version_joins_then(world: World) -> None:
    number = serial()
    made = contact(world, number).json()["co_response"]
    without = record(number)
    del without["data"]["attributes"]["logReference"]
    _, referral = push(world, without)
    assert waits(world, made)
    push(world, record(number, version=2))
    assert not waits(world, made)
    assert state(world, referral) == ("accepted", "contacting")


def test_two_contacts_at_one_scene_both_join(world: World) -> None:
    number = serial()
    made = [contact(world, number).json()["co_response"] for _ in range(2)]
    push(world, record(number))
    assert [waits(world, one) for one in made] == [False, False]


# Never by guess


@pytest.mark.parametrize(
    "other",
    [
        {"day": (DAY - timedelta(days=1)).isoformat()},
        {"day": (DAY + timedelta(days=1)).isoformat()},
        {"force": "RXL"},
        {"area": "lancaster"},
        {"at": (HAPPENED - timedelta(hours=2)).isoformat()},
        {"log": "LC-20260412-9999"},
    ],
    ids=["the-day-before", "the-day-after", "another-force", "another-area", "before-it-was-reported", "another-log"],
)
@pytest.mark.parametrize("first", ["contact", "record"])
def test_another_day_force_area_or_time_is_never_joined(world: World, first: str, other: dict[str, Any]) -> None:
    number = serial()
    start = size(world)
    if first == "contact":
        made = contact(world, number, **other)
        _, referral = push(world, record(number))
    else:
        _, referral = push(world, record(number))
        made = contact(world, number, **other)
    assert made.json()["state"] == "waiting"
    assert waits(world, made.json()["co_response"])
    assert (joins(world, start), state(world, referral)) == ([], ("requested", "offered"))


def test_a_force_that_is_no_party_is_refused(world: World) -> None:
    assert contact(world, serial(), force="05").status_code == 422


@pytest.mark.parametrize("first", ["contact", "record"])
def test_one_of_two_victims_is_for_a_human_to_tell(world: World, first: str) -> None:
    number = serial()
    two = record(number)
    second = {"id": "5f0d6f2e-3f0e-4a51-9a54-0d9c2b6f1a78", "type": "person"}
    two["data"]["relationships"]["victim"]["data"].append(second)
    two["included"].append(
        second | {"attributes": {"surname": "Ashdown", "givenName": ["Wilhelmina"], "dateOfBirth": "1960-01-09"}}
    )
    if first == "contact":
        made = contact(world, number).json()["co_response"]
        assert len(world.push(two).json()["referrals"]) > 1
    else:
        world.push(two)
        made = contact(world, number).json()["co_response"]
    assert waits(world, made)


def test_another_team_sees_nothing_of_it(world: World) -> None:
    made = contact(world, serial()).json()["co_response"]
    with world.services.database.writing() as connection:
        table = tables.co_response
        connection.execute(table.update().where(table.c.id == made).values(team="uhmb-safeguarding"))
    missing = world.hospital.get(f"/team/v1/co-responses/{made}")
    assert missing.status_code == 404
    nowhere = world.hospital.get("/team/v1/co-responses/none")
    assert [{**one.json(), "x": 0} for one in (missing,)] == [{**nowhere.json(), "x": 0}]
    assert world.hospital.post(f"/team/v1/co-responses/{made}/details", json={"details": "x"}).status_code == 404
    listed = world.hospital.get("/team/v1/co-responses").json()["co_responses"]
    assert made not in {one["co_response"] for one in listed}


# Repeats, and two at once


def test_a_repeat_is_one_contact_and_gets_the_answer_as_it_is_by_now(world: World) -> None:
    number, key = serial(), f"car-{serial()}"
    first, again = contact(world, number, key), contact(world, number, key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["co_response"] == again.json()["co_response"]
    _, referral = push(world, record(number))
    later = contact(world, number, key).json()
    assert (later["state"], later["referral"]) == ("joined", referral)
    assert contact(world, number, key, contact="seen").status_code == 422


def test_a_repeated_record_joins_once(world: World) -> None:
    number = serial()
    contact(world, number)
    start = size(world)
    push(world, record(number))
    assert world.push(record(number)).status_code == 200
    push(world, record(number, version=2))
    assert len(joins(world, start)) == 1


@pytest.mark.parametrize("first", ["contact", "record"])
def test_both_in_one_commit_still_meet(world: World, first: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal takes both at once: whichever it applies second sees the other."""
    number, services = serial(), world.services
    journal = services.journals.of(LOG)
    hospital = services.tokens.caller(world.hospital.http.headers["Authorization"])
    police = services.tokens.caller(world.police.http.headers["Authorization"])
    scene = Scene("04", f"LC-20260412-{number:04d}", DAY, None, None)
    happened = Happened(Contact.SPOKEN_TO, HAPPENED + timedelta(minutes=30), "blackpool")
    body = orjson.dumps(record(number))
    waiting: asyncio.Queue[Any] = asyncio.Queue()
    start = size(world)
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "_put", lambda _, unit: waiting.put_nowait(unit))

        async def both() -> None:
            works = [
                scene_contacts.record_contact(services, hospital, scene, happened, None),
                journey.take_in(services, police, body, "application/vnd.api+json", None),
            ]
            batch, running = [], []
            for work in works if first == "contact" else reversed(works):
                running.append(asyncio.create_task(work))
                batch.append(await waiting.get())
            await asyncio.to_thread(journal._commit, batch)
            for one in batch:
                one.settle()
            await asyncio.gather(*running)

        world.run(both())
    assert len(joins(world, start)) == 1


@pytest.mark.parametrize("broken", ["record", "contact"])
def test_what_fails_between_leaves_nothing_and_is_sent_again(
    world: World, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A unit that ends while it joins leaves neither half: the repeat does all of it."""
    number = serial()
    start = size(world)

    def crash(*_: object, **__: object) -> None:
        raise RuntimeError("stopped")

    if broken == "record":
        contact(world, number)
        with monkeypatch.context() as patch:
            patch.setattr("gateway.coresponse.meeting.write_words", crash)
            assert world.push(record(number)).status_code == 500
        assert joins(world, start) == []
        push(world, record(number))
    else:
        push(world, record(number))
        with monkeypatch.context() as patch:
            patch.setattr("gateway.coresponse.meeting.write_words", crash)
            assert contact(world, number, f"k-{number}").status_code == 500
        assert joins(world, start) == []
        assert contact(world, number, f"k-{number}").status_code == 201
    assert len(joins(world, start)) == 1


# What is kept, and for whom


def test_details_are_added_later_and_read_back_by_the_team(world: World) -> None:
    number = serial()
    made = contact(world, number, details="She gave a code word.").json()["co_response"]
    push(world, record(number))
    later = world.hospital.post(f"/team/v1/co-responses/{made}/details", json={"details": "Call after six."})
    assert later.status_code == 200, later.text
    read = world.hospital.get(f"/team/v1/co-responses/{made}").json()
    assert [one["words"] for one in read["details"]] == ["She gave a code word.", "Call after six."]
    assert read["log"] == f"LC-20260412-{number:04d}"


def test_the_database_and_the_log_hold_no_word_of_it(world: World) -> None:
    number = serial()
    start = size(world)
    made = contact(world, number, details="Mauvelight is the code word.").json()["co_response"]
    with world.services.database.reading() as connection:
        row = connection.execute(select(tables.co_response).where(tables.co_response.c.id == made)).one()
        claims = connection.execute(select(tables.claim.c.value)).all()
    for told in (row, claims, sealed(world, start=start)):
        assert "Mauvelight" not in str(told)
        assert f"LC-20260412-{number:04d}" not in str(told)


def test_police_learn_nothing_of_a_contact_from_its_incident_but_codes(world: World) -> None:
    number = serial()
    made = contact(world, number, details="Mauvelight.").json()["co_response"]
    answer = world.push(record(number))
    assert made not in answer.text
    told = world.police.get(f"/police/v1/incidents/{answer.json()['incident']}").text
    assert made not in told
    assert "Mauvelight" not in told


def test_only_a_named_adviser_records_a_contact(world: World) -> None:
    number = serial()
    body = {"force": "04", "log": f"L-{number}", "at": HAPPENED.isoformat(), "contact": "seen"}
    nobody = Client(URL, "demo-hospital", client_key(world.keys_dir / "demo-hospital.pem"), None)
    nobody.http.close()
    nobody.http = httpx.Client(transport=Bridge(world.app, world._runner), base_url=URL)
    nobody.sign_in()
    assert nobody.post("/team/v1/co-responses", json=body).status_code == 403
    assert world.guardian.post("/team/v1/co-responses", json=body).status_code == 403
    assert world.police.post("/team/v1/co-responses", json=body).status_code == 403


@pytest.mark.parametrize(
    ("fault", "path"),
    [
        ({"log": None}, "log"),
        ({"at": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}, "at"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "at"),
        ({"contact": "had-tea"}, "contact"),
        ({"log": "x" * 101}, "log"),
    ],
)
def test_a_contact_that_cannot_be_is_refused_by_its_path(world: World, fault: dict[str, Any], path: str) -> None:
    answer = contact(world, serial(), **fault)
    assert answer.status_code == 422
    assert path in answer.text


# Where no record comes


def late(world: World, id_: str) -> None:
    """Let its time pass."""
    with world.services.database.writing() as connection:
        table = tables.co_response
        connection.execute(table.update().where(table.c.id == id_).values(due_at="2026-01-01T00:00:00.000Z"))


def test_a_contact_without_a_record_goes_to_a_named_human_once(world: World) -> None:
    made = contact(world, serial()).json()["co_response"]
    due = datetime.fromisoformat(world.hospital.get(f"/team/v1/co-responses/{made}").json()["due_at"])
    hours = world.services.settings.co_response_hours
    assert timedelta(0) < due - datetime.now(UTC) <= timedelta(hours=hours)
    late(world, made)
    start = size(world)
    journal = world.services.journals.of(LOG)
    while journal.submit_and_wait(NoteMissing()).value:
        pass
    entries = [one for one in sealed(world, start=start) if one.event == Event.CO_RESPONSE_OVERDUE]
    assert [one.outcome for one in entries if one.detail and one.detail["co_response"] == made] == [Outcome.FAILED]
    found = world.guardian.get("/governance/v1/outstanding").json()
    (one,) = [one for one in found["co_responses"] if one["co_response"] == made]
    assert (one["overdue"], one["owner"]) == (True, "Imogen Fairhurst, Lead adviser, Operation Provide")
    notices = world.hospital.get("/notices/v1", params={"limit": 500}).json()["notices"]
    assert [one["kind"] for one in notices if one["reason"] == made] == ["record-missing"]


def test_a_human_joins_a_wrong_reference_and_it_is_sealed_as_theirs(world: World) -> None:
    number = serial()
    made = contact(world, number, log="LC-20260412-9998").json()["co_response"]
    incident_, referral = push(world, record(number))
    seen = world.guardian.get(f"/governance/v1/co-responses/{made}").json()
    assert (seen["log"], "details" in seen) == ("LC-20260412-9998", False)
    start = size(world)
    path = f"/governance/v1/co-responses/{made}/join"
    answer = world.guardian.post(path, json={"referral": referral, "reason": "wrong-log-number"})
    assert answer.status_code == 200, answer.text
    (entry,) = joins(world, start)
    assert (entry.operation, entry.reason, entry.actor.client) == (
        Operation.COMBINATION,
        "wrong-log-number",
        "demo-guardian",
    )
    assert state(world, referral) == ("accepted", "contacting")
    assert "contact-attempted" in codes(world, incident_)
    assert world.guardian.post(path, json={"referral": referral, "reason": "again"}).status_code == 404


def test_a_contact_joined_by_hand_joins_no_record_after(world: World) -> None:
    number = serial()
    made = contact(world, number, log=f"LC-20260412-{number + 5000:04d}").json()["co_response"]
    _, referral = push(world, record(number))
    body = {"referral": referral, "reason": "wrong-log-number"}
    assert world.guardian.post(f"/governance/v1/co-responses/{made}/join", json=body).is_success
    start = size(world)
    push(world, record(number + 5000))
    assert joins(world, start) == []


def test_a_human_cannot_join_it_to_another_teams_referral(world: World) -> None:
    number = serial()
    made = contact(world, number, log="LC-20260412-9997").json()["co_response"]
    answer = world.push(record(number, town="Lancaster")).json()
    (other,) = [one["reference"] for one in answer["referrals"] if one["recipient"] != "idva-team"]
    body = {"referral": other, "reason": "wrong-log-number"}
    assert world.guardian.post(f"/governance/v1/co-responses/{made}/join", json=body).status_code == 404


def test_a_human_says_that_no_record_will_come(world: World) -> None:
    number = serial()
    made = contact(world, number).json()["co_response"]
    answer = world.guardian.post(f"/governance/v1/co-responses/{made}/close", json={"reason": "not-domestic-abuse"})
    assert answer.status_code == 200
    start = size(world)
    push(world, record(number))
    assert joins(world, start) == []
    assert made not in {
        one["co_response"] for one in world.guardian.get("/governance/v1/outstanding").json()["co_responses"]
    }


def test_a_joined_contact_is_erased_with_its_record(world: World) -> None:
    number = serial()
    made = contact(world, number, details="Mauvelight.").json()["co_response"]
    push(world, record(number))
    services = world.services
    sweep(services.database, services.journals, services.records, datetime.now(UTC) + timedelta(days=401))
    assert world.hospital.get(f"/team/v1/co-responses/{made}").status_code == 404
    with services.database.reading() as connection:
        table, key = tables.co_response.c, tables.data_key.c
        assert connection.execute(select(key.id).where(key.id == made)).first() is None
        assert connection.execute(select(table.content).where(table.id == made)).scalar() == b""


def test_a_contact_that_met_no_record_is_erased_in_time(world: World) -> None:
    made = contact(world, serial(), details="Mauvelight.").json()["co_response"]
    erase_contacts(world.services, datetime.now(UTC) + timedelta(days=89))
    assert world.hospital.get(f"/team/v1/co-responses/{made}").status_code == 200
    start = size(world)
    erase_contacts(world.services, datetime.now(UTC) + timedelta(days=91))
    assert world.hospital.get(f"/team/v1/co-responses/{made}").status_code == 404
    entries = [one for one in sealed(world, start=start) if one.event == Event.RECORD_ERASED]
    assert made in {one.detail["co_response"] for one in entries if one.detail}
    with world.services.database.reading() as connection:
        key = tables.data_key.c
        assert connection.execute(select(key.id).where(key.id == made)).first() is None
    assert world.services.journals.of(LOG).submit_and_wait(EraseContacts(datetime.now(UTC))).value == 0
