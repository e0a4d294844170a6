"""A guardian reads again what is held back, and registers who must not see whose case: each by a form, sealed."""

from __future__ import annotations

from datetime import date

import pytest

from gateway.demo.run import LOG
from tests.console.referrals import tree_of, words_of
from tests.journeys.support import pushed, sealed, serial, size
from tests.support.bundles import JSON, body, bundle, number
from tests.support.console import ADVISER, AUDITOR, GUARDIAN, OFFICER, ConsoleClient, signed_in
from tests.support.world import JSON_API, World

AT = "/console/guardian"


@pytest.fixture(scope="module")
def guardian(world: World) -> ConsoleClient:
    return signed_in(world, GUARDIAN)


def test_what_is_held_back_is_read_again_as_a_trial_first(world: World, guardian: ConsoleClient) -> None:
    assert world.police.post("/police/v1/incidents", content=b"{", headers=JSON_API).status_code == 400
    page = guardian.get(f"{AT}/again")
    assert "held back" in words_of(page)
    before = size(world, LOG)
    today = date.today()  # noqa: DTZ011 - the day a person types
    why = tree_of(page).xpath("//select[@name='why']/option[@value != '']/@value")[0]
    asked = {"why": why, "since-day": today.day, "since-month": today.month, "since-year": today.year}
    trial = guardian.form(page, {name: str(value) for name, value in asked.items()}, at="/again").submit()
    assert "Trial: nothing has changed" in words_of(trial)
    assert f"reason {why}" in words_of(trial)
    entries = [one for one in sealed(world, LOG, before) if one.event == "quarantine-replayed"]
    assert [(one.actor.user, (one.detail or {})["trial"]) for one in entries] == [(GUARDIAN.id, 1)] * 2
    done = guardian.form(trial, {}, at="/again").submit()
    assert "Read again" in words_of(done)
    assert f"reason {why}" in words_of(done)
    last = [one for one in sealed(world, LOG, before) if one.event == "quarantine-replayed"][-1]
    assert (last.detail or {})["trial"] == 0


def test_a_replay_reads_what_is_the_guardians_to_see_and_no_more(world: World) -> None:
    council = signed_in(world, GUARDIAN, id="council-1", organisation="E10000017")
    assert world.police.post("/police/v1/incidents", content=b"{", headers=JSON_API).status_code == 400
    token = dict(council.form("/console/sign-out", at="this browser").fields)["csrf"]
    before = size(world, LOG)
    council.post(f"{AT}/again", {"csrf": token, "run": "trial"})
    done = [one for one in sealed(world, LOG, before) if one.event == "quarantine-replayed"][-1]
    theirs = len(tree_of(council.get(f"{AT}?kind=holds")).xpath("//main//a[contains(@href, '/holds/')]"))
    assert (done.detail or {})["inputs"] == theirs
    sent_elsewhere = world.hospital.post("/fhir/R4", content=body(bundle(number()))[:-20], headers=JSON)
    assert sent_elsewhere.status_code == 400
    council.post(f"{AT}/again", {"csrf": token, "run": "trial"})
    done = [one for one in sealed(world, LOG, before) if one.event == "quarantine-replayed"][-1]
    assert (done.detail or {})["inputs"] == theirs, "what a hospital sent is not there for it"


@pytest.mark.parametrize(
    ("values", "status"), [({"run": "at once"}, 422), ({"profile": "no-such-profile"}, 400), ({"since-day": "x"}, 422)]
)
def test_a_replay_that_names_nothing_there_is_not_run(
    world: World, guardian: ConsoleClient, values: dict[str, str], status: int
) -> None:
    token = dict(guardian.form("/console/sign-out", at="this browser").fields)["csrf"]
    before = size(world, LOG)
    assert guardian.post(f"{AT}/again", {"csrf": token, **values}).status_code == status
    assert "quarantine-replayed" not in {one.event for one in sealed(world, LOG, before)}


def test_a_member_of_staff_who_is_registered_sees_nothing_of_such_a_case(world: World, guardian: ConsoleClient) -> None:
    user, (_, referral) = f"idva-{serial()}", pushed(world)
    adviser = signed_in(world, ADVISER, id=user)
    assert adviser.get(f"/console/referrals/{referral}", params={"reason": "follow-up"}).status_code == 200
    before = size(world, LOG)
    form = guardian.form(f"{AT}/staff", {"user": user, "families": "Nobody, Ashdown"}, at="/staff")
    answer = form.submit()
    assert answer.headers["location"] == f"{AT}?done=registered"
    assert "see nothing of such a case" in words_of(guardian.follow(answer))
    (entry,) = [one for one in sealed(world, LOG, before) if one.event == "staff-registered"]
    assert entry.actor.user == GUARDIAN.id
    assert ((entry.detail or {})["user"], (entry.detail or {})["marks"]) == (user, 2)
    assert not any(b"ashdown" in one.body.lower() for one in world.entries())
    assert adviser.get(f"/console/referrals/{referral}", params={"reason": "follow-up"}).status_code == 404
    assert form.submit().is_redirect, "twice is as good as once"
    assert [one.detail["marks"] for one in sealed(world) if one.event == "staff-registered" and one.detail][-1] == 0


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"user": "", "families": "Ashdown"}, "their staff id"),
        ({"user": "idva-1", "families": ""}, "Enter a family name or an address"),
        ({"user": "idva-1", "families": " , "}, "Enter a family name or an address"),
        ({"user": "idva-1", "line": "1 Somewhere Row"}, "and its postcode, or neither"),
        ({"user": "idva-1", "postcode": "ZZ99 3VZ", "families": "Ashdown"}, "and its postcode, or neither"),
        ({"user": "idva-1", "line": "--", "postcode": "ZZ99 3VZ"}, "Name a family name or an address"),
        ({"user": "idva-1", "families": ",".join("abcdefghijk")}, "at most 10 family names"),
        ({"user": "no spaces", "families": "Ashdown"}, "staff id"),
    ],
)
def test_what_connects_nobody_is_not_registered(
    world: World, guardian: ConsoleClient, values: dict[str, str], said: str
) -> None:
    before = size(world, LOG)
    answer = guardian.form(f"{AT}/staff", values, at="/staff").submit()
    assert answer.status_code == 422
    assert said in words_of(answer)
    assert size(world, LOG) == before


def test_both_pages_are_the_guardians_alone(world: World) -> None:
    for person in (ADVISER, AUDITOR, OFFICER):
        client = signed_in(world, person)
        token = dict(client.form("/console/sign-out", at="this browser").fields)["csrf"]
        for path in (f"{AT}/again", f"{AT}/staff"):
            assert client.get(path).status_code == 404
            assert client.post(path, {"csrf": token, "user": "idva-1", "families": "Ashdown"}).status_code == 404
