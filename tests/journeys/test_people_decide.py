"""What people decide beside the road: emergencies, holds, overrides, connections, and what was only spoken.

Each act is sealed with its ground, told to whom it concerns, reviewed by somebody else, and ends.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from audit.entry import Entry, Operation, Outcome
from gateway.agreement import State
from gateway.consent import EndOverrides
from gateway.demo.client import Client
from gateway.demo.incidents import incident
from gateway.demo.run import GUARDIAN, LOG
from gateway.evidence import Event
from gateway.reviews import NoteReviewsOverdue
from gateway.store import tables
from gateway.store.envelope import ContentUnreadable, Envelope
from gateway.tokens.scopes import Scope
from tests.journeys.support import (
    add_client,
    bring_into_force,
    change,
    in_its_time,
    pushed,
    sealed,
    serial,
    set_state,
    status,
    world_on,
)
from tests.support.world import World

REASON = "Her sister rang: he is on his way to the house with a knife."
OVERRIDE = {
    "ground": "life-or-limb",
    "evidence": "Two calls in a night; he has her new number.",
    "proportionality": "No lesser step would let anybody reach her before him.",
    "minimum_set": "What an adviser needs to ring her safely.",
    "victim_told": "unsafe",
    "why_not_told": "He answers her telephone.",
}


def adviser(world: World, name: str) -> Client:
    """A system that acts for another adviser of the team."""
    return world.client("demo-hospital", {"id": name, "role": "idva"})


def guardian(world: World, name: str) -> Client:
    return world.client("demo-guardian", {"id": name, "role": "caldicott-guardian"})


def smash(client: Client, task: str, **body: str) -> httpx.Response:
    return client.post(
        f"/team/v1/referrals/{task}/break-glass", json={"ground": "life-or-limb", "reason": REASON} | body
    )


def entries(world: World, event: Event, case: str | None = None) -> list[Entry]:
    return [one for one in sealed(world) if one.event == event and case in {None, one.case}]


def closed_case(world: World) -> str:
    """A referral that was sent and is stopped: she withdrew, the risk is high, so a human decides."""
    _, task = pushed(world)
    assert world.hospital.post(f"/team/v1/referrals/{task}/consent", json={"state": "withdrawn"}).is_success
    assert world.hospital.get(f"/fhir/R4/ServiceRequest/{task}").status_code == 404
    return task


# Break-glass ---------------------------------------------------------------------------------------------------------


def test_breaking_the_glass_opens_the_case_to_that_person_alone_and_tells_everybody(world: World) -> None:
    task = closed_case(world)
    ann, ben = adviser(world, f"idva-{serial()}"), adviser(world, f"idva-{serial()}")
    answer = smash(ann, task)
    assert answer.status_code == 201, answer.text
    opened = answer.json()
    assert ann.get(f"/fhir/R4/ServiceRequest/{task}").status_code == 200
    assert ben.get(f"/fhir/R4/ServiceRequest/{task}").status_code == 404
    read = entries(world, Event.REFERRAL_READ, task)[-1]
    assert read.facts is not None
    assert read.facts["break_glass"] == "life-or-limb"
    assert all("emergency" in clause for clause in read.clauses)
    (entry,) = entries(world, Event.BREAK_GLASS_OPENED, task)
    assert entry.reason == "life-or-limb"
    assert (entry.detail or {})["break-glass"] == opened["break_glass"]
    for party in (world.police, world.guardian):
        told = party.get("/notices/v1", params={"limit": 500}).json()["notices"]
        assert [one["kind"] for one in told if one["referral"] == task].count("break-glass") == 1


def test_the_notice_of_an_emergency_is_taken_by_those_who_review(world: World) -> None:
    task = closed_case(world)
    ann = adviser(world, f"idva-{serial()}")
    smash(ann, task)
    told = ann.get("/notices/v1", params={"limit": 500}).json()["notices"]
    (notice,) = (one["notice"] for one in told if (one["referral"], one["kind"]) == (task, "break-glass"))
    assert ann.post(f"/notices/v1/{notice}/acknowledgement").status_code == 404
    assert world.guardian.post(f"/notices/v1/{notice}/acknowledgement").status_code == 200


def test_the_reason_is_kept_encrypted_and_nowhere_else(world: World) -> None:
    task = closed_case(world)
    id_ = smash(adviser(world, f"idva-{serial()}"), task).json()["break_glass"]
    assert not any(b"knife" in one.body for one in world.entries())
    with world.services.database.reading() as connection:
        row = connection.execute(select(tables.break_glass).where(tables.break_glass.c.id == id_)).one()
        key = connection.execute(select(tables.data_key.c.content_key).where(tables.data_key.c.id == id_)).scalar_one()
    assert b"knife" not in bytes(row.content)
    envelope = Envelope(world.services.keyring.content_key)
    assert envelope.open(bytes(row.content), bytes(key), f"break_glass.content|{id_}").decode() == REASON
    with pytest.raises(ContentUnreadable):
        envelope.open(bytes(row.content), bytes(key), "break_glass.content|another")


def test_an_unreviewed_emergency_blocks_the_same_persons_next_one(world: World) -> None:
    first, second = closed_case(world), closed_case(world)
    name = f"idva-{serial()}"
    ann = adviser(world, name)
    id_ = smash(ann, first).json()["break_glass"]
    again = smash(ann, first)  # the same case: the same emergency
    assert again.json()["break_glass"] == id_
    blocked = smash(ann, second)
    assert blocked.status_code == 403
    assert ann.get(f"/fhir/R4/ServiceRequest/{second}").status_code == 404
    (entry,) = entries(world, Event.BREAK_GLASS_REFUSED, second)
    assert (entry.outcome, entry.reason) == (Outcome.DENIED, "review-outstanding")
    reviewed = world.guardian.post(f"/governance/v1/break-glass/{id_}/review", json={"outcome": "justified"})
    assert reviewed.status_code == 200, reviewed.text
    assert smash(ann, second).status_code == 201


def test_another_spelling_is_not_another_person(world: World) -> None:
    first, second = closed_case(world), closed_case(world)
    name = f"idva-{serial()}"
    assert smash(adviser(world, name), first).status_code == 201
    assert smash(adviser(world, name.upper()), second).status_code == 403


def test_an_emergency_that_was_none_ends_with_its_review(world: World) -> None:
    task = closed_case(world)
    ann = adviser(world, f"idva-{serial()}")
    id_ = smash(ann, task).json()["break_glass"]
    assert ann.get(f"/fhir/R4/ServiceRequest/{task}").status_code == 200
    world.guardian.post(f"/governance/v1/break-glass/{id_}/review", json={"outcome": "not-justified"})
    assert ann.get(f"/fhir/R4/ServiceRequest/{task}").status_code == 404


def test_nobody_reviews_their_own_and_nobody_twice(world: World) -> None:
    task = closed_case(world)
    own = adviser(world, GUARDIAN["id"])
    id_ = smash(own, task).json()["break_glass"]
    path = f"/governance/v1/break-glass/{id_}/review"
    assert world.guardian.post(path, json={"outcome": "justified"}).status_code == 403
    louder = guardian(world, GUARDIAN["id"].upper())
    assert louder.post(path, json={"outcome": "justified"}).status_code == 403, "one id in two spellings is one person"
    other = guardian(world, "caldicott-2")
    assert other.post(path, json={"outcome": "justified"}).status_code == 200
    assert other.post(path, json={"outcome": "justified"}).status_code == 422
    assert other.post("/governance/v1/break-glass/none/review", json={"outcome": "justified"}).status_code == 404


def test_it_ends_by_itself(world: World) -> None:
    task = closed_case(world)
    ann = adviser(world, f"idva-{serial()}")
    id_ = smash(ann, task).json()["break_glass"]
    with world.services.database.writing() as connection:
        table = tables.break_glass
        past = table.update().where(table.c.id == id_).values(expires_at="2026-01-01T00:00:00.000Z")
        connection.execute(past)
    assert ann.get(f"/fhir/R4/ServiceRequest/{task}").status_code == 404


def test_where_nothing_is_denied_there_is_nothing_to_break(world: World) -> None:
    _, task = pushed(world)
    answer = smash(adviser(world, f"idva-{serial()}"), task)
    assert answer.status_code == 403
    assert entries(world, Event.BREAK_GLASS_REFUSED, task)[0].reason == "not-needed"


def test_another_teams_case_is_as_good_as_none(world: World) -> None:
    ann = adviser(world, f"idva-{serial()}")
    none = smash(ann, "00000000-0000-4000-8000-000000000000")
    assert none.status_code == 404
    assert sealed(world)[-1].event == Event.NOTHING_FOUND


@pytest.mark.parametrize("body", [{"ground": "curiosity"}, {"reason": ""}, {"reason": " "}, {"ground": ""}])
def test_without_a_ground_and_a_reason_the_glass_stays_whole(world: World, body: dict[str, str]) -> None:
    task = closed_case(world)
    answer = smash(adviser(world, f"idva-{serial()}"), task, **body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == next(iter(body))


def test_a_review_that_is_late_is_sealed_as_late_once(world: World) -> None:
    task = closed_case(world)
    id_ = smash(adviser(world, f"idva-{serial()}"), task).json()["break_glass"]
    with world.services.database.writing() as connection:
        table = tables.break_glass
        late = table.update().where(table.c.id == id_).values(review_due="2026-01-01T00:00:00.000Z")
        connection.execute(late)
    journal = world.services.journals.of(LOG)
    journal.submit_and_wait(NoteReviewsOverdue())
    journal.submit_and_wait(NoteReviewsOverdue())
    assert [(one.detail or {})["of"] for one in entries(world, Event.REVIEW_OVERDUE, task)] == [id_]
    shown = {one["review"]: one for one in world.guardian.get("/governance/v1/outstanding").json()["reviews"]}
    assert shown[id_]["overdue"] is True


# Connections (N15) ---------------------------------------------------------------------------------------------------


def test_whoever_declares_that_they_know_a_party_no_longer_sees_the_case(world: World) -> None:
    _, task = pushed(world)
    ann, ben = adviser(world, f"idva-{serial()}"), adviser(world, f"idva-{serial()}")
    assert ann.get(f"/fhir/R4/Task/{task}").status_code == 200
    assert ann.post(f"/team/v1/referrals/{task}/connection").status_code == 200
    assert ann.get(f"/fhir/R4/Task/{task}").status_code == 404
    assert ben.get(f"/fhir/R4/Task/{task}").status_code == 200
    refusal = entries(world, Event.ACCESS_REFUSED, task)[-1]
    assert (refusal.outcome, refusal.reason) == (Outcome.DENIED, "connected")
    assert (refusal.facts or {})["relationship"] == "declared"
    assert smash(ann, task).status_code == 201  # a life outranks it, and everybody is told
    assert ann.get(f"/fhir/R4/Task/{task}").status_code == 200


@pytest.mark.parametrize(
    ("marks", "relationship"),
    [
        ({"family_names": ["HARBOTTLE "]}, "same-name"),
        ({"addresses": [{"line": "12, Example  Row", "postcode": "zz993cz"}]}, "same-address"),
    ],
)
def test_a_name_or_an_address_shared_with_a_party_closes_the_case(
    world: World, marks: dict[str, Any], relationship: str
) -> None:
    _, task = pushed(world)
    name = f"idva-{serial()}"
    ann = adviser(world, name)
    assert ann.get(f"/fhir/R4/Task/{task}").status_code == 200
    answer = world.guardian.post("/governance/v1/staff", json={"user": name, **marks})
    assert answer.json()["new"] == 1, answer.text
    assert ann.get(f"/fhir/R4/Task/{task}").status_code == 404
    assert (entries(world, Event.ACCESS_REFUSED, task)[-1].facts or {})["relationship"] == relationship
    assert task not in ann.get("/fhir/R4/Task", params={"_count": 100}).text
    again = world.guardian.post("/governance/v1/staff", json={"user": name, **marks})
    assert again.json()["new"] == 0


def test_a_party_speaks_for_its_own_staff_alone(world: World) -> None:
    """Another party that registers the same staff id closes nothing; her own does, however the id is written."""
    _, task = pushed(world)
    name = f"idva-{serial()}"
    ann = adviser(world, name)
    marks = {"user": name, "family_names": ["Harbottle"]}
    for organisation in ("04", "RTX", "E10000017"):
        bound = {"organisation": organisation, "scopes": [Scope.GOVERNANCE_REVIEW.value], "agreements": [LOG]}
        person = {"id": f"dpo-{organisation}", "role": "dpo"}
        other = add_client(world, f"{organisation.lower()}-speaks", person, **bound)
        assert other.post("/governance/v1/staff", json=marks).json()["new"] == 1
        assert sealed(world)[-1].actor.organisation == organisation
        assert ann.get(f"/fhir/R4/Task/{task}").status_code == 200
    assert world.guardian.post("/governance/v1/staff", json=marks | {"user": name.upper()}).json()["new"] == 1
    assert ann.get(f"/fhir/R4/Task/{task}").status_code == 404
    assert adviser(world, name.title()).get(f"/fhir/R4/Task/{task}").status_code == 404


def test_an_emergency_of_the_same_id_elsewhere_opens_and_blocks_nothing(world: World) -> None:
    """Another organisation's open break-glass of the same staff id neither opens a case here nor keeps one closed."""
    task, name = closed_case(world), f"idva-{serial()}"
    assert smash(adviser(world, name), task).status_code == 201
    with world.services.database.writing() as connection:
        glass = tables.break_glass
        connection.execute(update(glass).where(glass.c.user_id == name).values(organisation="RTX"))
    ann = adviser(world, name)
    assert ann.get(f"/fhir/R4/Task/{task}").status_code == 404
    assert smash(ann, task).status_code == 201


def test_what_connects_staff_is_kept_as_digests(world: World) -> None:
    name = f"idva-{serial()}"
    world.guardian.post("/governance/v1/staff", json={"user": name, "family_names": ["Quellingborough"]})
    with world.services.database.reading() as connection:
        rows = connection.execute(select(tables.staff_mark).where(tables.staff_mark.c.user_id == name)).all()
    assert len(rows) == 1
    assert b"uelling" not in bytes(rows[0].digest)
    assert not any(b"uelling" in one.body.lower() for one in world.entries())


def test_a_case_is_that_of_whoever_accepted_it(world: World) -> None:
    _, task = pushed(world)
    name = f"idva-{serial()}"
    ann, ben = adviser(world, name), adviser(world, f"idva-{serial()}")
    assert change(world, task, 1, status("accepted"), client=ann).is_success
    for client in (ann, ben):
        assert client.get(f"/fhir/R4/ServiceRequest/{task}").status_code == 200
    read = entries(world, Event.REFERRAL_READ, task)[-2:]
    assert [(one.facts or {})["relationship"] for one in read] == ["assigned", "team"]


# Holds and overrides -------------------------------------------------------------------------------------------------


def held(world: World, **options: Any) -> tuple[dict[str, Any], str]:
    """Push what a human must decide; returns the document and the hold's reference."""
    document = incident(serial(), **options)
    answer = world.push(document)
    assert answer.status_code == 202, answer.text
    return document, answer.json()["held"]["reference"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"consent": "REFUSED", "grade": "HIGH"}, "hold"),
        ({"consent": "WITHDRAWN", "grade": "HIGH"}, "hold"),
        ({"consent": "REFUSED", "grade": "STANDARD", "child": True}, "hold"),
        ({"handling": "C"}, "marking"),
    ],
)
def test_a_human_lets_a_held_record_go_on(world: World, options: dict[str, Any], reason: str) -> None:
    document, hold = held(world, **options)
    shown = world.guardian.get(f"/governance/v1/holds/{hold}").json()
    assert (shown["reason"], shown["hold"]) == (reason, hold)
    assert "Ashdown" not in str(shown)
    answer = world.guardian.post(f"/governance/v1/holds/{hold}/release", json=OVERRIDE)
    assert answer.status_code == 200, answer.text
    (referral, *_) = answer.json()["referrals"]
    task = referral["reference"]
    assert world.hospital.get(f"/fhir/R4/ServiceRequest/{task}").status_code == 200
    said = next(one for one in entries(world, Event.OVERRIDE_RECORDED) if (one.detail or {})["of"] == hold)
    assert (said.reason, said.actor.user) == ("life-or-limb", GUARDIAN["id"])
    assert (said.detail or {})["victim-told"] == "unsafe"
    assert not any(b"rings" in one.body or b"telephone" in one.body for one in world.entries())
    assert hold not in {one["hold"] for one in world.guardian.get("/governance/v1/holds").json()["holds"]}
    assert world.push(document).json()["state"] == "known"  # sent again, it makes no second case
    assert world.guardian.post(f"/governance/v1/holds/{hold}/release", json=OVERRIDE).status_code == 404


def test_one_victim_of_two_is_let_go_on_and_the_other_stays_as_it_is(world: World) -> None:
    document = incident(serial(), consent="GIVEN")
    _second_victim_refuses(document)
    answer = world.push(document).json()
    first, hold = answer["referrals"][0]["reference"], answer["held"]["reference"]
    assert len(answer["referrals"]) == 1
    released = world.guardian.post(f"/governance/v1/holds/{hold}/release", json=OVERRIDE)
    assert released.status_code == 200, released.text
    (second,) = [one["reference"] for one in released.json()["referrals"]]
    assert second != first
    for task in (first, second):
        assert world.hospital.get(f"/fhir/R4/ServiceRequest/{task}").status_code == 200
    again = world.push(document).json()
    assert again["state"] == "known"


def test_what_a_newer_version_has_overtaken_is_not_let_go_on(world: World) -> None:
    number = serial()
    first = world.push(incident(number, consent="REFUSED")).json()["held"]["reference"]
    assert world.push(incident(number, consent="GIVEN", version=2)).status_code == 201
    before = len(entries(world, Event.OVERRIDE_RECORDED))
    answer = world.guardian.post(f"/governance/v1/holds/{first}/release", json=OVERRIDE)
    assert answer.status_code == 422
    assert len(entries(world, Event.OVERRIDE_RECORDED)) == before
    assert world.guardian.post(f"/governance/v1/holds/{first}/keep", json={"reason": "overtaken"}).is_success


def test_a_human_keeps_a_record_back(world: World) -> None:
    _, hold = held(world, consent="REFUSED")
    assert world.guardian.post(f"/governance/v1/holds/{hold}/keep", json={"reason": "wishes-respected"}).is_success
    assert hold not in world.guardian.get("/governance/v1/holds").text
    entry = entries(world, Event.HOLD_UPHELD)[-1]
    assert (entry.reason, (entry.detail or {})["quarantine"]) == ("wishes-respected", hold)


def test_whoever_was_not_told_needs_a_reason(world: World) -> None:
    _, hold = held(world, consent="REFUSED")
    body = {name: value for name, value in OVERRIDE.items() if name != "why_not_told"}
    answer = world.guardian.post(f"/governance/v1/holds/{hold}/release", json=body)
    assert answer.status_code == 422
    assert hold in world.guardian.get("/governance/v1/holds").text


def test_an_override_is_reviewed_by_somebody_else(world: World) -> None:
    _, hold = held(world, consent="REFUSED")
    world.guardian.post(f"/governance/v1/holds/{hold}/release", json=OVERRIDE)
    id_ = next(
        str((one.detail or {})["override"])
        for one in entries(world, Event.OVERRIDE_RECORDED)
        if (one.detail or {})["of"] == hold
    )
    path = f"/governance/v1/overrides/{id_}/review"
    assert world.guardian.post(path, json={"outcome": "justified"}).status_code == 403
    assert guardian(world, "caldicott-2").post(path, json={"outcome": "justified"}).status_code == 200


@pytest.mark.parametrize("options", [{"consent": "REFUSED"}, {"handling": "C"}], ids=["consent", "marking"])
def test_an_override_that_was_not_right_ends_with_its_review(world: World, options: dict[str, Any]) -> None:
    _, hold = held(world, **options)
    released = world.guardian.post(f"/governance/v1/holds/{hold}/release", json=OVERRIDE).json()
    task = released["referrals"][0]["reference"]
    assert world.hospital.get(f"/fhir/R4/ServiceRequest/{task}").status_code == 200
    said = next(one for one in entries(world, Event.OVERRIDE_RECORDED) if (one.detail or {})["of"] == hold)
    path = f"/governance/v1/overrides/{(said.detail or {})['override']}/review"
    assert guardian(world, "caldicott-2").post(path, json={"outcome": "not-justified"}).status_code == 200
    assert world.hospital.get(f"/fhir/R4/ServiceRequest/{task}").status_code == 404
    assert entries(world, Event.CONSENT_CHANGED, task)[-1].reason == "override-ended"


def test_reviews_of_both_kinds_that_are_late_are_each_sealed_once(world: World) -> None:
    """An override's does not keep an emergency's from being said, nor the other way round."""
    glass = smash(adviser(world, f"idva-{serial()}"), closed_case(world)).json()["break_glass"]
    _, hold = held(world, consent="REFUSED")
    world.guardian.post(f"/governance/v1/holds/{hold}/release", json=OVERRIDE)
    with world.services.database.writing() as connection:
        past = {"review_due": "2026-01-01T00:00:00.000Z"}
        override = tables.consent_override
        id_ = connection.execute(select(override.c.id).where(override.c.quarantine_id == hold)).scalar_one()
        connection.execute(update(override).where(override.c.id == id_).values(past))
        connection.execute(update(tables.break_glass).where(tables.break_glass.c.id == glass).values(past))
    journal = world.services.journals.of(LOG)
    while journal.submit_and_wait(NoteReviewsOverdue()).value:
        pass
    said = [(one.detail or {})["of"] for one in entries(world, Event.REVIEW_OVERDUE)]
    assert (said.count(id_), said.count(glass)) == (1, 1)


@pytest.mark.parametrize("options", [{"consent": "REFUSED"}, {"handling": "C"}], ids=["consent", "marking"])
def test_an_override_ends_on_its_day(world: World, options: dict[str, Any]) -> None:
    _, hold = held(world, **options)
    released = world.guardian.post(f"/governance/v1/holds/{hold}/release", json={**OVERRIDE, "days": 7}).json()
    task = released["referrals"][0]["reference"]
    journal = world.services.journals.of(LOG)
    journal.submit_and_wait(EndOverrides())
    assert world.hospital.get(f"/fhir/R4/ServiceRequest/{task}").status_code == 200
    with world.services.database.writing() as connection:
        table = tables.consent_override
        row = connection.execute(select(table).where(table.c.quarantine_id == hold)).one()
        ends = datetime.fromisoformat(row.expires_at) - datetime.fromisoformat(row.created_at)
        assert ends == timedelta(days=7)
        past = table.update().where(table.c.id == row.id).values(expires_at="2026-01-01T00:00:00.000Z")
        connection.execute(past)
    journal.submit_and_wait(EndOverrides())
    assert world.hospital.get(f"/fhir/R4/ServiceRequest/{task}").status_code == 404
    assert entries(world, Event.CONSENT_CHANGED, task)[-1].reason == "override-ended"


def test_a_stopped_referral_is_let_go_on(world: World) -> None:
    task = closed_case(world)
    answer = world.guardian.post(f"/governance/v1/referrals/{task}/override", json=OVERRIDE)
    assert answer.status_code == 200, answer.text
    assert world.hospital.get(f"/fhir/R4/ServiceRequest/{task}").status_code == 200
    assert entries(world, Event.OVERRIDE_RECORDED, task)[-1].operation is Operation.ALTERATION


def test_what_waits_is_shown_to_nobody_else(world: World) -> None:
    for client in (world.police, world.hospital, world.auditor):
        assert client.get("/governance/v1/holds").status_code == 403
    nobody = world.client("demo-guardian", {"id": "caldicott-9", "role": "x"})
    assert nobody.get("/governance/v1/holds/none").status_code == 404


# Spoken --------------------------------------------------------------------------------------------------------------


def test_what_was_said_at_the_scene_is_an_entry_of_its_own(world: World) -> None:
    reference, task = pushed(world)
    said = {
        "to": "idva-team",
        "items": ["victim.name", "risk.grade"],
        "said_at": "2026-04-12T21:15:00+01:00",
        "channel": "at-the-scene",
    }
    answer = world.police.post(f"/police/v1/incidents/{reference}/oral-disclosures", json=said)
    assert answer.status_code == 201, answer.text
    assert answer.json()["beyond_agreement"] == 0
    (entry,) = entries(world, Event.ORAL_DISCLOSURE, task)
    assert entry.operation is Operation.DISCLOSURE
    assert entry.items.released == ("risk.grade", "victim.name")
    assert [tuple(one) for one in entry.recipients] == [("RXL", "idva-team")]
    said_how = {"channel": "at-the-scene", "said": "2026-04-12T20:15:00.000Z", "beyond": 0, "oral": True}
    assert said_how.items() <= (entry.detail or {}).items()
    assert entry.facts is None


def test_what_went_beyond_the_agreement_is_sealed_as_that(world: World) -> None:
    reference, task = pushed(world)
    said = {
        "to": "idva-team",
        "items": ["victim.name", "third_party.name"],
        "said_at": "2026-04-12T21:15:00+01:00",
        "channel": "by-phone",
    }
    answer = world.police.post(f"/police/v1/incidents/{reference}/oral-disclosures", json=said)
    assert answer.json()["beyond_agreement"] == 1
    entry = entries(world, Event.ORAL_DISCLOSURE, task)[-1]
    assert (entry.reason, (entry.detail or {})["beyond"]) == ("beyond-agreement", 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"items": ["no.such.item"]},
        {"items": []},
        {"said_at": "2026-04-12T21:15:00"},
        {"said_at": (datetime.now(UTC) + timedelta(days=1)).isoformat()},
        {"said_at": "0001-01-01T00:00:00+14:00"},
        {"channel": "by-pigeon"},
        {"to": "nobody-here"},
        {"to": "nobody-here", "purpose": "safeguarding"},
        {"extra": 1},
    ],
    ids=[
        "unknown item",
        "no item",
        "no offset",
        "to come",
        "before all time",
        "no channel",
        "no recipient",
        "no recipient of a purpose",
        "unknown key",
    ],
)
def test_a_spoken_disclosure_that_makes_no_sense_is_refused(world: World, wrong: dict[str, Any]) -> None:
    reference, task = pushed(world)
    said = {"to": "idva-team", "items": ["victim.name"], "said_at": "2026-04-12T21:15:00+01:00", "channel": "by-phone"}
    answer = world.police.post(f"/police/v1/incidents/{reference}/oral-disclosures", json=said | wrong)
    assert answer.status_code == 422, answer.text
    assert entries(world, Event.ORAL_DISCLOSURE, task) == []


def test_an_incident_of_nobody_is_not_found(world: World) -> None:
    said = {"to": "idva-team", "items": ["victim.name"], "said_at": "2026-04-12T21:15:00+01:00", "channel": "by-phone"}
    answer = world.police.post("/police/v1/incidents/none/oral-disclosures", json=said)
    assert answer.status_code == 404


# Agreements that have run out ----------------------------------------------------------------------------------------


def test_an_expired_agreement_still_saves_a_life_and_a_suspended_one_does_not(
    engine_name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    def expire(content: dict[str, Any]) -> None:
        content["in_force"]["until"] = "2026-02-01T00:00:00+00:00"
        content["review_by"] = "2026-01-31"

    with world_on(engine_name, request, tmp_path / "world") as world:  # of its own: nothing passes here afterwards
        _, task = pushed(world)
        ann = adviser(world, f"idva-{serial()}")
        with in_its_time():
            bring_into_force(world, expire)
        world.services.terms.forget(LOG)
        assert ann.get(f"/fhir/R4/ServiceRequest/{task}").status_code == 404
        assert smash(ann, task).status_code == 201
        assert ann.get(f"/fhir/R4/ServiceRequest/{task}").status_code == 200
        set_state(world, State.SUSPENDED)
        assert ann.get(f"/fhir/R4/ServiceRequest/{task}").status_code == 404


def _second_victim_refuses(document: dict[str, Any]) -> None:
    """Put another victim beside the first, who refuses."""
    first = next(
        one for one in document["included"] if one["type"] == "person" and one["attributes"]["surname"] == "Ashdown"
    )
    other = {
        **first,
        "id": "7d0c4d0e-2f3b-4c55-8a5e-000000000003",
        "attributes": {**first["attributes"], "givenName": ["Wilhelmina"], "dateOfBirth": "1975-05-05"},
    }
    consent = next(one for one in document["included"] if one["type"] == "consent")
    refusal = {
        **consent,
        "id": "7d0c4d0e-2f3b-4c55-8a5e-000000000004",
        "attributes": {**consent["attributes"], "consentState": "REFUSED"},
        "relationships": {"victim": {"data": [{"id": other["id"], "type": "person"}]}},
    }
    document["included"] += [other, refusal]
    links = document["data"]["relationships"]
    links["victim"]["data"] = [*links["victim"]["data"], {"id": other["id"], "type": "person"}]
    links["consent"]["data"] = [*links["consent"]["data"], {"id": refusal["id"], "type": "consent"}]
