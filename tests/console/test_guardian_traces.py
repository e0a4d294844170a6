"""NHS numbers that wait for a person of the victim's team: both sides next to each other, and one word of theirs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.chance import fresh_id
from gateway.demo.incidents import incident
from gateway.demo.pds import Patient, number
from gateway.demo.run import LOG
from tests.console.referrals import opened, tree_of, words_of
from tests.console.waiting import trace
from tests.journeys.support import pushed, sealed, serial, size
from tests.support.console import GUARDIAN, OFFICER, OTHER_TEAM, ConsoleClient, signed_in
from tests.support.tracing import Desk, desk
from tests.support.world import World

AT = "/console/traces"
RESTRICTED = Patient(number(1), (("Ashdown", "Maria"),), "1991-02-03", label="R", postcode="ZZ11 9AA")


@pytest.fixture(scope="module")
def adviser(world: World) -> ConsoleClient:
    return signed_in(world)


@pytest.fixture(scope="module")
def at_desk(world: World) -> Iterator[Desk]:
    """A world that asks PDS, which knows a restricted patient like the victim."""
    with desk(world, RESTRICTED) as opened:
        yield opened


def test_who_was_meant_and_who_was_found_stand_next_to_each_other(
    world: World, at_desk: Desk, adviser: ConsoleClient
) -> None:
    _, task = pushed(world, child=False)
    at_desk.round()
    id_ = at_desk.row(task).id
    listed = adviser.get(AT)
    assert f"{AT}/{id_}" in listed.text
    assert "Ashdown" not in listed.text
    before = size(world, LOG)
    page = adviser.get(f"{AT}/{id_}")
    assert "trace-read" in {one.event for one in sealed(world, LOG, before)}
    said = words_of(page)
    for word in (
        "Police meant",
        "PDS found",
        "Marianne Ashdown",
        "Maria Ashdown",
        "3 February 1991",
        "Restricted patient",
    ):
        assert word in said
    assert "ZZ11 9AA" not in page.text
    assert "Ashdown" not in tree_of(page).xpath("string(//title)")
    assert "Choose what you say of it" in words_of(adviser.form(page, at="/decision").submit())
    before = size(world, LOG)
    form = adviser.form(page, {"outcome": "different"}, at="/decision")
    assert form.submit().headers["location"] == f"{AT}?done=traced"
    assert ("trace-decided", "different") in {(one.event, one.reason) for one in sealed(world, LOG, before)}
    assert adviser.form(page, {"outcome": "same"}, at="/decision").submit().status_code == 422


def test_a_case_says_of_each_child_where_the_search_for_the_number_stands(world: World, adviser: ConsoleClient) -> None:
    """Traced, under review, not found; and both sides of a child are decided on like those of a victim."""
    document = incident(serial())
    child = next(one for one in document["included"] if one["attributes"].get("givenName") == ["Robin"])
    sister = child | {"id": fresh_id(), "attributes": child["attributes"] | {"givenName": ["Mina"]}}
    brother = child | {"id": fresh_id(), "attributes": child["attributes"] | {"givenName": ["Noel"]}}
    document["included"] += [sister, brother]
    document["data"]["relationships"]["child"]["data"] += [
        {"id": one["id"], "type": "person"} for one in (sister, brother)
    ]
    answer = world.push(document)
    assert answer.is_success, answer.text
    task = answer.json()["referrals"][0]["reference"]
    mina = Patient(number(2), (("Ashdown", "Mina"),), "2019-06-01")
    robin = Patient(number(4), (("Ashdown", "Robyn"),), "2019-06-01", label="R")
    with desk(world, mina, robin) as at:
        at.round()
        trace = at.row(task, "child-1").id
    page = opened(adviser, task)
    people = " ".join(tree_of(page).xpath("//*[@aria-labelledby='people']")[0].text_content().split())
    for said in (
        "Under review: somebody was found, and a person decides",
        number(2),
        "Traced: the number is verified",
        "Not found",
    ):
        assert said in people
    assert number(4) not in people
    both = adviser.get(f"{AT}/{trace}")
    assert f'href="{AT}/{trace}"' in page.text
    for said in ("A child of the case", "Robin Ashdown", "Robyn Ashdown", "Restricted patient"):
        assert said in words_of(both)
    assert "A child" in words_of(adviser.get(AT))
    assert adviser.form(both, {"outcome": "same"}, at="/decision").submit().is_redirect
    assert number(4) in opened(adviser, task).text


@pytest.mark.parametrize("word", ["again", "noted"])
def test_what_nobody_was_found_for_is_asked_again_or_noted(world: World, adviser: ConsoleClient, word: str) -> None:
    id_ = trace(world, pushed(world)[1])
    assert "Too little is known" in words_of(adviser.get(f"{AT}/{id_}"))
    before = size(world, LOG)
    answer = adviser.form(f"{AT}/{id_}", {"outcome": word}, at="/decision").submit()
    assert "Your word on the NHS number is sealed." in words_of(adviser.follow(answer))
    assert ("trace-decided", word) in {(one.event, one.reason) for one in sealed(world, LOG, before)}
    assert f"{AT}/{id_}" not in adviser.get(AT).text


def test_another_team_s_is_as_good_as_none(world: World, adviser: ConsoleClient) -> None:
    id_ = trace(world, pushed(world)[1])
    other = signed_in(world, OTHER_TEAM)
    theirs, nobodys = other.get(f"{AT}/{id_}"), other.get(f"{AT}/{fresh_id()}")
    assert theirs.status_code == nobodys.status_code == 404
    assert words_of(theirs) == words_of(nobodys)
    token = dict(other.form("/console/sign-out", at="this browser").fields)["csrf"]
    assert other.post(f"{AT}/{id_}/decision", {"csrf": token, "outcome": "noted"}).status_code == 404
    assert f"{AT}/{id_}" not in other.get(AT).text
    for person in (GUARDIAN, OFFICER):
        assert signed_in(world, person).get(f"{AT}/{id_}").status_code == 404
    assert adviser.get(f"{AT}/{id_}").status_code == 200
