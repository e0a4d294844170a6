"""What time does to an agreement: warnings once each, an end that fails closed, and where every version stands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from audit import sql as log_sql
from gateway.agreement import State, shipped, sign
from gateway.agreement_life import NoteExpiry, ReadAgreement, note_expiries, overview, threshold
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from gateway.evidence import Event
from gateway.initialise import party_key
from gateway.services import Services
from gateway.store import tables
from gateway.store.journal import Journal
from gateway.terms import ChangeState, DraftAgreement, RegisterKey, SignAgreement, agreement_ref
from tests.support.agreements import edited, key_of
from tests.support.world import World

FIRST = shipped()
END = FIRST.content.in_force.until


@pytest.fixture
def clock() -> list[datetime]:
    """The time the journal reads; a test moves it."""
    return [END - timedelta(days=90)]


@pytest.fixture
def journal(services: Services, clock: list[datetime]) -> Iterator[Journal]:
    """The agreement in force, in a journal whose time the test keeps."""
    services.open_log(FIRST.id)
    opened = Journal(services.database, FIRST.id, services.signer(FIRST.id), clock=lambda: clock[0])
    opened.submit_and_wait(DraftAgreement(FIRST))
    for party in FIRST.content.parties:
        key = key_of(party.id)
        opened.submit_and_wait(RegisterKey(FIRST, party.id, key.public_key().public_bytes_raw()))
        opened.submit_and_wait(SignAgreement(FIRST, sign(FIRST.hash, key, party.id)))
    opened.submit_and_wait(ChangeState(FIRST, State.IN_FORCE))
    yield opened
    opened.close()


def events(services: Services) -> list[tuple[str, Any]]:
    with services.database.reading() as connection:
        size = log_sql.read_head(connection, FIRST.id).size
        found = [one.entry() for one in log_sql.leaves(connection, FIRST.id, 0, size)]
    return [(one.event, one.detail) for one in found if one.event.startswith("agreement-exp")]


def test_each_warning_is_sealed_once_and_so_is_the_end(
    services: Services, journal: Journal, clock: list[datetime]
) -> None:
    said = []
    for days in (90, 61, 60, 59, 30, 8, 7, 1, 0, -1, -400):
        clock[0] = END - timedelta(days=days)
        said += [journal.submit_and_wait(NoteExpiry(FIRST)).value for _ in range(2)]
    assert [one for one in said if one is not None] == [60, 30, 7, 0]
    assert events(services) == [
        ("agreement-expiring", {"days": 60, "within": 60}),
        ("agreement-expiring", {"days": 30, "within": 30}),
        ("agreement-expiring", {"days": 7, "within": 7}),
        ("agreement-expired", {"deliveries_stopped": 0}),
    ]


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_gateway_that_was_off_says_the_tightest_warning_alone(
    services: Services, journal: Journal, clock: list[datetime]
) -> None:
    clock[0] = END - timedelta(days=5)
    assert journal.submit_and_wait(NoteExpiry(FIRST)).value == 7
    assert [event for event, _ in events(services)] == ["agreement-expiring"]


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize("state", [State.SUSPENDED, State.ENDED])
def test_of_an_agreement_that_is_not_in_force_nothing_is_noted(
    services: Services, journal: Journal, clock: list[datetime], state: State
) -> None:
    journal.submit_and_wait(ChangeState(FIRST, state))
    clock[0] = END - timedelta(days=5)
    assert journal.submit_and_wait(NoteExpiry(FIRST)).value is None
    assert events(services) == []


@pytest.mark.parametrize(
    ("left", "within"),
    [
        (timedelta(days=60, microseconds=1), None),
        (timedelta(days=60), 60),
        (timedelta(days=30), 30),
        (timedelta(days=7), 7),
        (timedelta(microseconds=1), 7),
        (timedelta(), 0),
        (timedelta(days=-1), 0),
    ],
)
def test_the_threshold_is_the_tightest(left: timedelta, within: int | None) -> None:
    assert threshold(END, END - left) == within


def test_an_agreement_that_runs_out_takes_what_waits_with_it(demo: World) -> None:
    """By the duty that a running gateway keeps; the journal's own time decides, so the dates are brought near."""
    near = datetime.now(UTC) + timedelta(days=20)

    def change(content: dict[str, Any]) -> None:
        content["version"] = 2
        content["in_force"]["until"] = near.isoformat()
        content["review_by"] = near.date().isoformat()

    assert demo.push(incident(1)).status_code == 201
    amended = edited(change)
    journal = demo.services.journals.of(LOG)
    journal.submit_and_wait(DraftAgreement(amended))
    for party in amended.content.parties:
        key = party_key(demo.keys_dir / f"party-{party.id}.pem")
        journal.submit_and_wait(SignAgreement(amended, sign(amended.hash, key, party.id)))
    journal.submit_and_wait(ChangeState(amended, State.IN_FORCE))
    database, journals = demo.services.database, demo.services.journals
    assert note_expiries(database, journals, datetime.now(UTC)) == {LOG: 30}
    assert note_expiries(database, journals, datetime.now(UTC)) == {}
    assert _stopped(demo) == 0


def _stopped(world: World) -> int:
    with world.services.database.reading() as connection:
        return len(connection.execute(select(tables.outbox.c.id).where(tables.outbox.c.stopped_at.is_not(None))).all())


def test_the_end_stops_what_waits(services: Services, journal: Journal, clock: list[datetime]) -> None:
    with services.database.writing() as connection:
        row = {"id": "d", "log_id": LOG, "referral_id": "r", "record_id": "c", "recipient": "x", "event": "e"}
        connection.execute(tables.outbox.insert(), {**row, "created_at": "2026-01-01T00:00:00.000Z"})
    clock[0] = END
    assert journal.submit_and_wait(NoteExpiry(FIRST)).value == 0
    assert events(services)[-1] == ("agreement-expired", {"deliveries_stopped": 1})
    with services.database.reading() as connection:
        assert connection.execute(select(tables.outbox.c.stopped_at)).scalar_one() is not None


def test_the_overview_says_where_every_version_stands(services: Services, journal: Journal) -> None:
    second = edited(lambda content: content.update(version=2))
    journal.submit_and_wait(DraftAgreement(second))
    party = second.content.parties[0].id
    journal.submit_and_wait(SignAgreement(second, sign(second.hash, key_of(party), party)))
    now = END - timedelta(days=20)
    with services.database.reading() as connection:
        assert overview(connection, "unknown", now) is None
        found = overview(connection, FIRST.id, now)
    assert found is not None
    assert (found["in_force"], found["days_left"], found["expires_within"]) == (1, 20, 30)
    newest, first = found["versions"]
    assert (newest["version"], newest["status"], newest["current"]) == (2, "draft", False)
    assert [one["id"] for one in newest["parties"] if one["signed_at"]] == [party]
    assert (first["status"], first["hash"]) == ("in-force", FIRST.hash)
    assert all(one["signed_at"] for one in first["parties"])
    with services.database.reading() as connection:
        expired = overview(connection, FIRST.id, END)
    assert expired is not None
    assert (expired["in_force"], expired["versions"][1]["status"]) == (None, "expired")


def test_looking_at_an_agreement_is_a_consultation(services: Services, journal: Journal) -> None:
    index = journal.submit_and_wait(ReadAgreement(None, agreement_ref(FIRST), {"what": "standing"})).receipt.index
    with services.database.reading() as connection:
        entry = log_sql.entry(connection, FIRST.id, index).entry()
    assert (entry.event, entry.operation, entry.detail) == (Event.AGREEMENT_READ, "consultation", {"what": "standing"})
    assert entry.agreement == agreement_ref(FIRST)
