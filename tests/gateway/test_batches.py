"""Batches: each row as if it had come alone; a bad one keeps no other back; sent again, nothing is there twice."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import func, select, update

from audit.entry import Outcome
from gateway import batches
from gateway.batch_rows import BROKEN_AFTER, EndBroken
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from gateway.errors import BodyTooLarge, NotSealed
from gateway.evidence import OPERATOR_LOG, Caller, Event
from gateway.journey import take_in
from gateway.quarantine import Quarantine
from gateway.store import tables
from gateway.store.batch import Batch
from gateway.tokens.clients import AddClient
from mappings.profile import profile
from tests.journeys.support import like, sealed, serial
from tests.support import connect
from tests.support.world import World, client_key

NDJSON = {"Content-Type": "application/x-ndjson"}
POLICE = Caller("demo-rms", "04", None, frozenset({"police:incident.write"}), frozenset({LOG}), correlation="theirs")


def lines(*documents: Any) -> bytes:
    return b"".join((one if isinstance(one, bytes) else orjson.dumps(one)) + b"\n" for one in documents)


def send(world: World, body: bytes, **headers: str) -> httpx.Response:
    return world.police.post("/police/v1/batches", content=body, headers={**NDJSON, **headers})


def rows_of(world: World, answer: httpx.Response, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.police.get(f"{answer.headers['Location']}/rows{query}").json()["rows"]
    return found


def stream(*chunks: bytes | BaseException) -> AsyncIterator[bytes]:
    """A body that arrives in these chunks, or breaks."""

    async def pieces() -> AsyncIterator[bytes]:
        for chunk in chunks:
            if isinstance(chunk, BaseException):
                raise chunk
            yield chunk

    return pieces()


def take(world: World, chunks: AsyncIterator[bytes]) -> batches.Batched:
    batched, _, _ = world.run(batches.take_batch(world.services, POLICE, chunks, "application/x-ndjson", None))
    return batched


def counted(counts: dict[str, int]) -> dict[str, int]:
    return {state: count for state, count in counts.items() if count}


def incidents_kept(world: World) -> int:
    with world.services.database.reading() as connection:
        return connection.execute(select(func.count()).select_from(tables.record)).scalar_one()


def test_half_bad_is_half_accepted_and_each_row_says_what_became_of_it(demo: World) -> None:
    good = [incident(serial()) for _ in range(3)]
    broken = incident(serial())
    broken["data"]["attributes"]["recordVersion"] = "Marianne"
    body = lines(
        good[0],
        b'{"data": ',
        good[1],
        broken,
        incident(serial(), consent="REFUSED"),
        b"",
        incident(serial(), marking="SECRET"),
        good[0],
        good[2],
    )
    answer = send(demo, body)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert said["state"] == "complete"
    assert said["rows"] == 8
    assert counted(said["counts"]) == {"accepted": 3, "known": 1, "held": 1, "refused": 1, "unreadable": 2}

    rows = rows_of(demo, answer)
    assert [row["state"] for row in rows] == [
        *("accepted", "unreadable", "accepted", "unreadable", "held", "refused", "known", "accepted"),
    ]
    assert [row["row"] for row in rows] == list(range(1, 9))
    assert [row["line"] for row in rows] == [1, 2, 3, 4, 5, 7, 8, 9]
    assert rows[3]["problems"] == [{"path": "data.attributes.recordVersion", "code": "not-readable"}]
    assert rows[5]["problems"] == [{"path": "", "code": "marking-too-high"}]
    assert rows[6]["incident"] == rows[0]["incident"]
    assert all(rows[number]["quarantine"] for number in (1, 3, 4))

    bad = rows_of(demo, answer, "?state=bad")
    assert [row["row"] for row in bad] == [2, 4, 5, 6]
    assert demo.police.get(answer.headers["Location"]).json()["counts"] == said["counts"]


def test_the_bytes_of_a_bad_row_wait_for_a_human_within_the_hour_and_the_others_do_not(demo: World) -> None:
    send(demo, lines(incident(serial()), b"{", incident(serial())))
    with demo.services.database.reading() as connection:
        held = connection.execute(select(tables.quarantine)).all()
    assert [(row.reason, row.risk, row.closed_at) for row in held] == [("truncated", "unknown", None)]


def test_begin_and_end_are_sealed_with_counts_and_rows_name_their_batch(demo: World) -> None:
    start = len(sealed(demo))
    answer = send(demo, lines(incident(serial()), b"{"), **{"X-Correlation-Id": "night-export"})
    id_ = answer.json()["batch"]
    entries = sealed(demo, start=start)
    assert [one.event for one in entries][:1] == [Event.BATCH_BEGUN]
    begun, ended = entries[0], entries[-1]
    assert (begun.correlation, begun.detail and begun.detail["batch"]) == ("night-export", id_)
    assert begun.mapping
    assert ended.event == Event.BATCH_ENDED
    assert ended.detail is not None
    assert {name: ended.detail[name] for name in ("batch", "accepted", "unreadable")} == {
        "batch": id_,
        "accepted": 1,
        "unreadable": 1,
    }
    between = entries[1:-1]
    assert {one.event for one in between} == {Event.INCIDENT_ACCEPTED, Event.INPUT_UNREADABLE}
    assert {one.correlation for one in between} == {id_}


def test_the_same_batch_again_makes_no_second_case_and_says_known(demo: World) -> None:
    body = lines(*(incident(serial()) for _ in range(5)))
    assert counted(send(demo, body).json()["counts"]) == {"accepted": 5}
    kept = incidents_kept(demo)
    assert counted(send(demo, body).json()["counts"]) == {"known": 5}
    assert incidents_kept(demo) == kept


def test_a_key_stands_for_each_row_by_its_number(demo: World) -> None:
    first, second = incident(serial()), incident(serial())
    key = {"Idempotency-Key": "export-7"}
    assert counted(send(demo, lines(first, second), **key).json()["counts"]) == {"accepted": 2}
    changed = {**second, "data": {**second["data"]}}
    changed["data"]["attributes"] = {**second["data"]["attributes"], "recordVersion": 2}
    answer = send(demo, lines(first, changed), **key)
    assert counted(answer.json()["counts"]) == {"known": 1, "conflict": 1}
    assert rows_of(demo, answer)[1]["problems"] == [{"path": "", "code": "idempotency-conflict"}]


def test_versions_of_one_incident_in_one_batch_are_taken_in_their_order(demo: World) -> None:
    number = serial()
    body = lines(*(incident(number, version=version) for version in range(1, 9)))
    assert counted(send(demo, body).json()["counts"]) == {"accepted": 1, "updated": 7}


def test_a_connection_that_breaks_keeps_what_was_accepted_and_sending_it_again_goes_on(demo: World) -> None:
    documents = [incident(serial()) for _ in range(6)]
    body = lines(*documents)
    half = len(lines(*documents[:3])) + 40
    with pytest.raises(ConnectionResetError):
        take(demo, stream(body[:half], ConnectionResetError()))
    newest = demo.police.get("/police/v1/batches?limit=1").json()["batches"][0]
    assert (newest["state"], newest["reason"]) == ("incomplete", "connection-broken")
    said = demo.police.get(f"/police/v1/batches/{newest['batch']}").json()
    assert counted(said["counts"]) == {"accepted": 3}
    assert counted(send(demo, body).json()["counts"]) == {"known": 3, "accepted": 3}


def test_a_batch_whose_process_died_is_noted_as_incomplete_by_the_clock(demo: World) -> None:
    answer = send(demo, lines(incident(serial()), incident(serial())))
    id_ = answer.json()["batch"]
    with demo.services.database.writing() as connection:  # as a process leaves it that is killed
        connection.execute(update(tables.batch).values(state="open", ended_at=None))
    journal = demo.services.journals.of(LOG)
    assert journal.submit_and_wait(EndBroken()).value == 0  # it was heard of a moment ago
    long_ago = "2026-01-01T00:00:00.000Z"
    with demo.services.database.writing() as connection:
        connection.execute(update(tables.batch).values(began_at=long_ago))
    assert journal.submit_and_wait(EndBroken()).value == 0  # its rows still come
    with demo.services.database.writing() as connection:
        connection.execute(update(tables.batch_row).values(at=long_ago))
    assert journal.submit_and_wait(EndBroken()).value == 1
    said = demo.police.get(f"/police/v1/batches/{id_}").json()
    assert (said["state"], said["reason"], said["counts"]["accepted"]) == ("incomplete", "abandoned", 2)
    ended = [one for one in sealed(demo) if one.event == Event.BATCH_ENDED][-1]
    assert ended.outcome is Outcome.FAILED
    assert timedelta(minutes=10) == BROKEN_AFTER


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_batch_beyond_its_limits_keeps_what_came_before_and_says_where(
    demo: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = [incident(serial()) for _ in range(4)]
    limited = demo.services.settings.model_copy(update={"batch_max_rows": 3})
    monkeypatch.setitem(demo.services.__dict__, "settings", limited)
    answer = send(demo, lines(*documents))
    assert answer.status_code == 413
    said = demo.police.get(answer.headers["Location"]).json()
    assert (said["state"], said["reason"], counted(said["counts"])) == ("incomplete", "too-large", {"accepted": 3})

    monkeypatch.setitem(
        demo.services.__dict__, "settings", limited.model_copy(update={"batch_max_bytes": 1024, "batch_max_rows": 9})
    )
    declared = send(demo, lines(*documents))
    assert declared.status_code == 413
    assert "Location" not in declared.headers  # refused by its length, before anything was begun
    with pytest.raises(BodyTooLarge):
        take(demo, stream(lines(*documents)))


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_where_nothing_can_be_sealed_the_batch_stops_and_nothing_is_said_to_be_kept(
    demo: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "_TRIES", 1)
    taken: list[int] = []

    def refuse(_: Batch, *__: object, **___: object) -> None:
        taken.append(1)
        raise NotSealed("no disk")

    assert demo.police.get("/health/live").is_success  # signed in, while that can be sealed
    monkeypatch.setattr(Batch, "claim", refuse)  # accepting and setting aside both claim a name
    answer = send(demo, lines(incident(serial()), incident(serial())))
    assert answer.status_code == 503
    assert len(taken) == 4  # each row: taken in, and then set aside
    monkeypatch.undo()
    said = demo.police.get(answer.headers["Location"]).json()
    assert (said["state"], said["reason"], said["rows"]) == ("incomplete", "not-sealed", 0)


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_document_nobody_foresaw_is_kept_for_a_human_and_the_others_go_on(
    demo: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = orjson.dumps(incident(serial()))
    really = take_in

    async def fails(services: Any, caller: Any, body: bytes, *more: Any) -> Any:
        if body.strip() == wanted:
            raise ZeroDivisionError
        return await really(services, caller, body, *more)

    monkeypatch.setattr(batches, "take_in", fails)
    answer = send(demo, lines(incident(serial()), wanted, incident(serial())))
    assert counted(answer.json()["counts"]) == {"accepted": 2, "unreadable": 1}
    assert rows_of(demo, answer)[1]["problems"] == [{"path": "", "code": "not-taken"}]


def test_a_batch_of_another_organisation_is_as_good_as_none(demo: World) -> None:
    answer = send(demo, lines(incident(serial())))
    key = client_key(demo.keys_dir / "demo-hospital.pem")
    public = {**key.as_dict(private=False), "kid": key.thumbprint(), "use": "sig", "alg": "RS512"}
    unit = AddClient("other-force", jwks={"keys": [public]}, **like("demo-rms", organisation="05"))
    demo.services.journals.of(OPERATOR_LOG).submit_and_wait(unit)
    demo.services.clients.refresh()
    other = demo.client("other-force", key=key)
    for path in (answer.headers["Location"], f"{answer.headers['Location']}/rows"):
        none, theirs = other.get("/police/v1/batches/no-such-batch"), other.get(path)
        assert theirs.status_code == none.status_code == 404
        assert theirs.json() == none.json()
    assert other.get("/police/v1/batches").json()["batches"] == []


def test_rows_come_in_pages_and_as_ndjson_and_csv(demo: World) -> None:
    answer = send(demo, lines(incident(serial()), b"[", incident(serial())))
    where = f"{answer.headers['Location']}/rows"
    first = demo.police.get(f"{where}?limit=2").json()
    assert ([row["row"] for row in first["rows"]], first["next"], first["more"]) == ([1, 2], 2, True)
    second = demo.police.get(f"{where}?limit=2&after=2").json()
    assert ([row["row"] for row in second["rows"]], second["more"]) == ([3], False)
    ndjson = demo.police.get(where, headers={"Accept": "application/x-ndjson"})
    assert [orjson.loads(line) for line in ndjson.content.splitlines()] == rows_of(demo, answer)
    text = demo.police.get(where, headers={"Accept": "text/csv"}).text.splitlines()
    assert text[0] == "row,line,state,incident,quarantine,problems"
    assert text[2].startswith("2,2,unreadable,,")
    assert text[2].endswith(",truncated")
    assert demo.police.get(where, headers={"Accept": "image/png"}).status_code == 406
    assert demo.police.get(f"{where}?state=nonsense").status_code == 400
    assert demo.police.get(f"{where}?after=-1").status_code == 400
    assert demo.police.get(f"{where}?after={'9' * 18}").json()["rows"] == []  # more than the column holds


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_batch_of_a_type_nobody_reads_is_refused_whole_and_a_human_sees_how_it_begins(demo: World) -> None:
    """The sender is told that nothing was taken; the refusal is sealed; a human has it before them, with a clock."""
    for media in ("application/json", "application/zip", "text/csv", "text/tab-separated-values", ""):
        _refused_whole(demo, media)


def _refused_whole(demo: World, media: str) -> None:
    start = len(sealed(demo))
    most = demo.services.settings.body_max_bytes
    body = b'{"of": "' + media.encode() + b'"}' + b"x" * (most + 10)
    answer = demo.police.post("/police/v1/batches", content=body, headers={"Content-Type": media})
    assert answer.status_code == 415
    assert "Location" not in answer.headers
    assert "nothing of this batch was taken in: send it again" in answer.json()["detail"]
    (entry,) = sealed(demo, start=start)
    kept = answer.json()["quarantine"]
    assert (entry.event, entry.outcome, entry.reason) == (Event.INPUT_UNREADABLE, Outcome.FAILED, "media-type")
    assert entry.detail is not None
    assert entry.detail["quarantine"] == kept
    hold = demo.guardian.get(f"/governance/v1/holds/{kept}").json()
    assert hold["due_at"]
    with demo.services.database.reading() as connection:
        row = connection.execute(select(tables.quarantine).where(tables.quarantine.c.id == kept)).one()
        key = connection.execute(select(tables.data_key.c.content_key).where(tables.data_key.c.id == kept)).scalar_one()
    assert Quarantine(demo.services.keyring.content_key).open(row, key) == body[:most]


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_batch_refused_by_its_length_is_sealed_as_refused(demo: World, monkeypatch: pytest.MonkeyPatch) -> None:
    limited = demo.services.settings.model_copy(update={"batch_max_bytes": 64})
    monkeypatch.setitem(demo.services.__dict__, "settings", limited)
    start = len(sealed(demo))
    answer = send(demo, lines(incident(serial())))
    assert answer.status_code == 413
    assert answer.json()["quarantine"]
    assert [(one.event, one.reason) for one in sealed(demo, start=start)] == [(Event.INPUT_UNREADABLE, "too-large")]


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_the_stream_is_read_no_faster_than_rows_are_kept(demo: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the batch, no more documents are in memory than may be in flight."""
    monkeypatch.setattr(batches, "IN_FLIGHT", 4)
    begun, ended, most = 0, 0, 0
    really = take_in

    async def counting(*given: Any) -> Any:
        nonlocal ended
        try:
            return await really(*given)
        finally:
            ended += 1

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal begun, most
        for _ in range(40):
            most = max(most, begun - ended)
            begun += 1
            yield lines(incident(serial()))

    monkeypatch.setattr(batches, "take_in", counting)
    assert take(demo, chunks()).counts == {"accepted": 40}
    assert most <= 5  # four in flight, and the one that waits for room


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_other_requests_have_their_turn_between_two_documents(demo: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch is read and judged on the loop that serves everybody: it gives the loop back after each document."""
    turns, begun = 0, list[int]()
    really = take_in

    async def noted(*given: Any) -> Any:
        begun.append(turns)
        return await really(*given)

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async def both() -> None:
        other = asyncio.create_task(others())
        whole = stream(lines(*(incident(serial()) for _ in range(20))))
        await batches.take_batch(demo.services, POLICE, whole, "application/x-ndjson", None)
        other.cancel()

    monkeypatch.setattr(batches, "take_in", noted)
    demo.run(both())
    assert len(set(begun)) == 20


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize("size", [1, 7, 4096])
def test_any_cutting_of_the_stream_gives_the_same_rows(demo: World, size: int) -> None:
    body = lines(incident(serial(), child=False), b"{", incident(serial(), child=False))

    def cut(whole: bytes) -> Iterable[bytes]:
        return (whole[at : at + size] for at in range(0, len(whole), size))

    assert take(demo, stream(*cut(body))).counts == {"accepted": 2, "unreadable": 1}


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_memory_does_not_grow_with_the_batch(demo: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten times the bytes take no more memory, as long as what is in flight is the same."""
    monkeypatch.setattr(batches, "IN_FLIGHT", 4)
    padding = b" " * 500_000  # white space of JSON: large to carry, and quick to read

    async def chunks(rows: int) -> AsyncIterator[bytes]:
        for _ in range(rows):
            whole = orjson.dumps(incident(serial(), child=False))
            for piece in (whole[:1], padding, whole[1:], b"\n"):
                yield piece

    def peak(rows: int) -> int:
        tracemalloc.start()
        try:
            assert take(demo, chunks(rows)).counts == {"accepted": rows}
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(2)  # what is loaded once
    short, long = peak(4), peak(40)
    assert long < short + 5 * 2**20  # of 20 MB


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_csv_set_comes_as_a_zip_and_as_rows_of_one_file(demo: World) -> None:
    """A client reads by its own profiles; a zip has no lines, and a CSV file's lines are counted from its header."""

    def sent(body: bytes, media: str, profile: str) -> dict[str, int]:
        caller = replace(POLICE, profiles=(profile,))
        taking = batches.take_batch(demo.services, caller, stream(body[:100], body[100:]), media, None)
        return dict(demo.run(taking)[0].counts)

    whole = connect.zipped(connect.together(*(connect.export(f"04/2026/{number}") for number in (7001, 7002, 7003))))
    assert sent(whole, "application/zip", "connect") == {"accepted": 3}
    assert sent(whole, "application/zip", "connect") == {"known": 3}
    rows = [connect.flat_row(OccurrenceRef=f"04/2026/{number}") for number in (8001, 8002)]
    assert sent(connect.flat(*rows).encode(), "text/csv", "flat") == {"accepted": 2}


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize("order", [("flat", "connect"), ("connect", "flat")], ids="-".join)
def test_one_client_sends_single_files_and_zips_of_related_ones(demo: World, order: tuple[str, ...]) -> None:
    """Which profile reads it goes by what was sent, in a batch and alone, and not by the order they are named in."""
    caller = replace(POLICE, profiles=order)
    number = 10 * serial() + 100_000

    def sent(body: bytes, media: str) -> dict[str, int]:
        return dict(demo.run(batches.take_batch(demo.services, caller, stream(body), media, None))[0].counts)

    def alone(body: bytes, media: str) -> str | None:
        reading = demo.run(take_in(demo.services, caller, body, media, None)).reading
        return reading.record.source.profile if reading.record.source else None

    start = len(sealed(demo))
    assert sent(connect.flat(connect.flat_row(OccurrenceRef=f"04/2026/{number}")).encode(), "text/csv") == {
        "accepted": 1
    }
    assert sent(connect.zipped(connect.export(f"04/2026/{number + 1}")), "application/zip") == {"accepted": 1}
    assert alone(connect.flat(connect.flat_row(OccurrenceRef=f"04/2026/{number + 2}")).encode(), "text/csv") == "flat"
    assert alone(connect.zipped(connect.export(f"04/2026/{number + 3}")), "application/zip") == "connect"
    begun = [one.mapping for one in sealed(demo, start=start) if one.event == Event.BATCH_BEGUN]
    assert begun == [profile("flat").hash, profile("connect").hash]


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_zip_that_cannot_be_opened_is_one_bad_row_and_no_failure(demo: World) -> None:
    caller = replace(POLICE, profiles=("connect",))
    for body in (b"", b"PK\x03\x04 torn", connect.packed({"../incidents.csv": b"OCC_REF\r\n1"})):
        taking = batches.take_batch(demo.services, caller, stream(body), "application/zip", None)
        counts = demo.run(taking)[0].counts
        assert counts in ({}, {"unreadable": 1})
