"""The six operations of DPA 2018 s.62, each mapped to what the gateway does: none can happen without its entry.

For each act: where the evidence cannot be committed, the database is as it was and nobody is told anything; where it
can, an entry of that operation says who did it, when and why. Denials and failures are entries as well, and so is what
belongs to no record: sign-ins, clients and keys, agreements, the configuration at start, and reading the log itself.

Source: DPA 2018 s.62; domain.md section 3.2.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from audit.entry import Entry, Operation, Outcome
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from gateway.errors import NotSealed
from gateway.evidence import OPERATOR_LOG, Event
from gateway.initialise import configuration_hash, started
from gateway.retention.sweep import sweep
from gateway.store import tables
from gateway.tokens.clients import RevokeClient
from mappings.profile import profile
from tests.journeys.support import add_client, change, like, pushed, sealed, serial, size, status
from tests.journeys.test_sealed_before_released import commit_fails
from tests.support.world import World

PERSON = {"family": "Ashdown", "given": "Marianne", "birth_date": "1991-02-03"}
LATER = datetime.now(UTC) + timedelta(days=3650)  # every retention period has run out


def _collect(world: World) -> bool:
    return world.push(incident(serial())).is_success


def _alter(world: World) -> bool:
    return change(world, _task(world), 1, status("accepted")).is_success


def _consult(world: World) -> bool:
    return world.guardian.get("/governance/v1/holds").is_success


def _disclose(world: World) -> bool:
    return world.hospital.get(f"/fhir/R4/ServiceRequest/{_task(world)}").is_success


def _combine(world: World) -> bool:
    return world.auditor.post(f"/audit/v1/logs/{LOG}/subjects", json=PERSON).is_success


def _erase(world: World) -> bool:
    services = world.services
    try:
        return bool(sweep(services.database, services.journals, services.records, LATER, [LOG]))
    except NotSealed:
        return False


_TASKS: dict[str, str] = {}


def _task(world: World) -> str:
    """A referral that was there before anything failed."""
    return _TASKS[str(world.services.database.url)]


@pytest.fixture(autouse=True)
def _prepared(world: World) -> None:
    _, _TASKS[str(world.services.database.url)] = pushed(world)
    for client in (world.hospital, world.guardian, world.auditor):
        client.get("/health/live")


ACTS: list[tuple[Operation, Event, Callable[[World], bool]]] = [
    (Operation.COLLECTION, Event.INCIDENT_ACCEPTED, _collect),
    (Operation.ALTERATION, Event.REFERRAL_CHANGED, _alter),
    (Operation.CONSULTATION, Event.HOLD_READ, _consult),
    (Operation.DISCLOSURE, Event.REFERRAL_READ, _disclose),
    (Operation.COMBINATION, Event.SUBJECTS_MATCHED, _combine),
    (Operation.ERASURE, Event.RECORD_ERASED, _erase),
]


def _rows(world: World) -> dict[str, int]:
    with world.services.database.reading() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in tables.metadata.sorted_tables
        }


def test_all_six_are_here() -> None:
    assert {operation for operation, _, _ in ACTS} == set(Operation) - {Operation.ADMINISTRATION}


@pytest.mark.parametrize(("operation", "event", "act"), ACTS, ids=[operation.value for operation, _, _ in ACTS])
def test_the_act_does_not_happen_without_its_entry(
    world: World, operation: Operation, event: Event, act: Callable[[World], bool]
) -> None:
    before, rows = size(world), _rows(world)
    with commit_fails(world):
        assert act(world) is False
    assert (size(world), _rows(world)) == (before, rows)
    assert act(world) is True
    entries = [one for one in sealed(world, start=before) if one.event == event]
    assert entries
    for entry in entries:
        assert (entry.operation, entry.outcome) == (operation, Outcome.PERMITTED)
        assert entry.actor.organisation
        assert entry.time


def last(world: World, event: Event) -> Entry:
    return [one for one in sealed(world, OPERATOR_LOG) if one.event == event][-1]


def test_sign_ins_and_refused_ones_are_entries(world: World) -> None:
    add_client(world, "signs-in", **like("demo-auditor"))
    assert last(world, Event.TOKEN_ISSUED).actor.client == "signs-in"
    world.police.http.post("/oauth2/token", data={"grant_type": "client_credentials", "client_assertion": "x.y.z"})
    assert last(world, Event.TOKEN_REFUSED).outcome is Outcome.DENIED
    world.police.http.get("/police/v1/feedback", headers={"Authorization": "Bearer x.y.z"})
    assert last(world, Event.ACCESS_REFUSED).outcome is Outcome.DENIED


def test_clients_and_their_keys_are_entries_and_cannot_change_without(world: World) -> None:
    add_client(world, "comes-and-goes", **like("demo-auditor"))
    added = last(world, Event.CLIENT_ADDED)
    assert (added.detail or {})["client"] == "comes-and-goes"
    journal = world.services.journals.of(OPERATOR_LOG)
    with commit_fails(world), pytest.raises(NotSealed):
        journal.submit_and_wait(RevokeClient("comes-and-goes"))
    assert world.services.clients.current().clients["comes-and-goes"].revoked_at is None
    journal.submit_and_wait(RevokeClient("comes-and-goes"))
    assert (last(world, Event.CLIENT_REVOKED).detail or {})["client"] == "comes-and-goes"


def test_the_configuration_at_start_is_an_entry_with_its_hash(world: World) -> None:
    settings = world.services.settings
    world.services.journals.of(OPERATOR_LOG).submit_and_wait(started(settings, world.services.profiles))
    detail = last(world, Event.GATEWAY_STARTED).detail or {}
    assert (said := detail["configuration"]) == configuration_hash(settings)
    assert detail["profile.ihub"] == profile("ihub").hash
    assert said != configuration_hash(settings.model_copy(update={"body_max_bytes": 2048}))


def test_what_could_not_be_read_is_an_entry_that_failed(world: World) -> None:
    world.police.post("/police/v1/incidents", content=b"{", headers={"Content-Type": "application/vnd.api+json"})
    entry = sealed(world)[-1]
    assert (entry.event, entry.outcome) == (Event.INPUT_UNREADABLE, Outcome.FAILED)


def test_reading_the_log_is_an_entry_of_that_log(world: World) -> None:
    before = size(world)
    world.auditor.get(f"/audit/v1/logs/{LOG}/entries")
    (entry,) = sealed(world, start=before)
    assert (entry.event, entry.operation) == (Event.LOG_READ, Operation.CONSULTATION)
    assert entry.actor.user == "auditor-7"
