"""P4: every decision can be made again from its entry alone, byte for byte, also after the record is erased.

A whole journey is walked. Then each entry that holds facts is read from the log, the agreement text of the hash it
names is parsed, and the decision is made again at the entry's time and narrowed to what the answer could carry.
"""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import delete

from adapters.nhs import fhir
from audit.canonical import canonical
from audit.entry import Entry
from gateway.agreement import State, Terms, parse
from gateway.decide import Decision, Facts, decide_on, facts_of
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from gateway.evidence import Event
from gateway.intake import SAFEGUARDING
from gateway.searching import Search
from gateway.store import tables
from gateway.terms import terms_of
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


def again(world: World, entry: Entry) -> Decision:
    """The decision of an entry, from the entry and the agreement's text."""
    assert entry.facts is not None
    assert entry.agreement is not None
    terms = _terms(world, entry.agreement.id, int(entry.agreement.version))
    assert terms.agreement.hash == entry.agreement.hash
    facts = Facts.from_json(dict(entry.facts))
    assert canonical(facts.to_json()) == canonical(dict(entry.facts))
    recipient = entry.recipients[0].recipient if entry.recipients else ""
    decision = decide_on(facts, recipient, entry.purpose or SAFEGUARDING, terms, _at(entry))
    types = _types(entry)
    return decision.narrow(Search(types=types).items) if types else decision


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
    for entry in with_facts(walked):
        decision = again(walked, entry)
        made = [list(entry.clauses), *map(list, entry.items), entry.purpose]
        found = [
            list(decision.clauses),
            list(decision.released),
            list(decision.generalised),
            list(decision.withheld),
            decision.purpose,
        ]
        assert canonical(found) == canonical(made), entry.event
        if entry.event not in {Event.WORKLIST_READ, Event.REFERRAL_READ}:  # the reader may have given a reason
            assert entry.reason == decision.reason.value
        assert [one.organisation for one in entry.recipients] == [decision.organisation]


def test_the_facts_of_an_entry_are_those_of_the_record(walked: World) -> None:
    """What was sealed as read is what the record says, at the intake and at every reading of that record after it."""
    entries = with_facts(walked)
    first = [one for one in entries if one.event in {Event.INCIDENT_ACCEPTED, Event.INCIDENT_UPDATED}]
    with walked.services.database.reading() as connection:
        kept = walked.services.records.load(connection, [one.record or "" for one in first])
    taken = {one.case: one for one in first}
    assert {one.record for one in first} == kept.keys()
    for one in first:
        victim = one.subjects[0].partition(".")[2]
        facts = facts_of(kept[one.record or ""].for_victim(victim), _at(one))
        assert canonical(facts.to_json()) == canonical(dict(one.facts or {}))
    for one in entries:
        if one.event in {Event.WORKLIST_READ, Event.REFERRAL_READ, Event.REFERRAL_CHANGED}:
            assert one.record == taken[one.case].record or taken[one.case].event == Event.INCIDENT_UPDATED
            if one.record == taken[one.case].record:
                assert one.facts == taken[one.case].facts


def test_every_decision_comes_out_again_after_erasure(walked: World) -> None:
    """The data keys are gone: nobody can read a record any more, and every decision is still the same."""
    before = [again(walked, entry).to_json() for entry in with_facts(walked)]
    log = sealed(walked)
    with walked.services.database.writing() as connection:
        connection.execute(delete(tables.data_key))
    assert walked.hospital.get("/fhir/R4/ServiceRequest?_count=1").status_code == 200
    after = [again(walked, entry).to_json() for entry in with_facts(walked)[: len(before)]]
    assert canonical(after) == canonical(before)
    assert sealed(walked)[: len(log)] == log
    assert verify_log(walked.services.database, LOG, walked.services.signer(LOG).verifier).verified


def test_what_was_disclosed_names_the_mapping_it_came_through(walked: World) -> None:
    named = {Event.INCIDENT_ACCEPTED, Event.INCIDENT_UPDATED, Event.WORKLIST_READ, Event.REFERRAL_READ}
    for entry in with_facts(walked):
        if entry.event in named:
            assert entry.mapping == walked.services.profile.hash


def _terms(world: World, id_: str, version: int) -> Terms:
    key = (str(world.services.database.url), id_, version)
    if key not in _READ:
        with world.services.database.reading() as connection:
            found = terms_of(connection, id_, version)
        assert found is not None
        _READ[key] = Terms(parse(found.agreement.text), found.signatures, found.party_keys, State.IN_FORCE)
    return _READ[key]


_READ: dict[tuple[str, str, int], Terms] = {}
"""The terms of each version as they were then: in force, parsed once from the kept text."""


def _types(entry: Entry) -> tuple[str, ...]:
    named = (entry.detail or {}).get("types")
    if entry.event == Event.REFERRAL_CHANGED:
        named = "Task"
    types = tuple(str(named).split(",")) if named else ()
    assert set(types) <= set(fhir.TYPES)
    return types


def _at(entry: Entry) -> datetime:
    return datetime.fromisoformat(entry.time)
