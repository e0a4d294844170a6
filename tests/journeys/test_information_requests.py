"""Police ask for a victim's information item by item; a named person of the hospital answers; nothing is automatic."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import select

from audit.entry import Entry, Operation, Outcome
from gateway.chance import fresh_id
from gateway.demo.run import LOG
from gateway.evidence import Event
from gateway.informing.keeping import NoteRequestsOverdue
from gateway.store import tables
from tests.journeys.support import pushed
from tests.journeys.test_sides import reviewer
from tests.support.world import World

WORDS = "Wordszq: she says that he struck her on the stairs on 12 April."
WHAT, WHY = "Whatzq", "Whyzq"
AGREED = (datetime.now(UTC) - timedelta(days=1)).isoformat()


def wanted(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "item": "statement.summary",
        "what": f"{WHAT} {number}: her account of 12 April",
        "since": "2026-04-12",
        "until": "2026-04-13",
        "why": f"{WHY} {number}: nobody else was there.",
        "basis": "pcsc-2022-s44a",
        "relevance": f"Item {number} bears on whether he was at the house.",
        "victim_told": "agrees",
    } | changes


def asked(referral: str, *items: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "referral": referral,
        "line_of_enquiry": "Enquiryzq: an assault on 12 April.",
        "alternatives": "The neighbours saw nothing.",
        "authorised_by": "Inspector 4567",
        "items": list(items or (wanted(),)),
    } | changes


def ask(world: World, body: dict[str, Any], key: str | None = None) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return world.police.post("/police/v1/information-requests", json=body, headers=headers)


def made(world: World, *items: dict[str, Any]) -> tuple[str, str]:
    """A request that was kept, and the referral it is about."""
    _, referral = pushed(world)
    answer = ask(world, asked(referral, *items))
    assert answer.status_code == 201, answer.text
    return answer.json()["request"], referral


RELEASED = {"answer": "released", "view": "agrees", "words": WORDS, "agreed_at": AGREED, "no_clinical_facts": True}


def answer(world: World, request: str, item: int = 1, **changes: Any) -> httpx.Response:
    given = {name: value for name, value in (RELEASED | changes).items() if value is not None}
    return world.hospital.post(f"/team/v1/information-requests/{request}/items/{item}", json=given)


def read(world: World, request: str) -> list[dict[str, Any]]:
    found = world.police.get("/police/v1/information-answers", params={"limit": 500}).json()
    return [one for one in found["answers"] if one["request"] == request]


def sealed(world: World, event: Event, case: str) -> list[Entry]:
    found = [Entry.parse(one.body) for one in world.entries(LOG)]
    return [one for one in found if one.event == event.value and one.case == case]


def test_a_person_answers_item_by_item_and_only_what_is_released_leaves(world: World) -> None:
    request, referral = made(world, wanted(1), wanted(2), wanted(3))
    waiting = world.hospital.get("/team/v1/information-requests").json()["requests"]
    (row,) = [one for one in waiting if one["request"] == request]
    assert row["answered_by"].startswith("Desmond Achterberg")
    shown = world.hospital.get(f"/team/v1/information-requests/{request}").json()
    assert [one["why"] for one in shown["items"]] == [f"{WHY} {n}: nobody else was there." for n in (1, 2, 3)]
    assert shown["items"][0]["victim_told"] == "agrees"
    assert read(world, request) == []  # nothing is answered by itself
    assert answer(world, request, 1).json()["complete"] is False
    refused: dict[str, Any] = {"words": None, "agreed_at": None, "view": "objects"}
    assert answer(world, request, 2, answer="refused", reason="not-given", **refused).status_code == 200
    assert answer(world, request, 3, answer="not-held", **refused | {"view": "not-asked"}).json()["complete"] is True
    first, second, third = read(world, request)
    assert first["record"]["statements"][0]["text"] == WORDS
    assert (second["answer"], second["reason"]) == ("refused", "not-given")
    assert (third["answer"], "record" in third) == ("not-held", False)
    assert "objects" not in orjson.dumps([second, third]).decode()  # what she wishes is not told
    entries = sealed(world, Event.INFORMATION_READ, referral)
    assert [one.operation for one in entries] == [Operation.DISCLOSURE] * 3
    assert entries[0].clauses == ("F3-statement",)
    answers = sealed(world, Event.INFORMATION_ITEM_ANSWERED, referral)
    assert [one.detail["view"] for one in answers] == ["agrees", "objects", "not-asked"]  # type: ignore[index]  # set
    own = world.police.get(f"/police/v1/information-requests/{request}").json()
    assert own["state"] == "answered"


@pytest.mark.parametrize(
    ("items", "path", "code"),
    [
        ((wanted(what="All records held about her"),), "items[0].what", "blanket"),
        ((wanted(what="everything"),), "items[0].what", "blanket"),
        ((wanted(since="2020-01-01"),), "items[0].until", "blanket"),
        ((wanted(since="2026-04-14"),), "items[0].until", "blanket"),
        ((wanted(1), wanted(2, why=f"{WHY} 1: nobody  else was THERE.")), "items[1].why", "blanket"),
        ((wanted(item="adviser.case_notes"),), "items[0].item", "not-askable"),
        ((wanted(item="victim.clinical"),), "items[0].item", "not-askable"),
        ((wanted(item="victim.nhs_number"),), "items[0].item", "not-askable"),
        ((wanted(basis="pcsc-2022-s16"),), "items[0].basis", "no-basis"),
        ((wanted(victim_told="not-told"),), "items[0].why_not_told", "victim-not-told"),
        (tuple(wanted(n) for n in range(11)), "items", "blanket"),
    ],
)
def test_a_blanket_request_is_refused_and_sealed(
    world: World, items: tuple[dict[str, Any], ...], path: str, code: str
) -> None:
    _, referral = pushed(world)
    found = ask(world, asked(referral, *items))
    assert found.status_code == 422
    assert (path, code) in {(one["path"], one["code"]) for one in found.json()["errors"]}
    assert WHAT not in found.text
    (entry,) = sealed(world, Event.INFORMATION_REQUEST_REFUSED, referral)
    assert (entry.outcome, entry.reason) == (Outcome.DENIED, code)


@pytest.mark.parametrize("missing", ["what", "why", "basis", "relevance", "victim_told"])
def test_each_item_says_all_of_it(world: World, missing: str) -> None:
    _, referral = pushed(world)
    item = {name: value for name, value in wanted().items() if name != missing}
    found = ask(world, asked(referral, item))
    assert found.status_code == 422
    assert f"items[0].{missing}" in found.text


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"view": "objects"}, "view"),
        ({"agreed_at": None}, "view"),
        ({"words": None}, "words"),
        ({"no_clinical_facts": False}, "no_clinical_facts"),
        ({"words": f"{WORDS} Her number is 999 000 0018."}, "words"),
        ({"words": f"{WORDS} (9990000018)"}, "words"),
        ({"expiry": AGREED}, "expiry"),
        ({"answer": "refused", "words": None}, "reason"),
        ({"answer": "refused", "reason": "not-given"}, "words"),
        ({"answer": "not-held", "words": None, "reason": "not-given"}, "reason"),
    ],
)
def test_an_answer_that_may_not_go_is_refused_at_its_place(world: World, changes: dict[str, Any], path: str) -> None:
    request, _ = made(world)
    found = answer(world, request, **changes)
    assert found.status_code == 422
    assert path in {one["path"] for one in found.json()["errors"]}
    assert "Wordszq" not in found.text
    assert read(world, request) == []


def test_an_item_is_answered_once_and_what_was_released_may_be_taken_back(world: World) -> None:
    request, referral = made(world)
    assert answer(world, request).status_code == 200
    assert answer(world, request).status_code == 422
    assert len(read(world, request)) == 1
    back: dict[str, Any] = {"words": None, "agreed_at": None, "view": "objects", "reason": "not-given"}
    assert answer(world, request, answer="refused", **back).status_code == 200
    (one,) = read(world, request)
    assert (one["answer"], "record" in one) == ("refused", False)
    kinds = {one["kind"] for one in world.police.get("/notices/v1").json()["notices"] if one["referral"] == referral}
    assert "consent-withdrawn" in kinds


def test_consent_withdrawn_from_the_referral_stops_what_was_released(world: World) -> None:
    request, referral = made(world)
    answer(world, request)
    assert len(read(world, request)) == 1
    said = world.hospital.post(f"/team/v1/referrals/{referral}/consent", json={"state": "withdrawn"})
    assert said.is_success
    assert read(world, request) == []


def test_an_answer_whose_consent_has_ended_is_told_no_more(world: World) -> None:
    request, _ = made(world)
    soon = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert answer(world, request, expiry=soon).status_code == 200
    assert len(read(world, request)) == 1
    with world.services.database.writing() as connection:
        table = tables.information_item
        of = table.c.request_id == request
        connection.execute(table.update().where(of).values(expires_at="2026-01-01T00:00:00.000Z"))
    assert read(world, request) == []


def test_the_same_key_is_one_request_and_another_content_is_refused(world: World) -> None:
    _, referral = pushed(world)
    key = fresh_id()
    first, again = ask(world, asked(referral), key), ask(world, asked(referral), key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["request"] == again.json()["request"]
    assert ask(world, asked(referral, wanted(2)), key).status_code == 422


def test_who_may_not_ask_or_answer_learns_nothing(world: World) -> None:
    assert ask(world, asked(fresh_id())).status_code == 404
    assert world.hospital.post("/police/v1/information-requests", json=asked(fresh_id())).status_code == 403
    assert world.police.get("/team/v1/information-requests").status_code == 403
    assert answer(world, fresh_id()).status_code == 404
    request, _ = made(world)
    assert answer(world, request, 9).status_code == 404
    assert world.police.get(f"/police/v1/information-requests/{fresh_id()}").status_code == 404


def test_whoever_is_connected_with_her_sees_nothing_of_it(world: World) -> None:
    """N15, on both sides."""
    request, _ = made(world)
    answer(world, request)
    for side, user in ((world.guardian, "kin-nurse"), (reviewer(world, "04"), "kin-officer")):
        staff = {"user": user, "family_names": ["Ashdown"]}
        assert side.post("/governance/v1/staff", json=staff).is_success
    nurse = world.client("demo-hospital", {"id": "kin-nurse", "role": "idva"})
    assert nurse.get(f"/team/v1/information-requests/{request}").status_code == 404
    every = nurse.get("/team/v1/information-requests", params={"state": "all"}).json()["requests"]
    assert request not in {one["request"] for one in every}
    officer = world.client("demo-rms", {"id": "kin-officer", "role": "officer-in-case"})
    found = officer.get("/police/v1/information-answers", params={"limit": 500}).json()["answers"]
    assert request not in {one["request"] for one in found}
    assert len(read(world, request)) == 1


def test_police_acknowledge_and_pages_follow_each_other(world: World) -> None:
    start = world.police.get("/police/v1/information-answers", params={"limit": 500}).json()["next"]
    (first, _), (second, _) = made(world), made(world)
    answer(world, first)
    answer(world, second)
    one = world.police.get("/police/v1/information-answers", params={"after": start, "limit": 1}).json()
    assert ([a["request"] for a in one["answers"]], one["more"]) == ([first], True)
    two = world.police.get("/police/v1/information-answers", params={"after": one["next"], "limit": 1}).json()
    assert ([a["request"] for a in two["answers"]], two["more"]) == ([second], False)
    through = {"through": two["next"]}
    url = "/police/v1/information-answers/acknowledgements"
    assert world.police.post(url, params=through).json()["acknowledged"] >= 2
    assert world.police.post(url, params=through).json()["acknowledged"] == 0


def test_what_nobody_answers_in_time_is_sealed_as_late_once(world: World) -> None:
    request, referral = made(world)
    told = world.hospital.get("/notices/v1").json()["notices"]
    assert ("information-requested", referral) in {(one["kind"], one["referral"]) for one in told}
    with world.services.database.writing() as connection:
        table = tables.information_request
        connection.execute(table.update().where(table.c.id == request).values(due_at="2026-01-01T00:00:00.000Z"))
    journal = world.services.journals.of(LOG)
    assert journal.submit_and_wait(NoteRequestsOverdue()).value >= 1
    assert journal.submit_and_wait(NoteRequestsOverdue()).value == 0
    assert len(sealed(world, Event.INFORMATION_OVERDUE, referral)) == 1


def test_words_lie_encrypted_and_are_in_no_entry(world: World) -> None:
    request, _ = made(world)
    answer(world, request)
    read(world, request)
    log = b"".join(one.body for one in world.entries(LOG))
    with world.services.database.reading() as connection:
        kept = [bytes(row.content) for row in connection.execute(select(tables.information_request.c.content))]
        kept += [bytes(row.content) for row in connection.execute(select(tables.record.c.content))]
    for mark in (b"Wordszq", b"Whatzq", b"Whyzq", b"Enquiryzq"):
        assert mark not in log
        assert all(mark not in one for one in kept)
