"""Quarantine, replayed: what a mended profile reads is taken in once, the rest stays, and no clock grows longer."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Row, func, select, update
from typer.testing import CliRunner

import mappings
from audit.entry import Operation, Outcome
from gateway import replaying
from gateway.cli import app
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from gateway.errors import NotSealed
from gateway.evidence import Event
from gateway.profiles import Profiles
from gateway.quarantine import NoteHoldsOverdue
from gateway.replaying import Wanted, replay
from gateway.store import tables
from gateway.store.journal import Journal
from gateway.taking.again import LeaveOrTake
from mappings.profile import load
from tests.journeys.support import sealed, serial
from tests.support.world import World, copy_template, open_world, settings_for

IHUB = Path(mappings.__file__).parent / "police" / "ihub.toml"
GOOD = 'from = "attributes.recordVersion", to = "version", transform = "integer"'
BAD = 'from = "attributes.occurrenceReference", to = "version", transform = "integer"'


def broken_profiles(folder: Path) -> Profiles:
    """The profile with a row that no document fits: the version is looked for in the occurrence's reference."""
    text = IHUB.read_text()
    assert text.count(GOOD) == 1
    path = folder / "ihub.toml"
    path.write_text(text.replace(GOOD, BAD))
    return Profiles([load(path)], "ihub")


def read_by(world: World, profiles: Profiles) -> None:
    """What the world reads by from here on."""
    world.services.__dict__["profiles"] = profiles


def kept(world: World) -> list[Row[Any]]:
    """Every input in quarantine, in the order they came in."""
    with world.services.database.reading() as connection:
        query = select(tables.quarantine).order_by(tables.quarantine.c.opened_at, tables.quarantine.c.id)
        return list(connection.execute(query).all())


def records(world: World) -> int:
    with world.services.database.reading() as connection:
        return connection.execute(select(func.count()).select_from(tables.record)).scalar_one()


def replayed(world: World, **body: Any) -> dict[str, int]:
    answer = world.guardian.post("/governance/v1/holds/replay", json=body)
    assert answer.status_code == 200, answer.text
    counts: dict[str, int] = answer.json()["counts"]
    return counts


def refused(world: World, document: Any) -> str:
    """Push what cannot be read; returns the reference of the input that is kept."""
    content = document if isinstance(document, bytes) else orjson.dumps(document)
    headers = {"Content-Type": "application/vnd.api+json"}
    answer = world.police.post("/police/v1/incidents", content=content, headers=headers)
    assert answer.status_code in {400, 422}, answer.text
    reference: str = answer.json()["quarantine"]
    return reference


@pytest.fixture
def mended(demo: World, tmp_path: Path) -> Profiles:
    """A world whose profile is broken; returns what it reads by once it is mended."""
    good = demo.services.profiles
    read_by(demo, broken_profiles(tmp_path))
    return good


def test_what_reads_is_taken_in_once_and_the_rest_stays_where_it_is(demo: World, mended: Profiles) -> None:
    for _ in range(3):
        refused(demo, incident(serial()))
    torn = refused(demo, b'{"data": {"attributes": {"surname": "Ashdown"')
    assert records(demo) == 0
    before = {row.id: row for row in kept(demo)}
    read_by(demo, mended)
    assert replayed(demo) == {"accepted": 3, "unreadable": 1}
    assert records(demo) == 3
    after = {row.id: row for row in kept(demo)}
    assert [row.id for row in after.values() if row.closed_at is None] == [torn]
    assert after[torn].due_at == before[torn].due_at
    assert replayed(demo) == {"unreadable": 1}
    assert records(demo) == 3


def test_each_input_is_sealed_with_who_did_it_and_by_which_profile_and_so_are_begin_and_end(
    demo: World, mended: Profiles
) -> None:
    first, second = refused(demo, incident(serial())), refused(demo, b"{")
    read_by(demo, mended)
    start = len(sealed(demo))
    replayed(demo, profile="ihub")
    entries = sealed(demo, start=start)
    begun, ended = (one for one in entries if one.event == Event.QUARANTINE_REPLAYED)
    assert begun.actor.user
    assert begun.detail is not None
    assert (begun.detail["what"], begun.detail["profile"]) == ("begun", "ihub")
    assert ended.detail is not None
    assert {k: ended.detail[k] for k in ("what", "inputs", "accepted", "unreadable")} == {
        "what": "ended",
        "inputs": 2,
        "accepted": 1,
        "unreadable": 1,
    }
    assert ended.mapping == mended.of(("ihub",))[0].hash
    of_each = {one.detail["quarantine"]: one for one in entries if one.event == Event.HOLD_REPLAYED and one.detail}
    assert of_each[first].outcome is Outcome.PERMITTED
    assert of_each[first].actor == begun.actor
    assert (of_each[second].outcome, of_each[second].reason) == (Outcome.FAILED, "truncated")
    collected = next(one for one in entries if one.event == Event.INCIDENT_ACCEPTED)
    assert (collected.actor.client, collected.operation) == ("demo-rms", Operation.COLLECTION)
    assert b"Ashdown" not in b"".join(one.to_bytes() for one in entries)


def test_what_is_left_has_its_new_reason_and_its_old_clock(demo: World, mended: Profiles) -> None:
    document = incident(serial())
    del document["data"]["type"]
    reference = refused(demo, document)
    (before,) = kept(demo)
    read_by(demo, mended)
    replayed(demo)
    (after,) = kept(demo)
    assert after.id == reference
    assert (before.reason, after.closed_at, after.due_at) != (after.reason, None, None)
    assert after.reason == "missing"
    assert (after.closed_at, after.due_at, after.risk) == (None, before.due_at, before.risk)


def test_what_the_sender_sent_again_meanwhile_is_closed_and_another_content_is_left_for_a_human(
    demo: World, mended: Profiles
) -> None:
    same, other = incident(serial()), incident(serial())
    refused(demo, same)
    left = refused(demo, other)
    read_by(demo, mended)
    assert demo.push(same).status_code == 201
    other["data"]["attributes"]["nsirCategory"] = "other"
    other["data"]["attributes"]["incidentDescription"] = "Something else."
    assert demo.push(other).status_code == 201
    assert replayed(demo) == {"known": 1, "conflict": 1}
    assert records(demo) == 2
    (row,) = (row for row in kept(demo) if row.closed_at is None)
    assert (row.id, row.reason) == (left, "idempotency-conflict")


def test_what_a_human_must_decide_stays_with_a_human_and_is_due_no_later(demo: World, mended: Profiles) -> None:
    refused(demo, incident(serial(), consent="REFUSED", grade="MEDIUM"))
    (before,) = kept(demo)
    early = (datetime.fromisoformat(before.due_at) - timedelta(minutes=50)).isoformat(timespec="milliseconds")
    early = early.replace("+00:00", "Z")
    with demo.services.database.writing() as connection:
        connection.execute(update(tables.quarantine).values(due_at=early))
    read_by(demo, mended)
    assert replayed(demo) == {"held": 1}
    closed, held = sorted(kept(demo), key=lambda row: row.closed_at is None)
    assert (closed.id, held.closed_at) == (before.id, None)
    assert held.due_at == early
    assert replayed(demo) == {"held": 1}  # and stays the same hold
    assert [row.id for row in kept(demo) if row.closed_at is None] == [held.id]


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_hold_whose_grade_reads_higher_now_is_due_sooner(demo: World) -> None:
    """A record held at a grade that a broken profile read as lower: its clock follows the grade of now."""
    document = incident(serial(), consent="REFUSED")
    assert demo.push(document).status_code == 202
    (held,) = kept(demo)
    with demo.services.database.writing() as connection:
        values = {"risk": "medium", "due_at": "2099-01-01T00:00:00.000Z"}
        connection.execute(update(tables.quarantine).values(values))
    assert replayed(demo) == {"held": 1}
    (after,) = kept(demo)
    assert (after.risk, after.due_at < "2099") == ("high", True)
    assert held.id == after.id


def test_what_turns_out_to_be_secret_is_erased_at_once(demo: World, mended: Profiles) -> None:
    refused(demo, incident(serial(), marking="SECRET"))
    read_by(demo, mended)
    start = len(sealed(demo))
    assert replayed(demo) == {"refused": 1}
    (row,) = kept(demo)
    assert (row.content, row.erased_at is not None, row.closed_at is not None) == (b"", True, True)
    with demo.services.database.reading() as connection:
        keys = connection.execute(select(tables.data_key).where(tables.data_key.c.id == row.id)).all()
    assert keys == []
    assert Event.RECORD_ERASED in [one.event for one in sealed(demo, start=start)]


def test_a_replay_that_breaks_off_repeats_nothing(
    demo: World, mended: Profiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        refused(demo, incident(serial()))
    read_by(demo, mended)
    monkeypatch.setattr(replaying, "PAGE", 2)
    really, done = Journal.submit, 0

    async def breaks(self: Journal, unit: Any) -> Any:
        nonlocal done
        if isinstance(unit, LeaveOrTake):
            done += 1
            if done > 3:
                raise NotSealed("no disk")
        return await really(self, unit)

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "submit", breaks)
        assert demo.guardian.post("/governance/v1/holds/replay", json={}).status_code == 503
    assert records(demo) == 3
    assert replayed(demo) == {"accepted": 2}
    assert records(demo) == 5


def test_a_trial_reads_everything_and_changes_nothing_but_is_sealed(demo: World, mended: Profiles) -> None:
    refused(demo, incident(serial()))
    refused(demo, b"{")
    read_by(demo, mended)
    before, start = kept(demo), len(sealed(demo))
    assert replayed(demo, dry_run=True) == {"readable": 1, "unreadable": 1}
    assert kept(demo) == before
    assert records(demo) == 0
    assert [one.event for one in sealed(demo, start=start)] == [Event.QUARANTINE_REPLAYED] * 2


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_only_what_is_wanted_is_read_again(demo: World, mended: Profiles) -> None:
    refused(demo, incident(serial()))
    refused(demo, b"{")
    read_by(demo, mended)
    assert replayed(demo, reason="nothing-has-this") == {}
    assert replayed(demo, since="2099-01-01") == {}
    assert replayed(demo, profile="no-such-profile") == {}
    assert replayed(demo, reason="truncated", since="2020-01-01", profile="ihub") == {"unreadable": 1}
    assert replayed(demo) == {"accepted": 1, "unreadable": 1}


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_the_same_bytes_read_by_another_profile_are_no_conflict(demo: World, tmp_path: Path) -> None:
    """A force that sends a document again after its profile was changed is told it is known."""
    document = incident(serial())
    assert demo.push(document).status_code == 201
    changed = IHUB.read_text().replace('"attributes.hoOffenceCode"', '"attributes.hoOffenceCodeNew"')
    (tmp_path / "ihub.toml").write_text(changed)
    read_by(demo, Profiles([load(tmp_path / "ihub.toml")], "ihub"))
    again = demo.push(document)
    assert (again.status_code, again.json()["state"]) == (200, "known")
    assert records(demo) == 1


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_an_unreadable_input_is_due_within_the_hour_whatever_grade_can_be_seen_in_it(
    demo: World, mended: Profiles
) -> None:
    """A grade in a document that cannot be read is never trusted to give more time (P6, P10)."""
    assert mended
    for grade in ("HIGH", "MEDIUM", "STANDARD"):
        refused(demo, incident(serial(), grade=grade))
    refused(demo, orjson.dumps(incident(serial(), grade="STANDARD"))[:-1])
    for row in kept(demo):
        given = datetime.fromisoformat(row.due_at) - datetime.fromisoformat(row.opened_at)
        assert (row.risk, given) == ("unknown", timedelta(hours=1))
        assert row.owner == "Imogen Fairhurst, Lead adviser, Operation Provide"
    listed = demo.guardian.get("/governance/v1/holds").json()["holds"]
    assert len(listed) == 4


def test_an_input_nobody_decided_in_time_is_sealed_once(demo: World) -> None:
    refused(demo, b"{")
    journal = demo.services.journals.of(LOG)
    assert journal.submit_and_wait(NoteHoldsOverdue()).value == 0
    with demo.services.database.writing() as connection:
        connection.execute(update(tables.quarantine).values(due_at="2026-01-01T00:00:00.000Z"))
    assert journal.submit_and_wait(NoteHoldsOverdue()).value == 1
    assert journal.submit_and_wait(NoteHoldsOverdue()).value == 0
    late = [one for one in sealed(demo) if one.event == Event.HOLD_OVERDUE]
    assert [(one.outcome, one.reason) for one in late] == [(Outcome.FAILED, "truncated")]


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_replay_is_for_those_who_decide(demo: World) -> None:
    for client in (demo.police, demo.hospital):
        assert client.post("/governance/v1/holds/replay", json={}).status_code == 403
    unknown = demo.guardian.post("/governance/v1/holds/replay", json={"profil": "ihub"})
    assert unknown.status_code == 422


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_the_operator_replays_without_a_person_and_the_gateway_is_named(demo: World, mended: Profiles) -> None:
    refused(demo, incident(serial()))
    read_by(demo, mended)
    done = demo.run(replay(demo.services, LOG, None, Wanted()))
    assert done.counts == {"accepted": 1}
    assert done.profiles == (mended.of(("ihub",))[0].hash,)
    assert {one.actor.organisation for one in sealed(demo) if one.event == Event.HOLD_REPLAYED} == {"gateway"}


@pytest.fixture
def folder(prepared_world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data of a gateway with one input that its mended profile reads and one that nobody can, nobody serving."""
    data = tmp_path / "data"
    copy_template(prepared_world, data, with_database=True)
    world = open_world(settings_for(data))
    read_by(world, broken_profiles(tmp_path))
    refused(world, incident(serial()))
    refused(world, b'{"data": {"surname": "Ashdown"')
    world.close()
    monkeypatch.setenv("GATEWAY_DATA_DIR", str(data))
    monkeypatch.setenv("GATEWAY_PUBLIC_URL", "https://gateway.test")
    return data


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["quarantine", *arguments])
    assert result.exit_code == code, result.output
    return result.output


def test_the_command_line_lists_shows_and_replays_and_shows_no_content(folder: Path, tmp_path: Path) -> None:
    rows = [line.split("\t") for line in run("list", LOG).splitlines()]
    assert {row[4] for row in rows} == {"not-readable", "truncated"}
    assert {row[7] for row in rows} == {"04/demo-rms"}
    torn = next(row[0] for row in rows if row[4] == "truncated")
    whole = next(row[0] for row in rows if row[4] == "not-readable")
    assert "problem\t(whole)\ttruncated" in run("show", LOG, torn)
    shown = run("show", LOG, whole)
    assert "judged\tvictim-1\tidva-team" in shown
    assert "Ashdown" not in shown
    run("show", LOG, torn, "--content", str(tmp_path / "x"), code=2)
    saved = tmp_path / "content"
    assert "Ashdown" not in run("show", LOG, torn, "--content", str(saved), "--reason", "sender-asked")
    assert b"Ashdown" in saved.read_bytes()
    assert saved.stat().st_mode & 0o777 == 0o600

    assert run("replay", LOG, "--dry-run").splitlines()[:2] == ["1\treadable", "1\tunreadable"]
    assert run("replay", LOG, "--profile", "ihub", "--since", "2020-01-01").splitlines()[:2] == [
        "1\taccepted",
        "1\tunreadable",
    ]
    assert "no profile is called" in run("replay", LOG, "--profile", "nonsense", code=1)
    run("replay", LOG, "--since", "yesterday", code=2)
    assert run("show", LOG, "no-such-hold", code=1)
    assert run("list", "no-such-log", code=1)

    world = open_world(settings_for(folder))
    looked = [one for one in sealed(world) if one.event == Event.HOLD_READ]
    assert [one.reason for one in looked] == [None, None, None, "sender-asked"]
    world.close()
