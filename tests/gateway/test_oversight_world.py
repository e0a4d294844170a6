"""Oversight over a gateway at work: the log and its pack say the same, by function, over HTTP and by command."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from audit.entry import Operation
from gateway.agreement import shipped
from gateway.cli import app
from gateway.demo.incidents import incident
from gateway.demo.run import LOG
from gateway.errors import Unprocessable
from gateway.evidence import OPERATOR_LOG, Event
from gateway.oversight.canary import PlaceCanary
from gateway.oversight.entries import LogSource, PackSource
from gateway.oversight.findings import find
from gateway.oversight.month import Month
from gateway.oversight.replay import rederive
from gateway.oversight.report import report
from gateway.oversight.what_if import try_on
from gateway.reading_log import write_pack
from gateway.web import oversight
from tests.journeys.support import change, last, pushed, serial, size, status
from tests.support.agreements import clause, edited
from tests.support.world import URL, World

FINDINGS = f"/audit/v1/logs/{LOG}/findings"
REPLAY = f"/agreements/v1/{LOG}/replay"
YAML = {"Content-Type": "application/yaml"}


@pytest.fixture
def busy(demo: World) -> World:
    """Incidents taken in, held and refused; referrals read and changed; police asked."""
    _, task = pushed(demo)
    change(demo, task, 1, status("accepted"))
    pushed(demo, grade="STANDARD", consent="REFUSED", child=False)
    demo.push(incident(serial(), handling="C"))
    demo.hospital.get("/fhir/R4/ServiceRequest")
    demo.hospital.get(f"/fhir/R4/Patient/{task}.victim-1")
    demo.police.get("/police/v1/feedback")
    return demo


def packed(world: World, path: Path) -> PackSource:
    with world.services.database.reading() as connection, path.open("wb") as file:
        write_pack(world.services, connection, LOG, file)
    return PackSource(path)


def without_name(content: dict[str, Any]) -> None:
    content["version"] += 1
    clause(content, "F1-referral")["release"].remove("victim.name")


def test_the_log_and_its_pack_say_the_same(busy: World, tmp_path: Path) -> None:
    pack = packed(busy, tmp_path / "log.pack")
    now = datetime.now(UTC) + timedelta(days=4)
    month = Month(now.year, now.month)
    candidate = edited(without_name)
    with busy.services.database.reading() as connection:
        log = LogSource(connection, LOG)
        assert log.size == pack.size
        assert log.texts.items() <= pack.texts.items()
        assert list(log.entries()) == list(pack.entries())
        found = rederive(log)
        assert found == rederive(pack)
        assert found.different == 0
        assert found.not_derivable == {}
        assert found.same > 5
        assert try_on(log, candidate) == try_on(pack, candidate)
        assert try_on(log, candidate).by("item").keys() == {"victim.name"}
        assert find(log, now=now) == find(pack, now=now)
        assert report(log, LOG, month, now) == report(pack, LOG, month, now)


def test_a_range_of_times_is_a_range_of_indexes(busy: World, tmp_path: Path) -> None:
    pack = packed(busy, tmp_path / "log.pack")
    with busy.services.database.reading() as connection:
        log = LogSource(connection, LOG)
        times = sorted({one.at for one in log.entries()})
        for start in (None, times[0], times[len(times) // 2], times[-1], times[-1] + timedelta(seconds=1)):
            for stop in (None, times[1], times[-1], times[-1] + timedelta(seconds=1)):
                wanted = [one.index for one in pack.entries(start, stop)]
                assert [one.index for one in log.entries(start, stop)] == wanted
                first, end = log.bounds(start, stop)
                assert end - first == len(wanted)
            events = frozenset({Event.AGREEMENT_ACTIVATED.value, Event.REFERRAL_READ.value})
            assert list(log.earlier(events, start)) == list(pack.earlier(events, start))


def test_a_canary_is_an_entry_and_whoever_opens_it_is_found(busy: World) -> None:
    _, task = pushed(busy)
    before = busy.hospital.get(f"/fhir/R4/Task/{task}").json()
    busy.services.journals.of(LOG).submit_and_wait(PlaceCanary(task))
    entry = last(busy)
    assert (entry.event, entry.case, entry.operation) == (Event.CANARY_PLACED, task, Operation.ADMINISTRATION)
    after = busy.hospital.get(f"/fhir/R4/Task/{task}").json()
    for one in (before, after):
        one["meta"].pop("extension", None)
    assert before == after
    with busy.services.database.reading() as connection:
        (found,) = [one for one in find(LogSource(connection, LOG)).findings if one.rule == "canary"]
    assert (found.case, found.user) == (task, "idva-0042")


def test_a_canary_that_is_no_case_is_refused(demo: World) -> None:
    before = size(demo)
    with pytest.raises(Unprocessable):
        demo.services.journals.of(LOG).submit_and_wait(PlaceCanary("no-such-case"))
    assert size(demo) == before


# Over HTTP


def test_findings_are_sealed_before_they_are_shown(busy: World) -> None:
    answer = busy.auditor.get(FINDINGS, params={"from": "2026-01-01T00:00:00Z"})
    assert answer.status_code == 200
    assert set(answer.json()) == {"log", "counts", "findings"}
    entry = last(busy)
    assert (entry.event, entry.operation) == (Event.LOG_READ, Operation.CONSULTATION)
    assert dict(entry.detail or {}).items() >= {"what": "findings", "from": "2026-01-01T00:00:00.000Z"}.items()
    assert f"index={size(busy) - 1}," in answer.headers["Gateway-Receipt"]
    text = busy.auditor.get(FINDINGS, params={"format": "csv"}).text
    assert next(csv.reader(io.StringIO(text)))[0] == "rule"


def replay(world: World, content: bytes, **params: str) -> httpx.Response:
    return world.auditor.post(REPLAY, content=content, headers=YAML, params=params)


def test_a_candidate_is_tried_over_http_and_sealed_by_its_hash(busy: World) -> None:
    candidate = edited(without_name)
    answer = replay(busy, candidate.canonical)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert set(body["by_item"]) == {"victim.name"}
    assert body["receipt"]["index"] == size(busy) - 1
    entry = last(busy)
    assert entry.event == Event.AGREEMENT_REPLAYED
    assert dict(entry.detail or {})["candidate"] == candidate.hash
    assert entry.agreement is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"id: [", "line"),
        (edited(lambda content: content.update(id="another")).canonical, "another agreement"),
    ],
)
def test_a_candidate_that_cannot_be_tried_is_refused_with_the_reason(demo: World, content: bytes, words: str) -> None:
    before = size(demo)
    answer = replay(demo, content)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]
    assert size(demo) == before


def test_a_range_too_large_for_one_answer_names_the_command(busy: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oversight, "ENTRIES_MAX", 3)
    before = size(busy)
    for answer in (replay(busy, shipped().text), busy.auditor.get(FINDINGS)):
        assert answer.status_code == 422
        assert "gateway agreement replay" in answer.json()["detail"]
    assert size(busy) == before
    assert replay(busy, shipped().text, to="2020-01-01T00:00:00Z").json()["decisions"] == 0


CALLS: list[Callable[[World, str], httpx.Response]] = [
    lambda world, log: world.auditor.get(f"/audit/v1/logs/{log}/findings"),
    lambda world, log: world.auditor.post(f"/agreements/v1/{log}/replay", content=shipped().text, headers=YAML),
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_log_of_others_looks_like_none(demo: World, call: Callable[[World, str], httpx.Response]) -> None:
    answer = call(demo, "another-agreement")
    assert answer.status_code == 404
    assert last(demo, OPERATOR_LOG).event == Event.ACCESS_REFUSED


@pytest.mark.parametrize("path", [FINDINGS, REPLAY])
@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_only_an_auditor_may_ask(demo: World, path: str) -> None:
    answer = (
        demo.hospital.get(path)
        if path == FINDINGS
        else demo.hospital.http.post(path, content=shipped().text, headers=YAML)
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "params",
    [
        {"from": "yesterday"},
        {"to": "2026-11-01T00:00:00"},
        {"from": "2026-11-02T00:00:00Z", "to": "2026-11-01T00:00:00Z"},
        {"format": "xml"},
        {"rule": "canary"},
    ],
)
@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_parameters_nobody_knows_are_refused(demo: World, params: dict[str, str]) -> None:
    assert demo.auditor.get(FINDINGS, params=params).status_code == 400


# By command


@pytest.fixture
def shell(busy: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """An operator beside the running gateway; exit code 0 unless said otherwise."""
    settings = busy.services.settings
    monkeypatch.setenv("GATEWAY_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("GATEWAY_PUBLIC_URL", URL)
    if settings.database_url is not None:
        monkeypatch.setenv("GATEWAY_DATABASE_URL", settings.database_url)
    monkeypatch.chdir(tmp_path)

    def run(*words: str, ends: int = 0) -> Result:
        result = CliRunner().invoke(app, list(words))
        assert result.exit_code == ends, result.output + repr(result.exception)
        return result

    return run


def test_the_commands_read_a_log_sealed_and_a_pack_alike(
    busy: World, shell: Callable[..., Result], tmp_path: Path
) -> None:
    candidate = tmp_path / "candidate.yaml"
    candidate.write_bytes(edited(without_name).canonical)
    pack = str(tmp_path / "log.pack")
    packed(busy, Path(pack))
    stop = ["--to", (datetime.now(UTC) + timedelta(seconds=1)).isoformat()]
    before = size(busy)

    derived = json.loads(shell("agreement", "rederive", "--pack", pack, *stop, "--json").output)
    assert (derived["different"], derived["entries"]) == (0, before)
    assert "different          0" in shell("agreement", "rederive", "--log", LOG).output
    assert dict(last(busy).detail or {}) == {"what": "rederive"}

    tried = json.loads(shell("agreement", "replay", str(candidate), "--pack", pack, "--json").output)
    assert set(tried["by_item"]) == {"victim.name"}
    assert "victim.name  whole to withheld" in shell("agreement", "replay", str(candidate), "--log", LOG).output
    assert last(busy).event == Event.AGREEMENT_REPLAYED
    table = shell("agreement", "replay", str(candidate), "--pack", pack, "--csv").output
    assert next(csv.DictReader(io.StringIO(table)))["item"] == "victim.name"

    assert "out-of-hours" in shell("audit", "findings", "--pack", pack, "--hours", "00:00-00:01").output
    assert json.loads(shell("audit", "findings", "--log", LOG, "--json").output)["counts"]["canary"] == 0
    assert dict(last(busy).detail or {}) == {"what": "findings"}
    assert size(busy) == before + 3


def test_the_report_is_written_from_a_log_and_from_a_pack(
    busy: World, shell: Callable[..., Result], tmp_path: Path
) -> None:
    packed(busy, tmp_path / "log.pack")
    month = str(Month(datetime.now(UTC).year, datetime.now(UTC).month))
    shell("report", LOG, "--month", month, "--out", str(tmp_path / "a"), "--pack", str(tmp_path / "log.pack"))
    shell("report", LOG, "--month", month, "--out", str(tmp_path / "b"))
    assert last(busy).event == Event.REPORT_MADE
    names = {path.name for path in (tmp_path / "a").iterdir()}
    assert names == {path.name for path in (tmp_path / "b").iterdir()}
    assert f"{LOG}-{month}.html" in names
    shell("report", "another", "--month", month, "--out", "c", "--pack", str(tmp_path / "log.pack"), ends=1)
    shell("report", LOG, "--month", "November", "--out", "c", ends=2)
    refused = shell("report", LOG, "--month", month, "--out", str(tmp_path / "log.pack"), ends=1)
    assert "log.pack: File exists" in refused.stderr


def test_a_difference_ends_rederive_with_one(busy: World, shell: Callable[..., Result], tmp_path: Path) -> None:
    """A pack somebody has rewritten: the tree would not verify, and neither does the decision."""
    path = tmp_path / "log.pack"
    packed(busy, path)
    path.write_bytes(path.read_bytes().replace(b'"grade":"standard"', b'"grade":"high"'))
    assert "entry" in shell("agreement", "rederive", "--pack", str(path), ends=1).output


def test_commands_used_wrongly_say_so(shell: Callable[..., Result], tmp_path: Path) -> None:
    shell("agreement", "rederive", ends=2)
    shell("agreement", "rederive", "--log", LOG, "--pack", "x", ends=2)
    shell("agreement", "rederive", "--log", "none", ends=1)
    shell("agreement", "rederive", "--pack", "none", ends=1)
    shell("agreement", "rederive", "--log", LOG, "--from", "soon", ends=2)
    shell("agreement", "rederive", "--log", LOG, "--from", "2026-11-01T00:00", ends=2)
    shell("audit", "findings", "--log", LOG, "--from", "2026-11-02", "--to", "2026-11-01", ends=2)
    shell("audit", "findings", "--log", LOG, "--from", "0001-01-01T00:00:00+14:00", ends=2)
    shell("agreement", "replay", "none.yaml", "--log", LOG, ends=1)
    (tmp_path / "bad.yaml").write_text("id: [")
    shell("agreement", "replay", "bad.yaml", "--log", LOG, ends=1)
    shell("audit", "findings", "--log", LOG, "--hours", "9-5", ends=2)
    shell("audit", "findings", "--log", LOG, "--days", "8", ends=2)
    shell("audit", "canary", LOG, "no-such-case", ends=1)


def test_a_canary_is_placed_by_command(busy: World, shell: Callable[..., Result]) -> None:
    _, task = pushed(busy)
    shell("audit", "canary", LOG, task)
    assert last(busy).event == Event.CANARY_PLACED
