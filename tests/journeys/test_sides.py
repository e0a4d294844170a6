"""What a hospital sent in is for its own reviewers: to police, and to another trust, it is not there (N2).

What police sent in is for both sides, as the agreement lets it go to both. Deliveries are for whoever runs the system.
"""

from __future__ import annotations

from typing import Any

import pytest

from gateway.chance import fresh_id
from gateway.delivery.endpoints import RemoveEndpoint
from gateway.demo.client import Client
from gateway.demo.run import LOG
from gateway.tokens.scopes import Scope
from tests.gateway.delivery_support import InProcess, System, endpoint_unit
from tests.journeys.support import add_client, pushed
from tests.support.bundles import JSON, body, bundle, number
from tests.support.world import JSON_API, World

PAGES = ("holds", "outstanding", "deliveries", "deliveries?state=waiting")
OVERRIDE = {
    "ground": "serious-crime",
    "evidence": "Two admissions in a month.",
    "proportionality": "No lesser step would do.",
    "minimum_set": "Who she is and that she is at risk.",
    "victim_told": "yes",
}


def reviewer(world: World, organisation: str) -> Client:
    """A named reviewer of a party."""
    bound = {"organisation": organisation, "scopes": [Scope.GOVERNANCE_REVIEW.value], "agreements": [LOG]}
    return add_client(world, f"reviewer-{organisation}", {"id": f"dpo-{organisation}", "role": "dpo"}, **bound)


def seen(client: Client) -> list[Any]:
    """Everything a reviewer is shown, without receipts, which differ at each reading."""
    pages = [client.get(f"/governance/v1/{page}") for page in PAGES]
    assert all(page.is_success for page in pages)
    return [{key: value for key, value in page.json().items() if key != "receipt"} for page in pages]


def held(world: World) -> set[str]:
    """The holds that the hospital's own guardian is shown."""
    return {one["hold"] for one in world.guardian.get("/governance/v1/holds").json()["holds"]}


@pytest.mark.parametrize("organisation", ["04", "RTX", "E10000017"])
def test_what_a_hospital_sent_is_not_there_for_anybody_elses_reviewers(world: World, organisation: str) -> None:
    other, mine = reviewer(world, organisation), held(world)
    before = seen(other)
    broken = world.hospital.post("/fhir/R4", content=body(bundle(number()))[:-20], headers=JSON)
    assert broken.status_code == 400
    for consent in ("refused", None):
        waits = world.hospital.post("/fhir/R4", content=body(bundle(number(), consent=consent)), headers=JSON)
        assert waits.status_code == 200
    (hold,) = held(world) - mine
    assert seen(other) == before
    path, none = f"/governance/v1/holds/{hold}", f"/governance/v1/holds/{fresh_id()}"
    said = [
        [
            (answer.status_code, answer.json()["title"], answer.json().get("detail"))
            for answer in (
                other.get(made),
                other.post(f"{made}/keep", json={"reason": "wishes"}),
                other.post(f"{made}/release", json=OVERRIDE),
            )
        ]
        for made in (path, none)
    ]
    assert said[0] == said[1]
    assert [status for status, *_ in said[0]] == [404] * 3
    counts = other.post("/governance/v1/holds/replay", json={"dry_run": True, "reason": "malformed"}).json()["counts"]
    assert sum(counts.values()) == len([one for one in before[0]["holds"] if one["reason"] == "malformed"])
    assert world.guardian.get(path).json()["owner"].startswith("Desmond Achterberg"), "its own Caldicott Guardian"
    assert world.guardian.post(f"{path}/keep", json={"reason": "wishes"}).is_success


@pytest.mark.parametrize("organisation", ["04", "RTX"])
def test_an_override_of_a_hospitals_notice_is_reviewed_by_the_hospital(world: World, organisation: str) -> None:
    waits = world.hospital.post("/fhir/R4", content=body(bundle(number(), consent="refused")), headers=JSON)
    notice = waits.json()["identifier"]["value"]
    other = reviewer(world, organisation)
    made = world.guardian.post(f"/governance/v1/hospital-notices/{notice}/release", json=OVERRIDE).json()["override"]
    assert made in world.guardian.get("/governance/v1/outstanding").text
    assert made not in other.get("/governance/v1/outstanding").text
    answers = [
        other.post(f"/governance/v1/overrides/{one}/review", json={"outcome": "not-justified"})
        for one in (made, fresh_id())
    ]
    assert [one.status_code for one in answers] == [404, 404]
    assert answers[0].json()["title"] == answers[1].json()["title"]


@pytest.mark.parametrize(("organisation", "status"), [("RTX", 404), ("E10000017", 404), ("04", 200)])
def test_a_stopped_case_is_let_go_on_by_who_has_it_and_by_the_force_that_sent_it(
    world: World, organisation: str, status: int
) -> None:
    _, task = pushed(world)
    assert world.hospital.post(f"/team/v1/referrals/{task}/consent", json={"state": "withdrawn"}).is_success
    other = reviewer(world, organisation)
    answers = [other.post(f"/governance/v1/referrals/{one}/override", json=OVERRIDE) for one in (task, fresh_id())]
    assert [one.status_code for one in answers] == [status, 404]
    if status == answers[1].status_code:
        assert [one.json()["title"] for one in answers] == [answers[1].json()["title"]] * 2
        assert world.hospital.get(f"/fhir/R4/ServiceRequest/{task}").status_code == 404


def test_what_police_sent_is_for_both_sides(world: World) -> None:
    ours, police = world.guardian, reviewer(world, "04")
    before = held(world)
    assert world.police.post("/police/v1/incidents", content=b"{", headers=JSON_API).status_code == 400
    (hold,) = held(world) - before
    assert hold in police.get("/governance/v1/holds").text
    assert [one.get(f"/governance/v1/holds/{hold}").status_code for one in (ours, police)] == [200, 200]


def test_deliveries_are_for_whoever_runs_the_system(world: World) -> None:
    channel = InProcess(System())
    journal = world.services.journals.of(LOG)
    endpoint = journal.submit_and_wait(endpoint_unit(world, channel)).value
    try:
        police, another = reviewer(world, "04"), reviewer(world, "RTX")
        before = [seen(police)[2:], seen(another)[2:]]
        pushed(world)
        own = world.guardian.get("/governance/v1/deliveries?state=waiting").json()
        assert (len(own["deliveries"]), [one["endpoint"] for one in own["endpoints"]]) == (1, [endpoint])
        assert [seen(police)[2:], seen(another)[2:]] == before
        assert before[0] == before[1] == [{"endpoints": [], "deliveries": []}] * 2
    finally:
        journal.submit_and_wait(RemoveEndpoint(endpoint, world.services.standing(LOG)))


def test_who_sent_a_notice_and_who_is_told_see_that_nobody_has_acknowledged_it(world: World) -> None:
    """P9, N14: the organisation that sent it may chase what it brought about."""
    police = reviewer(world, "04")
    waits = world.hospital.post("/fhir/R4", content=body(bundle(number())), headers=JSON)
    notice = waits.json()["identifier"]["value"]
    kinds = {
        (one["kind"], one["to"]["organisation"])
        for one in world.guardian.get("/governance/v1/outstanding").json()["notices"]
    }
    assert ("hospital-notice", "04") in kinds, "the hospital sees that police have not taken it"
    assert notice in str(world.police.get("/police/v1/notices", params={"limit": 500}).json())
    assert ("hospital-notice", "04") in {
        (one["kind"], one["to"]["organisation"]) for one in police.get("/governance/v1/outstanding").json()["notices"]
    }
