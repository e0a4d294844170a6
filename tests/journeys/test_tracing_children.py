"""Children are traced too: each is asked for, sealed and decided on alone; one of a household restricts all of it.

PDS is a simulator over real HTTP. What children and victims have in common is in `test_tracing`.

Source: domain.md sections 2.3, 2.6, 4.4; 4.5 (N1, N5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from audit.entry import Operation, Outcome
from gateway.demo.incidents import incident
from gateway.demo.pds import Fault, Patient, number
from gateway.demo.run import LOG
from gateway.evidence import Event
from gateway.oversight.entries import LogSource
from gateway.oversight.replay import rederive
from gateway.retention.sweep import sweep
from gateway.store.traced import State
from tests.journeys.support import bring_into_force, pushed, sealed, serial, size, world_on
from tests.support.agreements import clause
from tests.support.tracing import Desk, client, desk, with_pds, without_children
from tests.support.world import World

HERS, ROBINS, MINAS = number(1), number(2), number(4)
MARIANNE = Patient(HERS, (("Ashdown", "Marianne"),), "1991-02-03")
ROBIN = Patient(ROBINS, (("Ashdown", "Robin"),), "2019-06-01", gender="male")
MINA = Patient(MINAS, (("Ashdown", "Mina"),), "2021-09-17")
CHILD = "child-1"
ALONE = "sqlite"  # what asks SQL nothing that the others do not ask


@pytest.fixture
def world(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A world of each test's own: a round traces everybody there is."""
    with world_on(engine_name, request, tmp_path / "data") as made:
        yield made


@pytest.fixture
def at_desk(world: World) -> Iterator[Callable[..., Desk]]:
    """Opens a desk with PDS knowing some, under the shipped agreement or one that was amended."""
    with ExitStack() as stack:

        def opened(*patients: Patient, amended: Callable[[dict[str, Any]], object] | None = None) -> Desk:
            if amended is not None:
                _amend(world, amended)
            return stack.enter_context(desk(world, *patients))

        yield opened


def _amend(world: World, how: Callable[[dict[str, Any]], object]) -> None:
    bring_into_force(world, how)
    world.services.terms.forget(LOG)


def _home_told(content: dict[str, Any]) -> None:
    """Let the advisers have the homes of children, which the shipped agreement keeps from everybody."""
    clause(content, "F1-referral")["release"].append("child.home_address")


def _at_home(document: dict[str, Any]) -> dict[str, Any]:
    """The child lives where the victim does, and police say so."""
    home = next(
        one["relationships"]["currentAddress"]
        for one in document["included"]
        if one["attributes"].get("givenName") == ["Marianne"]
    )
    child = next(one for one in document["included"] if one["attributes"].get("givenName") == ["Robin"])
    child["relationships"] = {"currentAddress": home}
    return document


def _push(world: World, document: dict[str, Any]) -> str:
    answer = world.push(document)
    assert answer.is_success, answer.text
    found: str = answer.json()["referrals"][0]["reference"]
    return found


def _siblings(serial_: int, version: int = 1) -> dict[str, Any]:
    """The same incident, with a sister listed before the child."""
    document = incident(serial_, version=version)
    child = next(one for one in document["included"] if one["attributes"].get("givenName") == ["Robin"])
    said = child["attributes"] | {"givenName": ["Mina"], "dateOfBirth": "2021-09-17"}
    sister = {"id": "5b2b9a34-1f62-4d4e-9a0d-3d1a4a2f6c11", "type": "person", "attributes": said}
    document["included"].append(sister)
    document["data"]["relationships"]["child"]["data"].insert(0, {"id": sister["id"], "type": "person"})
    return document


def _patient(world: World, referral: str, ref: str = CHILD) -> dict[str, Any]:
    answer = world.hospital.get(f"/fhir/R4/Patient/{referral}.{ref}")
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


def _waiting(world: World) -> list[tuple[str, str]]:
    return [(one["of"], one["state"]) for one in world.hospital.get("/team/v1/traces").json()["traces"]]


def test_each_child_is_asked_for_alone_after_her_and_sealed_as_a_combination_of_its_own(
    world: World, at_desk: Callable[..., Desk]
) -> None:
    """The team has the number and finds the child by it; police never have it."""
    at = at_desk(MARIANNE, ROBIN)
    start = size(world)
    event, referral = pushed(world)
    at.round()
    assert (at.row(referral).state, at.row(referral, CHILD).state) == (State.VERIFIED, State.VERIFIED)
    assert [one.names["birthdate"] for one in at.pds.asked] == ["eq1991-02-03", "eq2019-06-01"]
    assert "address-postalcode" not in at.pds.asked[1].names, "nobody said where the child lives"
    asked, traced = _of(world, Event.TRACE_ASKED, start), _of(world, Event.PATIENT_TRACED, start)
    assert [one.items.released for one in asked] == [
        ("victim.birth", "victim.listed", "victim.name"),
        ("child.birth", "child.listed", "child.name"),
    ]
    assert [one.clauses for one in asked] == [("F1-PDS-question",), ("F1-PDS-child",)]
    assert [one.detail["types"] for one in asked] == ["PdsQuestion", "PdsChildQuestion"]
    assert [one.operation for one in traced] == [Operation.COMBINATION] * 2
    assert [one.subjects[0].rpartition(".")[2] for one in traced] == ["victim-1", CHILD]
    assert traced[1].detail["request_1"] == at.pds.asked[1].request != at.pds.asked[0].request
    child = _patient(world, referral)
    assert _numbers(child) == [(ROBINS, "01")]
    assert _numbers(_patient(world, referral, "victim-1")) == [(HERS, "01")]
    assert ROBINS.encode() not in b"".join(one.to_bytes() for one in sealed(world))
    by = {"identifier": f"https://fhir.nhs.uk/Id/nhs-number|{ROBINS}"}
    found = world.hospital.post("/fhir/R4/Patient/_search", data=by).json()
    assert [one["resource"]["id"] for one in found["entry"]] == [f"{referral}.{CHILD}"]
    for path in (f"/police/v1/incidents/{event}", "/police/v1/feedback", "/police/v1/notices"):
        assert ROBINS not in world.police.get(path).text
    at.round(timedelta(days=1))
    assert len(at.pds.asked) == 2


@pytest.mark.parametrize("engine_name", [ALONE], indirect=True)
def test_every_decision_about_children_comes_out_again(world: World, at_desk: Callable[..., Desk]) -> None:
    """What PDS was asked of a child and what a person was shown, from the entries alone (P4)."""
    at = at_desk(MARIANNE, Patient(ROBINS, ROBIN.names, ROBIN.born, status="05"))
    _, referral = pushed(world)
    at.round()
    trace = at.row(referral, CHILD)
    shown = world.hospital.get(f"/team/v1/traces/{trace.id}").json()
    assert (shown["of"], shown["meant"]["names"][0]["given"], shown["found"]["nhs_number"]) == (
        "child",
        ["Robin"],
        ROBINS,
    )
    assert "addresses" not in shown["found"], "no clause lets the team know where a child lives"
    with world.services.database.reading() as connection:
        found = rederive(LogSource(connection, LOG))
    assert (found.differences, found.not_derivable) == ((), {})
    types = {one.detail.get("types") for one in sealed(world) if one.facts is not None and one.detail}
    assert {"PdsQuestion", "PdsChildQuestion", "ChildMatch"} <= types


@pytest.mark.parametrize("engine_name", [ALONE], indirect=True)
def test_a_person_says_whether_it_is_the_child(world: World, at_desk: Callable[..., Desk]) -> None:
    at = at_desk(MARIANNE, Patient(ROBINS, (("Ashdown", "Robyn"),), "2019-06-01"))
    _, referral = pushed(world)
    at.round()
    assert _waiting(world) == [("child", "review")]
    trace, start = at.row(referral, CHILD), size(world)
    assert trace.due_at is not None
    assert _numbers(_patient(world, referral)) == []
    answer = world.hospital.post(f"/team/v1/traces/{trace.id}/decision", json={"outcome": "same"})
    assert answer.json()["state"] == "verified"
    decided = _of(world, Event.TRACE_DECIDED, start)[0]
    assert (decided.operation, decided.subjects) == (Operation.COMBINATION, (f"{trace.record_id}.{CHILD}",))
    assert _numbers(_patient(world, referral)) == [(ROBINS, "01")]
    assert _waiting(world) == []


@pytest.mark.parametrize("engine_name", [ALONE], indirect=True)
@pytest.mark.parametrize(
    ("shown", "state", "reason", "asked"),
    [
        ([503, 503, 503], State.WAITING, "status-503", 3),
        ([Fault.HANG] * 3, State.WAITING, "timeout", 3),
        ([Fault.TWO], State.UNMATCHED, "several", 1),
        ([Fault.STRANGER], State.FAILED, "stranger", 1),
    ],
)
def test_what_goes_wrong_for_a_child_keeps_nothing_from_her(
    world: World, at_desk: Callable[..., Desk], shown: list[Any], state: State, reason: str | None, asked: int
) -> None:
    """The same request id at each try; then, where it did not come of it, a person with a clock."""
    at = at_desk(MARIANNE, ROBIN)
    at.tracer._search = client(at.pds, 0.3).search  # what hangs is not waited for
    _, referral = pushed(world)
    search = at.tracer._search

    def second(call: Any) -> Any:
        if dict(call.parameters)["birthdate"] == "eq2019-06-01" and shown:
            at.pds.script.extend(shown)
            shown.clear()
        return search(call)

    at.tracer._search = second
    at.round()
    assert at.row(referral).state == State.VERIFIED
    row = at.row(referral, CHILD)
    assert (row.state, row.reason) == (state, reason)
    ids = [one.request for one in at.pds.asked if one.names["birthdate"] == "eq2019-06-01"]
    assert (len(ids), len(set(ids))) == (asked, 1)
    assert (row.due_at is not None) is (state in {State.UNMATCHED, State.FAILED})
    at.round(timedelta(hours=2))
    if state is State.WAITING:
        assert at.row(referral, CHILD).state == State.VERIFIED
        assert len({one.request for one in at.pds.asked if one.names["birthdate"] == "eq2019-06-01"}) == 1


def _no_numbers(content: dict[str, Any]) -> None:
    for one in content["clauses"]:
        if "child.nhs_number" in one.get("release", ()):
            one["release"].remove("child.nhs_number")


@pytest.mark.parametrize("engine_name", [ALONE], indirect=True)
@pytest.mark.parametrize(
    ("struck", "reason"), [(_no_numbers, "nobody-may-have-it"), (without_children, "not-released")]
)
def test_where_nobody_may_have_it_or_no_clause_asks_nobody_is_asked_and_no_clock_runs(
    world: World, at_desk: Callable[..., Desk], struck: Callable[[dict[str, Any]], object], reason: str
) -> None:
    at = at_desk(MARIANNE, ROBIN, amended=struck)
    start = size(world)
    _, referral = pushed(world)
    at.round()
    at.round(timedelta(hours=1))
    assert [one.names["birthdate"] for one in at.pds.asked] == ["eq1991-02-03"]
    row = at.row(referral, CHILD)
    assert (row.state, row.reason, row.due_at) == (State.REFUSED, reason, None)
    denied = [one for one in _of(world, Event.PATIENT_TRACED, start) if one.outcome is Outcome.DENIED]
    assert [(one.operation, one.reason) for one in denied] == [(Operation.ADMINISTRATION, reason)]
    assert _waiting(world) == []
    _amend(world, with_pds)
    at.round()
    assert at.row(referral, CHILD).state == State.VERIFIED


@pytest.mark.parametrize("engine_name", [ALONE], indirect=True)
def test_a_trace_of_a_child_is_there_for_no_team_that_may_not_know_the_child(
    world: World, at_desk: Callable[..., Desk]
) -> None:
    at = at_desk(MARIANNE)
    _, referral = pushed(world)
    at.round()
    trace = at.row(referral, CHILD).id
    assert _waiting(world) == [("child", "unmatched")]
    _amend(world, _no_numbers)
    assert _waiting(world) == []
    assert world.hospital.get(f"/team/v1/traces/{trace}").status_code == 404
    answer = world.hospital.post(f"/team/v1/traces/{trace}/decision", json={"outcome": "noted"})
    assert answer.status_code == 404


@pytest.mark.parametrize("engine_name", [ALONE], indirect=True)
def test_whoever_refused_is_asked_about_with_her_children_once_she_agrees(
    world: World, at_desk: Callable[..., Desk]
) -> None:
    at, one = at_desk(MARIANNE, ROBIN), serial()
    referral = _push(world, incident(one, consent="REFUSED", grade="STANDARD", child=False))
    at.round()
    at.round(timedelta(hours=1))
    assert (at.row(referral).state, len(at.pds.asked)) == (State.REFUSED, 0)
    assert _push(world, incident(one, version=2)) == referral
    at.round()
    assert (at.row(referral).state, at.row(referral, CHILD).state) == (State.VERIFIED, State.VERIFIED)


@pytest.mark.parametrize("engine_name", [ALONE], indirect=True)
@pytest.mark.parametrize("restricted", ["victim-1", CHILD])
def test_one_who_is_restricted_keeps_the_address_of_the_whole_household_unfiled(
    world: World, at_desk: Callable[..., Desk], restricted: str
) -> None:
    """A child's address would tell where a restricted mother lives, and hers where a restricted child does."""
    hers, robins = (
        Patient(one.number, one.names, one.born, one.gender, label="R" if ref == restricted else "U")
        for ref, one in (("victim-1", MARIANNE), (CHILD, ROBIN))
    )
    at = at_desk(hers, robins, amended=_home_told)
    referral = _push(world, _at_home(incident(serial())))
    for ref in ("victim-1", CHILD):
        assert "12 Example Row" in orjson.dumps(_patient(world, referral, ref)["address"]).decode()
    at.round()
    assert [at.row(referral, child).state for child in ("", CHILD)] == [State.VERIFIED, State.VERIFIED]
    for ref in ("victim-1", CHILD):
        patient = _patient(world, referral, ref)
        assert "address" not in patient
        assert any(one["url"].endswith("restricted") for one in patient["extension"])
    assert ["address-postalcode" in one.names for one in at.pds.asked].count(False) == 1, "the second pass, of one"


@pytest.mark.parametrize("engine_name", [ALONE], indirect=True)
@pytest.mark.parametrize("child", [True, False])
def test_who_is_restricted_restricts_the_other_victim_s_referral_where_a_child_is_in_both(
    world: World, at_desk: Callable[..., Desk], *, child: bool
) -> None:
    """The child may live with either. Without one, neither victim's referral says anything of the other (N9)."""
    document = incident(serial(), child=child)
    victim = next(one for one in document["included"] if one["attributes"].get("givenName") == ["Marianne"])
    mother = victim | {"id": "0c9d3c52-60d2-4a4e-8a53-6a1b8a4f0c01"}
    mother["attributes"] = victim["attributes"] | {"givenName": ["Joan"], "dateOfBirth": "1961-05-06"}
    document["included"].append(mother)
    document["data"]["relationships"]["victim"]["data"].append({"id": mother["id"], "type": "person"})
    at = at_desk(Patient(HERS, MARIANNE.names, MARIANNE.born, label="R"), ROBIN)
    answer = world.push(document)
    referrals = [one["reference"] for one in answer.json()["referrals"]]
    at.round()
    hers = next(one for one in referrals if at.row(one).label == "R")
    (other,) = set(referrals) - {hers}
    assert at.row(other).label is None
    assert "address" not in _patient(world, hers, at.row(hers).victim)
    assert ("address" in _patient(world, other, at.row(other).victim)) is not child


@pytest.mark.parametrize("engine_name", [ALONE], indirect=True)
def test_what_pds_says_of_where_a_child_lives_is_shown_to_nobody_where_she_is_restricted(
    world: World, at_desk: Callable[..., Desk]
) -> None:
    """It is her home. Nor is it said whether it agrees with what police know; once it is another's, it is shown."""
    hers = Patient(HERS, (("Ashdown", "Maria"),), "1991-02-03", label="R")
    moved = Patient(ROBINS, (("Ashdown", "Robyn"),), "2019-06-01", postcode="ZZ11 9AA", line="9 Elsewhere Road")
    at = at_desk(moved, amended=_home_told)
    referral = _push(world, _at_home(incident(serial())))
    at.round()
    trace = at.row(referral, CHILD).id
    before = world.hospital.get(f"/team/v1/traces/{trace}").json()
    assert before["found"]["addresses"][0]["postcode"] == "ZZ11 9AA"
    assert "postcode" in before["compared"]
    at.pds.patients.append(hers)
    world.hospital.post(f"/team/v1/traces/{at.row(referral).id}/decision", json={"outcome": "again"})
    at.round()
    assert (at.row(referral).state, at.row(referral).label) == (State.REVIEW, "R")
    after = world.hospital.get(f"/team/v1/traces/{trace}").json()
    assert "addresses" not in after["found"]
    assert not {"postcode", "place", "town"} & after["compared"].keys()
    said = world.hospital.post(f"/team/v1/traces/{at.row(referral).id}/decision", json={"outcome": "different"})
    assert said.json()["state"] == "different"
    assert "addresses" in world.hospital.get(f"/team/v1/traces/{trace}").json()["found"]


def test_siblings_are_two_questions_and_one_whom_the_record_leaves_out_is_looked_for_no_more(
    world: World, at_desk: Callable[..., Desk]
) -> None:
    at, one = at_desk(MARIANNE, ROBIN, MINA), serial()
    referral = _push(world, _siblings(one))
    at.round()
    assert [_numbers(_patient(world, referral, ref)) for ref in (CHILD, "child-2")] == [
        [(MINAS, "01")],
        [(ROBINS, "01")],
    ]
    start = size(world)
    assert _push(world, incident(one, version=2)) == referral
    at.round()
    assert _numbers(_patient(world, referral)) == [(ROBINS, "01")], "the first child is another now: asked anew"
    gone = at.row(referral, "child-2")
    assert (gone.state, gone.content, gone.label) == (State.GONE, None, None)
    reasons = [one.reason for one in _of(world, Event.PATIENT_TRACED, start)]
    assert sorted(reasons) == ["asked-anew", "no-longer-listed", "unchanged", "verified"]
    assert _push(world, _siblings(one, version=3)) == referral
    at.round()
    assert _numbers(_patient(world, referral, "child-2")) == [(ROBINS, "01")], "named again, and found again"


@pytest.mark.parametrize("engine_name", [ALONE], indirect=True)
def test_a_child_of_whom_too_little_is_known_waits_for_a_person(world: World, at_desk: Callable[..., Desk]) -> None:
    at, document = at_desk(MARIANNE, ROBIN), incident(serial())
    child = next(one for one in document["included"] if one["attributes"].get("givenName") == ["Robin"])
    del child["attributes"]["dateOfBirth"]
    referral = _push(world, document)
    at.round()
    assert (at.row(referral, CHILD).state, at.row(referral, CHILD).reason) == (State.UNASKABLE, "not-enough-known")
    assert len(at.pds.asked) == 1


@pytest.mark.parametrize("engine_name", [ALONE], indirect=True)
def test_erasing_the_record_leaves_nothing_of_what_pds_said_of_a_child(
    world: World, at_desk: Callable[..., Desk]
) -> None:
    at = at_desk(MARIANNE, ROBIN)
    _, referral = pushed(world)
    at.round()
    services, later = world.services, datetime.now(UTC) + timedelta(days=3650)
    assert sweep(services.database, services.journals, services.records, later, [LOG])
    row = at.row(referral, CHILD)
    assert (row.state, row.content, row.content_key, row.asked) == (State.ERASED, None, None, None)
