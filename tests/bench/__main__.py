"""`python -m tests.bench [--json] [--engine sqlite|postgresql|both] [--quick]`: the benchmarks, in one run.

`python -m tests.bench --decisions N` instead looks at a year of N decisions again: a national one has 1460000.
`python -m tests.bench --batch MIB` instead sends one batch of MIB mebibytes; 1024 take minutes and 3 GB of disk.
`python -m tests.bench --pack N` instead writes and verifies one pack of N entries; ten million take 13 GB of disk.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.bench import (
    batches,
    console,
    evidence,
    formats,
    hl7,
    machine,
    matching,
    messages,
    over_http,
    packs,
    process,
    reads,
    tokens,
    year,
)
from tests.bench.figures import MIB, Row, table
from tests.bench.load import fire
from tests.bench.scale import FULL, QUICK, Scale
from tests.bench.stage import Engine, prepared_settings, staged
from tests.support.postgres import binaries, running

FLOORS = """\
floor (a)  an async FastAPI endpoint that validates the same JSON:API body with pydantic and commits two rows, the body
           as it came and a small one, by SQLAlchemy Core: one commit a request, in a thread pool of the size that was
           fastest here. Its SQLite is set as the gateway's (WAL, synchronous=FULL, one writer at a time). It checks no
           token, decides, encrypts, seals and signs nothing. Reads and tokens are compared with it too.
floor (b)  the same endpoint with no database: figures named ..._of_floor_b.
read_...   the slowest search of its group in a log of that size: one filter, pairs of them, one person's accounting, a
           count. Its floor is the 50 ms that auditors may wait: a ratio above 1 is under it.
mllp_in    messages over MLLP at 16 connections, each acknowledged after its sealed commit. Its floor is the asyncio
           server of python-hl7, which parses, acknowledges and stores nothing.
page_...   a page of the console with so many open cases, sealed and written, in one process: its floor is the time that
           it may take.
worklist_update_... from the beginning of a push until an open worklist was told and has its rows again.
match_N    one person looked for among N: candidates found, decrypted and judged; the index is built once.
append, proof, proof_check have the same figure at the smallest log as their floor: 1.0 is flat.
ratio      how many times as good as the floor; above 1 is better, for rates and for costs.
32 clients on keep-alive connections, one server process, rounds of the gateway and of the floors in turn."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print. Exit code 0, or 2 where PostgreSQL was asked for and is not installed."""
    options = _parser().parse_args(arguments)
    if options.decisions:
        with tempfile.TemporaryDirectory(prefix="provide-bench-") as scratch:
            facts = machine.facts(Path(scratch))
            rows = year.measure(Path(scratch), options.decisions)
        _show(facts, rows, as_json=options.json)
        return 0
    if options.pack:
        with tempfile.TemporaryDirectory(prefix="provide-bench-") as scratch:
            facts = machine.facts(Path(scratch))
            rows = packs.measure(Path(scratch), options.pack)
        _show(facts, rows, as_json=options.json)
        return 0
    if options.batch:
        with tempfile.TemporaryDirectory(prefix="provide-bench-") as scratch:
            facts = machine.facts(Path(scratch))
            rows = batches.measure(Path(scratch), options.batch)
        _show(facts, rows, as_json=options.json)
        return 0
    engines: list[str] = ["sqlite", "postgresql"] if options.engine == "both" else [options.engine]
    if "postgresql" in engines and binaries() is None:
        _say("no PostgreSQL server is installed here: its figures are left out")
        engines.remove("postgresql")
        if not engines:
            return 2
    with tempfile.TemporaryDirectory(prefix="provide-bench-") as scratch:
        facts = machine.facts(Path(scratch))
        rows = measure(Path(scratch), engines, QUICK if options.quick else FULL, say=_say)
    _show(facts, rows, FLOORS, as_json=options.json)
    return 0


def _show(facts: Sequence[str], rows: Sequence[Row], *notes: str, as_json: bool) -> None:
    if as_json:
        print(json.dumps([row.to_json() for row in rows], indent=1))
    else:
        print("\n\n".join(["\n".join(facts), table(rows), *notes]))


def measure(directory: Path, engines: Sequence[str], scale: Scale, *, say: Callable[[str], None]) -> list[Row]:
    """Every figure on every engine; figures without a database once. `say` is told what is being measured."""
    rows: list[Row] = []
    for name in engines:
        place = directory / name
        place.mkdir()
        with _engine(name, place) as (engine, evidence_url, matching_url):
            say(f"{name}: start and memory")
            settings = prepared_settings(place, engine)
            rows += process.cold_start(settings, name, scale)
            with staged(place, settings, engine) as stage:
                fire(stage.port, stage.pushes(1), connections=1, status=201)
                rows.append(Row("idle_memory", name, process.resident_mib(stage.process.pid), MIB))
                say(f"{name}: over HTTP")
                rows += over_http.measure(stage, name, scale)
                rows.append(Row("memory_after_load", name, process.resident_mib(stage.process.pid), MIB))
                token = stage.token("demo-rms")
            rows += tokens.measure(settings, name, token)
            say(f"{name}: pages of the console, {scale.cases:,} open cases")
            rows += console.measure(settings, name, scale.cases, token)
            say(f"{name}: messages over MLLP")
            rows += messages.measure(settings, name, scale)
            say(f"{name}: evidence, a log of up to {max(scale.log_sizes):,} entries")
            rows += evidence.measure(evidence_url, name, scale, with_verify=name == engines[0])
            say(f"{name}: log reads, a log of {max(scale.log_sizes):,} entries")
            rows += reads.measure(evidence_url, name, max(scale.log_sizes))
            say(f"{name}: one person among {scale.people:,}")
            rows += matching.measure(place, scale.people, matching_url)
    say("formats: a document to a record")
    say("hl7: a message to a record, and a record to a message")
    return [*rows, *formats.measure(), *hl7.measure()]


@contextmanager
def _engine(name: str, place: Path) -> Iterator[tuple[Engine, str, str]]:
    """The engine's databases: the gateway's, the floor's, one for the evidence alone and one for people."""
    if name == "sqlite":
        floor, *others = (f"sqlite:///{place / one}.sqlite3" for one in ("floor", "evidence", "matching"))
        yield Engine(name, None, floor), others[0], others[1]
        return
    with running(durable=True) as server:
        engine = Engine(name, server.create("gateway"), server.create("floor"))
        yield engine, server.create("evidence"), server.create("matching")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the list of rows and nothing else")
    parser.add_argument("--engine", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument("--pack", metavar="N", type=int, help="write and verify one pack of N entries, nothing else")
    parser.add_argument("--batch", metavar="MIB", type=int, help="send one batch of MIB mebibytes, nothing else")
    parser.add_argument("--decisions", metavar="N", type=int, help="a candidate tried on N decisions, nothing else")
    parser.add_argument("--quick", action="store_true", help="shorter rounds, and logs of up to 100,000 entries")
    return parser


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
