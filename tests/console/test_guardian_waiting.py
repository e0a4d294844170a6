"""What waits for a guardian, late first and by nobody's name; and each act, once, by its own form, sealed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from gateway import governing
from gateway.chance import fresh_id
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from gateway.errors import NotSealed
from gateway.store import tables
from tests.console.referrals import problems_of, tree_of, words_of
from tests.console.waiting import contact, doubtful, hospital_notice, notice, push, undelivered
from tests.gateway.delivery_support import InProcess, System, endpoint_unit
from tests.journeys.support import pushed, sealed, serial, size
from tests.support.console import ADVISER, GUARDIAN, LEAD, OTHER_TEAM, ConsoleClient, signed_in
from tests.support.world import World

AT = "/console/guardian"
OVERRIDE: Mapping[str, str] = {
    "ground": "serious-crime",
    "evidence": "Two admissions in a month, each with a broken wrist.",
    "proportionality": "No lesser step would reach her before him.",
    "minimum_set": "Who she is and that she is at risk.",
    "victim_told": "unsafe",
    "why_not_told": "He answers her telephone.",
}


@pytest.fixture(scope="module")
def guardian(world: World) -> ConsoleClient:
    return signed_in(world, GUARDIAN)


@pytest.fixture(scope="module")
def other_guardian(world: World) -> ConsoleClient:
    """Somebody with the same role at another party."""
    return signed_in(world, GUARDIAN, id="caldicott-9", organisation="RTX")


def send(client: ConsoleClient, path: str, values: Mapping[str, str], at: str) -> httpx.Response:
    """Fill in a form of a page, and send it."""
    answer: httpx.Response = client.form(f"{AT}/{path}", values, at=at).submit()
    return answer


def events(world: World, start: int) -> list[tuple[str, str | None]]:
    return [(one.event, one.reason) for one in sealed(world, LOG, start)]


def made_late(world: World, table: Any, id_: str) -> None:
    with world.services.database.writing() as connection:
        connection.execute(update(table).where(table.c.id == id_).values(due_at="2026-01-01T00:00:00.000Z"))


# The list


def test_where_one_part_cannot_be_sealed_nothing_is_sealed_behind_the_answer(
    guardian: ConsoleClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[bool] = []
    read = governing.read_outstanding

    async def slow(*asked: Any) -> Any:
        for _ in range(100):  # turns of the event loop, in which the refusal below would be answered
            await asyncio.sleep(0)
        found = await read(*asked)
        ended.append(True)
        return found

    async def refused(*_: Any) -> Any:
        raise NotSealed("the evidence could not be sealed; nothing is released")

    monkeypatch.setattr(governing, "read_outstanding", slow)
    monkeypatch.setattr(governing, "read_holds", refused)
    assert (guardian.get(AT).status_code, ended) == (503, [True])


def test_everything_that_waits_is_in_one_list_late_first_and_names_nobody(
    world: World, guardian: ConsoleClient
) -> None:
    hold = push(world, incident(serial(), grade="STANDARD", consent="REFUSED"))["held"]["reference"]
    match, _, _ = doubtful(world)
    letter, scene = hospital_notice(world), contact(world)
    parcel = undelivered(world, pushed(world)[1])
    made_late(world, tables.co_response, scene)
    before = size(world, LOG)
    page = guardian.get(AT)
    told = {event for event, _ in events(world, before)}
    assert {"hold-read", "hospital-notice-seen", "deliveries-read", "reviews-read"} <= told
    found = tree_of(page).xpath("//main//table//a/@href")
    assert found[0] == f"{AT}/contacts/{scene}"
    wanted = {f"holds/{hold}", f"matches/{match}", f"hospital/{letter}", f"deliveries/{parcel}"}
    assert {f"{AT}/{one}" for one in wanted} < set(found)
    assert any(str(one).startswith(f"{AT}/notices/") for one in found)
    for name in ("Ashdown", "Doubtly", "Zelda"):
        assert name not in page.text
    assert "Overdue by" in words_of(page)
    only = tree_of(guardian.get(f"{AT}?kind=matches")).xpath("//main//table//a/@href")
    assert {str(one).split("/")[3] for one in only} == {"matches"}
    assert guardian.get(f"{AT}?kind=gossip").text.count("<tr") == page.text.count("<tr")
    paper = guardian.get(f"{AT}?print=1")
    assert paper.text.count("<form") == 0
    assert hold[:8] in paper.text


# Matches


def test_both_sides_stand_next_to_each_other_and_one_person_is_said_once(world: World, guardian: ConsoleClient) -> None:
    match, first, second = doubtful(world, ("Persis", "Petra"), "Thornley")
    page = guardian.get(f"{AT}/matches/{match}")
    said = words_of(page)
    for word in ("Persis Thornley", "Petra Thornley", "The same", first, second):
        assert word in said
    assert "Thornley" not in tree_of(page).xpath("string(//title)")
    assert "Choose whether they are one person" in words_of(send(guardian, f"matches/{match}", {}, "/decision"))
    before = size(world, LOG)
    again = guardian.form(page, {"outcome": "same"}, at="/decision")
    assert again.submit().headers["location"] == f"{AT}?done=same"
    assert ("match-decided", "same") in events(world, before)
    late = again.submit()
    assert late.status_code == 422
    assert "Somebody has decided it" in words_of(late)
    assert "One person, or two?" in words_of(late)  # it is shown again, and no page that says nothing else


def test_two_who_were_linked_are_found_by_their_incident_and_are_two_after_all(
    world: World, guardian: ConsoleClient
) -> None:
    match, first, _ = doubtful(world, ("Quenby", "Quella"), "Marlowe")
    send(guardian, f"matches/{match}", {"outcome": "same"}, "/decision")
    assert f"{AT}/matches/{match}" not in guardian.get(f"{AT}/matches").text
    wrong = guardian.form(f"{AT}/matches", {"incident": "Marlowe"}, at="/matches").submit()
    assert problems_of(wrong) == [("#incident", "Enter the reference, all 36 characters of it")]
    shown = guardian.form(f"{AT}/matches", {"incident": first}, at="/matches").submit()
    assert "Somebody said that they are one person" in words_of(shown)
    assert f"{AT}/matches/{match}" in shown.text
    assert "Choose why they are two people" in words_of(send(guardian, f"matches/{match}", {}, "/undo"))
    before = size(world, LOG)
    undo = guardian.form(f"{AT}/matches/{match}", {"reason": "relatives"}, at="/undo")
    answer = undo.submit()
    assert "They are two people after all" in words_of(guardian.follow(answer))
    assert ("match-undone", "relatives") in events(world, before)
    assert "One person, or two?" in words_of(undo.submit())


def test_two_are_two_and_to_another_organisation_there_is_no_such_match(
    world: World, guardian: ConsoleClient, other_guardian: ConsoleClient
) -> None:
    match, first, _ = doubtful(world, ("Isolde", "Isadora"), "Fenwick")
    other, none = f"{AT}/matches/{match}", f"{AT}/matches/{fresh_id()}"
    assert words_of(other_guardian.get(other)) == words_of(other_guardian.get(none))
    assert other_guardian.get(other).status_code == 404
    token = dict(other_guardian.form(AT + "/matches", at="/matches").fields)["csrf"]
    for act, said in (("decision", {"outcome": "same"}), ("undo", {"reason": "told"})):
        answers = [other_guardian.post(f"{page}/{act}", {"csrf": token, **said}) for page in (other, none)]
        assert [(one.status_code, words_of(one)) for one in answers] == [(404, words_of(answers[1]))] * 2
    shown = other_guardian.form(f"{AT}/matches", {"incident": first}, at="/matches").submit()
    assert match not in shown.text
    before = size(world, LOG)
    assert send(guardian, f"matches/{match}", {"outcome": "different"}, "/decision").is_redirect
    assert ("match-decided", "different") in events(world, before)


def test_what_nobody_may_see_both_sides_of_waits_with_its_clock_and_has_no_page(
    world: World, guardian: ConsoleClient, other_guardian: ConsoleClient
) -> None:
    """The advisers' trust owns the agreement: what nobody may decide lies with it."""
    match, first, _ = doubtful(world, ("Ottilie", "Ottoline"), "Undecided")
    elsewhere = {"organisation": "RTX", "team": "uhmb-safeguarding", "force": "99"}
    with world.services.database.writing() as connection:
        connection.execute(update(tables.referral).where(tables.referral.c.event_id == first).values(elsewhere))
    for path in (f"{AT}?kind=matches", f"{AT}/matches"):
        page = guardian.get(path)
        assert "No organisation may see both" in words_of(page)
        assert first[:8] not in page.text
        assert f"{AT}/matches/{match}" not in page.text
    assert match[:8] in guardian.get(f"{AT}?kind=matches").text
    assert guardian.get(f"{AT}/matches/{match}").status_code == 404
    assert match[:8] not in other_guardian.get(f"{AT}?kind=matches").text


# A hospital's notices


def test_a_hospital_notice_goes_on_a_ground(world: World, guardian: ConsoleClient) -> None:
    letter = hospital_notice(world)
    page = guardian.get(f"{AT}/hospital/{letter}")
    assert "It waits for a person" in words_of(page)
    assert "Ashdown" not in page.text
    missing = guardian.form(page, {**OVERRIDE, "why_not_told": ""}, at="/release").submit()
    assert "Enter why the victim was not told" in words_of(missing)
    before = size(world, LOG)
    assert send(guardian, f"hospital/{letter}", OVERRIDE, "/release").headers["location"] == f"{AT}?done=released"
    assert ("hospital-notice-decided", "serious-crime") in events(world, before)
    assert not any(b"wrist" in one.body for one in world.entries())
    assert "Police may read it" in words_of(guardian.get(f"{AT}/hospital/{letter}"))


def test_a_hospital_notice_is_kept_back_once(world: World, guardian: ConsoleClient) -> None:
    letter = hospital_notice(world)
    keep = guardian.form(f"{AT}/hospital/{letter}", {"reason": "not-necessary"}, at="/keep")
    assert keep.submit().headers["location"] == f"{AT}?done=kept"
    assert keep.submit().status_code == 422
    assert "It is kept back" in words_of(guardian.get(f"{AT}/hospital/{letter}"))


def test_what_the_victim_says_now_decides_a_hospital_notice_again(world: World, guardian: ConsoleClient) -> None:
    letter = hospital_notice(world)
    assert "Choose what the victim says" in words_of(send(guardian, f"hospital/{letter}", {}, "/consent"))
    assert send(guardian, f"hospital/{letter}", {"state": "given"}, "/consent").headers["location"].endswith("=consent")
    assert "Police may read it" in words_of(guardian.get(f"{AT}/hospital/{letter}"))


# Deliveries


def test_what_did_not_arrive_is_sent_again_once(world: World, guardian: ConsoleClient) -> None:
    _, task = pushed(world)
    unit = endpoint_unit(world, InProcess(System()))
    parcel = undelivered(world, task, world.services.journals.of(LOG).submit_and_wait(unit).value)
    before = size(world, LOG)
    form = guardian.form(f"{AT}/deliveries/{parcel}", at="/renewal")
    assert form.submit().headers["location"] == f"{AT}?done=renewed"
    assert "delivery-renewed" in {event for event, _ in events(world, before)}
    assert form.submit().status_code == 404
    assert f"deliveries/{parcel}" not in guardian.get(AT).text


def test_nothing_is_sent_to_a_system_that_was_removed(world: World, guardian: ConsoleClient) -> None:
    parcel = undelivered(world, pushed(world)[1])
    page = guardian.get(f"{AT}/deliveries/{parcel}")
    assert "Nothing can be sent to a system that was removed" in words_of(page)
    assert "/renewal" not in page.text


# Contacts at the scene


def test_a_contact_is_joined_to_a_case(world: World, guardian: ConsoleClient) -> None:
    scene = contact(world)
    assert "The victim was spoken to" in words_of(guardian.get(f"{AT}/contacts/{scene}"))
    wrong = send(guardian, f"contacts/{scene}", {"referral": fresh_id(), "reason": "wrong-day"}, "/join")
    assert problems_of(wrong) == [("#referral", "There is no case of this reference, team and force")]
    assert len(problems_of(send(guardian, f"contacts/{scene}", {}, "/join"))) == 2
    before = size(world, LOG)
    joined = send(guardian, f"contacts/{scene}", {"referral": pushed(world)[1], "reason": "wrong-day"}, "/join")
    assert joined.headers["location"] == f"{AT}?done=joined"
    assert ("co-response-joined", "wrong-day") in events(world, before)
    assert guardian.get(f"{AT}/contacts/{scene}").status_code == 404


def test_a_contact_is_closed_without_a_record(world: World, guardian: ConsoleClient) -> None:
    scene = contact(world)
    assert "Choose why no record will come" in words_of(send(guardian, f"contacts/{scene}", {}, "/close"))
    before = size(world, LOG)
    assert send(guardian, f"contacts/{scene}", {"why": "not-recorded"}, "/close").is_redirect
    assert ("co-response-closed", "not-recorded") in events(world, before)


# Notices


def test_a_notice_to_the_whole_organisation_is_noted_and_a_team_s_is_not(world: World, guardian: ConsoleClient) -> None:
    own = notice(world)
    before = size(world, LOG)
    form = guardian.form(f"{AT}/notices/{own}", at="/acknowledgement")
    assert form.submit().headers["location"] == f"{AT}?done=noted"
    assert "notice-acknowledged" in {event for event, _ in events(world, before)}
    assert form.submit().status_code == 404
    table = tables.notice
    theirs = notice(world)
    with world.services.database.writing() as connection:
        connection.execute(update(table).where(table.c.id == theirs).values(recipient="idva-team"))
    page = guardian.get(f"{AT}/notices/{theirs}")
    assert "It is theirs to acknowledge" in words_of(page)
    token = dict(guardian.form("/console/sign-out", at="this browser").fields)["csrf"]
    assert guardian.post(f"{AT}/notices/{theirs}/acknowledgement", {"csrf": token}).status_code == 404
    assert guardian.get(f"{AT}/notices/{theirs}").status_code == 200


# A stopped case


def test_a_stopped_case_goes_on_by_its_reference(world: World, guardian: ConsoleClient) -> None:
    _, task = pushed(world)
    assert world.hospital.post(f"/team/v1/referrals/{task}/consent", json={"state": "withdrawn"}).is_success
    assert world.hospital.get(f"/fhir/R4/ServiceRequest/{task}").status_code == 404
    none = send(guardian, "override", {**OVERRIDE, "referral": fresh_id()}, "/override")
    assert problems_of(none) == [("#referral", "There is no case of this reference")]
    before = size(world, LOG)
    assert send(guardian, "override", {**OVERRIDE, "referral": task}, "/override").is_redirect
    assert ("override-recorded", "serious-crime") in events(world, before)
    assert world.hospital.get(f"/fhir/R4/ServiceRequest/{task}").status_code == 200


# Other people's


def test_what_is_another_s_is_answered_like_what_nobody_has(
    world: World, guardian: ConsoleClient, other_guardian: ConsoleClient
) -> None:
    """Of another role all of it; of another organisation its notices, its systems, its contacts and what it sent."""
    letter, scene, own = hospital_notice(world), contact(world), notice(world)
    match, _, _ = doubtful(world, ("Rowena", "Roberta"), "Ellery")
    parcel = undelivered(world, pushed(world)[1])
    every = [f"hospital/{letter}", f"contacts/{scene}", f"notices/{own}", f"matches/{match}", f"deliveries/{parcel}"]
    for person in (ADVISER, LEAD, OTHER_TEAM):
        client = signed_in(world, person)
        assert {client.get(f"{AT}/{one}").status_code for one in every} == {404}
    hidden = [f"hospital/{letter}", f"notices/{own}", f"deliveries/{parcel}", f"contacts/{scene}"]
    for one in hidden:
        none = f"{one.partition('/')[0]}/{fresh_id()}"
        theirs, nobodys = other_guardian.get(f"{AT}/{one}"), other_guardian.get(f"{AT}/{none}")
        assert theirs.status_code == nobodys.status_code == 404
        assert words_of(theirs) == words_of(nobodys)
    token = dict(other_guardian.form("/console/sign-out", at="this browser").fields)["csrf"]
    for one, act in zip(hidden, ("keep", "acknowledgement", "renewal", "close"), strict=True):
        said = {"keep": {"reason": "not-necessary"}, "close": {"why": "not-recorded"}}.get(act, {})
        assert other_guardian.post(f"{AT}/{one}/{act}", {"csrf": token, **said}).status_code == 404
    assert {guardian.get(f"{AT}/{one}").status_code for one in every} == {200}
