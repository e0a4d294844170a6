"""The benchmarks run and say what they must: names and shapes, never how fast."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType

import pytest

from gateway import initialise
from tests.bench import batches, console, evidence, formats, hl7, over_http, packs, process, reads, stage, tokens
from tests.bench.__main__ import measure
from tests.bench.figures import MICROSECONDS, PER_SECOND, Row, percentile, table
from tests.bench.load import LoadFailed, fire
from tests.bench.scale import Scale
from tests.bench.stage import request
from tests.support.forked import serving

TINY = Scale(rounds=1, round_seconds=0.01, warm_up=8, log_sizes=(1000,), sealed=64, cold_starts=1, people=200, cases=60)
LEAST: dict[ModuleType, dict[str, float]] = {
    console: {"ROUNDS": 1},
    evidence: {"BATCHES": 4, "PROOFS": 20},
    formats: {"ROUNDS": 1, "ROUND_BYTES": 60_000, "INCIDENTS": 4},
    hl7: {"ROUNDS": 1, "CALLS": 1},
    over_http: {"TRIALS": 1},
    process: {"GRAIN_SECONDS": 0.1},
    reads: {"ROUNDS": 1},
    tokens: {"ROUNDS": 3, "CALLS": 20},
}
"""Rounds so short that they say nothing of how fast: they are most of a run."""

PROMISED = {
    "accept",
    "disclose",
    "token_issue",
    "push_to_visible_p99",
    "seal",
    "verify",
    "verify_one_core",
    "append_1e3",
    "proof_1e3",
    "read_filter_1e3",
    "read_pair_1e3",
    "read_accounting_1e3",
    "token_check",
    "match_200_p50",
    "match_200_p99",
    "match_index_200",
    "read_json_api",
    "read_plain_json",
    "read_xml_30k",
    "read_fhir_notice",
    "read_csv_flat",
    "read_csv_related",
    "mllp_in",
    "page_worklist_60",
    "page_referral_60",
    "page_overdue_60",
    "worklist_update_60",
    "hl7_to_record",
    "record_to_hl7",
    "hl7apy_once",
    "cold_start",
    "idle_memory",
}


def test_a_tiny_run_gives_every_promised_figure_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also that pushes, readings, tokens, floors and the verifier all answer as they must: else nothing is measured."""
    monkeypatch.setattr(initialise, "RSA_BITS", 2048)  # larger keys take a second each to make
    for module, least in LEAST.items():
        for name, value in least.items():
            monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(stage, "serving", serving)  # one start is measured as it is: the cold one
    rows = measure(tmp_path, ["sqlite"], TINY, say=lambda _: None)
    names = [row.name for row in rows]
    assert len(names) == len(set(names))
    assert set(names) >= PROMISED
    for row in rows:
        shown = row.to_json()
        assert list(shown) == ["name", "engine", "value", "unit", "floor", "ratio"]
        assert shown["engine"] in {"sqlite", "none"}
        assert shown["value"] > 0
        assert (shown["floor"] is None) == (shown["ratio"] is None)
    assert all(name in table(rows) for name in names)


def test_a_large_pack_is_written_verified_and_removed(tmp_path: Path) -> None:
    names = [row.name for row in packs.measure(tmp_path, 3000)]
    assert names == [
        *("pack_size_3000", "pack_write_3000", "pack_write_memory_3000"),
        *("pack_verify_3000", "pack_verify_memory_3000"),
    ]
    assert not list(tmp_path.iterdir())


def test_a_batch_is_sent_accepted_whole_and_its_file_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(initialise, "RSA_BITS", 2048)  # larger keys take a second each to make
    monkeypatch.setattr(batches, "serving", serving)  # its start is not measured
    found = {row.name: row.value for row in batches.measure(tmp_path, 1)}
    assert list(found) == ["batch_rows_1", "batch_server_memory_1", "batch_client_memory_1"]
    assert min(found.values()) > 0
    assert not (tmp_path / "export.ndjson").exists()


def test_a_ratio_above_one_is_better_for_rates_and_for_costs() -> None:
    assert Row("rate", "none", 200, PER_SECOND, floor=100).ratio == 2
    assert Row("cost", "none", 50, MICROSECONDS, floor=100).ratio == 2
    assert Row("alone", "none", 50, MICROSECONDS).ratio is None


def test_percentiles_lie_within_the_values() -> None:
    values = [float(one) for one in range(1, 102)]
    assert percentile(values, 50) == 51
    assert percentile(values, 99) == 100
    assert percentile([7.0], 99) == 7.0


class _Refusing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing."""


@pytest.fixture
def refusing() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Refusing) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_an_answer_other_than_expected_ends_the_run(refusing: int) -> None:
    with pytest.raises(LoadFailed, match="instead of 200"):
        fire(refusing, [request("GET", "/")], connections=1, status=200)
    assert len(fire(refusing, [request("GET", "/")] * 3, connections=2, status=404).latencies) == 3
