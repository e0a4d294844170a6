"""P5, P6, P10: unknown is unsafe, safeguarding is never blocked by form, and no grade is invented or lowered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from gateway.agreement import State
from gateway.demo.incidents import incident
from gateway.demo.run import OFFICER
from gateway.evidence import OPERATOR_LOG, Event
from gateway.quarantine import Quarantine
from gateway.store import tables
from tests.journeys.support import JSON_API, add_client, like, sealed, serial, set_state, world_on
from tests.support.world import World

MOBILE, LANDLINE = "07700900123", "01632960124"


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One engine is enough here."""
    with world_on("sqlite", request, tmp_path_factory.mktemp("safe") / "world") as opened:
        yield opened


def telephone(document: dict[str, Any], number: str, **attributes: Any) -> dict[str, Any]:
    """Change what a document says of one telephone; None takes it out."""
    for one in document["included"]:
        if one["type"] == "telephone" and one["attributes"]["telephoneNumber"].replace(" ", "") == number:
            one["attributes"] |= attributes
            one["attributes"] = {k: v for k, v in one["attributes"].items() if v is not None}
    return document


def patient(world: World, document: dict[str, Any]) -> dict[str, Any]:
    answer = world.push(document)
    assert answer.status_code == 201, answer.text
    task = answer.json()["referrals"][0]["reference"]
    found: dict[str, Any] = world.hospital.get(f"/fhir/R4/Patient/{task}.victim-1").json()
    return found


def usable(resource: dict[str, Any]) -> set[str]:
    return {one["value"].replace(" ", "") for one in resource.get("telecom", ()) if "value" in one}


def warned(resource: dict[str, Any]) -> set[str]:
    """The channels shown as not to be used: apart from telecom, each under its warning (adapters/nhs/DECISIONS.md)."""
    contacts = [one for one in resource["extension"] if one["url"].endswith("/unsafe-contact")]
    parts = [{part["url"]: part.get("valueString") for part in one["extension"]} for one in contacts]
    assert all(part["warning"] == "Unsafe: do not use" for part in parts)
    return {str(part["value"]) for part in parts}


def test_only_a_channel_stated_safe_can_be_used(world: World) -> None:
    found = patient(world, incident(serial()))
    assert usable(found) == {MOBILE}
    assert LANDLINE in warned(found)


@pytest.mark.parametrize(
    "said",
    [
        {"safeToContact": None},
        {"safeToContact": False},
        {"safeToContact": "unknown"},
        {"safeToContact": ""},
        {"safeToContact": "maybe"},
        {"safeToContact": [True]},
        {"safeToContact": True, "sharedWithSuspect": True},
    ],
    ids=str,
)
def test_whatever_is_not_a_clear_yes_is_a_no(world: World, said: dict[str, Any]) -> None:
    found = patient(world, telephone(incident(serial()), MOBILE, **said))
    assert usable(found) == set()
    assert MOBILE in warned(found)


@pytest.mark.parametrize(("said", "allowed"), [(None, False), (False, False), ("unknown", False), (True, True)])
def test_a_voicemail_is_left_only_where_she_said_so(world: World, said: object, *, allowed: bool) -> None:
    found = patient(world, telephone(incident(serial()), MOBILE, voicemailAllowed=said))
    voicemail = [
        part["valueBoolean"]
        for contact in found["telecom"]
        for extension in contact.get("extension", ())
        for part in extension.get("extension", ())
        if part["url"] == "voicemail"
    ]
    assert (True in voicemail) is allowed


# P6


def quarantined(world: World, reference: str) -> Any:
    with world.services.database.reading() as connection:
        return connection.execute(select(tables.quarantine).where(tables.quarantine.c.id == reference)).one()


def no_victim(document: dict[str, Any]) -> dict[str, Any]:
    del document["data"]["relationships"]["victim"]
    return document


@pytest.mark.parametrize(
    ("document", "reason", "owner", "urgent"),
    [
        (incident(serial(), handling="C", grade="HIGH"), "marking", "Imogen Fairhurst", True),
        (incident(serial(), handling="C", grade="STANDARD"), "marking", "Imogen Fairhurst", False),
        (incident(serial(), handling="C", grade="nonsense"), "marking", "Imogen Fairhurst", True),
        (incident(serial(), consent="REFUSED", grade="HIGH"), "hold", "Desmond Achterberg", True),
        (incident(serial(), consent="REFUSED", grade="MEDIUM"), "hold", "Desmond Achterberg", False),
        (incident(serial(), town="Nowhere-on-Sea"), "area-unknown", "Imogen Fairhurst", True),
        (no_victim(incident(serial(), grade="STANDARD")), "no-victim", "Imogen Fairhurst", True),
    ],
    ids=["marking", "marking, standard", "marking, ungraded", "refused", "refused, medium", "area", "no victim"],
)
def test_what_cannot_go_on_waits_for_a_named_human(
    world: World, document: dict[str, Any], reason: str, owner: str, *, urgent: bool
) -> None:
    """With a clock by risk; the sender is told who and until when, and the whole input can be opened again."""
    before = datetime.now(UTC)
    answer = world.push(document)
    assert answer.status_code == 202, answer.text
    body = answer.json()
    assert (body["state"], body["reason"], body["referrals"]) == ("held", reason, [])
    assert owner in body["held"]["owner"]
    due = datetime.fromisoformat(body["held"]["due"])
    if urgent:
        assert due - before <= timedelta(hours=1, seconds=5)
    else:
        assert due - before > timedelta(hours=2)
    row = quarantined(world, body["held"]["reference"])
    assert (row.owner, row.due_at, row.closed_at) == (body["held"]["owner"], body["held"]["due"], None)
    assert "Ashdown" not in str(tuple(row))
    entry = next(one for one in reversed(sealed(world)) if one.event == Event.INCIDENT_HELD)
    assert (entry.outcome, entry.reason) == ("denied", reason)
    assert entry.detail is not None
    assert entry.detail["quarantine"] == row.id


def test_the_bytes_in_quarantine_are_those_that_came(world: World) -> None:
    body = b'{"data": {"type": "incident", "surname": "Ashdown'
    answer = world.police.post("/police/v1/incidents", content=body, headers={"Content-Type": JSON_API})
    row = quarantined(world, answer.json()["quarantine"])
    with world.services.database.reading() as connection:
        key = connection.execute(
            select(tables.data_key.c.content_key).where(tables.data_key.c.id == row.id)
        ).scalar_one()
    assert b"Ashdown" not in row.content
    assert Quarantine(world.services.keyring.content_key).open(row, key) == body
    assert (row.reason, row.owner) == ("truncated", "Imogen Fairhurst, Lead adviser, Operation Provide")
    assert datetime.fromisoformat(row.due_at) - datetime.fromisoformat(row.opened_at) == timedelta(hours=1)


@pytest.mark.parametrize("agreements", [[], ["never-drafted"]], ids=["none", "one nobody drafted"])
def test_without_an_agreement_the_duty_contact_decides(world: World, agreements: list[str]) -> None:
    """Nothing was ever drafted: the record is held in the operator's log, for the human the operator named."""
    client = add_client(world, f"alone-{len(agreements)}", OFFICER, **like("demo-rms", agreements=agreements))
    answer = client.post("/police/v1/incidents", json=incident(serial()), headers={"Content-Type": JSON_API})
    assert (answer.status_code, answer.json()["reason"]) == (202, "no-agreement")
    assert answer.json()["held"]["owner"] == world.services.settings.duty_contact
    assert sealed(world, OPERATOR_LOG)[-1].event == Event.INCIDENT_HELD


def test_a_sender_whose_flows_make_no_referral_is_held_too(world: World) -> None:
    """A party of the agreement that has flows, but none towards a team that acts: a human sees its record."""
    client = add_client(world, "trust-rms", OFFICER, **like("demo-rms", organisation="RXL"))
    answer = client.post("/police/v1/incidents", json=incident(serial()), headers={"Content-Type": JSON_API})
    assert answer.status_code == 202, answer.text
    assert answer.json()["held"]["owner"]


def test_a_suspended_agreement_holds_and_loses_nothing(world: World) -> None:
    set_state(world, State.SUSPENDED)
    try:
        answer = world.push(incident(serial()))
    finally:
        set_state(world, State.IN_FORCE)
    assert (answer.status_code, answer.json()["reason"]) == (202, "no-agreement")
    assert quarantined(world, answer.json()["held"]["reference"]).reason == "no-agreement"


def test_what_is_secret_is_refused_and_not_kept(world: World) -> None:
    """N7: neither the record nor a hash of it stays; that it was refused is sealed."""
    before = _count(world, tables.quarantine), _count(world, tables.record)
    answer = world.push(incident(serial(), marking="SECRET"))
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:provide-gateway:problem:marking-refused"
    assert (_count(world, tables.quarantine), _count(world, tables.record)) == before
    entry = sealed(world)[-1]
    assert (entry.event, entry.payload, entry.record, entry.subjects) == (Event.INCIDENT_REFUSED, None, None, ())


# P10


def graded(document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    for one in document["included"]:
        if one["type"] == "riskAssessment":
            one["attributes"] = {k: v for k, v in (one["attributes"] | changes).items() if v is not None}
    return document


def task_of(world: World, document: dict[str, Any], expected: int = 201) -> dict[str, Any]:
    answer = world.push(document)
    assert answer.status_code == expected, answer.text
    found: dict[str, Any] = world.hospital.get(f"/fhir/R4/Task/{answer.json()['referrals'][0]['reference']}").json()
    return found


def grade_shown(task: dict[str, Any]) -> str | None:
    grades = [one["valueCode"] for one in task["input"] if one["type"]["coding"][0]["code"] == "risk-grade"]
    return grades[0] if grades else None


@pytest.mark.parametrize("said", [None, "", "unknown", "7", "nonsense"], ids=str)
def test_a_grade_nobody_stated_is_unknown_and_urgent(world: World, said: str | None) -> None:
    task = task_of(world, graded(incident(serial()), riskGrade=said))
    assert grade_shown(task) is None
    assert task["priority"] == "asap"
    end = datetime.fromisoformat(task["restriction"]["period"]["end"])
    assert end - datetime.fromisoformat(task["authoredOn"]) == timedelta(hours=1)


def test_many_yeses_make_no_grade_and_few_lower_none(world: World) -> None:
    """The count never speaks for the professional, in either direction."""
    assert grade_shown(task_of(world, graded(incident(serial()), riskGrade=None, yesCount=27))) is None
    assert grade_shown(task_of(world, graded(incident(serial()), riskGrade="HIGH", yesCount=0))) == "high"
    assert grade_shown(task_of(world, graded(incident(serial(), grade="STANDARD"), yesCount=27))) == "standard"


@pytest.mark.parametrize(
    ("first", "second", "priority"), [("HIGH", "STANDARD", "routine"), ("STANDARD", "HIGH", "asap")]
)
def test_a_later_grade_is_recorded_as_stated_beside_the_first(
    world: World, first: str, second: str, priority: str
) -> None:
    """A professional may lower or raise it; code only carries it. The earlier record stays as it was."""
    number = serial()
    before = task_of(world, incident(number, grade=first))
    after = task_of(world, incident(number, grade=second, version=2), 200)
    assert (before["id"], grade_shown(before)) == (after["id"], first.lower())
    assert (grade_shown(after), after["priority"]) == (second.lower(), priority)
    with world.services.database.reading() as connection:
        events = select(tables.referral.c.event_id).where(tables.referral.c.id == after["id"])
        ids = connection.execute(select(tables.record.c.id).where(tables.record.c.event_id.in_(events))).scalars().all()
        kept = world.services.records.load(connection, ids)
    assert sorted((one.version, one.assessments[0].grade) for one in kept.values()) == [
        (1, first.lower()),
        (2, second.lower()),
    ]


def test_a_raised_grade_brings_the_answer_forward(world: World) -> None:
    """The clock of the higher risk runs from when it was told; a lowered grade never gives more time."""
    number = serial()
    before = task_of(world, incident(number, grade="STANDARD"))
    raised = task_of(world, incident(number, grade="HIGH", version=2), 200)
    lowered = task_of(world, incident(number, grade="STANDARD", version=3), 200)
    ends = [datetime.fromisoformat(one["restriction"]["period"]["end"]) for one in (before, raised, lowered)]
    assert ends[1] - datetime.now(UTC) <= timedelta(hours=1)
    assert ends[0] > ends[1] == ends[2]


def test_a_grade_travels_with_what_it_rests_on(world: World) -> None:
    task = task_of(world, incident(serial()))
    one = next(one for one in task["input"] if one["type"]["coding"][0]["code"] == "risk-grade")
    parts = {part["url"] for extension in one["extension"] for part in extension["extension"]}
    assert {"yes", "items", "assessorRole"} <= parts
    codes = {one["type"]["coding"][0]["code"] for one in task["input"]}
    assert {"risk-instrument", "assessed-at"} <= codes


def _count(world: World, table: Any) -> int:
    with world.services.database.reading() as connection:
        return len(connection.execute(select(table.c.id)).all())
