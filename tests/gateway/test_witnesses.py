"""Witnesses as the gateway keeps them: registered, heard, looked after; what counts and what raises the alarm."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import delete

from audit import sql as log_sql
from audit.checkpoint import Checkpoint
from audit.note import Cosigner, CosignerVerifier, split
from audit.witness import Submission
from gateway import witnessing
from gateway.demo.run import LOG
from gateway.errors import Unprocessable, WitnessDisagrees
from gateway.evidence import OPERATOR_LOG, Event
from gateway.witnesses import WITNESSES_MAX, AddWitness, RemoveWitness, Standing, State, WitnessRefused, standings
from gateway.witnessing import Collector, accept
from tests.gateway.witness_support import FORCE, TRUST, cosigned, head, register, signed, told, witness_server
from tests.journeys.support import last, pushed, sealed
from tests.support.world import World

DAY = 86_400


@pytest.fixture
def world(demo: World) -> World:
    return demo


def standing(world: World, name: str, *, later: timedelta = timedelta()) -> Standing:
    with world.services.database.reading() as connection:
        limit = world.services.settings.witness_lag_seconds
        found = standings(connection, LOG, datetime.now(UTC) + later, limit)
    return next(one for one in found if one.witness.name == name)


def kept(world: World) -> list[log_sql.Cosignature]:
    with world.services.database.reading() as connection:
        return log_sql.cosignatures(connection, LOG)


def test_registering_and_removing_is_sealed_and_a_name_is_used_once(world: World) -> None:
    register(world, "trust", TRUST, "https://witness.trust.example/")
    added = last(world, OPERATOR_LOG)
    assert added.event == Event.WITNESS_ADDED
    assert added.detail is not None
    assert (added.detail["log"], added.detail["witness"]) == (LOG, "trust")
    assert added.detail["url"] == "https://witness.trust.example"
    with pytest.raises(WitnessRefused, match="another name"):
        register(world, "again", TRUST)
    with pytest.raises(WitnessRefused, match="names are never used again"):
        register(world, "trust", FORCE)
    operator = world.services.journals.of(OPERATOR_LOG)
    operator.submit_and_wait(RemoveWitness(LOG, "trust"))
    assert last(world, OPERATOR_LOG).event == Event.WITNESS_REMOVED
    with pytest.raises(WitnessRefused, match="no witness of this name"):
        operator.submit_and_wait(RemoveWitness(LOG, "trust"))
    with pytest.raises(WitnessRefused, match="names are never used again"):
        register(world, "trust", TRUST)
    register(world, "trust-2", TRUST)


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_log_has_only_as_many_witnesses_as_a_note_can_carry(world: World) -> None:
    for number in range(WITNESSES_MAX):
        register(world, f"w{number}", Cosigner.from_seed(f"w{number}", bytes([number]) * 32))
    with pytest.raises(WitnessRefused, match="at most"):
        register(world, "one-more", TRUST)


@pytest.mark.parametrize(
    ("name", "key", "url"),
    [
        ("", TRUST.verifier.text, None),
        ("a b", TRUST.verifier.text, None),
        ("w" * 65, TRUST.verifier.text, None),
        ("trust", "no key", None),
        ("trust", TRUST.verifier.text[:-1], None),
        ("trust", Cosigner.from_seed("w" * 300, bytes(32)).verifier.text, None),
        ("trust", TRUST.verifier.text, "ftp://w.example"),
        ("trust", TRUST.verifier.text, "https://w.example/?q"),
        ("trust", TRUST.verifier.text, "https://w.example/" + "w" * 300),
        ("trust", TRUST.verifier.text, "https://user:word@w.example"),
    ],
)
def test_what_is_no_witness_is_not_registered(name: str, key: str, url: str | None) -> None:
    with pytest.raises(WitnessRefused):
        AddWitness(LOG, name, key, url)


def test_a_cosignature_counts_and_shows_how_far_it_has_seen(world: World) -> None:
    register(world, "trust", TRUST)
    assert standing(world, "trust").state is State.NEVER
    at = head(world)
    assert [one.name for one in accept(world.services, LOG, cosigned(at.checkpoint, TRUST))] == ["trust"]
    assert head(world).size == at.size, "keeping a cosignature is no entry"
    found = standing(world, "trust")
    assert (found.state, found.lag_entries, found.lag_seconds) == (State.OK, 0, 0)
    pushed(world)
    found = standing(world, "trust", later=timedelta(hours=2))
    assert (found.state, found.lag_entries) == (State.OK, head(world).size - at.size)
    assert 7200 <= found.lag_seconds < 7300
    assert standing(world, "trust", later=timedelta(days=2)).state is State.LAGGING


def test_only_a_registered_witness_s_own_cosignature_of_this_log_counts(world: World) -> None:
    register(world, "trust", TRUST)
    at = head(world)
    note = cosigned(at.checkpoint, TRUST)
    other = world.services.signer(OPERATOR_LOG)
    root = Checkpoint.unverified(at.checkpoint).root
    wrong = [
        "",
        "no note",
        at.checkpoint,
        cosigned(at.checkpoint, FORCE),
        at.checkpoint + cosigned(signed(world, 1, bytes(32)), TRUST).splitlines(keepends=True)[-1],
        cosigned(Checkpoint(other.name, at.size, root).sign(other), TRUST),
        note.replace("\n\n", "\nan extension\n\n"),
        cosigned(Checkpoint(at.origin, at.size, root, ("extension",)).sign(world.services.signer(LOG)), TRUST),
        cosigned(at.checkpoint, TRUST, at=time.time() + 600),
    ]
    for one in wrong:
        with pytest.raises(Unprocessable):
            accept(world.services, LOG, one)
    assert kept(world) == []
    assert told(world) == []
    both = cosigned(note, FORCE)
    accept(world.services, LOG, both)
    assert [one.key for one in kept(world)] == [TRUST.verifier.text]
    world.services.journals.of(OPERATOR_LOG).submit_and_wait(RemoveWitness(LOG, "trust"))
    with pytest.raises(Unprocessable):
        accept(world.services, LOG, note)


def test_cosigned_checkpoints_come_back_as_notes_that_open(world: World) -> None:
    """One note a size, with the lines of every witness that cosigned it: what the pack carries."""
    register(world, "trust", TRUST)
    register(world, "force", FORCE)
    first = head(world)
    accept(world.services, LOG, cosigned(first.checkpoint, TRUST, at=time.time() - 2 * DAY))
    pushed(world)
    second = head(world)
    accept(world.services, LOG, cosigned(second.checkpoint, TRUST))
    accept(world.services, LOG, cosigned(second.checkpoint, FORCE))
    with world.services.database.reading() as connection:
        notes = log_sql.cosigned(connection, LOG)
    verifier = world.services.signer(LOG).verifier
    assert [Checkpoint.open(note, verifier).size for note in notes] == [first.size, second.size]
    assert [{one.name for one in split(note)[1]} for note in notes] == [
        {verifier.name, TRUST.name},
        {verifier.name, TRUST.name, FORCE.name},
    ]
    keys = {one.name: CosignerVerifier.from_text(one.verifier.text) for one in (TRUST, FORCE)}
    for note in notes:
        text, (_, *lines) = split(note)
        for line in lines:
            assert keys[line.name].verify(text, line.raw) > 0


def test_of_each_witness_the_last_of_each_day_is_kept(world: World) -> None:
    """A cosignature a minute for ever would be half a million rows a year and witness."""
    register(world, "trust", TRUST)
    noon = int(time.time()) // DAY * DAY - 3 * DAY + DAY // 2
    sizes: list[int] = []
    notes: list[str] = []
    for day in range(3):
        for minute in range(3):
            pushed(world)
            at = head(world)
            notes.append(cosigned(at.checkpoint, TRUST, at=noon + day * DAY + minute * 60))
            accept(world.services, LOG, notes[-1])
            sizes.append(at.size)
    before = kept(world)
    assert [one.size for one in before] == sizes[2::3]
    for note in reversed(notes):
        accept(world.services, LOG, note)
    assert kept(world) == before, "an older one, shown again, moves nothing"


def test_another_history_raises_the_alarm_once_and_a_later_agreement_ends_it(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    register(world, "trust", TRUST)
    before = cosigned(head(world).checkpoint, TRUST)
    accept(world.services, LOG, before)
    pushed(world)
    at = head(world)
    more, fork = signed(world, at.size + 5, bytes(32)), signed(world, at.size, bytes(32))
    with caplog.at_level(logging.CRITICAL, "gateway"):
        for note in (more, fork, more):
            with pytest.raises(WitnessDisagrees):
                accept(world.services, LOG, cosigned(note, TRUST))
    assert [record.__dict__["line"] for record in caplog.records] == ["WITNESS_DISAGREES"]
    assert told(world) == [("trust", "disagrees", "begins")]
    assert standing(world, "trust").state is State.DISAGREES
    accept(world.services, LOG, before)
    assert standing(world, "trust").state is State.DISAGREES, "what was signed before it does not end it"
    accept(world.services, LOG, cosigned(head(world).checkpoint, TRUST, at=time.time() + 2))
    assert standing(world, "trust").state is State.OK
    with pytest.raises(WitnessDisagrees):
        accept(world.services, LOG, cosigned(more, TRUST))
    assert [ends for _, _, ends in told(world)] == ["begins", "ends", "begins"]


def test_the_collector_has_witnesses_cosign_as_the_log_grows(world: World, tmp_path: Path) -> None:
    with (
        witness_server(world, tmp_path / "trust", TRUST) as (_, trust),
        witness_server(world, tmp_path / "force", FORCE) as (_, force),
    ):
        register(world, "trust", TRUST, trust)
        register(world, "force", FORCE, force + "/")
        collector = Collector(world.services)
        for _ in range(3):
            pushed(world)
            found = collector.round(datetime.now(UTC))
            assert [(one.witness.name, one.state, one.lag_entries) for one in found] == [
                ("force", State.OK, 0),
                ("trust", State.OK, 0),
            ]
            assert {one.size for one in kept(world)} == {head(world).size}
    assert told(world) == []


def test_a_witness_that_has_seen_more_than_is_remembered_here_is_followed(world: World, tmp_path: Path) -> None:
    """Another process had it cosign, or the row was lost: it says its size (409), and the proof begins there."""
    with witness_server(world, tmp_path / "trust", TRUST) as (_, url):
        register(world, "trust", TRUST, url)
        collector = Collector(world.services)
        collector.round(datetime.now(UTC))
        with world.services.database.writing() as connection:
            connection.execute(delete(log_sql.log_cosignature))
        pushed(world)
        (found,) = collector.round(datetime.now(UTC))
    assert (found.state, found.lag_entries) == (State.OK, 0)


def test_a_witness_of_another_history_is_heard_when_it_is_asked(world: World, tmp_path: Path) -> None:
    """It has cosigned a fork of the same size (422), and one that has more entries than there are here (409)."""
    with (
        witness_server(world, tmp_path / "trust", TRUST) as (fork, trust),
        witness_server(world, tmp_path / "force", FORCE) as (more, force),
    ):
        at = head(world)
        for server, size in ((fork, at.size), (more, at.size + 100)):
            note = signed(world, size, bytes(32))
            server.witness.add(Submission(0, (), note))
        register(world, "trust", TRUST, trust)
        register(world, "force", FORCE, force)
        collector = Collector(world.services)
        for _ in range(2):
            found = collector.round(datetime.now(UTC))
            assert [one.state for one in found] == [State.DISAGREES, State.DISAGREES]
    assert sorted(told(world)) == [("force", "disagrees", "begins"), ("trust", "disagrees", "begins")]
    assert kept(world) == []


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_witness_that_does_not_answer_starves_no_other(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(witnessing, "TIMEOUT_SECONDS", 0.3)
    with (
        witness_server(world, tmp_path / "trust", TRUST) as (_, url),
        socket.create_server(("127.0.0.1", 0)) as silent,
        caplog.at_level(logging.WARNING, "gateway"),
    ):
        register(world, "a-silent", FORCE, f"http://127.0.0.1:{silent.getsockname()[1]}")
        register(world, "trust", TRUST, url)
        found = Collector(world.services).round(datetime.now(UTC))
    assert [one.state for one in found] == [State.NEVER, State.OK]
    said = [record.__dict__["fields"] for record in caplog.records if record.__dict__.get("line") == "WITNESS_SILENT"]
    assert [(one["witness"], one["why"]) for one in said] == [("a-silent", "ReadTimeout")]


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text=""),
        httpx.Response(200, text="\u2014 trust.example/w1 AAAAAAAAAAAAAAAA\n"),
        httpx.Response(200, content=b"\xff"),
        httpx.Response(200, content=b"x" * 100_000),
        httpx.Response(409, text="7\n"),
        httpx.Response(409, text="-7\n", headers={"Content-Type": "text/x.tlog.size"}),
        httpx.Response(409, text="0\n", headers={"Content-Type": "text/x.tlog.size"}),
        httpx.Response(403),
        httpx.Response(404),
        httpx.Response(500),
        httpx.Response(302, headers={"Location": "http://elsewhere.example/"}),
    ],
)
def test_whatever_a_witness_answers_nothing_is_kept_but_its_cosignature(world: World, answer: httpx.Response) -> None:
    register(world, "trust", TRUST, "http://witness.test")
    transport = httpx.MockTransport(
        lambda _: httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
    )
    (found,) = Collector(world.services, transport).round(datetime.now(UTC))
    assert found.state is State.NEVER
    assert kept(world) == []
    assert told(world) == []


def test_a_witness_that_lags_raises_the_alarm_once_and_catching_up_ends_it(world: World) -> None:
    register(world, "trust", TRUST)
    collector, soon = Collector(world.services), datetime.now(UTC)
    late = soon + timedelta(days=2)
    for now in (soon, late, late):
        collector.round(now)
    assert told(world) == [("trust", "lags", "begins")]
    accept(world.services, LOG, cosigned(head(world).checkpoint, TRUST))
    for _ in range(2):
        collector.round(late)
    assert told(world) == [("trust", "lags", "begins"), ("trust", "lags", "ends")]
    assert [one.outcome for one in sealed(world, OPERATOR_LOG) if one.event == Event.WITNESS_ALARM] == ["permitted"] * 2


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_an_answer_without_end_is_read_no_further_than_its_bound(world: World) -> None:
    register(world, "trust", TRUST, "http://witness.test")
    read = 0

    def without_end() -> Iterator[bytes]:
        nonlocal read
        while True:
            read += 1024
            yield bytes(1024)

    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=without_end()))
    (found,) = Collector(world.services, transport).round(datetime.now(UTC))
    assert found.state is State.NEVER
    assert read <= witnessing.ANSWER_MAX_BYTES + 2048
