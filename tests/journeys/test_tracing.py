"""Tracing on the road: nothing is asked that no clause releases, sealed first; the number stays on the NHS side.

PDS is a simulator over real HTTP. Time is moved by the test: waits that take hours pass at once. Nobody here has a
child: children have tests of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import update

from adapters.nhs.pds import Answer
from audit.entry import Operation, Outcome
from gateway.delivery.policy import TRIES
from gateway.demo.incidents import incident
from gateway.demo.pds import Fault, Patient, number
from gateway.demo.run import LOG
from gateway.duties import note_late_traces
from gateway.errors import NotSealed
from gateway.evidence import Event
from gateway.oversight.entries import LogSource
from gateway.oversight.replay import rederive
from gateway.retention.sweep import sweep
from gateway.store import tables
from gateway.store.traced import State
from gateway.tracing.client import Call
from gateway.tracing.turns import LEASE
from tests.journeys.support import bring_into_force, pushed, sealed, serial, size, world_on
from tests.journeys.test_sealed_before_released import commit_fails
from tests.support.tracing import Desk, asking_pds, desk, with_pds, without_pds
from tests.support.world import World

HERS = number(1)
MARIANNE = Patient(HERS, (("Ashdown", "Marianne"),), "1991-02-03")
RESTRICTED = Patient(HERS, (("Ashdown", "Marianne"),), "1991-02-03", label="R", postcode="ZZ11 9AA")


@pytest.fixture
def world(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A world of each test's own: a round traces everybody there is."""
    with world_on(engine_name, request, tmp_path / "data") as made:
        yield made


@pytest.fixture
def at_desk(world: World) -> Iterator[Callable[..., Desk]]:
    """Opens a desk with PDS knowing some, under the shipped agreement, or one that asks with other items."""
    with ExitStack() as stack:

        def opened(*patients: Patient, **how: Any) -> Desk:
            if how:
                bring_into_force(world, lambda content: asking_pds(content, **how))
                world.services.terms.forget(LOG)
            return stack.enter_context(desk(world, *patients))

        yield opened


def _patient(world: World, referral: str) -> dict[str, Any]:
    answer = world.hospital.get(f"/fhir/R4/Patient/{referral}.victim-1")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _numbers(patient: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (one["value"], one["extension"][0]["valueCodeableConcept"]["coding"][0]["code"])
        for one in patient.get("identifier", [])
        if one["system"].endswith("nhs-number")
    ]


def _of(world: World, event: Event, start: int = 0) -> list[Any]:
    return [one for one in sealed(world, start=start) if one.event == event]


def test_a_verified_number_comes_to_the_team_and_every_step_is_sealed(
    world: World, at_desk: Callable[..., Desk]
) -> None:
    at = at_desk(MARIANNE)
    _, referral = pushed(world, child=False)
    start = size(world)
    at.round()
    assert at.row(referral).state == State.VERIFIED
    asked, traced = _of(world, Event.TRACE_ASKED, start), _of(world, Event.PATIENT_TRACED, start)
    assert [(one.operation, one.outcome) for one in asked] == [(Operation.DISCLOSURE, Outcome.PERMITTED)]
    assert [one.recipient for one in asked[0].recipients] == ["pds"]
    assert asked[0].items.released == ("victim.birth", "victim.listed", "victim.name")
    assert asked[0].items.generalised == ("victim.home_address",)
    assert [(one.operation, one.reason) for one in traced] == [(Operation.COMBINATION, "verified")]
    assert traced[0].detail["request_1"] == at.pds.asked[0].request
    assert _numbers(_patient(world, referral)) == [(HERS, "01")]
    whole = b"".join(one.to_bytes() for one in sealed(world))
    assert HERS.encode() not in whole
    assert at.pds.asked[0].names == {
        "family": "Ashdown",
        "given": "Mar*",
        "birthdate": "eq1991-02-03",
        "address-postalcode": "ZZ*",
        "_history": "true",
        "_fuzzy-match": "false",
        "_exact-match": "false",
    }
    assert at.pds.asked[0].headers["nhsd-end-user-organisation-ods"] == "RXL"
    at.round(timedelta(days=1))
    assert len(at.pds.asked) == 1


def test_the_disclosure_is_committed_before_the_first_byte(world: World, at_desk: Callable[..., Desk]) -> None:
    at = at_desk(MARIANNE)
    pushed(world, child=False)
    seen: list[int] = []
    search = at.tracer._search

    def looked(call: Call) -> Answer:
        seen.append(len(_of(world, Event.TRACE_ASKED)))
        return search(call)

    at.tracer._search = looked
    at.round()
    assert seen == [1]


def test_every_decision_of_a_trace_comes_out_again(world: World, at_desk: Callable[..., Desk]) -> None:
    """What PDS was asked, refused or permitted, and what a person was shown: from the entries alone (P4)."""
    _, first = pushed(world, child=False)
    bring_into_force(world, without_pds)
    world.services.terms.forget(LOG)
    with desk(world) as without:
        without.round()
    bring_into_force(world, with_pds)
    world.services.terms.forget(LOG)
    at = at_desk(Patient(HERS, MARIANNE.names, MARIANNE.born, status="05"))
    at.round()
    shown = world.hospital.get(f"/team/v1/traces/{at.row(first).id}")
    assert shown.json()["found"]["nhs_number"] == HERS
    with world.services.database.reading() as connection:
        found = rederive(LogSource(connection, LOG))
    assert found.differences == ()
    assert found.not_derivable == {}
    with_facts = [one for one in sealed(world) if one.facts is not None and one.purpose is not None]
    assert found.same == len(with_facts)
    assert {one.event for one in with_facts} >= {Event.TRACE_ASKED, Event.TRACE_READ}


def test_what_cannot_be_sealed_is_not_asked(world: World, at_desk: Callable[..., Desk]) -> None:
    at = at_desk(MARIANNE)
    _, referral = pushed(world, child=False)
    with commit_fails(world), pytest.raises(NotSealed):
        at.round()
    assert not at.pds.asked
    assert not at.pds.signed_in
    at.round()
    assert at.row(referral).state == State.VERIFIED


def test_without_a_clause_nothing_is_asked_and_the_refusal_is_sealed_once(world: World) -> None:
    bring_into_force(world, without_pds)
    world.services.terms.forget(LOG)
    with desk(world, MARIANNE) as at:
        _, referral = pushed(world, child=False)
        at.round()
        at.round(timedelta(hours=1))
        assert not at.pds.asked
        assert not at.pds.signed_in
        assert at.row(referral).state == State.REFUSED
        assert [(one.outcome, one.reason) for one in _of(world, Event.TRACE_ASKED)] == [
            (Outcome.DENIED, "recipient-unknown")
        ]
        bring_into_force(world, with_pds)
        world.services.terms.forget(LOG)
        at.round()
        assert at.row(referral).state == State.VERIFIED


def test_the_referral_does_not_wait_for_its_trace(world: World, at_desk: Callable[..., Desk]) -> None:
    at = at_desk(MARIANNE)
    _, referral = pushed(world, child=False)
    assert _numbers(_patient(world, referral)) == []
    at.pds.script.append(500)
    at.pds.token_script.extend([500] * 9)
    at.round()
    assert world.hospital.get(f"/fhir/R4/Task/{referral}").status_code == 200


def test_what_no_clause_releases_is_not_asked(world: World, at_desk: Callable[..., Desk]) -> None:
    at = at_desk(MARIANNE, locality=False)
    pushed(world, child=False)
    at.round()
    assert ["address-postalcode" in one.names for one in at.pds.asked] == [False]


def test_where_too_little_may_leave_a_person_traces_her(world: World, at_desk: Callable[..., Desk]) -> None:
    at = at_desk(MARIANNE, release=("victim.listed", "victim.name"))
    _, referral = pushed(world, child=False)
    at.round()
    assert not at.pds.asked
    row = at.row(referral)
    assert (row.state, row.reason, row.status) == (State.UNASKABLE, "withheld", "03")
    assert [one["trace"] for one in world.hospital.get("/team/v1/traces").json()["traces"]] == [row.id]


def test_a_restricted_patient_is_found_by_the_second_pass(world: World, at_desk: Callable[..., Desk]) -> None:
    at = at_desk(RESTRICTED)
    _, referral = pushed(world, child=False)
    at.round()
    assert ["address-postalcode" in one.names for one in at.pds.asked] == [True, False]
    first, second = at.pds.asked
    assert first.request != second.request
    assert first.headers["x-correlation-id"] == second.headers["x-correlation-id"]
    row = at.row(referral)
    assert (row.state, row.label) == (State.VERIFIED, "R")
    patient = _patient(world, referral)
    assert _numbers(patient) == [(HERS, "01")]
    assert "address" not in patient
    assert "12 Example Row" in orjson.dumps(patient).decode()  # known, and in no list that another system files
    assert _of(world, Event.PATIENT_TRACED)[0].detail["restricted"] == 1


def test_a_restricted_patient_waits_for_a_person_with_the_label_on(world: World, at_desk: Callable[..., Desk]) -> None:
    """As soon as anybody who was found is restricted the case is; it is no more once a person says it is another."""
    at = at_desk(Patient(HERS, (("Ashdown", "Maria"),), "1991-02-03", label="R"))
    _, referral = pushed(world, child=False)
    at.round()
    trace = at.row(referral)
    assert (trace.state, trace.status, trace.label) == (State.REVIEW, "05", "R")
    assert "address" not in _patient(world, referral)
    shown = world.hospital.get(f"/team/v1/traces/{trace.id}").json()
    assert shown["restricted"]
    assert "addresses" not in shown["found"]
    answer = world.hospital.post(f"/team/v1/traces/{trace.id}/decision", json={"outcome": "different"})
    assert answer.json()["state"] == "different"
    row = at.row(referral)
    assert (row.label, row.content, row.status) == (None, None, "04")
    assert "address" in _patient(world, referral)


def test_a_person_sees_both_sides_and_says_that_it_is_she(world: World, at_desk: Callable[..., Desk]) -> None:
    moved = Patient(HERS, (("Ashdown", "Marianne"),), "1991-02-03", postcode="ZZ11 1AA", line="9 Elsewhere Road")
    at = at_desk(moved)
    _, referral = pushed(world, child=False)
    at.round()
    assert _numbers(_patient(world, referral)) == []
    waiting = world.hospital.get("/team/v1/traces").json()["traces"]
    assert [(one["state"], one["may_be"]) for one in waiting] == [("review", ["different", "same"])]
    trace = waiting[0]["trace"]
    record_id = at.row(referral).record_id
    with world.services.database.reading() as connection:
        read = world.services.records.load(connection, [record_id])[record_id]
    assert [one.nhs_number for one in read.people] == [None] * len(read.people)
    start = size(world)
    both = world.hospital.get(f"/team/v1/traces/{trace}").json()
    assert both["meant"]["addresses"][0]["postcode"] == "ZZ99 3CZ"
    assert both["found"]["addresses"][0]["postcode"] == "ZZ11 1AA"
    assert both["found"]["nhs_number"] == HERS
    assert both["compared"]["family"] == "exact"
    looked = _of(world, Event.TRACE_READ, start)[0]
    assert looked.operation is Operation.COMBINATION
    assert "victim.nhs_number" in looked.items.released
    answer = world.hospital.post(f"/team/v1/traces/{trace}/decision", json={"outcome": "same"})
    assert answer.json()["state"] == "verified", answer.text
    decided = _of(world, Event.TRACE_DECIDED, start)[0]
    assert (decided.operation, decided.reason, decided.actor.user) == (Operation.COMBINATION, "same", "idva-0042")
    patient = _patient(world, referral)
    assert _numbers(patient) == [(HERS, "01")]
    assert "Elsewhere" not in orjson.dumps(patient).decode()
    again = world.hospital.post(f"/team/v1/traces/{trace}/decision", json={"outcome": "different"})
    assert again.status_code == 422
    assert world.hospital.get("/team/v1/traces").json()["traces"] == []


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize("status", ["02", "05", "07"])
def test_a_number_that_pds_does_not_call_verified_files_itself_nowhere(
    world: World, at_desk: Callable[..., Desk], status: str
) -> None:
    at = at_desk(Patient(HERS, MARIANNE.names, MARIANNE.born, status=status))
    _, referral = pushed(world, child=False)
    at.round()
    trace = at.row(referral)
    assert trace.state == State.REVIEW
    world.hospital.post(f"/team/v1/traces/{trace.id}/decision", json={"outcome": "same"})
    row = at.row(referral)
    assert (row.state, row.status) == (State.CONFIRMED, status)
    assert _numbers(_patient(world, referral)) == []


def test_nobody_else_finds_a_trace(world: World, at_desk: Callable[..., Desk]) -> None:
    """Police, a guardian who is no recipient, and whoever asks for one that is not there: nothing, sealed."""
    at = at_desk(MARIANNE)
    _, referral = pushed(world, child=False)
    at.round()
    trace = at.row(referral).id
    for client in (world.police, world.guardian):
        assert client.get(f"/team/v1/traces/{trace}").status_code == 403
        assert client.get("/team/v1/traces").status_code == 403
    assert world.hospital.get("/team/v1/traces/7d9d1b9e-4b52-4b3c-9a54-6f3b2c1d0e9f").status_code == 404


def test_the_number_never_goes_to_police(world: World, at_desk: Callable[..., Desk]) -> None:
    at = at_desk(RESTRICTED)
    event, _ = pushed(world, child=False)
    at.round()
    for path in (f"/police/v1/incidents/{event}", "/police/v1/feedback", "/police/v1/notices"):
        answer = world.police.get(path)
        assert HERS not in answer.text
        assert "restricted" not in answer.text.casefold()


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("fault", "state", "reason"),
    [
        (Fault.MALFORMED, State.FAILED, "answer-unreadable"),
        (Fault.CUT, State.FAILED, "answer-unreadable"),
        (Fault.DUPLICATE, State.FAILED, "answer-unreadable"),
        (Fault.EMPTY, State.FAILED, "answer-unreadable"),
        (Fault.HUGE, State.FAILED, "answer-too-large"),
        (Fault.PACKED, State.FAILED, "answer-encoded"),
        (400, State.FAILED, "status-400"),
        (403, State.FAILED, "status-403"),
        (302, State.FAILED, "status-302"),
        (Fault.TWO, State.UNMATCHED, "several"),
        (Fault.HALF, State.REVIEW, None),
    ],
)
def test_a_wrong_answer_ends_in_front_of_a_person(
    world: World, at_desk: Callable[..., Desk], fault: Any, state: State, reason: str | None
) -> None:
    at = at_desk(MARIANNE)
    _, referral = pushed(world, child=False)
    at.pds.script.append(fault)
    if fault == Fault.HALF:
        at.pds.script.append(Fault.HALF)
    at.round()
    row = at.row(referral)
    assert (row.state, row.reason) == (state, reason)
    assert row.due_at is not None
    assert [one["trace"] for one in world.hospital.get("/team/v1/traces").json()["traces"]] == [row.id]
    assert _numbers(_patient(world, referral)) == []


@pytest.mark.parametrize("fault", [Fault.STRANGER, Fault.INVALIDATED])
def test_a_stranger_or_an_invalidated_patient_is_followed_by_the_second_pass(
    world: World, at_desk: Callable[..., Desk], fault: Fault
) -> None:
    at = at_desk(MARIANNE)
    _, referral = pushed(world, child=False)
    at.pds.script.append(fault)
    at.round()
    assert len(at.pds.asked) == 2
    row = at.row(referral)
    assert row.state in {State.VERIFIED, State.REVIEW}
    assert "Petronella" not in world.hospital.get(f"/team/v1/traces/{row.id}").text


def test_a_stranger_in_both_passes_is_shown_to_nobody(world: World, at_desk: Callable[..., Desk]) -> None:
    at = at_desk(MARIANNE)
    _, referral = pushed(world, child=False)
    at.pds.script.extend([Fault.STRANGER, Fault.STRANGER])
    at.round()
    row = at.row(referral)
    assert (row.state, row.reason, row.content) == (State.FAILED, "stranger", None)


def test_what_fails_for_a_while_is_asked_again_with_the_same_id_and_then_put_to_a_person(
    world: World, at_desk: Callable[..., Desk]
) -> None:
    at = at_desk(MARIANNE)
    _, referral = pushed(world, child=False)
    at.pds.script.extend([503] * 100)
    for _ in range(TRIES):
        at.round()
        at.round(timedelta(hours=2))
    row = at.row(referral)
    assert (row.state, row.reason, row.attempts) == (State.FAILED, "status-503", TRIES)
    assert len({one.request for one in at.pds.asked}) == 1
    assert len(_of(world, Event.TRACE_ASKED)) == TRIES
    at.pds.script.clear()
    old = at.pds.asked[0].request
    world.hospital.post(f"/team/v1/traces/{row.id}/decision", json={"outcome": "again"})
    at.round(timedelta(hours=2))
    assert at.row(referral).state == State.VERIFIED
    assert at.pds.asked[-1].request != old


def test_retry_after_is_honoured(world: World, at_desk: Callable[..., Desk]) -> None:
    at = at_desk(MARIANNE)
    _, referral = pushed(world, child=False)
    at.pds.script.append(Fault.BUSY)
    at.round()
    assert len(at.pds.asked) == 1  # an hour is not waited for at once
    at.round(timedelta(minutes=59))
    assert len(at.pds.asked) == 1
    at.round(timedelta(minutes=2))
    assert at.row(referral).state == State.VERIFIED
    assert len({one.request for one in at.pds.asked}) == 1


def test_after_several_failures_pds_is_left_alone_for_a_while(world: World, at_desk: Callable[..., Desk]) -> None:
    at = at_desk(MARIANNE)
    for _ in range(5):
        pushed(world, child=False)
    at.pds.script.extend([Fault.BUSY] * 100)
    at.round()
    assert len(at.pds.asked) == 3
    at.round(timedelta(seconds=30))
    assert len(at.pds.asked) == 3
    at.round(timedelta(seconds=40))
    assert len(at.pds.asked) == 5


def test_a_try_that_never_reported_is_made_again_after_its_lease(world: World, at_desk: Callable[..., Desk]) -> None:
    at = at_desk(MARIANNE)
    _, referral = pushed(world, child=False)
    search, at.tracer._search = at.tracer._search, _killed
    with pytest.raises(KeyboardInterrupt):
        at.round()
    at.tracer._search = search
    assert at.row(referral).status == "06"
    at.round()
    assert not at.pds.asked
    at.round(LEASE + timedelta(seconds=1))
    assert at.row(referral).state == State.VERIFIED


def _killed(_: Any) -> Any:
    raise KeyboardInterrupt


def test_a_correction_that_changes_who_she_is_takes_the_number_away_at_once(
    world: World, at_desk: Callable[..., Desk]
) -> None:
    at = at_desk(MARIANNE)
    one = serial()
    _, referral = _accepted(world.push(incident(one, child=False)))
    at.round()
    assert _numbers(_patient(world, referral)) == [(HERS, "01")]
    corrected = incident(one, child=False, version=2)
    victim = corrected["data"]["relationships"]["victim"]["data"][0]["id"]
    next(p for p in corrected["included"] if p["id"] == victim)["attributes"]["dateOfBirth"] = "1987-05-05"
    assert world.push(corrected).is_success
    assert _numbers(_patient(world, referral)) == []
    at.round()
    assert at.row(referral).state == State.UNMATCHED
    assert _of(world, Event.PATIENT_TRACED)[1].reason == "asked-anew"


def test_pds_is_sent_no_correction(world: World, at_desk: Callable[..., Desk]) -> None:
    """It was asked and keeps nothing of ours; the team that read her is told."""
    at = at_desk(MARIANNE)
    one = serial()
    _, referral = _accepted(world.push(incident(one, child=False)))
    at.round()
    _patient(world, referral)
    start = size(world)
    assert world.push(incident(one, child=False, version=2, grade="MEDIUM")).is_success
    told = {to.recipient for notice in _of(world, Event.NOTICE_SENT, start) for to in notice.recipients}
    assert told == {"idva-team"}


def test_an_answer_to_a_question_that_no_longer_stands_is_left_alone(
    world: World, at_desk: Callable[..., Desk]
) -> None:
    """While PDS is asked a correction comes: what it says of the one who was meant before goes to nobody."""
    at = at_desk(MARIANNE)
    one = serial()
    _, referral = _accepted(world.push(incident(one, child=False)))
    corrected = incident(one, child=False, version=2)
    victim = corrected["data"]["relationships"]["victim"]["data"][0]["id"]
    next(p for p in corrected["included"] if p["id"] == victim)["attributes"]["surname"] = "Pemberton"
    search = at.tracer._search

    def interrupted(call: Call) -> Answer:
        assert world.push(corrected).is_success
        at.tracer._plan(LOG, world.services.standing(LOG))
        return search(call)

    at.tracer._search = interrupted
    at.round()
    row = at.row(referral)
    assert (row.state, row.content, row.attempts) == (State.WAITING, None, 0)
    assert _numbers(_patient(world, referral)) == []


def test_an_update_that_leaves_her_as_she_is_asks_nothing_and_keeps_the_number(
    world: World, at_desk: Callable[..., Desk]
) -> None:
    at = at_desk(MARIANNE)
    one = serial()
    _, referral = _accepted(world.push(incident(one, child=False)))
    at.round()
    asked = len(at.pds.asked)
    assert world.push(incident(one, child=False, version=2, description="She rang again at nine.")).is_success
    at.round()
    assert len(at.pds.asked) == asked
    assert _numbers(_patient(world, referral)) == [(HERS, "01")]
    row = at.row(referral)
    with world.services.database.reading() as connection:
        found = world.services.records.find_subjects(connection, LOG, "nhs-number", HERS)
    assert f"{row.record_id}.victim-1" in found


def test_who_is_late_is_sealed_once(world: World, at_desk: Callable[..., Desk]) -> None:
    at = at_desk()
    _, referral = pushed(world, child=False)
    at.round()
    assert (at.row(referral).state, at.row(referral).status) == (State.UNMATCHED, "04")
    with world.services.database.writing() as connection:
        connection.execute(update(tables.trace).values(due_at="2026-01-01T00:00:00.000Z"))
    for _ in range(2):
        note_late_traces(world.services)
    assert len(_of(world, Event.TRACE_OVERDUE)) == 1
    noted = world.hospital.post(f"/team/v1/traces/{at.row(referral).id}/decision", json={"outcome": "noted"})
    assert noted.json()["state"] == "unmatched"
    assert world.hospital.get("/team/v1/traces").json()["traces"] == []


def test_erasing_the_record_leaves_nothing_of_what_pds_said(world: World, at_desk: Callable[..., Desk]) -> None:
    at = at_desk(RESTRICTED)
    _, referral = pushed(world, child=False)
    at.round()
    services = world.services
    later = datetime.now(UTC) + timedelta(days=3650)
    assert sweep(services.database, services.journals, services.records, later, [LOG])
    row = at.row(referral)
    assert (row.state, row.content, row.content_key, row.asked, row.label) == (State.ERASED, None, None, None, None)
    assert world.hospital.get(f"/team/v1/traces/{row.id}").status_code == 404
    at.round(timedelta(days=1))
    assert len(at.pds.asked) == 2


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_what_is_asked_about_suspects_and_others_is_nothing(world: World, at_desk: Callable[..., Desk]) -> None:
    at = at_desk(MARIANNE)
    pushed(world, child=False)
    at.round()
    assert {one.names["birthdate"] for one in at.pds.asked} == {"eq1991-02-03"}


def _accepted(answer: httpx.Response) -> tuple[str, str]:
    assert answer.status_code == 201, answer.text
    return answer.json()["incident"], answer.json()["referrals"][0]["reference"]
