"""The page of a case: who is shown it and why, what stands on it and in which order, and what must not."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import event, update
from sqlalchemy.exc import OperationalError

from gateway.case_page import SAFE_ADDRESS_REASON
from gateway.casefile import Opening
from gateway.console.referral.actions import ACTIONS
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from gateway.oversight.judge import Judge, asked
from gateway.signin.claims import Role
from gateway.store import tables
from tests.console.referrals import at, done, form, opened, send, tree_of, words_of
from tests.journeys.support import pushed, sealed, serial, size
from tests.support.console import (
    ADVISER,
    AUDITOR,
    EVALUATOR,
    GUARDIAN,
    LEAD,
    OFFICER,
    OPERATOR,
    OTHER_TEAM,
    ConsoleClient,
    signed_in,
)
from tests.support.evidence import verify_log
from tests.support.world import World

SHOWN = [one for one in ACTIONS if one.opens]
"""The actions whose form shows something of the case."""


@pytest.fixture(scope="module")
def adviser(world: World) -> ConsoleClient:
    return signed_in(world)


@pytest.fixture(scope="module")
def task(world: World) -> str:
    """A case that is looked at."""
    return pushed(world)[1]


# Why


def test_a_case_is_opened_for_a_reason_which_is_one_click_and_is_sealed(world: World) -> None:
    client = signed_in(world)
    _, task = pushed(world)
    start = size(world)
    why = client.get(at(task))
    assert "Ashdown" not in why.text
    assert size(world) == start, "a page that shows nothing seals nothing"
    links = tree_of(why).xpath("//ul[@class='app-choices']//a/@href")
    assert links == [f"{at(task)}?reason={one.value}" for one in Opening]
    page = client.get(links[3])
    assert "Marianne Ashdown" in page.text
    read = [one for one in sealed(world, start=start) if one.case == task]
    assert {one.reason for one in read} == {Opening.CALL_FROM_VICTIM.value}
    assert [one.event for one in read] == ["referral-read", "case-read"]
    assert all(one.actor.user == ADVISER.id for one in read)


def test_the_reason_holds_for_this_case_and_this_sign_in_and_ends(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(world)
    _, task = pushed(world)
    _, other = pushed(world)
    kept = opened(client, task).headers["set-cookie"]
    for said in ("__Secure-reason=", "HttpOnly", "Secure", "SameSite=strict", f"Path={at(task)}", "Max-Age=1800"):
        assert said in kept
    assert "Ashdown" in client.get(at(task)).text
    assert "Ashdown" in client.get(at(task, "contact")).text or client.get(at(task, "contact")).status_code == 200
    assert "Ashdown" not in client.get(at(other)).text
    somebody = signed_in(world, id="idva-0077")
    somebody.http.cookies.update(client.http.cookies)
    somebody.http.cookies.set("__Host-console", _session(signed_in(world, id="idva-0078")), "gateway.test", "/")
    assert "Why do you open this case?" in somebody.get(at(task)).text
    monkeypatch.setattr("gateway.console.referral.reasons.HOLDS_SECONDS", -1)
    opened(client, other)
    assert "Why do you open this case?" in client.get(at(other)).text


def _session(client: ConsoleClient) -> str:
    return client.http.cookies["__Host-console"]


@pytest.mark.parametrize("value", ["x", "follow-up.9.x", "follow-up.99999999999.00", ".", "..", "é"])
def test_a_reason_of_one_s_own_making_is_none(world: World, task: str, value: str) -> None:
    client = signed_in(world)
    answer = client.get(
        at(task), headers={"Cookie": f"__Host-console={_session(client)}; __Secure-reason={value}".encode()}
    )
    assert "Why do you open this case?" in answer.text


def test_another_site_cannot_open_a_case_in_somebody_s_name(world: World, task: str) -> None:
    client = signed_in(world)
    start = size(world)
    answer = client.get(f"{at(task)}?reason=urgent-risk", headers={"Sec-Fetch-Site": "cross-site"})
    assert "Why do you open this case?" in answer.text
    assert size(world) == start


def test_a_form_opened_by_its_address_asks_why_and_leads_there(world: World, task: str) -> None:
    client = signed_in(world)
    for action in SHOWN:
        if Role.ADVISER not in action.roles:
            continue
        page = client.get(at(task, action.slug))
        assert f"{at(task, action.slug)}?reason=follow-up" in page.text


# Who


def test_nobody_but_the_team_sees_anything_by_any_address(world: World, task: str) -> None:
    """By team, agreement and role: as for an id that nobody has (P8). Every form and id: `test_security`."""
    people = [LEAD, OTHER_TEAM, OFFICER, AUDITOR, OPERATOR, EVALUATOR, GUARDIAN]
    clients = [signed_in(world, one) for one in people]
    clients.append(signed_in(world, agreement="another-agreement"))
    clients.append(signed_in(world, organisation="RTX"))
    nobody = str(uuid4())
    for client in clients:
        for one in ("", "/safe-address", "/marac/file", "/contact", "/break-glass"):
            answers = [client.get(f"{at(of)}{one}?reason=follow-up") for of in (task, nobody)]
            alike = [(a.status_code, _without_own(a.text)) for a in answers]
            assert alike[0] == alike[1], one
            assert "Ashdown" not in answers[0].text


def _without_own(text: str) -> str:
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "id", text)
    return re.sub(r"case [0-9a-f]{8}|Case [0-9a-f]{8}|value=\"[^\"]*\"", "", text)


# What and in which order


def test_risk_comes_first_and_then_how_to_reach_her(adviser: ConsoleClient, task: str) -> None:
    tree = tree_of(opened(adviser, task))
    parts = [" ".join(one.text_content().split()) for one in tree.xpath("//section//h2")]
    assert parts == [
        "Risk",
        "Safe contact",
        "What is happening now",
        "The victim and children",
        "The suspect",
        "Orders and bail",
        "What happened",
        "What police were told",
        "What the victim says of sharing",
        "What you do not see, and where this comes from",
    ]
    assert "Ashdown" not in tree.xpath("//title/text()")[0]


def test_risk_is_what_somebody_judged_with_its_age_and_never_a_score(world: World, adviser: ConsoleClient) -> None:
    """The items that count most come first, in their own order; those nobody knows of are to be asked."""
    document = _with_answers(["FIN", "STK", "SUI", "KILL", "STRG"], unknown=["PREG"])
    task = world.push(document).json()["referrals"][0]["reference"]
    risk = _part(opened(adviser, task), "risk")
    order = ["attempt to strangle", "threat to kill", "stalking", "attempted suicide", "Money troubles"]
    assert [risk.index(one) for one in order] == sorted(risk.index(one) for one in order)
    assert "Nobody knows yet, so ask: pregnant" in risk
    for said in (
        "High",
        "months ago",
        "DASH, police form (27 items)",
        "5 of 27",
        "Attending officer",
        "Risk is dynamic",
    ):
        assert said in risk
    assert not re.search(r"score|%|predict", risk)
    assert world.push(_versioned(document, 2, "MEDIUM")).is_success
    risk = _part(opened(adviser, task), "risk")
    assert "Medium" in risk
    assert re.search(r"Graded before ?High", risk)


def test_what_the_suspect_s_health_is_stays_a_yes(adviser: ConsoleClient, task: str) -> None:
    """N4: that there is such an answer, and no word of what was said."""
    page = words_of(opened(adviser, task))
    assert "use of drugs or alcohol" in page
    assert "drinks daily" not in page


def test_a_channel_that_nobody_stated_safe_is_unsafe_in_words(world: World, adviser: ConsoleClient, task: str) -> None:
    """P5: not by colour alone, its number out of sight; and for a voicemail as well."""
    contact = _part(opened(adviser, task), "contact")
    assert re.search(
        r"07700 ?900123 ?Code word: bluebell.*Yes, stated safe.*weekdays 10:00-14:00.*No. Leave none.*Yes", contact
    )
    assert re.search(r"Show a number that is not safe ?01632 ?960124.*Not known: treat it as unsafe", contact)
    assert "Not known. Leave none" in contact
    unsafe = copy.deepcopy(incident(serial()))
    for one in unsafe["included"]:
        if one["type"] == "telephone":
            one["attributes"].pop("safeToContact", None)
    other = world.push(unsafe).json()["referrals"][0]["reference"]
    assert "No channel is stated safe. Do not telephone, text or write." in _part(opened(adviser, other), "contact")


def test_no_third_party_and_no_source_is_named(adviser: ConsoleClient, task: str) -> None:
    """N3: neither the neighbour who rang, nor the sentence about them; that something is withheld, and not what."""
    page = words_of(opened(adviser, task))
    for one in ("Nora", "Nextdoor", "Neighbour", "neighbour"):
        assert one not in page
    assert "Something of this record is withheld from your team under the agreement." in page


def test_each_child_is_a_victim_and_no_parent_is_to_see_it(world: World, adviser: ConsoleClient, task: str) -> None:
    """N12."""
    people = _part(opened(adviser, task), "people")
    for said in ("Robin Ashdown", "Example Primary School", "a victim in their own right", "CP-IS", "parent's access"):
        assert said in people
    _, childless = pushed(world)
    childless = world.push(incident(serial(), child=False)).json()["referrals"][0]["reference"]
    assert "Ask whether there are any" in _part(opened(adviser, childless), "people")


def test_what_was_done_stands_in_the_timeline_with_the_team_s_own_words(world: World, adviser: ConsoleClient) -> None:
    _, task = pushed(world)
    contact = {"channel": "phone", "result": "no-answer", "contact": "0", "note": "Her mother answered <before>."}
    page = done(adviser, task, "contact", contact)
    happened = page[page.index("What happened") : page.index("What police were told")]
    said = rf"Contact attempt by {ADVISER.id} Telephone ?No answer ?Her mother answered <before>\."
    assert re.search(said, happened), happened
    assert "Contact attempted (1)" in page
    assert "With you, idva-0042" in page.replace("Withyou", "With you")


def test_where_it_is_sealed_is_said(world: World, adviser: ConsoleClient, task: str) -> None:
    start = size(world)
    page = words_of(opened(adviser, task))
    found = re.search(r"Sealed as entry (\d+) of the log", page)
    assert found is not None
    assert sealed(world, start=start)[int(found[1]) - start].event == "referral-read"


# Where she is kept safe


def _kept_safe(world: World) -> str:
    document = copy.deepcopy(incident(serial()))
    victim = next(one for one in document["included"] if one["attributes"].get("surname") == "Ashdown")
    place = {"id": str(uuid4()), "type": "location"}
    victim["relationships"]["safeAddress"] = {"data": [place]}
    where = {"addressLine1": "1 Lighthouse Walk", "town": "Fleetwood", "postcode": "ZZ99 3VZ"}
    document["included"].append({**place, "attributes": where})
    found: str = world.push(document).json()["referrals"][0]["reference"]
    return found


def test_where_she_is_kept_safe_is_a_click_of_its_own_and_an_entry_of_its_own(
    world: World, adviser: ConsoleClient
) -> None:
    """N1: it is in nothing else, and the entry of the page does not say that it was given."""
    task = _kept_safe(world)
    start = size(world)
    page = opened(adviser, task)
    assert "Lighthouse" not in page.text
    assert at(task, "safe-address") in page.text
    read = next(one for one in sealed(world, start=start) if one.event == "referral-read")
    assert "victim.safe_address" not in (read.items.released if read.items else ())
    start = size(world)
    safe = adviser.get(at(task, "safe-address"))
    assert "1 Lighthouse Walk, Fleetwood, ZZ99 3VZ" in safe.text
    assert "Ashdown" not in safe.text
    (entry,) = sealed(world, start=start)
    assert (entry.reason, entry.case) == (SAFE_ADDRESS_REASON, task)
    assert entry.items is not None
    assert set(entry.items.released) <= {"victim.safe_address", "victim.listed", "child.listed"}
    assert "victim.safe_address" in entry.items.released
    for action in SHOWN:
        assert "Lighthouse" not in adviser.get(at(task, action.slug)).text
    assert "Lighthouse" not in adviser.get(f"{at(task, 'safe-address')}?print=1").text


def test_both_ways_of_opening_can_be_decided_again_from_their_entries(world: World, adviser: ConsoleClient) -> None:
    """P4."""
    task = _kept_safe(world)
    start = size(world)
    opened(adviser, task)
    adviser.get(at(task, "safe-address"))
    terms = world.services.standing(LOG).terms
    read = [json.loads(one.body) for one in world.entries()[start:]]
    read = [one for one in read if one["event"] == "referral-read"]
    assert [one["detail"]["types"] for one in read] == ["CasePage", "SafeAddress"]
    for entry in read:
        again = Judge().answer(asked(entry), datetime.fromisoformat(entry["time"]), terms)
        given = again.ruling.methods.keys() & set(asked(entry).items)
        assert given == {*entry["items"]["released"], *entry["items"].get("generalised", ())}


# Paper


def test_paper_holds_neither_where_she_is_nor_her_code_word_nor_anything_to_press(
    world: World, adviser: ConsoleClient
) -> None:
    task = _kept_safe(world)
    done(
        adviser, task, "contact", {"channel": "phone", "result": "no-answer", "note": "Her sister Jo minds the child."}
    )
    paper = adviser.get(f"{at(task)}?print=1")
    tree = tree_of(paper)
    assert tree.xpath("//button | //form | //script | //nav | //main//a | //details") == []
    for one in ("bluebell", "Lighthouse", "safe-address", "01632", "sister Jo", "Nextdoor"):
        assert one not in paper.text
    for one in ("Marianne Ashdown", "07700", "High", "months ago"):
        assert one in paper.text
    assert "bluebell" in opened(adviser, task).text


# Evidence


@contextmanager
def _nothing_commits(world: World) -> Iterator[None]:
    def refuse(_: Any) -> None:
        raise OperationalError("the connection was lost", None, Exception())

    event.listen(world.services.database.writer, "commit", refuse)
    try:
        yield
    finally:
        event.remove(world.services.database.writer, "commit", refuse)


def test_what_cannot_be_sealed_is_neither_shown_nor_done(world: World) -> None:
    """P1: of every page and every form."""
    client = signed_in(world, id="idva-sealed")
    _, task = pushed(world)
    opened(client, task)
    done(client, task, "cpis", {"child": "unborn"})  # so that there is something to take back
    forms = {one.slug: form(client, task, one.slug) for one in SHOWN if one.slug != "notices"}
    with _nothing_commits(world):
        for one in ("", "/safe-address", "/marac/file", *(f"/{action.slug}" for action in SHOWN)):
            _tells_nothing(client.get(f"{at(task)}{one}"), one)
        for slug, filled in forms.items():
            _tells_nothing(filled.submit(), slug)
    assert "New" in _part(opened(client, task), "now")


def _tells_nothing(answer: httpx.Response, where: str) -> None:
    assert answer.status_code == 503, where
    for one in ("Ashdown", "Robin", "07700", "bluebell", "Harbottle", "idva-0042"):
        assert one not in answer.text, where


def test_the_log_of_all_this_verifies(world: World, adviser: ConsoleClient, task: str) -> None:
    opened(adviser, task)
    assert verify_log(world.services.database, LOG, world.services.signer(LOG).verifier).verified


def test_somebody_with_a_party_s_name_sees_nothing(world: World, task: str) -> None:
    """N15: known by the register of staff, without anybody's declaring it."""
    client = signed_in(world, id="idva-namesake")
    assert "Ashdown" in opened(client, task).text
    told = {"user": "idva-namesake", "family_names": ["Harbottle"]}
    assert world.guardian.post("/governance/v1/staff", json=told).is_success
    answer = client.get(f"{at(task)}?reason=follow-up")
    assert answer.status_code == 404
    assert "Ashdown" not in answer.text


def test_a_record_taken_back_says_so_before_anything_else(world: World, adviser: ConsoleClient) -> None:
    _, task = pushed(world)
    with world.services.database.writing() as connection:
        of = tables.referral.c.id == task
        connection.execute(update(tables.referral).where(of).values(status="entered-in-error", state="closed"))
    page = words_of(opened(adviser, task))
    assert page.index("Sent in error: do not use") < page.index("Risk")
    assert "Record a contact attempt" not in page
    assert send(adviser, task, "risk", {"direction": "up"}).status_code == 422


def _part(answer: httpx.Response, id_: str) -> str:
    (found,) = tree_of(answer).xpath(f"//section[@aria-labelledby='{id_}']")
    return " ".join(found.text_content().split())


def _with_answers(yes: list[str], unknown: list[str]) -> dict[str, Any]:
    document = copy.deepcopy(incident(serial()))
    dash = next(one for one in document["included"] if one["type"] == "riskAssessment")
    said = [{"code": one, "answer": "yes"} for one in yes] + [{"code": one, "answer": "unknown"} for one in unknown]
    dash["attributes"] |= {"answers": said, "yesCount": len(yes), "unknownCount": len(unknown)}
    return document


def _versioned(document: dict[str, Any], version: int, grade: str) -> dict[str, Any]:
    later = copy.deepcopy(document)
    later["data"]["attributes"]["recordVersion"] = version
    dash = next(one for one in later["included"] if one["type"] == "riskAssessment")
    dash["attributes"] |= {"riskGrade": grade, "completedDateTime": "2026-04-13T09:00:00+01:00"}
    return later
