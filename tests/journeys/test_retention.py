"""Content goes on its day: keys deleted and sealed in one act, and afterwards nothing reads it, anywhere, again.

The world is shared by the module. A sweep is given a day to come, and erases every case that is due by then: each test
makes and closes its own.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import insert, select, update

from audit.entry import Entry, Operation
from gateway import feedback
from gateway.agreement import State
from gateway.chance import fresh_id
from gateway.decide import Facts, decide_on
from gateway.demo.client import Client
from gateway.demo.incidents import incident
from gateway.demo.run import LOG, OFFICER
from gateway.errors import NotSealed, Unprocessable
from gateway.evidence import Caller, Event
from gateway.feedback import Tell, find_words
from gateway.retention.holds import Ground, LiftHold, PlaceHold, hold_of, open_holds, place_of
from gateway.retention.schedule import Kept, schedule_of
from gateway.retention.sweep import all_due, figures, look, sweep
from gateway.services import Services, open_services
from gateway.store import tables
from gateway.store.batch import Batch, DecideAgain
from gateway.store.envelope import ContentUnreadable, Envelope
from gateway.terms import terms_of
from tests.journeys.support import bring_into_force, change, output, sealed, serial, set_state, size, status
from tests.support.evidence import verify_log
from tests.support.world import World

DAYS = 30  # of the shipped agreement, for records and words, from the closing of the case
QUARANTINE_DAYS = 90  # from the receipt
BACKSTOP_DAYS = 400


def swept(world: World | Services, days: float = DAYS + 1) -> dict[tuple[str, Kept], int]:
    """Sweep as it will be done so many days from now."""
    services = world.services if isinstance(world, World) else world
    now = datetime.now(UTC) + timedelta(days=days)
    return dict(sweep(services.database, services.journals, services.records, now))


def taken(world: World, number: int | None = None, **options: Any) -> tuple[str, list[str]]:
    """Push an incident; returns its reference and those of its referrals."""
    answer = world.push(incident(number or serial(), **options))
    assert answer.is_success, answer.text
    return answer.json()["incident"], [one["reference"] for one in answer.json()["referrals"]]


def closed(world: World, number: int | None = None, **options: Any) -> tuple[str, str]:
    """An incident whose only referral was accepted, told of, and completed."""
    reference, (task,) = taken(world, number, **options)
    said = {"op": "add", "path": "/output", "value": [output("contact-attempted")]}
    assert change(world, task, 1, status("accepted"), said).is_success
    assert change(world, task, 2, status("completed")).is_success
    return reference, task


def rows(world: World, table: Any, *conditions: Any) -> list[Any]:
    with world.services.database.reading() as connection:
        return list(connection.execute(select(table).where(*conditions)))


def of_event(world: World, reference: str) -> list[Any]:
    return rows(world, tables.record, tables.record.c.event_id == reference)


def keys_of(world: World, ids: list[str]) -> list[Any]:
    return rows(world, tables.data_key, tables.data_key.c.id.in_(ids))


def erasures(world: World, reference: str | None = None, start: int = 0) -> list[Entry]:
    found = [entry for entry in sealed(world, start=start) if entry.event == Event.RECORD_ERASED]
    ids = {row.id for row in of_event(world, reference)} if reference else set()
    return [entry for entry in found if reference is None or entry.record in ids]


def submit(world: World, unit: Any) -> Any:
    return world.services.journals.of(LOG).submit_and_wait(unit).value


@pytest.fixture
def replica(world: World) -> Iterator[Services]:
    """A second process, as it were, over the same database."""
    opened = open_services(world.services.settings)
    yield opened
    opened.close()


# On its day


def test_content_stays_until_its_day_and_is_erased_on_it(world: World) -> None:
    reference, task = closed(world)
    before = of_event(world, reference)
    ids = [row.id for row in before]
    assert len(before) >= 3  # the record, and the words to police

    swept(world, DAYS - 1)
    assert of_event(world, reference) == before
    assert len(keys_of(world, ids)) == len(ids)

    counts = swept(world)
    assert counts[LOG, Kept.RECORD] >= 1
    assert counts[LOG, Kept.FEEDBACK] >= 1
    assert keys_of(world, ids) == []
    for row in of_event(world, reference):
        assert row.erased_at is not None
        assert (row.content, row.vault) == (b"", None)
    (referral,) = rows(world, tables.referral, tables.referral.c.id == task)
    assert referral.feedback == "[]"
    assert referral.erased_at is not None
    assert rows(world, tables.feedback, tables.feedback.c.referral_id == task) == []


def test_each_record_that_goes_has_an_entry_that_says_which_when_and_under_what(world: World) -> None:
    reference, task = closed(world)
    accepted = next(e for e in sealed(world) if e.event == Event.INCIDENT_ACCEPTED and e.case == task)
    swept(world)
    entries = erasures(world, reference)
    assert len(entries) == len(of_event(world, reference))
    agreement = world.services.standing(LOG).terms
    assert agreement is not None
    for entry in entries:
        assert entry.operation is Operation.ERASURE
        assert entry.case == task
        assert entry.reason == "closed"
        assert entry.agreement is not None
        assert entry.agreement.hash == agreement.agreement.hash
        assert entry.detail is not None
        assert entry.detail["days"] == DAYS
    (of_record,) = (entry for entry in entries if entry.record == reference)
    assert of_record.detail is not None
    assert of_record.detail["class"] == "record"
    assert of_record.subjects == accepted.subjects
    assert {e.detail["class"] for e in entries if e.detail and e is not of_record} == {"feedback"}


def test_a_second_sweep_finds_nothing_and_seals_nothing(world: World) -> None:
    closed(world)
    swept(world)
    before = size(world)
    assert swept(world) == {}
    assert size(world) == before


def test_every_version_and_every_case_of_an_incident_goes_with_it(world: World) -> None:
    number = serial()
    reference, tasks = taken(world, number, town="Lancaster")
    assert world.push(incident(number, town="Lancaster", version=2)).status_code == 200
    assert len(tasks) == 2
    for task in tasks[:-1]:
        close(world, task)
    swept(world)
    assert all(row.erased_at is None for row in of_event(world, reference) if row.kind != "status")
    close(world, tasks[-1])
    swept(world)
    assert all(row.erased_at for row in of_event(world, reference))
    versions = {row.id for row in of_event(world, reference) if row.kind != "status"}
    assert {(e.record, e.case) for e in erasures(world, reference) if e.record in versions} == {
        (record, task) for record in versions for task in tasks
    }


def close(world: World, task: str) -> None:
    """Close a referral of any team, as its team would."""
    (row,) = rows(world, tables.referral, tables.referral.c.id == task)
    done = {"version": row.version + 1, "status": "completed", "closed_at": row.updated_at}
    with world.services.database.writing() as connection:
        connection.execute(update(tables.referral).where(tables.referral.c.id == task).values(done))


def test_what_is_never_closed_goes_at_the_backstop(world: World) -> None:
    reference, _ = taken(world)
    swept(world, BACKSTOP_DAYS - 1)
    assert all(row.erased_at is None for row in of_event(world, reference))
    swept(world, BACKSTOP_DAYS + 1)
    assert [entry.reason for entry in erasures(world, reference)] == ["backstop"]


def test_an_input_in_quarantine_goes_with_its_key(world: World) -> None:
    held = world.push(incident(serial(), handling="C")).json()["held"]["reference"]
    swept(world, QUARANTINE_DAYS - 1)
    assert len(keys_of(world, [held])) == 1
    swept(world, QUARANTINE_DAYS + 1)
    assert keys_of(world, [held]) == []
    (row,) = rows(world, tables.quarantine, tables.quarantine.c.id == held)
    assert row.content == b""
    assert row.erased_at is not None
    assert row.closed_at is not None
    (entry,) = (e for e in erasures(world) if e.detail and e.detail.get("quarantine") == held)
    assert (entry.reason, entry.detail["looked_at"]) == ("received", 0) if entry.detail else False


def test_reasons_given_in_writing_go_with_the_record_they_are_about(world: World) -> None:
    """Of an override, of letting a held input go on, and of an emergency."""
    reference, task = closed(world)
    reasons = {fresh_id(): name for name in ("referral", "event", "glass")}
    at, later = "2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z"
    common = {"log_id": LOG, "organisation": "RXL", "ground": "life", "content": b"words", "review_due": later}
    with world.services.database.writing() as connection:
        for id_, name in reasons.items():
            connection.execute(insert(tables.data_key).values(id=id_, content_key=b"wrapped", vault_key=None))
            if name == "glass":
                more = {"user_id": "idva-1", "recipient": "idva-team", "opened_at": at, "expires_at": later}
                connection.execute(insert(tables.break_glass).values(id=id_, referral_id=task, **common, **more))
            else:
                of = {"referral_id": task} if name == "referral" else {"event_id": reference, "quarantine_id": "q"}
                more = {"decided_by": "s", "role": "r", "told": "yes", "created_at": at, "expires_at": later}
                connection.execute(insert(tables.consent_override).values(id=id_, **common, **more, **of))
    swept(world)
    assert keys_of(world, list(reasons)) == []
    left = rows(world, tables.consent_override, tables.consent_override.c.id.in_(reasons))
    left += rows(world, tables.break_glass, tables.break_glass.c.id.in_(reasons))
    assert [row.content for row in left] == [b"", b"", b""]
    (entry,) = (e for e in erasures(world, reference) if e.record == reference)
    assert entry.detail is not None
    assert entry.detail["reasons"] == 3


# Gone


def test_nothing_that_is_left_opens_what_was_erased(world: World) -> None:
    """Neither any key of the keyring, nor any wrapped key that is still in the database."""
    taken(world)
    reference, _ = closed(world)
    row = next(one for one in of_event(world, reference) if one.id == reference)
    (key,) = keys_of(world, [reference])
    keyring = world.services.keyring
    context = f"record.content|{reference}"
    assert Envelope(keyring.content_key).open(row.content, key.content_key, context)  # the means are right

    swept(world)
    wrapped = [one.content_key for one in rows(world, tables.data_key)]
    wrapped += [one.vault_key for one in rows(world, tables.data_key) if one.vault_key]
    raw_keys = [value for value in vars(keyring).values() if isinstance(value, bytes) and len(value) == 32]
    assert len(raw_keys) >= 5
    assert wrapped
    for with_ in raw_keys:
        for each in wrapped:
            with pytest.raises(ContentUnreadable):
                Envelope(with_).open(row.content, each, context)


@pytest.mark.parametrize("world", ["sqlite"], indirect=True)
def test_the_files_hold_neither_the_key_nor_the_content(world: World) -> None:
    """Not in free pages, and not in the write-ahead log."""
    reference, _ = closed(world)
    row = next(one for one in of_event(world, reference) if one.id == reference)
    (key,) = keys_of(world, [reference])
    secrets = [key.content_key, key.vault_key, row.content[:64], row.vault[:64]]
    folder = world.services.settings.data_dir
    files = [path for path in folder.iterdir() if "sqlite3" in path.name]
    assert all(any(secret in path.read_bytes() for path in files) for secret in secrets)
    swept(world)
    assert not any(secret in path.read_bytes() for path in files if path.exists() for secret in secrets)


def test_reading_answers_as_for_one_that_was_never_there(world: World, replica: Services) -> None:
    """To the hospital by id, by search and in the worklist, in another process too; and to police."""
    reference, task = closed(world)
    other = World(replica, world.keys_dir)
    reads = [f"/fhir/R4/{type_}" for type_ in ("Task", "ServiceRequest")]
    for one in (world, other):  # both have it in memory
        assert all(one.hospital.get(f"{read}/{task}").status_code == 200 for read in reads)
    assert world.police.get(f"/police/v1/incidents/{reference}").status_code == 200
    swept(world)
    unknown = fresh_id()
    for one in (world, other):
        for read in reads:
            assert _shape(one.hospital.get(f"{read}/{task}"), task) == _shape(
                one.hospital.get(f"{read}/{unknown}"), unknown
            )
            found = one.hospital.get(read, params={"_id": task}).json()
            assert (found.get("total", 0), found.get("entry", [])) == (0, [])
        listed = one.hospital.get("/fhir/R4/Task", params={"_count": 100}).json()
        assert task not in str(listed)
        assert listed["total"] == len(listed.get("entry", []))
        assert change(one, task, 4, status("completed")).status_code == 404
    gone, never = (world.police.get(f"/police/v1/incidents/{one}") for one in (reference, unknown))
    assert _shape(gone, reference) == _shape(never, unknown)
    told = world.police.get("/police/v1/feedback", params={"limit": 500}).json()
    assert reference not in str(told["feedback"])
    other._runner.close()


def _shape(answer: httpx.Response, id_: str) -> tuple[int, Any]:
    body = answer.json()
    body.pop("instance", None)
    return answer.status_code, str(body).replace(id_, "")


def test_what_was_found_before_the_erasure_is_not_told_after_it(world: World) -> None:
    """A word found for police, and erased before its telling could be sealed."""
    closed(world)
    services, caller = world.services, _officer(world.police)
    standing = services.standing(LOG)
    recipient = feedback.feedback_recipient(standing.terms, caller.organisation)
    with services.database.reading() as connection:
        found = find_words(
            connection, services.records, caller, standing, LOG, datetime.now(UTC), recipient=recipient or ""
        )
    assert found.told
    swept(world)
    with pytest.raises(DecideAgain):
        submit(world, Tell(found, caller, standing))


def _officer(client: Client) -> Caller:
    return Caller(client.client_id, "04", None, frozenset(), frozenset({LOG}), OFFICER["id"], OFFICER["role"])


# What stays


def test_a_repeat_is_still_recognised_and_makes_no_second_case(world: World) -> None:
    number = serial()
    reference, task = closed(world, number)
    swept(world)
    answer = world.push(incident(number))
    assert answer.status_code == 200
    assert answer.json()["state"] == "known"
    assert answer.json()["incident"] == reference
    assert [row.id for row in rows(world, tables.referral, tables.referral.c.event_id == reference)] == [task]
    assert all(row.erased_at for row in of_event(world, reference))


def test_a_later_version_brings_the_case_back_for_its_own_days(world: World) -> None:
    number = serial()
    reference, task = closed(world, number)
    swept(world)
    answer = world.push(incident(number, version=2))
    assert answer.json()["state"] == "updated"
    assert answer.json()["referrals"][0]["reference"] == task
    assert world.hospital.get(f"/fhir/R4/Task/{task}").status_code == 200
    swept(world, DAYS - 1)
    assert world.hospital.get(f"/fhir/R4/Task/{task}").status_code == 200
    swept(world)
    assert world.hospital.get(f"/fhir/R4/Task/{task}").status_code == 404
    assert len([e for e in erasures(world, reference) if e.detail and e.detail["class"] == "record"]) == 2


def test_the_evidence_still_verifies_and_every_decision_on_the_record_can_be_made_again(world: World) -> None:
    _, task = closed(world)
    swept(world)
    report = verify_log(world.services.database, LOG, world.services.signer(LOG).verifier)
    assert report.verified, report.findings
    decided = [e for e in sealed(world) if e.case == task and e.event == Event.INCIDENT_ACCEPTED]
    assert decided
    for entry in decided:
        assert entry.agreement is not None
        with world.services.database.reading() as connection:
            terms = terms_of(connection, LOG, int(entry.agreement.version))
        assert entry.facts is not None
        facts, at = Facts.from_json(dict(entry.facts)), datetime.fromisoformat(entry.time)
        decision = decide_on(facts, entry.recipients[0].recipient, entry.purpose or "", terms, at)
        assert decision.clauses == entry.clauses
        assert (decision.released, decision.withheld) == (entry.items.released, entry.items.withheld)


def test_a_person_still_gets_the_whole_account_of_who_was_given_what(world: World) -> None:
    _, task = closed(world)
    world.hospital.get(f"/fhir/R4/ServiceRequest/{task}")
    row = rows(world, tables.referral, tables.referral.c.id == task)[0]
    subject = f"{row.record_id}.victim-1"
    path = f"/audit/v1/logs/{LOG}/subjects/{subject}/disclosures"
    before = world.auditor.get(path).json()
    swept(world)
    with world.services.database.reading() as connection:
        known = world.services.records.find_subjects(connection, LOG, "person", "ashdown|marianne|1991-02-03")
    assert subject in known
    after = world.auditor.get(path).json()
    assert before["disclosures"]
    assert after["disclosures"] == before["disclosures"]


# Never without its entry


def test_what_cannot_be_sealed_is_not_erased(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    reference, task = closed(world)

    def fails(*_: object) -> None:
        raise OSError("no room on the disk")

    with monkeypatch.context() as patch:
        patch.setattr(Batch, "seal_growth", fails)
        with pytest.raises(NotSealed):
            swept(world)
    assert all(row.erased_at is None for row in of_event(world, reference))
    assert len(keys_of(world, [reference])) == 1
    assert world.hospital.get(f"/fhir/R4/ServiceRequest/{task}").status_code == 200
    assert erasures(world, reference) == []


def test_replicas_that_sweep_at_once_erase_and_seal_each_record_once(world: World, replica: Services) -> None:
    references = [closed(world)[0] for _ in range(4)]
    together = threading.Barrier(2)

    def run(services: Services) -> None:
        together.wait()
        swept(services)

    threads = [threading.Thread(target=run, args=(one,)) for one in (world.services, replica)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for reference in references:
        entries = erasures(world, reference)
        assert len(entries) == len(of_event(world, reference)) == len({entry.record for entry in entries})


def test_a_content_that_does_not_open_is_erased_like_any_other(world: World) -> None:
    reference, task = closed(world)
    with world.services.database.writing() as connection:
        damaged = (
            update(tables.record).where(tables.record.c.id == reference).values(content=b"damaged, and long enough")
        )
        connection.execute(damaged)
    swept(world)
    (entry,) = (e for e in erasures(world, reference) if e.record == reference)
    assert entry.subjects == (f"{reference}.victim-1",)
    assert entry.case == task


# Legal holds


def hold(world: World, reference: str) -> str:
    held: str = submit(world, PlaceHold(reference, Ground.INQUEST, "coroner-2026-114"))
    return held


def test_a_hold_keeps_content_until_it_is_lifted(world: World) -> None:
    reference, task = closed(world)
    with world.services.database.reading() as connection:
        assert place_of(connection, task) == place_of(connection, reference) == (LOG, reference)
        assert place_of(connection, fresh_id()) is None
    hold_id = hold(world, reference)
    swept(world, BACKSTOP_DAYS + 1)
    assert all(row.erased_at is None for row in of_event(world, reference))
    with world.services.database.reading() as connection:
        assert hold_id in {row.id for row in open_holds(connection, LOG)}
        later = datetime.now(UTC) + timedelta(days=DAYS + 1)
        on_hold = {one.kept: one.on_hold for one in all_due(connection, later)}
        assert on_hold[Kept.RECORD] >= 1
        assert figures(connection, later).holds >= 1
    submit(world, LiftHold(hold_id))
    swept(world)
    assert all(row.erased_at for row in of_event(world, reference))
    with world.services.database.reading() as connection:
        lifted = hold_of(connection, hold_id)
    assert lifted is not None
    assert lifted.lifted_at is not None


def test_placing_and_lifting_a_hold_are_sealed(world: World) -> None:
    reference, _ = taken(world)
    start = size(world)
    hold_id = hold(world, reference)
    submit(world, LiftHold(hold_id))
    placed, lifted = sealed(world, start=start)
    assert (placed.event, lifted.event) == (Event.LEGAL_HOLD_PLACED, Event.LEGAL_HOLD_LIFTED)
    assert {placed.record, lifted.record} == {reference}
    assert {placed.reason, lifted.reason} == {"inquest"}
    assert placed.detail == {"hold": hold_id, "authority": "coroner-2026-114"}


def test_an_input_in_quarantine_can_be_held(world: World) -> None:
    held = world.push(incident(serial(), handling="C")).json()["held"]["reference"]
    with world.services.database.reading() as connection:
        assert place_of(connection, held) == (LOG, held)
    hold_id = hold(world, held)
    swept(world, BACKSTOP_DAYS + 1)
    assert len(keys_of(world, [held])) == 1
    submit(world, LiftHold(hold_id))
    swept(world, QUARANTINE_DAYS + 1)
    assert keys_of(world, [held]) == []


def test_a_hold_placed_after_the_sweep_looked_is_kept_to(world: World) -> None:
    reference, _ = closed(world)
    services = world.services
    now = datetime.now(UTC) + timedelta(days=DAYS + 1)
    found = look(services.database, LOG, Kept.RECORD, now)
    assert found is not None
    unit = found.unit(services.database, services.records, found.references)
    assert reference in unit.references
    hold_id = hold(world, reference)
    submit(world, unit)
    assert len(keys_of(world, [reference])) == 1
    submit(world, LiftHold(hold_id))


def test_what_is_gone_or_was_never_there_cannot_be_held_nor_a_hold_be_lifted_twice(world: World) -> None:
    reference, _ = closed(world)
    swept(world)
    for nothing in (reference, fresh_id()):
        with pytest.raises(Unprocessable):
            hold(world, nothing)
    other, _ = taken(world)
    hold_id = hold(world, other)
    submit(world, LiftHold(hold_id))
    with pytest.raises(Unprocessable):
        submit(world, LiftHold(hold_id))


# Which agreement governs


def test_a_change_of_the_agreement_between_looking_and_erasing_is_looked_at_again(world: World) -> None:
    closed(world)
    services = world.services
    now = datetime.now(UTC) + timedelta(days=DAYS + 1)
    found = look(services.database, LOG, Kept.RECORD, now)
    assert found is not None
    unit = found.unit(services.database, services.records, found.references)
    bring_into_force(world, lambda content: content)
    with pytest.raises(DecideAgain):
        submit(world, unit)
    swept(world)


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_an_agreement_that_has_ended_still_says_when_content_goes(demo: World) -> None:
    reference, _ = closed(demo)
    set_state(demo, State.ENDED)
    swept(demo)
    assert all(row.erased_at for row in of_event(demo, reference))


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_where_the_last_version_cannot_be_read_the_one_before_it_governs(demo: World) -> None:
    def sooner(content: dict[str, Any]) -> None:
        content["retention"]["classes"][0]["days"] = 7

    amended = bring_into_force(demo, sooner)

    def governing() -> tuple[str, int]:
        with demo.services.database.reading() as connection:
            found = schedule_of(connection, LOG)
        assert found is not None
        return found.agreement.version, found.rules[Kept.RECORD].days

    assert governing() == (str(amended.version), 7)
    _damage(demo, tables.agreement.c.version == amended.version)
    assert governing() == (str(amended.version - 1), DAYS)
    _damage(demo, tables.agreement.c.id == LOG)
    with demo.services.database.reading() as connection:
        assert schedule_of(connection, LOG) is None
        assert all_due(connection, datetime.now(UTC)) == []
        assert figures(connection, datetime.now(UTC)).days_left is None
    assert swept(demo, BACKSTOP_DAYS + 1) == {}


def _damage(world: World, where: Any) -> None:
    with world.services.database.writing() as connection:
        connection.execute(update(tables.agreement).where(where).values(text=b"no: [agreement"))


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_draft_does_not_govern_and_without_an_agreement_nothing_goes(services: Services) -> None:
    assert swept(services, 10_000) == {}


# Figures


def test_monitors_see_what_is_due_what_is_held_and_how_long_the_agreement_lasts(
    world: World, replica: Services
) -> None:
    reference, _ = taken(world)
    hold_id = hold(world, reference)
    other = World(replica, world.keys_dir)  # a process that has counted nothing yet
    text = other.hospital.http.get("/metrics").text
    submit(world, LiftHold(hold_id))
    other._runner.close()
    found = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    terms = world.services.standing(LOG).terms
    assert terms is not None
    left = (terms.agreement.content.in_force.until - datetime.now(UTC)).days
    assert float(found["gateway_records_due_for_erasure"]) >= 0
    assert float(found["gateway_legal_holds_open"]) >= 1
    assert float(found["gateway_agreement_days_left"]) == left
