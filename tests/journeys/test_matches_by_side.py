"""A match is for whoever the agreement lets see both of the two; to everybody else it is not there (P3, P8).

One that nobody may decide is before whoever owns the agreement, with its clock (P6).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import select, update

from audit.entry import Outcome
from gateway.agreement import State
from gateway.chance import fresh_id
from gateway.demo.client import Client
from gateway.demo.run import LOG
from gateway.evidence import Event
from gateway.repeats import COMPARED
from gateway.store import tables
from gateway.tokens.scopes import Scope
from tests.journeys.support import add_client, sealed, set_state, size, world_on
from tests.journeys.test_no_oracle import _same
from tests.journeys.test_repeats import doubtful, erased, extensions, linked_up, on, pushed, request_of
from tests.journeys.test_undone_matches import between, named
from tests.support.world import World


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """On one engine: `test_repeats` and `test_undone_matches` ask the same questions of both."""
    with world_on("sqlite", request, tmp_path_factory.mktemp("sides") / "world") as opened:
        yield opened


AT = "/governance/v1/matches"
SAY = {"decision": {"outcome": "different"}, "undo": {"reason": "told"}}


def reviewer(world: World, organisation: str, name: str = "dpo", agreement: str = LOG) -> Client:
    """A named reviewer of an organisation, under an agreement."""
    bound = {"organisation": organisation, "scopes": [Scope.GOVERNANCE_REVIEW.value], "agreements": [agreement]}
    user = {"id": f"{name}-{organisation}", "role": "dpo"}
    return add_client(world, f"{name}-{organisation}-{agreement}", user, **bound)


def seen(client: Client, incident: str | None = None) -> dict[str, Any]:
    """The matches that are shown to a reviewer, by their ids."""
    found = client.get(AT, params={"incident": incident} if incident else {}).json()["matches"]
    return {one["match"]: one for one in found}


def about(client: Client, *incidents: str) -> list[str]:
    """The matches of these incidents with each other that a reviewer is shown."""
    shown = {id_: one for incident in incidents for id_, one in seen(client, incident).items()}
    return [id_ for id_, one in shown.items() if {*one["incidents"]} <= {*incidents}]


def outstanding(client: Client) -> dict[str, Any]:
    """The same among all that is outstanding."""
    return {one["match"]: one for one in client.get("/governance/v1/outstanding").json()["matches"]}


def waiting(world: World, *towns: str) -> tuple[str, tuple[str, str], tuple[str, str]]:
    """Two incidents of two places whose victims may be one: the match, the incidents, and the referrals."""
    names = named()
    given = names.pop("victim_given")
    pairs = [
        pushed(world, on(day, victim_given=f"{letters}{given.lower()}", town=town, **names))
        for day, letters, town in zip(("2026-03-01", "2026-04-12"), ("Zu", "Ze"), towns, strict=True)
    ]
    linked_up(world)
    (first, one), (second, other) = pairs
    return between(world, first, second)["match"], (first, second), (one, other)


def nothing(world: World, client: Client, match: str) -> None:
    """To this reviewer the match is not there, in whatever way they ask, and that they asked is sealed."""
    for kind, body in {"": None, **{f"/{act}": said for act, said in SAY.items()}}.items():

        def ask(one: Client, id_: str, kind: str = kind, body: Any = body) -> Any:
            path = f"{AT}/{id_}{kind}"
            return one.get(path) if body is None else one.post(path, json=body)

        _same(world, client, ask, match, fresh_id(), LOG)
        assert ask(client, match).status_code == 404
        entry = sealed(world)[-1]
        assert (entry.event, entry.outcome, entry.record, entry.case) == (
            Event.NOTHING_FOUND,
            Outcome.DENIED,
            None,
            None,
        )
    assert match not in seen(client)
    assert match not in outstanding(client)


@contextmanager
def changed(world: World, referrals: Any, **values: Any) -> Iterator[None]:
    """Referrals that are otherwise for a while, as the rows have it."""
    table = tables.referral
    with world.services.database.writing() as connection:
        before = connection.execute(select(table).where(referrals)).all()
        connection.execute(update(table).where(referrals).values(values))
    yield
    with world.services.database.writing() as connection:
        for row in before:
            was = {name: getattr(row, name) for name in values}
            connection.execute(update(table).where(table.c.id == row.id).values(was))


@pytest.mark.parametrize("organisation", ["RTX", "E10000017"])
def test_whoever_has_no_case_of_either_cannot_tell_that_there_is_a_match(world: World, organisation: str) -> None:
    match, incidents, _ = waiting(world, "Blackpool", "Blackpool")
    other = reviewer(world, organisation)
    nothing(world, other, match)
    assert not about(other, *incidents)
    assert match in seen(world.guardian)
    assert match in outstanding(world.guardian)


def test_whoever_has_a_case_of_one_of_them_cannot_tell_either(world: World) -> None:
    match, incidents, referrals = waiting(world, "Lancaster", "Blackpool")
    bay = reviewer(world, "RTX")
    nothing(world, bay, match)
    assert not about(bay, *incidents)
    said = world.guardian.get(f"{AT}/{match}").json()
    assert {one["referral"] for one in said["sides"]} <= set(referrals) | set(all_of(world, *incidents))
    assert world.guardian.post(f"{AT}/{match}/decision", json={"outcome": "same"}).is_success
    nothing(world, bay, match)


def test_whoever_has_a_case_of_both_decides(world: World) -> None:
    """Each organisation by its own referrals: the advisers' trust need not be asked."""
    match, _, referrals = waiting(world, "Lancaster", "Lancaster")
    bay = reviewer(world, "RTX")
    said = bay.get(f"{AT}/{match}").json()
    assert {one["person"]["names"][0]["given"][0][:2] for one in said["sides"]} == {"Zu", "Ze"}
    assert not {one["referral"] for one in said["sides"]} & set(referrals), "by the referrals to its own team"
    assert bay.post(f"{AT}/{match}/decision", json={"outcome": "same"}).is_success
    assert extensions(request_of(world, referrals[1]), "earlier-incident")
    assert bay.post(f"{AT}/{match}/undo", json={"reason": "mistake"}).is_success


def test_the_force_that_sent_both_sees_what_it_sent_and_decides(world: World) -> None:
    match, _, _ = waiting(world, "Lancaster", "Blackpool")
    police = reviewer(world, "04")
    assert match in outstanding(police)
    start = size(world)
    sides = police.get(f"{AT}/{match}").json()["sides"]
    assert {key for one in sides for key in one["person"]} <= {"ref", "role", "names", "birth", "sex", "addresses"}
    read = sealed(world, start=start)
    assert [one.event for one in read] == [Event.MATCH_READ] * 2
    assert {(one.purpose, one.recipients[0].recipient) for one in read} == {("own-record", "police-officer")}
    assert all(set(one.items.released) <= COMPARED for one in read)
    assert police.post(f"{AT}/{match}/decision", json={"outcome": "different"}).is_success


def test_a_reviewer_connected_with_one_of_them_decides_nothing_of_her(world: World) -> None:
    """N15: her brother is no reviewer of whether it was she."""
    match, _, _ = waiting(world, "Blackpool", "Blackpool")
    brother = reviewer(world, "RXL", "brother")
    assert match in seen(brother)
    family = world.guardian.get(f"{AT}/{match}").json()["sides"][0]["person"]["names"][0]["family"]
    body = {"user": "brother-RXL", "family_names": [family]}
    assert world.guardian.post("/governance/v1/staff", json=body).is_success
    assert match not in seen(brother)
    assert match not in outstanding(brother)
    answers = [brother.get(f"{AT}/{match}"), *(brother.post(f"{AT}/{match}/{act}", json=SAY[act]) for act in SAY)]
    assert [one.status_code for one in answers] == [404] * 3
    assert match in seen(world.guardian)


@pytest.mark.parametrize("organisation", ["RXL", "04"])
def test_under_another_agreement_there_is_none_to_ask_about(world: World, organisation: str) -> None:
    match, _, _ = waiting(world, "Blackpool", "Blackpool")
    other = reviewer(world, organisation, agreement="another-agreement")
    for id_ in (match, fresh_id()):
        for act, said in SAY.items():
            assert other.post(f"{AT}/{id_}/{act}", json=said).status_code == 403
        assert other.get(f"{AT}/{id_}").status_code == 403
    assert match in seen(world.guardian)


def test_nobody_decides_while_the_agreement_is_suspended(world: World) -> None:
    match, _, _ = waiting(world, "Blackpool", "Blackpool")
    set_state(world, State.SUSPENDED)
    try:
        for client in (world.guardian, reviewer(world, "04")):
            answers = [client.get(f"{AT}/{match}"), *(client.post(f"{AT}/{match}/{act}", json=SAY[act]) for act in SAY)]
            assert [one.status_code for one in answers] == [404] * 3
        assert seen(world.guardian)[match]["decidable"] is False, "it lies with the agreement's owner meanwhile"
        assert match not in seen(reviewer(world, "04"))
    finally:
        set_state(world, State.IN_FORCE)
    assert world.guardian.post(f"{AT}/{match}/decision", json={"outcome": "different"}).is_success


def test_what_no_organisation_may_see_both_sides_of_is_before_the_agreements_owner(world: World) -> None:
    """Whoever decides where the agreement says nothing has the match with its clock, and nobody decides it blind."""
    match, (first, _), referrals = waiting(world, "Blackpool", "Lancaster")
    table = tables.referral
    bay, police = reviewer(world, "RTX"), reviewer(world, "04")
    with changed(world, table.c.event_id == first, organisation="RTX", team="uhmb-safeguarding", force="99"):
        assert seen(world.guardian)[match]["decidable"] is False
        assert seen(world.guardian)[match]["incidents"] == seen(world.guardian)[match]["people"] == []
        assert outstanding(world.guardian)[match]["due_at"] == seen(world.guardian)[match]["due_at"]
        for client in (world.guardian, bay, police):
            answers = [client.get(f"{AT}/{match}"), *(client.post(f"{AT}/{match}/{act}", json=SAY[act]) for act in SAY)]
            assert [one.status_code for one in answers] == [404] * 3
        assert match not in {**seen(bay), **outstanding(bay), **seen(police)}
        assert extensions(request_of(world, referrals[1]), "earlier-incident") == []
    assert seen(world.guardian)[match]["decidable"] is True


def test_a_link_with_an_incident_that_was_erased_is_for_those_it_was_for(world: World) -> None:
    names = named()
    first, before = pushed(world, on("2026-03-01", **names))
    second, now = pushed(world, on("2026-04-12", **names))
    linked_up(world)
    match = between(world, first, second)["match"]
    erased(world, before)
    nothing(world, reviewer(world, "RTX"), match)
    start = size(world)
    sides = world.guardian.get(f"{AT}/{match}").json()["sides"]
    assert [one is None for one in sides].count(True) == 1
    assert len(sealed(world, start=start)) == 1, "nothing was shown of what is gone"
    assert world.guardian.post(f"{AT}/{match}/undo", json={"reason": "told"}).is_success
    assert extensions(request_of(world, now), "earlier-incident") == []


def test_what_was_erased_before_anybody_decided_is_not_there_for_anybody(world: World) -> None:
    match, before, _ = doubtful(world, named()["victim_surname"], "1962-02-12")
    erased(world, before)
    nothing(world, world.guardian, match)


def all_of(world: World, *incidents: str) -> list[str]:
    """Every referral of these incidents."""
    table = tables.referral
    with world.services.database.reading() as connection:
        return list(connection.execute(select(table.c.id).where(table.c.event_id.in_(incidents))).scalars())
