"""`python -m tests.faults`: breaks the gateway, its database and its disk, and counts what was lost. Nothing may be.

    --kills N      SIGKILLs of the gateway under load, half on SQLite, half on PostgreSQL (500)
    --quick        a few of each fault
    --only WORD    only rows whose name or engine has the word in it
    --engine NAME  sqlite or postgresql alone
    --jobs N       trials at once (3)
    --seed N       the seed of everything drawn at random

Exit codes: 0 nothing was lost; 1 something was, or PostgreSQL was asked for and is not installed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import secrets
import sys
import tempfile
import traceback
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from tests.faults.calls import Calls
from tests.faults.kinds import Plan
from tests.faults.plans import series, trials, work
from tests.faults.table import Row, counts, merged, text
from tests.support.postgres import binaries
from tests.support.world import prepare_template

KILLS = 500
QUICK_KILLS = 8


def main() -> int:
    """Run the trials and the series, print the table and what did not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--engine", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--jobs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31))
    asked = parser.parse_args()
    engines = ["sqlite", "postgresql"] if asked.engine == "both" else [asked.engine]
    if "postgresql" in engines and binaries() is None:
        print("postgresql: no server is installed")
        return 1
    kills = asked.kills if asked.kills is not None else QUICK_KILLS if asked.quick else KILLS
    plans: list[Plan | Calls] = [*trials(engines, kills, asked.seed, quick=asked.quick)]
    plans += series(asked.seed, step=9 if asked.quick else 1) if "sqlite" in engines else []
    plans = [plan for plan in plans if asked.only in repr(plan)]
    print(f"seed {asked.seed}, {len(plans)} trials, {asked.jobs} at once", flush=True)
    with tempfile.TemporaryDirectory(prefix="provide-template-") as folder:
        template = Path(folder) / "data"
        prepare_template(template)
        rows = list(done(plans, template, asked.jobs))
    if rows:
        print(text(merged(rows)))
    passed = len(rows) == len(plans) and all(row.passed for row in rows)
    print("nothing was lost" if passed else f"NOT EVERY PROMISE HELD; seed {asked.seed}")
    return 0 if passed else 1


def done(plans: list[Plan | Calls], template: Path, jobs: int) -> Iterator[Row]:
    """The rows as they are finished; a trial that broke down has none, and says why."""
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=spawned) as pool:
        futures = {pool.submit(work, plan, template): plan for plan in plans}
        for future in as_completed(futures):
            try:
                row = future.result()
            except Exception:  # noqa: BLE001 - said, and the exit code tells
                print(f"broke down: {futures[future]}\n{traceback.format_exc(limit=-3)}", flush=True)
                continue
            print(f"{'ok  ' if row.passed else 'MISS'} {futures[future]}\n          {counts(row)}", flush=True)
            for miss in row.misses:
                print(f"          {miss}", flush=True)
            yield row


if __name__ == "__main__":
    sys.exit(main())
