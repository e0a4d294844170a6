"""What comes later: another grade, a crime number, a release, the end of an order, another section of one incident.

Through HTTP on both engines: what the sender is told, what the adviser reads, and what the log says.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from audit.entry import Operation
from gateway.demo.incidents import incident
from gateway.duties import jobs
from gateway.evidence import Event
from gateway.store import tables
from tests.journeys.deeper import attach, entity, extensions, linked, of_type, person, read, request_of
from tests.journeys.support import change, sealed, serial, size, status
from tests.journeys.test_corrections_travel import notices
from tests.support.world import World


def accepted(world: World, document: dict[str, Any]) -> tuple[str, str]:
    """Push an incident; returns the references of it and of its referral."""
    answer = world.push(document)
    assert answer.status_code == 201, answer.text
    body = answer.json()
    return body["incident"], body["referrals"][0]["reference"]


def updated(world: World, document: dict[str, Any]) -> dict[str, Any]:
    answer = world.push(document)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def earlier(world: World, task: str) -> list[str]:
    """The grades that stood before, as the adviser reads them with the one that stands."""
    page = world.hospital.get("/fhir/R4/RiskAssessment", params={"patient": f"Patient/{victim_of(world, task)}"}).json()
    (assessment,) = [one["resource"] for one in page["entry"] if one["search"]["mode"] == "match"]
    (details,) = [one["extension"] for one in assessment["extension"] if one["url"].endswith("/assessment")]
    histories = [one["extension"] for one in details if one["url"] == "earlier"]
    return [next(p["valueCode"] for p in parts if p["url"] == "grade") for parts in histories]


def victim_of(world: World, task: str) -> str:
    found: str = read(world, "Task", task)["for"]["reference"].partition("/")[2]
    return found


# A grade that changes.


def test_every_grade_that_stood_is_read_with_the_one_that_stands(world: World) -> None:
    number = serial()
    _, task = accepted(world, incident(number, grade="MEDIUM"))
    updated(world, incident(number, grade="HIGH", version=2))
    third = incident(number, grade="STANDARD", version=3)
    of_type(third, "riskAssessment").update(
        assessorRole="ppu-supervisor", completedDateTime="2026-04-14T09:00:00+01:00"
    )
    body = updated(world, third)
    assert body["referrals"][0]["changes"] == ["grade-lowered"]
    assert earlier(world, task) == ["medium", "high"]
    entry = [one for one in sealed(world) if one.event == Event.INCIDENT_UPDATED][-1]
    assert (entry.detail or {})["before"] == "high"
    assert (entry.detail or {})["grade"] == "standard"


def test_a_grade_said_again_is_no_history(world: World) -> None:
    number = serial()
    _, task = accepted(world, incident(number, grade="HIGH"))
    updated(world, incident(number, grade="HIGH", version=2))
    assert earlier(world, task) == []


def test_a_grade_that_nobody_lowered_keeps_its_place(world: World) -> None:
    """Without a role and a time beside it, the lower grade is shown, and the referral stays where it was (P10)."""
    number = serial()
    _, task = accepted(world, incident(number, grade="HIGH"))
    before = read(world, "Task", task)
    second = incident(number, grade="STANDARD", version=2)
    del of_type(second, "riskAssessment")["assessorRole"]
    updated(world, second)
    after = read(world, "Task", task)
    assert (before["priority"], after["priority"]) == ("asap", "asap")
    assert after["restriction"] == before["restriction"]
    assert earlier(world, task) == ["high"]


def test_a_lowered_grade_is_told_as_such(world: World) -> None:
    number = serial()
    _, task = accepted(world, incident(number, grade="HIGH"))
    request_of(world, task)
    updated(world, incident(number, grade="MEDIUM", version=2))
    assert [(one["kind"], one["reason"]) for one in notices(world.hospital, task)] == [("corrected", "grade-lowered")]


def test_the_senders_own_history_travels(world: World) -> None:
    document = incident(serial(), grade="MEDIUM")
    of_type(document, "riskAssessment")["gradeHistory"] = [
        {"riskGrade": "HIGH", "gradedDateTime": "2026-04-12T20:40:00+01:00", "assessorRole": "attending-officer"}
    ]
    answer = world.push(document)
    assert {"path": "assessments[0].grade", "code": "grade-lowered"} in answer.json()["quality"]
    assert earlier(world, answer.json()["referrals"][0]["reference"]) == ["high"]


# A crime that a log becomes.


def crime_of(number: int, *, thin: bool = False) -> dict[str, Any]:
    """The crime record for the log of this serial: another system's, under another name."""
    document = incident(number, description="Assault occasioning actual bodily harm.")
    document["data"]["attributes"]["occurrenceReference"] = f"CRIME-{number}"
    of_type(document, "submission")["recordSystem"] = "crime-rms"
    if thin:
        for role in ("riskAssessment", "consent"):
            del document["data"]["relationships"][role]
    return document


def log_of_incident(number: int) -> dict[str, Any]:
    """The log alone: no crime number yet."""
    document = incident(number)
    del document["data"]["attributes"]["crimeReference"]
    return document


def identifiers(world: World, task: str) -> set[str]:
    return {one["value"] for one in request_of(world, task)["identifier"]}


def test_a_late_crime_number_makes_no_second_case(world: World) -> None:
    number = serial()
    case, task = accepted(world, log_of_incident(number))
    request_of(world, task)
    body = updated(world, crime_of(number))
    assert (body["incident"], [one["reference"] for one in body["referrals"]]) == (case, [task])
    assert f"04/{number:05d}/26" in identifiers(world, task)
    (link,) = extensions(request_of(world, task), "linked-record")
    assert link["kind"] == "same-log"
    assert [one["kind"] for one in notices(world.hospital, task)] == ["corrected"]
    entry = [one for one in sealed(world) if one.event == Event.INCIDENT_JOINED][-1]
    assert (entry.operation, entry.reason) == (Operation.COMBINATION, "late-crime")


def test_a_crime_record_that_says_less_does_not_take_the_logs_place(world: World) -> None:
    """The adviser keeps the grade, the consent and the safe number of the log, and reads the crime's reference."""
    number = serial()
    case, task = accepted(world, log_of_incident(number))
    body = updated(world, crime_of(number, thin=True))
    assert body["incident"] == case
    request = request_of(world, task)
    assert f"04/{number:05d}/26" not in identifiers(world, task)
    (link,) = extensions(request, "linked-record")
    references = next(one for one in request["extension"] if one["url"].endswith("/linked-record"))["extension"]
    assert f"04/{number:05d}/26" in {p["valueIdentifier"]["value"] for p in references if p["url"] == "identifier"}
    assert link["kind"] == "same-log"
    assert read(world, "Task", task)["priority"] == "asap"


def test_a_later_version_of_either_name_is_one_of_the_case(world: World) -> None:
    number = serial()
    case, task = accepted(world, log_of_incident(number))
    updated(world, crime_of(number))
    again = crime_of(number)
    again["data"]["attributes"]["recordVersion"] = 2
    assert updated(world, again)["incident"] == case
    log = log_of_incident(number)
    log["data"]["attributes"]["recordVersion"] = 2
    body = updated(world, log)
    assert (body["incident"], body["referrals"][0]["reference"]) == (case, task)
    assert world.push(crime_of(number)).json()["state"] == "known"


def test_a_log_retracted_after_its_crime_came_is_told_and_the_crime_stands(world: World) -> None:
    number = serial()
    case, task = accepted(world, log_of_incident(number))
    updated(world, crime_of(number))
    request_of(world, task)
    retracted = log_of_incident(number)
    retracted["data"]["attributes"] |= {"recordKind": "retraction", "recordVersion": 2}
    assert updated(world, retracted)["incident"] == case
    told = [(one["kind"], one["reason"]) for one in notices(world.hospital, task)]
    assert told == [("corrected", "entered-in-error")]
    assert read(world, "Task", task)["status"] == "requested"


@pytest.mark.parametrize(
    "apart",
    [
        lambda d: d["data"]["attributes"].update(logReference="LC-20260412-X"),
        lambda d: d["data"]["attributes"].update(reportedDateTime="2026-04-14T20:05:00+01:00"),
        lambda d: person(d, "Ashdown").update(surname="Other", dateOfBirth="1970-01-02"),
    ],
    ids=["another-log", "another-day", "another-victim"],
)
def test_what_is_not_plainly_the_same_is_a_case_of_its_own(world: World, apart: Any) -> None:
    number = serial()
    case, task = accepted(world, log_of_incident(number))
    document = crime_of(number)
    apart(document)
    other, referral = accepted(world, document)
    assert other != case
    assert referral != task


def test_who_is_victim_there_and_suspect_here_is_never_linked(world: World) -> None:
    """A counter-allegation under the same log: neither adviser learns that there is the other (N9)."""
    number = serial()
    _, task = accepted(world, log_of_incident(number))
    document = crime_of(number)
    relationships = document["data"]["relationships"]
    relationships["victim"], relationships["suspect"] = relationships["suspect"], relationships["victim"]
    for one in document["included"]:
        if one["type"] in {"riskAssessment", "consent"}:
            one["relationships"]["victim"] = relationships["victim"]
    before = request_of(world, task)
    _, other = accepted(world, document)
    assert request_of(world, task) | {"meta": None} == before | {"meta": None}
    assert extensions(request_of(world, other), "linked-record") == []
    entry = [one for one in sealed(world) if one.event == Event.INCIDENT_LINKED][-1]
    assert entry.reason == "counter-allegation"


# Sections of one incident.


def test_sections_of_one_incident_are_links_and_never_merged(world: World) -> None:
    number, other = serial(), serial()
    documents = [incident(number), incident(other)]
    for document, section in zip(documents, ("domestic abuse", "adult"), strict=True):
        document["data"]["attributes"] |= {"incidentReference": f"PPN-{number}", "section": section}
    first, task = accepted(world, documents[0])
    answer = world.push(documents[1])
    assert answer.json()["referrals"][0]["changes"] == ["section"]
    second, twin = answer.json()["incident"], answer.json()["referrals"][0]["reference"]
    assert first != second
    assert [one["section"] for one in extensions(request_of(world, task), "linked-record")] == ["adult"]
    assert [one["section"] for one in extensions(request_of(world, twin), "linked-record")] == ["domestic-abuse"]


# The suspect is released.


def release(document: dict[str, Any], at: str = "2026-04-13T16:20:00+01:00", event: str = "released on bail") -> None:
    suspect = linked(document, "suspect")
    attach(document, "custody", "1", {"custodyEvent": event, "custodyDateTime": at}, suspect=suspect)


def bare_release(number: int, version: int, surname: str = "Harbottle") -> dict[str, Any]:
    """Nothing but the word: the occurrence, the suspect, the release and its conditions."""
    document = incident(number, version=version)
    document["data"]["attributes"] = {
        "recordKind": "notice",
        "occurrenceReference": f"04-2026-{number:06d}",
        "recordVersion": version,
    }
    submission = document["data"]["relationships"]["submission"]
    document["data"]["relationships"] = {"submission": submission}
    document["included"] = [one for one in document["included"] if one["type"] == "submission"]
    about = {"surname": surname, "givenName": ["Piers"], "dateOfBirth": "1988-11-30"}
    suspect = entity(document, "person", "suspect", about)
    document["data"]["relationships"]["suspect"] = {"data": [suspect]}
    release(document)
    attach(
        document,
        "order",
        "bail",
        {"orderType": "bail", "conditions": "Not to enter Blackpool.", "expires": "2099-05-10"},
        suspect=suspect,
    )
    return document


def test_a_release_pushes_the_referral_up_and_tells_whoever_has_it(world: World) -> None:
    number, start = serial(), size(world)
    _, task = accepted(world, incident(number, grade="STANDARD"))
    request_of(world, task)
    assert read(world, "Task", task)["priority"] == "routine"
    later = incident(number, grade="STANDARD", version=2)
    release(later)
    body = updated(world, later)
    assert body["referrals"][0]["changes"] == ["suspect-released"]
    shown = read(world, "Task", task)
    assert shown["priority"] == "asap"
    released = [one for one in shown["input"] if one["type"]["coding"][0]["code"] == "suspect-released"]
    assert released[0]["valueDateTime"] == "2026-04-13T15:20:00Z"
    (notice,) = notices(world.hospital, task)
    assert notice["kind"] == "suspect-released"
    due = datetime.fromisoformat(notice["due_at"]) - datetime.fromisoformat(notice["created_at"])
    assert due == timedelta(hours=1)
    (custody,) = extensions(request_of(world, task), "custody")
    assert (custody["event"], custody["at"]) == ("released-on-bail", "2026-04-13T15:20:00Z")
    assert [one.case for one in sealed(world, start=start) if one.event == Event.SUSPECT_RELEASED] == [task]


def test_a_release_is_news_once(world: World) -> None:
    number = serial()
    _, task = accepted(world, incident(number, grade="STANDARD"))
    request_of(world, task)
    for version in (2, 3):
        later = incident(number, grade="STANDARD", version=version)
        release(later)
        updated(world, later)
    assert [one["kind"] for one in notices(world.hospital, task)].count("suspect-released") == 1


def test_an_arrest_is_no_release(world: World) -> None:
    document = incident(serial(), grade="STANDARD")
    release(document, event="arrested")
    _, task = accepted(world, document)
    assert read(world, "Task", task)["priority"] == "routine"


def test_the_bare_word_of_a_release_stands_beside_the_record(world: World) -> None:
    """A notice with no victim in it changes nothing of the referral, and is not lost on it (P6)."""
    number = serial()
    case, task = accepted(world, incident(number, grade="MEDIUM"))
    before = request_of(world, task)
    body = updated(world, bare_release(number, 2))
    assert (body["incident"], body["referrals"][0]["changes"]) == (case, ["suspect-released"])
    after = request_of(world, task)
    assert after["note"] == before["note"]
    (custody,) = extensions(after, "custody")
    assert custody["subject"]["reference"] == f"#{after['contained'][0]['id']}"
    (order,) = extensions(after["contained"][0], "order")
    assert (order["conditions"], order["expired"]) == ("Not to enter Blackpool.", False)
    assert [one["kind"] for one in notices(world.hospital, task)] == ["suspect-released"]
    assert read(world, "Task", task)["priority"] == "asap"
    assert world.push(bare_release(number, 2)).json()["state"] == "known"
    updated(world, incident(number, grade="MEDIUM", version=3))
    assert extensions(request_of(world, task), "custody") == [custody]


def test_a_word_about_nobody_known_is_put_in_front_of_a_human(world: World) -> None:
    answer = world.push(bare_release(serial(), 1))
    assert answer.status_code == 202, answer.text
    assert answer.json()["reason"] == "no-victim"


# An order ends.


def end_orders(world: World) -> None:
    """What the timekeeper does."""
    for job in jobs(world.services):
        if job.name == "orders-ended":
            job.run(datetime.now(UTC))


def with_order(number: int, expires: str) -> dict[str, Any]:
    document = incident(number, grade="STANDARD")
    suspect = linked(document, "suspect")
    attributes = {"orderType": "non-molestation", "conditions": "No contact.", "expires": expires}
    attach(document, "order", "1", attributes, suspect=suspect)
    return document


def test_an_order_is_shown_as_in_force_or_expired(world: World) -> None:
    shown = []
    for expires in ("2099-01-01", "2020-01-01"):
        _, task = accepted(world, with_order(serial(), expires))
        (order,) = extensions(request_of(world, task)["contained"][0], "order")
        shown.append(order["expired"])
    assert shown == [False, True]


def test_the_end_of_an_order_is_told_once(world: World) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=30)
    _, task = accepted(world, with_order(serial(), soon.isoformat(timespec="seconds")))
    (before,) = extensions(request_of(world, task)["contained"][0], "order")
    end_orders(world)
    assert notices(world.hospital, task) == []
    row_end(world, task)
    (between,) = extensions(request_of(world, task)["contained"][0], "order")
    end_orders(world)
    end_orders(world)
    (notice,) = notices(world.hospital, task)
    assert notice["kind"] == "order-expired"
    assert (before["expired"], between["expired"]) == (False, False)  # the clock was moved, not the order
    assert [one.case for one in sealed(world) if one.event == Event.ORDER_EXPIRED].count(task) == 1
    assert change(world, task, 2, status("accepted")).status_code == 200, "the version went on by one"


def row_end(world: World, task: str) -> None:
    """Let the end that is kept beside a referral have come."""
    with world.services.database.writing() as connection:
        table = tables.referral
        connection.execute(table.update().where(table.c.id == task).values(orders_end="2026-01-01T00:00:00.000Z"))


def test_a_closed_case_is_told_nothing_of_an_order(world: World) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=30)
    _, task = accepted(world, with_order(serial(), soon.isoformat(timespec="seconds")))
    request_of(world, task)
    assert change(world, task, 1, status("accepted")).is_success
    assert change(world, task, 2, status("completed")).is_success
    row_end(world, task)
    end_orders(world)
    assert notices(world.hospital, task) == []
