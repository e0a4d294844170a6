"""What was entered beside the acts is put right too: her consent, what was said aloud, and a contact at the scene.

Consent that is refused in the wrong case hides a victim from whoever could help her; consent that is given there lets
out what she never agreed to. On both engines.
"""

from __future__ import annotations

import orjson

from audit.entry import Entry, Operation, Outcome
from gateway.demo.client import Client
from gateway.demo.incidents import incident
from gateway.evidence import Event
from gateway.store import tables
from tests.journeys.support import pushed, sealed, serial, size
from tests.journeys.test_casework import acted, attempt, clocks, done, entries, heard, rows
from tests.journeys.test_co_response import contact, push, record, waits
from tests.journeys.test_corrections_travel import notices, read_by_team, told
from tests.journeys.test_entered_in_error import COLLEAGUE, ONE_ENGINE, counted, ids, stands, undone, wrong
from tests.support.world import World

SPOKEN = {
    "to": "police-officer",
    "items": ["engagement.status"],
    "said_at": "2026-04-13T09:00:00+01:00",
    "channel": "by-phone",
}


def says(world: World, referral: str, state: str) -> str:
    """Record what she says of sharing; the act that it is."""
    answer = world.hospital.post(f"/team/v1/referrals/{referral}/consent", json={"state": state})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["act"])


def consent(world: World, referral: str) -> str | None:
    (row,) = rows(world, tables.referral, id=referral)
    found = orjson.loads(row.facts)["consent"]
    return str(found) if found is not None else None


def sees(client: Client, referral: str) -> bool:
    status = client.get(f"/fhir/R4/ServiceRequest/{referral}").status_code
    assert status in {200, 404}
    return status == 200


def kinds(client: Client, referral: str) -> list[str]:
    return [one["kind"] for one in notices(client, referral)]


def taken_back(world: World, referral: str, event: str, reason: str = "wrong-case") -> Entry:
    """Take something back as the adviser; the entry that says so."""
    start = size(world)
    answer = wrong(world, referral, event, reason)
    assert answer.status_code == 200, answer.text
    (entry,) = entries(world, start, Event.CASE_CORRECTED)
    return entry


# What she says of sharing


def test_consent_refused_in_the_wrong_case_gives_the_case_back(world: World) -> None:
    """To whoever entered it, who does not see it any more; police are told both; whoever decides needs not decide."""
    incident_, referral = pushed(world)
    told(world, referral)
    before, was = consent(world, referral), done(world, referral)["version"]
    event = says(world, referral, "refused")
    assert not sees(world.hospital, referral)
    assert heard(world, incident_) == []
    assert kinds(world.police, referral) == ["consent-refused"]
    waiting = [one["kind"] for one in notices(world.guardian, referral, open="true")]
    entry = taken_back(world, referral, event)
    assert (consent(world, referral), sees(world.hospital, referral)) == (before, True)
    assert kinds(world.police, referral) == ["consent-refused", "consent-corrected"]
    assert sorted(heard(world, incident_)) == ["acknowledged", "contact-attempted"]
    assert waiting == ["decision-needed"]
    (needed,) = rows(world, tables.notice, referral_id=referral, kind="decision-needed")
    assert needed.acknowledged_by == "idva-0042"
    detail = entry.detail or {}
    assert (entry.operation, detail["act"], detail["mistake"]) == (Operation.ALTERATION, "consent", "wrong-case")
    assert (entry.facts or {})["consent"] == before
    (mistaken,) = [one for one in done(world, referral)["acts"] if one["act"] == "consent"]
    assert (mistaken["codes"], mistaken["entered_in_error"]["reason"]) == ({"state": "refused"}, "wrong-case")
    assert "before" not in mistaken["codes"], "what police recorded of it may be withheld from the team"
    assert done(world, referral)["version"] == was + 2


@ONE_ENGINE
def test_consent_given_in_the_wrong_case_stops_what_it_had_let_out(world: World) -> None:
    """She had refused; in an emergency somebody enters her consent where it was another's, and takes it back."""
    incident_, referral = pushed(world)
    told(world, referral)
    says(world, referral, "refused")
    there = world.client("demo-hospital", {"id": "idva-0606", "role": "idva"})
    path = f"/team/v1/referrals/{referral}"
    emergency = {"ground": "life-or-limb", "reason": "She rang: he is at the door."}
    assert there.post(f"{path}/break-glass", json=emergency).status_code == 201
    event = there.post(f"{path}/consent", json={"state": "given"}).json()["act"]
    assert sees(world.hospital, referral)
    assert len(heard(world, incident_)) == 2
    answer = there.post(f"{path}/acts/{event}/entered-in-error", json={"reason": "wrong-case"})
    assert answer.status_code == 200, answer.text
    assert (consent(world, referral), sees(world.hospital, referral)) == ("refused", False)
    assert heard(world, incident_) == []
    assert kinds(world.police, referral).count("consent-refused") == 2, (
        "whoever was given something on it is told again"
    )


@ONE_ENGINE
def test_what_she_said_later_stands_and_what_police_sent_later_too(world: World) -> None:
    number = serial()
    referral = world.push(incident(number)).json()["referrals"][0]["reference"]
    read_by_team(world, referral)
    first, second = says(world, referral, "lacks-capacity"), says(world, referral, "given")
    taken_back(world, referral, first)
    assert consent(world, referral) == "given"
    third = says(world, referral, "under-16-gillick")
    assert world.push(incident(number, version=2, grade="MEDIUM")).is_success
    sent = consent(world, referral)
    for event in (third, second):
        taken_back(world, referral, event)
        assert consent(world, referral) == sent


@ONE_ENGINE
def test_two_mistakes_leave_what_counted_before_both(world: World) -> None:
    _, referral = pushed(world)
    before = consent(world, referral)
    first, second = says(world, referral, "lacks-capacity"), says(world, referral, "under-16-gillick")
    taken_back(world, referral, first)
    taken_back(world, referral, second)
    assert consent(world, referral) == before


@ONE_ENGINE
def test_what_was_overridden_since_is_relied_on(world: World) -> None:
    _, referral = pushed(world)
    event = says(world, referral, "withdrawn")
    given = {
        "ground": "life-or-limb",
        "evidence": "He has said so.",
        "proportionality": "Nothing less would do.",
        "minimum_set": "Name and number.",
        "victim_told": "yes",
        "days": 28,
    }
    path = f"/governance/v1/referrals/{referral}/override"
    answer = world.guardian.post(path, json=given)
    assert answer.is_success, answer.text
    refused = wrong(world, referral, event)
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "event")
    assert consent(world, referral) == "overridden"


@ONE_ENGINE
def test_who_did_not_enter_it_learns_nothing_of_a_case_that_is_kept_from_them(world: World) -> None:
    """A colleague, a person who is connected with a party, and one who names another act than their own."""
    _, referral = pushed(world)
    first = ids(world, referral)
    assert first == []
    acted(world, referral, {"act": "acknowledge"})
    event, other = says(world, referral, "withdrawn"), rows(world, tables.case_event, referral_id=referral)[0].id
    path = f"/team/v1/referrals/{referral}/acts/{event}/entered-in-error"
    unknown = world.hospital.post(path.replace(referral, event), json={"reason": "wrong-case"})
    for answer in (
        world.client("demo-hospital", COLLEAGUE).post(path, json={"reason": "wrong-case"}),
        wrong(world, referral, other),
    ):
        assert (answer.status_code, answer.json()["title"]) == (404, unknown.json()["title"])
    assert consent(world, referral) == "withdrawn"
    assert wrong(world, referral, event).status_code == 200


# What was said aloud


def test_who_was_told_nothing_after_all_is_corrected_no_more(world: World) -> None:
    """The entry of what was said stays, and is no disclosure any more for whoever is told of a correction."""
    number = serial()
    referral = world.push(incident(number, grade="MEDIUM")).json()["referrals"][0]["reference"]
    start = size(world)
    path = f"/team/v1/referrals/{referral}/oral-disclosures"
    for to in ("marac", "police-officer"):
        assert world.hospital.post(path, json={**SPOKEN, "to": to, "items": ["risk.grade"]}).status_code == 201
    aloud = done(world, referral)["acts"]
    assert [(one["act"], one["codes"]["to"]) for one in aloud] == [("spoken", "marac"), ("spoken", "police-officer")]
    assert aloud[0]["codes"] == {"to": "marac", "aloud": "by-phone", "items": ["risk.grade"]}
    said = entries(world, start, Event.ORAL_DISCLOSURE)
    assert [one.outcome for one in said] == [Outcome.PERMITTED] * 2
    entry = taken_back(world, referral, aloud[1]["id"], "did-not-happen")
    for key in ("form-1", "form-1", "form-2"):  # done, repeated, and refused: it is taken back once
        wrong(world, referral, aloud[1]["id"], Idempotency_Key=key)
    assert (entry.detail or {})["entry"] == aloud[1]["index"]
    assert stands(world, referral) == ("requested", "offered")
    event = says(world, referral, "refused")
    sent = [one for one in sealed(world, start=start) if one.event == Event.NOTICE_SENT]
    warned = [one for one in sent if one.case == referral and one.reason == "consent-refused"]
    assert [one.recipients[0].recipient for one in warned] == ["marac"]
    taken_back(world, referral, event)


@ONE_ENGINE
def test_what_is_entered_beside_the_acts_is_no_work_that_is_counted(world: World) -> None:
    _, referral = pushed(world)
    says(world, referral, "lacks-capacity")
    path = f"/team/v1/referrals/{referral}/oral-disclosures"
    assert world.hospital.post(path, json={**SPOKEN, "to": "marac", "items": ["risk.grade"]}).status_code == 201
    assert [one["act"] for one in done(world, referral)["acts"]] == ["consent", "spoken"]
    assert counted(world, referral) == set()


@ONE_ENGINE
def test_what_police_said_aloud_is_no_act_of_the_teams(world: World) -> None:
    incident_, referral = pushed(world)
    path = f"/police/v1/incidents/{incident_}/oral-disclosures"
    answer = world.police.post(path, json={**SPOKEN, "to": "idva-team", "items": ["risk.grade"]})
    assert answer.status_code == 201, answer.text
    assert done(world, referral)["acts"] == []


# A contact at the scene


def test_a_contact_at_another_victims_scene_waits_for_its_own_case(world: World) -> None:
    """Police had been told: that is taken back; the team has not taken the case; the clock of the offer runs again."""
    number = serial()
    incident_, referral = push(world, record(number))
    before = clocks(world, referral)
    made = contact(world, number).json()
    assert heard(world, incident_) == ["acknowledged", "contact-attempted"]
    assert not waits(world, made["co_response"])
    undone(world, referral, 0, "wrong-case")
    assert stands(world, referral) == ("requested", "offered")
    assert sorted(clocks(world, referral)) == sorted(before)
    assert heard(world, incident_) == ["entered-in-error", "entered-in-error"]
    assert waits(world, made["co_response"])
    _, other = push(world, record(serial()))
    joined = {"referral": other, "reason": "another-log"}
    answer = world.guardian.post(f"/governance/v1/co-responses/{made['co_response']}/join", json=joined)
    assert answer.is_success, answer.text
    assert stands(world, other) == ("accepted", "contacting")


@ONE_ENGINE
def test_a_contact_at_the_scene_that_never_was_is_closed_and_counted_no_more(world: World) -> None:
    number = serial()
    _, referral = push(world, record(number))
    made = contact(world, number).json()
    acted(world, referral, attempt())
    undone(world, referral, 0, "did-not-happen")
    assert stands(world, referral) == ("in-progress", "contacting")
    (row,) = rows(world, tables.co_response, id=made["co_response"])
    assert (row.referral_id, row.closed_at is not None) == (None, True)
    assert row.event_id is not None, "it is erased with what it was recorded of"
