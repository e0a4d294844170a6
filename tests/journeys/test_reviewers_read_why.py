"""Whoever reviews what somebody decided reads why they did it: sealed first, and nobody else (P1, P8, N5, N15)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from audit.entry import Operation, Outcome
from gateway.chance import fresh_id
from gateway.demo.client import Client
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from gateway.errors import NotSealed
from gateway.evidence import Event
from gateway.store import tables
from gateway.store.journal import Journal
from gateway.tokens.scopes import Scope
from tests.journeys.support import add_client, sealed, serial, size, world_on
from tests.journeys.test_no_oracle import _same
from tests.journeys.test_people_decide import REASON, adviser, closed_case, smash
from tests.journeys.test_repeats import erased
from tests.support.bundles import JSON, body, bundle, number
from tests.support.evidence import verify_log
from tests.support.world import World

WORDS = {
    "evidence": "Two admissions in a month, each with a broken wrist.",
    "proportionality": "No lesser step would reach her before him.",
    "minimum_set": "Who she is and that she is at risk.",
    "why_not_told": "He answers her telephone.",
}
OVERRIDE = {"ground": "serious-crime", "victim_told": "unsafe", **WORDS}
WHY = {"Gateway-Reason": "review"}


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_on("sqlite", request, tmp_path_factory.mktemp("words") / "world") as opened:
        yield opened


def reviewer(world: World, organisation: str = "RXL", name: str = "second") -> Client:
    """A named reviewer, other than whoever decides here."""
    bound = {"organisation": organisation, "scopes": [Scope.GOVERNANCE_REVIEW.value], "agreements": [LOG]}
    return add_client(world, f"{name}-{organisation}", {"id": f"{name}-{organisation}", "role": "dpo"}, **bound)


def overridden(world: World) -> tuple[str, str]:
    """A hold that was released: the path of the override, and the referral that went on."""
    hold = world.push(incident(serial(), consent="REFUSED")).json()["held"]["reference"]
    released = world.guardian.post(f"/governance/v1/holds/{hold}/release", json=OVERRIDE)
    assert released.is_success, released.text
    table = tables.consent_override
    with world.services.database.reading() as connection:
        id_ = connection.execute(select(table.c.id).where(table.c.quarantine_id == hold)).scalar_one()
    return f"/governance/v1/overrides/{id_}", released.json()["referrals"][0]["reference"]


def broken(world: World) -> tuple[str, str]:
    """An emergency: the path of it, and the case."""
    case = closed_case(world)
    opened = smash(adviser(world, f"idva-{serial()}"), case)
    return f"/governance/v1/break-glass/{opened.json()['break_glass']}", case


def read(client: Client, path: str, why: Any = WHY) -> httpx.Response:
    """Ask for the words."""
    return client.get(f"{path}/words", headers=why)


def test_a_reviewer_reads_why_and_then_judges(world: World) -> None:
    path, referral = overridden(world)
    start = size(world)
    answer = read(reviewer(world), path)
    assert answer.json()["words"] == WORDS
    (entry,) = sealed(world, start=start)
    assert (entry.event, entry.operation, entry.outcome, entry.reason) == (
        Event.REVIEW_WORDS_READ,
        Operation.CONSULTATION,
        Outcome.PERMITTED,
        "review",
    )
    assert entry.actor.user == "second-RXL"
    assert (entry.detail or {})["override"] == path.rpartition("/")[2]
    assert len(entry.subjects) == 1
    assert entry.subjects[0].startswith(entry.record or "?")
    assert not any(b"wrist" in one.body for one in world.entries())
    assert reviewer(world).post(f"{path}/review", json={"outcome": "justified"}).is_success
    assert world.hospital.get(f"/fhir/R4/ServiceRequest/{referral}").status_code == 200
    assert read(reviewer(world), path, {"Gateway-Reason": "complaint"}).is_success, "and afterwards, if somebody asks"
    verify_log(world.services.database, LOG, world.services.signer(LOG).verifier)


def test_why_the_glass_was_broken_is_read_by_who_reviews_it(world: World) -> None:
    path, referral = broken(world)
    start = size(world)
    assert read(world.guardian, path).json()["words"] == {"reason": REASON}
    (entry,) = sealed(world, start=start)
    assert (entry.event, entry.case) == (Event.REVIEW_WORDS_READ, referral)
    assert world.guardian.post(f"{path}/review", json={"outcome": "justified"}).is_success


def test_nothing_is_read_that_cannot_be_sealed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    path, _ = overridden(world)
    client = reviewer(world)
    before = size(world)

    async def refuse(*_: Any) -> None:
        raise NotSealed("the log cannot be written")

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "submit", refuse)
        answer = read(client, path)
    assert answer.status_code == 503
    assert not any(text in answer.text for text in WORDS.values())
    assert size(world) == before


@pytest.mark.parametrize("made", [overridden, broken])
@pytest.mark.parametrize("organisation", ["04", "RTX", "E10000017"])
def test_to_another_party_there_are_no_words_and_nothing_to_judge(world: World, organisation: str, made: Any) -> None:
    """Not even to police, whose record it was: what a hospital writes may say what they are never told."""
    path, _ = made(world)
    other = reviewer(world, organisation)
    none = f"{path.rpartition('/')[0]}/{fresh_id()}"
    _same(world, other, read, path, none, LOG)
    _same(
        world,
        other,
        lambda client, one: client.post(f"{one}/review", json={"outcome": "not-justified"}),
        path,
        none,
        LOG,
    )
    assert read(other, path).status_code == 404
    assert sealed(world)[-1].event == Event.NOTHING_FOUND
    assert path.rpartition("/")[2] in other.get("/governance/v1/outstanding").text, "that it is due, all can see"
    assert read(reviewer(world), path).is_success


def test_what_a_hospital_let_go_is_read_by_the_hospital(world: World) -> None:
    waits = world.hospital.post("/fhir/R4", content=body(bundle(number(), consent="refused")), headers=JSON)
    notice = waits.json()["identifier"]["value"]
    made = world.guardian.post(f"/governance/v1/hospital-notices/{notice}/release", json=OVERRIDE).json()["override"]
    assert read(reviewer(world), f"/governance/v1/overrides/{made}").json()["words"] == WORDS
    assert read(reviewer(world, "04"), f"/governance/v1/overrides/{made}").status_code == 404


def test_nobody_reads_it_as_their_own_reviewer(world: World) -> None:
    path, _ = overridden(world)
    answer = read(world.guardian, path)
    assert answer.status_code == 403
    assert "evidence" not in answer.text
    assert (sealed(world)[-1].event, sealed(world)[-1].reason) == (Event.ACCESS_REFUSED, "own-decision")


@pytest.mark.parametrize("why", [{}, {"Gateway-Reason": "curious"}, {"Gateway-Reason": "not a code"}])
def test_why_it_is_read_is_one_of_a_few_codes(world: World, why: dict[str, str]) -> None:
    path, _ = overridden(world)
    start = size(world)
    assert read(reviewer(world), path, why).status_code == 400
    assert size(world) == start


def test_the_words_of_one_kind_are_none_of_the_other(world: World) -> None:
    path, _ = overridden(world)
    assert read(reviewer(world), path.replace("overrides", "break-glass")).status_code == 404


def test_a_reviewer_connected_with_a_party_reads_and_judges_nothing(world: World) -> None:
    path, _ = overridden(world)
    brother = reviewer(world, name="brother")
    assert read(brother, path).is_success
    marks = {"user": "brother-RXL", "family_names": ["Ashdown"]}
    assert world.guardian.post("/governance/v1/staff", json=marks).is_success
    assert read(brother, path).status_code == 404
    assert brother.post(f"{path}/review", json={"outcome": "justified"}).status_code == 404


def test_what_was_written_ends_with_the_record_it_is_about(world: World) -> None:
    path, referral = overridden(world)
    erased(world, referral)
    answer = read(reviewer(world), path)
    assert answer.status_code == 404
    assert sealed(world)[-1].event == Event.NOTHING_FOUND
    assert reviewer(world).post(f"{path}/review", json={"outcome": "justified"}).is_success


def test_words_of_another_row_do_not_open_in_its_place(world: World) -> None:
    """Whoever can write to the database cannot have one decision read as another."""
    (path, _), (other, _) = overridden(world), overridden(world)
    table = tables.consent_override
    with world.services.database.writing() as connection:
        content = connection.execute(select(table.c.content).where(table.c.id == other.rpartition("/")[2])).scalar_one()
        connection.execute(update(table).where(table.c.id == path.rpartition("/")[2]).values(content=content))
    assert read(reviewer(world), path).status_code == 500
