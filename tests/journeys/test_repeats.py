"""Earlier incidents of the same victim: found after erasure, shown as days and grades, and what follows as facts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from audit.entry import Operation
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from gateway.duties import jobs
from gateway.evidence import Event
from gateway.linking.looking import link_waiting
from gateway.matching.model import shipped
from gateway.repeats import COMPARED
from gateway.retention.sweep import sweep
from gateway.store import tables
from tests.journeys.support import change, sealed, serial, size, status, version_of
from tests.support.evidence import verify_log
from tests.support.world import World


def on(day: str, **options: Any) -> dict[str, Any]:
    """An incident of a day, with names of its own victim and suspect where they are given."""
    people = {
        role: {
            key: options.pop(f"{role}_{key}")
            for key in ("surname", "given", "born", "sex")
            if f"{role}_{key}" in options
        }
        for role in ("victim", "suspect")
    }
    document = incident(serial(), **options)
    attributes = document["data"]["attributes"]
    attributes["incidentStartDateTime"] = {"dateFrom": f"{day}T19:50:00+00:00", "dateTo": day}
    attributes["reportedDateTime"] = f"{day}T20:05:00+00:00"
    of = {document["data"]["relationships"][role]["data"][0]["id"]: role for role in people}
    for entity in document["included"]:
        given = people.get(of.get(entity["id"], ""), {})
        names = {"surname": "surname", "given": "givenName", "born": "dateOfBirth", "sex": "gender"}
        for key, value in given.items():
            entity["attributes"][names[key]] = [value] if key == "given" else value
    return document


def pushed(world: World, document: dict[str, Any]) -> tuple[str, str]:
    """Push it; returns the gateway's references for it and for its referral."""
    answer = world.push(document)
    assert answer.is_success, answer.text
    return answer.json()["incident"], answer.json()["referrals"][0]["reference"]


def linked_up(world: World) -> int:
    """Compare what came in, as the gateway does by the clock."""
    services = world.services
    return link_waiting(services.database, services.journals, services.records, shipped(), LOG)


def request_of(world: World, referral: str) -> dict[str, Any]:
    """The referral as the adviser reads it."""
    answer = world.hospital.get(f"/fhir/R4/ServiceRequest/{referral}")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def extensions(request: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The nested extensions of a name, each as its parts by their own names."""
    return [
        {part["url"]: next(value for key, value in part.items() if key != "url") for part in one["extension"]}
        for one in request.get("extension", ())
        if one["url"].endswith(f"/{name}")
    ]


def erased(world: World, *referrals: str) -> None:
    """Close these referrals and let their days pass."""
    for referral in referrals:
        version = version_of(world.hospital.get(f"/fhir/R4/Task/{referral}").json())
        assert change(world, referral, version, status("accepted")).is_success
        assert change(world, referral, version + 1, status("completed")).is_success
    services = world.services
    sweep(services.database, services.journals, services.records, datetime.now(UTC) + timedelta(days=31))


def test_earlier_incidents_are_found_after_they_were_erased(world: World) -> None:
    """Three incidents, the first two erased: the adviser of the third reads their days and grades, and nothing else."""
    first, one = pushed(world, on("2026-01-10", grade="MEDIUM"))
    second, two = pushed(world, on("2026-02-20", grade="HIGH"))
    linked_up(world)
    erased(world, one, two)
    with world.services.database.reading() as connection:
        left = connection.execute(select(tables.match_event).where(tables.match_event.c.event_id.in_([first, second])))
        assert left.all() == []
    _, third = pushed(world, on("2026-04-12", grade="STANDARD", consent="GIVEN"))
    linked_up(world)

    request = request_of(world, third)
    assert extensions(request, "earlier-incident") == [
        {"date": "2026-02-20", "grade": "high", "samePair": True},
        {"date": "2026-01-10", "grade": "medium", "samePair": True},
    ]
    facts = {one["code"]: one for one in extensions(request, "marac-criterion") if one["basis"] == "found"}
    assert facts == {
        code: {"code": code, "met": True, "basis": "found", "count": 3, "since": "2026-01-10"}
        for code in ("repeat", "escalation")
    }
    risk = world.hospital.get(f"/fhir/R4/Task/{third}").json()
    assert risk["priority"] == "routine"  # a repeat is a fact: it gives nobody another grade
    assert "history.repeats" in sealed(world)[-2].items.released + sealed(world)[-3].items.released
    services = world.services
    verify_log(services.database, LOG, services.signer(LOG).verifier)


def test_an_incident_of_thirteen_months_ago_is_none(world: World) -> None:
    names = {"victim_surname": "Oldfield", "victim_given": "Petra", "victim_born": "1984-05-06"}
    pushed(world, on("2025-03-01", **names))
    _, now = pushed(world, on("2026-04-12", **names))
    linked_up(world)
    assert extensions(request_of(world, now), "earlier-incident") == []


def test_the_other_suspect_is_said_by_the_pair(world: World) -> None:
    names = {"victim_surname": "Pairwell", "victim_given": "Odette", "victim_born": "1979-08-16"}
    pushed(
        world, on("2026-03-01", **names, suspect_surname="Elsewhere", suspect_given="Abel", suspect_born="1960-01-31")
    )
    _, now = pushed(world, on("2026-04-12", **names))
    linked_up(world)
    assert extensions(request_of(world, now), "earlier-incident") == [
        {"date": "2026-03-01", "grade": "high", "samePair": False}
    ]


def test_a_retracted_incident_is_no_earlier_one(world: World) -> None:
    """It had been shown; the retraction takes it away (P9)."""
    names = {"victim_surname": "Backstep", "victim_given": "Ottilie", "victim_born": "1990-09-19"}
    wrong = on("2026-03-01", **names)
    pushed(world, wrong)
    _, now = pushed(world, on("2026-04-12", **names))
    linked_up(world)
    assert len(extensions(request_of(world, now), "earlier-incident")) == 1
    wrong["data"]["attributes"] |= {"recordVersion": 2, "recordKind": "retraction"}
    pushed(world, wrong)
    linked_up(world)
    assert extensions(request_of(world, now), "earlier-incident") == []


def test_a_corrected_victim_takes_her_incident_with_her(world: World) -> None:
    """The later version names another person: what was linked by the wrong one is taken back."""
    names = {"victim_surname": "Mistaken", "victim_given": "Ursula", "victim_born": "1971-07-17"}
    pushed(world, on("2026-03-01", **names))
    later = on("2026-04-12", **names)
    _, now = pushed(world, later)
    linked_up(world)
    assert len(extensions(request_of(world, now), "earlier-incident")) == 1
    victim = later["data"]["relationships"]["victim"]["data"][0]["id"]
    person = next(one for one in later["included"] if one["id"] == victim)
    person["attributes"] |= {"surname": "Rightly", "givenName": ["Vivian"], "dateOfBirth": "1995-05-05"}
    later["data"]["attributes"]["recordVersion"] = 2
    pushed(world, later)
    linked_up(world)
    assert extensions(request_of(world, now), "earlier-incident") == []


def test_victim_and_suspect_are_never_linked_as_one(world: World) -> None:
    """The victim of one incident is the suspect of the next: neither is told of the other (N9)."""
    names = {"surname": "Turnabout", "given": "Wilma", "born": "1969-10-29", "sex": "GNDR_0001"}
    pushed(world, on("2026-03-01", **{f"victim_{key}": value for key, value in names.items()}))
    _, now = pushed(
        world,
        on(
            "2026-04-12",
            victim_surname="Countered",
            victim_given="Yves",
            victim_born="1968-11-30",
            victim_sex="GNDR_0002",
            **{f"suspect_{key}": value for key, value in names.items()},
        ),
    )
    linked_up(world)
    assert extensions(request_of(world, now), "earlier-incident") == []


def test_each_link_is_sealed_once_as_combination(world: World) -> None:
    names = {"victim_surname": "Sealwright", "victim_given": "Xenia", "victim_born": "1987-12-08"}
    pushed(world, on("2026-03-01", **names))
    linked_up(world)
    start = size(world)
    pushed(world, on("2026-04-12", **names))
    assert linked_up(world) == 1
    matched = [
        one for one in sealed(world, start=start) if one.event == Event.SUBJECTS_MATCHED and one.reason == "linked"
    ]
    victims = [one for one in matched if all("victim" in subject for subject in one.subjects)]
    assert len(victims) == 1
    assert all(one.operation is Operation.COMBINATION and len(one.subjects) == 2 for one in matched)
    at = size(world)
    assert linked_up(world) == 0
    assert size(world) == at


@pytest.mark.parametrize(("given", "born"), [("Zelda", "1992-02-22"), ("Z", "1981-12-02")])
def test_a_likely_pair_waits_for_a_person(world: World, given: str, born: str) -> None:
    """A twin at the same address and telephone, or an initial alone, is not linked without one."""
    names = {"victim_surname": f"Doubtly{given}", "victim_born": born, "suspect_surname": "Nobody"}
    pushed(world, on("2026-03-01", victim_given="Zuleika", **names))
    incident_, now = pushed(world, on("2026-04-12", victim_given=given, **names))
    linked_up(world)
    assert extensions(request_of(world, now), "earlier-incident") == []
    waiting = world.guardian.get("/governance/v1/matches").json()["matches"]
    assert [one for one in waiting if incident_ in one["incidents"]]


def doubtful(world: World, family: str, born: str) -> tuple[str, str, str]:
    """Two incidents of victims who may be one: the match that waits, the earlier referral and the later."""
    names = {"victim_surname": family, "victim_born": born}
    earlier, before = pushed(world, on("2026-03-01", victim_given=f"Zu{family.lower()}", **names))
    incident_, now = pushed(world, on("2026-04-12", victim_given=f"Ze{family.lower()}", **names))
    linked_up(world)
    waiting = world.guardian.get("/governance/v1/matches").json()["matches"]
    (match,) = [one["match"] for one in waiting if set(one["incidents"]) == {incident_, earlier}]
    return match, before, now


def test_a_person_sees_both_sides_and_says_that_they_are_one(world: World) -> None:
    match, before, now = doubtful(world, "Sideby", "1962-02-12")
    answer = world.guardian.get(f"/governance/v1/matches/{match}")
    assert answer.status_code == 200
    sides = answer.json()["sides"]
    assert sorted(one["person"]["names"][0]["given"] for one in sides) == [["Zesideby"], ["Zusideby"]]
    assert {key for one in sides for key in one["person"]} <= {"ref", "role", "names", "birth", "sex", "addresses"}
    read = sealed(world)[-2:]
    assert {one.case for one in read} == {before, now}
    assert all(one.operation is Operation.COMBINATION and one.event == Event.MATCH_READ for one in read)
    assert all(one.actor.user and set(one.items.released) <= COMPARED for one in read)

    said = world.guardian.post(f"/governance/v1/matches/{match}/decision", json={"outcome": "same"})
    assert said.status_code == 200
    last = sealed(world)[-1]
    assert (last.event, last.operation, last.reason) == (Event.MATCH_DECIDED, Operation.COMBINATION, "same")
    assert [one["date"] for one in extensions(request_of(world, now), "earlier-incident")] == ["2026-03-01"]
    again = world.guardian.post(f"/governance/v1/matches/{match}/decision", json={"outcome": "different"})
    assert again.status_code == 422


def test_two_people_stay_two_and_nobody_is_asked_again(world: World) -> None:
    names = {"victim_surname": "Twosome", "victim_born": "1955-05-15"}
    earlier, _ = pushed(world, on("2026-03-01", victim_given="Zutwosome", **names))
    later = on("2026-04-12", victim_given="Zetwosome", **names)
    incident_, now = pushed(world, later)
    linked_up(world)
    waiting = world.guardian.get("/governance/v1/matches").json()["matches"]
    (match,) = [one["match"] for one in waiting if set(one["incidents"]) == {incident_, earlier}]
    path = f"/governance/v1/matches/{match}/decision"
    assert world.guardian.post(path, json={"outcome": "different"}).status_code == 200
    later["data"]["attributes"]["recordVersion"] = 2
    pushed(world, later)
    linked_up(world)
    assert extensions(request_of(world, now), "earlier-incident") == []
    waiting = world.guardian.get("/governance/v1/matches").json()["matches"]
    assert not [one for one in waiting if set(one["incidents"]) == {incident_, earlier}]


def test_a_match_is_nothing_to_whoever_may_not_decide(world: World) -> None:
    match, _, _ = doubtful(world, "Notyours", "1999-07-19")
    for client in (world.police, world.hospital):
        assert client.get(f"/governance/v1/matches/{match}").status_code == 403
        assert client.get("/governance/v1/matches").status_code == 403


def test_a_match_one_side_of_which_was_erased_waits_no_longer(world: World) -> None:
    match, before, _ = doubtful(world, "Lapsing", "1948-11-30")
    erased(world, before)
    assert world.guardian.get(f"/governance/v1/matches/{match}").status_code == 404
    waiting = world.guardian.get("/governance/v1/matches").json()["matches"]
    assert match not in [one["match"] for one in waiting]


def test_nothing_clear_is_left_of_what_people_are_matched_by(world: World) -> None:
    """The rows hold no name and no number; after erasure neither they, nor their keys, are there."""
    names = {"victim_surname": "Plainlyseen", "victim_given": "Ottoline", "victim_born": "1974-03-09"}
    incident_, referral = pushed(world, on("2026-03-01", **names))
    services = world.services
    with services.database.reading() as connection:
        (row,) = connection.execute(select(tables.match_event).where(tables.match_event.c.event_id == incident_)).all()
        keys = connection.execute(select(tables.match_key).where(tables.match_key.c.match_id == row.id)).all()
    assert len(keys) > 5
    assert not any(word in bytes(row.content).lower() for word in (b"plainlyseen", b"ottoline", b"07700900123"))
    erased(world, referral)
    with services.database.reading() as connection:
        for table, column in (
            (tables.match_event, tables.match_event.c.id),
            (tables.match_key, tables.match_key.c.match_id),
            (tables.data_key, tables.data_key.c.id),
        ):
            assert connection.execute(select(table).where(column == row.id)).all() == []


def test_a_later_version_takes_the_place_of_the_one_before(world: World) -> None:
    document = on("2026-03-01", victim_surname="Versionsby", victim_given="Ines", victim_born="1974-03-09")
    incident_, _ = pushed(world, document)
    document["data"]["attributes"]["recordVersion"] = 2
    pushed(world, document)
    with world.services.database.reading() as connection:
        query = select(tables.match_event).where(tables.match_event.c.event_id == incident_)
        (row,) = connection.execute(query).all()
    assert row.matched_at is None
    assert row.record_id != incident_


def test_the_gateway_does_it_by_the_clock(world: World) -> None:
    names = {"victim_surname": "Clockwork", "victim_given": "Thora", "victim_born": "1966-06-16"}
    pushed(world, on("2026-03-01", **names))
    _, now = pushed(world, on("2026-04-12", **names))
    (job,) = [one for one in jobs(world.services) if one.name == "people-linked"]
    job.run(datetime.now(UTC))
    assert len(extensions(request_of(world, now), "earlier-incident")) == 1
