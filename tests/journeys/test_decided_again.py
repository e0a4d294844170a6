"""P4: every decision can be made again from its entry alone, byte for byte, also after the record is erased.

A whole journey is walked. Then each entry that seals a decision is read from the log, the agreement text of the hash it
names is parsed, and the decision is made again at the entry's time, narrowed to what the answer could carry, under the
agreement as the log says it stood (`gateway.oversight.replay`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import pytest
from sqlalchemy import delete, insert, select

from audit.canonical import canonical
from audit.entry import Entry
from gateway.decide import Facts, facts_of
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from gateway.evidence import Event
from gateway.overrides import decided_by_human
from gateway.oversight.entries import LogSource
from gateway.oversight.judge import Answer
from gateway.oversight.replay import decisions, rederive
from gateway.store import tables
from tests.journeys.channels import CALLS, case
from tests.journeys.support import bring_into_force, change, output, pushed, sealed, serial, status
from tests.support.evidence import verify_log
from tests.support.world import World


@pytest.fixture(scope="module")
def walked(world: World) -> World:
    """Everything that can be done was done, under two versions of the agreement."""
    own = case(world)
    for _, _, call in CALLS:
        assert call(world, own).status_code < 500
    number = serial()
    world.push(incident(number, grade="STANDARD"))
    world.push(incident(number, grade="HIGH", version=2))
    _, task = pushed(world, consent="REFUSED", grade="STANDARD", child=False)
    wish = output("declined-support", consent="given")
    assert change(world, task, 1, status("accepted"), {"op": "add", "path": "/output", "value": [wish]}).is_success
    world.police.get("/police/v1/feedback", params={"limit": 500})

    def fewer(content: dict[str, list[dict[str, list[str]]]]) -> None:
        clause = next(one for one in content["clauses"] if "victim.ethnicity" in one["release"])
        clause["release"].remove("victim.ethnicity")

    bring_into_force(world, fewer)
    for _, _, call in CALLS:
        assert call(world, own).status_code < 500
    return world


def with_facts(world: World) -> list[Entry]:
    return [entry for entry in sealed(world) if entry.facts is not None]


def again(world: World) -> list[Answer]:
    """Every decision of the log, from the entries and the agreements' texts alone."""
    with world.services.database.reading() as connection:
        made = [decision for _, decision in decisions(LogSource(connection, LOG)) if decision is not None]
    found = [decision for decision in made if isinstance(decision, Answer)]
    assert len(found) == len(made)
    return found


def test_the_journey_has_every_kind_of_decision(walked: World) -> None:
    events = {entry.event for entry in with_facts(walked)}
    assert events >= {
        Event.INCIDENT_ACCEPTED,
        Event.INCIDENT_UPDATED,
        Event.INCIDENT_HELD,
        Event.WORKLIST_READ,
        Event.REFERRAL_READ,
        Event.REFERRAL_CHANGED,
        Event.FEEDBACK_READ,
        Event.INCIDENT_STATUS_READ,
    }
    assert len({entry.agreement and entry.agreement.version for entry in with_facts(walked)}) == 2


def test_every_decision_comes_out_again(walked: World) -> None:
    """Clauses, items, recipient, agreement and reason; and a disclosure is one that the agreement permits."""
    with walked.services.database.reading() as connection:
        found = rederive(LogSource(connection, LOG))
    assert found.differences == ()
    assert found.not_derivable == {}
    assert found.same == len([one for one in with_facts(walked) if one.purpose is not None]) > 0
    for entry in with_facts(walked):
        facts = Facts.from_json(dict(entry.facts or {}))
        assert canonical(facts.to_json()) == canonical(dict(entry.facts or {}))


def test_the_facts_of_an_entry_are_those_of_the_record(walked: World) -> None:
    """What was sealed as read is what the record says, at the intake and at every reading of that record after it."""
    entries = with_facts(walked)
    first = [one for one in entries if one.event in {Event.INCIDENT_ACCEPTED, Event.INCIDENT_UPDATED}]
    with walked.services.database.reading() as connection:
        kept = walked.services.records.load(connection, [one.record or "" for one in first])
    taken = {one.case: one for one in first}
    changed = {one.case for one in sealed(walked) if one.event in {Event.CONSENT_CHANGED, Event.OVERRIDE_RECORDED}}
    assert {one.record for one in first} == kept.keys()
    overridden = {one.record for one in sealed(walked) if one.event == Event.OVERRIDE_RECORDED}
    for one in first:
        victim = one.subjects[0].partition(".")[2]
        facts = facts_of(kept[one.record or ""].for_victim(victim), _at(one))
        if one.record in overridden:  # a person has settled what stood against it
            facts = decided_by_human(facts, (one.facts or {})["area"])
        assert canonical(facts.to_json()) == canonical(dict(one.facts or {}))
    for one in entries:
        if one.event not in {Event.WORKLIST_READ, Event.REFERRAL_READ, Event.REFERRAL_CHANGED}:
            continue
        assert one.record == taken[one.case].record or taken[one.case].event == Event.INCIDENT_UPDATED
        if one.record == taken[one.case].record and one.case not in changed:
            assert _of_the_record(one) == _of_the_record(taken[one.case])


def test_every_decision_comes_out_again_after_erasure(walked: World) -> None:
    """The data keys are gone: nobody can read a record any more, and every decision is still the same."""
    before = [decision.to_json() for decision in again(walked)]
    log = sealed(walked)
    with _without_keys(walked):
        assert walked.hospital.get("/fhir/R4/ServiceRequest?_count=1").status_code == 200
        after = [decision.to_json() for decision in again(walked)][: len(before)]
    assert canonical(after) == canonical(before)
    assert sealed(walked)[: len(log)] == log
    assert verify_log(walked.services.database, LOG, walked.services.signer(LOG).verifier).verified


@contextmanager
def _without_keys(world: World) -> Iterator[None]:
    """The data keys are gone for a while: the other tests of this world may come later."""
    with world.services.database.writing() as connection:
        keys = [dict(row) for row in connection.execute(select(tables.data_key)).mappings()]
        connection.execute(delete(tables.data_key))
    yield
    with world.services.database.writing() as connection:
        connection.execute(insert(tables.data_key), keys)


def test_what_was_disclosed_names_the_mapping_it_came_through(walked: World) -> None:
    named = {Event.INCIDENT_ACCEPTED, Event.INCIDENT_UPDATED, Event.WORKLIST_READ, Event.REFERRAL_READ}
    for entry in with_facts(walked):
        if entry.event in named:
            assert entry.mapping == walked.services.profiles.of(())[0].hash


def _of_the_record(entry: Entry) -> Facts:
    """The facts without who asks, and when."""
    return Facts.from_json(dict(entry.facts or {})).asked_by(None, None, None)


def _at(entry: Entry) -> datetime:
    return datetime.fromisoformat(entry.time)
