"""A referral opened by a person: the decided and minimised record, sealed first, and no oracle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from audit.entry import Entry, Operation, Outcome
from gateway.agreement import State
from gateway.casefile import CaseFile, Opening, open_case
from gateway.chance import fresh_id
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from gateway.disclosure import Reader
from gateway.errors import BadParameter, NotFound, NotPermitted, NotSealed
from gateway.evidence import Caller, Event
from gateway.oversight.judge import Judge, asked
from gateway.retention.sweep import sweep
from gateway.store.journal import Journal
from mappings.items import present
from mappings.record import Role, Topic
from mappings.referral import ReferralStatus
from tests.journeys.support import change, pushed, sealed, serial, set_state, size, status, world_on
from tests.support.evidence import verify_log
from tests.support.world import World

ADVISER = Caller(
    client="console",
    organisation="RXL",
    recipient="idva-team",
    scopes=frozenset(),
    agreements=frozenset({LOG}),
    user="idva-0042",
    role="idva",
    request="request-1",
)
REASON = Opening.NEW_REFERRAL.value


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_on("sqlite", request, tmp_path_factory.mktemp("casefile") / "world") as opened:
        yield opened


def opened(world: World, task: str, caller: Caller = ADVISER, reason: str = REASON) -> CaseFile:
    library = Reader(world.services.records, world.services.settings.public_url)
    return world.run(open_case(world.services, library, caller, task, reason))


def new_entries(world: World, start: int) -> list[Entry]:
    return sealed(world, start=start)


def test_the_whole_record_is_shown_as_it_was_decided(world: World) -> None:
    _, task = pushed(world)
    case = opened(world, task)
    (victim,) = case.record.of_role(Role.VICTIM)
    assert victim.names[0].family == "Ashdown"
    assert [one.is_safe for one in victim.contacts] == [True, False]  # what nobody stated safe is unsafe (P5)
    assert case.referral.id == task
    assert case.withheld is True
    # What the agreement keeps from the team is not there at all.
    assert case.record.of_role(Role.REPORTER) == ()
    assert Topic.THIRD_PARTY not in {one.topic for one in case.record.statements}
    assert present(case.record) <= set(case.decision.released) | set(case.decision.generalised) | {"event.kind"}


def test_it_is_sealed_as_a_reading_before_it_is_given(world: World) -> None:
    _, task = pushed(world)
    before = size(world)
    case = opened(world, task, reason="follow-up")
    (entry,) = new_entries(world, before)
    assert (entry.event, entry.operation, entry.outcome) == (
        Event.REFERRAL_READ,
        Operation.DISCLOSURE,
        Outcome.PERMITTED,
    )
    assert (entry.reason, entry.case, entry.actor.user) == ("follow-up", task, "idva-0042")
    assert entry.items.released == case.decision.released
    assert {one.rpartition(".")[2] for one in entry.subjects} == {"victim-1", "child-1"}
    assert case.receipt.index == before
    assert verify_log(world.services.database, LOG, world.services.signer(LOG).verifier).verified


def test_where_it_cannot_be_sealed_nothing_is_given(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """P1."""
    _, task = pushed(world)

    def fails(*_: object, **__: object) -> None:
        raise OSError

    monkeypatch.setattr(Journal, "_transact", fails)
    with pytest.raises(NotSealed):
        opened(world, task)


def test_the_decision_can_be_made_again_from_its_entry(world: World) -> None:
    """P4: the entry names no resource types, and so is about every item the record held."""
    _, task = pushed(world)
    before = size(world)
    case = opened(world, task)
    (entry,) = new_entries(world, before)
    said: dict[str, Any] = orjson.loads(entry.to_bytes())
    standing = world.services.standing(LOG)
    answer = Judge().answer(asked(said), datetime.fromisoformat(entry.time), standing.terms)
    assert answer.ruling.methods.keys() & set(asked(said).held) == case.decision.ruling.methods.keys()
    assert tuple(answer.clauses) == case.decision.clauses


@pytest.mark.parametrize(
    "other",
    [
        replace(ADVISER, recipient="bth-safeguarding", role="safeguarding-lead"),
        replace(ADVISER, organisation="RTX", recipient="uhmb-safeguarding", role="safeguarding-lead"),
    ],
)
def test_the_case_of_another_team_and_none_are_the_same(world: World, other: Caller) -> None:
    """P8: the same error, the same words, and entries that differ in nothing but their ids and times."""
    _, task = pushed(world)
    found: list[tuple[str, list[Entry]]] = []
    for asked_for in (task, fresh_id(), "no-uuid"):
        before = size(world)
        with pytest.raises(NotFound) as error:
            opened(world, asked_for, other)
        found.append((error.value.words, new_entries(world, before)))
    words = {one for one, _ in found}
    shapes = {
        tuple((e.event, e.outcome, e.case, e.subjects, e.facts, str(e.detail)) for e in entries) for _, entries in found
    }
    assert len(words) == len(shapes) == 1
    assert found[0][1][0].event == Event.NOTHING_FOUND


def test_who_is_no_recipient_is_refused_and_that_is_sealed(world: World) -> None:
    _, task = pushed(world)
    for caller in (replace(ADVISER, recipient="nobody"), replace(ADVISER, user=None)):
        before = size(world)
        with pytest.raises(NotPermitted):
            opened(world, task, caller)
        (entry,) = new_entries(world, before)
        assert (entry.event, entry.outcome) == (Event.ACCESS_REFUSED, Outcome.DENIED)


def test_a_case_that_the_agreement_withholds_is_as_good_as_none(world: World) -> None:
    _, task = pushed(world, grade="STANDARD", child=False)
    answer = world.hospital.post(f"/team/v1/referrals/{task}/consent", json={"state": "withdrawn"})
    assert answer.is_success
    with pytest.raises(NotFound):
        opened(world, task)


def test_staff_connected_with_a_party_do_not_see_it_until_they_break_the_glass(world: World) -> None:
    """N15: by name here; the refusal is sealed with the case, and an emergency releases what its clause names alone."""
    _, task = pushed(world)
    user = f"idva-{serial()}"
    kin = replace(ADVISER, user=user)
    usual = opened(world, task, kin).decision
    assert world.guardian.post("/governance/v1/staff", json={"user": user, "family_names": ["Ashdown"]}).is_success
    before = size(world)
    with pytest.raises(NotFound):
        opened(world, task, kin)
    (entry,) = new_entries(world, before)
    assert (entry.event, entry.outcome, entry.case) == (Event.ACCESS_REFUSED, Outcome.DENIED, task)
    body = {"ground": "life-or-limb", "reason": "Her sister rang: he is on his way."}
    client = world.client("demo-hospital", {"id": user, "role": "idva"})
    assert client.post(f"/team/v1/referrals/{task}/break-glass", json=body).status_code == 201
    emergency = opened(world, task, kin).decision
    assert emergency.clauses != usual.clauses
    assert emergency.ruling != usual.ruling


def test_a_retracted_case_says_so(world: World) -> None:
    number = serial()
    task = world.push(incident(number)).json()["referrals"][0]["reference"]
    document = incident(number, version=2)
    document["data"]["attributes"]["recordKind"] = "retraction"
    assert world.push(document).is_success
    assert opened(world, task).referral.status is ReferralStatus.ENTERED_IN_ERROR


def test_a_case_whose_content_is_erased_is_as_good_as_none(world: World) -> None:
    _, task = pushed(world)
    assert change(world, task, 1, status("accepted")).is_success
    assert change(world, task, 2, status("completed")).is_success
    assert opened(world, task).referral.status is ReferralStatus.COMPLETED
    services = world.services
    sweep(services.database, services.journals, services.records, datetime.now(UTC) + timedelta(days=32))
    with pytest.raises(NotFound):
        opened(world, task)


def test_a_suspended_agreement_stops_the_next_opening(world: World) -> None:
    _, task = pushed(world)
    assert opened(world, task).record
    set_state(world, State.SUSPENDED)
    try:
        with pytest.raises((NotFound, NotPermitted)):
            opened(world, task)
    finally:
        set_state(world, State.IN_FORCE)


@pytest.mark.parametrize("reason", ["", "Because I say so", "x" * 65, "a\nb"])
def test_the_reason_is_a_code(world: World, reason: str) -> None:
    before = size(world)
    with pytest.raises(BadParameter):
        opened(world, fresh_id(), reason=reason)
    assert size(world) == before
