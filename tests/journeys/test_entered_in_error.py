"""What an adviser entered by mistake is put right: in the case, towards police and in what is counted, on both engines.

Nothing is deleted: what was entered stays in the history and in the log, beside what says that it was a mistake.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from audit.entry import Operation, Outcome
from gateway.casework.acts import EnteredInError
from gateway.casework.codes import WhyInError
from gateway.demo.run import LOG
from gateway.disclosure import Reader
from gateway.entered_in_error import take_back
from gateway.evaluation.period import Period
from gateway.evaluation.reading import read_coded
from gateway.evidence import Caller, Event
from gateway.retention.sweep import sweep
from gateway.store import tables
from tests.journeys.support import change, output, pushed, sealed, size, status
from tests.journeys.test_casework import act, acted, attempt, clocks, done, entries, heard, rows
from tests.journeys.test_co_response import contact, push, record
from tests.support.evidence import verify_log
from tests.support.world import World

COLLEAGUE = {"id": "idva-0007", "role": "idva"}
ONE_ENGINE = pytest.mark.parametrize("world", ["sqlite"], indirect=True, scope="module")
"""What touches no SQL that another of these does not."""

STUDENT = {"id": "student-0001", "role": "student"}


def wrong(world: World, referral: str, event: str, reason: str = "wrong-act", **headers: str) -> httpx.Response:
    """Say that an act was entered in error, as the adviser."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    path = f"/team/v1/referrals/{referral}/acts/{event}/entered-in-error"
    return world.hospital.post(path, json={"reason": reason}, headers=names)


def undone(world: World, referral: str, place: int = -1, reason: str = "wrong-act") -> dict[str, Any]:
    """Take back what was done at a place of the history."""
    answer = wrong(world, referral, ids(world, referral)[place], reason)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ids(world: World, referral: str) -> list[str]:
    return [one["id"] for one in done(world, referral)["acts"]]


def stands(world: World, referral: str) -> tuple[str, str]:
    task = world.hospital.get(f"/fhir/R4/Task/{referral}").json()
    return task["status"], task["businessStatus"]["coding"][0]["code"]


# In the case


def test_an_act_is_taken_back_and_nothing_is_lost(world: World) -> None:
    """State and clocks go back; the history shows both; the entry names the act, its own entry, and why."""
    _, referral = pushed(world)
    acted(world, referral, {"act": "acknowledge"}, attempt(note="Odette answered."))
    before = clocks(world, referral)
    acted(world, referral, {"act": "unable-to-contact", "ground": "no-channel"})
    start = size(world)
    answer = undone(world, referral)
    assert (stands(world, referral), clocks(world, referral)) == (("in-progress", "contacting"), before)
    *others, mistaken, said = done(world, referral)["acts"]
    assert [one["entered_in_error"] for one in (*others, said)] == [None] * (len(others) + 1)
    assert (said["act"], said["codes"]) == ("entered-in-error", {"event": mistaken["id"], "reason": "wrong-act"})
    how = mistaken["entered_in_error"]
    assert (how["by"], how["reason"], how["index"]) == ("idva-0042", "wrong-act", answer["receipt"]["index"])
    (entry,) = entries(world, start, Event.CASE_CORRECTED)
    detail = entry.detail or {}
    assert (entry.operation, entry.outcome, entry.case) == (Operation.ALTERATION, Outcome.PERMITTED, referral)
    assert detail["mistake"] == "wrong-act"  # its reason is the decision's, as of every act
    assert (detail["act"], detail["entry"], detail["state"]) == ("unable-to-contact", mistaken["index"], "contacting")
    assert entry.payload is not None
    assert verify_log(world.services.database, LOG, world.services.signer(LOG).verifier).verified


def test_the_only_act_taken_back_leaves_a_referral_that_nobody_has_taken(world: World) -> None:
    _, referral = pushed(world)
    before = {one["clock"]: one["due_at"] for one in done(world, referral)["clocks"]}
    offers = rows(world, tables.outbox, referral_id=referral)
    acted(world, referral, {"act": "engage"})
    undone(world, referral, reason="wrong-case")
    assert stands(world, referral) == ("requested", "offered")
    assert {one["clock"]: one["due_at"] for one in done(world, referral)["clocks"]} == before
    (row,) = rows(world, tables.referral, id=referral)
    assert (row.assigned_to, row.closed_at) == (None, None)
    assert [one.acknowledged_at for one in rows(world, tables.outbox, referral_id=referral)] == [None] * len(offers)
    acted(world, referral, {"act": "acknowledge"})


@ONE_ENGINE
def test_a_close_that_was_none_opens_the_case_again(world: World) -> None:
    _, referral = pushed(world)
    later = (datetime.now(UTC) + timedelta(days=20)).date().isoformat()
    acted(world, referral, {"act": "engage"}, {"act": "safety-plan", "in_place": True, "review_on": later})
    acted(world, referral, {"act": "close", "how": "unplanned"}, {"act": "welfare-concern"})
    undone(world, referral, -2)
    assert (stands(world, referral), clocks(world, referral)) == (("in-progress", "engaged"), ["safety-plan-review"])
    (row,) = rows(world, tables.referral, id=referral)
    assert row.closed_at is None
    acted(world, referral, attempt())


@ONE_ENGINE
def test_three_attempts_are_three_that_were_made(world: World) -> None:
    _, referral = pushed(world)
    acted(world, referral, attempt(), attempt(), attempt())
    undone(world, referral, 0, "entered-twice")
    assert act(world, referral, {"act": "unable-to-contact"}).status_code == 422
    acted(world, referral, attempt(), {"act": "unable-to-contact"})
    relied = wrong(world, referral, ids(world, referral)[1])
    assert (relied.status_code, relied.json()["errors"][0]["path"]) == (422, "event")


@ONE_ENGINE
def test_whose_the_case_was_it_is_again(world: World) -> None:
    _, referral = pushed(world)
    acted(world, referral, {"act": "acknowledge"})
    acted(world, referral, {"act": "assign", "to": "idva-0007"})
    undone(world, referral)
    (row,) = rows(world, tables.referral, id=referral)
    assert row.assigned_to == "idva-0042"


@ONE_ENGINE
def test_the_form_for_the_conference_is_of_a_referral_that_stands(world: World) -> None:
    _, referral = pushed(world)
    said = {"act": "marac-referral", "criteria": ["repeat"], "aware": True, "consent": {"state": "given"}}
    acted(world, referral, said)
    path = f"/team/v1/referrals/{referral}/marac-referral.pdf"
    assert world.hospital.get(path).status_code == 200
    undone(world, referral, reason="wrong-detail")
    assert world.hospital.get(path).status_code == 422


# Towards police


def test_a_word_that_police_did_not_have_is_never_told(world: World) -> None:
    incident, referral = pushed(world)
    acted(world, referral, {"act": "acknowledge"}, {"act": "engage"})
    answer = undone(world, referral)
    assert [one["code"] for one in answer["taken_back"]] == ["engaged"]
    assert heard(world, incident) == ["acknowledged"]


def test_a_word_that_police_had_is_taken_back_by_a_word(world: World) -> None:
    """By its code, its time and its count; the state is what still stands; the Task says the same."""
    incident, referral = pushed(world)
    acted(world, referral, {"act": "acknowledge"}, attempt(), attempt())
    first = world.police.get(f"/police/v1/incidents/{incident}").json()["feedback"]
    start = size(world)
    undone(world, referral)
    assert [one.detail and one.detail["words"] for one in entries(world, start, Event.CASE_CORRECTED)] == [1]
    told = world.police.get(f"/police/v1/incidents/{incident}").json()
    *_, correction = told["feedback"]
    assert [one["code"] for one in told["feedback"]] == ["acknowledged", "contact-attempted", "entered-in-error"]
    mistaken = first[-1]
    assert {name: correction[name] for name in ("value", "count", "at")} == {
        "value": mistaken["code"],
        "count": 2,
        "at": mistaken["at"],
    }
    assert told["state"] == "contact-attempted"
    task = world.hospital.get(f"/fhir/R4/Task/{referral}").json()
    assert [one["type"]["coding"][0]["code"] for one in task["output"]] == [
        "acknowledged",
        "contact-attempted",
        "contact-attempted",
        "entered-in-error",
    ]
    since = world.police.get("/police/v1/feedback", params={"after": mistaken["cursor"]}).json()["feedback"]
    assert [one["code"] for one in since if one["referral"] == referral] == ["entered-in-error"]


@ONE_ENGINE
def test_that_a_wish_was_a_mistake_is_told_under_the_same_consent_alone(world: World) -> None:
    """Once she refuses, neither the wish nor the word that takes it back leaves; nothing of it leaves a trace."""
    incident, referral = pushed(world)
    wish = {"act": "supports-prosecution", "value": "yes", "consent": {"state": "given", "ref": "consent-7"}}
    acted(world, referral, {"act": "acknowledge"}, wish)
    assert heard(world, incident) == ["acknowledged", "supports-prosecution"]
    undone(world, referral)
    (*_, last) = world.police.get(f"/police/v1/incidents/{incident}").json()["feedback"]
    assert (last["value"], last["consent_ref"]) == ("supports-prosecution", "consent-7")
    expires = (datetime.now(UTC) + timedelta(seconds=2)).isoformat()
    short = wish | {"consent": {"state": "given", "ref": "consent-8", "expiry": expires}}
    acted(world, referral, short)
    answer = undone(world, referral)
    assert [one["code"] for one in answer["taken_back"]] == ["supports-prosecution"]
    (*_, stored) = world.hospital.get(f"/fhir/R4/Task/{referral}").json()["output"]
    assert stored["type"]["coding"][0]["code"] == "entered-in-error"


@ONE_ENGINE
def test_a_word_that_somebody_has_the_case_stays_true_while_others_act_in_it(world: World) -> None:
    incident, referral = pushed(world)
    acted(world, referral, {"act": "acknowledge"}, attempt())
    assert heard(world, incident) == ["acknowledged", "contact-attempted"]
    undone(world, referral, 0)
    assert heard(world, incident) == ["acknowledged", "contact-attempted"]
    undone(world, referral, 1)
    assert heard(world, incident) == ["acknowledged", "entered-in-error"]
    assert stands(world, referral) == ("requested", "offered")


def test_of_a_change_of_a_task_the_word_that_is_meant_is_taken_back(world: World) -> None:
    incident, referral = pushed(world)
    words = [output("contact-attempted"), output("safety-plan-in-place")]
    patch = status("in-progress"), {"op": "add", "path": "/output", "value": words}
    assert change(world, referral, 1, status("accepted")).status_code == 200
    said = world.hospital.get(f"/fhir/R4/Task/{referral}").json()["output"]
    patch = status("in-progress"), {"op": "add", "path": "/output", "value": [*said, *words]}
    assert change(world, referral, 2, *patch).status_code == 200
    assert heard(world, incident) == ["acknowledged", "contact-attempted", "safety-plan-in-place"]
    undone(world, referral, 1)
    told = world.police.get(f"/police/v1/incidents/{incident}").json()["feedback"]
    assert [one["code"] for one in told] == ["acknowledged", "safety-plan-in-place", "entered-in-error"]
    assert told[-1]["value"] == "contact-attempted"
    assert stands(world, referral) == ("accepted", "acknowledged")


@ONE_ENGINE
def test_a_task_cannot_say_it(world: World) -> None:
    _, referral = pushed(world)
    acted(world, referral, {"act": "acknowledge"})
    said = world.hospital.get(f"/fhir/R4/Task/{referral}").json()["output"]
    more = {"op": "add", "path": "/output", "value": [*said, output("entered-in-error")]}
    assert change(world, referral, 2, more).status_code == 422


# What is counted


def test_what_was_entered_in_error_is_notcounted(world: World) -> None:
    _, referral = pushed(world)
    acted(world, referral, {"act": "acknowledge"}, attempt("reached"), {"act": "engage"})
    assert counted(world, referral) == {"acknowledge", "spoken-to", "engaged"}
    undone(world, referral)
    undone(world, referral, 1)
    assert counted(world, referral) == {"acknowledge"}


def counted(world: World, referral: str) -> set[str]:
    with world.services.database.reading() as connection:
        now = datetime.now(UTC)
        placed = datetime.fromisoformat(rows(world, tables.referral, id=referral)[0].reported_at)
        period = Period.closed(placed + timedelta(days=200))
        found = read_coded(connection, LOG, world.services.standing(LOG), period, now)
    cases = [case for victim in found.victims for case in victim.cases if case.id == referral]
    return {word.code for case in cases for word in case.words}


# Who may, what may not


@ONE_ENGINE
def test_whoever_entered_it_may_and_a_colleague_in_the_teams_own_role(world: World) -> None:
    _, referral = pushed(world)
    acted(world, referral, {"act": "acknowledge"}, attempt(), attempt())
    path = f"/team/v1/referrals/{referral}/acts/{ids(world, referral)[-1]}/entered-in-error"
    start = size(world)
    refused = world.client("demo-hospital", STUDENT).post(path, json={"reason": "wrong-act"})
    assert refused.status_code == 403
    assert [one.reason for one in sealed(world, start=start) if one.outcome is Outcome.DENIED] == ["not-in-role"]
    assert world.client("demo-hospital", COLLEAGUE).post(path, json={"reason": "wrong-act"}).status_code == 200
    mine = world.client("demo-hospital", STUDENT)
    assert mine.post(f"/team/v1/referrals/{referral}/acts", json={"acts": [attempt()]}).status_code == 200
    own = f"/team/v1/referrals/{referral}/acts/{ids(world, referral)[-1]}/entered-in-error"
    assert mine.post(own, json={"reason": "wrong-act"}).status_code == 200


def test_what_cannot_be_taken_back_is_refused_and_that_is_sealed(world: World) -> None:
    """Twice; what took something back; an act of another case; none at all."""
    _, referral = pushed(world)
    _, other = pushed(world)
    acted(world, referral, {"act": "acknowledge"}, attempt())
    acted(world, other, {"act": "acknowledge"})
    undone(world, referral)
    *_, mistaken, said = ids(world, referral)
    for event in (mistaken, said, ids(world, other)[0], "no-such-act"):
        start = size(world)
        answer = wrong(world, referral, event)
        assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "event")
        (entry,) = [one for one in sealed(world, start=start) if one.outcome is Outcome.DENIED]
        assert (entry.event, entry.reason) == (Event.CASE_CORRECTED, "may-not-follow")
    assert wrong(world, referral, mistaken, "because").status_code == 422


def test_an_act_beside_a_contact_at_the_scene_leaves_that_contact(world: World) -> None:
    number = 7_001
    _, referral = push(world, record(number))
    assert contact(world, number).is_success
    acted(world, referral, attempt())
    undone(world, referral)
    assert stands(world, referral) == ("accepted", "contacting")
    assert clocks(world, referral) == ["first-contact"]


@ONE_ENGINE
def test_what_was_erased_is_taken_back_no_more(world: World) -> None:
    _, referral = pushed(world)
    acted(world, referral, attempt(note="Her sister answers."), {"act": "close", "how": "unplanned"})
    first = ids(world, referral)[0]
    services = world.services
    sweep(services.database, services.journals, services.records, datetime.now(UTC) + timedelta(days=365 * 30))
    assert wrong(world, referral, first).status_code in {404, 422}


@ONE_ENGINE
def test_a_repeat_is_done_once_and_a_changed_case_is_read_again(world: World) -> None:
    _, referral = pushed(world)
    etag = world.hospital.get(f"/team/v1/referrals/{referral}/acts").headers["etag"]
    acted(world, referral, {"act": "acknowledge"}, attempt())
    event = ids(world, referral)[-1]
    assert wrong(world, referral, event, If_Match=etag).status_code == 412
    first, again = (wrong(world, referral, event, Idempotency_Key="form-9") for _ in range(2))
    assert (first.json()["repeated"], again.json()["repeated"]) == (False, True)
    assert first.json()["version"] == again.json()["version"]


def test_of_two_who_take_it_back_at_once_one_does(world: World) -> None:
    incident, referral = pushed(world)
    acted(world, referral, {"act": "acknowledge"}, attempt())
    assert heard(world, incident) == ["acknowledged", "contact-attempted"]
    event = ids(world, referral)[-1]
    start = size(world)
    found = world.run(_both(world, referral, event))
    assert sorted(type(one).__name__ for one in found) == ["TakenBack", "TransitionRefused"]
    done_once = [one for one in entries(world, start, Event.CASE_CORRECTED) if one.outcome is Outcome.PERMITTED]
    assert len(done_once) == 1
    assert heard(world, incident) == ["acknowledged", "entered-in-error"]


async def _both(world: World, referral: str, event: str) -> list[Any]:
    services = world.services
    library = Reader(services.records, services.settings.public_url)
    callers = [
        Caller(
            client="demo-hospital",
            organisation="RXL",
            recipient="idva-team",
            scopes=frozenset(),
            agreements=frozenset([LOG]),
            user=user,
            role="idva",
        )
        for user in ("idva-0042", "idva-0007")
    ]
    said = EnteredInError(reason=WhyInError.WRONG_ACT)
    tried = (take_back(services, library, one, referral, event, said) for one in callers)
    return await asyncio.gather(*tried, return_exceptions=True)
